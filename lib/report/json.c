// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/json.c - a result as one line of JSON (doc/result.schema.json).
 *
 * What is constant, and every text, goes through jansson; the numbers and the frame around them are
 * written here. A tree of some 200 values, built and dumped for each of 65,535 lines, took ten
 * times as long (50 us each).
 */
#include "report/report.h"

#include "base/json.h"
#include "probe/names.h"
#include "report/internal.h"

static void put_bool(struct fg_buffer *out, bool value)
{
	fg_buffer_puts(out, value ? "true" : "false");
}

static void put_addr(struct fg_buffer *out, const struct fg_addr *addr)
{
	char text[FG_ADDR_TEXT_LEN] = "";

	fg_json_put_text(out, addr->family ? fg_addr_text(addr, text, sizeof(text)) : NULL);
}

static void put_bytes(struct fg_buffer *out, const struct fg_frame *frame)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = frame->data ? frame->len : 0;
	char *to = fg_buffer_reserve(out, 2 * len);

	if (!to)
		return;
	for (size_t i = 0; i < len; i++) {
		*to++ = digits[frame->data[i] >> 4];
		*to++ = digits[frame->data[i] & 15];
	}
	out->len += 2 * len;
}

static uint32_t fragments_of(const struct fg_probe *probe)
{
	return probe->spec.fragments > 1 ? probe->spec.fragments : 1;
}

static void put_packet(struct fg_buffer *out, const struct fg_report *report,
		       const struct fg_probe *probe)
{
	struct fg_view_packet view;
	const struct fg_flow *flow = &view.flow;
	bool echo;

	fg_view_packet(probe, &view);
	echo = view.has_icmp && (flow->icmp_type == 0 || flow->icmp_type == 8 ||
				 flow->icmp_type == 128 || flow->icmp_type == 129);
	PUT(out, "{\"proto\":");
	fg_json_put_text(out, view.protocol_name);
	PUT(out, ",\"src\":");
	put_addr(out, &flow->src);
	PUT(out, ",\"dst\":");
	put_addr(out, &flow->dst);
	fg_put_number(out, "sport", view.has_ports, flow->sport);
	fg_put_number(out, "dport", view.has_ports, flow->dport);
	fg_put_number(out, "length", view.length != 0, view.length);
	fg_put_number(out, "ttl", view.known, view.ttl);
	fg_put_number(out, "tos", view.known, view.tos);
	fg_put_number(out, "fragments", true, fragments_of(probe));
	fg_put_number(out, "fragment", fragments_of(probe) > 1, probe->spec.fragment);
	if (view.known && flow->protocol == IPPROTO_TCP && view.has_ports) {
		char flags[FG_TCP_FLAGS_LEN];

		PUT(out, ",\"tcp_flags\":");
		fg_json_put_text(out, fg_field_tcp_flags_text(flow->tcp_flags, flags));
	}
	if (view.has_icmp) {
		fg_put_number(out, "icmp_type", true, flow->icmp_type);
		fg_put_number(out, "icmp_code", true, flow->icmp_code);
	}
	if (echo) {
		fg_put_number(out, "icmp_id", true, flow->icmp_id);
		fg_put_number(out, "icmp_seq", true, flow->icmp_seq);
	}
	if (report->options.bytes) {
		PUT(out, ",\"bytes\":\"");
		put_bytes(out, &probe->frame);
		PUT(out, "\"");
	}
	PUT(out, "}");
}

static void put_observations(struct fg_buffer *out, const struct fg_report *report,
			     const struct fg_probe *probe)
{
	struct fg_sight sight;

	PUT(out, "[");
	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_observation *seen = &probe->trace.list[i];

		fg_view_sight_read(fg_report_context(report, probe), probe, seen, &sight);
		if (i)
			PUT(out, ",");
		PUT(out, "{\"time_ns\":");
		fg_buffer_put_u64(out, seen->time_ns);
		PUT(out, ",\"component\":");
		fg_json_put_text(out, sight.component);
		PUT(out, ",\"action\":");
		fg_json_put_text(out, sight.action);
		PUT(out, ",\"device\":");
		fg_json_put_text(out, sight.device ? sight.device->name : NULL);
		fg_put_number(out, "ifindex", seen->event.ifindex != 0, seen->event.ifindex);
		PUT(out, ",\"netns\":");
		fg_put_netns(out, seen->event.netns, sight.device ? sight.device->where : NULL);
		PUT(out, ",\"detail\":");
		fg_json_put_text(out, sight.detail);
		PUT(out, ",\"of\":");
		fg_json_put_text(out, fg_view_sight_of(seen));
		PUT(out, "}");
	}
	PUT(out, "]");
}

/* Which observation was the end, or the last one seen. */
static void put_end(struct fg_buffer *out, const struct fg_probe *probe)
{
	const struct fg_observation *end = probe->result.end;

	fg_put_number(out, "end", end != NULL, end ? (uint64_t)(end - probe->trace.list) : 0);
}

static void put_expect(struct fg_buffer *out, const struct fg_probe *probe)
{
	if (probe->spec.expect == FG_EXPECT_NOTHING) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"wanted\":");
	fg_json_put_text(out, fg_expect_name(probe->spec.expect));
	PUT(out, ",\"met\":");
	put_bool(out, probe->result.expect_met);
	PUT(out, "}");
}

static void put_outcome(struct fg_buffer *out, const struct fg_report *report,
			const struct fg_context *context, const struct fg_probe *probe)
{
	const struct fg_result *result = &probe->result;

	PUT(out, ",\"outcome\":");
	fg_json_put_text(out, fg_outcome_name(result->outcome));
	PUT(out, ",\"stopped\":");
	put_bool(out, result->stopped);
	put_end(out, probe);
	PUT(out, ",\"drop\":");
	fg_report_json_drop(out, context, result);
	PUT(out, ",\"reason\":");
	fg_json_put_text(out, result->reason);
	PUT(out, ",\"not_exercised\":");
	fg_put_gaps(out, context, result);
	fg_put_number(out, "lost_events", true, probe->trace.lost);
	fg_put_number(out, "stray_events", true, probe->trace.strays);
	PUT(out, ",\"expect\":");
	put_expect(out, probe);
	fg_put_number(out, "attempts", true, result->attempts ? result->attempts : 1);
	fg_why_json(out, context, result);
	fg_report_json_reply(out, report, context, &result->reply);
	fg_details_json(out, result);
	if (result->repeat.probes) {
		PUT(out, ",\"repeat\":{\"probes\":");
		fg_buffer_put_u64(out, result->repeat.probes);
		fg_put_number(out, "after_ns", true, result->repeat.after_ns);
		fg_put_number(out, "previous_ns", true, result->repeat.previous_ns);
		PUT(out, "}");
	}
}

/* When it was injected, or, if that was not seen, when it was written. */
static void put_time(struct fg_buffer *out, const struct fg_origin *origin,
		     const struct fg_trace *trace)
{
	uint64_t at = trace->injected_ns ? trace->injected_ns : trace->sent_ns;
	char text[FG_ORIGIN_TIME_LEN];

	PUT(out, ",\"time\":");
	fg_json_put_text(out, origin && at ? fg_origin_time(origin, at, text) : NULL);
}

int fg_report_json(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_context *context = fg_report_context(report, probe);
	const struct fg_constant *constant = fg_constant_find(report, context, out);
	enum fg_method method = context->awaited ? FG_METHOD_AUTO : context->method;
	size_t len = out->len;

	if (!constant)
		return fg_report_finish(out, len, err);
	PUT(out, "{\"schema\":\"flowgen.result/2\"");
	fg_put_number(out, "id", true, probe->spec.id);
	PUT(out, ",\"name\":");
	fg_json_put_text(out, probe->spec.name);
	put_time(out, report->options.origin, &probe->trace);
	PUT(out, ",\"run\":");
	fg_buffer_puts(out, report->origin);
	PUT(out, ",\"pod\":");
	fg_buffer_puts(out, report->pod);
	PUT(out, ",\"packet\":");
	put_packet(out, report, probe);
	PUT(out, ",\"method\":");
	/* No method was chosen: a dry run, or another node sends. */
	fg_json_put_text(out, method == FG_METHOD_AUTO ? NULL : fg_method_name(method));
	PUT(out, ",\"written_in\":");
	fg_json_put_text(out, method == FG_METHOD_AUTO	       ? NULL
			      : method == FG_METHOD_POD_SOCKET ? "pod-namespace"
							       : "own-namespace");
	PUT(out, ",\"policy\":");
	fg_policy_json(out, context, constant, &probe->result);
	PUT(out, ",\"decisions\":");
	fg_policy_decisions_json(out, context, constant, &probe->result);
	PUT(out, ",\"decider\":");
	fg_policy_decider_json(out, context, &probe->result);
	PUT(out, ",\"observations\":");
	put_observations(out, report, probe);
	put_outcome(out, report, context, probe);
	PUT(out, "}\n");
	return fg_report_finish(out, len, err);
}
