/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/reason.h - the names of the running kernel's drop reasons, which every kernel numbers in
 * its own way. They are in its BTF, which takes about 10 ms to read: a packet that arrives needs
 * none of it.
 */
#ifndef FG_REASON_H
#define FG_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "probe/probe.h"

struct fg_reasons;

/* Reads nothing yet. NULL and FG_ERR_UNSUPPORTED if the kernel has no /sys/kernel/btf/vmlinux. */
struct fg_reasons *fg_reasons_open(struct fg_error *err);
void fg_reasons_free(struct fg_reasons *reasons);

/* What was found out elsewhere: these names are told without reading. */
void fg_reasons_know(struct fg_reasons *reasons, const struct fg_drop_codes *codes);

/* Reads the BTF if the name of this code is in there. Returns 0 or -1. */
int fg_reasons_ready(struct fg_reasons *reasons, uint32_t code, struct fg_error *err);

/*
 * The name without its SKB_DROP_REASON_ (or SKB_) prefix: "TC_INGRESS"; NULL if the kernel has
 * none, or if its BTF is not read yet and cannot be (fg_reasons_ready() says so). Borrowed.
 * Reasons of a subsystem (the upper 16 bits, include/net/dropreason.h) have the names that its
 * module gives them: "OVS_DROP_EXPLICIT". Its BTF is read when the first is asked for.
 */
const char *fg_reasons_name(struct fg_reasons *reasons, uint32_t code);

/* Whose reason it is: "openvswitch", "mac80211_unusable"; NULL: the network stack's own. */
const char *fg_reasons_subsystem(struct fg_reasons *reasons, uint32_t code);

#endif
