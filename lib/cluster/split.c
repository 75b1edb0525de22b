// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/split.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"

#define WHAT "scenario"

/* --- variables --- */

static const char *variable(const struct fg_split *s, const char *name, size_t len)
{
	char key[128];

	for (const char *const *set = s->settings; *set; set++)
		if (!strncmp(*set, name, len) && (*set)[len] == '=')
			return *set + len + 1;
	snprintf(key, sizeof(key), "%.*s", (int)len, name);
	return json_string_value(json_object_get(json_object_get(s->root, "variables"), key));
}

/* The text with its variables. What is not one stays: the node says what is wrong with it. */
static void expand(const struct fg_split *s, const char *text, char *out, size_t size)
{
	size_t n = 0;

	while (*text && n + 1 < size) {
		const char *end = !strncmp(text, "${", 2) ? strchr(text, '}') : NULL;
		const char *value = end ? variable(s, text + 2, (size_t)(end - text) - 2) : NULL;

		if (value) {
			n += (size_t)snprintf(out + n, size - n, "%s", value);
			text = end + 1;
		} else {
			out[n++] = *text++;
		}
	}
	out[n < size ? n : size - 1] = '\0';
}

/* --- finding the ends --- */

struct fg_split_end *fg_split_find(const struct fg_split *split, const char *key)
{
	for (size_t i = 0; i < split->count; i++)
		if (!strcmp(split->ends[i].key, key))
			return &split->ends[i];
	return NULL;
}

static int add_end(struct fg_split *s, const char *key, const json_t *where, const char *text,
		   bool sends, bool listed, struct fg_error *err)
{
	struct fg_split_end *known = fg_split_find(s, key), *e;
	char name[FG_NAME_LEN];

	s->failed = where;
	/* A pod that is named in `from` and in `to`. */
	if (known) {
		known->sends |= sends;
		s->failed = NULL;
		return 0;
	}
	e = FG_APPEND(s->ends, s->count, WHAT, err);
	if (!e)
		return -1;
	e->key = strdup(key);
	if (!e->key)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	e->where = where;
	e->sends = sends;
	e->listed = listed;
	expand(s, text, name, sizeof(name));
	if (sends ? fg_names_read_source(key, name, &e->name, err)
		  : fg_names_read_target(key, name, &e->name, err))
		return -1;
	if (!e->name.all && e->name.kind != FG_NAME_ENDPOINTS) {
		s->failed = NULL;
		return 0;
	}
	return fg_fail(err, FG_ERR_USAGE,
		       "%s: \"%s\": one name in a scenario is one pod or address", key, name);
}

static int add_pods(struct fg_split *s, struct fg_error *err)
{
	const char *key, *text;
	json_t *value;

	json_object_foreach (json_object_get(s->root, "pods"), key, value) {
		text = json_string_value(json_is_object(value) ? json_object_get(value, "ref")
							       : value);
		if (!text) {
			s->failed = value;
			fg_fail(err, FG_ERR_USAGE,
				"pods.%.60s: a selector is for the pods of one node", key);
			return fg_hint(err, "name the pods: NAMESPACE/NAME, deploy:, sts:, label:");
		}
		if (add_end(s, key, value, text, true, true, err))
			return -1;
	}
	return 0;
}

static int add_destinations(struct fg_split *s, struct fg_error *err)
{
	const char *key, *text;
	json_t *value;

	json_object_foreach (json_object_get(s->root, "destinations"), key, value) {
		text = json_string_value(json_is_object(value) ? json_object_get(value, "address")
							       : value);
		if (!text) {
			s->failed = value;
			return fg_fail(err, FG_ERR_USAGE,
				       "destinations.%.60s: over a cluster it is a name or an "
				       "address",
				       key);
		}
		if (add_end(s, key, value, text, false, false, err))
			return -1;
		fg_split_find(s, key)->ported = json_object_get(value, "port") != NULL;
	}
	return 0;
}

/* A word, or a list of words, at a probe. */
static int add_words(struct fg_split *s, const json_t *value, bool sends, struct fg_error *err)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;
	char text[FG_NAME_LEN];

	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
		const char *word = json_string_value(item);

		if (!word)
			continue;
		expand(s, word, text, sizeof(text));
		if (add_end(s, text, item, text, sends, false, err))
			return -1;
	}
	return 0;
}

static const char *const lists[] = { "probes", "matrix" };

/* "matrix" may be one mapping or a list. */
static const json_t *entry(const json_t *list, size_t index)
{
	if (json_is_array(list))
		return json_array_get(list, index);
	return index ? NULL : list;
}

static int add_ends(struct fg_split *s, const json_t *probe, struct fg_error *err)
{
	return add_words(s, json_object_get(probe, "from"), true, err) ||
			       add_words(s, json_object_get(probe, "to"), false, err)
		       ? -1
		       : 0;
}

int fg_split_open(struct fg_split *split, json_t *root, const char *const *settings,
		  struct fg_error *err)
{
	*split = (struct fg_split){ .root = root, .settings = settings };
	if (add_pods(split, err) || add_destinations(split, err) ||
	    add_ends(split, json_object_get(root, "defaults"), err))
		return -1;
	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++) {
		const json_t *list = json_object_get(root, lists[l]), *probe;

		for (size_t i = 0; (probe = entry(list, i)); i++)
			if (add_ends(split, probe, err))
				return -1;
	}
	return 0;
}

static void free_end(struct fg_split_end *e)
{
	free(e->key);
	free(e->receivers.list);
}

void fg_split_free(struct fg_split *split)
{
	for (size_t i = 0; i < split->count; i++)
		free_end(&split->ends[i]);
	free(split->ends);
	json_decref(split->before);
	*split = (struct fg_split){};
}

/* --- the scenario of one node --- */

static bool is_here(const struct fg_split *s, const char *word, const char *node)
{
	const struct fg_split_end *e = fg_split_find(s, word);

	return e && e->sends && !strcmp(e->node, node);
}

/* The senders of a probe that are on this node; NULL: none. */
static json_t *local_senders(const struct fg_split *s, const json_t *from, const char *node)
{
	size_t count = json_is_array(from) ? json_array_size(from) : 1;
	json_t *here = json_array();
	char text[FG_NAME_LEN];

	for (size_t i = 0; i < count; i++) {
		const char *word =
			json_string_value(json_is_array(from) ? json_array_get(from, i) : from);

		expand(s, word ? word : "", text, sizeof(text));
		if (is_here(s, text, node))
			json_array_append_new(here, json_string(text));
	}
	if (json_array_size(here))
		return here;
	json_decref(here);
	return NULL;
}

/* Rows of pods that are elsewhere have no sender here. */
static void drop_rows(const struct fg_split *s, json_t *table, const char *node)
{
	const char *key;
	json_t *row;
	void *next;

	json_object_foreach_safe(table, next, key, row) if (!is_here(s, key, node))
		json_object_del(table, key);
}

/* Probes have names of destinations, which are all listed. */
static json_t *local_probe(const struct fg_split *s, const json_t *probe, const char *node)
{
	const json_t *all = json_object_get(probe, "from");
	json_t *from, *copy;
	size_t senders;

	if (!all)
		all = json_object_get(json_object_get(s->root, "defaults"), "from");
	from = local_senders(s, all, node);
	if (!from)
		return NULL;
	copy = json_deep_copy(probe);
	senders = json_is_array(all) ? json_array_size(all) : 1;
	/* So the node gives its probes the names that they have in the whole. */
	if (senders != json_array_size(from))
		json_object_set_new(copy, "senders", json_sprintf("%zu", senders));
	json_object_set_new(copy, "from", from);
	drop_rows(s, json_object_get(copy, "table"), node);
	return copy;
}

static size_t put_probes(const struct fg_split *s, json_t *document, const char *key,
			 const char *node)
{
	const json_t *list = json_object_get(s->root, key), *probe;
	json_t *out = json_array(), *local;
	size_t count;

	for (size_t i = 0; (probe = entry(list, i)); i++)
		if ((local = local_probe(s, probe, node)))
			json_array_append_new(out, local);
	count = json_array_size(out);
	if (count && !json_is_array(list))
		json_object_set(document, key, json_array_get(out, 0));
	else if (count)
		json_object_set(document, key, out);
	else
		json_object_del(document, key);
	json_decref(out);
	return count;
}

/* Pods of this node keep what is said of them; all others are addresses. */
static void put_ends(const struct fg_split *s, json_t *document, const char *node)
{
	json_t *pods = json_object(), *destinations = json_object();

	for (size_t i = 0; i < s->count; i++) {
		const struct fg_split_end *e = &s->ends[i];
		json_t *old = json_object_get(json_object_get(s->root, "pods"), e->key), *entry_;
		const json_t *place =
			json_object_get(json_object_get(s->root, "destinations"), e->key);

		if (e->sends && !strcmp(e->node, node)) {
			entry_ = json_is_object(old) ? json_deep_copy(old) : json_object();
			json_object_set_new(entry_, "ref", json_string(e->pod));
			json_object_set_new(pods, e->key, entry_);
		} else if (e->address[0] && !e->listed && json_is_object(place)) {
			entry_ = json_deep_copy(place);
			json_object_set_new(entry_, "address", json_string(e->address));
			json_object_set_new(destinations, e->key, entry_);
		} else if (e->address[0]) {
			json_object_set_new(destinations, e->key, json_string(e->address));
		}
	}
	json_object_set_new(document, "pods", pods);
	json_object_set_new(document, "destinations", destinations);
}

json_t *fg_split_node(const struct fg_split *split, const char *node)
{
	json_t *document = json_deep_copy(split->root);
	size_t count = 0;

	put_ends(split, document, node);
	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++)
		count += put_probes(split, document, lists[l], node);
	if (count)
		return document;
	json_decref(document);
	return NULL;
}

/* --- the same for who awaits what it sends --- */

/* The rank-th receiver (from 0) that the end has on the node; NULL: it has less. */
static const struct fg_target *receiver_of(const struct fg_split_end *end, const char *node,
					   size_t rank)
{
	for (size_t i = 0; i < end->receivers.count; i++)
		if (!strcmp(end->receivers.list[i].node, node) && !rank--)
			return &end->receivers.list[i];
	return NULL;
}

/* "ip:ADDR,ADDR": one of each family. */
static json_t *addresses_of(const struct fg_object_pod *pod)
{
	char text[2 * FG_ADDR_TEXT_LEN + 8] = "ip:", addr[FG_ADDR_TEXT_LEN];
	uint16_t before = 0;
	size_t len = 3;

	for (size_t i = 0; pod && i < pod->address_count; i++) {
		if (pod->addresses[i].family == before)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", before ? "," : "",
					fg_addr_text(&pod->addresses[i], addr, sizeof(addr)));
		if (before)
			break;
		before = pod->addresses[i].family;
	}
	return json_string(text);
}

static void put_arrival(json_t *destinations, const char *key, const struct fg_target *to)
{
	json_t *place = json_object_get(destinations, key), *made;
	char addr[FG_ADDR_TEXT_LEN], text[FG_ADDR_TEXT_LEN + 16];
	bool six = to->addr.family == AF_INET6;

	if (json_is_string(place)) {
		made = json_pack("{s:O}", "address", place);
		json_object_set_new(destinations, key, made);
		place = made;
	}
	fg_addr_text(&to->addr, addr, sizeof(addr));
	snprintf(text, sizeof(text), to->port > 0 ? (six ? "[%s]:%d" : "%s:%d") : "%s", addr,
		 to->port);
	json_object_set_new(place, "arrives-as", json_string(text));
}

json_t *fg_split_awaited(const struct fg_split *split, const char *sender, const char *node,
			 size_t rank)
{
	json_t *document = fg_split_node(split, sender);
	json_t *pods = json_object_get(document, "pods"),
	       *destinations = json_object_get(document, "destinations");

	for (size_t i = 0; document && i < split->count; i++) {
		const struct fg_split_end *e = &split->ends[i];
		const struct fg_target *to = receiver_of(e, node, rank);

		if (json_object_get(pods, e->key))
			json_object_set_new(pods, e->key,
					    json_pack("{s:o}", "ref", addresses_of(e->object)));
		else if (to && !e->object && json_object_get(destinations, e->key))
			put_arrival(destinations, e->key, to);
	}
	return document;
}

/* --- the whole --- */

/* The value of a key, which becomes this text. A node that was in the file stays it. */
static int set_text(json_t *map, const char *key, const char *inner, const char *text)
{
	json_t *value = json_object_get(map, key);

	if (json_is_object(value))
		value = json_object_get(value, inner);
	return json_is_string(value) ? json_string_set(value, text)
				     : json_object_set_new(map, key, json_string(text));
}

static json_t *map_at(json_t *root, const char *key)
{
	json_t *map = json_object_get(root, key);

	if (!map && !json_object_set_new(root, key, json_object()))
		map = json_object_get(root, key);
	return map;
}

static const char *const maps[] = { "pods", "destinations" };

void fg_split_restore(const struct fg_split *split, json_t *root)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		json_t *map = json_object_get(split->before, maps[i]);

		if (map)
			json_object_set(root, maps[i], map);
		else
			json_object_del(root, maps[i]);
	}
}

int fg_split_whole(struct fg_split *split, struct fg_error *err)
{
	split->before = json_object();
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		const json_t *map = json_object_get(split->root, maps[i]);

		if (map && json_object_set_new(split->before, maps[i], json_deep_copy(map)))
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	}
	for (size_t i = 0; i < split->count; i++) {
		const struct fg_split_end *e = &split->ends[i];
		json_t *map = map_at(split->root, e->sends ? "pods" : "destinations");

		/* The scenario's reader refuses anything else. */
		if (!json_is_object(map))
			continue;
		if (set_text(map, e->key, e->sends ? "ref" : "address",
			     e->sends ? e->pod : e->address))
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	}
	return 0;
}
