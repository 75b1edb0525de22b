// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/device_table.c - the names of the devices and namespaces that packets pass.
 */
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

static struct fg_device_seen *find_seen(const struct fg_device_table *names, uint32_t netns)
{
	for (size_t i = 0; i < names->seen_count; i++)
		if (names->seen[i].netns == netns)
			return &names->seen[i];
	return NULL;
}

static int mark_seen(struct fg_device_table *names, uint32_t netns, uint64_t cookie,
		     struct fg_error *err)
{
	struct fg_device_seen *added = FG_APPEND(names->seen, names->seen_count, "namespaces", err);

	if (!added)
		return -1;
	*added = (struct fg_device_seen){ .netns = netns, .cookie = cookie };
	return 0;
}

void fg_device_table_forget(struct fg_device_table *names, uint32_t netns)
{
	struct fg_device_seen *seen = find_seen(names, netns);
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++)
		if (names->devices[i].netns != netns)
			names->devices[kept++] = names->devices[i];
	names->count = kept;
	if (seen)
		*seen = names->seen[--names->seen_count];
}

int fg_device_table_take(struct fg_device_table *names, const struct fg_links *links,
			 uint32_t netns, uint64_t cookie, const char *where, struct fg_error *err)
{
	struct fg_device *d;

	if (find_seen(names, netns))
		return 0;
	d = FG_GROW(names->devices, names->count, links->count, "devices", err);
	if (!d || mark_seen(names, netns, cookie, err))
		return -1;
	names->count += links->count;
	for (size_t i = 0; i < links->count; i++, d++) {
		*d = (struct fg_device){ .netns = netns, .ifindex = links->links[i].ifindex };
		memcpy(d->name, links->links[i].name, sizeof(d->name));
		memcpy(d->kind, links->links[i].kind, sizeof(d->kind));
		snprintf(d->where, sizeof(d->where), "%s", where);
	}
	return 0;
}

int fg_device_table_add(struct fg_device_table *names, struct nl_sock *sk, uint32_t netns,
			const char *where, struct fg_error *err)
{
	struct fg_links links = {};
	int ret;

	if (find_seen(names, netns))
		return 0;
	if (fg_link_list(sk, &links, err))
		return -1;
	ret = fg_device_table_take(names, &links, netns, fg_rtnl_cookie(sk), where, err);
	fg_links_free(&links);
	return ret;
}

void fg_device_table_find(struct fg_device_table *names, struct fg_host *host, uint32_t netns)
{
	const struct fg_netns_entry *entry;
	struct nl_sock *sk = NULL;
	const char *label;
	char text[330];

	if (!netns || find_seen(names, netns))
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
		mark_seen(names, netns, 0, NULL);
	nl_socket_free(sk);
}

/* --- namespaces that are others by now --- */

#define LOOK_AGAIN_NS 1000000000ULL

/* LOST: the host's list does not lead to it any more. */
static enum fg_device_identity compare(struct fg_device_seen *seen, const struct fg_host *host)
{
	const struct fg_netns_entry *entry = fg_netns_list_find(&host->list, seen->netns);
	FG_FD int fd = entry ? fg_netns_open(entry->path, NULL) : -1;

	/* A path of the user's own may be in no list. */
	if (!entry && !seen->found)
		return FG_DEVICE_SAME;
	seen->found = true;
	if (fd < 0 || fg_netns_inode(fd) != seen->netns)
		return FG_DEVICE_LOST;
	return fg_netns_cookie(fd) == seen->cookie ? FG_DEVICE_SAME : FG_DEVICE_OTHER;
}

/* Returns whether some are lost. */
static bool compare_all(struct fg_device_table *names, const struct fg_host *host)
{
	bool lost = false;

	for (size_t i = 0; i < names->seen_count; i++) {
		struct fg_device_seen *seen = &names->seen[i];

		if (!seen->cookie)
			continue;
		seen->is = compare(seen, host);
		lost |= seen->is == FG_DEVICE_LOST;
	}
	return lost;
}

void fg_device_table_renew(struct fg_device_table *names, struct fg_host *host, uint64_t now)
{
	bool anew;

	if (names->looked_ns && now - names->looked_ns < LOOK_AGAIN_NS)
		return;
	names->looked_ns = now;
	/* By another path it may be there. What could not be looked at may be there now. */
	anew = compare_all(names, host) && !fg_host_renew(host, NULL);
	if (anew)
		compare_all(names, host);
	for (size_t i = names->seen_count; i-- > 0;) {
		const struct fg_device_seen *seen = &names->seen[i];

		if (seen->cookie ? seen->is != FG_DEVICE_SAME : anew)
			fg_device_table_forget(names, seen->netns);
	}
}
