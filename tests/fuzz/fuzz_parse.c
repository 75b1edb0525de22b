// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every reader of a user's text, and every key of a packet. The first byte chooses, the rest is the
 * text.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(unsigned int which, const char *text)
{
	struct fg_ports ports;
	struct fg_addr addr;
	struct fg_error err;
	uint8_t bytes[64];
	uint64_t number;
	double rate;
	size_t len;
	int port;

	switch (which) {
	case 0:
		fg_parse_u64("x", text, 0, UINT64_MAX, &number, &err);
		break;
	case 1:
		fg_parse_addr("x", text, &addr, &err);
		break;
	case 2:
		if (fg_parse_endpoint("x", text, &addr, &port, &err) == 0 &&
		    (port == 0 || port > 65535))
			abort();
		break;
	case 3:
		fg_parse_mac("x", text, bytes, &err);
		break;
	case 4:
		fg_parse_duration("x", text, &number, &err);
		break;
	case 5:
		fg_parse_rate("x", text, &rate, &err);
		break;
	case 6:
		fg_parse_hex("x", text, bytes, sizeof(bytes), &len, &err);
		break;
	default:
		if (fg_parse_ports("x", text, &ports, &err) < 0)
			break;
		for (size_t i = 0; i < ports.total; i++)
			if (!fg_ports_get(&ports, i))
				abort();
		fg_ports_free(&ports);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_packet_spec spec;
	struct fg_error err;
	char *text;

	if (!size)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (!text)
		abort();
	if (data[0] < 128) {
		parse(data[0] % 8, text);
	} else {
		fg_packet_spec_init(&spec);
		fg_packet_set(&spec, fg_packet_keys[(data[0] - 128u) % fg_packet_key_count].name,
			      text, &err);
		fg_packet_spec_free(&spec);
	}
	free(text);
	return 0;
}
