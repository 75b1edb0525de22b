/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * header/rewrite.h - makes a captured packet one that the pod could send: its source address, and
 * its checksums. Pure.
 */
#ifndef FG_REWRITE_H
#define FG_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/parse.h"

/*
 * Puts src in place of the source address of a packet that begins with its IP header, and mends the
 * checksums that cover it: IPv4's, TCP's, UDP's (none stays none), UDP-Lite's, DCCP's and ICMPv6's;
 * those of ICMP and SCTP do not cover it. They are updated by RFC 1624, so a first fragment comes
 * out right, a later one is left alone, and a checksum that was wrong stays wrong.
 *
 * If the sender left the checksum to its device, the capture holds the pseudo header's sum only.
 * That one is computed in full, as the device would have done.
 *
 * src NULL: only that last step. src must be of the packet's family. The packet must be whole:
 * fg_flow_layout_find() succeeds and claimed == len.
 */
void fg_rewrite_source(uint8_t *packet, size_t len, const struct fg_addr *src);

/*
 * Whether the packet's source is another, and an authentication header, whose key nobody here has,
 * covers it (RFC 4302 section 3.3.3.1). Such a packet cannot be rewritten.
 */
bool fg_rewrite_is_sealed(const uint8_t *packet, size_t len, const struct fg_addr *src);

#endif
