// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "capability.h"
#include "fd.h"
#include "marking.h"
#include "method.h"
#include "route.h"
#include "session_state.h"

/* Jumbo frames and fragments of the largest packet pass; the pod's own device decides what it takes. */
#define PORT_MTU 65535
/* As long as the kernel itself asks: three times, a second apart. */
#define NEIGHBOUR_TIMEOUT_NS 3500000000ULL

struct fg_session *fg_session_open(const struct fg_session_options *options, struct fg_error *err)
{
	struct fg_session *s = calloc(1, sizeof(*s));

	if (!s) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "session");
		return NULL;
	}
	s->options = *options;
	s->stats_fd = -1;
	if (fg_host_open(&s->host, options->host_root, err)) {
		fg_session_close(s);
		return NULL;
	}
	s->options.host_root = s->host.root;
	s->egress_redirect = !fg_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);
	return s;
}

static void member_empty(struct fg_member *m)
{
	*m = (struct fg_member){
		.pod.netns = -1, .pod.host_netns = -1, .sender.fd = -1, .port = -1, .reply_link = -1
	};
}

static void member_free(struct fg_member *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->ladder.count; i++)
		fg_fd_close(&m->counter_fds[i]);
	fg_fd_close(&m->reply_link);
	fg_sender_close(&m->sender);
	free(m->hops);
	fg_ladder_free(&m->back);
	fg_ladder_free(&m->ladder);
	fg_pod_close(&m->pod);
	free(m);
}

void fg_session_close(struct fg_session *session)
{
	if (!session)
		return;
	/* What can still send goes first, then the observers, then what they refer to. */
	for (size_t i = 0; i < session->member_count; i++)
		member_free(session->members[i]);
	free(session->members);
	for (size_t i = 0; i < session->gate_count; i++) {
		fg_sender_close(&session->gates[i].sender);
		fg_port_close(&session->gates[i].port);
	}
	free(session->gates);
	fg_nftrace_free(session->nftrace);
	fg_stops_close(&session->stops);
	fg_collector_free(session->collector);
	fg_verdicts_free(session->verdicts);
	fg_datapath_close(session->datapath);
	fg_fd_close(&session->stats_fd);
	fg_symbols_free(session->symbols);
	fg_reasons_free(session->reasons);
	for (uint32_t i = 0; i < session->touched; i++)
		fg_trace_free(&session->window[i].trace);
	free(session->window);
	free(session->scenes);
	free(session->buffers);
	free(session->arena);
	fg_names_free(&session->names);
	fg_host_close(&session->host);
	free(session);
}

/* The first pod pays for what all share. */
static int open_datapath(struct fg_session *s, struct fg_error *err)
{
	if (s->collector)
		return 0;
	s->window = calloc(FG_WINDOW, sizeof(*s->window));
	s->scenes = calloc(FG_WINDOW, sizeof(const struct fg_scene *));
	s->buffers = calloc(FG_WINDOW, sizeof(*s->buffers));
	if (!s->window || !s->scenes || !s->buffers)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "window");
	s->reasons = fg_reasons_open(err);
	s->symbols = s->reasons ? fg_symbols_new(err) : NULL;
	if (!s->symbols)
		return -1;
	s->names.reasons = s->reasons;
	s->datapath = fg_datapath_open(s->reasons, s->options.ring_bytes, err);
	s->verdicts = s->datapath ? fg_verdicts_new(s->datapath, err) : NULL;
	s->collector = s->verdicts ? fg_collector_new(s->datapath, err) : NULL;
	if (!s->collector)
		return -1;
	fg_datapath_config(s->datapath)->stop =
		s->options.deliver || s->options.reply ? FG_STOP_NOWHERE : FG_STOP_AT_DEVICE;
	fg_datapath_config(s->datapath)->replies = s->options.reply ? FG_REPLIES_FOLLOW
								    : FG_REPLIES_TAKE;
	return 0;
}

/* The port in the namespace of the member's primary; made for the first member that needs it. */
static int find_gate(struct fg_session *s, const struct fg_member *m, struct fg_error *err)
{
	struct fg_gate *grown, *gate;

	for (size_t i = 0; i < s->gate_count; i++)
		if (s->gates[i].port.host_inode == m->pod.host_inode)
			return (int)i;
	grown = reallocarray(s->gates, s->gate_count + 1, sizeof(*grown));
	if (!grown)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "ports");
	s->gates = grown;
	gate = &grown[s->gate_count];
	gate->sender.fd = -1;
	if (fg_port_open(&gate->port, m->pod.host_netns, fg_datapath_inject_fd(s->datapath),
			 PORT_MTU, err))
		return -1;
	if (fg_sender_open(&gate->sender, gate->port.netns, gate->port.ifindex, true, err)) {
		fg_port_close(&gate->port);
		return -1;
	}
	return (int)s->gate_count++;
}

/* Run counters stand in for fexit where a program cannot be traced. */
static int open_counters(struct fg_session *s, struct fg_member *m)
{
	size_t untraced[2] = {};

	for (size_t i = 0; i < m->ladder.count; i++) {
		struct fg_program *p = &m->ladder.programs[i];

		if (p->traced)
			continue;
		m->counter_fds[i] = bpf_prog_get_fd_by_id(p->id);
		m->has_untraced = true;
		if (++untraced[p->side] > 1)
			m->one_by_one = true;
	}
	if (m->has_untraced)
		fg_session_count_runs(s);
	return 0;
}

/* Only there is it asked whether the kernel notes redirects: to tell them from bridging, where no program was traced to. */
static bool needs_marking(const struct fg_member *m)
{
	for (size_t i = 0; i < m->ladder.count; i++)
		if (m->pod.primary.master && m->ladder.programs[i].side == FG_SIDE_HOST &&
		    !m->ladder.programs[i].traced)
			return true;
	return false;
}

static void fill_scene(struct fg_session *s, struct fg_member *m, enum fg_method method)
{
	m->scene = (struct fg_scene){
		.ladder = &m->ladder,
		.method = method,
		.pod_netns = m->pod.inode,
		.host_netns = m->pod.host_inode,
		.peer_ifindex = m->pod.peer.ifindex,
		.primary_ifindex = m->pod.primary.ifindex,
		.netkit = !strcmp(m->pod.primary.kind, "netkit"),
		.bridged = m->pod.primary.master != 0,
		.notes_redirects = needs_marking(m) && fg_marking_works(),
		.netfilter_traced = s->nftrace != NULL,
		.codes = fg_reasons_codes(s->reasons),
		.device = fg_names_device,
		.reason = fg_names_reason,
		.names = &s->names,
	};
	for (size_t i = 0; i < m->ladder.count; i++)
		if (m->ladder.programs[i].hook == FG_HOOK_XDP && m->ladder.programs[i].native)
			m->scene.xdp_copies = true;
}

/* Native XDP on a veth puts the packet into another sk_buff; tell the observers where to know it again. */
static int watch_xdp(struct fg_session *s, const struct fg_member *m, struct fg_error *err)
{
	struct fg_config *config = fg_datapath_config(s->datapath);

	for (size_t i = 0; i < m->ladder.count; i++)
		if (m->ladder.programs[i].hook == FG_HOOK_XDP)
			config->match_flows = 1;
	if (!m->scene.xdp_copies)
		return 0;
	if (config->reacquire_if && (config->reacquire_if != (uint32_t)m->pod.primary.ifindex ||
				     config->reacquire_ns != m->pod.host_inode))
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "pod %s: only one pod with native XDP on its primary in a run",
			       m->pod.ref);
	config->reacquire_ns = m->pod.host_inode;
	config->reacquire_if = (uint32_t)m->pod.primary.ifindex;
	return 0;
}

static const char *pod_label(const struct fg_pod *pod)
{
	return pod->name[0] ? pod->name : pod->ref;
}

static const char no_tcx[] =
	"without tcx (Linux 6.6) probes reach the stacks of pods on this host, though no socket; and "
	"answers reach the sender's stack";
static const char no_tcx_answers[] = "without tcx (Linux 6.6) answers reach the sender's stack";

/*
 * Answers are taken off before the pod's stack, which knows nothing of the question. A kernel without tcx cannot: then
 * they go in, and the stack deals with them as with any stray packet. Probes are then taken off at the socket.
 */
static int take_answers(struct fg_session *s, struct fg_member *m, struct fg_error *err)
{
	/* Listed before flowgen's own program stands there too. */
	if (s->options.reply && fg_policy_list_back(&m->pod, &m->back, err))
		return -1;
	m->reply_link = fg_stop_attach(m->pod.netns, m->pod.peer.ifindex,
				       fg_datapath_reply_fd(s->datapath), err);
	if (m->reply_link < 0 && err->kind == FG_ERR_UNSUPPORTED && !s->options.reply) {
		s->disturbs = s->options.deliver ? no_tcx_answers : no_tcx;
		if (!s->options.deliver)
			fg_datapath_config(s->datapath)->stop = FG_STOP_AT_SOCKET;
		return 0;
	}
	if (m->reply_link < 0)
		return fg_error_prefix(err, "pod %s: answers cannot be taken", m->pod.ref);
	if (!s->options.reply)
		return 0;
	for (size_t i = 0; i < m->back.count; i++)
		fg_verdicts_trace(s->verdicts, &m->back.programs[i]);
	m->scene.back = &m->back;
	m->scene.wants_reply = true;
	return 0;
}

/* A destination pod on this host is not to notice the probe. */
static int spare_destination(struct fg_session *s, const struct fg_addr *dst, struct fg_error *err)
{
	const struct fg_stop_parts parts = { fg_datapath_stop_fd(s->datapath),
					     fg_datapath_maps(s->datapath).owners };
	struct fg_config *config = fg_datapath_config(s->datapath);
	enum fg_stop_where where;

	if (s->options.deliver || s->options.reply || s->disturbs)
		return 0;
	if (fg_stops_add(&s->stops, &s->host, dst, &parts, &where, err))
		return -1;
	/* Should it be translated to one of many pods, that one's stack sees it, but no socket. */
	if (where == FG_STOP_TOO_MANY) {
		config->host_ns = s->host.inode;
		config->stop = FG_STOP_AT_BOTH;
	}
	return 0;
}

static int open_member(struct fg_session *s, struct fg_member *m, const char *ref,
		       const char *interface, enum fg_method wanted, struct fg_error *err)
{
	struct fg_method_facts facts = { .ladder = &m->ladder };
	enum fg_method method;

	if (fg_pod_open(&s->host, ref, interface, &m->pod, err) ||
	    fg_policy_list(&m->pod, &m->ladder, err))
		return -1;
	for (size_t i = 0; i < m->ladder.count; i++)
		m->counter_fds[i] = -1;
	facts.netkit = !strcmp(m->pod.primary.kind, "netkit");
	facts.egress_redirect = s->egress_redirect;
	if (fg_method_choose(&facts, wanted, &method, &m->why, err))
		return fg_error_prefix(err, "pod %s", m->pod.ref);
	if (s->options.trace_netfilter && fg_watch_netfilter(s, &m->pod, err))
		return -1;
	/* A pod that is refused has cost nothing yet. */
	if (open_datapath(s, err))
		return -1;
	for (size_t i = 0; i < m->ladder.count; i++)
		fg_verdicts_trace(s->verdicts, &m->ladder.programs[i]);
	fill_scene(s, m, method);
	if (open_counters(s, m) || watch_xdp(s, m, err) || take_answers(s, m, err) ||
	    fg_names_add(&s->names, m->pod.rtnl, m->pod.inode, pod_label(&m->pod), err) ||
	    fg_names_add(&s->names, m->pod.host_rtnl, m->pod.host_inode, "host", err))
		return -1;
	if (method == FG_METHOD_POD_SOCKET)
		return fg_sender_open(&m->sender, m->pod.netns, m->pod.peer.ifindex, false, err);
	m->port = find_gate(s, m, err);
	return m->port < 0 ? -1 : 0;
}

int fg_session_add_pod(struct fg_session *session, const char *ref, const char *interface,
		       enum fg_method wanted, struct fg_error *err)
{
	struct fg_member **grown, *m = calloc(1, sizeof(*m));

	if (!m)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pod");
	member_empty(m);
	if (open_member(session, m, ref, interface, wanted, err)) {
		member_free(m);
		return -1;
	}
	m->wanted = wanted;
	grown = reallocarray(session->members, session->member_count + 1,
			     sizeof(struct fg_member *));
	if (!grown) {
		member_free(m);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pods");
	}
	session->members = grown;
	grown[session->member_count] = m;
	return (int)session->member_count++;
}

int fg_session_renew_pod(struct fg_session *session, int pod, struct fg_error *err)
{
	struct fg_member *old = session->members[pod], *m = calloc(1, sizeof(*m));
	int ret;

	if (!m)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pod");
	member_empty(m);
	/* What stands on the pod's device can stand there once only. */
	fg_fd_close(&old->reply_link);
	ret = open_member(session, m, old->pod.ref, old->pod.peer.name, old->wanted, err);
	if (ret) {
		member_free(m);
		return -1;
	}
	m->wanted = old->wanted;
	session->members[pod] = m;
	member_free(old);
	return 0;
}

const struct fg_hop *fg_member_hop(struct fg_session *session, struct fg_member *member,
				   const struct fg_addr *src, const struct fg_addr *dst,
				   struct fg_error *err)
{
	struct fg_target target = { .ifindex = (uint32_t)member->pod.primary.ifindex };
	struct fg_hop *hop;

	/* The last one is the likeliest: a sweep has one destination. */
	for (size_t i = member->hop_count; i-- > 0;)
		if (fg_addr_equal(&member->hops[i].dst, dst) &&
		    fg_addr_equal(&member->hops[i].src, src))
			return &member->hops[i];
	hop = reallocarray(member->hops, member->hop_count + 1, sizeof(*hop));
	if (!hop) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "next hops");
		return NULL;
	}
	member->hops = hop;
	hop += member->hop_count;
	*hop = (struct fg_hop){ .src = *src, .dst = *dst };
	if (spare_destination(session, dst, err) ||
	    (session->nftrace && fg_watch_destination(session, dst, err)))
		return NULL;
	if (fg_route_next_hop(member->pod.rtnl, member->pod.netns, &member->pod.peer, dst, NULL,
			      NEIGHBOUR_TIMEOUT_NS, hop->mac, err)) {
		fg_error_prefix(err, "pod %s", member->pod.ref);
		return NULL;
	}
	if (member->port >= 0) {
		if (session->slots == FG_SLOTS_MAX) {
			fg_fail(err, FG_ERR_USAGE, "more than %d pairs of pod and destination",
				FG_SLOTS_MAX);
			return NULL;
		}
		hop->slot = session->slots++;
		target.method = member->scene.method == FG_METHOD_PEER_EGRESS
					? FG_WIRE_PEER_EGRESS
					: FG_WIRE_HOST_INGRESS;
		memcpy(target.dmac, hop->mac, 6);
		memcpy(target.smac, member->pod.peer.mac, 6);
		if (fg_datapath_set_target(session->datapath, hop->slot, &target, err))
			return NULL;
	}
	member->hop_count++;
	return hop;
}

struct fg_host *fg_session_host(struct fg_session *session)
{
	return &session->host;
}

const struct fg_pod *fg_session_pod(const struct fg_session *session, int pod)
{
	return &session->members[pod]->pod;
}

const struct fg_scene *fg_session_scene(const struct fg_session *session, int pod)
{
	return &session->members[pod]->scene;
}

const char *fg_session_method_why(const struct fg_session *session, int pod)
{
	return session->members[pod]->why;
}

struct fg_probe *fg_session_window(struct fg_session *session, uint32_t *room)
{
	*room = FG_WINDOW;
	return session->window;
}

const char *fg_session_disturbs(const struct fg_session *session)
{
	return session->disturbs;
}

const char *fg_session_blind(const struct fg_session *session)
{
	const char *why;

	return fg_datapath_sees_sockets(session->datapath, &why) ? NULL : why;
}

bool fg_session_cancelled(const struct fg_session *session)
{
	return session->cancelled;
}
