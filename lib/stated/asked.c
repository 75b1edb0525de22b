// SPDX-License-Identifier: GPL-2.0-only
/*
 * stated/asked.c - tables that are too big to be read, but are keyed by a packet's addresses and
 * ports: they are asked for the packet's own entry, under each key that it may have there. Which
 * end comes first, in which byte order a port is, and what a field of flags says differs; so there
 * are some keys to try.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stated/internal.h"

enum role {
	ROLE_NONE,
	ROLE_SOURCE,
	ROLE_DESTINATION,
	ROLE_OWNER, /* one of the two */
	ROLE_SPORT,
	ROLE_DPORT,
	ROLE_PROTOCOL,
	ROLE_FLAGS,
};

/* A choice: bits that say how a key is made. */
#define SWAP_ADDRESSES (1U << 0)
#define SWAP_PORTS (1U << 1)
#define SWAP_BYTES (1U << 2) /* of ports that are not said to be in network order */
#define OTHER_OWNER (1U << 3)
#define FLAGS_SHIFT 4 /* two bits */
#define CHOICES 64

/* Of processor time, to see how full a table is. */
#define ASKED_NS 5000000ULL

static bool names_source(const char *name)
{
	return strstr(name, "src") || strstr(name, "source") || !strncmp(name, "s", 1);
}

static bool names_destination(const char *name)
{
	return strstr(name, "dst") || strstr(name, "dest") || !strncmp(name, "d", 1);
}

static enum role role_of(const struct stated_leaf *leaf)
{
	const char *name = strrchr(leaf->name, '.');

	name = name ? name + 1 : leaf->name;
	if (leaf->bits || leaf->padding)
		return ROLE_NONE;
	if (strstr(name, "port") && (leaf->size == 2 || leaf->size == 4))
		return names_source(name)	 ? ROLE_SPORT
		       : names_destination(name) ? ROLE_DPORT
						 : ROLE_NONE;
	if (leaf->size == 4 || leaf->size == 16) {
		if (!strstr(name, "addr") && !strstr(name, "ip"))
			return ROLE_NONE;
		return names_source(name)	 ? ROLE_SOURCE
		       : names_destination(name) ? ROLE_DESTINATION
						 : ROLE_OWNER;
	}
	if (strstr(name, "proto") || strstr(name, "nexthdr"))
		return ROLE_PROTOCOL;
	return leaf->size == 1 && (strstr(name, "flags") || strstr(name, "dir")) ? ROLE_FLAGS
										 : ROLE_NONE;
}

/* Which choices a key knows; 0: it is not made of a packet's ends. */
static uint32_t choices_of(const struct stated_layout *l, const struct fg_flow *flow)
{
	uint32_t size = flow->family == AF_INET6 ? 16 : 4, found = 0, choices = SWAP_ADDRESSES;

	for (uint32_t i = 0; i < l->count; i++) {
		const struct stated_leaf *leaf = &l->leaves[i];
		enum role role = role_of(leaf);

		found |= 1U << role;
		if (role >= ROLE_SOURCE && role <= ROLE_OWNER && leaf->size != size)
			return 0;
		if (role == ROLE_OWNER)
			choices |= OTHER_OWNER;
		if (role == ROLE_SPORT)
			choices |= SWAP_PORTS | (leaf->kind == STATED_NETWORK ? 0 : SWAP_BYTES);
		if (role == ROLE_FLAGS)
			choices |= 3U << FLAGS_SHIFT;
	}
	return (found & 1U << ROLE_SOURCE) && (found & 1U << ROLE_DESTINATION) ? choices : 0;
}

static void put_port(uint8_t *at, const struct stated_leaf *leaf, uint16_t port, uint32_t choice)
{
	bool network = leaf->kind == STATED_NETWORK || choice & SWAP_BYTES;
	uint16_t narrow = network ? htons(port) : port;
	uint32_t wide = network ? htonl(port) : port;

	if (leaf->size == 2)
		memcpy(at, &narrow, sizeof(narrow));
	else
		memcpy(at, &wide, sizeof(wide));
}

static void make_key(const struct stated_layout *l, const struct fg_flow *flow, uint32_t choice,
		     uint8_t *key)
{
	bool swap = choice & SWAP_ADDRESSES, ports = choice & SWAP_PORTS;
	const uint8_t *first = swap ? flow->dst.bytes : flow->src.bytes;
	const uint8_t *second = swap ? flow->src.bytes : flow->dst.bytes;
	const uint8_t *owner = choice & OTHER_OWNER ? flow->dst.bytes : flow->src.bytes;

	for (uint32_t i = 0; i < l->count; i++) {
		const struct stated_leaf *leaf = &l->leaves[i];
		enum role role = role_of(leaf);
		uint8_t *at = key + leaf->offset;

		if (role == ROLE_SOURCE || role == ROLE_DESTINATION || role == ROLE_OWNER)
			memcpy(at,
			       role == ROLE_SOURCE	  ? first
			       : role == ROLE_DESTINATION ? second
							  : owner,
			       leaf->size);
		else if (role == ROLE_SPORT || role == ROLE_DPORT)
			put_port(at, leaf,
				 (role == ROLE_SPORT) == !ports ? flow->sport : flow->dport,
				 choice);
		else if (role == ROLE_PROTOCOL)
			*at = flow->protocol;
		else if (role == ROLE_FLAGS)
			*at = (uint8_t)(choice >> FLAGS_SHIFT);
	}
}

static bool may_be_asked(const struct stated_map *map)
{
	return map->skip && map->skip[0] &&
	       (map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_LRU_HASH);
}

/* The keys that have an entry now, one bit for each choice; those in `unless` are not told. */
static uint64_t ask(struct stated_set *set, struct stated_map *map, const struct fg_flow *flow,
		    uint64_t unless, struct fg_stated *out)
{
	struct stated_layout *l = calloc(1, sizeof(*l));
	uint8_t *key = calloc(1, map->key_size), *value = calloc(1, map->stride);
	const struct btf *btf = fg_stated_set_types(set, map);
	uint64_t there = 0;
	uint32_t choices;

	if (!l || !key || !value || !btf)
		goto done;
	fg_stated_layout_key(l, btf, map);
	choices = choices_of(l, flow);
	for (uint32_t c = 0; choices && c < CHOICES; c++) {
		struct fg_stated_entry *entry;

		if (c & ~choices)
			continue;
		make_key(l, flow, c, key);
		if (bpf_map_lookup_elem(map->fd, key, value))
			continue;
		there |= 1ULL << c;
		if (!out || unless & 1ULL << c)
			continue;
		entry = fg_stated_entry_add(out);
		if (!entry)
			break;
		entry->map = map->name;
		fg_stated_layout_text(l, key, &entry->key);
	}
done:
	free(value);
	free(key);
	free(l);
	return there;
}

void fg_stated_asked_mark(struct stated_set *set, struct stated_map *map,
			  const struct fg_stated_packet *packet)
{
	if (may_be_asked(map) && packet->flow.family)
		map->asked = ask(set, map, &packet->flow, 0, NULL);
}

void fg_stated_asked_read(struct stated_set *set, struct stated_map *map,
			  const struct fg_stated_packet *packet, struct fg_stated *out)
{
	struct stated_amount amount;
	uint64_t new;

	if (!may_be_asked(map) || !packet->flow.family)
		return;
	new = ask(set, map, &packet->flow, map->asked, out) & ~map->asked;
	if (new && !fg_stated_amount_read(map, NULL, 0, ASKED_NS, &amount))
		fg_stated_tables_add(&out->tables, map, (uint64_t)__builtin_popcountll(new),
				     &amount);
}
