// SPDX-License-Identifier: GPL-2.0-only
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "base/visible.h"

void fg_json_careful(void)
{
	json_set_alloc_funcs(fg_grow_malloc, free);
}

json_t *fg_json_text(const char *text)
{
	FG_FREE char *copy = NULL;
	json_t *value;

	if (!text || !*text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	return copy ? json_string(copy) : NULL;
}

/* Whether the text can be JSON as it is: nearly all do, and jansson takes 0.1 us for each. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\')
			return false;
	return true;
}

/*
 * What jansson writes, with hidden characters as RFC 8259 section 7 escapes them. Beyond ASCII it
 * writes what strings hold, and nothing else.
 */
static int append(const char *bytes, size_t len, void *out)
{
	const char *end = bytes + len, *plain = bytes;
	unsigned int code;
	size_t n;

	for (const char *c = bytes; c < end; c += n) {
		n = 1;
		if (!(*c & 0x80))
			continue;
		/* jansson has checked that it is UTF-8, and hands on whole characters. */
		if (fg_visible_hidden(c, &n, &code)) {
			fg_buffer_put(out, plain, (size_t)(c - plain));
			fg_buffer_printf(out, "\\u%04x", code);
			plain = c + n;
		}
		n = n ? n : 1;
	}
	fg_buffer_put(out, plain, (size_t)(end - plain));
	return 0;
}

char *fg_json_dump(const json_t *value)
{
	struct fg_buffer out = {};

	if (json_dump_callback(value, append, &out, JSON_COMPACT))
		out.failed = true;
	fg_buffer_put(&out, "", 1);
	if (!out.failed)
		return out.data;
	fg_buffer_free(&out);
	return NULL;
}

const char *fg_json_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

bool fg_json_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

void fg_json_put_text(struct fg_buffer *out, const char *text)
{
	json_t *value;

	if (text && *text && is_plain(text)) {
		fg_buffer_put(out, "\"", 1);
		fg_buffer_puts(out, text);
		fg_buffer_put(out, "\"", 1);
		return;
	}
	value = fg_json_text(text);
	if (!value || json_dump_callback(value, append, out, JSON_ENCODE_ANY | JSON_COMPACT))
		out->failed = true;
	json_decref(value);
}
