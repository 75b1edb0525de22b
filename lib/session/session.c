// SPDX-License-Identifier: GPL-2.0-only
#include "session/session.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "host/capability.h"
#include "base/fd.h"
#include "base/grow.h"
#include "datapath/closing.h"
#include "datapath/stop.h"
#include "datapath/uplink.h"
#include "guard/hold.h"
#include "host/marking.h"
#include "probe/method.h"
#include "net/route.h"
#include "session/internal.h"

/*
 * Jumbo frames and fragments of the largest packet pass; the pod's own device decides what it
 * takes.
 */
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
	s->hold_fd = options->hold ? fg_hold_open(err) : -1;
	if ((options->hold && s->hold_fd < 0) || fg_host_open(&s->host, options->host_root, err)) {
		fg_session_close(s);
		return NULL;
	}
	s->options.host_root = s->host.root;
	s->watch = (struct fg_watch){ .host = &s->host,
				      .room = FG_WINDOW,
				      .delivers = options->deliver,
				      .replies = options->reply };
	s->spare = (struct fg_spare){ .host = &s->host,
				      .watch = &s->watch,
				      .off = options->deliver || options->reply };
	s->receivers = (struct fg_receivers){ .host = &s->host,
					      .names = &s->names,
					      .replies = options->reply };
	s->egress_redirect = !fg_capability_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);
	return s;
}

static void endpoint_empty(struct fg_endpoint *m)
{
	*m = (struct fg_endpoint){
		.pod.netns = -1,
		.pod.host_netns = -1,
		.sender.fd = -1,
		.port = -1,
		.reply_link = -1,
		.local_links = { -1, -1 },
	};
}

static void endpoint_free(struct fg_endpoint *m)
{
	if (!m)
		return;
	fg_fd_close(&m->reply_link);
	fg_fd_close(&m->local_links[0]);
	fg_fd_close(&m->local_links[1]);
	fg_sender_close(&m->sender);
	for (size_t i = 0; i < m->hop_count; i++)
		fg_hop_free(m->hops[i]);
	free(m->hops);
	for (size_t i = 0; i < m->past_count; i++)
		fg_hop_free(m->past[i]);
	free(m->past);
	fg_ways_free(&m->ways);
	fg_ladder_free(&m->back);
	fg_ladder_free(&m->ladder);
	fg_pod_close(&m->pod);
	free(m);
}

/* The packet sockets: NULL if there is none, or no memory to do it aside. */
static struct fg_closing *close_senders(struct fg_session *s)
{
	FG_FREE int *fds = calloc(s->endpoint_count + s->injector_count + 1, sizeof(*fds));
	size_t count = 0;

	for (size_t i = 0; fds && i < s->endpoint_count; i++)
		if (s->endpoints[i] && s->endpoints[i]->sender.fd >= 0)
			fds[count++] = fg_fd_take(&s->endpoints[i]->sender.fd);
	for (size_t i = 0; fds && i < s->injector_count; i++)
		if (s->injectors[i].sender.fd >= 0)
			fds[count++] = fg_fd_take(&s->injectors[i].sender.fd);
	return fg_closing_begin(fds, count);
}

void fg_session_close(struct fg_session *session)
{
	struct fg_closing *senders;

	if (!session)
		return;
	/* What can still send goes first, then the observers, then what they refer to. */
	senders = close_senders(session);
	for (size_t i = 0; i < session->endpoint_count; i++)
		endpoint_free(session->endpoints[i]);
	free(session->endpoints);
	for (size_t i = 0; i < session->injector_count; i++) {
		fg_sender_close(&session->injectors[i].sender);
		fg_port_close(&session->injectors[i].port);
	}
	free(session->injectors);
	fg_explain_free(&session->explain);
	fg_fill_free(&session->fill);
	fg_watch_close(&session->watch);
	fg_spare_close(&session->spare);
	fg_receivers_free(&session->receivers);
	fg_attachments_forget(&session->attachments);
	fg_collector_free(session->collector);
	fg_verdicts_free(session->verdicts);
	fg_datapath_close(session->datapath);
	fg_fd_close(&session->stats_fd);
	fg_fd_close(&session->hold_fd);
	for (size_t i = 0; i < session->counter_count; i++)
		fg_fd_close(&session->counters[i].fd);
	free(session->counters);
	fg_symbols_free(session->symbols);
	fg_reasons_free(session->reasons);
	for (uint32_t i = 0; i < session->touched; i++)
		fg_trace_free(&session->window[i].trace);
	free(session->window);
	free(session->contexts);
	free(session->hops);
	free(session->buffers);
	free(session->arena);
	free(session->passed);
	free(session->steps);
	free(session->ways);
	free(session->runs);
	fg_device_table_free(&session->names);
	fg_host_close(&session->host);
	fg_closing_end(senders);
	free(session);
}

/* The first pod pays for what all share. */
static int open_datapath(struct fg_session *s, struct fg_error *err)
{
	if (s->collector)
		return 0;
	s->window = calloc(FG_WINDOW, sizeof(*s->window));
	s->contexts = calloc(FG_WINDOW, sizeof(const struct fg_context *));
	s->hops = calloc(FG_WINDOW, sizeof(struct fg_hop *));
	s->buffers = calloc(FG_WINDOW, sizeof(*s->buffers));
	s->ways = s->options.reply ? calloc(FG_WINDOW, sizeof(*s->ways)) : NULL;
	if (!s->window || !s->contexts || !s->hops || !s->buffers || (s->options.reply && !s->ways))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "window");
	s->reasons = fg_reasons_open(err);
	s->symbols = s->reasons ? fg_symbols_new(err) : NULL;
	if (!s->symbols)
		return -1;
	s->names.reasons = s->reasons;
	s->datapath = fg_datapath_open(s->options.ring_bytes,
				       s->options.reply ? FG_REPLIES_FOLLOW : FG_REPLIES_TAKE, err);
	if (s->datapath) {
		const struct fg_drop_codes codes = fg_datapath_codes(s->datapath);

		fg_reasons_know(s->reasons, &codes);
		fg_policy_tag(fg_datapath_stop_fd(s->datapath), s->receivers.own_programs[0]);
		fg_policy_tag(fg_datapath_reply_fd(s->datapath), s->receivers.own_programs[1]);
	}
	s->verdicts = s->datapath ? fg_verdicts_new(s->datapath, err) : NULL;
	s->spare.datapath = s->datapath;
	s->receivers.datapath = s->datapath;
	s->receivers.verdicts = s->verdicts;
	s->collector = s->verdicts ? fg_collector_new(s->datapath, err) : NULL;
	if (!s->collector)
		return -1;
	if (!s->options.deliver && !s->options.reply)
		fg_datapath_set_stop(s->datapath, FG_STOP_AT_DEVICE, 0);
	return 0;
}

/*
 * The port in the namespace of the endpoint's primary; made for the first endpoint that needs it.
 * One at tc ingress serves every method, one on netkit all but the bounce.
 */
static int find_injector(struct fg_session *s, const struct fg_endpoint *m, struct fg_error *err)
{
	bool ingress = m->context.method == FG_METHOD_BOUNCE;
	struct fg_injector *injector;

	for (size_t i = 0; i < s->injector_count; i++)
		if (s->injectors[i].port.host_inode == m->pod.host_inode &&
		    !(ingress && s->injectors[i].port.netkit))
			return (int)i;
	injector = FG_GROW(s->injectors, s->injector_count, 1, "ports", err);
	if (!injector)
		return -1;
	injector->sender.fd = -1;
	if (fg_port_open(&injector->port, m->pod.host_netns, fg_datapath_inject_fd(s->datapath),
			 PORT_MTU, ingress, err))
		return -1;
	if (fg_sender_open(&injector->sender, injector->port.netns, injector->port.ifindex, true,
			   err)) {
		fg_port_close(&injector->port);
		return -1;
	}
	return (int)s->injector_count++;
}

/*
 * Only there is it asked whether the kernel notes redirects: to tell them from bridging, where no
 * program was traced to.
 */
static bool needs_marking(const struct fg_endpoint *m)
{
	for (size_t i = 0; i < m->ladder.count; i++)
		if (m->pod.primary.master && m->ladder.programs[i].side == FG_SIDE_HOST &&
		    !m->ladder.programs[i].traced)
			return true;
	return false;
}

static bool is_ovs_port(const struct fg_pod *pod)
{
	struct fg_link master;

	return pod->primary.master &&
	       !fg_link_get(pod->host_rtnl, pod->primary.master, NULL, &master, NULL) &&
	       !strcmp(master.kind, "openvswitch");
}

static void fill_context(struct fg_session *s, struct fg_endpoint *m, enum fg_method method)
{
	m->context = (struct fg_context){
		.ladder = &m->ladder,
		.method = method,
		.from_uplink = m->pod.uplink,
		.awaited = m->pod.awaits,
		.pod_netns = m->pod.inode,
		.host_netns = m->pod.host_inode,
		.peer_ifindex = m->pod.peer.ifindex,
		.primary_ifindex = m->pod.primary.ifindex,
		.netkit = !strcmp(m->pod.primary.kind, "netkit"),
		.bridged = m->pod.primary.master != 0,
		.ovs = is_ovs_port(&m->pod),
		.notes_redirects = needs_marking(m) && fg_marking_works(),
		.netfilter_traced = s->options.trace_netfilter,
		.netfilter_from = FG_PRESENCE_NO,
		.netfilter_to = FG_PRESENCE_NO,
		.netfilter_to_stack = FG_PRESENCE_NO,
		.codes = fg_datapath_codes(s->datapath),
		.device = fg_device_table_device,
		.reason = fg_device_table_reason,
		.names = &s->names,
	};
	for (size_t i = 0; i < m->ladder.count; i++) {
		const struct fg_program *p = &m->ladder.programs[i];

		if (p->hook != FG_HOOK_XDP || !p->native)
			continue;
		/* What comes in by an uplink begins behind its driver. */
		m->context.xdp_copies = !m->pod.uplink;
		m->xdp_id = m->pod.uplink && !m->pod.awaits ? p->id : 0;
	}
}

/*
 * Native XDP on a veth puts the packet into another sk_buff; tell the observers where to know it
 * again.
 */
static int watch_xdp(struct fg_session *s, const struct fg_endpoint *m, struct fg_error *err)
{
	for (size_t i = 0; i < m->ladder.count; i++)
		if (m->ladder.programs[i].hook == FG_HOOK_XDP)
			fg_datapath_match_flows(s->datapath);
	if (m->context.xdp_copies &&
	    fg_datapath_reacquire(s->datapath, m->pod.host_inode, m->pod.primary.ifindex))
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "pod %s: native XDP on its primary, as on %d other devices: no more "
			       "fit in a run",
			       m->pod.ref, FG_REACQUIRE_MAX);
	return 0;
}

static const char *pod_label(const struct fg_pod *pod)
{
	return pod->name[0] ? pod->name : pod->ref;
}

/*
 * Takes the replies in the pod's stack, of the families that it has addresses of.
 * Returns 0; 1 if this kernel cannot; or -1.
 */
static int take_in_stack(struct fg_session *s, struct fg_endpoint *m, struct fg_error *err)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	const struct fg_local *local = fg_spare_local(&s->spare);

	for (int i = 0; i < 2 && local; i++) {
		if (!fg_pod_address(&m->pod, families[i]))
			continue;
		m->local_links[i] = fg_local_attach(local, m->pod.netns, families[i], err);
		if (m->local_links[i] < 0)
			return err->kind == FG_ERR_UNSUPPORTED ? 1 : -1;
	}
	if (local)
		fg_spare_disturb(&s->spare, FG_DISTURB_LOCAL_REPLIES);
	return !local;
}

/*
 * Of a kernel without tcx: nothing can be intercepted at a device, and so probes are at the socket,
 * unless they are to be delivered.
 */
static void do_without_tcx(struct fg_session *s)
{
	s->spare.no_tcx = true;
	fg_spare_disturb(&s->spare,
			 s->options.deliver ? FG_DISTURB_NO_TCX_REPLIES : FG_DISTURB_NO_TCX);
	if (!s->options.deliver)
		fg_datapath_set_stop(s->datapath, FG_STOP_AT_SOCKET, 0);
}

/*
 * Replies are intercepted before the pod's stack, which knows nothing of the probe. A kernel
 * without tcx cannot: then they go in, and the stack deals with them as with any stray packet.
 * Probes are then intercepted at the socket.
 */
static int take_answers(struct fg_session *s, struct fg_endpoint *m, struct fg_error *err)
{
	int ret = 1;

	/*
	 * Each program at a device waits for RCU twice. Where replies are followed back their path
	 * ends there, and a bounced probe turns round there.
	 */
	if (s->tapped >= FG_SESSION_FEW_PODS && !s->options.reply && !s->spare.no_tcx &&
	    m->context.method != FG_METHOD_BOUNCE)
		ret = take_in_stack(s, m, err);
	if (ret <= 0)
		return ret ? fg_error_prefix(err, "pod %s", m->pod.ref) : 0;
	/* Listed before flowgen's own program is there too. */
	if (s->options.reply && fg_policy_list_back(&m->pod, &m->back, err))
		return fg_error_prefix(err, "pod %s", m->pod.ref);
	fg_receiver_leave_out_own(&s->receivers, &m->back);
	m->reply_link = fg_stop_attach(m->pod.netns, m->pod.peer.ifindex, FG_HOOK_TCX_INGRESS,
				       fg_datapath_reply_fd(s->datapath), err);
	if (m->reply_link < 0 && err->code == EOPNOTSUPP && !s->options.reply) {
		do_without_tcx(s);
		return 0;
	}
	if (m->reply_link < 0)
		return fg_error_prefix(err, "pod %s: replies cannot be intercepted", m->pod.ref);
	s->tapped++;
	if (!s->options.reply)
		return 0;
	for (size_t i = 0; i < m->back.count; i++) {
		fg_verdicts_trace(s->verdicts, &m->back.programs[i]);
		/* netkit's programs run with the other end as the packet's device. */
		m->back.programs[i].other_netns = m->pod.inode;
		m->back.programs[i].other_ifindex = m->pod.peer.ifindex;
	}
	m->context.wants_reply = true;
	return 0;
}

/* An uplink that two names mean has the program once: another endpoint's; NULL: there is none. */
static const struct fg_endpoint *guarded_by(const struct fg_session *s, const struct fg_endpoint *m)
{
	for (size_t i = 0; i < s->endpoint_count && m->pod.uplink; i++) {
		const struct fg_endpoint *other = s->endpoints[i];

		if (other != m && other->pod.uplink && other->reply_link >= 0 &&
		    other->pod.primary.ifindex == m->pod.primary.ifindex)
			return other;
	}
	return NULL;
}

static int guard_uplink(const struct fg_session *s, const struct fg_endpoint *m,
			struct fg_error *err)
{
	const struct fg_endpoint *other = guarded_by(s, m);
	int again, leave = other ? -1 : fg_datapath_leave_fd(s->datapath, err);

	if (!other)
		return leave < 0 ? -1 : fg_uplink_guard(&m->pod, leave, err);
	again = fcntl(other->reply_link, F_DUPFD_CLOEXEC, 0);
	return again < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", m->pod.ref) : again;
}

/* Answers to what came from outside are intercepted where they would leave. */
static int take_leaving(struct fg_session *s, struct fg_endpoint *m, struct fg_error *err)
{
	if (fg_policy_list_back(&m->pod, &m->back, err))
		return fg_error_prefix(err, "%s", m->pod.ref);
	fg_receiver_leave_out_own(&s->receivers, &m->back);
	m->reply_link = guard_uplink(s, m, err);
	if (m->reply_link < 0)
		return -1;
	s->tapped++;
	for (size_t i = 0; s->options.reply && i < m->back.count; i++)
		fg_verdicts_trace(s->verdicts, &m->back.programs[i]);
	m->context.wants_reply = s->options.reply;
	return 0;
}

/* What another node asks, that node is to be answered. */
static int leave_answers(struct fg_session *s, struct fg_endpoint *m, struct fg_error *err)
{
	fg_datapath_leave_replies(s->datapath);
	if (fg_datapath_awaits(s->datapath, err) || fg_policy_list_back(&m->pod, &m->back, err))
		return fg_error_prefix(err, "%s", m->pod.ref);
	if (!m->back.tcx && !s->options.reply)
		do_without_tcx(s);
	return 0;
}

static int intercept_answers(struct fg_session *s, struct fg_endpoint *m, struct fg_error *err)
{
	if (m->pod.awaits)
		return leave_answers(s, m, err);
	return m->pod.uplink ? take_leaving(s, m, err) : take_answers(s, m, err);
}

/* How packets of the endpoint get onto their path. */
static int choose_method(const struct fg_session *s, struct fg_endpoint *m, enum fg_method wanted,
			 enum fg_method *out, struct fg_error *err)
{
	const struct fg_method_facts facts = {
		.ladder = &m->ladder,
		.netkit = !strcmp(m->pod.primary.kind, "netkit"),
		.egress_redirect = s->egress_redirect,
		.bridged = m->pod.primary.master != 0,
	};

	*out = FG_METHOD_HOST_INGRESS;
	if (m->pod.uplink && wanted != FG_METHOD_AUTO && wanted != *out)
		return fg_fail(err, FG_ERR_USAGE, "%s: what comes from outside has one method",
			       m->pod.ref);
	if (m->pod.uplink)
		return m->pod.awaits ? 0 : fg_uplink_check_ports(&m->pod, err);
	if (fg_method_choose(&facts, wanted, out, &m->why, err))
		return fg_error_prefix(err, "pod %s", m->pod.ref);
	return 0;
}

/* The node's own devices, as many as it has pods, have been listed when the host was opened. */
static int name_host(struct fg_session *s, const struct fg_endpoint *m, struct fg_error *err)
{
	if (m->pod.host_inode == s->host.inode)
		return fg_device_table_take(&s->names, &s->host.links, s->host.inode,
					    fg_netns_cookie(s->host.netns), "host", err);
	return fg_device_table_add(&s->names, m->pod.host_rtnl, m->pod.host_inode, "host", err);
}

static int open_member(struct fg_session *s, struct fg_endpoint *m, const char *ref,
		       const char *interface, enum fg_method wanted, struct fg_error *err)
{
	enum fg_method method;

	if (fg_uplink_or_pod_open(&s->host, ref, interface, &m->pod, err))
		return -1;
	if (fg_pod_check_up(&s->host, &m->pod, err) ||
	    fg_policy_list(&m->pod, false, &m->ladder, err))
		return fg_error_prefix(err, "pod %s", ref);
	m->ways.host_root = s->host.root;
	if (choose_method(s, m, wanted, &method, err))
		return -1;
	if (s->options.trace_netfilter && fg_watch_netfilter(&s->watch, &m->pod, err))
		return -1;
	/* A pod that is refused has cost nothing yet. */
	if (open_datapath(s, err))
		return -1;
	for (size_t i = 0; i < m->ladder.count; i++)
		fg_verdicts_trace(s->verdicts, &m->ladder.programs[i]);
	fill_context(s, m, method);
	if (watch_xdp(s, m, err) || intercept_answers(s, m, err) ||
	    fg_device_table_add(&s->names, m->pod.rtnl, m->pod.inode, pod_label(&m->pod), err) ||
	    name_host(s, m, err))
		return -1;
	if (m->pod.awaits)
		return 0;
	if (method == FG_METHOD_POD_SOCKET)
		return fg_sender_open(&m->sender, m->pod.netns, m->pod.peer.ifindex, false, err);
	m->port = find_injector(s, m, err);
	return m->port < 0 ? -1 : 0;
}

int fg_session_add_pod(struct fg_session *session, const char *ref, const char *interface,
		       enum fg_method wanted, struct fg_error *err)
{
	struct fg_endpoint **added, *m = calloc(1, sizeof(*m));

	if (!m)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pod");
	endpoint_empty(m);
	if (open_member(session, m, ref, interface, wanted, err)) {
		endpoint_free(m);
		return -1;
	}
	m->wanted = wanted;
	m->chosen = interface != NULL;
	added = FG_APPEND(session->endpoints, session->endpoint_count, "pods", err);
	if (!added) {
		endpoint_free(m);
		return -1;
	}
	*added = m;
	return (int)session->endpoint_count - 1;
}

/* Its name may be another one's by now, which no list has yet. */
static bool has_moved(const struct fg_pod *pod)
{
	FG_FD int fd = fg_netns_open(pod->path, NULL);

	return fd < 0 || fg_netns_inode(fd) != pod->inode;
}

int fg_session_renew_pod(struct fg_session *session, int pod, struct fg_error *err)
{
	struct fg_endpoint *old = session->endpoints[pod], *m = calloc(1, sizeof(*m));
	int ret;

	if (!m)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pod");
	endpoint_empty(m);
	fg_attachments_forget(&session->attachments);
	if (has_moved(&old->pod))
		fg_host_renew(&session->host, NULL);
	/* What is attached to the pod's device can be there only once. */
	if (old->reply_link >= 0)
		session->tapped--;
	if (guarded_by(session, old))
		fg_fd_close(&old->reply_link);
	else
		fg_stop_detach(&old->reply_link);
	ret = open_member(session, m, old->pod.ref, old->pod.peer.name, old->wanted, err);
	if (ret) {
		endpoint_free(m);
		return -1;
	}
	m->wanted = old->wanted;
	m->chosen = old->chosen;
	session->endpoints[pod] = m;
	if (old->pod.inode != m->pod.inode)
		fg_device_table_forget(&session->names, old->pod.inode);
	endpoint_free(old);
	return 0;
}

const char *fg_session_disturbs(struct fg_session *session)
{
	return fg_spare_disturbs(&session->spare);
}

struct fg_host *fg_session_host(struct fg_session *session)
{
	return &session->host;
}

const struct fg_pod *fg_session_pod(const struct fg_session *session, int pod)
{
	return &session->endpoints[pod]->pod;
}

const struct fg_context *fg_session_context(const struct fg_session *session, int pod)
{
	return &session->endpoints[pod]->context;
}

const char *fg_session_method_why(const struct fg_session *session, int pod)
{
	return session->endpoints[pod]->why;
}

struct fg_probe *fg_session_window(struct fg_session *session, uint32_t *room)
{
	*room = FG_WINDOW;
	return session->window;
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
