// SPDX-License-Identifier: GPL-2.0-only
/*
 * Templates from text ("key=value", a line each) built for both families, in a buffer of just the
 * size that fg_packet_bound() names; and dissected again.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "header/dissect.h"
#include "packet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build(const struct fg_packet_spec *spec, uint16_t family)
{
	struct fg_packet_vary vary = {
		.src = { .family = family, .bytes = { 10, 0, 0, 5 } },
		.dst = { .family = family, .bytes = { 10, 0, 0, 9 } },
		.sport = 40000,
		.dport = 53,
		.random = 0x0123456789abcdef,
		.trace_id = family == AF_INET ? 0x123456789 : 0,
	};
	struct fg_frame frame = { .size = fg_packet_bound(spec) };
	struct fg_packet_warnings warnings;
	struct fg_dissection dissection;
	struct fg_error err;

	if (fg_packet_check(spec, family, &warnings, &err) < 0)
		return;
	frame.data = malloc(frame.size);
	if (!frame.data)
		abort();
	if (fg_packet_build(spec, &vary, &frame, &err) == 0) {
		if (frame.len > frame.size || !frame.count)
			abort();
		for (uint32_t i = 0; i < frame.count; i++) {
			size_t len;
			const uint8_t *part = fg_frame_part(&frame, i, &len);

			fg_dissect_frame(part, len, &dissection);
		}
	}
	free(frame.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *save = NULL, *value;
	struct fg_packet_spec spec;
	struct fg_error err;

	if (!text)
		abort();
	fg_packet_spec_init(&spec);
	for (char *key = strtok_r(text, "\n", &save); key; key = strtok_r(NULL, "\n", &save)) {
		value = strchr(key, '=');
		if (value)
			*value++ = '\0';
		fg_packet_set(&spec, key, value, &err);
	}
	build(&spec, AF_INET);
	build(&spec, AF_INET6);
	fg_packet_spec_free(&spec);
	free(text);
	return 0;
}
