// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/outside.c - what comes from outside meets XDP in the uplink's driver before all else. No
 * redirect leads there; so flowgen runs the program on the frame itself, and puts on its way what
 * the program lets pass.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "datapath/uplink.h"
#include "probe/names.h"
#include "probe/wire.h"
#include "session/internal.h"

/* A program may put a header before the packet. */
#define LONGER_MAX 256

/* As an observer would tell of it. */
static struct fg_event event_of(const struct fg_session *s, const struct fg_endpoint *m,
				uint32_t number, uint16_t kind)
{
	return (struct fg_event){ .version = FG_EVENT_VERSION,
				  .kind = kind,
				  .probe = number,
				  .time_ns = fg_clock_now(),
				  .generation = s->generation,
				  .ifindex = (uint32_t)m->pod.primary.ifindex,
				  .netns = m->pod.host_inode };
}

static void tell(struct fg_session *s, const struct fg_event *event)
{
	fg_collector_record(s->collector, event, sizeof(*event));
}

/* What came of a frame that does not go on. */
static void tell_end(struct fg_session *s, const struct fg_endpoint *m, uint32_t number,
		     const struct fg_uplink_xdp *xdp, enum fg_effect effect)
{
	const struct fg_drop_codes *codes = &m->context.codes;
	bool back = xdp->retval == XDP_TX, redirected = effect == FG_EFFECT_REDIRECT;
	struct fg_event e = event_of(s, m, number,
				     back	  ? FG_EVENT_STOP
				     : redirected ? FG_EVENT_LOST
						  : FG_EVENT_FREE);

	if (!redirected)
		e.code = (int32_t)(codes->xdp ? codes->xdp : codes->not_specified);
	tell(s, &e);
}

/* The program may have translated it. */
static void tell_flow(struct fg_session *s, const struct fg_endpoint *m, uint32_t number,
		      const struct fg_frame *before, const uint8_t *frame, size_t len)
{
	struct fg_event_flow e = { .event = event_of(s, m, number, FG_EVENT_FLOW) };
	struct fg_wire_flow was = {};

	fg_wire_read_flow(before->data + ETH_HLEN, before->len - ETH_HLEN, &was);
	if (len > ETH_HLEN)
		fg_wire_read_flow(frame + ETH_HLEN, len - ETH_HLEN, &e.flow);
	if (memcmp(&was, &e.flow, sizeof(was)) != 0)
		fg_collector_record(s->collector, &e, sizeof(e));
}

int fg_outside_pass_xdp(struct fg_session *session, uint32_t index, uint32_t number,
			struct fg_chunk *out, struct fg_error *err)
{
	struct fg_probe *p = &session->window[index];
	const struct fg_endpoint *m = session->endpoints[p->spec.pod];
	const struct fg_frame *f = &p->frame;
	size_t len = f->len, room = f->len + LONGER_MAX;
	struct fg_uplink_xdp xdp;
	enum fg_effect effect;
	struct fg_event e;

	if (f->offload.gso_type)
		return fg_fail(
			err, FG_ERR_USAGE,
			"--gso: XDP in the driver of %s gets packets as they are on the wire",
			m->pod.primary.name);
	if (!FG_GROW_TO(session->passed, session->passed_size, room, "frame", err))
		return -1;
	memcpy(session->passed, f->data, f->len);
	memcpy(session->passed, session->hops[index]->mac, 6);
	memcpy(session->passed + 6, m->pod.peer.mac, 6);
	e = event_of(session, m, number, FG_EVENT_INJECT);
	if (fg_uplink_run_xdp(&m->pod, m->xdp_id, session->passed, &len, room, &xdp, err))
		return -1;
	tell(session, &e);
	e = event_of(session, m, number, FG_EVENT_POLICY);
	e.flags = FG_EVENT_F_RUN;
	e.id = m->xdp_id;
	e.code = xdp.retval;
	e.aux = xdp.duration_ns;
	tell(session, &e);
	p->trace.metadata = xdp.metadata;
	effect = fg_action_read(FG_HOOK_XDP, xdp.retval, NULL);
	if (effect != FG_EFFECT_PASS && effect != FG_EFFECT_NEXT) {
		tell_end(session, m, number, &xdp, effect);
		return 0;
	}
	tell_flow(session, m, number, f, session->passed, len);
	memcpy(session->passed, f->data, 12);
	*out = (struct fg_chunk){ session->passed, len, &f->offload };
	return 1;
}
