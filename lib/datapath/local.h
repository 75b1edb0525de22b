/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/local.h - bpf/local.bpf.c in the IP stacks of pods: takes probes and replies there,
 * where a program at the device would cost too much. Attaching and detaching wait for no grace
 * period of RCU. Each is a BPF link of type netfilter (Linux 6.4), and gone with its descriptor.
 */
#ifndef FG_LOCAL_H
#define FG_LOCAL_H

#include <stdint.h>

#include "base/error.h"
#include "datapath/datapath.h"

struct fg_local;

/* Loads the program. NULL on failure: FG_ERR_UNSUPPORTED if the kernel lacks the type. */
struct fg_local *fg_local_open(const struct fg_datapath *dp, struct fg_error *err);
void fg_local_close(struct fg_local *local);

/*
 * Attaches it to a namespace, for packets of that family (AF_INET, AF_INET6). Returns the link's
 * owned descriptor, or -1: FG_ERR_UNSUPPORTED if the kernel has no such links.
 */
int fg_local_attach(const struct fg_local *local, int netns, uint16_t family, struct fg_error *err);

#endif
