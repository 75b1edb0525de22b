// SPDX-License-Identifier: GPL-2.0-only
#include "report/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/markup.h"

static char *put_digits(char *to, int64_t value, int count, char after)
{
	for (int i = count; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	to[count] = after;
	return to + count + 1;
}

/* strftime() and printf() would take longer than the rest of a line of JSON. */
const char *fg_origin_time(const struct fg_origin *origin, uint64_t monotonic_ns, char *buf)
{
	int64_t ns = (int64_t)monotonic_ns + origin->offset_ns;
	time_t seconds = ns / 1000000000;
	char *to = buf;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	to = put_digits(to, tm.tm_year + 1900, 4, '-');
	to = put_digits(to, tm.tm_mon + 1, 2, '-');
	to = put_digits(to, tm.tm_mday, 2, 'T');
	to = put_digits(to, tm.tm_hour, 2, ':');
	to = put_digits(to, tm.tm_min, 2, ':');
	to = put_digits(to, tm.tm_sec, 2, '.');
	to = put_digits(to, ns / 1000000 % 1000, 3, 'Z');
	*to = '\0';
	return buf;
}

json_t *fg_origin_json(const struct fg_origin *o)
{
	return o ? json_pack("{s:s,s:s,s:o,s:o,s:s}", "id", o->id, "started", o->started, "host",
			     fg_json_text(o->host.nodename), "kernel",
			     fg_json_text(o->host.release), "version", o->version)
		 : json_null();
}

void fg_origin_put_json(const struct fg_origin *origin, struct fg_buffer *out)
{
	json_t *object = fg_origin_json(origin);
	char *text = object ? json_dumps(object, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	json_decref(object);
	out->failed |= !text;
	fg_buffer_puts(out, text ? text : "");
	free(text);
}

void fg_origin_put(const struct fg_origin *o, struct fg_buffer *out)
{
	fg_buffer_printf(out, "run %s on ", o->id);
	fg_markup_put_visible(out, o->host.nodename, strlen(o->host.nodename));
	fg_buffer_puts(out, " (Linux ");
	fg_markup_put_visible(out, o->host.release, strlen(o->host.release));
	fg_buffer_printf(out, "), flowgen %s, %s", o->version, o->started);
}
