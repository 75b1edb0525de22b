// SPDX-License-Identifier: GPL-2.0-only
/* run/origin.c - which run this process is. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "run/run.h"

const struct fg_origin *fg_run_origin(void)
{
	static struct fg_origin origin;
	uint64_t now = fg_clock_now(), id;

	if (origin.version)
		return &origin;
	if (uname(&origin.host) || getrandom(&id, sizeof(id), 0) != sizeof(id))
		fg_error_die(errno, "the number of this run");
	snprintf(origin.id, sizeof(origin.id), "%016llx", (unsigned long long)id);
	origin.offset_ns = (int64_t)(fg_clock_realtime() - now);
	fg_origin_time(&origin, now, origin.started);
	origin.version = FLOWGEN_VERSION;
	return &origin;
}
