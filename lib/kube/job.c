// SPDX-License-Identifier: GPL-2.0-only
#include "base/visible.h"
#include "kube/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int fg_job_open(struct fg_job *job, const struct fg_kube *kube, bool namespaced,
		struct fg_error *err)
{
	*job = (struct fg_job){ .kube = kube };
	job->agents.kubectl = &kube->kubectl;
	job->agents.options = kube->agents;
	job->client.agents = &job->agents;
	job->client.parallel = kube->parallel;
	snprintf(job->namespace, sizeof(job->namespace), "%s", kube->namespace ?: "");
	if (!namespaced || job->namespace[0])
		return 0;
	return fg_gather_namespace(&kube->kubectl, job->namespace, sizeof(job->namespace), err);
}

int fg_job_gather(struct fg_job *job, struct fg_error *err)
{
	if (fg_gather_list(&job->gather, "pods", job->kube->agents.namespace, FG_AGENTS_LABEL,
			   &job->running, err))
		return -1;
	return fg_gather_run(&job->gather, &job->kube->kubectl, &job->objects, err);
}

int fg_job_run(struct fg_job *job, struct fg_error *err)
{
	if (fg_agents_start(&job->agents, &job->running, err))
		return -1;
	return fg_client_run(&job->client, err);
}

int fg_job_seed(uint64_t *seed, struct fg_error *err)
{
	if (getrandom(seed, sizeof(*seed), 0) == sizeof(*seed))
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
}

void fg_job_conclude(struct fg_job *job, int status)
{
	static const int worst_first[] = { 5, 2, 1, 4, 3 };

	for (size_t i = 0; i < sizeof(worst_first) / sizeof(*worst_first); i++) {
		if (job->status == worst_first[i])
			return;
		if (status == worst_first[i]) {
			job->status = status;
			return;
		}
	}
	/* Of a request: any other is flowgen's only if it was ended from outside. */
	if (status && !job->status)
		job->status = 5;
}

void fg_job_lose(struct fg_job *job, const struct fg_error *why)
{
	fg_job_warn(job, "%s%s%s%s", why->message, why->hint[0] ? " (" : "", why->hint,
		    why->hint[0] ? ")" : "");
	fg_job_conclude(job, 4);
}

void fg_job_close(struct fg_job *job)
{
	struct fg_error err;

	fg_client_free(&job->client);
	if (fg_agents_close(&job->agents, &err))
		fg_job_warn(job, "%s (%s)", err.message, err.hint);
	fg_gather_free(&job->gather);
	fg_objects_free(&job->objects);
	fg_objects_free(&job->running);
}

void fg_job_warn(const struct fg_job *job, const char *fmt, ...)
{
	char text[900];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	job->kube->warn(text);
}

void fg_job_say(const struct fg_job *job, const char *node, const char *message)
{
	char text[900];

	if (!strncmp(message, "flowgen: ", 9))
		message += 9;
	snprintf(text, sizeof(text), "node %s: %s", node, message);
	fg_visible_make(text);
	job->kube->say(text);
}

int fg_job_write(const struct fg_job *job, const struct fg_buffer *text, struct fg_error *err)
{
	FILE *out = job->kube->out;

	if (text->failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "standard output");
	if (fwrite(text->data, 1, text->len, out) == text->len && !fflush(out))
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "standard output");
}
