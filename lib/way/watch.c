// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/watch.c - netfilter, IPVS and IPsec on a packet's way: what can deny there, and where
 * netfilter is traced: at each hook that packets may reach.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/fd.h"
#include "host/below.h"
#include "net/chooser.h"
#include "way/watch.h"

#include <linux/netfilter_bridge.h>

/* From here on everything in the namespace is traced, also what is on devices further on. */
static const struct fg_nft_hook prerouting = { NFPROTO_INET, NF_INET_PRE_ROUTING, NULL };
/* What is sent here: replies. */
static const struct fg_nft_hook output = { NFPROTO_INET, NF_INET_LOCAL_OUT, NULL };

/* What a namespace takes in for itself, and what it sends, meets these, one after the other. */
static const uint32_t to_host[] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN };
static const uint32_t from_host[] = { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING };

/*
 * A namespace that nobody has put a rule into cannot drop by one; to put a table there and take it
 * away would cost 15 ms.
 */
static bool has_rules(int netns)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, NULL);

	return sk && fg_nft_has_tables(sk);
}

/*
 * Whether something can deny there (device: for hooks of a device, else NULL). A BPF program whose
 * namespace the kernel does not tell may be in another one.
 */
static enum fg_presence presence_of(const struct fg_hooks *hooks, uint8_t family,
				    const char *device, const uint32_t *list, size_t count)
{
	enum fg_presence found = FG_PRESENCE_NO;

	for (size_t i = 0; i < count; i++) {
		const struct fg_hooks_entry *e = NULL;

		while ((e = fg_hooks_policy_next(hooks, family, list[i], device, e))) {
			if (!e->elsewhere)
				return FG_PRESENCE_YES;
			found = FG_PRESENCE_UNKNOWN;
		}
	}
	return found;
}

static enum fg_presence presence_at(const struct fg_hooks *hooks, uint8_t family,
				    const uint32_t *list, size_t count)
{
	return presence_of(hooks, family, NULL, list, count);
}

static bool has_kind(const struct fg_hooks *hooks, enum fg_hooks_kind kind)
{
	for (size_t i = 0; i < hooks->count; i++)
		if (hooks->list[i].kind == kind)
			return true;
	return false;
}

/*
 * Rules come and go during a watch; to list them costs less than a tenth of a millisecond, but
 * where links are asked one by one, more. At most a twentieth of the time is spent on it.
 */
#define HOOKS_NS 50000000ULL
#define HOOKS_SHARE 20

static void list_hooks(struct fg_watch *w, const struct fg_pod *pod)
{
	uint64_t now = fg_clock_now();

	if (w->known && w->netns == pod->host_inode &&
	    (now - w->listed_ns < HOOKS_NS || now - w->listed_ns < HOOKS_SHARE * w->cost_ns))
		return;
	fg_hooks_free(&w->hooks);
	w->hooks = (struct fg_hooks){};
	w->known = !fg_hooks_list(pod->host_netns, &w->hooks, NULL);
	w->has_hooked =
		w->known ? fg_hooked_note(&w->hooked, pod->host_rtnl, pod->host_inode, &w->hooks)
			 : FG_PRESENCE_UNKNOWN;
	w->ipsec = fg_ipsec_read(pod->host_netns);
	w->bridges = fg_br_netfilter_read(pod->host_netns);
	w->netns = pod->host_inode;
	w->listed_ns = fg_clock_now();
	w->cost_ns = w->listed_ns - now;
}

bool fg_watch_translates(struct fg_watch *watch, const struct fg_pod *pod)
{
	list_hooks(watch, pod);
	for (size_t i = 0; watch->known && i < watch->hooks.count; i++)
		if (fg_hooks_translates(&watch->hooks.list[i]) ||
		    watch->hooks.list[i].kind == FG_HOOKS_BPF)
			return true;
	return !watch->known;
}

/* Large tables of IPVS take milliseconds to read. */
#define SERVICES_NS 1000000000ULL

static void note_services(struct fg_watch_services *services, const struct fg_ipvs_services *found)
{
	struct fg_service_port *ports = calloc(found->count, sizeof(*ports));

	if (!ports)
		return;
	services->only = found->list[0].only;
	for (size_t i = 0; i < found->count; i++) {
		const struct fg_ipvs_service *s = &found->list[i];

		ports[i] = (struct fg_service_port){ s->protocol, s->port };
		if (!fg_addr_equal(&s->only, &services->only))
			services->only = (struct fg_addr){};
	}
	free(services->ports);
	services->ports = ports;
	services->count = found->count;
}

/* IPVS looks at what is for the host itself, and so the host holds its addresses. */
static void list_services(const struct fg_watch *watch, const struct fg_pod *pod,
			  const struct fg_addr *dst, struct fg_watch_services *services)
{
	struct fg_ipvs_services found = {};
	uint64_t now = fg_clock_now();

	if (services->listed_ns && now - services->listed_ns < SERVICES_NS)
		return;
	services->listed_ns = now;
	services->count = 0;
	services->only = (struct fg_addr){};
	if ((watch->known && !has_kind(&watch->hooks, FG_HOOKS_IPVS)) ||
	    fg_ipvs_find(pod->host_netns, dst, NULL, &found, NULL))
		return;
	if (found.count)
		note_services(services, &found);
	fg_ipvs_free(&found);
}

/*
 * IPVS takes packets from the input, and sends them by the output: where they are dropped, an
 * observer may not have seen yet that they were translated.
 */
static const uint32_t by_ipvs[] = { NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT,
				    NF_INET_POST_ROUTING };

/* Whether nothing but IPVS can deny what comes from the pod for its services. */
static bool only_ipvs(const struct fg_hooks *hooks, const struct fg_pod *pod, uint8_t family)
{
	static const uint32_t bridge[] = { NF_BR_PRE_ROUTING, NF_BR_LOCAL_IN, NF_BR_LOCAL_OUT,
					   NF_BR_POST_ROUTING };

	return presence_at(hooks, family, by_ipvs, COUNT(by_ipvs)) == FG_PRESENCE_NO &&
	       presence_at(hooks, NFPROTO_BRIDGE, bridge, COUNT(bridge)) == FG_PRESENCE_NO &&
	       !fg_hooks_policy_at(hooks, NFPROTO_NETDEV, NF_NETDEV_EGRESS) &&
	       !fg_hooks_policy_next(hooks, NFPROTO_NETDEV, NF_NETDEV_INGRESS, pod->primary.name,
				     NULL);
}

/* For packets of that family, as the host's hooks were last listed. */
static bool has_choosers(int netns)
{
	struct fg_chooser list[FG_CHOOSERS_MAX];

	return fg_choosers_list(netns, list) > 0;
}

static void note_bridges(const struct fg_watch *watch, uint16_t of, enum fg_presence ip,
			 struct fg_context *context)
{
	static const uint32_t way[] = { NF_BR_PRE_ROUTING, NF_BR_FORWARD, NF_BR_POST_ROUTING };
	static const uint32_t in[] = { NF_BR_PRE_ROUTING, NF_BR_LOCAL_IN };
	static const uint32_t out[] = { NF_BR_LOCAL_OUT, NF_BR_POST_ROUTING };
	const struct fg_hooks *hooks = &watch->hooks;

	context->netfilter_bridge = presence_at(hooks, NFPROTO_BRIDGE, way, COUNT(way));
	context->netfilter_bridge_in = presence_at(hooks, NFPROTO_BRIDGE, in, COUNT(in));
	context->netfilter_bridge_out = presence_at(hooks, NFPROTO_BRIDGE, out, COUNT(out));
	if ((of == AF_INET ? watch->bridges.ip : watch->bridges.ip6) &&
	    context->netfilter_bridge == FG_PRESENCE_NO)
		context->netfilter_bridge = ip;
}

static void note_presence(const struct fg_watch *watch, const struct fg_pod *pod, uint16_t of,
			  struct fg_context *context)
{
	static const uint32_t way[] = { NF_INET_PRE_ROUTING, NF_INET_FORWARD,
					NF_INET_POST_ROUTING };
	uint8_t family = of == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	const struct fg_hooks *hooks = &watch->hooks;
	enum fg_presence ip;

	context->chosen_here = has_choosers(pod->host_netns);
	context->ipsec_forwarded = watch->ipsec.forwarded;
	context->ipsec_sent = watch->ipsec.sent;
	context->only_ipvs = false;
	context->hooked = &watch->hooked;
	context->netfilter_devices = watch->has_hooked;
	if (!watch->known) {
		context->netfilter = context->netfilter_local = context->netfilter_bridge =
			context->netfilter_bridge_in = context->netfilter_bridge_out =
				context->netfilter_out = FG_PRESENCE_UNKNOWN;
		return;
	}
	ip = presence_at(hooks, family, way, COUNT(way));
	note_bridges(watch, of, ip, context);
	if (context->service_count) {
		ip = presence_at(hooks, family, by_ipvs, COUNT(by_ipvs));
		context->only_ipvs = only_ipvs(hooks, pod, family);
	}
	context->netfilter = ip;
	context->netfilter_local = presence_at(hooks, family, to_host, COUNT(to_host));
	context->netfilter_out = presence_at(hooks, family, from_host, COUNT(from_host));
}

/*
 * A packet that a socket of the pod's device sends meets the egress hook of that device, and
 * nothing else of netfilter there; a redirected one not even that.
 */
static void note_sender(const struct fg_pod *pod, struct fg_context *context)
{
	static const uint32_t egress[] = { NF_NETDEV_EGRESS };
	struct fg_hooks hooks = {};

	context->netfilter_from = FG_PRESENCE_NO;
	if (context->method != FG_METHOD_POD_SOCKET || !has_rules(pod->netns))
		return;
	context->netfilter_from = FG_PRESENCE_UNKNOWN;
	if (fg_hooks_list(pod->netns, &hooks, NULL))
		return;
	context->netfilter_from =
		presence_of(&hooks, NFPROTO_NETDEV, pod->peer.name, egress, COUNT(egress));
	fg_hooks_free(&hooks);
}

void fg_watch_presence(struct fg_watch *watch, const struct fg_pod *pod, const struct fg_addr *dst,
		       struct fg_watch_services *services, struct fg_context *context)
{
	list_hooks(watch, pod);
	list_services(watch, pod, dst, services);
	context->services = services->ports;
	context->service_count = services->count;
	note_presence(watch, pod, dst->family, context);
	note_sender(pod, context);
}

void fg_watch_presence_back(struct fg_watch *watch, const struct fg_pod *pod,
			    const struct fg_addr *src, struct fg_context *context)
{
	list_hooks(watch, pod);
	note_presence(watch, pod, src->family, context);
}

bool fg_watch_is_all_traced(const struct fg_watch *watch, uint16_t family)
{
	return watch->known &&
	       !fg_hooks_untraced(&watch->hooks, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6,
				  NULL, 0);
}

/* What is met one after the other: something that can deny is at either. */
static enum fg_presence either(enum fg_presence a, enum fg_presence b)
{
	return a == FG_PRESENCE_YES || b == FG_PRESENCE_NO ? a
	       : b == FG_PRESENCE_YES			   ? b
							   : FG_PRESENCE_UNKNOWN;
}

static void note_pod(struct fg_receiver *r, const struct fg_hooks *hooks)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	static const uint32_t ingress[] = { NF_NETDEV_INGRESS }, egress[] = { NF_NETDEV_EGRESS };
	const char *device = r->pod.peer.name;
	enum fg_presence in = presence_of(hooks, NFPROTO_NETDEV, device, ingress, COUNT(ingress));
	enum fg_presence out = presence_of(hooks, NFPROTO_NETDEV, device, egress, COUNT(egress));

	for (size_t i = 0; i < COUNT(families); i++) {
		uint8_t f = families[i];

		r->own_in[i] = either(in, presence_at(hooks, f, to_host, COUNT(to_host)));
		/* The first of these alone. */
		r->own_to_stack[i] = either(in, presence_at(hooks, f, to_host, 1));
		r->own_out[i] = either(out, presence_at(hooks, f, from_host, COUNT(from_host)));
	}
}

int fg_watch_pod(struct fg_receiver *r)
{
	uint64_t now = fg_clock_now();
	struct fg_hooks hooks = {};

	if (r->own_ns && now - r->own_ns < HOOKS_NS)
		return 0;
	FG_FD int netns = fg_netns_open(r->pod.path, NULL);

	if (netns < 0 || fg_netns_inode(netns) != r->netns || fg_hooks_list(netns, &hooks, NULL))
		return -1;
	note_pod(r, &hooks);
	fg_hooks_free(&hooks);
	r->chosen = has_choosers(netns);
	r->own_ns = now;
	return 0;
}

int fg_watch_way_back(struct fg_watch *watch, const struct fg_pod *pod,
		      const struct fg_receiver *from, struct fg_error *err)
{
	const struct fg_nft_hook hook = { NFPROTO_NETDEV, NF_NETDEV_INGRESS,
					  from->pod.primary.name };

	return fg_nftrace_watch(watch->nftrace, pod->host_netns, pod->host_inode,
				"the host's namespace", &hook, err);
}

int fg_watch_netfilter(struct fg_watch *watch, const struct fg_pod *pod, struct fg_error *err)
{
	const struct fg_nft_hook out = { NFPROTO_NETDEV, NF_NETDEV_EGRESS, pod->peer.name };
	const struct fg_nft_hook host[] = {
		prerouting,
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, pod->primary.name },
		{ NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, NULL },
		output,
	};
	bool reply = watch->replies;

	if (!watch->nftrace) {
		watch->nftrace = fg_nftrace_new(watch->room, err);
		if (watch->nftrace && reply)
			fg_nftrace_follow_answers(watch->nftrace);
	}
	if (!watch->nftrace)
		return -1;
	for (size_t i = 0; i < COUNT(host); i++) {
		bool wanted = host[i].family == NFPROTO_BRIDGE	    ? pod->primary.master != 0
			      : host[i].number == NF_INET_LOCAL_OUT ? reply
								    : true;

		if (wanted && fg_nftrace_watch(watch->nftrace, pod->host_netns, pod->host_inode,
					       "the host's namespace", &host[i], err))
			return -1;
	}
	if (!has_rules(pod->netns))
		return 0;
	return fg_nftrace_watch(watch->nftrace, pod->netns, pod->inode, "the pod's namespace", &out,
				err);
}

static bool holds(int netns, const struct fg_addr *dst)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, NULL);

	return sk && fg_link_holds(sk, dst, NULL) > 0;
}

/* dst NULL: whatever they hold. */
static int watch_all(const struct fg_watch *w, const struct fg_pod *pod, const struct fg_addr *dst,
		     bool *found, struct fg_error *err)
{
	for (size_t i = 0; i < w->host->list.count; i++) {
		const struct fg_netns_entry *e = &w->host->list.entries[i];
		int below = fg_below(w->host, pod, e->inode, err);
		/* Gone meanwhile: it is no longer a destination. */
		FG_FD int netns = below > 0 ? fg_netns_open(e->path, NULL) : -1;

		if (below < 0)
			return -1;
		if (netns < 0 || (dst && !holds(netns, dst)))
			continue;
		*found = true;
		if (!has_rules(netns))
			continue;
		if (fg_nftrace_watch(w->nftrace, netns, e->inode, e->path, &prerouting, err) ||
		    (w->replies &&
		     fg_nftrace_watch(w->nftrace, netns, e->inode, e->path, &output, err)))
			return -1;
	}
	return 0;
}

int fg_watch_destination(struct fg_watch *watch, const struct fg_pod *pod,
			 const struct fg_addr *dst, struct fg_error *err)
{
	bool found = false;

	if (!watch->delivers && !watch->replies)
		return 0;
	if (watch_all(watch, pod, dst, &found, err))
		return -1;
	return found ? 0 : watch_all(watch, pod, NULL, &found, err);
}

void fg_watch_close(struct fg_watch *watch)
{
	fg_nftrace_free(watch->nftrace);
	fg_hooks_free(&watch->hooks);
	fg_hooked_free(&watch->hooked);
	*watch = (struct fg_watch){};
}
