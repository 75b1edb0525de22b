// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/policy.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "probe/names.h"
#include "net/nft.h"
#include "node/tc.h"

/* One end of the pair, as programs are asked of it. */
struct place {
	enum fg_side side;
	const struct fg_link *link;
	uint32_t netns_inode;
	int netns;
	struct nl_sock *rtnl;
	/* What only people read (names, tags) is left out. */
	bool bare;
};

/* The full name is in the program's BTF; the kernel's own record of it is cut. */
static void read_btf_name(const struct bpf_prog_info *info, uint32_t func_type, char *name,
			  size_t size)
{
	struct btf *btf = info->btf_id ? btf__load_from_kernel_by_id(info->btf_id) : NULL;
	const struct btf_type *type = btf ? btf__type_by_id(btf, func_type) : NULL;
	const char *text = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	if (text && text[0])
		snprintf(name, size, "%s", text);
	btf__free(btf);
}

/*
 * Returns 0, or -1 if the program is gone or may not be opened; *program is filled as far as
 * known.
 */
static int read_program(uint32_t id, struct fg_program *program)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_func_info func = {};
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	program->id = id;
	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		return -1;
	snprintf(program->name, sizeof(program->name), "%s", info.name);
	memcpy(program->tag, info.tag, sizeof(program->tag));
	if (!info.nr_func_info || strlen(info.name) + 1 < sizeof(info.name))
		return 0;
	info = (struct bpf_prog_info){ .nr_func_info = 1,
				       .func_info = (uintptr_t)&func,
				       .func_info_rec_size = sizeof(func) };
	len = sizeof(info);
	if (!bpf_prog_get_info_by_fd(fd, &info, &len) && info.nr_func_info)
		read_btf_name(&info, func.type_id, program->name, sizeof(program->name));
	return 0;
}

static bool is_tcx(enum fg_hook hook)
{
	return hook == FG_HOOK_TCX_EGRESS || hook == FG_HOOK_TCX_INGRESS;
}

/*
 * What `flowgen exec` has on a pod's devices decides about its own packets alone: it is not part of
 * anybody's policy, and may come and go.
 */
static bool is_exec(const struct fg_program *program)
{
	return !strncmp(program->name, "fg_exec_", strlen("fg_exec_"));
}

static struct fg_program *add_program(struct fg_ladder *ladder, const struct place *place,
				      enum fg_hook hook, uint32_t id, struct fg_error *err)
{
	struct fg_program *program;

	if (ladder->count == FG_LADDER_MAX) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "device %s: more than %d programs on the path",
			place->link->name, FG_LADDER_MAX);
		return NULL;
	}
	program = FG_APPEND(ladder->programs, ladder->count, "list the programs", err);
	if (!program)
		return NULL;
	*program = (struct fg_program){ .hook = hook,
					.side = place->side,
					.ifindex = place->link->ifindex,
					.netns = place->netns_inode };
	memcpy(program->device, place->link->name, sizeof(program->device));
	program->id = id;
	/* Whether it is flowgen's own the name tells; see list_mprog(). */
	if ((!place->bare || is_tcx(hook)) && read_program(id, program) && errno != ENOENT) {
		int code = errno;

		fg_fail_errno(err, FG_ERR_INTERNAL, code, "program %u on %s", id,
			      place->link->name);
		if (code == EPERM || code == EACCES)
			fg_hint(err, "flowgen needs CAP_SYS_ADMIN to look at other programs");
		return NULL;
	}
	return program;
}

/* tcx and netkit: an ordered list of programs (kernel/bpf/mprog.c). */
static int list_mprog(const struct place *place, enum bpf_attach_type type, enum fg_hook hook,
		      struct fg_ladder *ladder, struct fg_error *err)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts);
	__u32 ids[FG_LADDER_MAX];
	int back, ret;

	opts.prog_ids = ids;
	opts.count = FG_LADDER_MAX;
	if (fg_netns_enter(place->netns, &back, err))
		return -1;
	ret = bpf_prog_query_opts(place->link->ifindex, type, &opts);
	fg_netns_leave(&back);
	/* EINVAL: a kernel without this kind of hook. */
	if (ret == -EINVAL || ret == -EOPNOTSUPP || ret == -ENOENT)
		return 0;
	ladder->tcx |= type == BPF_TCX_EGRESS && !ret;
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "programs at %s of %s",
				     fg_hook_name(hook), place->link->name);
	for (__u32 i = 0; i < opts.count; i++) {
		const struct fg_program *p = add_program(ladder, place, hook, ids[i], err);

		if (!p)
			return -1;
		if (is_tcx(hook) && is_exec(p))
			ladder->count--;
	}
	return 0;
}

/* A filter goes to the list of those that are not programs, before the next program. */
static int add_filter(struct fg_ladder *ladder, const struct fg_program *filter,
		      struct fg_error *err)
{
	struct fg_program *added;

	if (ladder->filter_count == FG_LADDER_MAX) {
		ladder->filters_cut = true;
		return 0;
	}
	added = FG_APPEND(ladder->filters, ladder->filter_count, "tc filters", err);
	if (!added)
		return -1;
	*added = *filter;
	added->before = ladder->count;
	return 0;
}

/* What rtnetlink does not say: the device it is at, and the names of what it names by number. */
static void complete(const struct place *place, enum fg_hook hook, struct fg_program *filter)
{
	struct fg_link target;

	filter->hook = hook;
	filter->side = place->side;
	filter->ifindex = place->link->ifindex;
	filter->netns = place->netns_inode;
	memcpy(filter->device, place->link->name, sizeof(filter->device));
	if (place->bare)
		return;
	if (filter->id)
		read_program(filter->id, filter);
	if (filter->target_ifindex > 0 &&
	    !fg_link_get(place->rtnl, filter->target_ifindex, NULL, &target, NULL))
		memcpy(filter->target, target.name, sizeof(filter->target));
}

/* A program that is on the ladder itself: one that runs wherever a packet passes. */
static bool is_rung(const struct fg_program *filter)
{
	return filter->kind == FG_RUNG_BPF && !filter->chain && !filter->parent;
}

static int add_rung(struct fg_ladder *ladder, const struct place *place, enum fg_hook hook,
		    const struct fg_program *filter, struct fg_error *err)
{
	struct fg_program *p = add_program(ladder, place, hook, filter->id, err);
	struct fg_program known;

	if (!p)
		return -1;
	known = *p;
	*p = *filter;
	memcpy(p->name, known.name, sizeof(p->name));
	memcpy(p->tag, known.tag, sizeof(p->tag));
	complete(place, hook, p);
	return 0;
}

static int take_filter(struct fg_ladder *ladder, const struct place *place, enum fg_hook hook,
		       struct fg_program *filter, struct fg_error *err)
{
	if (is_rung(filter))
		return add_rung(ladder, place, hook, filter, err);
	complete(place, hook, filter);
	return add_filter(ladder, filter, err);
}

/* Those of chain 0, or those of all others. */
static int add_chains(struct fg_ladder *ladder, const struct place *place, enum fg_hook hook,
		      const struct fg_tc_filters *found, bool others, struct fg_error *err)
{
	for (size_t i = 0; i < found->count; i++) {
		struct fg_program *f = &found->list[i];

		if ((f->chain != 0) != others)
			continue;
		/*
		 * The kernel dumps in this order already; equal priorities keep theirs only if
		 * nothing is moved.
		 */
		if (f > found->list && f[-1].chain == f->chain && f[-1].pref > f->pref)
			return fg_fail(err, FG_ERR_INTERNAL, "tc filters of %s came out of order",
				       place->link->name);
		if (take_filter(ladder, place, hook, f, err))
			return -1;
	}
	return 0;
}

/* Other chains are only reached from chain 0, and so come after it. */
static int add_filters(struct fg_ladder *ladder, const struct place *place, enum fg_hook hook,
		       const struct fg_tc_filters *found, struct fg_error *err)
{
	ladder->filters_cut |= found->cut;
	return add_chains(ladder, place, hook, found, false, err) ||
			       add_chains(ladder, place, hook, found, true, err)
		       ? -1
		       : 0;
}

/* The filters of one parent: of clsact (or ingress) at one direction, or of a qdisc. */
static int list_filters(const struct place *place, uint32_t parent, enum fg_hook hook,
			struct fg_ladder *ladder, struct fg_error *err)
{
	struct fg_tc_filters found = {};
	int ret = fg_tc_filters_list(place->rtnl, place->link->ifindex, parent, &found);

	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "tc filters of %s",
				     place->link->name);
	if (TC_H_MAJ(parent) == TC_H_MAJ(TC_H_CLSACT)) {
		ladder->other_filters |= found.other;
		ladder->pod_filters |= found.other && place->side == FG_SIDE_POD;
	}
	ret = add_filters(ladder, place, hook, &found, err);
	fg_tc_filters_free(&found);
	return ret;
}

/* Those that cannot have filters; all others are asked for theirs. */
static bool has_no_filters(const char *qdisc)
{
	static const char *const plain[] = { "",      "noqueue", "noop", "pfifo_fast",
					     "pfifo", "bfifo",	 "fq",	 "mq" };

	for (size_t i = 0; i < COUNT(plain); i++)
		if (!strcmp(plain[i], qdisc))
			return true;
	return false;
}

/* Filters that choose a class of a qdisc can drop and redirect as all others (tcf_classify()). */
static int list_qdiscs(const struct place *place, struct fg_ladder *ladder, struct fg_error *err)
{
	struct fg_tc_qdiscs qdiscs = {};
	int failed = 0, ret;

	if (has_no_filters(place->link->qdisc))
		return 0;
	ret = fg_tc_qdiscs_list(place->rtnl, place->link->ifindex, &qdiscs);
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "qdiscs of %s", place->link->name);
	for (size_t i = 0; !failed && i < qdiscs.count; i++)
		if (qdiscs.list[i].handle &&
		    TC_H_MAJ(qdiscs.list[i].handle) != TC_H_MAJ(TC_H_CLSACT) &&
		    !has_no_filters(qdiscs.list[i].kind))
			failed = list_filters(place, qdiscs.list[i].handle, FG_HOOK_TC_EGRESS,
					      ladder, err);
	free(qdiscs.list);
	return failed;
}

static int list_xdp(const struct place *place, struct fg_ladder *ladder, struct fg_error *err)
{
	struct fg_program *p;
	struct fg_link link;

	/* Asked afresh: the pod may have been opened a while ago. */
	if (fg_link_get(place->rtnl, place->link->ifindex, NULL, &link, err))
		return -1;
	if (!link.xdp_id)
		return 0;
	p = add_program(ladder, place, FG_HOOK_XDP, link.xdp_id, err);
	if (!p)
		return -1;
	p->native = link.xdp_mode != XDP_ATTACHED_SKB;
	return 0;
}

/* noqueue passes everything on; whatever else is there can drop, delay or reorder. */
static bool has_qdisc(const struct fg_link *peer)
{
	return peer->qdisc[0] && strcmp(peer->qdisc, "noqueue") && strcmp(peer->qdisc, "noop");
}

static bool has_generic_xdp(const struct fg_link *peer)
{
	return peer->xdp_id && peer->xdp_mode == XDP_ATTACHED_SKB;
}

/* Both ends of a pod's pair, as programs are asked of them. */
static void find_places(const struct fg_pod *pod, bool bare, struct place *inside,
			struct place *outside)
{
	*inside =
		(struct place){ FG_SIDE_POD, &pod->peer, pod->inode, pod->netns, pod->rtnl, bare };
	*outside = (struct place){ FG_SIDE_HOST,    &pod->primary,  pod->host_inode,
				   pod->host_netns, pod->host_rtnl, bare };
}

static bool is_netkit(const struct fg_pod *pod)
{
	return !strcmp(pod->primary.kind, "netkit");
}

static int list_tc(const struct place *place, bool egress, struct fg_ladder *ladder,
		   struct fg_error *err)
{
	uint32_t parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);

	return list_mprog(place, egress ? BPF_TCX_EGRESS : BPF_TCX_INGRESS,
			  egress ? FG_HOOK_TCX_EGRESS : FG_HOOK_TCX_INGRESS, ladder, err) ||
	       list_filters(place, parent, egress ? FG_HOOK_TC_EGRESS : FG_HOOK_TC_INGRESS, ladder,
			    err) ||
	       (egress && list_qdiscs(place, ladder, err));
}

static int finish(int failed, struct fg_ladder *ladder, struct fg_ladder *out)
{
	if (failed) {
		fg_ladder_free(ladder);
		return -1;
	}
	*out = *ladder;
	return 0;
}

/* A kernel that has no sockets of this kind has no chains either. */
static bool has_netfilter(const struct fg_pod *pod)
{
	FG_NL_SOCK struct nl_sock *sk =
		fg_nft_is_loaded() ? fg_rtnl_open_protocol(pod->netns, NETLINK_NETFILTER, NULL)
				   : NULL;

	return sk && fg_nft_has_egress(sk, pod->peer.name);
}

int fg_policy_list(const struct fg_pod *pod, bool bare, struct fg_ladder *out, struct fg_error *err)
{
	struct fg_ladder ladder = { .pod_qdisc = has_qdisc(&pod->peer),
				    .pod_xdp = has_generic_xdp(&pod->peer),
				    .pod_netfilter = !bare && !pod->uplink && has_netfilter(pod) };
	struct place inside, outside, netkit;
	int failed;

	find_places(pod, bare, &inside, &outside);
	if (pod->uplink)
		return finish(list_xdp(&outside, &ladder, err) ||
				      list_tc(&outside, false, &ladder, err),
			      &ladder, out);
	/* netkit's programs are attached to the primary, and run for what the peer sends. */
	netkit = outside;
	netkit.side = FG_SIDE_POD;
	failed = list_tc(&inside, true, &ladder, err) ||
		 (is_netkit(pod) &&
		  list_mprog(&netkit, BPF_NETKIT_PEER, FG_HOOK_NETKIT_PEER, &ladder, err)) ||
		 list_xdp(&outside, &ladder, err) || list_tc(&outside, false, &ladder, err);
	return finish(failed, &ladder, out);
}

int fg_policy_list_back(const struct fg_pod *pod, struct fg_ladder *out, struct fg_error *err)
{
	struct fg_ladder ladder = {};
	struct place inside, outside;
	int failed;

	find_places(pod, false, &inside, &outside);
	if (pod->uplink)
		return finish(list_tc(&outside, true, &ladder, err), &ladder, out);
	failed = list_tc(&outside, true, &ladder, err) ||
		 (is_netkit(pod) &&
		  list_mprog(&outside, BPF_NETKIT_PRIMARY, FG_HOOK_NETKIT_PRIMARY, &ladder, err)) ||
		 list_xdp(&inside, &ladder, err) || list_tc(&inside, false, &ladder, err);
	return finish(failed, &ladder, out);
}

int fg_policy_list_device(int netns, uint32_t inode, struct nl_sock *rtnl,
			  const struct fg_link *link, bool egress, struct fg_ladder *out,
			  struct fg_error *err)
{
	const struct place place = { FG_SIDE_HOST, link, inode, netns, rtnl, false };
	struct fg_ladder ladder = { .pod_qdisc = egress && has_qdisc(link) };
	bool netkit = !strcmp(link->kind, "netkit") && link->netkit_primary;
	int failed;

	if (egress)
		failed = list_tc(&place, true, &ladder, err) ||
			 (netkit && list_mprog(&place, BPF_NETKIT_PRIMARY, FG_HOOK_NETKIT_PRIMARY,
					       &ladder, err));
	else
		failed = list_xdp(&place, &ladder, err) || list_tc(&place, false, &ladder, err);
	return finish(failed, &ladder, out);
}

int fg_policy_list_netkit_peer(int netns, uint32_t inode, const struct fg_link *link,
			       struct fg_ladder *out, struct fg_error *err)
{
	const struct place place = { FG_SIDE_POD, link, inode, netns, NULL, false };
	struct fg_ladder ladder = {};
	bool netkit = !strcmp(link->kind, "netkit") && link->netkit_primary;

	return finish(netkit && list_mprog(&place, BPF_NETKIT_PEER, FG_HOOK_NETKIT_PEER, &ladder,
					   err),
		      &ladder, out);
}

/* One attachment: the same program may be twice at a hook, and a filter has no number. */
static bool same_rung(const struct fg_program *a, const struct fg_program *b)
{
	return a->id == b->id && a->hook == b->hook && a->ifindex == b->ifindex &&
	       a->kind == b->kind && a->pref == b->pref && a->handle == b->handle &&
	       a->chain == b->chain && a->protocol == b->protocol && a->parent == b->parent &&
	       a->action == b->action && a->target_ifindex == b->target_ifindex &&
	       a->goto_chain == b->goto_chain && a->action_id == b->action_id &&
	       !strcmp(a->what, b->what);
}

bool fg_policy_same(const struct fg_ladder *a, const struct fg_ladder *b)
{
	if (a->count != b->count || a->other_filters != b->other_filters ||
	    a->filter_count != b->filter_count || a->filters_cut != b->filters_cut)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_rung(&a->programs[i], &b->programs[i]))
			return false;
	for (size_t i = 0; i < a->filter_count; i++)
		if (a->filters[i].before != b->filters[i].before ||
		    !same_rung(&a->filters[i], &b->filters[i]))
			return false;
	return true;
}

/* --- programs that replace functions of others --- */

static void note_extension(const struct bpf_link_info *link, struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].id == link->tracing.target_obj_id) {
			ladder->programs[i].extension = link->prog_id;
			ladder->programs[i].extensions++;
		}
}

static bool is_extension(uint32_t id)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &len) &&
	       info.type == BPF_PROG_TYPE_EXT;
}

void fg_policy_find_extensions(struct fg_ladder *ladder)
{
	__u32 id = 0;

	for (size_t i = 0; i < ladder->count; i++)
		ladder->programs[i].extension = ladder->programs[i].extensions = 0;
	while (ladder->count && !bpf_link_get_next_id(id, &id)) {
		FG_FD int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);

		/* Attached to a program: it is watched (fentry, fexit), or replaced (freplace). */
		if (fd < 0 || bpf_link_get_info_by_fd(fd, &info, &len) ||
		    info.type != BPF_LINK_TYPE_TRACING || !info.tracing.target_obj_id ||
		    !is_extension(info.prog_id))
			continue;
		note_extension(&info, ladder);
	}
}

int fg_policy_run_count(int program_fd, struct fg_run_count *out)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_prog_get_info_by_fd(program_fd, &info, &len))
		return -1;
	out->runs = info.run_cnt;
	out->ns = info.run_time_ns;
	return 0;
}

int fg_policy_tag(int fd, uint8_t tag[8])
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_prog_get_info_by_fd(fd, &info, &len))
		return -1;
	memcpy(tag, info.tag, sizeof(info.tag));
	return 0;
}
