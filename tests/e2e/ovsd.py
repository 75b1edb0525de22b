#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""ovsd.py DATAPATH PORT PORT... [DROPPED]: what ovs-vswitchd does, as a switch that learns: makes a datapath of Open vSwitch,
and takes the packets that have no flow (upcalls). Each gets a flow to the port of its address, or to all others, and is sent
on; UDP to the port DROPPED (a number) gets a flow that drops. Prints "ready", then a line for each upcall."""

import struct
import sys

from genl import Genl, attr, attrs, nested, number, text

NEW, MISS, EXECUTE = 1, 1, 3
DP_NAME, DP_UPCALL_PID = 1, 2
VPORT_TYPE, VPORT_NAME, VPORT_UPCALL_PID = 2, 3, 5
VPORT_NO, NETDEV = 1, 1
PACKET, PACKET_KEY, PACKET_ACTIONS = 1, 2, 3
FLOW_KEY, FLOW_ACTIONS = 1, 2
KEY_IN_PORT, KEY_ETHERNET, KEY_UDP = 3, 4, 10
OUTPUT = 1

datapath, ports = sys.argv[1], sys.argv[2:]
dropped = int(ports.pop()) if ports[-1].isdigit() else 0
learned = {}
genl = Genl()
dp, vport, flow, packet = (genl.family(name) for name in ("ovs_datapath", "ovs_vport", "ovs_flow", "ovs_packet"))
# struct ovs_header: the datapath's device.
made = genl.ask(dp, NEW, struct.pack("=i", 0) + text(DP_NAME, datapath) + number(DP_UPCALL_PID, genl.portid), 8)
header = made[0][1][:4]
for no, name in enumerate(ports, 1):
    genl.ask(vport, NEW, header + number(VPORT_NO, no) + number(VPORT_TYPE, NETDEV) + text(VPORT_NAME, name) + number(VPORT_UPCALL_PID, genl.portid))
print("ready", flush=True)
while True:
    for kind, command, data in genl.receive():
        if kind != packet or command != MISS:
            continue
        got = attrs(data[4:])
        key = attrs(got[PACKET_KEY])
        port = struct.unpack("=I", key[KEY_IN_PORT])[0]
        drop = KEY_UDP in key and struct.unpack("!HH", key[KEY_UDP])[1] == dropped
        dst, src = key[KEY_ETHERNET][6:12], key[KEY_ETHERNET][:6]
        learned[src] = port
        to = [learned[dst]] if dst in learned else [no for no in range(1, len(ports) + 1) if no != port]
        actions = b"" if drop else b"".join(number(OUTPUT, no) for no in to)
        print("upcall from", port, "dropped" if drop else "sent on", flush=True)
        genl.send(flow, NEW, header + nested(FLOW_KEY, got[PACKET_KEY]) + nested(FLOW_ACTIONS, actions))
        if not drop:
            genl.send(packet, EXECUTE, header + attr(PACKET, got[PACKET]) + nested(PACKET_KEY, got[PACKET_KEY]) + nested(PACKET_ACTIONS, actions))
