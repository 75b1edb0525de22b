// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject.c - `flowgen kube inject`: one request for each sender and each address it sends to; and
 * `flowgen kube catch`, one for each receiver.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/parse.h"
#include "cases/control.h"
#include "cases/expected.h"
#include "cases/until.h"
#include "cluster/halves.h"
#include "cluster/join.h"
#include "cluster/receivers.h"
#include "cluster/show.h"
#include "kube/internal.h"

#define WHAT "inject"

/* More backends of a service than these are not awaited. */
#define HALVES_MAX 8
/* Of `flowgen inject --await` (FG_WINDOW). */
#define AWAITED_MAX 1024
/* The default of net.ipv4.ip_local_port_range. */
#define EPHEMERAL_FIRST 32768U
#define EPHEMERAL_COUNT 28232U
/* Between two packets with --until, as on a node. */
#define UNTIL_PACE_NS 10e6

struct probe {
	const struct fg_object_pod *from;
	struct fg_target to;
	size_t request; /* of the client's; those of the halves are behind it */
	bool targeted;	/* to says what is sent to */
	bool crosses;	/* the receiver is, or may be, on another node */
	bool unknown;	/* a result of it was made unknown */
	struct fg_buffer text;
	/* if the receivers' nodes are asked: */
	struct fg_ends ends;
	struct fg_target *receivers; /* as many as ends; owned */
	size_t receiver_count;
	/* Both ends make the same packet of these, and no other probe does. */
	char seed[24], sport[8];
	char times[24];	     /* of --count for the receivers; "": as the words have it */
	const char *unasked; /* the node of a backend more; NULL: there is none */
	bool joined;
};

/* --until: one packet after the other, and each has both ends. */
struct until {
	struct fg_until is;
	const char **words;	     /* of one packet; owned */
	double pace_ns;		     /* between two packets */
	uint64_t times, duration_ns; /* at most; 0: without end */
	bool running;
};

struct inject {
	struct fg_job job;
	struct fg_name pod, dst;
	bool has_dst;
	const char *verb;
	const char *filter; /* catch: the address that is caught */
	bool catches;	    /* what comes is told at once, and is not the result of a probe */
	const char *protocol;
	struct probe *probes;
	size_t count;
	char obstacle[80];	  /* why receivers' nodes are not asked; "": they are */
	uint64_t seed;		  /* of the first probe; each has the next */
	const char *const *words; /* the verb's, of each request */
	struct until until;
	const char *control; /* of --control; NULL: none */
	json_t *controls;    /* the results of its packets; owned; NULL: there is none */
	bool is_control;     /* these are its packets: their results are kept, and not told */
	bool finer;	     /* several keys are expected of the whole way: */
	struct fg_scenario_expect expect;
};

/* --- from names to probes --- */

static bool needs_namespace(const struct fg_name *name)
{
	return !name->namespace[0] && name->kind != FG_NAME_NODE && name->kind != FG_NAME_ADDRESS &&
	       name->kind != FG_NAME_DNS;
}

static int gather(struct inject *in, struct fg_error *err)
{
	struct fg_job *job = &in->job;
	const char *from = in->pod.namespace[0] ? in->pod.namespace : job->namespace;

	if (fg_gather_add(&job->gather, &in->pod, job->namespace, from, job->kube->domain, err))
		return -1;
	if (in->has_dst &&
	    fg_gather_add(&job->gather, &in->dst, job->namespace, from, job->kube->domain, err))
		return -1;
	if (fg_job_gather(job, err))
		return -1;
	if (job->gather.addresses_unknown)
		fg_job_warn(job, "%s (%s)", job->gather.why_unknown.message,
			    job->gather.why_unknown.hint);
	return 0;
}

/* Whether a backend of the service that this is may be on another node than the sender. */
static bool backend_elsewhere(const struct inject *in, const char *node)
{
	const struct fg_objects *o = &in->job.objects;

	for (size_t i = 0; i < o->backend_count; i++)
		if (strcmp(o->backends[i].node, node) != 0)
			return true;
	return false;
}

static bool may_cross(const struct inject *in, const struct fg_object_pod *from,
		      const struct fg_target *to)
{
	if (to->node[0])
		return strcmp(to->node, from->node) != 0;
	if (in->dst.kind == FG_NAME_ADDRESS)
		return !fg_names_is_outside(&in->dst);
	return backend_elsewhere(in, from->node);
}

static int add_probe(struct inject *in, const struct fg_object_pod *from,
		     const struct fg_target *to, struct fg_error *err)
{
	struct probe *p = FG_APPEND(in->probes, in->count, WHAT, err);

	if (!p)
		return -1;
	p->from = from;
	p->targeted = to != NULL;
	/* Where the packets of a capture go is not known here. */
	p->crosses = !to && !in->catches;
	if (!to)
		return 0;
	p->to = *to;
	p->crosses = may_cross(in, from, to);
	if (to->note[0])
		fg_job_warn(&in->job, "%s: %s", to->text, to->note);
	return 0;
}

static int add_probes(struct inject *in, const struct fg_object_pod *from, struct fg_error *err)
{
	const struct fg_resolve r = { .objects = &in->job.objects,
				      .namespace = in->job.namespace,
				      .domain = in->job.kube->domain,
				      .protocol = in->protocol };
	struct fg_targets targets = {};
	int ret = 0;

	if (!in->has_dst)
		return add_probe(in, from, NULL, err);
	ret = fg_resolve_targets(&r, &in->dst, from, &targets, err);
	for (size_t i = 0; !ret && i < targets.count; i++)
		ret = add_probe(in, from, &targets.list[i], err);
	free(targets.list);
	return ret;
}

static int resolve(struct inject *in, struct fg_error *err)
{
	const struct fg_resolve r = { .objects = &in->job.objects,
				      .namespace = in->job.namespace,
				      .domain = in->job.kube->domain };
	struct fg_resolve_pods pods = {};
	int ret = fg_resolve_sources(&r, &in->pod, &pods, err);

	for (size_t i = 0; !ret && i < pods.count; i++)
		ret = add_probes(in, pods.list[i], err);
	free(pods.list);
	return ret;
}

/* --- who awaits it --- */

static int add_half(struct probe *p, const struct fg_target *to, struct fg_error *err)
{
	struct fg_target *added;

	if (!strcmp(to->node, p->from->node))
		return 0;
	if (p->receiver_count == HALVES_MAX) {
		p->unasked = to->node;
		return 0;
	}
	added = FG_APPEND(p->receivers, p->receiver_count, WHAT, err);
	if (!added)
		return -1;
	*added = *to;
	return fg_ends_add(&p->ends, to->node, err) ? 0 : -1;
}

static int find_halves(struct inject *in, struct probe *p, struct fg_error *err)
{
	const struct fg_resolve r = { .objects = &in->job.objects,
				      .namespace = in->job.namespace,
				      .domain = in->job.kube->domain,
				      .protocol = in->protocol };
	struct fg_targets found = {};
	int ret;

	if (!p->crosses || in->catches || in->obstacle[0])
		return 0;
	ret = fg_receivers_find(&r, &in->dst, p->from, &p->to, &found, err);
	for (size_t i = 0; i < found.count && !ret; i++)
		ret = add_half(p, &found.list[i], err);
	free(found.list);
	return ret;
}

/* --- from probes to requests --- */

static void put_address(const struct fg_target *to, char *buf, size_t size)
{
	char text[FG_ADDR_TEXT_LEN];
	bool six = to->addr.family == AF_INET6;

	fg_addr_text(&to->addr, text, sizeof(text));
	if (to->port > 0)
		snprintf(buf, size, "%s%s%s:%d", six ? "[" : "", text, six ? "]" : "", to->port);
	else
		snprintf(buf, size, "%s", text);
}

static const char *protocol_of(const struct inject *in, const struct probe *p)
{
	return p->targeted && p->to.protocol && !in->protocol ? p->to.protocol : NULL;
}

/*
 * The source port, where the seed does not make the same of it at both ends: it is chosen by the
 * destination's port, and a backend has another one than its service. NULL: not needed.
 */
static const char *port_of(const struct inject *in, const struct probe *p)
{
	if (fg_awaiting_given(in->words, "sport"))
		return NULL;
	for (size_t i = 0; i < p->receiver_count; i++)
		if (p->receivers[i].port != p->to.port)
			return p->sport;
	return NULL;
}

/* Two senders to one receiver are not to send what is the same on arrival. */
static void choose(const struct inject *in, struct probe *p)
{
	uint64_t seed = in->seed + (uint64_t)(p - in->probes);

	snprintf(p->seed, sizeof(p->seed), "%llu", (unsigned long long)seed);
	snprintf(p->sport, sizeof(p->sport), "%u",
		 EPHEMERAL_FIRST + (unsigned int)(seed % EPHEMERAL_COUNT));
}

/* A new request to the agent of the node. Returns its number, or -1. */
static ptrdiff_t ask(struct inject *in, const char *node, const char *const *words,
		     struct fg_error *err)
{
	ptrdiff_t agent = fg_agents_need(&in->job.agents, node, err);

	if (agent < 0 || !fg_client_add(&in->job.client, (size_t)agent, words, err))
		return -1;
	return (ptrdiff_t)in->job.client.count - 1;
}

static int add_sender(struct inject *in, struct probe *p, struct fg_error *err)
{
	const struct fg_kube *kube = in->job.kube;
	char pod[340], address[64];
	const char *fixed[18] = { in->verb, "--pod", pod };
	FG_FREE const char **words = NULL;
	size_t n = 3, given = 0;
	ptrdiff_t request;

	while (in->words[given])
		given++;
	words = calloc(given + COUNT(fixed) + 1, sizeof(*words));
	if (!words)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	snprintf(pod, sizeof(pod), "%s/%s", p->from->namespace, p->from->name);
	if (p->targeted) {
		put_address(&p->to, address, sizeof(address));
		fixed[n++] = "--dst";
		fixed[n++] = address;
	}
	if (protocol_of(in, p)) {
		fixed[n++] = "--proto";
		fixed[n++] = p->to.protocol;
	}
	if (in->filter) {
		fixed[n++] = "--dst";
		fixed[n++] = in->filter;
	}
	if (!in->catches)
		fixed[n++] = "--node-only";
	if (p->ends.count) {
		fixed[n++] = "--seed";
		fixed[n++] = p->seed;
	}
	if (port_of(in, p)) {
		fixed[n++] = "--sport";
		fixed[n++] = p->sport;
	}
	fixed[n++] = "--output";
	fixed[n++] = kube->text && !p->crosses && !in->controls ? "text" : "json";
	memcpy(words, fixed, n * sizeof(*words));
	fg_awaiting_copy(words + n, in->words, p->ends.count ? "seed" : "");
	request = ask(in, p->from->node, words, err);
	p->request = (size_t)request;
	return request < 0 ? -1 : 0;
}

static int add_receiver(struct inject *in, struct probe *p, const struct fg_target *to,
			const struct fg_addr *source, struct fg_error *err)
{
	const char *given = fg_awaiting_given(in->words, "src");
	char src[FG_ADDR_TEXT_LEN], dst[64];
	const struct fg_awaiting awaiting = { .src = given ?: src,
					      .dst = dst,
					      .seed = p->seed,
					      .sport = port_of(in, p),
					      .protocol = protocol_of(in, p),
					      .times = p->times };
	FG_FREE const char **words = NULL;
	ptrdiff_t request;

	fg_addr_text(source, src, sizeof(src));
	put_address(to, dst, sizeof(dst));
	words = fg_awaiting_words(&awaiting, in->words, err);
	request = words ? ask(in, to->node, words, err) : -1;
	return request < 0 ? -1 : 0;
}

/* The address that the sender's packets have, of the receiver's family; NULL: it has none. */
static const struct fg_addr *source_of(const struct probe *p)
{
	for (size_t i = 0; i < p->from->address_count; i++)
		if (p->from->addresses[i].family == p->to.addr.family)
			return &p->from->addresses[i];
	return NULL;
}

static const char *why_unknown(const struct inject *in, const struct probe *p)
{
	if (in->job.gather.addresses_unknown)
		return "which pod has this address is not known";
	if (in->obstacle[0])
		return in->obstacle;
	if (!p->to.node[0] && in->dst.kind == FG_NAME_ADDRESS)
		return "it may be an address of a Service, of a node, or a pod's second; if it is "
		       "outside of the cluster, say ext:ADDRESS";
	if (!p->to.node[0])
		return "what the node of the backend made of it was not looked at";
	return "what the receiver's node made of it was not looked at";
}

/* Counts its packets. Refuses what cannot be answered over two nodes, and says what to do instead.
 */
static int count_packets(const struct inject *in, struct probe *p, struct fg_error *err)
{
	struct fg_awaiting_count count;

	if (!p->crosses || in->catches)
		return 0;
	if (in->until.is.wanted && !p->receiver_count)
		return fg_fail(err, FG_ERR_USAGE,
			       "--until: %s is, or may be, on another node than %s/%s, which does "
			       "not see what happens to the packet there: %s",
			       p->to.text, p->from->namespace, p->from->name, why_unknown(in, p));
	if (!p->receiver_count)
		return 0;
	if (fg_awaiting_count(in->words, &count, err))
		return -1;
	memcpy(p->times, count.times, sizeof(p->times));
	/* What arrives at one node says nothing of the others then. */
	p->ends.many = count.packets != 1;
	if (count.packets <= AWAITED_MAX)
		return 0;
	fg_fail(err, FG_ERR_USAGE,
		"%llu packets to another node: it awaits at most %d of them at a time",
		(unsigned long long)count.packets, AWAITED_MAX);
	return fg_hint(err, "fewer ports, or kubectl flowgen run, which takes any number");
}

static int add_requests(struct inject *in, struct probe *p, struct fg_error *err)
{
	const struct fg_addr *source = source_of(p);

	if ((source && !p->receiver_count && find_halves(in, p, err)) || count_packets(in, p, err))
		return -1;
	choose(in, p);
	if (add_sender(in, p, err))
		return -1;
	for (size_t i = 0; i < p->receiver_count; i++)
		if (add_receiver(in, p, &p->receivers[i], source, err))
			return -1;
	p->ends.node = p->from->node;
	fg_ends_asked(&p->ends, &in->job.client, p->request);
	p->ends.early = !in->until.running; /* the next one has its numbers */
	in->job.client.requests[p->request].may_hold = p->ends.count > 0;
	return 0;
}

/* --- answers --- */

/* What the controls from the same pod prove of the result. Returns whether it is not proven. */
static bool hold_against(const struct inject *in, const struct probe *p, json_t *result)
{
	bool doubt = false, answered = false;

	if (!in->controls || in->is_control)
		return false;
	for (size_t i = 0; i < json_array_size(in->controls) && !doubt; i++) {
		const json_t *control = json_array_get(in->controls, i);

		if (strcmp(fg_json_string(control, "sender"), p->from->name) != 0 ||
		    strcmp(fg_json_string(control, "sender_in"), p->from->namespace) != 0)
			continue;
		answered = true;
		doubt = fg_cases_control_apply(result, control, in->control);
	}
	return answered ? doubt : fg_cases_control_apply(result, NULL, in->control);
}

static int print(struct inject *in, struct probe *p, json_t *result, struct fg_error *err)
{
	FG_FREE char *line = NULL;

	if (in->is_control) {
		json_object_set_new(result, "sender", json_string(p->from->name));
		json_object_set_new(result, "sender_in", json_string(p->from->namespace));
		json_array_append(in->controls, result);
		return 0;
	}
	if (in->job.kube->text && (p->crosses || in->controls)) {
		fg_show_result(result, &p->text);
	} else {
		line = fg_json_dump(result);
		if (!line)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
		fg_buffer_printf(&p->text, "%s\n", line);
	}
	return 0;
}

static struct fg_join_end end_of(const struct inject *in, const struct probe *p)
{
	return (struct fg_join_end){ .node = p->from->node,
				     .to = &p->to,
				     .cluster = p->crosses,
				     .why = why_unknown(in, p) };
}

static int put_result(struct inject *in, struct probe *p, json_t *result, struct fg_error *err)
{
	const struct fg_join_end end = end_of(in, p);

	if (in->catches)
		json_object_set_new(result, "node", json_string(p->from->node));
	else if (fg_join_sender(result, &end) || hold_against(in, p, result))
		p->unknown = true;
	return print(in, p, result, err);
}

/* Text is for people: which of several it is about. */
static void put_title(const struct inject *in, const struct probe *p, struct fg_buffer *out)
{
	if (!in->job.kube->text || in->count < 2 || !p->text.len)
		return;
	fg_buffer_printf(out, "=== %s/%s on node %s%s%s\n", p->from->namespace, p->from->name,
			 p->from->node, p->targeted ? " > " : "", p->to.text);
}

/* What one request printed stays together, whatever others say meanwhile. */
static int flush(struct inject *in, struct probe *p, struct fg_error *err)
{
	struct fg_buffer out = {};
	int ret;

	put_title(in, p, &out);
	fg_buffer_put(&out, p->text.data, p->text.len);
	out.failed |= p->text.failed;
	ret = fg_job_write(&in->job, &out, err);
	fg_buffer_free(&out);
	p->text.len = 0;
	return ret;
}

/* --- both halves --- */

static int join_one(struct inject *in, struct probe *p, json_t *sent, struct fg_error *err)
{
	const struct fg_join_end end = end_of(in, p);
	struct fg_half halves[HALVES_MAX + 1];
	size_t count = p->receiver_count;
	int receiver = -1, expected;

	for (size_t i = 0; i < count; i++) {
		halves[i] = fg_ends_half(&p->ends, &in->job.client, i, sent);
		halves[i].namespace = p->receivers[i].namespace;
		halves[i].pod = p->receivers[i].pod;
		if (fg_halves_arrived(halves[i].result))
			receiver = p->ends.list[i].status;
		/* It may have waited for more than there was time to send. */
		if (p->times[0] && receiver == 4)
			receiver = 0;
	}
	if (p->unasked)
		halves[count++] =
			(struct fg_half){ .node = p->unasked, .why = "no more backends are asked" };
	fg_halves_join(sent, &end, halves, count);
	expected = in->finer ? fg_cases_expected(sent, &in->expect) : 0;
	if (in->until.running)
		return fg_until_take(&in->until.is, sent) ? print(in, p, sent, err) : 0;
	if (hold_against(in, p, sent) || expected == 4)
		fg_job_conclude(&in->job, 4);
	else
		fg_job_conclude(&in->job, fg_halves_status(sent, p->ends.status, receiver));
	return print(in, p, sent, err);
}

/* All of its requests are over. */
static int join(struct inject *in, struct probe *p, struct fg_error *err)
{
	p->joined = true;
	for (size_t i = 0; i < json_array_size(p->ends.sent); i++)
		if (join_one(in, p, json_array_get(p->ends.sent, i), err))
			return -1;
	return flush(in, p, err);
}

/* The probe that a request is of. */
static struct probe *probe_of(struct inject *in, size_t request)
{
	size_t low = 0, high = in->count;

	/* Requests are in the order of their probes. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (in->probes[middle].request <= request)
			low = middle;
		else
			high = middle;
	}
	return &in->probes[low];
}

static int answer(void *arg, size_t index, const json_t *line, struct fg_error *err)
{
	struct inject *in = arg;
	struct probe *p = probe_of(in, index);
	json_t *result = json_object_get(line, "result");
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *message = json_string_value(json_object_get(line, "message"));
	bool more = json_is_true(json_object_get(line, "more"));

	if (p->ends.count)
		return fg_ends_take(&p->ends, &in->job, index, line) ? join(in, p, err) : 0;
	if (message)
		fg_job_say(&in->job, p->from->node, message);
	if (text)
		fg_buffer_printf(&p->text, "%s%s", text, more ? "" : "\n");
	if (result && put_result(in, p, result, err))
		return -1;
	/* JSON comes as it is made; text is whole at the end. */
	if (json_object_get(line, "done") || in->catches || (result && !in->job.kube->text))
		return flush(in, p, err);
	return 0;
}

static int conclude(struct inject *in, struct fg_error *err)
{
	for (size_t i = 0; i < in->count; i++) {
		struct probe *p = &in->probes[i];
		const struct fg_request *r = &in->job.client.requests[p->request];

		if (p->ends.count && !p->joined && join(in, p, err))
			return -1;
		if (r->state != FG_REQUEST_DONE)
			fg_job_lose(&in->job, &r->why);
		else if (!p->ends.count || !json_array_size(p->ends.sent) || r->status == 2 ||
			 r->status == 3 || r->status == 5)
			fg_job_conclude(&in->job, p->unknown ? 4 : r->status);
		/* Not all were sent. */
		if (p->ends.count && in->job.client.stopped && r->status == 4)
			fg_job_conclude(&in->job, 4);
	}
	return 0;
}

/* --- one packet after the other, until something is so --- */

/* The words of one packet, which is expected to meet it. */
static int make_until(struct inject *in, struct fg_error *err)
{
	static const char *const own[] = { "until", "count", "duration", "interval", "rate" };
	const char *times = fg_awaiting_given(in->words, "count");
	const char *duration = fg_awaiting_given(in->words, "duration");
	struct until *u = &in->until;
	size_t count = 0;

	if (fg_awaiting_pace(in->words, &u->pace_ns, err) ||
	    (times && fg_parse_u64("--count", times, 0, UINT32_MAX, &u->times, err)) ||
	    (duration && fg_parse_duration("--duration", duration, &u->duration_ns, err)))
		return -1;
	if (fg_awaiting_given(in->words, "expect"))
		return fg_fail(err, FG_ERR_USAGE, "--until and --expect: only one of the two");
	u->pace_ns = u->pace_ns > 0 ? u->pace_ns : UNTIL_PACE_NS;
	while (in->words[count])
		count++;
	u->words = calloc(count + 3, sizeof(*u->words));
	if (!u->words)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	fg_awaiting_copy(u->words, in->words, own[0]);
	for (size_t i = 1; i < COUNT(own); i++)
		fg_awaiting_drop(u->words, own[i], true);
	for (count = 0; u->words[count];)
		count++;
	u->words[count++] = "--expect";
	u->words[count] = u->is.wanted;
	in->words = u->words;
	return 0;
}

/* The next packet is one of its own: both ends forget the one before. */
static int send_next(struct inject *in, struct probe *p, struct fg_error *err)
{
	struct until *u = &in->until;
	const bool first = !u->is.sent;

	if (!first) {
		fg_client_free(&in->job.client);
		in->job.client.next = in->job.client.settled = 0;
		fg_ends_free(&p->ends);
		in->seed++;
		for (size_t i = 0; i < p->receiver_count; i++)
			if (!fg_ends_add(&p->ends, p->receivers[i].node, err))
				return -1;
	}
	p->joined = false;
	u->is.sent_ns = fg_clock_now();
	u->is.sent++;
	if (add_requests(in, p, err) ||
	    (first ? fg_job_run(&in->job, err) : fg_client_run(&in->job.client, err)))
		return -1;
	u->is.seen_ns = fg_clock_now();
	/* Before the first is sent agents are started, which may take long. */
	if (first)
		u->is.first_ns = u->is.sent_ns = u->is.seen_ns;
	return 0;
}

/* A node that is gone answers none of the next ones either. */
static bool has_lost_end(const struct inject *in, const struct probe *p)
{
	const struct fg_client *c = &in->job.client;
	bool lost = false;

	for (size_t i = p->request; i <= p->request + p->ends.count; i++)
		lost |= in->job.agents.list[c->requests[i].agent].failed;
	return lost;
}

/* Returns whether there is to be another one. */
static bool wait_next(const struct inject *in, const struct probe *p)
{
	const struct until *u = &in->until;
	const struct fg_request *r = &in->job.client.requests[p->request];
	uint64_t now = fg_clock_now(), next = u->is.sent_ns + (uint64_t)u->pace_ns;
	struct pollfd stop = { .fd = in->job.kube->kubectl.stop, .events = POLLIN };

	if (u->is.met || in->job.client.stopped || has_lost_end(in, p) ||
	    r->state != FG_REQUEST_DONE || r->status == 2 || r->status == 3 || r->status == 5 ||
	    u->is.sent == u->times || (u->duration_ns && next >= u->is.first_ns + u->duration_ns))
		return false;
	return next <= now || poll(&stop, 1, (int)((next - now) / 1000000) + 1) <= 0;
}

static int run_until(struct inject *in, struct fg_error *err)
{
	struct until *u = &in->until;
	struct probe *p = &in->probes[0];
	char text[160];

	do {
		u->running = true;
		if (send_next(in, p, err) || (p->ends.count && !p->joined && join(in, p, err)))
			return -1;
		if (u->is.known && !u->is.met)
			u->is.before_ns = u->is.sent_ns;
	} while (wait_next(in, p));
	u->running = false;
	if (in->job.client.requests[p->request].state != FG_REQUEST_DONE && !in->job.client.stopped)
		fg_job_lose(&in->job, &in->job.client.requests[p->request].why);
	fg_until_text(&u->is, text, sizeof(text));
	in->job.kube->say(text);
	if (in->job.client.requests[p->request].status > 1)
		fg_job_conclude(&in->job, in->job.client.requests[p->request].status);
	else if (!u->is.met && has_lost_end(in, p))
		fg_job_conclude(&in->job, 4);
	else
		fg_job_conclude(&in->job, u->is.met ? 0 : 1);
	return 0;
}

/* Whether its packets get to another node, which is asked about each. */
static int needs_rounds(struct inject *in, bool *needs, struct fg_error *err)
{
	bool crosses = false;

	*needs = false;
	for (size_t i = 0; i < in->count; i++)
		crosses |= in->probes[i].crosses;
	in->until.is.wanted = fg_awaiting_given(in->words, "until");
	if (!in->until.is.wanted || !crosses || in->catches)
		return 0;
	if (in->count > 1)
		return fg_fail(err, FG_ERR_USAGE,
			       "--until: one packet is repeated, and these are %zu: name one pod "
			       "and one destination",
			       in->count);
	*needs = true;
	return make_until(in, err);
}

/* --expect of one word is what the nodes have; of several keys only the whole can be asked. */
static int read_expect(struct inject *in, struct fg_error *err)
{
	const char *given = fg_awaiting_given(in->words, "expect");

	if (!given || in->catches)
		return 0;
	if (fg_scenario_expect_parse("--expect", given, &in->expect, err))
		return -1;
	in->finer = fg_scenario_simple(&in->expect) == FG_EXPECT_NOTHING;
	return 0;
}

/* The user's, or a random one. */
static int make_seed(struct inject *in, struct fg_error *err)
{
	const char *given = fg_awaiting_given(in->words, "seed");

	return given ? fg_parse_u64("--seed", given, 0, UINT64_MAX, &in->seed, err)
		     : fg_job_seed(&in->seed, err);
}

static int run(struct inject *in, struct fg_error *err)
{
	const char *obstacle, *src;
	struct fg_addr addr;
	bool rounds;

	in->words = in->job.kube->words;
	src = fg_awaiting_given(in->words, "src");
	/* Who sends is the pod; this is what it writes into the packet. */
	if (src && !in->catches && fg_parse_addr("--src", src, &addr, err))
		return fg_hint(err, "the sender's name is --pod REF");
	obstacle = fg_awaiting_obstacle(in->words);
	if (obstacle)
		snprintf(in->obstacle, sizeof(in->obstacle),
			 "with --%s the receiver's node is not asked", obstacle);
	if (read_expect(in, err) || gather(in, err) || resolve(in, err) || make_seed(in, err) ||
	    needs_rounds(in, &rounds, err))
		return -1;
	in->job.client.answer = answer;
	in->job.client.arg = in;
	if (rounds)
		return run_until(in, err);
	for (size_t i = 0; i < in->count; i++)
		if (add_requests(in, &in->probes[i], err))
			return -1;
	if (fg_job_run(&in->job, err))
		return -1;
	return conclude(in, err);
}

static void free_probe(struct probe *p)
{
	fg_buffer_free(&p->text);
	fg_ends_free(&p->ends);
	free(p->receivers);
}

static int run_named(struct inject *in, const struct fg_kube *kube, int *status,
		     struct fg_error *err)
{
	bool namespaced = needs_namespace(&in->pod) || (in->has_dst && needs_namespace(&in->dst));
	int ret = fg_job_open(&in->job, kube, namespaced, err) || run(in, err) ? -1 : 0;

	*status = in->job.status;
	for (size_t i = 0; i < in->count; i++)
		free_probe(&in->probes[i]);
	free(in->probes);
	free(in->until.words);
	fg_scenario_expect_free(&in->expect);
	fg_job_close(&in->job);
	return ret;
}

/* The control's packets are sent first, and come to both ends as others do. */
static int run_control(const struct fg_kube *kube, struct inject *in, int *status,
		       struct fg_error *err)
{
	struct inject first = *in;
	struct fg_cases_control control;
	struct fg_kube own = *kube;
	FG_FREE const char **words = NULL;
	int ret;

	if (fg_awaiting_given(kube->words, "until"))
		return fg_fail(err, FG_ERR_USAGE, "--control: not with --until over a cluster");
	if (fg_awaiting_given(kube->words, "summary"))
		return fg_fail(
			err, FG_ERR_USAGE,
			"--control: not with --summary over a cluster: each result says what "
			"is proven");
	if (fg_cases_control_read(&control, in->control, &in->dst, err))
		return -1;
	words = fg_cases_control_words(&control, kube->words);
	in->controls = words ? json_array() : NULL;
	if (!in->controls)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	own.words = words;
	own.text = false;
	first.dst = control.dst;
	first.protocol = control.protocol[0] ? control.protocol : first.protocol;
	first.controls = in->controls;
	first.is_control = true;
	ret = run_named(&first, &own, status, err);
	/* What it shows is in the results of the others. */
	if (*status != 2 && *status != 3 && *status != 5)
		*status = 0;
	return ret;
}

static int run_controlled(const struct fg_kube *kube, struct inject *in, int *status,
			  struct fg_error *err)
{
	FG_FREE const char **words = NULL;
	struct fg_kube own = *kube;
	size_t count = 0;
	int ret = run_control(kube, in, status, err);

	while (kube->words[count])
		count++;
	words = calloc(count + 1, sizeof(*words));
	if (!ret && !words)
		ret = fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	if (!ret && !*status) {
		fg_awaiting_copy(words, kube->words, "control");
		own.words = words;
		ret = run_named(in, &own, status, err);
	}
	json_decref(in->controls);
	return ret;
}

int fg_kube_inject(const struct fg_kube *kube, const char *pod, const char *dst,
		   const char *protocol, int *status, struct fg_error *err)
{
	struct inject in = { .verb = "inject", .has_dst = dst != NULL, .protocol = protocol };

	if (fg_names_read_source("--pod", pod, &in.pod, err) ||
	    (dst && fg_names_read_target("--dst", dst, &in.dst, err)))
		return -1;
	in.control = dst ? fg_awaiting_given(kube->words, "control") : NULL;
	return in.control ? run_controlled(kube, &in, status, err)
			  : run_named(&in, kube, status, err);
}

int fg_kube_catch(const struct fg_kube *kube, const char *pod, const char *dst, int *status,
		  struct fg_error *err)
{
	struct inject in = { .verb = "catch", .catches = true, .filter = dst };

	return fg_names_read_source("--pod", pod, &in.pod, err) ? -1
								: run_named(&in, kube, status, err);
}
