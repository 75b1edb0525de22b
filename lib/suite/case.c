// SPDX-License-Identifier: GPL-2.0-only
/* suite/case.c - counts, and the reports of a run as JSON and text. */
#include "suite/case.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "report/page.h"
#include "report/report.h"
#include "suite/internal.h"

void fg_case_count(struct fg_case_counts *counts, const struct fg_case *c)
{
	counts->by_status[c->status]++;
	if (c->probe)
		fg_trace_losses_add(&counts->losses, &c->probe->trace);
}

uint64_t fg_case_done(const struct fg_case_counts *counts)
{
	uint64_t done = 0;

	for (int i = 0; i < FG_CASE_STATUSES; i++)
		done += counts->by_status[i];
	return done;
}

bool fg_case_stopped(const struct fg_case_counts *counts)
{
	if (counts->planned == UINT64_MAX)
		return counts->interrupted;
	return fg_case_done(counts) < counts->planned;
}

void fg_case_put_unsent(const struct fg_case_counts *counts, struct fg_buffer *out)
{
	if (counts->planned != UINT64_MAX)
		fg_buffer_printf(out, ": %llu of %llu probes were not sent",
				 (unsigned long long)(counts->planned - fg_case_done(counts)),
				 (unsigned long long)counts->planned);
}

const char *fg_case_node(const struct fg_case *c)
{
	return c->block->source ? c->block->source->node : NULL;
}

const char *fg_case_headline(const struct fg_case *c, char *buf, size_t size)
{
	if (c->told)
		return c->told->headline;
	return c->report ? fg_headline_write(c->report, c->probe, buf, size) : NULL;
}

const char *fg_case_advice(const struct fg_case *c)
{
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];

	if (c->status != FG_CASE_FAIL || (!c->report && !c->ran && !c->told))
		return NULL;
	if (set->on_failure || set->control_of >= 0)
		return set->on_failure;
	return c->scenario->on_failure;
}

uint64_t fg_case_time_ns(const struct fg_case *c)
{
	if (c->told)
		return c->told->time_ns;
	if (c->ran)
		return c->ran->duration_ns;
	return c->probe && c->probe->result.end ? c->probe->result.end->time_ns : 0;
}

const char *fg_case_sender(const struct fg_case *c)
{
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];

	return c->block->source ? c->block->source->label
				: c->scenario->pods[set->from[c->block->from]].name;
}

static void put_member(struct fg_buffer *out, const char *key, const char *text)
{
	fg_buffer_printf(out, ",\"%s\":", key);
	fg_json_put_text(out, text);
}

static void put_scenario(const struct fg_case *c, struct fg_buffer *out)
{
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];
	const struct fg_scenario_block *b = c->block;

	fg_buffer_puts(out, "\"scenario\":{\"file\":");
	fg_json_put_text(out, c->scenario->yaml.file);
	put_member(out, "name", c->scenario->name);
	put_member(out, "probe", c->name);
	put_member(out, "from", fg_case_sender(c));
	put_member(out, "to", fg_scenario_target_name(c->scenario, b));
	fg_buffer_puts(out, ",\"port\":");
	if (b->dports)
		fg_buffer_put_u64(out, fg_ports_get(b->dports, c->index % b->dports->total));
	else
		fg_buffer_puts(out, "null");
	fg_buffer_printf(out, ",\"round\":%llu", (unsigned long long)c->round);
	put_member(out, "control_of",
		   set->control_of >= 0 ? c->scenario->sets[set->control_of].name : NULL);
	put_member(out, "expected", b->expect->text);
	put_member(out, "status", fg_scenario_status_name(c->status));
	put_member(out, "why", c->why);
	if (c->change) {
		fg_buffer_puts(out, ",\"change\":");
		fg_change_put_json(c, out);
	}
	fg_buffer_puts(out, "}}\n");
}

int fg_case_json(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	if (c->told) {
		fg_buffer_puts(out, c->told->json);
		return fg_report_finish(out, len, err);
	}
	if (c->ran) {
		fg_command_put_json(c, out);
		put_scenario(c, out);
		return fg_report_finish(out, len, err);
	}
	if (!c->report) {
		fg_buffer_printf(out, "{\"schema\":\"flowgen.unsent/1\",\"id\":%llu,",
				 (unsigned long long)c->number);
		put_scenario(c, out);
		return fg_report_finish(out, len, err);
	}
	if (fg_report_json(c->report, c->probe, out, err))
		return -1;
	/* The result's own closing brace makes room for one more member. */
	out->len -= 2;
	fg_buffer_puts(out, ",");
	put_scenario(c, out);
	return fg_report_finish(out, len, err);
}

int fg_case_json_end(const struct fg_case_counts *counts, const struct fg_origin *origin,
		     struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;
	uint64_t done = fg_case_done(counts);

	fg_buffer_puts(out, "{\"schema\":\"flowgen.run/1\",\"run\":");
	fg_origin_put_json(origin, out);
	if (counts->planned == UINT64_MAX)
		fg_buffer_puts(out, ",\"planned\":null");
	else
		fg_buffer_printf(out, ",\"planned\":%llu", (unsigned long long)counts->planned);
	fg_buffer_printf(out, ",\"done\":%llu", (unsigned long long)done);
	for (int i = 0; i < FG_CASE_STATUSES; i++)
		fg_buffer_printf(out, ",\"%s\":%llu",
				 fg_scenario_status_name((enum fg_case_status)i),
				 (unsigned long long)counts->by_status[i]);
	fg_buffer_printf(
		out,
		",\"lost_events\":%llu,\"stray_events\":%llu,\"duration_ns\":%llu,\"interrupted\":%s",
		(unsigned long long)counts->losses.lost, (unsigned long long)counts->losses.strays,
		(unsigned long long)counts->duration_ns, counts->interrupted ? "true" : "false");
	if (counts->nodes)
		fg_buffer_printf(out, ",\"lost_nodes\":%llu",
				 (unsigned long long)counts->lost_nodes);
	fg_buffer_puts(out, "}\n");
	return fg_report_finish(out, len, err);
}

/* --- text --- */

static void put_line(struct fg_buffer *out, const struct fg_report_options *style,
		     const char *label, const char *text)
{
	const struct fg_page page = {
		.out = out, .colour = style->colour, .utf8 = style->utf8, .width = style->width
	};
	size_t column = strlen(label);

	if (!text || !*text)
		return;
	fg_buffer_puts(out, label);
	fg_page_wrap(&page, text, column, column, NULL);
	fg_buffer_puts(out, "\n");
}

static const char *const heads[] = { [FG_CASE_PASS] = "ok            ",
				     [FG_CASE_FAIL] = "NOT OK        ",
				     [FG_CASE_SKIP] = "skipped       ",
				     [FG_CASE_INCONCLUSIVE] = "INCONCLUSIVE  " };

int fg_case_line(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_report_options style = {
		.utf8 = c->report && fg_report_style(c->report)->utf8, .width = FG_REPORT_WIDEST
	};
	char line[FG_HEADLINE_LEN + 400], headline[FG_HEADLINE_LEN] = "";
	size_t len = out->len;

	if (c->report && c->probe)
		fg_headline_write(c->report, c->probe, headline, sizeof(headline));
	snprintf(line, sizeof(line), "%.380s%s%s", c->name, headline[0] || c->why[0] ? ": " : "",
		 headline[0] ? headline : c->why);
	if (c->change)
		fg_buffer_printf(out, "%s  ", c->change->time);
	put_line(out, &style, heads[c->status], line);
	return fg_report_finish(out, len, err);
}

int fg_case_text(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_report_options style = c->report ? *fg_report_style(c->report)
							 : (struct fg_report_options){};
	size_t len = out->len;

	put_line(out, &style, heads[c->status], c->name);
	put_line(out, &style, "              ", c->why);
	if (c->status == FG_CASE_PASS || c->status == FG_CASE_SKIP)
		return fg_report_finish(out, len, err);
	put_line(out, &style, "  from node   ", fg_case_node(c));
	put_line(out, &style, "  expected    ", c->block->expect->text);
	put_line(out, &style, "  what next   ", fg_case_advice(c));
	fg_buffer_puts(out, "\n");
	if (c->report && fg_report_text(c->report, c->probe, out, err))
		return -1;
	if (c->ran)
		fg_command_put_text(c, out);
	fg_buffer_puts(out, c->told ? c->told->text : "");
	fg_buffer_puts(out, "\n");
	return fg_report_finish(out, len, err);
}

int fg_case_text_change(const struct fg_case *c, const struct fg_report_options *style,
			struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_page page = {
		.out = out, .colour = style->colour, .utf8 = style->utf8, .width = style->width
	};
	size_t len = out->len;
	char head[FG_ORIGIN_TIME_LEN + 20];

	snprintf(head, sizeof(head), "%s  %s", c->change->time, heads[c->status]);
	put_line(out, style, head, c->name);
	fg_change_put_text(c, &page);
	put_line(out, style, "              ", c->why);
	if (c->status != FG_CASE_PASS && c->status != FG_CASE_SKIP) {
		put_line(out, style, "  expected    ", c->block->expect->text);
		put_line(out, style, "  what next   ", fg_case_advice(c));
	}
	if (style->verbose && c->report && fg_report_text(c->report, c->probe, out, err))
		return -1;
	if (style->verbose && c->ran)
		fg_command_put_text(c, out);
	fg_buffer_puts(out, "\n");
	return fg_report_finish(out, len, err);
}

int fg_case_text_end(const struct fg_case_counts *counts, const struct fg_origin *origin,
		     struct fg_buffer *out, struct fg_error *err)
{
	const uint64_t *n = counts->by_status;
	uint64_t done = fg_case_done(counts);
	size_t len = out->len;

	fg_buffer_printf(
		out,
		"%llu probe%s: %llu as expected, %llu not as expected, %llu inconclusive, %llu "
		"skipped; %.2f s\n",
		(unsigned long long)done, done == 1 ? "" : "s", (unsigned long long)n[FG_CASE_PASS],
		(unsigned long long)n[FG_CASE_FAIL], (unsigned long long)n[FG_CASE_INCONCLUSIVE],
		(unsigned long long)n[FG_CASE_SKIP], (double)counts->duration_ns / 1e9);
	if (counts->losses.lost)
		fg_buffer_printf(out, "events lost: %llu (--ring-size makes more room)\n",
				 (unsigned long long)counts->losses.lost);
	if (counts->losses.strays)
		fg_buffer_printf(out, "records that match no probe: %llu\n",
				 (unsigned long long)counts->losses.strays);
	if (counts->lost_nodes)
		fg_buffer_printf(out, "nodes lost: %llu\n", (unsigned long long)counts->lost_nodes);
	if (fg_case_stopped(counts)) {
		fg_buffer_puts(out, counts->interrupted ? "interrupted" : "stopped");
		fg_case_put_unsent(counts, out);
		fg_buffer_puts(out, "\n");
	}
	if (origin) {
		fg_origin_put(origin, out);
		fg_buffer_puts(out, "\n");
	}
	return fg_report_finish(out, len, err);
}
