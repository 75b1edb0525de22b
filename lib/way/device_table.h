/* SPDX-License-Identifier: GPL-2.0-only */
/* way/device_table.h - the names of the devices and namespaces that packets pass. */
#ifndef FG_DEVICE_TABLE_H
#define FG_DEVICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/host.h"
#include "host/reason.h"
#include "probe/probe.h"

struct nl_sock;

/* Names of what packets pass: devices of the namespaces seen so far, and drop reasons. */
struct fg_device_table {
	struct fg_device *devices;
	size_t count;
	/* The namespaces that were listed, or could not be. */
	struct fg_device_seen {
		uint32_t netns;	 /* inode number, which another namespace may have later */
		uint64_t cookie; /* which no other has; 0: it could not be looked at */
		bool found;	 /* in the host's list, at some time */
		enum fg_device_identity { FG_DEVICE_SAME, FG_DEVICE_OTHER, FG_DEVICE_LOST } is;
	} * seen; /* owned */
	size_t seen_count;
	uint64_t looked_ns; /* CLOCK_MONOTONIC, when they were last compared; 0: they are to be */
	struct fg_reasons *reasons; /* borrowed */
};

/* Lists the devices of a namespace once; where says how a person knows it. Returns 0 or -1. */
int fg_device_table_add(struct fg_device_table *names, struct nl_sock *sk, uint32_t netns,
			const char *where, struct fg_error *err);

/* The same of devices that were listed already; cookie: of the namespace (fg_netns_cookie()). */
int fg_device_table_take(struct fg_device_table *names, const struct fg_links *links,
			 uint32_t netns, uint64_t cookie, const char *where, struct fg_error *err);

/*
 * Adds the names of a namespace that a packet reached; one that cannot be found stays
 * unnamed.
 */
void fg_device_table_find(struct fg_device_table *names, struct fg_host *host, uint32_t netns);

/*
 * Between windows: compares once a second whether the namespaces are those that were listed, and
 * forgets the others, so that a pod is not called by the name of one before it. Lists the host's
 * namespaces again if some are gone. now: of the monotonic clock, in nanoseconds.
 */
void fg_device_table_renew(struct fg_device_table *names, struct fg_host *host, uint64_t now);

/* One that nobody keeps alive any more: it may be another one's number soon. */
void fg_device_table_forget(struct fg_device_table *names, uint32_t netns);

void fg_device_table_free(struct fg_device_table *names);

/* As struct fg_context has them (device, reason): names is the table. NULL: not known. Borrowed. */
const struct fg_device *fg_device_table_device(const void *names, uint32_t netns, int ifindex);
const char *fg_device_table_reason(const void *names, uint32_t code);

#endif
