/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/session.h - orders the stages: build, send, collect, judge. It owns every resource, and
 * closes them in reverse. One session serves any number of pods and windows of probes; what is set
 * up is paid for once.
 */
#ifndef FG_SESSION_H
#define FG_SESSION_H

#include <stdint.h>

#include "base/error.h"
#include "host/pod.h"
#include "probe/probe.h"

struct fg_session_options {
	const char *host_root; /* "" or a directory, as struct fg_host */
	uint32_t ring_bytes;   /* 0: the default */
	uint64_t timeout_ns;   /* how long a window waits for the ends of its packets */
	int cancel_fd;	       /* readable: stop waiting; -1: none */
	/*
	 * let packets into a destination pod on this host; else they are stopped before its stack
	 */
	bool deliver;
	bool reply; /* wait for replies, and follow them back; packets are then let in too */
	bool trace_netfilter; /* find out which rule of netfilter dropped a packet: see nftrace.h */
	/*
	 * If it is not known what ended the only probe of a window, it is sent once more, with
	 * the programs there observed.
	 */
	bool explain;
	/* The same in a window of many, for the first probe of each way in which they end. */
	bool look_twice;
	bool tables; /* see which tables of the policy the first window adds entries to */
	/* Of pods that packets arrive for (host/pod.h): they may be sent from now on. */
	void (*awaiting)(void *arg);
	bool hold; /* the same of the first packet of all: it is sent when SIGUSR1 comes */
	void *arg;
	/*
	 * Packets are followed in the node's namespace and those below it: what is seen of them
	 * elsewhere, where this kernel has several nodes, is not looked at.
	 */
	bool node_only;
};

struct fg_session;

/*
 * Opens the host's view; the datapath is loaded with the first pod. NULL on failure. options are
 * copied.
 */
struct fg_session *fg_session_open(const struct fg_session_options *options, struct fg_error *err);
void fg_session_close(struct fg_session *session);

struct fg_host *fg_session_host(struct fg_session *session);

/* Finds and prepares a pod (ref, interface: as fg_pod_open). Returns its number, or -1. */
int fg_session_add_pod(struct fg_session *session, const char *ref, const char *interface,
		       enum fg_method wanted, struct fg_error *err);

/*
 * Looks at the pod again, after its programs changed (trace.changed of a probe): what
 * fg_session_pod() and fg_session_context() gave before is no longer valid. Returns 0, or -1: the
 * pod is then as it was.
 */
int fg_session_renew_pod(struct fg_session *session, int pod, struct fg_error *err);

/* What is known of a pod that was added; borrowed. */
const struct fg_pod *fg_session_pod(const struct fg_session *session, int pod);
const struct fg_context *fg_session_context(const struct fg_session *session, int pod);
/*
 * What cannot be kept from pods' stacks, and why; each once, as soon as it is known: so ask again,
 * until NULL. Static text.
 */
const char *fg_session_disturbs(struct fg_session *session);
/* What cannot be seen on this host, and why; NULL: nothing. Borrowed. */
const char *fg_session_blind(const struct fg_session *session);
/* Why the method is the one it is, or what it bypasses; NULL: nothing to say. Static text. */
const char *fg_session_method_why(const struct fg_session *session, int pod);

/*
 * The window: an array of probes that belongs to the session, *room of them. The caller fills
 * `spec` of the first n, and runs them.
 */
struct fg_probe *fg_session_window(struct fg_session *session, uint32_t *room);

/*
 * Asks the pod's kernel how a packet of the probe would leave, by the lookups of connect() (see
 * net/connect.h): fills in vary.src where spec->any_source, spec->way, and spec->pod where it
 * leaves by another device of the pod, which is added if it is not there. Returns 0; 1: the kernel
 * refuses it, and the probe will be `not-sent`; or -1: FG_ERR_UNSUPPORTED if it leaves by a device
 * that flowgen cannot serve, or that the user did not choose.
 */
int fg_session_route(struct fg_session *session, struct fg_probe_spec *spec, struct fg_error *err);

/*
 * Sends the first *count probes, waits for their ends, and judges them. If a packet was sent in
 * fragments there is one probe for each afterwards, and *count is larger. A probe that the pod's
 * own kernel would not send is not sent either, and judged so. Returns 0 (the results are in the
 * window), or -1: nothing was sent if the error is FG_ERR_USAGE or FG_ERR_UNSUPPORTED. A cancelled
 * wait is not an error: what had not ended is inconclusive.
 */
int fg_session_run(struct fg_session *session, uint32_t *count, struct fg_error *err);

/*
 * Says that no window will be run before until_ns (CLOCK_MONOTONIC). If that is long enough to
 * be worth it, what costs the machine's other packets something is detached meanwhile. Returns
 * until when to wait before the next call: until_ns, or a little earlier, to be ready by then.
 * If the caller does not come back in time, the next window is only late.
 */
uint64_t fg_session_idle(struct fg_session *session, uint64_t until_ns);

/*
 * How many probes the next window may have, if as many as `left` (UINT64_MAX: nobody knows) are
 * still to be sent: the first one of many is small, see fg_session_tables().
 */
uint32_t fg_session_at_once(struct fg_session *session, uint64_t left);

/*
 * The tables of the policy that the first window added entries to: of each probe about
 * gained / probes. Borrowed, and as it was then. NULL: not known (yet). Of a run whose length
 * nobody knows it is read again later, when about half of what was free is used.
 */
const struct fg_leftover_maps *fg_session_tables(const struct fg_session *session);

/* Whether it is of a run whose length nobody knows, which has taken half of what was free there. */
struct fg_leftover_map;
bool fg_session_is_filling(const struct fg_session *session, const struct fg_leftover_map *map);

/* Whether cancel_fd became readable. */
bool fg_session_cancelled(const struct fg_session *session);

#endif
