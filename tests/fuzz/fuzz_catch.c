// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a packet that was caught, in both outputs. */
#include <stdlib.h>
#include <string.h>

#include "listing/catch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct fg_catch_record *r)
{
	const struct fg_catch_place place = { NULL, "netns:web", "web", 1, "eth0", 136, 7 };
	struct fg_buffer out = {};

	if (fg_catch_json(&place, r, 1, &out, NULL) || out.len < 2 ||
	    out.data[out.len - 1] != '\n' || memchr(out.data, '\n', out.len - 1))
		abort();
	out.len = 0;
	if (fg_catch_text(&place, r, 1, &out, NULL) || !out.len)
		abort();
	fg_buffer_free(&out);
}

/* Two bytes of its head, then the packet, in memory of its own size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_catch_record r = { .version = FG_CATCH_VERSION };
	size_t len;

	if (size < 2)
		return 0;
	len = size - 2 < FG_CATCH_BYTES ? size - 2 : FG_CATCH_BYTES;
	r.passed = data[0] & 1;
	r.has_trace = data[0] & 2;
	r.trace_id = data[1];
	r.length = data[0] & 4 ? UINT32_MAX : (uint32_t)size;
	r.captured = (uint16_t)len;
	memcpy(r.bytes, data + 2, len);
	show(&r);
	return 0;
}
