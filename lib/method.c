// SPDX-License-Identifier: GPL-2.0-only
#include "method.h"

#include "names.h"

static const char no_flag[] = "this kernel's bpf_redirect_peer() does not take BPF_F_EGRESS";
static const char netkit_skipped[] = "an ingress redirect passes by the netkit programs of the pod";
static const char pod_side[] =
	"the pod's device has egress programs, which an ingress redirect passes by";
static const char pod_queue[] =
	"the pod's device has a queueing discipline, which an ingress redirect passes by";
static const char native_xdp[] =
	"native XDP stands on the primary, which an ingress redirect passes by";

bool fg_method_complete(const struct fg_method_facts *facts, enum fg_method method,
			const char **why)
{
	*why = NULL;
	if (method == FG_METHOD_PEER_EGRESS)
		*why = facts->egress_redirect ? NULL : no_flag;
	if (method != FG_METHOD_HOST_INGRESS)
		return !*why;
	if (facts->netkit)
		*why = netkit_skipped;
	else if (facts->ladder->pod_qdisc)
		*why = pod_queue;
	for (size_t i = 0; i < facts->ladder->count && !*why; i++) {
		const struct fg_program *p = &facts->ladder->programs[i];

		if (p->side == FG_SIDE_POD)
			*why = pod_side;
		else if (p->hook == FG_HOOK_XDP && p->native)
			*why = native_xdp;
	}
	/* Filters of other kinds are not told apart by side: then nothing is taken for granted. */
	if (!*why && facts->ladder->pod_filters)
		*why = pod_side;
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
