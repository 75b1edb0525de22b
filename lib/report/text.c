// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/text.c - a result for a person at three in the morning: the verdict first, then what it
 * rests on.
 */
#include "report/report.h"

#include <stdio.h>

#include "probe/names.h"
#include "report/internal.h"

static void put_packet(const struct fg_page *page, const struct fg_probe *probe)
{
	char flow[FG_FLOW_TEXT_LEN], flags[FG_TCP_FLAGS_LEN], text[300];
	struct fg_view_packet view;
	bool tcp;

	fg_view_packet(probe, &view);
	if (!view.known) {
		char src[FG_ADDR_TEXT_LEN], dst[FG_ADDR_TEXT_LEN];

		snprintf(text, sizeof(text), "%s > %s, %u bytes, malformed on purpose",
			 fg_addr_text(&view.flow.src, src, sizeof(src)),
			 fg_addr_text(&view.flow.dst, dst, sizeof(dst)), view.length);
		fg_page_entry(page, "packet", text);
		return;
	}
	tcp = view.flow.protocol == IPPROTO_TCP && view.has_ports;
	snprintf(text, sizeof(text), "%s%s%s, %u bytes, ttl %u",
		 fg_flow_text(&view.flow, flow, sizeof(flow)), tcp ? " " : "",
		 tcp ? fg_field_tcp_flags_text(view.flow.tcp_flags, flags) : "", view.length,
		 view.ttl);
	fg_page_entry(page, "packet", text);
	if (probe->spec.fragments > 1) {
		snprintf(text, sizeof(text), "fragment %u of %u", probe->spec.fragment + 1,
			 probe->spec.fragments);
		fg_page_entry(page, "", text);
	}
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static void put_pod(const struct fg_page *page, const struct fg_report *report,
		    const struct fg_context *context)
{
	const struct fg_source_pod *s = &report->source_pod;
	bool named = s->name && *s->name && (!s->ref || strcmp(s->name, s->ref) != 0);
	bool mode = s->device.mode && *s->device.mode;
	char text[1000];

	if (s->outside)
		snprintf(text, sizeof(text), "outside, by %s of the node%s%s%s",
			 or_dash(s->device.primary), s->device.kind ? " (" : "",
			 s->device.kind ? s->device.kind : "", s->device.kind ? ")" : "");
	else
		snprintf(text, sizeof(text), "%s%s%s%s, device %s, host side %s (%s%s%s)",
			 or_dash(s->ref), named ? " (" : "", named ? s->name : "", named ? ")" : "",
			 or_dash(s->device.peer), or_dash(s->device.primary),
			 or_dash(s->device.kind), mode ? " " : "", mode ? s->device.mode : "");
	fg_page_entry(page, s->outside ? "from" : "pod", text);
	if (context->awaited) {
		fg_page_entry(page, "method", "sent by another node, followed from its arrival on");
		return;
	}
	snprintf(text, sizeof(text), "%s%s", fg_method_name(context->method),
		 context->method == FG_METHOD_POD_SOCKET
			 ? ", written by a packet socket in the pod's namespace"
			 : "");
	fg_page_entry(page, "method", text);
}

static void put_expectation(const struct fg_page *page, const struct fg_probe *probe)
{
	bool met = probe->result.expect_met;
	char text[64];

	if (probe->spec.expect == FG_EXPECT_NOTHING)
		return;
	snprintf(text, sizeof(text), "%s: %s", fg_expect_name(probe->spec.expect),
		 met ? "met" : "NOT MET");
	fg_page_paint(page, met ? FG_PAINT_GOOD : FG_PAINT_BAD);
	fg_page_entry(page, "expected", text);
	fg_page_paint(page, FG_PAINT_OFF);
}

static void put_bytes(const struct fg_page *page, const struct fg_frame *frame)
{
	size_t len = frame->data ? frame->len : 0;

	fg_buffer_printf(page->out, "\nframe, %zu bytes\n", len);
	for (size_t i = 0; i < len; i++)
		fg_buffer_printf(page->out, "%s%02x%s", i % 16 ? " " : "  ", frame->data[i],
				 i % 16 == 15 || i + 1 == len ? "\n" : "");
}

/* Unless they are asked for, those that every answer has are left out. */
static void put_gaps(const struct fg_page *page, const struct fg_context *context,
		     const struct fg_result *result, bool verbose)
{
	struct fg_gap gaps[FG_GAPS_MAX];
	char text[600] = "";

	fg_gaps_list(context, result, gaps);
	for (const struct fg_gap *gap = gaps; gap->word; gap++) {
		size_t len = strlen(text);

		if (verbose || !gap->usual)
			snprintf(text + len, sizeof(text) - len, "%s%s", len ? "; " : "",
				 gap->text);
	}
	if (!text[0])
		return;
	fg_buffer_puts(page->out, "\nnot exercised\n  ");
	fg_page_wrap(page, text, 2, 2, NULL);
	fg_buffer_puts(page->out, "\n");
}

static void put_note(const struct fg_page *page, const char *text)
{
	fg_buffer_puts(page->out, "  - ");
	fg_page_wrap(page, text, 4, 4, NULL);
	fg_buffer_puts(page->out, "\n");
}

static void put_notes(const struct fg_page *page, const struct fg_context *context,
		      const struct fg_probe *probe, bool verbose)
{
	const struct fg_ladder *ladder = context->ladder;
	const struct fg_result *result = &probe->result;
	/* The headline has told the reason of what is inconclusive or unknown. */
	bool reason = result->reason && result->outcome != FG_OUTCOME_INCONCLUSIVE &&
		      result->verdict != FG_VERDICT_UNKNOWN;
	bool delivered = verbose && result->outcome == FG_OUTCOME_DELIVERED;
	char text[80];

	if (!reason && !delivered && !ladder->other_filters && !ladder->pod_qdisc &&
	    !probe->trace.lost && !probe->trace.strays)
		return;
	fg_buffer_puts(page->out, "\nnotes\n");
	if (reason)
		put_note(page, result->reason);
	if (probe->trace.lost) {
		snprintf(text, sizeof(text), "events lost: %llu",
			 (unsigned long long)probe->trace.lost);
		put_note(page, text);
	}
	if (probe->trace.strays) {
		snprintf(text, sizeof(text), "records that match no probe: %llu",
			 (unsigned long long)probe->trace.strays);
		put_note(page, text);
	}
	if (ladder->other_filters)
		put_note(page, "tc filters that are not BPF programs are attached to the path too");
	if (ladder->pod_qdisc)
		put_note(page, "the pod's device has a queueing discipline that can drop or delay");
	if (delivered)
		put_note(page, "delivered does not mean that anything listens there");
}

int fg_report_text(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err)
{
	struct fg_page page = { .out = out,
				.colour = report->options.colour,
				.utf8 = report->options.utf8,
				.width = report->options.width };
	const struct fg_context *context = fg_report_context(report, probe);
	size_t len = out->len;

	fg_headline_text(&page, report, probe);
	fg_buffer_puts(out, "\n");
	if (probe->spec.name[0])
		fg_page_entry(&page, "probe", probe->spec.name);
	put_packet(&page, probe);
	put_pod(&page, report, context);
	fg_report_text_drop(&page, context, &probe->result);
	fg_why_text(&page, context, &probe->result);
	fg_report_text_reply(&page, context, &probe->result.reply);
	put_expectation(&page, probe);
	fg_details_text(&page, &probe->result);
	fg_report_text_ladder(&page, report, context, &probe->result);
	if (probe->result.reply.way && probe->result.reply.way->end)
		fg_report_text_ladder(&page, report, probe->result.reply.back,
				      probe->result.reply.way);
	fg_report_text_path(&page, report, probe);
	if (report->options.bytes)
		put_bytes(&page, &probe->frame);
	put_gaps(&page, context, &probe->result, report->options.verbose);
	put_notes(&page, context, probe, report->options.verbose);
	return fg_report_finish(out, len, err);
}

int fg_report_line(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_page page = { .out = out,
				      .colour = report->options.colour,
				      .utf8 = report->options.utf8,
				      .width = FG_REPORT_WIDEST };
	size_t len = out->len;
	struct fg_view_packet view;
	char flow[FG_FLOW_TEXT_LEN], time[32];

	fg_view_packet(probe, &view);
	fg_buffer_printf(out, "%llu: ", (unsigned long long)probe->spec.id);
	if (view.known)
		fg_page_cell(&page, fg_flow_text(&view.flow, flow, sizeof(flow)), 0, false);
	else
		fg_buffer_puts(out, "malformed on purpose");
	if (probe->result.end)
		fg_buffer_printf(out, " %s",
				 fg_page_time_text(probe->result.end->time_ns, page.utf8, time,
						   sizeof(time)));
	fg_buffer_puts(out, " ");
	fg_headline_text(&page, report, probe);
	return fg_report_finish(out, len, err);
}

int fg_report_text_plain(const struct fg_report *report, const struct fg_probe *probe,
			 struct fg_buffer *out, struct fg_error *err)
{
	struct fg_report plain = *report;

	plain.options.colour = false;
	plain.options.utf8 = plain.options.verbose = true;
	plain.options.width = 0;
	return fg_report_text(&plain, probe, out, err);
}
