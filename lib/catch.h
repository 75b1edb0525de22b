/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * catch.h - the far end of a probe: a program of flowgen's own at the head of a pod's device, inside the pod, that takes off
 * (or only reports) the packets a filter names. It is a tcx link, and gone with its descriptor.
 */
#ifndef FG_CATCH_H
#define FG_CATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "catch_event.h"
#include "error.h"
#include "pod.h"

struct fg_catch;

/*
 * Loads the program, and attaches it before all others at tcx ingress of the pod's device. filter is copied. Returns NULL
 * with FG_ERR_UNSUPPORTED on a kernel without tcx (before 6.6).
 */
struct fg_catch *fg_catch_open(const struct fg_pod *pod, const struct fg_catch_filter *filter,
			       struct fg_error *err);
void fg_catch_close(struct fg_catch *c);

/* Ready for reading when packets were caught: for poll(). */
int fg_catch_fd(const struct fg_catch *c);

/* What is called for each packet; the record is good until it returns. Returns 0, or -1 to stop. */
typedef int (*fg_catch_cb)(const struct fg_catch_record *record, void *arg);

/*
 * Hands over what is there now. Records that are not well formed are counted as lost. Returns 0, -1 where cb said so (the
 * error is cb's), or -1 with the error filled.
 */
int fg_catch_take(struct fg_catch *c, fg_catch_cb cb, void *arg, struct fg_error *err);

/* Packets caught so far, reported or not; of these *lost found the ring full. */
uint64_t fg_catch_count(const struct fg_catch *c, uint64_t *lost);

/* False once the device is gone, and the program with it. */
bool fg_catch_attached(const struct fg_catch *c);

#endif
