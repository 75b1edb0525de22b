/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge/ended.h - whether it is known what ended a packet; and if not, which others ended alike, so
 * that what is found out about one of them is said of all. Pure.
 */
#ifndef FG_JUDGE_ENDED_H
#define FG_JUDGE_ENDED_H

#include "probe/netfilter.h"
#include "probe/probe.h"

/*
 * A denial without a denier; or with one that was not seen to deny, but is the only one that is
 * known to be there. Of the packet or of the reply to it.
 */
bool fg_ended_is_doubtful(const struct fg_result *result);

/*
 * Whether that may be because of programs at the receiver: those tell nothing of a packet that the
 * pod's own denied.
 */
bool fg_ended_is_doubtful_there(const struct fg_result *result);

/* By a chain, or IPVS: then the verdict is not known yet, and there is no decider. */
bool fg_ended_by_netfilter(const struct fg_context *context, const struct fg_result *result);

/*
 * The result that does not name what ended the packet, though it has a name: the probe's, or else
 * that of the reply to it. traced: netfilter was, so that it would be named. NULL: there is nothing
 * to find out.
 */
struct fg_result *fg_ended_unnamed(struct fg_probe *probe, bool traced);
/* The same, but only denials. What IPVS may have dropped is not: that tells of one packet alone. */
struct fg_result *fg_ended_unnamed_denial(struct fg_probe *probe, bool traced);

/* Pieces of a second packet with the same identification would be taken for those of the first. */
bool fg_ended_was_cut(const struct fg_probe *probe);

/* Open vSwitch took it for its daemon, and it was not sent on. */
bool fg_ended_at_ovs(const struct fg_probe *probe);

/*
 * An answer says that it was rejected, and its end was not seen: the kernel leaves out a tracing
 * program that interrupts itself, as where a timer drops a packet.
 */
bool fg_ended_is_unseen(const struct fg_result *result);

/* A way in which packets were denied by nobody who is known: by place, and as the kernel says it.
 */
struct fg_ended {
	int pod;
	bool reply; /* it is the reply that was denied */
	enum fg_stage stage;
	enum fg_kind kind;
	uint32_t code;	  /* the drop reason */
	char symbol[64];  /* the function that freed it, without the offset */
	uint32_t netns;	  /* inode number of the device's namespace */
	uint32_t ifindex; /* and its number */
	/* What was found out: alike.id is 0 if nothing was. It points to what follows. */
	struct fg_alike alike;
	struct fg_netfilter netfilter;
	struct fg_program program;
};

/* result: the probe's, or that of the reply to it. */
struct fg_ended fg_ended_describe(const struct fg_probe *probe, const struct fg_result *result);

/* The one of the list that is the same way; NULL: none. */
const struct fg_ended *fg_ended_find(const struct fg_ended *list, size_t count,
				     const struct fg_ended *like);

/* Notes what the second packet of a probe has shown: only where it ended like the first. */
void fg_ended_take_name(struct fg_ended *ended, const struct fg_probe *probe);

/* Where a result of these probes is of a way that is in the list, and has a name: refers to it. */
void fg_ended_refer(const struct fg_ended *list, size_t ended_count, struct fg_probe *probes,
		    uint32_t count, bool traced);

#endif
