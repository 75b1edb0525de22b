// SPDX-License-Identifier: GPL-2.0-only
/*
 * podctl.c - makes pods for the tests, attaches policy programs to them, and takes all of it away.
 * See podctl --help.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/count.h"
#include "base/parse.h"
#include "podctl.h"
#include "demo/testbed.h"

int podctl_report(const struct fg_error *err)
{
	fprintf(stderr, "podctl: %s\n", err->message);
	if (err->kind == FG_ERR_USAGE)
		return 2;
	return err->kind == FG_ERR_UNSUPPORTED ? 3 : 5;
}

void podctl_refuse(struct argp_state *state, const struct fg_error *err)
{
	argp_failure(state, 2, 0, "%s", err->message);
	exit(2);
}

static int usage(const char *text)
{
	fprintf(stderr, "usage: podctl %s\n", text);
	return 2;
}

static int verb_del(int argc, char **argv)
{
	struct fg_error err;

	if (argc < 2)
		return usage("del NAME...");
	for (int i = 1; i < argc; i++)
		if (fg_testbed_netns_delete(argv[i], &err))
			return podctl_report(&err);
	return 0;
}

static int verb_seen(int argc, char **argv)
{
	uint64_t id, seen, denied;
	struct fg_error err;

	if (argc != 2)
		return usage("seen PROGRAM-ID");
	if (fg_parse_u64("program id", argv[1], 1, UINT32_MAX, &id, &err) ||
	    fg_testbed_policy_seen((uint32_t)id, &seen, &denied, &err))
		return podctl_report(&err);
	printf("%" PRIu64 " %" PRIu64 "\n", seen, denied);
	return 0;
}

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "hold", podctl_hold, "keep a node of its own until standard input ends" },
	{ "node", podctl_node, "prepare a namespace to be a node" },
	{ "up", podctl_up, "make a pod" },
	{ "attach", podctl_attach, "attach a policy program to a pod; prints its id" },
	{ "detach", podctl_detach, "take one off" },
	{ "seen", verb_seen, "print how many packets a program has seen, and denied" },
	{ "del", verb_del, "delete pods or nodes" },
	{ "can", podctl_can, "whether this kernel has something; the exit status tells" },
};

static int help(FILE *to)
{
	fputs("usage: podctl VERB [ARGUMENT...]; podctl VERB --help\n", to);
	for (size_t i = 0; i < COUNT(verbs); i++)
		fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].help);
	return to == stderr ? 2 : 0;
}

/* The error value says what failed; libbpf's own words are for a person who debugs the programs. */
static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	return getenv("PODCTL_DEBUG") ? vfprintf(stderr, fmt, args) : 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr);
	if (!strcmp(argv[1], "--help"))
		return help(stdout);
	libbpf_set_print(print_nothing);
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return help(stderr);
}
