// SPDX-License-Identifier: GPL-2.0-only
/* What follows from a trace: a table of traces, each with its whole answer; and random ones, which must never mislead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "judge.h"
#include "names.h"
#include "scene.h"
#include "seed.h"

#define PEER_EGRESS FG_METHOD_PEER_EGRESS
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
#define LOST { FG_EVENT_LOST }
#define CLONE(kind, place) { kind, place, 0, 64, NULL, FG_EVENT_F_CLONE }
/* From injection to the host side's tc ingress. */
#define UP_TO_HOST INJECT, QUEUE(PEER, 64), RECEIVE(PRIMARY, 64)
/* Out of the node, by a route. */
#define ROUTED_OUT QUEUE(HARDWARE, 63), XMIT(HARDWARE, 0)

#define CORE "__netif_receive_skb_core.constprop.0+0x123/0xf00"

struct trial {
	const char *what;
	enum fg_method method;
	const char *ladder;	/* see scene_ladder() */
	const char *flags;	/* n netkit, b bridged, m redirects are noted, x xdp_copies, o other filters, O on the pod's side, c programs changed, l lost */
	const char *runs;	/* run counters, a digit each; '?' unknown; NULL: none were read */
	struct seen seen[SEEN_MAX];
	/* The answer. steps: for each program whether it ran (Y, N, ?) and by which evidence (f, d, c, -). */
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
	  ALLOWED, 0, DROPPED, "Yf", NULL },
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
	  { UP_TO_HOST, ROUTED_OUT }, ALLOWED, 0, FORWARDED, "?-", NULL },
	{ "counts 1,1,0: the second", PEER_EGRESS, "III", "", "110",
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "YcYcNc", NULL },
	{ "counts 1,0,0: the first", HOST_INGRESS, "III", "", "100",
	  { INJECT, RECEIVE(PRIMARY, 64), FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "YcNcNc", NULL },
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
	  UNKNOWN, 0, DROPPED, "?-", "not seen behind" },
	{ "a classifier's filter denies: no return value is made up", PEER_EGRESS, "i.", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 1, DROPPED, "Yd", NULL },
	{ "no program, yet tc ingress dropped", PEER_EGRESS, "", "o", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 0, DROPPED, "", "which program" },
	/* --- XDP --- */
	{ "generic XDP drops, with its reason", PEER_EGRESS, "xI", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_XDP, "do_xdp_generic+0x1/0x2") }, DENIED, 1, DROPPED, "YdN-", NULL },
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
	  UNKNOWN, 0, UNCLEAR, "?-?-", "in time" },
	/* --- host-ingress --- */
	{ "host-ingress, one program allows", HOST_INGRESS, "I", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "host-ingress passes by the pod's side", HOST_INGRESS, "EI", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-Y-", "passed by programs" },
	{ "host-ingress passes by netkit's programs", HOST_INGRESS, "K", "n", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "passed by programs" },
	{ "host-ingress passes by native XDP", HOST_INGRESS, "X", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "N-", "passed by programs" },
	{ "host-ingress, denied behind what it passed by", HOST_INGRESS, "EI", "", NULL,
	  { INJECT, RECEIVE(PRIMARY, 64), FREE(PRIMARY, R_TC_INGRESS, CORE) }, DENIED, 2, DROPPED, "N-Yd", NULL },
	/* --- none, and nowhere --- */
	{ "nothing enforces here", PEER_EGRESS, "", "", NULL, { UP_TO_HOST, ROUTED_OUT }, NOBODY, 0, FORWARDED, "", NULL },
	{ "no program, but other filters", PEER_EGRESS, "", "o", NULL,
	  { UP_TO_HOST, ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "", "no BPF programs" },
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
	  { UP_TO_HOST, QUEUE(LXC2, 63) }, ALLOWED, 0, UNCLEAR, "Y-", "in time" },
	{ "time ran out before the policy", PEER_EGRESS, "I", "", NULL, { UP_TO_HOST }, UNKNOWN, 0, UNCLEAR, "?-", "in time" },
	/* --- what spoils any answer --- */
	{ "events were lost", PEER_EGRESS, "I*", "l", NULL,
	  { UP_TO_HOST, POLICY(PRIMARY, 1, 0), ROUTED_OUT }, UNKNOWN, 0, UNCLEAR, "Yf", "events were lost" },
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
	  { INJECT, RECEIVE(PRIMARY, 64), ROUTED_OUT }, UNKNOWN, 0, FORWARDED, "?-Y-", "not seen behind" },
	{ "sent elsewhere by the pod's side", PEER_EGRESS, "EI", "", NULL,
	  { INJECT, QUEUE(POD_OTHER, 64) }, UNKNOWN, 0, UNCLEAR, "?-?-", "in time" },
	{ "an error of tc itself is no pass", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_TC_COOKIE, "tcf_classify+0x1/0x2") }, UNKNOWN, 0, DROPPED, "?-", "not seen behind" },
	{ "dropped at an unknown place for no reason", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "somewhere_new+0x1/0x2") }, UNKNOWN, 0, DROPPED, "?-", "not seen behind" },
	{ "a reason without a name, without a place", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_UNNAMED, NULL) }, UNKNOWN, 0, DROPPED, "?-", "not seen behind" },
	{ "dropped by the stack is behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_IP_INHDR, "ip_rcv_core+0x1/0x2") }, ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "dropped by netfilter is behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, NULL) }, ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "dropped in forwarding, no reason, by the place", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "ip_forward+0x1/0x2") }, ALLOWED, 0, DROPPED, "Y-", NULL },
	{ "the pod's queueing discipline drops: not policy", PEER_EGRESS, "EI", "", NULL,
	  { INJECT, QUEUE(PEER, 64), FREE(PEER, R_QDISC_DROP, NULL) },
	  UNKNOWN, 0, DROPPED, "Y-N-", "not seen behind" },
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
	  MOVED, 0, DROPPED, "Y-", NULL },
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
	  { UP_TO_HOST, QUEUE(POD2, 63), XMIT(POD2, 0) }, MOVED, 0, UNCLEAR, "Y-", "in time" },
	{ "the first of two redirects", PEER_EGRESS, "II", "", "10",
	  { UP_TO_HOST, QUEUE(LXC2, 64), RECEIVE(POD2, 64), STOP(POD2) }, MOVED, 0, DELIVERED, "YcNc", NULL },
	{ "received in another pod at once: redirected to its peer", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, RECEIVE(POD2, 64), SOCKET(POD2) }, MOVED, 0, DELIVERED, "Y-", NULL },
	{ "a redirect to a device that went away", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, FREE(PRIMARY, R_NOT_SPECIFIED, "skb_do_redirect+0x99/0x100") }, MOVED, 0, DROPPED, "Y-", NULL },
	{ "without a program nothing can redirect", PEER_EGRESS, "", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 64), XMIT(HARDWARE, 0) }, NOBODY, 0, FORWARDED, "", NULL },
	/* --- ends --- */
	{ "consumed by hardware", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 63), CONSUME(HARDWARE, NULL) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "consumed by dummy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(DUMMY, 63), CONSUME(DUMMY, NULL) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "freed by dummy, not as a drop", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(DUMMY, 63), FREE(DUMMY, R_CONSUMED, NULL) }, ALLOWED, 0, FORWARDED, "Y-", NULL },
	{ "consumed in a bridge is no exit", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(BRIDGE, 63), CONSUME(BRIDGE, NULL) }, ALLOWED, 0, UNCLEAR, "Y-", "leads on" },
	{ "handed to a bridge is no exit", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(BRIDGE, 63), XMIT(BRIDGE, 0) }, ALLOWED, 0, UNCLEAR, "Y-", "in time" },
	{ "consumed in a veth: lost", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), CONSUME(LXC2, "skb_pp_cow_data+0x1/0x2") }, ALLOWED, 0, UNCLEAR, "Y-", "leads on" },
	{ "hardware refused it", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(HARDWARE, 63), XMIT(HARDWARE, 16) }, ALLOWED, 0, UNCLEAR, "Y-", "in time" },
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
	{ "consumed on the host, by whom is not known", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, NULL) }, UNKNOWN, 0, UNCLEAR, "?-", "by whom" },
	{ "copied in forwarding is not delivered", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, CONSUME(PRIMARY, "skb_expand_head+0x1/0x2") }, UNKNOWN, 0, UNCLEAR, "?-", "trail is lost" },
	{ "dropped far away is behind the policy", PEER_EGRESS, "I", "", NULL,
	  { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NO_SOCKET, "udp_rcv+0x1/0x2") },
	  ALLOWED, 0, DROPPED, "Y-", NULL },
};
/* clang-format on */

static void fill_runs(struct fg_trace *trace, const char *runs)
{
	trace->counted = runs != NULL;
	for (size_t i = 0; runs && runs[i]; i++) {
		trace->runs[i] = runs[i] == '?' ? FG_RUNS_UNKNOWN : (uint32_t)(runs[i] - '0');
		trace->run_ns[i] = 250;
	}
}

static void steps_text(const struct fg_result *result, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++) {
		*out++ = "?NY"[result->steps[i].ran];
		*out++ = "-cdf"[result->steps[i].evidence];
	}
	*out = '\0';
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

static void prepare(const struct trial *t, struct fg_ladder *ladder, struct fg_scene *scene,
		    struct fg_probe *probe)
{
	scene_ladder(ladder, t->ladder);
	ladder->other_filters = strchr(t->flags, 'o');
	ladder->pod_filters = strchr(t->flags, 'O');
	*scene = scene_make(ladder, t->method);
	scene->netkit = strchr(t->flags, 'n');
	scene->bridged = strchr(t->flags, 'b');
	scene->notes_redirects = strchr(t->flags, 'm');
	scene->xdp_copies = strchr(t->flags, 'x');
	*probe = (struct fg_probe){};
	probe->trace.changed = strchr(t->flags, 'c');
	probe->trace.lost = strchr(t->flags, 'l') ? 3 : 0;
	fill_runs(&probe->trace, t->runs);
	for (size_t i = 0; i < SEEN_MAX && t->seen[i].kind; i++)
		scene_see(&probe->trace, &t->seen[i]);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		struct fg_ladder ladder;
		struct fg_scene scene;
		struct fg_probe probe;

		prepare(&trials[i], &ladder, &scene, &probe);
		fg_judge(&scene, &probe);
		check_answer(&trials[i], &probe, ladder.count);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* What the table does not hold: values, and where the end was. */
static void test_details(void **state)
{
	struct fg_ladder ladder;
	struct fg_scene scene;
	struct fg_probe probe;
	static const struct trial t = { "",    PEER_EGRESS,
					"III", "",
					"110", { UP_TO_HOST, FREE(PRIMARY, R_TC_INGRESS, CORE) } };

	(void)state;
	prepare(&t, &ladder, &scene, &probe);
	fg_judge(&scene, &probe);
	assert_true(probe.result.steps[0].has_retval);
	assert_int_equal(probe.result.steps[0].retval, -1);
	assert_int_equal(probe.result.steps[1].retval, 2);
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
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		struct fg_ladder ladder;
		struct fg_scene scene;
		struct fg_probe probe;
		const struct fg_result *r = &probe.result;
		int to;

		prepare(&moves[i].t, &ladder, &scene, &probe);
		fg_judge(&scene, &probe);
		to = r->redirected_to ? (int)(r->redirected_to - probe.trace.list) : -1;
		if (r->verdict != MOVED || r->redirected_by != moves[i].by || to != moves[i].to)
			fail_msg("%s: %s by %d to %d", moves[i].t.what, fg_verdict_name(r->verdict),
				 r->redirected_by, to);
		if (r->redirected_by >= 0)
			assert_int_equal(r->steps[r->redirected_by].retval, 7);
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
	struct fg_scene scene;
	struct fg_probe probe;

	(void)state;
	prepare(&t, &ladder, &scene, &probe);
	fg_judge(&scene, &probe);
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
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct fg_ladder ladder;
		struct fg_scene scene;
		struct fg_probe probe;

		prepare(&both[wanted[i].denied], &ladder, &scene, &probe);
		probe.spec.expect = wanted[i].expect;
		fg_judge(&scene, &probe);
		assert_int_equal(probe.result.expect_met, wanted[i].met);
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
	struct fg_scene scene;

	(void)state;
	scene_ladder(&ladder, "I");
	scene = scene_make(&ladder, PEER_EGRESS);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct fg_trace none = {}, trace = {};

		scene_see(&trace, &endings[i].seen);
		assert_int_equal(fg_judge_ending(&scene, &none, &trace.list[0].event),
				 endings[i].ending);
		fg_trace_free(&trace);
	}
	fg_ladder_free(&ladder);
}

/* --- packets that were cut --- */

/* A letter for each event of two pieces, 976 and 24 bytes of a whole of 1000: its kind, then the piece it is on. */
struct cut {
	const char *what;
	enum fg_piece_kind kind;
	const char *
		events; /* P first seen, Q queued, X taken by the driver, S stopped, Z in front of a socket, T taken by a socket, D dropped, L freed in a list, C consumed */
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
	{ "one stopped, one forwarded", FG_PIECE_FRAGMENT, "P1S1P2X2", UNCLEAR, "different ways", FG_ENDING_FINAL },
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

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		struct seen seen = letters[i].seen;
		struct fg_event *e;

		if (letters[i].letter != kind)
			continue;
		seen.flags = FG_EVENT_F_PIECE;
		if (kind == 'P')
			seen.code = cut;
		scene_see(trace, &seen);
		e = &trace->list[trace->count - 1].event;
		e->branch = branch;
		e->aux = kind == 'P' ? (branch == 1 ? 976 : 24) : kind == 'Z';
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
	struct fg_scene scene;
	struct fg_event last;

	scene_ladder(&ladder, "I");
	scene = scene_make(&ladder, PEER_EGRESS);
	trace->whole[cut->kind] = 1000;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		scene_see(trace, &whole[i]);
	for (const char *at = cut->events; *at; at += 2)
		see_piece(trace, at[0], (uint32_t)(at[1] - '0'), cut->kind);
	fg_judge(&scene, &probe);
	last = trace->list[--trace->count].event;
	if (probe.result.outcome != cut->outcome || probe.result.verdict != FG_VERDICT_ALLOWED ||
	    fg_judge_ending(&scene, trace, &last) != cut->ending)
		fail_msg("%s: outcome %d, verdict %d, ending %d", cut->what, probe.result.outcome,
			 probe.result.verdict, fg_judge_ending(&scene, trace, &last));
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
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		judge_cut(&cuts[i]);
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
			     -1,
			     2,
			     7 };
static const char *const ladders[] = { "",     "I",  "I*", "II", "EI",	   "E*I*", "KI",
				       "K*I*", "xI", "XI", "ei", "eEKXIi", "i.I",  "III" };

#define PICK(list) ((list)[seed_below(sizeof(list) / sizeof((list)[0]))])

static void random_trace(struct fg_trace *trace)
{
	size_t count = seed_below(12);
	static const struct seen usual[] = { UP_TO_HOST };

	/* Half of them begin as real ones do. */
	for (size_t i = 0; seed_below(2) && i < 3; i++)
		scene_see(trace, &usual[i]);
	for (size_t i = 0; i < count; i++) {
		struct seen seen = { .kind = (int)seed_below(FG_EVENT_KINDS + 2),
				     .where = (enum where)seed_below(WHERES),
				     .code = PICK(codes),
				     .symbol = PICK(symbols),
				     .flags = seed_below(8) ? 0 : FG_EVENT_F_CLONE };

		seen.flags |= seed_below(8) ? 0 : FG_EVENT_F_MOVED;

		seen.id = seen.kind == FG_EVENT_POLICY ? FIRST_ID + (unsigned int)seed_below(6)
						       : 63 + (unsigned int)seed_below(2);
		scene_see(trace, &seen);
	}
	trace->lost = seed_below(6) ? 0 : 1;
	trace->changed = seed_below(8) == 0;
	trace->counted = seed_below(2);
	for (size_t i = 0; i < FG_LADDER_MAX; i++)
		trace->runs[i] = seed_below(8) ? (uint32_t)seed_below(3) : FG_RUNS_UNKNOWN;
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

/* What the ladder must have been passed by, told from the trace by simpler means than the judge's. */
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

		if (p->side == FG_SIDE_POD && (method == HOST_INGRESS || !queued))
			return false;
		if (!received || (p->side == FG_SIDE_HOST && !p->native && !beyond))
			return false;
	}
	return true;
}

static void fail_trace(const struct fg_scene *scene, const struct fg_probe *probe)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		print_message("%s: program %s\n", fg_method_name(scene->method),
			      fg_hook_name(scene->ladder->programs[i].hook));
	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_event *e = &probe->trace.list[i].event;

		print_message("event %u at %u/%u code %d id %u flags %u %s\n", e->kind, e->netns,
			      e->ifindex, e->code, e->id, e->flags, probe->trace.list[i].symbol);
	}
	fail_msg("allowed, though not seen to pass");
}

static void check_random(const struct fg_scene *scene, const struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	const struct fg_trace *trace = &probe->trace;
	bool spoilt = trace->lost || trace->changed;
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
	assert_true(r->denied_by < (int)scene->ladder->count);
	if (r->verdict == FG_VERDICT_ALLOWED && !seen_in_order(trace, scene->ladder, scene->method))
		fail_trace(scene, probe);
	if (r->end)
		assert_true(r->end >= trace->list && r->end < trace->list + trace->count);
}

static void test_random_traces(void **state)
{
	static const enum fg_method methods[] = { PEER_EGRESS, HOST_INGRESS, POD_SOCKET };
	size_t answers[FG_VERDICT_NONE + 1] = {};

	(void)state;
	seed_start();
	for (int i = 0; i < 200000; i++) {
		struct fg_probe probe = {};
		struct fg_ladder ladder;
		struct fg_scene scene;

		scene_ladder(&ladder, PICK(ladders));
		scene = scene_make(&ladder, PICK(methods));
		scene.netkit = seed_below(2);
		scene.bridged = seed_below(2);
		scene.xdp_copies = seed_below(2);
		random_trace(&probe.trace);
		fg_judge(&scene, &probe);
		check_random(&scene, &probe);
		answers[probe.result.verdict]++;
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
	/* Or the traces are too wild to test anything. */
	for (int i = 0; i <= FG_VERDICT_NONE; i++)
		assert_true(answers[i] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	     cmocka_unit_test(test_details),
		cmocka_unit_test(test_redirects),    cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_expectations), cmocka_unit_test(test_endings),
		cmocka_unit_test(test_cut),	     cmocka_unit_test(test_random_traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
