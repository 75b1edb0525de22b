// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/reply.c - the reply to a probe: what kind it is, and who sent it. Its return path is judged
 * as that of a probe (judge.c).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "header/dissect.h"
#include "judge/internal.h"
#include "header/protocol.h"

/* The bytes that were kept of the reply, from its IP header on. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

static uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/*
 * RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. RFC 4443: types
 * below 128.
 */
static bool is_icmp_error(const struct fg_flow *flow)
{
	if (flow->protocol == IPPROTO_ICMPV6)
		return flow->icmp_type < 128;
	return flow->icmp_type == 3 || flow->icmp_type == 4 || flow->icmp_type == 5 ||
	       flow->icmp_type == 11 || flow->icmp_type == 12;
}

static void read_tcp(const struct fg_flow *flow, const uint8_t *tcp, size_t len,
		     struct fg_reply *reply)
{
	if (flow->tcp_flags & FG_TCP_FLAG_RST)
		reply->kind = FG_REPLY_RST;
	else if ((flow->tcp_flags & (FG_TCP_FLAG_SYN | FG_TCP_FLAG_ACK)) ==
		 (FG_TCP_FLAG_SYN | FG_TCP_FLAG_ACK))
		reply->kind = FG_REPLY_SYN_ACK;
	else
		reply->kind = FG_REPLY_TCP;
	if (len >= 12) {
		reply->tcp_seq = be32_at(tcp + 4);
		reply->tcp_ack = be32_at(tcp + 8);
	}
}

/*
 * RFC 1035 section 4.1.1: the second flag byte holds the response code, the first the bit that says
 * "response".
 */
static void read_udp(const struct fg_flow *flow, const uint8_t *udp, size_t len,
		     struct fg_reply *reply)
{
	reply->kind = FG_REPLY_UDP;
	if (flow->sport != 53 || len < 8 + 12 || !(udp[8 + 2] & 0x80))
		return;
	reply->kind = FG_REPLY_DNS;
	reply->dns_rcode = udp[8 + 3] & 15;
}

static void read_kind(const struct fg_flow *flow, const struct bytes *packet,
		      const struct fg_layout *layout, struct fg_reply *reply)
{
	const uint8_t *transport = packet->data + layout->transport;
	size_t len = packet->len > layout->transport ? packet->len - layout->transport : 0;

	switch (flow->protocol) {
	case IPPROTO_TCP:
		read_tcp(flow, transport, len, reply);
		break;
	case IPPROTO_UDP:
		read_udp(flow, transport, len, reply);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		reply->icmp_type = flow->icmp_type;
		reply->icmp_code = flow->icmp_code;
		reply->kind = is_icmp_error(flow) ? FG_REPLY_ICMP_ERROR : FG_REPLY_ECHO;
		break;
	case IPPROTO_SCTP:
		reply->kind = flow->sctp_chunk == FG_SCTP_INIT_ACK ? FG_REPLY_SCTP_INIT_ACK
			      : flow->sctp_chunk == FG_SCTP_ABORT  ? FG_REPLY_SCTP_ABORT
								   : FG_REPLY_SCTP;
		break;
	default:
		reply->kind = FG_REPLY_OTHER;
	}
}

static void read_answer(const struct fg_trace *trace, struct fg_reply *reply)
{
	const struct fg_event_reply *record = &trace->reply;
	const struct bytes packet = { record->bytes, record->captured };
	struct fg_layout layout;
	struct fg_flow flow;

	reply->kind = FG_REPLY_OTHER;
	reply->length = record->event.length;
	if (record->event.time_ns > trace->injected_ns)
		reply->rtt_ns = record->event.time_ns - trace->injected_ns;
	if (packet.len < 20)
		return;
	reply->hops_left = packet.data[0] >> 4 == 4 ? packet.data[8] : packet.data[7];
	if (fg_flow_extract(packet.data, packet.len, &flow) ||
	    fg_flow_layout_find(packet.data, packet.len, &layout))
		return;
	reply->from = flow.src;
	read_kind(&flow, &packet, &layout, reply);
}

void fg_reply_read(const struct fg_trace *trace, struct fg_reply *reply)
{
	if (trace->answered)
		read_answer(trace, reply);
}

/* Whether the host itself may have made it: an error, or a refusal. */
static bool may_be_the_hosts(const struct fg_reply *reply)
{
	return !reply->back->pod_netns || reply->kind == FG_REPLY_NONE || fg_reply_rejects(reply);
}

const char *fg_reply_doubt(const struct fg_reply *reply, const struct fg_trace *trace,
			   const struct fg_progress *p)
{
	static const char unseen[] = "where the reply came from was not seen";
	bool denied = reply->way->verdict == FG_VERDICT_DENIED;

	if (!p->last && !trace->answered)
		return "no reply was seen";
	/* Which of several an event was about, it does not say. */
	if (trace->mixed)
		return "other answers came, which do not fit the packet: which of them was seen "
		       "where is not known";
	if (!trace->answered && !trace->heard)
		return trace->misfits ? "an answer came whose numbers do not fit the packet: it is "
					"not believed"
				      : "whether what came is a reply to the packet was not seen";
	/* Seen only where flowgen took it: a program made it of the packet itself, for one. */
	if (!p->injected)
		return unseen;
	if (p->risen)
		return "it was seen again after its end";
	if (p->unlisted && !denied)
		return "the programs of the pod that replied could not be listed";
	return p->made_here && !denied && !may_be_the_hosts(reply) ? unseen : NULL;
}

bool fg_reply_rejects(const struct fg_reply *reply)
{
	/* ICMP redirects (type 5, ICMPv6 137) tell of a better way: the packet went on. */
	if (reply->kind == FG_REPLY_ICMP_ERROR)
		return !(reply->from.family == AF_INET && reply->icmp_type == 5);
	return reply->kind == FG_REPLY_RST || reply->kind == FG_REPLY_SCTP_ABORT;
}
