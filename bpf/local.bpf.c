// SPDX-License-Identifier: GPL-2.0-only
/*
 * local.bpf.c - in the IP stack of a pod, where it has decided that a packet is its own
 * (NF_INET_LOCAL_IN), and before everything else there: probes that arrive and replies to probes
 * end here if no program of flowgen's is attached to the device. To attach it waits for nothing, so
 * it can be put into any number of pods; but their stacks count what they received.
 */
#include "tap.h"

/* include/linux/netfilter.h, include/linux/bpf.h: the context of a program of this type. */
struct bpf_nf_ctx {
	const void *state;
	struct sk_buff *skb;
};
#define NF_DROP 0
#define NF_ACCEPT 1

/*
 * Copies the reply's first bytes, as far as they are in the sk_buff's own buffer: here is no helper
 * that reads the rest. Returns how many.
 */
static __always_inline __u32 reply_peek(const struct sk_buff *skb, struct fg_event_reply *r)
{
	__u32 size = BPF_CORE_READ(skb, len) - BPF_CORE_READ(skb, data_len);

	if (size > FG_REPLY_BYTES)
		size = FG_REPLY_BYTES;
	__builtin_memset(r->bytes, 0, sizeof(r->bytes));
	return bpf_probe_read_kernel(r->bytes, size,
				     BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header))
		       ? 0
		       : size;
}

SEC("netfilter")
int fg_local(struct bpf_nf_ctx *ctx)
{
	const struct fg_config *cfg = config_get();
	const struct sk_buff *skb = ctx->skb;
	struct fg_track *t = current_track(skb, cfg);
	struct fg_event_reply *r;

	if (!cfg)
		return NF_ACCEPT;
	if (t && !(t->flags & FG_EVENT_F_REPLY) &&
	    (cfg->stop == FG_STOP_AT_DEVICE || cfg->stop == FG_STOP_AT_BOTH)) {
		place_report(skb, t, FG_EVENT_STOP, FG_STOP_AUX_STACK);
		return NF_DROP;
	}
	r = reply_match(skb, cfg, 0);
	if (!r)
		return NF_ACCEPT;
	r->captured = reply_peek(skb, r);
	event_send(r, sizeof(*r), true);
	return NF_DROP;
}

char LICENSE[] SEC("license") = "GPL";
