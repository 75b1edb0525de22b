// SPDX-License-Identifier: GPL-2.0-only
/* What run counters say of single packets, and how a window in flight makes room for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "session/internal.h"
#include "traces.h"

#define PROBES 4
#define ROOM 8 /* programs for each probe */
#define NOT UINT32_MAX

/* Three programs, the first two of the pod's own side; all probes of pod 0 by hop 0. */
struct stage {
	struct fg_session session;
	struct fg_hop hops[2];
	struct fg_hop *of[PROBES];
	struct fg_probe probes[PROBES];
	struct fg_step steps[PROBES * ROOM];
	struct fg_trace_runs runs[PROBES * ROOM];
};

static int stage_up(void **state)
{
	static struct stage stage;
	struct stage *s = &stage;

	*s = (struct stage){};
	s->session = (struct fg_session){ .window = s->probes,
					  .hops = s->of,
					  .steps = s->steps,
					  .runs = s->runs,
					  .sent = PROBES };
	for (size_t h = 0; h < COUNT(s->hops); h++) {
		traces_ladder(&s->hops[h].ladder, "EII");
		s->hops[h].ladder.programs[2].stage = FG_STAGE_INGRESS;
		for (int i = 0; i < FG_LADDER_MAX; i++)
			s->hops[h].counter_fds[i] = 1000;
	}
	for (size_t k = 0; k < PROBES; k++) {
		s->of[k] = &s->hops[0];
		s->probes[k].result.steps = s->steps + k * ROOM;
		s->probes[k].result.denied_by = s->probes[k].result.redirected_by = -1;
	}
	*state = s;
	return 0;
}

static int stage_down(void **state)
{
	struct stage *s = *state;

	for (size_t h = 0; h < COUNT(s->hops); h++)
		fg_ladder_free(&s->hops[h].ladder);
	return 0;
}

static void all_programs_count_where_all_packets_go_one_way(void **state)
{
	struct stage *s = *state;

	assert_int_equal(fg_counts_common(&s->session, 0, PROBES), 3);
	/* Another destination: the pod's own programs are the same. */
	s->of[3] = &s->hops[1];
	assert_int_equal(fg_counts_common(&s->session, 0, PROBES), 2);
	assert_int_equal(fg_counts_common(&s->session, 0, 3), 3);
	assert_int_equal(fg_counts_common(&s->session, 3, 1), 3);
	/* Another pod: none. */
	s->probes[2].spec.pod = 1;
	assert_int_equal(fg_counts_common(&s->session, 0, PROBES), 0);
	assert_int_equal(fg_counts_common(&s->session, 1, 2), 0);
	assert_int_equal(fg_counts_common(&s->session, 0, 2), 3);
	assert_int_equal(fg_counts_common(&s->session, 2, 1), 3);
}

static void one_packet_ran_what_was_counted(void **state)
{
	const struct fg_run_count before[FG_LADDER_MAX] = { { 10, 500 }, { 7, 70 }, { 9, 9 } };
	const struct fg_run_count after[FG_LADDER_MAX] = { { 11, 800 }, { 7, 70 }, { 12, 39 } };
	struct stage *s = *state;
	const struct fg_trace_runs *runs;

	fg_counts_apply(&s->session, 1, 1, 3, before, after);
	runs = s->probes[1].trace.runs;
	/* Where its steps are, and no other probe's. */
	assert_ptr_equal(runs, s->runs + ROOM);
	assert_null(s->probes[0].trace.runs);
	assert_null(s->probes[2].trace.runs);
	assert_int_equal(runs[0].times, 1);
	assert_int_equal(runs[0].ns, 300);
	assert_int_equal(runs[1].times, 0);
	assert_int_equal(runs[1].ns, 0);
	assert_int_equal(runs[2].times, 3);
	assert_int_equal(runs[2].ns, 30);
}

/* of so many packets, a program ran so often: of each it is known that it ran `times`. */
static void many_packets_are_told_apart_only_by_all_or_none(void **state)
{
	static const struct {
		uint64_t ran;
		uint32_t times;
	} rows[] = { { 0, 0 }, { 1, NOT }, { 3, NOT }, { 4, 1 }, { 5, NOT }, { 8, NOT } };
	struct stage *s = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_run_count before[FG_LADDER_MAX] = { { 100, 1000 } };
		const struct fg_run_count after[FG_LADDER_MAX] = { { 100 + rows[i].ran, 1400 } };

		fg_counts_apply(&s->session, 0, PROBES, 3, before, after);
		for (size_t k = 0; k < PROBES; k++) {
			assert_ptr_equal(s->probes[k].trace.runs, s->runs + k * ROOM);
			assert_int_equal(s->probes[k].trace.runs[0].times, rows[i].times);
			assert_int_equal(s->probes[k].trace.runs[1].times, 0);
			if (rows[i].times != NOT)
				assert_int_equal(s->probes[k].trace.runs[0].ns, 100);
		}
	}
}

static void what_was_not_counted_is_unknown(void **state)
{
	const struct fg_run_count before[FG_LADDER_MAX] = {};
	const struct fg_run_count after[FG_LADDER_MAX] = { { 1, 1 }, { 1, 1 }, { 1, 1 } };
	struct stage *s = *state;

	/* Traced: it has no counter of ours. */
	s->hops[0].counter_fds[0] = -1;
	/* Not common to all. */
	fg_counts_apply(&s->session, 0, 1, 2, before, after);
	assert_int_equal(s->probes[0].trace.runs[0].times, NOT);
	assert_int_equal(s->probes[0].trace.runs[1].times, 1);
	assert_int_equal(s->probes[0].trace.runs[2].times, NOT);
	/* Descriptor 0 is one. */
	s->hops[0].counter_fds[0] = 0;
	fg_counts_apply(&s->session, 0, 1, 2, before, after);
	assert_int_equal(s->probes[0].trace.runs[0].times, 1);
}

/* What cannot be asked has not run; read alike twice, as nothing moves. */
static void counters_that_cannot_be_read_are_none(void **state)
{
	struct fg_run_count counts[FG_LADDER_MAX];
	struct stage *s = *state;

	memset(counts, 0xff, sizeof(counts));
	s->hops[0].counter_fds[1] = -1;
	assert_true(fg_counts_read(&s->hops[0], 3, counts));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(counts[i].runs | counts[i].ns, 0);
	assert_int_equal(counts[3].runs, UINT64_MAX);
}

/* --- room for programs that are found while the window is in flight --- */

static void programs_move_what_is_behind_them(void **state)
{
	struct stage *s = *state;
	struct fg_result *r = &s->probes[0].result;

	for (unsigned int i = 0; i < 3; i++) {
		r->steps[i].ran = FG_RAN_YES;
		r->steps[i].retval = (int)i + 10;
		s->runs[i].times = i + 20;
	}
	s->probes[0].trace.runs = s->runs;
	r->candidates = 0x7;
	r->denied_by = 2;
	r->redirected_by = 0;
	/* Two more, from the second on: the ladder has them already. */
	s->hops[0].ladder.count = 5;
	fg_session_make_room(&s->session, &s->hops[0], 1, 2);
	assert_int_equal(r->steps[0].retval, 10);
	assert_int_equal(r->steps[1].ran, FG_RAN_UNKNOWN);
	assert_int_equal(r->steps[1].retval, 0);
	assert_int_equal(r->steps[2].retval, 0);
	assert_int_equal(r->steps[3].retval, 11);
	assert_int_equal(r->steps[4].retval, 12);
	assert_int_equal(s->runs[0].times, 20);
	assert_int_equal(s->runs[1].times, NOT);
	assert_int_equal(s->runs[2].times, NOT);
	assert_int_equal(s->runs[3].times, 21);
	assert_int_equal(s->runs[4].times, 22);
	assert_int_equal(r->candidates, 0x19);
	assert_int_equal(r->denied_by, 4);
	assert_int_equal(r->redirected_by, 0);
	/* Behind all others nothing moves; nor what is nobody's. */
	s->hops[0].ladder.count = 6;
	fg_session_make_room(&s->session, &s->hops[0], 5, 1);
	assert_int_equal(r->steps[4].retval, 12);
	assert_int_equal(r->steps[5].retval, 0);
	assert_int_equal(s->runs[5].times, NOT);
	assert_int_equal(r->denied_by, 4);
	assert_int_equal(s->probes[1].result.denied_by, -1);
	assert_int_equal(s->probes[1].result.redirected_by, -1);
	assert_null(s->probes[1].trace.runs);
}

static void only_the_hops_own_probes_that_were_sent_move(void **state)
{
	struct stage *s = *state;

	for (size_t k = 0; k < PROBES; k++)
		s->probes[k].result.denied_by = 0;
	s->of[1] = &s->hops[1];
	s->session.sent = 3;
	s->hops[0].ladder.count = 4;
	fg_session_make_room(&s->session, &s->hops[0], 0, 1);
	assert_int_equal(s->probes[0].result.denied_by, 1);
	assert_int_equal(s->probes[1].result.denied_by, 0);
	assert_int_equal(s->probes[2].result.denied_by, 1);
	assert_int_equal(s->probes[3].result.denied_by, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_programs_count_where_all_packets_go_one_way,
						stage_up, stage_down),
		cmocka_unit_test_setup_teardown(one_packet_ran_what_was_counted, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(many_packets_are_told_apart_only_by_all_or_none,
						stage_up, stage_down),
		cmocka_unit_test_setup_teardown(what_was_not_counted_is_unknown, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(counters_that_cannot_be_read_are_none, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(programs_move_what_is_behind_them, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(only_the_hops_own_probes_that_were_sent_move,
						stage_up, stage_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
