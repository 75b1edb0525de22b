// SPDX-License-Identifier: GPL-2.0-only
/* scenario/read.c - places, messages and values; what every part of a scenario's reader needs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "scenario/internal.h"

size_t fg_scenario_enter(struct fg_scenario_reader *r, const char *key, size_t index)
{
	size_t mark = strlen(r->path);
	char *end = r->path + mark;
	size_t room = sizeof(r->path) - mark;

	if (key)
		snprintf(end, room, "%s%.80s", mark ? "." : "", key);
	else
		snprintf(end, room, "[%zu]", index);
	return mark;
}

void fg_scenario_leave(struct fg_scenario_reader *r, size_t mark)
{
	r->path[mark] = '\0';
}

static int fail_at(struct fg_scenario_reader *r, uint32_t line, uint32_t column, const char *text)
{
	return fg_fail(r->err, FG_ERR_USAGE, "%s:%u:%u: %s%s%s", r->scenario->yaml.file, line,
		       column, r->path, r->path[0] ? ": " : "", text);
}

int fg_scenario_fail(struct fg_scenario_reader *r, const json_t *node, const char *fmt, ...)
{
	const struct fg_yaml_place *place = fg_yaml_place(&r->scenario->yaml, node);
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return fail_at(r, place->line, place->column, text);
}

int fg_scenario_fail_key(struct fg_scenario_reader *r, const json_t *node, const char *fmt, ...)
{
	const struct fg_yaml_place *place = fg_yaml_place(&r->scenario->yaml, node);
	bool keyed = place->key_line != 0;
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return fail_at(r, keyed ? place->key_line : place->line,
		       keyed ? place->key_column : place->column, text);
}

int fg_scenario_fail_parsed(struct fg_scenario_reader *r, const json_t *node)
{
	struct fg_error cause = *r->err;
	const char *message = cause.message, *key = strrchr(r->path, '.');
	size_t len;

	if (cause.kind == FG_ERR_INTERNAL)
		return -1;
	/* The parser names the key too; once is enough. */
	key = key ? key + 1 : r->path;
	len = strlen(key);
	if (len && !strncmp(message, key, len) && !strncmp(message + len, ": ", 2))
		message += len + 2;
	fg_scenario_fail(r, node, "%s", message);
	if (cause.hint[0])
		fg_hint(r->err, "%s", cause.hint);
	return -1;
}

int fg_scenario_suggest(struct fg_scenario_reader *r, const char *text, const char *const *words,
			size_t count)
{
	const char *nearest = fg_nearest(text, words, count);

	if (nearest)
		fg_hint(r->err, "did you mean \"%s\"?", nearest);
	return -1;
}

int fg_scenario_fail_word(struct fg_scenario_reader *r, const json_t *node, const char *text,
			  const char *const *words, size_t count)
{
	const char *key = strrchr(r->path, '.');

	fg_parse_word(key ? key + 1 : r->path, text, words, count, r->err);
	fg_scenario_fail_parsed(r, node);
	return fg_scenario_suggest(r, text, words, count);
}

bool fg_scenario_null(const struct fg_scenario_reader *r, const json_t *node)
{
	return fg_yaml_place(&r->scenario->yaml, node)->null;
}

/* --- mappings --- */

static bool is_among(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

static int refuse_key(struct fg_scenario_reader *r, const json_t *value, const char *key,
		      const char *what, const char *const *keys, size_t count, bool packet_keys)
{
	const char *all[160];
	char list[300] = "";
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(list);

		all[n++] = keys[i];
		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", keys[i]);
	}
	for (size_t i = 0; packet_keys && i < fg_packet_key_count && n < 160; i++)
		all[n++] = fg_packet_keys[i].name;
	fg_scenario_fail_key(r, value, "%s has no key \"%.60s\"; it has %s%s", what, key, list,
			     packet_keys ? " and the packet options of inject" : "");
	return fg_scenario_suggest(r, key, all, n);
}

int fg_scenario_map(struct fg_scenario_reader *r, const json_t *node, const char *what,
		    const char *const *keys, size_t count, bool packet_keys)
{
	const char *key;
	json_t *value;

	if (!json_is_object(node))
		return fg_scenario_fail(r, node, "expected %s: a mapping", what);
	json_object_foreach ((json_t *)node, key, value)
		if (!is_among(key, keys, count) && !(packet_keys && fg_packet_key_find(key)))
			return refuse_key(r, value, key, what, keys, count, packet_keys);
	return 0;
}

const json_t *fg_scenario_get(const struct fg_scenario_reader *r, const json_t *map,
			      const char *key)
{
	const json_t *value = json_object_get(map, key);

	return value || !r->defaults ? value : json_object_get(r->defaults, key);
}

int fg_scenario_each(struct fg_scenario_reader *r, const json_t *node,
		     int (*fn)(struct fg_scenario_reader *r, const json_t *item, void *arg),
		     void *arg)
{
	json_t *item;
	size_t i;

	if (!json_is_array(node))
		return fn(r, node, arg);
	if (!json_array_size(node))
		return fg_scenario_fail(r, node, "the list is empty");
	json_array_foreach ((json_t *)node, i, item) {
		size_t mark = fg_scenario_enter(r, NULL, i);

		if (fn(r, item, arg))
			return -1;
		fg_scenario_leave(r, mark);
	}
	return 0;
}

/* --- texts and variables --- */

static int fail_variable(struct fg_scenario_reader *r, const json_t *node, const char *name)
{
	const char *names[64], *key;
	json_t *value;
	size_t n = 0;

	fg_scenario_fail(r, node, "no variable \"%.60s\" in variables", name);
	json_object_foreach (r->scenario->variables, key, value)
		if (n < 64)
			names[n++] = key;
	return fg_scenario_suggest(r, name, names, n);
}

/* The value of "${NAME}" at text, which begins after the brace. Returns what follows it, or NULL.
 */
static const char *put_variable(struct fg_scenario_reader *r, const json_t *node, const char *text,
				struct fg_buffer *out)
{
	const char *end = strchr(text, '}');
	const json_t *value;
	char name[64];

	if (!end || end == text || (size_t)(end - text) >= sizeof(name)) {
		fg_scenario_fail(r, node, "\"${\" without a variable's name and \"}\"");
		fg_hint(r->err, "$${ stands for ${ itself");
		return NULL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(end - text), text);
	value = json_object_get(r->scenario->variables, name);
	if (!value) {
		fail_variable(r, node, name);
		return NULL;
	}
	fg_buffer_puts(out, json_string_value(value));
	return end + 1;
}

char *fg_scenario_text(struct fg_scenario_reader *r, const json_t *node)
{
	struct fg_buffer out = {};
	const char *text, *next;

	if (!json_is_string(node) || fg_scenario_null(r, node)) {
		fg_scenario_fail(r, node,
				 json_is_string(node) ? "no value" : "expected a single value");
		return NULL;
	}
	for (text = json_string_value(node); text; text = next) {
		next = strchr(text, '$');
		fg_buffer_put(&out, text, next ? (size_t)(next - text) : strlen(text));
		if (!next)
			break;
		if (!strncmp(next, "$${", 3)) {
			fg_buffer_puts(&out, "${");
			next += 3;
		} else if (next[1] != '{') {
			fg_buffer_puts(&out, "$");
			next++;
		} else {
			next = put_variable(r, node, next + 2, &out);
			if (!next) {
				fg_buffer_free(&out);
				return NULL;
			}
		}
	}
	fg_buffer_put(&out, "", 1);
	if (!out.failed)
		return out.data;
	fg_buffer_free(&out);
	fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->scenario->yaml.file);
	return NULL;
}

int fg_scenario_text_at(struct fg_scenario_reader *r, const json_t *map, const char *key,
			char **out)
{
	const json_t *node = json_object_get(map, key);
	size_t mark;
	char *text;

	if (!node)
		return 0;
	mark = fg_scenario_enter(r, key, 0);
	text = fg_scenario_text(r, node);
	if (!text)
		return -1;
	free(*out);
	*out = text;
	fg_scenario_leave(r, mark);
	return 0;
}

int fg_scenario_switch(struct fg_scenario_reader *r, const json_t *node, bool *out)
{
	FG_FREE char *text = fg_scenario_text(r, node);

	if (!text)
		return -1;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return fg_scenario_fail(r, node, "must be true or false, not \"%.40s\"", text);
	*out = text[0] == 't';
	return 0;
}
