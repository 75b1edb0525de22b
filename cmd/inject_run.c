// SPDX-License-Identifier: GPL-2.0-only
/* inject_run.c - one run of `flowgen inject`: its options become a source, a session and writers.
 */
#include "cmd.h"
#include "engine.h"
#include "inject.h"
#include "timing/timing.h"
#include "writer/writer.h"

struct job {
	struct fg_inject_options *options;
	struct fg_run_ui ui;
	struct fg_run_probes probes;
	struct fg_run_source *source;
	struct fg_run_session session;
	struct fg_run_writer *writers[3];
	size_t writer_count;
};

/* One word is known by the judge; a list of keys is held against the result afterwards. */
static enum fg_expect expect_of(const struct fg_scenario_expect *e)
{
	enum fg_expect simple = e->text ? fg_scenario_simple(e) : FG_EXPECT_NOTHING;

	return e->text && simple == FG_EXPECT_NOTHING ? FG_EXPECT_FINER : simple;
}

static bool is_one(const struct fg_inject_options *o)
{
	return !o->pcap && !o->until && o->count == 1 && o->dports.total <= 1 && o->to.count <= 1 &&
	       o->sports.total <= 1 && !o->packet.fragment_size && !o->control.text;
}

static int describe_probes(struct job *job, struct fg_error *err)
{
	struct fg_inject_options *o = job->options;

	if (!o->seeded && fg_run_seed(&o->seed, err))
		return -1;
	job->probes = (struct fg_run_probes){
		.pod = o->pod,
		.interface = o->interface,
		.method = o->method,
		.src = o->src,
		.spoof = o->spoof,
		.name = o->name,
		.expect = o->dry_run ? FG_EXPECT_NOTHING
			  : o->until ? o->until
				     : expect_of(&o->expect),
		.finer = expect_of(&o->expect) == FG_EXPECT_FINER ? &o->expect : NULL,
		.count = o->count,
		.interval_ns = o->interval_ns,
		.packet = &o->packet,
		.dst = o->dst,
		.dst_count = o->to.count,
		.dports = o->dports.total ? &o->dports : NULL,
		.sports = o->sports.total ? &o->sports : NULL,
		.seed = o->seed,
		.full_checksum = o->full_checksum || o->dry_run,
		.control = &o->control,
		.pcap = o->pcap,
		.filter = o->filter,
		.captured_timing = o->timing == FG_TIMING_CAPTURE,
		.keep_addresses = o->keep_addresses,
	};
	return fg_run_control_read(&o->control, &job->probes, &job->ui, err);
}

static int open_session(struct job *job, struct fg_error *err)
{
	const struct fg_inject_options *o = job->options;
	const struct fg_plan plan = { .dports = job->probes.dports,
				      .dst_count = o->to.count,
				      .count = o->count };
	const struct fg_run_live_options live = {
		.session = { .host_root = o->host_root,
			     .ring_bytes = o->ring_bytes,
			     .timeout_ns = o->timeout_ns,
			     .deliver = o->deliver,
			     .reply = o->reply,
			     .trace_netfilter = o->trace_netfilter,
			     /* One packet, asked by a person: more is found out about it. */
			     .explain = is_one(o) && !o->no_explain && !o->summary,
			     .look_twice = !o->no_explain && !o->pcap,
			     .tables = !o->await,
			     .awaiting = fg_engine_say_awaiting,
			     .hold = o->hold,
			     .node_only = o->node_only },
		.probes = o->pcap ? UINT64_MAX : fg_plan_total(&plan),
		.tracking = true,
		.tidy = o->tidy,
		.ui = job->ui,
	};

	if (o->dry_run)
		return fg_run_dry_open(o->host_root,
				       !o->src.family && !(o->pcap && o->keep_addresses),
				       &job->session, err);
	return fg_run_live_open(&live, &job->session, err);
}

static int add_writer(struct job *job, struct fg_run_writer *writer)
{
	if (writer)
		job->writers[job->writer_count++] = writer;
	return writer ? 0 : -1;
}

static int open_writers(struct job *job, struct fg_error *err)
{
	const struct fg_inject_options *o = job->options;
	const struct fg_writer_target out = { .stream = stdout };
	enum fg_writer_form form = fg_engine_form(o->output);
	bool many = !o->dry_run &&
		    (o->count != 1 || o->interval_ns > 0 || o->duration_ns || o->until || o->pcap);

	/* As ping does: a person who has not asked for more gets a line for each. */
	if (o->output == FG_FORM_TEXT && !o->output_given && !fg_cmd_is_verbose() && !o->bytes &&
	    !o->dry_run && !is_one(o))
		form = FG_WRITER_ONELINE;
	if (add_writer(job, o->summary ? fg_writer_summary(form, out, err)
				       : fg_writer_open(form, out, NULL, err)))
		return -1;
	if (o->write && add_writer(job, fg_writer_frames(o->write, err)))
		return -1;
	/* Nothing was sent that could be counted. */
	return o->await || fg_cmd_is_quiet()
		       ? 0
		       : add_writer(job, fg_writer_statistics(stderr, many, err));
}

static int run(struct job *job, int *status, struct fg_error *err)
{
	const struct fg_inject_options *o = job->options;
	struct fg_run_options options = {
		.session = &job->session,
		.writers = job->writers,
		.style = fg_engine_style(o->bytes || o->dry_run, o->output),
		.ui = job->ui,
		.duration_ns = o->duration_ns,
		.until = o->until,
		.parallel = o->until ? 1 : 0,
		.endless = !o->count,
		.force = o->force,
		.leftovers = !o->dry_run && (o->tidy || !o->summary),
		.tidy = o->tidy,
		/* A summary is about one list of programs: what comes after a change is unknown. */
		.same_programs = o->summary,
		.unjudged = o->dry_run,
		.files = o->write,
		.expecting = o->expect.text != NULL,
	};
	struct fg_run_totals totals;

	if (describe_probes(job, err) || open_session(job, err))
		return -1;
	job->source = o->pcap ? fg_run_capture_open(&job->probes, &job->ui, err)
			      : fg_run_plan_open(&job->probes, err);
	if (!job->source || open_writers(job, err))
		return -1;
	options.source = job->source;
	options.writer_count = job->writer_count;
	if (fg_run(&options, &totals, err))
		return -1;
	*status = fg_engine_status(&totals);
	return 0;
}

int fg_inject_run(struct fg_inject_options *options)
{
	struct job job = { .options = options,
			   .ui = fg_engine_ui(!is_one(options) && !options->dry_run, false) };
	struct fg_error err;
	int status = 0;

	fg_timing_phase("command line");
	if (run(&job, &status, &err))
		status = fg_cmd_fail(&err);
	if (job.source)
		job.source->ops->close(job.source);
	for (size_t i = 0; i < job.writer_count; i++)
		job.writers[i]->ops->close(job.writers[i]);
	if (job.session.ops)
		job.session.ops->close(job.session.self);
	fg_timing_phase("end");
	if (options->timing_report)
		fg_timing_print(stderr);
	return status;
}
