// SPDX-License-Identifier: GPL-2.0-only
/* packet/icmp.c - ICMP (RFC 792) and ICMPv6 (RFC 4443), and the names of their types and codes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"
#include "packet/internal.h"

#define NONE 256 /* the version does not have it; does not fit the 8-bit field */

struct icmp_name {
	const char *name;
	uint16_t v4, v6;
};

/* A name means the type, or the code, that means the same in both versions. */
static const struct icmp_name types[] = {
	{ "echo-request", 8, 128 },
	{ "echo-reply", 0, 129 },
	{ "destination-unreachable", 3, 1 },
	{ "packet-too-big", NONE, 2 },
	{ "time-exceeded", 11, 3 },
	{ "parameter-problem", 12, 4 },
	{ "redirect", 5, 137 },
	{ "router-solicitation", 10, 133 },
	{ "router-advertisement", 9, 134 },
	{ "neighbour-solicitation", NONE, 135 },
	{ "neighbour-advertisement", NONE, 136 },
	{ "timestamp-request", 13, NONE },
	{ "timestamp-reply", 14, NONE },
	{ NULL, 0, 0 },
};

static const struct icmp_name codes[] = {
	{ "net-unreachable", 0, 0 },
	{ "host-unreachable", 1, 3 },
	{ "protocol-unreachable", 2, NONE },
	{ "port-unreachable", 3, 4 },
	{ "fragmentation-needed", 4, NONE },
	{ "net-prohibited", 9, NONE },
	{ "host-prohibited", 10, NONE },
	{ "admin-prohibited", 13, 1 },
	{ NULL, 0, 0 },
};

static void write_rest(struct fg_build *b, uint8_t type)
{
	uint8_t *rest = b->transport + 4;
	bool has_id = fg_icmp_is_echo(b->family, type) || b->spec->overridden[FG_ICMP_ECHO_ID] ||
		      b->spec->overridden[FG_ICMP_ECHO_SEQ];

	memset(rest, 0, 4);
	if (has_id && !b->spec->overridden[FG_ICMP_REST_DATA]) {
		fg_put(b, FG_ICMP_ECHO_ID, rest, b->vary->random >> 48);
		fg_put(b, FG_ICMP_ECHO_SEQ, rest, (b->vary->number + 1) & 0xffff);
	} else {
		fg_put(b, FG_ICMP_REST_DATA, rest, 0);
	}
	b->transport_len = 8;
}

static void write_icmp(struct fg_build *b)
{
	fg_put(b, FG_ICMP_TYPE, b->transport, 8);
	fg_put(b, FG_ICMP_CODE, b->transport, 0);
	write_rest(b, fg_put_icmp_type(b->spec, AF_INET));
}

static void write_icmpv6(struct fg_build *b)
{
	fg_put(b, FG_ICMPV6_TYPE, b->transport, 128);
	fg_put(b, FG_ICMPV6_CODE, b->transport, 0);
	write_rest(b, fg_put_icmp_type(b->spec, AF_INET6));
}

static void finish_icmp(struct fg_build *b)
{
	fg_put_checksum(b, FG_ICMP_CHECKSUM, false);
}

static void finish_icmpv6(struct fg_build *b)
{
	fg_put_checksum(b, FG_ICMPV6_CHECKSUM, true);
}

const struct fg_transport fg_icmp = { write_icmp, finish_icmp };
const struct fg_transport fg_icmpv6 = { write_icmpv6, finish_icmpv6 };

static int set_named(struct fg_packet_spec *spec, const char *key, const char *value,
		     const struct icmp_name *names, enum fg_field_id v4, struct fg_error *err)
{
	/* Type and code have the same place in both tables of fields. */
	enum fg_field_id v6 = v4 == FG_ICMP_TYPE ? FG_ICMPV6_TYPE : FG_ICMPV6_CODE;
	struct fg_name plain[COUNT(types)];
	uint32_t number;
	size_t i = 0;

	for (; names[i].name; i++) {
		plain[i] = (struct fg_name){ names[i].name, (uint32_t)i };
		if (strcmp(value, names[i].name) != 0)
			continue;
		fg_override(spec, v4, names[i].v4);
		fg_override(spec, v6, names[i].v6);
		return 0;
	}
	plain[i] = (struct fg_name){ NULL, 0 };
	if (fg_set_parse_name(key, value, plain, 255, &number, err) < 0)
		return -1;
	fg_override(spec, v4, number);
	fg_override(spec, v6, number);
	return 0;
}

int fg_icmp_set_type(struct fg_packet_spec *spec, const char *key, const char *value,
		     struct fg_error *err)
{
	return set_named(spec, key, value, types, FG_ICMP_TYPE, err);
}

int fg_icmp_set_code(struct fg_packet_spec *spec, const char *key, const char *value,
		     struct fg_error *err)
{
	return set_named(spec, key, value, codes, FG_ICMP_CODE, err);
}
