// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/await.c - the receiving end of packets that another node sends: they are built as that
 * node builds them, but instead of being sent they are followed from their arrival on. And the
 * sending end's border, beyond which the other node looks.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "host/below.h"
#include "net/route.h"
#include "probe/wire.h"
#include "session/internal.h"

static uint32_t number_at(const uint8_t *bytes)
{
	return (uint32_t)(bytes[0] << 8 | bytes[1]);
}

/* As bpf/arrive.bpf.c reads it: what the headers say, be it true or not. */
static size_t header_of(const uint8_t *ip, uint32_t *length, uint8_t *next)
{
	bool four = ip[0] >> 4 == 4;

	*length = four ? number_at(ip + 2) : number_at(ip + 4) + 40;
	*next = four ? ip[9] : ip[6];
	return four ? (size_t)(ip[0] & 15) * 4 : 40;
}

static bool is_echo(uint8_t type)
{
	return type == 0 || type == 8 || type == 128 || type == 129;
}

/* What of the packet is compared, by bpf/arrive.bpf.c. */
static struct fg_awaited awaited_of(const struct fg_frame *frame, uint32_t number)
{
	const uint8_t *ip = frame->data + ETH_HLEN;
	const size_t length = frame->len - ETH_HLEN;
	struct fg_awaited a = { .probe = number };
	uint8_t next;
	size_t header = header_of(ip, &a.length, &next);

	fg_wire_read_flow(ip, length, &a.flow);
	if (length < header + 8)
		return a;
	if (next == IPPROTO_TCP)
		memcpy(&a.sequence, ip + header + 4, sizeof(a.sequence));
	if ((next == IPPROTO_ICMP || next == IPPROTO_ICMPV6) && is_echo(ip[header]))
		memcpy(&a.sequence, ip + header + 6, 2);
	return a;
}

/* Whether nothing but addresses, length and protocol distinguishes it from packets of others. */
static bool is_anybodys(const struct fg_wire_flow *flow)
{
	return !flow->ident && flow->proto != IPPROTO_TCP && flow->proto != IPPROTO_UDP &&
	       flow->proto != IPPROTO_SCTP && flow->proto != IPPROTO_ICMPV6;
}

static int check(const struct fg_frame *frame, const struct fg_awaited *a, struct fg_error *err)
{
	if (frame->offload.gso_type)
		return fg_fail(err, FG_ERR_USAGE,
			       "--gso: a device cuts the packet up before it arrives");
	if (!a->flow.family || is_anybodys(&a->flow))
		return fg_fail(err, FG_ERR_USAGE,
			       "--await: on arrival this packet cannot be distinguished from those "
			       "of others");
	return 0;
}

int fg_session_await(struct fg_session *session, uint32_t first, uint32_t count,
		     struct fg_error *err)
{
	const struct fg_endpoint *m = session->endpoints[session->window[first].spec.pod];
	FG_FREE struct fg_awaited *packets = calloc(count, sizeof(*packets));

	if (!packets)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "window");
	/* The other node sends all of them as soon as it is told that the first are awaited. */
	if (session->awaiting)
		return fg_fail(err, FG_ERR_USAGE, "--await: more than %d probes", FG_WINDOW);
	session->awaiting = true;
	for (uint32_t i = 0; i < count; i++) {
		const struct fg_frame *frame = &session->window[first + i].frame;

		packets[i] = awaited_of(frame, i);
		if (check(frame, &packets[i], err))
			return -1;
	}
	if (fg_datapath_await(session->datapath, m->pod.host_inode, packets, count, err))
		return -1;
	if (session->options.awaiting)
		session->options.awaiting(session->options.arg);
	return 0;
}

static const struct fg_event *arrival_of(const struct fg_probe *probe)
{
	for (uint32_t i = 0; i < probe->trace.count; i++)
		if (probe->trace.list[i].event.kind == FG_EVENT_INJECT)
			return &probe->trace.list[i].event;
	return NULL;
}

/* What is attached to the device that it was expected at, the packet has not met. */
static void leave_out_expected(struct fg_ladder *l)
{
	size_t programs = fg_ladder_egress(l), kept = 0;

	l->count -= programs;
	memmove(l->programs, l->programs + programs, l->count * sizeof(*l->programs));
	for (size_t i = 0; i < l->filter_count; i++)
		if (l->filters[i].stage != FG_STAGE_EGRESS)
			l->filters[kept++] = l->filters[i];
	l->filter_count = kept;
	l->other_filters &= kept > 0;
}

void fg_session_arrived(struct fg_hop *hop, const struct fg_probe *probe)
{
	const struct fg_event *e = hop->context.awaited ? arrival_of(probe) : NULL;

	if (!e || e->netns != hop->context.host_netns ||
	    (int)e->ifindex == hop->context.primary_ifindex)
		return;
	leave_out_expected(&hop->ladder);
	hop->context.primary_ifindex = (int)e->ifindex;
	hop->context.xdp_copies = false;
}

/*
 * Whether the node's default route leads into a pair of devices: then the node is a container, and
 * this kernel has what is around it. Elsewhere namespaces that no pair leads to are pods, too.
 */
static bool is_container(const struct fg_pod *pod)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < COUNT(families); i++) {
		int devices[8], n;

		n = fg_route_default_devices(pod->host_rtnl, families[i], devices, COUNT(devices));
		for (int k = 0; k < n && k < (int)COUNT(devices); k++) {
			struct fg_link link;

			if (!fg_link_get(pod->host_rtnl, devices[k], NULL, &link, NULL) &&
			    fg_link_is_pair(&link))
				return true;
		}
	}
	return false;
}

bool fg_session_beyond(void *session, uint32_t netns)
{
	struct fg_session *s = session;
	const struct fg_pod *pod = &s->endpoints[0]->pod;

	if (netns == pod->host_inode || netns == pod->inode)
		return false;
	if (!s->border)
		s->border = is_container(pod) ? FG_PRESENCE_YES : FG_PRESENCE_NO;
	return s->border == FG_PRESENCE_YES && !fg_below(&s->host, pod, netns, NULL);
}
