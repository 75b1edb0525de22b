// SPDX-License-Identifier: GPL-2.0-only
#include "exec/divert.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "bpf/exec.skel.h"
#include "datapath/stop.h"
#include "host/reason.h"
#include "net/netns.h"
#include "net/sockdiag.h"

/* Reasons that say somebody decided; NOT_SPECIFIED is netkit's, and that of older drivers. */
static const char *const decisions[] = {
	"TC_INGRESS",	 "TC_EGRESS",	"XDP",	       "NETFILTER_DROP", "BPF_CGROUP_EGRESS",
	"SOCKET_FILTER", "XFRM_POLICY", "IP_RPFILTER", "NOT_SPECIFIED",
};

/* No reason of the network stack's own has a higher number. */
#define REASON_MAX 1024

enum place { HOST, POD, GUARD, LEAVE, OUT, PLACES };

struct fg_divert {
	struct exec_bpf *bpf;
	int links[PLACES];
	struct bpf_link *drops; /* NULL: drops are not seen */
	struct fg_reasons *reasons;
};

void fg_divert_close(struct fg_divert *divert)
{
	if (!divert)
		return;
	/* What takes answers off goes last: then nothing new goes to the pod. */
	for (size_t i = PLACES; i-- > 0;)
		fg_fd_close(&divert->links[i]);
	bpf_link__destroy(divert->drops);
	exec_bpf__destroy(divert->bpf);
	fg_reasons_free(divert->reasons);
	free(divert);
}

static enum fg_exec_way way_of(enum fg_method method)
{
	return method == FG_METHOD_PEER_EGRESS	  ? FG_EXEC_PEER_EGRESS
	       : method == FG_METHOD_HOST_INGRESS ? FG_EXEC_HOST_INGRESS
						  : FG_EXEC_BOUNCE;
}

/* Without the kernel's BTF nothing is seen of drops. */
static void take_reasons(struct fg_divert *d, struct fg_exec_config *config)
{
	size_t count = 0;

	d->reasons = fg_reasons_open(NULL);
	for (uint32_t code = 1; d->reasons && code < REASON_MAX; code++) {
		const char *name = fg_reasons_name(d->reasons, code);

		for (size_t i = 0; name && i < COUNT(decisions) && count < FG_EXEC_REASONS; i++)
			if (!strcmp(name, decisions[i]))
				config->reasons[count++] = code;
	}
	if (!count)
		bpf_program__set_autoload(d->bpf->progs.fg_exec_drop, false);
}

static int load(struct fg_divert *d, const struct fg_pod *pod, const struct fg_twin *twin,
		enum fg_method method, struct fg_error *err)
{
	struct fg_exec_config config = { .way = way_of(method),
					 .outer = (uint32_t)twin->outer,
					 .primary = (uint32_t)pod->primary.ifindex,
					 .pod_nsid = pod->primary.peer_nsid };
	static const uint8_t none[6];
	uint32_t marks[2];
	int ret;

	if (getrandom(marks, sizeof(marks), 0) != sizeof(marks))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	config.no_addresses = !memcmp(pod->peer.mac, none, sizeof(none));
	config.outside = pod->uplink;
	memcpy(config.uplink_mac, pod->primary.mac, sizeof(config.uplink_mac));
	memcpy(config.twin_mac, pod->peer.mac, sizeof(config.twin_mac));
	/* The other end of the uplink's wire may be a namespace here, and is not asked. */
	if (pod->uplink)
		config.pod_nsid = -1;
	/* Different, and never 0. */
	config.out_mark = marks[0] | 1;
	config.answer_mark = (marks[1] & ~1U) | 2;
	d->bpf = exec_bpf__open();
	if (!d->bpf)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "open the exec programs");
	config.twin_netns = fg_netns_inode(twin->netns);
	take_reasons(d, &config);
	memcpy((void *)&d->bpf->rodata->exec_config, &config, sizeof(config));
	ret = exec_bpf__load(d->bpf);
	return ret ? fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "load the exec programs") : 0;
}

/* --- what the pod has --- */

struct claim {
	int map;
	int failed;
};

static int claim_one(const struct fg_socket *socket, void *arg)
{
	const struct fg_exec_state state = { .pods = 1 };
	struct fg_exec_flow key = { .proto = socket->protocol };
	struct claim *claim = arg;

	if (!socket->connected)
		return 0;
	key.family = socket->flow.family == AF_INET ? 4 : 6;
	key.local_port = htons(socket->flow.sport);
	key.remote_port = htons(socket->flow.dport);
	memcpy(key.local, socket->flow.src.bytes, sizeof(key.local));
	memcpy(key.remote, socket->flow.dst.bytes, sizeof(key.remote));
	claim->failed |= bpf_map_update_elem(claim->map, &key, &state, BPF_ANY);
	return 0;
}

/*
 * What the pod uses is never the command's. The program that sends looks for the pod's own socket
 * of TCP and UDP (pod_has()); for SCTP it cannot, and so what is there before is put into its
 * table.
 */
static int claim_connections(const struct fg_divert *d, const struct fg_pod *pod,
			     struct fg_error *err)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	FG_NL_SOCK struct nl_sock *sk = fg_sockdiag_open(pod->netns, err);
	struct claim claim = { .map = bpf_map__fd(d->bpf->maps.exec_flows) };

	if (!sk)
		return -1;
	for (size_t i = 0; i < COUNT(families); i++) {
		int ret = fg_sockdiag_list(sk, families[i], IPPROTO_SCTP, 0, claim_one, &claim);

		if (ret)
			return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "the pod's sockets");
	}
	return claim.failed ? fg_fail(err, FG_ERR_INTERNAL, "the pod's connections: table full")
			    : 0;
}

static int attach_place(struct fg_divert *d, enum place place, int netns, int ifindex,
			struct fg_error *err)
{
	static const enum fg_hook hooks[PLACES] = { [HOST] = FG_HOOK_TCX_INGRESS,
						    [POD] = FG_HOOK_TCX_INGRESS,
						    [GUARD] = FG_HOOK_TCX_EGRESS,
						    [LEAVE] = FG_HOOK_TCX_EGRESS,
						    [OUT] = FG_HOOK_TCX_INGRESS };
	const struct bpf_program *const programs[PLACES] = {
		[HOST] = d->bpf->progs.fg_exec_host,   [POD] = d->bpf->progs.fg_exec_pod,
		[GUARD] = d->bpf->progs.fg_exec_guard, [LEAVE] = d->bpf->progs.fg_exec_leave,
		[OUT] = d->bpf->progs.fg_exec_out,
	};
	/* All that decides about what leaves runs before it. */
	int (*attach)(int, int, enum fg_hook, int, struct fg_error *) =
		place == LEAVE ? fg_stop_attach_last : fg_stop_attach;

	d->links[place] =
		attach(netns, ifindex, hooks[place], bpf_program__fd(programs[place]), err);
	return d->links[place] < 0 ? -1 : 0;
}

/* First those that answers meet, last the one that sends. */
static int attach(struct fg_divert *d, const struct fg_pod *pod, const struct fg_twin *twin,
		  struct fg_error *err)
{
	if (pod->uplink && attach_place(d, LEAVE, pod->host_netns, pod->primary.ifindex, err))
		return fg_error_prefix(err, "answers cannot be kept from leaving");
	if (!pod->uplink && (attach_place(d, HOST, pod->host_netns, pod->primary.ifindex, err) ||
			     attach_place(d, POD, pod->netns, pod->peer.ifindex, err) ||
			     attach_place(d, GUARD, pod->netns, pod->peer.ifindex, err)))
		return -1;
	if (attach_place(d, OUT, pod->host_netns, twin->outer, err))
		return -1;
	/* What cannot be seen is asked by probes. */
	if (bpf_program__autoload(d->bpf->progs.fg_exec_drop))
		d->drops = bpf_program__attach(d->bpf->progs.fg_exec_drop);
	return 0;
}

struct fg_divert *fg_divert_open(const struct fg_pod *pod, const struct fg_twin *twin,
				 enum fg_method method, struct fg_error *err)
{
	struct fg_divert *d = calloc(1, sizeof(*d));

	if (!d) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "exec");
		return NULL;
	}
	for (size_t i = 0; i < PLACES; i++)
		d->links[i] = -1;
	if (load(d, pod, twin, method, err) || claim_connections(d, pod, err) ||
	    attach(d, pod, twin, err)) {
		fg_error_prefix(err, "%s%s", pod->uplink ? "" : "pod ", pod->ref);
		fg_divert_close(d);
		return NULL;
	}
	return d;
}

/* --- what the command did --- */

static int by_time(const void *a, const void *b)
{
	const struct fg_divert_flow *x = a, *y = b;

	return x->state.first_ns < y->state.first_ns	? -1
	       : x->state.first_ns == y->state.first_ns ? 0
							: 1;
}

int fg_divert_flows(const struct fg_divert *divert, struct fg_divert_flow **list, size_t *count,
		    struct fg_error *err)
{
	int map = bpf_map__fd(divert->bpf->maps.exec_flows);
	struct fg_exec_flow key, *before = NULL;
	struct fg_divert_flow *found = NULL;
	size_t length = 0;

	while (!bpf_map_get_next_key(map, before, &key)) {
		struct fg_divert_flow flow = { .flow = key };
		struct fg_divert_flow *added;

		if (!bpf_map_lookup_elem(map, &key, &flow.state) &&
		    (flow.state.out_packets || flow.state.refused)) {
			added = FG_APPEND(found, length, "flows", err);
			if (!added) {
				free(found);
				return -1;
			}
			*added = flow;
		}
		before = &key;
	}
	if (found)
		qsort(found, length, sizeof(*found), by_time);
	*list = found;
	*count = length;
	return 0;
}

uint64_t fg_divert_drops(const struct fg_divert *divert)
{
	return divert->bpf->bss->exec_drops;
}

const char *fg_divert_reason(const struct fg_divert *divert, uint32_t code)
{
	const char *name = divert->reasons ? fg_reasons_name(divert->reasons, code) : NULL;

	/* Not all that have no reason were decided about; one that has is. */
	for (size_t i = 0; name && i < COUNT(decisions); i++)
		if (!strcmp(name, decisions[i]))
			return decisions[i];
	return NULL;
}

uint64_t fg_divert_early(const struct fg_divert *divert)
{
	return divert->bpf->bss->exec_early_fragments;
}

uint64_t fg_divert_made(const struct fg_divert *divert)
{
	return divert->bpf->bss->exec_flows_made;
}
