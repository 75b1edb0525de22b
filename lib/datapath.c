// SPDX-License-Identifier: GPL-2.0-only
#include "datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "cgroup.h"
#include "datapath.skel.h"
#include "fd.h"

struct fg_datapath {
	struct datapath_bpf *bpf;
	struct bpf_link *socket_link;
	struct fg_config *config;
	struct fg_counters *counters;
	char no_sockets[160];
};

static int fail_load(int code, struct fg_error *err)
{
	fg_fail_errno(err, FG_ERR_UNSUPPORTED, code, "load the BPF programs");
	return fg_hint(err,
		       code == EPERM
			       ? "run as root, or with CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW"
			       : "'flowgen check' says what this kernel lacks");
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

static int load(struct fg_datapath *dp, const struct fg_reasons *reasons, uint32_t ring_bytes,
		struct fg_error *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int ret;

	dp->bpf = datapath_bpf__open();
	if (!dp->bpf)
		return fail_load(errno, err);
	dp->bpf->rodata->fg_consume_location = fg_reasons_trace_args(reasons, "consume_skb") > 1;
	if (ring_bytes && bpf_map__set_max_entries(dp->bpf->maps.events, ring_bytes))
		return fg_fail(err, FG_ERR_USAGE, "ring size %u: a power of two and pages",
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
	return 0;
}

struct observer {
	struct bpf_program *program;
	struct bpf_link **link;
};

#define OBSERVERS 5

static void list_observers(struct fg_datapath *dp, struct observer out[OBSERVERS])
{
	struct datapath_bpf *bpf = dp->bpf;

	out[0] = (struct observer){ bpf->progs.fg_queue, &bpf->links.fg_queue };
	out[1] = (struct observer){ bpf->progs.fg_receive, &bpf->links.fg_receive };
	out[2] = (struct observer){ bpf->progs.fg_xmit, &bpf->links.fg_xmit };
	out[3] = (struct observer){ bpf->progs.fg_free, &bpf->links.fg_free };
	out[4] = (struct observer){ bpf->progs.fg_consume, &bpf->links.fg_consume };
}

static int attach_observers(struct fg_datapath *dp, struct fg_error *err)
{
	struct observer all[OBSERVERS];

	list_observers(dp, all);
	for (size_t i = 0; i < OBSERVERS; i++) {
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

	list_observers(dp, all);
	for (size_t i = 0; i < OBSERVERS; i++) {
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

struct fg_datapath *fg_datapath_open(const struct fg_reasons *reasons, uint32_t ring_bytes,
				     struct fg_error *err)
{
	struct fg_datapath *dp = calloc(1, sizeof(*dp));

	if (!dp) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "datapath");
		return NULL;
	}
	if (load(dp, reasons, ring_bytes, err) || attach_observers(dp, err)) {
		fg_datapath_close(dp);
		return NULL;
	}
	attach_sockets(dp);
	return dp;
}

void fg_datapath_close(struct fg_datapath *dp)
{
	if (!dp)
		return;
	bpf_link__destroy(dp->socket_link);
	unmap_array(dp->counters);
	unmap_array(dp->config);
	datapath_bpf__destroy(dp->bpf);
	free(dp);
}

struct fg_config *fg_datapath_config(struct fg_datapath *dp)
{
	return dp->config;
}

const struct fg_counters *fg_datapath_counters(struct fg_datapath *dp)
{
	return dp->counters;
}

int fg_datapath_set_target(struct fg_datapath *dp, uint16_t slot, const struct fg_target *target,
			   struct fg_error *err)
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
	};
}

bool fg_datapath_sees_sockets(const struct fg_datapath *dp, const char **why)
{
	if (why)
		*why = dp->no_sockets;
	return !dp->no_sockets[0];
}

void fg_datapath_rest(struct fg_datapath *dp, bool sockets)
{
	detach_observers(dp);
	if (!sockets)
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

void fg_datapath_forget(struct fg_datapath *dp)
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
