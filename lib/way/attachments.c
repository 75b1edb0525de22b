// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/attachments.c - where else programs stand: a program that is attached at several places
 * of this host has one run counter for all of them, which says nothing of one place.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "datapath/policy.h"
#include "net/link.h"
#include "net/netns.h"
#include "way/attachments.h"

static void note_program(struct fg_attachments *a, uint32_t id)
{
	uint32_t *added = id ? FG_APPEND(a->list, a->count, "programs", NULL) : NULL;

	if (added)
		*added = id;
	a->cut |= id && !added;
}

/*
 * Filters in other chains, or of a qdisc, are these programs too. Their actions are not: an action
 * takes programs of a type of its own (BPF_PROG_TYPE_SCHED_ACT).
 */
static void note(struct fg_attachments *a, const struct fg_program *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		note_program(a, list[i].id);
}

/* What cannot be listed may hold any program. */
static void note_ladder(struct fg_attachments *a, int failed, struct fg_ladder *ladder)
{
	note(a, ladder->programs, ladder->count);
	note(a, ladder->filters, ladder->filter_count);
	a->cut |= failed || ladder->filters_cut;
	fg_ladder_free(ladder);
}

static void list_device(struct fg_attachments *a, int netns, uint32_t inode, struct nl_sock *sk,
			const struct fg_link *link)
{
	struct fg_ladder ladder = {};
	int failed;

	for (int egress = 0; egress < 2; egress++) {
		failed = fg_policy_list_device(netns, inode, sk, link, egress, &ladder, NULL);
		note_ladder(a, failed, &ladder);
	}
	failed = fg_policy_list_netkit_peer(netns, inode, link, &ladder, NULL);
	note_ladder(a, failed, &ladder);
}

static void list_netns(struct fg_attachments *a, const struct fg_netns_entry *entry)
{
	struct fg_error why = {};
	FG_FD int fd = fg_netns_open(entry->path, &why);
	FG_NL_SOCK struct nl_sock *sk = fd >= 0 ? fg_rtnl_open(fd, NULL) : NULL;
	struct fg_links links = {};

	/* Gone meanwhile: nothing is attached in it any more. */
	if (!sk)
		a->cut |= fd >= 0 || !fg_netns_is_gone(&why);
	if (!sk || fg_netns_inode(fd) != entry->inode)
		return;
	if (fg_link_list(sk, &links, NULL)) {
		a->cut = true;
		return;
	}
	for (size_t i = 0; i < links.count; i++)
		list_device(a, fd, entry->inode, sk, &links.links[i]);
	fg_links_free(&links);
}

void fg_attachments_forget(struct fg_attachments *attachments)
{
	free(attachments->list);
	*attachments = (struct fg_attachments){};
}

/* Not the host's own list: what is judged just now borrows from that. */
static void list_all(struct fg_attachments *a, const char *root)
{
	struct fg_netns_list all = {};

	fg_attachments_forget(a);
	a->listed_ns = fg_clock_now();
	if (fg_netns_list(root, &all, NULL))
		a->cut = true;
	for (size_t i = 0; i < all.count; i++)
		list_netns(a, &all.entries[i]);
	fg_netns_list_free(&all);
}

bool fg_attachments_alone(struct fg_attachments *attachments, const struct fg_host *host,
			  uint32_t id, uint64_t since_ns)
{
	size_t found = 0;

	if (!attachments->listed_ns || attachments->listed_ns < since_ns)
		list_all(attachments, host->root);
	for (size_t i = 0; i < attachments->count; i++)
		found += attachments->list[i] == id;
	return found == 1 && !attachments->cut;
}
