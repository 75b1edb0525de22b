/* SPDX-License-Identifier: GPL-2.0-only */
/* stated/internal.h - the parts of a watch. */
#ifndef FG_STATED_INTERNAL_H
#define FG_STATED_INTERNAL_H

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdbool.h>

#include "bpf/stated_event.h"
#include "stated/watch.h"

/* --- set.c: programs, and their maps --- */

#define FG_STATED_PROGRAMS_MAX 512
#define FG_STATED_MAPS_MAX 256
#define FG_STATED_SLOTS_MAX 1024 /* of a program array that are walked */

/* The entries of a map at one moment. */
struct stated_table {
	uint8_t *keys, *values;	     /* owned; stated_table_free() */
	size_t key_room, value_room; /* in bytes: a table may be filled from one map after another
				      */
	uint32_t count;		     /* entries */
};

struct stated_ring; /* ring.c */

struct stated_map {
	struct fg_stated_map name;
	int fd;
	uint32_t type, key_size, value_size, max_entries;
	uint32_t btf_id, btf_key, btf_value; /* 0: none */
	uint32_t stride;  /* bytes of a value here: of all processors where each has its own */
	uint32_t copies;  /* values in it */
	const char *skip; /* why it is not compared; "": silently */
	struct stated_table before;
	uint64_t asked; /* asked.c: the packet's keys that were there before it */
	struct stated_ring *ring;
};

struct stated_btf {
	uint32_t id;
	struct btf *btf; /* NULL: could not be read */
};

struct stated_set {
	uint32_t programs[FG_STATED_PROGRAMS_MAX];
	uint32_t program_count;
	uint32_t entries;	 /* how many of them were given; the others are called */
	struct stated_map *maps; /* owned */
	uint32_t map_count;
	bool cut;		  /* more programs or maps than are looked at */
	bool perf;		  /* a perf event array is among them */
	struct stated_btf *types; /* owned; of maps that moved */
	uint32_t type_count;
};

/* Returns 0, or -1 if memory is short. */
int fg_stated_set_open(struct stated_set *set, const uint32_t *programs, size_t count);
void fg_stated_set_close(struct stated_set *set);

/* The types of a map; NULL: it has none. Borrowed. */
const struct btf *fg_stated_set_types(struct stated_set *set, const struct stated_map *map);

/* The program of the set whose code an address of the kernel is in: its index, or -1. */
int fg_stated_set_locate(const struct stated_set *set, uint64_t address);

/* A program's name, whole if it has BTF. "": it is gone. */
void fg_stated_set_name(uint32_t program, char *name, size_t size);

/* --- snapshot.c --- */

void fg_stated_table_free(struct stated_table *table);

/*
 * Reads all entries. Returns 0; -1 if memory is short; or 1 if the map is better left out:
 * map->skip then says why.
 */
int fg_stated_table_read(struct stated_map *map, struct stated_table *out);

/* Where the entry with that key is; -1: nowhere; -2: memory is short. The index is made when
 * needed. */
struct stated_index {
	uint32_t *slots; /* owned: free() */
	uint32_t mask;
	uint32_t hint; /* where to look first */
};
int64_t fg_stated_table_find(const struct stated_map *map, const struct stated_table *table,
			     struct stated_index *index, const uint8_t *key);

/* --- amount.c: how full a map is --- */

struct stated_amount {
	uint64_t all, ours; /* entries; and those with one of the addresses in their key */
	bool about;	    /* time ran out: both follow from a part of the map */
};

/* Whether entries come and go in it: a hash table that programs may write to. */
bool fg_stated_amount_can(const struct stated_map *map);

/*
 * Counts for at most so much of this thread's processor time. Returns 0, or -1: it cannot be read,
 * or memory is short.
 */
int fg_stated_amount_read(const struct stated_map *map, const struct fg_addr *addrs, size_t count,
			  uint64_t budget_ns, struct stated_amount *out);

/* Adds the map if it gained anything, and is a hash table. */
void fg_stated_tables_add(struct fg_leftover_maps *out, const struct stated_map *map,
			  uint64_t gained, const struct stated_amount *amount);

/* --- layout.c: what is where in a key or a value --- */

enum stated_kind {
	STATED_NUMBER,
	STATED_NETWORK, /* a number in network order */
	STATED_IPV4,
	STATED_ADDRESS, /* 16 bytes: IPv6, or IPv4 in the first four */
	STATED_BYTES,
	STATED_TEXT,
};

#define FG_STATED_LEAVES_MAX 64
struct stated_leaf {
	char name[48];
	uint32_t offset, size; /* in bytes */
	uint8_t shift, bits;   /* of a bit field; bits 0: it is not one */
	bool padding;
	enum stated_kind kind;
	const struct btf_type *names; /* of an enumeration */
};

struct stated_layout {
	const struct btf *btf;
	struct stated_leaf leaves[FG_STATED_LEAVES_MAX];
	uint32_t count;
};

/* By the map's types; if it has none, as numbers of 8 or 4 bytes (a key: one, or bytes). */
void fg_stated_layout_key(struct stated_layout *layout, const struct btf *btf,
			  const struct stated_map *map);
void fg_stated_layout_value(struct stated_layout *layout, const struct btf *btf,
			    const struct stated_map *map);

/* The number that a leaf holds. */
uint64_t fg_stated_layout_number(const struct stated_leaf *leaf, const uint8_t *bytes);

void fg_stated_layout_text(const struct stated_layout *layout, const uint8_t *bytes,
			   struct fg_stated_key *out);

/* --- moved.c --- */

/* Compares, and adds what moved. Returns 0, or -1 if memory is short. */
int fg_stated_moved(struct stated_set *set, const struct stated_map *map,
		    const struct stated_table *after, const struct fg_stated_packet *packet,
		    struct fg_stated *out);

/* --- asked.c: tables of connections that are too big to be read --- */

/* Before: which entries of the packet there are. Nothing for maps that are compared. */
void fg_stated_asked_mark(struct stated_set *set, struct stated_map *map,
			  const struct fg_stated_packet *packet);
/* After: adds those that were not there. */
void fg_stated_asked_read(struct stated_set *set, struct stated_map *map,
			  const struct fg_stated_packet *packet, struct fg_stated *out);

/* --- ring.c --- */

/* NULL: it cannot be mapped. */
struct stated_ring *fg_stated_ring_open(const struct stated_map *map);
void fg_stated_ring_close(struct stated_ring *ring);
void fg_stated_ring_mark(struct stated_ring *ring);
/* Adds the records since the mark that are the packet's, or the only one. */
void fg_stated_ring_read(struct stated_ring *ring, const struct stated_map *map,
			 const struct fg_stated_packet *packet, struct fg_stated *out);

/* --- tracer.c --- */

/* What was seen of the packet: taken out of the tracer's own ring. */
void fg_stated_tracer_read(struct fg_stated_tracer *tracer, const struct stated_set *set,
			   const struct fg_stated_packet *packet, struct fg_stated *out);
/* Forgets what is there. */
void fg_stated_tracer_clear(struct fg_stated_tracer *tracer);

#endif
