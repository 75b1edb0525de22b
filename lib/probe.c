// SPDX-License-Identifier: GPL-2.0-only
#include "probe.h"

#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

size_t fg_probe_bound(const struct fg_probe_spec *spec)
{
	return spec->packet ? fg_packet_bound(spec->packet) : ETH_HLEN + spec->length;
}

int fg_probe_build(const struct fg_probe_spec *spec, struct fg_frame *frame, struct fg_error *err)
{
	const uint8_t type[2][2] = { { 0x08, 0x00 }, { 0x86, 0xdd } };

	if (spec->packet)
		return fg_packet_build(spec->packet, &spec->vary, frame, err);
	memset(frame->data, 0, ETH_HLEN);
	memcpy(frame->data + 12, type[spec->vary.dst.family == AF_INET6], 2);
	memcpy(frame->data + ETH_HLEN, spec->bytes, spec->length);
	frame->offload = (struct fg_offload){ 0 };
	frame->len = frame->part_len = ETH_HLEN + spec->length;
	frame->count = 1;
	return 0;
}

void fg_probe_take_fragment(struct fg_probe *probe, const struct fg_frame *whole, uint32_t index)
{
	size_t len;

	probe->spec.fragment = index;
	probe->spec.fragments = whole->count;
	probe->frame = (struct fg_frame){ .count = 1, .offload = whole->offload };
	probe->frame.data = fg_frame_part(whole, index, &len);
	probe->frame.len = probe->frame.size = probe->frame.part_len = len;
}

/* RFC 791: what every module must be able to forward without fragmenting. */
#define SMALLEST_MTU 68

void fg_probe_measure(const struct fg_frame *frame, uint32_t whole[2])
{
	const uint8_t *ip = frame->data + ETH_HLEN;
	size_t length = frame->len - ETH_HLEN, header;

	whole[FG_PIECE_FRAGMENT] = whole[FG_PIECE_SEGMENT] = 0;
	if (frame->offload.gso_type && frame->len > frame->offload.hdr_len)
		whole[FG_PIECE_SEGMENT] = (uint32_t)(frame->len - frame->offload.hdr_len);
	if (length <= SMALLEST_MTU || ip[0] >> 4 != 4)
		return;
	header = (size_t)(ip[0] & 15) * 4;
	/* What is a fragment already is cut again so seldom that it is not worth telling it from its siblings. */
	if (!(ip[6] & 0x7f) && !ip[7] && header < length)
		whole[FG_PIECE_FRAGMENT] = (uint32_t)(length - header);
}

void fg_ladder_free(struct fg_ladder *ladder)
{
	free(ladder->programs);
	*ladder = (struct fg_ladder){};
}

void fg_trace_reset(struct fg_trace *trace)
{
	struct fg_observation *list = trace->list;
	uint32_t room = trace->room;

	*trace = (struct fg_trace){ .list = list, .room = room };
}

void fg_trace_free(struct fg_trace *trace)
{
	free(trace->list);
	*trace = (struct fg_trace){};
}

struct fg_observation *fg_trace_add(struct fg_trace *trace, const struct fg_event *event)
{
	struct fg_observation *o;

	if (trace->count == trace->room) {
		uint32_t room = trace->room ? trace->room * 2 : 8;

		o = reallocarray(trace->list, room, sizeof(*o));
		if (!o)
			return NULL;
		trace->list = o;
		trace->room = room;
	}
	o = &trace->list[trace->count++];
	*o = (struct fg_observation){ .event = *event, .flow = -1 };
	if (event->time_ns > trace->injected_ns)
		o->time_ns = event->time_ns - trace->injected_ns;
	return o;
}
