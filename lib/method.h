/* SPDX-License-Identifier: GPL-2.0-only */
/* method.h - how a packet gets onto a pod's egress path: chosen by what the kernel does and what stands on the path. Pure. */
#ifndef FG_METHOD_H
#define FG_METHOD_H

#include "probe.h"

/* What the choice depends on. */
struct fg_method_facts {
	bool egress_redirect; /* bpf_redirect_peer() takes BPF_F_EGRESS */
	bool netkit;
	const struct fg_ladder *ladder;
};

/* Whether the method runs every program of the path; else *why says what it would pass by (static text). */
bool fg_method_complete(const struct fg_method_facts *facts, enum fg_method method,
			const char **why);

/*
 * Chooses: for FG_METHOD_AUTO the first of peer-egress, host-ingress and pod-socket that is complete; otherwise the wanted one
 * where it can work at all. Returns 0; or -1 with FG_ERR_UNSUPPORTED naming what is missing. *why: for auto, why the ones before it were
 * not taken, for a forced one what it passes by; static text, NULL where there is nothing to say.
 */
int fg_method_choose(const struct fg_method_facts *facts, enum fg_method wanted,
		     enum fg_method *out, const char **why, struct fg_error *err);

#endif
