/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/offload.h - which packets a pod's kernel hands to its device with the checksum still to be
 * computed.
 */
#ifndef FG_OFFLOAD_H
#define FG_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"

/*
 * Whether the device (by its name in the namespace netns) takes over transport checksums, as veth
 * and netkit do.
 */
bool fg_offload_device(int netns, const char *name);

/*
 * Whether a kernel with this device leaves the checksum of this packet to it (udp_send_skb,
 * tcp_v4_send_check: CHECKSUM_PARTIAL): TCP and UDP in one piece, unless the user has decided
 * otherwise.
 */
bool fg_offload_usual(const struct fg_packet_spec *spec, uint16_t family);

#endif
