// SPDX-License-Identifier: GPL-2.0-only
#include "host/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "host/confine.h"
#include "host/internal.h"
#include "probe/names.h"

/* Has a probe, or else is a Linux capability. */
struct feature {
	const char *name;
	int (*probe)(struct fg_error *err);
	int privilege;
	bool admin_includes; /* the kernel takes CAP_SYS_ADMIN for it */
	const char *need;
};

static const struct feature features[FG_FEATURES] = {
	[FG_FEATURE_CAP_SYS_ADMIN] = { "CAP_SYS_ADMIN", NULL, CAP_SYS_ADMIN, false,
				       "look at other BPF programs, enter and make network "
				       "namespaces" },
	[FG_FEATURE_CAP_NET_ADMIN] = { "CAP_NET_ADMIN", NULL, CAP_NET_ADMIN, false,
				       "make flowgen's own devices, attach programs to them" },
	[FG_FEATURE_CAP_NET_RAW] = { "CAP_NET_RAW", NULL, CAP_NET_RAW, false,
				     "write frames through packet sockets" },
	[FG_FEATURE_CAP_BPF] = { "CAP_BPF", NULL, CAP_BPF, true,
				 "load BPF programs (CAP_SYS_ADMIN includes it)" },
	[FG_FEATURE_CAP_PERFMON] = { "CAP_PERFMON", NULL, CAP_PERFMON, true,
				     "load observers (CAP_SYS_ADMIN includes it)" },
	[FG_FEATURE_CAP_SYS_PTRACE] = { "CAP_SYS_PTRACE", NULL, CAP_SYS_PTRACE, false,
					"find pods and destinations by their processes" },
	[FG_FEATURE_CAP_DAC_READ_SEARCH] = { "CAP_DAC_READ_SEARCH", NULL, CAP_DAC_READ_SEARCH,
					     false,
					     "read runtimes' files in other users' directories" },
	[FG_FEATURE_BTF] = { "btf", fg_capability_probe_btf, 0, false,
			     "find the kernel's fields and tracepoints, name drop reasons" },
	[FG_FEATURE_RING_BUFFER] = { "ring_buffer", fg_capability_probe_ring_buffer, 0, false,
				     "report events in order, and count lost ones" },
	[FG_FEATURE_PROBE_READ] = { "probe_read", fg_capability_probe_probe_read, 0, false,
				    "follow the packet in kernel memory" },
	[FG_FEATURE_TP_BTF] = { "tp_btf", fg_capability_probe_tp_btf, 0, false,
				"observe the packet's path and why it is dropped" },
	[FG_FEATURE_SYSCALL_PROGRAM] = { "syscall_program", fg_capability_probe_syscall_program, 0,
					 false,
					 "learn the kernel's layout, name the place of a drop" },
	[FG_FEATURE_AF_PACKET] = { "af_packet", fg_capability_probe_af_packet, 0, false,
				   "write frames" },
	[FG_FEATURE_REDIRECT_PEER] = { "redirect_peer", fg_capability_probe_redirect_peer, 0, false,
				       "put a packet into a pod's device from outside, so that it "
				       "leaves it again" },
	[FG_FEATURE_EGRESS_FLAG] = { "BPF_F_EGRESS", fg_capability_probe_egress_flag, 0, false,
				     "put a packet on a pod's egress path from outside" },
	[FG_FEATURE_NETKIT] = { "netkit", fg_capability_probe_netkit, 0, false,
				"make flowgen's own pair of devices; inject into pods on netkit" },
	[FG_FEATURE_VETH] = { "veth", fg_capability_probe_veth, 0, false,
			      "make that pair where netkit is missing; inject into pods on veth" },
	[FG_FEATURE_TCX] = { "tcx", fg_capability_probe_tcx, 0, false,
			     "attach the inject program to a veth pair; list policy programs "
			     "there" },
	[FG_FEATURE_CLSACT] = { "clsact", fg_capability_probe_clsact, 0, false,
				"attach the inject program where tcx is missing; list policy "
				"programs there" },
	[FG_FEATURE_XDP] = { "xdp", fg_capability_probe_xdp, 0, false,
			     "list policy programs there" },
	[FG_FEATURE_FEXIT] = { "fexit", fg_capability_probe_fexit, 0, false,
			       "see each policy program's return value (best evidence)" },
	[FG_FEATURE_RUN_STATS] = { "run_stats", fg_capability_probe_run_stats, 0, false,
				   "see that a policy program ran (where fexit is refused)" },
	[FG_FEATURE_CGROUP_SKB] = { "cgroup_skb", fg_capability_probe_cgroup_skb, 0, false,
				    "see a packet handed to a socket" },
	[FG_FEATURE_OTHER_NETNS] = { "other_netns", fg_capability_probe_other_netns, 0, false,
				     "find pods by their processes; without it only by name" },
	[FG_FEATURE_SECCOMP] = { "seccomp", fg_confine_probe, 0, false,
				 "give up system calls that flowgen does not need" },
};

#define BIT(feature) (UINT32_C(1) << FG_FEATURE_##feature)
_Static_assert(FG_FEATURES <= 32, "a requirement is a mask of features");

#define PRIVILEGES (BIT(BTF) - 1)

/*
 * Each requirement is a set of features, one of which is enough; a method needs all of its
 * requirements. Privileges go first.
 */
#define EVERY_METHOD                                                                               \
	BIT(CAP_SYS_ADMIN), BIT(CAP_NET_ADMIN), BIT(CAP_NET_RAW), BIT(CAP_BPF), BIT(CAP_PERFMON),  \
		BIT(CAP_SYS_PTRACE), BIT(BTF), BIT(RING_BUFFER), BIT(PROBE_READ), BIT(TP_BTF),     \
		BIT(SYSCALL_PROGRAM), BIT(AF_PACKET)
#define OWN_PAIR BIT(NETKIT) | BIT(VETH), BIT(NETKIT) | BIT(TCX) | BIT(CLSACT)
#define REQUIREMENTS_MAX 16

static const struct {
	enum fg_method method;
	uint32_t needs[REQUIREMENTS_MAX]; /* 0 ends the list */
} methods[FG_METHODS] = {
	{ FG_METHOD_PEER_EGRESS, { EVERY_METHOD, OWN_PAIR, BIT(EGRESS_FLAG) } },
	{ FG_METHOD_BOUNCE, { EVERY_METHOD, BIT(VETH), BIT(TCX), BIT(REDIRECT_PEER) } },
	{ FG_METHOD_HOST_INGRESS, { EVERY_METHOD, OWN_PAIR } },
	{ FG_METHOD_POD_SOCKET, { EVERY_METHOD } },
};

const char *fg_capability_feature_name(enum fg_feature feature)
{
	return features[feature].name;
}

const char *fg_capability_feature_need(enum fg_feature feature)
{
	return features[feature].need;
}

static int probe_feature(const struct feature *f, struct fg_error *err)
{
	if (f->probe)
		return f->probe(err);
	if (f->admin_includes && !fg_capability_probe_privilege(CAP_SYS_ADMIN, NULL))
		return 0;
	return fg_capability_probe_privilege(f->privilege, err);
}

int fg_capability_feature_probe(enum fg_feature feature, struct fg_error *err)
{
	int ret = probe_feature(&features[feature], err);

	/* Whatever went wrong on the way: the host cannot do it. */
	if (ret && err)
		err->kind = FG_ERR_UNSUPPORTED;
	return ret;
}

static void append(char *text, size_t size, const char *separator, const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s", len ? separator : "", more);
}

/* Adds "netkit or veth" to what is missing. */
static void append_alternatives(struct fg_method_support *m, uint32_t need)
{
	char text[sizeof(m->missing)] = "";

	for (int i = 0; i < FG_FEATURES; i++)
		if (need & UINT32_C(1) << i)
			append(text, sizeof(text), " or ", features[i].name);
	append(m->missing, sizeof(m->missing), ", ", text);
}

/* What was found, as masks of features. */
struct findings {
	uint32_t works;
	uint32_t denied; /* the kernel forbade the attempt */
};

static void judge_method(struct fg_method_support *m, const uint32_t *needs,
			 const struct findings *found)
{
	bool privileged = true;

	m->works = true;
	for (const uint32_t *need = needs; *need; need++) {
		if (found->works & *need)
			continue;
		m->works = false;
		/*
		 * If a privilege is missing, what was forbidden for lack of it may yet be there.
		 */
		if (*need & PRIVILEGES)
			privileged = false;
		else if (!privileged && found->denied & *need)
			continue;
		append_alternatives(m, *need);
	}
}

static void probe_all(struct fg_capabilities *out, struct findings *found)
{
	for (int i = 0; i < FG_FEATURES; i++) {
		struct fg_capability *c = &out->list[i];
		struct fg_error err;

		c->name = features[i].name;
		c->need = features[i].need;
		c->works = !fg_capability_feature_probe((enum fg_feature)i, &err);
		if (c->works) {
			found->works |= UINT32_C(1) << i;
			continue;
		}
		snprintf(c->why, sizeof(c->why), "%s", err.message);
		if (err.code == EPERM || err.code == EACCES)
			found->denied |= UINT32_C(1) << i;
	}
}

void fg_capability_probe(struct fg_capabilities *out)
{
	struct findings found = {};

	*out = (struct fg_capabilities){};
	probe_all(out, &found);
	for (size_t i = 0; i < COUNT(methods); i++) {
		out->methods[i].method = methods[i].method;
		judge_method(&out->methods[i], methods[i].needs, &found);
	}
}

const char *fg_capability_lockdown(char *buf, size_t size)
{
	FG_FILE FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[80] = "", *mode;

	/* "none [integrity] confidentiality": the mode in force is in brackets. */
	if (!file || !fgets(line, sizeof(line), file) || !(mode = strchr(line, '[')))
		return NULL;
	mode++;
	mode[strcspn(mode, "]")] = '\0';
	snprintf(buf, size, "%s", mode);
	return strcmp(buf, "none") ? buf : NULL;
}

bool fg_capability_any_method(const struct fg_capabilities *all)
{
	for (size_t i = 0; i < COUNT(all->methods); i++)
		if (all->methods[i].works)
			return true;
	return false;
}

int fg_capability_preflight(struct fg_error *err)
{
	static const enum fg_feature needed[] = {
		FG_FEATURE_CAP_SYS_ADMIN, FG_FEATURE_CAP_NET_ADMIN, FG_FEATURE_CAP_NET_RAW,
		FG_FEATURE_CAP_BPF,	  FG_FEATURE_CAP_PERFMON,   FG_FEATURE_CAP_SYS_PTRACE
	};
	char missing[400] = "", one[160];
	struct fg_error why;

	for (size_t i = 0; i < COUNT(needed); i++) {
		if (!fg_capability_feature_probe(needed[i], &why))
			continue;
		snprintf(one, sizeof(one), "%s to %s", features[needed[i]].name,
			 features[needed[i]].need);
		append(missing, sizeof(missing), "; ", one);
	}
	if (missing[0]) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "missing privileges: %s", missing);
		return fg_hint(err,
			       "run as root of the host, or give the container these capabilities");
	}
	if (fg_capability_feature_probe(FG_FEATURE_BTF, err)) {
		fg_error_prefix(err, "this kernel does not describe its types");
		return fg_hint(err, "it needs CONFIG_DEBUG_INFO_BTF");
	}
	return 0;
}
