/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stated/tracer.h - fentry on the helper with which a program writes a perf event: the event's
 * bytes and the stack, of packets that are tracked. One for a session, with a ring of its own.
 */
#ifndef FG_STATED_TRACER_H
#define FG_STATED_TRACER_H

#include "base/error.h"
#include "datapath/datapath.h"

struct fg_stated_tracer;

/*
 * dp must outlive it. NULL with FG_ERR_UNSUPPORTED if this kernel refuses fentry (hardened ones
 * do, with EPERM): a policy's perf events then stay unseen, and all else works.
 */
struct fg_stated_tracer *fg_stated_tracer_open(const struct fg_datapath *dp, struct fg_error *err);
void fg_stated_tracer_close(struct fg_stated_tracer *tracer);

#endif
