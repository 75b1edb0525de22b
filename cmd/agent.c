// SPDX-License-Identifier: GPL-2.0-only
/* agent.c - `flowgen agent`: many requests through one pipe. */
#include "agent/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "cmd.h"

struct options {
	struct fg_agent_options agent;
};
#define FG_OPTIONS struct options

static const struct fg_option table[] = {
	FG_NUMBER("parallel", "N", agent.parallel, 1, 64, "Run this many requests at a time (8)"),
	FG_DURATION("deadline", agent.deadline_ns, 1, "End after this time"),
	FG_DURATION("idle", agent.idle_ns, 1, "End if the client says nothing for this time"),
	FG_DURATION("grace", agent.grace_ns, 1,
		    "Kill a cancelled request that has not ended after this time (2s)"),
	FG_TEXT("node", "NAME", agent.node,
		"The node's name, for the first line (FLOWGEN_NODE in the environment)"),
	FG_FLAG("hold", agent.hold, "Read nothing, and wait: the first process of a container"),
	FG_OPTION_HOST_ROOT(agent.host_root),
};

static const struct fg_verb *const allowed[] = { &fg_verb_inject, &fg_verb_run,	  &fg_verb_exec,
						 &fg_verb_pods,	  &fg_verb_check, &fg_verb_catch };

static bool has_option(const struct fg_verb *verb, const char *name)
{
	for (size_t i = 0; i < verb->option_count; i++)
		if (verb->options[i].name && !strcmp(verb->options[i].name, name))
			return true;
	return false;
}

/* What a person or a log should know of an end that nobody has asked for. */
static void tell(const struct fg_agent_outcome *outcome)
{
	static const char *const ends[] = {
		[FG_AGENT_END_DEADLINE] = "the time of --deadline is over",
		[FG_AGENT_END_IDLE] = "nothing was said for the time of --idle",
	};

	if (outcome->end < COUNT(ends) && ends[outcome->end])
		fg_cmd_tell("note", ends[outcome->end]);
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct options options = { .agent = { .version = FLOWGEN_VERSION,
					      .node = getenv("FLOWGEN_NODE"),
					      .parallel = 8,
					      .grace_ns = 2000000000ULL } };
	struct fg_agent_verb verbs[COUNT(allowed)];
	struct fg_agent_outcome outcome;
	struct fg_error err;
	int status = fg_cmd_read(verb, argc, argv, &options);

	if (status)
		return status;
	for (size_t i = 0; i < COUNT(allowed); i++)
		verbs[i] = (struct fg_agent_verb){ .name = allowed[i]->name,
						   .output = has_option(allowed[i], "output"),
						   .host_root = has_option(allowed[i], "host-root"),
						   .commands = allowed[i] == &fg_verb_exec ||
							       allowed[i] == &fg_verb_run };
	/* Its answers are as the client wants them, and not as the node does. */
	setenv("FLOWGEN_CONFIG", "", 1);
	unsetenv("FLOWGEN_OUTPUT");
	options.agent.verbs = verbs;
	options.agent.verb_count = COUNT(verbs);
	if (fg_agent_run(&options.agent, &outcome, &err))
		return fg_cmd_fail(&err);
	tell(&outcome);
	return outcome.cut_short ? fg_error_status(FG_ERR_INCONCLUSIVE) : FG_EXIT_OK;
}

const struct fg_verb fg_verb_agent = {
	.name = "agent",
	.summary = "answer requests in JSON on standard input, for other programs",
	.about = "Read requests from standard input and write answers to standard output, one JSON "
		 "object per line. Each request runs flowgen once, in a process of its own. "
		 "flowgen(8) and agent.schema.json describe the lines.",
	.end = "Exit status: 0 all requests were answered, 4 its end has cancelled some, 5 nobody "
	       "reads the answers, or internal error.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
