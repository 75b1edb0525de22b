// SPDX-License-Identifier: GPL-2.0-only
/* stated/fill.c - what several packets add to the tables of the policy. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stated/fill.h"
#include "stated/internal.h"

/* Of processor time, for all maps before or after the packets. */
#define BUDGET_NS 60000000ULL

struct fg_stated_fill {
	struct stated_set set;
	struct fg_addr addrs[FG_STATED_ADDRS_MAX];
	size_t addr_count;
	struct stated_before {
		bool known;
		uint64_t entries; /* with these addresses; or all */
	} before[FG_STATED_MAPS_MAX];
};

void fg_stated_fill_close(struct fg_stated_fill *fill)
{
	if (!fill)
		return;
	fg_stated_set_close(&fill->set);
	free(fill);
}

static int amount(const struct fg_stated_fill *fill, uint32_t map, uint64_t end,
		  struct stated_amount *out)
{
	uint64_t now = fg_clock_used();

	if (!fg_stated_amount_can(&fill->set.maps[map]) || now >= end)
		return -1;
	/* The last one may not take what the others need: the smallest come first. */
	return fg_stated_amount_read(&fill->set.maps[map], fill->addrs, fill->addr_count,
				     (end - now) / 2, out);
}

static uint64_t entries_of(const struct fg_stated_fill *fill, const struct stated_amount *t)
{
	return fill->addr_count ? t->ours : t->all;
}

struct fg_stated_fill *fg_stated_fill_open(const uint32_t *programs, size_t count,
					   const struct fg_addr *addrs, size_t addr_count,
					   struct fg_error *err)
{
	struct fg_stated_fill *fill = calloc(1, sizeof(*fill));
	uint64_t end = fg_clock_used() + BUDGET_NS;
	struct stated_amount t;

	if (!fill || fg_stated_set_open(&fill->set, programs, count)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "maps of the policy programs");
		fg_stated_fill_close(fill);
		return NULL;
	}
	fill->addr_count = addr_count <= FG_STATED_ADDRS_MAX ? addr_count : 0;
	for (size_t i = 0; i < fill->addr_count; i++)
		fill->addrs[i] = addrs[i];
	for (uint32_t i = 0; i < fill->set.map_count; i++)
		if (!amount(fill, i, end, &t))
			fill->before[i] = (struct stated_before){ true, entries_of(fill, &t) };
	return fill;
}

void fg_stated_fill_read(const struct fg_stated_fill *fill, uint32_t probes,
			 struct fg_leftover_maps *out)
{
	uint64_t end = fg_clock_used() + BUDGET_NS;
	struct stated_amount t;

	*out = (struct fg_leftover_maps){};
	for (uint32_t i = 0; i < fill->set.map_count; i++) {
		uint64_t now;

		if (!fill->before[i].known || amount(fill, i, end, &t))
			continue;
		now = entries_of(fill, &t);
		/* Half as many as probes: what has an entry for each pod or address has less. */
		if (now > fill->before[i].entries && (now - fill->before[i].entries) * 2 >= probes)
			fg_stated_tables_add(out, &fill->set.maps[i], now - fill->before[i].entries,
					     &t);
	}
	out->probes = probes;
}
