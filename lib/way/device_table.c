// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/device_table.c - the names of the devices and namespaces that packets pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "net/link.h"
#include "net/netns.h"
#include "way/device_table.h"

const struct fg_device *fg_device_table_device(const void *names, uint32_t netns, int ifindex)
{
	const struct fg_device_table *n = names;

	for (size_t i = 0; i < n->count; i++)
		if (n->devices[i].netns == netns && n->devices[i].ifindex == ifindex)
			return &n->devices[i];
	return NULL;
}

const char *fg_device_table_reason(const void *names, uint32_t code)
{
	return fg_reasons_name(((const struct fg_device_table *)names)->reasons, code);
}

void fg_device_table_free(struct fg_device_table *names)
{
	free(names->devices);
	free(names->seen);
}

static bool is_seen(const struct fg_device_table *names, uint32_t netns)
{
	for (size_t i = 0; i < names->seen_count; i++)
		if (names->seen[i] == netns)
			return true;
	return false;
}

static int mark_seen(struct fg_device_table *names, uint32_t netns, struct fg_error *err)
{
	uint32_t *added = FG_APPEND(names->seen, names->seen_count, "namespaces", err);

	if (!added)
		return -1;
	*added = netns;
	return 0;
}

int fg_device_table_add(struct fg_device_table *names, struct nl_sock *sk, uint32_t netns,
			const char *where, struct fg_error *err)
{
	struct fg_links links = {};
	struct fg_device *d;

	if (is_seen(names, netns))
		return 0;
	if (fg_link_list(sk, &links, err))
		return -1;
	d = FG_GROW(names->devices, names->count, links.count, "devices", err);
	if (!d || mark_seen(names, netns, err)) {
		fg_links_free(&links);
		return -1;
	}
	names->count += links.count;
	for (size_t i = 0; i < links.count; i++, d++) {
		*d = (struct fg_device){ .netns = netns, .ifindex = links.links[i].ifindex };
		memcpy(d->name, links.links[i].name, sizeof(d->name));
		memcpy(d->kind, links.links[i].kind, sizeof(d->kind));
		snprintf(d->where, sizeof(d->where), "%s", where);
	}
	fg_links_free(&links);
	return 0;
}

void fg_device_table_find(struct fg_device_table *names, struct fg_host *host, uint32_t netns)
{
	const struct fg_netns_entry *entry;
	struct nl_sock *sk = NULL;
	const char *label;
	char text[330];

	if (!netns || is_seen(names, netns))
		return;
	entry = fg_netns_list_find(&host->list, netns);
	/* It came up after the host was looked at. */
	if (!entry && !fg_host_renew(host, NULL))
		entry = fg_netns_list_find(&host->list, netns);
	FG_FD int fd = entry ? fg_netns_open(entry->path, NULL) : -1;

	/* The path may lead elsewhere by now. */
	if (fd >= 0 && fg_netns_inode(fd) == netns)
		sk = fg_rtnl_open(fd, NULL);
	label = sk ? fg_host_label(host, netns, text, sizeof(text)) : NULL;
	if (!sk || fg_device_table_add(names, sk, netns, label ? label : entry->path, NULL))
		mark_seen(names, netns, NULL);
	nl_socket_free(sk);
}
