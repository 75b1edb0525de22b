// SPDX-License-Identifier: GPL-2.0-only
/*
 * report_json.c - a result as one line of JSON (doc/result.schema.json).
 *
 * What is constant, and every text, goes through jansson; the numbers and the frame around them are written
 * here. A tree of some 200 values, built and dumped for each of 65,535 lines, took ten times as long (50 us each).
 */
#include "report.h"

#include "names.h"
#include "report_sections.h"

#define PUT(out, literal) fg_buffer_put(out, literal, sizeof(literal) - 1)

static void put_text(struct fg_buffer *out, const char *text)
{
	fg_json_put_text(out, text);
}

static void put_bool(struct fg_buffer *out, bool value)
{
	fg_buffer_puts(out, value ? "true" : "false");
}

static void put_addr(struct fg_buffer *out, const struct fg_addr *addr)
{
	char text[FG_ADDR_TEXT_LEN] = "";

	put_text(out, addr->family ? fg_addr_text(addr, text, sizeof(text)) : NULL);
}

/* `,"key":value`, or null. */
static void put_number(struct fg_buffer *out, const char *key, bool there, uint64_t value)
{
	PUT(out, ",\"");
	fg_buffer_puts(out, key);
	PUT(out, "\":");
	if (there)
		fg_buffer_put_u64(out, value);
	else
		PUT(out, "null");
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
	struct fg_packet_view view;
	const struct fg_flow *flow = &view.flow;
	bool echo;

	fg_packet_view(probe, &view);
	echo = view.has_icmp && (flow->icmp_type == 0 || flow->icmp_type == 8 ||
				 flow->icmp_type == 128 || flow->icmp_type == 129);
	PUT(out, "{\"proto\":");
	put_text(out, view.protocol_name);
	PUT(out, ",\"src\":");
	put_addr(out, &flow->src);
	PUT(out, ",\"dst\":");
	put_addr(out, &flow->dst);
	put_number(out, "sport", view.has_ports, flow->sport);
	put_number(out, "dport", view.has_ports, flow->dport);
	put_number(out, "length", view.length != 0, view.length);
	put_number(out, "ttl", view.known, view.ttl);
	put_number(out, "tos", view.known, view.tos);
	put_number(out, "fragments", true, fragments_of(probe));
	put_number(out, "fragment", fragments_of(probe) > 1, probe->spec.fragment);
	if (view.known && flow->protocol == IPPROTO_TCP && view.has_ports) {
		char flags[FG_TCP_FLAGS_LEN];

		PUT(out, ",\"tcp_flags\":");
		put_text(out, fg_tcp_flags_text(flow->tcp_flags, flags));
	}
	if (view.has_icmp) {
		put_number(out, "icmp_type", true, flow->icmp_type);
		put_number(out, "icmp_code", true, flow->icmp_code);
	}
	if (echo) {
		put_number(out, "icmp_id", true, flow->icmp_id);
		put_number(out, "icmp_seq", true, flow->icmp_seq);
	}
	if (report->options.bytes) {
		PUT(out, ",\"bytes\":\"");
		put_bytes(out, &probe->frame);
		PUT(out, "\"");
	}
	PUT(out, "}");
}

static void put_step(struct fg_buffer *out, const struct fg_program *program,
		     const struct fg_step *step)
{
	const char *action = NULL;

	PUT(out, ",\"ran\":");
	if (step->ran == FG_RAN_UNKNOWN)
		PUT(out, "null");
	else
		put_bool(out, step->ran == FG_RAN_YES);
	PUT(out, ",\"retval\":");
	if (step->has_retval)
		fg_buffer_put_i64(out, step->retval);
	else
		PUT(out, "null");
	/* What a filter without direct-action returns is a class, not an action. */
	if (step->has_retval && !program->classifier)
		fg_action_read(program->hook, step->retval, &action);
	PUT(out, ",\"action\":");
	put_text(out, action);
	put_number(out, "duration_ns", step->has_duration, step->duration_ns);
	PUT(out, ",\"evidence\":");
	put_text(out, fg_evidence_name(step->evidence));
	PUT(out, "}");
}

static void put_netns(struct fg_buffer *out, uint32_t inode, const char *name)
{
	if (!inode) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"inode\":");
	fg_buffer_put_u64(out, inode);
	PUT(out, ",\"name\":");
	put_text(out, name);
	PUT(out, "}");
}

static void put_program(struct fg_buffer *out, const struct fg_report *report, int index)
{
	if (index >= 0 && (size_t)index < report->programs)
		fg_buffer_puts(out, report->denier[index]);
	else
		PUT(out, "null");
}

/* A device as observations have it. */
static void put_place(struct fg_buffer *out, const struct fg_report *report,
		      const struct fg_observation *seen)
{
	const struct fg_scene *scene = report->scene;
	const struct fg_event *e = seen ? &seen->event : NULL;
	const struct fg_device *device =
		e && scene->device ? scene->device(scene->names, e->netns, (int)e->ifindex) : NULL;

	if (!e) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"device\":");
	put_text(out, device ? device->name : NULL);
	put_number(out, "ifindex", e->ifindex != 0, e->ifindex);
	PUT(out, ",\"netns\":");
	put_netns(out, e->netns, device ? device->where : NULL);
	PUT(out, "}");
}

static void put_policy(struct fg_buffer *out, const struct fg_report *report,
		       const struct fg_result *result)
{
	const struct fg_ladder *ladder = report->scene->ladder;

	PUT(out, "{\"verdict\":");
	put_text(out, fg_verdict_name(result->verdict));
	PUT(out, ",\"denied_by\":");
	put_program(out, report, result->denied_by);
	PUT(out, ",\"redirected_by\":");
	put_program(out, report, result->redirected_by);
	PUT(out, ",\"redirected_to\":");
	put_place(out, report, result->redirected_to);
	PUT(out, ",\"programs\":[");
	for (size_t i = 0; i < report->programs; i++) {
		if (i)
			PUT(out, ",");
		fg_buffer_puts(out, report->program[i]);
		put_step(out, &ladder->programs[i], &result->steps[i]);
	}
	PUT(out, "],\"other_filters\":");
	put_bool(out, ladder->other_filters);
	PUT(out, ",\"pod_qdisc\":");
	put_bool(out, ladder->pod_qdisc);
	PUT(out, "}");
}

static void put_observations(struct fg_buffer *out, const struct fg_report *report,
			     const struct fg_probe *probe)
{
	struct fg_sight sight;

	PUT(out, "[");
	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_observation *seen = &probe->trace.list[i];

		fg_sight_read(report, probe, seen, &sight);
		if (i)
			PUT(out, ",");
		PUT(out, "{\"time_ns\":");
		fg_buffer_put_u64(out, seen->time_ns);
		PUT(out, ",\"component\":");
		put_text(out, sight.component);
		PUT(out, ",\"action\":");
		put_text(out, sight.action);
		PUT(out, ",\"device\":");
		put_text(out, sight.device ? sight.device->name : NULL);
		put_number(out, "ifindex", seen->event.ifindex != 0, seen->event.ifindex);
		PUT(out, ",\"netns\":");
		put_netns(out, seen->event.netns, sight.device ? sight.device->where : NULL);
		PUT(out, ",\"detail\":");
		put_text(out, sight.detail);
		PUT(out, ",\"of\":");
		put_text(out, fg_sight_of(seen));
		PUT(out, "}");
	}
	PUT(out, "]");
}

static void put_drop(struct fg_buffer *out, const struct fg_report *report,
		     const struct fg_result *result)
{
	char number[32], hex[32];

	if (!result->dropped) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"reason\":");
	put_text(out, fg_drop_name(report->scene, result->drop_code, number, sizeof(number)));
	put_number(out, "code", true, result->drop_code);
	PUT(out, ",\"location\":");
	put_text(out, result->end ? fg_drop_location(result->end, hex, sizeof(hex)) : NULL);
	fg_json_netfilter(out, report->scene, result);
	PUT(out, "}");
}

/* Which observation was the end, or the last one seen. */
static void put_end(struct fg_buffer *out, const struct fg_probe *probe)
{
	const struct fg_observation *end = probe->result.end;

	put_number(out, "end", end != NULL, end ? (uint64_t)(end - probe->trace.list) : 0);
}

static void put_expect(struct fg_buffer *out, const struct fg_probe *probe)
{
	if (probe->spec.expect == FG_EXPECT_NOTHING) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"wanted\":");
	put_text(out, fg_expect_name(probe->spec.expect));
	PUT(out, ",\"met\":");
	put_bool(out, probe->result.expect_met);
	PUT(out, "}");
}

static void put_outcome(struct fg_buffer *out, const struct fg_report *report,
			const struct fg_probe *probe)
{
	const struct fg_result *result = &probe->result;

	PUT(out, ",\"outcome\":");
	put_text(out, fg_outcome_name(result->outcome));
	PUT(out, ",\"stopped\":");
	put_bool(out, result->stopped);
	put_end(out, probe);
	PUT(out, ",\"drop\":");
	put_drop(out, report, result);
	PUT(out, ",\"reason\":");
	put_text(out, result->reason);
	PUT(out, ",\"not_exercised\":");
	fg_buffer_puts(out, report->not_exercised);
	put_number(out, "lost_events", true, probe->trace.lost);
	PUT(out, ",\"expect\":");
	put_expect(out, probe);
	fg_json_reply(out, report->scene, &result->reply);
	fg_json_aside(out, result);
	if (result->repeat.probes) {
		PUT(out, ",\"repeat\":{\"probes\":");
		fg_buffer_put_u64(out, result->repeat.probes);
		put_number(out, "after_ns", true, result->repeat.after_ns);
		put_number(out, "previous_ns", true, result->repeat.previous_ns);
		PUT(out, "}");
	}
}

int fg_report_json(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err)
{
	enum fg_method method = report->scene->method;
	size_t len = out->len;

	PUT(out, "{\"schema\":\"flowgen.result/1\"");
	put_number(out, "id", true, probe->spec.id);
	PUT(out, ",\"name\":");
	put_text(out, probe->spec.name);
	PUT(out, ",\"pod\":");
	fg_buffer_puts(out, report->pod);
	PUT(out, ",\"packet\":");
	put_packet(out, report, probe);
	PUT(out, ",\"method\":");
	/* No method was chosen: a dry run. */
	put_text(out, method == FG_METHOD_AUTO ? NULL : fg_method_name(method));
	PUT(out, ",\"written_in\":");
	put_text(out, method == FG_METHOD_AUTO	       ? NULL
		      : method == FG_METHOD_POD_SOCKET ? "pod-namespace"
						       : "own-namespace");
	PUT(out, ",\"policy\":");
	put_policy(out, report, &probe->result);
	PUT(out, ",\"observations\":");
	put_observations(out, report, probe);
	put_outcome(out, report, probe);
	PUT(out, "}\n");
	return fg_report_finish(out, len, err);
}
