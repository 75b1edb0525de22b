// SPDX-License-Identifier: GPL-2.0-only
#include "guard/guard.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "guard/internal.h"

/*
 * Other random choices that are tried. Anybody who sends with the pod's address fills connection
 * tracking with tuples of it: where nine of ten are taken, these still find one.
 */
#define TRIES 1024
#define PORTS 65536

void fg_guard_close(struct fg_guard *guard)
{
	if (!guard)
		return;
	for (int i = 0; i < FG_LEFTOVERS_MAX; i++)
		nl_socket_free(guard->places[i].tracking);
	nl_socket_free(guard->diag);
	fg_flowset_free(&guard->connected);
	fg_flowset_free(&guard->tracked);
	fg_flowset_free(&guard->own);
	free(guard->sockets);
	free(guard->bound);
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
	g->inbound = pod->uplink;
	g->awaits = pod->awaits;
	g->diag = fg_sockdiag_open(g->inbound ? pod->host_netns : pod->netns, err);
	if (!g->diag ||
	    (tracking && (fg_conntrack_open(pod->netns, &g->places[0].tracking, err) ||
			  fg_conntrack_open(pod->host_netns, &g->places[1].tracking, err)))) {
		fg_error_prefix(err, "pod %s", pod->ref);
		fg_guard_close(g);
		return NULL;
	}
	g->listing = probes > FG_GUARD_FEW;
	return g;
}

bool fg_guard_is_of(const struct fg_guard *guard, const struct fg_pod *pod)
{
	return !guard ||
	       (guard->places[0].netns == pod->inode && guard->places[1].netns == pod->host_inode);
}

/* What memory is short for. */
static const char what[] = "tuples in use";

/* --- what has been asked for once --- */

static bool is_loaded(const struct fg_guard *g, const struct fg_guard_query *query)
{
	for (size_t i = 0; i < g->loaded_count; i++)
		if (g->loaded[i].protocol == query->protocol && g->loaded[i].port == query->port &&
		    fg_addr_equal(&g->loaded[i].src, &query->src))
			return true;
	return false;
}

static int set_loaded(struct fg_guard *g, const struct fg_guard_query *query, struct fg_error *err)
{
	struct fg_guard_query *added = FG_APPEND(g->loaded, g->loaded_count, what, err);

	if (!added)
		return -1;
	*added = *query;
	return 0;
}

/* --- sockets --- */

static int on_socket(const struct fg_socket *socket, void *arg)
{
	struct fg_guard *g = arg;
	struct fg_socket *next;

	/* A TCP socket that listens talks to nobody; its connections are sockets of their own. */
	if (!socket->flow.sport || (!socket->connected && socket->protocol != IPPROTO_UDP &&
				    socket->protocol != IPPROTO_UDPLITE))
		return 0;
	next = FG_GROW(g->sockets, g->socket_count, 1, what, NULL);
	if (!next)
		return -1;
	*next = *socket;
	if (socket->connected &&
	    fg_flowset_add(&g->connected, &socket->flow, (uint32_t)g->socket_count))
		return -1;
	if (!socket->connected && !g->bound)
		g->bound = calloc(PORTS / 64, sizeof(*g->bound));
	if (!socket->connected && !g->bound)
		return -1;
	if (!socket->connected)
		g->bound[socket->flow.sport / 64] |= 1ULL << socket->flow.sport % 64;
	g->socket_count++;
	return 0;
}

static int load_sockets(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	const struct fg_guard_query query = { .protocol = flow->protocol,
					      .port = g->listing ? 0 : flow->sport,
					      .src.family = flow->family };
	int ret;

	if (!flow->sport || is_loaded(g, &query))
		return 0;
	ret = fg_sockdiag_list(g->diag, flow->family, flow->protocol, query.port, on_socket, g);
	/* What changed while it was listed was not there when the run began. */
	if (ret && ret != -EINTR)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "list the sockets of pod %s",
				     g->pod);
	return set_loaded(g, &query, err);
}

/* A UDP socket without a peer talks to anybody from its port. */
static const struct fg_socket *find_bound(const struct fg_guard *g, const struct fg_flow *flow)
{
	if (!g->bound || !(g->bound[flow->sport / 64] & 1ULL << flow->sport % 64))
		return NULL;
	for (size_t i = 0; i < g->socket_count; i++) {
		const struct fg_socket *s = &g->sockets[i];

		if (s->connected || s->protocol != flow->protocol || s->flow.sport != flow->sport)
			continue;
		if (fg_sockdiag_covers(s, &flow->src))
			return s;
	}
	return NULL;
}

static int check_sockets(struct fg_guard *g, const struct fg_flow *sent, struct fg_error *err)
{
	char text[FG_FLOW_TEXT_LEN];
	struct fg_flow flow = *sent;
	const struct fg_socket *s;
	int64_t index;

	/* The node's own connection with the one outside; who only listens there is asked for. */
	if (g->inbound)
		fg_flow_invert(sent, &flow);
	if (load_sockets(g, &flow, err))
		return -1;
	index = fg_flowset_find(&g->connected, &flow);
	s = index >= 0 ? &g->sockets[index] : g->inbound ? NULL : find_bound(g, &flow);
	if (!s)
		return 0;
	fg_fail(err, FG_ERR_USAGE, "%s is in use: %s%s has a socket (inode %u, uid %u, %s) %s",
		fg_flow_text(sent, text, sizeof(text)), g->inbound ? "the node" : "pod ",
		g->inbound ? "" : g->pod, s->inode, s->uid, fg_sockdiag_state(s),
		index >= 0 ? "of this connection" : "on this port");
	return fg_hint(err, "--force sends it anyway");
}

/* --- connection tracking --- */

struct loading {
	struct fg_guard *guard;
	uint32_t place;
};

static int keep_entry(struct fg_guard *g, const struct fg_conn *conn, uint32_t place)
{
	struct fg_guard_entry *next = FG_GROW(g->entries, g->entry_count, 1, what, NULL);

	if (!next)
		return -1;
	*next = (struct fg_guard_entry){ .conn = *conn, .place = place };
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

/* All that the source has to do with, asking or answering, in every zone. */
static int list_place(struct fg_guard *g, uint32_t place, const struct fg_addr *src)
{
	struct loading l = { .guard = g, .place = place };
	struct nl_sock *sk = g->places[place].tracking;
	uint64_t count = 0;
	int ret;

	if (!sk)
		return 0;
	ret = fg_conntrack_count(sk, &count, NULL);
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
	const struct fg_guard_query query = { .src = flow->src };
	int ret = 0;

	if (is_loaded(g, &query))
		return 0;
	for (uint32_t i = 0; i < FG_LEFTOVERS_MAX && !ret; i++)
		ret = list_place(g, i, &flow->src);
	if (ret)
		return fg_guard_tracking_failed(ret, err);
	return set_loaded(g, &query, err);
}

/*
 * One question for each namespace, for what came since they were listed. What is found is kept: it
 * was there before the probe.
 */
static int ask_entries(struct fg_guard *g, const struct fg_flow *flow, struct fg_error *err)
{
	for (uint32_t i = 0; i < FG_LEFTOVERS_MAX && !g->listing; i++) {
		struct fg_conn conn;
		int ret = g->places[i].tracking
				  ? fg_conntrack_get(g->places[i].tracking, flow, &conn)
				  : -ENOENT;

		if (ret && ret != -ENOENT)
			return fg_guard_tracking_failed(ret, err);
		if (!ret && keep_entry(g, &conn, i))
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, what);
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
	g->stale = !replied && fg_flow_equal(&e->conn.orig, flow);
	/*
	 * The packet's own node has looked whether the tuple is in use, and chose the port by that:
	 * what was never answered is what an earlier packet has left here.
	 */
	if (g->awaits && g->stale)
		return 0;
	fg_fail(err, FG_ERR_USAGE,
		"%s is in use: connection tracking of the %s has %s (id %u, zone %u, %s, %u s "
		"left)",
		fg_flow_text(flow, text, sizeof(text)), g->places[e->place].pod ? "pod" : "host",
		fg_flow_text(&e->conn.orig, entry, sizeof(entry)), e->conn.id, e->conn.zone,
		replied ? "replied" : "unreplied", e->conn.timeout);
	return fg_hint(
		err,
		replied ? "--force sends it anyway"
			: "an earlier probe may have left it (--tidy prevents that); --force sends "
			  "it anyway");
}

/* --- both --- */

/* What a probe could disturb. */
struct asked {
	struct fg_flow flow; /* as the pod sends it; later_fragment: nothing */
	bool foreign;	     /* the pod is neither end of it: its sockets have no part in it */
};

static int check_flow(struct fg_guard *guard, const struct asked *asked, struct fg_error *err)
{
	struct fg_flow tuple = {};

	/* What continues a first fragment, which was checked. */
	if (asked->flow.later_fragment)
		return 0;
	fg_flowset_tuple(&asked->flow, &tuple);
	guard->stale = false;
	if (!guard->listing && fg_flowset_find(&guard->own, &tuple) >= 0)
		return 0;
	if ((!asked->foreign && check_sockets(guard, &tuple, err)) ||
	    check_entries(guard, &tuple, err))
		return -1;
	/* Where entries are listed once, those of the run itself come later. */
	if (!guard->listing && fg_flowset_add(&guard->own, &tuple, 0))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, what);
	return 0;
}

/*
 * An ICMP error has no connection of its own: it belongs to that of the packet which it quotes
 * (nf_conntrack_inet_error()), as the pod would see it. Its other end takes it seriously.
 */
static void read_bytes(const uint8_t *packet, size_t len, struct asked *out)
{
	struct fg_flow quoted;

	/* A packet that has no tuple disturbs no connection. */
	if (fg_flow_extract(packet, len, &out->flow)) {
		out->flow = (struct fg_flow){ .later_fragment = true };
		return;
	}
	if (fg_flow_extract_quoted(packet, len, &quoted))
		return;
	out->foreign = !fg_addr_equal(&quoted.dst, &out->flow.src);
	fg_flow_invert(&quoted, &out->flow);
}

/*
 * The tuple that the probe will have. Only its frame tells an ICMP identifier, what an ICMP error
 * quotes, and what a raw packet holds.
 */
static int read_flow(struct fg_guard *g, const struct fg_probe_spec *spec, struct asked *out,
		     struct fg_error *err)
{
	struct fg_frame frame = { .size = fg_probe_bound(spec) };

	*out = (struct asked){};
	if (spec->packet && fg_packet_has_ports(spec->packet)) {
		out->flow = (struct fg_flow){ .family = spec->vary.src.family,
					      .protocol = fg_put_protocol(spec->packet,
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
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, what);
	if (fg_probe_build(spec, &frame, err))
		return -1;
	read_bytes(frame.data + ETH_HLEN, frame.len - ETH_HLEN, out);
	return 0;
}

int fg_guard_admit(struct fg_guard *guard, const struct fg_plan *plan, struct fg_probe_spec *spec,
		   struct fg_error *err)
{
	struct asked asked = {};
	struct fg_flow last = {};
	struct fg_probe_spec second = {};
	struct fg_error first = {}, now = {};
	bool has_second = false, chosen = false;

	for (int i = 0; i < TRIES; i++) {
		if (read_flow(guard, spec, &asked, err))
			return -1;
		/* Nothing of the tuple was left to chance. */
		if (i && fg_flow_equal(&asked.flow, &last))
			break;
		if (!check_flow(guard, &asked, &now))
			return 0;
		chosen |= i > 0;
		if (!i)
			first = now;
		if (now.kind != FG_ERR_USAGE || !plan)
			break;
		if (guard->stale && !has_second)
			second = *spec;
		has_second |= guard->stale;
		last = asked.flow;
		fg_plan_choose_again(plan, spec);
	}
	/*
	 * No socket of the pod has it and nobody has answered it: no connection, and as new to a
	 * policy as any. Only where there was a choice.
	 */
	if (has_second && chosen && now.kind == FG_ERR_USAGE) {
		*spec = second;
		return 0;
	}
	return fg_error_pass(err, &first);
}

int fg_guard_fill(const struct fg_pod *pod, uint64_t *used, uint64_t *max)
{
	FG_NL_SOCK struct nl_sock *sk = NULL;

	*used = *max = 0;
	return fg_conntrack_open(pod->host_netns, &sk, NULL) || !sk ||
			       fg_conntrack_count(sk, used, max)
		       ? -1
		       : 0;
}
