/* SPDX-License-Identifier: GPL-2.0-only */
/* cgroup.h - the root of the cgroup v2 hierarchy, wherever it is mounted. */
#ifndef FG_CGROUP_H
#define FG_CGROUP_H

#include "error.h"

/* Opens it. Returns an owned descriptor, or -1 with FG_ERR_UNSUPPORTED where none is mounted. */
int fg_cgroup_open_root(struct fg_error *err);

#endif
