// SPDX-License-Identifier: GPL-2.0-only
/* capture/blocks.c - the blocks of pcapng (draft-ietf-opsawg-pcapng), as far as is needed. */
#include <byteswap.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "capture/internal.h"

#define SECTION_HEADER 0x0a0d0d0aU
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define INTERFACE 1
#define PACKET 2 /* obsolete */
#define SIMPLE_PACKET 3
#define ENHANCED_PACKET 6
/* More than libpcap takes. */
#define BLOCK_MAX (32U << 20)
#define SNAP_MAX 262144

struct fg_capture_blocks {
	FILE *stream; /* owned */
	bool plain;   /* the rest goes through as it is */
	bool swapped; /* the section is in the other byte order */
	uint8_t *block;
	size_t room, len, at; /* of the block; what is given out */
	bool has_first;
	uint16_t first_link; /* in the order of this machine */
	uint16_t *links;     /* of the section's interfaces */
	size_t link_count;
	uint16_t *packets; /* link types of packets that are not asked for yet */
	size_t packet_count, packet_at;
};

static uint32_t get32(const struct fg_capture_blocks *b, size_t at)
{
	uint32_t value;

	memcpy(&value, b->block + at, sizeof(value));
	return b->swapped ? bswap_32(value) : value;
}

static void put32(const struct fg_capture_blocks *b, size_t at, uint32_t value)
{
	value = b->swapped ? bswap_32(value) : value;
	memcpy(b->block + at, &value, sizeof(value));
}

static uint16_t get16(const struct fg_capture_blocks *b, size_t at)
{
	uint16_t value;

	memcpy(&value, b->block + at, sizeof(value));
	return b->swapped ? bswap_16(value) : value;
}

static void put16(const struct fg_capture_blocks *b, size_t at, uint16_t value)
{
	value = b->swapped ? bswap_16(value) : value;
	memcpy(b->block + at, &value, sizeof(value));
}

/* Reads on until the block has len bytes; false where the file ends, or memory. */
static bool read_to(struct fg_capture_blocks *b, size_t len)
{
	if (!FG_GROW_TO(b->block, b->room, len, "capture", NULL))
		return false;
	b->len += fread(b->block + b->len, 1, len - b->len, b->stream);
	return b->len == len;
}

/*
 * Made like the first of the file; its link type is kept. A simple packet that the snap length has
 * cut is then too short for libpcap, which says so.
 */
static void take_interface(struct fg_capture_blocks *b)
{
	uint16_t *added = FG_APPEND(b->links, b->link_count, "capture", NULL);

	if (!added)
		return;
	*added = get16(b, 8);
	if (!b->has_first) {
		b->has_first = true;
		b->first_link = *added;
	}
	put16(b, 8, b->first_link);
	put32(b, 12, SNAP_MAX);
}

static void take_packet(struct fg_capture_blocks *b, uint32_t type)
{
	uint32_t interface = type == ENHANCED_PACKET ? get32(b, 8)
			     : type == PACKET	     ? get16(b, 8)
						     : 0;
	uint16_t *added = FG_APPEND(b->packets, b->packet_count, "capture", NULL);

	/* Of one that is not there libpcap tells. */
	if (added)
		*added = interface < b->link_count ? b->links[interface] : b->first_link;
}

static void take_block(struct fg_capture_blocks *b, uint32_t type)
{
	if (type == SECTION_HEADER)
		b->link_count = 0;
	else if (type == INTERFACE && b->len >= 20)
		take_interface(b);
	else if ((type == PACKET || type == SIMPLE_PACKET || type == ENHANCED_PACKET) &&
		 b->len >= 16)
		take_packet(b, type);
}

/* The next block; what cannot be one goes through, and libpcap says what is wrong with it. */
static void read_block(struct fg_capture_blocks *b)
{
	uint32_t type, len;

	b->len = b->at = 0;
	if (!read_to(b, 12))
		return;
	type = get32(b, 0);
	if (type == SECTION_HEADER) {
		b->swapped = false;
		b->swapped = get32(b, 8) == bswap_32(BYTE_ORDER_MAGIC);
	}
	len = get32(b, 4);
	if (len < 12 || len > BLOCK_MAX) {
		b->plain = true;
		return;
	}
	if (read_to(b, len))
		take_block(b, type);
}

static ssize_t read_blocks(void *cookie, char *buf, size_t size)
{
	struct fg_capture_blocks *b = cookie;
	size_t n;

	if (b->at == b->len && b->plain) {
		n = fread(buf, 1, size, b->stream);
		return !n && ferror(b->stream) ? -1 : (ssize_t)n;
	}
	if (b->at == b->len)
		read_block(b);
	n = b->len - b->at < size ? b->len - b->at : size;
	memcpy(buf, b->block + b->at, n);
	b->at += n;
	return !n && ferror(b->stream) ? -1 : (ssize_t)n;
}

static int close_blocks(void *cookie)
{
	struct fg_capture_blocks *b = cookie;
	int ret = fclose(b->stream);

	free(b->block);
	free(b->links);
	free(b->packets);
	free(b);
	return ret;
}

FILE *fg_capture_blocks_open(FILE *stream, struct fg_capture_blocks **out)
{
	const cookie_io_functions_t functions = { .read = read_blocks, .close = close_blocks };
	struct fg_capture_blocks *b = calloc(1, sizeof(*b));
	FILE *wrapped = b ? fopencookie(b, "rb", functions) : NULL;
	int first = wrapped ? getc(stream) : EOF;

	if (!wrapped) {
		free(b);
		return NULL;
	}
	b->stream = stream;
	/* No other capture begins like a section header. */
	b->plain = first != (SECTION_HEADER & 0xff);
	if (first != EOF)
		ungetc(first, stream);
	*out = b;
	return wrapped;
}

int fg_capture_blocks_next_link(struct fg_capture_blocks *blocks)
{
	int link;

	if (blocks->packet_at == blocks->packet_count)
		return -1;
	link = blocks->packets[blocks->packet_at++];
	if (blocks->packet_at == blocks->packet_count)
		blocks->packet_at = blocks->packet_count = 0;
	return link;
}
