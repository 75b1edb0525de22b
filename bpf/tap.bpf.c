// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.bpf.c - the two ends of a packet on its destination: handed to a socket (a cgroup program of the root
 * cgroup sees each packet that a socket is about to take), or stopped by flowgen at the destination pod's
 * device, before that pod's stack.
 */
#include "track.h"

static __always_inline void end_report(struct __sk_buff *ctx, struct fg_track *t, __u16 kind,
				       __u64 aux)
{
	struct fg_event e;

	event_init(&e, t, kind);
	event_fill_skb(&e, (struct sk_buff *)ctx);
	e.aux = aux;
	event_send(&e, sizeof(e), true);
}

static __always_inline struct fg_track *current_track(struct __sk_buff *ctx,
						      const struct fg_config *cfg)
{
	__u64 key = (__u64)ctx;
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &key);

	return t && cfg && t->generation == cfg->generation ? t : NULL;
}

SEC("cgroup_skb/ingress")
int fg_socket(struct __sk_buff *ctx)
{
	struct fg_track *t = current_track(ctx, config_get());

	if (t)
		end_report(ctx, t, FG_EVENT_SOCKET, bpf_get_socket_cookie(ctx));
	return 1;
}

SEC("tc")
int fg_stop(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = current_track(ctx, cfg);

	if (!t || !cfg->stop)
		return TC_ACT_UNSPEC;
	end_report(ctx, t, FG_EVENT_STOP, 0);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
