/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/capability.h - what this kernel and these privileges allow, found by trying it, never by
 * a version number. The same probes serve `flowgen check`, the preflight of `inject`, and
 * the tests that are skipped.
 *
 * A probe leaves nothing behind: what it makes belongs to descriptors or to an unnamed namespace,
 * and both are gone when it returns. (A kernel may load its own module for a kind
 * of device, as it would for the first user.)
 */
#ifndef FG_CAPABILITY_H
#define FG_CAPABILITY_H

#include <stdbool.h>

#include "base/error.h"
#include "probe/probe.h"

enum fg_feature {
	/* Privileges, as the kernel checks them: held, and in the first user namespace. */
	FG_FEATURE_CAP_SYS_ADMIN,
	FG_FEATURE_CAP_NET_ADMIN,
	FG_FEATURE_CAP_NET_RAW,
	FG_FEATURE_CAP_BPF,	/* CAP_SYS_ADMIN includes it */
	FG_FEATURE_CAP_PERFMON, /* CAP_SYS_ADMIN includes it */
	FG_FEATURE_CAP_SYS_PTRACE,
	FG_FEATURE_CAP_DAC_READ_SEARCH,
	/* The kernel. */
	FG_FEATURE_BTF,
	FG_FEATURE_RING_BUFFER,
	FG_FEATURE_PROBE_READ,
	FG_FEATURE_TP_BTF,
	FG_FEATURE_SYSCALL_PROGRAM,
	FG_FEATURE_AF_PACKET,
	FG_FEATURE_REDIRECT_PEER, /* bpf_redirect_peer(ifindex, 0) */
	FG_FEATURE_EGRESS_FLAG,	  /* bpf_redirect_peer(ifindex, BPF_F_EGRESS) */
	FG_FEATURE_NETKIT,
	FG_FEATURE_VETH,
	FG_FEATURE_TCX,
	FG_FEATURE_CLSACT,
	FG_FEATURE_XDP,
	FG_FEATURE_FEXIT,
	FG_FEATURE_RUN_STATS,
	FG_FEATURE_CGROUP_SKB,
	FG_FEATURE_OTHER_NETNS, /* namespaces of processes that are not ours */
	FG_FEATURE_SECCOMP,	/* flowgen's own confinement */
	FG_FEATURES
};
#define FG_FEATURE_PRIVILEGES FG_FEATURE_BTF /* the features before it are privileges */

const char *fg_capability_feature_name(enum fg_feature feature); /* "netkit", "CAP_NET_RAW" */
const char *fg_capability_feature_need(enum fg_feature feature); /* what flowgen needs it for */

/*
 * Tries one feature. Returns 0 if it works, or -1 with FG_ERR_UNSUPPORTED (what was tried, and
 * the kernel's answer). err may be NULL. Costs, for what `inject` asks before it sends: a privilege
 * or FG_FEATURE_BTF some microseconds, FG_FEATURE_EGRESS_FLAG the load and one run of six
 * instructions. The devices and hooks cost a namespace each, fexit and tp_btf an RCU grace period.
 */
int fg_capability_feature_probe(enum fg_feature feature, struct fg_error *err);

/* One feature, tried. */
struct fg_capability {
	const char *name;
	const char *need;
	bool works;
	char why[256]; /* why not; empty if it works */
};

/* A way onto the pod's egress path. */
struct fg_method_support {
	enum fg_method method;
	bool works;
	char missing[256]; /* "BPF_F_EGRESS, netkit or veth"; empty if it works */
};
#define FG_METHODS 4 /* without auto */

struct fg_capabilities {
	struct fg_capability list[FG_FEATURES];
	struct fg_method_support methods[FG_METHODS];
};

/* Tries all features, and works out the methods. Takes some tens of milliseconds. */
void fg_capability_probe(struct fg_capabilities *out);

/*
 * The kernel's lockdown mode, "integrity" or "confidentiality"; NULL: none, or it cannot be read.
 * Confidentiality keeps BPF programs from reading kernel memory. (security/lockdown/lockdown.c)
 */
const char *fg_capability_lockdown(char *buf, size_t size);

/* Whether at least one method works. */
bool fg_capability_any_method(const struct fg_capabilities *all);

/*
 * What every injection needs, checked before anything is made: privileges and kernel BTF. Takes
 * well under a millisecond. Returns 0, or -1 with FG_ERR_UNSUPPORTED, which names each privilege
 * that is missing and what it is for.
 */
int fg_capability_preflight(struct fg_error *err);

#endif
