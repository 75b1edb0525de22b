// SPDX-License-Identifier: GPL-2.0-only
#include "cases/expected.h"

#include "cases/internal.h"

int fg_cases_expected(json_t *result, const struct fg_scenario_expect *expect)
{
	json_t *told = json_object_get(result, "expect");
	char why[600];
	enum fg_case_status status = fg_whole_check(expect, result, why, sizeof(why));

	json_object_set_new(told, "met", json_boolean(status == FG_CASE_PASS));
	if (status == FG_CASE_PASS)
		return 0;
	return status == FG_CASE_FAIL ? 1 : 4;
}
