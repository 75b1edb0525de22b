// SPDX-License-Identifier: GPL-2.0-only
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fg_device scene_devices[WHERES] = {
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
		if (scene_devices[i].netns == netns && scene_devices[i].ifindex == ifindex)
			return &scene_devices[i];
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
	};

	(void)names;
	return code < sizeof(reasons) / sizeof(reasons[0]) ? reasons[code] : NULL;
}

static enum fg_hook hook_of(char letter)
{
	switch (letter) {
	case 'E':
		return FG_HOOK_TCX_EGRESS;
	case 'e':
		return FG_HOOK_TC_EGRESS;
	case 'K':
		return FG_HOOK_NETKIT_PEER;
	case 'X':
	case 'x':
		return FG_HOOK_XDP;
	case 'I':
		return FG_HOOK_TCX_INGRESS;
	default:
		return FG_HOOK_TC_INGRESS;
	}
}

static void fill_program(struct fg_program *p, char letter, size_t i)
{
	bool pod = letter == 'E' || letter == 'e' || letter == 'K';
	const struct fg_device *device = &scene_devices[pod ? PEER : PRIMARY];

	*p = (struct fg_program){ .hook = hook_of(letter),
				  .side = pod ? FG_SIDE_POD : FG_SIDE_HOST,
				  .id = FIRST_ID + (uint32_t)i,
				  .ifindex = device->ifindex,
				  .netns = device->netns,
				  .tag = { 0xde, 0xad, 0, 1, 2, 3, 4, (uint8_t)i },
				  .native = letter == 'X' };
	snprintf(p->device, sizeof(p->device), "%s", device->name);
	snprintf(p->name, sizeof(p->name), "policy_%zu", i + 1);
}

void scene_ladder(struct fg_ladder *ladder, const char *text)
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

struct fg_scene scene_make(const struct fg_ladder *ladder, enum fg_method method)
{
	return (struct fg_scene){
		.ladder = ladder,
		.method = method,
		.pod_netns = NS_POD,
		.host_netns = NS_HOST,
		.peer_ifindex = scene_devices[PEER].ifindex,
		.primary_ifindex = scene_devices[PRIMARY].ifindex,
		.codes = { R_CONSUMED, R_NOT_SPECIFIED, R_TC_EGRESS, R_TC_INGRESS, R_XDP },
		.device = find_device,
		.reason = find_reason,
	};
}

void scene_see(struct fg_trace *trace, const struct seen *seen)
{
	struct fg_event event = { .version = FG_EVENT_VERSION,
				  .flags = (uint8_t)seen->flags,
				  .kind = (uint16_t)seen->kind,
				  .ifindex = (uint32_t)scene_devices[seen->where].ifindex,
				  .netns = scene_devices[seen->where].netns,
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
