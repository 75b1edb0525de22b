/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reason.h - what the running kernel's BTF says of itself: the names of its drop reasons, which every kernel numbers in its
 * own way, and the shape of its tracepoints.
 */
#ifndef FG_REASON_H
#define FG_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "probe.h"

struct fg_reasons;

/* Reads /sys/kernel/btf/vmlinux (about 10 ms). NULL and FG_ERR_UNSUPPORTED where the kernel has none. */
struct fg_reasons *fg_reasons_open(struct fg_error *err);
void fg_reasons_free(struct fg_reasons *reasons);

/*
 * The name without its SKB_DROP_REASON_ (or subsystem's) prefix: "TC_INGRESS"; NULL where the kernel has none. Borrowed. Reasons of
 * a subsystem (the upper 16 bits, include/net/dropreason.h) are named for those that are known.
 */
const char *fg_reasons_name(const struct fg_reasons *reasons, uint32_t code);

/* The codes that the judge must tell apart. */
struct fg_drop_codes fg_reasons_codes(const struct fg_reasons *reasons);

/* How many arguments a tracepoint's program gets (btf_trace_NAME); 0: there is no such tracepoint. */
int fg_reasons_trace_args(const struct fg_reasons *reasons, const char *tracepoint);

#endif
