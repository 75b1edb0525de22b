// SPDX-License-Identifier: GPL-2.0-only
#include "probe/leftovers.h"

static uint64_t free_of(uint64_t entries, uint64_t max)
{
	return max > entries ? max - entries : 0;
}

uint64_t fg_leftovers_excess(uint64_t gained, uint64_t probes, uint64_t left, uint64_t entries,
			     uint64_t max)
{
	uint64_t follow = left > probes ? left - probes : 0;
	uint64_t free = free_of(entries, max);
	double more;

	if (!probes || left == UINT64_MAX)
		return 0;
	more = (double)gained * (double)follow / (double)probes;
	return more > (double)free / 2 ? (uint64_t)(more + 0.5) : 0;
}

bool fg_leftovers_is_half(uint64_t gained, uint64_t entries, uint64_t max)
{
	return gained && gained >= free_of(entries, max);
}

uint64_t fg_leftovers_until_half(uint64_t gained, uint64_t probes, uint64_t entries, uint64_t max)
{
	uint64_t free = free_of(entries, max);
	double more;

	if (!gained)
		return UINT64_MAX;
	/* Each entry is one more of them, and one less that is free. */
	more = free > gained ? (double)(free - gained) / 2 * (double)probes / (double)gained : 0;
	if (more >= (double)UINT64_MAX)
		return UINT64_MAX;
	return more < 1 ? 1 : (uint64_t)(more + 0.999);
}

uint64_t fg_leftovers_next_look(const struct fg_leftover_maps *tables, uint64_t sent)
{
	uint64_t more = UINT64_MAX;

	if (sent < FG_LEFTOVERS_FEW)
		return FG_LEFTOVERS_FEW;
	for (uint32_t i = 0; i < tables->count; i++) {
		const struct fg_leftover_map *m = &tables->list[i];
		uint64_t of_this =
			fg_leftovers_until_half(m->gained, tables->probes, m->entries, m->max);

		if (fg_leftovers_is_half(m->gained, m->entries, m->max))
			return UINT64_MAX;
		if (of_this < more)
			more = of_this;
	}
	return more < UINT64_MAX - sent ? sent + more : UINT64_MAX;
}
