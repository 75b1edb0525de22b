// SPDX-License-Identifier: GPL-2.0-only
/* guard/leftovers.c - the state that probes left in connection tracking. */
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "guard/internal.h"

/* The probes of a window by their tuples. */
struct search {
	struct fg_guard *guard;
	struct fg_flowset flows; /* index of the first probe with the tuple */
	uint32_t place;
	bool tidy;
};

static bool tuple_of(const struct fg_probe *probe, struct fg_flow *out)
{
	const struct fg_frame *f = &probe->frame;

	if (!f->data || f->len <= ETH_HLEN ||
	    fg_flow_extract(f->data + ETH_HLEN, f->len - ETH_HLEN, out) || out->later_fragment)
		return false;
	fg_flowset_tuple(out, out);
	return true;
}

static void note(struct search *s, const struct fg_conn *conn, int64_t index)
{
	const struct fg_guard_place *place = &s->guard->places[s->place];
	struct fg_leftovers *left = &s->guard->left[index];
	int ret = s->tidy ? fg_conntrack_delete(place->tracking, conn) : -EAGAIN;

	/*
	 * Another zone may have an entry of the same tuple: it is removed too, and one of them is
	 * reported.
	 */
	if (left->count && left->list[left->count - 1].netns == place->netns)
		return;
	left->list[left->count++] = (struct fg_leftover_conn){ .conn = *conn,
							       .netns = place->netns,
							       .pod = place->pod,
							       .removed = !ret || ret == -ENOENT };
}

static int on_entry(const struct fg_conn *conn, void *arg)
{
	struct search *s = arg;
	int64_t index = fg_flowset_find(&s->flows, &conn->orig);

	if (index >= 0 && fg_flowset_find(&s->guard->tracked, &conn->orig) < 0)
		note(s, conn, index);
	return 0;
}

/*
 * The entries that are found while the list is read are only deleted once it is read: one request
 * at a time.
 */
struct pile {
	struct search *search;
	struct fg_conn *conns;
	size_t count;
};

static int on_listed(const struct fg_conn *conn, void *arg)
{
	struct pile *p = arg;
	struct fg_conn *added;

	if (fg_flowset_find(&p->search->flows, &conn->orig) < 0)
		return 0;
	added = FG_APPEND(p->conns, p->count, "entries", NULL);
	if (!added)
		return -1;
	*added = *conn;
	return 0;
}

static int list(struct search *s, const struct fg_addr *src, uint16_t family)
{
	struct nl_sock *sk = s->guard->places[s->place].tracking;
	struct pile pile = { .search = s };
	int ret = fg_conntrack_list(sk, family, FG_CONNTRACK_ORIG, src, on_listed, &pile);

	for (size_t i = 0; i < pile.count; i++)
		on_entry(&pile.conns[i], s);
	free(pile.conns);
	/* The table changed while it was read: what is missing is short-lived. */
	return ret == -EINTR ? 0 : ret;
}

/* All probes have one source, as a rule: then the kernel looks for it. */
static int list_all(struct search *s, const struct fg_probe *probes, uint32_t count)
{
	const struct fg_addr *src = &probes[0].spec.vary.src;
	bool families[2] = {}, one = true;
	int ret = 0;

	for (uint32_t i = 0; i < count; i++) {
		one &= fg_addr_equal(&probes[i].spec.vary.src, src);
		families[probes[i].spec.vary.src.family == AF_INET6] = true;
	}
	for (int i = 0; i < 2 && !ret; i++)
		if (families[i])
			ret = list(s, one ? src : NULL, i ? AF_INET6 : AF_INET);
	return ret;
}

static int search_place(struct search *s, const struct fg_probe *probes, uint32_t count)
{
	struct nl_sock *sk = s->guard->places[s->place].tracking;
	uint64_t entries = 0, max = 0;
	int ret;

	if (!sk)
		return 0;
	ret = fg_conntrack_count(sk, &entries, &max);
	for (uint32_t i = 0; i < count && !s->guard->places[s->place].pod; i++) {
		s->guard->left[i].entries = entries;
		s->guard->left[i].max = max;
	}
	if (!ret && !entries)
		return 0;
	/* One by one they could be asked for in one zone only. */
	return list_all(s, probes, count);
}

static int prepare(struct search *s, const struct fg_probe *probes, uint32_t count)
{
	struct fg_guard *g = s->guard;
	struct fg_flow tuple;

	if (!FG_GROW_TO(g->left, g->left_room, count, "entries", NULL))
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		g->left[i] = (struct fg_leftovers){};
		if (tuple_of(&probes[i], &tuple) && fg_flowset_add(&s->flows, &tuple, i))
			return -ENOMEM;
	}
	return 0;
}

int fg_guard_leftovers(struct fg_guard *guard, struct fg_probe *probes, uint32_t count, bool tidy,
		       struct fg_error *err)
{
	struct search s = { .guard = guard, .tidy = tidy };
	struct fg_flow tuple;
	int ret = prepare(&s, probes, count);

	for (; s.place < FG_LEFTOVERS_MAX && !ret; s.place++)
		ret = search_place(&s, probes, count);
	for (uint32_t i = 0; i < count && !ret; i++) {
		int64_t index = tuple_of(&probes[i], &tuple) ? fg_flowset_find(&s.flows, &tuple)
							     : -1;

		/* Probes of one tuple share what they left. */
		probes[i].result.left = &guard->left[index >= 0 ? (uint32_t)index : i];
	}
	fg_flowset_free(&s.flows);
	return ret ? fg_guard_tracking_failed(ret, err) : 0;
}
