// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/local.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <stdlib.h>

#include "base/fd.h"
#include "bpf/local.skel.h"
#include "net/netns.h"

struct fg_local {
	struct local_bpf *bpf;
};

struct fg_local *fg_local_open(const struct fg_datapath *dp, struct fg_error *err)
{
	struct fg_local *l = calloc(1, sizeof(*l));
	int ret = -ENOMEM;

	if (l)
		l->bpf = local_bpf__open();
	if (l && l->bpf)
		ret = fg_datapath_share(dp, l->bpf->obj) ?: local_bpf__load(l->bpf);
	if (!ret)
		return l;
	fg_local_close(l);
	fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "load the program for the stacks of pods");
	return NULL;
}

void fg_local_close(struct fg_local *local)
{
	if (!local)
		return;
	local_bpf__destroy(local->bpf);
	free(local);
}

/*
 * Each place at a hook is of one BPF program (nf_hook_entries_grow()): another run may have the
 * first, or a sender whose replies are taken there may be a destination too.
 */
#define PLACES 64

int fg_local_attach(const struct fg_local *local, int netns, uint16_t family, struct fg_error *err)
{
	/* The kernel keeps the very first place for itself (bpf_nf_check_pf_and_hooks()). */
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .netfilter = { .pf = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6,
				   .hooknum = NF_INET_LOCAL_IN });
	int back, link = -EBUSY;

	if (fg_netns_enter(netns, &back, err))
		return -1;
	for (int i = 1; i <= PLACES && link == -EBUSY; i++) {
		opts.netfilter.priority = INT_MIN + i;
		link = bpf_link_create(bpf_program__fd(local->bpf->progs.fg_local), 0,
				       BPF_NETFILTER, &opts);
	}
	fg_netns_leave(&back);
	if (link < 0)
		return fg_fail_errno(err,
				     link == -EINVAL || link == -EOPNOTSUPP || link == -ENOENT
					     ? FG_ERR_UNSUPPORTED
					     : FG_ERR_INTERNAL,
				     -link, "netfilter's hooks of a pod");
	return link;
}
