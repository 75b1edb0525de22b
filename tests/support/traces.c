// SPDX-License-Identifier: GPL-2.0-only
#include "base/count.h"
#include "traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/judge.h"

const struct fg_device trace_devices[WHERES] = {
	[PEER] = { NS_POD, 2, "eth0", "veth", "shop/cart-0" },
	[PRIMARY] = { NS_HOST, 10, "lxc1", "veth", "host" },
	[LXC2] = { NS_HOST, 11, "lxc2", "veth", "host" },
	[POD2] = { NS_POD2, 2, "eth0", "veth", "shop/db-0" },
	[HARDWARE] = { NS_HOST, 3, "ens1", "", "host" },
	[DUMMY] = { NS_HOST, 4, "dummy0", "dummy", "host" },
	[BRIDGE] = { NS_HOST, 5, "br0", "bridge", "host" },
	[POD_OTHER] = { NS_POD, 3, "eth1", "veth", "shop/cart-0" },
};

static const struct fg_device *find_device(const void *names, uint32_t netns, int ifindex)
{
	(void)names;
	for (int i = 1; i < WHERES; i++)
		if (trace_devices[i].netns == netns && trace_devices[i].ifindex == ifindex)
			return &trace_devices[i];
	return NULL;
}

static const char *find_reason(const void *names, uint32_t code)
{
	static const char *const reasons[] = {
		[R_CONSUMED] = "CONSUMED",
		[R_NOT_SPECIFIED] = "NOT_SPECIFIED",
		[R_NO_SOCKET] = "NO_SOCKET",
		[R_IP_INHDR] = "IP_INHDR",
		[R_XDP] = "XDP",
		[R_TC_EGRESS] = "TC_EGRESS",
		[R_QDISC_DROP] = "QDISC_DROP",
		[R_TC_INGRESS] = "TC_INGRESS",
		[R_TC_COOKIE] = "TC_COOKIE_ERROR",
		[R_NETFILTER_DROP] = "NETFILTER_DROP",
		[R_IP_INNOROUTES] = "IP_INNOROUTES",
		[R_NEIGH_FAILED] = "NEIGH_FAILED",
		[R_OVS_EXPLICIT] = "OVS_DROP_EXPLICIT",
		[R_SOCKET_FILTER] = "SOCKET_FILTER",
		[R_OTHERHOST] = "OTHERHOST",
		[R_SECURITY_HOOK] = "SECURITY_HOOK",
	};

	(void)names;
	return code < COUNT(reasons) ? reasons[code] : NULL;
}

/* The letters of traces_ladder(). */
static const struct letter {
	char letter;
	enum fg_stage stage;
	enum fg_hook hook;
	enum fg_side side;
	enum where where;
	bool native;
} letters[] = {
	{ 'E', FG_STAGE_EGRESS, FG_HOOK_TCX_EGRESS, FG_SIDE_POD, PEER, false },
	{ 'e', FG_STAGE_EGRESS, FG_HOOK_TC_EGRESS, FG_SIDE_POD, PEER, false },
	{ 'K', FG_STAGE_EGRESS, FG_HOOK_NETKIT_PEER, FG_SIDE_POD, PEER, false },
	{ 'X', FG_STAGE_EGRESS, FG_HOOK_XDP, FG_SIDE_HOST, PRIMARY, true },
	{ 'x', FG_STAGE_EGRESS, FG_HOOK_XDP, FG_SIDE_HOST, PRIMARY, false },
	{ 'I', FG_STAGE_EGRESS, FG_HOOK_TCX_INGRESS, FG_SIDE_HOST, PRIMARY, false },
	{ 'i', FG_STAGE_EGRESS, FG_HOOK_TC_INGRESS, FG_SIDE_HOST, PRIMARY, false },
	{ 'j', FG_STAGE_EGRESS, FG_HOOK_TC_INGRESS, FG_SIDE_HOST, PRIMARY, false },
	{ 'B', FG_STAGE_NODE, FG_HOOK_TCX_EGRESS, FG_SIDE_HOST, BRIDGE, false },
	{ 'T', FG_STAGE_INGRESS, FG_HOOK_TCX_EGRESS, FG_SIDE_HOST, LXC2, false },
	{ 't', FG_STAGE_INGRESS, FG_HOOK_TC_EGRESS, FG_SIDE_HOST, LXC2, false },
	{ 'N', FG_STAGE_INGRESS, FG_HOOK_NETKIT_PRIMARY, FG_SIDE_HOST, LXC2, false },
	{ 'Y', FG_STAGE_INGRESS, FG_HOOK_XDP, FG_SIDE_POD, POD2, true },
	{ 'y', FG_STAGE_INGRESS, FG_HOOK_XDP, FG_SIDE_POD, POD2, false },
	{ 'P', FG_STAGE_INGRESS, FG_HOOK_TCX_INGRESS, FG_SIDE_POD, POD2, false },
	{ 'p', FG_STAGE_INGRESS, FG_HOOK_TC_INGRESS, FG_SIDE_POD, POD2, false },
};

static void fill_program(struct fg_program *p, char letter, size_t i)
{
	const struct letter *l = letters;
	const struct fg_device *device;

	while (l->letter != letter)
		l++;
	device = &trace_devices[l->where];
	*p = (struct fg_program){ .stage = l->stage,
				  .hook = l->hook,
				  .side = l->side,
				  .id = FIRST_ID + (uint32_t)i,
				  .ifindex = device->ifindex,
				  .netns = device->netns,
				  .tag = { 0xde, 0xad, 0, 1, 2, 3, 4, (uint8_t)i },
				  .native = l->native };
	/* tc filters are for IPv4, and of that these traces know nothing. */
	if ((l->hook == FG_HOOK_TC_EGRESS || l->hook == FG_HOOK_TC_INGRESS) && letter != 'j')
		p->protocol = 0x0800;
	if (l->stage == FG_STAGE_INGRESS) {
		p->other_netns = trace_devices[POD2].netns;
		p->other_ifindex = trace_devices[POD2].ifindex;
	}
	snprintf(p->device, sizeof(p->device), "%s", device->name);
	snprintf(p->name, sizeof(p->name), "policy_%zu", i + 1);
}

void traces_ladder(struct fg_ladder *ladder, const char *text)
{
	*ladder = (struct fg_ladder){ .programs =
					      calloc(strlen(text) + 1, sizeof(*ladder->programs)) };
	if (!ladder->programs)
		abort();
	for (; *text; text++) {
		if (*text == '*')
			ladder->programs[ladder->count - 1].traced = true;
		else if (*text == '.')
			ladder->programs[ladder->count - 1].classifier = true;
		else
			fill_program(&ladder->programs[ladder->count], *text, ladder->count),
				ladder->count++;
	}
}

struct fg_context traces_make(const struct fg_ladder *ladder, enum fg_method method)
{
	const struct fg_device *out = &trace_devices[LXC2], *in = &trace_devices[POD2];
	bool far = fg_ladder_egress(ladder) < ladder->count;

	return (struct fg_context){
		.far = { far, false, far ? out->netns : 0, far ? out->ifindex : 0,
			 far ? in->netns : 0, far ? in->ifindex : 0 },
		.ladder = ladder,
		.method = method,
		.pod_netns = NS_POD,
		.host_netns = NS_HOST,
		.peer_ifindex = trace_devices[PEER].ifindex,
		.primary_ifindex = trace_devices[PRIMARY].ifindex,
		.netfilter = FG_PRESENCE_NO,
		.netfilter_bridge = FG_PRESENCE_NO,
		.netfilter_local = FG_PRESENCE_NO,
		.netfilter_bridge_in = FG_PRESENCE_NO,
		.netfilter_bridge_out = FG_PRESENCE_NO,
		.netfilter_devices = FG_PRESENCE_NO,
		.netfilter_from = FG_PRESENCE_NO,
		.netfilter_to = FG_PRESENCE_NO,
		.netfilter_to_stack = FG_PRESENCE_NO,
		.codes = { R_CONSUMED, R_NOT_SPECIFIED, R_TC_EGRESS, R_TC_INGRESS, R_XDP },
		.device = find_device,
		.reason = find_reason,
	};
}

static uint8_t flags_of(const struct seen *seen)
{
	bool whole = seen->kind == FG_EVENT_QUEUE || seen->kind == FG_EVENT_RECEIVE ||
		     seen->kind == FG_EVENT_FREE;
	bool owned = seen->flags & SEEN_OWNED || (seen->id == 64 && !(seen->flags & SEEN_UNOWNED));

	return (uint8_t)(seen->flags | (whole && owned ? FG_EVENT_F_OWNED : 0));
}

void traces_see(struct fg_trace *trace, const struct seen *seen)
{
	struct fg_event event = { .version = FG_EVENT_VERSION,
				  .flags = flags_of(seen),
				  .kind = (uint16_t)seen->kind,
				  .ifindex = (uint32_t)trace_devices[seen->where].ifindex,
				  .netns = trace_devices[seen->where].netns,
				  .code = seen->code,
				  .id = seen->id };
	struct fg_observation *o;

	if (seen->kind == FG_EVENT_INJECT)
		trace->injected_ns = 1000000;
	event.time_ns = 1000000 + 1000 * (uint64_t)trace->count;
	if (seen->kind == FG_EVENT_POLICY)
		event.aux = 310;
	if (seen->mac)
		event.aux = seen->mac;
	o = fg_trace_add(trace, &event);
	if (!o)
		abort();
	o->symbol = seen->symbol;
}

void traces_judge(const struct fg_context *context, struct fg_probe *probe)
{
	static struct fg_step *steps;

	free(steps);
	steps = calloc(context->ladder->count, sizeof(*steps));
	if (!steps)
		abort();
	probe->result.steps = steps;
	fg_judge(context, probe);
}
