// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/uplink.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "datapath/policy.h"
#include "datapath/stop.h"
#include "net/link.h"

/* Whether what the uplink receives was received by that device before. */
static bool comes_before(const struct fg_link *device, const struct fg_link *uplink)
{
	return device->master == uplink->ifindex ||
	       (!fg_link_is_pair(uplink) && uplink->peer_nsid < 0 &&
		uplink->peer_ifindex == device->ifindex && device->ifindex != uplink->ifindex);
}

static int check_port(const struct fg_pod *uplink, const struct fg_link *port, struct fg_error *err)
{
	struct fg_ladder there = {};
	size_t count;

	if (fg_policy_list_device(uplink->host_netns, uplink->host_inode, uplink->host_rtnl, port,
				  false, &there, err))
		return -1;
	count = there.count + there.filter_count;
	fg_ladder_free(&there);
	if (!count)
		return 0;
	fg_fail(err, FG_ERR_UNSUPPORTED,
		"%s: what it receives passes %s first, and the programs there would not be met",
		uplink->ref, port->name);
	return fg_hint(err, "--from-uplink=%s begins there", port->name);
}

int fg_uplink_check_ports(const struct fg_pod *uplink, struct fg_error *err)
{
	struct fg_links links = {};
	int ret = 0;

	if (fg_link_list(uplink->host_rtnl, &links, err))
		return -1;
	for (size_t i = 0; i < links.count && !ret; i++)
		if (comes_before(&links.links[i], &uplink->primary))
			ret = check_port(uplink, &links.links[i], err);
	fg_links_free(&links);
	return ret;
}

int fg_uplink_guard(const struct fg_pod *uplink, int program_fd, struct fg_error *err)
{
	int link = fg_stop_attach_last(uplink->host_netns, uplink->primary.ifindex,
				       FG_HOOK_TCX_EGRESS, program_fd, err);

	if (link >= 0)
		return link;
	fg_error_prefix(err, "%s: answers cannot be kept from leaving", uplink->ref);
	return -1;
}

/* What the program may put before the packet (metadata) comes in front of what is copied out. */
#define METADATA_MAX 256

int fg_uplink_run_xdp(const struct fg_pod *uplink, uint32_t id, void *frame, size_t *len,
		      size_t room, struct fg_uplink_xdp *out, struct fg_error *err)
{
	struct xdp_md md = { .data_end = (uint32_t)*len,
			     .ingress_ifindex = (uint32_t)uplink->primary.ifindex };
	FG_FREE uint8_t *after = malloc(room + METADATA_MAX);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)*len,
		    .data_out = after, .data_size_out = (uint32_t)(room + METADATA_MAX),
		    .ctx_in = &md, .ctx_size_in = sizeof(md), .ctx_out = &md,
		    .ctx_size_out = sizeof(md));
	FG_FD int fd = bpf_prog_get_fd_by_id(id);
	int back, ret;

	if (!after)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "frame");
	/* It is the namespace of the caller whose devices the kernel looks at. */
	if (fg_netns_enter(uplink->host_netns, &back, err))
		return -1;
	ret = fd < 0 ? -ENOENT : bpf_prog_test_run_opts(fd, &run);
	fg_netns_leave(&back);
	if (ret)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret,
				     "%s: run its XDP program on a frame of %zu bytes", uplink->ref,
				     *len);
	/* Where the packet begins, from the metadata on. */
	if (md.data > run.data_size_out || run.data_size_out - md.data > room)
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "%s: its XDP program makes the frame longer than flowgen can send",
			       uplink->ref);
	*len = run.data_size_out - md.data;
	memcpy(frame, after + md.data, *len);
	*out = (struct fg_uplink_xdp){ .retval = (int)run.retval,
				       .duration_ns = run.duration,
				       .metadata = md.data != 0 };
	return 0;
}
