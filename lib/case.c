// SPDX-License-Identifier: GPL-2.0-only
/* case.c - counts, and the reports of a run as JSON and text. */
#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report_parts.h"

void fg_case_count(struct fg_case_counts *counts, const struct fg_case *c)
{
	counts->by_status[c->status]++;
	if (c->probe)
		counts->lost += c->probe->trace.lost;
}

uint64_t fg_case_done(const struct fg_case_counts *counts)
{
	uint64_t done = 0;

	for (int i = 0; i < FG_CASE_STATUSES; i++)
		done += counts->by_status[i];
	return done;
}

uint64_t fg_case_time_ns(const struct fg_case *c)
{
	return c->probe && c->probe->result.end ? c->probe->result.end->time_ns : 0;
}

static const char *from_of(const struct fg_case *c)
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
	put_member(out, "from", from_of(c));
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
	put_member(out, "status", fg_case_status_name(c->status));
	put_member(out, "why", c->why);
	fg_buffer_puts(out, "}}\n");
}

int fg_case_json(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

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

int fg_case_json_end(const struct fg_case_counts *counts, struct fg_buffer *out,
		     struct fg_error *err)
{
	size_t len = out->len;
	uint64_t done = fg_case_done(counts);

	fg_buffer_printf(out, "{\"schema\":\"flowgen.run/1\",\"planned\":%llu,\"done\":%llu",
			 (unsigned long long)counts->planned, (unsigned long long)done);
	for (int i = 0; i < FG_CASE_STATUSES; i++)
		fg_buffer_printf(out, ",\"%s\":%llu", fg_case_status_name((enum fg_case_status)i),
				 (unsigned long long)counts->by_status[i]);
	fg_buffer_printf(out, ",\"lost_events\":%llu,\"duration_ns\":%llu,\"interrupted\":%s}\n",
			 (unsigned long long)counts->lost, (unsigned long long)counts->duration_ns,
			 counts->interrupted ? "true" : "false");
	return fg_report_finish(out, len, err);
}

/* --- text --- */

static void put_line(struct fg_buffer *out, const struct fg_report_options *style,
		     const char *label, const char *text)
{
	const struct fg_page page = { .out = out, .colour = style->colour, .utf8 = style->utf8 };
	size_t column = strlen(label);

	if (!text || !*text)
		return;
	fg_buffer_puts(out, label);
	fg_page_wrap(&page, text, column, column, NULL);
	fg_buffer_puts(out, "\n");
}

int fg_case_text(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	static const char *const heads[] = { [FG_CASE_PASS] = "ok            ",
					     [FG_CASE_FAIL] = "NOT OK        ",
					     [FG_CASE_SKIP] = "skipped       ",
					     [FG_CASE_INCONCLUSIVE] = "INCONCLUSIVE  " };
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];
	const struct fg_report_options style = c->report ? c->report->options
							 : (struct fg_report_options){};
	const char *advice = set->on_failure ? set->on_failure : c->scenario->on_failure;
	size_t len = out->len;

	put_line(out, &style, heads[c->status], c->name);
	put_line(out, &style, "              ", c->why);
	if (c->status == FG_CASE_PASS || c->status == FG_CASE_SKIP)
		return fg_report_finish(out, len, err);
	put_line(out, &style, "  expected    ", c->block->expect->text);
	put_line(out, &style, "  what next   ", advice);
	fg_buffer_puts(out, "\n");
	if (c->report && fg_report_text(c->report, c->probe, out, err))
		return -1;
	fg_buffer_puts(out, "\n");
	return fg_report_finish(out, len, err);
}

int fg_case_text_end(const struct fg_case_counts *counts, struct fg_buffer *out,
		     struct fg_error *err)
{
	const uint64_t *n = counts->by_status;
	uint64_t done = fg_case_done(counts);
	size_t len = out->len;

	fg_buffer_printf(
		out,
		"%llu probes: %llu as expected, %llu not as expected, %llu inconclusive, %llu "
		"skipped; %.2f s\n",
		(unsigned long long)done, (unsigned long long)n[FG_CASE_PASS],
		(unsigned long long)n[FG_CASE_FAIL], (unsigned long long)n[FG_CASE_INCONCLUSIVE],
		(unsigned long long)n[FG_CASE_SKIP], (double)counts->duration_ns / 1e9);
	if (counts->lost)
		fg_buffer_printf(out,
				 "%llu events were lost: --ring-size makes more room for them\n",
				 (unsigned long long)counts->lost);
	if (done < counts->planned)
		fg_buffer_printf(out, "%s: %llu of %llu probes were not sent\n",
				 counts->interrupted ? "interrupted" : "stopped",
				 (unsigned long long)(counts->planned - done),
				 (unsigned long long)counts->planned);
	return fg_report_finish(out, len, err);
}
