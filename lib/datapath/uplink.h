/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/uplink.h - an uplink as the sender (host/pod.h): what keeps a packet that came from
 * outside, and its answers, from leaving by it again.
 */
#ifndef FG_DATAPATH_UPLINK_H
#define FG_DATAPATH_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/pod.h"

/*
 * Whether packets from outside meet programs before they come to the uplink: at ports of it (a
 * bond, a bridge), or at the device that it is stacked on (a VLAN). Returns 0; or -1 with
 * FG_ERR_UNSUPPORTED, naming the device.
 */
int fg_uplink_check_ports(const struct fg_pod *uplink, struct fg_error *err);

/*
 * Attaches the program (fg_datapath_leave_fd()) behind all others at tcx egress of the uplink.
 * Returns the link's owned descriptor, or -1: FG_ERR_UNSUPPORTED where the kernel has no tcx.
 */
int fg_uplink_guard(const struct fg_pod *uplink, int program_fd, struct fg_error *err);

/* What XDP in the uplink's driver made of a frame. */
struct fg_uplink_xdp {
	int retval; /* XDP_* */
	uint64_t duration_ns;
	bool metadata; /* it left metadata before the packet */
};

/*
 * Runs the XDP program id on a frame of *len bytes, with room for as many as room, as the driver
 * would on one that the uplink receives (BPF_PROG_TEST_RUN, once; nothing is sent, whatever it
 * returns). The frame is then what the program made of it. Live frames (BPF_F_TEST_XDP_LIVE_FRAMES)
 * would also send what it sends back or redirects. Returns 0; or -1: FG_ERR_UNSUPPORTED if the
 * kernel does not run it on that frame, or the frame has become too long.
 */
int fg_uplink_run_xdp(const struct fg_pod *uplink, uint32_t id, void *frame, size_t *len,
		      size_t room, struct fg_uplink_xdp *out, struct fg_error *err);

#endif
