// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from a trace: a table of traces, each with its whole answer; and random ones, which
 * must never mislead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "judge/judge.h"
#include "probe/names.h"
#include "view/decisions.h"
#include "view/gaps.h"
#include "traces.h"
#include "seed.h"

#define PEER_EGRESS FG_METHOD_PEER_EGRESS
#define BOUNCE FG_METHOD_BOUNCE
#define HOST_INGRESS FG_METHOD_HOST_INGRESS
#define POD_SOCKET FG_METHOD_POD_SOCKET

/* The place is kept as it is, however the table is laid out. */
/* clang-format off */
#define INJECT { FG_EVENT_INJECT }
#define QUEUE(place, hops) { FG_EVENT_QUEUE, place, 0, hops }
#define RECEIVE(place, hops) { FG_EVENT_RECEIVE, place, 0, hops }
#define POLICY(place, number, retval) { FG_EVENT_POLICY, place, retval, FIRST_ID + (number) - 1 }
#define FREE(place, reason, symbol) { FG_EVENT_FREE, place, reason, 0, symbol }
#define CONSUME(place, symbol) { FG_EVENT_CONSUME, place, 0, 0, symbol }
#define XMIT(place, rc) { FG_EVENT_XMIT, place, rc }
#define SOCKET(place) { FG_EVENT_SOCKET, place }
#define STOP(place) { FG_EVENT_STOP, place }
#define NOTED(kind, place, hops) { FG_EVENT_##kind, place, 0, hops, NULL, FG_EVENT_F_MOVED }
#define FROM(kind, place, hops, mac) { FG_EVENT_##kind, place, 0, hops, NULL, 0, mac }
#define HELD(kind, place, hops, flags) { FG_EVENT_##kind, place, 0, hops, NULL, flags }
#define TRACKED FG_EVENT_F_CONNTRACK
#define LOST { FG_EVENT_LOST }
#define JOIN(place) { FG_EVENT_JOIN, place }
#define CLONE(kind, place) { kind, place, 0, 64, NULL, FG_EVENT_F_CLONE }
/* From injection to the host side's tc ingress. */
#define UP_TO_HOST INJECT, QUEUE(PEER, 64), RECEIVE(PRIMARY, 64)
/* Out of the node, by a route. */
#define ROUTED_OUT QUEUE(HARDWARE, 63), XMIT(HARDWARE, 0)

#define CORE "__netif_receive_skb_core.constprop.0+0x123/0xf00"

struct trial {
	const char *what;
	enum fg_method method;
	const char *ladder;	/* see traces_ladder() */
	/*
	 * i netfilter enforces at input, f elsewhere, F it is not known whether it does, n netkit, b bridged, m redirects
	 * are noted, x xdp_copies, o other filters, O on the pod's side, c programs changed, l lost,
	 * s strays, u a place could not be listed; v it is for a service of IPVS, V and chains may deny it too, r by the
	 * trace one did, R by the trace none did, p IPsec policies for what is forwarded, P for what is sent, w a port of
	 * Open vSwitch, t the route has a program, U the primary is an uplink
	 */
	const char *flags;
	const char *runs;	/* run counters, a digit each; '?' unknown; NULL: none were read */
	struct seen seen[SEEN_MAX];
	/*
	 * The answer. steps: for each program whether it ran (Y, N, ?) and by which evidence (f, d,
	 * c, r, -).
	 */
	enum fg_verdict verdict;
	int denied_by;		/* from 1; 0: none */
	enum fg_outcome outcome;
	const char *steps;
	const char *reason;	/* in it; NULL: none is given */
};

#define ALLOWED FG_VERDICT_ALLOWED
#define DENIED FG_VERDICT_DENIED
#define MOVED FG_VERDICT_REDIRECTED
#define NOBODY FG_VERDICT_NONE
#define UNKNOWN FG_VERDICT_UNKNOWN
#define DELIVERED FG_OUTCOME_DELIVERED
#define FORWARDED FG_OUTCOME_FORWARDED
#define DROPPED FG_OUTCOME_DROPPED
#define UNCLEAR FG_OUTCOME_INCONCLUSIVE

static const struct trial trials[] = {
	/* --- from outside --- */
	{ "back out by the uplink: kept in", HOST_INGRESS, "", "U", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), QUEUE(PRIMARY, 63), STOP(PRIMARY), FREE(PRIMARY, R_TC_EGRESS, NULL) },
	  NOBODY, 0, FORWARDED, "", NULL },
	{ "XDP that flowgen ran drops", HOST_INGRESS, "XI", "U", NULL,
	  { INJECT, { FG_EVENT_POLICY, PRIMARY, 1, FIRST_ID, NULL, FG_EVENT_F_RUN }, FREE(PRIMARY, R_XDP, NULL) },
	  DENIED, 1, DROPPED, "YrN-", NULL },
	{ "XDP that flowgen ran lets pass", HOST_INGRESS, "X", "U", NULL,
	  { INJECT, { FG_EVENT_POLICY, PRIMARY, 2, FIRST_ID, NULL, FG_EVENT_F_RUN }, RECEIVE(PRIMARY, 64), QUEUE(LXC2, 63), STOP(POD2) },
	  ALLOWED, 0, DELIVERED, "Yr", NULL },
	{ "XDP that nobody ran", HOST_INGRESS, "X", "U", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), QUEUE(LXC2, 63), STOP(POD2) }, UNKNOWN, 0, DELIVERED, "?-", "not known whether" },
	{ "XDP redirects", HOST_INGRESS, "X", "U", NULL,
	  { INJECT, { FG_EVENT_POLICY, PRIMARY, 4, FIRST_ID, NULL, FG_EVENT_F_RUN }, LOST },
	  UNKNOWN, 0, UNCLEAR, "Yr", "XDP at the uplink redirects it" },
	/* --- fexit --- */
	{ "fexit: one allows", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Yf", NULL },
	{ "fexit: one denies", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 2), FREE(PRIMARY, R_TC_INGRESS, CORE) },
	  DENIED, 1, DROPPED, "Yf", NULL },
	{ "fexit: next, deny, never reached", PEER_EGRESS, "I*I*I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, -1), POLICY(PRIMARY, 2, 2), FREE(PRIMARY, R_TC_INGRESS, CORE) },
	  DENIED, 2, DROPPED, "YfYfN-", NULL },
	{ "fexit: pass ends the hook", PEER_EGRESS, "I*I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), ROUTED_OUT }, ALLOWED, 0, FORWARDED, "YfN-", NULL },
	{ "fexit: a redirect", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 7), QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) },
	  MOVED, 0, FORWARDED, "Yf", NULL },
	{ "fexit: behind a redirect nobody is asked", PEER_EGRESS, "K*K*I*", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), POLICY(PRIMARY, 1, 7), QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) },
	  MOVED, 0, FORWARDED, "YfN-N-", NULL },
	{ "fexit: a redirect that fails is none the less one", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 7), FREE(PRIMARY, R_NOT_SPECIFIED, "skb_do_redirect+0x99/0x100") },
	  MOVED, 0, DROPPED, "Yf", NULL },
	{ "fexit: tcx egress of the pod denies", PEER_EGRESS, "E*I*", "", NULL,
	  { INJECT, POLICY(PEER, 1, 2), FREE(PEER, R_TC_EGRESS, "__dev_queue_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "YfN-", NULL },
	{ "fexit: netkit denies, reason not specified", PEER_EGRESS, "K*I*", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), POLICY(PRIMARY, 1, 2), FREE(PRIMARY, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "YfN-", NULL },
	{ "fexit: a tc program keeps the packet", PEER_EGRESS, "i*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 4), CONSUME(PRIMARY, CORE) },
	  DENIED, 1, UNCLEAR, "Yf", "kept" },
	{ "fexit: one traced, the other by the drop reason", PEER_EGRESS, "I*I", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, -1), FREE(PRIMARY, R_TC_INGRESS, CORE) },
	  DENIED, 2, DROPPED, "YfYd", NULL },
	{ "fexit: said drop, yet it went on", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 2), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "Yf", "seen to drop" },
	{ "fexit: on a clone, it is not this packet's", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_POLICY, PRIMARY, 0, FIRST_ID, NULL, FG_EVENT_F_CLONE }, ROUTED_OUT },
	  UNKNOWN, 0, FORWARDED, "N-", "not seen to run" },
	{ "fexit: the same program on another device", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), POLICY(LXC2, 1, 2), FREE(LXC2, R_TC_EGRESS, NULL) },
	  DENIED, 0, DROPPED, "Yf", "which program" },
	{ "fexit: watched, passed, and not seen: no allow", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "not seen to run" },
	{ "fexit: a tc filter for another protocol sees nothing", PEER_EGRESS, "i*", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, NOBODY, 0, FORWARDED, "N-", NULL },
	{ "fexit: pod-socket does not watch the pod's own hooks", POD_SOCKET, "E*I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 2, 0), ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-Yf", NULL },
	{ "fexit: a classifier's value is no action", PEER_EGRESS, "i*.", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 2), ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Yf", NULL },
	/* --- without fexit --- */
	{ "one program, dropped by tc ingress", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "Yd", NULL },
	{ "one program, passed", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "one tc program, passed: it may be for another protocol", PEER_EGRESS, "i", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "?-", "another protocol" },
	{ "one tc program for all protocols, passed", PEER_EGRESS, "j", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "the same, but another filter may have decided before it", PEER_EGRESS, "j", "o", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "?-", "another protocol" },
	{ "the same, but a tcx program may have decided before it", PEER_EGRESS, "Ij", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-?-", NULL },
	{ "one tc program for all protocols, watched and not seen: no allow", PEER_EGRESS, "j*", "", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "not seen to run" },
	{ "counts 1,1,0: the second", PEER_EGRESS, "III", "", "110",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "YcYcNc", NULL },
	{ "counts 1,0,0: the first", HOST_INGRESS, "III", "", "100",
	  { INJECT, RECEIVE(PRIMARY, 64), FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "YcNcNc", NULL },
	{ "counts ?,1,0: the second, whatever the first did", PEER_EGRESS, "III", "", "?10",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "Y-YcNc", NULL },
	{ "counts 1,?,0: the second may have been it", PEER_EGRESS, "III", "", "1?0",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "Yc?-Nc", "which program" },
	{ "counts 2,1,0 are not one packet's", PEER_EGRESS, "III", "", "210",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "?-?-?-", "which program" },
	{ "counts 0,1,0 are not one packet's", PEER_EGRESS, "III", "", "010",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "?-?-?-", "which program" },
	{ "counts 0,0: nobody counted, as the packet passed", PEER_EGRESS, "II", "", "00",
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-?-", NULL },
	{ "counts 0,0 at a drop: no denier", PEER_EGRESS, "II", "", "00",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "NcNc", "which program" },
	{ "count 0 of the only one: not it", PEER_EGRESS, "I", "", "0",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "Nc", "which program" },
	{ "counts unknown for one of three", PEER_EGRESS, "III", "", "1?0",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "Yc?-Nc", "which program" },
	{ "tc filters: one for another protocol, one that denies", PEER_EGRESS, "iii", "", "010",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "NcYcNc", NULL },
	{ "several programs, nothing to tell them apart", PEER_EGRESS, "II", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "?-?-", "which program" },
	{ "counts: both said next or pass, and it passed", PEER_EGRESS, "II", "", "11",
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "YcYc", NULL },
	{ "pod-socket: the pod's tc egress denies", POD_SOCKET, "eI", "", NULL,
	  { INJECT, FREE(PEER, R_TC_EGRESS, NULL) }, DENIED, 1, DROPPED, "YdN-", NULL },
	{ "another filter could have dropped it", PEER_EGRESS, "I", "o", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "?-", "which program" },
	{ "another filter on the pod's side does not matter to netkit", PEER_EGRESS, "K", "noO", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PRIMARY, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "Yd", NULL },
	{ "netkit drops at the other end", PEER_EGRESS, "KI", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PRIMARY, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "YdN-", NULL },
	{ "netkit drops before it asks: its other end is down", PEER_EGRESS, "K", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PEER, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "?-", "not seen after" },
	{ "a classifier's filter denies: no return value is made up", PEER_EGRESS, "i.", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "Yd", NULL },
	{ "no program, yet tc ingress dropped", PEER_EGRESS, "", "o", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "", "which program" },
	/* --- XDP --- */
	{ "generic XDP: its reason is that of a redirect that failed", PEER_EGRESS, "xI", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_XDP, "do_xdp_generic+0x1/0x2") }, UNKNOWN, 0, DROPPED, "?-?-", "not seen after" },
	{ "generic XDP in the receiving pod: the same", PEER_EGRESS, "yP", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_XDP, "do_xdp_generic+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "?-?-", "receiver" },
	{ "generic XDP in the receiving pod drops", PEER_EGRESS, "yP", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NOT_SPECIFIED, "bpf_prog_run_generic_xdp+0x1/0x2") },
	  DENIED, 1, DROPPED, "Yd?-", NULL },
	{ "generic XDP: a redirect that failed is no denial, traced", PEER_EGRESS, "x*I", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 4), FREE(PRIMARY, R_XDP, "do_xdp_generic+0x1/0x2") },
	  MOVED, 0, DROPPED, "YfN-", NULL },
	{ "generic XDP drops, without a reason: never allowed", PEER_EGRESS, "xI", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "netif_receive_generic_xdp+0x1/0x2") },
	  DENIED, 1, DROPPED, "YdN-", NULL },
	{ "tc ingress drops behind generic XDP: not XDP's doing", PEER_EGRESS, "xI", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "?-Yd", NULL },
	{ "generic XDP copies the packet: lost, never allowed", PEER_EGRESS, "xI", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "skb_pp_cow_data+0x1/0x2") }, UNKNOWN, 0, UNCLEAR, "?-?-", "trail" },
	{ "native XDP copies the packet, and it is known again", PEER_EGRESS, "XI", "x", NULL,
	  { INJECT, QUEUE(PEER, 64), CONSUME(PEER, "skb_pp_cow_data+0x1/0x2"),
	    { FG_EVENT_RECEIVE, PRIMARY, 0, 64, NULL, FG_EVENT_F_AGAIN }, ROUTED_OUT },
	  ALLOWED, 0, FORWARDED, "?-Y-", NULL },
	{ "native XDP took it, and nothing more is seen", PEER_EGRESS, "XI", "x", NULL,
	  { INJECT, QUEUE(PEER, 64), CONSUME(PEER, "skb_pp_cow_data+0x1/0x2") },
	  UNKNOWN, 0, UNCLEAR, "?-?-", "may have rewritten its addresses" },
	{ "native XDP sends it on: the copy is consumed, too", PEER_EGRESS, "XI", "x", NULL,
	  { INJECT, QUEUE(PEER, 64), CONSUME(PEER, "skb_pp_cow_data+0x1/0x2"), CONSUME(PEER, "veth_xdp_rcv_skb+0x1/0x2") },
	  UNKNOWN, 0, UNCLEAR, "?-?-", "(XDP_TX or XDP_REDIRECT)" },
	{ "native XDP takes it where a copy is not to be told from a packet", PEER_EGRESS, "XI", "x", NULL,
	  { INJECT, QUEUE(PEER, 64), CONSUME(PEER, "veth_xdp_rcv_skb+0x1/0x2") },
	  UNKNOWN, 0, UNCLEAR, "?-?-", "sent it on, or rewrote it" },
	/* --- host-ingress --- */
	{ "host-ingress, one program allows", HOST_INGRESS, "I", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "host-ingress bypasses the pod's side", HOST_INGRESS, "EI", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-Y-", "bypassed programs" },
	{ "host-ingress bypasses netkit's programs", HOST_INGRESS, "K", "n", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "bypassed programs" },
	{ "host-ingress bypasses native XDP", HOST_INGRESS, "X", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "bypassed programs" },
	{ "host-ingress, denied after what it bypassed", HOST_INGRESS, "EI", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "N-Yd", NULL },
	/* --- none, and nowhere --- */
	/* --- bounce: as an egress redirect; what was seen before the second leg is not on the path --- */
	{ "bounce, the pod's tcx egress denies", BOUNCE, "EI", "", NULL,
	  { INJECT, FREE(PEER, R_TC_EGRESS, "__dev_queue_xmit+0x1/0x2") }, DENIED, 1, DROPPED, "YdN-", NULL },
	{ "bounce, netkit denies", BOUNCE, "K*I*", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), POLICY(PRIMARY, 1, 2), FREE(PRIMARY, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "YfN-", NULL },
	{ "bounce, all pass", BOUNCE, "E*I*", "", NULL,
	  { INJECT, POLICY(PEER, 1, 0), QUEUE(PEER, 64), RECEIVE(PRIMARY, 64), POLICY(PRIMARY, 2, 0), ROUTED_OUT },
	  ALLOWED, 0, FORWARDED, "YfYf", NULL },
	{ "bounce, noted as redirected by flowgen itself: routed all the same", BOUNCE, "I", "", NULL,
	  { INJECT, NOTED(QUEUE, PEER, 64), NOTED(RECEIVE, PRIMARY, 64), NOTED(QUEUE, HARDWARE, 63), XMIT(HARDWARE, 0) },
	  ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "bounce, seen before its second leg: not this packet's way", BOUNCE, "I", "", NULL,
	  { RECEIVE(LXC2, 64), UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "bounce, the pod's device is down", BOUNCE, "I", "", NULL,
	  { FREE(LXC2, R_NOT_SPECIFIED, "skb_do_redirect+0x9/0x10") }, UNKNOWN, 0, UNCLEAR, "?-", "did not enter" },
	{ "bounce, dropped by what stands before the second leg", BOUNCE, "I", "", NULL,
	  { FREE(PEER, R_TC_INGRESS, CORE) }, UNKNOWN, 0, UNCLEAR, "?-", "did not enter" },
	{ "a fragment that goes on in another's sk_buff", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "inet_frag_reasm_prepare+0x1/0x2"), JOIN(HARDWARE), ROUTED_OUT },
	  NOBODY, 0, FORWARDED, "", NULL },
	{ "and where nobody knows who consumed the first one", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, NULL), JOIN(HARDWARE), ROUTED_OUT }, NOBODY, 0, FORWARDED, "", NULL },
	{ "a fragment that was dropped does not come back", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2"), JOIN(HARDWARE), ROUTED_OUT },
	  UNKNOWN, 0, UNCLEAR, "", "seen again" },
	{ "nothing enforces here", PEER_EGRESS, "", "", NULL, { UP_TO_HOST, ROUTED_OUT }, NOBODY, 0, FORWARDED, "", NULL },
	{ "no program, but other filters", PEER_EGRESS, "", "o", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "", "not BPF programs" },
	{ "no program, and the pod is gone", PEER_EGRESS, "", "", NULL,
	  { INJECT, FREE(NOWHERE, R_NOT_SPECIFIED, "skb_do_redirect+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "", "not seen on" },
	{ "not injected: nothing", PEER_EGRESS, "I", "", NULL, { { 0 } }, UNKNOWN, 0, UNCLEAR, "?-", "did not reach" },
	{ "not injected, yet seen", PEER_EGRESS, "I", "", NULL,
	  { QUEUE(PEER, 64), RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, UNCLEAR, "?-", "not reported" },
	{ "seen before its injection: not this packet", PEER_EGRESS, "I", "", NULL,
	  { QUEUE(PEER, 64), RECEIVE(PRIMARY, 64), INJECT, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "not seen" },
	{ "injected, then nothing", PEER_EGRESS, "I", "", NULL, { INJECT }, UNKNOWN, 0, UNCLEAR, "?-", "in time" },
	{ "time ran out behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63) }, UNKNOWN, 0, UNCLEAR, "Y-", "in time" },
	{ "time ran out before the policy", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST }, UNKNOWN, 0, UNCLEAR, "?-", "in time" },
	/* --- what spoils any answer --- */
	{ "events were lost", PEER_EGRESS, "I*", "l", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), ROUTED_OUT }, UNKNOWN, 0, UNCLEAR, "Yf", "events were lost" },
	{ "a record fit no probe", PEER_EGRESS, "I*", "s", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), ROUTED_OUT }, UNKNOWN, 0, UNCLEAR, "Yf", "match no probe" },
	{ "programs changed", PEER_EGRESS, "I*", "c", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 2), FREE(PRIMARY, R_TC_INGRESS, CORE) },
	  UNKNOWN, 0, UNCLEAR, "Yf", "changed" },
	{ "two packets for one probe: the second was denied", PEER_EGRESS, "I", "", NULL,
	  { INJECT, INJECT, QUEUE(PEER, 64), QUEUE(PEER, 64), RECEIVE(PRIMARY, 64), ROUTED_OUT,
	    RECEIVE(PRIMARY, 64), FREE(PRIMARY, R_TC_INGRESS, CORE) },
	  UNKNOWN, 0, UNCLEAR, "Y-", "several packets" },
	{ "the trail is lost", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), LOST }, UNKNOWN, 0, UNCLEAR, "?-", "trail was lost" },
	{ "what comes behind a lost trail is another's", PEER_EGRESS, "I*", "", NULL,
	  { INJECT, QUEUE(PEER, 64), LOST, RECEIVE(PRIMARY, 64), POLICY(PRIMARY, 1, 0), ROUTED_OUT },
	  UNKNOWN, 0, UNCLEAR, "?-", "trail was lost" },
	{ "seen again after its end", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PEER, R_QDISC_DROP, NULL), RECEIVE(PRIMARY, 64), ROUTED_OUT },
	  UNKNOWN, 0, UNCLEAR, "Y-", "after its end" },
	{ "a clone proves nothing", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, CLONE(FG_EVENT_QUEUE, BRIDGE), CLONE(FG_EVENT_CONSUME, HARDWARE),
	    FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "Yd", NULL },
	/* --- what "behind the policy" takes --- */
	{ "not seen to leave the pod's hooks: no allow", PEER_EGRESS, "EI", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "?-Y-", "not seen after" },
	{ "sent elsewhere by the pod's side", PEER_EGRESS, "EI", "", NULL,
	  { INJECT, QUEUE(POD_OTHER, 64) }, UNKNOWN, 0, UNCLEAR, "?-?-", "in time" },
	{ "an error of tc itself is no pass", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_COOKIE, "tcf_classify+0x1/0x2") }, UNKNOWN, 0, DROPPED, "?-", "not seen after" },
	{ "dropped at an unknown place for no reason", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "somewhere_new+0x1/0x2") }, UNKNOWN, 0, DROPPED, "?-", "not seen after" },
	{ "a reason without a name, without a place", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_UNNAMED, NULL) }, UNKNOWN, 0, DROPPED, "?-", "not seen after" },
	{ "dropped by the stack is behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_IP_INHDR, "ip_rcv_core+0x1/0x2") }, ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "dropped by netfilter is behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, NULL) }, DENIED, 0, DROPPED, "Y-", NULL },
	{ "dropped in forwarding, no reason, by the place", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "ip_forward+0x1/0x2") }, ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "the pod's queueing discipline drops: not policy", PEER_EGRESS, "EI", "", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PEER, R_QDISC_DROP, NULL) },
	  UNKNOWN, 0, DROPPED, "Y-N-", "not seen after" },
	/* --- redirects that nobody reported --- */
	{ "queued with its hops as they were: redirected", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) }, MOVED, 0, FORWARDED, "Y-", NULL },
	{ "the same behind a bridge, where a redirect would have been noted", PEER_EGRESS, "I", "bm", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "the same behind a bridge, where it would not", PEER_EGRESS, "I", "b", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) }, UNKNOWN, 0, FORWARDED, "Y-", "from bridging" },
	{ "the same, but the program was seen to let it pass", PEER_EGRESS, "I*", "b", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, -1), QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) }, ALLOWED, 0, FORWARDED, "Yf", NULL },
	{ "behind a bridge, and noted", PEER_EGRESS, "I", "bm", NULL,
	  { UP_TO_HOST, NOTED(QUEUE, LXC2, 64), RECEIVE(POD2, 64), STOP(POD2) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "noted before the host side: that tells nothing of its programs", PEER_EGRESS, "I", "bm", NULL,
	  { INJECT, QUEUE(PEER, 64), NOTED(RECEIVE, PRIMARY, 64), NOTED(QUEUE, HARDWARE, 64), XMIT(HARDWARE, 0) },
	  UNKNOWN, 0, FORWARDED, "Y-", "from bridging" },
	{ "noted, and its hops are one less: a program can do that too", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, NOTED(QUEUE, HARDWARE, 63), XMIT(HARDWARE, 0) }, MOVED, 0, FORWARDED, "Y-", NULL },
	{ "dropped by the device that it was sent back to", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_FREE, PRIMARY, R_TC_EGRESS, 0, "__dev_queue_xmit+0x1/0x2", FG_EVENT_F_MOVED } },
	  DENIED, 0, DROPPED, "Y-", "which program" },
	{ "behind a bridge, from another Ethernet address", PEER_EGRESS, "I", "b", NULL,
	  { INJECT, QUEUE(PEER, 64), FROM(RECEIVE, PRIMARY, 64, 0x1111), FROM(QUEUE, LXC2, 64, 0x2222), RECEIVE(POD2, 64), STOP(POD2) },
	  MOVED, 0, DELIVERED, "Y-", NULL },
	{ "behind a bridge, from the same Ethernet address", PEER_EGRESS, "I", "bm", NULL,
	  { INJECT, QUEUE(PEER, 64), FROM(RECEIVE, PRIMARY, 64, 0x1111), FROM(QUEUE, LXC2, 64, 0x1111), RECEIVE(POD2, 64), STOP(POD2) },
	  ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "the bridge itself received it", PEER_EGRESS, "I", "b", NULL,
	  { UP_TO_HOST, RECEIVE(BRIDGE, 64), QUEUE(HARDWARE, 63), XMIT(HARDWARE, 0) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "behind a bridge, another device received it", PEER_EGRESS, "I", "bm", NULL,
	  { UP_TO_HOST, RECEIVE(LXC2, 64), FREE(LXC2, R_IP_INHDR, "ip_rcv_core+0x1/0x2") }, MOVED, 0, DROPPED, "Y-", NULL },
	{ "stopped in another pod without having come there: redirected to its peer", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, STOP(POD2), FREE(POD2, R_TC_INGRESS, CORE) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "the same behind a bridge", PEER_EGRESS, "I", "b", NULL,
	  { UP_TO_HOST, STOP(POD2) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "dropped in another pod without having come there", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(POD2, R_NO_SOCKET, "udp_rcv+0x1/0x2") }, MOVED, 0, DROPPED, "Y-", NULL },
	{ "dropped in wait for a neighbour, with its hops as they were", PEER_EGRESS, "I", "b", NULL,
	  { UP_TO_HOST, { FG_EVENT_FREE, LXC2, R_UNNAMED, 64, "neigh_invalidate+0x1/0x2" } }, MOVED, 0, DROPPED, "Y-", NULL },
	{ "the same of one that was routed", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_FREE, LXC2, R_UNNAMED, 63, "neigh_invalidate+0x1/0x2" } }, ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "routed on by another pod without having come there", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(POD2, 63), XMIT(POD2, 0) }, UNKNOWN, 0, UNCLEAR, "Y-", "in time" },
	{ "the first of two redirects", PEER_EGRESS, "II", "", "10",
	  { UP_TO_HOST, QUEUE(LXC2, 64), RECEIVE(POD2, 64), STOP(POD2) }, MOVED, 0, DELIVERED, "YcNc", NULL },
	{ "received in another pod at once: redirected to its peer", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, RECEIVE(POD2, 64), SOCKET(POD2) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "a redirect to a device that went away", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "skb_do_redirect+0x99/0x100") }, MOVED, 0, DROPPED, "Y-", NULL },
	/* --- a program takes a hop, as a router does: IP takes it from its socket, a redirect does not --- */
	{ "a hop less, and still its socket's: redirected", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, HELD(QUEUE, LXC2, 63, SEEN_OWNED), RECEIVE(POD2, 63), STOP(POD2) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "the same behind a bridge", PEER_EGRESS, "I", "bm", NULL,
	  { UP_TO_HOST, HELD(QUEUE, LXC2, 63, SEEN_OWNED), RECEIVE(POD2, 63), STOP(POD2) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "the same of a program that was seen to pass it", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), HELD(QUEUE, LXC2, 63, SEEN_OWNED), RECEIVE(POD2, 63), STOP(POD2) },
	  ALLOWED, 0, DELIVERED, "Yf", NULL },
	{ "a hop less, in wait for a neighbour: redirected", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_FREE, LXC2, R_UNNAMED, 63, "neigh_invalidate+0x1/0x2", SEEN_OWNED } }, MOVED, 0, DROPPED, "Y-", NULL },
	{ "a hop less, received elsewhere: redirected", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, HELD(RECEIVE, LXC2, 63, SEEN_OWNED), FREE(LXC2, R_IP_INHDR, "ip_rcv_core+0x1/0x2") }, MOVED, 0, DROPPED, "Y-", NULL },
	{ "it had no socket before: a redirect and a route look the same", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED), ROUTED_OUT },
	  UNKNOWN, 0, FORWARDED, "Y-", "from routing" },
	{ "the same, freed in wait for a neighbour", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED), { FG_EVENT_FREE, LXC2, R_UNNAMED, 63, "neigh_invalidate+0x1/0x2" } },
	  UNKNOWN, 0, DROPPED, "Y-", "from routing" },
	{ "the same, received elsewhere", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED), RECEIVE(LXC2, 63), FREE(LXC2, R_IP_INHDR, "ip_rcv_core+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "Y-", "from routing" },
	{ "it had no socket before, and the program was seen to pass it", PEER_EGRESS, "I*", "", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED), POLICY(PRIMARY, 1, 0), ROUTED_OUT },
	  ALLOWED, 0, FORWARDED, "Yf", NULL },
	{ "connection tracking has seen it on the way: routed", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED), HELD(QUEUE, HARDWARE, 63, TRACKED), XMIT(HARDWARE, 0) },
	  ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "it had seen it before: that says nothing", PEER_EGRESS, "I", "", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED | TRACKED), HELD(QUEUE, HARDWARE, 63, TRACKED), XMIT(HARDWARE, 0) },
	  UNKNOWN, 0, FORWARDED, "Y-", "from routing" },
	{ "a tc filter can ask it, too", PEER_EGRESS, "I", "o", NULL,
	  { INJECT, QUEUE(PEER, 64), HELD(RECEIVE, PRIMARY, 64, SEEN_UNOWNED), HELD(QUEUE, HARDWARE, 63, TRACKED), XMIT(HARDWARE, 0) },
	  UNKNOWN, 0, FORWARDED, "Y-", "from routing" },
	{ "routed, and a rule of the host gave the hop back", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, HELD(QUEUE, HARDWARE, 64, SEEN_UNOWNED), XMIT(HARDWARE, 0) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "without a program nothing can redirect", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) }, NOBODY, 0, FORWARDED, "", NULL },
	/* --- the receiving pod --- */
	{ "the receiver's host side denies, traced", PEER_EGRESS, "I*T*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), POLICY(LXC2, 2, 2), FREE(LXC2, R_TC_EGRESS, "__dev_queue_xmit+0x1/0x2") },
	  DENIED, 2, DROPPED, "YfYf", NULL },
	{ "the receiver's host side denies, not traced", PEER_EGRESS, "IT", "", NULL,
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, "__dev_queue_xmit+0x1/0x2") }, DENIED, 2, DROPPED, "Y-Yd", NULL },
	{ "one of two there, not traced", PEER_EGRESS, "TT", "", NULL,
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 0, DROPPED, "?-?-", "which program" },
	{ "one of two there, counted", PEER_EGRESS, "TT", "", "10",
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 1, DROPPED, "YcNc", NULL },
	{ "a traced one that stayed silent is not the denier", PEER_EGRESS, "T*", "", NULL,
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 0, DROPPED, "?-", "which program" },
	{ "a traced one of the sender's that stayed silent is not the denier", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "?-", "which program" },
	{ "only the receiver has a policy, and it allows", PEER_EGRESS, "T*", "", NULL,
	  { UP_TO_HOST, POLICY(LXC2, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) },
	  ALLOWED, 0, DELIVERED, "Yf", NULL },
	{ "both allow, not traced", PEER_EGRESS, "IT", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) }, ALLOWED, 0, DELIVERED, "Y-Y-", NULL },
	{ "the receiver's was traced and not seen, yet passed", PEER_EGRESS, "T*", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) }, UNKNOWN, 0, DELIVERED, "N-", "receiver" },
	{ "sent to the receiver's peer by the sender's program: its host side is bypassed", PEER_EGRESS, "I*T*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 7), STOP(POD2) }, MOVED, 0, DELIVERED, "YfN-", NULL },
	{ "netkit primary of the receiver denies, traced", PEER_EGRESS, "N*", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), POLICY(POD2, 1, 2), FREE(POD2, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "Yf", NULL },
	{ "netkit primary of the receiver denies, not traced", PEER_EGRESS, "KN", "n", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), FREE(POD2, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 2, DROPPED, "Y-Yd", NULL },
	{ "a program in the receiving pod: flowgen intercepts before it", PEER_EGRESS, "TP", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) }, ALLOWED, 0, DELIVERED, "Y-N-", NULL },
	{ "a program in the receiving pod denies what is delivered", PEER_EGRESS, "P*", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), POLICY(POD2, 1, 2), FREE(POD2, R_TC_INGRESS, CORE) },
	  DENIED, 1, DROPPED, "Yf", NULL },
	{ "native XDP in the receiving pod drops", PEER_EGRESS, "Y", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), FREE(POD2, R_NOT_SPECIFIED, "veth_xdp_rcv_skb+0x1/0x2") },
	  DENIED, 1, DROPPED, "Yd", NULL },
	{ "native XDP of the sender drops, and the receiver has one too", PEER_EGRESS, "XY", "x", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PRIMARY, R_NOT_SPECIFIED, "veth_xdp_rcv_skb+0x1/0x2") },
	  DENIED, 1, DROPPED, "YdN-", NULL },
	{ "native XDP of a third pod drops: not the receiver's", PEER_EGRESS, "IY", "", NULL,
	  { UP_TO_HOST, QUEUE(BRIDGE, 63), FREE(POD_OTHER, R_NOT_SPECIFIED, "veth_xdp_rcv_skb+0x1/0x2") },
	  DENIED, 0, DROPPED, "Y-N-", "which program" },
	{ "netkit primaries: another one's drop is not the receiver's", PEER_EGRESS, "KN", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PRIMARY, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") },
	  DENIED, 1, DROPPED, "YdN-", NULL },
	{ "a program counted where the packet did not come: it ran for others", PEER_EGRESS, "IT", "", "11",
	  { UP_TO_HOST, FREE(PRIMARY, R_IP_INHDR, "ip_rcv_core+0x1/0x2") }, ALLOWED, 0, DROPPED, "YcN-", NULL },
	{ "a program at a bridge on the way denies", PEER_EGRESS, "I*B*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), POLICY(BRIDGE, 2, 2), FREE(BRIDGE, R_TC_EGRESS, NULL) },
	  DENIED, 2, DROPPED, "YfYf", NULL },
	/* --- the node --- */
	{ "netfilter drops, and nothing else enforces", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, DENIED, 0, DROPPED, "", NULL },
	{ "netfilter stands there and lets it pass", PEER_EGRESS, "", "f", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) }, ALLOWED, 0, DELIVERED, "", NULL },
	{ "netfilter stands there, and a program's redirect bypasses it", PEER_EGRESS, "I*", "f", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 7), STOP(POD2) }, MOVED, 0, DELIVERED, "Yf", NULL },
	{ "nobody knows whether netfilter stands there", PEER_EGRESS, "", "F", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "", "netfilter" },
	{ "it came by a place that could not be listed", PEER_EGRESS, "", "u", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "", "listed" },
	{ "the same, where a policy let it pass", PEER_EGRESS, "I", "u", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "through another namespace: what enforces there is not known", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), QUEUE(POD2, 62), RECEIVE(LXC2, 62), QUEUE(HARDWARE, 61), XMIT(HARDWARE, 0) },
	  UNKNOWN, 0, FORWARDED, "", "namespace" },
	{ "sent on by the pod's netkit program, and delivered", PEER_EGRESS, "K*", "n", NULL,
	  { INJECT, QUEUE(PEER, 64), POLICY(PRIMARY, 1, 7), QUEUE(LXC2, 64), RECEIVE(POD2, 64), STOP(POD2) },
	  MOVED, 0, DELIVERED, "Yf", NULL },
	{ "user space refuses it", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nfqnl_reinject+0x1/0x2") }, DENIED, 0, DROPPED, "Y-", NULL },
	{ "no route: nobody denied it, and it did not arrive", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "ip_error+0x1/0x2") }, NOBODY, 0, DROPPED, "", NULL },
	{ "freed at a place that says nothing", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, RECEIVE(BRIDGE, 63), FREE(BRIDGE, R_NOT_SPECIFIED, "somewhere_new+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "", "what dropped it" },
	{ "a program sends a copy on, and drops the packet itself", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, CLONE(FG_EVENT_QUEUE, LXC2), CLONE(FG_EVENT_STOP, POD2), POLICY(PRIMARY, 1, 2),
	    FREE(PRIMARY, R_TC_INGRESS, CORE) }, MOVED, 0, DELIVERED, "Yf", "copy" },
	{ "a mirrored copy that leaves the host is not the packet", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, CLONE(FG_EVENT_QUEUE, DUMMY), CLONE(FG_EVENT_XMIT, DUMMY), POLICY(PRIMARY, 1, 2),
	    FREE(PRIMARY, R_TC_INGRESS, CORE) }, UNKNOWN, 0, DROPPED, "Yf", "copy" },
	{ "a copy arrived, and netfilter drops the packet: who sent the copy is not known", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), CLONE(FG_EVENT_QUEUE, LXC2), CLONE(FG_EVENT_STOP, POD2),
	    FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, UNKNOWN, 0, UNCLEAR, "Yf", "copy" },
	{ "a socket's filter: an application's, or a cgroup's", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_SOCKET_FILTER, "udp_queue_rcv_one_skb+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "Y-", "filter" },
	{ "a security module", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_SECURITY_HOOK, "udp_queue_rcv_one_skb+0x1/0x2") },
	  DENIED, 0, DROPPED, "Y-", NULL },
	{ "no socket", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NO_SOCKET, "__udp4_lib_rcv+0x1/0x2") },
	  ALLOWED, 0, DROPPED, "Yf", NULL },
	{ "no socket, but programs choose sockets there", PEER_EGRESS, "I*", "k", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NO_SOCKET, "__udp4_lib_rcv+0x1/0x2") },
	  UNKNOWN, 0, DROPPED, "Yf", "sk_lookup" },
	{ "programs choose sockets of the host, not there", PEER_EGRESS, "I*", "K", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NO_SOCKET, "__udp4_lib_rcv+0x1/0x2") },
	  ALLOWED, 0, DROPPED, "Yf", NULL },
	{ "a socket was chosen: not the one that it was for", PEER_EGRESS, "I*", "k", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), { FG_EVENT_SOCKET, POD2, FG_SOCKET_OTHER } },
	  MOVED, 0, DELIVERED, "Yf", NULL },
	{ "a socket was chosen, the one that it was for", PEER_EGRESS, "I*", "k", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), SOCKET(POD2) },
	  ALLOWED, 0, DELIVERED, "Yf", NULL },
	{ "another socket, without programs that choose: a proxy", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), RECEIVE(POD2, 63), { FG_EVENT_SOCKET, POD2, FG_SOCKET_OTHER } },
	  ALLOWED, 0, DELIVERED, "Yf", NULL },
	{ "all programs were seen to let it pass: none of them redirected it", PEER_EGRESS, "I*", "bm", NULL,
	  { INJECT, QUEUE(PEER, 64), FROM(RECEIVE, PRIMARY, 64, 0x1111), POLICY(PRIMARY, 1, 0), FROM(QUEUE, LXC2, 64, 0x2222),
	    RECEIVE(POD2, 64), STOP(POD2) }, ALLOWED, 0, DELIVERED, "Yf", NULL },
	{ "nobody answers for the next hop: who is waited for is known at once", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_CONSUME, LXC2, 0, 63, "__neigh_event_send+0x1/0x2", FG_EVENT_F_CLONE } },
	  UNKNOWN, 0, UNCLEAR, "?-", "neighbour" },
	/* --- other parts of the node --- */
	{ "IPVS drops: nothing else can", PEER_EGRESS, "", "v", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, NOBODY, 0, DROPPED, "", NULL },
	{ "IPVS or a chain", PEER_EGRESS, "", "V", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, UNKNOWN, 0, DROPPED, "", "IPVS" },
	{ "not IPVS, but a rule", PEER_EGRESS, "", "Vr", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, DENIED, 0, DROPPED, "", NULL },
	{ "IPVS, and no rule", PEER_EGRESS, "", "VR", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, NOBODY, 0, DROPPED, "", NULL },
	{ "netfilter in the receiving pod is not IPVS", PEER_EGRESS, "", "v", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") },
	  DENIED, 0, DROPPED, "", NULL },
	{ "no rule, and no service: something of netfilter all the same", PEER_EGRESS, "", "R", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") }, DENIED, 0, DROPPED, "", NULL },
	{ "refused by user space", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "nfqnl_reinject+0x1/0x2") }, DENIED, 0, DROPPED, "Y-", NULL },
	{ "IPv6 forwarding drops without a reason", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "ip6_forward+0x1/0x2") }, NOBODY, 0, DROPPED, "", NULL },
	{ "the same, with IPsec policies: it may be one of these", PEER_EGRESS, "", "p", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "ip6_forward+0x1/0x2") }, UNKNOWN, 0, DROPPED, "", "what dropped it" },
	{ "the trail is lost where IPsec encrypts", PEER_EGRESS, "", "P", NULL,
	  { UP_TO_HOST, LOST }, UNKNOWN, 0, UNCLEAR, "", "IPsec" },
	{ "a program of the route drops", PEER_EGRESS, "I", "t", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "run_lwt_bpf.isra.0+0x1/0x2") }, DENIED, 0, DROPPED, "Y-", "which program" },
	{ "a program of the route lets pass", PEER_EGRESS, "", "t", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "", "encap bpf" },
	{ "Open vSwitch asks its daemon, which sends it on", PEER_EGRESS, "", "w", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "ovs_dp_process_packet+0x1/0x2"),
	    { FG_EVENT_QUEUE, LXC2, 0, 64, NULL, FG_EVENT_F_AGAIN }, RECEIVE(POD2, 64), STOP(POD2) },
	  NOBODY, 0, DELIVERED, "", NULL },
	{ "Open vSwitch asks its daemon, and nothing more is seen", PEER_EGRESS, "", "w", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "ovs_dp_process_packet+0x1/0x2") }, UNKNOWN, 0, UNCLEAR, "", "Open vSwitch consumed" },
	{ "translated on a bridge, which sends it to itself: not known to be redirected", PEER_EGRESS, "I", "b", NULL,
	  { INJECT, QUEUE(PEER, 64), FROM(RECEIVE, PRIMARY, 64, 0x1111), { FG_EVENT_FLOW, BRIDGE },
	    FROM(QUEUE, BRIDGE, 64, 0x2222), QUEUE(LXC2, 64), RECEIVE(POD2, 64), STOP(POD2) },
	  UNKNOWN, 0, DELIVERED, "Y-", "from bridging" },
	/* --- ends --- */
	{ "consumed by hardware", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 63), CONSUME(HARDWARE, NULL) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "consumed by dummy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(DUMMY, 63), CONSUME(DUMMY, NULL) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "freed by dummy, not as a drop", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(DUMMY, 63), FREE(DUMMY, R_CONSUMED, NULL) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "consumed in a bridge is no exit", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(BRIDGE, 63), CONSUME(BRIDGE, NULL) }, UNKNOWN, 0, UNCLEAR, "Y-", "forwards it" },
	{ "handed to a bridge is no exit", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(BRIDGE, 63), XMIT(BRIDGE, 0) }, UNKNOWN, 0, UNCLEAR, "Y-", "in time" },
	{ "consumed in a veth: lost", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), CONSUME(LXC2, "skb_pp_cow_data+0x1/0x2") }, UNKNOWN, 0, UNCLEAR, "Y-", "forwards it" },
	{ "hardware refused it", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 63), XMIT(HARDWARE, 16) }, UNKNOWN, 0, UNCLEAR, "Y-", "in time" },
	{ "given to a socket", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, SOCKET(PRIMARY) }, ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "given to a socket, read later", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, SOCKET(PRIMARY), CONSUME(NOWHERE, NULL) }, ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "given to a socket, read and freed in silence: its memory is used again", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, SOCKET(PRIMARY), LOST }, ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "given to a socket whose buffer was full", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, SOCKET(PRIMARY), FREE(NOWHERE, R_NO_SOCKET, "udp_queue_rcv_one_skb+0x1/0x2") },
	  ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "stopped before the other pod's stack", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2), FREE(POD2, R_TC_INGRESS, CORE) },
	  ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "echo request for the host itself", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "icmp_rcv+0x1/0x2") }, ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "consumed on the host, by what is not known", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, NULL) }, UNKNOWN, 0, UNCLEAR, "?-", "what consumed it" },
	{ "copied in forwarding is not delivered", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "skb_expand_head+0x1/0x2") }, UNKNOWN, 0, UNCLEAR, "?-", "trail is lost" },
	{ "dropped far away is behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NO_SOCKET, "udp_rcv+0x1/0x2") },
	  ALLOWED, 0, DROPPED, "Y-", NULL },
	/* --- what is beside the packet --- */
	{ "netkit primary of the receiver lets it pass: it is seen at the other end", PEER_EGRESS, "N", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) }, ALLOWED, 0, DELIVERED, "Y-", NULL },
	{ "netkit primary of the receiver, and not seen at the other end: it may have been its doing", PEER_EGRESS, "N", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63) }, UNKNOWN, 0, UNCLEAR, "?-", "in time" },
	{ "at the receiver, counts ?,1,0: the second, whatever the first did", PEER_EGRESS, "TTT", "", "?10",
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 2, DROPPED, "?-YcNc", NULL },
	{ "at the receiver, counts 1,?,0: the second may have been it", PEER_EGRESS, "TTT", "", "1?0",
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 0, DROPPED, "Yc?-Nc", "which program" },
	{ "at the receiver, counts ?,1: the second", PEER_EGRESS, "TT", "", "?1",
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 2, DROPPED, "?-Yc", NULL },
	{ "at the receiver, counts ?,0: the first may have been it", PEER_EGRESS, "TT", "", "?0",
	  { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) }, DENIED, 0, DROPPED, "?-Nc", "which program" },
	{ "a copy that a tap took: nobody waits for a neighbour", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_CONSUME, LXC2, 0, 63, "packet_rcv+0x1/0x2", FG_EVENT_F_CLONE } },
	  UNKNOWN, 0, UNCLEAR, "?-", "in time" },
	{ "the packet itself is freed where others ask for a neighbour: it is over", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), { FG_EVENT_FREE, LXC2, R_NEIGH_FAILED, 63, "__neigh_event_send+0x1/0x2" } },
	  ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "a copy of a piece that arrives is not a copy of the packet", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_STOP, POD2, 0, 0, NULL, FG_EVENT_F_CLONE | FG_EVENT_F_PIECE }, POLICY(PRIMARY, 1, 2),
	    FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "Yf", NULL },
	{ "a copy of a reply that arrives is not one either", PEER_EGRESS, "I*", "", NULL,
	  { UP_TO_HOST, { FG_EVENT_STOP, POD2, 0, 0, NULL, FG_EVENT_F_CLONE | FG_EVENT_F_REPLY }, POLICY(PRIMARY, 1, 2),
	    FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "Yf", NULL },
	{ "counts 1 of all but the last, which cannot be read", PEER_EGRESS, "III", "", "11?",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "YcYc?-", "which program" },
};
/* clang-format on */

static void fill_runs(struct fg_trace *trace, const char *runs)
{
	static struct fg_trace_runs counted[FG_LADDER_MAX];

	trace->runs = runs ? counted : NULL;
	for (size_t i = 0; runs && runs[i]; i++)
		counted[i] = (struct fg_trace_runs){
			.times = runs[i] == '?' ? FG_RUNS_UNKNOWN : (uint32_t)(runs[i] - '0'),
			.ns = 250,
		};
}

static void steps_text(const struct fg_result *result, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++) {
		*out++ = "?NY"[result->steps[i].ran];
		*out++ = "-cdfr"[result->steps[i].evidence];
	}
	*out = '\0';
}

/* As many programs as there is room for, the last one of which denied it; one more is too many. */
static void test_longest_ladder(void **state)
{
	static const struct seen seen[] = { UP_TO_HOST, QUEUE(LXC2, 63),
					    FREE(LXC2, R_TC_EGRESS, NULL) };
	char letters[FG_LADDER_MAX + 2] = "";

	(void)state;
	for (size_t count = FG_LADDER_MAX - 1; count <= FG_LADDER_MAX + 1; count++) {
		bool fits = count <= FG_LADDER_MAX;
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		memset(letters, 'I', count - 1);
		letters[count - 1] = 'T';
		traces_ladder(&ladder, letters);
		context = traces_make(&ladder, PEER_EGRESS);
		for (size_t i = 0; i < COUNT(seen); i++)
			traces_see(&probe.trace, &seen[i]);
		traces_judge(&context, &probe);
		assert_int_equal(probe.result.verdict, fits ? DENIED : UNKNOWN);
		assert_int_equal(probe.result.denied_by, fits ? (int)count - 1 : -1);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* Native XDP of the receiver takes the packet's place: consumed on its way there, it is not over.
 */
static void test_ending_before_the_receivers_xdp(void **state)
{
	static const struct seen up[] = { UP_TO_HOST }, there = QUEUE(LXC2, 63);
	const struct fg_event taken = { .kind = FG_EVENT_CONSUME,
					.netns = NS_HOST,
					.ifindex = (uint32_t)trace_devices[LXC2].ifindex };
	struct fg_trace trace = {};
	struct fg_ladder ladder;
	struct fg_context context;

	(void)state;
	traces_ladder(&ladder, "IY");
	context = traces_make(&ladder, PEER_EGRESS);
	context.far.xdp_copies = true;
	for (size_t i = 0; i < COUNT(up); i++)
		traces_see(&trace, &up[i]);
	assert_int_equal(fg_judge_ending(&context, &trace, &taken), FG_ENDING_FINAL);
	traces_see(&trace, &there);
	assert_int_equal(fg_judge_ending(&context, &trace, &taken), FG_ENDING_NONE);
	/* Without XDP there nothing takes its place. */
	context.far.xdp_copies = false;
	assert_int_equal(fg_judge_ending(&context, &trace, &taken), FG_ENDING_FINAL);
	context.xdp_copies = true;
	assert_int_equal(fg_judge_ending(&context, &trace, &taken), FG_ENDING_FINAL);
	fg_trace_free(&trace);
	fg_ladder_free(&ladder);
}

static void check_answer(const struct trial *t, const struct fg_probe *probe, size_t programs)
{
	const struct fg_result *r = &probe->result;
	char steps[2 * FG_LADDER_MAX + 1];

	steps_text(r, programs, steps);
	if (r->verdict != t->verdict || r->denied_by != t->denied_by - 1 ||
	    r->outcome != t->outcome || strcmp(steps, t->steps) != 0 ||
	    (t->reason ? !r->reason || !strstr(r->reason, t->reason) : r->reason != NULL))
		fail_msg("%s: %s by %d, %s, steps \"%s\", reason \"%s\"", t->what,
			 fg_verdict_name(r->verdict), r->denied_by + 1, fg_outcome_name(r->outcome),
			 steps, r->reason ? r->reason : "");
}

/* UDP to port 53. */
static uint8_t to_service[] = {
	[12] = 0x08, [14] = 0x45, [17] = 28, [23] = IPPROTO_UDP, [37] = 53, [41] = 0
};

static void add_surroundings(const struct trial *t, struct fg_context *context,
			     struct fg_probe *probe)
{
	static const struct fg_service_port service = { IPPROTO_UDP, 53 };

	context->ipsec_forwarded = strchr(t->flags, 'p');
	context->ipsec_sent = strchr(t->flags, 'P');
	context->ovs = strchr(t->flags, 'w');
	context->route_program = strchr(t->flags, 't');
	context->only_ipvs = strchr(t->flags, 'v');
	if (context->only_ipvs || strchr(t->flags, 'V')) {
		context->services = &service;
		context->service_count = 1;
		probe->frame.data = to_service;
		probe->frame.len = sizeof(to_service);
	}
	probe->trace.rule = strchr(t->flags, 'r')   ? FG_PRESENCE_YES
			    : strchr(t->flags, 'R') ? FG_PRESENCE_NO
						    : FG_PRESENCE_UNKNOWN;
}

static void prepare(const struct trial *t, struct fg_ladder *ladder, struct fg_context *context,
		    struct fg_probe *probe)
{
	traces_ladder(ladder, t->ladder);
	ladder->other_filters = strchr(t->flags, 'o');
	ladder->pod_filters = strchr(t->flags, 'O');
	*context = traces_make(ladder, t->method);
	context->netkit = strchr(t->flags, 'n');
	context->from_uplink = strchr(t->flags, 'U');
	context->bridged = strchr(t->flags, 'b');
	context->chosen_here = strchr(t->flags, 'K');
	context->chosen_to = strchr(t->flags, 'k');
	if (context->chosen_to)
		context->far.netns = trace_devices[POD2].netns;
	context->notes_redirects = strchr(t->flags, 'm');
	context->xdp_copies = strchr(t->flags, 'x');
	if (strchr(t->flags, 'i'))
		context->netfilter_local = FG_PRESENCE_YES;
	context->unlisted = strchr(t->flags, 'u');
	context->netfilter = strchr(t->flags, 'f')   ? FG_PRESENCE_YES
			     : strchr(t->flags, 'F') ? FG_PRESENCE_UNKNOWN
						     : FG_PRESENCE_NO;
	*probe = (struct fg_probe){};
	probe->trace.changed = strchr(t->flags, 'c');
	probe->trace.lost = strchr(t->flags, 'l') ? 3 : 0;
	probe->trace.strays = strchr(t->flags, 's') ? 1 : 0;
	add_surroundings(t, context, probe);
	fill_runs(&probe->trace, t->runs);
	for (size_t i = 0; i < SEEN_MAX && t->seen[i].kind; i++)
		traces_see(&probe->trace, &t->seen[i]);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(trials); i++) {
		struct fg_ladder ladder;
		struct fg_context context;
		struct fg_probe probe;

		prepare(&trials[i], &ladder, &context, &probe);
		traces_judge(&context, &probe);
		check_answer(&trials[i], &probe, ladder.count);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* --- all that follows from each trace, as tests/unit/judge/answers.txt has it --- */

#define ANSWERS FLOWGEN_SOURCE_DIR "/tests/unit/judge/answers.txt"

static int index_in(const struct fg_trace *trace, const struct fg_observation *o)
{
	return o ? (int)(o - trace->list) : -1;
}

/* What each event would mean if it came last: it goes on, is over, or is over unless more comes. */
static void put_endings(FILE *out, const struct fg_context *context, struct fg_trace *trace)
{
	uint32_t count = trace->count;

	fputs(", endings ", out);
	for (trace->count = 0; trace->count < count; trace->count++)
		fputc("-sf"[fg_judge_ending(context, trace, &trace->list[trace->count].event)],
		      out);
}

static void put_decisions(FILE *out, const struct fg_context *context, const struct fg_result *r)
{
	struct fg_decision list[FG_DECISIONS_MAX];
	struct fg_gap gaps[FG_GAPS_MAX];
	size_t count = fg_decisions_list(context, r, list);

	for (size_t i = 0; i < count; i++) {
		const struct fg_decision *d = &list[i];
		const char *word = fg_decision_word(d->decided);

		fprintf(out, "\n    %s %s %zu", fg_stage_name(d->stage), fg_kind_name(d->kind),
			d->index);
		fprintf(out, " %s:%d %c%c %s%s%s", d->program ? d->program->device : "", d->ifindex,
			"?NY"[d->met], "-cdfr"[d->evidence], word ? word : "?",
			d->end ? ", the end" : "", d->intercepted ? ", intercepted" : "");
	}
	fprintf(out, "\n    gaps");
	fg_gaps_list(context, r, gaps);
	for (size_t i = 0; gaps[i].word; i++)
		fprintf(out, " %s", gaps[i].word);
}

static void put_answer(FILE *out, const struct trial *t, const struct fg_context *context,
		       struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	const char *kind = fg_kind_name(r->decider.kind);

	fprintf(out, "%s\n    %s %s", t->what, fg_verdict_name(r->verdict),
		fg_outcome_name(r->outcome));
	for (int s = 0; s < FG_STAGES; s++)
		fprintf(out, ", %s%s %s", fg_stage_name((enum fg_stage)s),
			r->stages[s].reached ? "" : " not reached",
			fg_verdict_name(r->stages[s].verdict));
	fprintf(out, ", by %s in %s at %d, filter %d, candidates %llx", kind ? kind : "nobody",
		fg_stage_name(r->decider.stage), index_in(&probe->trace, r->decider.at),
		r->filter_by, (unsigned long long)r->candidates);
	fprintf(out, ", redirected by %d to %d", r->redirected_by,
		index_in(&probe->trace, r->redirected_to));
	fprintf(out, ", end %d%s%s %u, netfilter %d%d%d%d", index_in(&probe->trace, r->end),
		r->stopped ? " stopped" : "", r->dropped ? " dropped" : "", r->drop_code,
		r->enforced, r->own_netfilter[0] == FG_PRESENCE_YES,
		r->own_netfilter[1] == FG_PRESENCE_YES, r->own_netfilter[2] == FG_PRESENCE_YES);
	fprintf(out, ", arrived %d %d", fg_probe_arrived(r), fg_probe_was_steered(r));
	put_endings(out, context, &probe->trace);
	put_decisions(out, context, r);
	fputc('\n', out);
}

static void put_answers(FILE *out)
{
	for (size_t i = 0; i < COUNT(trials); i++) {
		struct fg_ladder ladder;
		struct fg_context context;
		struct fg_probe probe;

		prepare(&trials[i], &ladder, &context, &probe);
		traces_judge(&context, &probe);
		put_answer(out, &trials[i], &context, &probe);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

static void test_answers(void **state)
{
	char *text = NULL, is[1000], should[1000], what[200] = "";
	size_t size;
	FILE *out = open_memstream(&text, &size), *golden = fopen(ANSWERS, "re"), *in;

	(void)state;
	assert_non_null(out);
	assert_non_null(golden);
	put_answers(out);
	fclose(out);
	in = fmemopen(text, size, "r");
	while (fgets(is, sizeof(is), in)) {
		if (is[0] != ' ')
			snprintf(what, sizeof(what), "%s", is);
		if (!fgets(should, sizeof(should), golden) || strcmp(is, should) != 0)
			fail_msg("%sis:\n%sshould be:\n%s(if that is right: %s)", what, is, should,
				 "build/tests/unit/judge/test_judge --write");
	}
	assert_null(fgets(should, sizeof(should), golden));
	fclose(in);
	fclose(golden);
	free(text);
}

static int write_answers(void)
{
	FILE *out = fopen(ANSWERS, "we");

	if (!out)
		return 1;
	put_answers(out);
	return fclose(out) != 0;
}

/* What the table does not hold: values, and where the end was. */
static void test_details(void **state)
{
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_probe probe;
	static const struct trial t = { "",    PEER_EGRESS,
					"III", "",
					"110", { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } };

	(void)state;
	prepare(&t, &ladder, &context, &probe);
	traces_judge(&context, &probe);
	/* A value that nobody saw is not made up. */
	assert_false(probe.result.steps[0].has_retval);
	assert_false(probe.result.steps[1].has_retval);
	assert_true(probe.result.steps[1].has_duration);
	assert_int_equal(probe.result.steps[1].duration_ns, 250);
	assert_false(probe.result.steps[2].has_retval);
	assert_false(probe.result.steps[2].has_duration);
	assert_true(probe.result.dropped);
	assert_int_equal(probe.result.drop_code, R_TC_INGRESS);
	assert_ptr_equal(probe.result.end, &probe.trace.list[3]);
	fg_trace_free(&probe.trace);
	fg_ladder_free(&ladder);
}

/* Which program sent it on, and where it came to first. */
static void test_redirects(void **state)
{
	/* clang-format off */
	static const struct {
		struct trial t;
		int by, to; /* in the ladder, and in the trace; -1: not known */
	} moves[] = {
		{ { "traced", PEER_EGRESS, "I*I*", "", NULL, { UP_TO_HOST, POLICY(PRIMARY, 1, -1), POLICY(PRIMARY, 2, 7), QUEUE(LXC2, 64) } }, 1, 5 },
		{ { "counted", PEER_EGRESS, "III", "", "110", { UP_TO_HOST, QUEUE(LXC2, 64) } }, 1, 3 },
		{ { "the only one", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST, QUEUE(LXC2, 64) } }, 0, 3 },
		{ { "netkit, failed: it came nowhere", PEER_EGRESS, "K*K*", "n", NULL,
		    { INJECT, QUEUE(PEER, 64), POLICY(PRIMARY, 1, 7), FREE(PRIMARY, R_NOT_SPECIFIED, "skb_do_redirect+0x1/0x2") } }, 0, -1 },
		{ { "one of two", PEER_EGRESS, "II", "", NULL, { UP_TO_HOST, QUEUE(LXC2, 64) } }, -1, 3 },
		{ { "the one that is not traced", PEER_EGRESS, "I*I", "", NULL, { UP_TO_HOST, POLICY(PRIMARY, 1, -1), QUEUE(LXC2, 64) } }, 1, 4 },
		{ { "or a filter of another kind", PEER_EGRESS, "I", "o", NULL, { UP_TO_HOST, QUEUE(LXC2, 64) } }, -1, 3 },
		{ { "to the peer", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST, STOP(POD2), FREE(POD2, R_TC_INGRESS, CORE) } }, 0, 3 },
		{ { "by the wire", PEER_EGRESS, "K*I", "n", NULL, { INJECT, QUEUE(PEER, 64), POLICY(PRIMARY, 1, 7), QUEUE(LXC2, 64) } }, 0, 3 },
		{ { "nowhere", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "skb_do_redirect+0x9/0x10") } }, 0, -1 },
		{ { "back", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST, QUEUE(PRIMARY, 64) } }, 0, 3 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(moves); i++) {
		struct fg_ladder ladder;
		struct fg_context context;
		struct fg_probe probe;
		const struct fg_result *r = &probe.result;
		int to;

		prepare(&moves[i].t, &ladder, &context, &probe);
		traces_judge(&context, &probe);
		to = r->redirected_to ? (int)(r->redirected_to - probe.trace.list) : -1;
		if (r->stages[FG_STAGE_EGRESS].verdict != MOVED ||
		    r->redirected_by != moves[i].by || to != moves[i].to)
			fail_msg("%s: %s by %d to %d", moves[i].t.what, fg_verdict_name(r->verdict),
				 r->redirected_by, to);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* The verdict of each stage, and what ended the packet, in which stage. */
static void test_stages(void **state)
{
	/* clang-format off */
	static const struct {
		struct trial t;
		/* a letter for egress, node, ingress: allowed, denied, redirected, none, unknown; - not reached */
		const char *stages;
		enum fg_stage stage;
		enum fg_kind kind;
	} rows[] = {
		{ { "the counter of a program on many pods moved at the receiver too", HOST_INGRESS, "IT", "", "11",
		    { INJECT, RECEIVE(PRIMARY, 64), FREE(PRIMARY, R_TC_INGRESS, CORE) } }, "d--", FG_STAGE_EGRESS, FG_KIND_BPF },
		{ { "it came there, and the counter is its own", HOST_INGRESS, "IT", "", "11",
		    { INJECT, RECEIVE(PRIMARY, 64), FREE(LXC2, R_TC_EGRESS, NULL) } }, "and", FG_STAGE_INGRESS, FG_KIND_BPF },
		{ { "tc kept it, and only one stands there", PEER_EGRESS, "i", "", NULL,
		    { UP_TO_HOST, CONSUME(PRIMARY, CORE) } }, "d--", FG_STAGE_EGRESS, FG_KIND_BPF },
		{ { "consumed by what uses packets: not kept", PEER_EGRESS, "i", "", NULL,
		    { UP_TO_HOST, CONSUME(PRIMARY, "skb_expand_head+0x1/0x2") } }, "u--", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "a redirect that failed is no part of the node", PEER_EGRESS, "I*", "", NULL,
		    { UP_TO_HOST, POLICY(PRIMARY, 1, 7), FREE(PRIMARY, R_NOT_SPECIFIED, "skb_do_redirect+0x1/0x2") } },
		  "r--", FG_STAGE_EGRESS, FG_KIND_DEVICE },
		{ { "XDP in the receiver's driver, traced", PEER_EGRESS, "Y*", "", NULL,
		    { UP_TO_HOST, QUEUE(LXC2, 63), POLICY(POD2, 1, 1), CONSUME(LXC2, "skb_pp_cow_data+0x1/0x2") } },
		  "nnd", FG_STAGE_INGRESS, FG_KIND_BPF },
		{ { "XDP in the receiver's driver, counted: it may be another packet", PEER_EGRESS, "Y", "", "1",
		    { UP_TO_HOST, QUEUE(LXC2, 63), CONSUME(LXC2, "skb_pp_cow_data+0x1/0x2") } },
		  "nnu", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "netkit drops in another namespace, at a device of the same number", PEER_EGRESS, "K", "n", NULL,
		    { INJECT, QUEUE(PEER, 64), FREE(POD2, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") } },
		  "d--", FG_STAGE_EGRESS, FG_KIND_BPF },
		{ { "netkit drops on the device that it was queued on: that is down", PEER_EGRESS, "K", "n", NULL,
		    { INJECT, QUEUE(PEER, 64), FREE(PEER, R_NOT_SPECIFIED, "netkit_xmit+0x1/0x2") } },
		  "u--", FG_STAGE_EGRESS, FG_KIND_DEVICE },
		{ { "freed without a device: where it was last", PEER_EGRESS, "", "", NULL,
		    { UP_TO_HOST, RECEIVE(BRIDGE, 64), FREE(NOWHERE, R_IP_INNOROUTES, NULL) } },
		  "nn-", FG_STAGE_NODE, FG_KIND_ROUTE },
		{ { "a blackhole for IPv6", PEER_EGRESS, "", "", NULL,
		    { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "dst_discard_out+0x1/0x2") } },
		  "nn-", FG_STAGE_NODE, FG_KIND_ROUTE },
		{ { "an uplink's program is the node's", HOST_INGRESS, "I*", "U", NULL,
		    { INJECT, RECEIVE(PRIMARY, 64), POLICY(PRIMARY, 1, 2), FREE(PRIMARY, R_TC_INGRESS, CORE) } },
		  "-d-", FG_STAGE_NODE, FG_KIND_BPF },
		{ { "what it lets pass, netfilter drops", HOST_INGRESS, "I*", "Uf", NULL,
		    { INJECT, RECEIVE(PRIMARY, 64), POLICY(PRIMARY, 1, 0), FREE(PRIMARY, R_NETFILTER_DROP, "nft_do_chain+0x1/0x2") } },
		  "-d-", FG_STAGE_NODE, FG_KIND_NETFILTER },
		{ { "what it lets pass, it lets pass for the node", HOST_INGRESS, "I*", "U", NULL,
		    { INJECT, RECEIVE(PRIMARY, 64), POLICY(PRIMARY, 1, 0), QUEUE(LXC2, 63), STOP(POD2) } },
		  "-an", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "an uplink's program redirects", HOST_INGRESS, "I*", "U", NULL,
		    { INJECT, RECEIVE(PRIMARY, 64), POLICY(PRIMARY, 1, 7), QUEUE(LXC2, 64), STOP(POD2) } },
		  "-rn", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "XDP of the uplink, which flowgen ran, denies", HOST_INGRESS, "XI", "U", NULL,
		    { INJECT, { FG_EVENT_POLICY, PRIMARY, 1, FIRST_ID, NULL, FG_EVENT_F_RUN }, FREE(PRIMARY, R_XDP, NULL) } },
		  "-d-", FG_STAGE_NODE, FG_KIND_BPF },
		{ { "XDP of the uplink that nobody ran", HOST_INGRESS, "X", "U", NULL,
		    { INJECT, RECEIVE(PRIMARY, 64), QUEUE(LXC2, 63), STOP(POD2) } },
		  "-un", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "XDP of the uplink sends it back", HOST_INGRESS, "X", "U", NULL,
		    { INJECT, { FG_EVENT_POLICY, PRIMARY, 3, FIRST_ID, NULL, FG_EVENT_F_RUN }, STOP(PRIMARY) } },
		  "-rn", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "back out by the uplink", HOST_INGRESS, "", "U", NULL,
		    { INJECT, RECEIVE(PRIMARY, 64), QUEUE(PRIMARY, 63), STOP(PRIMARY), FREE(PRIMARY, R_TC_EGRESS, NULL) } },
		  "-nn", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "to the host itself: its forward chains were not met", PEER_EGRESS, "", "f", NULL,
		    { UP_TO_HOST, SOCKET(PRIMARY) } }, "nnn", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "to the host itself, by input", PEER_EGRESS, "", "i", NULL,
		    { UP_TO_HOST, SOCKET(PRIMARY) } }, "nan", FG_STAGE_EGRESS, FG_KIND_NONE },
		{ { "through the host: input was not met", PEER_EGRESS, "", "i", NULL,
		    { UP_TO_HOST, ROUTED_OUT } }, "nnn", FG_STAGE_EGRESS, FG_KIND_NONE },
	};
	/* clang-format on */
	static const char letters[] = {
		[ALLOWED] = 'a', [DENIED] = 'd', [MOVED] = 'r', [UNKNOWN] = 'u', [NOBODY] = 'n'
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_context context;
		struct fg_ladder ladder;
		struct fg_probe probe;
		char got[FG_STAGES + 1] = {};

		prepare(&rows[i].t, &ladder, &context, &probe);
		traces_judge(&context, &probe);
		for (int s = 0; s < FG_STAGES; s++)
			got[s] = !probe.result.stages[s].reached
					 ? '-'
					 : letters[probe.result.stages[s].verdict];
		if (strcmp(got, rows[i].stages) || probe.result.decider.kind != rows[i].kind ||
		    (rows[i].kind && probe.result.decider.stage != rows[i].stage))
			fail_msg("%s: %s, ended by kind %d in stage %d", rows[i].t.what, got,
				 probe.result.decider.kind, probe.result.decider.stage);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* Who may have dropped it, if it is not known who did: a bit for each program. */
static void test_candidates(void **state)
{
	/* clang-format off */
	static const struct {
		struct trial t;
		uint64_t candidates;
	} rows[] = {
		{ { "two at the sender", PEER_EGRESS, "III", "", "1?0", { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } }, 0x3 },
		{ { "all at the sender", PEER_EGRESS, "IIT", "", NULL, { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } }, 0x3 },
		{ { "two at the receiver", PEER_EGRESS, "TTT", "", "1?0", { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) } }, 0x3 },
		{ { "all at the receiver", PEER_EGRESS, "ITT", "", NULL, { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) } }, 0x6 },
		{ { "the traced one stayed silent", PEER_EGRESS, "T*TT", "", NULL, { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) } }, 0x6 },
		{ { "it is known", PEER_EGRESS, "T", "", NULL, { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) } }, 0 },
		{ { "it is known at the sender", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } }, 0 },
		{ { "nothing is known", PEER_EGRESS, "II", "l", NULL, { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } }, 0 },
		{ { "it was not dropped", PEER_EGRESS, "IITT", "", NULL, { UP_TO_HOST, QUEUE(LXC2, 63), STOP(POD2) } }, 0 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_context context;
		struct fg_ladder ladder;
		struct fg_probe probe;

		prepare(&rows[i].t, &ladder, &context, &probe);
		traces_judge(&context, &probe);
		if (probe.result.candidates != rows[i].candidates ||
		    (rows[i].candidates && probe.result.denied_by >= 0))
			fail_msg("%s: %#lx, denied by %d", rows[i].t.what,
				 (unsigned long)probe.result.candidates, probe.result.denied_by);
		/* What may have been another packet's end is not told as this one's. */
		if (probe.trace.lost && (probe.result.dropped || probe.result.drop_code))
			fail_msg("%s: dropped, %u", rows[i].t.what, probe.result.drop_code);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* A filter that is no program and can drop enforces policy: what passed it was allowed there. */
static void test_filters(void **state)
{
	static const struct {
		const char *what;
		enum fg_stage stage;
		bool may_drop;
		uint32_t parent;
		bool comes_there;
		enum fg_verdict ingress;
	} rows[] = {
		{ "it can drop", FG_STAGE_INGRESS, true, 0, true, ALLOWED },
		{ "it cannot", FG_STAGE_INGRESS, false, 0, true, NOBODY },
		{ "it is one of a queueing discipline", FG_STAGE_INGRESS, true, 1 << 16, true,
		  NOBODY },
		{ "it is of another stage", FG_STAGE_EGRESS, true, 0, true, NOBODY },
		{ "the packet did not come there", FG_STAGE_INGRESS, true, 0, false, NOBODY },
	};
	static const struct seen up[] = { UP_TO_HOST },
				 there[] = { QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) },
				 elsewhere[] = { ROUTED_OUT };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_program filter = { .stage = rows[i].stage,
					     .hook = FG_HOOK_TC_EGRESS,
					     .side = FG_SIDE_HOST,
					     .netns = trace_devices[LXC2].netns,
					     .ifindex = trace_devices[LXC2].ifindex,
					     .may_drop = rows[i].may_drop,
					     .parent = rows[i].parent };
		struct fg_ladder ladder = { .filters = &filter, .filter_count = 1 };
		struct fg_context context = traces_make(&ladder, PEER_EGRESS);
		struct fg_probe probe = {};

		for (size_t k = 0; k < COUNT(up); k++)
			traces_see(&probe.trace, &up[k]);
		for (size_t k = 0; k < (rows[i].comes_there ? COUNT(there) : COUNT(elsewhere)); k++)
			traces_see(&probe.trace, rows[i].comes_there ? &there[k] : &elsewhere[k]);
		traces_judge(&context, &probe);
		if (probe.result.stages[FG_STAGE_INGRESS].verdict != rows[i].ingress)
			fail_msg("%s: %s", rows[i].what,
				 fg_verdict_name(probe.result.stages[FG_STAGE_INGRESS].verdict));
		fg_trace_free(&probe.trace);
	}
}

/* Filters at the receiver's host side, the number of which can drop: what it means that the packet
 * passed, or was dropped. */
static void test_filters_decide(void **state)
{
	static const struct {
		const char *what;
		size_t count, droppers;
		enum fg_tc_action action; /* of those that cannot drop */
		bool dropped;
		enum fg_verdict verdict;
		int filter_by;
		enum fg_kind kind;
	} rows[] = {
		{ "all accept", 2, 0, FG_TC_PASS, false, NOBODY, -1, FG_KIND_NONE },
		{ "copies are accepted", 2, 0, FG_TC_MIRROR, false, NOBODY, -1, FG_KIND_NONE },
		{ "the next one is asked", 2, 0, FG_TC_NEXT, false, NOBODY, -1, FG_KIND_NONE },
		{ "it may be sent elsewhere", 1, 0, FG_TC_REDIRECT, false, UNKNOWN, -1,
		  FG_KIND_NONE },
		{ "one may drop, and did not", 2, 1, FG_TC_PASS, false, ALLOWED, -1, FG_KIND_NONE },
		{ "the only one that may drop", 2, 1, FG_TC_PASS, true, DENIED, 1,
		  FG_KIND_TC_FILTER },
		{ "one of two that may drop", 2, 2, FG_TC_PASS, true, DENIED, -1,
		  FG_KIND_TC_FILTER },
		{ "none that may drop", 1, 0, FG_TC_PASS, true, DENIED, -1, FG_KIND_TC_FILTER },
	};
	static const struct seen up[] = { UP_TO_HOST },
				 passed[] = { QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2) },
				 dropped = FREE(LXC2, R_TC_EGRESS, "__dev_queue_xmit+0x1/0x2");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_program filters[2];
		struct fg_ladder ladder = { .filters = filters, .filter_count = rows[i].count };
		struct fg_context context = traces_make(&ladder, PEER_EGRESS);
		struct fg_probe probe = {};
		const struct fg_result *r = &probe.result;

		for (size_t k = 0; k < COUNT(filters); k++) {
			bool may_drop = k + rows[i].droppers >= rows[i].count;

			filters[k] = (struct fg_program){
				.stage = FG_STAGE_INGRESS,
				.hook = FG_HOOK_TC_EGRESS,
				.side = FG_SIDE_HOST,
				.netns = trace_devices[LXC2].netns,
				.ifindex = trace_devices[LXC2].ifindex,
				.may_drop = may_drop,
				.action = may_drop ? FG_TC_DROP : rows[i].action,
			};
		}
		for (size_t k = 0; k < COUNT(up); k++)
			traces_see(&probe.trace, &up[k]);
		if (rows[i].dropped)
			traces_see(&probe.trace, &dropped);
		for (size_t k = 0; !rows[i].dropped && k < COUNT(passed); k++)
			traces_see(&probe.trace, &passed[k]);
		traces_judge(&context, &probe);
		if (r->verdict != rows[i].verdict || r->filter_by != rows[i].filter_by ||
		    r->decider.kind != rows[i].kind)
			fail_msg("%s: %s, by filter %d, kind %d", rows[i].what,
				 fg_verdict_name(r->verdict), r->filter_by, r->decider.kind);
		fg_trace_free(&probe.trace);
	}
}

/* Of two that may drop, the one at the hook where it was dropped. */
static void test_filters_elsewhere(void **state)
{
	static const struct {
		uint32_t netns;
		int ifindex;
		enum fg_hook hook;
		int by;
	} others[] = {
		{ NS_HOST, 11, FG_HOOK_TC_EGRESS, -1 }, /* the same one: either */
		{ NS_HOST, 11, FG_HOOK_TC_INGRESS, 0 },
		{ NS_HOST, 3, FG_HOOK_TC_EGRESS, 0 },
		{ NS_POD2, 11, FG_HOOK_TC_EGRESS, 0 },
	};
	static const struct seen seen[] = { UP_TO_HOST,
					    FREE(LXC2, R_TC_EGRESS, "__dev_queue_xmit+0x1/0x2") };

	(void)state;
	for (size_t i = 0; i < COUNT(others) * 2; i++) {
		struct fg_program filters[2];
		struct fg_ladder ladder = { .filters = filters, .filter_count = 2 };
		struct fg_context context = traces_make(&ladder, PEER_EGRESS);
		struct fg_probe probe = {};
		size_t other = !(i % 2); /* behind it, and before */
		int by = others[i / 2].by < 0 ? -1 : (int)!other;

		for (size_t k = 0; k < COUNT(filters); k++)
			filters[k] = (struct fg_program){ .stage = FG_STAGE_INGRESS,
							  .hook = FG_HOOK_TC_EGRESS,
							  .side = FG_SIDE_HOST,
							  .netns = trace_devices[LXC2].netns,
							  .ifindex = trace_devices[LXC2].ifindex,
							  .may_drop = true,
							  .action = FG_TC_DROP };
		filters[other].netns = others[i / 2].netns;
		filters[other].ifindex = others[i / 2].ifindex;
		filters[other].hook = others[i / 2].hook;
		for (size_t k = 0; k < COUNT(seen); k++)
			traces_see(&probe.trace, &seen[k]);
		traces_judge(&context, &probe);
		if (probe.result.filter_by != by)
			fail_msg("%zu: by filter %d", i, probe.result.filter_by);
		fg_trace_free(&probe.trace);
	}
}

/* Only a filter at a hook that the packet met can have sent it elsewhere. */
static void test_filters_crossed(void **state)
{
	static const struct {
		enum where where;
		enum fg_hook hook;
		bool crossed;
	} rows[] = {
		{ LXC2, FG_HOOK_TC_EGRESS, true },    { LXC2, FG_HOOK_TC_INGRESS, false },
		{ DUMMY, FG_HOOK_TC_EGRESS, false },  { DUMMY, FG_HOOK_TC_INGRESS, false },
		{ BRIDGE, FG_HOOK_TC_INGRESS, true }, { BRIDGE, FG_HOOK_TC_EGRESS, false },
		{ POD2, FG_HOOK_TC_INGRESS, true },   { POD2, FG_HOOK_TC_EGRESS, false },
	};
	static const struct seen seen[] = { UP_TO_HOST, RECEIVE(BRIDGE, 64), QUEUE(LXC2, 63),
					    RECEIVE(POD2, 63), STOP(POD2) };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_program filter = { .stage = FG_STAGE_INGRESS,
					     .hook = rows[i].hook,
					     .netns = trace_devices[rows[i].where].netns,
					     .ifindex = trace_devices[rows[i].where].ifindex,
					     .action = FG_TC_REDIRECT };
		struct fg_ladder ladder = { .filters = &filter, .filter_count = 1 };
		struct fg_context context = traces_make(&ladder, PEER_EGRESS);
		struct fg_probe probe = {};

		for (size_t k = 0; k < COUNT(seen); k++)
			traces_see(&probe.trace, &seen[k]);
		traces_judge(&context, &probe);
		if (probe.result.verdict != (rows[i].crossed ? UNKNOWN : NOBODY))
			fail_msg("%zu: %s, %s", i, fg_verdict_name(probe.result.verdict),
				 probe.result.reason ?: "");
		fg_trace_free(&probe.trace);
	}
}

/* Netfilter of the receiving pod's own was passed by what its stack took, as far as it came. */
static void test_own_netfilter(void **state)
{
#define STOPPED(aux)                                                                               \
	{                                                                                          \
		FG_EVENT_STOP, POD2, 0, 0, NULL, 0, aux                                            \
	}
	static const struct {
		struct seen end;
		bool passed, to_stack;
	} rows[] = {
		{ SOCKET(POD2), true, false },
		{ FREE(POD2, R_NO_SOCKET, "udp_rcv+0x1/0x2"), true, false },
		{ STOP(POD2), false, false },
		{ STOPPED(FG_STOP_AUX_STACK), false, true },
		{ STOPPED(77), true, false },
		{ FREE(POD2, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2"), false, false },
		{ FREE(POD2, R_IP_INHDR, "ip_rcv_core+0x1/0x2"), false, false },
		{ SOCKET(LXC2), false, false },
		{ SOCKET(PEER), false, false },
	};
	static const struct seen up[] = { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63) };

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * 9; i++) {
		enum fg_presence whole = i % 3, stack = i / 3 % 3, want = FG_PRESENCE_NO;
		const size_t row = i / 9;
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		if (rows[row].passed || rows[row].to_stack)
			want = rows[row].passed ? whole : stack;
		traces_ladder(&ladder, "");
		context = traces_make(&ladder, PEER_EGRESS);
		context.netfilter_to = whole;
		context.netfilter_to_stack = stack;
		for (size_t k = 0; k < COUNT(up); k++)
			traces_see(&probe.trace, &up[k]);
		traces_see(&probe.trace, &rows[row].end);
		traces_judge(&context, &probe);
		if (probe.result.own_netfilter[FG_STAGE_INGRESS] != want ||
		    probe.result.own_netfilter[FG_STAGE_EGRESS] != FG_PRESENCE_NO ||
		    (want == FG_PRESENCE_YES && probe.result.verdict != ALLOWED) ||
		    (want == FG_PRESENCE_UNKNOWN &&
		     (probe.result.verdict != UNKNOWN ||
		      !strstr(probe.result.reason,
			      "netfilter enforces policy in the receiving pod"))))
			fail_msg("%zu: %d, %s", i, probe.result.own_netfilter[FG_STAGE_INGRESS],
				 fg_verdict_name(probe.result.verdict));
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
#undef STOPPED
}

/* And of the sending pod's, by what has left it. */
static void test_own_netfilter_of_the_sender(void **state)
{
	static const enum fg_verdict verdicts[] = { UNKNOWN, NOBODY, ALLOWED };
	static const struct seen way[] = { UP_TO_HOST, ROUTED_OUT };

	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, "");
		context = traces_make(&ladder, POD_SOCKET);
		context.netfilter_from = (enum fg_presence)i;
		for (size_t k = 0; k < COUNT(way); k++)
			traces_see(&probe.trace, &way[k]);
		traces_judge(&context, &probe);
		assert_int_equal(probe.result.verdict, verdicts[i]);
		assert_int_equal(probe.result.own_netfilter[FG_STAGE_EGRESS], i);
		if (!i)
			assert_non_null(strstr(probe.result.reason, "in the pod that sends it"));
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* Netfilter's hooks of devices, and those of bridges: met by what was seen behind them. */
static void test_hooks_of_devices(void **state)
{
#define IN_POD2 RECEIVE(POD2, 63), STOP(POD2)
#define PIECE(kind, place)                                                                         \
	{                                                                                          \
		FG_EVENT_##kind, place, 0, 63, NULL, FG_EVENT_F_PIECE                              \
	}
	static const struct {
		const char *what, *ladder;
		enum where hooked;
		bool egress;
		char bridges; /* i: what a bridge hands up, o: what is sent by one */
		bool met;
		struct seen seen[SEEN_MAX];
	} rows[] = {
		{ "ingress of the primary",
		  "",
		  PRIMARY,
		  false,
		  0,
		  true,
		  { UP_TO_HOST, QUEUE(LXC2, 63), IN_POD2 } },
		{ "not its egress",
		  "",
		  PRIMARY,
		  true,
		  0,
		  false,
		  { UP_TO_HOST, QUEUE(LXC2, 63), IN_POD2 } },
		{ "egress to the receiver",
		  "",
		  LXC2,
		  true,
		  0,
		  true,
		  { UP_TO_HOST, QUEUE(LXC2, 63), IN_POD2 } },
		{ "not its ingress",
		  "",
		  LXC2,
		  false,
		  0,
		  false,
		  { UP_TO_HOST, QUEUE(LXC2, 63), IN_POD2 } },
		{ "egress of the uplink", "", HARDWARE, true, 0, true, { UP_TO_HOST, ROUTED_OUT } },
		{ "not of another device", "", DUMMY, true, 0, false, { UP_TO_HOST, ROUTED_OUT } },
		{ "ingress on the way",
		  "",
		  BRIDGE,
		  false,
		  0,
		  true,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), QUEUE(LXC2, 63), IN_POD2 } },
		{ "a redirect from the primary's ingress comes before",
		  "I*",
		  PRIMARY,
		  false,
		  0,
		  false,
		  { UP_TO_HOST, POLICY(PRIMARY, 1, 7), QUEUE(LXC2, 64), IN_POD2 } },
		{ "and skips egress",
		  "I*",
		  LXC2,
		  true,
		  0,
		  false,
		  { UP_TO_HOST, POLICY(PRIMARY, 1, 7), QUEUE(LXC2, 64), IN_POD2 } },
		{ "a program lets it pass on the way",
		  "B*",
		  LXC2,
		  true,
		  0,
		  true,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), POLICY(BRIDGE, 1, 0), QUEUE(LXC2, 63),
		    IN_POD2 } },
		{ "a program redirects it there: past egress",
		  "B*",
		  LXC2,
		  true,
		  0,
		  false,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), POLICY(BRIDGE, 1, 7), QUEUE(LXC2, 64),
		    IN_POD2 } },
		{ "and past ingress",
		  "B*",
		  BRIDGE,
		  false,
		  0,
		  false,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), POLICY(BRIDGE, 1, 7), QUEUE(LXC2, 64),
		    IN_POD2 } },
		{ "the kernel has noted it",
		  "",
		  LXC2,
		  true,
		  0,
		  false,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), NOTED(QUEUE, LXC2, 64), IN_POD2 } },
		{ "in pieces",
		  "",
		  LXC2,
		  true,
		  0,
		  true,
		  { UP_TO_HOST,
		    { FG_EVENT_PIECE, HARDWARE, 0, 63, NULL, FG_EVENT_F_PIECE },
		    PIECE(QUEUE, LXC2) } },
		{ "a bridge hands it up",
		  "",
		  NOWHERE,
		  false,
		  'i',
		  true,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), QUEUE(LXC2, 63), IN_POD2 } },
		{ "and does not send it",
		  "",
		  NOWHERE,
		  false,
		  'o',
		  false,
		  { UP_TO_HOST, RECEIVE(BRIDGE, 64), QUEUE(LXC2, 63), IN_POD2 } },
		{ "it is sent by a bridge",
		  "",
		  NOWHERE,
		  false,
		  'o',
		  true,
		  { UP_TO_HOST, QUEUE(BRIDGE, 63), QUEUE(LXC2, 63), IN_POD2 } },
		{ "which did not hand it up",
		  "",
		  NOWHERE,
		  false,
		  'i',
		  false,
		  { UP_TO_HOST, QUEUE(BRIDGE, 63), QUEUE(LXC2, 63), IN_POD2 } },
		{ "no bridge there", "", NOWHERE, false, 'o', false, { UP_TO_HOST, ROUTED_OUT } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_device *at = &trace_devices[rows[i].hooked];
		struct fg_hooked_device device = { at->netns, at->ifindex, rows[i].egress };
		struct fg_hooked hooked = { &device, 1 };
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, rows[i].ladder);
		context = traces_make(&ladder, PEER_EGRESS);
		context.bridged = rows[i].bridges == 'i' || rows[i].seen[3].where == BRIDGE;
		context.hooked = &hooked;
		if (rows[i].hooked != NOWHERE)
			context.netfilter_devices = FG_PRESENCE_YES;
		if (rows[i].bridges == 'i')
			context.netfilter_bridge_in = FG_PRESENCE_YES;
		if (rows[i].bridges == 'o')
			context.netfilter_bridge_out = FG_PRESENCE_YES;
		for (size_t k = 0; k < SEEN_MAX && rows[i].seen[k].kind; k++)
			traces_see(&probe.trace, &rows[i].seen[k]);
		traces_judge(&context, &probe);
		if (probe.result.enforced != (rows[i].met ? FG_PRESENCE_YES : FG_PRESENCE_NO) ||
		    (!rows[i].ladder[0] && !strstr(rows[i].what, "pieces") &&
		     probe.result.verdict != (rows[i].met ? ALLOWED : NOBODY)))
			fail_msg("%s: %d, %s", rows[i].what, probe.result.enforced,
				 fg_verdict_name(probe.result.verdict));
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
#undef IN_POD2
#undef PIECE
}

/* What a bridge does not take is freed as what a chain of its prerouting drops. */
static void test_bridge_or_chain(void **state)
{
	static const struct seen way[] = { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED,
							    "br_handle_frame+0x1/0x2 [bridge]") };
	static const enum fg_verdict verdicts[] = { UNKNOWN, NOBODY, UNKNOWN };

	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, "");
		context = traces_make(&ladder, PEER_EGRESS);
		context.bridged = true;
		context.netfilter_bridge_in = (enum fg_presence)i;
		for (size_t k = 0; k < COUNT(way); k++)
			traces_see(&probe.trace, &way[k]);
		traces_judge(&context, &probe);
		assert_int_equal(probe.result.verdict, verdicts[i]);
		assert_int_equal(probe.result.outcome, DROPPED);
		assert_int_equal(probe.result.decider.kind, FG_KIND_BRIDGE);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* Whether there are such hooks could not be found out; or which device that is. */
static void test_unknown_hooks_of_devices(void **state)
{
	static const struct seen way[] = { UP_TO_HOST, ROUTED_OUT };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, "");
		context = traces_make(&ladder, PEER_EGRESS);
		if (i)
			context.netfilter_bridge_out = FG_PRESENCE_YES;
		else
			context.netfilter_devices = FG_PRESENCE_UNKNOWN;
		for (size_t k = 0; k < COUNT(way); k++)
			traces_see(&probe.trace, &way[k]);
		if (i)
			probe.trace.list[3].event.ifindex = probe.trace.list[4].event.ifindex = 999;
		traces_judge(&context, &probe);
		assert_int_equal(probe.result.enforced, FG_PRESENCE_UNKNOWN);
		assert_int_equal(probe.result.verdict, UNKNOWN);
		if (!i)
			assert_non_null(strstr(probe.result.reason,
					       "netfilter enforces policy on this host"));
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/*
 * A bridge floods: clones to all its ports, and the packet itself to one. Where that is not for it,
 * the clone that was taken is the packet's way, and others are nobody's.
 */
static void test_flooded(void **state)
{
	static const struct {
		const char *what;
		struct {
			struct seen seen;
			uint32_t branch;
		} list[SEEN_MAX];
		enum fg_verdict verdict;
		enum fg_outcome outcome;
		bool known; /* it is known behind which port the receiver is */
	} rows[] = {
		{ "dropped before a port beside, and the receiver's took its clone",
		  { { CLONE(FG_EVENT_QUEUE, LXC2), 1 },
		    { CLONE(FG_EVENT_RECEIVE, POD2), 1 },
		    { CLONE(FG_EVENT_STOP, POD2), 1 },
		    { FREE(DUMMY, R_TC_EGRESS, NULL), 0 } },
		  ALLOWED,
		  DELIVERED,
		  true },
		{ "dropped before the receiver's own port, and others got clones",
		  { { CLONE(FG_EVENT_QUEUE, DUMMY), 1 }, { FREE(LXC2, R_TC_EGRESS, NULL), 0 } },
		  DENIED,
		  DROPPED,
		  true },
		{ "dropped beside for another reason",
		  { { CLONE(FG_EVENT_QUEUE, LXC2), 1 },
		    { CLONE(FG_EVENT_STOP, POD2), 1 },
		    { FREE(DUMMY, R_QDISC_DROP, NULL), 0 } },
		  ALLOWED,
		  DROPPED,
		  true },
		{ "dropped in a namespace that is not the host's",
		  { { CLONE(FG_EVENT_QUEUE, LXC2), 1 },
		    { CLONE(FG_EVENT_STOP, POD2), 1 },
		    { FREE(POD_OTHER, R_TC_EGRESS, NULL), 0 } },
		  UNKNOWN,
		  UNCLEAR,
		  true },
		{ "a clone is taken, and another one is not",
		  { { CLONE(FG_EVENT_QUEUE, LXC2), 1 },
		    { CLONE(FG_EVENT_RECEIVE, POD2), 1 },
		    { CLONE(FG_EVENT_STOP, POD2), 1 },
		    { CLONE(FG_EVENT_QUEUE, DUMMY), 2 },
		    { CLONE(FG_EVENT_CONSUME, DUMMY), 2 },
		    { FREE(PRIMARY, R_OTHERHOST, "ip_rcv_core+0x1/0x2"), 0 } },
		  ALLOWED,
		  DELIVERED },
		{ "a clone is given to a socket",
		  { { CLONE(FG_EVENT_QUEUE, LXC2), 1 },
		    { CLONE(FG_EVENT_RECEIVE, POD2), 1 },
		    { CLONE(FG_EVENT_QUEUE, DUMMY), 2 },
		    { { FG_EVENT_QUEUE, PRIMARY, 0, 64, NULL, FG_EVENT_F_REPLY }, 0 },
		    { CLONE(FG_EVENT_SOCKET, POD2), 1 },
		    { FREE(PRIMARY, R_OTHERHOST, NULL), 0 } },
		  ALLOWED,
		  DELIVERED },
		{ "no clone is taken",
		  { { CLONE(FG_EVENT_QUEUE, LXC2), 1 },
		    { CLONE(FG_EVENT_RECEIVE, POD2), 1 },
		    { CLONE(FG_EVENT_QUEUE, DUMMY), 2 },
		    { FREE(PRIMARY, R_OTHERHOST, "ip_rcv_core+0x1/0x2"), 0 } },
		  ALLOWED,
		  DROPPED },
		{ "a clone is consumed by a tap, no socket",
		  { { CLONE(FG_EVENT_CONSUME, POD2), 1 },
		    { FREE(PRIMARY, R_OTHERHOST, "ip_rcv_core+0x1/0x2"), 0 } },
		  ALLOWED,
		  DROPPED },
	};
	static const struct seen up[] = { UP_TO_HOST };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, rows[i].known ? "IT" : "I");
		context = traces_make(&ladder, PEER_EGRESS);
		context.bridged = context.notes_redirects = true;
		for (size_t k = 0; k < COUNT(up); k++)
			traces_see(&probe.trace, &up[k]);
		for (size_t k = 0; rows[i].list[k].seen.kind; k++) {
			traces_see(&probe.trace, &rows[i].list[k].seen);
			probe.trace.list[probe.trace.count - 1].event.branch =
				rows[i].list[k].branch;
		}
		traces_judge(&context, &probe);
		if (probe.result.outcome != rows[i].outcome ||
		    probe.result.verdict != rows[i].verdict)
			fail_msg("%s: %s, %s (%s)", rows[i].what,
				 fg_verdict_name(probe.result.verdict),
				 fg_outcome_name(probe.result.outcome),
				 probe.result.reason ? probe.result.reason : "");
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

static void test_stopped(void **state)
{
	static const struct trial t = {
		"",   PEER_EGRESS,
		"",   "",
		NULL, { UP_TO_HOST, RECEIVE(POD2, 63), STOP(POD2), FREE(POD2, R_TC_INGRESS, CORE) }
	};
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_probe probe;

	(void)state;
	prepare(&t, &ladder, &context, &probe);
	traces_judge(&context, &probe);
	assert_true(probe.result.stopped);
	assert_false(probe.result.dropped);
	assert_ptr_equal(probe.result.end, &probe.trace.list[4]);
	fg_trace_free(&probe.trace);
	fg_ladder_free(&ladder);
}

static void test_expectations(void **state)
{
	static const struct {
		size_t denied; /* else it is routed out */
		enum fg_expect expect;
		bool met;
	} wanted[] = {
		{ 0, FG_EXPECT_NOTHING, true },	   { 0, FG_EXPECT_ALLOW, true },
		{ 0, FG_EXPECT_DENY, false },	   { 0, FG_EXPECT_FORWARDED, true },
		{ 0, FG_EXPECT_DELIVERED, false }, { 0, FG_EXPECT_DROPPED, false },
		{ 0, FG_EXPECT_ALLOWED, true },	   { 1, FG_EXPECT_ALLOWED, false },
		{ 1, FG_EXPECT_ALLOW, false },	   { 1, FG_EXPECT_DENY, true },
		{ 1, FG_EXPECT_FORWARDED, false }, { 1, FG_EXPECT_DROPPED, true },
	};
	static const struct trial both[] = {
		{ "", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST, ROUTED_OUT } },
		{ "",
		  PEER_EGRESS,
		  "I",
		  "",
		  NULL,
		  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct fg_ladder ladder;
		struct fg_context context;
		struct fg_probe probe;

		prepare(&both[wanted[i].denied], &ladder, &context, &probe);
		probe.spec.expect = wanted[i].expect;
		traces_judge(&context, &probe);
		assert_int_equal(probe.result.expect_met, wanted[i].met);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* Two packets of one probe: where only one was denied, nothing is answered. */
static void test_second_look(void **state)
{
	static const struct trial passed = { "", PEER_EGRESS, "I",
					     "", NULL,	      { UP_TO_HOST, ROUTED_OUT } };
	const struct fg_attempt first[] = { { .verdict = DENIED, .outcome = DROPPED },
					    { .verdict = UNKNOWN, .outcome = FORWARDED },
					    { .verdict = NOBODY, .outcome = FORWARDED } };

	(void)state;
	for (size_t i = 0; i < COUNT(first); i++) {
		struct fg_ladder ladder;
		struct fg_context context;
		struct fg_probe probe;

		prepare(&passed, &ladder, &context, &probe);
		probe.spec.expect = FG_EXPECT_ALLOW;
		traces_judge(&context, &probe);
		fg_judge_compare(&probe, &first[i]);
		assert_int_equal(probe.result.attempts, 2);
		assert_int_equal(probe.result.first.verdict, first[i].verdict);
		assert_int_equal(probe.result.verdict, i ? ALLOWED : UNKNOWN);
		assert_int_equal(probe.result.outcome, i ? FORWARDED : UNCLEAR);
		assert_int_equal(probe.result.expect_met, i != 0);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* When the collector may stop waiting. */
static void test_endings(void **state)
{
	static const struct {
		struct seen seen;
		enum fg_ending ending;
	} endings[] = {
		{ INJECT, FG_ENDING_NONE },
		{ QUEUE(HARDWARE, 63), FG_ENDING_NONE },
		{ FREE(PRIMARY, R_TC_INGRESS, CORE), FG_ENDING_FINAL },
		{ CONSUME(PRIMARY, NULL), FG_ENDING_FINAL },
		{ SOCKET(PRIMARY), FG_ENDING_SOFT },
		{ STOP(POD2), FG_ENDING_FINAL },
		{ LOST, FG_ENDING_FINAL },
		{ XMIT(HARDWARE, 0), FG_ENDING_FINAL },
		{ XMIT(HARDWARE, 16), FG_ENDING_NONE },
		{ XMIT(LXC2, 0), FG_ENDING_NONE },
		{ XMIT(BRIDGE, 0), FG_ENDING_NONE },
		{ CLONE(FG_EVENT_FREE, PRIMARY), FG_ENDING_NONE },
	};
	struct fg_ladder ladder;
	struct fg_context context;

	(void)state;
	traces_ladder(&ladder, "I");
	context = traces_make(&ladder, PEER_EGRESS);
	for (size_t i = 0; i < COUNT(endings); i++) {
		struct fg_trace none = {}, trace = {};

		traces_see(&trace, &endings[i].seen);
		assert_int_equal(fg_judge_ending(&context, &none, &trace.list[0].event),
				 endings[i].ending);
		fg_trace_free(&trace);
	}
	fg_ladder_free(&ladder);
}

/* --- packets that were cut --- */

/*
 * A letter for each event of two pieces, 976 and 24 bytes of a whole of 1000: its kind, then the
 * piece it is on.
 */
struct cut {
	const char *what;
	enum fg_piece_kind kind;
	/*
	 * P first seen, Q queued, X taken by the driver, S stopped, Z in front of a socket, T taken
	 * by a socket, D dropped, L freed in a list, C consumed
	 */
	const char *events;
	enum fg_outcome outcome;
	const char *reason;    /* in it; NULL: none */
	enum fg_ending ending; /* of the last event */
};

/* clang-format off */
static const struct cut cuts[] = {
	{ "both stopped", FG_PIECE_FRAGMENT, "P1S1P2S2", DELIVERED, NULL, FG_ENDING_FINAL },
	{ "both forwarded", FG_PIECE_FRAGMENT, "P1X1P2X2", FORWARDED, NULL, FG_ENDING_FINAL },
	{ "forwarded, the driver frees them at once", FG_PIECE_SEGMENT, "P1C1P2C2", FORWARDED, NULL, FG_ENDING_FINAL },
	{ "one dropped", FG_PIECE_FRAGMENT, "P1S1P2D2", DROPPED, NULL, FG_ENDING_SOFT },
	{ "a stopped one is freed as a drop", FG_PIECE_FRAGMENT, "P1S1D1P2S2D2", DELIVERED, NULL, FG_ENDING_FINAL },
	{ "put together again, and spared the socket", FG_PIECE_FRAGMENT, "P1P2C1Z2D2", DELIVERED, NULL, FG_ENDING_SOFT },
	{ "put together again, and taken", FG_PIECE_FRAGMENT, "P1P2T2", DELIVERED, NULL, FG_ENDING_SOFT },
	{ "taken, and read: freed as a list", FG_PIECE_FRAGMENT, "P1P2T2L1", DELIVERED, NULL, FG_ENDING_SOFT },
	{ "taken, and refused", FG_PIECE_FRAGMENT, "P1P2T2D2", DROPPED, NULL, FG_ENDING_SOFT },
	{ "one not seen at all", FG_PIECE_FRAGMENT, "P1S1", UNCLEAR, "not all of them", FG_ENDING_NONE },
	{ "one without an end", FG_PIECE_FRAGMENT, "P1S1P2Q2", UNCLEAR, "was not seen", FG_ENDING_NONE },
	{ "one stopped, one forwarded", FG_PIECE_FRAGMENT, "P1S1P2X2", UNCLEAR, "different outcomes", FG_ENDING_FINAL },
	{ "a stranger's fragment, dropped", FG_PIECE_FRAGMENT, "P1S1P2S2P3D3", UNCLEAR, "another packet", FG_ENDING_SOFT },
	{ "a stranger's fragment, stopped", FG_PIECE_FRAGMENT, "P3S3P1S1P2S2", UNCLEAR, "another packet", FG_ENDING_NONE },
	{ "one that ends behind the packet's end", FG_PIECE_FRAGMENT, "P1S1P4D4", UNCLEAR, "another packet", FG_ENDING_SOFT },
	{ "one segment taken is not all", FG_PIECE_SEGMENT, "P1T1P2Q2", UNCLEAR, "was not seen", FG_ENDING_SOFT },
	{ "both segments taken", FG_PIECE_SEGMENT, "P1T1P2T2", DELIVERED, NULL, FG_ENDING_SOFT },
	{ "seen twice: no two pieces of this whole", FG_PIECE_SEGMENT, "P1S1P1S1P2S2", UNCLEAR, "not all of them", FG_ENDING_NONE },
};
/* clang-format on */

static void see_piece(struct fg_trace *trace, char kind, uint32_t branch, enum fg_piece_kind cut)
{
	static const struct {
		char letter;
		struct seen seen;
	} letters[] = {
		{ 'P', { FG_EVENT_PIECE, HARDWARE } },
		{ 'Q', QUEUE(HARDWARE, 63) },
		{ 'X', XMIT(HARDWARE, 0) },
		{ 'S', STOP(POD2) },
		{ 'Z', STOP(POD2) },
		{ 'T', SOCKET(POD2) },
		{ 'D', FREE(POD2, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") },
		{ 'L', FREE(POD2, R_NOT_SPECIFIED, "skb_release_data+0x1/0x2") },
		{ 'C', CONSUME(HARDWARE, NULL) },
	};

	for (size_t i = 0; i < COUNT(letters); i++) {
		struct seen seen = letters[i].seen;
		struct fg_event *e;

		if (letters[i].letter != kind)
			continue;
		seen.flags = FG_EVENT_F_PIECE;
		if (kind == 'P')
			seen.code = cut;
		traces_see(trace, &seen);
		e = &trace->list[trace->count - 1].event;
		e->branch = branch;
		/* 1 and 2 are the whole; 3 has a place that 1 has too, and 4 ends behind the end.
		 */
		e->aux = kind == 'P' ? (branch % 2 ? 976 : 24 * (branch / 2)) : kind == 'Z';
		if (kind == 'P')
			e->id = branch % 2 ? 0 : 976;
		return;
	}
	fail_msg("no event %c", kind);
}

static void judge_cut(const struct cut *cut)
{
	static const struct seen whole[] = { UP_TO_HOST,
					     CONSUME(HARDWARE, "ip_do_fragment+0x1/0x2") };
	struct fg_probe probe = { .spec.expect = FG_EXPECT_NOTHING };
	struct fg_trace *trace = &probe.trace;
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_event last;
	enum fg_verdict verdict;

	traces_ladder(&ladder, "I");
	context = traces_make(&ladder, PEER_EGRESS);
	trace->whole[cut->kind] = 1000;
	for (size_t i = 0; i < COUNT(whole); i++)
		traces_see(trace, &whole[i]);
	for (const char *at = cut->events; *at; at += 2)
		see_piece(trace, at[0], (uint32_t)(at[1] - '0'), cut->kind);
	traces_judge(&context, &probe);
	last = trace->list[--trace->count].event;
	verdict = cut->outcome == DROPPED   ? FG_VERDICT_DENIED /* by netfilter */
		  : cut->outcome == UNCLEAR ? FG_VERDICT_UNKNOWN
					    : FG_VERDICT_ALLOWED;
	if (probe.result.outcome != cut->outcome || probe.result.verdict != verdict ||
	    fg_judge_ending(&context, trace, &last) != cut->ending)
		fail_msg("%s: outcome %d, verdict %d, ending %d", cut->what, probe.result.outcome,
			 probe.result.verdict, fg_judge_ending(&context, trace, &last));
	if (cut->reason)
		assert_non_null(strstr(probe.result.reason, cut->reason));
	else
		assert_null(probe.result.reason);
	assert_int_equal(probe.result.dropped, cut->outcome == DROPPED);
	fg_trace_free(trace);
	fg_ladder_free(&ladder);
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cuts); i++)
		judge_cut(&cuts[i]);
}

/*
 * Fragments of a payload of 1,000 bytes, in the order in which they are seen: "OFFSET+LENGTH ...".
 * Two that have a place in it in common, or one that it does not have, are not all the packet's.
 */
static void test_covered(void **state)
{
	static const struct {
		const char *pieces;
		bool foreign;
	} rows[] = {
		{ "0+976 976+24", false },
		{ "976+24 0+976", false },
		{ "0+984 976+24", true },
		{ "976+24 0+984", true },
		{ "0+8 8+992", false },
		{ "8+992 0+8", false },
		{ "8+992 0+16", true },
		{ "0+512 512+488", false },
		{ "512+488 0+512", false },
		{ "0+520 512+488", true },
		{ "512+488 0+520", true },
		{ "0+504 504+8 512+488", false },
		{ "512+488 504+8 0+504", false },
		{ "0+504 504+16 512+488", true },
		{ "0+8 16+984 8+8", false },
		{ "0+1000", false },
		{ "0+1001", true },
		{ "0+976 976+25", true },
		{ "0+1000 1000+8", true },
		{ "0+1000 2000+8", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct seen whole[] = { UP_TO_HOST,
						     CONSUME(HARDWARE, "ip_do_fragment+0x1/0x2") };
		static const struct seen
			first = { FG_EVENT_PIECE, HARDWARE,	   FG_PIECE_FRAGMENT, 0,
				  NULL,		  FG_EVENT_F_PIECE },
			end = { FG_EVENT_STOP, POD2, 0, 0, NULL, FG_EVENT_F_PIECE };
		struct fg_probe probe = { .spec.expect = FG_EXPECT_NOTHING };
		struct fg_trace *trace = &probe.trace;
		char *at = (char *)rows[i].pieces;
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, "I");
		context = traces_make(&ladder, PEER_EGRESS);
		trace->whole[FG_PIECE_FRAGMENT] = 1000;
		for (size_t k = 0; k < COUNT(whole); k++)
			traces_see(trace, &whole[k]);
		for (uint32_t branch = 1; *at; branch++) {
			struct fg_event *e;

			traces_see(trace, &first);
			e = &trace->list[trace->count - 1].event;
			e->branch = branch;
			e->id = (uint32_t)strtoul(at, &at, 10);
			e->aux = strtoul(at + 1, &at, 10);
			traces_see(trace, &end);
			trace->list[trace->count - 1].event.branch = branch;
		}
		traces_judge(&context, &probe);
		if (probe.result.outcome != (rows[i].foreign ? UNCLEAR : DELIVERED))
			fail_msg("%s: %s", rows[i].pieces, fg_outcome_name(probe.result.outcome));
		if (rows[i].foreign)
			assert_non_null(strstr(probe.result.reason, "another packet"));
		fg_trace_free(trace);
		fg_ladder_free(&ladder);
	}
}

/* Where devices have no names, the receiver is known by where the packet should go. */
static void test_places_without_names(void **state)
{
	static const struct {
		struct seen end;
		bool known;
		enum fg_stage stage;
	} rows[] = {
		{ FREE(LXC2, R_TC_EGRESS, NULL), true, FG_STAGE_INGRESS },
		{ FREE(LXC2, R_QDISC_DROP, NULL), false, FG_STAGE_NODE },
		{ FREE(HARDWARE, R_TC_EGRESS, NULL), true, FG_STAGE_NODE },
		{ FREE(LXC2, R_QDISC_DROP, NULL), true, FG_STAGE_INGRESS },
		{ FREE(LXC2, R_NETFILTER_DROP, NULL), true, FG_STAGE_NODE },
		{ FREE(POD2, R_NETFILTER_DROP, NULL), true, FG_STAGE_INGRESS },
		/* It came back. */
		{ FREE(PEER, R_NETFILTER_DROP, NULL), true, FG_STAGE_INGRESS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct seen up[] = { UP_TO_HOST };
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, "T");
		context = traces_make(&ladder, PEER_EGRESS);
		context.device = NULL;
		context.far.known = rows[i].known;
		for (size_t k = 0; k < COUNT(up); k++)
			traces_see(&probe.trace, &up[k]);
		traces_see(&probe.trace, &rows[i].end);
		traces_judge(&context, &probe);
		if (probe.result.decider.stage != rows[i].stage)
			fail_msg("%zu: %s", i, fg_stage_name(probe.result.decider.stage));
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* What was not seen at all: why depends on where it should have been seen first. */
static void test_never_seen(void **state)
{
	static const struct {
		const char *ladder;
		bool awaited, uplink;
		const char *reason;
	} rows[] = {
		{ "I", false, false, "it did not reach the pod's egress path" },
		{ "X", false, true, "it did not reach the uplink" },
		{ "I", true, true, "it was not seen to arrive" },
		{ "x", true, true, "it was not seen to arrive" },
		{ "Y", true, true, "it was not seen to arrive" },
		{ "X", true, true,
		  "it was not seen to arrive: XDP in the uplink's driver, which runs before, may "
		  "have dropped it" },
		{ "IX", true, false,
		  "it was not seen to arrive: XDP in the uplink's driver, which runs before, may "
		  "have dropped it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, rows[i].ladder);
		context = traces_make(&ladder, HOST_INGRESS);
		context.awaited = rows[i].awaited;
		context.from_uplink = rows[i].uplink;
		traces_judge(&context, &probe);
		assert_int_equal(probe.result.outcome, UNCLEAR);
		assert_string_equal(probe.result.reason, rows[i].reason);
		fg_ladder_free(&ladder);
	}
}

/* --- random traces --- */

static const char *const symbols[] = { NULL,
				       CORE,
				       "netkit_xmit+0x1/0x2",
				       "ip_forward+0x1/0x2",
				       "icmp_rcv+0x1/0x2",
				       "skb_do_redirect+0x1/0x2",
				       "netif_receive_generic_xdp+0x1/0x2",
				       "skb_pp_cow_data+0x1/0x2",
				       "nowhere+0x1/0x2" };
static const int codes[] = { 0,
			     R_CONSUMED,
			     R_NOT_SPECIFIED,
			     R_NO_SOCKET,
			     R_XDP,
			     R_TC_EGRESS,
			     R_TC_INGRESS,
			     R_TC_COOKIE,
			     R_UNNAMED,
			     R_NETFILTER_DROP,
			     -1,
			     2,
			     7 };
static const char *const ladders[] = { "",     "I",	   "I*",   "II",  "EI",	    "E*I*", "KI",
				       "K*I*", "xI",	   "XI",   "ei",  "eEKXIi", "i.I",  "III",
				       "IT",   "I*T*N*P*", "TTyp", "KBN", "tYP" };

#define PICK(list) ((list)[seed_below(COUNT(list))])

static void random_trace(struct fg_trace *trace)
{
	static struct fg_trace_runs counted[FG_LADDER_MAX];
	size_t count = seed_below(12);
	static const struct seen usual[] = { UP_TO_HOST };

	/* Half of them begin as real ones do. */
	for (size_t i = 0; seed_below(2) && i < 3; i++)
		traces_see(trace, &usual[i]);
	for (size_t i = 0; i < count; i++) {
		struct seen seen = { .kind = (int)seed_below(FG_EVENT_KINDS + 2),
				     .where = (enum where)seed_below(WHERES),
				     .code = PICK(codes),
				     .symbol = PICK(symbols),
				     .flags = seed_below(8) ? 0 : FG_EVENT_F_CLONE };

		seen.flags |= seed_below(8) ? 0 : FG_EVENT_F_MOVED;

		seen.id = seen.kind == FG_EVENT_POLICY ? FIRST_ID + (unsigned int)seed_below(6)
						       : 63 + (unsigned int)seed_below(2);
		traces_see(trace, &seen);
	}
	trace->lost = seed_below(6) ? 0 : 1;
	trace->strays = seed_below(8) ? 0 : 1;
	trace->changed = seed_below(8) == 0;
	trace->runs = seed_below(2) ? counted : NULL;
	for (size_t i = 0; i < FG_LADDER_MAX; i++)
		counted[i].times = seed_below(8) ? (uint32_t)seed_below(3) : FG_RUNS_UNKNOWN;
}

/* What comes behind a lost trail can be of another packet. */
static uint32_t own_events(const struct fg_trace *trace)
{
	uint32_t i = 0;

	while (i < trace->count && (trace->list[i].event.kind != FG_EVENT_LOST ||
				    trace->list[i].event.flags & FG_EVENT_F_CLONE))
		i++;
	return i;
}

/*
 * Whether the packet passed the ladder, found in the trace by simpler means than the judge's.
 */
static bool seen_in_order(const struct fg_trace *trace, const struct fg_ladder *ladder,
			  enum fg_method method)
{
	bool injected = false, queued = false, received = false, beyond = false;

	for (uint32_t i = 0; i < own_events(trace); i++) {
		const struct fg_event *e = &trace->list[i].event;
		bool primary = e->netns == NS_HOST && e->ifindex == 10;

		if (e->flags & FG_EVENT_F_CLONE)
			continue;
		injected |= e->kind == FG_EVENT_INJECT;
		if (!injected)
			continue;
		if (received && !(primary && e->kind == FG_EVENT_RECEIVE) &&
		    e->kind != FG_EVENT_POLICY && e->kind != FG_EVENT_FLOW &&
		    e->kind != FG_EVENT_INJECT)
			beyond = true;
		queued |= e->kind == FG_EVENT_QUEUE && e->netns == NS_POD && e->ifindex == 2;
		received |= e->kind == FG_EVENT_RECEIVE && primary;
	}
	for (size_t i = 0; i < ladder->count; i++) {
		const struct fg_program *p = &ladder->programs[i];

		if (p->stage != FG_STAGE_EGRESS)
			continue;
		if (p->side == FG_SIDE_POD && (method == HOST_INGRESS || !queued))
			return false;
		if (!received || (p->side == FG_SIDE_HOST && !p->native && !beyond))
			return false;
	}
	return true;
}

static void fail_trace(const struct fg_context *context, const struct fg_probe *probe)
{
	for (size_t i = 0; i < context->ladder->count; i++)
		print_message("%s: program %s\n", fg_method_name(context->method),
			      fg_hook_name(context->ladder->programs[i].hook));
	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_event *e = &probe->trace.list[i].event;

		print_message("event %u at %u/%u code %d id %u flags %u %s\n", e->kind, e->netns,
			      e->ifindex, e->code, e->id, e->flags, probe->trace.list[i].symbol);
	}
	fail_msg("allowed, though not seen to pass");
}

static void check_random(const struct fg_context *context, const struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	const struct fg_trace *trace = &probe->trace;
	bool spoilt = trace->lost || trace->strays || trace->changed;
	uint32_t injected = 0;

	assert_true(r->outcome < FG_OUTCOMES);
	assert_true(r->verdict <= FG_VERDICT_NONE);
	for (uint32_t i = 0; i < own_events(trace); i++)
		injected += trace->list[i].event.kind == FG_EVENT_INJECT &&
			    !(trace->list[i].event.flags & FG_EVENT_F_CLONE);
	if (spoilt || injected != 1) {
		assert_int_equal(r->outcome, FG_OUTCOME_INCONCLUSIVE);
		assert_int_equal(r->verdict, FG_VERDICT_UNKNOWN);
	}
	assert_int_equal(r->dropped, r->outcome == FG_OUTCOME_DROPPED);
	if (r->outcome == FG_OUTCOME_INCONCLUSIVE || r->verdict == FG_VERDICT_UNKNOWN)
		assert_non_null(r->reason);
	if (r->verdict != FG_VERDICT_DENIED)
		assert_int_equal(r->denied_by, -1);
	assert_true(r->denied_by < (int)context->ladder->count);
	if (r->verdict == FG_VERDICT_ALLOWED &&
	    !seen_in_order(trace, context->ladder, context->method))
		fail_trace(context, probe);
	if (r->outcome == FG_OUTCOME_INCONCLUSIVE)
		assert_true(r->verdict == FG_VERDICT_UNKNOWN || r->verdict == FG_VERDICT_DENIED);
	/* Whoever denied it is named by kind; what did not deny did not drop by policy. */
	if (r->verdict == FG_VERDICT_DENIED)
		assert_true(fg_kind_is_policy(r->decider.kind) ||
			    r->stages[FG_STAGE_EGRESS].verdict == FG_VERDICT_DENIED);
	else if (r->verdict != FG_VERDICT_UNKNOWN)
		assert_false(fg_kind_is_policy(r->decider.kind));
	if (r->dropped && r->verdict != FG_VERDICT_UNKNOWN)
		assert_int_not_equal(r->decider.kind, FG_KIND_NONE);
	if (r->end)
		assert_true(r->end >= trace->list && r->end < trace->list + trace->count);
}

static void test_random_traces(void **state)
{
	static const enum fg_method methods[] = { PEER_EGRESS, BOUNCE, HOST_INGRESS, POD_SOCKET };
	size_t answers[FG_VERDICT_NONE + 1] = {};

	(void)state;
	seed_start();
	for (int i = 0; i < 200000; i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_context context;

		traces_ladder(&ladder, PICK(ladders));
		context = traces_make(&ladder, PICK(methods));
		context.netkit = seed_below(2);
		context.bridged = seed_below(2);
		context.xdp_copies = seed_below(2);
		context.netfilter = (enum fg_presence)seed_below(3);
		random_trace(&probe.trace);
		traces_judge(&context, &probe);
		check_random(&context, &probe);
		answers[probe.result.verdict]++;
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
	/* Or the traces are too wild to test anything. */
	for (int i = 0; i <= FG_VERDICT_NONE; i++)
		assert_true(answers[i] > 100);
}

/* What the pod's own kernel would not send: an answer, whatever programs there are. */
static void test_not_sent(void **state)
{
	static const struct {
		enum fg_expect expect;
		bool met;
	} expects[] = { { FG_EXPECT_NOTHING, true },	{ FG_EXPECT_ALLOW, false },
			{ FG_EXPECT_ALLOWED, false },	{ FG_EXPECT_DENY, false },
			{ FG_EXPECT_DELIVERED, false }, { FG_EXPECT_FORWARDED, false },
			{ FG_EXPECT_DROPPED, false },	{ FG_EXPECT_NOT_SENT, true } };
	struct fg_step steps[FG_LADDER_MAX];
	struct fg_ladder ladder;
	struct fg_context context;

	(void)state;
	traces_ladder(&ladder, "ti");
	context = traces_make(&ladder, HOST_INGRESS);
	for (size_t i = 0; i < COUNT(expects); i++) {
		struct fg_probe probe = { .spec.expect = expects[i].expect,
					  .result = { .verdict = FG_VERDICT_DENIED,
						      .outcome = FG_OUTCOME_DROPPED,
						      .dropped = true,
						      .steps = steps } };
		const struct fg_result *r = &probe.result;

		memset(steps, 0xff, sizeof(steps));
		fg_judge_not_sent(&context, &probe, "no way");
		assert_int_equal(r->verdict, FG_VERDICT_NONE);
		assert_int_equal(r->outcome, FG_OUTCOME_NOT_SENT);
		assert_int_equal(r->decider.kind, FG_KIND_ROUTE);
		assert_int_equal(r->decider.stage, FG_STAGE_EGRESS);
		assert_false(r->dropped);
		assert_string_equal(r->reason, "no way");
		assert_int_equal(r->denied_by, -1);
		assert_int_equal(r->expect_met, expects[i].met);
		assert_false(fg_probe_arrived(r));
		for (size_t k = 0; k < ladder.count; k++)
			assert_int_equal(r->steps[k].ran, FG_RAN_NO);
		for (int s = 0; s < FG_STAGES; s++)
			assert_false(r->stages[s].reached);
	}
	fg_ladder_free(&ladder);
}

/* --write: the answers are as they should be now: look at what has changed. */
int main(int argc, char *argv[])
{
	if (argc > 1 && !strcmp(argv[1], "--write"))
		return write_answers();

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_longest_ladder),
		cmocka_unit_test(test_ending_before_the_receivers_xdp),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_second_look),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_covered),
		cmocka_unit_test(test_never_seen),
		cmocka_unit_test(test_places_without_names),
		cmocka_unit_test(test_random_traces),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_flooded),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_filters_decide),
		cmocka_unit_test(test_filters_elsewhere),
		cmocka_unit_test(test_filters_crossed),
		cmocka_unit_test(test_own_netfilter),
		cmocka_unit_test(test_own_netfilter_of_the_sender),
		cmocka_unit_test(test_hooks_of_devices),
		cmocka_unit_test(test_unknown_hooks_of_devices),
		cmocka_unit_test(test_bridge_or_chain),
		cmocka_unit_test(test_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
