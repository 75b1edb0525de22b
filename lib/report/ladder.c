// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/ladder.c - everything that could decide about the packet, stage by stage: whether it was
 * met, what it said, and how that is known.
 */
#include <stdio.h>

#include "probe/names.h"
#include "report/internal.h"
#include "cni/show.h"

#define RESULT_COLUMNS 34
#define TIME_COLUMNS 9
#define TEXT_COLUMN 9

/* How a part in it looks. */
struct look {
	const char *mark, *ascii; /* one column each */
	const char *word;
	enum fg_paint paint;
};

static const struct look looks[] = {
	[FG_DECIDED_UNKNOWN] = { "\342\234\223", "+", "ran", FG_PAINT_OFF },
	[FG_DECIDED_NEXT] = { "\342\206\223", "+", "did not decide", FG_PAINT_OFF },
	[FG_DECIDED_PASSED] = { "\342\234\223", "+", "passed", FG_PAINT_GOOD },
	[FG_DECIDED_REDIRECTED] = { "\342\206\222", ">", "redirected", FG_PAINT_GOOD },
	[FG_DECIDED_DENIED] = { "\342\234\227", "x", "DENIED", FG_PAINT_BAD },
	[FG_DECIDED_KEPT] = { "\342\234\227", "x", "kept it", FG_PAINT_BAD },
	[FG_DECIDED_DROPPED] = { "\342\234\227", "x", "DROPPED", FG_PAINT_BAD },
	[FG_DECIDED_REFUSED] = { "\342\234\227", "x", "REFUSED", FG_PAINT_BAD },
};
static const struct look not_met = { "\302\267", "-", "not met", FG_PAINT_QUIET };
static const struct look intercepted = { "\302\267", "-", "not met: intercepted before it",
					 FG_PAINT_QUIET };
static const struct look doubt = { "?", "?", "not known whether it ran", FG_PAINT_DOUBT };
static const struct look perhaps = { "?", "?", "not known whether it was met", FG_PAINT_QUIET };

static const struct look *look_of(const struct fg_decision *d)
{
	if (d->intercepted)
		return &intercepted;
	if (d->met == FG_RAN_NO)
		return &not_met;
	if (d->met == FG_RAN_UNKNOWN)
		return d->step ? &doubt : &perhaps;
	return &looks[d->decided];
}

static void result_text(const struct fg_context *context, const struct fg_result *result,
			const struct fg_decision *d, const char *word, char *text, size_t size)
{
	const struct fg_step *step = d->step;
	char number[32];
	const char *said = fg_decision_said(context, result, d, number, sizeof(number));

	if (step && step->has_retval)
		snprintf(text, size, "%s: %s (%d)", word, said ? said : "returned", step->retval);
	else if (step && d->met == FG_RAN_YES && !d->end)
		snprintf(text, size, "%s, return value not seen", word);
	else
		snprintf(text, size, "%s%s%s", word, said ? ": " : "", said ? said : "");
}

static void put_result(const struct fg_page *page, const struct fg_context *context,
		       const struct fg_result *result, const struct fg_decision *d,
		       const struct look *look)
{
	const struct fg_step *step = d->step;
	char text[100], time[32] = "";

	result_text(context, result, d, look->word, text, sizeof(text));
	if (step && step->has_duration)
		fg_page_time_text(step->duration_ns, page->utf8, time, sizeof(time));
	fg_buffer_printf(page->out, "%*s", TEXT_COLUMN, "");
	fg_page_paint(page, look->paint);
	if (!step || (!time[0] && step->evidence == FG_EVIDENCE_NONE)) {
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

/* "tcx/ingress on lxc1 (host): policy_1, id 101" */
static void name_text(const struct fg_context *context, const struct fg_result *result,
		      const struct fg_decision *d, char *text, size_t size)
{
	const struct fg_device *device = fg_view_device(context, d->netns, d->ifindex);
	const struct fg_program *p = d->program;
	char what[FG_DECISION_WHAT_LEN];

	if (d->step)
		snprintf(text, size, "%s on %s (%s): %s, id %u", fg_hook_name(p->hook), p->device,
			 fg_side_name(p->side), p->name, p->id);
	else if (p)
		snprintf(text, size, "%s on %s (%s): %s", fg_hook_name(p->hook), p->device,
			 fg_side_name(p->side),
			 fg_ladder_filter_text(p, what, FG_LADDER_FILTER_LEN));
	else
		snprintf(text, size, "%s%s%s",
			 fg_decision_what(context, result, d, what, sizeof(what)),
			 device ? " at " : "", device ? device->name : "");
}

static void put_decision(const struct fg_page *page, const struct fg_context *context,
			 const struct fg_result *result, const struct fg_decision *d)
{
	char text[FG_DECISION_WHAT_LEN + 100];
	const struct look *look = look_of(d);

	fg_buffer_puts(page->out, "    ");
	fg_page_paint(page, look->paint);
	fg_buffer_puts(page->out, page->utf8 ? look->mark : look->ascii);
	fg_page_paint(page, FG_PAINT_OFF);
	if (d->step)
		fg_buffer_printf(page->out, " %2zu ", d->index + 1);
	else
		fg_buffer_puts(page->out, "    ");
	name_text(context, result, d, text, sizeof(text));
	fg_page_wrap(page, text, TEXT_COLUMN, TEXT_COLUMN, NULL);
	fg_buffer_puts(page->out, "\n");
	put_result(page, context, result, d, look);
}

/*
 * What the policy itself states belongs to the program that ended the packet, else to the last one
 * that it met. Returns its index in the list; count: there is none.
 */
static size_t stating(const struct fg_decision *list, size_t count)
{
	size_t last = count;

	for (size_t i = 0; i < count; i++) {
		if (list[i].kind == FG_KIND_BPF && list[i].met == FG_RAN_YES)
			last = i;
		if (list[i].end)
			return list[i].kind == FG_KIND_BPF || last == count ? i : last;
	}
	return last;
}

static void put_stated(const struct fg_page *page, const struct fg_result *result)
{
	char text[FG_CNI_SHOW_LEN];

	if (!fg_why_stated(result, page->utf8, text, sizeof(text)))
		return;
	fg_buffer_printf(page->out, "%*s", TEXT_COLUMN, "");
	fg_page_wrap(page, text, TEXT_COLUMN, TEXT_COLUMN + 2, NULL);
	fg_buffer_puts(page->out, "\n");
}

static const char *stage_word(const struct fg_stage_result *stage)
{
	if (!stage->reached)
		return "not reached";
	switch (stage->verdict) {
	case FG_VERDICT_NONE:
		return "no policy";
	case FG_VERDICT_UNKNOWN:
		return "not known";
	default:
		return fg_verdict_name(stage->verdict);
	}
}

static void put_stage(const struct fg_page *page, const struct fg_report *report,
		      const struct fg_context *context, const struct fg_result *result,
		      enum fg_stage stage)
{
	char name[FG_VIEW_STAGE_LEN], text[FG_VIEW_STAGE_LEN + 30];

	snprintf(text, sizeof(text), "%s: %s",
		 fg_view_stage(&report->source_pod, context, result, stage, name, sizeof(name)),
		 stage_word(&result->stages[stage]));
	fg_buffer_puts(page->out, "  ");
	fg_page_wrap(page, text, 2, 4, NULL);
	fg_buffer_puts(page->out, "\n");
}

void fg_report_text_ladder(const struct fg_page *page, const struct fg_report *report,
			   const struct fg_context *context, const struct fg_result *result)
{
	struct fg_decision list[FG_DECISIONS_MAX];
	size_t count, states, i = 0;

	if (context->method == FG_METHOD_AUTO && !context->ladder->count) {
		fg_buffer_puts(page->out, "\nladder: not looked at\n");
		return;
	}
	count = fg_decisions_list(context, result, list);
	states = stating(list, count);
	fg_buffer_puts(page->out, context->of_reply
					  ? "\nreturn path, in the order the reply meets it\n"
					  : "\nladder, in the order the packet meets it\n");
	for (int s = context->from_uplink ? FG_STAGE_NODE : 0; s < FG_STAGES; s++) {
		put_stage(page, report, context, result, (enum fg_stage)s);
		for (; i < count && list[i].stage == (enum fg_stage)s; i++) {
			put_decision(page, context, result, &list[i]);
			if (i == states)
				put_stated(page, result);
		}
	}
}
