// SPDX-License-Identifier: GPL-2.0-only
/* inject_sink.c - where the results of a run go: standard output, a capture file, and the sums. */
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "control.h"
#include "fd.h"
#include "inject_parts.h"
#include "output.h"

/*
 * Colour and drawing are for a person at a terminal who has not asked to be spared (no-color.org).
 */
static struct fg_report_options report_options(const struct fg_inject_options *o)
{
	const char *no_color = getenv("NO_COLOR");

	setlocale(LC_CTYPE, "");
	return (struct fg_report_options){
		.bytes = o->bytes || o->dry_run,
		.colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

static uint64_t wall_offset(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec - fg_inject_now();
}

int fg_sink_subject(struct fg_sink *sink, const struct fg_subject *subject,
		    const struct fg_scene *scene, struct fg_error *err)
{
	const struct fg_report_options report = report_options(sink->options);

	fg_report_close(sink->report);
	sink->report = fg_report_open(subject, scene, &report, err);
	return sink->report ? 0 : -1;
}

int fg_sink_open(struct fg_sink *sink, const struct fg_inject_options *options,
		 const struct fg_subject *subject, const struct fg_scene *scene,
		 struct fg_error *err)
{
	sink->options = options;
	sink->wall_offset_ns = wall_offset();
	if (fg_sink_subject(sink, subject, scene, err))
		return -1;
	if (options->summary)
		sink->summary = fg_summary_open(sink->report, err);
	if (options->summary && !sink->summary)
		return -1;
	if (options->write && fg_capture_create(options->write, &sink->writer, err))
		return -1;
	sink->started_ns = fg_inject_now();
	return 0;
}

/* What can be told from a result: whether the expectation is met, or nothing for certain. */
static void judge_expectation(struct fg_sink *sink, const struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	bool about_policy = probe->spec.expect == FG_EXPECT_ALLOW ||
			    probe->spec.expect == FG_EXPECT_DENY;
	bool known = about_policy ? r->verdict != FG_VERDICT_UNKNOWN
				  : r->outcome != FG_OUTCOME_INCONCLUSIVE;

	known &= !fg_control_doubts(probe);
	if (probe->spec.expect != FG_EXPECT_NOTHING && known && !r->expect_met)
		sink->unmet = true;
	else if (!known || r->outcome == FG_OUTCOME_INCONCLUSIVE)
		sink->inconclusive = true;
}

static void add_tally(struct fg_tally *t, const struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	uint64_t ns = r->end ? r->end->time_ns : 0;

	if (probe->trace.unsent)
		t->unsent++;
	else
		t->sent++;
	t->verdicts[r->verdict]++;
	if (r->outcome == FG_OUTCOME_INCONCLUSIVE) {
		t->inconclusive++;
		return;
	}
	if (!r->end)
		return;
	t->min_ns = t->timed && t->min_ns < ns ? t->min_ns : ns;
	t->max_ns = t->max_ns > ns ? t->max_ns : ns;
	t->sum_ns += ns;
	t->timed++;
}

/*
 * Of a packet that is sent again and again, what differs from the one before is told, and where it
 * ends.
 */
static bool is_news(struct fg_sink *sink, struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	uint64_t at = probe->trace.injected_ns ? probe->trace.injected_ns : probe->trace.sent_ns;
	bool news = !sink->told || r->verdict != sink->verdict || r->outcome != sink->outcome;

	if (!sink->first_ns)
		sink->first_ns = sink->previous_ns = at;
	if (r->expect_met) {
		sink->met = true;
		sink->met_ns = at;
	} else if (r->verdict != FG_VERDICT_UNKNOWN) {
		sink->previous_ns = at;
	}
	/* What was on its way while the programs changed tells nothing. */
	if (probe->trace.changed)
		return false;
	probe->result.repeat =
		(struct fg_repeat){ .probes = sink->tally.sent,
				    .after_ns = at - sink->first_ns,
				    .previous_ns = sink->previous_ns - sink->first_ns };
	sink->verdict = r->verdict;
	sink->outcome = r->outcome;
	sink->told += news || sink->met;
	return news || sink->met;
}

static int emit(struct fg_sink *sink, const struct fg_probe *probe, struct fg_error *err)
{
	if (sink->summary)
		return fg_summary_add(sink->summary, probe, err);
	if (sink->options->output == FG_OUTPUT_JSON)
		return fg_report_json(sink->report, probe, &sink->buffer, err);
	if (sink->some_text)
		fg_buffer_put(&sink->buffer, "\n", 1);
	sink->some_text = true;
	return fg_report_text(sink->report, probe, &sink->buffer, err);
}

/*
 * Only what was sent goes to the file, with the time at which it was; in a dry run that is all of
 * it, at time 0.
 */
static int write_frame(struct fg_sink *sink, const struct fg_probe *probe, struct fg_error *err)
{
	uint64_t at = probe->trace.injected_ns ? probe->trace.injected_ns : probe->trace.sent_ns;

	if (!sink->writer || probe->trace.unsent)
		return 0;
	return fg_capture_write(sink->writer, at ? at + sink->wall_offset_ns : 0, probe->frame.data,
				probe->frame.len, err);
}

static int write_buffer(struct fg_sink *sink, struct fg_error *err)
{
	int ret = fg_output_write(sink->buffer.data, sink->buffer.len, err);

	sink->buffer.len = 0;
	return ret ? -1 : fg_output_flush(err);
}

static int take_one(struct fg_sink *sink, struct fg_probe *probe, struct fg_error *err)
{
	sink->lost += probe->trace.lost;
	add_tally(&sink->tally, probe);
	if (write_frame(sink, probe, err))
		return -1;
	if (sink->options->until)
		return is_news(sink, probe) ? emit(sink, probe, err) : 0;
	if (!sink->options->dry_run)
		judge_expectation(sink, probe);
	return emit(sink, probe, err);
}

int fg_sink_take(struct fg_sink *sink, struct fg_probe *probes, uint32_t count,
		 struct fg_error *err)
{
	for (uint32_t i = 0; i < count; i++)
		if (take_one(sink, &probes[i], err))
			return -1;
	return write_buffer(sink, err);
}

static int write_summary(struct fg_sink *sink, struct fg_error *err)
{
	const struct fg_summary_run about = { .duration_ns = fg_inject_now() - sink->started_ns,
					      .lost_events = sink->lost };

	if (sink->options->output == FG_OUTPUT_JSON
		    ? fg_summary_json(sink->summary, &about, &sink->buffer, err)
		    : fg_summary_text(sink->summary, &about, &sink->buffer, err))
		return -1;
	return write_buffer(sink, err);
}

int fg_sink_finish(struct fg_sink *sink, bool interrupted, struct fg_error *err)
{
	const struct fg_inject_options *o = sink->options;

	if (interrupted || (!o->dry_run && (o->count != 1 || o->interval_ns > 0 || o->duration_ns ||
					    o->until || o->pcap)))
		fg_tally_print(sink);
	if (o->until && !sink->met)
		sink->unmet = true;
	if (sink->summary && write_summary(sink, err))
		return -1;
	return fg_capture_finish(FG_TAKE(sink->writer), err);
}

void fg_sink_close(struct fg_sink *sink)
{
	fg_summary_close(sink->summary);
	fg_report_close(sink->report);
	fg_capture_finish(sink->writer, NULL);
	fg_buffer_free(&sink->buffer);
	*sink = (struct fg_sink){};
}

int fg_sink_status(const struct fg_sink *sink)
{
	if (sink->unmet)
		return FG_EXIT_UNEXPECTED;
	return sink->inconclusive ? fg_cmd_status(FG_ERR_INCONCLUSIVE) : FG_EXIT_OK;
}
