/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/catch.h - the far end of a probe: a program of flowgen's own at the head of a pod's
 * device, inside the pod, that intercepts (or only reports) the packets that match a filter. It is
 * a tcx link, and gone with its descriptor.
 */
#ifndef FG_CATCH_H
#define FG_CATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/catch_event.h"
#include "base/error.h"
#include "host/pod.h"

struct fg_catch;

/*
 * Loads the program, and attaches it before all others at tcx ingress of the pod's device. filter
 * is copied. Returns NULL with FG_ERR_UNSUPPORTED on a kernel without tcx (before 6.6).
 */
struct fg_catch *fg_catch_open(const struct fg_pod *pod, const struct fg_catch_filter *filter,
			       struct fg_error *err);
void fg_catch_close(struct fg_catch *c);

/* What is called for each packet; the record is good until it returns. Returns 0, or -1 to stop. */
typedef int (*fg_catch_cb)(const struct fg_catch_record *record, void *arg);

/* How long to catch, and the callbacks. */
struct fg_catch_loop {
	int stop_fd;	      /* readable: stop */
	uint64_t duration_ns; /* 0: no limit */
	uint64_t limit;	      /* packets; 0: no limit */
	fg_catch_cb packet;
	int (*batch)(void *arg); /* after some packets; as packet */
	void *arg;
	uint64_t reported; /* to packet, so far */
	bool gone;	   /* filled in: it ended because the device went away */
};

/*
 * Reports packets until one of these limits. Malformed records are counted as
 * lost. Returns 0, -1 if a callback said so (the error is its own), or -1 with the error filled.
 */
int fg_catch_run(struct fg_catch *c, struct fg_catch_loop *loop, struct fg_error *err);

/* Packets caught so far, reported or not; of these *lost found the ring full. */
uint64_t fg_catch_count(const struct fg_catch *c, uint64_t *lost);

#endif
