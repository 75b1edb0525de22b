/* SPDX-License-Identifier: GPL-2.0-only */
/* support/quoted.h - JSON in a C string, with ' for each ". Included after cmocka.h. */
#ifndef FG_TEST_QUOTED_H
#define FG_TEST_QUOTED_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A new reference. */
static inline json_t *quoted_json(const char *text)
{
	char *copy = strdup(text);
	json_t *value;

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	value = json_loads(copy, 0, NULL);
	assert_non_null(value);
	free(copy);
	return value;
}

#endif
