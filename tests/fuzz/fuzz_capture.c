// SPDX-License-Identifier: GPL-2.0-only
/* A capture file of any bytes, read with and without a filter, each of its packets rewritten. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "header/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const uint8_t *data, size_t size, const char *filter)
{
	struct fg_addr src = { .bytes = { 10, 1, 2, 3 } };
	struct fg_capture *capture;
	struct fg_captured packet;
	struct fg_error err;
	FILE *stream = fmemopen((void *)data, size, "rb");

	if (!stream)
		abort();
	if (fg_capture_open_stream(stream, "fuzz", filter, &capture, &err) < 0)
		return;
	while (fg_capture_next(capture, &packet, &err) == 1) {
		src.family = packet.family;
		fg_rewrite_source(packet.data, packet.len, &src);
	}
	fg_capture_close(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	read_all(data, size, NULL);
	read_all(data, size, "tcp or udp port 53 or ip6");
	return 0;
}
