// SPDX-License-Identifier: GPL-2.0-only
/* yaml/span.c - the place of each node in the text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "yaml/internal.h"
#include "yaml/yaml.h"

struct locator {
	const char *file;
	struct fg_yaml_events events;
	const char *text;
	size_t len;
	size_t byte, character; /* a place that both are known of: the last that was asked for */
	struct fg_error *err;
};

static int fail_text(struct locator *l)
{
	return fg_fail(l->err, FG_ERR_INTERNAL,
		       "%s: the process that reads it tells of another text", l->file);
}

static bool begins(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* The byte at which the character begins, or ends the text. Most are asked for in their order. */
static int locate(struct locator *l, size_t character, size_t *byte)
{
	while (l->character < character && l->byte < l->len) {
		l->byte++;
		while (l->byte < l->len && !begins(l->text[l->byte]))
			l->byte++;
		l->character++;
	}
	while (l->character > character) {
		l->byte--;
		while (l->byte && !begins(l->text[l->byte]))
			l->byte--;
		l->character--;
	}
	*byte = l->byte;
	return l->character == character ? 0 : fail_text(l);
}

static char *copy_of(const yaml_char_t *text, bool *short_of)
{
	char *copy = text ? strdup((const char *)text) : NULL;

	*short_of |= text && !copy;
	return copy;
}

static int read_span(struct locator *l, const yaml_event_t *event, unsigned int depth,
		     struct fg_yaml_span *out);

/* What is in a container, up to its end. */
static int read_items(struct locator *l, unsigned int depth, struct fg_yaml_span *out)
{
	for (;;) {
		struct fg_yaml_span *item;
		yaml_event_t event;
		bool end;
		int ret = 0;

		if (fg_yaml_events_next(&l->events, l->file, &event, l->err))
			return -1;
		end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
		if (end && out->flow) {
			ret = locate(l, event.end_mark.index, &out->end);
		} else if (!end) {
			item = FG_APPEND(out->items, out->count, l->file, l->err);
			ret = item ? read_span(l, &event, depth + 1, item) : -1;
			if (!ret) {
				out->end = item->end;
				out->folds = item->folds ||
					     (out->folds && item->start == item->end);
			}
		}
		yaml_event_delete(&event);
		if (ret || end)
			return ret;
	}
}

static void note_kind(const yaml_event_t *event, struct fg_yaml_span *out, bool *short_of)
{
	out->type = (uint8_t)event->type;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		out->text = copy_of(event->data.scalar.value, short_of);
		out->anchor = copy_of(event->data.scalar.anchor, short_of);
		out->style = (uint8_t)event->data.scalar.style;
		out->folds = out->style == YAML_LITERAL_SCALAR_STYLE ||
			     out->style == YAML_FOLDED_SCALAR_STYLE;
		break;
	case YAML_ALIAS_EVENT:
		out->text = copy_of(event->data.alias.anchor, short_of);
		break;
	case YAML_SEQUENCE_START_EVENT:
		out->anchor = copy_of(event->data.sequence_start.anchor, short_of);
		out->flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		break;
	default:
		out->anchor = copy_of(event->data.mapping_start.anchor, short_of);
		out->flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	}
}

static int read_span(struct locator *l, const yaml_event_t *event, unsigned int depth,
		     struct fg_yaml_span *out)
{
	bool short_of = false;

	if (depth > FG_YAML_DEPTH_MAX ||
	    (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT &&
	     event->type != YAML_SEQUENCE_START_EVENT && event->type != YAML_MAPPING_START_EVENT))
		return fail_text(l);
	if (locate(l, event->start_mark.index, &out->start) ||
	    locate(l, event->end_mark.index, &out->end))
		return -1;
	note_kind(event, out, &short_of);
	if (short_of)
		return fg_fail_errno(l->err, FG_ERR_INTERNAL, ENOMEM, "%s", l->file);
	if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT)
		return out->end < out->start ? fail_text(l) : 0;
	if (read_items(l, depth, out))
		return -1;
	return out->end < out->start || (event->type == YAML_MAPPING_START_EVENT && out->count % 2)
		       ? fail_text(l)
		       : 0;
}

int fg_yaml_spans(struct fg_yaml_span *root, const char *file, const struct fg_buffer *text,
		  const struct fg_buffer *events, struct fg_error *err)
{
	struct locator l = { .file = file,
			     .events = { (const uint8_t *)events->data, events->len },
			     .text = text->data,
			     .len = text->len,
			     .err = err };

	*root = (struct fg_yaml_span){};
	for (;;) {
		yaml_event_t event;
		bool node, end;
		int ret = 0;

		if (fg_yaml_events_next(&l.events, file, &event, err))
			return -1;
		node = event.type != YAML_STREAM_START_EVENT &&
		       event.type != YAML_DOCUMENT_START_EVENT;
		end = event.type == YAML_STREAM_END_EVENT;
		if (node && !end)
			ret = read_span(&l, &event, 1, root);
		yaml_event_delete(&event);
		if (ret || node)
			return ret;
	}
}

void fg_yaml_span_free(struct fg_yaml_span *span)
{
	for (size_t i = 0; i < span->count; i++)
		fg_yaml_span_free(&span->items[i]);
	free(span->items);
	free(span->text);
	free(span->anchor);
	*span = (struct fg_yaml_span){};
}
