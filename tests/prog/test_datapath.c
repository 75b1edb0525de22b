// SPDX-License-Identifier: GPL-2.0-only
/* test_datapath.c - the verbs of a loaded datapath: what they make of the shared settings. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "datapath/datapath.h"
#include "prog.h"

static struct fg_error err;

static int setup(void **state)
{
	*state = fg_datapath_open(0, FG_REPLIES_OFF, &err);
	if (!*state)
		print_message("%s\n", err.message);
	assert_non_null(*state);
	return 0;
}

static int teardown(void **state)
{
	fg_datapath_close(*state);
	return 0;
}

/* As the programs see them. */
static struct fg_config config_of(const struct fg_datapath *dp)
{
	struct fg_config config;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fg_datapath_maps(dp).config, &zero, &config), 0);
	return config;
}

static void lose(const struct fg_datapath *dp, uint64_t events)
{
	struct fg_counters counters;
	uint32_t zero = 0;
	int fd = fg_datapath_maps(dp).counters;

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &counters), 0);
	counters.lost += events;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &counters, BPF_ANY), 0);
}

static void track(const struct fg_datapath *dp, uint64_t key)
{
	const struct prog_track track = {};

	assert_int_equal(bpf_map_update_elem(fg_datapath_maps(dp).tracked, &key, &track, BPF_ANY),
			 0);
}

static bool tracks(const struct fg_datapath *dp)
{
	uint64_t key;

	return !bpf_map_get_next_key(fg_datapath_maps(dp).tracked, NULL, &key);
}

static void nothing_is_looked_at_before_a_window(void **state)
{
	const struct fg_config c = config_of(*state);

	assert_int_equal(c.active, 0);
	assert_int_equal(c.left, 0);
	assert_int_equal(c.stop, FG_STOP_NOWHERE);
	assert_int_equal(c.replies, FG_REPLIES_OFF);
	assert_int_equal(c.socket, 0);
}

static void settings_are_seen_at_once(void **state)
{
	struct fg_datapath *dp = *state;
	struct fg_config c;

	fg_datapath_set_stop(dp, FG_STOP_AT_BOTH, 4711);
	fg_datapath_match_flows(dp);
	c = config_of(dp);
	assert_int_equal(c.stop, FG_STOP_AT_BOTH);
	assert_int_equal(c.host_ns, 4711);
	assert_int_equal(c.match_flows, 1);
	fg_datapath_set_stop(dp, FG_STOP_AT_SOCKET, 0);
	fg_datapath_leave_replies(dp);
	c = config_of(dp);
	assert_int_equal(c.replies, FG_REPLIES_OFF);
	assert_false(fg_datapath_follows(dp));
	assert_int_equal(c.stop, FG_STOP_AT_SOCKET);
	assert_int_equal(c.host_ns, 0);
}

static void some_devices_are_known_again(void **state)
{
	struct fg_at_device at = { .ifindex = 10 + FG_REACQUIRE_MAX - 1, .netns = 200 };
	struct fg_datapath *dp = *state;
	struct fg_config c;
	uint8_t one;

	assert_int_equal(config_of(dp).reacquire_count, 0);
	for (int i = 0; i < FG_REACQUIRE_MAX; i++) {
		assert_int_equal(fg_datapath_reacquire(dp, 200, 10 + i), 0);
		assert_int_equal(fg_datapath_reacquire(dp, 200, 10), 0);
	}
	assert_int_equal(fg_datapath_reacquire(dp, 200, 9), -1);
	assert_int_equal(fg_datapath_reacquire(dp, 201, 10), -1);
	c = config_of(dp);
	assert_int_equal(c.reacquire_count, FG_REACQUIRE_MAX);
	assert_int_equal(bpf_map_lookup_elem(fg_datapath_maps(dp).again, &at, &one), 0);
	at.netns++;
	assert_int_not_equal(bpf_map_lookup_elem(fg_datapath_maps(dp).again, &at, &one), 0);
}

static void an_envelope_is_the_sessions_own(void **state)
{
	struct fg_datapath *dp = *state;
	uint8_t frame[14] = { [12] = 0x08 };
	struct fg_envelope e;

	fg_datapath_envelope(dp, 5, 1000, frame);
	memcpy(&e, frame, sizeof(e));
	assert_int_equal(e.magic[0], FG_ENVELOPE_MAGIC0);
	assert_int_equal(e.magic[1], FG_ENVELOPE_MAGIC1);
	assert_int_equal(ntohs(e.slot), 5);
	assert_int_equal(ntohl(e.probe), 1000);
	assert_int_equal(e.cookie, config_of(dp).cookie);
	/* Twelve bytes, and not the type behind them. */
	assert_int_equal(frame[12], 0x08);
}

static void a_socket_is_followed_for_a_while(void **state)
{
	struct fg_datapath *dp = *state;
	const struct fg_wire_flow flow = { .family = 4, .sport = 1, .dst = { 10 } };
	struct fg_config c;

	fg_datapath_follow_socket(dp, 0x123456789abcULL, 64, &flow);
	c = config_of(dp);
	assert_int_equal(c.socket, 0x123456789abcULL);
	assert_int_equal(c.sending, 64);
	assert_memory_equal(&c.written, &flow, sizeof(flow));
	fg_datapath_leave_socket(dp);
	assert_int_equal(config_of(dp).socket, 0);
}

static void a_window_begins_and_ends(void **state)
{
	struct fg_datapath *dp = *state;
	uint32_t first = fg_datapath_begin_window(dp, FG_PIECES_SEGMENTS), next;
	struct fg_config c = config_of(dp);

	assert_int_equal(c.active, 1);
	assert_int_equal(c.generation, first);
	assert_int_equal(c.pieces, FG_PIECES_SEGMENTS);
	assert_int_equal(fg_datapath_end_window(dp, 0), 0);
	c = config_of(dp);
	assert_int_equal(c.active, 0);
	assert_int_equal(c.left, 0);
	next = fg_datapath_begin_window(dp, 0);
	assert_int_equal(next, first + 1);
	c = config_of(dp);
	assert_int_equal(c.generation, next);
	assert_int_equal(c.pieces, 0);
	/* What is still in flight is looked for, until everything has ended. */
	assert_int_equal(fg_datapath_end_window(dp, 2), 0);
	assert_int_equal(config_of(dp).left, 1);
	fg_datapath_begin_window(dp, 0);
	assert_int_equal(fg_datapath_end_window(dp, 0), 0);
	assert_int_equal(config_of(dp).left, 1);
}

static void what_is_lost_is_lost_to_one_window(void **state)
{
	struct fg_datapath *dp = *state;

	lose(dp, 7);
	fg_datapath_begin_window(dp, 0);
	lose(dp, 3);
	assert_int_equal(fg_datapath_end_window(dp, 0), 3);
	/* Of what was not told nobody knows whether it ended. */
	assert_int_equal(config_of(dp).left, 1);
	fg_datapath_begin_window(dp, 0);
	assert_int_equal(fg_datapath_end_window(dp, 0), 0);
}

static void what_never_ends_is_forgotten(void **state)
{
	struct fg_datapath *dp = *state;

	for (uint64_t key = 1; key <= 100; key++)
		track(dp, key << 8);
	fg_datapath_begin_window(dp, 0);
	fg_datapath_end_window(dp, 8000);
	fg_datapath_begin_window(dp, 0);
	assert_true(tracks(dp));
	fg_datapath_end_window(dp, 1000);
	fg_datapath_begin_window(dp, 0);
	assert_false(tracks(dp));
	fg_datapath_end_window(dp, 0);
	assert_int_equal(config_of(dp).left, 0);
}

/* Off and on again, as often as one likes; that packets are seen afterwards, the e2e tests tell. */
static void it_rests_and_wakes(void **state)
{
	struct fg_datapath *dp = *state;

	for (int i = 0; i < 3; i++) {
		fg_datapath_rest(dp);
		fg_datapath_rest(dp);
		assert_int_equal(fg_datapath_wake(dp, &err), 0);
		assert_int_equal(fg_datapath_wake(dp, &err), 0);
	}
	fg_datapath_set_stop(dp, FG_STOP_AT_SOCKET, 0);
	fg_datapath_begin_window(dp, 0);
	fg_datapath_end_window(dp, 1);
	fg_datapath_rest(dp);
	assert_int_equal(fg_datapath_wake(dp, &err), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_looked_at_before_a_window),
		TEST(settings_are_seen_at_once),
		TEST(some_devices_are_known_again),
		TEST(an_envelope_is_the_sessions_own),
		TEST(a_socket_is_followed_for_a_while),
		TEST(a_window_begins_and_ends),
		TEST(what_is_lost_is_lost_to_one_window),
		TEST(what_never_ends_is_forgotten),
		TEST(it_rests_and_wakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
