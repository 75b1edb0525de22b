// SPDX-License-Identifier: GPL-2.0-only
/* suite/tap.c - a run as TAP 13 (testanything.org), since Debian 12's prove knows no later: a
 * line for each probe, and a YAML block for what is not as expected. */
#include <string.h>

#include "base/markup.h"
#include "suite/case.h"
#include "probe/names.h"
#include "report/report.h"

/* A description is one line, in which # and \ are escaped. */
static void put_description(struct fg_buffer *out, const char *text)
{
	for (const char *next; *text; text = next) {
		next = text + strcspn(text + 1, "#\\") + 1;
		if (*text == '#' || *text == '\\')
			fg_buffer_puts(out, "\\");
		fg_markup_put_visible(out, text, (size_t)(next - text));
	}
}

/* Single quotes are the same in every reader of YAML, also in those of TAP that know but a part of
 * it. */
static void put_quoted(struct fg_buffer *out, const char *key, const char *text, size_t len)
{
	fg_buffer_printf(out, "  %s: '", key);
	for (size_t i = 0, n; i < len; i += n) {
		const char *quote = memchr(text + i, '\'', len - i);

		n = quote ? (size_t)(quote - text) + 1 - i : len - i;
		fg_markup_put_visible(out, text + i, n);
		if (quote)
			fg_buffer_puts(out, "'");
	}
	fg_buffer_puts(out, "'\n");
}

static void put_told(const struct fg_case_told *told, struct fg_buffer *out)
{
	if (told->headline)
		put_quoted(out, "seen", told->headline, strlen(told->headline));
	if (told->verdict)
		fg_buffer_printf(out, "  verdict: '%s'\n  outcome: '%s'\n", told->verdict,
				 told->outcome);
	put_quoted(out, "result", told->json, strlen(told->json) - 1);
}

static int put_diagnostics(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	const char *advice = fg_case_advice(c);
	const char *node = fg_case_node(c);
	struct fg_buffer line = {};
	int ret = 0;

	fg_buffer_puts(out, "  ---\n");
	put_quoted(out, "message", c->why, strlen(c->why));
	put_quoted(out, "status", fg_scenario_status_name(c->status),
		   strlen(fg_scenario_status_name(c->status)));
	put_quoted(out, "expected", c->block->expect->text, strlen(c->block->expect->text));
	if (node)
		put_quoted(out, "node", node, strlen(node));
	if (advice)
		put_quoted(out, "on-failure", advice, strlen(advice));
	if (c->told)
		put_told(c->told, out);
	if (c->report) {
		const struct fg_result *r = &c->probe->result;
		char headline[FG_HEADLINE_LEN];

		fg_headline_write(c->report, c->probe, headline, sizeof(headline));
		put_quoted(out, "seen", headline, strlen(headline));
		fg_buffer_printf(out, "  verdict: '%s'\n  outcome: '%s'\n",
				 fg_verdict_name(r->verdict), fg_outcome_name(r->outcome));
		ret = fg_report_json(c->report, c->probe, &line, err);
		if (!ret)
			put_quoted(out, "result", line.data, line.len - 1);
		fg_buffer_free(&line);
	}
	if (c->ran) {
		fg_command_put_text(c, &line);
		put_quoted(out, "seen", line.len ? line.data : "", line.len);
		fg_buffer_free(&line);
	}
	fg_buffer_puts(out, "  ...\n");
	return ret;
}

int fg_tap_begin(const struct fg_origin *origin, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "TAP version 13\n");
	if (origin) {
		fg_buffer_puts(out, "# ");
		fg_origin_put(origin, out);
		fg_buffer_puts(out, "\n");
	}
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
	if (counts->interrupted) {
		fg_buffer_puts(out, "Bail out! interrupted");
		fg_case_put_unsent(counts, out);
		fg_buffer_puts(out, "\n");
	}
	return fg_report_finish(out, len, err);
}
