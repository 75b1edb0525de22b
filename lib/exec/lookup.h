/* SPDX-License-Identifier: GPL-2.0-only */
/* exec/lookup.h - the addresses of destinations that are named: pods of this host, and hosts. */
#ifndef FG_EXEC_LOOKUP_H
#define FG_EXEC_LOOKUP_H

#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

/*
 * The address of the pod that ref names (fg_pod_find()): the first global one of the family, or
 * with family 0 the IPv4 one if it has one. Returns 0 or -1.
 */
int fg_lookup_pod(const char *host_root, const char *ref, uint16_t family, struct fg_addr *out,
		  struct fg_error *err);

struct fg_lookup {
	const char *host_root;
	const char *pod, *interface; /* who asks */
	uint16_t family;	     /* 0: any */
	void (*note)(void *arg, const char *text);
	void *note_arg;
};

/*
 * Resolves a host name as the pod would: with its name servers, its hosts file, and packets that
 * go out of its egress path (getent(1), run by fg_exec_run()). *out is the first address, and
 * *count how many there are. FG_ERR_USAGE: it has none. Returns 0 or -1.
 */
int fg_lookup_name(const struct fg_lookup *lookup, const char *name, struct fg_addr *out,
		   unsigned int *count, struct fg_error *err);

#endif
