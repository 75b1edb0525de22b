// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/port.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/fd.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/rtnl.h"

#define PEER_NAME "fg0"

void fg_port_close(struct fg_port *port)
{
	fg_fd_close(&port->netns);
}

/* The end outside needs a name that nobody else has; it lives only as long as we do. */
static int make_pair(struct fg_port *port, struct nl_sock *host, uint32_t mtu, char name[IFNAMSIZ],
		     struct fg_error *err)
{
	struct fg_pair pair = { .kind = port->netkit ? "netkit" : "veth",
				.name = name,
				.peer_name = PEER_NAME,
				.peer_netns = port->netns,
				.mode = FG_LINK_L2,
				.drop_without_program = true,
				.mtu = mtu };
	uint32_t random;
	int ret;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	snprintf(name, IFNAMSIZ, "fg%08x", random);
	ret = fg_link_create_pair(host, &pair);
	if (ret == -EOPNOTSUPP && port->netkit) {
		pair.kind = "veth";
		port->netkit = false;
		ret = fg_link_create_pair(host, &pair);
	}
	if (ret)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "make a pair of devices");
	return 0;
}

static int bring_up(struct fg_port *port, struct nl_sock *host, const char *name,
		    struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *inside = fg_rtnl_open(port->netns, err);
	struct fg_link link;
	int ret;

	if (!inside || fg_link_get(inside, 0, PEER_NAME, &link, err))
		return -1;
	port->ifindex = link.ifindex;
	if (fg_link_get(host, 0, name, &link, err))
		return -1;
	port->host_ifindex = link.ifindex;
	ret = fg_link_silence(host, port->host_ifindex) ?: fg_link_silence(inside, port->ifindex);
	if (!ret)
		ret = fg_link_set_up(host, port->host_ifindex)
			      ?: fg_link_set_up(inside, port->ifindex);
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "set %s up", name) : 0;
}

/*
 * Nothing here is a bpf_link, as the programs on other people's devices are: the device is
 * flowgen's own, and what is on it goes with it. A tcx link would make this process wait for two
 * grace periods of RCU (tcx_entry_sync()), one at each end of its life; a filter of the clsact
 * qdisc waits for none.
 */
static int attach_clsact(const struct fg_port *port, int inject_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = port->host_ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = inject_fd);

	return bpf_tc_hook_create(&hook) ?: bpf_tc_attach(&hook, &opts);
}

static int attach(const struct fg_port *port, int host_netns, int inject_fd, struct fg_error *err)
{
	int back, ret;

	if (fg_netns_enter(host_netns, &back, err))
		return -1;
	ret = port->netkit
		      ? bpf_prog_attach_opts(inject_fd, port->host_ifindex, BPF_NETKIT_PEER, NULL)
		      : attach_clsact(port, inject_fd);
	fg_netns_leave(&back);
	return ret ? fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "attach the inject program") : 0;
}

int fg_port_open(struct fg_port *port, int host_netns, int inject_fd, uint32_t mtu, bool ingress,
		 struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *host = fg_rtnl_open(host_netns, err);
	char name[IFNAMSIZ];

	*port = (struct fg_port){ .netns = -1, .netkit = !ingress };
	if (!host)
		return -1;
	port->host_inode = fg_netns_inode(host_netns);
	port->netns = fg_netns_create(err);
	if (port->netns < 0 || make_pair(port, host, mtu, name, err) ||
	    bring_up(port, host, name, err) || attach(port, host_netns, inject_fd, err)) {
		fg_port_close(port);
		return -1;
	}
	return 0;
}
