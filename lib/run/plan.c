// SPDX-License-Identifier: GPL-2.0-only
/* run/plan.c - the source of `inject`: one packet to one or many ports, again and again. */
#include <errno.h>
#include <stdlib.h>

#include "probe/control.h"
#include "probe/pace.h"
#include "run/internal.h"

struct plan {
	struct fg_run_source source;
	const struct fg_run_probes *probes;
	struct fg_run_sender sender;
	struct fg_packet_spec packet, control_packet; /* copies that own nothing */
	struct fg_plan plan, control;
	struct fg_pace pace;
	uint64_t next, total;	     /* probes made so far, and in all */
	struct fg_proof_state proof; /* of the window that is in flight */
};

static struct plan *plan_of(struct fg_run_source *source)
{
	return (struct plan *)source;
}

static const struct fg_run_control *control_of(const struct fg_run_probes *p)
{
	return p->control && p->control->text ? p->control : NULL;
}

/* As the probes beside it, except for what --control sets. */
static struct fg_plan plan_control(const struct plan *p)
{
	const struct fg_run_control *c = p->probes->control;
	struct fg_plan plan = p->plan;

	plan.packet = &p->control_packet;
	plan.name = "control";
	plan.expect = FG_EXPECT_NOTHING;
	plan.dst_count = 1;
	if (c->dst.family)
		plan.dst = c->dst;
	plan.dports = c->dports.total ? &c->dports : NULL;
	if (c->sports.total)
		plan.sports = &c->sports;
	return plan;
}

/* The pod's kernel leaves the checksum to the pod's device, and programs on the way see it so. */
static void fit_packets(struct plan *p, const struct fg_pod *pod)
{
	if (!pod)
		return;
	if (p->probes->full_checksum) {
		p->packet.mtu = p->control_packet.mtu = pod->peer.mtu;
		return;
	}
	fg_run_fit(pod, p->probes->dst.family, &p->packet);
	if (control_of(p->probes))
		fg_run_fit(pod, p->probes->dst.family, &p->control_packet);
}

static int open_plan(struct fg_run_source *source, struct fg_run *run, struct fg_error *err)
{
	const struct fg_run_session *s = fg_run_session(run);
	struct plan *p = plan_of(source);
	const struct fg_run_probes *o = p->probes;

	if (fg_run_sender_open(&p->sender, o, run, err))
		return -1;
	fit_packets(p, s->ops->pod(s->self, p->sender.pod));
	p->plan = (struct fg_plan){ .pod = p->sender.pod,
				    .packet = &p->packet,
				    .name = o->name,
				    .src = p->sender.src,
				    .dst = o->dst,
				    .dst_count = o->dst_count,
				    .any_source = !o->src.family,
				    .dports = o->dports,
				    .sports = o->sports,
				    .count = o->count,
				    .seed = o->seed,
				    .places = { .seed = o->seed, .all = o->count },
				    .expect = o->expect };
	if (control_of(o))
		p->control = plan_control(p);
	p->total = source->planned = fg_plan_total(&p->plan);
	return 0;
}

static int begin(struct fg_run_source *source, uint64_t round, uint64_t now_ns,
		 struct fg_error *err)
{
	struct plan *p = plan_of(source);

	(void)round;
	p->next = 0;
	fg_pace_begin(&p->pace, p->probes->interval_ns, now_ns);
	return fg_run_sender_report(&p->sender, err) ? 0 : -1;
}

static void make_item(struct plan *p, uint64_t index, struct fg_run_item *item)
{
	fg_plan_probe(&p->plan, index, &item->spec);
	item->plan = &p->plan;
	item->expect = &p->sender.expect;
	item->report = p->sender.report;
}

/* The same number made the same random choices. */
static void make_control(const struct plan *p, const struct fg_run_item *beside,
			 struct fg_run_item *item)
{
	fg_plan_probe(&p->control, beside->spec.vary.number, &item->spec);
	item->spec.control = true;
	fg_plan_choose_again(&p->control, &item->spec);
	item->plan = &p->control;
	item->report = p->sender.report;
}

static int fill(struct fg_run_source *source, struct fg_run_item *items, uint32_t room,
		uint64_t now_ns, uint64_t *due_ns, struct fg_error *err)
{
	struct plan *p = plan_of(source);
	uint64_t n = p->total - p->next;

	if (!fg_run_sender_report(&p->sender, err))
		return -1;
	*due_ns = n ? fg_pace_next(&p->pace) : UINT64_MAX;
	if (n > room)
		n = room;
	n = n ? fg_pace_take(&p->pace, now_ns, n) : 0;
	if (!n)
		return 0;
	p->proof = (struct fg_proof_state){};
	for (uint64_t i = 0; i < n; i++)
		make_item(p, p->next + i, &items[source->beside + i]);
	if (source->beside)
		make_control(p, &items[n], &items[0]);
	p->next += n;
	return (int)(n + source->beside);
}

/* Source ports that the user gave are refused before anything is sent; random ones never are. */
static bool peek(struct fg_run_source *source, uint64_t index, struct fg_run_item *item)
{
	struct plan *p = plan_of(source);

	if (!p->plan.sports || index >= p->total)
		return false;
	make_item(p, index, item);
	return true;
}

static const struct fg_proof_state *proof_of(struct fg_run_source *source,
					     const struct fg_run_item *item)
{
	(void)item;
	return &plan_of(source)->proof;
}

static bool judged(struct fg_run_source *source, const struct fg_run_item *item, struct fg_case *c)
{
	struct plan *p = plan_of(source);
	struct fg_control seen;

	if (!item->spec.control)
		return false;
	/* Whether it came through is all that is asked of it. */
	seen = fg_control_of(c->probe, p->probes->control->text);
	fg_proof_add(&p->proof, &seen, FG_CASE_PASS, p->probes->control->text);
	return false;
}

static void forget(struct fg_run_source *source, int pod)
{
	(void)pod;
	plan_of(source)->sender.report = NULL;
}

static void close_plan(struct fg_run_source *source)
{
	free(source);
}

static const struct fg_run_source_ops plan_ops = { .open = open_plan,
						   .begin = begin,
						   .fill = fill,
						   .peek = peek,
						   .proof = proof_of,
						   .judged = judged,
						   .forget = forget,
						   .close = close_plan };

struct fg_run_source *fg_run_plan_open(const struct fg_run_probes *probes, struct fg_error *err)
{
	struct plan *p = calloc(1, sizeof(*p));
	const struct fg_run_control *control = control_of(probes);

	if (!p) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "plan");
		return NULL;
	}
	p->probes = probes;
	p->packet = *probes->packet;
	if (control)
		p->control_packet = control->packet;
	p->source = (struct fg_run_source){ .ops = &plan_ops, .beside = control != NULL };
	/* Fragments take places of their own; a few probes at a time leave enough of them. */
	if (probes->packet->fragment_size || (control && control->packet.fragment_size))
		p->source.at_once = 1;
	return &p->source;
}
