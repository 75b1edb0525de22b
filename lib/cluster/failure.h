/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/failure.h - what went wrong in a cluster, as one clear line: from the words of kubectl,
 * and from the status of a pod that does not start. Pure.
 */
#ifndef FG_CLUSTER_FAILURE_H
#define FG_CLUSTER_FAILURE_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Reads what kubectl wrote to standard error when it failed. what: what was asked for, such as
 * "pods of shop". Fills err (FG_ERR_UNSUPPORTED; code ENOENT if the object is not there, EACCES
 * if a right is missing) and returns -1.
 */
int fg_failure_read(const char *what, const char *text, size_t len, struct fg_error *err);

enum fg_start { FG_START_WAITING, FG_START_READY, FG_START_FAILED };

/*
 * How far a pod (a v1.Pod of the API) has come. Fills err if it failed, and, with what it waits
 * for, if it waits.
 */
enum fg_start fg_failure_start(const json_t *pod, struct fg_error *err);

#endif
