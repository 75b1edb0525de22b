// SPDX-License-Identifier: GPL-2.0-only
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/visible.h"

#define STATUS_INTERNAL 5 /* what cmd/args.c makes of FG_ERR_INTERNAL */

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
	fg_visible_make(err->message);
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
	else if (code == ENOMEM || code == EMFILE || code == ENFILE)
		kind = FG_ERR_INTERNAL;
	fg_fail(err, kind, "%s: %s", text, strerror(code));
	err->code = code;
	return -1;
}

int fg_error_status(enum fg_error_kind kind)
{
	static const int status[] = { [FG_OK] = 0,
				      [FG_ERR_USAGE] = 2,
				      [FG_ERR_UNSUPPORTED] = 3,
				      [FG_ERR_INCONCLUSIVE] = 4,
				      [FG_ERR_INTERNAL] = 5 };

	return status[kind];
}

int fg_hint(struct fg_error *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
	fg_visible_make(err->hint);
	return -1;
}

_Noreturn void fg_error_die(int code, const char *what)
{
	char line[300];
	/* Without memory and stdio: either may be what failed. */
	int len = snprintf(line, sizeof(line), "flowgen: %.200s: %s\n", what, strerror(code));

	if (len <= 0 || write(STDERR_FILENO, line, (size_t)len) != len)
		_exit(STATUS_INTERNAL);
	_exit(STATUS_INTERNAL);
}

int fg_error_pass(struct fg_error *err, const struct fg_error *why)
{
	if (err)
		*err = *why;
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
	fg_visible_make(text);
	memcpy(err->message, text, sizeof(text));
	return -1;
}
