// SPDX-License-Identifier: GPL-2.0-only
/* run/sender.c - the one pod that the probes of a plan or a capture go out from, and as whom. */
#include <errno.h>
#include <sys/random.h>

#include "run/internal.h"

int fg_run_seed(uint64_t *seed, struct fg_error *err)
{
	if (getrandom(seed, sizeof(*seed), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	return 0;
}

static int check_spoof(const struct fg_run_probes *p, const struct fg_pod *pod,
		       struct fg_error *err)
{
	char text[FG_ADDR_TEXT_LEN];

	if (!pod || pod->uplink || p->spoof || fg_pod_owns(pod, &p->src))
		return 0;
	fg_fail(err, FG_ERR_USAGE, "--src: pod %s does not own %s", p->pod,
		fg_addr_text(&p->src, text, sizeof(text)));
	return fg_hint(err, "--spoof sends it anyway");
}

/* The first address of the family, if there is one. */
static struct fg_addr own_address(const struct fg_pod *pod, uint16_t family)
{
	const struct fg_addr *own = pod ? fg_pod_address(pod, family) : NULL;

	return own ? *own : (struct fg_addr){};
}

/*
 * The device that the pod's route leaves through, and the source address that its kernel chooses:
 * those of the first probe. Others may have others; see fg_run_admit().
 */
static void take_way(struct fg_run_sender *s, const struct fg_run_probes *p)
{
	struct fg_probe_spec spec = { .pod = s->pod,
				      .packet = p->packet,
				      .vary = { .src = s->src, .dst = p->dst },
				      .any_source = !p->src.family,
				      .any_port = !p->sports };

	if (p->dports)
		spec.vary.dport = fg_ports_get(p->dports, 0);
	if (p->sports)
		spec.vary.sport = fg_ports_get(p->sports, 0);
	fg_run_guess_way(s->run, &spec);
	s->pod = spec.pod;
	s->src = spec.vary.src;
}

/* The source address: the pod's own, unless the user asks for another and says so. */
static int choose_addresses(struct fg_run_sender *s, const struct fg_run_probes *p,
			    const struct fg_pod *pod, struct fg_error *err)
{
	uint16_t family = p->dst.family;

	s->v4 = own_address(pod, AF_INET);
	s->v6 = own_address(pod, AF_INET6);
	if (pod && fg_addr_is_link_local(&p->dst) && fg_pod_link_address(pod))
		s->v6 = *fg_pod_link_address(pod);
	if (p->src.family) {
		if (check_spoof(p, pod, err))
			return -1;
		*(p->src.family == AF_INET ? &s->v4 : &s->v6) = p->src;
		family = p->src.family;
	}
	/* A capture has packets of both families: there it is told of the packet that lacks one. */
	if (p->pcap && !family)
		family = s->v4.family ? AF_INET : AF_INET6;
	s->src = family == AF_INET ? s->v4 : s->v6;
	if (!p->pcap)
		take_way(s, p);
	if (!s->src.family && !p->pcap)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s has no IPv%d address on %s", p->pod,
			       family == AF_INET ? 4 : 6, pod ? pod->peer.name : "its device");
	return 0;
}

int fg_run_sender_open(struct fg_run_sender *sender, const struct fg_run_probes *probes,
		       struct fg_run *run, struct fg_error *err)
{
	const struct fg_run_session *s = fg_run_session(run);

	sender->run = run;
	sender->ref = probes->pod;
	sender->pod = s->ops->add_pod(s->self, probes->pod, probes->interface, probes->method, err);
	if (sender->pod < 0)
		return -1;
	sender->expect = probes->finer ? *probes->finer : fg_scenario_expect_of(probes->expect);
	return choose_addresses(sender, probes, s->ops->pod(s->self, sender->pod), err);
}

const struct fg_report *fg_run_sender_report(struct fg_run_sender *sender, struct fg_error *err)
{
	const struct fg_run_session *s = fg_run_session(sender->run);
	bool looked = s->ops->pod(s->self, sender->pod) != NULL;

	if (!sender->report)
		sender->report = fg_run_report(sender->run, sender->pod, &sender->src,
					       looked ? NULL : sender->ref, err);
	return sender->report;
}
