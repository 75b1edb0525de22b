#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""wg.py key DEVICE [PORT]: gives a WireGuard device of this namespace a new key, and the port that it listens at; prints its
public key. wg.py peer DEVICE PUBLIC ADDR/LEN [ENDPOINT PORT]: a peer, what is routed to it, and where it is (IPv4)."""

import os
import socket
import struct
import sys

from genl import DUMP, Genl, attr, attrs, nested, text

GET_DEVICE, SET_DEVICE = 0, 1
A_IFNAME, A_PRIVATE, A_PUBLIC, A_PORT, A_PEERS = 2, 3, 4, 6, 8
P_PUBLIC, P_ENDPOINT, P_ALLOWED = 1, 4, 9
I_FAMILY, I_ADDR, I_LEN = 1, 2, 3

genl = Genl()
family = genl.family("wireguard")
verb, device = sys.argv[1:3]
name = text(A_IFNAME, device)
if verb == "key":
    port = attr(A_PORT, struct.pack("=H", int(sys.argv[3]))) if len(sys.argv) > 3 else b""
    genl.ask(family, SET_DEVICE, name + attr(A_PRIVATE, os.urandom(32)) + port)
    print(attrs(genl.ask(family, GET_DEVICE, name, DUMP)[0][1])[A_PUBLIC].hex())
    sys.exit()
addr, length = sys.argv[4].split("/")
allowed = attr(I_FAMILY, struct.pack("=H", 2)) + attr(I_ADDR, socket.inet_aton(addr)) + attr(I_LEN, bytes([int(length)]))
peer = attr(P_PUBLIC, bytes.fromhex(sys.argv[3]))
if len(sys.argv) > 5:
    peer += attr(P_ENDPOINT, struct.pack("=HH", 2, socket.htons(int(sys.argv[6]))) + socket.inet_aton(sys.argv[5]) + bytes(8))
peer += nested(P_ALLOWED, nested(0, allowed))
genl.ask(family, SET_DEVICE, name + nested(A_PEERS, nested(0, peer)))
