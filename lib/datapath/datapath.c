// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/datapath.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/count.h"
#include "host/cgroup.h"
#include "bpf/arrive.skel.h"
#include "bpf/datapath.skel.h"
#include "bpf/leave.skel.h"
#include "base/fd.h"
#include "timing/timing.h"

/* Half of what the table of tracked packets holds (bpf/maps.h). */
#define PENDING_MAX 8192

struct fg_datapath {
	struct datapath_bpf *bpf;
	struct arrive_bpf *arrive; /* NULL until fg_datapath_awaits() */
	struct leave_bpf *leave;   /* NULL until fg_datapath_leave_fd() */
	struct bpf_link *socket_link;
	struct fg_config *config;
	struct fg_counters *counters;
	uint64_t lost;	  /* of the counters, when the window began */
	uint64_t pending; /* packets that the tables still hold */
	char no_sockets[160];
};

static int fail_load(int code, struct fg_error *err)
{
	fg_fail_errno(err, FG_ERR_UNSUPPORTED, code, "load the BPF programs");
	return fg_hint(err,
		       code == EPERM
			       ? "run as root, or with CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW"
			       : "'flowgen check' shows what this kernel lacks");
}

/* Array maps that can be mapped are rounded up to pages. */
static void *map_array(const struct bpf_map *map, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, (size + page - 1) & ~(page - 1), PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(map), 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap_array(void *p)
{
	if (p)
		munmap(p, (size_t)sysconf(_SC_PAGESIZE));
}

static int load(struct fg_datapath *dp, uint32_t ring_bytes, enum fg_replies replies,
		struct fg_error *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int ret;

	dp->bpf = datapath_bpf__open();
	if (!dp->bpf)
		return fail_load(errno, err);
	dp->bpf->rodata->fg_follows = replies == FG_REPLIES_FOLLOW;
	if (ring_bytes && bpf_map__set_max_entries(dp->bpf->maps.events, ring_bytes))
		return fg_fail(err, FG_ERR_USAGE,
			       "ring size %u: must be a power of two, and at least one page",
			       ring_bytes);
	ret = datapath_bpf__load(dp->bpf);
	if (ret)
		return fail_load(-ret, err);
	dp->config = map_array(dp->bpf->maps.config, sizeof(*dp->config));
	dp->counters = map_array(dp->bpf->maps.counters, sizeof(*dp->counters));
	if (!dp->config || !dp->counters)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "map the datapath's settings");
	ret = bpf_prog_test_run_opts(bpf_program__fd(dp->bpf->progs.fg_layout), &run);
	if (ret || run.retval)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ret ? -ret : EINVAL,
				     "read the kernel's layout");
	if (getrandom(&dp->config->cookie, sizeof(dp->config->cookie), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	dp->config->mark = dp->config->cookie ?: 1;
	dp->config->replies = replies;
	return 0;
}

struct observer {
	struct bpf_program *program;
	struct bpf_link **link;
};

#define OBSERVERS 6

/* Returns how many. */
static size_t list_observers(struct fg_datapath *dp, struct observer out[OBSERVERS])
{
	struct datapath_bpf *bpf = dp->bpf;

	out[0] = (struct observer){ bpf->progs.fg_queue, &bpf->links.fg_queue };
	out[1] = (struct observer){ bpf->progs.fg_receive, &bpf->links.fg_receive };
	out[2] = (struct observer){ bpf->progs.fg_xmit, &bpf->links.fg_xmit };
	out[3] = (struct observer){ bpf->progs.fg_free, &bpf->links.fg_free };
	out[4] = (struct observer){ bpf->progs.fg_consume, &bpf->links.fg_consume };
	if (!dp->arrive)
		return 5;
	/* Behind fg_receive: programs at a tracepoint run in the order in which they were attached.
	 */
	out[5] = (struct observer){ dp->arrive->progs.fg_arrive, &dp->arrive->links.fg_arrive };
	return 6;
}

static int attach_observers(struct fg_datapath *dp, struct fg_error *err)
{
	struct observer all[OBSERVERS];
	size_t count = list_observers(dp, all);

	for (size_t i = 0; i < count; i++) {
		*all[i].link = bpf_program__attach(all[i].program);
		if (!*all[i].link)
			return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno,
					     "attach the observer %s",
					     bpf_program__name(all[i].program));
	}
	return 0;
}

static void detach_observers(struct fg_datapath *dp)
{
	struct observer all[OBSERVERS];
	size_t count = list_observers(dp, all);

	for (size_t i = 0; i < count; i++) {
		bpf_link__destroy(*all[i].link);
		*all[i].link = NULL;
	}
}

/* Without it a packet that waits in a socket's queue has no visible end; everything else works. */
static void attach_sockets(struct fg_datapath *dp)
{
	struct fg_error err;
	FG_FD int root = fg_cgroup_open_root(&err);

	if (root >= 0)
		dp->socket_link = bpf_program__attach_cgroup(dp->bpf->progs.fg_socket, root);
	if (root < 0)
		snprintf(dp->no_sockets, sizeof(dp->no_sockets), "%s", err.message);
	else if (!dp->socket_link)
		snprintf(dp->no_sockets, sizeof(dp->no_sockets), "root cgroup: %s",
			 strerror(errno));
}

struct fg_datapath *fg_datapath_open(uint32_t ring_bytes, enum fg_replies replies,
				     struct fg_error *err)
{
	struct fg_datapath *dp = calloc(1, sizeof(*dp));

	if (!dp) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "datapath");
		return NULL;
	}
	fg_timing_phase("the pod and its programs");
	if (load(dp, ring_bytes, replies, err)) {
		fg_datapath_close(dp);
		return NULL;
	}
	fg_timing_phase("loading of flowgen's programs");
	if (attach_observers(dp, err)) {
		fg_datapath_close(dp);
		return NULL;
	}
	attach_sockets(dp);
	fg_timing_phase("attachment of the observers");
	return dp;
}

void fg_datapath_close(struct fg_datapath *dp)
{
	if (!dp)
		return;
	bpf_link__destroy(dp->socket_link);
	unmap_array(dp->counters);
	unmap_array(dp->config);
	leave_bpf__destroy(dp->leave);
	arrive_bpf__destroy(dp->arrive);
	datapath_bpf__destroy(dp->bpf);
	free(dp);
}

/* --- what the programs are to do --- */

/* A setting that is read while it is written. */
#define SET(setting, value) __atomic_store_n(&(setting), (value), __ATOMIC_RELEASE)

void fg_datapath_set_stop(struct fg_datapath *dp, enum fg_stopping where, uint32_t host_netns)
{
	SET(dp->config->host_ns, host_netns);
	SET(dp->config->stop, where);
}

void fg_datapath_leave_replies(struct fg_datapath *dp)
{
	SET(dp->config->replies, FG_REPLIES_OFF);
}

struct fg_drop_codes fg_datapath_codes(const struct fg_datapath *dp)
{
	return (struct fg_drop_codes){
		.consumed = dp->config->code_consumed,
		.not_specified = dp->config->code_not_specified,
		.tc_egress = dp->config->code_tc_egress,
		.tc_ingress = dp->config->code_tc_ingress,
		.xdp = dp->config->code_xdp,
	};
}

bool fg_datapath_follows(const struct fg_datapath *dp)
{
	return dp->config->replies == FG_REPLIES_FOLLOW;
}

void fg_datapath_match_flows(struct fg_datapath *dp)
{
	SET(dp->config->match_flows, 1);
}

int fg_datapath_reacquire(struct fg_datapath *dp, uint32_t netns, int ifindex)
{
	const struct fg_at_device at = { (uint32_t)ifindex, netns };
	int again = fg_datapath_maps(dp).again;
	uint8_t one = 1;

	if (!bpf_map_lookup_elem(again, &at, &one))
		return 0;
	if (bpf_map_update_elem(again, &at, &one, BPF_NOEXIST))
		return -1;
	SET(dp->config->reacquire_count, dp->config->reacquire_count + 1);
	return 0;
}

void fg_datapath_envelope(const struct fg_datapath *dp, uint16_t slot, uint32_t probe, void *frame)
{
	const struct fg_envelope e = { .magic = { FG_ENVELOPE_MAGIC0, FG_ENVELOPE_MAGIC1 },
				       .slot = htons(slot),
				       .probe = htonl(probe),
				       .cookie = dp->config->cookie };

	memcpy(frame, &e, sizeof(e));
}

void fg_datapath_follow_socket(struct fg_datapath *dp, uint64_t cookie, uint32_t probe,
			       const struct fg_wire_flow *flow)
{
	/* All is there before anything is looked for. */
	dp->config->written = *flow;
	SET(dp->config->sending, probe);
	SET(dp->config->socket, cookie);
}

void fg_datapath_leave_socket(struct fg_datapath *dp)
{
	SET(dp->config->socket, 0);
}

int fg_datapath_awaits(struct fg_datapath *dp, struct fg_error *err)
{
	struct arrive_bpf *bpf;
	int ret = -ENOMEM;

	if (dp->arrive)
		return 0;
	bpf = arrive_bpf__open();
	if (bpf)
		ret = fg_datapath_share(dp, bpf->obj) ?: arrive_bpf__load(bpf);
	if (ret) {
		arrive_bpf__destroy(bpf);
		return fail_load(-ret, err);
	}
	bpf->links.fg_arrive = bpf_program__attach(bpf->progs.fg_arrive);
	if (!bpf->links.fg_arrive) {
		ret = errno;
		arrive_bpf__destroy(bpf);
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, ret, "attach the observer fg_arrive");
	}
	dp->arrive = bpf;
	return 0;
}

int fg_datapath_await(struct fg_datapath *dp, uint32_t netns, const struct fg_awaited *packets,
		      uint32_t count, struct fg_error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		struct fg_awaited packet = packets[i];
		struct fg_wire_flow key = packet.flow;
		int ret;

		memset(key.src, 0, sizeof(key.src));
		if (key.proto == IPPROTO_TCP) {
			key.sport = 0;
			memcpy(key.src, &packet.sequence, sizeof(packet.sequence));
		}
		packet.generation = dp->config->generation;
		ret = bpf_map__update_elem(dp->arrive->maps.awaited, &key, sizeof(key), &packet,
					   sizeof(packet), BPF_NOEXIST);
		if (ret == -EEXIST)
			return fg_fail(err, FG_ERR_USAGE,
				       "--await: on arrival two of the packets cannot be "
				       "distinguished");
		if (ret)
			return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "await a packet");
	}
	SET(dp->config->await_ns, netns);
	return 0;
}

/* --- a window --- */

static void forget(struct fg_datapath *dp)
{
	int fd = bpf_map__fd(dp->bpf->maps.tracked);
	__u64 key, next;

	/* After a deletion the walk goes on from the start: the table is emptied. */
	while (!bpf_map_get_next_key(fd, NULL, &next)) {
		key = next;
		if (bpf_map_delete_elem(fd, &key))
			return;
	}
}

static uint64_t lost_so_far(const struct fg_datapath *dp)
{
	return __atomic_load_n(&dp->counters->lost, __ATOMIC_ACQUIRE);
}

uint32_t fg_datapath_begin_window(struct fg_datapath *dp, uint32_t pieces)
{
	uint32_t generation = dp->config->generation + 1;

	/* Packets that never end (in a socket's queue, in a device) would fill the table in the
	 * end. */
	if (dp->pending > PENDING_MAX) {
		forget(dp);
		dp->pending = 0;
	}
	dp->lost = lost_so_far(dp);
	SET(dp->config->pieces, pieces);
	SET(dp->config->generation, generation);
	SET(dp->config->active, 1);
	return generation;
}

uint64_t fg_datapath_end_window(struct fg_datapath *dp, uint32_t pending)
{
	uint64_t lost = lost_so_far(dp) - dp->lost;

	/* It is not known whether what was not reported has ended. */
	dp->pending += pending + (lost > 0);
	/* Between windows the programs look at nothing that need not be looked at. */
	SET(dp->config->left, dp->pending > 0);
	SET(dp->config->active, 0);
	SET(dp->config->await_ns, 0);
	return lost;
}

/* --- what else it has --- */

int fg_datapath_set_target(struct fg_datapath *dp, uint16_t slot,
			   const struct fg_slot_target *target, struct fg_error *err)
{
	__u32 key = slot;
	int ret = bpf_map__update_elem(dp->bpf->maps.targets, &key, sizeof(key), target,
				       sizeof(*target), BPF_ANY);

	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "target slot %u", slot) : 0;
}

int fg_datapath_inject_fd(const struct fg_datapath *dp)
{
	return bpf_program__fd(dp->bpf->progs.fg_inject);
}

int fg_datapath_stop_fd(const struct fg_datapath *dp)
{
	return bpf_program__fd(dp->bpf->progs.fg_stop);
}

int fg_datapath_reply_fd(const struct fg_datapath *dp)
{
	return bpf_program__fd(dp->bpf->progs.fg_reply);
}

int fg_datapath_leave_fd(struct fg_datapath *dp, struct fg_error *err)
{
	struct leave_bpf *bpf = dp->leave;
	int ret = -ENOMEM;

	if (bpf)
		return bpf_program__fd(bpf->progs.fg_leave);
	bpf = leave_bpf__open();
	if (bpf) {
		bpf->rodata->fg_follows = fg_datapath_follows(dp);
		ret = fg_datapath_share(dp, bpf->obj) ?: leave_bpf__load(bpf);
	}
	if (ret) {
		leave_bpf__destroy(bpf);
		return fail_load(-ret, err);
	}
	dp->leave = bpf;
	return bpf_program__fd(bpf->progs.fg_leave);
}

struct fg_datapath_maps fg_datapath_maps(const struct fg_datapath *dp)
{
	return (struct fg_datapath_maps){
		.tracked = bpf_map__fd(dp->bpf->maps.tracked),
		.heads = bpf_map__fd(dp->bpf->maps.heads),
		.flows = bpf_map__fd(dp->bpf->maps.flows),
		.replies = bpf_map__fd(dp->bpf->maps.replies),
		.events = bpf_map__fd(dp->bpf->maps.events),
		.config = bpf_map__fd(dp->bpf->maps.config),
		.counters = bpf_map__fd(dp->bpf->maps.counters),
		.owners = bpf_map__fd(dp->bpf->maps.owners),
		.again = bpf_map__fd(dp->bpf->maps.again),
	};
}

/* Constants are each object's own, and so is what a program keeps for a moment, for each CPU. */
static bool is_shared(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map) && bpf_map__type(map) != BPF_MAP_TYPE_PERCPU_ARRAY;
}

int fg_datapath_share(const struct fg_datapath *dp, struct bpf_object *obj)
{
	const struct bpf_map *same;
	struct bpf_map *map;

	bpf_object__for_each_map (map, obj) {
		same = bpf_object__find_map_by_name(dp->bpf->obj, bpf_map__name(map));
		if (same && is_shared(map) && bpf_map__reuse_fd(map, bpf_map__fd(same)))
			return -EINVAL;
	}
	return 0;
}

bool fg_datapath_sees_sockets(const struct fg_datapath *dp, const char **why)
{
	if (why)
		*why = dp->no_sockets;
	return !dp->no_sockets[0];
}

/* A packet that ends late is still to be kept from the application it goes to. */
static bool guards_sockets(const struct fg_datapath *dp)
{
	return dp->pending &&
	       (dp->config->stop == FG_STOP_AT_SOCKET || dp->config->stop == FG_STOP_AT_BOTH);
}

void fg_datapath_rest(struct fg_datapath *dp)
{
	detach_observers(dp);
	if (guards_sockets(dp))
		return;
	bpf_link__destroy(dp->socket_link);
	dp->socket_link = NULL;
}

int fg_datapath_wake(struct fg_datapath *dp, struct fg_error *err)
{
	/* A try before this one may have got half way. */
	detach_observers(dp);
	if (attach_observers(dp, err))
		return -1;
	if (!dp->socket_link && !dp->no_sockets[0]) {
		attach_sockets(dp);
		if (dp->no_sockets[0]) {
			fg_fail(err, FG_ERR_INTERNAL, "%s", dp->no_sockets);
			dp->no_sockets[0] = '\0';
			return -1;
		}
	}
	return 0;
}
