/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kubectl/gather.h - asks the cluster for what some names need, with as few calls as possible: one
 * for each namespace, all at the same time.
 */
#ifndef FG_GATHER_H
#define FG_GATHER_H

#include "cluster/names.h"
#include "cluster/objects.h"
#include "kubectl/kubectl.h"

struct fg_gather_call; /* one kubectl */

struct fg_gather {
	struct fg_gather_call *calls; /* owned */
	size_t count;
	bool addresses_unknown; /* nobody could say which pod has an address; why_unknown says why
				 */
	struct fg_error why_unknown;
};

/*
 * What is needed for a name: namespace is that of names without one, from the sender's (of DNS
 * names), domain the cluster's. Returns 0 or -1.
 */
int fg_gather_add(struct fg_gather *g, const struct fg_name *name, const char *namespace,
		  const char *from, const char *domain, struct fg_error *err);

/*
 * Objects of these kinds (with commas between them) of a namespace (NULL: of all), chosen by a
 * selector (NULL: all). label: the objects go to `into` instead of what fg_gather_run() fills.
 */
int fg_gather_list(struct fg_gather *g, const char *kinds, const char *namespace,
		   const char *selector, struct fg_objects *into, struct fg_error *err);

/* Asks, and adds the objects to out. Returns 0 or -1. */
int fg_gather_run(struct fg_gather *g, const struct fg_kubectl *kubectl, struct fg_objects *out,
		  struct fg_error *err);

void fg_gather_free(struct fg_gather *g);

/* The namespace of kubectl's context, "default" if it names none. Returns 0 or -1. */
int fg_gather_namespace(const struct fg_kubectl *kubectl, char *buf, size_t size,
			struct fg_error *err);

#endif
