// SPDX-License-Identifier: GPL-2.0-only
/* How many probes can be in flight together: until two would have the same answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "base/count.h"
#include "packets.h"
#include "session/internal.h"

#define PROBES 4

static struct fg_probe probes[PROBES];
static struct fg_session session = { .window = probes };

static int clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROBES; i++) {
		free(probes[i].frame.data);
		probes[i] = (struct fg_probe){};
	}
	return 0;
}

static void put(uint32_t at, const char *keys, uint16_t sport)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_error err;

	vary.sport = sport;
	vary.number = at;
	if (packets_build(keys, &vary, &probes[at].frame, NULL, &err))
		fail_msg("%s", err.message);
}

static void those_with_different_ports_go_together(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PROBES; i++)
		put(i, "proto=udp", (uint16_t)(4000 + i));
	assert_int_equal(fg_twins_before(&session, 0, PROBES), PROBES);
	assert_int_equal(fg_twins_before(&session, 1, 3), 2);
	assert_int_equal(fg_twins_before(&session, 3, 3), 1);
}

static void the_second_of_a_tuple_waits(void **state)
{
	(void)state;
	put(0, "proto=tcp;flags=S", 4000);
	put(1, "proto=tcp;flags=S", 4001);
	/* By its flags it is another packet, and by its tuple not. */
	put(2, "proto=tcp;flags=A", 4000);
	put(3, "proto=udp", 4000);
	assert_int_equal(fg_twins_before(&session, 0, PROBES), 2);
	assert_int_equal(fg_twins_before(&session, 1, PROBES), 3);
	assert_int_equal(fg_twins_before(&session, 2, PROBES), 2);
}

/* By what the first chunk is, SCTP has no other tuple. */
static void chunks_of_sctp(void **state)
{
	(void)state;
	put(0, "proto=sctp;sctp-chunk=init", 4000);
	put(1, "proto=sctp;sctp-chunk=cookie-ack", 4000);
	assert_int_equal(fg_twins_before(&session, 0, 2), 1);
}

/* Echoes of one identifier have answers of their own by their numbers. */
static void echoes_are_told_apart(void **state)
{
	(void)state;
	put(0, "proto=icmp;id=7", 0);
	put(1, "proto=icmp;id=7", 0);
	put(2, "proto=icmp;id=7", 0);
	assert_int_equal(fg_twins_before(&session, 0, 3), 3);
}

/* What has no answer of its own is never a twin. */
static void parts_are_none(void **state)
{
	(void)state;
	put(0, "proto=udp", 4000);
	put(1, "proto=udp", 4000);
	put(2, "proto=udp", 4000);
	put(3, "proto=udp", 4001);
	probes[1].spec.fragment = 1;
	probes[2].frame.len = 14;
	assert_int_equal(fg_twins_before(&session, 0, PROBES), PROBES);
	probes[1].spec.fragment = 0;
	assert_int_equal(fg_twins_before(&session, 0, PROBES), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_teardown(test, clear)
		TEST(those_with_different_ports_go_together),
		TEST(the_second_of_a_tuple_waits),
		TEST(chunks_of_sctp),
		TEST(echoes_are_told_apart),
		TEST(parts_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
