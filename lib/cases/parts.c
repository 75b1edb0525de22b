// SPDX-License-Identifier: GPL-2.0-only
#include "cases/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/fd.h"
#include "base/grow.h"

#define WHAT "parts of the scenario"

struct finder {
	const struct fg_cases *c;
	const struct fg_split *split;
	struct fg_parts *out;
	const char *node; /* the sender's that is looked at */
	size_t *own;	  /* its blocks; owned */
	size_t count;
	bool *leaves; /* by number in own; owned */
	struct fg_error *err;
};

static const struct fg_scenario_block *block_of(const struct finder *f, size_t number)
{
	return &f->c->layout.blocks[f->own[number]];
}

static const struct fg_scenario_set *set_of(const struct fg_cases *c,
					    const struct fg_scenario_block *b)
{
	return &c->scenario.sets[b->set];
}

static bool is_from(const struct fg_scenario_block *b, const char *node)
{
	return b->source && b->source->node && !strcmp(b->source->node, node);
}

static const struct fg_split_end *end_of(const struct fg_cases *c, const struct fg_split *split,
					 const struct fg_scenario_block *b)
{
	return set_of(c, b)->command
		       ? NULL
		       : fg_split_find(split, fg_scenario_target_name(&c->scenario, b));
}

const struct fg_scenario_block *fg_parts_block(const struct fg_cases *c,
					       const struct fg_split *split, const char *node,
					       uint64_t number, const struct fg_split_end **to)
{
	for (size_t i = 0; i < c->layout.count; i++) {
		const struct fg_scenario_block *b = &c->layout.blocks[i];

		if (!is_from(b, node) || number--)
			continue;
		*to = end_of(c, split, b);
		return b;
	}
	return NULL;
}

/* --- what leaves the node --- */

static bool may_leave(const struct finder *f, const struct fg_scenario_block *b)
{
	const struct fg_split_end *e = end_of(f->c, f->split, b);
	const struct fg_scenario_set *set = set_of(f->c, b);

	/* Pieces of a packet are not known again. */
	if (b->why || !e || f->c->scenario.packets[set->ports[b->port].packet].fragment_size)
		return false;
	for (size_t i = 0; i < e->receivers.count; i++)
		if (strcmp(e->receivers.list[i].node, f->node) != 0)
			return true;
	return false;
}

static bool is_pair(const struct finder *f, size_t control, size_t proven)
{
	const struct fg_scenario_block *c = block_of(f, control), *b = block_of(f, proven);

	return set_of(f->c, c)->control_of == (int)b->set && c->source == b->source;
}

/* A control and what it proves are sent by one request. */
static void keep_together(struct finder *f)
{
	for (size_t i = 0; i < f->count; i++)
		for (size_t k = 0; set_of(f->c, block_of(f, i))->control_of >= 0 && k < f->count;
		     k++)
			if (f->leaves[i] != f->leaves[k] && is_pair(f, i, k))
				f->leaves[i] = f->leaves[k] = true;
}

static int look(struct finder *f)
{
	const struct fg_scenario_layout *l = &f->c->layout;

	f->count = 0;
	for (size_t i = 0; i < l->count; i++)
		if (is_from(&l->blocks[i], f->node))
			f->own[f->count++] = i;
	for (size_t i = 0; i < f->count; i++)
		f->leaves[i] = may_leave(f, block_of(f, i));
	/* What a control has drawn along may draw others. */
	keep_together(f);
	keep_together(f);
	return 0;
}

/* --- lists of blocks --- */

static int list_block(char **list, size_t number, uint64_t from, uint64_t until, uint64_t total,
		      struct fg_error *err)
{
	char *before = *list, *made;
	int n;

	if (!from && until == total)
		n = asprintf(&made, "%s%s%zu", before ?: "", before ? "," : "", number + 1);
	else
		n = asprintf(&made, "%s%s%zu:%llu-%llu", before ?: "", before ? "," : "",
			     number + 1, (unsigned long long)from, (unsigned long long)until - 1);
	if (n < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	free(before);
	*list = made;
	return 0;
}

static struct fg_part *add_part(struct finder *f, uint64_t round)
{
	struct fg_part *p = FG_APPEND(f->out->list, f->out->count, WHAT, f->err);

	if (p)
		*p = (struct fg_part){ .node = f->node, .round = round };
	return p;
}

static size_t rank_of(const struct fg_targets *receivers, size_t index)
{
	size_t rank = 0;

	for (size_t i = 0; i < index; i++)
		rank += !strcmp(receivers->list[i].node, receivers->list[index].node);
	return rank;
}

ptrdiff_t fg_parts_half(const struct fg_part *part, const struct fg_targets *receivers,
			size_t index)
{
	size_t rank = rank_of(receivers, index);

	for (size_t i = 0; i < part->half_count; i++)
		if (part->halves[i].rank == rank &&
		    !strcmp(part->halves[i].node, receivers->list[index].node))
			return (ptrdiff_t)i;
	return -1;
}

/* Those who may receive it, each with a half of its own. */
static int list_receivers(struct finder *f, struct fg_part *p, size_t number, uint64_t from,
			  uint64_t until)
{
	const struct fg_scenario_block *b = block_of(f, number);
	const struct fg_split_end *e = end_of(f->c, f->split, b);
	size_t asked = 0;

	for (size_t i = 0; e && i < e->receivers.count && asked < FG_PARTS_RECEIVERS_MAX; i++) {
		const char *node = e->receivers.list[i].node;
		struct fg_part_half *half;
		ptrdiff_t known;

		if (!strcmp(node, f->node))
			continue;
		asked++;
		known = fg_parts_half(p, &e->receivers, i);
		half = known >= 0 ? &p->halves[known]
				  : FG_APPEND(p->halves, p->half_count, WHAT, f->err);
		if (half && known < 0)
			*half = (struct fg_part_half){ .node = node,
						       .rank = rank_of(&e->receivers, i) };
		if (!half || list_block(&half->blocks, number, from, until, b->total, f->err))
			return -1;
	}
	return 0;
}

/* --- the parts of one node --- */

static bool is_asked(const struct finder *f, size_t number, bool leaving)
{
	return !f->c->left_out[f->own[number]] && f->leaves[number] == leaving;
}

static int add_staying(struct finder *f, bool all)
{
	struct fg_part *p = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const uint64_t total = block_of(f, i)->total;

		if (!is_asked(f, i, false))
			continue;
		if (!p && !(p = add_part(f, 0)))
			return -1;
		if (!all && list_block(&p->blocks, i, 0, total, total, f->err))
			return -1;
	}
	return 0;
}

static int add_leaving(struct finder *f, uint64_t round)
{
	struct fg_part *p = NULL;
	uint64_t room = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct fg_scenario_block *b = block_of(f, i);
		uint64_t from = 0, until;

		for (; is_asked(f, i, true) && from < b->total; from = until) {
			if (!room && !(p = add_part(f, round)))
				return -1;
			room = room ? room : FG_PARTS_PROBES_MAX;
			until = b->total - from > room ? from + room : b->total;
			room -= until - from;
			p->probes += until - from;
			if (list_block(&p->blocks, i, from, until, b->total, f->err) ||
			    list_receivers(f, p, i, from, until))
				return -1;
		}
	}
	return 0;
}

static int add_node(struct finder *f)
{
	bool leaving = false;

	look(f);
	for (size_t i = 0; i < f->count; i++)
		leaving |= is_asked(f, i, true);
	if (add_staying(f, !leaving))
		return -1;
	for (uint64_t round = 1; leaving && round <= f->c->rounds; round++)
		if (add_leaving(f, round))
			return -1;
	return 0;
}

/* Whether a block before this one is from the same node. */
static bool is_repeated(const struct fg_cases *c, size_t index)
{
	const struct fg_scenario_member *m = c->layout.blocks[index].source;

	for (size_t i = 0; i < index; i++)
		if (is_from(&c->layout.blocks[i], m->node))
			return true;
	return false;
}

int fg_parts_find(const struct fg_cases *c, const struct fg_split *split, struct fg_parts *out,
		  struct fg_error *err)
{
	FG_FREE size_t *own = calloc(c->layout.count + 1, sizeof(*own));
	FG_FREE bool *leaves = calloc(c->layout.count + 1, sizeof(*leaves));
	struct finder f = { c, split, out, NULL, own, 0, leaves, err };

	if (!own || !leaves)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	for (size_t i = 0; i < c->layout.count; i++) {
		const struct fg_scenario_member *m = c->layout.blocks[i].source;

		if (!m || !m->node || is_repeated(c, i))
			continue;
		f.node = m->node;
		if (add_node(&f))
			return -1;
	}
	return 0;
}

void fg_parts_free(struct fg_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		struct fg_part *p = &parts->list[i];

		for (size_t k = 0; k < p->half_count; k++)
			free(p->halves[k].blocks);
		free(p->halves);
		free(p->blocks);
	}
	free(parts->list);
	*parts = (struct fg_parts){};
}
