// SPDX-License-Identifier: GPL-2.0-only
#include "probe/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/grow.h"

static const char *const actions[FG_TC_ACTIONS] = {
	[FG_TC_NONE] = "none",	       [FG_TC_PASS] = "pass",	  [FG_TC_DROP] = "drop",
	[FG_TC_REDIRECT] = "redirect", [FG_TC_MIRROR] = "mirror", [FG_TC_GOTO] = "goto",
	[FG_TC_POLICE] = "police",     [FG_TC_NEXT] = "next",	  [FG_TC_OTHER] = "other",
};

void fg_ladder_free(struct fg_ladder *ladder)
{
	free(ladder->programs);
	free(ladder->filters);
	*ladder = (struct fg_ladder){};
}

const char *fg_ladder_action_name(enum fg_tc_action action)
{
	return actions[action];
}

/* As tc(8) writes them; those of u32 have three parts (TC_U32_HTID, _HASH, _NODE). */
static void put_handle(struct fg_buffer *out, const struct fg_program *f)
{
	if (strcmp(f->what, "u32") != 0)
		fg_buffer_printf(out, " handle %#x", f->handle);
	else if (f->handle >> 12 & 0xff)
		fg_buffer_printf(out, " handle %x:%x:%x", f->handle >> 20, f->handle >> 12 & 0xff,
				 f->handle & 0xfff);
	else
		fg_buffer_printf(out, " handle %x::%x", f->handle >> 20, f->handle & 0xfff);
}

static void put_action(struct fg_buffer *out, const struct fg_program *f)
{
	switch (f->action) {
	case FG_TC_NONE:
		break;
	case FG_TC_REDIRECT:
	case FG_TC_MIRROR:
		fg_buffer_printf(out, ", %s to %s%s", actions[f->action],
				 f->target_ingress ? "ingress of " : "",
				 f->target[0] ? f->target : "a device that is gone");
		break;
	case FG_TC_GOTO:
		fg_buffer_printf(out, ", goto chain %u", f->goto_chain);
		break;
	case FG_TC_OTHER:
		fg_buffer_printf(out, ", action %s", f->action_text);
		break;
	default:
		fg_buffer_printf(out, ", %s", actions[f->action]);
	}
	if (f->action_id)
		fg_buffer_printf(out, " (program %u)", f->action_id);
}

const char *fg_ladder_filter_text(const struct fg_program *filter, char *buf, size_t size)
{
	struct fg_buffer out = {};

	fg_buffer_printf(&out, "%s pref %u", filter->what, filter->pref);
	put_handle(&out, filter);
	if (filter->chain)
		fg_buffer_printf(&out, " chain %u", filter->chain);
	if (filter->parent)
		fg_buffer_printf(&out, " parent %x:", filter->parent >> 16);
	if (filter->block)
		fg_buffer_printf(&out, " block %u", filter->block);
	put_action(&out, filter);
	snprintf(buf, size, "%.*s", (int)out.len, out.data ? out.data : "");
	fg_buffer_free(&out);
	return buf;
}

size_t fg_ladder_egress(const struct fg_ladder *ladder)
{
	size_t n = 0;

	while (n < ladder->count && ladder->programs[n].stage == FG_STAGE_EGRESS)
		n++;
	return n;
}

static bool is_there(const struct fg_ladder *ladder, const struct fg_program *program)
{
	for (size_t i = 0; i < ladder->count; i++) {
		const struct fg_program *p = &ladder->programs[i];

		if (p->id == program->id && p->hook == program->hook &&
		    p->netns == program->netns && p->ifindex == program->ifindex)
			return true;
	}
	return false;
}

/* After all that come before that stage, or in it. */
static size_t place_of(const struct fg_ladder *ladder, enum fg_stage stage)
{
	size_t n = 0;

	while (n < ladder->count && ladder->programs[n].stage <= stage)
		n++;
	return n;
}

static int put_program(struct fg_ladder *ladder, const struct fg_program *program,
		       enum fg_stage stage, struct fg_error *err)
{
	size_t place = place_of(ladder, stage);
	struct fg_program *at;

	if (ladder->count == FG_LADDER_MAX)
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "more than %d programs on the path of the packet", FG_LADDER_MAX);
	if (!FG_GROW(ladder->programs, ladder->count, 1, "list of programs", err))
		return -1;
	at = &ladder->programs[place];
	memmove(at + 1, at, (ladder->count++ - place) * sizeof(*at));
	*at = *program;
	at->stage = stage;
	return 0;
}

static int put_filters(struct fg_ladder *ladder, const struct fg_ladder *more, enum fg_stage stage,
		       struct fg_error *err)
{
	for (size_t i = 0; i < more->filter_count; i++) {
		struct fg_program *f =
			FG_APPEND(ladder->filters, ladder->filter_count, "list of filters", err);

		if (!f)
			return -1;
		*f = more->filters[i];
		f->stage = stage;
	}
	ladder->filters_cut |= more->filters_cut;
	return 0;
}

int fg_ladder_extend(struct fg_ladder *ladder, const struct fg_ladder *more, enum fg_stage stage,
		     struct fg_error *err)
{
	for (size_t i = 0; i < more->count; i++)
		if (!is_there(ladder, &more->programs[i]) &&
		    put_program(ladder, &more->programs[i], stage, err))
			return -1;
	return put_filters(ladder, more, stage, err);
}

bool fg_ladder_has_filters(const struct fg_ladder *ladder, const struct fg_program *program)
{
	for (size_t i = 0; i < ladder->filter_count; i++) {
		const struct fg_program *f = &ladder->filters[i];

		if (f->netns == program->netns && f->ifindex == program->ifindex &&
		    (f->hook == FG_HOOK_TC_EGRESS) == (program->hook == FG_HOOK_TC_EGRESS ||
						       program->hook == FG_HOOK_TCX_EGRESS))
			return true;
	}
	return false;
}
