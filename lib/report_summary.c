// SPDX-License-Identifier: GPL-2.0-only
/* report_summary.c - many results as one: counts, and the destination ports behind each, kept as a set of bits. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

#include "names.h"
#include "report_parts.h"

#define VERDICTS (FG_VERDICT_NONE + 1)
#define PORT_WORDS (65536 / 64)
#define REASONS_MAX 16

/* How many, and to which ports. */
struct tally {
	uint64_t count;
	uint64_t *ports; /* owned; NULL: none of them had a port */
};

struct fg_summary {
	const struct fg_report *report;
	uint64_t total, met, unmet;
	struct tally verdicts[VERDICTS];
	struct tally outcomes[FG_OUTCOMES];
	struct tally deniers[FG_LADDER_MAX];
	struct {
		const char *text; /* static */
		uint64_t count;
	} reasons[REASONS_MAX];
	size_t reason_count;
};

struct fg_summary *fg_summary_open(const struct fg_report *report, struct fg_error *err)
{
	struct fg_summary *summary = calloc(1, sizeof(*summary));

	if (!summary) {
		fg_fail(err, FG_ERR_INTERNAL, "summary: out of memory");
		return NULL;
	}
	summary->report = report;
	return summary;
}

static void tallies_free(struct tally *tallies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(tallies[i].ports);
}

void fg_summary_close(struct fg_summary *summary)
{
	if (!summary)
		return;
	tallies_free(summary->verdicts, VERDICTS);
	tallies_free(summary->outcomes, FG_OUTCOMES);
	tallies_free(summary->deniers, FG_LADDER_MAX);
	free(summary);
}

/* port -1: it has none. */
static int tally_add(struct tally *tally, int port)
{
	tally->count++;
	if (port < 0)
		return 0;
	if (!tally->ports)
		tally->ports = calloc(PORT_WORDS, sizeof(*tally->ports));
	if (!tally->ports)
		return -1;
	tally->ports[port / 64] |= UINT64_C(1) << (port % 64);
	return 0;
}

static void reason_add(struct fg_summary *summary, const char *text)
{
	size_t i = 0;

	while (i < summary->reason_count && summary->reasons[i].text != text)
		i++;
	if (i == REASONS_MAX)
		return;
	if (i == summary->reason_count)
		summary->reasons[summary->reason_count++].text = text;
	summary->reasons[i].count++;
}

int fg_summary_add(struct fg_summary *summary, const struct fg_probe *probe, struct fg_error *err)
{
	const struct fg_result *result = &probe->result;
	struct fg_packet_view view;
	int port, failed;

	fg_packet_view(probe, &view);
	port = view.has_ports ? view.flow.dport : -1;
	summary->total++;
	failed = tally_add(&summary->verdicts[result->verdict], port);
	failed |= tally_add(&summary->outcomes[result->outcome], port);
	if (result->denied_by >= 0 && result->denied_by < FG_LADDER_MAX)
		failed |= tally_add(&summary->deniers[result->denied_by], port);
	if (result->reason)
		reason_add(summary, result->reason);
	if (probe->spec.expect != FG_EXPECT_NOTHING) {
		summary->met += result->expect_met;
		summary->unmet += !result->expect_met;
	}
	return failed ? fg_fail(err, FG_ERR_INTERNAL, "summary: out of memory") : 0;
}

static bool has_port(const struct tally *tally, uint32_t port)
{
	return tally->ports[port / 64] >> (port % 64) & 1;
}

/* The next run of ports from *port on; false: none is left. */
static bool next_range(const struct tally *tally, uint32_t *port, uint32_t *first, uint32_t *last)
{
	uint32_t p = *port;

	if (!tally->ports)
		return false;
	while (p < 65536 && !has_port(tally, p))
		p += p % 64 == 0 && !tally->ports[p / 64] ? 64 : 1;
	if (p >= 65536)
		return false;
	*first = p;
	while (p < 65536 && has_port(tally, p))
		p++;
	*last = p - 1;
	*port = p;
	return true;
}

static const char *range_text(uint32_t first, uint32_t last, char buf[16])
{
	if (first == last)
		snprintf(buf, 16, "%u", first);
	else
		snprintf(buf, 16, "%u-%u", first, last);
	return buf;
}

/* --- JSON --- */

static json_t *tally_json(const struct tally *tally)
{
	json_t *list = json_array();
	uint32_t port = 0, first, last;
	char text[16];

	while (list && next_range(tally, &port, &first, &last))
		if (json_array_append_new(list, json_string(range_text(first, last, text)))) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:I,s:o}", "count", (json_int_t)tally->count, "ports", list);
}

static json_t *verdicts_json(const struct fg_summary *summary)
{
	json_t *object = json_object();

	for (int i = 0; i < VERDICTS; i++)
		if (json_object_set_new(object, fg_verdict_name((enum fg_verdict)i),
					tally_json(&summary->verdicts[i]))) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *outcomes_json(const struct fg_summary *summary)
{
	json_t *object = json_object();

	for (int i = 0; i < FG_OUTCOMES; i++)
		if (json_object_set_new(object, fg_outcome_name((enum fg_outcome)i),
					tally_json(&summary->outcomes[i]))) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *deniers_json(const struct fg_summary *summary)
{
	json_t *list = json_array();

	for (size_t i = 0; i < summary->report->programs; i++) {
		const struct tally *tally = &summary->deniers[i];

		if (tally->count &&
		    json_array_append_new(list,
					  json_pack("{s:o,s:o}", "program",
						    json_loads(summary->report->denier[i], 0, NULL),
						    "denied", tally_json(tally)))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *reasons_json(const struct fg_summary *summary)
{
	json_t *list = json_array();

	for (size_t i = 0; i < summary->reason_count; i++)
		if (json_array_append_new(list, json_pack("{s:s,s:I}", "reason",
							  summary->reasons[i].text, "count",
							  (json_int_t)summary->reasons[i].count))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *expect_json(const struct fg_summary *summary)
{
	if (!summary->met && !summary->unmet)
		return json_null();
	return json_pack("{s:I,s:I}", "met", (json_int_t)summary->met, "unmet",
			 (json_int_t)summary->unmet);
}

int fg_summary_json(const struct fg_summary *summary, const struct fg_summary_run *run,
		    struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_report *report = summary->report;
	size_t len = out->len;
	json_t *value = json_pack("{s:s,s:o,s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I}", "schema",
				  "flowgen.summary/1", "pod", fg_json_pod(&report->subject),
				  "method", fg_method_name(report->scene->method), "total",
				  (json_int_t)summary->total, "verdicts", verdicts_json(summary),
				  "outcomes", outcomes_json(summary), "denied_by",
				  deniers_json(summary), "reasons", reasons_json(summary),
				  "not_exercised", json_loads(report->not_exercised, 0, NULL),
				  "expect", expect_json(summary), "lost_events",
				  (json_int_t)run->lost_events, "duration_ns",
				  (json_int_t)run->duration_ns);
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	if (text) {
		fg_buffer_puts(out, text);
		fg_buffer_puts(out, "\n");
	} else {
		out->failed = true;
	}
	free(text);
	return fg_report_finish(out, len, err);
}

/* --- text --- */

#define RANGES_SHOWN 60 /* some seven lines */

static void put_ports(const struct fg_page *page, const struct tally *tally)
{
	struct fg_buffer list = {};
	uint32_t port = 0, first, last;
	size_t count = 0;
	char text[16];

	while (next_range(tally, &port, &first, &last))
		if (count++ < RANGES_SHOWN)
			fg_buffer_printf(&list, "%s%s", count > 1 ? ", " : "",
					 range_text(first, last, text));
	if (count > RANGES_SHOWN)
		fg_buffer_printf(&list, ", and %zu more ranges", count - RANGES_SHOWN);
	fg_buffer_put(&list, "", 1);
	if (count && !list.failed) {
		fg_buffer_puts(page->out, "                 to ports ");
		fg_page_wrap(page, list.data, 26, 26, NULL);
		fg_buffer_puts(page->out, "\n");
	}
	page->out->failed |= list.failed;
	fg_buffer_free(&list);
}

static void put_tally(const struct fg_page *page, const char *name, const struct tally *tally,
		      enum fg_paint paint)
{
	if (!tally->count)
		return;
	fg_page_paint(page, paint);
	fg_buffer_printf(page->out, "  %-14s %llu\n", name, (unsigned long long)tally->count);
	fg_page_paint(page, FG_PAINT_OFF);
	put_ports(page, tally);
}

static void put_deniers(const struct fg_page *page, const struct fg_summary *summary)
{
	bool head = false;
	char text[200];

	for (size_t i = 0; i < summary->report->programs; i++) {
		const struct fg_program *program = &summary->report->scene->ladder->programs[i];

		if (!summary->deniers[i].count)
			continue;
		if (!head)
			fg_buffer_puts(page->out, "\ndenied by\n");
		head = true;
		snprintf(text, sizeof(text), "%s (%s on %s, id %u): %llu", program->name,
			 fg_hook_name(program->hook), program->device, program->id,
			 (unsigned long long)summary->deniers[i].count);
		fg_buffer_puts(page->out, "  ");
		fg_page_wrap(page, text, 2, 4, NULL);
		fg_buffer_puts(page->out, "\n");
		put_ports(page, &summary->deniers[i]);
	}
}

static void put_reasons(const struct fg_page *page, const struct fg_summary *summary)
{
	char text[300];

	if (summary->reason_count)
		fg_buffer_puts(page->out, "\nreasons\n");
	for (size_t i = 0; i < summary->reason_count; i++) {
		snprintf(text, sizeof(text), "%llu: %s",
			 (unsigned long long)summary->reasons[i].count, summary->reasons[i].text);
		fg_buffer_puts(page->out, "  ");
		fg_page_wrap(page, text, 2, 4, NULL);
		fg_buffer_puts(page->out, "\n");
	}
}

int fg_summary_text(const struct fg_summary *summary, const struct fg_summary_run *run,
		    struct fg_buffer *out, struct fg_error *err)
{
	static const enum fg_paint paints[VERDICTS] = {
		[FG_VERDICT_UNKNOWN] = FG_PAINT_DOUBT, [FG_VERDICT_ALLOWED] = FG_PAINT_GOOD,
		[FG_VERDICT_DENIED] = FG_PAINT_BAD,    [FG_VERDICT_REDIRECTED] = FG_PAINT_GOOD,
		[FG_VERDICT_NONE] = FG_PAINT_DOUBT,
	};
	const struct fg_report_options *options = &summary->report->options;
	struct fg_page page = { .out = out, .colour = options->colour, .utf8 = options->utf8 };
	size_t len = out->len;
	char time[32];

	fg_buffer_printf(out, "%llu probes in %s by %s; %llu events lost\n",
			 (unsigned long long)summary->total,
			 fg_time_text(run->duration_ns, page.utf8, time, sizeof(time)),
			 fg_method_name(summary->report->scene->method),
			 (unsigned long long)run->lost_events);
	fg_buffer_puts(out, "\nverdict\n");
	for (int i = 0; i < VERDICTS; i++)
		put_tally(&page, fg_verdict_name((enum fg_verdict)i), &summary->verdicts[i],
			  paints[i]);
	if (summary->verdicts[FG_VERDICT_NONE].count)
		fg_buffer_puts(out, "  Nothing enforces here: no policy program saw a \"none\".\n");
	put_deniers(&page, summary);
	fg_buffer_puts(out, "\noutcome\n");
	for (int i = 0; i < FG_OUTCOMES; i++)
		put_tally(&page, fg_outcome_name((enum fg_outcome)i), &summary->outcomes[i],
			  FG_PAINT_OFF);
	put_reasons(&page, summary);
	if (summary->met || summary->unmet)
		fg_buffer_printf(out, "\nexpectations: %llu met, %llu not met\n",
				 (unsigned long long)summary->met,
				 (unsigned long long)summary->unmet);
	return fg_report_finish(out, len, err);
}
