// SPDX-License-Identifier: GPL-2.0-only
#include "cni/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/visible.h"

#define PUT(out, literal) fg_buffer_put(out, literal, sizeof(literal) - 1)

/* --- one line for people --- */

struct line {
	char *buf;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->buf + l->used, l->size - l->used, fmt, args);
	va_end(args);
	if (n > 0)
		l->used = l->used + (size_t)n < l->size ? l->used + (size_t)n : l->size - 1;
}

static const char *direction_name(enum fg_stated_direction direction)
{
	return direction == FG_STATED_INGRESS  ? "ingress"
	       : direction == FG_STATED_EGRESS ? "egress"
					       : NULL;
}

static void add_identity(struct line *l, uint32_t identity)
{
	if (identity)
		add(l, "%u", identity);
	else
		add(l, "?");
}

static void add_words(struct line *l, const struct fg_stated *s, bool utf8)
{
	const char *direction = direction_name(s->direction);

	add(l, "%s: %s", s->who, s->reason[0] ? s->reason : s->rule);
	if (s->has_code)
		add(l, " (%u)", s->code);
	if (s->has_identities) {
		add(l, ", identity ");
		add_identity(l, s->source);
		add(l, utf8 ? " \xe2\x86\x92 " : " -> ");
		add_identity(l, s->destination);
	}
	if (s->rule[0] && s->reason[0])
		add(l, ", %s", s->rule);
	if (direction)
		add(l, ", %s", direction);
	if (s->has_endpoint)
		add(l, "%sendpoint %u", direction ? " of " : ", ", s->endpoint);
}

/* A name that speaks of drops says most. */
static bool is_telling(const struct fg_stated_counter *c)
{
	static const char *const words[] = { "drop", "deny", "denied", "reject", "block" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(c->map.name, words[i]) || strcasestr(c->key.text, words[i]) ||
		    strcasestr(c->member, words[i]))
			return true;
	return false;
}

static const struct fg_stated_counter *best_counter(const struct fg_stated *s)
{
	const struct fg_stated_counter *best = NULL;

	for (uint32_t i = 0; i < s->counter_count; i++) {
		const struct fg_stated_counter *c = &s->counters[i];

		if (c->bytes)
			continue;
		if (!best || (is_telling(c) && !is_telling(best)))
			best = c;
	}
	return best;
}

static void add_counter(struct line *l, const struct fg_stated_counter *c)
{
	add(l, "counted in %s{%s}%s%s", c->map.name, c->key.text, c->member[0] ? " " : "",
	    c->member);
}

static void add_event(struct line *l, const struct fg_stated_event *e)
{
	add(l, "an event of %u bytes in %s", e->length, e->map.name);
}

const char *fg_cni_show_text(const struct fg_stated *stated, bool utf8, char *buf, size_t size)
{
	const struct fg_stated_counter *counter = best_counter(stated);
	struct line l = { .buf = buf, .size = size };

	if (!size)
		return buf;
	buf[0] = '\0';
	if (stated->who)
		add_words(&l, stated, utf8);
	else if (counter)
		add_counter(&l, counter);
	else if (stated->event_count)
		add_event(&l, &stated->events[0]);
	if (l.used && stated->callee.name[0])
		add(&l, ", in %s", stated->callee.name);
	if (l.used)
		fg_visible_make(buf);
	return buf;
}

/* --- JSON --- */

static void put_text(struct fg_buffer *out, const char *key, const char *text)
{
	fg_buffer_printf(out, "\"%s\":", key);
	fg_json_put_text(out, text);
}

/* The number, or null. */
static void put_number(struct fg_buffer *out, const char *key, bool there, uint64_t value)
{
	fg_buffer_printf(out, "\"%s\":", key);
	if (there)
		fg_buffer_put_u64(out, value);
	else
		PUT(out, "null");
}

static void put_bool(struct fg_buffer *out, const char *key, bool value)
{
	fg_buffer_printf(out, "\"%s\":%s", key, value ? "true" : "false");
}

static void put_map(struct fg_buffer *out, const struct fg_stated_map *map)
{
	put_text(out, "map", map->name);
	PUT(out, ",");
	put_number(out, "map_id", true, map->id);
}

static void put_words(struct fg_buffer *out, const struct fg_stated *s)
{
	static const char *const says[] = { NULL, "allowed", "denied", "dropped" };

	put_text(out, "who", s->who);
	PUT(out, ",");
	put_text(out, "says", says[s->says]);
	PUT(out, ",");
	put_text(out, "reason", s->reason);
	PUT(out, ",");
	put_number(out, "code", s->has_code, s->code);
	PUT(out, ",");
	put_text(out, "rule", s->rule);
	PUT(out, ",\"identities\":");
	if (s->has_identities) {
		PUT(out, "{");
		put_number(out, "source", s->source, s->source);
		PUT(out, ",");
		put_number(out, "destination", s->destination, s->destination);
		PUT(out, "}");
	} else {
		PUT(out, "null");
	}
	PUT(out, ",");
	put_number(out, "endpoint", s->has_endpoint, s->endpoint);
	PUT(out, ",");
	put_text(out, "direction", direction_name(s->direction));
	PUT(out, ",\"callee\":");
	if (s->callee.id) {
		PUT(out, "{");
		put_number(out, "id", true, s->callee.id);
		PUT(out, ",");
		put_text(out, "name", s->callee.name);
		PUT(out, "}");
	} else {
		PUT(out, "null");
	}
}

static void put_counters(struct fg_buffer *out, const struct fg_stated *s)
{
	PUT(out, ",\"counters\":[");
	for (uint32_t i = 0; i < s->counter_count; i++) {
		const struct fg_stated_counter *c = &s->counters[i];

		fg_buffer_puts(out, i ? ",{" : "{");
		put_map(out, &c->map);
		PUT(out, ",");
		put_text(out, "key", c->key.text);
		PUT(out, ",");
		put_text(out, "member", c->member);
		fg_buffer_printf(out, ",\"unit\":\"%s\",", c->bytes ? "bytes" : "packets");
		put_number(out, "before", true, c->before);
		PUT(out, ",");
		put_number(out, "after", true, c->after);
		PUT(out, "}");
	}
	PUT(out, "]");
}

static void put_hex(struct fg_buffer *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fg_buffer_printf(out, "%02x", bytes[i]);
}

static void put_events(struct fg_buffer *out, const struct fg_stated *s)
{
	PUT(out, ",\"events\":[");
	for (uint32_t i = 0; i < s->event_count; i++) {
		const struct fg_stated_event *e = &s->events[i];

		fg_buffer_puts(out, i ? ",{" : "{");
		put_map(out, &e->map);
		fg_buffer_printf(out, ",\"from\":\"%s\",",
				 e->source == FG_STATED_FROM_RING ? "ring" : "perf");
		put_bool(out, "ours", e->ours);
		PUT(out, ",");
		put_bool(out, "known", e->known);
		PUT(out, ",");
		put_number(out, "length", true, e->length);
		PUT(out, ",\"bytes\":\"");
		put_hex(out, e->bytes, e->captured);
		PUT(out, "\"}");
	}
	PUT(out, "]");
}

static void put_entries(struct fg_buffer *out, const struct fg_stated *s)
{
	PUT(out, ",\"state\":[");
	for (uint32_t i = 0; i < s->entry_count; i++) {
		fg_buffer_puts(out, i ? ",{" : "{");
		put_map(out, &s->entries[i].map);
		PUT(out, ",");
		put_text(out, "key", s->entries[i].key.text);
		PUT(out, "}");
	}
	PUT(out, "]");
}

static void put_skipped(struct fg_buffer *out, const struct fg_stated *s)
{
	PUT(out, ",\"skipped\":[");
	for (uint32_t i = 0; i < s->skipped_count; i++) {
		fg_buffer_puts(out, i ? ",{" : "{");
		put_map(out, &s->skipped[i].map);
		PUT(out, ",");
		put_text(out, "why", s->skipped[i].why);
		PUT(out, "}");
	}
	PUT(out, "]");
}

void fg_cni_show_json(struct fg_buffer *out, const struct fg_stated *stated)
{
	PUT(out, "{");
	put_words(out, stated);
	put_counters(out, stated);
	put_events(out, stated);
	put_entries(out, stated);
	put_skipped(out, stated);
	PUT(out, ",");
	put_number(out, "maps", true, stated->maps);
	PUT(out, ",");
	put_number(out, "others", true, stated->others);
	PUT(out, ",");
	put_number(out, "left_out", true, stated->left_out);
	PUT(out, ",");
	put_bool(out, "traced", stated->traced);
	PUT(out, ",");
	put_bool(out, "repeated", stated->repeated);
	PUT(out, "}");
}
