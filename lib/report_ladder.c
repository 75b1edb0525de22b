// SPDX-License-Identifier: GPL-2.0-only
/* report_ladder.c - every policy program on the way: whether it ran, what it returned, and how that is known. */
#include <stdio.h>

#include "names.h"
#include "report_sections.h"

#define RESULT_COLUMNS 34
#define TIME_COLUMNS 9

/* How a program's part in it looks. */
struct look {
	const char *mark, *ascii; /* one column each */
	const char *word;
	enum fg_paint paint;
};

static const struct look denied = { "\342\234\227", "x", "DENIED", FG_PAINT_BAD };
static const struct look kept = { "\342\234\227", "x", "kept it", FG_PAINT_BAD };
static const struct look passed = { "\342\234\223", "+", "passed", FG_PAINT_GOOD };
static const struct look moved = { "\342\206\222", ">", "redirected", FG_PAINT_GOOD };
static const struct look ran = { "\342\234\223", "+", "ran", FG_PAINT_GOOD };
static const struct look never = { "\302\267", "-", "never reached", FG_PAINT_QUIET };
static const struct look doubt = { "?", "?", "not known whether it ran", FG_PAINT_DOUBT };

static const struct look *look_of(const struct fg_program *program, const struct fg_step *step,
				  bool denier)
{
	if (denier)
		return &denied;
	if (step->ran == FG_RAN_NO)
		return &never;
	if (step->ran == FG_RAN_UNKNOWN)
		return &doubt;
	if (!step->has_retval || program->classifier)
		return &ran;
	switch (fg_action_read(program->hook, step->retval, NULL)) {
	case FG_EFFECT_DROP:
		return &denied;
	case FG_EFFECT_TAKEN:
		return &kept;
	case FG_EFFECT_REDIRECT:
		return &moved;
	default:
		return &passed;
	}
}

static void put_result(const struct fg_page *page, const struct fg_program *program,
		       const struct fg_step *step, const struct look *look)
{
	const char *name = NULL;
	char text[80], time[32] = "";

	if (step->has_retval && !program->classifier)
		fg_action_read(program->hook, step->retval, &name);
	if (step->has_retval)
		snprintf(text, sizeof(text), "%s: %s (%d)", look->word, name ? name : "returned",
			 step->retval);
	else
		snprintf(text, sizeof(text), "%s%s", look->word,
			 step->ran == FG_RAN_YES ? ", return value not seen" : "");
	if (step->has_duration)
		fg_time_text(step->duration_ns, page->utf8, time, sizeof(time));
	fg_buffer_puts(page->out, "       ");
	fg_page_paint(page, look->paint);
	if (!time[0] && step->evidence == FG_EVIDENCE_NONE) {
		fg_page_cell(page, text, 0, false);
	} else {
		fg_page_cell(page, text, RESULT_COLUMNS, false);
		fg_page_paint(page, FG_PAINT_OFF);
		fg_page_cell(page, time, TIME_COLUMNS, true);
		fg_buffer_printf(page->out, "  by %s", fg_evidence_name(step->evidence));
	}
	fg_page_paint(page, FG_PAINT_OFF);
	fg_buffer_puts(page->out, "\n");
}

static void put_program(const struct fg_page *page, const struct fg_report *report, size_t i,
			const struct fg_result *result)
{
	const struct fg_program *program = &report->scene->ladder->programs[i];
	const struct look *look = look_of(program, &result->steps[i], (int)i == result->denied_by);
	char text[200];

	fg_buffer_puts(page->out, "  ");
	fg_page_paint(page, look->paint);
	fg_buffer_puts(page->out, page->utf8 ? look->mark : look->ascii);
	fg_page_paint(page, FG_PAINT_OFF);
	snprintf(text, sizeof(text), "%s on %s (%s): %s, id %u", fg_hook_name(program->hook),
		 program->device, fg_side_name(program->side), program->name, program->id);
	fg_buffer_printf(page->out, " %2zu ", i + 1);
	fg_page_wrap(page, text, 7, 7, NULL);
	fg_buffer_puts(page->out, "\n");
	put_result(page, program, &result->steps[i], look);
}

void fg_text_ladder(const struct fg_page *page, const struct fg_report *report,
		    const struct fg_result *result)
{
	if (!report->programs) {
		fg_buffer_puts(page->out,
			       report->scene->method == FG_METHOD_AUTO
				       ? "\npolicy programs: not looked at\n"
				       : "\npolicy programs: none\n"
					 "  No BPF program stands on this pod's egress path.\n");
		return;
	}
	fg_buffer_puts(page->out, "\npolicy programs, in the order the kernel asks them\n");
	for (size_t i = 0; i < report->programs; i++)
		put_program(page, report, i, result);
}
