// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_verdict.c - fentry and fexit on real policy programs: what is reported of a tracked packet,
 * and silence for all others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/count.h"
#include "host/capability.h"
#include "bpf/datapath.skel.h"
#include "prog.h"
#include "bpf/verdict.skel.h"
#include "bpf/verdict_xdp.skel.h"

#define COOKIE 7
#define PROBE 12345
#define GENERATION 3
#define PROGRAM_ID 4711

/* With the offsets of this kernel, as the layout program finds them. */
static struct fg_config config = {
	.cookie = COOKIE, .generation = GENERATION, .active = 1, .match_flows = 1
};

static void read_layout(void)
{
	static const char *const programs[] = { "fg_layout", NULL };
	struct datapath_bpf *bpf = datapath_bpf__open();
	LIBBPF_OPTS(bpf_test_run_opts, run);

	assert_non_null(bpf);
	prog_only(bpf->obj, programs);
	prog_load(bpf->obj);
	prog_set(bpf->obj, "config", &config);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.fg_layout), &run), 0);
	prog_get(bpf->obj, "config", &config);
	datapath_bpf__destroy(bpf);
}

static void need_fexit(void)
{
	struct fg_error err;

	if (fg_capability_feature_probe(FG_FEATURE_FEXIT, &err))
		prog_skip("%s", err.message);
}

/*
 * The maps come first (of an object that nothing else is loaded of), then the policy programs, then
 * what traces one of them: each is given the maps of the first.
 */
struct bench {
	struct datapath_bpf *maps;
	struct bpf_object *policy;
	struct verdict_bpf *skb;
	struct verdict_xdp_bpf *xdp;
};

static void bench_open(struct bench *b)
{
	static const char *const none[] = { NULL };

	*b = (struct bench){ .maps = datapath_bpf__open() };
	assert_non_null(b->maps);
	prog_only(b->maps->obj, none);
	prog_load(b->maps->obj);
	prog_set(b->maps->obj, "config", &config);
	b->policy = prog_open_sharing("seed", b->maps->obj);
	prog_load(b->policy);
}

static void bench_close(struct bench *b)
{
	verdict_bpf__destroy(b->skb);
	verdict_xdp_bpf__destroy(b->xdp);
	bpf_object__close(b->policy);
	datapath_bpf__destroy(b->maps);
}

/* function: a program's main function, or a global one in it. */
static void trace(struct bench *b, const char *program, const char *function)
{
	int fd = prog_fd(b->policy, program);

	b->skb = verdict_bpf__open();
	assert_non_null(b->skb);
	b->skb->rodata->fg_program_id = PROGRAM_ID;
	assert_int_equal(bpf_program__set_attach_target(b->skb->progs.fg_enter, fd, function), 0);
	assert_int_equal(bpf_program__set_attach_target(b->skb->progs.fg_verdict, fd, function), 0);
	prog_share_maps(b->skb->obj, b->maps->obj);
	prog_load(b->skb->obj);
	assert_int_equal(verdict_bpf__attach(b->skb), 0);
}

static void trace_xdp(struct bench *b, const char *program)
{
	int fd = prog_fd(b->policy, program);

	b->xdp = verdict_xdp_bpf__open();
	assert_non_null(b->xdp);
	b->xdp->rodata->fg_program_id = PROGRAM_ID;
	assert_int_equal(bpf_program__set_attach_target(b->xdp->progs.fg_enter_xdp, fd, program),
			 0);
	assert_int_equal(bpf_program__set_attach_target(b->xdp->progs.fg_verdict_xdp, fd, program),
			 0);
	prog_share_maps(b->xdp->obj, b->maps->obj);
	prog_load(b->xdp->obj);
	assert_int_equal(verdict_xdp_bpf__attach(b->xdp), 0);
}

static void seed(const struct bench *b, uint32_t probe, uint32_t generation)
{
	const struct prog_track t = { .probe = probe, .generation = generation };

	prog_set_variable(b->policy, "seed", &t, sizeof(t));
}

static int run(const struct bench *b, const char *program, int returns)
{
	const struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);

	/* The kernel gives each run's packet the same place in memory. */
	prog_map_clear(b->maps->obj, "tracked");
	prog_set_variable(b->policy, "policy_returns", &returns, sizeof(returns));
	return prog_run(prog_fd(b->policy, program), &frame, sizeof(frame), NULL);
}

static void expect_none(const struct bench *b)
{
	struct prog_events events;

	prog_events_read(b->maps->obj, &events);
	assert_int_equal(events.count, 0);
}

static struct fg_event expect_verdict(const struct bench *b, int code)
{
	struct prog_events events;
	const struct fg_event *e = &events.list[0];

	prog_events_read(b->maps->obj, &events);
	assert_int_equal(events.count, 1);
	assert_int_equal(e->version, FG_EVENT_VERSION);
	assert_int_equal(e->kind, FG_EVENT_POLICY);
	assert_int_equal(e->probe, PROBE);
	assert_int_equal(e->generation, GENERATION);
	assert_int_equal(e->id, PROGRAM_ID);
	assert_int_equal(e->code, code);
	return *e;
}

static void test_return_values(void **state)
{
	static const int values[] = { 0, 2, 7, -1, 13, -2147483647 };
	struct bench b;

	(void)state;
	need_fexit();
	bench_open(&b);
	trace(&b, "seed_policy", "policy");
	seed(&b, PROBE, GENERATION);
	for (size_t i = 0; i < COUNT(values); i++) {
		struct fg_event e;

		assert_int_equal(run(&b, "seed_policy", values[i]), values[i]);
		e = expect_verdict(&b, values[i]);
		/* How long it took: no more than from before the run to now, and not nothing. */
		assert_true(e.aux > 0 && e.aux < e.time_ns);
		assert_int_equal(e.ifindex, 1);
		assert_int_equal(e.netns, prog_netns());
	}
	bench_close(&b);
}

static void test_silent_for_others(void **state)
{
	struct bench b;

	(void)state;
	need_fexit();
	bench_open(&b);
	trace(&b, "seed_policy", "policy");
	assert_int_equal(run(&b, "seed_policy", 2), 2);
	seed(&b, PROBE, GENERATION - 1);
	assert_int_equal(run(&b, "seed_policy", 2), 2);
	expect_none(&b);
	bench_close(&b);
}

/*
 * What counts is what the kernel gets in the end: the return value of the program that was jumped
 * to.
 */
static void test_tail_call(void **state)
{
	struct bench b;
	uint32_t zero = 0;
	int to;

	(void)state;
	need_fexit();
	bench_open(&b);
	to = prog_fd(b.policy, "policy_tail");
	assert_int_equal(bpf_map_update_elem(prog_map_fd(b.policy, "jump_tc"), &zero, &to, 0), 0);
	trace(&b, "seed_tc", "seed_tc");
	seed(&b, PROBE, GENERATION);
	assert_int_equal(run(&b, "seed_tc", 2), 2);
	/* It was not tracked when the program began, so there is no duration. */
	assert_int_equal(expect_verdict(&b, 2).aux, 0);
	bench_close(&b);
}

static void test_xdp(void **state)
{
	const struct prog_track t = { .probe = PROBE,
				      .generation = GENERATION,
				      .flow = prog_frame_flow() };
	struct bench b;

	(void)state;
	need_fexit();
	bench_open(&b);
	trace_xdp(&b, "policy_xdp");
	assert_int_equal(run(&b, "policy_xdp", 1), 1);
	expect_none(&b);
	assert_int_equal(bpf_map__update_elem(b.maps->maps.flows, &t.flow, sizeof(t.flow), &t,
					      sizeof(t), 0),
			 0);
	assert_int_equal(run(&b, "policy_xdp", 1), 1);
	assert_true(expect_verdict(&b, 1).aux > 0);
	bench_close(&b);
}

static int setup(void **state)
{
	(void)state;
	read_layout();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_return_values),
		cmocka_unit_test(test_silent_for_others),
		cmocka_unit_test(test_tail_call),
		cmocka_unit_test(test_xdp),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, setup, NULL);
}
