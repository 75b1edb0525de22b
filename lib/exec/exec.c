// SPDX-License-Identifier: GPL-2.0-only
#include "exec/exec.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/count.h"
#include "datapath/policy.h"
#include "exec/child.h"
#include "exec/internal.h"
#include "exec/twin.h"
#include "host/capability.h"
#include "net/sockdiag.h"
#include "probe/method.h"
#include "run/run.h"

/* How long what the command has closed may take to end in peace. */
#define LINGER_NS 2000000000ULL
#define LINGER_STEP_NS 5000000

void fg_exec_free(struct fg_exec_done *done)
{
	free(done->flows);
	fg_ask_close(done->asker);
	done->asker = NULL;
	done->flows = NULL;
	done->flow_count = 0;
}

/* --- the method --- */

/*
 * The first complete one. Not in the order of fg_method_choose(): a program that is attached to the
 * pod's own side while the command runs is met by a bounce, and not by an ingress redirect; and a
 * redirect that the judge could not tell does not matter here.
 */
static int choose_complete(const struct fg_method_facts *facts, enum fg_method *out,
			   struct fg_error *err)
{
	static const enum fg_method order[] = { FG_METHOD_PEER_EGRESS, FG_METHOD_BOUNCE,
						FG_METHOD_HOST_INGRESS };
	const char *why = NULL, *first = NULL;

	for (size_t i = 0; i < COUNT(order); i++) {
		if (!fg_method_choose(facts, order[i], out, &why, NULL) && !why)
			return 0;
		first = first ? first : why;
	}
	fg_fail(err, FG_ERR_UNSUPPORTED, "no way into the pod's egress path is complete%s%s",
		first ? ": " : "", first ? first : "");
	return fg_hint(err, "flowgen inject can still write single packets there");
}

/* *bypasses: what a method that was asked for does not meet; NULL: nothing. */
static int choose_method(const struct fg_pod *pod, enum fg_method wanted, enum fg_method *out,
			 const char **bypasses, struct fg_error *err)
{
	struct fg_method_facts facts = {
		.egress_redirect = !fg_capability_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL),
		.netkit = !strcmp(pod->primary.kind, "netkit"),
	};
	struct fg_ladder ladder;
	int ret;

	*bypasses = NULL;
	if (fg_policy_list(pod, false, &ladder, err))
		return -1;
	facts.ladder = &ladder;
	ret = wanted == FG_METHOD_AUTO ? choose_complete(&facts, out, err)
				       : fg_method_choose(&facts, wanted, out, bypasses, err);
	fg_ladder_free(&ladder);
	return ret;
}

/* --- the end --- */

static int count_open(const struct fg_socket *socket, void *arg)
{
	size_t *open = arg;

	/* Neither those that only listen nor those that only wait: they send nothing. */
	*open += socket->connected && socket->state != TCP_TIME_WAIT &&
		 socket->state != TCP_CLOSE && socket->state != TCP_LISTEN;
	return 0;
}

static size_t open_connections(struct nl_sock *sk)
{
	size_t open = 0;

	(void)fg_sockdiag_list(sk, AF_INET, IPPROTO_TCP, 0, count_open, &open);
	return open;
}

/*
 * What comes for a connection whose end is gone would reach the pod's stack, which answers with a
 * reset: so the ends may say goodbye to each other first.
 */
static size_t linger(const struct fg_twin *twin)
{
	const struct timespec step = { .tv_nsec = LINGER_STEP_NS };
	FG_NL_SOCK struct nl_sock *sk = fg_sockdiag_open(twin->netns, NULL);
	uint64_t until = fg_clock_now() + LINGER_NS;
	size_t open = 0;

	while (sk && (open = open_connections(sk)) && fg_clock_now() < until)
		nanosleep(&step, NULL);
	return open;
}

/* --- all of it --- */

static void tell_servers(const struct fg_exec_options *options, const struct fg_dress *dress)
{
	char text[200], addr[FG_ADDR_TEXT_LEN];

	for (size_t i = 0; i < dress->server_count; i++) {
		const struct fg_addr *a = &dress->servers[i];
		static const uint8_t six[16] = { [15] = 1 };

		if (a->family == AF_INET ? a->bytes[0] != 127
					 : memcmp(a->bytes, six, sizeof(six)) != 0)
			continue;
		snprintf(text, sizeof(text),
			 "the name server %s is a loopback address: the command does not reach it "
			 "(--dns gives it another)",
			 fg_addr_text(a, addr, sizeof(addr)));
		options->note(options->note_arg, text);
	}
}

static void tell_differences(const struct fg_exec_options *options, const struct fg_twin *twin,
			     const struct fg_dress *dress)
{
	char text[200];

	if (twin->uncopied) {
		snprintf(text, sizeof(text),
			 "%zu routes, rules or neighbours of the pod lead elsewhere than to this "
			 "device, and are left out",
			 twin->uncopied);
		options->note(options->note_arg, text);
	}
	if (twin->elsewhere) {
		snprintf(text, sizeof(text),
			 "%zu routes of the pod lead by other devices than this one: the command "
			 "cannot send there",
			 twin->elsewhere);
		options->note(options->note_arg, text);
	}
	if (twin->shared_ports)
		options->note(options->note_arg,
			      twin->first_port
				      ? "no range of ports is free of other commands that are this "
					"pod: they share one, and may get each other's answers"
				      : "the pod's own range of ports leaves none: the command has "
					"the same, and the pod wins if both use one");
	tell_servers(options, dress);
	if (dress->no_servers)
		options->note(options->note_arg,
			      "the pod's resolv.conf is not to be found: names are looked up as on "
			      "the host (see --dns)");
}

/* --- while it runs --- */

/* So long without an answer to what is sent, and somebody is asked. */
#define STALL_NS 1000000000ULL
/* More flows are not gone through each second. */
#define LOOK_MAX 1024

struct looking {
	const struct fg_divert *divert;
	struct fg_asker *asker;
	uint64_t drops, next_ns;
};

static bool is_stalled(const struct fg_exec_state *s)
{
	uint64_t since = s->last_in_ns ? s->last_in_ns : s->first_ns;

	return s->out_packets && s->last_ns > since + STALL_NS;
}

/* What a packet of the command met is best known at once. */
static void look(void *arg)
{
	struct looking *l = arg;
	uint64_t drops = fg_divert_drops(l->divert), now = fg_clock_now();
	struct fg_divert_flow *flows;
	bool asked = false;
	size_t count;

	if ((drops == l->drops && now < l->next_ns) || fg_divert_made(l->divert) > LOOK_MAX ||
	    fg_divert_flows(l->divert, &flows, &count, NULL))
		return;
	/* One at a time: a probe may wait for a second, and signals are passed on meanwhile. */
	for (size_t i = 0; i < count && !asked; i++)
		if (flows[i].state.drops || is_stalled(&flows[i].state) ||
		    fg_exec_got(&flows[i].flow, &flows[i].state) == FG_EXEC_RESET)
			asked = fg_ask_during(l->asker, &flows[i].flow);
	free(flows);
	if (asked)
		return;
	l->drops = drops;
	l->next_ns = now + STALL_NS;
}

/* Names of what the kernel numbers, as long as it is there. */
static void name_drops(const struct fg_divert *divert, const struct fg_pod *pod,
		       struct fg_exec_done *done)
{
	for (size_t i = 0; i < done->flow_count; i++) {
		struct fg_divert_flow *f = &done->flows[i];
		struct fg_link link;

		if (!f->state.drops)
			continue;
		f->drop_reason = fg_divert_reason(divert, f->state.drop_reason);
		f->drop_in_pod = f->state.drop_netns == pod->inode;
		if ((f->drop_in_pod || f->state.drop_netns == pod->host_inode) &&
		    !fg_link_get(f->drop_in_pod ? pod->rtnl : pod->host_rtnl,
				 (int)f->state.drop_ifindex, NULL, &link, NULL))
			snprintf(f->drop_device, sizeof(f->drop_device), "%s", link.name);
	}
}

static int run_in(const struct fg_exec_options *options, const struct fg_pod *pod,
		  const struct fg_twin *twin, const struct fg_dress *dress,
		  struct fg_exec_done *done, struct fg_error *err)
{
	struct looking looking = {};
	struct fg_divert *divert;
	const struct fg_child child = { .tick = look,
					.tick_arg = &looking,
					.netns = twin->netns,
					.dress = dress,
					.argv = options->argv,
					.timeout_ns = options->timeout_ns,
					.output = options->output,
					.cancel_fd = options->cancel_fd,
					.last = options->last,
					.files = options->files };
	int ret;

	done->asker = fg_ask_open(options, err);
	looking.divert = divert = done->asker ? fg_divert_open(pod, twin, done->method, err) : NULL;
	looking.asker = done->asker;
	if (!divert)
		return -1;
	memcpy(done->servers, dress->servers, sizeof(done->servers));
	done->server_count = dress->server_count;
	tell_differences(options, twin, dress);
	done->duration_ns = fg_clock_now();
	ret = fg_child_run(&child, &done->status, err);
	done->duration_ns = fg_clock_now() - done->duration_ns;
	if (!ret) {
		done->unfinished = linger(twin);
		done->flows_made = fg_divert_made(divert);
		done->early_fragments = fg_divert_early(divert);
		ret = fg_divert_flows(divert, &done->flows, &done->flow_count, err);
		if (!ret)
			name_drops(divert, pod, done);
	}
	fg_divert_close(divert);
	return ret;
}

static int run_as(const struct fg_exec_options *options, struct fg_host *host,
		  const struct fg_pod *pod, struct fg_exec_done *done, struct fg_error *err)
{
	struct fg_twin twin = { .netns = -1, .claim = -1 };
	struct fg_dress dress = {};
	const char *why;
	int ret = -1;

	done->outside = pod->uplink;
	snprintf(done->uplink, sizeof(done->uplink), "%.31s", pod->ref);
	done->method = FG_METHOD_HOST_INGRESS;
	if (pod->uplink && fg_outside_check(host, pod, &options->src, options->method, &why, err))
		return -1;
	if (!pod->uplink && (fg_pod_check_up(host, pod, err) ||
			     choose_method(pod, options->method, &done->method, &why, err)))
		return fg_error_prefix(err, "pod %s", pod->ref);
	if (why)
		options->note(options->note_arg, why);
	if (!fg_dress_read(&dress, host, pod, &options->dress, err) &&
	    !fg_twin_open(&twin, pod, &options->src, err))
		ret = run_in(options, pod, &twin, &dress, done, err);
	fg_twin_close(&twin);
	fg_dress_free(&dress);
	return ret;
}

int fg_exec_run(const struct fg_exec_options *options, struct fg_exec_done *done,
		struct fg_error *err)
{
	struct fg_host host = { .netns = -1 };
	struct fg_pod pod = { .netns = -1, .host_netns = -1 };
	int ret = -1;

	*done = (struct fg_exec_done){ .status = FG_CHILD_FAILED };
	fg_run_origin(); /* it begins now */
	if (fg_capability_preflight(err))
		return -1;
	if (fg_capability_feature_probe(FG_FEATURE_TCX, NULL))
		return fg_fail(
			err, FG_ERR_UNSUPPORTED,
			"this kernel has no tcx (Linux 6.6): answers to the command could not "
			"be kept from the pod");
	if (!fg_host_open(&host, options->host_root, err) &&
	    !fg_uplink_or_pod_open(&host, options->ref, options->interface, &pod, err)) {
		ret = run_as(options, &host, &pod, done, err);
		fg_pod_close(&pod);
	}
	fg_host_close(&host);
	if (ret)
		fg_exec_free(done);
	return ret;
}
