#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""tun.py NAME ADDR/LEN: a device that leads out of this kernel, for packets that leave the node. Prints "ready" when it is
up, then source and destination of each IPv4 packet that left through it."""

import fcntl
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000

name, address = sys.argv[1:3]
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
subprocess.run(["ip", "addr", "add", address, "dev", name], check=True)
subprocess.run(["ip", "link", "set", name, "up"], check=True)
print("ready", flush=True)
while packet := tun.read(65536):
    if packet[0] >> 4 == 4:
        print(socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]), flush=True)
