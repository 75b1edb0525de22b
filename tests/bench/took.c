// SPDX-License-Identifier: GPL-2.0-only
/*
 * took.c - took FILE COMMAND...: runs the command, and adds a line to FILE: its seconds, its
 * seconds of processor time (with those of its children that it waited for), and its peak memory in
 * MiB. The exit status is the command's.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	uint64_t start = fg_clock_now();
	struct rusage usage;
	int status, ret;
	FILE *to;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: took FILE COMMAND...\n");
		return 2;
	}
	ret = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (ret) {
		fprintf(stderr, "took: %s: %s\n", argv[2], strerror(ret));
		return 127;
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return 1;
	start = fg_clock_now() - start;
	to = fopen(argv[1], "ae");
	if (!to ||
	    fprintf(to, "%.6f %.6f %.1f\n", (double)start / 1e9,
		    seconds(&usage.ru_utime) + seconds(&usage.ru_stime),
		    (double)usage.ru_maxrss / 1024) < 0 ||
	    fclose(to)) {
		perror(argv[1]);
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
