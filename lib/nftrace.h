/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nftrace.h - which rule of nf_tables dropped a probe. In each namespace that is watched stands a table of flowgen's own, which
 * switches the kernel's tracing on for the probes and for nothing else, and goes with its socket. What the trace says is
 * only told beside an answer: it never changes one.
 */
#ifndef FG_NFTRACE_H
#define FG_NFTRACE_H

#include <stdint.h>

#include "error.h"
#include "nft.h"
#include "probe.h"

struct fg_nftrace;

/* For windows of so many probes. NULL on failure. */
struct fg_nftrace *fg_nftrace_new(uint32_t window, struct fg_error *err);

/* NULL is allowed. Takes all tables away. */
void fg_nftrace_free(struct fg_nftrace *trace);

/*
 * Watches a hook in the namespace of netns (a descriptor; inode: its number; where: what a person calls it). One that is watched
 * already is passed over, and so is one of a family other than inet that this kernel does not have: no rule can stand there.
 * Returns 0, or -1 with FG_ERR_UNSUPPORTED where the kernel cannot.
 */
int fg_nftrace_watch(struct fg_nftrace *trace, int netns, uint32_t inode, const char *where,
		     const struct fg_nft_hook *hook, struct fg_error *err);

/* What is sent next: the frames of these probes, at most a window's, before they are sent. Returns 0 or -1. */
int fg_nftrace_expect(struct fg_nftrace *trace, const struct fg_probe *probes, uint32_t count,
		      struct fg_error *err);

/*
 * Takes what the kernel has said. Each message was sent before the packet was freed: what is known of its end is said here
 * already, and nothing need be waited for.
 */
void fg_nftrace_take(struct fg_nftrace *trace);

/*
 * Puts beside the result of a judged probe, number index of those expected, which rule dropped it, or why that is
 * not known. What result.netfilter points to is good until the next fg_nftrace_expect().
 */
void fg_nftrace_explain(struct fg_nftrace *trace, uint32_t index, const struct fg_scene *scene,
			struct fg_probe *probe);

#endif
