// SPDX-License-Identifier: GPL-2.0-only
/* suite/junit.c - a run as JUnit XML, as CI systems read it; tests/junit.xsd describes what is
 * written. */
#include <string.h>

#include "suite/case.h"
#include "base/markup.h"
#include "report/report.h"

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

static void put_attribute(struct fg_buffer *out, const char *name, const char *text)
{
	fg_buffer_printf(out, " %s=\"", name);
	fg_markup_put(out, text);
	fg_buffer_puts(out, "\"");
}

static void put_property(struct fg_buffer *out, const char *name, const char *value)
{
	fg_buffer_puts(out, "<property");
	put_attribute(out, "name", name);
	put_attribute(out, "value", value);
	fg_buffer_puts(out, "/>\n");
}

/* Its type is a time without a zone: UTC, and no fraction. */
static void put_timestamp(struct fg_buffer *out, const struct fg_origin *origin)
{
	fg_buffer_printf(out, " timestamp=\"%.19s\"", origin->started);
}

static void put_properties(struct fg_buffer *out, const struct fg_case_counts *counts,
			   const struct fg_origin *origin)
{
	if (!origin && !counts->interrupted)
		return;
	fg_buffer_puts(out, "<properties>\n");
	if (origin) {
		put_property(out, "run", origin->id);
		put_property(out, "kernel", origin->host.release);
		put_property(out, "flowgen", origin->version);
	}
	if (counts->interrupted)
		put_property(out, "interrupted", "true");
	fg_buffer_puts(out, "</properties>\n");
}

int fg_junit_begin(const struct fg_case_counts *all, const struct fg_origin *origin,
		   struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out,
		       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"flowgen\"");
	put_counts(out, all);
	if (origin)
		put_timestamp(out, origin);
	fg_buffer_puts(out, ">\n");
	return fg_report_finish(out, len, err);
}

int fg_junit_suite(const struct fg_scenario *scenario, const struct fg_case_counts *counts,
		   const struct fg_origin *origin, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "<testsuite name=\"");
	fg_markup_put(out, scenario->name);
	fg_buffer_puts(out, "\" file=\"");
	fg_markup_put(out, scenario->yaml.file);
	fg_buffer_puts(out, "\"");
	put_counts(out, counts);
	if (origin) {
		put_timestamp(out, origin);
		put_attribute(out, "hostname", origin->host.nodename);
	}
	fg_buffer_puts(out, ">\n");
	put_properties(out, counts, origin);
	return fg_report_finish(out, len, err);
}

static void put_status(const struct fg_case *c, struct fg_buffer *out)
{
	static const char *const elements[] = { [FG_CASE_FAIL] = "failure",
						[FG_CASE_SKIP] = "skipped",
						[FG_CASE_INCONCLUSIVE] = "error" };
	char headline[FG_HEADLINE_LEN];
	const char *node = fg_case_node(c), *seen;
	const char *advice = fg_case_advice(c);

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
	if (node) {
		fg_buffer_puts(out, "\nfrom node: ");
		fg_markup_put(out, node);
	}
	seen = fg_case_headline(c, headline, sizeof(headline));
	if (seen) {
		fg_buffer_puts(out, "\nseen: ");
		fg_markup_put(out, seen);
	}
	if (c->ran) {
		struct fg_buffer text = {};

		fg_command_put_text(c, &text);
		fg_buffer_puts(out, "\nseen:\n");
		fg_markup_put_bytes(out, text.data, text.len);
		fg_buffer_free(&text);
	}
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

	/* What passed is as expected: a report of thousands is to stay readable. */
	if (c->status == FG_CASE_PASS || (!c->report && !c->ran && !c->told))
		return 0;
	ret = c->report ? fg_report_json(c->report, c->probe, &line, err)
			: fg_case_json(c, &line, err);
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
