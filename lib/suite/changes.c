// SPDX-License-Identifier: GPL-2.0-only
/* suite/changes.c - what each probe of a watch came to last, and how it differs now. */
#include "suite/changes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/json.h"
#include "report/page.h"
#include "suite/internal.h"

/* As many different ones as there are: probes point to them. */
struct state {
	enum fg_case_status status;
	char *part[FG_ESSENCE_PARTS]; /* owned; NULL: none */
};

struct file {
	uint32_t *last; /* by probe: index of the state + 1; 0: none yet; owned */
	size_t count;
};

struct fg_changes {
	struct state *states; /* owned */
	size_t state_count;
	json_t *by_key; /* what makes a state -> its index */
	struct file *files;
	size_t file_count;
	struct fg_case_change told;
	char time[FG_ORIGIN_TIME_LEN];
	struct fg_essence before;
};

struct fg_changes *fg_changes_new(struct fg_error *err)
{
	struct fg_changes *c = calloc(1, sizeof(*c));

	if (c)
		c->by_key = json_object();
	if (c && c->by_key)
		return c;
	fg_changes_free(c);
	fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "changes");
	return NULL;
}

void fg_changes_free(struct fg_changes *changes)
{
	if (!changes)
		return;
	for (size_t i = 0; i < changes->state_count; i++)
		for (int k = 0; k < FG_ESSENCE_PARTS; k++)
			free(changes->states[i].part[k]);
	free(changes->states);
	for (size_t i = 0; i < changes->file_count; i++)
		free(changes->files[i].last);
	free(changes->files);
	json_decref(changes->by_key);
	free(changes);
}

static int add_state(struct fg_changes *c, enum fg_case_status status, const struct fg_essence *e)
{
	struct state *s = FG_APPEND(c->states, c->state_count, "changes", NULL);

	if (!s)
		return -1;
	s->status = status;
	for (int i = 0; i < FG_ESSENCE_PARTS; i++)
		s->part[i] = e->part[i] ? strdup(e->part[i]) : NULL;
	return 0;
}

/* The index of the state + 1; 0: memory is short. */
static uint32_t state_of(struct fg_changes *c, enum fg_case_status status,
			 const struct fg_essence *e)
{
	struct fg_buffer key = {};
	uint32_t index = 0;
	const json_t *known;

	fg_buffer_printf(&key, "%d", status);
	for (int i = 0; i < FG_ESSENCE_PARTS; i++) {
		fg_buffer_puts(&key, "\n");
		fg_buffer_puts(&key, e->part[i] ? e->part[i] : "");
	}
	fg_buffer_put(&key, "", 1);
	known = key.failed ? NULL : json_object_get(c->by_key, key.data);
	if (known)
		index = (uint32_t)json_integer_value(known);
	else if (!key.failed && !add_state(c, status, e) &&
		 !json_object_set_new_nocheck(c->by_key, key.data,
					      json_integer((json_int_t)c->state_count)))
		index = (uint32_t)c->state_count;
	fg_buffer_free(&key);
	return index;
}

/* Where the state of a probe is kept; NULL: memory is short. */
static uint32_t *last_of(struct fg_changes *c, size_t file, uint64_t number)
{
	while (c->file_count <= file)
		if (!FG_APPEND(c->files, c->file_count, "changes", NULL))
			return NULL;
	while (c->files[file].count <= number)
		if (!FG_APPEND(c->files[file].last, c->files[file].count, "changes", NULL))
			return NULL;
	return &c->files[file].last[number];
}

static bool is_other(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

static bool arrived(const char *outcome)
{
	return outcome && (!strcmp(outcome, "delivered") || !strcmp(outcome, "forwarded") ||
			   !strcmp(outcome, "replied"));
}

/* ICMP errors are limited, so what is rejected may be dropped the next time: no news. */
static bool is_change(const struct state *s, enum fg_case_status status, bool command,
		      const struct fg_essence *e)
{
	const char *was = s->part[FG_ESSENCE_OUTCOME], *is = e->part[FG_ESSENCE_OUTCOME];

	return s->status != status ||
	       is_other(s->part[FG_ESSENCE_VERDICT], e->part[FG_ESSENCE_VERDICT]) ||
	       is_other(s->part[FG_ESSENCE_DENIED_BY], e->part[FG_ESSENCE_DENIED_BY]) ||
	       (command ? is_other(was, is) : arrived(was) != arrived(is));
}

bool fg_changes_note(struct fg_changes *changes, size_t file, uint64_t number, const char *time,
		     struct fg_case *c)
{
	uint32_t *last = last_of(changes, file, number), before;
	struct fg_essence now;
	json_t *line;
	uint32_t state;
	bool changed;

	fg_essence_take(c, &now, &line);
	state = state_of(changes, c->status, &now);
	changed = last && *last && state &&
		  is_change(&changes->states[*last - 1], c->status, c->ran != NULL, &now);
	json_decref(line);
	if (!last || !state)
		return false;
	before = *last;
	*last = state;
	if (!changed)
		return !before;
	snprintf(changes->time, sizeof(changes->time), "%s", time);
	changes->told = (struct fg_case_change){ .time = changes->time,
						 .status = changes->states[before - 1].status,
						 .before = &changes->before };
	for (int i = 0; i < FG_ESSENCE_PARTS; i++)
		changes->before.part[i] = changes->states[before - 1].part[i];
	c->change = &changes->told;
	return true;
}

/* --- telling --- */

static void put_state(struct fg_buffer *out, enum fg_case_status status, const struct fg_essence *e)
{
	fg_buffer_printf(out, "{\"status\":\"%s\"", fg_scenario_status_name(status));
	for (int i = 0; i < FG_ESSENCE_PARTS; i++) {
		fg_buffer_printf(out, ",\"%s\":", fg_essence_name((enum fg_essence_part)i));
		fg_json_put_text(out, e->part[i]);
	}
	fg_buffer_puts(out, "}");
}

void fg_change_put_json(const struct fg_case *c, struct fg_buffer *out)
{
	char who[FG_ESSENCE_DECIDER_LEN];
	struct fg_essence now;
	json_t *line;

	fg_essence_take(c, &now, &line);
	fg_buffer_printf(out, "{\"time\":\"%s\",\"before\":", c->change->time);
	put_state(out, c->change->status, c->change->before);
	fg_buffer_puts(out, ",\"after\":");
	put_state(out, c->status, &now);
	fg_buffer_puts(out, ",\"decided_by\":");
	fg_json_put_text(out, fg_essence_decider(c, who, sizeof(who)));
	fg_buffer_puts(out, "}");
	json_decref(line);
}

/* "denied by deny_port, dropped (TC_INGRESS)". */
static void put_words(struct fg_buffer *out, const struct fg_essence *e)
{
	const char *const *p = e->part;

	fg_buffer_puts(out, p[FG_ESSENCE_VERDICT] ? p[FG_ESSENCE_VERDICT] : "nothing");
	if (p[FG_ESSENCE_DENIED_BY])
		fg_buffer_printf(out, " by %s", p[FG_ESSENCE_DENIED_BY]);
	if (p[FG_ESSENCE_OUTCOME])
		fg_buffer_printf(out, ", %s", p[FG_ESSENCE_OUTCOME]);
	if (p[FG_ESSENCE_REASON])
		fg_buffer_printf(out, " (%s)", p[FG_ESSENCE_REASON]);
}

void fg_change_put_text(const struct fg_case *c, const struct fg_page *page)
{
	static const char *const labels[] = { "was", "is", "decided by" };
	char who[FG_ESSENCE_DECIDER_LEN];
	struct fg_buffer text[3] = {};
	struct fg_essence now;
	const char *decider;
	json_t *line;

	fg_essence_take(c, &now, &line);
	decider = fg_essence_decider(c, who, sizeof(who));
	put_words(&text[0], c->change->before);
	put_words(&text[1], &now);
	fg_buffer_puts(&text[2], decider ? decider
				 : is_other(now.part[FG_ESSENCE_VERDICT], "none")
					 ? "not known"
					 : "nothing on its way");
	for (size_t i = 0; i < 3; i++) {
		fg_buffer_put(&text[i], "", 1);
		page->out->failed |= text[i].failed;
		fg_buffer_printf(page->out, "  %-12s", labels[i]);
		if (!text[i].failed)
			fg_page_wrap(page, text[i].data, 14, 14, NULL);
		fg_buffer_puts(page->out, "\n");
		fg_buffer_free(&text[i]);
	}
	json_decref(line);
}
