/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec/divert.h - the BPF side of exec: takes the packets of the twin onto the pod's egress path,
 * and what answers them to the twin instead of the pod's stack. The programs are tcx links: they
 * end with the descriptors.
 */
#ifndef FG_EXEC_DIVERT_H
#define FG_EXEC_DIVERT_H

#include <net/if.h>

#include "base/error.h"
#include "bpf/exec_flow.h"
#include "exec/twin.h"
#include "host/pod.h"
#include "probe/probe.h"

struct fg_divert;

/*
 * Loads and attaches. method: peer-egress, host-ingress or bounce. Connections of the pod that are
 * there already stay the pod's. Owned: fg_divert_close(). NULL with FG_ERR_UNSUPPORTED if the
 * kernel has no tcx (Linux 6.6).
 */
struct fg_divert *fg_divert_open(const struct fg_pod *pod, const struct fg_twin *twin,
				 enum fg_method method, struct fg_error *err);
void fg_divert_close(struct fg_divert *divert);

/* One flow of the command, as it was when it was read. */
struct fg_divert_flow {
	struct fg_exec_flow flow;
	struct fg_exec_state state;
	const char *drop_reason;    /* name of state.drop_reason; NULL: nothing was dropped */
	char drop_device[IFNAMSIZ]; /* empty: it had none, or is in a namespace of others */
	bool drop_in_pod;	    /* of the device; else of the host */
};

/*
 * All flows that are known still, in the order in which they began. Free(*list). Those that the
 * pod had before are left out, unless the command wanted them.
 */
int fg_divert_flows(const struct fg_divert *divert, struct fg_divert_flow **list, size_t *count,
		    struct fg_error *err);

/* How many of the command's packets somebody has dropped so far. */
uint64_t fg_divert_drops(const struct fg_divert *divert);
/* The name of a drop reason in a flow's state; it lives as long as the program. NULL: none. */
const char *fg_divert_reason(const struct fg_divert *divert, uint32_t code);

/* How many datagrams for the command lost a fragment to the pod: it came before the first one. */
uint64_t fg_divert_early(const struct fg_divert *divert);

/* How many flows there were: more than are listed if the table has pushed out the oldest. */
uint64_t fg_divert_made(const struct fg_divert *divert);

#endif
