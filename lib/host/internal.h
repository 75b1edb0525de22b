/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/internal.h - one function for each feature, which tries the real thing; for capability.c.
 * Each returns 0 if the feature works, or -1 with FG_ERR_UNSUPPORTED.
 */
#ifndef FG_CAPABILITY_PROBE_H
#define FG_CAPABILITY_PROBE_H

#include "base/error.h"

int fg_capability_probe_privilege(int capability, struct fg_error *err);
int fg_capability_probe_btf(struct fg_error *err);
int fg_capability_probe_ring_buffer(struct fg_error *err);
int fg_capability_probe_probe_read(struct fg_error *err);
int fg_capability_probe_tp_btf(struct fg_error *err);
int fg_capability_probe_syscall_program(struct fg_error *err);
int fg_capability_probe_af_packet(struct fg_error *err);
int fg_capability_probe_redirect_peer(struct fg_error *err);
int fg_capability_probe_egress_flag(struct fg_error *err);
int fg_capability_probe_netkit(struct fg_error *err);
int fg_capability_probe_veth(struct fg_error *err);
int fg_capability_probe_tcx(struct fg_error *err);
int fg_capability_probe_clsact(struct fg_error *err);
int fg_capability_probe_xdp(struct fg_error *err);
int fg_capability_probe_fexit(struct fg_error *err);
int fg_capability_probe_run_stats(struct fg_error *err);
int fg_capability_probe_cgroup_skb(struct fg_error *err);
int fg_capability_probe_other_netns(struct fg_error *err);

#endif
