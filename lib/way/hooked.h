/* SPDX-License-Identifier: GPL-2.0-only */
/* way/hooked.h - the devices at whose own hooks (family netdev) netfilter can deny. */
#ifndef FG_WAY_HOOKED_H
#define FG_WAY_HOOKED_H

#include <stdint.h>

#include "net/rtnl.h"
#include "node/hooks.h"
#include "probe/probe.h"

/*
 * Notes those of a namespace (inode number; rtnl: a socket in it) by its hooks as they were listed,
 * in place of what was noted of it before. Returns whether there are any; UNKNOWN, and none is
 * noted, if that cannot be found out.
 */
enum fg_presence fg_hooked_note(struct fg_hooked *hooked, struct nl_sock *rtnl, uint32_t netns,
				const struct fg_hooks *hooks);

void fg_hooked_free(struct fg_hooked *hooked);

#endif
