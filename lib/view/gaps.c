// SPDX-License-Identifier: GPL-2.0-only
/* view/gaps.c - what this packet skips of the way that the pod's own packets take. */
#include "view/decisions.h"
#include "view/gaps.h"

/* Of one from outside: what comes before the stack, and behind flowgen's program on the way out. */
static void list_uplink(const struct fg_context *context, const struct fg_result *result,
			struct fg_gap out[FG_GAPS_MAX])
{
	size_t n = 0;

	out[n++] =
		(struct fg_gap){ "uplink-driver",
				 context->awaited
					 ? "what the uplink's driver does, XDP among it"
					 : "the uplink's driver, and what it merges and computes" };
	if (!context->awaited)
		out[n++] = (struct fg_gap){ "uplink-way-out",
					    "clsact filters, queueing discipline and driver of the "
					    "uplink for what leaves by it" };
	if (result && fg_decisions_intercepted(context, result))
		out[n++] =
			(struct fg_gap){ "receiver-programs", "the programs in the receiving pod" };
	out[n] = (struct fg_gap){};
}

void fg_gaps_list(const struct fg_context *context, const struct fg_result *result,
		  struct fg_gap out[FG_GAPS_MAX])
{
	size_t n = 0;

	if (context->from_uplink) {
		list_uplink(context, result, out);
		return;
	}
	out[n++] = (struct fg_gap){ "pod-socket-layer", "the pod's socket layer", true };
	out[n++] = (struct fg_gap){ "pod-cgroup-hooks",
				    "cgroup hooks (socket-level load balancing)", true };
	out[n++] = (struct fg_gap){ "pod-netfilter-output", "the pod's netfilter OUTPUT", true };
	/* The kernel takes care that what a program redirects does not meet it (nf_skip_egress). */
	if (context->method != FG_METHOD_POD_SOCKET)
		out[n++] = (struct fg_gap){ "pod-netfilter-egress",
					    "netfilter egress of the pod's device" };
	if (context->method == FG_METHOD_HOST_INGRESS) {
		out[n++] = (struct fg_gap){ "pod-taps", "packet taps in the pod" };
		out[n++] = (struct fg_gap){ "pod-tc-egress", "tc egress of the pod's device" };
		out[n++] = (struct fg_gap){ "pod-qdisc",
					    "the queueing discipline of the pod's device" };
		out[n++] =
			(struct fg_gap){ "host-native-xdp", "XDP in the driver of the host side" };
		if (context->netkit)
			out[n++] = (struct fg_gap){ "netkit-peer",
						    "the netkit device's own programs" };
	}
	if (result && fg_decisions_intercepted(context, result))
		out[n++] =
			(struct fg_gap){ "receiver-programs", "the programs in the receiving pod" };
	out[n] = (struct fg_gap){};
}
