/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/json.h - text from outside as JSON. Names of devices, namespaces and programs may hold any
 * byte; JSON (RFC 8259 section 8.1) holds UTF-8 only. Pure.
 */
#ifndef FG_JSON_H
#define FG_JSON_H

#include <jansson.h>

#include "base/buffer.h"

/*
 * From now on the process ends (fg_error_die()) if there is no memory for a JSON value: jansson
 * leaves out what it could not make, and a document with a part missing is a wrong one.
 */
void fg_json_careful(void);

/*
 * The text as a JSON string; NULL and "" are JSON's null. If it is not UTF-8, each byte that is
 * not ASCII becomes '?'. Returns a new reference, or NULL if memory is short.
 */
json_t *fg_json_text(const char *text);

/* The string that an object has by that key; "" if it has none, or is not an object. Borrowed. */
const char *fg_json_string(const json_t *object, const char *key);

/* Whether the text is one of the words; the last of these is NULL. */
bool fg_json_one_of(const char *text, const char *const *words);
#define FG_JSON_ONE_OF(text, ...) fg_json_one_of(text, (const char *const[]){ __VA_ARGS__, NULL })

/*
 * The text of fg_json_text(), appended, with what base/visible.h hides escaped; if memory is short
 * the buffer has failed.
 */
void fg_json_put_text(struct fg_buffer *out, const char *text);

/*
 * The value as compact JSON, escaped in the same way. Returns an owned text, or NULL if memory is
 * short.
 */
char *fg_json_dump(const json_t *value);

#endif
