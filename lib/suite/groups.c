// SPDX-License-Identifier: GPL-2.0-only
/* suite/groups.c - what is not as expected, by kind. */
#include "suite/groups.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"
#include "suite/internal.h"

/* Names of a group that are listed. */
#define NAMES_MAX 3

struct group {
	char *what; /* "expected deny, got none, delivered"; owned */
	bool failed;
	uint64_t count;
	char *names[NAMES_MAX]; /* of the first ones; owned */
};

struct fg_groups {
	struct group list[FG_GROUPS_MAX];
	size_t count;
	json_t *by_what;	/* what -> index */
	uint64_t total, others; /* others: of kinds that had no more room */
	uint64_t full;
};

struct fg_groups *fg_groups_new(struct fg_error *err)
{
	struct fg_groups *g = calloc(1, sizeof(*g));

	if (g)
		g->by_what = json_object();
	if (g && g->by_what)
		return g;
	fg_groups_free(g);
	fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "groups");
	return NULL;
}

void fg_groups_free(struct fg_groups *groups)
{
	if (!groups)
		return;
	for (size_t i = 0; i < groups->count; i++) {
		free(groups->list[i].what);
		for (size_t k = 0; k < NAMES_MAX; k++)
			free(groups->list[i].names[k]);
	}
	json_decref(groups->by_what);
	free(groups);
}

/* "denied by policy_2, dropped (TC_EGRESS)". */
static int describe_seen(const struct fg_case *c, char **text)
{
	struct fg_essence e;
	json_t *line;
	int ret;

	fg_essence_take(c, &e, &line);
	ret = asprintf(text, "not ok: expected %s, got %s%s%s%s%s%s%s%s", c->block->expect->text,
		       e.part[FG_ESSENCE_VERDICT] ? e.part[FG_ESSENCE_VERDICT] : "nothing",
		       e.part[FG_ESSENCE_DENIED_BY] ? " by " : "",
		       e.part[FG_ESSENCE_DENIED_BY] ? e.part[FG_ESSENCE_DENIED_BY] : "",
		       e.part[FG_ESSENCE_OUTCOME] ? ", " : "",
		       e.part[FG_ESSENCE_OUTCOME] ? e.part[FG_ESSENCE_OUTCOME] : "",
		       e.part[FG_ESSENCE_REASON] ? " (" : "",
		       e.part[FG_ESSENCE_REASON] ? e.part[FG_ESSENCE_REASON] : "",
		       e.part[FG_ESSENCE_REASON] ? ")" : "");
	json_decref(line);
	return ret;
}

/* What all of a group have in common; owned. NULL: memory is short. */
static char *describe(const struct fg_case *c)
{
	char *text = NULL;
	int ret;

	/* Nothing that is seen of the packet says why a denial is not proven. */
	if (c->status == FG_CASE_FAIL && (c->report || c->ran || c->told))
		ret = describe_seen(c, &text);
	else
		ret = asprintf(&text, "%s: expected %s: %s",
			       c->status == FG_CASE_FAIL ? "not ok" : "inconclusive",
			       c->block->expect->text, c->why);
	return ret < 0 ? NULL : text;
}

static struct group *find(struct fg_groups *g, const struct fg_case *c)
{
	char *what = describe(c);
	const json_t *index = what ? json_object_get(g->by_what, what) : NULL;
	struct group *group = &g->list[g->count];

	if (!index && what && g->count < FG_GROUPS_MAX &&
	    !json_object_set_new_nocheck(g->by_what, what, json_integer((json_int_t)g->count))) {
		*group = (struct group){ .what = what, .failed = c->status == FG_CASE_FAIL };
		g->count++;
		return group;
	}
	free(what);
	return index ? &g->list[json_integer_value(index)] : NULL;
}

bool fg_groups_add(struct fg_groups *groups, const struct fg_case *c)
{
	struct group *group = find(groups, c);

	groups->total++;
	if (!group) {
		groups->others++;
		return false;
	}
	if (group->count < NAMES_MAX)
		group->names[group->count] = strdup(c->name);
	if (group->count++ || groups->full >= FG_GROUPS_FULL)
		return false;
	groups->full++;
	return true;
}

static void put_names(const struct group *group, const struct fg_page *page)
{
	struct fg_buffer names = {};
	uint64_t rest = group->count;

	for (size_t i = 0; i < NAMES_MAX && group->names[i]; i++, rest--) {
		fg_buffer_puts(&names, i ? ", " : "");
		fg_buffer_puts(&names, group->names[i]);
	}
	if (rest)
		fg_buffer_printf(&names, " and %llu more", (unsigned long long)rest);
	fg_buffer_put(&names, "", 1);
	fg_buffer_puts(page->out, "         ");
	if (!names.failed)
		fg_page_wrap(page, names.data, 9, 9, NULL);
	fg_buffer_puts(page->out, "\n");
	page->out->failed |= names.failed;
	fg_buffer_free(&names);
}

int fg_groups_text(const struct fg_groups *groups, const struct fg_report_options *style,
		   struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_page page = {
		.out = out, .colour = style->colour, .utf8 = style->utf8, .width = style->width
	};
	size_t len = out->len;

	if (groups->full == groups->total)
		return 0;
	fg_buffer_printf(out, "%llu not as expected or inconclusive, by kind (-v shows each):\n",
			 (unsigned long long)groups->total);
	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->list[i];

		fg_buffer_printf(out, "%7llu  ", (unsigned long long)group->count);
		fg_page_paint(&page, group->failed ? FG_PAINT_BAD : FG_PAINT_DOUBT);
		fg_page_wrap(&page, group->what, 9, 9, NULL);
		fg_page_paint(&page, FG_PAINT_OFF);
		fg_buffer_puts(out, "\n");
		put_names(group, &page);
	}
	if (groups->others)
		fg_buffer_printf(out, "%7llu  of other kinds\n",
				 (unsigned long long)groups->others);
	fg_buffer_puts(out, "\n");
	return fg_report_finish(out, len, err);
}
