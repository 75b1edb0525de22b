// SPDX-License-Identifier: GPL-2.0-only
/* report_junit.c - a run as JUnit XML, as CI systems read it; tests/junit.xsd describes what is
 * written. */
#include <string.h>

#include "case.h"
#include "markup.h"
#include "report_parts.h"

static void put_counts(struct fg_buffer *out, const struct fg_case_counts *counts)
{
	const uint64_t *n = counts->by_status;

	fg_buffer_printf(
		out,
		" tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" skipped=\"%llu\" time=\"%.6f\"",
		(unsigned long long)fg_case_done(counts), (unsigned long long)n[FG_CASE_FAIL],
		(unsigned long long)n[FG_CASE_INCONCLUSIVE], (unsigned long long)n[FG_CASE_SKIP],
		(double)counts->duration_ns / 1e9);
}

int fg_junit_begin(const struct fg_case_counts *all, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out,
		       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"flowgen\"");
	put_counts(out, all);
	fg_buffer_puts(out, ">\n");
	return fg_report_finish(out, len, err);
}

int fg_junit_suite(const struct fg_scenario *scenario, const struct fg_case_counts *counts,
		   struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "<testsuite name=\"");
	fg_markup_put(out, scenario->name);
	fg_buffer_puts(out, "\" file=\"");
	fg_markup_put(out, scenario->yaml.file);
	fg_buffer_puts(out, "\"");
	put_counts(out, counts);
	fg_buffer_puts(out, ">\n");
	if (counts->interrupted)
		fg_buffer_puts(
			out,
			"<properties><property name=\"interrupted\" value=\"true\"/></properties>\n");
	return fg_report_finish(out, len, err);
}

static void put_status(const struct fg_case *c, struct fg_buffer *out)
{
	static const char *const elements[] = { [FG_CASE_FAIL] = "failure",
						[FG_CASE_SKIP] = "skipped",
						[FG_CASE_INCONCLUSIVE] = "error" };
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];
	const char *advice = set->on_failure ? set->on_failure : c->scenario->on_failure;

	if (c->status == FG_CASE_PASS)
		return;
	fg_buffer_printf(out, "<%s message=\"", elements[c->status]);
	fg_markup_put(out, c->why);
	if (c->status == FG_CASE_SKIP) {
		fg_buffer_puts(out, "\"/>\n");
		return;
	}
	fg_buffer_printf(out, "\" type=\"%s\">expected: ",
			 c->status == FG_CASE_FAIL ? "unexpected" : "inconclusive");
	fg_markup_put(out, c->block->expect->text);
	if (advice) {
		fg_buffer_puts(out, "\n");
		fg_markup_put(out, advice);
	}
	fg_buffer_printf(out, "</%s>\n", elements[c->status]);
}

static int put_result(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	struct fg_buffer line = {};
	int ret;

	if (!c->report)
		return 0;
	ret = fg_report_json(c->report, c->probe, &line, err);
	if (!ret) {
		fg_buffer_puts(out, "<system-out>");
		fg_markup_put_bytes(out, line.data, line.len);
		fg_buffer_puts(out, "</system-out>\n");
	}
	fg_buffer_free(&line);
	return ret;
}

int fg_junit_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "<testcase classname=\"");
	fg_markup_put(out, c->scenario->name);
	fg_buffer_puts(out, "\" name=\"");
	fg_markup_put(out, c->name);
	fg_buffer_printf(out, "\" time=\"%.9f\">\n", (double)fg_case_time_ns(c) / 1e9);
	put_status(c, out);
	if (put_result(c, out, err))
		return -1;
	fg_buffer_puts(out, "</testcase>\n");
	return fg_report_finish(out, len, err);
}

int fg_junit_suite_end(struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "</testsuite>\n");
	return fg_report_finish(out, len, err);
}

int fg_junit_end(struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "</testsuites>\n");
	return fg_report_finish(out, len, err);
}
