// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath/closing.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

static void they_are_closed_at_the_end(void **state)
{
	struct fg_closing *closing;
	int fds[3] = { -1, -1, -1 }, kept, ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fds[0] = ends[0];
	fds[2] = ends[1];
	closing = fg_closing_begin(fds, 3);
	assert_non_null(closing);
	fg_closing_end(closing);
	assert_false(is_open(ends[0]));
	assert_false(is_open(ends[1]));
	assert_true(is_open(kept));
	close(kept);
}

static void of_none_there_is_nothing_to_wait_for(void **state)
{
	(void)state;
	assert_null(fg_closing_begin(NULL, 0));
	fg_closing_end(NULL);
}

/* 0: closed without a thread, as there is no room for the stack of one. */
static int close_without_room(int fd)
{
	const struct rlimit none = { 0, 0 };
	struct fg_closing *closing;

	if (setrlimit(RLIMIT_AS, &none))
		return 1;
	closing = fg_closing_begin(&fd, 1);
	return closing ? 2 : is_open(fd) ? 3 : 0;
}

static void without_a_thread_they_are_closed_at_once(void **state)
{
	pid_t pid;
	int status = 0;

	(void)state;
	pid = fork();
	if (!pid)
		_exit(close_without_room(open("/dev/null", O_RDONLY | O_CLOEXEC)));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the C library keeps the stacks of threads that have ended. */
		cmocka_unit_test(without_a_thread_they_are_closed_at_once),
		cmocka_unit_test(they_are_closed_at_the_end),
		cmocka_unit_test(of_none_there_is_nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
