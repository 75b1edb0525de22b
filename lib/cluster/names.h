/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/names.h - how a person names the two ends of a packet in a cluster: pods by name, by
 * their workload or by labels, services, backends, nodes, addresses, DNS names. Pure.
 */
#ifndef FG_CLUSTER_NAMES_H
#define FG_CLUSTER_NAMES_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/error.h"

enum fg_name_kind {
	FG_NAME_POD,	     /* NAMESPACE/NAME, pod:NAMESPACE/NAME */
	FG_NAME_DEPLOYMENT,  /* deploy: */
	FG_NAME_STATEFULSET, /* sts: */
	FG_NAME_DAEMONSET,   /* ds: */
	FG_NAME_LABEL,	     /* label:NAMESPACE/SELECTOR */
	FG_NAME_SERVICE,     /* svc:NAMESPACE/NAME: its address */
	FG_NAME_ENDPOINTS,   /* endpoints:NAMESPACE/NAME: each of its backends */
	FG_NAME_NODE,	     /* node:NAME */
	FG_NAME_ADDRESS,     /* ADDRESS, ext:ADDRESS, ip:ADDRESS */
	FG_NAME_DNS,	     /* a name as the pod would resolve it */
};

/* Longer than a DNS name (RFC 1035 section 2.3.4), for selectors. */
#define FG_NAME_LEN 512

struct fg_name {
	enum fg_name_kind kind;
	char text[FG_NAME_LEN + 160]; /* as it was written, for messages */
	char namespace[64];	      /* "": the default one */
	char name[FG_NAME_LEN];	      /* of the object; the selector; the DNS name */
	bool all;		      /* deploy:, sts:, ds:, label: all of the pods, not one */
	struct fg_addr addr;	      /* FG_NAME_ADDRESS */
	int port;		      /* host order; -1: none, or one with a name */
	char port_name[64];	      /* "": none */
};

/*
 * The sender: "NAME", "NAMESPACE/NAME", "pod:", "deploy:", "sts:", "ds:", "label:", each but a pod
 * with ":all" for all of its pods, or "ip:ADDRESS". Returns 0, or -1 with FG_ERR_USAGE.
 */
int fg_names_read_source(const char *what, const char *text, struct fg_name *out,
			 struct fg_error *err);

/*
 * The receiver: the same but for a bare "NAME", which is a DNS name; "svc:", "endpoints:", "node:",
 * "ext:ADDRESS", or an address (in brackets if it is IPv6 with a port). Each may end with ":PORT"
 * or ":PORTNAME"; ":all" goes before it. Returns 0, or -1 with FG_ERR_USAGE.
 */
int fg_names_read_target(const char *what, const char *text, struct fg_name *out,
			 struct fg_error *err);

/* "shop/cart-0", with the default namespace if it names none, to buf. Returns buf. */
const char *fg_names_full(const struct fg_name *name, const char *namespace, char *buf,
			  size_t size);

/*
 * Whether it says by itself that the cluster has no such address (ext:). Of any other address that
 * no pod has that is not known: it may be a Service's or a node's.
 */
bool fg_names_is_outside(const struct fg_name *name);

/* Bits: what has to be known of its namespace to resolve a name. */
enum {
	FG_NEED_PODS = 1,
	FG_NEED_REPLICASETS = 2,
	FG_NEED_SERVICES = 4,
	FG_NEED_ENDPOINTS = 8,
	FG_NEED_NODES = 16,   /* of the cluster */
	FG_NEED_ADDRESS = 32, /* the pod that has this address, in any namespace */
};
unsigned int fg_names_needs(const struct fg_name *name);

/*
 * The service that a DNS name means to a pod of this namespace, by the cluster's search list
 * (NAMESPACE.svc.DOMAIN, svc.DOMAIN, DOMAIN): "db", "db.pay", "db.pay.svc",
 * "db.pay.svc.DOMAIN", with a host name before it for one backend of a headless service. Fills
 * service (FG_NAME_SERVICE, or FG_NAME_ENDPOINTS with one host) and host (64 bytes, "": none).
 * Returns 0, or 1: the cluster has no such name.
 * Source: the Kubernetes DNS specification 1.1.0.
 */
int fg_names_dns(const struct fg_name *dns, const char *namespace, const char *domain,
		 struct fg_name *service, char *host);

#endif
