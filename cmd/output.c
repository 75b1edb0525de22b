// SPDX-License-Identifier: GPL-2.0-only
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

static int write_failed(struct fg_error *err)
{
	fg_fail_errno(err, FG_ERR_INTERNAL, errno, "standard output");
	/*
	 * The error is reported here: what is still in stdio's buffer is not tried, and not
	 * complained of, again.
	 */
	__fpurge(stdout);
	return -1;
}

int fg_output_write(const char *data, size_t len, struct fg_error *err)
{
	/* Nothing to write may be NULL. */
	return !len || fwrite(data, 1, len, stdout) == len ? 0 : write_failed(err);
}

int fg_output_flush(struct fg_error *err)
{
	return fflush(stdout) ? write_failed(err) : 0;
}

int fg_output_string(const char *text, struct fg_error *err)
{
	if (fg_output_write(text, strlen(text), err))
		return -1;
	return fg_output_flush(err);
}
