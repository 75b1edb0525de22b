/* SPDX-License-Identifier: GPL-2.0-only */
/* probe/wire.h - a packet's flow as the BPF programs read it (flow_parse() in bpf/flow.h). Pure. */
#ifndef FG_WIRE_H
#define FG_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/*
 * Reads the flow of the packet that begins with its IP header. Returns false if it is not an
 * IP packet, or too short: the programs would read past its end. *out is then untouched.
 */
bool fg_wire_read_flow(const uint8_t *packet, size_t len, struct fg_wire_flow *out);

#endif
