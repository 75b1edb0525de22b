// SPDX-License-Identifier: GPL-2.0-only
/*
 * stated/ring.c - what is written to somebody's ring buffer, without taking it out: the pages are
 * mapped for reading only, and the consumer's position is not touched. Records stay where they are
 * until the writer has come round once more (kernel/bpf/ringbuf.c).
 */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "stated/internal.h"

#define RECORDS_MAX 1024 /* looked at for one packet */

struct stated_ring {
	void *pages; /* the producer's page, and the data twice after it */
	size_t length, page;
	const uint8_t *data;
	size_t size;
	unsigned long mark;
};

static unsigned long position(const struct stated_ring *r)
{
	return __atomic_load_n((const unsigned long *)r->pages, __ATOMIC_ACQUIRE);
}

struct stated_ring *fg_stated_ring_open(const struct stated_map *map)
{
	struct stated_ring *r = calloc(1, sizeof(*r));
	/*
	 * A descriptor that is for reading only cannot be mapped shared (mm/mmap.c); the pages are
	 * still read-only.
	 */
	FG_FD int fd = bpf_map_get_fd_by_id(map->name.id);

	if (!r || fd < 0) {
		free(r);
		return NULL;
	}
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->size = map->max_entries;
	r->length = r->page + 2 * r->size;
	r->pages = mmap(NULL, r->length, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	if (r->pages == MAP_FAILED) {
		free(r);
		return NULL;
	}
	r->data = (const uint8_t *)r->pages + r->page;
	fg_stated_ring_mark(r);
	return r;
}

void fg_stated_ring_close(struct stated_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->pages, ring->length);
	free(ring);
}

void fg_stated_ring_mark(struct stated_ring *ring)
{
	ring->mark = position(ring);
}

/* A record's length is in the low bits of its header; the high ones say what state it is in. */
static bool record_at(const struct stated_ring *r, unsigned long at, uint32_t *length, bool *drop)
{
	const uint8_t *header = r->data + (at & (r->size - 1));
	uint32_t word = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);

	if (word & BPF_RINGBUF_BUSY_BIT)
		return false;
	*drop = word & BPF_RINGBUF_DISCARD_BIT;
	*length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	return *length <= r->size - BPF_RINGBUF_HDR_SZ;
}

static void take(const struct stated_ring *r, unsigned long at, uint32_t length,
		 const struct stated_map *map, struct fg_stated_event *out)
{
	*out = (struct fg_stated_event){ .source = FG_STATED_FROM_RING,
					 .map = map->name,
					 .length = length,
					 .captured = length };
	if (out->captured > FG_STATED_EVENT_BYTES)
		out->captured = FG_STATED_EVENT_BYTES;
	memcpy(out->bytes, r->data + (at & (r->size - 1)) + BPF_RINGBUF_HDR_SZ, out->captured);
}

void fg_stated_ring_read(struct stated_ring *ring, const struct stated_map *map,
			 const struct fg_stated_packet *packet, struct fg_stated *out)
{
	unsigned long at = ring->mark, end = position(ring), next;
	struct fg_stated_event record, only, *added;
	uint32_t seen = 0, ours = 0, length;
	bool drop;

	if (end - at > ring->size)
		return;
	for (; at != end && seen < RECORDS_MAX; at = next) {
		if (!record_at(ring, at, &length, &drop))
			return;
		next = at + ((length + BPF_RINGBUF_HDR_SZ + 7UL) & ~7UL);
		if (drop)
			continue;
		take(ring, at, length, map, &record);
		/* What was overwritten meanwhile is not a record. */
		if (position(ring) - at > ring->size)
			return;
		seen++;
		record.ours = fg_stated_packet_within(packet, record.bytes, record.captured);
		only = record;
		if (record.ours && ours++ < FG_STATED_EVENTS_MAX) {
			added = fg_stated_event_add(out);
			if (added)
				*added = record;
		}
	}
	if (seen == 1 && !ours) {
		added = fg_stated_event_add(out);
		if (added)
			*added = only;
	}
}
