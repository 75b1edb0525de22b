// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet/set.c - the setters of IP keys, payloads and switches; those of the transports are with
 * them.
 */

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/internal.h"

void fg_packet_spec_init(struct fg_packet_spec *spec)
{
	memset(spec, 0, sizeof(*spec));
	spec->protocol = IPPROTO_TCP;
	spec->mtu = 1500;
	spec->trace_option = 136;
}

int fg_packet_spec_copy(struct fg_packet_spec *to, const struct fg_packet_spec *from,
			struct fg_error *err)
{
	uint8_t *payload = NULL;

	fg_packet_spec_init(to);
	if (from->payload) {
		payload = malloc(from->payload_len ? from->payload_len : 1);
		if (!payload)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "packet");
		memcpy(payload, from->payload, from->payload_len);
	}
	*to = *from;
	to->payload = payload;
	return 0;
}

void fg_packet_spec_free(struct fg_packet_spec *spec)
{
	free(spec->payload);
	fg_packet_spec_init(spec);
}

/* "a, b, c, or a number from 0 to MAX" */
static void list_names(const struct fg_name *names, uint32_t max, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (; names->name && used < size; names++)
		used += (size_t)snprintf(buf + used, size - used, "%s, ", names->name);
	if (used < size)
		snprintf(buf + used, size - used, "or a number from 0 to %u", max);
}

int fg_set_parse_name(const char *key, const char *text, const struct fg_name *names, uint32_t max,
		      uint32_t *out, struct fg_error *err)
{
	uint64_t number;
	char list[400];

	for (const struct fg_name *name = names; name->name; name++) {
		if (strcmp(text, name->name) != 0)
			continue;
		*out = name->value;
		return 0;
	}
	if (fg_parse_u64(key, text, 0, max, &number, NULL) == 0) {
		*out = (uint32_t)number;
		return 0;
	}
	list_names(names, max, list, sizeof(list));
	return fg_fail(err, FG_ERR_USAGE, "%s: must be %s, not \"%.60s\"", key, list, text);
}

int fg_set_parse_switch(const char *key, const char *value, bool *out, struct fg_error *err)
{
	if (!value || !strcmp(value, "on") || !strcmp(value, "yes") || !strcmp(value, "true"))
		*out = true;
	else if (!strcmp(value, "off") || !strcmp(value, "no") || !strcmp(value, "false"))
		*out = false;
	else
		return fg_fail(err, FG_ERR_USAGE, "%s: must be on or off, not \"%.60s\"", key,
			       value);
	return 0;
}

int fg_set_proto(struct fg_packet_spec *spec, const char *key, const char *value,
		 struct fg_error *err)
{
	static const struct fg_name names[] = {
		{ "tcp", IPPROTO_TCP },
		{ "udp", IPPROTO_UDP },
		{ "icmp", FG_PROTOCOL_ICMP_OF_FAMILY },
		{ "icmpv6", IPPROTO_ICMPV6 },
		{ "sctp", IPPROTO_SCTP },
		{ NULL, 0 },
	};
	uint32_t protocol;

	if (fg_set_parse_name(key, value, names, 255, &protocol, err) < 0)
		return -1;
	spec->protocol = (uint16_t)protocol;
	return 0;
}

static void override_dscp(struct fg_packet_spec *spec, uint64_t dscp)
{
	fg_override(spec, FG_IPV4_DSCP, dscp);
	fg_override(spec, FG_IPV6_DSCP, dscp);
}

static void override_ecn(struct fg_packet_spec *spec, uint64_t ecn)
{
	fg_override(spec, FG_IPV4_ECN, ecn);
	fg_override(spec, FG_IPV6_ECN, ecn);
}

int fg_set_tos(struct fg_packet_spec *spec, const char *key, const char *value,
	       struct fg_error *err)
{
	uint64_t tos;

	if (fg_parse_u64(key, value, 0, 255, &tos, err) < 0)
		return -1;
	override_dscp(spec, tos >> 2);
	override_ecn(spec, tos & 3);
	return 0;
}

int fg_set_dscp(struct fg_packet_spec *spec, const char *key, const char *value,
		struct fg_error *err)
{
	static const struct fg_name names[] = {
		{ "cs0", 0 },	{ "cs1", 8 },	{ "af11", 10 }, { "af12", 12 }, { "af13", 14 },
		{ "cs2", 16 },	{ "af21", 18 }, { "af22", 20 }, { "af23", 22 }, { "cs3", 24 },
		{ "af31", 26 }, { "af32", 28 }, { "af33", 30 }, { "cs4", 32 },	{ "af41", 34 },
		{ "af42", 36 }, { "af43", 38 }, { "cs5", 40 },	{ "ef", 46 },	{ "cs6", 48 },
		{ "cs7", 56 },	{ NULL, 0 },
	};
	uint32_t dscp;

	if (fg_set_parse_name(key, value, names, 63, &dscp, err) < 0)
		return -1;
	override_dscp(spec, dscp);
	return 0;
}

int fg_set_ecn(struct fg_packet_spec *spec, const char *key, const char *value,
	       struct fg_error *err)
{
	static const struct fg_name names[] = {
		{ "not-ect", 0 }, { "ect0", 2 }, { "ect1", 1 }, { "ce", 3 }, { NULL, 0 },
	};
	uint32_t ecn;

	if (fg_set_parse_name(key, value, names, 3, &ecn, err) < 0)
		return -1;
	override_ecn(spec, ecn);
	return 0;
}

int fg_set_df(struct fg_packet_spec *spec, const char *key, const char *value, struct fg_error *err)
{
	bool on = false;

	if (fg_set_parse_switch(key, value, &on, err) < 0)
		return -1;
	fg_override(spec, FG_IPV4_DF, on);
	return 0;
}

int fg_set_reserved_flag(struct fg_packet_spec *spec, const char *key, const char *value,
			 struct fg_error *err)
{
	bool on = false;

	if (fg_set_parse_switch(key, value, &on, err) < 0)
		return -1;
	fg_override(spec, FG_IPV4_RESERVED, on);
	return 0;
}

/*
 * A flag that is taken back leaves the packet as if it had never been given: no IPv6 fragment
 * header.
 */
int fg_set_more_fragments(struct fg_packet_spec *spec, const char *key, const char *value,
			  struct fg_error *err)
{
	bool on = false;

	if (fg_set_parse_switch(key, value, &on, err) < 0)
		return -1;
	fg_override(spec, FG_IPV4_MF, on);
	fg_override(spec, FG_FRAGMENT_MF, on);
	spec->overridden[FG_IPV4_MF] = spec->overridden[FG_FRAGMENT_MF] = on;
	return 0;
}

/* A number of bytes that is a multiple of 8, as fragments want it (RFC 791 section 3.2). */
static int parse_eights(const char *key, const char *value, uint64_t min, uint64_t max,
			uint64_t *out, struct fg_error *err)
{
	uint64_t bytes;

	if (fg_parse_u64(key, value, min, max, &bytes, err) < 0)
		return -1;
	if (bytes % 8)
		return fg_fail(err, FG_ERR_USAGE, "%s: must be a multiple of 8, not %.60s", key,
			       value);
	*out = bytes;
	return 0;
}

int fg_set_fragment(struct fg_packet_spec *spec, const char *key, const char *value,
		    struct fg_error *err)
{
	uint64_t size = 0;

	if (parse_eights(key, value, 8, 65528, &size, err) < 0)
		return -1;
	spec->fragment_size = (uint32_t)size;
	return 0;
}

int fg_set_fragment_offset(struct fg_packet_spec *spec, const char *key, const char *value,
			   struct fg_error *err)
{
	uint64_t offset = 0;

	if (parse_eights(key, value, 0, 65528, &offset, err) < 0)
		return -1;
	fg_override(spec, FG_IPV4_OFFSET, offset / 8);
	fg_override(spec, FG_FRAGMENT_OFFSET, offset / 8);
	return 0;
}

int fg_set_ip_option(struct fg_packet_spec *spec, const char *key, const char *value,
		     struct fg_error *err)
{
	size_t len;

	if (fg_parse_hex(key, value, spec->ip_options + spec->ip_options_len,
			 FG_IP_OPTIONS_MAX - spec->ip_options_len, &len, err) < 0)
		return -1;
	spec->ip_options_len = (uint8_t)(spec->ip_options_len + len);
	return 0;
}

int fg_set_ext_header(struct fg_packet_spec *spec, const char *key, const char *value,
		      struct fg_error *err)
{
	const char *colon = strchr(value, ':');
	size_t name_len = colon ? (size_t)(colon - value) : strlen(value), len = 0;
	struct fg_ext_header ext = { 0 };

	if (name_len == 10 && !memcmp(value, "hop-by-hop", 10))
		ext.type = IPPROTO_HOPOPTS;
	else if (name_len == 11 && !memcmp(value, "destination", 11))
		ext.type = IPPROTO_DSTOPTS;
	else if (name_len == 8 && !memcmp(value, "fragment", 8) && !colon)
		ext.type = IPPROTO_FRAGMENT;
	else
		return fg_fail(
			err, FG_ERR_USAGE,
			"%s: must be hop-by-hop[:HEX], destination[:HEX] or fragment, not \"%.60s\"",
			key, value);
	if (colon && fg_parse_hex(key, colon + 1, ext.data, sizeof(ext.data), &len, err) < 0)
		return -1;
	if (spec->ext_count == FG_EXT_HEADERS_MAX)
		return fg_fail(err, FG_ERR_USAGE, "%s: more than %d extension headers", key,
			       FG_EXT_HEADERS_MAX);
	ext.len = (uint8_t)len;
	spec->ext[spec->ext_count++] = ext;
	return 0;
}

int fg_set_trace_id(struct fg_packet_spec *spec, const char *key, const char *value,
		    struct fg_error *err)
{
	if (fg_parse_u64(key, value, 1, UINT64_MAX, &spec->trace_id, err) < 0)
		return -1;
	spec->trace = true;
	return 0;
}

int fg_set_trace_option(struct fg_packet_spec *spec, const char *key, const char *value,
			struct fg_error *err)
{
	uint64_t type;

	/* 0 and 1 are the options without a length (RFC 791): nothing could be put into them. */
	if (fg_parse_u64(key, value, 2, 255, &type, err) < 0)
		return -1;
	spec->trace_option = (uint8_t)type;
	return 0;
}

int fg_set_trace_length(struct fg_packet_spec *spec, const char *key, const char *value,
			struct fg_error *err)
{
	if (strcmp(value, "2") != 0 && strcmp(value, "4") != 0 && strcmp(value, "8") != 0)
		return fg_fail(err, FG_ERR_USAGE, "%s: must be 2, 4 or 8, not \"%.60s\"", key,
			       value);
	spec->trace_length = (uint8_t)(*value - '0');
	return 0;
}

int fg_set_sack(struct fg_packet_spec *spec, const char *key, const char *value,
		struct fg_error *err)
{
	bool on = false;

	if (fg_set_parse_switch(key, value, &on, err) < 0)
		return -1;
	spec->sack = on ? FG_CHOICE_ON : FG_CHOICE_OFF;
	return 0;
}

int fg_set_bad_checksum(struct fg_packet_spec *spec, const char *key, const char *value,
			struct fg_error *err)
{
	return fg_set_parse_switch(key, value, &spec->bad_checksum, err);
}

int fg_set_bad_ip_checksum(struct fg_packet_spec *spec, const char *key, const char *value,
			   struct fg_error *err)
{
	return fg_set_parse_switch(key, value, &spec->bad_ip_checksum, err);
}

int fg_set_checksum_offload(struct fg_packet_spec *spec, const char *key, const char *value,
			    struct fg_error *err)
{
	return fg_set_parse_switch(key, value, &spec->checksum_offload, err);
}

int fg_set_gso(struct fg_packet_spec *spec, const char *key, const char *value,
	       struct fg_error *err)
{
	uint64_t size;

	if (fg_parse_u64(key, value, 1, 65535, &size, err) < 0)
		return -1;
	spec->gso_size = (uint16_t)size;
	return 0;
}
