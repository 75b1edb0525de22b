/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/method.h - how a packet gets onto a pod's egress path: chosen by what the kernel can do
 * and what is on the path. Pure.
 */
#ifndef FG_METHOD_H
#define FG_METHOD_H

#include "probe/probe.h"

/* What the choice depends on. */
struct fg_method_facts {
	bool egress_redirect; /* bpf_redirect_peer() takes BPF_F_EGRESS */
	bool netkit;
	bool bridged; /* the primary is a port of a bridge */
	const struct fg_ladder *ladder;
};

/*
 * Chooses: for FG_METHOD_AUTO the first of peer-egress, host-ingress, bounce and pod-socket that is
 * complete, and hides nothing; otherwise the wanted one if it can work at all. Returns 0; or -1
 * with FG_ERR_UNSUPPORTED naming what is missing. *why: for auto, why the one before it was not
 * chosen, for a forced one what it bypasses; static text, NULL if there is nothing to say.
 */
int fg_method_choose(const struct fg_method_facts *facts, enum fg_method wanted,
		     enum fg_method *out, const char **why, struct fg_error *err);

#endif
