// SPDX-License-Identifier: GPL-2.0-only
#include "guard.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "guard_parts.h"

/* Other random choices that are tried; a pod that uses so many of its ports has a fault of its own. */
#define TRIES 256

void fg_guard_close(struct fg_guard *guard)
{
	if (!guard)
		return;
	for (int i = 0; i < FG_LEFT_MAX; i++)
		nl_socket_free(guard->places[i].tracking);
	nl_socket_free(guard->diag);
	fg_flowset_free(&guard->connected);
	fg_flowset_free(&guard->tracked);
	fg_flowset_free(&guard->own);
	free(guard->sockets);
	free(guard->entries);
	free(guard->loaded);
	free(guard->left);
	free(guard->scratch);
	free(guard);
}

struct fg_guard *fg_guard_open(const struct fg_pod *pod, uint64_t probes, bool tracking,
			       struct fg_error *err)
{
	struct fg_guard *g = calloc(1, sizeof(*g));

	if (!g) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "guard");
		return NULL;
	}
	snprintf(g->pod, sizeof(g->pod), "%s", pod->ref);
	g->places[0] = (struct fg_guard_place){ .netns = pod->inode, .pod = true };
	g->places[1] = (struct fg_guard_place){ .netns = pod->host_inode };
	g->listing = probes > FG_GUARD_FEW;
	g->diag = fg_sockdiag_open(pod->netns, err);
	if (!g->diag ||
	    (tracking && (fg_conntrack_open(pod->netns, &g->places[0].tracking, err) ||
			  fg_conntrack_open(pod->host_netns, &g->places[1].tracking, err)))) {
		fg_error_prefix(err, "pod %s", pod->ref);
		fg_guard_close(g);
		return NULL;
	}
	return g;
}

static int no_memory(struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "tuples in use");
}

/* --- what has been asked for once --- */

static bool is_loaded(const struct fg_guard *g, const struct fg_guard_topic *topic)
{
	for (size_t i = 0; i < g->loaded_count; i++)
		if (g->loaded[i].protocol == topic->protocol && g->loaded[i].port == topic->port &&
		    fg_addr_equal(&g->loaded[i].src, &topic->src))
			return true;
	return false;
}

static int set_loaded(struct fg_guard *g, const struct fg_guard_topic *topic, struct fg_error *err)
{
	struct fg_guard_topic *grown = reallocarray(g->loaded, g->loaded_count + 1, sizeof(*grown));

	if (!grown)
		return no_memory(err);
	g->loaded = grown;
	grown[g->loaded_count++] = *topic;
	return 0;
}

/* --- sockets --- */

static int on_socket(const struct fg_socket *socket, void *arg)
{
	struct fg_guard *g = arg;
	struct fg_socket *grown;

	/* A TCP socket that listens talks to nobody; its connections are sockets of their own. */
	if (!socket->flow.sport || (!socket->connected && socket->protocol != IPPROTO_UDP &&
				    socket->protocol != IPPROTO_UDPLITE))
		return 0;
	if (!(g->socket_count & (g->socket_count - 1))) {
		grown = reallocarray(g->sockets, g->socket_count ? g->socket_count * 2 : 1,
				     sizeof(*grown));
		if (!grown)
			return -1;
		g->sockets = grown;
	}
	g->sockets[g->socket_count] = *socket;
	if (socket->connected &&
	    fg_flowset_add(&g->connected, &socket->flow, (uint32_t)g->socket_count))
		return -1;
	if (!socket->connected)
		g->bound[socket->flow.sport / 64] |= 1ULL << socket->flow.sport % 64;
	g->socket_count++;
	return 0;
}

static int load_sockets(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	const struct fg_guard_topic topic = { .protocol = flow->protocol,
					      .port = g->listing ? 0 : flow->sport,
					      .src.family = flow->family };
	int ret;

	if (!flow->sport || is_loaded(g, &topic))
		return 0;
	ret = fg_sockdiag_list(g->diag, flow->family, flow->protocol, topic.port, on_socket, g);
	/* What changed while it was listed was not there when the run began. */
	if (ret && ret != -EINTR)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "list the sockets of pod %s",
				     g->pod);
	return set_loaded(g, &topic, err);
}

/* A UDP socket without a peer talks to anybody from its port. */
static const struct fg_socket *find_bound(const struct fg_guard *g, const struct fg_flow *flow)
{
	if (!(g->bound[flow->sport / 64] & 1ULL << flow->sport % 64))
		return NULL;
	for (size_t i = 0; i < g->socket_count; i++) {
		const struct fg_socket *s = &g->sockets[i];

		if (s->connected || s->protocol != flow->protocol || s->flow.sport != flow->sport)
			continue;
		if (s->any_address ? s->flow.family == flow->family || !s->only_ipv6
				   : fg_addr_equal(&s->flow.src, &flow->src))
			return s;
	}
	return NULL;
}

static int check_sockets(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	char text[FG_FLOW_TEXT_LEN];
	const struct fg_socket *s;
	int64_t index;

	if (load_sockets(g, flow, err))
		return -1;
	index = fg_flowset_find(&g->connected, flow);
	s = index >= 0 ? &g->sockets[index] : find_bound(g, flow);
	if (!s)
		return 0;
	fg_fail(err, FG_ERR_USAGE, "%s is in use: pod %s has a socket (inode %u, uid %u, %s) %s",
		fg_flow_text(flow, text, sizeof(text)), g->pod, s->inode, s->uid,
		fg_socket_state(s), index >= 0 ? "of this connection" : "on this port");
	return fg_hint(err, "--force sends it all the same");
}

/* --- connection tracking --- */

struct loading {
	struct fg_guard *guard;
	uint32_t place;
};

static int keep_entry(struct fg_guard *g, const struct fg_conn *conn, uint32_t place)
{
	struct fg_guard_entry *grown;

	if (!(g->entry_count & (g->entry_count - 1))) {
		grown = reallocarray(g->entries, g->entry_count ? g->entry_count * 2 : 1,
				     sizeof(*grown));
		if (!grown)
			return -1;
		g->entries = grown;
	}
	g->entries[g->entry_count] = (struct fg_guard_entry){ .conn = *conn, .place = place };
	if (fg_flowset_add(&g->tracked, &conn->orig, (uint32_t)g->entry_count) ||
	    fg_flowset_add(&g->tracked, &conn->reply, (uint32_t)g->entry_count))
		return -1;
	g->entry_count++;
	return 0;
}

static int on_entry(const struct fg_conn *conn, void *arg)
{
	const struct loading *l = arg;

	return keep_entry(l->guard, conn, l->place);
}

/* All that the source has to do with, asking or answering. */
static int list_place(struct fg_guard *g, uint32_t place, const struct fg_addr *src)
{
	struct loading l = { .guard = g, .place = place };
	struct nl_sock *sk = g->places[place].tracking;
	uint64_t count = 0;
	int ret;

	if (!sk)
		return 0;
	ret = fg_conntrack_count(sk, &count);
	if (!ret && !count)
		return 0;
	ret = fg_conntrack_list(sk, src->family, FG_CONNTRACK_ORIG, src, on_entry, &l);
	if (ret && ret != -EINTR)
		return ret;
	ret = fg_conntrack_list(sk, src->family, FG_CONNTRACK_REPLY, src, on_entry, &l);
	return ret == -EINTR ? 0 : ret;
}

static int load_entries(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	const struct fg_guard_topic topic = { .src = flow->src };
	int ret = 0;

	if (!g->listing || is_loaded(g, &topic))
		return 0;
	for (uint32_t i = 0; i < FG_LEFT_MAX && !ret; i++)
		ret = list_place(g, i, &flow->src);
	if (ret)
		return fg_guard_tracking_failed(ret, err);
	return set_loaded(g, &topic, err);
}

/* One question for each namespace. What is found is kept: it was there before the probe. */
static int ask_entries(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	for (uint32_t i = 0; i < FG_LEFT_MAX && !g->listing; i++) {
		struct fg_conn conn;
		int ret = g->places[i].tracking
				  ? fg_conntrack_get(g->places[i].tracking, flow, &conn)
				  : -ENOENT;

		if (ret && ret != -ENOENT)
			return fg_guard_tracking_failed(ret, err);
		if (!ret && keep_entry(g, &conn, i))
			return no_memory(err);
	}
	return 0;
}

int fg_guard_tracking_failed(int code, struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, -code, "connection tracking");
}

static int check_entries(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	char text[FG_FLOW_TEXT_LEN], entry[FG_FLOW_TEXT_LEN];
	const struct fg_guard_entry *e;
	int64_t index;
	bool replied;

	if (load_entries(g, flow, err) || ask_entries(g, flow, err))
		return -1;
	index = fg_flowset_find(&g->tracked, flow);
	if (index < 0)
		return 0;
	e = &g->entries[index];
	replied = e->conn.status & IPS_SEEN_REPLY;
	fg_fail(err, FG_ERR_USAGE,
		"%s is in use: connection tracking of the %s has %s (id %u, zone %u, %s, %u s left)",
		fg_flow_text(flow, text, sizeof(text)), g->places[e->place].pod ? "pod" : "host",
		fg_flow_text(&e->conn.orig, entry, sizeof(entry)), e->conn.id, e->conn.zone,
		replied ? "replied" : "unreplied", e->conn.timeout);
	return fg_hint(
		err,
		replied ? "--force sends it all the same"
			: "perhaps left by an earlier probe, which --tidy prevents; --force sends "
			  "it all the same");
}

/* --- both --- */

int fg_guard_check(struct fg_guard *guard, const struct fg_flow *flow, struct fg_error *err)
{
	struct fg_flow tuple = {};

	/* What goes on from a first fragment, which was asked about. */
	if (flow->later_fragment)
		return 0;
	fg_flow_tuple(flow, &tuple);
	if (!guard->listing && fg_flowset_find(&guard->own, &tuple) >= 0)
		return 0;
	if (check_sockets(guard, &tuple, err) || check_entries(guard, &tuple, err))
		return -1;
	/* Where entries are listed once, those of the run itself come later. */
	if (!guard->listing && fg_flowset_add(&guard->own, &tuple, 0))
		return no_memory(err);
	return 0;
}

/* The tuple that the probe will have. Only its frame tells an ICMP identifier, and what a raw packet holds. */
static int read_flow(struct fg_guard *g, const struct fg_probe_spec *spec, struct fg_flow *out,
		     struct fg_error *err)
{
	struct fg_frame frame = { .size = fg_probe_bound(spec) };

	if (spec->packet && fg_packet_has_ports(spec->packet)) {
		*out = (struct fg_flow){ .family = spec->vary.src.family,
					 .protocol = fg_packet_protocol(spec->packet,
									spec->vary.src.family),
					 .src = spec->vary.src,
					 .dst = spec->vary.dst,
					 .sport = spec->vary.sport,
					 .dport = spec->vary.dport };
		return 0;
	}
	if (frame.size > g->scratch_size) {
		free(g->scratch);
		g->scratch = malloc(frame.size);
		g->scratch_size = g->scratch ? frame.size : 0;
	}
	frame.data = g->scratch;
	if (!frame.data)
		return no_memory(err);
	if (fg_probe_build(spec, &frame, err))
		return -1;
	/* A packet that has no tuple disturbs no connection. */
	if (fg_flow_extract(frame.data + ETHERNET_LEN, frame.len - ETHERNET_LEN, out))
		*out = (struct fg_flow){ .later_fragment = true };
	return 0;
}

int fg_guard_admit(struct fg_guard *guard, const struct fg_plan *plan, struct fg_probe_spec *spec,
		   struct fg_error *err)
{
	struct fg_flow flow = {}, last = {};
	struct fg_error first = {}, now;

	for (int i = 0; i < TRIES; i++) {
		if (read_flow(guard, spec, &flow, err))
			return -1;
		/* Nothing of the tuple was left to chance. */
		if (i && fg_flow_equal(&flow, &last))
			break;
		if (!fg_guard_check(guard, &flow, &now))
			return 0;
		if (!i)
			first = now;
		if (now.kind != FG_ERR_USAGE || !plan)
			break;
		last = flow;
		fg_plan_choose_again(plan, spec);
	}
	if (err)
		*err = first;
	return -1;
}
