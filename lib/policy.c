// SPDX-License-Identifier: GPL-2.0-only
#include "policy.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "names.h"
#include "nft.h"

/* One end of the pair, as programs are asked of it. */
struct place {
	enum fg_side side;
	const struct fg_link *link;
	uint32_t netns_inode;
	int netns;
	struct nl_sock *rtnl;
};

/* The full name stands in the program's BTF; the kernel's own record of it is cut. */
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

/* Returns 0, or -1 where the program is gone or may not be opened; *program is filled as far as known. */
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

static struct fg_program *add_program(struct fg_ladder *ladder, const struct place *place,
				      enum fg_hook hook, uint32_t id, struct fg_error *err)
{
	struct fg_program *program;

	if (ladder->count == FG_LADDER_MAX) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "device %s: more than %d programs on the path",
			place->link->name, FG_LADDER_MAX);
		return NULL;
	}
	program = reallocarray(ladder->programs, ladder->count + 1, sizeof(*program));
	if (!program) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list the programs");
		return NULL;
	}
	ladder->programs = program;
	program += ladder->count++;
	*program = (struct fg_program){ .hook = hook,
					.side = place->side,
					.ifindex = place->link->ifindex,
					.netns = place->netns_inode };
	memcpy(program->device, place->link->name, sizeof(program->device));
	if (read_program(id, program) && (errno == EPERM || errno == EACCES)) {
		fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "program %u on %s", id,
			      place->link->name);
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
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "programs at %s of %s",
				     fg_hook_name(hook), place->link->name);
	for (__u32 i = 0; i < opts.count; i++)
		if (!add_program(ladder, place, hook, ids[i], err))
			return -1;
	return 0;
}

struct filter {
	uint32_t priority;
	uint32_t id;
	bool direct;
};

struct filters {
	struct filter list[FG_LADDER_MAX];
	size_t count;
	bool other; /* filters that are no programs */
};

static void read_bpf_filter(struct nlattr *options, uint32_t priority, struct filters *out)
{
	struct nlattr *tb[TCA_BPF_MAX + 1];
	struct filter *f = &out->list[out->count];

	if (!options || nla_parse_nested(tb, TCA_BPF_MAX, options, NULL) < 0 || !tb[TCA_BPF_ID] ||
	    out->count == FG_LADDER_MAX)
		return;
	f->priority = priority;
	f->id = nla_get_u32(tb[TCA_BPF_ID]);
	f->direct = tb[TCA_BPF_FLAGS] && (nla_get_u32(tb[TCA_BPF_FLAGS]) & TCA_BPF_FLAG_ACT_DIRECT);
	out->count++;
}

static int read_filter(const struct nlmsghdr *nlh, void *arg)
{
	struct filters *out = arg;
	struct nlattr *tb[TCA_MAX + 1];
	const struct tcmsg *tc = nlmsg_data(nlh);

	if (nlh->nlmsg_type != RTM_NEWTFILTER)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*tc), tb, TCA_MAX, NULL) < 0)
		return -1;
	/* Each priority sends a head without options first, then its filters in the order they run. */
	if (!tb[TCA_KIND] || (tb[TCA_CHAIN] && nla_get_u32(tb[TCA_CHAIN])))
		return 0;
	if (!strcmp(nla_get_string(tb[TCA_KIND]), "bpf"))
		read_bpf_filter(tb[TCA_OPTIONS], TC_H_MAJ(tc->tcm_info) >> 16, out);
	else
		out->other = true;
	return 0;
}

static int by_priority(const void *a, const void *b)
{
	const struct filter *x = a, *y = b;

	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

/* Filters of the clsact (or ingress) qdisc at one direction, by priority. */
static int list_clsact(const struct place *place, uint32_t parent, enum fg_hook hook,
		       struct fg_ladder *ladder, struct fg_error *err)
{
	const struct tcmsg tc = { .tcm_family = AF_UNSPEC,
				  .tcm_ifindex = place->link->ifindex,
				  .tcm_parent = parent };
	struct filters found = {};
	int ret;

	for (int tries = 0; tries < 5; tries++) {
		FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETTFILTER, NLM_F_DUMP);

		found = (struct filters){};
		ret = -ENOMEM;
		if (msg && !nlmsg_append(msg, (void *)&tc, sizeof(tc), NLMSG_ALIGNTO))
			ret = fg_rtnl_query(place->rtnl, msg, read_filter, &found);
		if (ret != -EINTR)
			break;
	}
	/* A device without such a qdisc: nothing there. */
	if (ret && ret != -EINVAL && ret != -ENOENT && ret != -EOPNOTSUPP)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "tc filters of %s",
				     place->link->name);
	/* The kernel dumps in this order already; equal priorities keep theirs only if nothing is moved. */
	for (size_t i = 1; i < found.count; i++)
		if (by_priority(&found.list[i - 1], &found.list[i]) > 0)
			return fg_fail(err, FG_ERR_INTERNAL, "tc filters of %s came out of order",
				       place->link->name);
	ladder->other_filters |= found.other;
	ladder->pod_filters |= found.other && place->side == FG_SIDE_POD;
	for (size_t i = 0; i < found.count; i++) {
		struct fg_program *p = add_program(ladder, place, hook, found.list[i].id, err);

		if (!p)
			return -1;
		p->classifier = !found.list[i].direct;
	}
	return 0;
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

/* Both ends of a pod's pair, as programs are asked of them. */
static void find_places(const struct fg_pod *pod, struct place *inside, struct place *outside)
{
	*inside = (struct place){ FG_SIDE_POD, &pod->peer, pod->inode, pod->netns, pod->rtnl };
	*outside = (struct place){ FG_SIDE_HOST, &pod->primary, pod->host_inode, pod->host_netns,
				   pod->host_rtnl };
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
	       list_clsact(place, parent, egress ? FG_HOOK_TC_EGRESS : FG_HOOK_TC_INGRESS, ladder,
			   err);
}

static int finish(const struct fg_pod *pod, int failed, struct fg_ladder *ladder,
		  struct fg_ladder *out, struct fg_error *err)
{
	if (failed) {
		fg_ladder_free(ladder);
		return fg_error_prefix(err, "pod %s", pod->ref);
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

int fg_policy_list(const struct fg_pod *pod, struct fg_ladder *out, struct fg_error *err)
{
	struct fg_ladder ladder = { .pod_qdisc = has_qdisc(&pod->peer),
				    .pod_netfilter = has_netfilter(pod) };
	struct place inside, outside, netkit;
	int failed;

	find_places(pod, &inside, &outside);
	/* netkit's programs hang on the primary, and run for what the peer sends. */
	netkit = outside;
	netkit.side = FG_SIDE_POD;
	failed = list_tc(&inside, true, &ladder, err) ||
		 (is_netkit(pod) &&
		  list_mprog(&netkit, BPF_NETKIT_PEER, FG_HOOK_NETKIT_PEER, &ladder, err)) ||
		 list_xdp(&outside, &ladder, err) || list_tc(&outside, false, &ladder, err);
	return finish(pod, failed, &ladder, out, err);
}

int fg_policy_list_back(const struct fg_pod *pod, struct fg_ladder *out, struct fg_error *err)
{
	struct fg_ladder ladder = {};
	struct place inside, outside;
	int failed;

	find_places(pod, &inside, &outside);
	failed = list_tc(&outside, true, &ladder, err) ||
		 (is_netkit(pod) &&
		  list_mprog(&outside, BPF_NETKIT_PRIMARY, FG_HOOK_NETKIT_PRIMARY, &ladder, err)) ||
		 list_xdp(&inside, &ladder, err) || list_tc(&inside, false, &ladder, err);
	return finish(pod, failed, &ladder, out, err);
}

bool fg_policy_same(const struct fg_ladder *a, const struct fg_ladder *b)
{
	if (a->count != b->count || a->other_filters != b->other_filters)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->programs[i].id != b->programs[i].id ||
		    a->programs[i].hook != b->programs[i].hook ||
		    a->programs[i].ifindex != b->programs[i].ifindex)
			return false;
	return true;
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
