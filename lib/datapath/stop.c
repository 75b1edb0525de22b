// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/stop.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"
#include "base/fd.h"
#include "base/grow.h"
#include "host/capability.h"
#include "net/netns.h"
#include "probe/names.h"

void fg_stops_close(struct fg_stops *stops)
{
	for (size_t i = 0; i < stops->count; i++)
		fg_fd_close(&stops->list[i].link);
	free(stops->list);
	*stops = (struct fg_stops){};
}

/* EINVAL has other causes too: then the same operation on a device of our own tells. */
static bool lacks_tcx(int code)
{
	struct fg_error why;

	if (code != EINVAL && code != EOPNOTSUPP)
		return false;
	return fg_capability_feature_probe(FG_FEATURE_TCX, &why) &&
	       (why.code == EINVAL || why.code == EOPNOTSUPP);
}

static int fail_no_tcx(struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED, "this kernel has no tcx (Linux 6.6)");
	if (err)
		err->code = EOPNOTSUPP;
	return -1;
}

/* flags: BPF_F_BEFORE or BPF_F_AFTER all others. */
static int attach_at(int netns, int ifindex, enum fg_hook hook, int program_fd, uint32_t flags,
		     struct fg_error *err)
{
	enum bpf_attach_type type = hook == FG_HOOK_TCX_EGRESS ? BPF_TCX_EGRESS : BPF_TCX_INGRESS;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int back, link;

	if (fg_netns_enter(netns, &back, err))
		return -1;
	link = bpf_link_create(program_fd, ifindex, type, &opts);
	fg_netns_leave(&back);
	if (link < 0 && lacks_tcx(-link))
		return fail_no_tcx(err);
	if (link < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -link, "%s of device %d",
				     fg_hook_name(hook), ifindex);
	return link;
}

int fg_stop_attach(int netns, int ifindex, enum fg_hook hook, int program_fd, struct fg_error *err)
{
	return attach_at(netns, ifindex, hook, program_fd, BPF_F_BEFORE, err);
}

int fg_stop_attach_last(int netns, int ifindex, enum fg_hook hook, int program_fd,
			struct fg_error *err)
{
	return attach_at(netns, ifindex, hook, program_fd, BPF_F_AFTER, err);
}

void fg_stop_detach(int *link)
{
	if (*link >= 0)
		bpf_link_detach(*link);
	fg_fd_close(link);
}

static bool is_held(const struct fg_stops *stops, const struct fg_stop_pod *pod, int ifindex,
		    uint16_t family)
{
	for (size_t i = 0; i < stops->count; i++) {
		const struct fg_stop *s = &stops->list[i];

		if (s->netns == pod->inode && s->ifindex == ifindex && s->family == family &&
		    s->cookie == fg_netns_cookie(pod->netns))
			return true;
	}
	return false;
}

/* Takes the link over, also if it fails. */
static int hold(struct fg_stops *stops, struct fg_stop *stop, struct fg_error *err)
{
	struct fg_stop *added = FG_APPEND(stops->list, stops->count, "stops", err);

	if (!added) {
		fg_fd_close(&stop->link);
		return -1;
	}
	*added = *stop;
	return 0;
}

/* Lets the program know what the namespace holds. */
static int own_address(const struct fg_addr *addr, uint32_t inode, int owners, struct fg_error *err)
{
	struct fg_owner owner = { .netns = inode, .family = addr->family == AF_INET ? 4 : 6 };
	const __u8 one = 1;
	int ret;

	memcpy(owner.addr, addr->bytes, sizeof(owner.addr));
	ret = bpf_map_update_elem(owners, &owner, &one, BPF_ANY);
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "addresses of pods") : 0;
}

void fg_stops_disown(const struct fg_stop_parts *parts, uint32_t netns, const struct fg_addr *addr)
{
	struct fg_owner owner = { .netns = netns, .family = addr->family == AF_INET ? 4 : 6 };

	memcpy(owner.addr, addr->bytes, sizeof(owner.addr));
	bpf_map_delete_elem(parts->owners, &owner);
}

static int own_addresses(const struct fg_stop_pod *pod, int owners, struct fg_error *err)
{
	struct fg_link_addresses all = {};
	int ret = 0;

	/* What cannot be looked at cannot be protected: nothing is sent. */
	if (fg_link_addresses(pod->sk, 0, &all, err))
		return -1;
	if (all.count > FG_STOP_ADDRESSES)
		ret = 1;
	for (size_t i = 0; i < all.count && !ret; i++)
		ret = own_address(&all.list[i].addr, pod->inode, owners, err);
	free(all.list);
	return ret;
}

static int attach(struct fg_stops *stops, const struct fg_stop_pod *pod, int ifindex, int program,
		  struct fg_error *err)
{
	struct fg_stop stop = { .netns = pod->inode,
				.cookie = fg_netns_cookie(pod->netns),
				.ifindex = ifindex };

	if (is_held(stops, pod, ifindex, 0))
		return 0;
	stop.link = fg_stop_attach(pod->netns, ifindex, FG_HOOK_TCX_INGRESS, program, err);
	return stop.link < 0 ? -1 : hold(stops, &stop, err);
}

/* Other devices that a packet may come in by instead: those that end in the same namespace. */
static int attach_siblings(struct fg_stops *stops, const struct fg_stop_pod *pod, int ifindex,
			   int program, struct fg_error *err)
{
	struct fg_links links = {};
	struct fg_link first;
	int ret = 0, count = 1;

	if (fg_link_get(pod->sk, ifindex, NULL, &first, err) || fg_link_list(pod->sk, &links, err))
		return -1;
	for (size_t i = 0; i < links.count && !ret && count < FG_STOP_DEVICES; i++) {
		const struct fg_link *l = &links.links[i];

		if (!fg_link_is_pod_end(l) || l->peer_nsid != first.peer_nsid)
			continue;
		ret = attach(stops, pod, l->ifindex, program, err);
		count++;
	}
	fg_links_free(&links);
	return ret;
}

int fg_stops_add(struct fg_stops *stops, const struct fg_stop_pod *pod, int ifindex,
		 const struct fg_addr *dst, const struct fg_stop_parts *parts, struct fg_error *err)
{
	bool known = is_held(stops, pod, ifindex, 0);
	int ret = dst ? own_address(dst, pod->inode, parts->owners, err)
		      : own_addresses(pod, parts->owners, err);

	if (ret || known)
		return ret;
	return attach(stops, pod, ifindex, parts->program, err) ||
			       attach_siblings(stops, pod, ifindex, parts->program, err)
		       ? -1
		       : 0;
}

int fg_stops_add_local(struct fg_stops *stops, const struct fg_stop_pod *pod,
		       const struct fg_local *local, uint16_t family, struct fg_error *err)
{
	struct fg_stop stop = { .netns = pod->inode,
				.cookie = fg_netns_cookie(pod->netns),
				.family = family };

	if (is_held(stops, pod, 0, family))
		return 0;
	stop.link = fg_local_attach(local, pod->netns, family, err);
	return stop.link < 0 ? -1 : hold(stops, &stop, err);
}
