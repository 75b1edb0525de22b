// SPDX-License-Identifier: GPL-2.0-only
/*
 * facts/hint.c - the table of hints, and how one is filled in.
 *
 * In a text {what}, {setting}, {value}, {process} are of the cause, {place} is the device. [...] is
 * left out if one of those in it is empty; [...|...] then has what follows the bar.
 */
#include "facts/hint.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"

#define RULES "See `ip rule` and `ip route show table all` there."

/* The cause is known: the first that fits. how NULL: any. */
static const struct {
	enum fg_cause_kind kind;
	const char *how, *text;
} by_cause[] = {
	{ FG_CAUSE_ROUTE, "prohibit", "Routing forbids this destination: {what}. " RULES },
	{ FG_CAUSE_ROUTE, "blackhole", "Routing discards it silently: {what}. " RULES },
	{ FG_CAUSE_ROUTE, "unreachable", "Routing says that it cannot be reached: {what}. " RULES },
	{ FG_CAUSE_ROUTE, "no-route", "There is nowhere to send it: {what}. " RULES },
	{ FG_CAUSE_ROUTE, "program",
	  "A BPF program that is part of the route dropped it: {what}. See `ip route show`, and "
	  "whose route that is." },
	{ FG_CAUSE_ROUTE, "no-source",
	  "The sender has no address that it could use: {what}. See `ip addr` there." },
	{ FG_CAUSE_ROUTE, NULL, "Routing refuses it: {what}. " RULES },
	{ FG_CAUSE_FORWARDING, NULL,
	  "It would have to be forwarded, and {what}: {setting} = {value}. Set it to 1 if this is "
	  "meant to be a router." },
	{ FG_CAUSE_RPFILTER, "loose",
	  "The reverse path filter refused the source address: {what}. Look at {setting} = {value} "
	  "(0 is off) and at `ip route get` for the source." },
	{ FG_CAUSE_RPFILTER, NULL,
	  "The reverse path filter refused the source address: {what}. Look at {setting} = {value} "
	  "(2 is loose, 0 is off) and at `ip route get` for the source." },
	{ FG_CAUSE_MARTIAN, "loopback",
	  "A loopback address is not accepted from a device: {what}. Look for what put it there[, "
	  "and at {setting} = {value}]." },
	{ FG_CAUSE_MARTIAN, "own-source",
	  "The receiver has the source address itself: {what}. Look for an address that is used "
	  "twice[; {setting} = {value}]." },
	{ FG_CAUSE_MARTIAN, "destination",
	  "No host has this destination: {what}. Look at what wrote it: the sender, or a "
	  "translation on the path." },
	{ FG_CAUSE_MARTIAN, NULL,
	  "No host may send from this address: {what}. Look at what wrote it: the sender, or a "
	  "translation on the path." },
	{ FG_CAUSE_TTL, NULL,
	  "The packet may not be forwarded any further: {what}. Look for a routing loop, or send "
	  "it with more hops." },
	{ FG_CAUSE_MTU, NULL,
	  "The packet is too big to go on in one piece: {what}. Compare the MTUs on the path, and "
	  "check that ICMP errors reach the sender." },
	{ FG_CAUSE_FRAGMENT, NULL,
	  "Its fragments were not reassembled: {what}. Look for where one was lost[; {setting} = "
	  "{value}]." },
	{ FG_CAUSE_NEIGHBOUR, "stale",
	  "It was sent to a link-layer address that is out of date: {what}. Delete the entry with "
	  "`ip neigh del`, and look for two hosts with one address." },
	{ FG_CAUSE_NEIGHBOUR, "other-address",
	  "The frame is for another host: {what}. Look for a stale neighbour entry at the sender, "
	  "or a redirect that did not rewrite the address." },
	{ FG_CAUSE_NEIGHBOUR, "queue-full",
	  "Nobody answers for the next hop, and the queue is full: {what}. Check that the next hop "
	  "is up; see `ip neigh`[; {setting} = {value}]." },
	{ FG_CAUSE_NEIGHBOUR, NULL,
	  "Nobody answers for the next hop's address (ARP or neighbour discovery): {what}. Check "
	  "that it is up and on that link; see `ip neigh`." },
	{ FG_CAUSE_QUEUE, "no-listener",
	  "A netfilter rule hands the packet to a program, but none is there: {what}. Start the "
	  "program, or give the rule the flag bypass." },
	{ FG_CAUSE_QUEUE, "refused",
	  "A program that reads a netfilter queue refused it: {what}[ ({process})]. Look at that "
	  "program's policy and log." },
	{ FG_CAUSE_QUEUE, "full",
	  "The program that reads a netfilter queue is too slow: {what}[ ({process})]. Look at its "
	  "load, or give the rule the flag bypass." },
	{ FG_CAUSE_QUEUE, "waiting",
	  "It waits for the verdict of a program that reads a netfilter queue: {what}[ "
	  "({process})]. Look at that program." },
	{ FG_CAUSE_QUEUE, NULL,
	  "A netfilter rule hands the packet to a program, which did not get it: {what}. Look at "
	  "the programs that should read these queues." },
	{ FG_CAUSE_PROXY, "chooser",
	  "Another socket than the one at its port and address got it: {what}[ ({process})]. See "
	  "`bpftool link` (netns) for who attached the program." },
	{ FG_CAUSE_PROXY, NULL,
	  "A local proxy took it: {what}[ ({process})]. Whether it goes on is now that program's "
	  "decision; look at its configuration and log." },
	{ FG_CAUSE_SOCKET, "chooser",
	  "A program that chooses sockets probably refused it: {what}. See `bpftool link` (netns) "
	  "for who attached it, and ask that software for its rules." },
	{ FG_CAUSE_SOCKET, "chooser-or-no-listener",
	  "No socket accepts it, or a program refused it: {what}. Check that the server runs "
	  "(`ss -lntup`), and see `bpftool link` (netns)." },
	{ FG_CAUSE_SOCKET, "no-listener",
	  "No socket accepts it: {what}[ ({process})]. Check that the server runs, and to which "
	  "address and port it is bound (`ss -lntup`)." },
	{ FG_CAUSE_SOCKET, "buffer-full",
	  "The receiving program does not read fast enough: {what}[ ({process})]. Look at its "
	  "load, and at net.core.rmem_max." },
	{ FG_CAUSE_SOCKET, "backlog-full",
	  "The server does not accept connections fast enough: {what}[ ({process})]. Look at its "
	  "load, at its backlog, and at net.core.somaxconn." },
	{ FG_CAUSE_SOCKET, "memory",
	  "The protocol's memory is used up: {what}. Look at net.ipv4.tcp_mem or net.ipv4.udp_mem, "
	  "and at which program does not read." },
	{ FG_CAUSE_XFRM, "block", "An IPsec policy blocks it: {what}. See `ip xfrm policy`." },
	{ FG_CAUSE_XFRM, "no-state",
	  "An IPsec policy wants it encrypted, and there is no state to do that with: {what}. See "
	  "`ip xfrm state`, and the daemon that negotiates them." },
	{ FG_CAUSE_XFRM, NULL,
	  "An IPsec policy requires encryption, and the packet has none: {what}. See `ip xfrm "
	  "policy` and `ip xfrm state` at both ends." },
	{ FG_CAUSE_NETFILTER, "bpf",
	  "No rule of nf_tables dropped it, and a BPF program at a hook of netfilter can: {what}. "
	  "See `bpftool link`, and whose program that is." },
	{ FG_CAUSE_NETFILTER, NULL,
	  "No rule of nf_tables dropped it, and these can: {what}. See `iptables-legacy-save` and "
	  "`bpftool link`." },
	{ FG_CAUSE_IPVS, "no-backend",
	  "IPVS has no server that takes new connections: {what}. Look for ready pods behind the "
	  "Service, and at the weights in `ipvsadm -Ln`." },
	{ FG_CAUSE_IPVS, NULL,
	  "IPVS sent it to no server: {what}. They may be at their limit of connections; see "
	  "`ipvsadm -Ln --thresholds`." },
	{ FG_CAUSE_QDISC, NULL,
	  "The device's queue did not accept it: {what}. Look at its limits with `tc -s qdisc "
	  "show`." },
	{ FG_CAUSE_BRIDGE, "state",
	  "The bridge does not forward from this port: {what}. See `bridge -d link`, and look at "
	  "spanning tree." },
	{ FG_CAUSE_BRIDGE, "loop",
	  "The bridge's own address came back to it: {what}. Look for a loop, or an address that "
	  "is used twice." },
	{ FG_CAUSE_BRIDGE, "isolated",
	  "The bridge may keep the two ports apart: {what}. See `bridge -d link`." },
	{ FG_CAUSE_BRIDGE, NULL,
	  "The bridge may not accept this VLAN on this port: {what}. See `bridge vlan`." },
	{ FG_CAUSE_DEVICE, "down",
	  "{what}: nothing gets through it. Set it up with `ip link set "
	  "up`, and look at who set it down." },
	{ FG_CAUSE_DEVICE, "no-carrier",
	  "{what}: nothing gets through it. Look at its other end or its cable." },
	{ FG_CAUSE_DEVICE, "backlog",
	  "Packets came in faster than they were processed: {what}. Look at "
	  "/proc/net/softnet_stat[, and at {setting} = {value}]." },
	{ FG_CAUSE_DEVICE, "no-ipv6", "{what}: {setting} = {value}. Set it to 0 to use IPv6." },
};

/*
 * The cause is not known: by the reason, and by where the packet was freed. The first that fits;
 * each by how its name begins, an ending "$" allows nothing after it. NULL: any.
 */
static const struct {
	const char *reason, *symbol, *text;
} by_reason[] = {
	/* Policy. */
	{ "TC_INGRESS$", NULL,
	  "A BPF program or filter at tc ingress[ of {place}] dropped it. See `tc filter show dev "
	  "DEVICE ingress`, and `bpftool net` for tcx." },
	{ "TC_EGRESS$", NULL,
	  "A BPF program or filter at tc egress[ of {place}] dropped it. See `tc filter show dev "
	  "DEVICE egress`, and `bpftool net` for tcx." },
	{ "TC_", NULL,
	  "tc could not carry out a filter's action[ on {place}]. Look at the chains and actions "
	  "with `tc filter show`." },
	{ "XDP$", NULL,
	  "An XDP program[ on {place}] dropped it, or failed. See `bpftool net` and `ip link "
	  "show`." },
	{ "NETFILTER_DROP$", NULL,
	  "A netfilter rule or a chain's policy dropped it. --trace-netfilter names it; see `nft "
	  "list ruleset` or `iptables-save`." },
	{ "BPF_CGROUP_EGRESS$", NULL,
	  "A BPF program on the sender's cgroup dropped it. See `bpftool cgroup tree`." },
	{ "SOCKET_FILTER$", NULL,
	  "The receiving socket's own filter, a BPF program on its cgroup, or a security module "
	  "refused it. See `ss -b`, `bpftool cgroup tree`, and the audit log." },
	{ "SECURITY_HOOK$", NULL,
	  "A security module (SELinux, Smack, BPF LSM) refused it. Look at the audit log." },
	{ "XFRM_POLICY$", NULL,
	  "An IPsec policy blocks it, or requires encryption. See `ip xfrm policy` and `ip xfrm "
	  "state`." },
	{ "TAP_", NULL,
	  "A filter of the tun or tap device[ {place}] refused it. Look at the virtual machine or "
	  "VPN behind it." },

	/* Open vSwitch. */
	{ "OVS_DROP_EXPLICIT", NULL,
	  "An Open vSwitch flow has the action drop. See `ovs-appctl dpctl/dump-flows`, and "
	  "`ovs-appctl ofproto/trace` for the OpenFlow rule." },
	{ "OVS_DROP_LAST_ACTION$", NULL,
	  "An Open vSwitch flow ended without an output: it is dropped by policy or by default. "
	  "See `ovs-appctl dpctl/dump-flows` and `ovs-appctl ofproto/trace`." },
	{ "OVS_DROP_METER$", NULL,
	  "An Open vSwitch meter dropped it: too many packets. See `ovs-ofctl meter-stats`." },
	{ "OVS_DROP_CONNTRACK$", NULL,
	  "Connection tracking of Open vSwitch failed. See `ovs-appctl dpctl/dump-conntrack` and "
	  "the tracking limits." },
	{ "OVS_DROP_IP_TTL$", NULL,
	  "The packet had no hops left in Open vSwitch. Look for a loop, or send it with more "
	  "hops." },
	{ "OVS_DROP_", NULL,
	  "Open vSwitch could not carry out an action. See `ovs-appctl dpctl/dump-flows` and its "
	  "log." },

	/* Routing. */
	{ "IP_RPFILTER$", NULL,
	  "The reverse path filter refused the source address: the route back to it leads "
	  "elsewhere. Look at net.ipv4.conf.*.rp_filter and at `ip route get` for the source." },
	{ "IP_INNOROUTES$", NULL,
	  "There is no route to the destination, or one that refuses. See `ip rule` and `ip route "
	  "show table all`." },
	{ "IP_OUTNOROUTES$", NULL,
	  "There is no route out, or one that refuses. See `ip rule` and `ip route show table "
	  "all`." },
	{ "IP_INADDRERRORS$", NULL,
	  "This node does not have the address, and does not forward packets. Look at "
	  "net.ipv4.ip_forward and net.ipv6.conf.all.forwarding." },
	{ "IP_LOCAL_SOURCE$", NULL,
	  "The receiver has the source address itself. Look for an address that is used twice, and "
	  "at net.ipv4.conf.*.accept_local." },
	{ "IP_INVALID_SOURCE$", NULL,
	  "No host may send from this source address. Look at what wrote it: the sender, or a "
	  "translation on the path." },
	{ "IP_LOCALNET$", NULL,
	  "A loopback address is not accepted from a device. Look at what put it there, and at "
	  "net.ipv4.conf.*.route_localnet." },
	{ "IP_INVALID_DEST$", NULL,
	  "No host has this destination address. Look at what wrote it: the sender, or a "
	  "translation on the path." },
	{ "PKT_TOO_BIG$", NULL,
	  "The packet is too big for the next hop, and may not be fragmented. Compare the MTUs on "
	  "the path, and check that ICMP errors reach the sender." },
	{ "IP_INHDR$", "ip_forward",
	  "The packet had no hops left. Look for a routing loop, or send it with a higher TTL." },
	{ "IP_INHDR$", "ip6_forward",
	  "The packet had no hops left. Look for a routing loop, or send it with a higher hop "
	  "limit." },
	{ "IP_INHDR$", NULL,
	  "The IP header is not valid: version, length or options. Look at what built the "
	  "packet." },
	{ "IPV6DISABLED$", NULL,
	  "IPv6 is disabled on the device. Look at net.ipv6.conf.*.disable_ipv6." },
	{ "UNICAST_IN_L2_MULTICAST$", NULL,
	  "A unicast packet came in a multicast or broadcast frame. Look at the sender, and at "
	  "net.ipv4.conf.*.drop_unicast_in_l2_multicast." },
	{ "IP_NOPROTO$", NULL,
	  "Nothing handles this IP protocol here. Look for a missing module or tunnel (`ip "
	  "tunnel`)." },
	{ "IP_TUNNEL_ECN$", NULL,
	  "The ECN bits inside and outside the tunnel contradict each other. Look at what rewrites "
	  "the TOS byte." },
	{ "RECURSION_LIMIT$", NULL,
	  "The packet looped through devices. Look for a tunnel whose route leads into itself, or "
	  "redirects that lead back." },

	/* Neighbours. */
	{ "NEIGH_FAILED$", NULL,
	  "Nobody answers for the next hop's address (ARP or neighbour discovery). Check that it "
	  "is up and on that link; see `ip neigh`." },
	{ "NEIGH_QUEUEFULL$", NULL,
	  "Too many packets wait for the next hop's address. Check that the next hop is up; see "
	  "`ip neigh`." },
	{ "NEIGH_CREATEFAIL$", NULL,
	  "No entry could be made for the next hop: the neighbour table is full. Look at "
	  "net.ipv4.neigh.default.gc_thresh3 (or net.ipv6) of the host." },
	{ "NEIGH_DEAD$", NULL,
	  "The next hop's entry was being removed. Send again; see `ip neigh` and whether the "
	  "device goes up and down." },
	{ "NEIGH_HH_FILLFAIL$", NULL,
	  "The link-layer header could not be written. Look at the device that the route leads "
	  "to." },
	{ "OTHERHOST$", NULL,
	  "The frame is addressed to another host's link-layer address. Look for a stale entry in "
	  "`ip neigh` at the sender, or a redirect that did not rewrite the address." },
	{ "ARP_PVLAN_DISABLE$", NULL,
	  "ARP within a private VLAN is off. Look at net.ipv4.conf.*.proxy_arp_pvlan." },

	/* Queues and devices. */
	{ "QDISC_OVERLIMIT$", NULL,
	  "The device's queue[ on {place}] was full. Look at its rate and limit with `tc -s qdisc "
	  "show`." },
	{ "QDISC_CONGESTED$", NULL,
	  "The queueing discipline[ on {place}] dropped it to slow the sender down. Look at the "
	  "load with `tc -s qdisc show`." },
	{ "QDISC_", NULL,
	  "The queueing discipline[ on {place}] did not accept it. Look at its limits with `tc -s "
	  "qdisc show`." },
	{ "CAKE_FLOOD$", NULL,
	  "cake dropped it: its flow does not slow down. See `tc -s qdisc show`." },
	{ "DUALPI2_STEP_DROP$", NULL,
	  "dualpi2 dropped it: the queueing delay is too long. See `tc -s qdisc show`." },
	{ "FQ_HORIZON_LIMIT$", NULL,
	  "Its departure time is too far ahead for fq. Look at what sets it (EDT, bandwidth "
	  "manager), and at fq's horizon." },
	{ "FQ_", NULL, "fq's limit for the flow or band is reached. See `tc -s qdisc show`." },
	{ "CPU_BACKLOG$", NULL,
	  "Packets came in faster than the processor took them. Look at /proc/net/softnet_stat and "
	  "net.core.netdev_max_backlog." },
	{ "DEV_READY$", NULL,
	  "The device[ {place}] or its other end is down, or no program has it open. See `ip link "
	  "show`." },
	{ "DEV_HDR$", NULL,
	  "The device[ {place}] cannot use this header. Look at what rewrote the packet: a "
	  "redirect to a device of another kind, or an encapsulation." },
	{ "FULL_RING$", NULL,
	  "The device's ring[ of {place}] is full: its reader does not keep up. Look at the "
	  "machine or program behind it." },
	{ "NO_TX_TARGET$", NULL,
	  "No port of the bridge or switch leads to this address. See `bridge fdb`, and whether "
	  "unknown addresses are flooded." },
	{ "LOCAL_MAC$", NULL,
	  "The frame's source is the bridge's own address. Look for a loop, or an address that is "
	  "used twice." },
	{ "MAC_INVALID_SOURCE$", NULL,
	  "The frame's source address is not valid. Look at what wrote it." },
	{ "MAC_IEEE_MAC_CONTROL$", NULL,
	  "The frame is link-layer control traffic, which is not forwarded. Nothing is wrong." },
	{ "BRIDGE_INGRESS_STP_STATE$", NULL,
	  "The bridge port[ {place}] is blocking, or still learning. See `bridge link`, and look "
	  "at spanning tree." },
	{ "VLAN", NULL, "The bridge port[ {place}] does not accept this VLAN. See `bridge vlan`." },
	{ "VXLAN_VNI_NOT_FOUND$", NULL,
	  "No VXLAN device here has this network identifier. See `ip -d link show type vxlan`." },
	{ "VXLAN_", NULL,
	  "The VXLAN header does not fit the device's settings. See `ip -d link show type vxlan` "
	  "at both ends." },
	{ "TUNNEL_TXINFO$", NULL,
	  "The tunnel was not told where to send it. Look at the program or flow that sets the "
	  "tunnel key." },
	{ "PSP_", NULL, "PSP encryption refused it. Look at the keys at both ends." },
	{ "UNHANDLED_PROTO$", NULL,
	  "Nothing in this namespace accepts packets of this kind from[ {place}| the device]. "
	  "Check that the device has an address, and what the frame's type is." },

	/* Sockets. */
	{ "NO_SOCKET$", NULL,
	  "No socket accepts it[ at {place}]. Check that the server runs, and to which address and "
	  "port it is bound (`ss -lntup`)." },
	{ "SOCKET_RCVBUFF$", NULL,
	  "The receive buffer is full: the program does not read fast enough. Look at its load "
	  "(`ss -nm`), and at net.core.rmem_max." },
	{ "SOCKET_BACKLOG$", NULL,
	  "The socket's backlog is full: the program does not read fast enough. See `ss -nm`." },
	{ "SOCKET_CLOSE$", NULL,
	  "The socket was closed meanwhile. Look at the receiving program." },
	{ "PROTO_MEM$", NULL,
	  "The protocol's memory is used up. Look at net.ipv4.tcp_mem or net.ipv4.udp_mem, and at "
	  "which program does not read." },
	{ "PACKET_SOCK_ERROR$", NULL,
	  "A packet socket could not take its copy. The packet itself is not affected." },

	/* TCP. */
	{ "TCP_CSUM$", NULL,
	  "The TCP checksum is wrong. Look at what rewrote the packet without recomputing it." },
	{ "TCP_LISTEN_OVERFLOW$", NULL,
	  "The server does not accept connections fast enough. Look at its backlog (`ss -lnt`) and "
	  "at net.core.somaxconn." },
	{ "TCP_FLAGS$", NULL,
	  "The TCP flags do not fit the state of the connection. This happens to a probe for the "
	  "middle of a connection: begin with a SYN." },
	{ "TCP_RESET$", NULL,
	  "The socket handled it as a reset of the connection. Look at who sent the RST." },
	{ "TCP_INVALID_SYN$", NULL, "A SYN came in an open connection. Use another source port." },
	{ "TCP_INVALID_", NULL,
	  "The sequence or acknowledgment number does not fit the connection. Look for two senders "
	  "with one tuple, or a translation that one direction misses." },
	{ "TCP_CLOSE$", NULL, "The TCP socket is closed. Look at the receiving program." },
	{ "TCP_ABORT_ON_DATA$", NULL,
	  "Data came for a connection that the program has closed. Look at the receiving "
	  "program." },
	{ "TCP_MINTTL$", NULL,
	  "It came from too far away for the socket's minimum TTL (IP_MINTTL, as BGP uses it). "
	  "Look at the hops between." },
	{ "TCP_ZEROWINDOW$", NULL,
	  "The receiver's window is closed: the program does not read. See `ss -nm`." },
	{ "TCP_RFC7323_", NULL,
	  "The TCP timestamp is too old or wrong. Look for a reused tuple behind a translation." },
	{ "TCP_FASTOPEN$", NULL, "TCP Fast Open refused it. Look at net.ipv4.tcp_fastopen." },
	{ "TCP_MD5", NULL,
	  "The TCP MD5 signature is missing or wrong. Compare the keys at both ends." },
	{ "TCP_AO", NULL,
	  "The TCP authentication option is missing or wrong. Compare the keys at both ends." },
	{ "TCP_AUTH_HDR$", NULL,
	  "The TCP authentication options contradict each other. Compare both ends." },
	{ "TCP_OFO_", NULL,
	  "There was no room for out-of-order data. Look for loss before it, and at "
	  "net.ipv4.tcp_rmem." },
	{ "TCP_OVERWINDOW$", NULL,
	  "The data lies outside the receiver's window. Look at the sequence numbers." },
	{ "TCP_ACK_UNSENT_DATA$", NULL,
	  "It acknowledges what was never sent. Look at the acknowledgment number." },
	{ "TCP_OLD_", NULL,
	  "A duplicate: the connection already has this data. Nothing is wrong with the path." },
	{ "TCP_TOO_OLD_ACK$", NULL, "The acknowledgment is too old. Look for a reused tuple." },
	{ "TCP_OFOMERGE$", NULL,
	  "A duplicate: the connection already has this data. Nothing is wrong with the path." },

	/* Bytes that are not right. */
	{ "UDP_CSUM$", NULL,
	  "The UDP checksum is wrong. Look at what rewrote the packet without recomputing it." },
	{ "ICMP_CSUM$", NULL,
	  "The ICMP checksum is wrong. Look at what rewrote the packet without recomputing it." },
	{ "IP_CSUM$", NULL,
	  "The IPv4 header's checksum is wrong. Look at what rewrote the header without "
	  "recomputing it." },
	{ "SKB_CSUM$", NULL,
	  "The checksum could not be computed. Look at what rewrote the packet." },
	{ "PKT_TOO_SMALL$", NULL,
	  "The packet is shorter than its headers say. Look at what cut it." },
	{ "HDR_TRUNC$", NULL, "A header is cut off. Look at what cut the packet." },
	{ "INVALID_PROTO$", NULL,
	  "It breaks the rules of its protocol, as an ICMP broadcast does. Look at its type and "
	  "addresses." },
	{ "IPV6_BAD_EXTHDR$", NULL,
	  "An IPv6 extension header is not valid or not accepted. Look at the headers." },
	{ "IPV6_NDISC_HOP_LIMIT$", NULL,
	  "Neighbour discovery must come with hop limit 255 (RFC 4861): it has passed a router." },
	{ "IPV6_NDISC_NS_OTHERHOST$", NULL,
	  "A neighbour solicitation for an address that this node does not have. Look at which "
	  "node should have it." },
	{ "IPV6_NDISC_", NULL,
	  "The neighbour discovery message is not valid (RFC 4861). Look at its fields." },
	{ "SKB_GSO_SEG$", NULL,
	  "The super-packet could not be segmented. Look at what rewrote it, or send without "
	  "--gso." },
	{ "DUP_FRAG$", NULL,
	  "It overlaps a fragment that was there. Look for two senders with one identification." },
	{ "FRAG_REASM_TIMEOUT$", NULL,
	  "The other fragments did not come in time. Look for where one was lost, and at "
	  "net.ipv4.ipfrag_time." },
	{ "FRAG_TOO_FAR$", NULL,
	  "Too many other fragments came between. Look at net.ipv4.ipfrag_max_dist." },
	{ "NOMEM$", NULL, "The kernel had no memory for it. Look at the node's memory." },
	{ "PFMEMALLOC$", NULL,
	  "The kernel is so short of memory that it takes packets only for sockets that free some. "
	  "Look at the node's memory." },
	{ "QUEUE_PURGE$", NULL,
	  "The queue that it waited in was emptied: a device or socket went away. Look at who "
	  "removed it." },

	/* Only the place tells. */
	{ NULL, "nfqnl_",
	  "A program that reads a netfilter queue refused it. See "
	  "/proc/net/netfilter/nfnetlink_queue there, and that program's log." },
	{ NULL, "nf_reinject",
	  "A program that reads a netfilter queue refused it. See "
	  "/proc/net/netfilter/nfnetlink_queue there, and that program's log." },
	{ NULL, "nf_queue",
	  "A netfilter rule hands the packet to a program, but none is there. See `nft list "
	  "ruleset` for the queue's number." },
	{ NULL, "nf_hook_slow",
	  "A netfilter rule or a chain's policy dropped it. --trace-netfilter names it; see `nft "
	  "list ruleset`." },
	{ NULL, "ip_error",
	  "Routing rejects the destination: prohibit, unreachable or blackhole, or forwarding is "
	  "off. See `ip rule` and `ip route show table all`." },
	{ NULL, "ip6_pkt_",
	  "Routing rejects the destination: no route, prohibit or unreachable. See `ip -6 rule` "
	  "and `ip -6 route show table all`." },
	{ NULL, "dst_discard",
	  "Routing discards it silently: a blackhole route. See `ip route show table all`." },
	{ NULL, "ip_rcv_finish",
	  "Routing did not accept the packet from this device: reverse path filter, or an address "
	  "that may not be there. Look at net.ipv4.conf.*.rp_filter." },
	{ NULL, "ip_list_rcv_finish",
	  "Routing did not accept the packet from this device: reverse path filter, or an address "
	  "that may not be there. Look at net.ipv4.conf.*.rp_filter." },
	{ NULL, "ip_forward",
	  "It was not forwarded: it was not addressed to this node's device, or an IPsec policy "
	  "refuses it. See `ip xfrm policy`." },
	{ NULL, "ip6_forward",
	  "It was not forwarded: net.ipv6.conf.all.forwarding is off, or the addresses may not "
	  "leave their link." },
	{ NULL, "ip_rcv", "The IPv4 header is not valid. Look at what built the packet." },
	{ NULL, "ip6_rcv",
	  "The IPv6 header is not valid, or IPv6 is off on the device. Look at "
	  "net.ipv6.conf.*.disable_ipv6." },
	{ NULL, "ip_fragment",
	  "The packet is too big for the device and may not be fragmented. Compare the MTUs on the "
	  "path." },
	{ NULL, "ip6_fragment",
	  "The packet is too big for the device and may not be fragmented. Compare the MTUs on the "
	  "path." },
	{ NULL, "arp_error_report",
	  "Nobody answers for the next hop's address (ARP). Check that it is up and on that link; "
	  "see `ip neigh`." },
	{ NULL, "ndisc_error_report",
	  "Nobody answers for the next hop's address (neighbour discovery). Check that it is up "
	  "and on that link; see `ip neigh`." },
	{ NULL, "neigh_",
	  "The next hop's address was not resolved. Check that it is up; see `ip neigh`." },
	{ NULL, "__neigh_",
	  "It waits for the next hop's address (ARP or neighbour discovery). Check that it is up; "
	  "see `ip neigh`." },
	{ NULL, "netkit_xmit",
	  "A netkit program dropped it, the device's policy is drop and it has no program, or its "
	  "other end is down. See `bpftool net` and `ip -d link show`." },
	{ NULL, "veth_xmit",
	  "The pair's other end did not accept it: it is down, or its queue is full. See `ip -s "
	  "link show` at both ends." },
	{ NULL, "veth_",
	  "The pair's other end did not accept it: an XDP program, or a full ring. See `bpftool "
	  "net` and `ip -s link show`." },
	{ NULL, "__dev_forward_skb",
	  "The pair's other end did not accept it: it is down, or the packet is bigger than its "
	  "MTU. Compare `ip link show` at both ends." },
	{ NULL, "dev_forward_skb",
	  "The other device did not accept it: it is down, or the packet is bigger than its MTU. "
	  "Compare `ip link show` at both ends." },
	{ NULL, "do_xdp_generic",
	  "An XDP program[ on {place}] dropped it, or failed. See `bpftool net`." },
	{ NULL, "skb_do_redirect",
	  "A BPF program's redirect failed: the target device is missing, down, or of a kind that "
	  "cannot accept it. See `ip link show`, and the program." },
	{ NULL, "__bpf_redirect",
	  "A BPF program's redirect failed: the target device is missing, down, or of a kind that "
	  "cannot accept it. See `ip link show`, and the program." },
	{ NULL, "bpf_", "A BPF program's redirect failed. See `ip link show`, and the program." },
	{ NULL, "tcf_", "A tc action dropped it. See `tc -s filter show`." },
	{ NULL, "tcf", "A tc action dropped it. See `tc -s filter show`." },
	{ NULL, "br_handle_frame",
	  "The bridge did not accept the frame from this port: its state, its VLAN, or the frame's "
	  "source. See `bridge -d link` and `bridge vlan`." },
	{ NULL, "br_",
	  "The bridge did not forward it: port isolation, VLAN, or the port's state. See `bridge "
	  "-d link` and `bridge vlan`." },
	{ NULL, "__br_",
	  "The bridge did not forward it: port isolation, VLAN, or the port's state. See `bridge "
	  "-d link` and `bridge vlan`." },
	{ NULL, "ovs_",
	  "Open vSwitch dropped it: a flow without an output, or no answer from ovs-vswitchd. See "
	  "`ovs-appctl dpctl/dump-flows` and `ovs-appctl ofproto/trace`." },
	{ NULL, "do_execute_actions",
	  "An Open vSwitch flow dropped it. See `ovs-appctl dpctl/dump-flows` and `ovs-appctl "
	  "ofproto/trace`." },
	{ NULL, "ip_vs_",
	  "IPVS did not forward it: a Service without a server, or a connection that it does not "
	  "know. See `ipvsadm -Ln`." },
	{ NULL, "macvlan_",
	  "No macvlan device has this link-layer address. Compare it with `ip -d link show type "
	  "macvlan`." },
	{ NULL, "macvtap_",
	  "The macvtap device's reader did not accept it. Look at the virtual machine behind it." },
	{ NULL, "ipvlan_",
	  "No ipvlan device has this address. Compare it with `ip -d addr show type ipvlan`." },
	{ NULL, "vxlan_", "VXLAN did not accept it. See `ip -d link show type vxlan`." },
	{ NULL, "wg_",
	  "WireGuard refused it: no peer is allowed this address, or there is no handshake. See "
	  "`wg show`." },
	{ NULL, "ipip", "The tunnel did not accept it. See `ip -d tunnel show`." },
	{ NULL, "gre_", "The tunnel did not accept it. See `ip -d tunnel show`." },
	{ NULL, "ip_tunnel_", "The tunnel did not accept it. See `ip -d tunnel show`." },
	{ NULL, "tun_net_xmit",
	  "No program reads the tun device, or its queue is full. Look at the program behind it." },
	{ NULL, "xfrm",
	  "IPsec dropped it. See `ip xfrm policy`, `ip xfrm state` and "
	  "/proc/net/xfrm_stat." },
	{ NULL, "esp", "IPsec dropped it. See `ip xfrm state` and /proc/net/xfrm_stat." },
	{ NULL, "enqueue_to_backlog",
	  "Packets came in faster than the processor took them. Look at /proc/net/softnet_stat and "
	  "net.core.netdev_max_backlog." },
	{ NULL, "inet_frag",
	  "Its fragments were not reassembled in time. Look for where one was lost." },
	{ NULL, "ip_frag",
	  "Its fragments were not reassembled in time. Look for where one was lost." },
	{ NULL, "__netif_receive_skb",
	  "Nothing in this namespace accepts packets of this kind from[ {place}| the device]. "
	  "Check that the device has an address." },
	{ NULL, "tcp_",
	  "The TCP socket refused it: it does not fit the connection, or the listener is full. See "
	  "`ss -nt` and `nstat`." },
	{ NULL, "icmp",
	  "The ICMP message was not accepted: not valid, or ignored by a setting. Look at "
	  "net.ipv4.icmp_echo_ignore_all." },
};

struct fill {
	const char *place;
	const struct fg_cause *cause;
	char *buf;
	size_t size, len;
};

static void put(struct fill *f, const char *text, size_t len)
{
	if (len > f->size - 1 - f->len)
		len = f->size - 1 - f->len;
	memcpy(f->buf + f->len, text, len);
	f->len += len;
	f->buf[f->len] = '\0';
}

/* The word in braces at text; its value, "" if there is none. */
static const char *value_of(const struct fill *f, const char *text)
{
	const struct fg_cause *c = f->cause;
	const char *value = NULL;

	if (!strncmp(text, "{place}", 7))
		value = f->place;
	else if (c && !strncmp(text, "{what}", 6))
		value = c->what;
	else if (c && !strncmp(text, "{setting}", 9))
		value = c->setting;
	else if (c && !strncmp(text, "{value}", 7))
		value = c->value;
	else if (c && !strncmp(text, "{process}", 9))
		value = c->process;
	return value ? value : "";
}

static bool has_all(const struct fill *f, const char *text, const char *end)
{
	for (; text < end; text++)
		if (*text == '{' && !*value_of(f, text))
			return false;
	return true;
}

/* Text without brackets. */
static void put_words(struct fill *f, const char *text, const char *end)
{
	while (text < end) {
		size_t len = strcspn(text, "{");

		if (text + len > end)
			len = (size_t)(end - text);
		put(f, text, len);
		text += len;
		if (text == end)
			return;
		put(f, value_of(f, text), strlen(value_of(f, text)));
		text = strchr(text, '}') + 1;
	}
}

static void put_text(struct fill *f, const char *text)
{
	const char *open, *bar, *close;

	while ((open = strchr(text, '['))) {
		close = strchr(open, ']');
		bar = memchr(open, '|', (size_t)(close - open));
		put_words(f, text, open);
		if (has_all(f, open + 1, bar ? bar : close))
			put_words(f, open + 1, bar ? bar : close);
		else if (bar)
			put_words(f, bar + 1, close);
		text = close + 1;
	}
	put_words(f, text, text + strlen(text));
}

static bool begins(const char *text, const char *start)
{
	size_t len = strlen(start);

	if (!text)
		return false;
	if (start[len - 1] == '$')
		return strlen(text) == len - 1 && !strncmp(text, start, len - 1);
	return !strncmp(text, start, len);
}

static const char *text_by_cause(const struct fg_cause *cause)
{
	for (size_t i = 0; cause && i < COUNT(by_cause); i++)
		if (by_cause[i].kind == cause->kind &&
		    (!by_cause[i].how || (cause->how && !strcmp(by_cause[i].how, cause->how))))
			return by_cause[i].text;
	return NULL;
}

static const char *text_by_reason(const char *reason, const char *symbol)
{
	for (size_t i = 0; i < COUNT(by_reason); i++)
		if ((!by_reason[i].reason || begins(reason, by_reason[i].reason)) &&
		    (!by_reason[i].symbol || begins(symbol, by_reason[i].symbol)))
			return by_reason[i].text;
	return NULL;
}

bool fg_hint_for(const char *reason, const char *symbol, const char *place,
		 const struct fg_cause *cause, char *buf, size_t size)
{
	struct fill f = { .place = place, .cause = cause, .buf = buf, .size = size };
	const char *text = text_by_cause(cause);

	if (!text)
		text = text_by_reason(reason, symbol);
	if (!text || !size)
		return false;
	buf[0] = '\0';
	put_text(&f, text);
	return true;
}
