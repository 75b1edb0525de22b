// SPDX-License-Identifier: GPL-2.0-only
/* packet/sctp.c - SCTP (RFC 9260): the common header and one chunk. */
#include "header/checksum.h"
#include "packet/internal.h"

/* Parameters (RFC 9260 section 3.3.2.1, RFC 3758 section 3.1, RFC 5061 section 4.2.7). */
enum {
	PARAMETER_HEARTBEAT_INFO = 1,
	PARAMETER_STATE_COOKIE = 7,
	PARAMETER_ADDRESS_TYPES = 12,
	PARAMETER_ECN = 0x8000,
	PARAMETER_EXTENSIONS = 0x8008,
	PARAMETER_FORWARD_TSN = 0xc000,
};

#define SCTP_HEADER_LEN 12
#define CHUNK_HEADER_LEN 4

static const struct fg_name chunk_names[] = {
	{ "data", FG_SCTP_DATA },
	{ "init", FG_SCTP_INIT },
	{ "init-ack", FG_SCTP_INIT_ACK },
	{ "sack", FG_SCTP_SACK },
	{ "heartbeat", FG_SCTP_HEARTBEAT },
	{ "heartbeat-ack", FG_SCTP_HEARTBEAT_ACK },
	{ "abort", FG_SCTP_ABORT },
	{ "shutdown", FG_SCTP_SHUTDOWN },
	{ "shutdown-ack", 8 },
	{ "error", 9 },
	{ "cookie-echo", FG_SCTP_COOKIE_ECHO },
	{ "cookie-ack", 11 },
	{ "ecne", 12 },
	{ "cwr", 13 },
	{ "shutdown-complete", 14 },
	{ "auth", 15 },
	{ "i-data", 64 },
	{ "asconf-ack", 128 },
	{ "re-config", 130 },
	{ "pad", 132 },
	{ "forward-tsn", 192 },
	{ "asconf", 193 },
	{ NULL, 0 },
};

/*
 * Writes a parameter whose value is len bytes, padded to 4; the value may be elsewhere (NULL: the
 * payload follows).
 */
static uint8_t *write_parameter(uint8_t *p, uint16_t type, const void *value, size_t len)
{
	fg_field_set(FG_SCTP_PARAMETER_TYPE, p, type);
	fg_field_set(FG_SCTP_PARAMETER_LENGTH, p, 4 + len);
	p += 4;
	if (!value)
		return p;
	memset(p, 0, (len + 3) & ~(size_t)3);
	memcpy(p, value, len);
	return p + ((len + 3) & ~(size_t)3);
}

static uint8_t *write_init_header(struct fg_build *b, uint8_t *p)
{
	uint32_t tag = fg_random32(b, 1);

	memset(p, 0, 16);
	fg_put(b, FG_SCTP_INIT_TAG, p, tag ? tag : 1); /* 0 is forbidden */
	fg_put(b, FG_SCTP_INIT_WINDOW, p, 106496);
	fg_put(b, FG_SCTP_INIT_OUT_STREAMS, p, 10);
	fg_put(b, FG_SCTP_INIT_IN_STREAMS, p, 65535);
	fg_put(b, FG_SCTP_INIT_TSN, p, fg_random32(b, 2));
	return p + 16;
}

/* The parameters of a Linux client with its default settings, in the order of sctp_make_init(). */
static uint8_t *write_init(struct fg_build *b, uint8_t *p)
{
	static const uint8_t v4[] = { 0, 5 }, v6[] = { 0, 6, 0, 5 };
	static const uint8_t extensions[] = { 192 /* FORWARD TSN */ };

	p = write_init_header(b, p);
	if (b->family == AF_INET)
		p = write_parameter(p, PARAMETER_ADDRESS_TYPES, v4, sizeof(v4));
	else
		p = write_parameter(p, PARAMETER_ADDRESS_TYPES, v6, sizeof(v6));
	p = write_parameter(p, PARAMETER_ECN, v4, 0);
	p = write_parameter(p, PARAMETER_EXTENSIONS, extensions, sizeof(extensions));
	return write_parameter(p, PARAMETER_FORWARD_TSN, v4, 0);
}

static uint8_t *write_data(struct fg_build *b, uint8_t *p)
{
	memset(p, 0, 12);
	fg_put(b, FG_SCTP_DATA_TSN, p, fg_random32(b, 2));
	fg_put(b, FG_SCTP_DATA_STREAM, p, 0);
	fg_put(b, FG_SCTP_DATA_SEQ, p, 0);
	fg_put(b, FG_SCTP_DATA_PPID, p, 0);
	return p + 12;
}

static uint8_t *write_sack(struct fg_build *b, uint8_t *p)
{
	memset(p, 0, 12);
	fg_put(b, FG_SCTP_SACK_TSN, p, fg_random32(b, 2));
	fg_put(b, FG_SCTP_SACK_WINDOW, p, 106496);
	fg_put(b, FG_SCTP_SACK_GAPS, p, 0);
	fg_put(b, FG_SCTP_SACK_DUPLICATES, p, 0);
	return p + 12;
}

/*
 * What comes between the chunk header and the payload. A state cookie and a heartbeat's
 * information are the payload.
 */
static uint8_t *write_body(struct fg_build *b, uint8_t type, uint8_t *p)
{
	switch (type) {
	case FG_SCTP_DATA:
		return write_data(b, p);
	case FG_SCTP_INIT:
		return write_init(b, p);
	case FG_SCTP_INIT_ACK:
		p = write_init_header(b, p);
		return write_parameter(p, PARAMETER_STATE_COOKIE, NULL, b->payload_len);
	case FG_SCTP_SACK:
		return write_sack(b, p);
	case FG_SCTP_HEARTBEAT:
	case FG_SCTP_HEARTBEAT_ACK:
		return write_parameter(p, PARAMETER_HEARTBEAT_INFO, NULL, b->payload_len);
	case FG_SCTP_SHUTDOWN:
		fg_put(b, FG_SCTP_SHUTDOWN_TSN, p, fg_random32(b, 2));
		return p + 4;
	default:
		return p;
	}
}

static void write_sctp(struct fg_build *b)
{
	uint8_t type = fg_sctp_chunk_type(b->spec), *h = b->transport, *chunk = h + SCTP_HEADER_LEN;

	memset(h, 0, SCTP_HEADER_LEN + CHUNK_HEADER_LEN);
	fg_put(b, FG_SCTP_SPORT, h, b->vary->sport);
	fg_put(b, FG_SCTP_DPORT, h, b->vary->dport);
	/* RFC 9260 section 8.5.1: only an INIT has no tag. */
	fg_put(b, FG_SCTP_TAG, h, type == FG_SCTP_INIT ? 0 : fg_random32(b, 0));
	fg_put(b, FG_SCTP_CHUNK_TYPE, chunk, type);
	/* A DATA chunk alone is a whole message: its beginning and its end. */
	fg_put(b, FG_SCTP_CHUNK_FLAGS, chunk, type == FG_SCTP_DATA ? 3 : 0);
	b->transport_len = (size_t)(write_body(b, type, chunk + CHUNK_HEADER_LEN) - h);
	b->padding = (4 - b->payload_len % 4) % 4;
}

static void finish_sctp(struct fg_build *b)
{
	uint8_t *h = b->transport;
	uint32_t crc;

	fg_put(b, FG_SCTP_CHUNK_LENGTH, h + SCTP_HEADER_LEN,
	       b->transport_len - SCTP_HEADER_LEN + b->payload_len);
	fg_field_set(FG_SCTP_CHECKSUM, h, 0);
	/* The CRC's bytes are sent least significant first, unlike everything else. */
	crc = __builtin_bswap32(fg_checksum_crc32c(h, fg_build_data_len(b)));
	fg_put(b, FG_SCTP_CHECKSUM, h, b->spec->bad_checksum ? crc ^ 1 : crc);
}

const struct fg_transport fg_sctp = { write_sctp, finish_sctp };

int fg_sctp_set_chunk(struct fg_packet_spec *spec, const char *key, const char *value,
		      struct fg_error *err)
{
	uint32_t type;

	if (fg_set_parse_name(key, value, chunk_names, 255, &type, err) < 0)
		return -1;
	fg_override(spec, FG_SCTP_CHUNK_TYPE, type);
	return 0;
}
