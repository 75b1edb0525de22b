/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/nftrace.h - which rule of nf_tables dropped a probe. Each watched namespace has a table
 * of flowgen's own. It switches the kernel's tracing on for the probes and for nothing else, and is
 * removed with its socket. What the trace says is only added to a result: it never changes one.
 */
#ifndef FG_NFTRACE_H
#define FG_NFTRACE_H

#include <stdint.h>

#include "base/error.h"
#include "net/nft.h"
#include "probe/probe.h"

struct fg_nftrace;

/* For windows of this many probes. NULL on failure. */
struct fg_nftrace *fg_nftrace_new(uint32_t window, struct fg_error *err);

/* NULL is allowed. Removes all tables. */
void fg_nftrace_free(struct fg_nftrace *trace);

/*
 * Traces replies too: what is sent back to a probe's own end (address and port, or an echo's
 * identifier). A reply whose end a translation on this host still hides is not seen before
 * that is undone. Before the first fg_nftrace_watch().
 */
void fg_nftrace_follow_answers(struct fg_nftrace *trace);

/*
 * Stops tracing: removes the tables; what was found stays, and rules can still be asked for. Takes
 * a fraction of a millisecond, while fg_nftrace_free() alone waits for RCU, unless this came some
 * 15 ms before. fg_nftrace_watch() can begin again.
 */
void fg_nftrace_stop(struct fg_nftrace *trace);

/*
 * Watches a hook in the namespace of netns (a descriptor; inode: its number; where: what a person
 * calls it). One that is already watched is skipped, and so is one of a family other than inet
 * that this kernel does not have: no rule can be there. Returns 0, or -1 with FG_ERR_UNSUPPORTED
 * if the kernel cannot.
 */
int fg_nftrace_watch(struct fg_nftrace *trace, int netns, uint32_t inode, const char *where,
		     const struct fg_nft_hook *hook, struct fg_error *err);

/*
 * What is sent next: the frames of these probes, at most a window's, before they are sent. Returns
 * 0 or -1.
 */
int fg_nftrace_expect(struct fg_nftrace *trace, const struct fg_probe *probes, uint32_t count,
		      struct fg_error *err);

/*
 * Takes what the kernel has said. Each message was sent before the packet was freed: what is known
 * about its end is already here, without waiting.
 */
void fg_nftrace_take(struct fg_nftrace *trace);

/*
 * Adds to the result of a judged probe, number index of those expected, which rule dropped it, or
 * why that is not known, and to its trace, whether one did; where answers are traced, also to the
 * result of its reply's return path, which rule. What result.netfilter points to is good until the
 * next fg_nftrace_expect().
 */
void fg_nftrace_explain(struct fg_nftrace *trace, uint32_t index, const struct fg_context *context,
			struct fg_probe *probe);

/*
 * Which rule dropped it, of the probe or of the reply to it, in the namespace of that number (0:
 * any). NULL: none was seen; *why says why, as static text, or is NULL if no rule of
 * nf_tables did. Good until the next fg_nftrace_expect().
 */
const struct fg_netfilter *fg_nftrace_rule(struct fg_nftrace *trace, uint32_t index, uint32_t netns,
					   const char **why);
const struct fg_netfilter *fg_nftrace_answer_rule(struct fg_nftrace *trace, uint32_t index,
						  uint32_t netns, const char **why);

#endif
