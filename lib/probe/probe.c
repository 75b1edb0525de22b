// SPDX-License-Identifier: GPL-2.0-only
#include "probe/probe.h"

#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "header/dissect.h"

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
	/*
	 * What is a fragment already is cut again so seldom that it is not worth telling it from
	 * its siblings.
	 */
	if (!(ip[6] & 0x7f) && !ip[7] && header < length)
		whole[FG_PIECE_FRAGMENT] = (uint32_t)(length - header);
}

/* Of the packet in the frame; false: it is not a fragment. */
static bool fragment_read(const struct fg_frame *frame, struct fg_layout *layout,
			  struct fg_flow *flow)
{
	const uint8_t *ip;
	size_t len;

	if (!frame->data || frame->len <= ETH_HLEN)
		return false;
	ip = frame->data + ETH_HLEN;
	len = frame->len - ETH_HLEN;
	return !fg_flow_layout_find(ip, len, layout) &&
	       (layout->more_fragments || layout->fragment_offset) &&
	       !fg_flow_extract(ip, len, flow);
}

bool fg_probe_is_fragment(const struct fg_frame *frame)
{
	struct fg_layout layout;
	struct fg_flow flow;

	return fragment_read(frame, &layout, &flow);
}

bool fg_probe_are_siblings(const struct fg_frame *a, const struct fg_frame *b)
{
	struct fg_layout la, lb;
	struct fg_flow fa, fb;

	return fragment_read(a, &la, &fa) && fragment_read(b, &lb, &fb) && la.ident == lb.ident &&
	       (la.family == AF_INET6 || fa.protocol == fb.protocol) &&
	       fg_addr_equal(&fa.src, &fb.src) && fg_addr_equal(&fa.dst, &fb.dst);
}

bool fg_probe_arrived(const struct fg_result *r)
{
	return r->outcome == FG_OUTCOME_DELIVERED || r->outcome == FG_OUTCOME_FORWARDED ||
	       r->outcome == FG_OUTCOME_REPLIED ||
	       (r->decider.kind == FG_KIND_SOCKET && r->decider.stage == FG_STAGE_INGRESS &&
		r->outcome != FG_OUTCOME_INCONCLUSIVE);
}

bool fg_probe_was_steered(const struct fg_result *r)
{
	const struct fg_event *e = r->end && !r->dropped ? &r->end->event : NULL;

	return r->stages[FG_STAGE_INGRESS].verdict == FG_VERDICT_REDIRECTED && e &&
	       (e->kind == FG_EVENT_SOCKET || e->kind == FG_EVENT_STOP) &&
	       e->code == FG_SOCKET_OTHER;
}
