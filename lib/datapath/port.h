/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/port.h - the injector: an unnamed namespace, one end of a
 * pair in it and the other in the namespace of the pods' primaries, with the inject program on it.
 * All of it goes with the namespace's descriptor.
 */
#ifndef FG_PORT_H
#define FG_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct fg_port {
	int netns;	     /* owned; -1: none */
	int ifindex;	     /* of the end inside */
	int host_ifindex;    /* of the end outside */
	uint32_t host_inode; /* of the namespace it is in */
	bool netkit;
};

/*
 * Makes it in the namespace of host_netns: a netkit pair, or a veth pair if the kernel has no
 * netkit, or if the inject program must run at tc ingress (ingress: bpf_redirect_peer()
 * without BPF_F_EGRESS works nowhere else). mtu: large enough for the pods' frames. Returns 0 or
 * -1; *port is then empty.
 */
int fg_port_open(struct fg_port *port, int host_netns, int inject_fd, uint32_t mtu, bool ingress,
		 struct fg_error *err);
void fg_port_close(struct fg_port *port);

#endif
