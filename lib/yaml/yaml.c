// SPDX-License-Identifier: GPL-2.0-only
#include "yaml/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "yaml/internal.h"

struct reader {
	struct fg_yaml *yaml;
	struct fg_yaml_events events;
	json_t *anchors; /* name -> node */
	struct fg_error *err;
};

/* --- the places: a hash table with open addressing --- */

static size_t slot_of(const struct fg_yaml *yaml, const json_t *node)
{
	/* Fibonacci hashing: the low bits of a pointer are always zero. */
	size_t i = (size_t)(((uint64_t)(uintptr_t)node * 0x9e3779b97f4a7c15ULL) >> 20);

	i &= yaml->place_room - 1;
	while (yaml->places[i].node && yaml->places[i].node != node)
		i = (i + 1) & (yaml->place_room - 1);
	return i;
}

static int places_grow(struct fg_yaml *yaml)
{
	struct fg_yaml old = *yaml;

	yaml->place_room = old.place_room ? old.place_room * 2 : 256;
	yaml->places = calloc(yaml->place_room, sizeof(*yaml->places));
	if (!yaml->places) {
		*yaml = old;
		return -1;
	}
	for (size_t i = 0; i < old.place_room; i++)
		if (old.places[i].node)
			yaml->places[slot_of(yaml, old.places[i].node)] = old.places[i];
	free(old.places);
	return 0;
}

const struct fg_yaml_place *fg_yaml_place(const struct fg_yaml *yaml, const json_t *node)
{
	static const struct fg_yaml_place nowhere = { .line = 1, .column = 1 };
	const struct fg_yaml_place *place;

	if (!yaml->place_room)
		return &nowhere;
	place = &yaml->places[slot_of(yaml, node)];
	return place->node ? place : &nowhere;
}

static struct fg_yaml_place *place_mutable(struct fg_yaml *yaml, const json_t *node)
{
	return &yaml->places[slot_of(yaml, node)];
}

/* --- errors --- */

static int fail_at(struct reader *r, const yaml_mark_t *mark, const char *why, const char *what)
{
	return fg_fail(r->err, FG_ERR_USAGE, "%s:%zu:%zu: %s%.60s", r->yaml->file, mark->line + 1,
		       mark->column + 1, why, what);
}

static int fail_memory(struct reader *r)
{
	return fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->yaml->file);
}

/* Takes the next event. The caller deletes it. */
static int next_event(struct reader *r, yaml_event_t *event)
{
	return fg_yaml_events_next(&r->events, r->yaml->file, event, r->err);
}

/* --- nodes --- */

static json_t *read_node(struct reader *r, yaml_event_t *event, unsigned int depth);

/* Notes where a new node stands. Takes the node over; returns it, or NULL. */
static json_t *note(struct reader *r, json_t *node, const yaml_mark_t *mark)
{
	struct fg_yaml *y = r->yaml;
	struct fg_yaml_place *place;

	if (!node || (y->place_count * 2 >= y->place_room && places_grow(y))) {
		json_decref(node);
		fail_memory(r);
		return NULL;
	}
	place = place_mutable(y, node);
	*place = (struct fg_yaml_place){ .node = node,
					 .line = (uint32_t)mark->line + 1,
					 .column = (uint32_t)mark->column + 1,
					 .size = 1 };
	y->place_count++;
	return node;
}

static bool is_null_word(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || !strcmp(text, "~") || !strcmp(text, "null"));
}

static json_t *read_scalar(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	json_t *node;

	if (memchr(text, 0, len)) {
		fail_at(r, &event->start_mark, "a NUL character", "");
		return NULL;
	}
	node = json_stringn(text, len);
	if (!node) {
		fail_at(r, &event->start_mark, "not UTF-8", "");
		return NULL;
	}
	node = note(r, node, &event->start_mark);
	if (node)
		place_mutable(r->yaml, node)->null = is_null_word(event);
	return node;
}

/* Counts a child into its parent. */
static int add_size(struct reader *r, const json_t *parent, const json_t *child,
		    const yaml_mark_t *mark)
{
	struct fg_yaml_place *place = place_mutable(r->yaml, parent);

	place->size += place_mutable(r->yaml, child)->size;
	if (place->size <= FG_YAML_NODES_MAX)
		return 0;
	return fail_at(r, mark, "more than 1048576 values, with all aliases followed", "");
}

static json_t *read_alias(struct reader *r, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	json_t *node = json_object_get(r->anchors, name);

	if (node)
		return json_incref(node);
	fail_at(r, &event->start_mark, "no anchor before this has the name ", name);
	return NULL;
}

static int remember_anchor(struct reader *r, const yaml_char_t *anchor, json_t *node)
{
	if (!anchor || !json_object_set(r->anchors, (const char *)anchor, node))
		return 0;
	return fail_memory(r);
}

static int read_items(struct reader *r, json_t *list, unsigned int depth)
{
	for (;;) {
		yaml_event_t event;
		json_t *item;
		int ret;

		if (next_event(r, &event))
			return -1;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		item = read_node(r, &event, depth + 1);
		ret = item ? add_size(r, list, item, &event.start_mark) : -1;
		yaml_event_delete(&event);
		if (ret) {
			json_decref(item);
			return -1;
		}
		if (json_array_append_new(list, item))
			return fail_memory(r);
	}
}

/* "<<": what the mapping (or each of a list of them) has and this one does not. */
static int merge(struct reader *r, json_t *object, const json_t *from, const yaml_mark_t *mark)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(from)) {
		json_array_foreach ((json_t *)from, i, value)
			if (!json_is_object(value) || merge(r, object, value, mark))
				return fail_at(r, mark, "<<: takes mappings only", "");
		return 0;
	}
	if (!json_is_object(from))
		return fail_at(r, mark, "<<: takes mappings only", "");
	json_object_foreach ((json_t *)from, key, value)
		if (!json_object_get(object, key) && json_object_set(object, key, value))
			return fail_memory(r);
	return 0;
}

static int check_key(struct reader *r, const json_t *object, const yaml_event_t *event)
{
	const char *text;

	if (event->type != YAML_SCALAR_EVENT)
		return fail_at(r, &event->start_mark, "a key must be a single word or text", "");
	text = (const char *)event->data.scalar.value;
	if (memchr(text, 0, event->data.scalar.length))
		return fail_at(r, &event->start_mark, "a NUL character", "");
	if (json_object_get(object, text))
		return fail_at(r, &event->start_mark, "duplicate key: ", text);
	return 0;
}

/* One key, which is in *key_event, and its value. */
static int read_pair(struct reader *r, json_t *object, const yaml_event_t *key_event,
		     json_t **merged, unsigned int depth)
{
	const char *key = (const char *)key_event->data.scalar.value;
	yaml_event_t event;
	json_t *value;
	int ret = 0;

	if (next_event(r, &event))
		return -1;
	value = read_node(r, &event, depth + 1);
	if (!value || add_size(r, object, value, &event.start_mark))
		ret = -1;
	/* An alias keeps the place of its anchor. */
	if (!ret && event.type != YAML_ALIAS_EVENT) {
		struct fg_yaml_place *place = place_mutable(r->yaml, value);

		place->key_line = (uint32_t)key_event->start_mark.line + 1;
		place->key_column = (uint32_t)key_event->start_mark.column + 1;
	}
	yaml_event_delete(&event);
	if (ret) {
		json_decref(value);
		return -1;
	}
	if (!strcmp(key, "<<") && key_event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		json_decref(*merged);
		*merged = value;
		return 0;
	}
	return json_object_set_new(object, key, value)
		       ? fail_at(r, &key_event->start_mark, "a key that is not UTF-8", "")
		       : 0;
}

static int read_pairs(struct reader *r, json_t *object, unsigned int depth)
{
	yaml_mark_t start = {};
	json_t *merged = NULL;
	int ret = 0;

	for (;;) {
		yaml_event_t event;
		bool end;

		ret = next_event(r, &event);
		if (ret)
			break;
		end = event.type == YAML_MAPPING_END_EVENT;
		start = event.start_mark;
		if (!end)
			ret = check_key(r, object, &event) ||
			      read_pair(r, object, &event, &merged, depth);
		yaml_event_delete(&event);
		if (end || ret)
			break;
	}
	if (!ret && merged)
		ret = merge(r, object, merged, &start);
	json_decref(merged);
	return ret ? -1 : 0;
}

static json_t *read_container(struct reader *r, const yaml_event_t *event, unsigned int depth)
{
	bool list = event->type == YAML_SEQUENCE_START_EVENT;
	json_t *node = note(r, list ? json_array() : json_object(), &event->start_mark);

	if (!node)
		return NULL;
	if (list ? read_items(r, node, depth) : read_pairs(r, node, depth)) {
		json_decref(node);
		return NULL;
	}
	return node;
}

/* The node that begins with this event. Returns a new reference, or NULL. */
static json_t *read_node(struct reader *r, yaml_event_t *event, unsigned int depth)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	json_t *node = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(r, event);
	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (tag)
		fail_at(r, &event->start_mark, "tags are not supported: ", (const char *)tag);
	else if (depth > FG_YAML_DEPTH_MAX)
		fail_at(r, &event->start_mark, "nested deeper than 32 levels", "");
	else if (event->type == YAML_SCALAR_EVENT)
		node = read_scalar(r, event);
	else
		node = read_container(r, event, depth);
	if (node && remember_anchor(r, anchor, node)) {
		json_decref(node);
		return NULL;
	}
	return node;
}

/* --- the document --- */

static json_t *empty_document(struct reader *r)
{
	const yaml_mark_t start = {};
	json_t *node = note(r, json_string(""), &start);

	if (node)
		place_mutable(r->yaml, node)->null = true;
	return node;
}

static int read_stream(struct reader *r)
{
	for (;;) {
		yaml_event_t event;
		bool end;
		int ret = 0;

		if (next_event(r, &event))
			return -1;
		end = event.type == YAML_STREAM_END_EVENT;
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_STREAM_END_EVENT:
		case YAML_NO_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (r->yaml->root)
				ret = fail_at(r, &event.start_mark, "a second document", "");
			break;
		default:
			r->yaml->root = read_node(r, &event, 1);
			ret = r->yaml->root ? 0 : -1;
		}
		yaml_event_delete(&event);
		if (ret)
			return -1;
		if (end)
			break;
	}
	if (!r->yaml->root)
		r->yaml->root = empty_document(r);
	return r->yaml->root ? 0 : -1;
}

int fg_yaml_build(struct fg_yaml *yaml, const char *file, const void *events, size_t size,
		  struct fg_error *err)
{
	struct reader r = { .yaml = yaml, .events = { events, size }, .err = err };
	int ret;

	*yaml = (struct fg_yaml){ .file = strdup(file) };
	if (!yaml->file)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", file);
	r.anchors = json_object();
	if (!r.anchors)
		return fail_memory(&r);
	ret = read_stream(&r);
	json_decref(r.anchors);
	return ret;
}

int fg_yaml_read(struct fg_yaml *yaml, const char *file, const char *text, size_t len,
		 struct fg_error *err)
{
	struct fg_buffer events = {};
	int ret;

	*yaml = (struct fg_yaml){};
	ret = fg_yaml_events(&events, file, text, len, err);
	if (!ret)
		ret = fg_yaml_build(yaml, file, events.data, events.len, err);
	fg_buffer_free(&events);
	return ret;
}

int fg_yaml_keep(struct fg_yaml *yaml, const void *text, size_t len, const void *events,
		 size_t size, struct fg_error *err)
{
	fg_buffer_put(&yaml->text, text, len);
	fg_buffer_put(&yaml->events, events, size);
	return yaml->text.failed || yaml->events.failed
		       ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", yaml->file)
		       : 0;
}

void fg_yaml_free(struct fg_yaml *yaml)
{
	json_decref(yaml->root);
	free(yaml->places);
	free(yaml->file);
	fg_buffer_free(&yaml->text);
	fg_buffer_free(&yaml->events);
	*yaml = (struct fg_yaml){};
}
