// SPDX-License-Identifier: GPL-2.0-only
/* run_loop.c - one run of `flowgen run`: files, session, pods, rounds, and what stands at the end. */
#include "run_loop.h"

#include <errno.h>
#include <fnmatch.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>

#include "capability.h"
#include "cmd.h"
#include "fd.h"
#include "nearest.h"
#include "offload.h"
#include "output.h"

uint64_t fg_run_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* --- the files --- */

static int read_text(const char *path, struct fg_buffer *out, struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FG_FILE FILE *opened = is_stdin ? NULL : fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;
	char block[65536];
	size_t n;

	if (!in)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	while ((n = fread(block, 1, sizeof(block), in)) > 0 && out->len <= FG_YAML_SIZE_MAX)
		fg_buffer_put(out, block, n);
	if (ferror(in))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", path) : 0;
}

static int read_files(struct fg_runner *run, struct fg_error *err)
{
	struct fg_run_options *o = run->options;

	run->files = calloc(o->file_count, sizeof(*run->files));
	if (!run->files)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "files");
	for (size_t i = 0; i < o->file_count; i++) {
		struct fg_buffer text = {};
		int ret = read_text(o->files[i], &text, err);

		run->file_count++;
		if (!ret)
			ret = fg_scenario_read(&run->files[i].scenario,
					       strcmp(o->files[i], "-") ? o->files[i] : "standard input",
					       text.len ? text.data : "", text.len, o->settings,
					       o->setting_count, err);
		fg_buffer_free(&text);
		if (ret)
			return -1;
		if (run->files[i].scenario.warning[0])
			fprintf(stderr, "flowgen: warning: %s\n", run->files[i].scenario.warning);
	}
	return 0;
}

/* A --set that no file knows is a slip of the pen. */
static int check_settings(const struct fg_runner *run, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;
	const char *names[64], *name, *nearest;
	char text[64];
	json_t *value;
	size_t n = 0;

	for (size_t i = 0; i < o->setting_count; i++) {
		if (o->settings[i].used)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(o->settings[i].text, "="),
			 o->settings[i].text);
		fg_fail(err, FG_ERR_USAGE, "--set %s: no file has such a variable", text);
		for (size_t k = 0; k < run->file_count; k++)
			json_object_foreach(run->files[k].scenario.variables, name, value)
				if (n < 64)
					names[n++] = name;
		nearest = fg_nearest(text, names, n);
		return nearest ? fg_hint(err, "did you mean \"%s\"?", nearest) : -1;
	}
	return 0;
}

/* --- blocks --- */

static bool is_chosen(const char *pattern, const char *name)
{
	return strpbrk(pattern, "*?[") ? !fnmatch(pattern, name, 0) : strstr(name, pattern) != NULL;
}

/* A block is in where one of its probes is; its controls come along. */
static bool block_chosen(const struct fg_runner *run, const struct fg_run_file *file,
			 const struct fg_scenario_block *b)
{
	char name[FG_SCENARIO_NAME_LEN];

	for (uint64_t i = 0; i < b->total; i++)
		if (is_chosen(run->options->only,
			      fg_scenario_probe_name(&file->scenario, b, i, name, sizeof(name))))
			return true;
	return false;
}

static void choose_controls(struct fg_run_file *file, const struct fg_scenario_block *b)
{
	for (size_t i = 0; i < file->layout.count; i++)
		if (file->scenario.sets[file->layout.blocks[i].set].control_of == (int)b->set &&
		    file->layout.blocks[i].source == b->source)
			file->blocks[i].left_out = false;
}

static int choose(struct fg_runner *run, struct fg_error *err)
{
	uint64_t chosen = 0;

	for (size_t f = 0; f < run->file_count; f++) {
		struct fg_run_file *file = &run->files[f];

		for (size_t i = 0; run->options->only && i < file->layout.count; i++)
			file->blocks[i].left_out = true;
		for (size_t i = 0; run->options->only && i < file->layout.count; i++)
			if (block_chosen(run, file, &file->layout.blocks[i])) {
				file->blocks[i].left_out = false;
				choose_controls(file, &file->layout.blocks[i]);
			}
		for (size_t i = 0; i < file->layout.count; i++)
			if (!file->blocks[i].left_out)
				chosen += file->layout.blocks[i].total;
	}
	run->counts.planned = chosen * (run->options->watch ? 1 : run->options->repeat);
	if (chosen)
		return 0;
	fg_fail(err, FG_ERR_USAGE, "--only: no probe's name has \"%.100s\" in it", run->options->only);
	return fg_hint(err, "a pattern with * stands for a whole name");
}

static int lay_out(struct fg_runner *run, struct fg_error *err)
{
	for (size_t i = 0; i < run->file_count; i++) {
		struct fg_run_file *f = &run->files[i];

		if (fg_run_find_pods(run->session, f, &run->pods, err) ||
		    fg_scenario_lay_out(&f->scenario, f->found, &f->layout, err))
			return -1;
		f->marks = calloc(f->layout.total + 1, sizeof(*f->marks));
		f->blocks = calloc(f->layout.count + 1, sizeof(*f->blocks));
		if (run->options->record)
			f->seen = calloc(f->layout.total + 1, sizeof(*f->seen));
		if (!f->marks || !f->blocks || (run->options->record && !f->seen))
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "probes");
		for (uint64_t k = 0; k < f->layout.total; k++)
			f->marks[k].status = FG_CASE_STATUSES;
	}
	return choose(run, err);
}

/* --- packets and reports, each made when it is first needed --- */

static const struct fg_packet_spec *find_packet(struct fg_runner *run, const struct fg_packet_spec *base,
						const struct fg_scenario_block *b, struct fg_error *err)
{
	const struct fg_pod *pod = fg_session_pod(run->session, b->source->pod);
	struct fg_run_packet **grown, *p;

	for (size_t i = run->packet_count; i-- > 0;)
		if (run->packets[i]->base == base && run->packets[i]->pod == b->source->pod)
			return &run->packets[i]->spec;
	grown = reallocarray(run->packets, run->packet_count + 1, sizeof(struct fg_run_packet *));
	if (grown)
		run->packets = grown;
	p = malloc(sizeof(*p));
	if (!grown || !p) {
		free(p);
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "packets");
		return NULL;
	}
	*p = (struct fg_run_packet){ .base = base, .pod = b->source->pod, .spec = *base };
	p->spec.mtu = pod->peer.mtu;
	/* As the pod's own kernel would leave it to the device. */
	if (fg_offload_usual(&p->spec, b->dst.family) && fg_offload_device(pod->netns, pod->peer.name))
		p->spec.checksum_offload = true;
	grown[run->packet_count++] = p;
	return &p->spec;
}

static struct fg_subject subject_of(const struct fg_pod *pod, const struct fg_scenario_member *member,
				    const struct fg_addr *src)
{
	struct fg_subject subject = { .ref = pod->ref,
				      .name = pod->name[0] ? pod->name : member->label,
				      .path = pod->path,
				      .netns = pod->inode,
				      .address = *src };

	subject.device.kind = pod->peer.kind;
	subject.device.mode = pod->peer.netkit_mode == FG_LINK_L2   ? "l2"
			      : pod->peer.netkit_mode == FG_LINK_L3 ? "l3"
								    : NULL;
	subject.device.peer = pod->peer.name;
	subject.device.peer_ifindex = pod->peer.ifindex;
	subject.device.primary = pod->primary.name;
	subject.device.primary_ifindex = pod->primary.ifindex;
	return subject;
}

/* Colour and drawing characters are for a person at a terminal who has not asked to be spared (no-color.org). */
static struct fg_report_options report_options(const struct fg_run_options *o)
{
	const char *no_color = getenv("NO_COLOR");

	return (struct fg_report_options){
		.colour = o->output == FG_RUN_TEXT && isatty(STDOUT_FILENO) && !(no_color && no_color[0]),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

static struct fg_report *find_report(struct fg_runner *run, const struct fg_scenario_block *b,
				     struct fg_error *err)
{
	const struct fg_report_options options = report_options(run->options);
	struct fg_run_report *r;

	for (size_t i = run->report_count; i-- > 0;)
		if (run->reports[i].pod == b->source->pod &&
		    fg_addr_equal(&run->reports[i].src, &b->src))
			return run->reports[i].report;
	r = reallocarray(run->reports, run->report_count + 1, sizeof(*r));
	if (!r) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "reports");
		return NULL;
	}
	run->reports = r;
	r += run->report_count;
	*r = (struct fg_run_report){ .pod = b->source->pod, .src = b->src };
	r->subject = subject_of(fg_session_pod(run->session, b->source->pod), b->source, &b->src);
	r->report = fg_report_open(&r->subject, fg_session_scene(run->session, b->source->pod), &options,
				   err);
	if (r->report)
		run->report_count++;
	return r->report;
}

int fg_run_prepare_block(struct fg_runner *run, struct fg_run_file *file,
			 struct fg_scenario_block *block, struct fg_error *err)
{
	struct fg_block_state *state = &file->blocks[block - file->layout.blocks];
	const struct fg_scenario_set *set = &file->scenario.sets[block->set];

	if (block->why || state->packet)
		return 0;
	state->packet = find_packet(run, &file->scenario.packets[set->ports[block->port].packet], block,
				    err);
	state->report = state->packet ? find_report(run, block, err) : NULL;
	return state->report ? 0 : -1;
}

/* --- rounds --- */

/* On a terminal only, and only where no result is drawn between. */
static void show_progress(struct fg_runner *run, bool end)
{
	uint64_t done = fg_case_done(&run->counts), planned = run->counts.planned;
	int width = planned ? (int)(done * 30 / planned) : 0;

	if (!isatty(STDERR_FILENO) || run->options->watch || (end && !run->progress))
		return;
	run->progress = !end;
	if (end)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r[%.*s%*s] %llu of %llu", width, "##############################",
			30 - width, "", (unsigned long long)done, (unsigned long long)planned);
}

static int flush(struct fg_runner *run, struct fg_error *err)
{
	int ret;

	if (!run->entry_count)
		return 0;
	show_progress(run, true);
	ret = fg_run_window(run, err);
	show_progress(run, false);
	return ret;
}

static int add_entry(struct fg_runner *run, size_t file, struct fg_scenario_block *b, uint64_t index,
		     struct fg_error *err)
{
	const struct fg_block_state *state = &run->files[file].blocks[b - run->files[file].layout.blocks];
	/* Fragments take places of their own in the window, so such a probe goes alone. */
	bool alone = state->packet && state->packet->fragment_size;

	if (alone && flush(run, err))
		return -1;
	run->entries[run->entry_count++] = (struct fg_run_entry){
		.file = file, .block = b, .index = index, .number = ++run->next_number
	};
	return alone || run->entry_count == run->room ? flush(run, err) : 0;
}

static bool over(const struct fg_runner *run)
{
	return run->stopped || fg_run_cancelled(run);
}

static int run_block(struct fg_runner *run, size_t f, struct fg_scenario_block *b, struct fg_error *err)
{
	if (fg_run_prepare_block(run, &run->files[f], b, err))
		return -1;
	for (uint64_t i = 0; i < b->total && !run->stopped; i++) {
		if (add_entry(run, f, b, i, err))
			return -1;
		if (!run->entry_count && over(run))
			break;
	}
	return 0;
}

int fg_run_round(struct fg_runner *run, struct fg_error *err)
{
	if (run->options->watch) {
		struct fg_case_counts fresh = { .planned = run->counts.planned };

		run->counts = fresh;
		for (size_t f = 0; f < run->file_count; f++)
			run->files[f].counts = (struct fg_case_counts){};
	}
	for (size_t f = 0; f < run->file_count; f++)
		for (size_t i = 0; i < run->files[f].layout.count; i++) {
			if (run->files[f].blocks[i].left_out)
				continue;
			if (over(run))
				return 0;
			if (run_block(run, f, &run->files[f].layout.blocks[i], err))
				return -1;
		}
	return over(run) ? 0 : flush(run, err);
}

/* Until the next round of a watch, or a signal. */
static void wait_interval(const struct fg_runner *run)
{
	const struct timespec ts = { .tv_sec = (time_t)(run->options->interval_ns / 1000000000ULL),
				     .tv_nsec = (long)(run->options->interval_ns % 1000000000ULL) };
	struct pollfd p = { .fd = run->signals, .events = POLLIN };

	ppoll(&p, 1, &ts, NULL);
}

static int run_rounds(struct fg_runner *run, struct fg_error *err)
{
	uint64_t started = fg_run_now(), complete = 0;
	int ret = 0;

	for (run->round = 1; !ret; run->round++) {
		if (!run->options->watch && run->round > run->options->repeat)
			break;
		ret = fg_run_round(run, err);
		if (ret || over(run))
			break;
		complete++;
		if (run->options->watch)
			wait_interval(run);
		if (over(run))
			break;
	}
	show_progress(run, true);
	run->counts.duration_ns = fg_run_now() - started;
	/* A watch is ended by a signal and by nothing else: that is no interruption once it has seen all. */
	run->counts.interrupted = fg_run_cancelled(run) && !(run->options->watch && complete) &&
				  fg_case_done(&run->counts) < run->counts.planned;
	for (size_t f = 0; f < run->file_count; f++)
		run->files[f].counts.interrupted = run->counts.interrupted;
	return ret;
}

/* --- all of it --- */

static int open_sinks(struct fg_runner *run, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;

	if (!o->record) {
		run->sink_count++;
		if (fg_run_sink_open(&run->sinks[0], o->output, NULL, run->files, run->file_count, err))
			return -1;
	}
	for (int form = 0; form < FG_RUN_FORMS; form++) {
		if (!o->paths[form])
			continue;
		run->sink_count++;
		if (fg_run_sink_open(&run->sinks[run->sink_count - 1], (enum fg_run_form)form,
				     o->paths[form], run->files, run->file_count, err))
			return -1;
	}
	return 0;
}

/* SIGINT and SIGTERM end the waiting; what is there then is written, and everything is closed in order. */
static int open_signals(struct fg_error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals") : fd;
}

static int open_session(struct fg_runner *run, struct fg_error *err)
{
	struct fg_run_options *o = run->options;
	struct fg_session_options session = { .host_root = o->host_root,
					      .ring_bytes = o->ring_bytes,
					      .timeout_ns = o->timeout_ns,
					      .cancel_fd = run->signals };
	uint32_t room;

	for (size_t i = 0; i < run->file_count; i++) {
		const struct fg_scenario *s = &run->files[i].scenario;

		session.reply |= s->wants_reply;
		if (!o->timeout_ns && s->timeout_ns > session.timeout_ns)
			session.timeout_ns = s->timeout_ns;
		if (!o->seeded && s->seeded) {
			o->seeded = true;
			o->seed = s->seed;
		}
	}
	if (!o->seeded && getrandom(&o->seed, sizeof(o->seed), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	if (fg_capability_preflight(err))
		return -1;
	run->session = fg_session_open(&session, err);
	if (!run->session)
		return -1;
	fg_session_window(run->session, &room);
	run->room = o->parallel && o->parallel < room ? (uint32_t)o->parallel : room;
	run->entries = calloc(run->room, sizeof(*run->entries));
	return run->entries ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "window");
}

static int write_record(struct fg_runner *run, struct fg_error *err)
{
	struct fg_run_file *f = &run->files[0];
	FG_FREE char *text = NULL;

	if (!run->options->record)
		return 0;
	text = fg_scenario_record(&f->scenario, &f->layout, f->seen, err);
	return text ? fg_output_string(text, err) : -1;
}

static int run_all(struct fg_runner *run, struct fg_error *err)
{
	int ret;

	if (read_files(run, err) || check_settings(run, err))
		return -1;
	run->signals = open_signals(err);
	if (run->signals < 0 || open_session(run, err) || lay_out(run, err) || open_sinks(run, err))
		return -1;
	ret = run_rounds(run, err);
	if (ret)
		return -1;
	for (size_t i = 0; i < run->sink_count; i++)
		if (fg_run_sink_end(&run->sinks[i], &run->counts, err))
			return -1;
	return write_record(run, err);
}

static void close_all(struct fg_runner *run)
{
	for (size_t i = 0; i < run->sink_count; i++)
		fg_run_sink_close(&run->sinks[i]);
	for (size_t i = 0; i < run->report_count; i++)
		fg_report_close(run->reports[i].report);
	free(run->reports);
	fg_session_close(run->session);
	for (size_t i = 0; i < run->packet_count; i++)
		free(run->packets[i]);
	free(run->packets);
	for (size_t i = 0; i < run->dead_end_count; i++)
		free(run->dead_ends[i].why);
	free(run->dead_ends);
	free(run->entries);
	free(run->pods.list);
	for (size_t i = 0; i < run->file_count; i++) {
		fg_run_free_pods(&run->files[i]);
		fg_scenario_layout_free(&run->files[i].layout);
		fg_scenario_free(&run->files[i].scenario);
		free(run->files[i].marks);
		free(run->files[i].blocks);
		free(run->files[i].seen);
	}
	free(run->files);
	fg_fd_close(&run->signals);
}

/* Nothing at all could be sent: what this host cannot do must not look like a success. */
static int exit_status(const struct fg_runner *run)
{
	const struct fg_case_counts *c = &run->counts;

	if (c->interrupted)
		return fg_cmd_status(FG_ERR_INCONCLUSIVE);
	if (run->options->record)
		return FG_EXIT_OK;
	if (c->by_status[FG_CASE_FAIL])
		return FG_EXIT_UNEXPECTED;
	if (c->by_status[FG_CASE_INCONCLUSIVE])
		return fg_cmd_status(FG_ERR_INCONCLUSIVE);
	return c->by_status[FG_CASE_PASS] ? FG_EXIT_OK : fg_cmd_status(FG_ERR_UNSUPPORTED);
}

int fg_run(struct fg_run_options *options)
{
	struct fg_runner run = { .options = options, .signals = -1 };
	struct fg_error err;
	int status;

	setlocale(LC_CTYPE, "");
	status = run_all(&run, &err) ? fg_cmd_fail(&err) : exit_status(&run);
	close_all(&run);
	return status;
}
