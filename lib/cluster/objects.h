/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/objects.h - pods, services, backends and nodes, from what `kubectl get -o json` printed.
 * A cluster's answer is text from outside: what is not as documented is left out, and nothing in it
 * is believed to be there. Pure.
 */
#ifndef FG_CLUSTER_OBJECTS_H
#define FG_CLUSTER_OBJECTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

/* "TCP", "UDP" or "SCTP"; a port of a container, a service or an EndpointSlice. */
struct fg_object_port {
	const char *name; /* "": none */
	uint16_t number;  /* host order; 0: not said */
	const char *protocol;
};

/* All texts are borrowed from fg_objects.documents; those that are missing are "". */
struct fg_object_pod {
	const char *namespace, *name, *uid, *node, *phase;
	const char *owner_kind, *owner; /* its controller */
	struct fg_addr *addresses;	/* podIPs, in their order: the first is its main one */
	size_t address_count;
	struct fg_addr *others; /* of other networks (the annotation below) */
	size_t other_count;
	struct fg_object_port *ports;
	size_t port_count;
	const json_t *labels; /* NULL: none */
	bool host_network, ready, deleting;
};

struct fg_object_service {
	const char *namespace, *name, *type, *external_name;
	struct fg_addr *addresses; /* clusterIPs; none: headless, or an ExternalName */
	size_t address_count;
	struct fg_object_port *ports;
	size_t port_count;
	bool headless;
};

/* An address of an EndpointSlice, with the slice's ports. */
struct fg_object_backend {
	const char *namespace, *service, *node, *host;
	const char *pod; /* "": it is none */
	struct fg_addr address;
	const struct fg_object_port *ports; /* shared by the backends of a slice */
	size_t port_count;
	bool ready;
};

struct fg_object_node {
	const char *name;
	struct fg_addr *addresses; /* InternalIP */
	size_t address_count;
	bool ready;
};

/* A ReplicaSet and the Deployment that it is of. */
struct fg_object_owner {
	const char *namespace, *name, *kind, *owner;
};

/* Zeroed is empty. */
struct fg_objects {
	json_t *documents; /* what all texts are borrowed from */
	struct fg_object_pod *pods;
	struct fg_object_service *services;
	struct fg_object_backend *backends;
	struct fg_object_node *nodes;
	struct fg_object_owner *owners;
	struct fg_object_port **shared; /* the ports of the slices */
	size_t pod_count, service_count, backend_count, node_count, owner_count, shared_count;
};

/*
 * Adds the objects of lists, or objects, one after the other in text (len bytes of JSON; empty:
 * none). Returns 0, or -1: FG_ERR_INTERNAL if it is not JSON or memory is short; what was added
 * before stays.
 */
int fg_objects_add(struct fg_objects *objects, const char *text, size_t len, struct fg_error *err);

void fg_objects_free(struct fg_objects *objects);

/* NULL: there is none. */
const struct fg_object_pod *fg_objects_pod(const struct fg_objects *objects, const char *namespace,
					   const char *name);
const struct fg_object_service *fg_objects_service(const struct fg_objects *objects,
						   const char *namespace, const char *name);
const struct fg_object_node *fg_objects_node(const struct fg_objects *objects, const char *name);

/*
 * The running pod that has this address, in any network, for itself alone: pods on their node's
 * network share its addresses, so they are not meant. NULL: there is none.
 */
const struct fg_object_pod *fg_objects_pod_at(const struct fg_objects *objects,
					      const struct fg_addr *addr);

/*
 * How `kubectl get pods` is to print them, so that fg_objects_find() can read it: a line for each
 * pod, with all that says which addresses it has, and no more of it.
 * Source: the Network Plumbing Working Group's "Kubernetes Network Custom Resource Definition
 * De-facto Standard" 1.3, section 4.1.2 (k8s.v1.cni.cncf.io/network-status).
 */
extern const char fg_objects_template[];

/*
 * The first pod in such a text (len bytes) that has this address, its main one or another. Fills
 * namespace (64 bytes) and name (254 bytes). Returns whether there is one.
 */
bool fg_objects_find(const char *text, size_t len, const struct fg_addr *addr, char *namespace,
		     char *name);

/* Whether it can send: it runs, and is not being deleted. */
bool fg_objects_pod_runs(const struct fg_object_pod *pod);

#endif
