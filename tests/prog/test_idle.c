// SPDX-License-Identifier: GPL-2.0-only
/* test_idle.c - between windows that are far apart nothing is attached, and nothing counts. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "session/internal.h"

#define MS 1000000ULL

static struct fg_session session;
static struct fg_error err;

static int setup(void **state)
{
	session = (struct fg_session){ .stats_fd = -1 };
	session.datapath = fg_datapath_open(0, FG_REPLIES_OFF, &err);
	if (!session.datapath)
		print_message("%s\n", err.message);
	assert_non_null(session.datapath);
	*state = &session;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fg_fd_close(&session.stats_fd);
	fg_datapath_close(session.datapath);
	return 0;
}

/* How many links to tracepoints and cgroups this process holds. */
static unsigned int links(void)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[300], line[128];
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			n += !strncmp(line, "link_type:", 10);
		if (file)
			fclose(file);
	}
	closedir(dir);
	return n;
}

/* Until the next window in so long: what it is told to wait for is that long, less what waking
 * takes. */
static void idle(uint64_t ns, bool rests)
{
	uint64_t until = fg_clock_now() + ns, told = fg_session_idle(&session, until);

	assert_int_equal(session.resting, rests);
	if (rests)
		assert_in_range(until - told, MS, 2 * MS);
	else
		assert_int_equal(told, until);
}

static void everything_rests_in_a_long_pause(void **state)
{
	unsigned int attached = links();

	(void)state;
	assert_in_range(attached, 1, 20);
	session.has_untraced = true;
	fg_session_count_runs(&session);
	assert_true(session.stats_fd >= 0);
	/* Once they count they are not asked for again. */
	attached = links();
	idle(1000 * MS, true);
	assert_int_equal(session.stats_fd, -1);
	assert_int_equal(links(), 0);
	/* It goes on resting in what is left of the pause. */
	idle(70 * MS, true);
	assert_int_equal(links(), 0);
	/* And is awake when the window is due. */
	idle(MS / 2, false);
	assert_true(session.stats_fd >= 0);
	assert_int_equal(links(), attached);
}

static void a_short_pause_is_none(void **state)
{
	unsigned int attached = links();

	(void)state;
	idle(0, false);
	idle(50 * MS, false);
	assert_int_equal(links(), attached);
	/* Nobody asked for run counters. */
	assert_int_equal(session.stats_fd, -1);
}

static void a_window_wakes_it(void **state)
{
	unsigned int attached = links();

	(void)state;
	idle(1000 * MS, true);
	assert_int_equal(fg_session_wake(&session, &err), 0);
	assert_false(session.resting);
	assert_int_equal(links(), attached);
	/* No program is known by its run counter alone. */
	assert_int_equal(session.stats_fd, -1);
	assert_int_equal(fg_session_wake(&session, &err), 0);
	assert_int_equal(links(), attached);
	/* What is late is due. */
	assert_int_equal(fg_session_idle(&session, 1), 1);
	assert_false(session.resting);
}

static void without_a_pod_there_is_nothing_to_rest(void **state)
{
	struct fg_session empty = { .stats_fd = -1 };
	uint64_t until = fg_clock_now() + 1000 * MS;

	(void)state;
	assert_int_equal(fg_session_idle(&empty, until), until);
	assert_false(empty.resting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_rests_in_a_long_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(a_short_pause_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(a_window_wakes_it, setup, teardown),
		cmocka_unit_test(without_a_pod_there_is_nothing_to_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
