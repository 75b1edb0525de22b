// SPDX-License-Identifier: GPL-2.0-only
#include "facts/stated.h"

#include <string.h>
#include <sys/socket.h>

static bool same_counter(const struct fg_stated_counter *a, const struct fg_stated_counter *b)
{
	return a->map.id == b->map.id && a->offset == b->offset &&
	       !strcmp(a->key.text, b->key.text) && !strcmp(a->member, b->member);
}

static bool has_counter(const struct fg_stated *stated, const struct fg_stated_counter *counter)
{
	for (uint32_t i = 0; i < stated->counter_count; i++)
		if (same_counter(&stated->counters[i], counter))
			return true;
	return false;
}

void fg_stated_repeat(struct fg_stated *stated, const struct fg_stated *again)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < stated->counter_count; i++)
		if (has_counter(again, &stated->counters[i]))
			stated->counters[kept++] = stated->counters[i];
	stated->counter_count = kept;
	stated->repeated = true;
}

struct fg_stated_counter *fg_stated_counter_add(struct fg_stated *stated)
{
	if (stated->counter_count == FG_STATED_COUNTERS_MAX) {
		stated->left_out++;
		return NULL;
	}
	return memset(&stated->counters[stated->counter_count++], 0,
		      sizeof(struct fg_stated_counter));
}

struct fg_stated_event *fg_stated_event_add(struct fg_stated *stated)
{
	if (stated->event_count == FG_STATED_EVENTS_MAX) {
		stated->left_out++;
		return NULL;
	}
	return memset(&stated->events[stated->event_count++], 0, sizeof(struct fg_stated_event));
}

struct fg_stated_entry *fg_stated_entry_add(struct fg_stated *stated)
{
	if (stated->entry_count == FG_STATED_ENTRIES_MAX) {
		stated->left_out++;
		return NULL;
	}
	return memset(&stated->entries[stated->entry_count++], 0, sizeof(struct fg_stated_entry));
}

void fg_stated_skipped_add(struct fg_stated *stated, const struct fg_stated_map *map,
			   const char *why)
{
	if (stated->skipped_count == FG_STATED_SKIPPED_MAX) {
		stated->left_out++;
		return;
	}
	stated->skipped[stated->skipped_count++] =
		(struct fg_stated_skipped){ .map = *map, .why = why };
}

bool fg_stated_field_find(const struct fg_stated_key *key, const char *name, uint64_t *value)
{
	for (uint32_t i = 0; i < key->field_count; i++)
		if (!strcmp(key->fields[i].name, name)) {
			*value = key->fields[i].value;
			return true;
		}
	return false;
}

static bool has_addresses(const struct fg_flow *flow, const void *bytes, size_t len)
{
	size_t size = flow->family == AF_INET6 ? 16 : 4;

	return flow->family && memmem(bytes, len, flow->src.bytes, size) &&
	       memmem(bytes, len, flow->dst.bytes, size);
}

bool fg_stated_packet_within(const struct fg_stated_packet *packet, const void *bytes, size_t len)
{
	return has_addresses(&packet->flow, bytes, len) ||
	       has_addresses(&packet->translated, bytes, len);
}

bool fg_stated_is_empty(const struct fg_stated *stated)
{
	return !stated->who && !stated->counter_count && !stated->event_count &&
	       !stated->entry_count;
}
