// SPDX-License-Identifier: GPL-2.0-only
#include "listing/internal.h"

#include <stdio.h>
#include <time.h>

#define SECOND_NS 1000000000ULL

const char *fg_time_text(uint64_t ns, char *buf, size_t size)
{
	time_t seconds = (time_t)(ns / SECOND_NS);
	char whole[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%09uZ", whole, (unsigned int)(ns % SECOND_NS));
	return buf;
}
