/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node/mechanisms.h - asks what decides in a namespace besides BPF programs
 * (facts/mechanisms.h has the values).
 */
#ifndef FG_MECHANISMS_H
#define FG_MECHANISMS_H

#include "net/link.h"
#include "facts/mechanisms.h"

/* Of the namespace of netns (a descriptor). Free with fg_mechanisms_free(). Returns 0 or -1. */
int fg_mechanisms_read(int netns, struct fg_mechanisms *out, struct fg_error *err);

#endif
