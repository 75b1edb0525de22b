/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * survey/survey.h - what is on this host, without a probe: its pods, with the programs on the way
 * from and to them (`flowgen pods`), and what its kernel allows (`flowgen check`).
 */
#ifndef FG_SURVEY_H
#define FG_SURVEY_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "host/capability.h"
#include "host/host.h"
#include "listing/pods.h"

/* Who is told of the pods. */
struct fg_survey {
	/* One pod; what entry has is borrowed until the return. Returns 0 or -1. */
	int (*put)(void *arg, const struct fg_pods_entry *entry, struct fg_error *err);
	void (*warn)(const char *text);
	void *arg;
};

/*
 * Looks at all pods of the host, one after the other. A pod that cannot be a source is told of with
 * the reason. denied: kind is FG_OK, unless there are pods and privileges are missing to look at
 * any of them; then it is why. Returns 0, or -1.
 */
int fg_survey_pods(const struct fg_survey *survey, struct fg_host *host, struct fg_error *denied,
		   struct fg_error *err);

/*
 * Appends what was probed of the kernel, and what else on this node decides about packets: one line
 * of JSON (doc/check.schema.json), or text. Returns 0, or -1 if memory is short.
 */
int fg_survey_check(const struct fg_capabilities *all, bool json, struct fg_buffer *out,
		    struct fg_error *err);

#endif
