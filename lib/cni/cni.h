/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cni/cni.h - what the counters and events of known network plugins mean (doc/stated.md has their
 * layouts, and where they are documented). Pure.
 */
#ifndef FG_CNI_H
#define FG_CNI_H

#include "facts/stated.h"

/*
 * Writes the words of `stated` anew (who, says, reason, rule, identities, endpoint, direction) from
 * the counters and events in it, and marks the events whose format is known. An event says more
 * than a counter, a drop more than a pass. What is malformed, too short, or of another packet is
 * left as bytes.
 */
void fg_cni_read(struct fg_stated *stated, const struct fg_stated_packet *packet);

#endif
