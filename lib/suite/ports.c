// SPDX-License-Identifier: GPL-2.0-only
/* suite/ports.c - two summaries of a sweep, port by port. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "suite/internal.h"

/* What had no port comes after all that had one. */
#define NO_PORT 65536
#define PORTS (NO_PORT + 1)

struct side {
	const char *part[PORTS][FG_ESSENCE_PARTS]; /* borrowed, of the summary or of texts */
	char **texts;				   /* of several words; owned */
	size_t text_count;
	bool failed; /* memory was short */
};

static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at++)
		if ((at == list || at[-1] == ' ') && (at[len] == ',' || !at[len]))
			return true;
	return false;
}

/* The list with one word more, in the order of their bytes. Owned by the side; NULL: no memory. */
static const char *with_word(struct side *side, const char *list, const char *word)
{
	const size_t len = strlen(list);
	size_t at = 0;
	char *text;

	while (at < len && strncmp(list + at, word, strlen(word)) < 0)
		at += strcspn(list + at, ",") + 2;
	if (at >= len ? asprintf(&text, "%s, %s", list, word) < 0
		      : asprintf(&text, "%.*s%s, %s", (int)at, list, word, list + at) < 0)
		return NULL;
	for (size_t i = 0; i < side->text_count; i++)
		if (!strcmp(side->texts[i], text)) {
			free(text);
			return side->texts[i];
		}
	if (!FG_GROW(side->texts, side->text_count, 1, "texts", NULL)) {
		free(text);
		return NULL;
	}
	side->texts[side->text_count++] = text;
	return text;
}

/* Probes of one port may have come to different things: all are compared. */
static void mark(struct side *side, uint32_t port, enum fg_essence_part part, const char *word)
{
	const char **at = &side->part[port][part];

	if (!*at)
		*at = word;
	else if (!has_word(*at, word))
		*at = with_word(side, *at, word);
	side->failed |= !*at;
}

/* "80" or "80-90"; what is neither is nothing. */
static void mark_range(struct side *side, const char *range, enum fg_essence_part part,
		       const char *word)
{
	char *end;
	unsigned long first = strtoul(range, &end, 10), last = first;

	if (end == range)
		return;
	if (*end == '-')
		last = strtoul(end + 1, NULL, 10);
	for (unsigned long p = first; p <= last && p < NO_PORT; p++)
		mark(side, (uint32_t)p, part, word);
}

static void mark_all(struct side *side, const json_t *counted, enum fg_essence_part part,
		     const char *word)
{
	const json_t *ports = json_object_get(counted, "ports");
	size_t i, count = json_array_size(ports);

	if (!word || !json_integer_value(json_object_get(counted, "count")))
		return;
	for (i = 0; i < count; i++)
		if (json_is_string(json_array_get(ports, i)))
			mark_range(side, json_string_value(json_array_get(ports, i)), part, word);
	if (!count)
		mark(side, NO_PORT, part, word);
}

static void mark_words(struct side *side, const json_t *object, enum fg_essence_part part)
{
	const char *word;
	json_t *counted;

	json_object_foreach ((json_t *)object, word, counted) {
		mark_all(side, counted, part, word);
	}
}

static const char *name_of(const json_t *culprit, const char *key)
{
	const char *name = json_string_value(json_object_get(culprit, key));

	return name ? name : json_string_value(json_object_get(culprit, "kind"));
}

/* NULL, and *failed: memory is short; a summary that is not there has nothing. */
static struct side *read_side(const json_t *summary, bool *failed)
{
	struct side *side = calloc(1, sizeof(*side));
	json_t *culprit;
	size_t i;

	*failed |= !side;
	if (!side || !summary)
		return side;
	mark_words(side, json_object_get(summary, "verdicts"), FG_ESSENCE_VERDICT);
	mark_words(side, json_object_get(summary, "outcomes"), FG_ESSENCE_OUTCOME);
	json_array_foreach (json_object_get(summary, "deniers"), i, culprit) {
		mark_all(side, json_object_get(culprit, "denied"), FG_ESSENCE_DENIED_BY,
			 name_of(culprit, "name"));
	}
	json_array_foreach (json_object_get(summary, "drops"), i, culprit) {
		mark_all(side, json_object_get(culprit, "dropped"), FG_ESSENCE_REASON,
			 name_of(culprit, "reason"));
	}
	*failed |= side->failed;
	return side;
}

static void side_free(struct side *side)
{
	for (size_t i = 0; side && i < side->text_count; i++)
		free(side->texts[i]);
	if (side)
		free(side->texts);
	free(side);
}

static void take(const struct side *side, uint32_t port, struct fg_essence *out)
{
	*out = (struct fg_essence){};
	for (int i = 0; i < FG_ESSENCE_PARTS; i++)
		out->part[i] = side->part[port][i];
}

static bool is_there(const struct fg_essence *e)
{
	return e->part[FG_ESSENCE_VERDICT] || e->part[FG_ESSENCE_OUTCOME];
}

static bool is_alike(const struct side *side, uint32_t a, uint32_t b)
{
	struct fg_essence one, other;

	take(side, a, &one);
	take(side, b, &other);
	return is_there(&one) == is_there(&other) && fg_essence_is_same(&one, &other);
}

static void name_range(char *buf, size_t size, const char *key, uint32_t first, uint32_t last)
{
	if (first == NO_PORT)
		snprintf(buf, size, "%s", key);
	else if (first == last)
		snprintf(buf, size, "%s: port %u", key, first);
	else
		snprintf(buf, size, "%s: ports %u-%u", key, first, last);
}

int fg_ports_compare(const char *key, const json_t *before, const json_t *after,
		     fg_ports_range_fn told, void *arg)
{
	bool failed = false;
	struct side *a = read_side(before, &failed), *b = read_side(after, &failed);
	struct fg_essence was, is;
	char name[500];

	for (uint32_t first = 0, last; !failed && first < PORTS; first = last + 1) {
		last = first;
		while (last + 1 < NO_PORT && is_alike(a, first, last + 1) &&
		       is_alike(b, first, last + 1))
			last++;
		take(a, first, &was);
		take(b, first, &is);
		if (!is_there(&was) && !is_there(&is))
			continue;
		name_range(name, sizeof(name), key, first, last);
		told(arg, name, is_there(&was) ? &was : NULL, is_there(&is) ? &is : NULL);
	}
	side_free(a);
	side_free(b);
	return failed ? -1 : 0;
}
