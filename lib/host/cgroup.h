/* SPDX-License-Identifier: GPL-2.0-only */
/* host/cgroup.h - the root of the cgroup v2 hierarchy. */
#ifndef FG_CGROUP_H
#define FG_CGROUP_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Opens the hierarchy at its root, or as much of it as is visible from here. Returns an owned
 * descriptor, or -1 with FG_ERR_UNSUPPORTED if there is none. In a cgroup namespace of its own
 * that is only a part of the host's.
 */
int fg_cgroup_open_root(struct fg_error *err);

/* Whether it is the first cgroup of all, and not a part of the hierarchy. */
bool fg_cgroup_is_root(int fd);

#endif
