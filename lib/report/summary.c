// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/summary.c - many results as one: counts, and the destination ports of each, kept as a
 * set of bits.
 */
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/json.h"
#include "facts/cause.h"
#include "probe/leftovers.h"
#include "probe/names.h"
#include "probe/netfilter.h"
#include "report/internal.h"

#define VERDICTS (FG_VERDICT_NONE + 1)
#define PORT_WORDS (65536 / 64)
#define REASONS_MAX 16

/* How many, and to which ports. */
struct statistics {
	uint64_t count;
	uint64_t *ports; /* owned; NULL: none of them had a port */
};

/* Who denied or dropped some of them: as it was when the first of them came. */
struct culprit {
	enum fg_stage stage;
	enum fg_kind kind;
	bool has_hook;
	enum fg_hook hook;
	uint32_t id;   /* of a program */
	uint32_t code; /* of a drop that no policy made */
	uint32_t netns;
	int ifindex;
	char device[IFNAMSIZ];
	char name[400];	  /* of a program or rule; the drop's reason; empty: not known */
	uint64_t refused; /* how many of them the sender was told of, by an ICMP error */
	struct statistics statistics;
};

struct culprits {
	struct culprit *list; /* owned */
	size_t count;
};

struct fg_summary {
	const struct fg_report *report;
	uint64_t total, again, met, unmet;
	struct statistics verdicts[VERDICTS];
	struct statistics outcomes[FG_OUTCOMES];
	struct culprits deniers, drops;
	struct {
		const char *text; /* static */
		uint64_t count;
	} reasons[REASONS_MAX];
	size_t reason_count;
	struct fg_trace_losses losses;
	struct fg_leftover_maps tables; /* as they were seen last */
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

static void statistics_free(struct statistics *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].ports);
}

static void culprits_free(struct culprits *culprits)
{
	for (size_t i = 0; i < culprits->count; i++)
		free(culprits->list[i].statistics.ports);
	free(culprits->list);
}

void fg_summary_close(struct fg_summary *summary)
{
	if (!summary)
		return;
	statistics_free(summary->verdicts, VERDICTS);
	statistics_free(summary->outcomes, FG_OUTCOMES);
	culprits_free(&summary->deniers);
	culprits_free(&summary->drops);
	free(summary);
}

/* port -1: it has none. */
static int statistics_add(struct statistics *statistics, int port)
{
	statistics->count++;
	if (port < 0)
		return 0;
	if (!statistics->ports)
		statistics->ports = calloc(PORT_WORDS, sizeof(*statistics->ports));
	if (!statistics->ports)
		return -1;
	statistics->ports[port / 64] |= UINT64_C(1) << (port % 64);
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

/* Of a program, its place tells it from others; of everything else, its words do too. */
static bool is_same(const struct culprit *a, const struct culprit *b)
{
	return a->stage == b->stage && a->kind == b->kind && a->has_hook == b->has_hook &&
	       a->hook == b->hook && a->id == b->id && a->code == b->code && a->netns == b->netns &&
	       a->ifindex == b->ifindex && (a->has_hook || !strcmp(a->name, b->name));
}

static int culprit_add(struct culprits *culprits, const struct culprit *new, int port)
{
	struct culprit *c = culprits->list;
	size_t i = 0;

	while (i < culprits->count && !is_same(&c[i], new))
		i++;
	if (i == culprits->count) {
		c = FG_APPEND(culprits->list, culprits->count, "summary", NULL);
		if (!c)
			return -1;
		*c = *new;
		c->refused = 0;
	}
	culprits->list[i].refused += new->refused;
	return statistics_add(&culprits->list[i].statistics, port);
}

static void write_name(const struct fg_context *context, const struct fg_result *result,
		       const struct fg_decision *end, struct culprit *out)
{
	char text[FG_NETFILTER_TEXT_LEN];

	if (end->program)
		snprintf(out->name, sizeof(out->name), "%s", end->program->name);
	else if (result->outcome == FG_OUTCOME_NOT_SENT && result->cause)
		snprintf(out->name, sizeof(out->name), "%s", result->cause->what);
	else if (!fg_kind_is_policy(end->kind) && result->dropped)
		snprintf(out->name, sizeof(out->name), "%s",
			 fg_view_drop_name(context, result->drop_code, text, sizeof(text)));
	else if (end->kind == FG_KIND_NETFILTER && result->netfilter)
		snprintf(out->name, sizeof(out->name), "%s",
			 fg_netfilter_rule(result->netfilter, text, sizeof(text)));
	else if (result->alike)
		snprintf(out->name, sizeof(out->name), "as probe %llu, by %s",
			 (unsigned long long)result->alike->id,
			 fg_decision_alike(result->alike, text, sizeof(text)));
}

static int end_add(struct fg_summary *summary, const struct fg_context *context,
		   const struct fg_result *result, int port)
{
	struct fg_decision end;
	struct culprit c = {};
	const struct fg_device *device;

	if (!fg_decision_end(context, result, &end))
		return 0;
	c.stage = end.stage;
	c.kind = end.kind;
	c.refused = result->reply.kind == FG_REPLY_ICMP_ERROR;
	write_name(context, result, &end, &c);
	if (!fg_kind_is_policy(end.kind)) {
		c.code = result->drop_code;
		return culprit_add(&summary->drops, &c, port);
	}
	c.netns = end.netns;
	c.ifindex = end.ifindex;
	if (end.program) {
		c.has_hook = true;
		c.hook = end.program->hook;
		c.id = end.program->id;
	}
	device = fg_view_device(context, end.netns, end.ifindex);
	snprintf(c.device, sizeof(c.device), "%s",
		 end.program ? end.program->device
		 : device    ? device->name
			     : "");
	return culprit_add(&summary->deniers, &c, port);
}

int fg_summary_add(struct fg_summary *summary, const struct fg_probe *probe, struct fg_error *err)
{
	const struct fg_result *result = &probe->result;
	struct fg_view_packet view;
	int port, failed;

	fg_view_packet(probe, &view);
	port = view.has_ports ? view.flow.dport : -1;
	summary->total++;
	summary->again += result->attempts > 1;
	fg_trace_losses_add(&summary->losses, &probe->trace);
	/* They are looked at seldom, and each time after more probes. */
	if (result->left_maps && result->left_maps->probes != summary->tables.probes)
		summary->tables = *result->left_maps;
	failed = statistics_add(&summary->verdicts[result->verdict], port);
	failed |= statistics_add(&summary->outcomes[result->outcome], port);
	failed |= end_add(summary, fg_report_context(summary->report, probe), result, port);
	if (result->reason)
		reason_add(summary, result->reason);
	if (probe->spec.expect != FG_EXPECT_NOTHING) {
		summary->met += result->expect_met;
		summary->unmet += !result->expect_met;
	}
	return failed ? fg_fail(err, FG_ERR_INTERNAL, "summary: out of memory") : 0;
}

static bool has_port(const struct statistics *statistics, uint32_t port)
{
	return statistics->ports[port / 64] >> (port % 64) & 1;
}

/* The next run of ports from *port on; false: none is left. */
static bool next_range(const struct statistics *statistics, uint32_t *port, uint32_t *first,
		       uint32_t *last)
{
	uint32_t p = *port;

	if (!statistics->ports)
		return false;
	while (p < 65536 && !has_port(statistics, p))
		p += p % 64 == 0 && !statistics->ports[p / 64] ? 64 : 1;
	if (p >= 65536)
		return false;
	*first = p;
	while (p < 65536 && has_port(statistics, p))
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

static json_t *statistics_json(const struct statistics *statistics)
{
	json_t *list = json_array();
	uint32_t port = 0, first, last;
	char text[16];

	while (list && next_range(statistics, &port, &first, &last))
		if (json_array_append_new(list, json_string(range_text(first, last, text)))) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:I,s:o}", "count", (json_int_t)statistics->count, "ports", list);
}

static json_t *verdicts_json(const struct fg_summary *summary)
{
	json_t *object = json_object();

	for (int i = 0; i < VERDICTS; i++)
		if (json_object_set_new(object, fg_verdict_name((enum fg_verdict)i),
					statistics_json(&summary->verdicts[i]))) {
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
					statistics_json(&summary->outcomes[i]))) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *denier_json(const struct culprit *c)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:I}", "stage", fg_stage_name(c->stage),
			 "kind", fg_kind_name(c->kind), "device", fg_json_text(c->device), "hook",
			 fg_json_text(c->has_hook ? fg_hook_name(c->hook) : NULL), "id",
			 c->id ? json_integer(c->id) : json_null(), "name", fg_json_text(c->name),
			 "denied", statistics_json(&c->statistics), "icmp_errors",
			 (json_int_t)c->refused);
}

static json_t *drop_json(const struct culprit *c)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:I}", "stage", fg_stage_name(c->stage), "kind",
			 fg_kind_name(c->kind), "reason", fg_json_text(c->name), "dropped",
			 statistics_json(&c->statistics), "icmp_errors", (json_int_t)c->refused);
}

static json_t *culprits_json(const struct culprits *culprits,
			     json_t *(*json)(const struct culprit *))
{
	json_t *list = json_array();

	for (size_t i = 0; i < culprits->count; i++)
		if (json_array_append_new(list, json(&culprits->list[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* Ends text. */
static json_t *parsed(struct fg_buffer *text)
{
	json_t *list = text->failed ? NULL : json_loadb(text->data, text->len, 0, NULL);

	fg_buffer_free(text);
	return list;
}

static json_t *gaps_json(const struct fg_context *context)
{
	struct fg_buffer text = {};

	fg_put_gaps(&text, context, NULL);
	return parsed(&text);
}

static json_t *state_json(const struct fg_summary *summary)
{
	struct fg_buffer text = {};

	fg_buffer_puts(&text, "[");
	fg_details_put_tables(&text, &summary->tables, true);
	fg_buffer_puts(&text, "]");
	return parsed(&text);
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
	json_t *planned = run->planned == UINT64_MAX ? json_null()
						     : json_integer((json_int_t)run->planned);
	json_t *value = json_pack(
		"{s:s,s:o,s:o,s:s,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:o,s:b}",
		"schema", "flowgen.summary/2", "run", fg_origin_json(report->options.origin), "pod",
		fg_report_json_pod(&report->source_pod), "method",
		fg_method_name(report->context->method), "total", (json_int_t)summary->total,
		"again", (json_int_t)summary->again, "verdicts", verdicts_json(summary), "outcomes",
		outcomes_json(summary), "deniers", culprits_json(&summary->deniers, denier_json),
		"drops", culprits_json(&summary->drops, drop_json), "reasons",
		reasons_json(summary), "not_exercised", gaps_json(report->context), "state",
		state_json(summary), "expect", expect_json(summary), "lost_events",
		(json_int_t)summary->losses.lost, "stray_events",
		(json_int_t)summary->losses.strays, "duration_ns", (json_int_t)run->duration_ns,
		"planned", planned, "interrupted", run->interrupted);
	char *text = value ? fg_json_dump(value) : NULL;

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

static void put_ports(const struct fg_page *page, const struct statistics *statistics)
{
	struct fg_buffer list = {};
	uint32_t port = 0, first, last;
	size_t count = 0;
	char text[16];

	while (next_range(statistics, &port, &first, &last))
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

static void put_statistics(const struct fg_page *page, const char *name,
			   const struct statistics *statistics, enum fg_paint paint)
{
	if (!statistics->count)
		return;
	fg_page_paint(page, paint);
	fg_buffer_printf(page->out, "  %-14s %llu\n", name, (unsigned long long)statistics->count);
	fg_page_paint(page, FG_PAINT_OFF);
	put_ports(page, statistics);
}

/*
 * The kernel limits its ICMP errors (icmpv4_xrlim_allow(), icmp_global_allow()): of packets that
 * one rule or socket refuses, only some are answered.
 */
static void put_limit(const struct fg_page *page, const struct culprit *c)
{
	char text[200];

	if (!c->refused || c->refused == c->statistics.count)
		return;
	snprintf(text, sizeof(text),
		 "%llu answered by an ICMP error (rejected), the others not (dropped): the kernel "
		 "limits its ICMP errors, see icmp_ratelimit",
		 (unsigned long long)c->refused);
	fg_buffer_puts(page->out, "    ");
	fg_page_wrap(page, text, 4, 4, NULL);
	fg_buffer_puts(page->out, "\n");
}

static void put_culprit(const struct fg_page *page, const struct culprit *c, const char *text)
{
	fg_buffer_puts(page->out, "  ");
	fg_page_wrap(page, text, 2, 4, NULL);
	fg_buffer_puts(page->out, "\n");
	put_limit(page, c);
	put_ports(page, &c->statistics);
}

static void put_deniers(const struct fg_page *page, const struct culprits *deniers)
{
	char text[600];

	if (deniers->count)
		fg_buffer_puts(page->out, "\ndenied by\n");
	for (size_t i = 0; i < deniers->count; i++) {
		const struct culprit *c = &deniers->list[i];

		if (c->has_hook)
			snprintf(text, sizeof(text), "%s (%s on %s, id %u, %s): %llu", c->name,
				 fg_hook_name(c->hook), c->device, c->id, fg_stage_name(c->stage),
				 (unsigned long long)c->statistics.count);
		else
			snprintf(text, sizeof(text), "%s%s%s (%s%s%s): %llu", fg_kind_name(c->kind),
				 c->name[0] ? ", " : "", c->name, fg_stage_name(c->stage),
				 c->device[0] ? ", at " : "", c->device,
				 (unsigned long long)c->statistics.count);
		put_culprit(page, c, text);
	}
}

static void put_drops(const struct fg_page *page, const struct culprits *drops)
{
	char text[600];

	if (drops->count)
		fg_buffer_puts(page->out, "\ndropped, and not by policy\n");
	for (size_t i = 0; i < drops->count; i++) {
		const struct culprit *c = &drops->list[i];

		snprintf(text, sizeof(text), "%s: %s (%s): %llu", fg_kind_name(c->kind), c->name,
			 fg_stage_name(c->stage), (unsigned long long)c->statistics.count);
		put_culprit(page, c, text);
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
	struct fg_page page = { .out = out,
				.colour = options->colour,
				.utf8 = options->utf8,
				.width = options->width };
	size_t len = out->len;
	char time[32];

	fg_buffer_printf(out, "%llu probe%s in %s by %s; %llu events lost",
			 (unsigned long long)summary->total, summary->total == 1 ? "" : "s",
			 fg_page_time_text(run->duration_ns, page.utf8, time, sizeof(time)),
			 fg_method_name(summary->report->context->method),
			 (unsigned long long)summary->losses.lost);
	if (summary->losses.strays)
		fg_buffer_printf(out, "; %llu record%s match%s no probe",
				 (unsigned long long)summary->losses.strays,
				 summary->losses.strays == 1 ? "" : "s",
				 summary->losses.strays == 1 ? "es" : "");
	if (summary->again)
		fg_buffer_printf(out, "; %llu sent again", (unsigned long long)summary->again);
	if (run->planned == UINT64_MAX && run->interrupted)
		fg_buffer_puts(out, "\ninterrupted");
	else if (run->planned != UINT64_MAX && run->done < run->planned)
		fg_buffer_printf(out, "\n%s: %llu of %llu probes were not sent",
				 run->interrupted ? "interrupted" : "stopped",
				 (unsigned long long)(run->planned - run->done),
				 (unsigned long long)run->planned);
	fg_buffer_puts(out, "\n\nverdict\n");
	for (int i = 0; i < VERDICTS; i++)
		put_statistics(&page, fg_verdict_name((enum fg_verdict)i), &summary->verdicts[i],
			       paints[i]);
	if (summary->verdicts[FG_VERDICT_NONE].count)
		fg_buffer_puts(out, "  A \"none\" met no policy of any kind.\n");
	put_deniers(&page, &summary->deniers);
	put_drops(&page, &summary->drops);
	fg_buffer_puts(out, "\noutcome\n");
	for (int i = 0; i < FG_OUTCOMES; i++)
		put_statistics(&page, fg_outcome_name((enum fg_outcome)i), &summary->outcomes[i],
			       FG_PAINT_OFF);
	put_reasons(&page, summary);
	if (summary->tables.count)
		fg_buffer_puts(out, "\n");
	fg_details_text_tables(&page, &summary->tables);
	if (summary->met || summary->unmet)
		fg_buffer_printf(out, "\nexpectations: %llu met, %llu not met\n",
				 (unsigned long long)summary->met,
				 (unsigned long long)summary->unmet);
	return fg_report_finish(out, len, err);
}
