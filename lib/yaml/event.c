// SPDX-License-Identifier: GPL-2.0-only
#include "yaml/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "yaml/yaml.h"

/* Three for each value and its containers: more cannot become a tree. */
#define EVENTS_MAX (3 * FG_YAML_NODES_MAX)
#define NO_TEXT UINT32_MAX

/* One event; its texts follow, each with a NUL. */
struct record {
	uint8_t type;		     /* yaml_event_type_t; RECORD_ERROR: value is the message */
	uint8_t style;		     /* of a scalar, a sequence or a mapping */
	uint16_t error;		     /* of RECORD_ERROR: enum fg_error_kind */
	uint32_t line, column;	     /* from 0 */
	uint32_t start, end;	     /* in the text, in characters from 0 */
	uint32_t value, anchor, tag; /* bytes; NO_TEXT: there is none */
};
#define RECORD_ERROR 255

/* --- from libyaml --- */

static size_t length_of(uint32_t text)
{
	return text == NO_TEXT ? 0 : (size_t)text + 1;
}

static void put_text(struct fg_buffer *out, const void *text, uint32_t len)
{
	if (len == NO_TEXT)
		return;
	fg_buffer_put(out, text, len);
	fg_buffer_put(out, "", 1);
}

static uint32_t length(const yaml_char_t *text)
{
	return text ? (uint32_t)strlen((const char *)text) : NO_TEXT;
}

static void put_error(struct fg_buffer *out, enum fg_error_kind kind, const char *message)
{
	struct record r = { .type = RECORD_ERROR,
			    .error = (uint16_t)kind,
			    .value = (uint32_t)strlen(message),
			    .anchor = NO_TEXT,
			    .tag = NO_TEXT };

	fg_buffer_put(out, &r, sizeof(r));
	put_text(out, message, r.value);
}

static void put_event(struct fg_buffer *out, const yaml_event_t *e)
{
	struct record r = { .type = (uint8_t)e->type,
			    .line = (uint32_t)e->start_mark.line,
			    .column = (uint32_t)e->start_mark.column,
			    .start = (uint32_t)e->start_mark.index,
			    .end = (uint32_t)e->end_mark.index,
			    .value = NO_TEXT,
			    .anchor = NO_TEXT,
			    .tag = NO_TEXT };
	const yaml_char_t *value = NULL, *anchor = NULL, *tag = NULL;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		value = e->data.scalar.value;
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		r.style = (uint8_t)e->data.scalar.style;
		r.value = (uint32_t)e->data.scalar.length;
		break;
	case YAML_ALIAS_EVENT:
		anchor = e->data.alias.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		r.style = (uint8_t)e->data.sequence_start.style;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		r.style = (uint8_t)e->data.mapping_start.style;
		break;
	default:
		break;
	}
	r.anchor = length(anchor);
	r.tag = length(tag);
	fg_buffer_put(out, &r, sizeof(r));
	put_text(out, value, r.value);
	put_text(out, anchor, r.anchor);
	put_text(out, tag, r.tag);
}

static void put_problem(struct fg_buffer *out, const char *file, const yaml_parser_t *p)
{
	const char *problem = p->problem ? p->problem : "not readable";
	struct fg_error why;

	if (p->error == YAML_MEMORY_ERROR)
		fg_fail_errno(&why, FG_ERR_INTERNAL, ENOMEM, "%s", file);
	/* The reader, below the scanner, knows only how many bytes it has read. */
	else if (p->error == YAML_READER_ERROR)
		fg_fail(&why, FG_ERR_USAGE, "%s:%zu:1: byte %zu: %s", file, p->mark.line + 1,
			p->problem_offset + 1, problem);
	else
		fg_fail(&why, FG_ERR_USAGE, "%s:%zu:%zu: %s", file, p->problem_mark.line + 1,
			p->problem_mark.column + 1, problem);
	put_error(out, why.kind, why.message);
}

static void put_events(struct fg_buffer *out, const char *file, yaml_parser_t *parser)
{
	bool end = false;

	for (uint32_t i = 0; !end && !out->failed; i++) {
		yaml_event_t event;

		if (i == EVENTS_MAX) {
			put_error(out, FG_ERR_USAGE, "more than 1048576 values");
			return;
		}
		if (!yaml_parser_parse(parser, &event)) {
			put_problem(out, file, parser);
			return;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		put_event(out, &event);
		yaml_event_delete(&event);
	}
}

int fg_yaml_events(struct fg_buffer *out, const char *file, const char *text, size_t len,
		   struct fg_error *err)
{
	yaml_parser_t parser;

	if (len > FG_YAML_SIZE_MAX)
		return fg_fail(err, FG_ERR_USAGE, "%s:1:1: larger than %u bytes", file,
			       FG_YAML_SIZE_MAX);
	if (!yaml_parser_initialize(&parser))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", file);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	put_events(out, file, &parser);
	yaml_parser_delete(&parser);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", file) : 0;
}

/* --- to the tree --- */

static int fail_events(const char *file, struct fg_error *err)
{
	return fg_fail(err, FG_ERR_INTERNAL,
		       "%s: the process that reads it sends something else than YAML", file);
}

/* The text at *at, which moves on; NULL with *short_of if memory is short, or if there is none. */
static yaml_char_t *take_text(const uint8_t **at, uint32_t len, bool *short_of)
{
	yaml_char_t *text;

	if (len == NO_TEXT)
		return NULL;
	text = malloc((size_t)len + 1);
	if (text)
		memcpy(text, *at, (size_t)len + 1);
	*short_of |= !text;
	*at += (size_t)len + 1;
	return text;
}

static bool is_text(const uint8_t *at, uint32_t len, bool one)
{
	return len == NO_TEXT || (!at[len] && (!one || !memchr(at, 0, len)));
}

/* Whether all of it is there, and has the texts that an event of its type has. */
static bool is_sound(const struct fg_yaml_events *events, const struct record *r)
{
	const uint8_t *texts = events->at + sizeof(*r);
	uint64_t size = (uint64_t)length_of(r->value) + length_of(r->anchor) + length_of(r->tag);

	if (size > events->left - sizeof(*r))
		return false;
	if (r->type == YAML_NO_EVENT ||
	    (r->type > YAML_MAPPING_END_EVENT && r->type != RECORD_ERROR))
		return false;
	if ((r->type == YAML_SCALAR_EVENT || r->type == RECORD_ERROR) != (r->value != NO_TEXT) ||
	    (r->type == YAML_ALIAS_EVENT && r->anchor == NO_TEXT))
		return false;
	return is_text(texts, r->value, r->type == RECORD_ERROR) &&
	       is_text(texts + length_of(r->value), r->anchor, true) &&
	       is_text(texts + length_of(r->value) + length_of(r->anchor), r->tag, true);
}

static int pass_on(const struct record *r, const char *text, struct fg_error *err)
{
	/* fg_fail() shows nothing that could steer a terminal. */
	return fg_fail(err, r->error == FG_ERR_INTERNAL ? FG_ERR_INTERNAL : FG_ERR_USAGE, "%s",
		       text);
}

static void fill(yaml_event_t *out, const struct record *r, yaml_char_t *value, yaml_char_t *anchor,
		 yaml_char_t *tag)
{
	out->type = (yaml_event_type_t)r->type;
	out->start_mark = (yaml_mark_t){ .index = r->start, .line = r->line, .column = r->column };
	out->end_mark = (yaml_mark_t){ .index = r->end };
	switch (out->type) {
	case YAML_SCALAR_EVENT:
		out->data.scalar.value = value;
		out->data.scalar.length = r->value;
		out->data.scalar.style = (yaml_scalar_style_t)r->style;
		out->data.scalar.anchor = anchor;
		out->data.scalar.tag = tag;
		return;
	case YAML_ALIAS_EVENT:
		out->data.alias.anchor = anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		out->data.sequence_start.anchor = anchor;
		out->data.sequence_start.tag = tag;
		out->data.sequence_start.style = (yaml_sequence_style_t)r->style;
		return;
	case YAML_MAPPING_START_EVENT:
		out->data.mapping_start.anchor = anchor;
		out->data.mapping_start.tag = tag;
		out->data.mapping_start.style = (yaml_mapping_style_t)r->style;
		return;
	default:
		free(anchor);
	}
	free(tag);
}

int fg_yaml_events_next(struct fg_yaml_events *events, const char *file, yaml_event_t *out,
			struct fg_error *err)
{
	yaml_char_t *value, *anchor, *tag;
	bool short_of = false;
	const uint8_t *at;
	struct record r;

	*out = (yaml_event_t){};
	if (events->left < sizeof(r))
		return fail_events(file, err);
	memcpy(&r, events->at, sizeof(r));
	if (!is_sound(events, &r))
		return fail_events(file, err);
	at = events->at + sizeof(r);
	if (r.type == RECORD_ERROR)
		return pass_on(&r, (const char *)at, err);
	value = take_text(&at, r.value, &short_of);
	anchor = take_text(&at, r.anchor, &short_of);
	tag = take_text(&at, r.tag, &short_of);
	if (short_of) {
		free(value);
		free(anchor);
		free(tag);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", file);
	}
	fill(out, &r, value, anchor, tag);
	events->left -= (size_t)(at - events->at);
	events->at = at;
	return 0;
}
