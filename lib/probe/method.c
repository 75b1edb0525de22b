// SPDX-License-Identifier: GPL-2.0-only
#include "probe/method.h"

#include "base/count.h"
#include "probe/names.h"

static const char no_flag[] = "this kernel's bpf_redirect_peer() does not support BPF_F_EGRESS";
static const char no_tcx[] = "this kernel has no tcx (Linux 6.6), which a bounce needs in the pod";
static const char netkit_skipped[] = "an ingress redirect bypasses the netkit programs of the pod";
static const char pod_side[] =
	"an ingress redirect bypasses the egress programs of the pod's device";
static const char pod_queue[] =
	"an ingress redirect bypasses the queueing discipline of the pod's device";
static const char pod_netfilter[] =
	"a redirected packet bypasses the netfilter chains at the egress of the pod's device";
static const char pod_xdp[] =
	"generic XDP on the pod's device, meant for incoming packets, also sees a bounced packet";
static const char generic_xdp[] =
	"a redirected packet bypasses generic XDP on the primary (netif_receive_generic_xdp)";
static const char native_xdp[] = "an ingress redirect bypasses native XDP on the primary";

static const char redirect_hidden[] =
	"on a port of a bridge, the kernel's note on a bounced packet (skb->redirected) hides a redirect "
	"by a host-side program that cannot be traced";

static bool has_xdp(const struct fg_ladder *ladder, bool native)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].hook == FG_HOOK_XDP && ladder->programs[i].native == native)
			return true;
	return false;
}

static bool has_pod_side(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].side == FG_SIDE_POD)
			return true;
	/* Filters of other kinds are not examined further: then nothing is assumed. */
	return ladder->pod_filters;
}

static const char *bypassed_by_ingress(const struct fg_method_facts *facts)
{
	return facts->netkit		      ? netkit_skipped
	       : facts->ladder->pod_netfilter ? pod_netfilter
	       : facts->ladder->pod_qdisc     ? pod_queue
	       : has_pod_side(facts->ladder)  ? pod_side
	       : has_xdp(facts->ladder, true) ? native_xdp
					      : NULL;
}

/* What both ways out of the pod's device bypass. */
static const char *bypassed_by_egress(const struct fg_method_facts *facts)
{
	return facts->ladder->pod_netfilter    ? pod_netfilter
	       : has_xdp(facts->ladder, false) ? generic_xdp
					       : NULL;
}

/* Why the method is not complete here; NULL where it is. */
static const char *shortfall(const struct fg_method_facts *facts, enum fg_method method)
{
	switch (method) {
	case FG_METHOD_PEER_EGRESS:
		return facts->egress_redirect ? bypassed_by_egress(facts) : no_flag;
	case FG_METHOD_BOUNCE:
		return !facts->ladder->tcx	? no_tcx
		       : facts->ladder->pod_xdp ? pod_xdp
						: bypassed_by_egress(facts);
	case FG_METHOD_HOST_INGRESS:
		return bypassed_by_ingress(facts);
	default:
		return NULL;
	}
}

static bool has_host_side(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].side == FG_SIDE_HOST)
			return true;
	return false;
}

/* What the method, complete as it is, would hide from the judge; NULL: nothing. */
static const char *hidden(const struct fg_method_facts *facts, enum fg_method method)
{
	return method == FG_METHOD_BOUNCE && facts->bridged && has_host_side(facts->ladder)
		       ? redirect_hidden
		       : NULL;
}

/*
 * Of two that run the same programs the one that resembles the pod's own packet more closely, and
 * needs less: host-ingress before bounce.
 */
static const enum fg_method preferred[] = { FG_METHOD_PEER_EGRESS, FG_METHOD_HOST_INGRESS,
					    FG_METHOD_BOUNCE, FG_METHOD_POD_SOCKET };

/* If it is not complete, it is host-ingress alone that still tells something: of a veth pod. */
static bool is_refused(const struct fg_method_facts *facts, enum fg_method method)
{
	return shortfall(facts, method) && (method != FG_METHOD_HOST_INGRESS || facts->netkit);
}

int fg_method_choose(const struct fg_method_facts *facts, enum fg_method wanted,
		     enum fg_method *out, const char **why, struct fg_error *err)
{
	*why = NULL;
	if (wanted == FG_METHOD_AUTO) {
		for (size_t i = 0; i < COUNT(preferred); i++) {
			const char *reason = shortfall(facts, preferred[i])
						     ?: hidden(facts, preferred[i]);

			*out = preferred[i];
			if (!reason)
				break;
			*why = reason;
		}
		return 0;
	}
	if (is_refused(facts, wanted)) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "method %s: %s", fg_method_name(wanted),
			shortfall(facts, wanted));
		return fg_hint(err, "without --method flowgen chooses one that works");
	}
	*out = wanted;
	*why = shortfall(facts, wanted) ?: hidden(facts, wanted);
	return 0;
}
