// SPDX-License-Identifier: GPL-2.0-only
#include "suite/metrics.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "probe/names.h"

#define VERDICTS (FG_VERDICT_NONE + 1)

/* Nanoseconds of some packets. */
struct times {
	uint64_t count, sum, max;
};

struct row {
	char *scenario, *pod, *destination; /* owned */
	uint64_t statuses[FG_CASE_STATUSES];
	uint64_t verdicts[VERDICTS];
	uint64_t outcomes[FG_OUTCOMES];
	struct times path, round_trip;
};

/* What is written of each entry, family by family: that is what the formats ask for. */
struct page {
	struct fg_buffer *out;
	const char *family;
	void (*put)(const struct page *page, const struct row *e);
};

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int ret = strcmp(x->scenario, y->scenario);

	if (!ret)
		ret = strcmp(x->pod, y->pod);
	return ret ? ret : strcmp(x->destination, y->destination);
}

static void free_row(void *node)
{
	struct row *e = node;

	free(e->scenario);
	free(e->pod);
	free(e->destination);
	free(e);
}

static struct row *new_row(const struct row *names)
{
	struct row *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->scenario = strdup(names->scenario);
	e->pod = strdup(names->pod);
	e->destination = strdup(names->destination);
	if (e->scenario && e->pod && e->destination)
		return e;
	free_row(e);
	return NULL;
}

static struct row *find(struct fg_metrics *metrics, const struct fg_case *c)
{
	const struct row names = {
		.scenario = c->scenario->name,
		.pod = (char *)fg_case_sender(c),
		.destination = (char *)fg_scenario_target_name(c->scenario, c->block),
	};
	struct row *added, **found = tfind(&names, &metrics->root, compare);

	if (found)
		return *found;
	added = new_row(&names);
	if (!added || tsearch(added, &metrics->root, compare))
		return added;
	free_row(added);
	return NULL;
}

static void add_time(struct times *times, uint64_t ns)
{
	times->count++;
	times->sum += ns;
	if (ns > times->max)
		times->max = ns;
}

static void add_told(struct row *e, const struct fg_case_told *told)
{
	for (int i = 0; told->verdict && i < VERDICTS; i++)
		if (!strcmp(told->verdict, fg_verdict_name((enum fg_verdict)i)))
			e->verdicts[i]++;
	for (int i = 0; told->outcome && i < FG_OUTCOMES; i++)
		if (!strcmp(told->outcome, fg_outcome_name((enum fg_outcome)i)))
			e->outcomes[i]++;
	if (told->time_ns)
		add_time(&e->path, told->time_ns);
}

int fg_metrics_add(struct fg_metrics *metrics, const struct fg_case *c, struct fg_error *err)
{
	struct row *e = find(metrics, c);

	if (!e)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "metrics");
	e->statuses[c->status]++;
	if (c->told) {
		add_told(e, c->told);
		return 0;
	}
	if (!c->report)
		return 0;
	e->verdicts[c->probe->result.verdict]++;
	e->outcomes[c->probe->result.outcome]++;
	if (fg_case_time_ns(c))
		add_time(&e->path, fg_case_time_ns(c));
	if (c->probe->result.reply.kind != FG_REPLY_NONE)
		add_time(&e->round_trip, c->probe->result.reply.rtt_ns);
	return 0;
}

/* --- writing --- */

/* The only escapes of both formats. Control characters are none, and are not shown. */
static void put_label(struct fg_buffer *out, const char *name, const char *value)
{
	fg_buffer_printf(out, "%s=\"", name);
	for (const char *at = value; *at; at++)
		if (*at == '\\' || *at == '"')
			fg_buffer_printf(out, "\\%c", *at);
		else if (*at == '\n')
			fg_buffer_puts(out, "\\n");
		else
			fg_buffer_put(out, (unsigned char)*at < ' ' || *at == 127 ? "?" : at, 1);
	fg_buffer_puts(out, "\"");
}

static void put_labels(const struct page *page, const char *suffix, const struct row *e,
		       const char *name, const char *value)
{
	fg_buffer_printf(page->out, "%s%s{", page->family, suffix);
	put_label(page->out, "scenario", e->scenario);
	fg_buffer_puts(page->out, ",");
	put_label(page->out, "pod", e->pod);
	fg_buffer_puts(page->out, ",");
	put_label(page->out, "destination", e->destination);
	if (name) {
		fg_buffer_puts(page->out, ",");
		put_label(page->out, name, value);
	}
	fg_buffer_puts(page->out, "} ");
}

static void put_count(const struct page *page, const struct row *e, const char *name,
		      const char *value, uint64_t count)
{
	put_labels(page, "", e, name, value);
	fg_buffer_put_u64(page->out, count);
	fg_buffer_puts(page->out, "\n");
}

/* Zeros too: what alerts ask for is always there. */
static void put_statuses(const struct page *page, const struct row *e)
{
	for (int i = 0; i < FG_CASE_STATUSES; i++)
		put_count(page, e, "status", fg_scenario_status_name((enum fg_case_status)i),
			  e->statuses[i]);
}

static void put_verdicts(const struct page *page, const struct row *e)
{
	for (int i = 0; i < VERDICTS; i++)
		if (e->verdicts[i])
			put_count(page, e, "verdict", fg_verdict_name((enum fg_verdict)i),
				  e->verdicts[i]);
}

static void put_outcomes(const struct page *page, const struct row *e)
{
	for (int i = 0; i < FG_OUTCOMES; i++)
		if (e->outcomes[i])
			put_count(page, e, "outcome", fg_outcome_name((enum fg_outcome)i),
				  e->outcomes[i]);
}

static void put_seconds(const struct page *page, const char *suffix, const struct row *e,
			uint64_t ns)
{
	put_labels(page, suffix, e, NULL, NULL);
	fg_buffer_printf(page->out, "%.9f\n", (double)ns / 1e9);
}

static void put_times(const struct page *page, const struct row *e, const struct times *times)
{
	if (!times->count)
		return;
	put_labels(page, "_count", e, NULL, NULL);
	fg_buffer_put_u64(page->out, times->count);
	fg_buffer_puts(page->out, "\n");
	put_seconds(page, "_sum", e, times->sum);
}

static void put_path(const struct page *page, const struct row *e)
{
	put_times(page, e, &e->path);
}

static void put_path_max(const struct page *page, const struct row *e)
{
	if (e->path.count)
		put_seconds(page, "", e, e->path.max);
}

static void put_round_trip(const struct page *page, const struct row *e)
{
	put_times(page, e, &e->round_trip);
}

static void put_round_trip_max(const struct page *page, const struct row *e)
{
	if (e->round_trip.count)
		put_seconds(page, "", e, e->round_trip.max);
}

static void put_one(const void *node, VISIT visit, void *closure)
{
	const struct page *page = closure;

	if (visit == postorder || visit == leaf)
		page->put(page, *(const struct row *const *)node);
}

static void put_head(struct fg_buffer *out, const char *family, const char *type, const char *help)
{
	size_t len = strlen(family);

	fg_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family, help, family, type);
	if (len > 8 && !strcmp(family + len - 8, "_seconds"))
		fg_buffer_printf(out, "# UNIT %s seconds\n", family);
}

static void put_run(const struct fg_case_counts *counts, const struct fg_origin *origin,
		    uint64_t now_ns, struct fg_buffer *out)
{
	if (origin) {
		put_head(out, "flowgen_run_info", "gauge", "Which run it was. Always 1.");
		fg_buffer_puts(out, "flowgen_run_info{");
		put_label(out, "run", origin->id);
		fg_buffer_puts(out, ",");
		put_label(out, "host", origin->host.nodename);
		fg_buffer_puts(out, ",");
		put_label(out, "kernel", origin->host.release);
		fg_buffer_puts(out, ",");
		put_label(out, "version", origin->version);
		fg_buffer_puts(out, "} 1\n");
	}
	put_head(out, "flowgen_run_end_timestamp_seconds", "gauge",
		 "When the run ended, since 1970.");
	fg_buffer_printf(out, "flowgen_run_end_timestamp_seconds %.3f\n", (double)now_ns / 1e9);
	put_head(out, "flowgen_run_duration_seconds", "gauge", "How long the run took.");
	fg_buffer_printf(out, "flowgen_run_duration_seconds %.6f\n",
			 (double)counts->duration_ns / 1e9);
	put_head(out, "flowgen_run_complete", "gauge", "1 if no probe was left over, else 0.");
	fg_buffer_printf(out, "flowgen_run_complete %d\n",
			 !counts->interrupted && !fg_case_stopped(counts) && !counts->lost_nodes);
	put_head(out, "flowgen_run_lost_events", "gauge",
		 "Events of packets that were lost: their results are inconclusive.");
	fg_buffer_printf(out, "flowgen_run_lost_events %llu\n",
			 (unsigned long long)counts->losses.lost);
}

int fg_metrics_put(const struct fg_metrics *metrics, const struct fg_case_counts *counts,
		   const struct fg_origin *origin, uint64_t now_ns, struct fg_buffer *out,
		   struct fg_error *err)
{
	static const struct {
		const char *family, *type, *help;
		void (*put)(const struct page *page, const struct row *e);
	} families[] = {
		{ "flowgen_probes", "gauge", "Probes of the run, by status.", put_statuses },
		{ "flowgen_verdicts", "gauge", "Packets of the run, by what policy decided.",
		  put_verdicts },
		{ "flowgen_outcomes", "gauge", "Packets of the run, by how they ended.",
		  put_outcomes },
		{ "flowgen_path_seconds", "summary", "From injection to the end that was seen.",
		  put_path },
		{ "flowgen_path_max_seconds", "gauge", "The longest of flowgen_path_seconds.",
		  put_path_max },
		{ "flowgen_round_trip_seconds", "summary", "From injection to the reply.",
		  put_round_trip },
		{ "flowgen_round_trip_max_seconds", "gauge",
		  "The longest of flowgen_round_trip_seconds.", put_round_trip_max },
	};
	size_t len = out->len;

	put_run(counts, origin, now_ns, out);
	for (size_t i = 0; i < COUNT(families); i++) {
		struct page page = { out, families[i].family, families[i].put };

		put_head(out, families[i].family, families[i].type, families[i].help);
		twalk_r(metrics->root, put_one, &page);
	}
	fg_buffer_puts(out, "# EOF\n");
	return fg_report_finish(out, len, err);
}

void fg_metrics_free(struct fg_metrics *metrics)
{
	tdestroy(metrics->root, free_row);
	metrics->root = NULL;
}
