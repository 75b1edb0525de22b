#!/usr/bin/python3
"""connect.py udp|tcp DST PORT [sport=N] [tos=N] [src=ADDR]: what connect() of a real socket comes to, in the namespace
that it runs in: "src ADDR", the address that the kernel chose, or the name of the errno value. TCP does not wait."""
import errno
import socket
import sys

proto, dst, port = sys.argv[1:4]
given = dict(word.split("=", 1) for word in sys.argv[4:])
ipv6 = ":" in dst
family = socket.AF_INET6 if ipv6 else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
s.setblocking(False)
if "tos" in given:
    tos = int(given["tos"], 0)
    if ipv6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
if "src" in given or "sport" in given:
    s.bind((given.get("src", "::" if ipv6 else "0.0.0.0"), int(given.get("sport", 0))))
code = s.connect_ex((dst, int(port)))
if code in (0, errno.EINPROGRESS):
    print("src", s.getsockname()[0])
else:
    print(errno.errorcode[code])
