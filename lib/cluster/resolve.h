/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/resolve.h - from names to the pods that send, and to the addresses and ports that are
 * sent to. Pure.
 */
#ifndef FG_CLUSTER_RESOLVE_H
#define FG_CLUSTER_RESOLVE_H

#include "cluster/names.h"
#include "cluster/objects.h"

struct fg_resolve {
	const struct fg_objects *objects;
	const char *namespace; /* of names that have none */
	const char *domain;    /* the cluster's, such as cluster.local */
	const char *protocol;  /* "tcp", "udp", ...: as asked for; NULL: the port's own */
};

/* The sender and its choice of pods: a list of borrowed pods; the caller frees the list. */
struct fg_resolve_pods {
	const struct fg_object_pod **list;
	size_t count;
};

/* One address to send to. */
struct fg_target {
	char text[160]; /* what it is, for a person: "svc:pay/db port pg" */
	struct fg_addr addr;
	int port;			    /* host order; -1: none was named */
	const char *protocol;		    /* "tcp", "udp", "sctp": the port's; NULL: not known */
	const char *namespace, *pod, *node; /* the receiver, if it is known; else "" */
	char note[160]; /* what a person should know before the answer; "": nothing */
};

struct fg_targets {
	struct fg_target *list; /* owned */
	size_t count;
};

/*
 * The pods that a sender's name means, by name; one of a workload is the first that is ready, or
 * else that runs. Returns 0, or -1: FG_ERR_UNSUPPORTED if there is none that can send, and why.
 */
int fg_resolve_sources(const struct fg_resolve *r, const struct fg_name *name,
		       struct fg_resolve_pods *out, struct fg_error *err);

/*
 * Adds what a receiver's name means to this pod, in an address family that it has. A service with
 * one port needs no port in its name. Returns 0, or -1: FG_ERR_UNSUPPORTED if there is nothing by
 * this name, FG_ERR_USAGE if the port does not fit.
 */
int fg_resolve_targets(const struct fg_resolve *r, const struct fg_name *name,
		       const struct fg_object_pod *from, struct fg_targets *out,
		       struct fg_error *err);

#endif
