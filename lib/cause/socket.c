// SPDX-License-Identifier: GPL-2.0-only
/* cause/socket.c - the sockets of the namespace where the packet reached the transport layer. */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cause/internal.h"
#include "net/chooser.h"
#include "net/sockdiag.h"

#define OTHERS_MAX 3

struct search {
	const struct fg_cause_place *place;
	bool covered; /* a socket is there that would take it */
	bool found;
	struct fg_socket socket;
	struct fg_socket others[OTHERS_MAX]; /* on the port, but of other addresses */
	size_t count;
};

static void list(const struct fg_cause_place *place, uint16_t port, fg_sockdiag_cb cb,
		 struct search *search)
{
	FG_NL_SOCK struct nl_sock *sk = fg_sockdiag_open(place->netns, NULL);

	search->place = place;
	if (sk)
		fg_sockdiag_list(sk, place->flow.family, place->flow.protocol, port, cb, search);
}

static bool takes(const struct fg_socket *s, const struct fg_flow *flow)
{
	if (s->connected)
		return false;
	if (s->protocol == IPPROTO_TCP && s->state != TCP_LISTEN)
		return false;
	return fg_sockdiag_covers(s, &flow->dst);
}

static const char *address_text(const struct fg_socket *s, char *buf, size_t size)
{
	char addr[FG_ADDR_TEXT_LEN];
	bool six = s->flow.family == AF_INET6;

	fg_addr_text(&s->flow.src, addr, sizeof(addr));
	snprintf(buf, size, "%s%s%s:%u", six ? "[" : "", addr, six ? "]" : "", s->flow.sport);
	return buf;
}

static int on_listener(const struct fg_socket *s, void *arg)
{
	struct search *search = arg;

	if (takes(s, &search->place->flow)) {
		search->covered = true;
		if (!search->found)
			search->socket = *s;
		search->found = true;
	} else if (!s->connected && search->count < OTHERS_MAX &&
		   (s->protocol != IPPROTO_TCP || s->state == TCP_LISTEN)) {
		search->others[search->count++] = *s;
	}
	return 0;
}

static void put_process(const struct fg_cause_place *place, const struct fg_socket *s,
			struct fg_cause *out)
{
	fg_cause_process(place, s->inode, out->process, sizeof(out->process));
}

static void put_choosers(const struct fg_chooser *list, int count, struct fg_cause *out)
{
	for (int i = 0; i < count; i++)
		fg_cause_add(out, "%s%s%s(id %u)", i ? ", " : " ", list[i].name,
			     list[i].name[0] ? " " : "", list[i].id);
}

/* A program that refuses a packet leaves what nobody listening leaves. */
static bool find_chooser(const struct fg_cause_place *place, bool covered, struct fg_cause *out)
{
	struct fg_chooser list[FG_CHOOSERS_MAX];
	char where[FG_CAUSE_WHERE_LEN];
	int count = fg_choosers_list(place->netns, list);

	if (count <= 0)
		return false;
	fg_cause_set(out, FG_CAUSE_SOCKET, covered ? "chooser" : "chooser-or-no-listener",
		     "%s %s port %u in %s, where BPF programs choose sockets (sk_lookup):",
		     covered ? "a socket listens on" : "nothing listens on",
		     place->flow.protocol == IPPROTO_TCP ? "TCP" : "UDP", place->flow.dport,
		     fg_cause_where(place, where, sizeof(where)));
	put_choosers(list, count, out);
	return true;
}

bool fg_cause_find_listener(const struct fg_cause_place *place, struct fg_cause *out)
{
	char where[FG_CAUSE_WHERE_LEN], text[80];
	const struct fg_flow *f = &place->flow;
	struct search search = {};

	if ((f->protocol != IPPROTO_TCP && f->protocol != IPPROTO_UDP) || f->later_fragment)
		return false;
	list(place, f->dport, on_listener, &search);
	if (find_chooser(place, search.covered, out))
		return true;
	if (search.covered)
		return false;
	fg_cause_set(out, FG_CAUSE_SOCKET, "no-listener", "nothing listens on %s port %u in %s",
		     f->protocol == IPPROTO_TCP ? "TCP" : "UDP", f->dport,
		     fg_cause_where(place, where, sizeof(where)));
	for (size_t i = 0; i < search.count; i++)
		fg_cause_add(out, "%s %s", i ? "," : " but on",
			     address_text(&search.others[i], text, sizeof(text)));
	if (search.count)
		put_process(place, &search.others[0], out);
	return true;
}

bool fg_cause_find_full(const struct fg_cause_place *place, struct fg_cause *out)
{
	const struct fg_socket *s;
	struct search search = {};
	char text[80];

	list(place, place->flow.dport, on_listener, &search);
	if (!search.found)
		return false;
	s = &search.socket;
	address_text(s, text, sizeof(text));
	if (s->state == TCP_LISTEN && s->protocol == IPPROTO_TCP)
		fg_cause_set(out, FG_CAUSE_SOCKET, "backlog-full",
			     "%u connections wait at %s, which takes %u", s->waiting, text,
			     s->backlog);
	else
		fg_cause_set(out, FG_CAUSE_SOCKET, "buffer-full",
			     "the receive buffer of %s holds %u of %u bytes", text, s->buffered,
			     s->buffer_size);
	put_process(place, s, out);
	return true;
}

bool fg_cause_socket_find(const struct fg_cause_place *place, struct fg_socket *out, char *text,
			  size_t size)
{
	struct search search = {};

	list(place, place->flow.dport, on_listener, &search);
	if (!search.found)
		return false;
	*out = search.socket;
	address_text(out, text, size);
	return true;
}

/* /proc/net/sockstat: "UDP: inuse 3 mem 2", in pages. */
bool fg_cause_find_memory(const struct fg_cause_place *place, struct fg_cause *out)
{
	FG_FILE FILE *file = fg_cause_open(place, "/proc/thread-self/net/sockstat");
	bool tcp = place->flow.protocol == IPPROTO_TCP;
	char line[256], *mem;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, tcp ? "TCP:" : "UDP:", 4) != 0)
			continue;
		mem = strstr(line, "mem ");
		return mem && fg_cause_set(out, FG_CAUSE_SOCKET, "memory",
					   "all %s sockets together hold %ld pages of memory",
					   tcp ? "TCP" : "UDP", strtol(mem + 4, NULL, 10));
	}
	return false;
}

static int on_cookie(const struct fg_socket *s, void *arg)
{
	struct search *search = arg;

	if (s->cookie != search->place->cookie)
		return 0;
	search->found = true;
	search->socket = *s;
	return 0;
}

static bool is_bound_to(const struct fg_socket *s, const struct fg_flow *flow)
{
	return s->flow.sport == flow->dport &&
	       (s->any_address || fg_addr_equal(&s->flow.src, &flow->dst));
}

bool fg_cause_find_proxy(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct fg_chooser choosers[FG_CHOOSERS_MAX];
	struct search search = {};
	char text[80];
	int count = 0;

	/* Delivered to the address that it was for: no proxy, if nobody has chosen the socket. */
	if (fg_link_holds(place->rtnl, &place->flow.dst, NULL) > 0 &&
	    (count = fg_choosers_list(place->netns, choosers)) <= 0)
		return false;
	list(place, 0, on_cookie, &search);
	if (!search.found || (count > 0 && is_bound_to(&search.socket, &place->flow)))
		return false;
	fg_cause_set(out, FG_CAUSE_PROXY, count > 0 ? "chooser" : NULL,
		     "taken by the local socket %s",
		     address_text(&search.socket, text, sizeof(text)));
	if (count > 0) {
		fg_cause_add(out, ", chosen by a BPF program (sk_lookup):");
		put_choosers(choosers, count, out);
	}
	put_process(place, &search.socket, out);
	return true;
}
