// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/verdict.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/fd.h"
#include "bpf/verdict.skel.h"
#include "bpf/verdict_xdp.skel.h"

struct tracer {
	uint32_t id;
	bool works;
	struct verdict_bpf *skb;
	struct verdict_xdp_bpf *xdp;
};

struct fg_verdicts {
	const struct fg_datapath *datapath; /* borrowed */
	bool refused;			    /* this kernel traces no program at all */
	struct tracer *tracers;
	size_t count;
};

struct fg_verdicts *fg_verdicts_new(const struct fg_datapath *dp, struct fg_error *err)
{
	struct fg_verdicts *v = calloc(1, sizeof(*v));

	if (!v) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "verdicts");
		return NULL;
	}
	v->datapath = dp;
	return v;
}

void fg_verdicts_free(struct fg_verdicts *verdicts)
{
	if (!verdicts)
		return;
	for (size_t i = 0; i < verdicts->count; i++) {
		verdict_bpf__destroy(verdicts->tracers[i].skb);
		verdict_xdp_bpf__destroy(verdicts->tracers[i].xdp);
	}
	free(verdicts->tracers);
	free(verdicts);
}

static int aim(struct bpf_program *enter, struct bpf_program *leave, int fd, const char *function)
{
	return bpf_program__set_attach_target(enter, fd, function) ||
	       bpf_program__set_attach_target(leave, fd, function);
}

static int trace_skb(struct fg_verdicts *v, struct tracer *t, const struct fg_program *p, int fd)
{
	t->skb = verdict_bpf__open();
	if (!t->skb)
		return -errno;
	t->skb->rodata->fg_program_id = p->id;
	t->skb->rodata->fg_follows = fg_datapath_follows(v->datapath);
	if (aim(t->skb->progs.fg_enter, t->skb->progs.fg_verdict, fd, p->name) ||
	    fg_datapath_share(v->datapath, t->skb->obj))
		return -EINVAL;
	return verdict_bpf__load(t->skb) ?: verdict_bpf__attach(t->skb);
}

static int trace_xdp(struct fg_verdicts *v, struct tracer *t, const struct fg_program *p, int fd)
{
	t->xdp = verdict_xdp_bpf__open();
	if (!t->xdp)
		return -errno;
	t->xdp->rodata->fg_program_id = p->id;
	if (aim(t->xdp->progs.fg_enter_xdp, t->xdp->progs.fg_verdict_xdp, fd, p->name) ||
	    fg_datapath_share(v->datapath, t->xdp->obj))
		return -EINVAL;
	return verdict_xdp_bpf__load(t->xdp) ?: verdict_xdp_bpf__attach(t->xdp);
}

static struct tracer *tracer_add(struct fg_verdicts *v, uint32_t id)
{
	struct tracer *t = FG_APPEND(v->tracers, v->count, "tracers", NULL);

	if (t)
		t->id = id;
	return t;
}

void fg_verdicts_trace(struct fg_verdicts *verdicts, struct fg_program *program)
{
	struct tracer *t;
	int ret;

	for (size_t i = 0; i < verdicts->count; i++)
		if (verdicts->tracers[i].id == program->id) {
			program->traced = verdicts->tracers[i].works;
			return;
		}
	if (verdicts->refused)
		return;
	FG_FD int fd = bpf_prog_get_fd_by_id(program->id);

	t = fd < 0 ? NULL : tracer_add(verdicts, program->id);
	if (!t)
		return;
	ret = program->hook == FG_HOOK_XDP ? trace_xdp(verdicts, t, program, fd)
					   : trace_skb(verdicts, t, program, fd);
	t->works = !ret;
	program->traced = t->works;
	if (ret) {
		verdict_bpf__destroy(t->skb);
		verdict_xdp_bpf__destroy(t->xdp);
		t->skb = NULL;
		t->xdp = NULL;
	}
	/*
	 * Hardened kernels refuse every change of program text: asking again for each program only
	 * costs time.
	 */
	if (ret == -EPERM)
		verdicts->refused = true;
}
