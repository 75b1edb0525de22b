// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as records of the ring: packets, clones, pieces, changes of addresses, answers, in any
 * order. The collector reads no memory but the window's, its counts stay within it, and what the
 * judge says of each trace is never more than the trace shows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "datapath/collector.h"
#include "judge/judge.h"
#include "packet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROBES 2
#define GENERATION 3
#define PROGRAMS 6
#define BACK 2

/* The devices of a small node; places in records are taken from these. */
static const struct fg_device devices[] = {
	{ 1, 2, "eth0", "veth", "shop/cart-0" },
	{ 2, 10, "lxc1", "veth", "host" },
	{ 2, 11, "lxc2", "veth", "host" },
	{ 3, 2, "eth0", "veth", "shop/db-0" },
	{ 2, 3, "ens1", "", "host" },
	{ 2, 5, "br0", "bridge", "host" },
};

static const struct fg_device *find_device(const void *names, uint32_t netns, int ifindex)
{
	(void)names;
	for (size_t i = 0; i < COUNT(devices); i++)
		if (devices[i].netns == netns && devices[i].ifindex == ifindex)
			return &devices[i];
	return NULL;
}

static const char *find_reason(const void *names, uint32_t code)
{
	static const char *const reasons[] = {
		NULL,	      "CONSUMED",	"NOT_SPECIFIED", "XDP",		 "TC_EGRESS",
		"TC_INGRESS", "NETFILTER_DROP", "NO_SOCKET",	 "NEIGH_FAILED", "SOCKET_FILTER"
	};

	(void)names;
	return code < COUNT(reasons) ? reasons[code] : NULL;
}

static const char *const symbols[] = { NULL,
				       "__netif_receive_skb_core+0x1/0x2",
				       "netkit_xmit+0x1/0x2",
				       "skb_do_redirect+0x1/0x2",
				       "udp_rcv+0x1/0x2",
				       "__neigh_event_send+0x1/0x2",
				       "skb_pp_cow_data+0x1/0x2",
				       "nf_hook_slow+0x1/0x2" };

static uint8_t next(const uint8_t **data, size_t *size)
{
	if (!*size)
		return 0;
	--*size;
	return *(*data)++;
}

/* Two bytes for each program: where it is, and what is known of it. */
static void make_ladder(struct fg_ladder *ladder, struct fg_program *programs, size_t max,
			const uint8_t **data, size_t *size)
{
	*ladder = (struct fg_ladder){ .programs = programs };
	ladder->count = next(data, size) % (max + 1);
	for (size_t i = 0; i < ladder->count; i++) {
		uint8_t where = next(data, size), what = next(data, size);
		const struct fg_device *d = &devices[where % COUNT(devices)];

		programs[i] = (struct fg_program){ .stage = (enum fg_stage)(what % 3),
						   .hook = (enum fg_hook)(what / 4 % FG_HOOKS),
						   .side = where & 64 ? FG_SIDE_HOST : FG_SIDE_POD,
						   .id = 100 + (uint32_t)i,
						   .netns = d->netns,
						   .ifindex = d->ifindex,
						   .native = where & 128,
						   .traced = what & 64,
						   .classifier = what & 128 };
	}
}

static struct fg_context make_context(const uint8_t **data, size_t *size)
{
	uint8_t a = next(data, size), b = next(data, size);

	return (struct fg_context){ .method = (enum fg_method)(a % 4),
				    .pod_netns = 1,
				    .host_netns = 2,
				    .peer_ifindex = 2,
				    .primary_ifindex = 10,
				    .far = { a & 16, a & 32, 2, 11, 3, 2 },
				    .netkit = a & 64,
				    .bridged = a & 128,
				    .notes_redirects = b & 1,
				    .xdp_copies = b & 2,
				    .wants_reply = b & 4,
				    .unlisted = b & 8,
				    .netfilter = (enum fg_presence)(b / 16 % 3),
				    .netfilter_bridge = FG_PRESENCE_NO,
				    .netfilter_local = FG_PRESENCE_NO,
				    .netfilter_bridge_in = (enum fg_presence)(b / 64 % 3),
				    .netfilter_bridge_out = FG_PRESENCE_NO,
				    .netfilter_devices = (enum fg_presence)(b / 32 % 3),
				    .netfilter_from = FG_PRESENCE_NO,
				    .netfilter_to = FG_PRESENCE_NO,
				    .netfilter_to_stack = FG_PRESENCE_NO,
				    .codes = { 1, 2, 4, 5, 3 },
				    .device = find_device,
				    .reason = find_reason };
}

/* Eight bytes for each record; what they leave open is 0. Longer ones take their bytes from the
 * same input. */
static void take(struct fg_collector *c, const uint8_t **data, size_t *size, uint64_t *records)
{
	union {
		struct fg_event event;
		struct fg_event_flow flow;
		struct fg_event_reply reply;
	} r = {};
	uint8_t kind = next(data, size), flags = next(data, size), where = next(data, size);
	uint8_t misfit = next(data, size);
	size_t len = sizeof(r.event);

	r.event = (struct fg_event){ .version = FG_EVENT_VERSION,
				     .flags = flags,
				     .kind = (uint16_t)(kind % (FG_EVENT_KINDS + 1)),
				     .probe = where / 64U,
				     .time_ns = 1000 * (*records + 1),
				     .generation = GENERATION,
				     .netns = devices[where % COUNT(devices)].netns,
				     .ifindex = (uint32_t)devices[where % COUNT(devices)].ifindex };
	r.event.code = (int32_t)(int8_t)next(data, size);
	r.event.id = next(data, size);
	r.event.aux = next(data, size);
	r.event.branch = next(data, size);
	if (r.event.kind == FG_EVENT_FLOW) {
		len = sizeof(r.flow);
		r.flow.flow.sport = r.event.branch;
	}
	if (r.event.kind == FG_EVENT_REPLY) {
		len = sizeof(r.reply);
		r.reply.captured = where % 8 == 7 ? UINT32_MAX : *size;
		memcpy(r.reply.bytes, *data, *size < FG_REPLY_BYTES ? *size : FG_REPLY_BYTES);
	}
	/* Now and then one that does not fit. */
	if (misfit > 250)
		r.event.generation += misfit - 253U;
	else if (misfit > 245)
		len = misfit - 200U;
	fg_collector_record(c, &r, len);
	++*records;
}

static void check_counts(const struct fg_collector *c, const struct fg_probe *probes,
			 uint64_t records)
{
	uint32_t soft, open = fg_collector_open_count(c, &soft), done = 0;
	uint64_t seen = fg_collector_strays(c);

	for (size_t i = 0; i < PROBES; i++) {
		seen += probes[i].trace.count;
		done += probes[i].trace.done;
		if (probes[i].trace.flow_count > FG_TRACE_FLOWS ||
		    probes[i].trace.reply.captured > FG_REPLY_BYTES)
			abort();
	}
	if (open + done != PROBES || soft > open || seen > records)
		abort();
}

/* What no trace may lead to. */
static void check_result(const struct fg_context *context, const struct fg_probe *p)
{
	const struct fg_result *r = &p->result;
	bool injected = false;

	for (uint32_t i = 0; i < p->trace.count; i++)
		injected |= p->trace.list[i].event.kind == FG_EVENT_INJECT;
	if (r->denied_by >= (int)context->ladder->count ||
	    r->redirected_by >= (int)context->ladder->count)
		abort();
	if (!injected && (r->verdict == FG_VERDICT_ALLOWED || r->verdict == FG_VERDICT_NONE ||
			  r->verdict == FG_VERDICT_DENIED))
		abort();
	if ((p->trace.lost || p->trace.strays || p->trace.changed) &&
	    (r->verdict != FG_VERDICT_UNKNOWN || r->outcome != FG_OUTCOME_INCONCLUSIVE))
		abort();
	if (r->denied_by >= 0 && r->verdict != FG_VERDICT_DENIED)
		abort();
	if (r->outcome == FG_OUTCOME_INCONCLUSIVE && !r->reason)
		abort();
}

/* The same of the reply's way: nobody injects it. */
static void check_way(const struct fg_context *back, const struct fg_probe *p,
		      const struct fg_result *way)
{
	const struct fg_trace *t = &p->trace;

	if (way->denied_by >= (int)back->ladder->count ||
	    way->redirected_by >= (int)back->ladder->count)
		abort();
	if ((t->lost || t->strays || t->changed || t->misfits) &&
	    way->verdict != FG_VERDICT_UNKNOWN)
		abort();
	if (way->denied_by >= 0 && way->verdict != FG_VERDICT_DENIED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_program programs[PROGRAMS], programs_back[BACK];
	struct fg_context context = make_context(&data, &size);
	const struct fg_context *contexts[PROBES] = { &context, &context };
	struct fg_probe probes[PROBES] = {};
	struct fg_step steps[PROBES][PROGRAMS + BACK] = {};
	struct fg_result ways[PROBES] = {};
	struct fg_context way_back;
	const struct fg_window window = { probes, contexts, PROBES, GENERATION, NULL };
	struct fg_collector *c = fg_collector_new(NULL, NULL);
	struct fg_ladder ladder, back;
	uint64_t records = 0;

	if (!c)
		abort();
	make_ladder(&ladder, programs, PROGRAMS, &data, &size);
	make_ladder(&back, programs_back, BACK, &data, &size);
	context.ladder = &ladder;
	way_back = make_context(&data, &size);
	way_back.ladder = &back;
	way_back.of_reply = true;
	way_back.method = FG_METHOD_POD_SOCKET;
	fg_collector_begin(c, &window);
	for (size_t i = 0; i < PROBES; i++)
		probes[i].trace.whole[i] = next(&data, &size);
	while (size && records < 200) {
		take(c, &data, &size, &records);
		check_counts(c, probes, records);
	}
	for (size_t i = 0; i < PROBES; i++) {
		for (uint32_t k = 0; k < probes[i].trace.count; k++)
			probes[i].trace.list[k].symbol =
				symbols[probes[i].trace.list[k].event.aux % COUNT(symbols)];
		probes[i].trace.strays = fg_collector_strays(c);
		probes[i].result.steps = steps[i];
		if (context.wants_reply) {
			ways[i].steps = steps[i] + PROGRAMS;
			probes[i].result.reply.way = &ways[i];
			probes[i].result.reply.back = &way_back;
		}
		fg_judge(&context, &probes[i]);
		check_result(&context, &probes[i]);
		if (context.wants_reply)
			check_way(&way_back, &probes[i], &ways[i]);
		fg_trace_free(&probes[i].trace);
	}
	fg_collector_free(c);
	return 0;
}
