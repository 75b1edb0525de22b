// SPDX-License-Identifier: GPL-2.0-only
/* main.c - picks the verb. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/buffer.h"
#include "base/count.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/nearest.h"
#include "cmd.h"
#include "output.h"
#include "timing/timing.h"

static const struct fg_verb *const verbs[] = {
	&fg_verb_inject, &fg_verb_catch, &fg_verb_run,	&fg_verb_diff,	&fg_verb_pods,
	&fg_verb_check,	 &fg_verb_demo,	 &fg_verb_exec, &fg_verb_agent, &fg_verb_kube,
};
#define VERBS COUNT(verbs)

/* What is printed through here goes to standard output, which is data. Frees it. */
static int print(struct fg_buffer *out)
{
	struct fg_error err;
	int failed = fg_output_write(out->data, out->len, &err) || fg_output_flush(&err);

	fg_buffer_free(out);
	return failed ? fg_cmd_fail(&err) : FG_EXIT_OK;
}

/* All tables of options, for tests/lint/options. No help lists it. */
static int dump_options(void)
{
	struct fg_buffer out = {};

	for (size_t i = 0; i < VERBS; i++)
		fg_options_dump(verbs[i], &out);
	return print(&out);
}

static const struct fg_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(name, verbs[i]->name))
			return verbs[i];
	return NULL;
}

static int unknown_verb(const char *text)
{
	const char *nearest = fg_nearest(text, fg_option_verbs, VERBS);
	struct fg_error err;

	fg_fail(&err, FG_ERR_USAGE, text[0] == '-' ? "no option '%s'" : "no verb '%s'", text);
	if (nearest)
		fg_hint(&err, "did you mean '%s'? See flowgen --help", nearest);
	else
		fg_hint(&err, "see flowgen --help");
	return fg_cmd_fail(&err);
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

static int refuse_word(const char *word, const char *hint)
{
	struct fg_error err;

	fg_fail(&err, FG_ERR_USAGE, "unexpected argument '%s'", word);
	fg_hint(&err, "%s", hint);
	return fg_cmd_fail(&err);
}

/* `kubectl flowgen help [VERB [all]]`. */
static int plugin_help(int argc, char **argv)
{
	int status;

	if (argc == 1)
		return fg_cmd_help(&fg_verb_kube, FG_OPTION_HELP_COMMON);
	if (argc > 3 || (argc == 3 && !strstr(argv[2], "all")))
		return refuse_word(argv[argc > 3 ? 3 : 2],
				   "kubectl flowgen help VERB, or VERB all");
	status = fg_kube_help(argv[1], argc == 3);
	return status < 0 ? unknown_verb(argv[1]) : status;
}

/* `flowgen help [VERB [all]]`, and the same as options. */
static int help(int argc, char **argv)
{
	const struct fg_verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
	struct fg_buffer out = {};

	if (argc > 3 || (verb && argc == 3 && !strstr(argv[2], "all")))
		return refuse_word(argv[argc > 3 ? 3 : 2],
				   "flowgen help VERB, or flowgen help VERB all");
	if (verb)
		return fg_cmd_help(verb, argc > 2 && strstr(argv[2], "all")
						 ? FG_OPTION_HELP_ALL
						 : FG_OPTION_HELP_COMMON);
	if (argc > 1 && !is_one_of(argv[1], "help", "--help", "-h"))
		return unknown_verb(argv[1]);
	fg_option_verbs_put(verbs, VERBS, &out);
	return print(&out);
}

static int no_verb(void)
{
	struct fg_buffer out = {};

	fg_option_verbs_put(verbs, VERBS, &out);
	fprintf(stderr, "%.*s\nflowgen: no verb given\n", (int)out.len, out.data);
	fg_buffer_free(&out);
	return fg_error_status(FG_ERR_USAGE);
}

static int version(void)
{
	struct fg_buffer out = {};

	fg_buffer_puts(&out, "flowgen " FLOWGEN_VERSION "\n");
	return print(&out);
}

/*
 * A descriptor below 3 that the caller closed would go to the next file opened, a BPF map perhaps,
 * and be written to. What stands in for it refuses to be used, so that output that goes nowhere is
 * an error and not a success.
 */
static void fill_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			_exit(fg_error_status(FG_ERR_INTERNAL));
}

/* What argp prints for --help goes past output.c: a write that failed shows at the end. */
static void close_stdout(void)
{
	if (!fclose(stdout))
		return;
	fprintf(stderr, "flowgen: standard output: %s\n", strerror(errno));
	_exit(fg_error_status(FG_ERR_INTERNAL));
}

/* The error value says what failed; libbpf's own words are for a person who debugs the programs. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	return getenv("FLOWGEN_DEBUG") ? vfprintf(stderr, fmt, args) : 0;
}

static int run_verb(const struct fg_verb *verb, int argc, char **argv)
{
	static char name[64]; /* the verb keeps it in argv */

	snprintf(name, sizeof(name), "flowgen %s", verb->name);
	argv[0] = name;
	return verb->run(verb, argc, argv);
}

/* kubectl finds its plugins by their names on PATH. */
static bool is_plugin(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, "kubectl-flowgen");
}

int main(int argc, char **argv)
{
	const struct fg_verb *verb;

	fg_timing_start();
	fill_standard_fds();
	fg_fd_raise_limit();
	atexit(close_stdout);
	/* No reader any more, or no room in the file: an error of the write, not the end of the
	 * process. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	fg_json_careful();
	libbpf_set_print(print_libbpf);
	/* `kubectl flowgen help` and `version` are those of flowgen kube and of flowgen. */
	if (argc > 1 && is_plugin(argv[0]) && !strcmp(argv[1], "help"))
		return plugin_help(argc - 1, argv + 1);
	if (argc && is_plugin(argv[0]) &&
	    !(argc == 2 && is_one_of(argv[1], "version", "--version", "-V")))
		return run_verb(&fg_verb_kube, argc, argv);
	if (argc < 2)
		return no_verb();
	if (is_one_of(argv[1], "help", "--help", "-h"))
		return help(argc - 1, argv + 1);
	if (is_one_of(argv[1], "version", "--version", "-V"))
		return version();
	if (!strcmp(argv[1], "--dump-options"))
		return dump_options();
	verb = find_verb(argv[1]);
	return verb ? run_verb(verb, argc - 1, argv + 1) : unknown_verb(argv[1]);
}
