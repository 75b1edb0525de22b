// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/catch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>

#include "host/capability.h"
#include "bpf/catch.skel.h"
#include "base/fd.h"
#include "datapath/stop.h"

/*
 * How often to look whether the device is still there; nothing tells a link's holder that it went.
 */
#define LOOK_MS 1000

struct fg_catch {
	struct catch_bpf *bpf;
	struct ring_buffer *ring;
	const struct fg_catch_counters *counters;
	int link;
	uint64_t malformed;
	/* Of the take that is going on. */
	struct fg_catch_loop *loop;
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
	c->loop->reported++;
	if (c->loop->packet(r, c->loop->arg)) {
		c->stopped = true;
		return -ECANCELED;
	}
	return 0;
}

static int load(struct fg_catch *c, const struct fg_catch_filter *filter, struct fg_error *err)
{
	int ret;

	/*
	 * Its kernel's verifier may be too old for the program too; this reason is more
	 * helpful.
	 */
	if (fg_capability_feature_probe(FG_FEATURE_TCX, err)) {
		if (err->code == EINVAL || err->code == EOPNOTSUPP)
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
		c->link = fg_stop_attach(pod->netns, pod->peer.ifindex, FG_HOOK_TCX_INGRESS,
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

uint64_t fg_catch_count(const struct fg_catch *c, uint64_t *lost)
{
	*lost = __atomic_load_n(&c->counters->lost, __ATOMIC_ACQUIRE) + c->malformed;
	return __atomic_load_n(&c->counters->caught, __ATOMIC_ACQUIRE);
}

/*
 * A link whose device went away stays as an object, but has no device any more. A question that
 * was not answered says nothing; it is asked again.
 */
static bool is_attached(const struct fg_catch *c)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(c->link, &info, &len) || info.tcx.ifindex;
}

/* What is there now. */
static int take(struct fg_catch *c, struct fg_catch_loop *loop, struct fg_error *err)
{
	int ret;

	c->loop = loop;
	c->stopped = false;
	ret = ring_buffer__consume(c->ring);
	if (ret < 0)
		return c->stopped ? -1 : fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "ring buffer");
	return ret ? loop->batch(loop->arg) : 0;
}

static bool enough(const struct fg_catch *c, const struct fg_catch_loop *loop)
{
	uint64_t lost, caught = fg_catch_count(c, &lost);

	return loop->limit && caught >= loop->limit && loop->reported + lost >= caught;
}

/* A timer that was never set is never ready. */
static int open_timer(uint64_t ns, struct fg_error *err)
{
	const struct itimerspec when = { .it_value = { .tv_sec = (time_t)(ns / 1000000000ULL),
						       .tv_nsec = (long)(ns % 1000000000ULL) } };
	FG_FD int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &when, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "timer");
	return fg_fd_take(&fd);
}

int fg_catch_run(struct fg_catch *c, struct fg_catch_loop *loop, struct fg_error *err)
{
	FG_FD int timer = open_timer(loop->duration_ns, err);
	struct pollfd p[] = { { .fd = ring_buffer__epoll_fd(c->ring), .events = POLLIN },
			      { .fd = loop->stop_fd, .events = POLLIN },
			      { .fd = timer, .events = POLLIN } };
	bool over = false;

	if (timer < 0)
		return -1;
	while (!over) {
		if (poll(p, 3, LOOK_MS) < 0 && errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "wait");
		loop->gone = !is_attached(c);
		over = p[1].revents || p[2].revents || loop->gone;
		if (take(c, loop, err))
			return -1;
		over |= enough(c, loop);
	}
	return 0;
}
