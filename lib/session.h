/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - orders the stages: build, send, collect, judge. It owns every resource, and closes them in reverse. One session serves any number
 * of pods and windows of probes; what is set up is paid for once.
 */
#ifndef FG_SESSION_H
#define FG_SESSION_H

#include <stdint.h>

#include "error.h"
#include "pod.h"
#include "probe.h"

struct fg_session_options {
	const char *host_root; /* "" or a directory, as struct fg_host */
	uint32_t ring_bytes;   /* 0: the default */
	uint64_t timeout_ns;   /* how long a window waits for the ends of its packets */
	int cancel_fd;	       /* readable: stop waiting; -1: none */
	bool deliver; /* let packets into a destination pod on this host; else they are stopped before its stack */
	bool reply; /* wait for answers, and follow them back; packets are then let in as well */
	bool trace_netfilter; /* find out which rule of netfilter dropped a packet: see nftrace.h */
};

struct fg_session;

/* Opens the host's view; the datapath is loaded with the first pod. NULL on failure. options are copied. */
struct fg_session *fg_session_open(const struct fg_session_options *options, struct fg_error *err);
void fg_session_close(struct fg_session *session);

struct fg_host *fg_session_host(struct fg_session *session);

/* Finds and prepares a pod (ref, interface: as fg_pod_open). Returns its number, or -1. */
int fg_session_add_pod(struct fg_session *session, const char *ref, const char *interface,
		       enum fg_method wanted, struct fg_error *err);

/*
 * Looks at the pod anew, after its programs changed (trace.changed of a probe): what fg_session_pod()
 * and fg_session_scene() gave before is no longer valid. Returns 0, or -1: the pod is then as it was.
 */
int fg_session_renew_pod(struct fg_session *session, int pod, struct fg_error *err);

/* What is known of a pod that was added; borrowed. */
const struct fg_pod *fg_session_pod(const struct fg_session *session, int pod);
const struct fg_scene *fg_session_scene(const struct fg_session *session, int pod);
/* What cannot be kept from the pods' stacks on this kernel, and why; NULL: nothing. Static text. */
const char *fg_session_disturbs(const struct fg_session *session);
/* What cannot be seen on this host, and why; NULL: nothing. Borrowed. */
const char *fg_session_blind(const struct fg_session *session);
/* Why the method is the one it is, or what it passes by; NULL: nothing to say. Static text. */
const char *fg_session_method_why(const struct fg_session *session, int pod);

/*
 * The window: an array of probes that belongs to the session, *room of them. The caller fills `spec` of the first n, and runs them.
 */
struct fg_probe *fg_session_window(struct fg_session *session, uint32_t *room);

/*
 * Sends the first *count probes, waits for their ends, and judges them. Where a packet was sent in fragments there is one probe for
 * each afterwards, and *count is larger. Returns 0 (results stand in the window), or -1: nothing was sent where the error is
 * FG_ERR_USAGE or FG_ERR_UNSUPPORTED. A cancelled wait is no error: what had not ended is inconclusive.
 */
int fg_session_run(struct fg_session *session, uint32_t *count, struct fg_error *err);

/*
 * Says that no window will be run before until_ns (CLOCK_MONOTONIC). Where that is long enough to be worth it, what costs the
 * machine's other packets something is taken off meanwhile. Returns until when to wait before the next call: until_ns, or a
 * little earlier, to be ready by then. Where the caller does not come back in time, the next window is late, and no worse.
 */
uint64_t fg_session_idle(struct fg_session *session, uint64_t until_ns);

/* Whether cancel_fd became readable. */
bool fg_session_cancelled(const struct fg_session *session);

#endif
