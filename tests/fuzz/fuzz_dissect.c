// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a frame and as a packet: fields, text, flows, and the rewriting of the source. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "header/dissect.h"
#include "header/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct fg_dissection *dissection, size_t size)
{
	struct fg_dissect_cursor cursor = { 0 };
	char text[64];

	for (size_t i = 0; i < dissection->count; i++)
		if ((size_t)dissection->layers[i].offset + dissection->layers[i].len > size)
			abort();
	while (fg_dissect_next(dissection, &cursor))
		fg_field_text(cursor.field, cursor.header, cursor.len, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_addr src = { .family = AF_INET, .bytes = { 10, 1, 2, 3 } };
	struct fg_dissection dissection;
	struct fg_layout layout;
	struct fg_flow flow, inverse;
	char text[FG_FLOW_TEXT_LEN];
	uint8_t *copy;

	fg_dissect_frame(data, size, &dissection);
	show(&dissection, size);
	fg_dissect_packet(data, size, &dissection);
	show(&dissection, size);
	if (fg_flow_extract(data, size, &flow) == 0) {
		fg_flow_text(&flow, text, sizeof(text));
		fg_flow_invert(&flow, &inverse);
		fg_flow_invert(&inverse, &inverse);
		inverse.icmp_code = flow.icmp_code;
		if (!fg_flow_equal(&flow, &inverse))
			abort();
	}
	fg_flow_extract_quoted(data, size, &flow);
	if (fg_flow_layout_find(data, size, &layout) < 0)
		return 0;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	src.family = layout.family;
	fg_rewrite_source(copy, layout.len, &src);
	free(copy);
	return 0;
}
