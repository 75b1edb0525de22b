/* SPDX-License-Identifier: GPL-2.0-only */
/* trait.h - the programs of tests/bpf/traits.bpf.c: datapaths' traits, one each. */
#ifndef TRAIT_H
#define TRAIT_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/error.h"
#include "tests/bpf/traits.h"

bool trait_known(const char *program);

/* Fills one end of the settings; port: host order. */
void trait_set_end(struct traits_end *end, const struct fg_addr *addr, int port);

/* Loads one program with these settings. Returns its descriptor (owned by the caller), or -1. */
int trait_load(const char *program, const struct traits_settings *settings, struct fg_error *err);

#endif
