// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict_xdp.bpf.c - fentry and fexit on one XDP program. XDP has no sk_buff: the packet is known
 * by the addresses and ports in it. As verdict.bpf.c, it is loaded once for each program and free
 * of CO-RE.
 */
#include "flow.h"
#include "maps.h"

#define ETH_HLEN 14

const volatile __u32 fg_program_id;

static __always_inline struct fg_track *track_of(const __u64 *ctx, const struct fg_config *cfg)
{
	struct fg_wire_flow flow;
	struct fg_track *t;
	__u64 data = 0;

	if (!cfg || !cfg->match_flows)
		return NULL;
	/*
	 * The first argument, struct xdp_md * to the program, is the struct xdp_buff * it stands
	 * for.
	 */
	if (bpf_probe_read_kernel(&data, sizeof(data), (void *)(ctx[0] + cfg->offset_xdp_data)))
		return NULL;
	flow_read(&flow, (const unsigned char *)data + ETH_HLEN);
	t = bpf_map_lookup_elem(&flows, &flow);
	return t && t->generation == cfg->generation ? t : NULL;
}

SEC("fentry")
int fg_enter_xdp(__u64 *ctx)
{
	struct fg_track *t = track_of(ctx, config_get());

	if (t)
		t->start_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit")
int fg_verdict_xdp(__u64 *ctx)
{
	struct fg_track *t = track_of(ctx, config_get());
	struct fg_event e;

	if (!t)
		return 0;
	event_init(&e, t, FG_EVENT_POLICY);
	e.code = (__s32)ctx[1];
	e.id = fg_program_id;
	e.aux = t->start_ns ? e.time_ns - t->start_ns : 0;
	t->start_ns = 0;
	event_send(&e, sizeof(e), false);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
