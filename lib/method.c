// SPDX-License-Identifier: GPL-2.0-only
#include "method.h"

#include "names.h"

static const char no_flag[] = "this kernel's bpf_redirect_peer() does not take BPF_F_EGRESS";
static const char netkit_skipped[] = "an ingress redirect passes by the netkit programs of the pod";
static const char pod_side[] =
	"the pod's device has egress programs, which an ingress redirect passes by";
static const char pod_queue[] =
	"the pod's device has a queueing discipline, which an ingress redirect passes by";
static const char pod_netfilter[] =
	"netfilter chains stand at the egress of the pod's device, which a redirected packet passes by";
static const char generic_xdp[] =
	"generic XDP stands on the primary, which a redirected packet passes by (netif_receive_generic_xdp)";
static const char native_xdp[] =
	"native XDP stands on the primary, which an ingress redirect passes by";

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
	/* Filters of other kinds are not told apart further: then nothing is taken for granted. */
	return ladder->pod_filters;
}

static const char *passed_by_ingress(const struct fg_method_facts *facts)
{
	return facts->netkit		      ? netkit_skipped
	       : facts->ladder->pod_netfilter ? pod_netfilter
	       : facts->ladder->pod_qdisc     ? pod_queue
	       : has_pod_side(facts->ladder)  ? pod_side
	       : has_xdp(facts->ladder, true) ? native_xdp
					      : NULL;
}

bool fg_method_complete(const struct fg_method_facts *facts, enum fg_method method,
			const char **why)
{
	*why = NULL;
	if (method == FG_METHOD_PEER_EGRESS)
		*why = !facts->egress_redirect	       ? no_flag
		       : facts->ladder->pod_netfilter  ? pod_netfilter
		       : has_xdp(facts->ladder, false) ? generic_xdp
						       : NULL;
	else if (method == FG_METHOD_HOST_INGRESS)
		*why = passed_by_ingress(facts);
	return !*why;
}

int fg_method_choose(const struct fg_method_facts *facts, enum fg_method wanted,
		     enum fg_method *out, const char **why, struct fg_error *err)
{
	const char *reason = NULL;

	*why = NULL;
	if (wanted == FG_METHOD_AUTO) {
		for (int m = FG_METHOD_PEER_EGRESS; m <= FG_METHOD_POD_SOCKET; m++) {
			*out = (enum fg_method)m;
			if (fg_method_complete(facts, *out, &reason))
				return 0;
			*why = reason;
		}
		return 0;
	}
	if (!fg_method_complete(facts, wanted, &reason) &&
	    (wanted == FG_METHOD_PEER_EGRESS || facts->netkit)) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "method %s: %s", fg_method_name(wanted), reason);
		return fg_hint(err, "leave --method out, and flowgen takes one that works");
	}
	*out = wanted;
	*why = reason;
	return 0;
}
