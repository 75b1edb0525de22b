#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""tun.py NAME ADDR/LEN [answer]: a device that leads out of this kernel, for packets that leave the node. Prints "ready" when
it is up, then source and destination of each IPv4 packet that left through it. answer: echo requests over IPv4 are answered."""

import fcntl
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000

name, address = sys.argv[1:3]
answers = "answer" in sys.argv[3:]
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
subprocess.run(["ip", "addr", "add", address, "dev", name], check=True)
subprocess.run(["ip", "link", "set", name, "up"], check=True)
print("ready", flush=True)


def reply_to(request):
    """The ends are swapped, which changes no checksum; a type that is lower by 8 makes that of ICMP higher by as much."""
    at = (request[0] & 15) * 4
    checksum = int.from_bytes(request[at + 2:at + 4], "big") + 0x800
    checksum = (checksum & 0xFFFF) + (checksum >> 16)
    ends = request[16:20] + request[12:16] + request[20:at]
    return request[:12] + ends + b"\0" + request[at + 1:at + 2] + checksum.to_bytes(2, "big") + request[at + 4:]


while packet := tun.read(65536):
    if packet[0] >> 4 == 4:
        print(socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]), flush=True)
        if answers and packet[9] == socket.IPPROTO_ICMP and packet[(packet[0] & 15) * 4] == 8:
            tun.write(reply_to(packet))
