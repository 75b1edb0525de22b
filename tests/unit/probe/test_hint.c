// SPDX-License-Identifier: GPL-2.0-only
/* test_hint.c - the table of hints, and causes as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "facts/hint.h"

/* --- causes --- */

static void test_cause_kinds_have_names(void **state)
{
	(void)state;
	assert_null(fg_cause_kind_name(FG_CAUSE_NONE));
	for (int i = 1; i < FG_CAUSE_KINDS; i++)
		assert_non_null(fg_cause_kind_name(i));
	assert_null(fg_cause_kind_name(FG_CAUSE_KINDS));
}

static void test_cause_text(void **state)
{
	char text[FG_CAUSE_TEXT_LEN];
	struct fg_cause c;

	(void)state;
	assert_true(fg_cause_set(&c, FG_CAUSE_QUEUE, "no-listener", "NFQUEUE %d", 5));
	assert_string_equal(fg_cause_text(&c, text, sizeof(text)), "NFQUEUE 5");
	fg_cause_add(&c, ", %s", "no\nlistener");
	fg_cause_set_setting(&c, -1, "net.%s.x", "ipv4");
	snprintf(c.process, sizeof(c.process), "pid 7 nginx");
	assert_string_equal(fg_cause_text(&c, text, sizeof(text)),
			    "NFQUEUE 5, no?listener; net.ipv4.x = -1; pid 7 nginx");
	/* What is too long is cut. */
	for (int i = 0; i < 100; i++)
		fg_cause_add(&c, "0123456789");
	assert_int_equal(strlen(c.what), sizeof(c.what) - 1);
	/* Setting it again leaves nothing of before. */
	fg_cause_set(&c, FG_CAUSE_TTL, NULL, "TTL 1");
	assert_string_equal(fg_cause_text(&c, text, sizeof(text)), "TTL 1");
	assert_null(c.how);
}

/* --- hints --- */

static void check_sentence(const char *of, const char *text)
{
	size_t len = strlen(text);

	if (len < 20 || len > 400 || text[len - 1] != '.' || strpbrk(text, "{}[]|\n") ||
	    strstr(text, "  ") || strstr(text, " .") || strstr(text, ",,") || strstr(text, "()"))
		fail_msg("%s: %s", of, text);
	if (!(text[0] >= 'A' && text[0] <= 'Z') && strncmp(text, "fq", 2) != 0 &&
	    strncmp(text, "cake", 4) != 0 && strncmp(text, "dualpi2", 7) != 0 &&
	    strncmp(text, "tc ", 3) != 0)
		fail_msg("%s does not begin as a sentence: %s", of, text);
}

static void expect(const char *reason, const char *symbol, const char *part)
{
	static const char *const places[] = { NULL, "", "hdst (host)" };
	char text[FG_HINT_LEN];

	for (size_t i = 0; i < COUNT(places); i++) {
		if (!fg_hint_for(reason, symbol, places[i], NULL, text, sizeof(text)))
			fail_msg("no hint for %s at %s", reason, symbol);
		check_sentence(reason ? reason : symbol, text);
		if (!strstr(text, part))
			fail_msg("%s at %s: '%s' is not in '%s'", reason, symbol, part, text);
	}
}

/* The drop reasons of Linux 6.1 to 7.3 that an IP packet can meet. */
static const struct {
	const char *reason, *part;
} reasons[] = {
	{ "NO_SOCKET", "`ss -lntup`" },
	{ "PKT_TOO_SMALL", "shorter" },
	{ "TCP_CSUM", "checksum" },
	{ "SOCKET_FILTER", "filter" },
	{ "UDP_CSUM", "checksum" },
	{ "NETFILTER_DROP", "--trace-netfilter" },
	{ "OTHERHOST", "another host" },
	{ "IP_CSUM", "checksum" },
	{ "IP_INHDR", "header" },
	{ "IP_RPFILTER", "rp_filter" },
	{ "UNICAST_IN_L2_MULTICAST", "multicast or broadcast frame" },
	{ "XFRM_POLICY", "ip xfrm policy" },
	{ "IP_NOPROTO", "protocol" },
	{ "SOCKET_RCVBUFF", "net.core.rmem_max" },
	{ "PROTO_MEM", "net.ipv4.udp_mem" },
	{ "TCP_AUTH_HDR", "authentication" },
	{ "TCP_MD5NOTFOUND", "MD5" },
	{ "TCP_MD5UNEXPECTED", "MD5" },
	{ "TCP_MD5FAILURE", "MD5" },
	{ "TCP_AONOTFOUND", "authentication option" },
	{ "TCP_AOFAILURE", "authentication option" },
	{ "SOCKET_BACKLOG", "backlog" },
	{ "SOCKET_CLOSE", "closed" },
	{ "TCP_FLAGS", "flags" },
	{ "TCP_ABORT_ON_DATA", "closed" },
	{ "TCP_ZEROWINDOW", "window" },
	{ "TCP_OLD_DATA", "duplicate" },
	{ "TCP_OVERWINDOW", "window" },
	{ "TCP_OFOMERGE", "duplicate" },
	{ "TCP_RFC7323_PAWS", "timestamp" },
	{ "TCP_RFC7323_TSECR", "timestamp" },
	{ "TCP_LISTEN_OVERFLOW", "net.core.somaxconn" },
	{ "TCP_OLD_SEQUENCE", "duplicate" },
	{ "TCP_INVALID_SEQUENCE", "sequence" },
	{ "TCP_INVALID_ACK_SEQUENCE", "sequence" },
	{ "TCP_RESET", "reset" },
	{ "TCP_INVALID_SYN", "SYN" },
	{ "TCP_CLOSE", "closed" },
	{ "TCP_FASTOPEN", "Fast Open" },
	{ "TCP_OLD_ACK", "duplicate" },
	{ "TCP_TOO_OLD_ACK", "too old" },
	{ "TCP_ACK_UNSENT_DATA", "never sent" },
	{ "TCP_OFO_QUEUE_PRUNE", "out-of-order" },
	{ "TCP_OFO_DROP", "out-of-order" },
	{ "TCP_MINTTL", "minimum TTL" },
	{ "IP_OUTNOROUTES", "no route" },
	{ "BPF_CGROUP_EGRESS", "bpftool cgroup" },
	{ "IPV6DISABLED", "disable_ipv6" },
	{ "NEIGH_CREATEFAIL", "gc_thresh3" },
	{ "NEIGH_FAILED", "`ip neigh`" },
	{ "NEIGH_QUEUEFULL", "`ip neigh`" },
	{ "NEIGH_DEAD", "`ip neigh`" },
	{ "NEIGH_HH_FILLFAIL", "header" },
	{ "TC_EGRESS", "tc egress" },
	{ "TC_INGRESS", "tc ingress" },
	{ "TC_COOKIE_ERROR", "tc" },
	{ "TC_CHAIN_NOTFOUND", "chains" },
	{ "TC_RECLASSIFY_LOOP", "tc" },
	{ "XDP", "XDP program" },
	{ "SECURITY_HOOK", "audit" },
	{ "QDISC_DROP", "tc -s qdisc show" },
	{ "QDISC_OVERLIMIT", "full" },
	{ "QDISC_CONGESTED", "slow the sender" },
	{ "CAKE_FLOOD", "cake" },
	{ "FQ_BAND_LIMIT", "limit" },
	{ "FQ_HORIZON_LIMIT", "departure" },
	{ "FQ_FLOW_LIMIT", "limit" },
	{ "DUALPI2_STEP_DROP", "dualpi2" },
	{ "CPU_BACKLOG", "netdev_max_backlog" },
	{ "UNHANDLED_PROTO", "accepts packets of this kind" },
	{ "SKB_CSUM", "checksum" },
	{ "SKB_GSO_SEG", "segmented" },
	{ "DEV_HDR", "header" },
	{ "DEV_READY", "down" },
	{ "FULL_RING", "full" },
	{ "NOMEM", "memory" },
	{ "PFMEMALLOC", "memory" },
	{ "HDR_TRUNC", "cut off" },
	{ "TAP_FILTER", "filter" },
	{ "TAP_TXFILTER", "filter" },
	{ "ICMP_CSUM", "checksum" },
	{ "INVALID_PROTO", "protocol" },
	{ "IP_INADDRERRORS", "net.ipv4.ip_forward" },
	{ "IP_INNOROUTES", "`ip rule`" },
	{ "IP_LOCAL_SOURCE", "accept_local" },
	{ "IP_INVALID_SOURCE", "source address" },
	{ "IP_LOCALNET", "route_localnet" },
	{ "IP_INVALID_DEST", "destination address" },
	{ "PKT_TOO_BIG", "MTU" },
	{ "DUP_FRAG", "fragment" },
	{ "FRAG_REASM_TIMEOUT", "ipfrag_time" },
	{ "FRAG_TOO_FAR", "ipfrag_max_dist" },
	{ "IPV6_BAD_EXTHDR", "extension header" },
	{ "IPV6_NDISC_FRAG", "neighbour discovery" },
	{ "IPV6_NDISC_HOP_LIMIT", "255" },
	{ "IPV6_NDISC_BAD_CODE", "neighbour discovery" },
	{ "IPV6_NDISC_BAD_OPTIONS", "neighbour discovery" },
	{ "IPV6_NDISC_NS_OTHERHOST", "solicitation" },
	{ "QUEUE_PURGE", "emptied" },
	{ "PACKET_SOCK_ERROR", "packet socket" },
	{ "VXLAN_INVALID_HDR", "VXLAN" },
	{ "VXLAN_VNI_NOT_FOUND", "network identifier" },
	{ "VXLAN_ENTRY_EXISTS", "VXLAN" },
	{ "MAC_INVALID_SOURCE", "source address" },
	{ "NO_TX_TARGET", "bridge fdb" },
	{ "IP_TUNNEL_ECN", "ECN bits" },
	{ "TUNNEL_TXINFO", "tunnel" },
	{ "LOCAL_MAC", "loop" },
	{ "ARP_PVLAN_DISABLE", "private VLAN" },
	{ "MAC_IEEE_MAC_CONTROL", "control" },
	{ "BRIDGE_INGRESS_STP_STATE", "spanning tree" },
	{ "VLAN_FILTER", "VLAN" },
	{ "PSP_INPUT", "PSP" },
	{ "PSP_OUTPUT", "PSP" },
	{ "RECURSION_LIMIT", "looped" },
	{ "OVS_DROP_LAST_ACTION", "ended without an output" },
	{ "OVS_DROP_EXPLICIT", "action drop" },
	{ "OVS_DROP_EXPLICIT_WITH_ERROR", "action drop" },
	{ "OVS_DROP_METER", "meter" },
	{ "OVS_DROP_CONNTRACK", "tracking" },
	{ "OVS_DROP_IP_TTL", "hops" },
	{ "OVS_DROP_RECURSION_LIMIT", "Open vSwitch" },
	{ "OVS_DROP_ACTION_ERROR", "Open vSwitch" },
};

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reasons); i++)
		expect(reasons[i].reason, NULL, reasons[i].part);
}

/* A reason that says more than the place is not lost to the place. */
static void test_symbols(void **state)
{
	static const struct {
		const char *symbol, *part;
	} places[] = {
		{ "ip_forward+0x2c0/0x770", "forwarded" },
		{ "ip6_forward+0x358/0xb40", "net.ipv6.conf.all.forwarding" },
		{ "ip_error+0x94/0x220", "prohibit, unreachable or blackhole" },
		{ "ip6_pkt_prohibit+0x14/0x30", "prohibit" },
		{ "dst_discard_out+0x14/0x30", "blackhole" },
		{ "ip_rcv_finish_core.isra.0+0x2/0x4", "rp_filter" },
		{ "ip_list_rcv_finish.constprop.0+0x2/0x4", "rp_filter" },
		{ "ip_rcv_core+0x1/0x2", "IPv4 header" },
		{ "ip6_rcv_core.constprop.0+0x1/0x2", "IPv6 header" },
		{ "netkit_xmit+0x1/0x2", "netkit" },
		{ "veth_xmit+0x1/0x2 [veth]", "other end" },
		{ "br_handle_frame_finish+0x1/0x2", "VLAN" },
		{ "br_forward+0x1/0x2 [bridge]", "isolation" },
		{ "ovs_vport_receive+0x1/0x2", "Open vSwitch" },
		{ "do_execute_actions+0x1/0x2 [openvswitch]", "Open vSwitch" },
		{ "macvlan_start_xmit+0x1/0x2", "macvlan" },
		{ "ipvlan_queue_xmit+0x1/0x2", "ipvlan" },
		{ "nfqnl_reinject+0x1/0x2", "refused" },
		{ "nf_queue+0x240/0x3c0", "queue" },
		{ "neigh_invalidate+0x7e/0x140", "`ip neigh`" },
		{ "arp_error_report+0x1/0x2", "ARP" },
		{ "ndisc_error_report+0x1/0x2", "neighbour discovery" },
		{ "__dev_forward_skb+0x1/0x2", "MTU" },
		{ "skb_do_redirect+0x1/0x2", "redirect" },
		{ "ip_vs_in_hook+0x1/0x2", "IPVS" },
		{ "wg_xmit+0x1/0x2", "WireGuard" },
		{ "tcp_v4_rcv+0x1/0x2", "TCP" },
		{ "icmp_rcv+0x1/0x2", "ICMP" },
		{ "enqueue_to_backlog+0x1/0x2", "softnet_stat" },
		{ "xfrm_input+0x1/0x2", "IPsec" },
		{ "tun_net_xmit+0x1/0x2", "tun" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		expect("NOT_SPECIFIED", places[i].symbol, places[i].part);
		expect(NULL, places[i].symbol, places[i].part);
		expect("NETFILTER_DROP", places[i].symbol, "--trace-netfilter");
	}
	expect("IP_INHDR", "ip_forward+0x1/0x2", "hops left");
	expect("IP_INHDR", "ip6_forward+0x1/0x2", "hop limit");
	expect("IP_INHDR", "ip_rcv_core+0x1/0x2", "not valid");
}

static void test_no_hint(void **state)
{
	char text[FG_HINT_LEN] = "untouched";
	struct fg_cause none = {};

	(void)state;
	assert_false(fg_hint_for(NULL, NULL, NULL, NULL, text, sizeof(text)));
	assert_false(fg_hint_for("NOT_SPECIFIED", NULL, "x", &none, text, sizeof(text)));
	assert_false(
		fg_hint_for("NO_SUCH_REASON", "no_such_function", NULL, NULL, text, sizeof(text)));
	/* A whole name, and no beginning of it. */
	assert_false(fg_hint_for("XDPX", NULL, NULL, NULL, text, sizeof(text)));
	assert_false(fg_hint_for("", "", NULL, NULL, text, sizeof(text)));
	assert_string_equal(text, "untouched");
}

/* What was found goes before what can be said in general, and every kind and how has a text. */
static void test_causes(void **state)
{
	static const struct {
		enum fg_cause_kind kind;
		const char *how, *part;
	} all[] = {
		{ FG_CAUSE_ROUTE, "prohibit", "Routing forbids this destination: WHAT." },
		{ FG_CAUSE_ROUTE, "blackhole", "discards it silently: WHAT." },
		{ FG_CAUSE_ROUTE, "unreachable", "cannot be reached: WHAT." },
		{ FG_CAUSE_ROUTE, "no-route", "nowhere to send it: WHAT." },
		{ FG_CAUSE_ROUTE, "no-source", "no address that it could use: WHAT." },
		{ FG_CAUSE_ROUTE, NULL, "Routing refuses it: WHAT." },
		{ FG_CAUSE_FORWARDING, NULL, "WHAT: net.ipv4.x = 0." },
		{ FG_CAUSE_RPFILTER, "strict", "net.ipv4.x = 0 (2 is loose, 0 is off)" },
		{ FG_CAUSE_RPFILTER, "loose", "net.ipv4.x = 0 (0 is off)" },
		{ FG_CAUSE_MARTIAN, "loopback", "loopback address is not accepted" },
		{ FG_CAUSE_MARTIAN, "own-source", "has the source address itself: WHAT." },
		{ FG_CAUSE_MARTIAN, "source", "No host may send from this address: WHAT." },
		{ FG_CAUSE_MARTIAN, "destination", "No host has this destination: WHAT." },
		{ FG_CAUSE_TTL, NULL, "any further: WHAT." },
		{ FG_CAUSE_MTU, "route", "too big to go on in one piece: WHAT." },
		{ FG_CAUSE_MTU, "device", "too big to go on in one piece: WHAT." },
		{ FG_CAUSE_FRAGMENT, "timeout", "not reassembled: WHAT." },
		{ FG_CAUSE_FRAGMENT, "too-far", "not reassembled: WHAT." },
		{ FG_CAUSE_NEIGHBOUR, "incomplete", "Nobody answers" },
		{ FG_CAUSE_NEIGHBOUR, "failed", "Nobody answers" },
		{ FG_CAUSE_NEIGHBOUR, "queue-full", "queue is full: WHAT." },
		{ FG_CAUSE_NEIGHBOUR, "stale", "out of date: WHAT." },
		{ FG_CAUSE_NEIGHBOUR, "other-address", "for another host: WHAT." },
		{ FG_CAUSE_QUEUE, "no-listener", "none is there: WHAT." },
		{ FG_CAUSE_QUEUE, "refused", "refused it: WHAT (pid 7 nginx)." },
		{ FG_CAUSE_QUEUE, "full", "too slow: WHAT (pid 7 nginx)." },
		{ FG_CAUSE_QUEUE, "waiting", "waits for the verdict" },
		{ FG_CAUSE_QUEUE, NULL, "did not get it: WHAT." },
		{ FG_CAUSE_PROXY, NULL, "A local proxy took it: WHAT (pid 7 nginx)." },
		{ FG_CAUSE_SOCKET, "no-listener", "No socket accepts it: WHAT (pid 7 nginx)." },
		{ FG_CAUSE_SOCKET, "buffer-full", "does not read fast enough: WHAT" },
		{ FG_CAUSE_SOCKET, "backlog-full", "does not accept connections" },
		{ FG_CAUSE_SOCKET, "memory", "memory is used up: WHAT." },
		{ FG_CAUSE_XFRM, "block", "blocks it: WHAT." },
		{ FG_CAUSE_XFRM, "clear", "requires encryption" },
		{ FG_CAUSE_XFRM, "no-state", "no state to do that with: WHAT." },
		{ FG_CAUSE_NETFILTER, "bpf", "a BPF program at a hook of netfilter can: WHAT." },
		{ FG_CAUSE_NETFILTER, "legacy", "these can: WHAT." },
		{ FG_CAUSE_IPVS, "no-backend", "no server that takes new connections: WHAT." },
		{ FG_CAUSE_IPVS, "refused", "sent it to no server: WHAT." },
		{ FG_CAUSE_ROUTE, "program", "part of the route dropped it: WHAT." },
		{ FG_CAUSE_QDISC, NULL, "did not accept it: WHAT." },
		{ FG_CAUSE_BRIDGE, "state", "spanning tree" },
		{ FG_CAUSE_BRIDGE, "loop", "loop" },
		{ FG_CAUSE_BRIDGE, "isolated", "apart: WHAT." },
		{ FG_CAUSE_BRIDGE, "vlan", "`bridge vlan`" },
		{ FG_CAUSE_DEVICE, "down", "WHAT: nothing gets through it." },
		{ FG_CAUSE_DEVICE, "no-carrier", "WHAT: nothing gets through it." },
		{ FG_CAUSE_DEVICE, "backlog", "softnet_stat, and at net.ipv4.x = 0." },
		{ FG_CAUSE_DEVICE, "no-ipv6", "WHAT: net.ipv4.x = 0." },
	};
	bool had[FG_CAUSE_KINDS] = {};
	char text[FG_HINT_LEN];
	struct fg_cause c;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		fg_cause_set(&c, all[i].kind, all[i].how, "WHAT");
		fg_cause_set_setting(&c, 0, "net.ipv4.x");
		snprintf(c.process, sizeof(c.process), "pid 7 nginx");
		assert_true(fg_hint_for("NOMEM", NULL, "hdst", &c, text, sizeof(text)));
		check_sentence(fg_cause_kind_name(c.kind), text);
		if (!strstr(text, all[i].part))
			fail_msg("'%s' is not in '%s'", all[i].part, text);
		had[c.kind] = true;
		/* Nothing of it that is not there leaves a trace. */
		c.process[0] = c.setting[0] = c.value[0] = '\0';
		assert_true(fg_hint_for(NULL, NULL, NULL, &c, text, sizeof(text)));
		if (c.kind != FG_CAUSE_FORWARDING && c.kind != FG_CAUSE_RPFILTER &&
		    (c.kind != FG_CAUSE_DEVICE || strcmp(all[i].how, "no-ipv6") != 0))
			check_sentence(fg_cause_kind_name(c.kind), text);
	}
	for (int i = 1; i < FG_CAUSE_KINDS; i++)
		assert_true(had[i]);
}

static void test_bounds(void **state)
{
	char text[40], tiny[1] = { 'x' };
	struct fg_cause c;

	(void)state;
	fg_cause_set(&c, FG_CAUSE_QDISC, NULL, "%0290d", 1);
	memset(text, 'x', sizeof(text));
	assert_true(fg_hint_for(NULL, NULL, NULL, &c, text, 20));
	assert_int_equal(strlen(text), 19);
	assert_int_equal(text[20], 'x');
	assert_true(fg_hint_for(NULL, NULL, NULL, &c, tiny, 1));
	assert_int_equal(tiny[0], '\0');
	assert_false(fg_hint_for(NULL, NULL, NULL, &c, tiny, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cause_kinds_have_names),
		cmocka_unit_test(test_cause_text),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_no_hint),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
