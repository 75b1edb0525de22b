// SPDX-License-Identifier: GPL-2.0-only
/* main.c - picks the verb, and maps errors to exit statuses. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cmd.h"
#include "output.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "inject", fg_cmd_inject,
	  "send packets as a pod, and say what became of them and who decided" },
	{ "catch", fg_cmd_catch, "report probes where they arrive, and keep them from that pod" },
	{ "run", fg_cmd_run, "send the probes of scenario files, and say what is not as expected" },
	{ "diff", fg_cmd_diff, "say which verdicts differ between two runs" },
	{ "pods", fg_cmd_pods,
	  "list the pods of this host and the programs on their egress paths" },
	{ "check", fg_cmd_check, "say what this kernel and these privileges allow" },
	{ "demo", fg_cmd_demo, "show it on pods of its own" },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int fg_cmd_status(enum fg_error_kind kind)
{
	static const int status[] = { [FG_OK] = 0,
				      [FG_ERR_USAGE] = 2,
				      [FG_ERR_UNSUPPORTED] = 3,
				      [FG_ERR_INCONCLUSIVE] = 4,
				      [FG_ERR_INTERNAL] = 5 };

	return status[kind];
}

int fg_cmd_fail(const struct fg_error *err)
{
	if (err->hint[0])
		fprintf(stderr, "flowgen: %s (%s)\n", err->message, err->hint);
	else
		fprintf(stderr, "flowgen: %s\n", err->message);
	return fg_cmd_status(err->kind);
}

static int print_help(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct fg_error err;
	int failed;

	if (!out)
		return fg_cmd_status(FG_ERR_INTERNAL);
	fputs("Usage: flowgen VERB [OPTION...]\n"
	      "Ask the kernel what would happen to a packet that a pod sent now, and who decides.\n\n",
	      out);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].help);
	fputs("\nflowgen VERB --help lists the options of a verb, flowgen --version prints the version.\n"
	      "Exit status: 0 concluded, 1 not as expected, 2 wrong usage or input, 3 not possible on this\n"
	      "host or pod, 4 inconclusive, 5 internal error. See flowgen(8).\n",
	      out);
	fclose(out);
	failed = fg_output_string(text, &err);
	free(text);
	return failed ? fg_cmd_fail(&err) : FG_EXIT_OK;
}

static int print_version(void)
{
	struct fg_error err;

	return fg_output_string("flowgen " FLOWGEN_VERSION "\n", &err) ? fg_cmd_fail(&err)
								       : FG_EXIT_OK;
}

static int unknown_verb(const char *text)
{
	const char *names[VERBS], *nearest;
	struct fg_error err;

	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	nearest = fg_cmd_nearest(text, names, VERBS);
	fg_fail(&err, FG_ERR_USAGE, text[0] == '-' ? "no option '%s'" : "no verb '%s'", text);
	if (nearest)
		fg_hint(&err, "did you mean '%s'? See flowgen --help", nearest);
	else
		fg_hint(&err, "see flowgen --help");
	return fg_cmd_fail(&err);
}

/*
 * A descriptor below 3 that the caller closed would go to the next file opened, a BPF map perhaps, and be written to.
 * What stands in for it refuses to be used, so that output that goes nowhere is an error and not a success.
 */
static void fill_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			_exit(fg_cmd_status(FG_ERR_INTERNAL));
}

/* What argp prints for --help goes past output.c: a write that failed shows at the end. */
static void close_stdout(void)
{
	if (!fclose(stdout))
		return;
	fprintf(stderr, "flowgen: standard output: %s\n", strerror(errno));
	_exit(fg_cmd_status(FG_ERR_INTERNAL));
}

/* The error value says what failed; libbpf's own words are for a person who debugs the programs. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	return getenv("FLOWGEN_DEBUG") ? vfprintf(stderr, fmt, args) : 0;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	static char name[64]; /* the verb keeps it in argv */

	snprintf(name, sizeof(name), "flowgen %s", verb->name);
	argv[0] = name;
	return verb->run(argc, argv);
}

int main(int argc, char **argv)
{
	fill_standard_fds();
	atexit(close_stdout);
	/* A reader that went away is an error of the write, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	libbpf_set_print(print_libbpf);
	if (argc < 2) {
		fputs("flowgen: no verb given (see flowgen --help)\n", stderr);
		return fg_cmd_status(FG_ERR_USAGE);
	}
	if (!strcmp(argv[1], "--help"))
		return print_help();
	if (!strcmp(argv[1], "--version"))
		return print_version();
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return run_verb(&verbs[i], argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}
