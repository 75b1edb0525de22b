// SPDX-License-Identifier: GPL-2.0-only
#include "timing/timing.h"

#include <string.h>

#include "base/clock.h"

/* More phases than these are not told apart. */
#define PHASES 24

static struct {
	struct phase {
		const char *name;
		uint64_t wall_ns, cpu_ns;
	} list[PHASES];
	size_t count;
	uint64_t wall_ns, cpu_ns; /* when the last one ended */
} timing;

static struct phase *phase_of(const char *name)
{
	for (size_t i = 0; i < timing.count; i++)
		if (!strcmp(timing.list[i].name, name))
			return &timing.list[i];
	if (timing.count == PHASES)
		return &timing.list[PHASES - 1];
	timing.list[timing.count].name = name;
	return &timing.list[timing.count++];
}

void fg_timing_start(void)
{
	timing.wall_ns = fg_clock_now();
	fg_timing_phase("start");
}

void fg_timing_phase(const char *name)
{
	uint64_t wall = fg_clock_now(), cpu = fg_clock_processor();
	struct phase *p = phase_of(name);

	p->wall_ns += wall - timing.wall_ns;
	p->cpu_ns += cpu - timing.cpu_ns;
	timing.wall_ns = wall;
	timing.cpu_ns = cpu;
}

static void print(FILE *out, const struct phase *p)
{
	fprintf(out, "%9.3f ms %9.3f ms  %s\n", (double)p->wall_ns / 1e6, (double)p->cpu_ns / 1e6,
		p->name);
}

void fg_timing_print(FILE *out)
{
	struct phase all = { .name = "all" };

	for (size_t i = 0; i < timing.count; i++) {
		all.wall_ns += timing.list[i].wall_ns;
		all.cpu_ns += timing.list[i].cpu_ns;
	}
	print(out, &all);
	for (size_t i = 0; i < timing.count; i++)
		print(out, &timing.list[i]);
}
