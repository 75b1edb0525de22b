// SPDX-License-Identifier: GPL-2.0-only
/* Any lines as results of two runs, the first ones of the one before: what is not a result is
 * refused, and all else is counted. */
#include <stdlib.h>
#include <string.h>

#include "suite/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The byte 1 parts the runs. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_diff *diff;
	struct fg_buffer out = {};
	struct fg_diff_counts counts = {};
	struct fg_error err = {};
	uint64_t lines = 0;
	bool after = false;
	int ret = 0;

	if (!size)
		return 0;
	diff = fg_diff_new(data[0] & 1, data[0] & 2, &err);
	data++, size--;
	while (diff && size && !ret) {
		const uint8_t *end = data;

		while (end < data + size && *end != '\n' && *end != 1)
			end++;
		ret = after ? fg_diff_after(diff, (const char *)data, (size_t)(end - data),
					    "after:1", &out, &err)
			    : fg_diff_before(diff, (const char *)data, (size_t)(end - data),
					     "before:1", &err);
		after |= end < data + size && *end == 1;
		size -= (size_t)(end - data) + (end < data + size);
		data = end + 1;
		lines++;
	}
	if (!diff || (ret && err.kind != FG_ERR_USAGE))
		abort();
	/* A summary may tell of each port. */
	if (!ret && (fg_diff_end(diff, &counts, &out, &err) ||
		     counts.same + counts.changed + counts.added + counts.removed > 65537 * lines))
		abort();
	fg_buffer_free(&out);
	fg_diff_free(diff);
	return 0;
}
