// SPDX-License-Identifier: GPL-2.0-only
#include "base/nearest.h"

#include <string.h>

#define WORD_MAX 64

/* Insertions, deletions and replacements that make b of a (Levenshtein), both shorter than
 * WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX], width = strlen(b);

	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[width];
}

const char *fg_nearest(const char *text, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t best = 3;

	if (strlen(text) >= WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t d = strlen(words[i]) < WORD_MAX ? distance(text, words[i]) : best;

		/* A word that is completely different is not near. */
		if (d < best && d < strlen(words[i])) {
			best = d;
			nearest = words[i];
		}
	}
	return nearest;
}
