/* SPDX-License-Identifier: GPL-2.0-only */
/* way/device_table.h - the names of the devices and namespaces that packets pass. */
#ifndef FG_DEVICE_TABLE_H
#define FG_DEVICE_TABLE_H

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
	uint32_t *seen; /* inode numbers of the namespaces that were listed, or could not be */
	size_t seen_count;
	struct fg_reasons *reasons; /* borrowed */
};

/* Lists the devices of a namespace once; where says how a person knows it. Returns 0 or -1. */
int fg_device_table_add(struct fg_device_table *names, struct nl_sock *sk, uint32_t netns,
			const char *where, struct fg_error *err);

/*
 * Adds the names of a namespace that a packet reached; one that cannot be found stays
 * unnamed.
 */
void fg_device_table_find(struct fg_device_table *names, struct fg_host *host, uint32_t netns);

void fg_device_table_free(struct fg_device_table *names);

/* As struct fg_context has them (device, reason): names is the table. NULL: not known. Borrowed. */
const struct fg_device *fg_device_table_device(const void *names, uint32_t netns, int ifindex);
const char *fg_device_table_reason(const void *names, uint32_t code);

#endif
