// SPDX-License-Identifier: GPL-2.0-only
/* verbs.c - the verbs by their names. */
#include <string.h>

#include "kube/kube.h"
#include "kubectl/line.h"

static int run_verb(const struct fg_kube *kube, const char *verb, const struct fg_kube_ends *ends,
		    int *status, struct fg_error *err)
{
	if (!strcmp(verb, "pods"))
		return fg_kube_pods(kube, status, err);
	if (!strcmp(verb, "check"))
		return fg_kube_check(kube, status, err);
	if (!strcmp(verb, "run"))
		return fg_kube_run(kube, status, err);
	if (!strcmp(verb, "catch"))
		return fg_kube_catch(kube, ends->pod, ends->dst, status, err);
	return fg_kube_inject(kube, ends->pod, ends->dst, ends->protocol, status, err);
}

int fg_kube_verb(const struct fg_kube *kube, const char *verb, const struct fg_kube_ends *ends,
		 int *status, struct fg_error *err)
{
	const bool podless = !strcmp(verb, "pods") || !strcmp(verb, "check") ||
			     !strcmp(verb, "run");
	struct fg_kube own = *kube;
	int ret;

	if (!strcmp(verb, "cleanup"))
		return fg_kube_cleanup(kube, status, err);
	if (!podless && !ends->pod)
		return fg_fail(err, FG_ERR_USAGE,
			       "no pod given (kubectl flowgen inject POD DESTINATION)");
	/* Its terminal is kubectl's own, and little else is asked. */
	if (!strcmp(verb, "exec"))
		return fg_kube_exec(kube, ends->pod, status, err);
	own.kubectl.line = fg_line_open(&kube->kubectl);
	own.kubectl.way = own.kubectl.line ? &fg_talk_over_line : NULL;
	ret = run_verb(&own, verb, ends, status, err);
	fg_line_close(own.kubectl.line);
	return ret;
}
