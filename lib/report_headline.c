// SPDX-License-Identifier: GPL-2.0-only
/* report_headline.c - the answer in one sentence. */
#include <stdio.h>

#include "names.h"
#include "netfilter.h"
#include "report_sections.h"

#define HEADLINE_MAX 2400

static void by_program(const struct fg_report *report, const char *word, int index,
		       const char *otherwise, char *buf, size_t size)
{
	const struct fg_program *program;

	if (index < 0 || (size_t)index >= report->programs) {
		snprintf(buf, size, "%s %s", word, otherwise);
		return;
	}
	program = &report->scene->ladder->programs[index];
	snprintf(buf, size, "%s by %s (%s on %s)", word, program->name, fg_hook_name(program->hook),
		 program->device);
}

/* " in pod shop/cart-0 (eth0)", or "". */
static const char *place_text(const struct fg_report *report, const struct fg_observation *end,
			      const char *word, char *buf, size_t size)
{
	const struct fg_scene *scene = report->scene;
	const struct fg_device *device =
		end && scene->device && end->event.ifindex
			? scene->device(scene->names, end->event.netns, (int)end->event.ifindex)
			: NULL;

	buf[0] = '\0';
	if (device)
		snprintf(buf, size, " %s %s%s%s%s", word, device->name,
			 device->where[0] ? " (" : "", device->where, device->where[0] ? ")" : "");
	return buf;
}

/* "REDIRECTED by NAME (HOOK on DEVICE) to DEVICE (WHERE)" */
static void put_redirect(const struct fg_report *report, const struct fg_result *result, char *buf,
			 size_t size)
{
	char by[200], to[380];

	by_program(report, "REDIRECTED", result->redirected_by,
		   "by a policy program (which one is not known)", by, sizeof(by));
	place_text(report, result->redirected_to, "to", to, sizeof(to));
	snprintf(buf, size, "%s%s", by, to);
}

static enum fg_paint put_verdict(const struct fg_report *report, const struct fg_result *result,
				 char *buf, size_t size)
{
	size_t ran = 0;

	for (size_t i = 0; i < report->programs; i++)
		ran += result->steps[i].ran == FG_RAN_YES;
	switch (result->verdict) {
	case FG_VERDICT_DENIED:
		by_program(report, "DENIED", result->denied_by,
			   "by policy (which program is not known)", buf, size);
		return FG_PAINT_BAD;
	case FG_VERDICT_REDIRECTED:
		put_redirect(report, result, buf, size);
		return FG_PAINT_GOOD;
	case FG_VERDICT_ALLOWED:
		if (ran)
			snprintf(buf, size, "ALLOWED: %zu polic%s let it pass", ran,
				 ran == 1 ? "y program" : "y programs");
		else
			snprintf(buf, size, "ALLOWED: policy let it pass");
		return FG_PAINT_GOOD;
	case FG_VERDICT_NONE:
		snprintf(buf, size, "NOTHING ENFORCES HERE: no policy program saw the packet");
		return FG_PAINT_DOUBT;
	default:
		snprintf(buf, size, "VERDICT UNKNOWN");
		return FG_PAINT_DOUBT;
	}
}

/* Where there is no tcx a packet can only be stopped at the socket (aux is its cookie). */
static const char *stop_text(const struct fg_result *result)
{
	if (!result->stopped)
		return "";
	return result->end && result->end->event.aux ? ", stopped before the socket"
						     : ", stopped before the pod's stack";
}

static void put_outcome(const struct fg_report *report, const struct fg_result *result, char *buf,
			size_t size)
{
	char place[380], number[32], rule[FG_NETFILTER_TEXT_LEN];

	switch (result->outcome) {
	case FG_OUTCOME_DELIVERED:
		place_text(report, result->end, "at", place, sizeof(place));
		snprintf(buf, size, "delivered%s%s", place, stop_text(result));
		return;
	case FG_OUTCOME_FORWARDED:
		place_text(report, result->end, "out of", place, sizeof(place));
		snprintf(buf, size, "forwarded%s", place);
		return;
	case FG_OUTCOME_DROPPED:
	case FG_OUTCOME_REJECTED:
		place_text(report, result->end, "at", place, sizeof(place));
		snprintf(buf, size, "%s%s: %s%s%s", fg_outcome_name(result->outcome), place,
			 result->dropped ? fg_drop_name(report->scene, result->drop_code, number,
							sizeof(number))
					 : "no reason known",
			 result->netfilter ? " by " : "",
			 result->netfilter
				 ? fg_netfilter_text(result->netfilter, rule, sizeof(rule))
				 : "");
		return;
	case FG_OUTCOME_REPLIED:
		snprintf(buf, size, "replied");
		return;
	default:
		snprintf(buf, size, "INCONCLUSIVE%s%s", result->reason ? ": " : "",
			 result->reason ? result->reason : "");
	}
}

void fg_text_headline(const struct fg_page *page, const struct fg_report *report,
		      const struct fg_probe *probe)
{
	char verdict[600], outcome[1700], text[HEADLINE_MAX];
	enum fg_paint paint = put_verdict(report, &probe->result, verdict, sizeof(verdict));

	put_outcome(report, &probe->result, outcome, sizeof(outcome));
	snprintf(text, sizeof(text), "%s; %s", verdict, outcome);
	fg_page_paint(page, paint);
	fg_page_wrap(page, text, 0, 2, NULL);
	fg_page_paint(page, FG_PAINT_OFF);
	fg_buffer_puts(page->out, "\n");
}
