// SPDX-License-Identifier: GPL-2.0-only
/*
 * run/preflight.c - the checks before a probe is sent: the one path by which probes of all verbs
 * are admitted.
 */
#include "run/internal.h"

/* Beyond this many, a plan's probes are checked when they are due. */
#define AHEAD_MAX (1U << 18)

/* With --force one warning is enough. */
static int send_anyway(struct fg_run *run, const struct fg_error *cause)
{
	if (!run->unruly)
		fg_run_ui_warn(&run->options->ui, "%s", cause->message);
	run->unruly = true;
	return 0;
}

/* Returns 1: the probe is left out, and item->skip says why; or -1. */
static int leave_out(struct fg_run *run, struct fg_run_item *item, const struct fg_error *cause,
		     struct fg_error *err)
{
	if (!run->source->leaves_out) {
		if (err)
			*err = *cause;
		return -1;
	}
	snprintf(item->obstacle, sizeof(item->obstacle), "%.290s (%.60s)", cause->message,
		 cause->hint);
	item->skip = item->obstacle;
	return 1;
}

/*
 * As the pod's kernel would send it: its source, and the device that it leaves by. Returns 0; 2:
 * the kernel would not send it; 1 and -1 as leave_out().
 */
static int route(struct fg_run *run, struct fg_run_item *item, struct fg_probe_spec *spec,
		 struct fg_error *err)
{
	const struct fg_run_session *s = run->session;
	struct fg_error cause;
	int ret = s->ops->route ? s->ops->route(s->self, spec, &cause) : 0;

	if (ret > 0)
		return 2;
	if (ret && cause.kind != FG_ERR_UNSUPPORTED) {
		if (err)
			*err = cause;
		return -1;
	}
	if (ret)
		return leave_out(run, item, &cause, err);
	/* Ahead of time there is no report. */
	if (!item->report ||
	    (spec->pod == item->spec.pod && fg_addr_equal(&spec->vary.src, &item->spec.vary.src)))
		return 0;
	item->report = fg_run_report_as(run, item->report, spec->pod, &spec->vary.src, err);
	return item->report ? 0 : -1;
}

void fg_run_guess_way(const struct fg_run *run, struct fg_probe_spec *spec)
{
	const struct fg_run_session *s = run->session;
	struct fg_probe_spec asked = *spec;

	if (!s->ops->route || s->ops->route(s->self, &asked, NULL) < 0)
		return;
	spec->pod = asked.pod;
	spec->vary.src = asked.vary.src;
}

/* A tuple that is in use is refused; random choices are made again. */
static int check_tuple(struct fg_run *run, struct fg_run_item *item, struct fg_probe_spec *spec,
		       struct fg_error *err)
{
	struct fg_error cause;

	if (!run->session->ops->admit(run->session->self, item->plan, spec, &cause))
		return 0;
	if (cause.kind == FG_ERR_USAGE && run->options->force)
		return send_anyway(run, &cause);
	if (cause.kind == FG_ERR_USAGE)
		return leave_out(run, item, &cause, err);
	if (err)
		*err = cause;
	return -1;
}

int fg_run_admit(struct fg_run *run, struct fg_run_item *item, struct fg_probe_spec *spec,
		 struct fg_error *err)
{
	uint16_t sport = spec->vary.sport;
	int ret = route(run, item, spec, err);

	/* What is not sent disturbs nothing. */
	if (ret)
		return ret == 2 ? 0 : ret;
	ret = check_tuple(run, item, spec, err);
	if (ret || spec->vary.sport == sport)
		return ret;
	/* Another port may have another route. */
	ret = route(run, item, spec, err);
	return ret == 2 ? 0 : ret;
}

int fg_run_look_ahead(struct fg_run *run, struct fg_error *err)
{
	struct fg_run_item item = {};

	if (!run->source->ops->peek)
		return 0;
	for (uint64_t i = 0; i < AHEAD_MAX; i++) {
		if (!run->source->ops->peek(run->source, i, &item))
			return 0;
		if (fg_run_admit(run, &item, &item.spec, err))
			return -1;
	}
	return 0;
}
