/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/verdict.h - fentry and fexit on policy programs: one small object loaded for each,
 * sharing the datapath's maps.
 */
#ifndef FG_VERDICT_H
#define FG_VERDICT_H

#include "datapath/datapath.h"
#include "probe/probe.h"

struct fg_verdicts;

/* dp must outlive it. NULL: out of memory. */
struct fg_verdicts *fg_verdicts_new(const struct fg_datapath *dp, struct fg_error *err);
void fg_verdicts_free(struct fg_verdicts *verdicts);

/*
 * Traces a policy program, only once even if it is asked for more often, and sets program->traced.
 * If it cannot be traced (no BTF, or a kernel that refuses) the ladder has weaker evidence for it;
 * that is not an error.
 */
void fg_verdicts_trace(struct fg_verdicts *verdicts, struct fg_program *program);

#endif
