/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases/expected.h - `inject --expect` with several keys over a cluster: none of the halves knows
 * the whole way, so it is held against the result that was joined of them. Pure.
 */
#ifndef FG_CASES_EXPECTED_H
#define FG_CASES_EXPECTED_H

#include <jansson.h>

#include "scenario/scenario.h"

/*
 * Sets `expect.met` of a joined result (doc/result.schema.json), which has an `expect`. Returns the
 * exit status for it: 0, 1 (not as expected) or 4 (not known).
 */
int fg_cases_expected(json_t *result, const struct fg_scenario_expect *expect);

#endif
