// SPDX-License-Identifier: GPL-2.0-only
#include "listing/catch.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/markup.h"
#include "header/dissect.h"
#include "listing/internal.h"

/* Of the time of day in "2026-01-31T23:59:59.123456789Z". */
#define CLOCK_START 11
#define CLOCK_END 26

static json_t *field_json(const struct fg_dissect_cursor *at)
{
	const struct fg_field *field = &fg_fields[at->field];
	char text[2 * FG_CATCH_BYTES + 1];

	if (fg_field_is_text(at->field))
		return json_string(
			fg_field_text(at->field, at->header, at->len, text, sizeof(text)));
	if (field->format == FG_FORMAT_BOOL)
		return json_boolean(fg_field_get(at->field, at->header));
	return json_integer((json_int_t)fg_field_get(at->field, at->header));
}

/*
 * All headers with all their fields, as they arrived. What is missing for lack of memory
 * leaves NULL.
 */
static json_t *headers_json(const struct fg_dissection *d)
{
	struct fg_dissect_cursor at = {};
	json_t *all = json_array(), *layer = NULL;
	size_t last = SIZE_MAX;

	while (fg_dissect_next(d, &at)) {
		if (at.layer != last) {
			const struct fg_layer *l = &d->layers[at.layer];

			last = at.layer;
			layer = json_pack("{s:s, s:b}", "header", fg_field_headers[l->header].key,
					  "quoted", l->quoted);
			if (json_array_append_new(all, layer)) {
				json_decref(all);
				return NULL;
			}
		}
		json_object_set_new(layer, fg_fields[at.field].key, field_json(&at));
	}
	return all;
}

static uint8_t hops_left(const struct fg_catch_record *r)
{
	return r->bytes[0] >> 4 == 4 ? r->bytes[8] : r->bytes[7];
}

static uint8_t traffic_class(const struct fg_catch_record *r)
{
	return r->bytes[0] >> 4 == 4 ? r->bytes[1] : (uint8_t)(r->bytes[0] << 4 | r->bytes[1] >> 4);
}

static bool port_protocol(const struct fg_flow *flow)
{
	return !flow->later_fragment &&
	       (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP ||
		flow->protocol == IPPROTO_SCTP);
}

static void set_integer(json_t *object, const char *key, bool there, uint64_t value)
{
	json_object_set_new(object, key, there ? json_integer((json_int_t)value) : json_null());
}

/* The few fields that most readers want. */
static json_t *packet_json(const struct fg_catch_record *r)
{
	char src[FG_ADDR_TEXT_LEN], dst[FG_ADDR_TEXT_LEN], number[4], flags[FG_TCP_FLAGS_LEN];
	struct fg_flow flow;
	json_t *packet;

	if (fg_flow_extract(r->bytes, r->captured, &flow))
		return json_null();
	packet = json_pack("{s:s, s:s, s:s}", "proto", fg_flow_protocol_text(flow.protocol, number),
			   "src", fg_addr_text(&flow.src, src, sizeof(src)), "dst",
			   fg_addr_text(&flow.dst, dst, sizeof(dst)));
	set_integer(packet, "sport", port_protocol(&flow), flow.sport);
	set_integer(packet, "dport", port_protocol(&flow), flow.dport);
	set_integer(packet, "ttl", true, hops_left(r));
	set_integer(packet, "tos", true, traffic_class(r));
	if (flow.family == AF_INET)
		set_integer(packet, "id", true, fg_field_get(FG_IPV4_ID, r->bytes));
	if (flow.protocol == IPPROTO_TCP && !flow.later_fragment)
		json_object_set_new(packet, "tcp_flags",
				    json_string(fg_field_tcp_flags_text(flow.tcp_flags, flags)));
	if (flow.protocol == IPPROTO_ICMP || flow.protocol == IPPROTO_ICMPV6) {
		set_integer(packet, "icmp_type", true, flow.icmp_type);
		set_integer(packet, "icmp_code", true, flow.icmp_code);
		set_integer(packet, "icmp_id", true, flow.icmp_id);
		set_integer(packet, "icmp_seq", true, flow.icmp_seq);
	}
	return packet;
}

/* Numbers in JSON are exact to 53 bits only, and a trace ID has 64: it is text too. */
static json_t *trace_json(const struct fg_catch_place *place, const struct fg_catch_record *r)
{
	char text[24];

	if (!r->has_trace)
		return json_null();
	snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)r->trace_id);
	return json_pack("{s:i, s:s, s:i}", "option", place->trace_option, "id", text, "length",
			 r->trace_size);
}

int fg_catch_json(const struct fg_catch_place *place, const struct fg_catch_record *record,
		  uint64_t number, struct fg_buffer *out, struct fg_error *err)
{
	struct fg_dissection d;
	char when[FG_TIME_TEXT_LEN];
	json_t *all;
	char *text;

	fg_dissect_packet(record->bytes, record->captured, &d);
	fg_time_text(record->time_ns + place->realtime, when, sizeof(when));
	all = json_pack(
		"{s:s, s:I, s:s, s:o, s:{s:o, s:o, s:I}, s:o, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:o}",
		"schema", "flowgen.catch/1", "number", (json_int_t)number, "time", when, "run",
		fg_origin_json(place->origin), "pod", "ref", fg_json_text(place->ref), "name",
		fg_json_text(place->name), "netns", (json_int_t)place->netns, "device",
		fg_json_text(place->device), "ifindex", (json_int_t)record->ifindex, "action",
		record->passed ? "passed" : "stopped", "length", (json_int_t)record->length,
		"captured", (json_int_t)record->captured, "trace", trace_json(place, record),
		"packet", packet_json(record), "headers", headers_json(&d), "problem",
		record->captured == record->length ? fg_json_text(d.problem) : json_null());
	text = all ? fg_json_dump(all) : NULL;
	json_decref(all);
	if (!text)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "result");
	fg_buffer_puts(out, text);
	fg_buffer_put(out, "\n", 1);
	free(text);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "result") : 0;
}

int fg_catch_text(const struct fg_catch_place *place, const struct fg_catch_record *record,
		  uint64_t number, struct fg_buffer *out, struct fg_error *err)
{
	char when[FG_TIME_TEXT_LEN], text[FG_FLOW_TEXT_LEN] = "not readable",
				     flags[FG_TCP_FLAGS_LEN];
	struct fg_flow flow = {};

	/* The time of day to the microsecond is enough for a reader. */
	fg_time_text(record->time_ns + place->realtime, when, sizeof(when));
	when[CLOCK_END] = '\0';
	if (!fg_flow_extract(record->bytes, record->captured, &flow))
		fg_flow_text(&flow, text, sizeof(text));
	fg_buffer_printf(out, "%" PRIu64 " %s ", number, when + CLOCK_START);
	fg_markup_put_visible(out, place->device, strlen(place->device));
	fg_buffer_printf(out, " %s %s", record->passed ? "passed" : "stopped", text);
	if (flow.protocol == IPPROTO_TCP && !flow.later_fragment)
		fg_buffer_printf(out, " %s", fg_field_tcp_flags_text(flow.tcp_flags, flags));
	if (flow.family)
		fg_buffer_printf(out, " ttl %u", hops_left(record));
	if (flow.family == AF_INET)
		fg_buffer_printf(out, " id %u",
				 (unsigned int)fg_field_get(FG_IPV4_ID, record->bytes));
	fg_buffer_printf(out, " length %u", record->length);
	if (record->has_trace)
		fg_buffer_printf(out, " trace %" PRIu64, (uint64_t)record->trace_id);
	fg_buffer_put(out, "\n", 1);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "result") : 0;
}

const char *fg_catch_summary(const struct fg_catch_filter *filter, uint64_t caught, uint64_t lost,
			     uint64_t duration_ns, char *buf, size_t size)
{
	snprintf(buf, size,
		 "%" PRIu64 " packet%s caught, %s, %" PRIu64 " not reported (lost), in %.1f s",
		 caught, caught == 1 ? "" : "s",
		 filter->pass ? "passed on to the pod" : "stopped before the pod's stack", lost,
		 (double)duration_ns / 1e9);
	return buf;
}
