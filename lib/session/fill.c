// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/fill.c - what a run of many probes will leave in the policy's tables: seen at its first
 * window, which is small, so that the user knows before they are full. What a run will leave that
 * goes on until something ends it is not known: its tables are looked at again as they fill.
 */
#include <string.h>

#include "session/internal.h"

/* An eighth of the run, and no more than this. */
#define PILOT FG_LEFTOVERS_FEW
#define SHARE 8

uint32_t fg_session_at_once(struct fg_session *session, uint64_t left)
{
	uint64_t pilot = left / SHARE;

	if (!session->options.tables || session->fill.seen || !pilot)
		return FG_WINDOW;
	session->fill.endless = left == UINT64_MAX;
	return pilot < PILOT ? (uint32_t)pilot : PILOT;
}

const struct fg_leftover_maps *fg_session_tables(const struct fg_session *session)
{
	return session->fill.seen ? &session->fill.tables : NULL;
}

#define PROGRAMS_MAX 512

struct gathered {
	uint32_t ids[PROGRAMS_MAX];
	size_t id_count;
	struct fg_addr addrs[FG_STATED_ADDRS_MAX + 1];
	size_t addr_count;
};

static void add_program(struct gathered *g, uint32_t id)
{
	for (size_t i = 0; i < g->id_count; i++)
		if (g->ids[i] == id)
			return;
	if (g->id_count < PROGRAMS_MAX)
		g->ids[g->id_count++] = id;
}

static void add_address(struct gathered *g, const struct fg_addr *addr)
{
	for (size_t i = 0; i < g->addr_count; i++)
		if (fg_addr_equal(&g->addrs[i], addr))
			return;
	/* One more than is taken says that there are too many. */
	if (g->addr_count <= FG_STATED_ADDRS_MAX)
		g->addrs[g->addr_count++] = *addr;
}

static void gather(const struct fg_session *s, uint32_t count, struct gathered *g)
{
	const struct fg_hop *last = NULL;

	*g = (struct gathered){};
	for (uint32_t i = 0; i < count; i++) {
		const struct fg_hop *hop = s->hops[i];

		if (hop == last || hop->error)
			continue;
		last = hop;
		for (size_t k = 0; k < hop->ladder.count; k++)
			add_program(g, hop->ladder.programs[k].id);
		add_address(g, &hop->src);
		add_address(g, &hop->dst);
	}
}

/* The only packet of a window that is explained is looked at more closely (explain.c). */
void fg_fill_begin(struct fg_session *session, uint32_t count)
{
	struct fg_fill *fill = &session->fill;
	struct gathered g;

	if (!session->options.tables || fill->seen || fill->watch || session->explaining)
		return;
	gather(session, count, &g);
	/* Without programs there is nothing to be filled; and what was not sent fills nothing. */
	if (!g.id_count)
		return;
	fill->watch = fg_stated_fill_open(g.ids, g.id_count, g.addrs, g.addr_count, NULL);
}

void fg_fill_end(struct fg_session *session, uint32_t count)
{
	struct fg_fill *fill = &session->fill;

	if (!fill->watch)
		return;
	for (uint32_t i = 0; i < count; i++)
		fill->sent += !session->window[i].trace.unsent;
	if (fill->sent && fill->sent >= fill->look_at) {
		fg_stated_fill_read(fill->watch,
				    fill->sent < UINT32_MAX ? (uint32_t)fill->sent : UINT32_MAX,
				    &fill->tables);
		fill->seen = true;
		fill->look_at = fg_leftovers_next_look(&fill->tables, fill->sent);
	}
	if (!fill->endless || fill->look_at == UINT64_MAX)
		fg_fill_free(fill);
}

bool fg_session_is_filling(const struct fg_session *session, const struct fg_leftover_map *map)
{
	/* With fewer it may be an entry of the pod, and a table that takes no more. */
	return session->fill.endless && session->fill.tables.probes >= PILOT &&
	       fg_leftovers_is_half(map->gained, map->entries, map->max);
}

void fg_fill_tell(const struct fg_session *session, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		session->window[i].result.left_maps = fg_session_tables(session);
}

void fg_fill_free(struct fg_fill *fill)
{
	fg_stated_fill_close(fill->watch);
	fill->watch = NULL;
}
