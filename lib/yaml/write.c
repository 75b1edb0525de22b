// SPDX-License-Identifier: GPL-2.0-only
/* yaml/write.c - a tree as YAML text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/count.h"
#include "base/buffer.h"
#include "yaml/internal.h"
#include "yaml/yaml.h"

struct writer {
	yaml_emitter_t emitter;
	yaml_scalar_style_t like; /* the quotes that are wished */
	bool line;		  /* all in brackets, in one line */
};

static int append(void *data, unsigned char *bytes, size_t size)
{
	struct fg_buffer *out = data;

	fg_buffer_put(out, bytes, size);
	return !out->failed;
}

/* Plain where a reader of any YAML version takes it for text or a number and nothing else. */
static bool reads_as_itself(const char *text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no",
					     "on",   "off",  "y",     "n" };

	if (!*text ||
	    strlen(text) != strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789_./$*() -"))
		return false;
	if (strchr(" -.*$()", text[0]) || text[strlen(text) - 1] == ' ')
		return false;
	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcasecmp(text, words[i]))
			return false;
	return true;
}

static int put_scalar(struct writer *w, const char *text)
{
	yaml_scalar_style_t style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	yaml_event_t event;

	if (w->like == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
	    w->like == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		style = w->like;
	else if (reads_as_itself(text))
		style = YAML_PLAIN_SCALAR_STYLE;
	else if (strchr(text, '\n'))
		style = YAML_LITERAL_SCALAR_STYLE;
	return yaml_scalar_event_initialize(&event, NULL, NULL, (yaml_char_t *)text,
					    (int)strlen(text), 1, 1, style) &&
	       yaml_emitter_emit(&w->emitter, &event);
}

static int put_node(struct writer *w, const json_t *node);

static int put_list(struct writer *w, const json_t *list)
{
	yaml_sequence_style_t style = YAML_FLOW_SEQUENCE_STYLE;
	yaml_event_t event;
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item)
		if (!w->line && !json_is_string(item))
			style = YAML_BLOCK_SEQUENCE_STYLE;
	if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style) ||
	    !yaml_emitter_emit(&w->emitter, &event))
		return 0;
	json_array_foreach ((json_t *)list, i, item)
		if (!put_node(w, item))
			return 0;
	return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(&w->emitter, &event);
}

static int put_map(struct writer *w, const json_t *map)
{
	yaml_event_t event;
	const char *key;
	json_t *value;

	if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) ||
	    !yaml_emitter_emit(&w->emitter, &event))
		return 0;
	json_object_foreach ((json_t *)map, key, value)
		if (!put_scalar(w, key) || !put_node(w, value))
			return 0;
	return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(&w->emitter, &event);
}

static int put_node(struct writer *w, const json_t *node)
{
	if (json_is_object(node))
		return put_map(w, node);
	if (json_is_array(node))
		return put_list(w, node);
	return put_scalar(w, json_is_string(node) ? json_string_value(node) : "");
}

static int put_document(struct writer *w, const json_t *root)
{
	yaml_event_t event;

	return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
	       yaml_emitter_emit(&w->emitter, &event) &&
	       yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
	       yaml_emitter_emit(&w->emitter, &event) && put_node(w, root) &&
	       yaml_document_end_event_initialize(&event, 1) &&
	       yaml_emitter_emit(&w->emitter, &event) && yaml_stream_end_event_initialize(&event) &&
	       yaml_emitter_emit(&w->emitter, &event);
}

static int put_text(struct fg_buffer *out, struct writer *w, const json_t *root)
{
	int done;

	if (!yaml_emitter_initialize(&w->emitter))
		return 0;
	yaml_emitter_set_output(&w->emitter, append, out);
	yaml_emitter_set_unicode(&w->emitter, 1);
	yaml_emitter_set_width(&w->emitter, w->line ? -1 : 100);
	done = put_document(w, root);
	yaml_emitter_delete(&w->emitter);
	fg_buffer_put(out, "", 1);
	return done && !out->failed;
}

char *fg_yaml_write(const json_t *root, struct fg_error *err)
{
	struct fg_buffer out = {};
	struct writer w = {};

	if (put_text(&out, &w, root))
		return out.data;
	fg_buffer_free(&out);
	fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "YAML");
	return NULL;
}

/* In a list of one, all is in brackets. */
char *fg_yaml_line(const json_t *node, yaml_scalar_style_t like)
{
	struct writer w = { .like = like, .line = true };
	json_t *list = json_array();
	struct fg_buffer out = {};
	char *close = NULL;

	if (list && !json_array_append(list, (json_t *)node) && put_text(&out, &w, list))
		close = strrchr(out.data, ']');
	json_decref(list);
	if (!close) {
		fg_buffer_free(&out);
		return NULL;
	}
	*close = '\0';
	memmove(out.data, out.data + 1, (size_t)(close - out.data));
	return out.data;
}
