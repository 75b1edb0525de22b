#!/usr/bin/env python3
"""forge.py KIND FROM TO PORT SPORT SECONDS: sends, again and again, made-up answers to what TO sent
from SPORT to FROM's PORT: all that a third pod can guess is right in them, and no number that only a
receiver of the packet has seen. KIND: rst, syn-ack, unreachable, pong (PORT: the echo's identifier,
SPORT: its number), dns. IPv4 and IPv6."""
import ipaddress
import socket
import struct
import sys
import time

kind, source, target = sys.argv[1:4]
port, sport = int(sys.argv[4]), int(sys.argv[5])
end = time.monotonic() + float(sys.argv[6])
source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
six = source.version == 6
NUMBERS = {"rst": 6, "syn-ack": 6, "dns": 17, "unreachable": 58 if six else 1, "pong": 58 if six else 1}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(src, dst, protocol, payload):
    if six:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 60) + src.packed + dst.packed + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0x77, 0, 60, protocol, 0)
    head += src.packed + dst.packed
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def summed(payload, at, protocol):
    """With the checksum at that place; of ICMP over IPv4 it has no pseudo header."""
    pseudo = source.packed + target.packed + struct.pack(">II", len(payload), protocol)
    value = checksum((b"" if protocol == 1 else pseudo) + payload)
    return payload[:at] + struct.pack(">H", value) + payload[at + 2 :]


def make():
    number = NUMBERS[kind]
    if number == 6:
        flags = 0x14 if kind == "rst" else 0x12
        tcp = struct.pack(">HHIIBBHHH", port, sport, 0x1111, 0x2222, 0x50, flags, 64000, 0, 0)
        return ip(source, target, 6, summed(tcp, 16, 6))
    if kind == "dns":
        message = struct.pack(">HHHHHH", 0x7777, 0x8183, 1, 0, 0, 0) + b"\1x\0\0\1\0\1"
        udp = struct.pack(">HHHH", port, sport, 8 + len(message), 0) + message
        return ip(source, target, 17, summed(udp, 6, 17))
    if kind == "pong":
        icmp = struct.pack(">BBHHH", 129 if six else 0, 0, 0, port, sport) + b"never sent"
    else:
        quote = ip(target, source, 6, struct.pack(">HHI", sport, port, 0x3333))
        icmp = struct.pack(">BBHI", 1 if six else 3, 4 if six else 3, 0, 0) + quote
    return ip(source, target, number, summed(icmp, 2, number))


family = socket.AF_INET6 if six else socket.AF_INET
s = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
packet = make()
print("ready", flush=True)
while time.monotonic() < end:
    s.sendto(packet, (str(target), 0))
    time.sleep(0.02)
