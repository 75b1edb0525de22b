// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard/spare.c - the neighbours: what keeps a probe from the pod that it goes to, and what is
 * told where that does not hold.
 */
#include "base/clock.h"
#include "base/count.h"
#include "base/fd.h"
#include "host/below.h"
#include "guard/spare.h"

/*
 * Where an address may be translated to any pod: up to this many get the stop program at their
 * devices, which waits for RCU at each; more get the program in their stacks.
 */
#define AT_DEVICES_MAX 8
/* So many namespaces are made ready at most; what goes to others is kept from sockets alone. */
#define PODS_MAX 4096

/* --- what does not hold --- */

static const char *const texts[] = {
	[FG_DISTURB_NO_TCX] = "without tcx (Linux 6.6) probes reach the stacks of pods on this "
			      "host, but no socket, and replies reach the sender's stack",
	[FG_DISTURB_NO_TCX_REPLIES] = "without tcx (Linux 6.6) replies reach the sender's stack",
	[FG_DISTURB_MANY_NAMESPACES] =
		"no pod holds a destination address, and this node has more than 4096 pods: one that "
		"a probe is translated to may see it in its stack, but in no socket",
	[FG_DISTURB_NO_LOCAL] =
		"no pod holds a destination address, this node has more than 8 pods, and the kernel "
		"has no BPF links of netfilter (Linux 6.4): the pod that a probe is translated to "
		"sees it in its stack, but in no socket",
	[FG_DISTURB_LOCAL] =
		"no pod holds a destination address, and this node has more than 8 pods: the pod that "
		"a probe is translated to counts a received IP packet, and sees nothing else",
	[FG_DISTURB_LOCAL_REPLIES] =
		"more than 16 pods send: the others count a reply as a received IP packet, and see "
		"nothing else of it",
};
_Static_assert(COUNT(texts) == FG_DISTURBANCES, "a text for each");

void fg_spare_disturb(struct fg_spare *spare, enum fg_disturbance what)
{
	spare->disturbs |= 1U << what;
}

const char *fg_spare_disturbs(struct fg_spare *spare)
{
	for (int i = 0; i < FG_DISTURBANCES; i++) {
		uint32_t bit = 1U << i;

		if (!(spare->disturbs & ~spare->told & bit))
			continue;
		spare->told |= bit;
		return texts[i];
	}
	return NULL;
}

/* --- what is done --- */

const struct fg_local *fg_spare_local(struct fg_spare *spare)
{
	if (!spare->local_tried)
		spare->local = fg_local_open(spare->datapath, NULL);
	spare->local_tried = true;
	return spare->local;
}

static struct fg_stop_parts parts_of(const struct fg_spare *s)
{
	return (struct fg_stop_parts){ fg_datapath_stop_fd(s->datapath),
				       fg_datapath_maps(s->datapath).owners };
}

/*
 * Opens the pod's namespace; *fd -1: it is gone meanwhile, and no longer a destination. What cannot
 * be looked at cannot be protected: -1, and nothing is sent.
 */
static int open_pod(const struct fg_spare *s, uint32_t inode, int *fd, struct fg_error *err)
{
	const struct fg_netns_entry *e = fg_netns_list_find(&s->host->list, inode);
	struct fg_error why = {};

	*fd = e ? fg_netns_open(e->path, &why) : -1;
	if (*fd >= 0 && fg_netns_inode(*fd) != inode)
		fg_fd_close(fd);
	if (!why.kind || fg_netns_is_gone(&why))
		return 0;
	fg_error_pass(err, &why);
	return fg_error_prefix(err, "destination in %s", e->path);
}

static int fail_in(const struct fg_spare *s, uint32_t inode, struct fg_error *err)
{
	const struct fg_netns_entry *e = fg_netns_list_find(&s->host->list, inode);

	return fg_error_prefix(err, "destination in %s", e ? e->path : "a namespace");
}

/* dst NULL: whatever it holds. */
static int spare_pod(struct fg_spare *s, uint32_t inode, int ifindex, const struct fg_addr *dst,
		     struct fg_error *err)
{
	const struct fg_stop_parts parts = parts_of(s);
	FG_NL_SOCK struct nl_sock *sk = NULL;
	FG_FD int fd = -1;
	int ret;

	if (open_pod(s, inode, &fd, err))
		return -1;
	if (fd < 0)
		return 0;
	sk = fg_rtnl_open(fd, err);
	if (!sk)
		return fail_in(s, inode, err);
	ret = fg_stops_add(&s->stops, &(struct fg_stop_pod){ inode, fd, sk }, ifindex, dst, &parts,
			   err);
	return ret < 0 ? fail_in(s, inode, err) : ret;
}

static int spare_stack(struct fg_spare *s, uint32_t inode, uint16_t family, struct fg_error *err)
{
	FG_FD int fd = -1;

	if (open_pod(s, inode, &fd, err))
		return -1;
	if (fd < 0)
		return 0;
	return fg_stops_add_local(&s->stops, &(struct fg_stop_pod){ inode, fd, NULL }, s->local,
				  family, err);
}

/* One of all pods; returns 0, -1, or 1: not spared. */
static int spare_any(struct fg_spare *s, const struct fg_below *b, uint16_t family, bool at_device,
		     struct fg_error *err)
{
	int ret = at_device ? spare_pod(s, b->inode, b->inside, NULL, err) : 1;

	if (ret <= 0)
		return ret;
	if (!fg_spare_local(s)) {
		fg_spare_disturb(s, FG_DISTURB_NO_LOCAL);
		return 1;
	}
	fg_spare_disturb(s, FG_DISTURB_LOCAL);
	/* A kernel that has the type of program and no such links. */
	if (!spare_stack(s, b->inode, family, err))
		return 0;
	if (err->kind != FG_ERR_UNSUPPORTED)
		return -1;
	fg_spare_disturb(s, FG_DISTURB_NO_LOCAL);
	return 1;
}

static bool is_below(const struct fg_below *b, const struct fg_pod *from)
{
	return b->node == from->host_inode && b->inode;
}

static int spare_all(struct fg_spare *s, const struct fg_pod *from, uint16_t family,
		     struct fg_error *err)
{
	size_t pods = 0, done = 0;
	bool all = true;
	int ret = 0;

	if (fg_below_look(s->host, from, err))
		return -1;
	for (size_t i = 0; i < s->host->below_count; i++)
		pods += is_below(&s->host->below[i], from);
	for (size_t i = 0; i < s->host->below_count && ret >= 0 && done < PODS_MAX; i++) {
		if (!is_below(&s->host->below[i], from))
			continue;
		done++;
		ret = spare_any(s, &s->host->below[i], family, pods <= AT_DEVICES_MAX, err);
		all &= !ret;
	}
	if (done == PODS_MAX)
		fg_spare_disturb(s, FG_DISTURB_MANY_NAMESPACES);
	s->at_devices = all && pods <= AT_DEVICES_MAX;
	return ret < 0 ? -1 : 0;
}

/* Whether the namespace is below the node, and can be opened, by what was listed last. */
static bool leads_there(struct fg_spare *s, const struct fg_pod *from, uint32_t inode)
{
	FG_FD int fd = -1;

	return !open_pod(s, inode, &fd, NULL) && fd >= 0 &&
	       fg_below(s->host, from, inode, NULL) > 0;
}

/* The namespaces are listed anew for one that is met, at most so often. */
#define LIST_AGAIN_NS 50000000ULL

void fg_spare_met(struct fg_spare *spare, const struct fg_pod *from, uint16_t family,
		  uint32_t netns, int ifindex)
{
	const struct fg_below b = { .inode = netns, .inside = ifindex };
	uint64_t now = fg_clock_now();
	struct fg_error err;

	if (spare->off || spare->no_tcx || netns == from->host_inode || netns == from->inode ||
	    spare->nodes[family == AF_INET6] != from->host_inode)
		return;
	if (!leads_there(spare, from, netns)) {
		if (now - spare->listed_ns < LIST_AGAIN_NS || fg_host_renew(spare->host, NULL))
			return;
		spare->listed_ns = now;
		if (!leads_there(spare, from, netns))
			return;
	}
	spare_any(spare, &b, family, spare->at_devices, &err);
}

/*
 * Whether something on the node may send packets on to pods that their address does not name: one
 * to the node itself may be for such a port, one to outside for a Service.
 */
static bool leads_on(struct fg_spare *s, const struct fg_spare_way *way)
{
	return way->has_programs || fg_watch_translates(s->watch, way->from);
}

int fg_spare_destination(struct fg_spare *spare, const struct fg_spare_way *way,
			 const struct fg_goal *goal, struct fg_error *err)
{
	const struct fg_addr *dst = way->dst;
	const struct fg_pod *pod = way->from;
	uint32_t *spared = &spare->nodes[dst->family == AF_INET6];
	int ret;

	if (spare->off || spare->no_tcx)
		return 0;
	/* Pods without a pair are known to no route, and others come later: at their sockets. */
	if (goal->kind == FG_GOAL_POD) {
		fg_datapath_set_stop(spare->datapath, FG_STOP_AT_BOTH, pod->host_inode);
		return spare_pod(spare, goal->netns, goal->ifindex, dst, err) < 0 ? -1 : 0;
	}
	/* The host's own stack is asked as it would be without flowgen. */
	if (*spared == pod->host_inode ||
	    (goal->kind == FG_GOAL_HOST && !way->is_service && !leads_on(spare, way)))
		return 0;
	ret = spare_all(spare, pod, dst->family, err);
	/* Pods that come later are met at their sockets; a server on another host is not spared. */
	if (!spare->at_devices || leads_on(spare, way))
		fg_datapath_set_stop(spare->datapath, FG_STOP_AT_BOTH, pod->host_inode);
	if (!ret)
		*spared = pod->host_inode;
	return ret;
}

void fg_spare_forget(struct fg_spare *spare, const struct fg_goal *goal, const struct fg_addr *dst)
{
	const struct fg_stop_parts parts = parts_of(spare);

	if (goal->kind == FG_GOAL_POD && !spare->off && !spare->no_tcx)
		fg_stops_disown(&parts, goal->netns, dst);
}

void fg_spare_close(struct fg_spare *spare)
{
	fg_stops_close(&spare->stops);
	fg_local_close(spare->local);
	*spare = (struct fg_spare){};
}
