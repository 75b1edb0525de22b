// SPDX-License-Identifier: GPL-2.0-only
/* run_blocks.c - the blocks of a run: which of them are sent, and what each needs for it. */
#include <errno.h>
#include <fnmatch.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "offload.h"
#include "run_loop.h"

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
	fg_fail(err, FG_ERR_USAGE, "--only: no probe's name has \"%.100s\" in it",
		run->options->only);
	return fg_hint(err, "a pattern with * stands for a whole name");
}

int fg_run_lay_out(struct fg_runner *run, struct fg_error *err)
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

static const struct fg_packet_spec *find_packet(struct fg_runner *run,
						const struct fg_packet_spec *base,
						const struct fg_scenario_block *b,
						struct fg_error *err)
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
	if (fg_offload_usual(&p->spec, b->dst.family) &&
	    fg_offload_device(pod->netns, pod->peer.name))
		p->spec.checksum_offload = true;
	grown[run->packet_count++] = p;
	return &p->spec;
}

static struct fg_subject subject_of(const struct fg_pod *pod,
				    const struct fg_scenario_member *member,
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

/* Colour and drawing characters are for a person at a terminal who has not asked to be spared
 * (no-color.org). */
static struct fg_report_options report_options(const struct fg_run_options *o)
{
	const char *no_color = getenv("NO_COLOR");

	return (struct fg_report_options){
		.colour = o->output == FG_RUN_TEXT && isatty(STDOUT_FILENO) &&
			  !(no_color && no_color[0]),
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
	r->report = fg_report_open(&r->subject, fg_session_scene(run->session, b->source->pod),
				   &options, err);
	if (r->report)
		run->report_count++;
	return r->report;
}

/* What was made from the pod as it was is made again when it is next needed. */
static void forget_pod(struct fg_runner *run, int pod)
{
	size_t kept = 0;

	for (size_t f = 0; f < run->file_count; f++)
		for (size_t i = 0; i < run->files[f].layout.count; i++) {
			const struct fg_scenario_block *b = &run->files[f].layout.blocks[i];

			if (b->source && b->source->pod == pod) {
				run->files[f].blocks[i].packet = NULL;
				run->files[f].blocks[i].report = NULL;
			}
		}
	for (size_t i = 0; i < run->report_count; i++) {
		if (run->reports[i].pod == pod)
			fg_report_close(run->reports[i].report);
		else
			run->reports[kept++] = run->reports[i];
	}
	run->report_count = kept;
	kept = 0;
	for (size_t i = 0; i < run->packet_count; i++) {
		if (run->packets[i]->pod == pod)
			free(run->packets[i]);
		else
			run->packets[kept++] = run->packets[i];
	}
	run->packet_count = kept;
}

/* Probes are laid out with the addresses that the pod had; 0 for a family that it has none of. */
static void addresses_of(const struct fg_pod *pod, struct fg_addr out[2])
{
	const struct fg_addr *v4 = fg_pod_address(pod, AF_INET),
			     *v6 = fg_pod_address(pod, AF_INET6);

	out[0] = v4 ? *v4 : (struct fg_addr){};
	out[1] = v6 ? *v6 : (struct fg_addr){};
}

/* Returns 0; -1 also where another pod has the name now: what its programs make of the old address says nothing. */
static int renew(struct fg_runner *run, int pod, struct fg_error *err)
{
	struct fg_addr before[2], now[2];

	addresses_of(fg_session_pod(run->session, pod), before);
	if (fg_session_renew_pod(run->session, pod, err))
		return -1;
	addresses_of(fg_session_pod(run->session, pod), now);
	if (fg_addr_equal(&before[0], &now[0]) && fg_addr_equal(&before[1], &now[1]))
		return 0;
	return fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: has other addresses than at the start",
		       fg_session_pod(run->session, pod)->ref);
}

int fg_run_renew(struct fg_runner *run, struct fg_error *err)
{
	for (size_t i = 0; i < run->pods.count; i++) {
		struct fg_run_pod *pod = &run->pods.list[i];

		if (!pod->changed || pod->gone)
			continue;
		pod->changed = false;
		forget_pod(run, (int)i);
		if (!renew(run, (int)i, err))
			continue;
		if (err->kind != FG_ERR_UNSUPPORTED)
			return -1;
		pod->gone = strdup(err->message);
		if (!pod->gone)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pods");
	}
	return 0;
}

int fg_run_prepare_block(struct fg_runner *run, struct fg_run_file *file,
			 struct fg_scenario_block *block, struct fg_error *err)
{
	struct fg_block_state *state = &file->blocks[block - file->layout.blocks];
	const struct fg_scenario_set *set = &file->scenario.sets[block->set];

	if (block->why || state->packet || run->pods.list[block->source->pod].gone)
		return 0;
	state->packet = find_packet(run, &file->scenario.packets[set->ports[block->port].packet],
				    block, err);
	state->report = state->packet ? find_report(run, block, err) : NULL;
	return state->report ? 0 : -1;
}
