// SPDX-License-Identifier: GPL-2.0-only
/* cleanup.c - `flowgen kube cleanup`. */
#include "kube/internal.h"

int fg_kube_cleanup(const struct fg_kube *kube, int *status, struct fg_error *err)
{
	struct fg_job job = { .kube = kube };
	struct fg_buffer said = {};
	int ret = fg_agents_cleanup(&kube->kubectl, kube->agents.namespace, &said, err);

	if (!ret)
		ret = fg_job_write(&job, &said, err);
	fg_buffer_free(&said);
	*status = 0;
	return ret;
}
