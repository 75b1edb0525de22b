// SPDX-License-Identifier: GPL-2.0-only
/* scenario/blocks.c - some blocks of a layout, and what arrives of them on another node. */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "scenario/scenario.h"

/* "N" or "N-M" */
static int read_range(const char *what, char *text, uint64_t low, uint64_t *first, uint64_t *last,
		      struct fg_error *err)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash = '\0';
	if (fg_parse_u64(what, text, low, FG_SCENARIO_PROBES_MAX, first, err))
		return -1;
	*last = *first;
	return dash ? fg_parse_u64(what, dash + 1, *first, FG_SCENARIO_PROBES_MAX, last, err) : 0;
}

struct item {
	uint64_t first, last, from, through;
};

/* The next one; *list goes behind it. */
static int read_item(const char *what, const char **list, struct item *out, struct fg_error *err)
{
	size_t len = strcspn(*list, ",");
	char text[100], *colon;

	snprintf(text, sizeof(text), "%.*s", (int)len, *list);
	*list += len + ((*list)[len] == ',');
	*out = (struct item){ .through = UINT64_MAX - 1 };
	colon = strchr(text, ':');
	if (colon)
		*colon = '\0';
	if (read_range(what, text, 1, &out->first, &out->last, err))
		return -1;
	return colon ? read_range(what, colon + 1, 0, &out->from, &out->through, err) : 0;
}

int fg_scenario_choose_listed(const char *what, const char *list,
			      const struct fg_scenario_layout *layout,
			      struct fg_scenario_range *ranges, struct fg_error *err)
{
	struct item item;

	memset(ranges, 0, layout->count * sizeof(*ranges));
	do {
		if (read_item(what, &list, &item, err))
			return -1;
		if (item.last > layout->count)
			return fg_fail(err, FG_ERR_USAGE, "%s: the file has %zu blocks", what,
				       layout->count);
		for (uint64_t i = item.first - 1; i < item.last; i++) {
			const uint64_t total = layout->blocks[i].total;

			ranges[i].from = item.from;
			ranges[i].until = item.through < total ? item.through + 1 : total;
		}
	} while (*list);
	return 0;
}

void fg_scenario_translate(const struct fg_scenario *s, const struct fg_scenario_block *b,
			   struct fg_probe_spec *spec)
{
	const struct fg_scenario_place *place = &s->places[s->sets[b->set].to[b->to]];

	if (!place->arrives.family)
		return;
	spec->vary.dst = place->arrives;
	if (place->arrives_port >= 0 && (int)spec->vary.dport == place->port)
		spec->vary.dport = (uint16_t)place->arrives_port;
}
