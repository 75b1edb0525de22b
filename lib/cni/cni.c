// SPDX-License-Identifier: GPL-2.0-only
#include "cni/cni.h"

#include "cni/internal.h"

static void forget(struct fg_stated *s)
{
	s->who = NULL;
	s->says = FG_STATED_NOTHING;
	s->reason[0] = s->rule[0] = '\0';
	s->has_code = s->has_identities = s->has_endpoint = false;
	s->code = s->source = s->destination = s->endpoint = 0;
	s->direction = FG_STATED_NOWHERE;
	for (uint32_t i = 0; i < s->event_count; i++)
		s->events[i].known = false;
}

void fg_cni_read(struct fg_stated *stated, const struct fg_stated_packet *packet)
{
	forget(stated);
	for (uint32_t i = 0; i < stated->event_count; i++) {
		struct fg_stated_event *e = &stated->events[i];

		e->known = (e->ours && fg_cni_cilium_event(e, stated)) ||
			   fg_cni_aws_event(e, packet, stated);
	}
	for (uint32_t i = 0; i < stated->counter_count; i++) {
		const struct fg_stated_counter *c = &stated->counters[i];

		if (!fg_cni_cilium_counter(c, stated))
			fg_cni_calico_counter(c, stated);
	}
}
