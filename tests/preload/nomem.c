// SPDX-License-Identifier: GPL-2.0-only
/*
 * nomem - for LD_PRELOAD: the allocation with the number NOMEM_AT fails, and so do the
 * NOMEM_TIMES - 1 after it. NOMEM_COUNT names a file that gets the number of allocations.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static unsigned long count, at, times;
static int counts = -1; /* open from the start: later flowgen may not open files to write */
static bool begun;

static bool is_refused(void)
{
	if (!begun)
		return false;
	count++;
	if (!at || count < at || count - at >= times)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return is_refused() ? NULL : __libc_realloc(old, size);
}

static __attribute__((constructor)) void begin(void)
{
	const char *text = getenv("NOMEM_AT"), *more = getenv("NOMEM_TIMES");

	at = text ? strtoul(text, NULL, 10) : 0;
	text = getenv("NOMEM_COUNT");
	counts = text ? open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	times = more ? strtoul(more, NULL, 10) : 1;
	begun = true;
}

static __attribute__((destructor)) void end(void)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lu\n", count);

	begun = false;
	if (counts >= 0 && write(counts, text, (size_t)len) != len)
		_exit(125);
}
