// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/constant.c - what the results of one ladder have in common, as JSON, made once. Most runs
 * have one ladder; probes to several destinations have a few.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "probe/names.h"
#include "report/internal.h"

static void clear(struct fg_constant *c)
{
	free(c->copy);
	fg_buffer_free(&c->text);
	*c = (struct fg_constant){};
}

void fg_constants_free(struct fg_constants *constants)
{
	if (!constants)
		return;
	for (size_t i = 0; i < FG_CONSTANTS; i++)
		clear(&constants->list[i]);
	free(constants);
}

static size_t at_most(size_t count)
{
	return count < FG_LADDER_MAX ? count : FG_LADDER_MAX;
}

static bool same(const struct fg_program *a, const struct fg_program *b, size_t count)
{
	return !count || !memcmp(a, b, count * sizeof(*a));
}

/*
 * A ladder may have been changed since, or be another one at the same address; and a namespace
 * has a name only when something was seen in it.
 */
static bool fits(const struct fg_constant *c, const struct fg_context *context)
{
	const struct fg_ladder *ladder = context->ladder;

	if (c->unnamed && fg_view_device(context, c->unnamed->netns, c->unnamed->ifindex))
		return false;
	return c->programs == at_most(ladder->count) &&
	       c->filters == at_most(ladder->filter_count) &&
	       same(c->copy, ladder->programs, c->programs) &&
	       same(c->copy + c->programs, ladder->filters, c->filters);
}

static struct fg_span ends(const struct fg_constant *c, size_t at)
{
	return (struct fg_span){ at, c->text.len - at };
}

static void put_member(struct fg_buffer *out, const char *key, const char *text)
{
	fg_buffer_printf(out, ",\"%s\":", key);
	fg_json_put_text(out, text);
}

static void put_tag(struct fg_buffer *out, const uint8_t tag[8])
{
	PUT(out, ",\"tag\":\"");
	for (size_t i = 0; i < 8; i++)
		fg_buffer_printf(out, "%02x", tag[i]);
	PUT(out, "\"");
}

/* `"order":1,...,"id":7,"name":"deny_port"` */
static void put_names(struct fg_buffer *out, const struct fg_program *program, size_t i)
{
	PUT(out, ",\"order\":");
	fg_buffer_put_u64(out, i + 1);
	put_member(out, "hook", fg_hook_name(program->hook));
	put_member(out, "side", fg_side_name(program->side));
	fg_put_number(out, "id", true, program->id);
	put_member(out, "name", program->name);
}

static void put_start(struct fg_buffer *out, const struct fg_context *context,
		      const struct fg_program *program, enum fg_kind kind)
{
	fg_buffer_printf(out, "{\"stage\":\"%s\",\"kind\":\"%s\",",
			 fg_stage_name(fg_context_stage(context, program->stage)),
			 fg_kind_name(kind));
	fg_put_place(out, context, program->netns, program->ifindex, program->device);
}

/* Of a decision: as far as it does not depend on the packet. */
static void put_decision(struct fg_buffer *out, const struct fg_context *context,
			 const struct fg_program *program, enum fg_kind kind, size_t i)
{
	const struct fg_step none = {};
	const struct fg_decision d = { .kind = kind,
				       .program = program,
				       .index = i,
				       .step = program->kind == FG_RUNG_BPF && program->id ? &none
											   : NULL };
	const struct fg_result result = {};
	char what[FG_DECISION_WHAT_LEN];

	put_start(out, context, program, kind);
	put_member(out, "what", fg_decision_what(context, &result, &d, what, sizeof(what)));
	fg_put_number(out, "id", program->id != 0, program->id);
	put_member(out, "name", program->name);
}

static void add_program(struct fg_constant *c, const struct fg_context *context, size_t i)
{
	const struct fg_program *program = &context->ladder->programs[i];
	struct fg_buffer *out = &c->text;
	size_t at = out->len;

	fg_buffer_printf(out, "{\"order\":%zu,\"stage\":\"%s\",\"hook\":\"%s\",\"side\":\"%s\"",
			 i + 1, fg_stage_name(fg_context_stage(context, program->stage)),
			 fg_hook_name(program->hook), fg_side_name(program->side));
	put_member(out, "device", program->device);
	fg_put_number(out, "id", true, program->id);
	put_member(out, "name", program->name);
	put_tag(out, program->tag);
	c->program[i].member = ends(c, at);
	at = out->len;
	put_start(out, context, program, FG_KIND_BPF);
	put_names(out, program, i);
	PUT(out, "}");
	c->program[i].denier = ends(c, at);
	at = out->len;
	put_decision(out, context, program, FG_KIND_BPF, i);
	c->program[i].decision = ends(c, at);
}

static enum fg_kind kind_of_filter(const struct fg_program *filter)
{
	return filter->kind == FG_RUNG_FILTER ? FG_KIND_TC_FILTER : FG_KIND_BPF;
}

static void put_filter(struct fg_buffer *out, const struct fg_context *context,
		       const struct fg_program *f)
{
	char text[FG_LADDER_FILTER_LEN];

	fg_buffer_printf(out, "{\"stage\":\"%s\",\"hook\":\"%s\",\"side\":\"%s\"",
			 fg_stage_name(fg_context_stage(context, f->stage)), fg_hook_name(f->hook),
			 fg_side_name(f->side));
	put_member(out, "device", f->device);
	put_member(out, "what", f->what);
	put_member(out, "text", fg_ladder_filter_text(f, text, sizeof(text)));
	fg_put_number(out, "pref", true, f->pref);
	fg_put_number(out, "handle", true, f->handle);
	fg_put_number(out, "chain", true, f->chain);
	fg_put_number(out, "protocol", f->protocol != 0, f->protocol);
	fg_put_number(out, "id", f->id != 0, f->id);
	put_member(out, "action", fg_ladder_action_name(f->action));
	put_member(out, "target", f->target);
	PUT(out, "}");
}

static void add_filters(struct fg_constant *c, const struct fg_context *context)
{
	struct fg_buffer *out = &c->text;
	size_t at;

	for (size_t i = 0; i < c->filters; i++) {
		const struct fg_program *filter = &context->ladder->filters[i];

		at = out->len;
		put_decision(out, context, filter, kind_of_filter(filter), i);
		c->filter[i].decision = ends(c, at);
	}
	at = out->len;
	PUT(out, "[");
	for (size_t i = 0; i < c->filters; i++) {
		fg_buffer_puts(out, i ? "," : "");
		put_filter(out, context, &context->ladder->filters[i]);
	}
	PUT(out, "]");
	c->all_filters = ends(c, at);
}

static bool fill(struct fg_constant *c, const struct fg_context *context)
{
	const struct fg_ladder *ladder = context->ladder;

	clear(c);
	c->programs = at_most(ladder->count);
	c->filters = at_most(ladder->filter_count);
	c->copy = calloc(c->programs + c->filters + 1, sizeof(*c->copy));
	if (!c->copy)
		return false;
	if (c->programs)
		memcpy(c->copy, ladder->programs, c->programs * sizeof(*c->copy));
	if (c->filters)
		memcpy(c->copy + c->programs, ladder->filters, c->filters * sizeof(*c->copy));
	for (size_t i = 0; i < c->programs; i++)
		add_program(c, context, i);
	add_filters(c, context);
	for (size_t i = 0; i < c->programs + c->filters && !c->unnamed; i++)
		if (!fg_view_device(context, c->copy[i].netns, c->copy[i].ifindex))
			c->unnamed = &c->copy[i];
	if (c->text.failed)
		return false;
	c->ladder = ladder;
	return true;
}

const struct fg_constant *fg_constant_find(const struct fg_report *report,
					   const struct fg_context *context, struct fg_buffer *out)
{
	struct fg_constants *kept = report->constants;
	struct fg_constant *c;

	for (size_t i = 0; i < FG_CONSTANTS; i++)
		if (kept->list[i].ladder == context->ladder && fits(&kept->list[i], context))
			return &kept->list[i];
	c = &kept->list[kept->next];
	kept->next = (kept->next + 1) % FG_CONSTANTS;
	if (fill(c, context))
		return c;
	clear(c);
	out->failed = true;
	return NULL;
}

void fg_constant_put(struct fg_buffer *out, const struct fg_constant *constant, struct fg_span span)
{
	fg_buffer_put(out, constant->text.data + span.at, span.len);
}
