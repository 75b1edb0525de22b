// SPDX-License-Identifier: GPL-2.0-only
#include "inject_care.h"

#include <stdio.h>
#include <string.h>

#include "control.h"

/* Beyond so many, a plan's probes are asked about when they come. */
#define AHEAD_MAX (1U << 18)

/* With --force one warning is enough. */
static int admit(struct fg_care *care, struct fg_probe_spec *spec, struct fg_error *err)
{
	const struct fg_plan *plan = !spec->packet ? NULL : spec->id ? care->plan : &care->control;

	if (!fg_guard_admit(care->guard, plan, spec, err))
		return 0;
	if (err->kind != FG_ERR_USAGE || !care->options->force)
		return -1;
	if (!care->unruly)
		fprintf(stderr, "flowgen: warning: %s\n", err->message);
	care->unruly = true;
	return 0;
}

/* Source ports that the user gave are refused before anything is sent; random ones never are. */
static int look_ahead(struct fg_care *care, struct fg_error *err)
{
	uint64_t total = fg_plan_total(care->plan);
	struct fg_probe_spec spec;

	if (care->options->pcap || !care->plan->sports)
		return 0;
	for (uint64_t i = 0; i < total && i < AHEAD_MAX; i++) {
		fg_plan_probe(care->plan, i, &spec);
		if (admit(care, &spec, err))
			return -1;
	}
	return 0;
}

/* As the probes beside it, but for what was asked of it. */
static struct fg_plan plan_control(const struct fg_inject_control *c, const struct fg_plan *beside)
{
	struct fg_plan plan = *beside;

	plan.packet = &c->packet;
	plan.name = "control";
	plan.expect = FG_EXPECT_NOTHING;
	if (c->dst.family)
		plan.dst = c->dst;
	plan.dports = c->dports.total ? &c->dports : NULL;
	if (c->sports.total)
		plan.sports = &c->sports;
	return plan;
}

int fg_care_open(struct fg_care *care, const struct fg_inject_options *options,
		 const struct fg_plan *plan, const struct fg_pod *pod, struct fg_error *err)
{
	uint64_t probes = options->pcap ? UINT64_MAX : fg_plan_total(plan);

	care->options = options;
	care->plan = plan;
	care->control = plan_control(&options->control, plan);
	care->guard = fg_guard_open(pod, probes, true, err);
	return care->guard ? look_ahead(care, err) : -1;
}

void fg_care_close(struct fg_care *care)
{
	fg_guard_close(care->guard);
	care->guard = NULL;
}

uint32_t fg_care_room(const struct fg_care *care, uint32_t room)
{
	return care->options->control.text && room > 1 ? room - 1 : room;
}

static void make_control(const struct fg_care *care, const struct fg_probe_spec *beside,
			 struct fg_probe_spec *out)
{
	fg_plan_probe(&care->control, beside->vary.number, out);
	out->id = 0;
	/* The same number made the same random choices. */
	fg_plan_choose_again(&care->control, out);
}

int fg_care_before(struct fg_care *care, struct fg_probe *window, uint32_t *count,
		   struct fg_error *err)
{
	care->controlled = care->options->control.text != NULL;
	if (care->controlled) {
		make_control(care, &window[*count - 1].spec, &window[*count].spec);
		++*count;
	}
	for (uint32_t i = 0; i < *count; i++)
		if (admit(care, &window[i].spec, err))
			return -1;
	return 0;
}

static bool is_control(const struct fg_probe *probe)
{
	return !probe->spec.id;
}

static void swap(struct fg_probe *a, struct fg_probe *b)
{
	struct fg_probe kept = *a;

	*a = *b;
	*b = kept;
}

/* The control and its fragments go to the end; the others stay in order. Returns how many these are. */
static uint32_t sort_out(struct fg_probe *window, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (is_control(&window[i]))
			continue;
		if (kept != i)
			swap(&window[kept], &window[i]);
		kept++;
	}
	return kept;
}

/* Of a control in fragments all are to pass: the first that did not, or else the first. */
static const struct fg_probe *worst_of(const struct fg_probe *controls, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!fg_control_passed(&controls[i]))
			return &controls[i];
	return controls;
}

int fg_care_after(struct fg_care *care, struct fg_probe *window, uint32_t *count,
		  struct fg_error *err)
{
	const struct fg_inject_options *o = care->options;
	const struct fg_probe *control;
	uint32_t kept;

	if ((o->tidy || !o->summary) && fg_guard_left(care->guard, window, *count, o->tidy, err))
		return -1;
	if (!care->controlled)
		return 0;
	kept = sort_out(window, *count);
	control = worst_of(window + kept, *count - kept);
	for (uint32_t i = 0; i < kept; i++)
		fg_control_apply(control, o->control.text, &window[i]);
	*count = kept;
	return 0;
}
