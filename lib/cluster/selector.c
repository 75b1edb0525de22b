// SPDX-License-Identifier: GPL-2.0-only
/* selector.c - selectors of labels, the equality-based ones and those of existence. */
#include <stdio.h>
#include <string.h>

#include "cluster/internal.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

struct term {
	char key[320], value[64];
	bool valued, not ;
};

/* Reads one term; *text is moved behind it and its comma. */
static bool read_term(const char **text, struct term *t)
{
	const char *p = *text;
	size_t len;

	*t = (struct term){};
	if (*p == '!') {
		t->not = true;
		p++;
	}
	len = strspn(p, LETTERS "/");
	if (!len || len >= sizeof(t->key))
		return false;
	snprintf(t->key, sizeof(t->key), "%.*s", (int)len, p);
	p += len;
	if (*p == '=' || (*p == '!' && p[1] == '=')) {
		if (t->not )
			return false;
		t->valued = true;
		t->not = *p == '!';
		p += t->not || p[1] == '=' ? 2 : 1;
		len = strspn(p, LETTERS);
		if (len >= sizeof(t->value))
			return false;
		snprintf(t->value, sizeof(t->value), "%.*s", (int)len, p);
		p += len;
	}
	if (*p && (*p != ',' || !p[1]))
		return false;
	*text = *p ? p + 1 : p;
	return true;
}

/* "!=" is also true of an object without the label, as in Kubernetes. */
static bool term_fits(const struct term *t, const json_t *labels)
{
	const char *value = json_string_value(json_object_get(labels, t->key));
	bool same = value && (!t->valued || !strcmp(value, t->value));

	return same != t->not ;
}

bool fg_selector_check(const char *selector)
{
	struct term t;

	if (!*selector)
		return false;
	while (*selector)
		if (!read_term(&selector, &t))
			return false;
	return true;
}

bool fg_selector_fits(const char *selector, const json_t *labels)
{
	struct term t;

	if (!*selector)
		return false;
	while (*selector)
		if (!read_term(&selector, &t) || !term_fits(&t, labels))
			return false;
	return true;
}
