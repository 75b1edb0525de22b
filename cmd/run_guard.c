// SPDX-License-Identifier: GPL-2.0-only
/*
 * run_guard.c - keeps the probes of a run away from the pods' own connections. Only sockets are asked: whatever a pod is sending
 * has one, and what connection tracking still holds of the same scenario a minute ago must not stop it now.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "run_loop.h"

static struct fg_guard *guard_of(struct fg_runner *run, int pod, struct fg_error *err)
{
	size_t index = (size_t)pod;

	if (index >= run->guard_count) {
		struct fg_guard **grown =
			reallocarray(run->guards, index + 1, sizeof(struct fg_guard *));

		if (!grown) {
			fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "guards");
			return NULL;
		}
		run->guards = grown;
		while (run->guard_count <= index)
			grown[run->guard_count++] = NULL;
	}
	if (!run->guards[index])
		run->guards[index] =
			fg_guard_open(fg_session_pod(run->session, pod), UINT64_MAX, false, err);
	return run->guards[index];
}

int fg_run_admit(struct fg_runner *run, struct fg_run_entry *entry, const struct fg_plan *plan,
		 struct fg_probe_spec *spec, struct fg_error *err)
{
	struct fg_guard *guard = guard_of(run, spec->pod, err);
	struct fg_error cause;

	if (!guard)
		return -1;
	if (!fg_guard_admit(guard, plan, spec, &cause))
		return 0;
	if (cause.kind != FG_ERR_USAGE) {
		*err = cause;
		return -1;
	}
	if (run->options->force) {
		if (!run->unruly)
			fprintf(stderr, "flowgen: warning: %s\n", cause.message);
		run->unruly = true;
		return 0;
	}
	snprintf(entry->in_use, sizeof(entry->in_use), "%.290s (%.60s)", cause.message, cause.hint);
	entry->why = entry->in_use;
	return 1;
}

void fg_run_guards_close(struct fg_runner *run)
{
	for (size_t i = 0; i < run->guard_count; i++)
		fg_guard_close(run->guards[i]);
	free(run->guards);
	run->guards = NULL;
	run->guard_count = 0;
}
