// SPDX-License-Identifier: GPL-2.0-only
#include "packets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int packets_set(struct fg_packet_spec *spec, const char *keys, struct fg_error *err)
{
	char *copy = strdup(keys), *save = NULL, *value;
	int result = 0;

	if (!copy)
		abort();
	for (char *key = strtok_r(copy, ";", &save); key && result == 0;
	     key = strtok_r(NULL, ";", &save)) {
		value = strchr(key, '=');
		if (value)
			*value++ = '\0';
		result = fg_packet_set(spec, key, value, err);
	}
	free(copy);
	return result;
}

struct fg_packet_vary packets_vary(int family)
{
	struct fg_packet_vary vary = {
		.sport = 40000,
		.dport = 4444,
		.random = 0x0123456789abcdef,
		.number = 3,
	};

	vary.src.family = vary.dst.family = (uint16_t)family;
	inet_pton(family, family == AF_INET ? "10.0.0.5" : "fd00::5", vary.src.bytes);
	inet_pton(family, family == AF_INET ? "10.0.0.9" : "fd00::9", vary.dst.bytes);
	return vary;
}

int packets_build(const char *keys, const struct fg_packet_vary *vary, struct fg_frame *frame,
		  struct fg_packet_warnings *warnings, struct fg_error *err)
{
	struct fg_packet_spec spec;
	int result;

	memset(frame, 0, sizeof(*frame));
	fg_packet_spec_init(&spec);
	result = packets_set(&spec, keys, err);
	if (result == 0)
		result = fg_packet_check(&spec, vary->src.family, warnings, err);
	if (result == 0) {
		frame->size = fg_packet_bound(&spec);
		/* Exactly so much, for the address sanitizer to notice a byte more. */
		frame->data = malloc(frame->size);
		if (!frame->data)
			abort();
		result = fg_packet_build(&spec, vary, frame, err);
	}
	if (result < 0) {
		free(frame->data);
		frame->data = NULL;
	}
	fg_packet_spec_free(&spec);
	return result;
}
