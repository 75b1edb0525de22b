/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node/hooks.h - asks the kernel what is attached to the netfilter hooks (facts/hooks.h has the
 * values).
 */
#ifndef FG_HOOKS_H
#define FG_HOOKS_H

#include "base/error.h"
#include "net/rtnl.h"
#include "facts/hooks.h"

/*
 * The hooks of the namespace of netns (a descriptor): ip, ip6 and bridge, and those of devices that
 * chains of nf_tables hook in at. flowgen's own tables are left out. By nfnetlink_hook
 * (Linux 5.14); a kernel without it is asked for chains, tables of iptables-legacy, BPF links and
 * IPVS instead (hooks->whole). A module that is not loaded is not loaded for it, but nfnetlink_hook
 * itself.
 */
int fg_hooks_list(int netns, struct fg_hooks *out, struct fg_error *err);

/*
 * Adds what else is attached to ingress and egress of a device, which only nfnetlink_hook tells:
 * BPF programs, flowtables. Returns 0 or -1.
 */
int fg_hooks_list_device(int netns, const char *device, struct fg_hooks *hooks,
			 struct fg_error *err);

/*
 * One message of an answer of nfnetlink_hook, about this family; or of a list of chains. For tests:
 * what it came in is not trusted. Returns 0, or -1 without memory.
 */
int fg_hooks_read(const struct nlmsghdr *nlh, uint8_t family, struct fg_hooks *out);

#endif
