// SPDX-License-Identifier: GPL-2.0-only
/* weigh.c - whether the command's flows are as expected. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/internal.h"
#include "header/dissect.h"

#define PORT_OF_NAMES 53

/*
 * Whether no answer may be all there is to see of a flow that was allowed: of UDP it may. Of all
 * else the answer was lost, or denied on its way, which the probe does not tell.
 */
static bool needs_no_answer(const struct fg_divert_flow *flow)
{
	return flow->flow.proto == IPPROTO_UDP;
}

/* Somebody decided: NOT_SPECIFIED is whatever had no reason. */
static bool was_dropped(const struct fg_divert_flow *flow)
{
	return flow->state.drops && flow->drop_reason &&
	       strcmp(flow->drop_reason, "NOT_SPECIFIED") != 0;
}

static enum fg_flows_met allowed(const struct fg_divert_flow *flow, enum fg_exec_got got,
				 const struct fg_exec_probe *probe)
{
	if (got == FG_EXEC_ANSWERED)
		return FG_FLOWS_MET;
	/* On its way, or as an answer. */
	if (was_dropped(flow))
		return FG_FLOWS_UNMET;
	if (got == FG_EXEC_NOT_SENT || !probe || probe->verdict == FG_VERDICT_UNKNOWN)
		return FG_FLOWS_UNKNOWN;
	if (probe->verdict == FG_VERDICT_DENIED || !probe->arrived)
		return FG_FLOWS_UNMET;
	/* A refusal came from where the packet was for: policy that makes one denies the probe. */
	return got == FG_EXEC_RESET || got == FG_EXEC_ICMP_ERROR || needs_no_answer(flow)
		       ? FG_FLOWS_MET
		       : FG_FLOWS_UNKNOWN;
}

static enum fg_flows_met denied(const struct fg_divert_flow *flow, enum fg_exec_got got,
				const struct fg_exec_probe *probe)
{
	/* What was answered at first was not denied then. */
	if (got == FG_EXEC_ANSWERED || got == FG_EXEC_SILENCED)
		return FG_FLOWS_UNMET;
	/* The command's own packet says more than another one. */
	if (was_dropped(flow) && !flow->state.drop_back)
		return FG_FLOWS_MET;
	if (got == FG_EXEC_NOT_SENT || !probe || probe->verdict == FG_VERDICT_UNKNOWN)
		return FG_FLOWS_UNKNOWN;
	return probe->verdict == FG_VERDICT_DENIED ? FG_FLOWS_MET : FG_FLOWS_UNMET;
}

static enum fg_flows_met meets(enum fg_flows_word word, const struct fg_divert_flow *flow,
			       const struct fg_exec_probe *probe)
{
	enum fg_exec_got got = fg_exec_got(&flow->flow, &flow->state);

	return word == FG_FLOWS_ALLOW  ? allowed(flow, got, probe)
	       : word == FG_FLOWS_DENY ? denied(flow, got, probe)
				       : FG_FLOWS_MET;
}

bool fg_exec_asks_names(const struct fg_exec_done *done, const struct fg_divert_flow *flow)
{
	const struct fg_addr remote = fg_exec_addr(&flow->flow, flow->flow.remote);
	bool known = false;

	for (size_t i = 0; i < done->server_count; i++)
		known |= fg_addr_equal(&done->servers[i], &remote);
	return known && ntohs(flow->flow.remote_port) == PORT_OF_NAMES &&
	       (flow->flow.proto == IPPROTO_UDP || flow->flow.proto == IPPROTO_TCP);
}

/* A name that the command had to look up before it knew where to send. */
static bool is_lookup(const struct fg_exec_done *done, const struct fg_divert_flow *flow)
{
	return fg_exec_asks_names(done, flow) &&
	       fg_exec_got(&flow->flow, &flow->state) == FG_EXEC_ANSWERED;
}

/* If the command did nothing else, its lookups are what it is about. */
static bool all_lookups(const struct fg_exec_done *done)
{
	for (size_t i = 0; i < done->flow_count; i++)
		if (!is_lookup(done, &done->flows[i]))
			return false;
	return true;
}

struct weighing {
	const struct fg_exec_done *done;
	const struct fg_asked *asked;
	const struct fg_flows_expect *expect;
	bool lookups;			 /* they count as well */
	size_t fits[FG_FLOWS_RULES_MAX]; /* by rule: flows that it fits */
	enum fg_flows_met met;
	char *why;
	size_t size;
};

static const char *flow_text(const struct fg_exec_flow *flow, char *buf, size_t size)
{
	const struct fg_addr remote = fg_exec_addr(flow, flow->remote);
	char number[4], addr[FG_ADDR_TEXT_LEN];

	fg_addr_text(&remote, addr, sizeof(addr));
	snprintf(buf, size, flow->family == 6 ? "%s to [%s]:%u" : "%s to %s:%u",
		 fg_flow_protocol_text(flow->proto, number), addr, ntohs(flow->remote_port));
	return buf;
}

/* One that is not as expected weighs more than one that nobody knows of. */
static void add(struct weighing *w, enum fg_flows_met one, const char *what, const char *expected)
{
	if (one == FG_FLOWS_MET || w->met == FG_FLOWS_UNMET ||
	    (w->met == FG_FLOWS_UNKNOWN && one == FG_FLOWS_UNKNOWN))
		return;
	w->met = one;
	snprintf(w->why, w->size, "%s: expected %s, %s", what, expected,
		 one == FG_FLOWS_UNMET ? "which is not so" : "and it is not known");
}

static void add_flow(struct weighing *w, size_t index)
{
	const struct fg_divert_flow *flow = &w->done->flows[index];
	const struct fg_addr remote = fg_exec_addr(&flow->flow, flow->flow.remote);
	size_t of = w->asked->of ? w->asked->of[index] : 0;
	int rule = fg_flows_expect_for(w->expect, flow->flow.proto, &remote,
				       ntohs(flow->flow.remote_port));
	char text[100];

	if (rule < 0 || (!w->expect->rules[rule].placed && !w->lookups && is_lookup(w->done, flow)))
		return;
	w->fits[rule]++;
	add(w, meets(w->expect->rules[rule].word, flow, of ? &w->asked->probes[of - 1] : NULL),
	    flow_text(&flow->flow, text, sizeof(text)),
	    fg_flows_word_name(w->expect->rules[rule].word));
}

static enum fg_flows_met weigh(const struct fg_exec_done *done, const struct fg_asked *asked,
			       const struct fg_flows_expect *expect, char *why, size_t size)
{
	struct weighing w = { .done = done,
			      .asked = asked,
			      .expect = expect,
			      .lookups = all_lookups(done),
			      .why = why,
			      .size = size };

	for (size_t i = 0; i < done->flow_count; i++)
		add_flow(&w, i);
	for (size_t i = 0; i < expect->count; i++)
		if (!w.fits[i] && expect->rules[i].word != FG_FLOWS_ANY)
			add(&w, FG_FLOWS_UNKNOWN,
			    expect->rules[i].placed ? "no flow went where a rule says"
			    : done->flow_count	    ? "no flow is left that no rule says where"
						    : "no packet was sent",
			    fg_flows_word_name(expect->rules[i].word));
	/* Of flows that are not known any more nobody knows what they met. */
	if (done->flows_made > done->flow_count)
		add(&w, FG_FLOWS_UNKNOWN, "flows that are not known any more",
		    fg_flows_word_name(expect->rules[0].word));
	return w.met;
}

void fg_exec_weigh(const struct fg_exec_done *done, const struct fg_asked *asked,
		   const struct fg_flows_expect *expect, struct fg_told *told)
{
	static const enum fg_flows_word words[] = { FG_FLOWS_ALLOW, FG_FLOWS_DENY };
	char unused[sizeof(told->why)];

	told->seen = FG_FLOWS_ANY;
	for (size_t i = 0; i < 2 && !told->seen; i++) {
		struct fg_flows_rule rule = { .word = words[i] };
		const struct fg_flows_expect all = { .rules = &rule, .count = 1 };

		if (weigh(done, asked, &all, unused, sizeof(unused)) == FG_FLOWS_MET)
			told->seen = words[i];
	}
	told->met = FG_FLOWS_MET;
	if (expect)
		told->met = weigh(done, asked, expect, told->why, sizeof(told->why));
}
