/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts/stated.h - what the policy itself says of one packet: the counters that the packet moved in
 * the maps of the programs it met, the events that they wrote, and, where somebody's formats are
 * known (cni/cni.h), what these mean. It is reported beside the verdict, which never depends on it.
 * Pure.
 */
#ifndef FG_PROBE_STATED_H
#define FG_PROBE_STATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "header/dissect.h"
#include "probe/leftovers.h"

#define FG_STATED_NAME_LEN 64
#define FG_STATED_MAP_LEN 16 /* the kernel keeps 15 characters of a map's name */
#define FG_STATED_TEXT_LEN 160
#define FG_STATED_FIELDS_MAX 10
#define FG_STATED_COUNTERS_MAX 24
#define FG_STATED_EVENTS_MAX 4
#define FG_STATED_EVENT_BYTES 256
#define FG_STATED_ENTRIES_MAX 8
#define FG_STATED_SKIPPED_MAX 16

/* The packet that it is about. */
struct fg_stated_packet {
	struct fg_flow flow;	   /* as it was sent */
	struct fg_flow translated; /* as it was seen last; family 0: the same */
	uint32_t length;	   /* from its IP header on */
	uint32_t probe;		   /* its number in its window */
	uint32_t generation;	   /* of that window */
};

struct fg_stated_map {
	uint32_t id;
	char name[FG_STATED_MAP_LEN];
};

/* A number in a key: for those who know what it means. */
struct fg_stated_field {
	char name[24]; /* "": the map has no BTF, and the key is this one number */
	uint64_t value;
};

struct fg_stated_key {
	char text[FG_STATED_TEXT_LEN]; /* "reason 133, dir 1"; hexadecimal if there is no BTF */
	struct fg_stated_field fields[FG_STATED_FIELDS_MAX];
	uint32_t field_count;
};

/* A number in a map that moved by one packet: by 1, or by the packet's length. */
struct fg_stated_counter {
	struct fg_stated_map map;
	struct fg_stated_key key;
	char member[48]; /* of the value; "": the value is one number; "+8": no BTF, at byte 8 */
	uint32_t offset; /* of it in the value, in bytes */
	bool bytes;	 /* it moved by the packet's length */
	uint64_t before, after; /* over all processors */
};

enum fg_stated_source { FG_STATED_FROM_PERF, FG_STATED_FROM_RING };

/* A record that a program wrote while the packet was in flight. */
struct fg_stated_event {
	enum fg_stated_source source;
	struct fg_stated_map map;
	bool ours;	   /* written while it held our packet, or has the packet's addresses */
	bool known;	   /* its format is: what it says is in the words of struct fg_stated */
	uint32_t length;   /* as it was written */
	uint32_t captured; /* how many of the bytes are filled */
	uint8_t bytes[FG_STATED_EVENT_BYTES];
};

/* An entry that was not there before the packet: a connection, most often. */
struct fg_stated_entry {
	struct fg_stated_map map;
	struct fg_stated_key key;
};

/* A map that was not compared. */
struct fg_stated_skipped {
	struct fg_stated_map map;
	const char *why; /* static text */
};

enum fg_stated_says {
	FG_STATED_NOTHING,
	FG_STATED_ALLOWED,
	FG_STATED_DENIED,  /* by a policy */
	FG_STATED_DROPPED, /* for another reason */
};

enum fg_stated_direction { FG_STATED_NOWHERE, FG_STATED_INGRESS, FG_STATED_EGRESS };

struct fg_stated {
	/* The words, by fg_cni_read(). */
	const char *who; /* static text: "Cilium"; NULL: unknown formats */
	enum fg_stated_says says;
	char reason[FG_STATED_NAME_LEN]; /* "policy denied"; "": none */
	bool has_code;
	uint32_t code; /* the reason's number */
	char rule[FG_STATED_TEXT_LEN];
	bool has_identities;
	uint32_t source, destination; /* identities; 0: not known */
	bool has_endpoint;
	uint32_t endpoint;
	enum fg_stated_direction direction;

	/* What they rest on. */
	struct {
		uint32_t id; /* 0: not known */
		char name[FG_STATED_NAME_LEN];
	} callee; /* the program that wrote the event, where it was reached by a tail call */
	struct fg_stated_counter counters[FG_STATED_COUNTERS_MAX];
	uint32_t counter_count;
	struct fg_stated_event events[FG_STATED_EVENTS_MAX];
	uint32_t event_count;
	struct fg_stated_entry entries[FG_STATED_ENTRIES_MAX]; /* state that it left */
	uint32_t entry_count;
	struct fg_leftover_maps tables; /* those that gained entries */
	struct fg_stated_skipped skipped[FG_STATED_SKIPPED_MAX];
	uint32_t skipped_count;
	uint32_t left_out; /* counters, events, entries and maps that found no room here */
	uint32_t maps;	   /* that were compared */
	uint32_t others;   /* counters that moved by more than one packet: other traffic */
	bool traced;	   /* events of perf arrays were looked for: this kernel allows it */
	bool repeated;	   /* fg_stated_repeat() */
};

/*
 * Keeps only those counters of `stated` that a second packet like the first one moved too: what
 * other traffic moved, or what is not a counter at all, is gone then. Entries and events stay:
 * those of a second packet need not come again. Call fg_cni_read() afterwards.
 */
void fg_stated_repeat(struct fg_stated *stated, const struct fg_stated *again);

/* Room for one more, counted if there is none: NULL then. */
struct fg_stated_counter *fg_stated_counter_add(struct fg_stated *stated);
struct fg_stated_event *fg_stated_event_add(struct fg_stated *stated);
struct fg_stated_entry *fg_stated_entry_add(struct fg_stated *stated);
void fg_stated_skipped_add(struct fg_stated *stated, const struct fg_stated_map *map,
			   const char *why);

/* The number of that name in a key. Returns false if there is none. */
bool fg_stated_field_find(const struct fg_stated_key *key, const char *name, uint64_t *value);

/*
 * Whether bytes hold the addresses of the packet, in network order as they are in every header:
 * source and destination, as sent or as translated.
 */
bool fg_stated_packet_within(const struct fg_stated_packet *packet, const void *bytes, size_t len);

/* Whether there is anything to say: a word, a counter, an event, an entry. */
bool fg_stated_is_empty(const struct fg_stated *stated);

#endif
