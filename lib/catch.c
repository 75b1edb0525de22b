// SPDX-License-Identifier: GPL-2.0-only
#include "catch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capability.h"
#include "catch.skel.h"
#include "fd.h"
#include "stop.h"

struct fg_catch {
	struct catch_bpf *bpf;
	struct ring_buffer *ring;
	const struct fg_catch_counters *counters;
	int link;
	uint64_t malformed;
	/* Of the take that is going on. */
	fg_catch_cb cb;
	void *arg;
	bool stopped;
};

static int on_record(void *ctx, void *data, size_t size)
{
	struct fg_catch *c = ctx;
	const struct fg_catch_record *r = data;

	if (size < sizeof(*r) || r->version != FG_CATCH_VERSION || r->captured > FG_CATCH_BYTES) {
		c->malformed++;
		return 0;
	}
	if (c->cb(r, c->arg)) {
		c->stopped = true;
		return -ECANCELED;
	}
	return 0;
}

static int load(struct fg_catch *c, const struct fg_catch_filter *filter, struct fg_error *err)
{
	int ret;

	/* Its kernel's verifier may be too old for the program as well; this is the reason that helps. */
	if (fg_feature_probe(FG_FEATURE_TCX, NULL)) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "this kernel has no tcx (Linux 6.6)");
		return -1;
	}
	c->bpf = catch_bpf__open();
	if (!c->bpf) {
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "open the catch program");
		return -1;
	}
	memcpy((void *)&c->bpf->rodata->fg_filter, filter, sizeof(*filter));
	ret = catch_bpf__load(c->bpf);
	if (ret)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "load the catch program");
	c->counters = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED,
			   bpf_map__fd(c->bpf->maps.catch_counters), 0);
	if (c->counters == MAP_FAILED) {
		c->counters = NULL;
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "map the counters");
	}
	c->ring = ring_buffer__new(bpf_map__fd(c->bpf->maps.catches), on_record, c, NULL);
	return c->ring ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, errno, "ring buffer");
}

struct fg_catch *fg_catch_open(const struct fg_pod *pod, const struct fg_catch_filter *filter,
			       struct fg_error *err)
{
	struct fg_catch *c = calloc(1, sizeof(*c));

	if (!c) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "catch");
		return NULL;
	}
	c->link = -1;
	if (!load(c, filter, err))
		c->link = fg_stop_attach(pod->netns, pod->peer.ifindex,
					 bpf_program__fd(c->bpf->progs.fg_catch), err);
	if (c->link < 0) {
		fg_error_prefix(err, "pod %s", pod->ref);
		fg_catch_close(c);
		return NULL;
	}
	return c;
}

void fg_catch_close(struct fg_catch *c)
{
	if (!c)
		return;
	fg_fd_close(&c->link);
	ring_buffer__free(c->ring);
	if (c->counters)
		munmap((void *)c->counters, (size_t)sysconf(_SC_PAGESIZE));
	catch_bpf__destroy(c->bpf);
	free(c);
}

int fg_catch_fd(const struct fg_catch *c)
{
	return ring_buffer__epoll_fd(c->ring);
}

int fg_catch_take(struct fg_catch *c, fg_catch_cb cb, void *arg, struct fg_error *err)
{
	int ret;

	c->cb = cb;
	c->arg = arg;
	c->stopped = false;
	ret = ring_buffer__consume(c->ring);
	if (ret >= 0)
		return 0;
	return c->stopped ? -1 : fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "ring buffer");
}

uint64_t fg_catch_count(const struct fg_catch *c, uint64_t *lost)
{
	*lost = __atomic_load_n(&c->counters->lost, __ATOMIC_ACQUIRE) + c->malformed;
	return __atomic_load_n(&c->counters->caught, __ATOMIC_ACQUIRE);
}

/* A link whose device went away stays as an object, but has no device any more. */
bool fg_catch_attached(const struct fg_catch *c)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(c->link, &info, &len) && info.tcx.ifindex;
}
