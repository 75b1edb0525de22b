// SPDX-License-Identifier: GPL-2.0-only
/* verbs.c - the verbs by their names. */
#include <string.h>

#include "kube/kube.h"

int fg_kube_verb(const struct fg_kube *kube, const char *verb, const struct fg_kube_ends *ends,
		 int *status, struct fg_error *err)
{
	if (!strcmp(verb, "cleanup"))
		return fg_kube_cleanup(kube, status, err);
	if (!strcmp(verb, "pods"))
		return fg_kube_pods(kube, status, err);
	if (!strcmp(verb, "check"))
		return fg_kube_check(kube, status, err);
	if (!strcmp(verb, "run"))
		return fg_kube_run(kube, status, err);
	if (!ends->pod)
		return fg_fail(err, FG_ERR_USAGE,
			       "no pod given (kubectl flowgen inject POD DESTINATION)");
	if (!strcmp(verb, "exec"))
		return fg_kube_exec(kube, ends->pod, status, err);
	if (!strcmp(verb, "catch"))
		return fg_kube_catch(kube, ends->pod, ends->dst, status, err);
	return fg_kube_inject(kube, ends->pod, ends->dst, ends->protocol, status, err);
}
