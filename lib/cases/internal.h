/* SPDX-License-Identifier: GPL-2.0-only */
/* cases/internal.h - what the files of this room share. */
#ifndef FG_CASES_INTERNAL_H
#define FG_CASES_INTERNAL_H

#include <jansson.h>

#include "scenario/scenario.h"

/* --- whole.c: a result that was joined of two nodes' halves, as a value again --- */

/* As fg_scenario_check(), of a result (doc/result.schema.json). */
enum fg_case_status fg_whole_check(const struct fg_scenario_expect *expect, const json_t *result,
				   char *why, size_t size);

/* The words of a result; what is not one is unknown or inconclusive. */
enum fg_verdict fg_whole_verdict(const char *word);
enum fg_outcome fg_whole_outcome(const char *word);

#endif
