// SPDX-License-Identifier: GPL-2.0-only
/*
 * yaml/rewrite.c - a text, changed where it says something else than a tree. What an alias and a
 * merge key read as is followed through the changes, so that the new text reads as the tree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "yaml/internal.h"
#include "yaml/yaml.h"

/* The bytes from `from` to `to` become text. */
struct edit {
	size_t from, to;
	char *text; /* owned */
	size_t order;
};

struct rewriter {
	const struct fg_yaml *yaml;
	const char *text;
	size_t len;
	struct edit *edits; /* owned */
	size_t count;
	json_t *anchors; /* name -> what an alias here reads as, after the changes */
	const char **why;
	struct fg_error *err;
};

/* The functions below return 0; -1: memory is short; 1: this text cannot be changed so, for *why.
 */
static int cannot(struct rewriter *w, const char *why)
{
	*w->why = why;
	return 1;
}

static int fail_memory(struct rewriter *w)
{
	return fg_fail_errno(w->err, FG_ERR_INTERNAL, ENOMEM, "%s", w->yaml->file);
}

/* Takes the text over. */
static int change(struct rewriter *w, size_t from, size_t to, struct fg_buffer *text)
{
	struct edit *e = FG_APPEND(w->edits, w->count, w->yaml->file, w->err);

	fg_buffer_put(text, "", 1);
	if (!e || text->failed) {
		w->count -= e != NULL;
		fg_buffer_free(text);
		return e ? fail_memory(w) : -1;
	}
	*e = (struct edit){ from, to, text->data, w->count };
	return 0;
}

static int put_line(struct rewriter *w, struct fg_buffer *out, const json_t *node, uint8_t like)
{
	FG_FREE char *line = fg_yaml_line(node, (yaml_scalar_style_t)like);

	if (!line)
		return fail_memory(w);
	fg_buffer_puts(out, line);
	return 0;
}

/* --- places --- */

#define SPACES " \t"
#define BLANKS " \t\r\n"

static bool is_of(char c, const char *set)
{
	while (*set && *set != c)
		set++;
	return *set != '\0';
}

static bool is_blank(char c)
{
	return is_of(c, BLANKS);
}

static size_t line_start(const struct rewriter *w, size_t at)
{
	while (at && w->text[at - 1] != '\n')
		at--;
	return at;
}

/* Where its line feed is, or the text ends. */
static size_t line_end(const struct rewriter *w, size_t at)
{
	while (at < w->len && w->text[at] != '\n')
		at++;
	return at;
}

/* In characters. */
static size_t column(const struct rewriter *w, size_t at)
{
	size_t columns = 0;

	for (size_t i = line_start(w, at); i < at; i++)
		columns += ((unsigned char)w->text[i] & 0xc0) != 0x80;
	return columns;
}

static bool only_blanks(const struct rewriter *w, size_t from, size_t to)
{
	while (from < to && is_blank(w->text[from]))
		from++;
	return from >= to;
}

/* Without blanks: a block scalar has empty lines behind it, a "? KEY" all up to the next node. */
static size_t end_of(const struct rewriter *w, const struct fg_yaml_span *span)
{
	size_t end = span->end;

	while (end > span->start && is_blank(w->text[end - 1]))
		end--;
	return end;
}

static size_t skip(const struct rewriter *w, size_t at, const char *what)
{
	while (at < w->len && is_of(w->text[at], what))
		at++;
	return at;
}

static bool has_at(const struct rewriter *w, size_t at, char c)
{
	return at < w->len && w->text[at] == c;
}

/* The colon of a key that is written as "KEY:"; SIZE_MAX: it is not. */
static size_t colon_of(const struct rewriter *w, const struct fg_yaml_span *key)
{
	size_t at = skip(w, key->end, SPACES);

	return !key->folds && has_at(w, at, ':') ? at : SIZE_MAX;
}

/* Of a key in braces: is it written as "? KEY :"? What is before it may end in a "?" too. */
static bool has_question_mark(const struct rewriter *w, const struct fg_yaml_span *key)
{
	size_t before = key->start;

	while (before && is_blank(w->text[before - 1]))
		before--;
	if (!before || w->text[--before] != '?')
		return false;
	while (before && is_of(w->text[before - 1], SPACES))
		before--;
	return before && is_of(w->text[before - 1], "\n{,");
}

/* --- another value --- */

static uint8_t style_of(const struct fg_yaml_span *span)
{
	return span->type == YAML_SCALAR_EVENT ? span->style : YAML_ANY_SCALAR_STYLE;
}

/* Where the new value goes: behind the colon, if it was on a line of its own, or empty. */
static int place_of(struct rewriter *w, const struct fg_yaml_span *span,
		    const struct fg_yaml_span *key, size_t *from)
{
	bool container = span->type != YAML_SCALAR_EVENT && span->type != YAML_ALIAS_EVENT;
	size_t colon = key ? colon_of(w, key) : SIZE_MAX;

	*from = span->start;
	if (colon != SIZE_MAX && only_blanks(w, colon + 1, span->start)) {
		if (span->start == span->end || line_end(w, colon) < span->start)
			*from = colon + 1;
		return 0;
	}
	if (span->start == span->end)
		return cannot(w, "a key has no value");
	/* Below its key, deeper than it or not; there a word may be no value. */
	if (container ? !span->flow && key && column(w, span->start) <= column(w, key->start)
		      : span->folds && only_blanks(w, line_start(w, span->start), span->start))
		return cannot(w, "a comment is between a key and its value");
	return 0;
}

/* key: whose value it is; NULL: an item of a list. */
static int replace(struct rewriter *w, const struct fg_yaml_span *span,
		   const struct fg_yaml_span *key, const json_t *node)
{
	struct fg_buffer out = {};
	size_t from;
	int ret = place_of(w, span, key, &from);

	if (ret)
		return ret;
	if (from && w->text[from - 1] == ':')
		fg_buffer_puts(&out, " ");
	if (span->anchor)
		fg_buffer_printf(&out, "&%s ", span->anchor);
	if (put_line(w, &out, node, style_of(span))) {
		fg_buffer_free(&out);
		return -1;
	}
	return change(w, from, end_of(w, span), &out);
}

/* --- mappings --- */

struct pair {
	const struct fg_yaml_span *key, *value;
};

static struct pair pair_at(const struct fg_yaml_span *map, size_t i)
{
	return (struct pair){ &map->items[2 * i], &map->items[2 * i + 1] };
}

static bool is_merge(const struct fg_yaml_span *key)
{
	return key->style == YAML_PLAIN_SCALAR_STYLE && !strcmp(key->text, "<<");
}

static const struct fg_yaml_span *own_key(const struct fg_yaml_span *map, const char *key)
{
	for (size_t i = 0; i < map->count; i += 2)
		if (!is_merge(&map->items[i]) && !strcmp(map->items[i].text, key))
			return &map->items[i];
	return NULL;
}

/* What "<<" brings: of an alias, or of a list of them. */
static int merge(struct rewriter *w, const struct fg_yaml_span *from, json_t *merged)
{
	const json_t *node;
	const char *key;
	json_t *value;
	int ret = 0;

	for (size_t i = 0; from->type == YAML_SEQUENCE_START_EVENT && !ret && i < from->count; i++)
		ret = merge(w, &from->items[i], merged);
	if (from->type == YAML_SEQUENCE_START_EVENT)
		return ret;
	node = from->type == YAML_ALIAS_EVENT ? json_object_get(w->anchors, from->text) : NULL;
	if (!json_is_object(node))
		return cannot(w, "a merge key has something else than the name of a mapping");
	json_object_foreach ((json_t *)node, key, value)
		if (!json_object_get(merged, key) && json_object_set(merged, key, value))
			return fail_memory(w);
	return 0;
}

/*
 * Where what belongs to the next pair begins, behind a pair and a comment on its line: with
 * comments on lines of their own, a question mark or the key. SIZE_MAX: a comment is before the
 * comma.
 */
static size_t next_of(const struct rewriter *w, const struct fg_yaml_span *map,
		      const struct fg_yaml_span *value)
{
	size_t at = end_of(w, value);

	if (map->flow) {
		at = skip(w, at, BLANKS);
		if (!has_at(w, at, ','))
			return SIZE_MAX;
		at++;
	}
	at = skip(w, at, SPACES);
	return skip(w, has_at(w, at, '#') ? line_end(w, at) : at, BLANKS);
}

static bool has_block_text(const struct fg_yaml_span *span)
{
	bool has = span->folds;

	for (size_t i = 0; i < span->count; i++)
		has = has || has_block_text(&span->items[i]);
	return has;
}

/* Would a comment or an empty line, behind a pair that goes, become part of a text before it? */
static bool joins_text(const struct rewriter *w, const struct fg_yaml_span *map, size_t i,
		       size_t to, const json_t *node)
{
	size_t next = skip(w, to, SPACES);

	if (to == w->len || (next < w->len && !is_of(w->text[next], "#\r\n")))
		return false;
	while (i-- > 0) {
		const struct pair p = pair_at(map, i);

		if (json_object_get(node, p.key->text))
			return p.key->folds || has_block_text(p.value);
	}
	return false;
}

/* The pair goes: with its line, if it has that for itself. node: as in add(). */
static int leave_out(struct rewriter *w, const struct fg_yaml_span *map, size_t i,
		     const json_t *node)
{
	const struct pair p = pair_at(map, i);
	size_t from = p.key->start, to = end_of(w, p.value), start = line_start(w, from);
	struct fg_buffer nothing = {};

	if (colon_of(w, p.key) == SIZE_MAX || map->count == 2 || !json_object_size(node) ||
	    (map->flow && has_question_mark(w, p.key)))
		return cannot(w, "a mapping has one key, or one that begins with a question mark");
	if (!map->flow && only_blanks(w, start, from)) {
		from = start;
		to = line_end(w, to);
		to += to < w->len;
		if (joins_text(w, map, i, to, node))
			to = SIZE_MAX;
	} else if (i + 1 < map->count / 2) {
		to = next_of(w, map, p.value);
	} else if (map->flow) {
		from = pair_at(map, i - 1).value->end;
		if (from < p.key->start && memchr(w->text + from, '#', p.key->start - from))
			to = SIZE_MAX;
	} else {
		return cannot(w, "a key is on the line of another");
	}
	return to == SIZE_MAX ? cannot(w, "a comment is beside a key that has to go")
			      : change(w, from, to, &nothing);
}

static int put_pair(struct rewriter *w, struct fg_buffer *out, const char *key, const json_t *value,
		    uint8_t like)
{
	json_t *name = json_string(key);
	int ret = name ? put_line(w, out, name, like) : fail_memory(w);

	json_decref(name);
	fg_buffer_puts(out, ":");
	if (ret || !value)
		return ret;
	fg_buffer_puts(out, " ");
	return put_line(w, out, value, like);
}

/* In a block: a line for it, and for each key of a mapping. */
static int put_lines(struct rewriter *w, struct fg_buffer *out, const char *key,
		     const json_t *value, size_t indent, const char *feed)
{
	bool nested = json_is_object(value) && json_object_size(value) > 0;
	const char *inner;
	json_t *node;
	int ret;

	fg_buffer_printf(out, "%s%*s", feed, (int)indent, "");
	ret = put_pair(w, out, key, nested ? NULL : value, YAML_ANY_SCALAR_STYLE);
	if (!nested)
		return ret;
	json_object_foreach ((json_t *)value, inner, node)
		if (!ret)
			ret = put_lines(w, out, inner, node, indent + 2, feed);
	return ret;
}

/* The last pair of a block that new lines can follow; NULL: there is none. stays: see add(). */
static const struct fg_yaml_span *last_closed(const struct rewriter *w,
					      const struct fg_yaml_span *map, const json_t *stays)
{
	for (size_t i = map->count / 2; i-- > 0;) {
		const struct pair p = pair_at(map, i);

		if (!p.value->folds && colon_of(w, p.key) != SIZE_MAX &&
		    (is_merge(p.key) || json_object_get(stays, p.key->text)))
			return p.value;
	}
	return NULL;
}

/* Behind the other pairs. node: the mapping as it is to read; what is not in it has gone. */
static int add(struct rewriter *w, const struct fg_yaml_span *map, const json_t *node,
	       const char *key, const json_t *value)
{
	struct fg_buffer out = {};
	const struct fg_yaml_span *last = map->flow ? NULL : last_closed(w, map, node);
	size_t at, first = map->count ? map->items[0].start : 0;
	int ret;

	if (map->flow) {
		at = map->count ? map->items[map->count - 1].end : map->end - 1;
		if (!map->anchor && !has_at(w, map->start, '{'))
			return cannot(w, "a pair in a list has no braces");
		fg_buffer_puts(&out, map->count ? ", " : "");
		ret = put_pair(w, &out, key, value, map->count ? map->items[0].style : 0);
	} else {
		if (!last || colon_of(w, &map->items[0]) == SIZE_MAX)
			return cannot(w, "a mapping ends in a block of text");
		at = line_end(w, end_of(w, last));
		at -= at && w->text[at - 1] == '\r';
		ret = put_lines(w, &out, key, value, column(w, first),
				at < w->len && w->text[at] == '\r' ? "\r\n" : "\n");
	}
	if (!ret)
		return change(w, at, at, &out);
	fg_buffer_free(&out);
	return ret;
}

static int rewrite(struct rewriter *w, const struct fg_yaml_span *span,
		   const struct fg_yaml_span *key, const json_t *node);

/* Those pairs of the mapping that are written in it. */
static int rewrite_pairs(struct rewriter *w, const struct fg_yaml_span *map, const json_t *node,
			 json_t *merged)
{
	for (size_t i = 0; i < map->count / 2; i++) {
		const struct pair p = pair_at(map, i);
		const json_t *value = json_object_get(node, p.key->text);
		int ret;

		if (is_merge(p.key)) {
			/* The last one counts. */
			json_object_clear(merged);
			ret = merge(w, p.value, merged);
		} else {
			ret = value ? rewrite(w, p.value, p.key, value)
				    : leave_out(w, map, i, node);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int rewrite_map(struct rewriter *w, const struct fg_yaml_span *map, const json_t *node)
{
	json_t *merged = json_object(), *value;
	int ret = merged ? rewrite_pairs(w, map, node, merged) : fail_memory(w);
	const char *key;

	json_object_foreach (merged, key, value)
		if (!ret && !json_object_get(node, key))
			ret = cannot(w, "what has to go comes with a merge key");
	json_object_foreach ((json_t *)node, key, value)
		if (!ret && !own_key(map, key) && !json_equal(json_object_get(merged, key), value))
			ret = add(w, map, node, key, value);
	json_decref(merged);
	return ret;
}

static int rewrite_list(struct rewriter *w, const struct fg_yaml_span *list, const json_t *node)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < list->count; i++)
		ret = rewrite(w, &list->items[i], NULL, json_array_get(node, i));
	return ret;
}

/* --- nodes --- */

static int rewrite_node(struct rewriter *w, const struct fg_yaml_span *span,
			const struct fg_yaml_span *key, const json_t *node)
{
	switch (span->type) {
	case YAML_ALIAS_EVENT:
		if (json_equal(json_object_get(w->anchors, span->text), node))
			return 0;
		break;
	case YAML_SCALAR_EVENT:
		if (json_is_string(node) && !strcmp(span->text, json_string_value(node)))
			return 0;
		break;
	case YAML_SEQUENCE_START_EVENT:
		if (json_is_array(node) && json_array_size(node) == span->count)
			return rewrite_list(w, span, node);
		break;
	default:
		if (json_is_object(node))
			return rewrite_map(w, span, node);
	}
	return replace(w, span, key, node);
}

static int rewrite(struct rewriter *w, const struct fg_yaml_span *span,
		   const struct fg_yaml_span *key, const json_t *node)
{
	int ret = rewrite_node(w, span, key, node);

	if (ret || !span->anchor || span->type == YAML_ALIAS_EVENT)
		return ret;
	return json_object_set(w->anchors, span->anchor, (json_t *)node) ? fail_memory(w) : 0;
}

/* --- the text --- */

/* YAML 1.1 has more line breaks than those that are looked for above. */
static bool has_other_breaks(const struct rewriter *w)
{
	static const char *const others[] = { "\302\205", "\342\200\250", "\342\200\251" };

	for (size_t i = 0; i < COUNT(others); i++)
		if (memmem(w->text, w->len, others[i], strlen(others[i])))
			return true;
	for (size_t i = 0; i < w->len; i++)
		if (w->text[i] == '\r' && (i + 1 == w->len || w->text[i + 1] != '\n'))
			return true;
	return false;
}

static int by_place(const void *a, const void *b)
{
	const struct edit *l = a, *r = b;

	if (l->from != r->from)
		return l->from < r->from ? -1 : 1;
	return l->order < r->order ? -1 : 1;
}

/* libyaml takes the "#" of "]#" for a comment; behind a word that needs a blank. */
static void put_kept(const struct rewriter *w, struct fg_buffer *out, size_t from, size_t to)
{
	if (from < to && w->text[from] == '#' && out->len && !is_blank(out->data[out->len - 1]))
		fg_buffer_puts(out, " ");
	fg_buffer_put(out, w->text + from, to - from);
}

static int put_edits(struct rewriter *w, struct fg_buffer *out)
{
	size_t at = 0;

	if (w->count)
		qsort(w->edits, w->count, sizeof(*w->edits), by_place);
	for (size_t i = 0; i < w->count; i++) {
		const struct edit *e = &w->edits[i];

		if (e->from < at || e->to < e->from)
			return cannot(w, "two changes are at one place");
		put_kept(w, out, at, e->from);
		fg_buffer_puts(out, e->text);
		at = e->to;
	}
	put_kept(w, out, at, w->len);
	fg_buffer_put(out, "", 1);
	return out->failed ? fail_memory(w) : 0;
}

char *fg_yaml_rewrite(const struct fg_yaml *yaml, const json_t *root, const char **why,
		      struct fg_error *err)
{
	struct rewriter w = { .yaml = yaml,
			      .text = yaml->text.data,
			      .len = yaml->text.len,
			      .anchors = json_object(),
			      .why = why,
			      .err = err };
	struct fg_yaml_span span = {};
	struct fg_buffer out = {};
	int ret = w.anchors ? 0 : fail_memory(&w);

	*why = NULL;
	if (!ret && !yaml->events.len)
		ret = cannot(&w, "the text was not kept");
	if (!ret && has_other_breaks(&w))
		ret = cannot(&w, "its lines do not end in line feeds");
	if (!ret)
		ret = fg_yaml_spans(&span, yaml->file, &yaml->text, &yaml->events, err);
	if (!ret)
		ret = span.type ? rewrite(&w, &span, NULL, root) : cannot(&w, "it is empty");
	if (!ret)
		ret = put_edits(&w, &out);
	for (size_t i = 0; i < w.count; i++)
		free(w.edits[i].text);
	free(w.edits);
	fg_yaml_span_free(&span);
	json_decref(w.anchors);
	if (ret)
		fg_buffer_free(&out);
	return out.data;
}
