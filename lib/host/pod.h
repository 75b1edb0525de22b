/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/pod.h - a pod as flowgen needs it: a network namespace, its pair of devices (peer inside,
 * primary outside), addresses.
 */
#ifndef FG_POD_H
#define FG_POD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "host/host.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/rtnl.h"

struct fg_pod {
	char ref[300]; /* as the user named it */
	/* "NAMESPACE/NAME", a container's, or the network namespace's name; may be empty */
	char name[330];
	char uid[64];	     /* of Kubernetes; may be empty */
	const char *runtime; /* whose pod it is, static text; NULL: none is known */
	char path[512];	     /* opens the namespace */
	int netns;	     /* owned; -1: not open */
	uint32_t inode;
	struct nl_sock *rtnl;		    /* in it; owned */
	struct fg_link peer;		    /* the device in the pod */
	struct fg_link_addresses addresses; /* of the peer */

	char host_path[512]; /* opens the namespace of the primary; empty: the one flowgen runs in
			      */
	int host_netns;	     /* owned */
	uint32_t host_inode;
	struct nl_sock *host_rtnl; /* owned */
	struct fg_link primary;	   /* the device on the host side */
	/*
	 * It is not a pod, but the network outside, behind the device `primary` of the node (see
	 * fg_uplink_or_pod_open()): netns is an empty namespace of flowgen's own, and peer has what
	 * is known of the other end of the wire.
	 */
	bool uplink;
	/* And packets are not written there, but come from another node: see FG_AWAIT_FORM. */
	bool awaits;
};

/* What a reference means: a namespace. */
struct fg_pod_place {
	char path[512];
	uint32_t inode;
};

/*
 * Finds the namespace that ref names:
 *   netns:NAME, a path (it begins with / or .), pid:N, ip:ADDR, dev:NAME (a host-side device): what
 * the kernel knows; NAMESPACE/NAME, uid:UID, container:ID-OR-NAME: what container runtimes keep on
 * disk (fg_runtime_find). Any other word is tried as a name, a pid, an address and a device, and
 * must mean one namespace only; if it is none of them, it may be the name or the whole id of one
 * container. Errors: FG_ERR_USAGE for a malformed or ambiguous ref (listing what it could mean),
 * FG_ERR_UNSUPPORTED if the pod does not exist, or the runtime says that it shares the host's
 * network.
 */
int fg_pod_find(struct fg_host *host, const char *ref, struct fg_pod_place *out,
		struct fg_error *err);

/*
 * Finds the pod (see fg_pod_find) and opens it. interface: the device in the pod; NULL: the one
 * pair device, or the one that the pod's default route uses. Also FG_ERR_UNSUPPORTED if it
 * shares the host's namespace, or has no pair to the host (macvlan and the like; or it has the
 * primary end of a netkit pair, and the host the peer). After an error *pod is closed.
 */
int fg_pod_open(struct fg_host *host, const char *ref, const char *interface, struct fg_pod *pod,
		struct fg_error *err);

/*
 * The same for a namespace that is already known by the path that opens it. ref becomes pod->ref;
 * errors do not name the pod, so that they can be printed after its name.
 */
int fg_pod_open_path(struct fg_host *host, const char *ref, const char *path, const char *interface,
		     struct fg_pod *pod, struct fg_error *err);
void fg_pod_close(struct fg_pod *pod);

/*
 * What a person should know of the pod's pair of devices: an end that is down, or a host side that
 * is in another namespace than flowgen's. Returns buf, or NULL if all is as usual.
 */
const char *fg_pod_note(struct fg_host *host, const struct fg_pod *pod, char *buf, size_t size);

/* Whether packets can leave the pod: FG_ERR_UNSUPPORTED if an end of its pair is down. */
int fg_pod_check_up(struct fg_host *host, const struct fg_pod *pod, struct fg_error *err);

/* Whether its own device is still there: a pod that has gone has no route to anywhere. */
bool fg_pod_has_device(const struct fg_pod *pod);

/* The pod's first global address of the family (any scope if it has no global one), or NULL. */
const struct fg_addr *fg_pod_address(const struct fg_pod *pod, uint16_t family);

/* Whether the pod's namespace holds addr, on its device or (unless rtnl is NULL) on another. */
/* Its link-local IPv6 address, which packets to link-local ones come from (RFC 6724), or NULL. */
const struct fg_addr *fg_pod_link_address(const struct fg_pod *pod);

/* Whether addr is one of the pod's device's own. */
bool fg_pod_owns(const struct fg_pod *pod, const struct fg_addr *addr);

/* "uplink:DEV", or "uplink:": the device of the node's default route. */
#define FG_UPLINK_FORM "uplink:"
/*
 * "await:DEV@ADDR": the device at which packets from that address arrive; DEV may be empty: that of
 * the route to it.
 */
#define FG_AWAIT_FORM "await:"

/*
 * Opens what the reference names: an uplink in the namespace that flowgen runs in, or else a pod
 * (fg_pod_open(), with its errors). interface: as there; NULL, or the name of the uplink's device.
 * FG_ERR_USAGE if several devices have default routes and the reference names none of them.
 * FG_ERR_UNSUPPORTED: no default route, no such device, a loopback or a device without Ethernet
 * addresses, the host side of a pod. fg_pod_close() closes it; after an error it is closed.
 */
int fg_uplink_or_pod_open(struct fg_host *host, const char *ref, const char *interface,
			  struct fg_pod *pod, struct fg_error *err);

#endif
