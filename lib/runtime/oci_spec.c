// SPDX-License-Identifier: GPL-2.0-only
/*
 * The few members of an OCI runtime specification that name a pod. A specification is mostly a list
 * of allowed system calls, 20 KB and more, which would cost a node of 250 pods half a second to
 * parse: so that is stepped over, and only what is wanted is handed to jansson.
 */
#include "runtime/internal.h"

#include <string.h>

/* A part of the text. */
struct span {
	const char *at;
	const char *end;
};

static void skip_blanks(struct span *text)
{
	while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
		text->at++;
}

/* Steps over a string, from one quotation mark to the other. */
static bool skip_string(struct span *text)
{
	for (text->at++; text->at < text->end; text->at++) {
		if (*text->at == '\\')
			text->at++;
		else if (*text->at == '"') {
			text->at++;
			return true;
		}
	}
	return false;
}

/* Steps over one value; of an object or a list only strings and brackets are looked at. */
static bool skip_value(struct span *text)
{
	const char *start = text->at;
	unsigned int depth = 0;

	while (text->at < text->end) {
		char c = *text->at;

		if (c == '"') {
			if (!skip_string(text))
				return false;
			if (!depth)
				return true;
			continue;
		}
		if (!depth && (c == ',' || c == '}' || c == ']'))
			break;
		text->at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && !--depth)
			return true;
	}
	return !depth && text->at > start;
}

/* Calls for each member of the object that text holds. False if it is not an object, or does not
 * end. */
static bool next_member(struct span *text, struct span *key, struct span *value)
{
	skip_blanks(text);
	if (text->at >= text->end || (*text->at != '{' && *text->at != ','))
		return false;
	text->at++;
	skip_blanks(text);
	if (text->at >= text->end || *text->at != '"')
		return false;
	key->at = text->at + 1;
	if (!skip_string(text))
		return false;
	key->end = text->at - 1;
	skip_blanks(text);
	if (text->at >= text->end || *text->at++ != ':')
		return false;
	skip_blanks(text);
	value->at = text->at;
	if (!skip_value(text))
		return false;
	value->end = text->at;
	skip_blanks(text);
	return text->at < text->end;
}

static bool key_is(const struct span *key, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(key->end - key->at) == len && !memcmp(key->at, name, len);
}

/*
 * Copies those members of the object that keys name (NULL ends the list). False: it is not an
 * object.
 */
static bool copy_members(struct span text, const char *const *keys, json_t *out)
{
	struct span key, value;

	while (next_member(&text, &key, &value)) {
		for (const char *const *name = keys; *name; name++) {
			if (!key_is(&key, *name))
				continue;
			json_t *parsed = json_loadb(
				value.at, (size_t)(value.end - value.at),
				JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);

			if (!parsed || json_object_set_new(out, *name, parsed))
				return false;
		}
		if (*text.at == '}')
			return true;
	}
	/* Only an empty object has no first member. */
	skip_blanks(&text);
	if (text.at >= text.end || *text.at++ != '{')
		return false;
	skip_blanks(&text);
	return text.at < text.end && *text.at == '}';
}

/* The value of one member; false if there is none. */
static bool find_member(struct span text, const char *name, struct span *out)
{
	struct span key, value;

	while (next_member(&text, &key, &value)) {
		if (!key_is(&key, name))
			continue;
		*out = value;
		return true;
	}
	return false;
}

json_t *fg_oci_spec_parse(const char *text, size_t len)
{
	static const char *const top[] = { "annotations", "hostname", NULL };
	static const char *const inner[] = { "namespaces", NULL };
	struct span all = { text, text + len }, system;
	FG_JSON json_t *spec = json_object();
	json_t *linux_part = json_object();

	if (json_object_set_new(spec, "linux", linux_part) || !copy_members(all, top, spec))
		return NULL;
	if (find_member(all, "linux", &system) && !copy_members(system, inner, linux_part))
		return NULL;
	return json_incref(spec);
}
