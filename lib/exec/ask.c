// SPDX-License-Identifier: GPL-2.0-only
#include "exec/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "header/dissect.h"
#include "probe/plan.h"
#include "report/report.h"
#include "run/run.h"
#include "session/session.h"

#define TIMEOUT_NS 1000000000ULL
/* Two flows to one place that need an answer at once get the same. */
#define SAME_NS 2000000000ULL

/* A flow that was asked about while the command ran. */
struct during {
	struct fg_exec_flow flow;
	size_t probe; /* index plus 1; 0: none could be had */
};

struct fg_asker {
	const struct fg_exec_options *options;
	struct fg_session *session; /* NULL until the first question */
	int pod;
	struct fg_exec_probe *probes; /* owned */
	struct fg_exec_flow *to;      /* by probe: the flow that it was sent for; owned */
	size_t count, to_count;
	struct during *during; /* owned */
	size_t during_count;
	bool failed; /* it could not be asked: not tried again while the command runs */
};

struct fg_asker *fg_ask_open(const struct fg_exec_options *options, struct fg_error *err)
{
	struct fg_asker *a = calloc(1, sizeof(*a));

	if (!a)
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "probes");
	else
		a->options = options;
	return a;
}

void fg_ask_close(struct fg_asker *a)
{
	if (!a)
		return;
	if (a->session)
		fg_session_close(a->session);
	for (size_t i = 0; i < a->count; i++) {
		free(a->probes[i].json);
		free(a->probes[i].headline);
	}
	free(a->probes);
	free(a->to);
	free(a->during);
	free(a);
}

void fg_ask_free(struct fg_asked *asked)
{
	free(asked->of);
	*asked = (struct fg_asked){};
}

/* Whether one probe answers for both: source ports decide nothing, as a rule. */
static bool same_question(const struct fg_exec_flow *a, const struct fg_exec_flow *b)
{
	return a->family == b->family && a->proto == b->proto && a->remote_port == b->remote_port &&
	       !memcmp(a->remote, b->remote, sizeof(a->remote)) &&
	       !memcmp(a->local, b->local, sizeof(a->local));
}

/* What can be asked: other protocols than these inject does not build. */
static const char *protocol_of(const struct fg_exec_flow *flow)
{
	switch (flow->proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return NULL;
	}
}

/* The window's first probe is judged: what it says is kept. */
static int keep(const struct fg_asker *a, const struct fg_addr *src, const struct fg_probe *probe,
		struct fg_exec_probe *out, struct fg_error *err)
{
	const struct fg_report_options plain = { .origin = fg_run_origin() };
	struct fg_source_pod source =
		fg_run_source_pod(fg_session_pod(a->session, a->pod), NULL, src);
	struct fg_report *report =
		fg_report_open(&source, fg_session_context(a->session, a->pod), &plain, err);
	struct fg_buffer json = {};
	int ret = -1;

	out->verdict = probe->result.verdict;
	out->outcome = probe->result.outcome;
	out->arrived = fg_probe_arrived(&probe->result);
	out->headline = malloc(FG_HEADLINE_LEN);
	if (report && out->headline && !fg_report_json(report, probe, &json, err)) {
		fg_headline_write(report, probe, out->headline, FG_HEADLINE_LEN);
		out->json = strndup(json.data, json.len);
		ret = out->json ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "report");
	}
	fg_buffer_free(&json);
	fg_report_close(report);
	return ret;
}

static int ask_one(const struct fg_asker *a, const struct fg_exec_flow *flow,
		   struct fg_exec_probe *out, struct fg_error *err)
{
	struct fg_packet_spec packet;
	struct fg_ports ports = {};
	struct fg_plan plan = { .pod = a->pod, .packet = &packet, .count = 1 };
	struct fg_probe *window;
	uint32_t room, one = 1;
	char text[8];
	int ret;

	snprintf(text, sizeof(text), "%u", ntohs(flow->remote_port));
	plan.src = fg_exec_addr(flow, flow->local);
	plan.dst = fg_exec_addr(flow, flow->remote);
	plan.seed = ((uint64_t)flow->local_port << 16) ^ flow->remote_port ^ (uintptr_t)out;
	fg_packet_spec_init(&packet);
	ret = fg_packet_set(&packet, "proto", protocol_of(flow), err);
	if (!ret && fg_packet_has_ports(&packet)) {
		ret = fg_parse_ports("port", text, &ports, err);
		plan.dports = &ports;
	}
	if (!ret) {
		fg_run_fit(fg_session_pod(a->session, a->pod), plan.dst.family, &packet);
		window = fg_session_window(a->session, &room);
		fg_plan_probe(&plan, 0, &window[0].spec);
		ret = fg_session_run(a->session, &one, err) ||
		      keep(a, &plan.src, &window[0], out, err);
	}
	fg_ports_free(&ports);
	fg_packet_spec_free(&packet);
	return ret ? -1 : 0;
}

static int open_session(struct fg_asker *a, struct fg_error *err)
{
	const struct fg_session_options session = { .host_root = a->options->host_root,
						    .timeout_ns = TIMEOUT_NS,
						    .cancel_fd = -1,
						    .explain = true };

	/* Its programs may have changed since. */
	if (a->session)
		return fg_session_renew_pod(a->session, a->pod, err);
	a->session = fg_session_open(&session, err);
	if (!a->session)
		return -1;
	a->pod = fg_session_add_pod(a->session, a->options->ref, a->options->interface,
				    FG_METHOD_AUTO, err);
	if (a->pod >= 0)
		return 0;
	fg_session_close(a->session);
	a->session = NULL;
	return -1;
}

/* Sends one. Returns its index plus 1, 0 if the protocol cannot be asked about, or -1. */
static ssize_t ask_new(struct fg_asker *a, const struct fg_exec_flow *flow, bool during,
		       struct fg_error *err)
{
	struct fg_exec_flow *to;
	struct fg_exec_probe *added;

	if (!protocol_of(flow))
		return 0;
	if (open_session(a, err))
		return -1;
	to = FG_GROW(a->to, a->count, 1, "probes", err);
	added = to ? FG_APPEND(a->probes, a->count, "probes", err) : NULL;
	if (!added)
		return -1;
	*to = *flow;
	added->at_ns = fg_clock_now();
	added->during = during;
	if (ask_one(a, flow, added, err)) {
		free(added->json);
		free(added->headline);
		a->count--;
		return -1;
	}
	return (ssize_t)a->count;
}

/* One to the same place that was sent not long before, or after the end; its index plus 1; 0: none.
 */
static size_t find_probe(const struct fg_asker *a, const struct fg_exec_flow *flow, bool during)
{
	uint64_t now = fg_clock_now();

	for (size_t i = a->count; i-- > 0;)
		if (same_question(&a->to[i], flow) && a->probes[i].during == during &&
		    (!during || now - a->probes[i].at_ns < SAME_NS))
			return i + 1;
	return 0;
}

static const struct during *find_during(const struct fg_asker *a, const struct fg_exec_flow *flow)
{
	for (size_t i = 0; i < a->during_count; i++)
		if (!memcmp(&a->during[i].flow, flow, sizeof(*flow)))
			return &a->during[i];
	return NULL;
}

bool fg_ask_during(struct fg_asker *a, const struct fg_exec_flow *flow)
{
	struct during *added;
	ssize_t probe, sent;

	if (a->failed || find_during(a, flow) || a->during_count == FG_ASK_MAX)
		return false;
	probe = (ssize_t)find_probe(a, flow, true);
	sent = probe ? 0 : ask_new(a, flow, true, NULL);
	probe = probe ? probe : sent;
	a->failed = probe < 0;
	added = probe < 0 ? NULL : FG_APPEND(a->during, a->during_count, "probes", NULL);
	if (added)
		*added = (struct during){ *flow, (size_t)probe };
	return sent > 0;
}

/* The probe for the flow: one that was sent already, or a new one; 0: none. */
static int find_answer(struct fg_asker *a, const struct fg_exec_flow *flow, size_t *of,
		       struct fg_asked *out, struct fg_error *err)
{
	const struct during *during = find_during(a, flow);
	ssize_t probe;

	*of = during ? during->probe : find_probe(a, flow, false);
	if (*of || !protocol_of(flow))
		return 0;
	if (out->fresh == FG_ASK_MAX) {
		out->left_out++;
		return 0;
	}
	probe = ask_new(a, flow, false, err);
	if (probe < 0)
		return -1;
	out->fresh++;
	*of = (size_t)probe;
	return 0;
}

int fg_ask(const struct fg_exec_done *done, bool (*wanted)(const struct fg_divert_flow *flow),
	   struct fg_asked *out, struct fg_error *err)
{
	int ret = 0;

	*out = (struct fg_asked){ .of = calloc(done->flow_count + 1, sizeof(*out->of)) };
	if (!out->of)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "probes");
	for (size_t i = 0; !ret && i < done->flow_count; i++)
		if (wanted(&done->flows[i]))
			ret = find_answer(done->asker, &done->flows[i].flow, &out->of[i], out, err);
	out->probes = done->asker->probes;
	return ret;
}
