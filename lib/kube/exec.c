// SPDX-License-Identifier: GPL-2.0-only
/* exec.c - `flowgen kube exec`: the command runs in the agent's pod, with this terminal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "kube/internal.h"

#define WHAT "exec"

static int find_pod(struct fg_job *job, const struct fg_name *name, struct fg_resolve_pods *pods,
		    struct fg_error *err)
{
	const struct fg_resolve r = { .objects = &job->objects,
				      .namespace = job->namespace,
				      .domain = job->kube->domain };

	if (fg_gather_add(&job->gather, name, job->namespace, job->namespace, job->kube->domain,
			  err) ||
	    fg_job_gather(job, err) || fg_resolve_sources(&r, name, pods, err))
		return -1;
	if (pods->count == 1)
		return 0;
	return fg_fail(err, FG_ERR_USAGE, "%s: a command runs as one pod, and these are %zu",
		       name->text, pods->count);
}

static int run_command(struct fg_job *job, const struct fg_object_pod *pod, int *status,
		       struct fg_error *err)
{
	const struct fg_kube *kube = job->kube;
	const struct fg_agent *agent = &job->agents.list[0];
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	char namespace[80], name[330];
	const char *const fixed[] = { "exec",	     terminal ? "-it" : "-i",
				      namespace,     "--container=flowgen",
				      agent->pod,    "--",
				      "/flowgen",    "exec",
				      "--host-root", "/host",
				      "--pod",	     name };
	size_t count = sizeof(fixed) / sizeof(*fixed), given = 0;
	FG_FREE const char **words = NULL;

	while (kube->words[given])
		given++;
	words = calloc(count + given + 1, sizeof(*words));
	if (!words)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	snprintf(namespace, sizeof(namespace), "--namespace=%s", kube->agents.namespace);
	snprintf(name, sizeof(name), "%s/%s", pod->namespace, pod->name);
	memcpy(words, fixed, sizeof(fixed));
	memcpy(words + count, kube->words, given * sizeof(*words));
	return fg_kubectl_terminal(&kube->kubectl, words, status, err);
}

static int run(struct fg_job *job, const struct fg_name *name, int *status, struct fg_error *err)
{
	struct fg_resolve_pods pods = {};
	int ret = find_pod(job, name, &pods, err);

	if (!ret && fg_agents_need(&job->agents, pods.list[0]->node, err) < 0)
		ret = -1;
	job->agents.silent = true;
	if (!ret)
		ret = fg_agents_start(&job->agents, &job->running, err);
	if (!ret)
		ret = run_command(job, pods.list[0], status, err);
	if (!ret && job->agents.list[0].made && fg_agents_are_over(&job->agents))
		fg_job_warn(job,
			    "the agent's pod lives for %u s, which are over: if the command was "
			    "ended, see --agent-deadline",
			    job->agents.options.deadline_s);
	free(pods.list);
	return ret;
}

int fg_kube_exec(const struct fg_kube *kube, const char *pod, int *status, struct fg_error *err)
{
	struct fg_job job;
	struct fg_name name;
	int ret;

	if (fg_names_read_source("--pod", pod, &name, err))
		return -1;
	ret = fg_job_open(&job, kube, !name.namespace[0], err) || run(&job, &name, status, err) ? -1
												: 0;
	fg_job_close(&job);
	return ret;
}
