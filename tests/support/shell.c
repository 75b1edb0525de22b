// SPDX-License-Identifier: GPL-2.0-only
#include "shell.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void child(int netns, const char *text, int quiet)
{
	int null = open("/dev/null", O_RDWR);

	if ((netns >= 0 && setns(netns, CLONE_NEWNET)) || null < 0)
		_exit(126);
	dup2(null, STDIN_FILENO);
	/* Standard output is the test's results. */
	dup2(quiet ? null : STDERR_FILENO, STDOUT_FILENO);
	if (quiet)
		dup2(null, STDERR_FILENO);
	execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

static int run(int netns, const char *text, int quiet)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child(netns, text, quiet);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define FORMATTED(text, fmt)                                                                       \
	do {                                                                                       \
		va_list ap_;                                                                       \
		va_start(ap_, fmt);                                                                \
		vsnprintf(text, sizeof(text), fmt, ap_);                                           \
		va_end(ap_);                                                                       \
	} while (0)

int shell_run(int netns, const char *fmt, ...)
{
	char text[2048];

	FORMATTED(text, fmt);
	return run(netns, text, 0);
}

int shell_try(int netns, const char *fmt, ...)
{
	char text[2048];

	FORMATTED(text, fmt);
	return run(netns, text, 1);
}
