// SPDX-License-Identifier: GPL-2.0-only
/* places.c - the names of the devices and namespaces that a session's packets come by. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "session_state.h"

const struct fg_device *fg_names_device(const void *names, uint32_t netns, int ifindex)
{
	const struct fg_names *n = names;

	for (size_t i = 0; i < n->count; i++)
		if (n->devices[i].netns == netns && n->devices[i].ifindex == ifindex)
			return &n->devices[i];
	return NULL;
}

const char *fg_names_reason(const void *names, uint32_t code)
{
	return fg_reasons_name(((const struct fg_names *)names)->reasons, code);
}

void fg_names_free(struct fg_names *names)
{
	free(names->devices);
	free(names->seen);
}

static bool is_seen(const struct fg_names *names, uint32_t netns)
{
	for (size_t i = 0; i < names->seen_count; i++)
		if (names->seen[i] == netns)
			return true;
	return false;
}

static int mark_seen(struct fg_names *names, uint32_t netns)
{
	uint32_t *grown = reallocarray(names->seen, names->seen_count + 1, sizeof(*grown));

	if (!grown)
		return -1;
	names->seen = grown;
	names->seen[names->seen_count++] = netns;
	return 0;
}

int fg_names_add(struct fg_names *names, struct nl_sock *sk, uint32_t netns, const char *where,
		 struct fg_error *err)
{
	struct fg_links links = {};
	struct fg_device *grown;

	if (is_seen(names, netns))
		return 0;
	if (fg_link_list(sk, &links, err))
		return -1;
	grown = reallocarray(names->devices, names->count + links.count, sizeof(*grown));
	if (!grown || mark_seen(names, netns)) {
		names->devices = grown ? grown : names->devices;
		fg_links_free(&links);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "devices");
	}
	names->devices = grown;
	for (size_t i = 0; i < links.count; i++) {
		struct fg_device *d = &names->devices[names->count++];

		*d = (struct fg_device){ .netns = netns, .ifindex = links.links[i].ifindex };
		memcpy(d->name, links.links[i].name, sizeof(d->name));
		memcpy(d->kind, links.links[i].kind, sizeof(d->kind));
		snprintf(d->where, sizeof(d->where), "%s", where);
	}
	fg_links_free(&links);
	return 0;
}

void fg_names_find(struct fg_names *names, struct fg_host *host, uint32_t netns)
{
	const struct fg_netns_entry *entry;
	struct nl_sock *sk = NULL;
	const char *label;
	char text[330];

	if (!netns || is_seen(names, netns))
		return;
	entry = fg_netns_list_find(&host->list, netns);
	if (!entry) {
		/* It came up after the host was looked at. */
		struct fg_netns_list fresh;

		if (!fg_netns_list(host->root, &fresh, NULL)) {
			fg_netns_list_free(&host->list);
			host->list = fresh;
			entry = fg_netns_list_find(&host->list, netns);
		}
	}
	FG_FD int fd = entry ? fg_netns_open(entry->path, NULL) : -1;

	/* The path may lead elsewhere by now. */
	if (fd >= 0 && fg_netns_inode(fd) == netns)
		sk = fg_rtnl_open(fd, NULL);
	label = sk ? fg_host_label(host, netns, text, sizeof(text)) : NULL;
	if (!sk || fg_names_add(names, sk, netns, label ? label : entry->path, NULL))
		mark_seen(names, netns);
	nl_socket_free(sk);
}
