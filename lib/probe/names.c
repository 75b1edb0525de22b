// SPDX-License-Identifier: GPL-2.0-only
#include "probe/names.h"

#include "base/count.h"
#include "base/parse.h"

static const char *const hooks[FG_HOOKS] = {
	[FG_HOOK_TCX_EGRESS] = "tcx/egress",	     [FG_HOOK_TC_EGRESS] = "tc/egress",
	[FG_HOOK_NETKIT_PEER] = "netkit/peer",	     [FG_HOOK_XDP] = "xdp",
	[FG_HOOK_TCX_INGRESS] = "tcx/ingress",	     [FG_HOOK_TC_INGRESS] = "tc/ingress",
	[FG_HOOK_NETKIT_PRIMARY] = "netkit/primary",
};

static const char *const methods[] = {
	[FG_METHOD_AUTO] = "auto",
	[FG_METHOD_PEER_EGRESS] = "peer-egress",
	[FG_METHOD_BOUNCE] = "bounce",
	[FG_METHOD_HOST_INGRESS] = "host-ingress",
	[FG_METHOD_POD_SOCKET] = "pod-socket",
};

static const char *const verdicts[] = {
	[FG_VERDICT_UNKNOWN] = "unknown", [FG_VERDICT_ALLOWED] = "allowed",
	[FG_VERDICT_DENIED] = "denied",	  [FG_VERDICT_REDIRECTED] = "redirected",
	[FG_VERDICT_NONE] = "none",
};

static const char *const outcomes[FG_OUTCOMES] = {
	[FG_OUTCOME_INCONCLUSIVE] = "inconclusive", [FG_OUTCOME_DELIVERED] = "delivered",
	[FG_OUTCOME_FORWARDED] = "forwarded",	    [FG_OUTCOME_DROPPED] = "dropped",
	[FG_OUTCOME_REJECTED] = "rejected",	    [FG_OUTCOME_REPLIED] = "replied",
	[FG_OUTCOME_NOT_SENT] = "not-sent",
};

static const char *const evidences[] = {
	[FG_EVIDENCE_NONE] = "none",
	[FG_EVIDENCE_RUN_COUNT] = "run-count",
	[FG_EVIDENCE_DROP_REASON] = "drop-reason",
	[FG_EVIDENCE_FEXIT] = "fexit",
	[FG_EVIDENCE_RUN] = "run",
};

static const char *const expects[] = {
	[FG_EXPECT_NOTHING] = "nothing",     [FG_EXPECT_ALLOW] = "allow",
	[FG_EXPECT_DENY] = "deny",	     [FG_EXPECT_DELIVERED] = "delivered",
	[FG_EXPECT_FORWARDED] = "forwarded", [FG_EXPECT_DROPPED] = "dropped",
	[FG_EXPECT_FINER] = "finer",	     [FG_EXPECT_ALLOWED] = "allowed",
	[FG_EXPECT_NOT_SENT] = "not-sent",
};

static const char *const replies[FG_REPLY_KINDS] = {
	[FG_REPLY_SYN_ACK] = "syn-ack",
	[FG_REPLY_RST] = "rst",
	[FG_REPLY_TCP] = "tcp",
	[FG_REPLY_ECHO] = "echo-reply",
	[FG_REPLY_ICMP_ERROR] = "icmp-error",
	[FG_REPLY_DNS] = "dns",
	[FG_REPLY_UDP] = "udp",
	[FG_REPLY_SCTP_INIT_ACK] = "sctp-init-ack",
	[FG_REPLY_SCTP_ABORT] = "sctp-abort",
	[FG_REPLY_SCTP] = "sctp",
	[FG_REPLY_OTHER] = "other",
};

const char *fg_hook_name(enum fg_hook hook)
{
	return hooks[hook];
}

const char *fg_side_name(enum fg_side side)
{
	return side == FG_SIDE_POD ? "pod" : "host";
}

const char *fg_method_name(enum fg_method method)
{
	return methods[method];
}

const char *fg_verdict_name(enum fg_verdict verdict)
{
	return verdicts[verdict];
}

const char *fg_outcome_name(enum fg_outcome outcome)
{
	return outcomes[outcome];
}

const char *fg_evidence_name(enum fg_evidence evidence)
{
	return evidences[evidence];
}

const char *fg_reply_name(enum fg_reply_kind kind)
{
	return replies[kind];
}

const char *fg_expect_name(enum fg_expect expect)
{
	return expects[expect];
}

const char *fg_expect_reached_name(enum fg_expect expect)
{
	return expect == FG_EXPECT_DENY	   ? "denied"
	       : expect == FG_EXPECT_ALLOW ? expects[FG_EXPECT_ALLOWED]
					   : expects[expect];
}

int fg_method_parse(const char *what, const char *text, enum fg_method *out, struct fg_error *err)
{
	int found = fg_parse_word(what, text, methods, COUNT(methods), err);

	if (found < 0)
		return -1;
	*out = (enum fg_method)found;
	return 0;
}

int fg_expect_parse(const char *what, const char *text, enum fg_expect *out, struct fg_error *err)
{
	static const char *const words[] = { "allow",	  "allowed",   "deny",	  "denied",
					     "delivered", "forwarded", "dropped", "not-sent" };
	static const enum fg_expect means[] = { FG_EXPECT_ALLOW,     FG_EXPECT_ALLOWED,
						FG_EXPECT_DENY,	     FG_EXPECT_DENY,
						FG_EXPECT_DELIVERED, FG_EXPECT_FORWARDED,
						FG_EXPECT_DROPPED,   FG_EXPECT_NOT_SENT };
	int found = fg_parse_word(what, text, words, COUNT(words), err);

	if (found < 0)
		return -1;
	*out = means[found];
	return 0;
}

struct action {
	int retval;
	enum fg_effect effect;
	const char *name;
};

/*
 * include/uapi/linux/bpf.h, enum tcx_action_base; tcx_action_code() makes NEXT of every other
 * value.
 */
static const struct action tcx_actions[] = {
	{ -1, FG_EFFECT_NEXT, "TCX_NEXT" },
	{ 0, FG_EFFECT_PASS, "TCX_PASS" },
	{ 2, FG_EFFECT_DROP, "TCX_DROP" },
	{ 7, FG_EFFECT_REDIRECT, "TCX_REDIRECT" },
};

/*
 * include/uapi/linux/pkt_cls.h; cls_bpf_exec_opcode() makes UNSPEC of every value that is not here.
 */
static const struct action tc_actions[] = {
	{ -1, FG_EFFECT_NEXT, "TC_ACT_UNSPEC" },      { 0, FG_EFFECT_PASS, "TC_ACT_OK" },
	{ 2, FG_EFFECT_DROP, "TC_ACT_SHOT" },	      { 4, FG_EFFECT_TAKEN, "TC_ACT_STOLEN" },
	{ 7, FG_EFFECT_REDIRECT, "TC_ACT_REDIRECT" }, { 8, FG_EFFECT_TAKEN, "TC_ACT_TRAP" },
};

/* include/uapi/linux/if_link.h, enum netkit_action; netkit_xmit() drops on every other value. */
static const struct action netkit_actions[] = {
	{ 2, FG_EFFECT_DROP, "NETKIT_DROP" },
	{ -1, FG_EFFECT_NEXT, "NETKIT_NEXT" },
	{ 0, FG_EFFECT_PASS, "NETKIT_PASS" },
	{ 7, FG_EFFECT_REDIRECT, "NETKIT_REDIRECT" },
};

/* include/uapi/linux/bpf.h, enum xdp_action; every other value is treated as XDP_ABORTED. */
static const struct action xdp_actions[] = {
	{ 0, FG_EFFECT_DROP, "XDP_ABORTED" },	   { 1, FG_EFFECT_DROP, "XDP_DROP" },
	{ 2, FG_EFFECT_PASS, "XDP_PASS" },	   { 3, FG_EFFECT_REDIRECT, "XDP_TX" },
	{ 4, FG_EFFECT_REDIRECT, "XDP_REDIRECT" },
};

enum fg_effect fg_action_read(enum fg_hook hook, int retval, const char **name)
{
	const struct action *table = tcx_actions;
	size_t count = COUNT(tcx_actions);

	if (hook == FG_HOOK_TC_EGRESS || hook == FG_HOOK_TC_INGRESS) {
		table = tc_actions;
		count = COUNT(tc_actions);
	} else if (hook == FG_HOOK_NETKIT_PEER || hook == FG_HOOK_NETKIT_PRIMARY) {
		table = netkit_actions;
		count = COUNT(netkit_actions);
	} else if (hook == FG_HOOK_XDP) {
		table = xdp_actions;
		count = COUNT(xdp_actions);
	}
	for (size_t i = 0; i < count; i++)
		if (table[i].retval == retval) {
			if (name)
				*name = table[i].name;
			return table[i].effect;
		}
	/* The first of each table is what the kernel makes of a value that it does not know. */
	if (name)
		*name = table[0].name;
	return table[0].effect;
}

const char *fg_stage_name(enum fg_stage stage)
{
	static const char *const names[FG_STAGES] = { "egress", "node", "ingress" };

	return names[stage];
}

const char *fg_kind_name(enum fg_kind kind)
{
	static const char *const names[FG_KINDS] = {
		[FG_KIND_BPF] = "bpf",	     [FG_KIND_TC_FILTER] = "tc-filter",
		[FG_KIND_TC] = "tc",	     [FG_KIND_NETFILTER] = "netfilter",
		[FG_KIND_OVS] = "ovs",	     [FG_KIND_QUEUE] = "queue",
		[FG_KIND_LSM] = "lsm",	     [FG_KIND_XFRM] = "xfrm",
		[FG_KIND_BRIDGE] = "bridge", [FG_KIND_IPVS] = "ipvs",
		[FG_KIND_ROUTE] = "route",   [FG_KIND_NEIGHBOUR] = "neighbour",
		[FG_KIND_QDISC] = "qdisc",   [FG_KIND_PROXY] = "proxy",
		[FG_KIND_SOCKET] = "socket", [FG_KIND_DEVICE] = "device",
		[FG_KIND_OTHER] = "other",
	};

	return names[kind];
}

bool fg_kind_is_policy(enum fg_kind kind)
{
	return kind >= FG_KIND_BPF && kind <= FG_KIND_XFRM;
}
