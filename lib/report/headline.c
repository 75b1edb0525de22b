// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/headline.c - the result in one sentence: first the outcome of the packet and what caused
 * it, then what policy said.
 */
#include <stdarg.h>
#include <stdio.h>

#include "facts/cause.h"
#include "probe/names.h"
#include "probe/netfilter.h"
#include "report/internal.h"

/* One line that grows, cut at its end. */
struct line {
	char *buf;
	size_t size, used;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->buf + l->used, l->size - l->used, fmt, args);
	va_end(args);
	if (n > 0)
		l->used = l->used + (size_t)n < l->size ? l->used + (size_t)n : l->size - 1;
}

/* " at eth0 (shop/cart-0)"; nothing if the device is not known. */
static void add_place(struct line *l, const char *word, const struct fg_device *device)
{
	if (device)
		add(l, " %s %s%s%s%s", word, device->name, device->where[0] ? " (" : "",
		    device->where, device->where[0] ? ")" : "");
}

static const struct fg_device *device_of(const struct fg_context *context,
					 const struct fg_observation *seen)
{
	return seen ? fg_view_device(context, seen->event.netns, (int)seen->event.ifindex) : NULL;
}

/* What a headline is made of. */
struct story {
	const struct fg_report *report;
	const struct fg_context *context;
	const struct fg_result *result;
	bool ended; /* something stopped the packet: end is what */
	struct fg_decision end;
};

static void add_reason(struct line *l, const struct story *s)
{
	char number[32];

	if (s->result->dropped)
		add(l, ": %s",
		    fg_view_drop_name(s->context, s->result->drop_code, number, sizeof(number)));
}

/* " (ingress of shop/db-0)" */
static void add_stage(struct line *l, const struct story *s, const char *before, const char *behind)
{
	char stage[FG_VIEW_STAGE_LEN];

	add(l, "%s%s%s", before,
	    fg_view_stage(&s->report->source_pod, s->context, s->result, s->end.stage, stage,
			  sizeof(stage)),
	    behind);
}

static void add_candidates(struct line *l, const struct story *s)
{
	const struct fg_ladder *ladder = s->context->ladder;
	bool any = false;

	for (size_t i = 0; i < ladder->count && i < FG_LADDER_MAX; i++) {
		if (!(s->result->candidates >> i & 1))
			continue;
		add(l, "%s%s", any ? ", " : "; candidates: ", ladder->programs[i].name);
		any = true;
	}
}

/* A program that is known: "policy_2 (tcx/ingress on lxc1, egress of shop/cart-0)". */
static void add_program(struct line *l, const struct story *s)
{
	const struct fg_program *program = s->end.program;

	add(l, " by %s (%s on %s", program->name, fg_hook_name(program->hook), program->device);
	add_stage(l, s, ", ", ")");
}

/* Who is known to have denied another packet in the same way. */
static void add_alike(struct line *l, const struct story *s)
{
	char text[FG_DECISION_WHAT_LEN];

	if (s->result->alike)
		add(l, "; like probe %llu, which %s denied",
		    (unsigned long long)s->result->alike->id,
		    fg_decision_alike(s->result->alike, text, sizeof(text)));
}

static void add_denier(struct line *l, const struct story *s)
{
	const struct fg_device *device = fg_view_device(s->context, s->end.netns, s->end.ifindex);
	char what[FG_DECISION_WHAT_LEN];

	if (s->end.program && s->end.step) {
		add_program(l, s);
		return;
	}
	add(l, " by %s", fg_decision_what(s->context, s->result, &s->end, what, sizeof(what)));
	if (s->end.program) {
		add_stage(l, s, ", ", "");
		return;
	}
	add_place(l, "at", device);
	if (s->end.kind == FG_KIND_TC || s->end.kind == FG_KIND_BPF) {
		add_stage(l, s, ", ", ": which one is not known");
		add_candidates(l, s);
	} else if (!s->result->netfilter) {
		add_reason(l, s);
	}
	add_alike(l, s);
}

/* What else there is to a denial than that the packet was dropped there and then. */
static void add_denied_end(struct line *l, const struct story *s)
{
	if (s->result->outcome == FG_OUTCOME_INCONCLUSIVE && s->result->reason)
		add(l, "; %s", s->result->reason);
	else if (s->result->outcome != FG_OUTCOME_DROPPED)
		add(l, "; %s", fg_outcome_name(s->result->outcome));
}

static void add_answer(struct line *l, const struct fg_reply *reply)
{
	char from[FG_ADDR_TEXT_LEN];

	add(l, "%s", fg_reply_name(reply->kind));
	if (reply->kind == FG_REPLY_ICMP_ERROR)
		add(l, " type %u code %u", reply->icmp_type, reply->icmp_code);
	if (reply->from.family)
		add(l, " from %s", fg_addr_text(&reply->from, from, sizeof(from)));
}

static void add_dropped(struct line *l, const struct story *s)
{
	if (s->ended && s->end.kind != FG_KIND_OTHER)
		add(l, " by %s", fg_kind_name(s->end.kind));
	add_place(l, "at", device_of(s->context, s->result->end));
	if (s->result->dropped)
		add_reason(l, s);
	else
		add(l, ": no reason known");
}

static void add_rejected(struct line *l, const struct story *s)
{
	const struct fg_reply *reply = &s->result->reply;

	if (s->ended && s->end.kind != FG_KIND_OTHER) {
		add(l, " by %s", fg_kind_name(s->end.kind));
		add_place(l, "at", device_of(s->context, s->result->end));
		add_reason(l, s);
		add(l, ", ");
	} else {
		add(l, ": ");
	}
	add_answer(l, reply);
}

/* Where there is no program at the device a packet is intercepted later, and the pod notices. */
static const char *stopped_text(const struct fg_result *result)
{
	uint64_t aux = result->end ? result->end->event.aux : 0;

	return aux == FG_STOP_AUX_STACK ? "in the pod's IP stack"
	       : aux			? "before the socket"
					: "before the pod's stack";
}

static void add_delivered(struct line *l, const struct story *s)
{
	const struct fg_result *result = s->result;

	if (fg_probe_was_steered(result))
		add(l, " to another socket");
	else if (result->cause && result->cause->kind == FG_CAUSE_PROXY)
		add(l, " to a local proxy");
	add_place(l, "at", device_of(s->context, result->end));
	if (result->stopped)
		add(l, ", intercepted %s", stopped_text(result));
}

/* First the outcome. A denial comes before its consequences. */
static void add_fate(struct line *l, const struct story *s)
{
	const struct fg_result *result = s->result;

	if (result->verdict == FG_VERDICT_DENIED && !fg_view_arrived(result)) {
		add(l, "DENIED");
		if (s->ended)
			add_denier(l, s);
		else
			add(l, " by policy: which one is not known");
		add_denied_end(l, s);
		return;
	}
	switch (result->outcome) {
	case FG_OUTCOME_DELIVERED:
		add(l, "DELIVERED");
		add_delivered(l, s);
		return;
	case FG_OUTCOME_FORWARDED:
		add(l, "FORWARDED");
		add_place(l, "out of", device_of(s->context, result->end));
		if (result->stopped)
			add(l, ", intercepted before it left");
		return;
	case FG_OUTCOME_DROPPED:
		add(l, "DROPPED");
		add_dropped(l, s);
		return;
	case FG_OUTCOME_REJECTED:
		add(l, "REJECTED");
		add_rejected(l, s);
		return;
	case FG_OUTCOME_NOT_SENT:
		add(l, "NOT SENT: the pod's own routing refuses it");
		if (result->cause)
			add(l, ": %s", result->cause->what);
		return;
	case FG_OUTCOME_REPLIED:
		add(l, "REPLIED: ");
		add_answer(l, &result->reply);
		return;
	default:
		add(l, "INCONCLUSIVE");
		add(l, ": %s", result->reason ? result->reason : "its end was not seen");
	}
}

static void add_let_pass(struct line *l, const struct story *s)
{
	struct fg_decision_counts n = fg_decisions_count(s->context, s->result);
	size_t passed = n.decided + n.unseen;
	bool netfilter = (s->result->enforced == FG_PRESENCE_YES &&
			  s->result->stages[FG_STAGE_NODE].verdict == FG_VERDICT_ALLOWED) ||
			 s->result->own_netfilter[FG_STAGE_EGRESS] == FG_PRESENCE_YES ||
			 s->result->own_netfilter[FG_STAGE_INGRESS] == FG_PRESENCE_YES;

	if (passed)
		add(l, "; allowed: %zu policy %s%s let it pass", passed,
		    passed == 1 ? "program" : "programs", netfilter ? " and netfilter" : "");
	else if (n.ran)
		add(l, "; allowed: %zu %s ran, %s%s", n.ran, n.ran == 1 ? "program" : "programs",
		    n.ran == 1 ? "and did not decide" : "none decided",
		    netfilter ? "; netfilter let it pass" : "");
	else if (netfilter)
		add(l, "; allowed: netfilter let it pass");
	else if (s->context->ladder->filter_count)
		add(l, "; allowed: the tc filters on its way let it pass");
	else
		add(l, "; allowed");
}

static void add_redirect(struct line *l, const struct story *s)
{
	const struct fg_result *result = s->result;
	char program[FG_DECISION_PROGRAM_LEN];

	if (result->redirected_by >= 0 && (size_t)result->redirected_by < s->context->ladder->count)
		add(l, "; redirected by %s",
		    fg_decision_program_text(&s->context->ladder->programs[result->redirected_by],
					     program, sizeof(program)));
	else if (fg_probe_was_steered(result))
		add(l, "; redirected by a BPF program that chooses sockets (sk_lookup)");
	else
		add(l, "; redirected by a policy program: which one is not known");
	add_place(l, "to", device_of(s->context, result->redirected_to));
}

/* What policy said of a packet that got through. */
static void add_verdict(struct line *l, const struct story *s)
{
	switch (s->result->verdict) {
	case FG_VERDICT_ALLOWED:
		add_let_pass(l, s);
		return;
	case FG_VERDICT_NONE:
		add(l, "; nothing enforces here: it met no policy of any kind");
		return;
	case FG_VERDICT_REDIRECTED:
		add_redirect(l, s);
		return;
	case FG_VERDICT_DENIED:
		add(l, "; yet denied");
		if (s->ended)
			add_denier(l, s);
		return;
	default:
		add(l, "; verdict unknown%s%s", s->result->reason ? ": " : "",
		    s->result->reason ? s->result->reason : "");
	}
}

/* And of one that did not, though no policy denied it. */
static void add_verdict_of_dead(struct line *l, const struct story *s)
{
	switch (s->result->verdict) {
	case FG_VERDICT_ALLOWED:
	case FG_VERDICT_NONE:
		add(l, "; no policy denied it");
		return;
	case FG_VERDICT_REDIRECTED:
		add_redirect(l, s);
		return;
	case FG_VERDICT_UNKNOWN:
		add(l, "; verdict unknown%s%s", s->result->reason ? ": " : "",
		    s->result->reason ? s->result->reason : "");
		return;
	case FG_VERDICT_DENIED:
		return;
	}
}

/* A reply that did not come back: who stopped it is as much of an answer as who stops the packet.
 */
static void add_way_back(struct line *l, const struct story *s)
{
	const struct fg_reply *reply = &s->result->reply;
	struct story back = { .report = s->report, .context = reply->back, .result = reply->way };

	if (!reply->way || (reply->way->verdict != FG_VERDICT_DENIED && !reply->way->dropped))
		return;
	back.ended = fg_decision_end(reply->back, reply->way, &back.end);
	if (reply->way->verdict == FG_VERDICT_DENIED) {
		add(l, "; its reply was denied on the return path");
		if (back.ended)
			add_denier(l, &back);
		return;
	}
	add(l, "; its reply was dropped on the return path");
	add_dropped(l, &back);
}

const char *fg_headline_write(const struct fg_report *report, const struct fg_probe *probe,
			      char *buf, size_t size)
{
	struct story s = { .report = report,
			   .context = fg_report_context(report, probe),
			   .result = &probe->result };
	struct line l = { .buf = buf, .size = size };

	buf[0] = '\0';
	s.ended = fg_decision_end(s.context, s.result, &s.end);
	add_fate(&l, &s);
	if (fg_view_arrived(s.result))
		add_verdict(&l, &s);
	else if (s.result->outcome != FG_OUTCOME_INCONCLUSIVE &&
		 s.result->outcome != FG_OUTCOME_NOT_SENT)
		add_verdict_of_dead(&l, &s);
	add_way_back(&l, &s);
	return buf;
}

static enum fg_paint paint_of(const struct fg_result *result)
{
	if (result->verdict == FG_VERDICT_DENIED || result->outcome == FG_OUTCOME_DROPPED ||
	    result->outcome == FG_OUTCOME_REJECTED || result->outcome == FG_OUTCOME_NOT_SENT ||
	    (result->reply.way &&
	     (result->reply.way->verdict == FG_VERDICT_DENIED || result->reply.way->dropped)))
		return FG_PAINT_BAD;
	if (fg_view_arrived(result) &&
	    (result->verdict == FG_VERDICT_ALLOWED || result->verdict == FG_VERDICT_REDIRECTED))
		return FG_PAINT_GOOD;
	return FG_PAINT_DOUBT;
}

void fg_headline_text(const struct fg_page *page, const struct fg_report *report,
		      const struct fg_probe *probe)
{
	char text[FG_HEADLINE_LEN];

	fg_page_paint(page, paint_of(&probe->result));
	fg_page_wrap(page, fg_headline_write(report, probe, text, sizeof(text)), 0, 2, NULL);
	fg_page_paint(page, FG_PAINT_OFF);
	fg_buffer_puts(page->out, "\n");
}
