// SPDX-License-Identifier: GPL-2.0-only
#include "error.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Text from a user or a packet may hold anything; a message must stay one line on a terminal. */
static void make_one_line(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

int fg_fail(struct fg_error *err, enum fg_error_kind kind, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	err->kind = kind;
	err->code = 0;
	err->hint[0] = '\0';
	va_start(args, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	make_one_line(err->message);
	return -1;
}

int fg_fail_errno(struct fg_error *err, enum fg_error_kind kind, int code, const char *fmt, ...)
{
	char text[sizeof(err->message)];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (code == EPERM || code == EACCES)
		kind = FG_ERR_UNSUPPORTED;
	fg_fail(err, kind, "%s: %s", text, strerror(code));
	err->code = code;
	return -1;
}

int fg_hint(struct fg_error *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
	make_one_line(err->hint);
	return -1;
}

int fg_error_prefix(struct fg_error *err, const char *fmt, ...)
{
	char text[sizeof(err->message)];
	size_t len;
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", err->message);
	make_one_line(text);
	memcpy(err->message, text, sizeof(text));
	return -1;
}
