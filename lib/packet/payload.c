// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet/payload.c - what follows the headers: the user's bytes, a pattern, a DNS query, an
 * HTTP request.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "packet/internal.h"

#define PAYLOAD_MAX 65535
#define DNS_HEADER_LEN 12
#define DNS_NAME_MAX 253 /* as text; RFC 1035 section 2.3.4 */
#define DNS_LABEL_MAX 63

/* Whoever finds it in a capture should know where it comes from. */
static const char pattern[8] = { 'f', 'l', 'o', 'w', 'g', 'e', 'n', ' ' };

static size_t default_len(const struct fg_packet_spec *spec, uint16_t family)
{
	uint8_t protocol = fg_put_protocol(spec, family);

	if (fg_is_icmp(family, protocol))
		return fg_icmp_is_echo(family, fg_put_icmp_type(spec, family)) ? 56 : 0;
	if (protocol == IPPROTO_SCTP) {
		/* These are malformed without any. */
		switch (fg_sctp_chunk_type(spec)) {
		case FG_SCTP_DATA:
		case FG_SCTP_INIT_ACK:
		case FG_SCTP_HEARTBEAT:
		case FG_SCTP_HEARTBEAT_ACK:
		case FG_SCTP_COOKIE_ECHO:
			return sizeof(pattern);
		}
	}
	return 0;
}

/* DNS over TCP has the message's length before it (RFC 1035 section 4.2.2). */
static size_t prefix_len(const struct fg_packet_spec *spec)
{
	return spec->payload_kind == FG_PAYLOAD_DNS && spec->protocol == IPPROTO_TCP ? 2 : 0;
}

size_t fg_payload_len(const struct fg_packet_spec *spec, uint16_t family)
{
	if (spec->payload_kind == FG_PAYLOAD_DEFAULT)
		return default_len(spec, family);
	return prefix_len(spec) + spec->payload_len;
}

void fg_payload_write(const struct fg_build *b, uint8_t *out)
{
	const struct fg_packet_spec *spec = b->spec;
	size_t prefix = prefix_len(spec);

	if (spec->payload_kind == FG_PAYLOAD_DEFAULT || spec->payload_kind == FG_PAYLOAD_PATTERN) {
		for (size_t i = 0; i < b->payload_len; i++)
			out[i] = (uint8_t)pattern[i % sizeof(pattern)];
		return;
	}
	if (!b->payload_len)
		return;
	memcpy(out + prefix, spec->payload, spec->payload_len);
	if (prefix) {
		out[0] = (uint8_t)(spec->payload_len >> 8);
		out[1] = (uint8_t)spec->payload_len;
	}
	if (spec->payload_kind == FG_PAYLOAD_DNS) {
		out[prefix] = (uint8_t)(b->vary->random >> 56);
		out[prefix + 1] = (uint8_t)(b->vary->random >> 48);
	}
}

/* Takes bytes over; they may be NULL if there are none. */
static void take_payload(struct fg_packet_spec *spec, enum fg_payload_kind kind, uint8_t *bytes,
			 size_t len)
{
	free(spec->payload);
	spec->payload = bytes;
	spec->payload_len = len;
	spec->payload_kind = (uint8_t)kind;
}

/* malloc(0) may return NULL; a payload of no bytes is still one. */
static int copy_payload(struct fg_packet_spec *spec, enum fg_payload_kind kind, const void *bytes,
			size_t len, struct fg_error *err)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "payload");
	if (len)
		memcpy(copy, bytes, len);
	take_payload(spec, kind, copy, len);
	return 0;
}

int fg_payload_copy(struct fg_packet_spec *spec, const void *bytes, size_t len,
		    struct fg_error *err)
{
	if (len > PAYLOAD_MAX)
		return fg_fail(err, FG_ERR_USAGE,
			       "payload: %zu bytes, at most %d fit into a packet", len,
			       PAYLOAD_MAX);
	return copy_payload(spec, FG_PAYLOAD_BYTES, bytes, len, err);
}

int fg_payload_set_text(struct fg_packet_spec *spec, const char *key, const char *value,
			struct fg_error *err)
{
	FG_FREE uint8_t *bytes = NULL;
	size_t len = strlen(value);

	if (strncmp(value, "hex:", 4) != 0)
		return fg_payload_copy(spec, value, len, err);
	bytes = malloc(len);
	if (!bytes)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", key);
	if (fg_parse_hex(key, value + 4, bytes, len, &len, err) < 0)
		return -1;
	return fg_payload_copy(spec, bytes, len, err);
}

int fg_payload_set_size(struct fg_packet_spec *spec, const char *key, const char *value,
			struct fg_error *err)
{
	uint64_t size;

	if (fg_parse_u64(key, value, 0, PAYLOAD_MAX, &size, err) < 0)
		return -1;
	take_payload(spec, FG_PAYLOAD_PATTERN, NULL, (size_t)size);
	return 0;
}

static const struct fg_name dns_types[] = {
	{ "A", 1 },  { "AAAA", 28 }, { "ANY", 255 }, { "CNAME", 5 }, { "HTTPS", 65 }, { "MX", 15 },
	{ "NS", 2 }, { "PTR", 12 },  { "SOA", 6 },   { "SRV", 33 },  { "TXT", 16 },   { NULL, 0 },
};

/*
 * Writes the labels of a name, and the root's after them. Returns what follows, or NULL for
 * an impossible name.
 */
static uint8_t *write_dns_name(const char *name, size_t len, uint8_t *p)
{
	size_t used = 0;

	if (len && name[len - 1] == '.')
		len--; /* the root said in full */
	if (len > DNS_NAME_MAX)
		return NULL;
	while (used < len) {
		const char *dot = memchr(name + used, '.', len - used);
		size_t label = dot ? (size_t)(dot - name) - used : len - used;

		if (!label || label > DNS_LABEL_MAX || used + label + 1 == len)
			return NULL;
		*p++ = (uint8_t)label;
		memcpy(p, name + used, label);
		p += label;
		used += label + 1;
	}
	*p++ = 0;
	return p;
}

int fg_payload_set_dns(struct fg_packet_spec *spec, const char *key, const char *value,
		       struct fg_error *err)
{
	/* ID (from the probe), flags: recursion desired; one question. */
	static const uint8_t header[DNS_HEADER_LEN] = { 0, 0, 1, 0, 0, 1 };
	const char *comma = strchr(value, ',');
	size_t name_len = comma ? (size_t)(comma - value) : strlen(value);
	uint8_t message[DNS_HEADER_LEN + DNS_NAME_MAX + 2 + 4], *p;
	uint32_t type = 1;

	memcpy(message, header, sizeof(header));
	p = name_len ? write_dns_name(value, name_len, message + DNS_HEADER_LEN) : NULL;
	if (!p)
		return fg_fail(
			err, FG_ERR_USAGE,
			"%s: \"%.200s\" is not NAME or NAME,TYPE with labels of 1 to 63 bytes, "
			"253 bytes in all",
			key, value);
	if (comma && fg_set_parse_name(key, comma + 1, dns_types, 65535, &type, err) < 0)
		return -1;
	*p++ = (uint8_t)(type >> 8);
	*p++ = (uint8_t)type;
	*p++ = 0;
	*p++ = 1; /* class IN */
	return copy_payload(spec, FG_PAYLOAD_DNS, message, (size_t)(p - message), err);
}

/* Whether all of it may be in a request line or a Host field: visible ASCII. */
static bool is_visible(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0;
}

/* Splits "[METHOD ]TARGET", TARGET being "/path" or "http://host[/path]", into pieces of value. */
static bool split_http(const char *value, int *method_len, const char **host, int *host_len,
		       const char **path)
{
	const char *space = strchr(value, ' '), *target = space ? space + 1 : value;
	size_t host_size;

	*method_len = space ? (int)(space - value) : 0;
	*host = "";
	*host_len = 0;
	*path = target;
	if (!strncmp(target, "http://", 7)) {
		*host = target + 7;
		host_size = strcspn(*host, "/");
		*host_len = (int)host_size;
		*path = *host + host_size;
		if (!is_visible(*host, host_size))
			return false;
	} else if (*target != '/') {
		return false;
	}
	return (!space || is_visible(value, (size_t)*method_len)) &&
	       (!**path || is_visible(*path, strlen(*path)));
}

int fg_payload_set_http(struct fg_packet_spec *spec, const char *key, const char *value,
			struct fg_error *err)
{
	const char *host, *path, *method = value;
	int method_len, host_len, size;
	char *text;

	if (strlen(value) > 4096 || !split_http(value, &method_len, &host, &host_len, &path))
		return fg_fail(
			err, FG_ERR_USAGE,
			"%s: \"%.200s\" is not /PATH or http://HOST/PATH, with a method before it "
			"if it is not GET",
			key, value);
	if (!method_len) {
		method = "GET";
		method_len = 3;
	}
	/* A request without an authority has an empty Host field (RFC 9112 section 3.2). */
	size = asprintf(
		&text,
		"%.*s %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: flowgen\r\nAccept: */*\r\n\r\n",
		method_len, method, *path ? path : "/", host_len, host);
	if (size < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", key);
	take_payload(spec, FG_PAYLOAD_BYTES, (uint8_t *)text, (size_t)size);
	return 0;
}
