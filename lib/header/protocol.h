/* SPDX-License-Identifier: GPL-2.0-only */
/* header/protocol.h - numbers of the protocols in packets. */
#ifndef FG_PROTOCOL_H
#define FG_PROTOCOL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Bits of the TCP flags (RFC 9293 section 3.1). */
enum fg_tcp_flag {
	FG_TCP_FLAG_FIN = 0x01,
	FG_TCP_FLAG_SYN = 0x02,
	FG_TCP_FLAG_RST = 0x04,
	FG_TCP_FLAG_PSH = 0x08,
	FG_TCP_FLAG_ACK = 0x10,
	FG_TCP_FLAG_URG = 0x20,
	FG_TCP_FLAG_ECE = 0x40,
	FG_TCP_FLAG_CWR = 0x80,
};

/* SCTP chunk types (RFC 9260 section 3.2). */
enum fg_sctp_chunk {
	FG_SCTP_DATA = 0,
	FG_SCTP_INIT = 1,
	FG_SCTP_INIT_ACK = 2,
	FG_SCTP_SACK = 3,
	FG_SCTP_HEARTBEAT = 4,
	FG_SCTP_HEARTBEAT_ACK = 5,
	FG_SCTP_ABORT = 6,
	FG_SCTP_SHUTDOWN = 7,
	FG_SCTP_COOKIE_ECHO = 10,
};

/* Whether the protocol is the ICMP of this IP version. */
static inline bool fg_is_icmp(uint16_t family, uint8_t protocol)
{
	return protocol == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/*
 * Whether an ICMP type has identifier and sequence number of an echo (RFC 792, RFC 4443 section 4).
 */
static inline bool fg_icmp_is_echo(uint16_t family, uint8_t type)
{
	return family == AF_INET ? type == 8 || type == 0 : type == 128 || type == 129;
}

/* Whether an ICMP type quotes the packet that it is about. */
static inline bool fg_icmp_is_error(uint16_t family, uint8_t type)
{
	if (family == AF_INET6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

#endif
