// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict.bpf.c - fentry and fexit on one policy program (tc, tcx or netkit): its return value as the kernel
 * gets it (after tail calls too), and the time it took. Loaded once for each policy program, so it has no
 * CO-RE relocation: the two field offsets it needs come from the config map.
 */
#include "maps.h"

const volatile __u32 fg_program_id;

static __always_inline struct fg_track *track_of(const __u64 *ctx, const struct fg_config *cfg)
{
	/* The first argument, struct __sk_buff * to the program, is the struct sk_buff * it stands for. */
	__u64 key = ctx[0];
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &key);

	return t && cfg && t->generation == cfg->generation ? t : NULL;
}

static __always_inline void device_read(struct fg_event *e, __u64 skb, const struct fg_config *cfg)
{
	__u64 dev = 0, net = 0;

	if (bpf_probe_read_kernel(&dev, sizeof(dev), (void *)(skb + cfg->offset_skb_dev)) || !dev)
		return;
	bpf_probe_read_kernel(&e->ifindex, 4, (void *)(dev + cfg->offset_dev_ifindex));
	bpf_probe_read_kernel(&net, sizeof(net), (void *)(dev + cfg->offset_dev_net));
	bpf_probe_read_kernel(&e->netns, 4, (void *)(net + cfg->offset_net_inum));
}

SEC("fentry")
int fg_enter(__u64 *ctx)
{
	struct fg_track *t = track_of(ctx, config_get());

	if (t)
		t->start_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit")
int fg_verdict(__u64 *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = track_of(ctx, cfg);
	struct fg_event e;

	if (!t)
		return 0;
	event_init(&e, t, FG_EVENT_POLICY);
	e.code = (__s32)ctx[1];
	e.id = fg_program_id;
	e.aux = t->start_ns ? e.time_ns - t->start_ns : 0;
	t->start_ns = 0;
	device_read(&e, ctx[0], cfg);
	event_send(&e, sizeof(e), false);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
