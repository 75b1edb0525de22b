/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bed.h - a node of the test's own with pods and policies, in namespaces that end with the test:
 * for tests that run whole parts of flowgen in process. Each function fails the test where it
 * cannot.
 */
#ifndef BED_H
#define BED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/parse.h"

/* This process becomes a node: network, mounts and /run of its own. Once. */
void bed_node(void);

struct fg_addr bed_addr(const char *text);

/*
 * A pod with a veth pair, eth0 in it and hNAME on the node, which is up when this returns. gw4
 * NULL: point to point; else the IPv4 address is one of a /24, with this gateway.
 */
void bed_pod(const char *name, const char *ip4, const char *ip6, const char *gw4);
void bed_pod_delete(const char *name);

/* A program (bpf/policy.bpf.c) on what the pod sends, or receives, that denies these ports. */
void bed_deny(const char *pod, bool received, const char *program, uint16_t first, uint16_t last);

/* The same by XDP (xdp_deny_port): at the pod's own device, or the node's end of its pair. */
struct bed_xdp {
	bool at_pod;
	bool generic; /* not in the driver */
	uint16_t first, last;
};
void bed_deny_by_xdp(const char *pod, struct bed_xdp xdp);

/* A program of it on what the pod sends, that redirects all to that device of the node. */
void bed_redirect(const char *pod, const char *program, const char *device);

/* With sh in the pod. Returns its exit status. */
int bed_in_pod(const char *pod, const char *command);

/* A socket of the pod, bound to that address and port, that does not wait. Owned by the caller. */
int bed_socket(const char *pod, int type, const char *ip, uint16_t port);
/* Connects it. */
void bed_connect(int fd, const char *ip, uint16_t port);

#endif
