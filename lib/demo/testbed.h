/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * demo/testbed.h - pods of flowgen's own, for `flowgen demo` and the tests: named namespaces with a
 * pair of devices to a node namespace, addresses, routes, and real policy programs
 * (bpf/policy.bpf.c) at any hook. Nothing else on the host is touched, and what is made here lives
 * without a process until it is deleted.
 *
 * A node is the namespace that holds the pods' host-side devices; it is given as a descriptor, -1
 * being the namespace that the caller is in.
 */
#ifndef FG_TESTBED_H
#define FG_TESTBED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/link.h"
#include "base/parse.h"

#define FG_TESTBED_NETNS_DIR "/run/netns"
#define FG_TESTBED_MAX_ADDRESSES 8

struct fg_testbed_address {
	struct fg_addr addr;
	/*
	 * 32 or 128: point to point, the gateway is on-link; else the subnet shared with the
	 * gateway
	 */
	int prefix;
};

/* A pod to make. */
struct fg_testbed_pod {
	const char *name;	/* of its namespace, below /run/netns */
	int node;		/* descriptor; -1: where we are */
	const char *kind;	/* "veth" or "netkit" */
	enum fg_link_mode mode; /* netkit only */
	/* netkit only: the pod's end drops what no program has let pass */
	bool drop_without_program;
	const char *primary; /* name of the host-side device */
	const char *peer;    /* name of the device inside the pod */
	/* of the node, made if it is missing: the primary becomes its port. NULL: routed */
	const char *bridge;
	uint32_t mtu; /* 0: the kernel's default */
	struct fg_testbed_address addresses[FG_TESTBED_MAX_ADDRESSES];
	size_t address_count;
	struct fg_addr gateway4; /* family 0: 169.254.1.1 for point to point, else no default route
				  */
	struct fg_addr gateway6; /* family 0: fe80::1 for point to point, else no default route */
};

/*
 * Makes a namespace with a name, as `ip netns add` does, with lo up. Returns its descriptor (owned
 * by the caller), or -1; FG_ERR_USAGE if the name is taken or not valid.
 */
int fg_testbed_netns_add(const char *name, struct fg_error *err);

/* Opens a named namespace. Returns its descriptor (owned by the caller), or -1. */
int fg_testbed_netns_open(const char *name, struct fg_error *err);

/*
 * Deletes a named namespace, and so the devices in it with their other ends. One that
 * fg_testbed_netns_add() did not make is refused (FG_ERR_USAGE). Processes in it keep it alive,
 * without its name.
 */
int fg_testbed_netns_delete(const char *name, struct fg_error *err);

/*
 * Prepares a namespace to be a node: lo up, forwarding for both families on, reverse-path filter
 * off.
 */
int fg_testbed_node_prepare(int node, struct fg_error *err);

/* Makes the pod; on failure nothing of it stays. Returns 0 or -1. */
int fg_testbed_pod_add(const struct fg_testbed_pod *pod, struct fg_error *err);

/* The two devices of a pod, found by the first pair in it. */
struct fg_testbed_devices {
	int pod_netns; /* owned: close it */
	int peer_ifindex;
	int primary_ifindex; /* in the node */
};

/* Finds the devices of a named pod whose primary is in node. Returns 0 or -1. */
int fg_testbed_devices_find(const char *name, int node, struct fg_testbed_devices *out,
			    struct fg_error *err);

enum fg_testbed_hook {
	FG_TESTBED_NETKIT_PEER,	   /* attached to the primary, runs on what the pod sends */
	FG_TESTBED_NETKIT_PRIMARY, /* attached to the primary, runs on what the pod is sent */
	FG_TESTBED_TCX_EGRESS,	   /* tcx and tc egress: on the pod's device unless other_side */
	FG_TESTBED_TC_EGRESS,
	FG_TESTBED_TCX_INGRESS, /* tcx and tc ingress, xdp: on the primary unless other_side */
	FG_TESTBED_TC_INGRESS,
	FG_TESTBED_XDP,
	FG_TESTBED_HOOKS,
};

/* The words of result.policy.programs[].hook, and "netkit/primary". */
extern const char *const fg_testbed_hook_names[FG_TESTBED_HOOKS];

#define FG_TESTBED_MAX_RULES 16

struct fg_testbed_rule {
	uint8_t proto;			/* IPPROTO_*; 0: any */
	uint16_t first_port, last_port; /* host order, both included */
};

/* A policy program with its settings: bpf/policy.bpf.c has the meaning of each. */
struct fg_testbed_policy {
	/*
	 * its name there, such as "deny_port"; "no_btf" is a program that drops and cannot be
	 * traced
	 */
	const char *program;
	struct fg_testbed_rule rules[FG_TESTBED_MAX_RULES];
	size_t rule_count;
	int otherwise; /* what a rule's program returns if no rule fits: 0 pass, -1 next */
	int value;     /* return_value returns it */
	/* in the namespace of the device that the program is attached to */
	uint32_t redirect_ifindex;
	uint32_t redirect_flags;
	/*
	 * tail_entry only: path in a bpffs where its program array is pinned, which keeps it filled
	 */
	const char *pin;
};

struct fg_testbed_attachment {
	enum fg_testbed_hook hook;
	bool other_side; /* see the hooks */
	bool first;   /* before the programs that are there; else after them. tcx and netkit only */
	bool generic; /* xdp only: not in the driver */
};

/* True if the kernel knows this program: for reading a command line. */
bool fg_testbed_program_known(const char *program);

/*
 * Loads a policy program and attaches it without a link, so that it lives as long as the device.
 * *id becomes the program's. Returns 0 or -1 (FG_ERR_UNSUPPORTED if the kernel has no such
 * hook).
 */
int fg_testbed_policy_attach(const struct fg_testbed_devices *devices, int node,
			     const struct fg_testbed_attachment *at,
			     const struct fg_testbed_policy *policy, uint32_t *id,
			     struct fg_error *err);

/* Attaches a loaded program, of which fd stays the caller's, in the same way. Returns 0 or -1. */
int fg_testbed_program_attach(const struct fg_testbed_devices *devices, int node,
			      const struct fg_testbed_attachment *at, int fd, struct fg_error *err);

/*
 * Takes the program with this id off a tcx or netkit hook, or whichever there is off xdp. Returns 0
 * or -1.
 */
int fg_testbed_policy_detach(const struct fg_testbed_devices *devices, int node,
			     const struct fg_testbed_attachment *at, uint32_t id,
			     struct fg_error *err);

/*
 * How many packets an attached policy program has seen, and how many of them it denied. Returns 0
 * or -1.
 */
int fg_testbed_policy_seen(uint32_t id, uint64_t *seen, uint64_t *denied, struct fg_error *err);

/* True if the kernel can make a netkit pair. Tried in a namespace of its own. */
bool fg_testbed_has_netkit(void);

/* True if the kernel has tcx hooks. */
bool fg_testbed_has_tcx(void);

#endif
