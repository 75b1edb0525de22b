/* SPDX-License-Identifier: GPL-2.0-only */
/* cluster/internal.h - what the files of this room share. */
#ifndef FG_CLUSTER_INTERNAL_H
#define FG_CLUSTER_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Whether a text is a selector of labels that is understood here: KEY, !KEY, KEY=VALUE, KEY==VALUE
 * or KEY!=VALUE, with commas between them.
 */
bool fg_selector_check(const char *selector);

/* Whether labels, an object of texts, fit it. A selector that is not understood fits nothing. */
bool fg_selector_fits(const char *selector, const json_t *labels);

#endif
