// SPDX-License-Identifier: GPL-2.0-only
/* report_text.c - a result for a person at three in the morning: the answer first, then what it rests on. */
#include "report.h"

#include <stdio.h>

#include "names.h"
#include "netfilter.h"
#include "report_sections.h"

void fg_text_entry(const struct fg_page *page, const char *label, const char *text)
{
	fg_page_cell(page, label, FG_ENTRY_COLUMN, false);
	fg_page_wrap(page, text, FG_ENTRY_COLUMN, FG_ENTRY_COLUMN, NULL);
	fg_buffer_puts(page->out, "\n");
}

static void put_packet(const struct fg_page *page, const struct fg_probe *probe)
{
	char flow[FG_FLOW_TEXT_LEN], flags[FG_TCP_FLAGS_LEN], text[300];
	struct fg_packet_view view;
	bool tcp;

	fg_packet_view(probe, &view);
	if (!view.known) {
		char src[FG_ADDR_TEXT_LEN], dst[FG_ADDR_TEXT_LEN];

		snprintf(text, sizeof(text), "%s > %s, %u bytes, malformed on purpose",
			 fg_addr_text(&view.flow.src, src, sizeof(src)),
			 fg_addr_text(&view.flow.dst, dst, sizeof(dst)), view.length);
		fg_text_entry(page, "packet", text);
		return;
	}
	tcp = view.flow.protocol == IPPROTO_TCP && view.has_ports;
	snprintf(text, sizeof(text), "%s%s%s, %u bytes, ttl %u",
		 fg_flow_text(&view.flow, flow, sizeof(flow)), tcp ? " " : "",
		 tcp ? fg_tcp_flags_text(view.flow.tcp_flags, flags) : "", view.length, view.ttl);
	fg_text_entry(page, "packet", text);
	if (probe->spec.fragments > 1) {
		snprintf(text, sizeof(text), "fragment %u of %u", probe->spec.fragment + 1,
			 probe->spec.fragments);
		fg_text_entry(page, "", text);
	}
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static void put_pod(const struct fg_page *page, const struct fg_report *report)
{
	const struct fg_subject *s = &report->subject;
	bool named = s->name && *s->name && (!s->ref || strcmp(s->name, s->ref) != 0);
	bool mode = s->device.mode && *s->device.mode;
	char text[1000];

	snprintf(text, sizeof(text), "%s%s%s%s, device %s, host side %s (%s%s%s)", or_dash(s->ref),
		 named ? " (" : "", named ? s->name : "", named ? ")" : "", or_dash(s->device.peer),
		 or_dash(s->device.primary), or_dash(s->device.kind), mode ? " " : "",
		 mode ? s->device.mode : "");
	fg_text_entry(page, "pod", text);
	snprintf(text, sizeof(text), "%s%s", fg_method_name(report->scene->method),
		 report->scene->method == FG_METHOD_POD_SOCKET
			 ? ", written by a packet socket in the pod's namespace"
			 : "");
	fg_text_entry(page, "method", text);
}

static void put_drop(const struct fg_page *page, const struct fg_report *report,
		     const struct fg_result *result)
{
	char number[32], hex[32], text[400];
	const char *where;

	if (!result->dropped)
		return;
	where = result->end ? fg_drop_location(result->end, hex, sizeof(hex)) : NULL;
	snprintf(text, sizeof(text), "%s (%u)%s%s",
		 fg_drop_name(report->scene, result->drop_code, number, sizeof(number)),
		 result->drop_code, where ? " at " : "", where ? where : "");
	fg_text_entry(page, "drop", text);
	fg_text_netfilter(page, result);
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
	fg_text_entry(page, "expected", text);
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

static void put_gaps(const struct fg_page *page, const struct fg_report *report)
{
	struct fg_gap gaps[FG_GAPS_MAX];
	char text[600] = "";

	fg_gaps_list(report, gaps);
	for (const struct fg_gap *gap = gaps; gap->word; gap++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", len ? "; " : "", gap->text);
	}
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

static void put_notes(const struct fg_page *page, const struct fg_report *report,
		      const struct fg_probe *probe)
{
	const struct fg_ladder *ladder = report->scene->ladder;
	const struct fg_result *result = &probe->result;
	/* The headline has told the reason of what is inconclusive. */
	bool reason = result->reason && result->outcome != FG_OUTCOME_INCONCLUSIVE;
	bool delivered = result->outcome == FG_OUTCOME_DELIVERED;
	/* Nobody has asked which rule. */
	bool untold = fg_netfilter_dropped(report->scene, result) &&
		      !report->scene->netfilter_traced;
	char text[80];

	if (!reason && !delivered && !ladder->other_filters && !ladder->pod_qdisc &&
	    !probe->trace.lost && !untold)
		return;
	fg_buffer_puts(page->out, "\nnotes\n");
	if (reason)
		put_note(page, result->reason);
	if (probe->trace.lost) {
		snprintf(text, sizeof(text), "%llu events were lost",
			 (unsigned long long)probe->trace.lost);
		put_note(page, text);
	}
	if (ladder->other_filters)
		put_note(page, "tc filters that are no BPF programs stand on the path too");
	if (ladder->pod_qdisc)
		put_note(page, "the pod's device has a queueing discipline that can drop or delay");
	if (untold)
		put_note(page, "--trace-netfilter tells which rule of netfilter dropped it");
	if (delivered)
		put_note(page, "delivered does not mean that anything listens there");
}

int fg_report_text(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err)
{
	struct fg_page page = { .out = out,
				.colour = report->options.colour,
				.utf8 = report->options.utf8 };
	size_t len = out->len;

	fg_text_headline(&page, report, probe);
	fg_buffer_puts(out, "\n");
	if (probe->spec.name[0])
		fg_text_entry(&page, "probe", probe->spec.name);
	put_packet(&page, probe);
	put_pod(&page, report);
	put_drop(&page, report, &probe->result);
	fg_text_reply(&page, report->scene, &probe->result.reply);
	put_expectation(&page, probe);
	fg_text_aside(&page, &probe->result);
	fg_text_ladder(&page, report, &probe->result);
	fg_text_path(&page, report, probe);
	if (report->options.bytes)
		put_bytes(&page, &probe->frame);
	put_gaps(&page, report);
	put_notes(&page, report, probe);
	return fg_report_finish(out, len, err);
}
