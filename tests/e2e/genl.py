# SPDX-License-Identifier: GPL-2.0-only
"""Generic netlink, as little of it as the tests' own tools need."""

import os
import socket
import struct
import sys

REQUEST, ACK, DUMP = 1, 4, 0x300
NESTED = 0x8000
GENL_CTRL, GET_FAMILY = 16, 3
ERROR, DONE = 2, 3


def attr(kind, value):
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def number(kind, value):
    return attr(kind, struct.pack("=I", value))


def text(kind, value):
    return attr(kind, value.encode() + b"\0")


def nested(kind, value):
    return attr(kind | NESTED, value)


def attrs(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


class Genl:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((0, 0))
        self.portid = self.sock.getsockname()[0]

    def family(self, name):
        found = self.ask(GENL_CTRL, GET_FAMILY, text(2, name))
        return struct.unpack_from("=H", attrs(found[0][1])[1])[0]

    def send(self, family, command, payload, flags=0):
        body = struct.pack("=BBH", command, 1, 0) + payload
        self.sock.send(struct.pack("=IHHII", len(body) + 16, family, REQUEST | flags, 1, 0) + body)

    def receive(self):
        """Each message that has come: its family, its command and what is behind the generic header."""
        data = self.sock.recv(1 << 17)
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            yield kind, data[16] if kind > DONE else 0, data[20:length] if kind > DONE else data[16:length]
            data = data[(length + 3) & ~3 :]

    def ask(self, family, command, payload, flags=0):
        """(command, what is behind the generic header) of each message of the answer. An error ends the program."""
        self.send(family, command, payload, ACK | flags)
        found = []
        while True:
            for kind, what, data in self.receive():
                if kind == DONE:
                    return found
                if kind == ERROR:
                    error = -struct.unpack_from("=i", data)[0]
                    if error:
                        sys.exit(f"{sys.argv[0]}: {os.strerror(error)}")
                    if not flags & DUMP:
                        return found
                else:
                    found.append((what, data))
