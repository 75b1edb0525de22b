// SPDX-License-Identifier: GPL-2.0-only
/* judge/event.c - what a single event means, wherever on the path it was seen. */
#include <string.h>

#include "base/count.h"
#include "judge/internal.h"

static const struct fg_device *device_at(const struct fg_context *context, const struct fg_event *e)
{
	return context->device ? context->device(context->names, e->netns, (int)e->ifindex) : NULL;
}

bool fg_event_on_hardware(const struct fg_context *context, const struct fg_event *e)
{
	const struct fg_device *device = device_at(context, e);

	return device && !device->kind[0] && strcmp(device->name, "lo") != 0;
}

bool fg_event_on_kind(const struct fg_context *context, const struct fg_event *event,
		      const char *kind)
{
	const struct fg_device *device = device_at(context, event);

	return device && !strcmp(device->kind, kind);
}

bool fg_event_is_exit(const struct fg_context *context, const struct fg_event *event)
{
	const struct fg_device *device = device_at(context, event);

	return fg_event_on_hardware(context, event) ||
	       (device && (!strcmp(device->kind, "dummy") || !strcmp(device->kind, "tun")));
}

bool fg_event_is_drop(const struct fg_context *context, const struct fg_event *event)
{
	/* 0 is SKB_NOT_DROPPED_YET; CONSUMED says that nothing was dropped. */
	return event->kind == FG_EVENT_FREE && event->code &&
	       (uint32_t)event->code != context->codes.consumed;
}

bool fg_event_is_stop(const struct fg_event *event)
{
	return event->kind == FG_EVENT_STOP || event->kind == FG_EVENT_REPLY;
}

bool fg_event_starts_with(const char *text, const char *start)
{
	return text && !strncmp(text, start, strlen(start));
}

bool fg_event_starts_with_any(const char *text, const char *const *starts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fg_event_starts_with(text, starts[i]))
			return true;
	return false;
}

/* Protocols' receive functions, and what frees packets for sockets. */
static const char *const takers[] = {
	"icmp",
	"ndisc_",
	"igmp",
	"mld_",
	"arp_",
	"tcp_",
	"__tcp_",
	"udp",
	"__udp",
	"skb_consume_udp",
	"raw_",
	"rawv6_",
	"ping_",
	"sctp_",
	"ip_protocol_deliver",
	"sk_",
	"__sk_",
	"dccp_",
	"ip6_protocol_deliver",
	"skb_free_datagram",
	"__skb_free_datagram",
};

bool fg_event_symbol_delivers(const char *symbol)
{
	return fg_event_starts_with_any(symbol, takers, COUNT(takers));
}
