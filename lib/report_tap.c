// SPDX-License-Identifier: GPL-2.0-only
/* report_tap.c - a run as TAP 14 (testanything.org): a line for each probe, and a YAML block for
 * what is not as expected. */
#include <string.h>

#include "case.h"
#include "names.h"
#include "report_parts.h"

/* A description is one line, in which # and \ are escaped. */
static void put_description(struct fg_buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			fg_buffer_puts(out, "\\");
		fg_buffer_put(out, (unsigned char)*text < ' ' ? "?" : text, 1);
	}
}

/* Single quotes are the same in every reader of YAML, also in those of TAP that know but a part of
 * it. */
static void put_quoted(struct fg_buffer *out, const char *key, const char *text, size_t len)
{
	fg_buffer_printf(out, "  %s: '", key);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'')
			fg_buffer_puts(out, "'");
		fg_buffer_put(out, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? "?" : text + i,
			      1);
	}
	fg_buffer_puts(out, "'\n");
}

static int put_diagnostics(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];
	const char *advice = set->on_failure ? set->on_failure : c->scenario->on_failure;
	struct fg_buffer line = {};
	int ret = 0;

	fg_buffer_puts(out, "  ---\n");
	put_quoted(out, "message", c->why, strlen(c->why));
	put_quoted(out, "status", fg_case_status_name(c->status),
		   strlen(fg_case_status_name(c->status)));
	put_quoted(out, "expected", c->block->expect->text, strlen(c->block->expect->text));
	if (advice)
		put_quoted(out, "on-failure", advice, strlen(advice));
	if (c->report) {
		const struct fg_result *r = &c->probe->result;

		fg_buffer_printf(out, "  verdict: '%s'\n  outcome: '%s'\n",
				 fg_verdict_name(r->verdict), fg_outcome_name(r->outcome));
		ret = fg_report_json(c->report, c->probe, &line, err);
		if (!ret)
			put_quoted(out, "result", line.data, line.len - 1);
		fg_buffer_free(&line);
	}
	fg_buffer_puts(out, "  ...\n");
	return ret;
}

int fg_tap_begin(struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "TAP version 14\n");
	return fg_report_finish(out, len, err);
}

int fg_tap_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	bool good = c->status == FG_CASE_PASS || c->status == FG_CASE_SKIP;
	size_t len = out->len;

	fg_buffer_printf(out, "%sok %llu - ", good ? "" : "not ", (unsigned long long)c->number);
	put_description(out, c->scenario->name);
	fg_buffer_puts(out, ": ");
	put_description(out, c->name);
	if (c->status == FG_CASE_SKIP) {
		fg_buffer_puts(out, " # SKIP ");
		put_description(out, c->why);
	}
	fg_buffer_puts(out, "\n");
	if (!good && put_diagnostics(c, out, err))
		return -1;
	return fg_report_finish(out, len, err);
}

int fg_tap_end(const struct fg_case_counts *counts, struct fg_buffer *out, struct fg_error *err)
{
	uint64_t done = fg_case_done(counts);
	size_t len = out->len;

	fg_buffer_printf(out, "1..%llu\n", (unsigned long long)done);
	if (counts->interrupted)
		fg_buffer_printf(out, "Bail out! interrupted: %llu of %llu probes were not sent\n",
				 (unsigned long long)(counts->planned - done),
				 (unsigned long long)counts->planned);
	return fg_report_finish(out, len, err);
}
