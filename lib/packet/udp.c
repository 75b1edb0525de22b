// SPDX-License-Identifier: GPL-2.0-only
/* packet/udp.c - UDP (RFC 768). */
#include "packet/internal.h"

static void write_udp(struct fg_build *b)
{
	memset(b->transport, 0, 8);
	fg_put(b, FG_UDP_SPORT, b->transport, b->vary->sport);
	fg_put(b, FG_UDP_DPORT, b->transport, b->vary->dport);
	b->transport_len = 8;
}

static void finish_udp(struct fg_build *b)
{
	fg_put(b, FG_UDP_LENGTH, b->transport, fg_build_data_len(b));
	fg_put_checksum(b, FG_UDP_CHECKSUM, true);
}

const struct fg_transport fg_udp = { write_udp, finish_udp };
