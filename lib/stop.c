// SPDX-License-Identifier: GPL-2.0-only
#include "stop.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fd.h"

void fg_stops_close(struct fg_stops *stops)
{
	for (size_t i = 0; i < stops->count; i++)
		fg_fd_close(&stops->list[i].link);
	free(stops->list);
	*stops = (struct fg_stops){};
}

int fg_stop_attach(int netns, int ifindex, int program_fd, struct fg_error *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = BPF_F_BEFORE);
	int back, link;

	if (fg_netns_enter(netns, &back, err))
		return -1;
	link = bpf_link_create(program_fd, ifindex, BPF_TCX_INGRESS, &opts);
	fg_netns_leave(&back);
	if (link == -EINVAL || link == -EOPNOTSUPP)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "this kernel has no tcx (Linux 6.6)");
	if (link < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -link, "tcx ingress of device %d",
				     ifindex);
	return link;
}

static bool is_held(const struct fg_stops *stops, uint32_t netns)
{
	for (size_t i = 0; i < stops->count; i++)
		if (stops->list[i].netns == netns)
			return true;
	return false;
}

static int hold(struct fg_stops *stops, uint32_t netns, int link)
{
	struct fg_stop *grown = reallocarray(stops->list, stops->count + 1, sizeof(*grown));

	if (!grown)
		return -1;
	stops->list = grown;
	grown[stops->count++] = (struct fg_stop){ netns, link };
	return 0;
}

/* Lets the program know what the namespace holds. */
static int own_addresses(const struct fg_link_addresses *all, uint32_t inode, int owners,
			 struct fg_error *err)
{
	const __u8 one = 1;

	for (size_t i = 0; i < all->count; i++) {
		struct fg_owner owner = { .netns = inode,
					  .family = all->list[i].addr.family == AF_INET ? 4 : 6 };
		int ret;

		memcpy(owner.addr, all->list[i].addr.bytes, sizeof(owner.addr));
		ret = bpf_map_update_elem(owners, &owner, &one, BPF_ANY);
		if (ret)
			return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "addresses of pods");
	}
	return 0;
}

/* All pairs of the namespace that lead out of it. */
static int attach_all(struct fg_stops *stops, uint32_t inode, int netns, struct nl_sock *sk,
		      int program_fd, struct fg_error *err)
{
	struct fg_links links = {};
	int ret = fg_link_list(sk, &links, err);

	for (size_t i = 0; i < links.count && !ret; i++) {
		int link;

		if (!fg_link_is_pod_end(&links.links[i]))
			continue;
		link = fg_stop_attach(netns, links.links[i].ifindex, program_fd, err);
		if (link < 0 || hold(stops, inode, link)) {
			fg_fd_close(&link);
			ret = -1;
		}
	}
	fg_links_free(&links);
	return ret;
}

/* One namespace; dst NULL: whatever it holds. *found: it holds dst. */
static int visit(struct fg_stops *stops, const struct fg_netns_entry *entry,
		 const struct fg_addr *dst, const struct fg_stop_parts *parts, bool *found,
		 struct fg_error *err)
{
	FG_FD int netns = fg_netns_open(entry->path, NULL);
	FG_NL_SOCK struct nl_sock *sk = netns >= 0 ? fg_rtnl_open(netns, NULL) : NULL;
	struct fg_link_addresses all = {};
	bool has = false;
	int ret = 0;

	/* Gone meanwhile: it is no destination any more. */
	if (!sk || fg_link_addresses(sk, 0, &all, NULL))
		return 0;
	for (size_t i = 0; dst && i < all.count && !has; i++)
		has = fg_addr_equal(&all.list[i].addr, dst);
	*found |= has;
	if ((has || !dst) && !is_held(stops, entry->inode))
		ret = own_addresses(&all, entry->inode, parts->owners, err) ||
		      attach_all(stops, entry->inode, netns, sk, parts->program, err);
	free(all.list);
	return ret ? fg_error_prefix(err, "destination in %s", entry->path) : 0;
}

static int walk(struct fg_stops *stops, const struct fg_host *host, const struct fg_addr *dst,
		const struct fg_stop_parts *parts, bool *found, struct fg_error *err)
{
	for (size_t i = 0; i < host->list.count; i++)
		if (host->list.entries[i].inode != host->inode &&
		    visit(stops, &host->list.entries[i], dst, parts, found, err))
			return -1;
	return 0;
}

int fg_stops_add(struct fg_stops *stops, const struct fg_host *host, const struct fg_addr *dst,
		 const struct fg_stop_parts *parts, enum fg_stop_where *where, struct fg_error *err)
{
	bool found = false;

	*where = FG_STOP_THERE;
	/* The host's own stack is asked as it would be without flowgen. */
	if (fg_link_holds(host->rtnl, dst))
		return 0;
	if (walk(stops, host, dst, parts, &found, err))
		return -1;
	if (found)
		return 0;
	/* The host's own is one of the list. */
	if (host->list.count > FG_STOPS_EVERYWHERE + 1) {
		*where = FG_STOP_TOO_MANY;
		return 0;
	}
	*where = FG_STOP_EVERYWHERE;
	return walk(stops, host, NULL, parts, &found, err);
}
