// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/receiver.c - where packets go: the receiving pods on this host and the uplinks, with the
 * programs that come before them. Each is looked at once, and again after it changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "way/receiver.h"

void fg_receivers_free(struct fg_receivers *receivers)
{
	for (size_t i = 0; i < receivers->count; i++) {
		fg_ladder_free(&receivers->list[i]->ladder);
		fg_ladder_free(&receivers->list[i]->out);
		fg_pod_close(&receivers->list[i]->pod);
		free(receivers->list[i]);
	}
	free(receivers->list);
	receivers->list = NULL;
	receivers->count = 0;
}

static struct fg_receiver *receiver_add(struct fg_receivers *all, struct fg_error *err)
{
	struct fg_receiver *r = calloc(1, sizeof(*r)), **at;

	at = r ? FG_APPEND(all->list, all->count, "receivers", err) : NULL;
	if (!at) {
		free(r);
		return NULL;
	}
	r->pod.netns = r->pod.host_netns = -1;
	*at = r;
	return r;
}

static struct fg_receiver *find_pod(const struct fg_receivers *all, uint32_t netns, int in_pod)
{
	for (size_t i = 0; i < all->count; i++) {
		struct fg_receiver *r = all->list[i];

		if (!r->stale && r->netns == netns && !r->ifindex &&
		    (!in_pod || r->pod.peer.ifindex == in_pod))
			return r;
	}
	return NULL;
}

static struct fg_receiver *find_device(const struct fg_receivers *all, uint32_t netns, int ifindex)
{
	for (size_t i = 0; i < all->count; i++) {
		struct fg_receiver *r = all->list[i];

		if (!r->stale && r->netns == netns && r->ifindex == ifindex)
			return r;
	}
	return NULL;
}

/* Another run's, by an uplink: only that costs the loading of this run's own, which shows its tag.
 */
static bool is_own_leave(const struct fg_receivers *all, const struct fg_program *p)
{
	uint8_t tag[8];
	int fd = strcmp(p->name, "fg_leave") ? -1 : fg_datapath_leave_fd(all->datapath, NULL);

	return fd >= 0 && !fg_policy_tag(fd, tag) && !memcmp(p->tag, tag, sizeof(tag));
}

/*
 * flowgen's own programs, of other runs and of `flowgen catch` too, come before pods' stacks,
 * at tcx ingress of the device in the pod: they are not policy. Nor is what keeps answers from
 * leaving by an uplink.
 */
static bool is_own(const struct fg_receivers *all, const struct fg_program *p)
{
	if (p->hook == FG_HOOK_TCX_EGRESS)
		return p->side == FG_SIDE_HOST && is_own_leave(all, p);
	return p->hook == FG_HOOK_TCX_INGRESS && p->side == FG_SIDE_POD &&
	       (!memcmp(p->tag, all->own_programs[0], 8) ||
		!memcmp(p->tag, all->own_programs[1], 8) || !strcmp(p->name, "fg_catch"));
}

void fg_receiver_leave_out_own(const struct fg_receivers *receivers, struct fg_ladder *ladder)
{
	size_t kept = 0;

	for (size_t i = 0; i < ladder->count; i++)
		if (!is_own(receivers, &ladder->programs[i]))
			ladder->programs[kept++] = ladder->programs[i];
	ladder->count = kept;
}

static bool has_catch(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (!strcmp(ladder->programs[i].name, "fg_catch"))
			return true;
	return false;
}

/* Whether another program can drop at the ingress of the device in the pod. */
static bool drops_there(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].side == FG_SIDE_POD &&
		    ladder->programs[i].hook != FG_HOOK_XDP)
			return true;
	return ladder->filter_count != 0;
}

/*
 * Another namespace may have the inode number by now: nothing that is known of the one before
 * holds for it.
 */
static void forget_others(struct fg_receivers *all, uint32_t inode, uint64_t cookie)
{
	for (size_t i = 0; i < all->count; i++) {
		struct fg_receiver *r = all->list[i];

		if (r->netns == inode && !r->ifindex && r->cookie != cookie)
			r->stale = true;
	}
}

/* What is observed of these programs, if the kernel allows it. */
static void trace_programs(struct fg_receivers *all, struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		fg_verdicts_trace(all->verdicts, &ladder->programs[i]);
}

/* Whether that device is the pod's end of a pair; its name. */
static bool is_device(struct nl_sock *sk, int ifindex, char name[IFNAMSIZ])
{
	struct fg_link link;

	if (!ifindex || fg_link_get(sk, ifindex, NULL, &link, NULL) || !fg_link_is_pod_end(&link))
		return false;
	memcpy(name, link.name, IFNAMSIZ);
	return true;
}

/* Where the other end of each program's pair is: netkit's programs run with that as the device. */
static void note_pair(struct fg_receiver *r)
{
	for (size_t i = 0; i < r->ladder.count; i++) {
		r->ladder.programs[i].other_netns = r->pod.inode;
		r->ladder.programs[i].other_ifindex = r->pod.peer.ifindex;
	}
}

/* Descriptors are many where receivers are: what was asked stays, what it was asked by does not. */
static void rest(struct fg_receiver *r)
{
	fg_pod_close(&r->pod);
}

/* For another look. Returns 0, or -1 where the pod is gone. */
static int reopen(struct fg_receiver *r)
{
	struct fg_pod *pod = &r->pod;
	const char *host = pod->host_path[0] ? pod->host_path : "/proc/thread-self/ns/net";

	pod->netns = fg_netns_open(pod->path, NULL);
	pod->host_netns = fg_netns_open(host, NULL);
	if (pod->netns < 0 || fg_netns_inode(pod->netns) != pod->inode || pod->host_netns < 0 ||
	    fg_netns_inode(pod->host_netns) != pod->host_inode ||
	    fg_netns_cookie(pod->netns) != r->cookie)
		return -1;
	pod->rtnl = fg_rtnl_open(pod->netns, NULL);
	pod->host_rtnl = fg_rtnl_open(pod->host_netns, NULL);
	return pod->rtnl && pod->host_rtnl ? 0 : -1;
}

struct fg_receiver *fg_receiver_of_netns(struct fg_receivers *receivers, uint32_t inode,
					 int ifindex)
{
	const struct fg_netns_entry *entry = fg_netns_list_find(&receivers->host->list, inode);
	FG_FD int fd = entry ? fg_netns_open(entry->path, NULL) : -1;
	char device[IFNAMSIZ], label[330], path[512];
	const char *interface, *name;
	struct fg_receiver *r;
	uint64_t cookie;
	bool caught;

	/* The path may lead elsewhere by now. */
	if (fd >= 0 && fg_netns_inode(fd) != inode)
		fg_fd_close(&fd);
	cookie = fd >= 0 ? fg_netns_cookie(fd) : 0;
	if (cookie)
		forget_others(receivers, inode, cookie);
	r = ifindex ? find_pod(receivers, inode, ifindex) : NULL;
	if (r || fd < 0)
		return r;
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(fd, NULL);

	/* Of one with several devices each is a place of its own. */
	interface = sk && is_device(sk, ifindex, device) ? device : NULL;
	r = find_pod(receivers, inode, interface ? ifindex : 0);
	if (r)
		return r;
	name = fg_host_label(receivers->host, inode, label, sizeof(label));
	snprintf(path, sizeof(path), "%s", entry->path);
	r = sk ? receiver_add(receivers, NULL) : NULL;
	if (!r)
		return NULL;
	r->netns = inode;
	r->cookie = cookie;
	/* A namespace without a pair to the host has nothing that could be listed. */
	if (fg_pod_open_path(receivers->host, name ? name : path, path, interface, &r->pod, NULL) ||
	    fg_policy_list_back(&r->pod, &r->ladder, NULL)) {
		rest(r);
		return r;
	}
	r->listed = true;
	caught = has_catch(&r->ladder);
	fg_receiver_leave_out_own(receivers, &r->ladder);
	note_pair(r);
	/* Its name is in results even if nothing is seen of it. */
	fg_device_table_add(receivers->names, r->pod.rtnl, r->pod.inode, name ? name : path, NULL);
	trace_programs(receivers, &r->ladder);
	r->out_listed = receivers->replies && !fg_policy_list(&r->pod, false, &r->out, NULL);
	trace_programs(receivers, &r->out);
	r->far = (struct fg_far){
		.known = true,
		.netkit = !strcmp(r->pod.primary.kind, "netkit"),
		.host_netns = r->pod.host_inode,
		.host_ifindex = r->pod.primary.ifindex,
		.netns = r->pod.inode,
		.ifindex = r->pod.peer.ifindex,
		.caught = caught && !drops_there(&r->ladder),
	};
	rest(r);
	return r;
}

/* The programs at the egress of a device of the host. */
struct fg_receiver *fg_receiver_of_device(struct fg_receivers *receivers, const struct fg_pod *pod,
					  int ifindex, bool egress)
{
	/* Both directions of a device are places of their own. */
	int key = egress ? ifindex : -ifindex;
	struct fg_receiver *r = find_device(receivers, pod->host_inode, key);
	struct fg_link link;

	if (r)
		return r;
	if (fg_link_get(pod->host_rtnl, ifindex, NULL, &link, NULL))
		return NULL;
	r = receiver_add(receivers, NULL);
	if (!r)
		return NULL;
	r->netns = pod->host_inode;
	r->ifindex = key;
	r->link = link;
	if (fg_policy_list_device(pod->host_netns, pod->host_inode, pod->host_rtnl, &link, egress,
				  &r->ladder, NULL))
		return r;
	r->listed = true;
	fg_receiver_leave_out_own(receivers, &r->ladder);
	trace_programs(receivers, &r->ladder);
	if (egress)
		r->far = (struct fg_far){
			.known = true,
			.host_netns = pod->host_inode,
			.host_ifindex = ifindex,
		};
	return r;
}

/* Of a pod that was just looked at again: what its own packets meet. */
static bool out_changed(const struct fg_receiver *r)
{
	struct fg_ladder now;
	bool changed = true;

	if (!r->out_listed)
		return false;
	if (!fg_policy_list(&r->pod, true, &now, NULL)) {
		changed = !fg_policy_same(&r->out, &now);
		fg_ladder_free(&now);
	}
	return changed;
}

static int list_again(const struct fg_pod *pod, struct fg_receiver *r, struct fg_ladder *now)
{
	int ret;

	if (r->ifindex)
		return fg_policy_list_device(pod->host_netns, pod->host_inode, pod->host_rtnl,
					     &r->link, r->ifindex > 0, now, NULL);
	ret = reopen(r) || out_changed(r) || fg_policy_list_back(&r->pod, now, NULL);
	rest(r);
	return ret;
}

/* Whether its namespace or its device has gone; else it could not be asked for another reason. */
static bool went_away(const struct fg_pod *pod, const struct fg_receiver *r)
{
	const int ifindex = r->ifindex ? abs(r->ifindex) : r->pod.peer.ifindex;
	FG_NL_SOCK struct nl_sock *sk = NULL;
	FG_FD int netns = -1;
	struct fg_link link;
	struct fg_error err;

	if (!r->ifindex) {
		netns = fg_netns_open(r->pod.path, &err);
		if (netns < 0)
			return err.code == ENOENT;
		if (fg_netns_inode(netns) != r->pod.inode)
			return true;
		sk = fg_rtnl_open(netns, NULL);
		if (!sk)
			return false;
	}
	return fg_link_get(sk ?: pod->host_rtnl, ifindex, NULL, &link, &err) && err.code == ENODEV;
}

bool fg_receiver_changed(const struct fg_receivers *receivers, const struct fg_pod *pod,
			 struct fg_receiver *r)
{
	struct fg_ladder now = {};

	if (!r->listed || r->stale || (r->ifindex && r->netns != pod->host_inode))
		return r->stale;
	if (list_again(pod, r, &now)) {
		r->gone = went_away(pod, r);
		/* It is not called by its name any more. */
		receivers->names->looked_ns = 0;
		r->stale = true;
		return true;
	}
	fg_receiver_leave_out_own(receivers, &now);
	r->stale = !fg_policy_same(&r->ladder, &now);
	fg_ladder_free(&now);
	return r->stale;
}
