#!/usr/bin/env bats
# The neighbours: the pod that a probe goes to does not notice it, and the pod that it is sent as sees no answer, in
# every wiring; and nobody else on the node can change that.
load helpers

setup() { node_up; }
teardown() { node_down; }

# received POD: how many IP packets its stack has counted.
received() { in_pod "$1" awk '/^Ip: [0-9]/ { print $4 }' /proc/net/snmp; }

# decoy ADDRESS...: a namespace of an unprivileged user, with these addresses on its loopback device.
decoy() {
	printf 'addr add %s dev lo\n' "$@" > "$NODE_DIR/decoy"
	node unshare --user --map-root-user --net sh -c '
		ip link set lo up && ip -batch '"$NODE_DIR/decoy"' && echo ready && exec sleep 999' > "$NODE_DIR/ready" 3>&- 7>&- &
	DECOY=$!
	wait_for grep -q ready "$NODE_DIR/ready"
}

# A Service at 10.96.0.1 in front of the pod dst, on a node with ten more pods.
service() {
	local i
	pods_up
	for i in 0 1 2 3 4 5 6 7 8 9; do podctl up "more$i" --addr "10.9.4.$((i + 1))/32"; done
	node nft "table ip service { chain c { type nat hook prerouting priority -100; ip daddr 10.96.0.1 dnat to 10.9.0.9; }; }"
	node ip route add 10.96.0.0/16 dev hmore0
}

@test "an address of the destination on somebody's lo counts for nothing" {
	need tcx
	pods_up
	decoy 10.9.0.9/32 10.9.1.2/32
	serve dst 53
	local before
	before=$(received dst)
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	[ -z "$stderr" ]
	holds '.outcome == "delivered"'
	[ "$(received dst)" = "$before" ]
	[ "$(served 53)" = 0 ]
	kill "$DECOY"
}

@test "hundreds of addresses of one pod change no probe to another" {
	need tcx
	pods_up
	podctl up other --addr 10.9.2.2/32
	seq 1 200 | sed 's/.*/addr add 10.200.0.&\/32 dev lo\naddr add 10.200.1.&\/32 dev lo/' > "$NODE_DIR/addresses"
	in_pod other ip -batch "$NODE_DIR/addresses"
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered"'
	[ -z "$stderr" ]
	# One that no pod holds, whose translation may lead anywhere.
	inject --dst 10.200.9.9:53 --proto udp
	holds '.outcome != "inconclusive"'
	[[ $stderr == *'counts a received IP packet, and sees nothing else' ]]
}

@test "a pod with many pairs of its own makes no probe slow" {
	need tcx
	pods_up
	in_pod dst sh -c 'for i in $(seq 1 60); do echo "link add a$i type veth peer name b$i"; done | ip -batch -'
	node ip netns add child
	in_pod dst sh -c 'for i in $(seq 1 60); do echo "link set b$i netns child"; done | ip -batch -'
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered"'
}

@test "a Service on a node with many pods: no socket sees it, nor does anything in the stack, and that is told" {
	need tcx
	service
	serve dst 53
	[ "$(in_pod dst ss -Hltn | wc -l)" = 0 ]
	local before
	before=$(received dst)
	inject --dst 10.96.0.1:53 --proto udp
	is_status 0
	[[ $stderr == 'flowgen: warning: no pod holds a destination address'*'counts a received IP packet, and sees nothing else' ]]
	holds '.outcome == "delivered"'
	[ "$(received dst)" = $((before + 1)) ]
	[ "$(served 53)" = 0 ]
	# A closed TCP port: the stack would answer with a reset.
	local resets
	resets=$(in_pod dst awk '/^Tcp: [0-9]/ { print $15 }' /proc/net/snmp)
	inject --dst 10.96.0.1:81 --proto tcp
	holds '.outcome == "delivered"'
	[ "$(in_pod dst awk '/^Tcp: [0-9]/ { print $15 }' /proc/net/snmp)" = "$resets" ]
	flowgen inject --pod netns:web --dst 10.96.0.1:53 --proto udp --output text
	[[ $output == *"intercepted in the pod's IP stack"* ]]
	# What of the pod's netfilter comes before its input is met, and what is at input is not.
	local hook
	for hook in prerouting input; do
		in_pod dst nft "table ip t { chain c { type filter hook $hook priority 0; udp dport 9 drop; }; }"
		inject --dst 10.96.0.1:53 --proto udp
		if [ "$hook" = prerouting ]; then
			holds '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.stages.ingress == "allowed"'
		else
			holds '.outcome == "delivered" and .policy.verdict == "none"'
		fi
		in_pod dst nft flush ruleset
	done
	# What comes before the stack counts: programs at the device in the pod.
	attach dst tcx/ingress deny_port --other-side --proto udp --port 54 > /dev/null
	inject --dst 10.96.0.1:54 --proto udp
	holds '.outcome == "dropped" and .policy.verdict == "denied"'
}

@test "a node's own port that leads to a pod: the same" {
	need tcx
	service
	serve dst 53
	node nft add rule ip service c udp dport 30053 dnat to 10.9.0.9:53
	inject --dst "$(node ip -j -4 addr show hmore1 | jq -r '.[0].addr_info[0].local')":30053 --proto udp
	is_status 0
	holds '.outcome == "delivered"'
	[ "$(served 53)" = 0 ]
}

@test "a pod that takes another's place during a run is spared too" {
	need tcx
	pods_up
	node nft 'table ip service { chain c { type nat hook prerouting priority -100; ip daddr 10.96.0.1 dnat to 10.9.0.9; }; }'
	node ip route add 10.96.0.0/16 via 10.9.1.2
	local to watch seen
	for to in 10.9.0.9 10.96.0.1; do
		cat > "$NODE_DIR/later.yaml" <<- YAML
			name: later
			pods: {web: "netns:web"}
			probes:
			  - {from: web, to: $to, proto: udp, dport: 53, expect: {outcome: delivered}}
		YAML
		node "$FLOWGEN" run "$NODE_DIR/later.yaml" -o text --watch --interval 50ms > "$NODE_DIR/later" 2>&1 3>&- 7>&- &
		watch=$!
		sleep 0.5
		podctl del dst
		# Its namespace may have the same inode number.
		podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
		serve dst 53
		sleep 0.5
		seen=$(received dst)
		sleep 0.5
		kill "$watch"
		[ "$(received dst)" = "$seen" ]
		[ "$(served 53)" = 0 ]
	done
}

@test "many sending pods may be destinations too, and of two runs at once" {
	need tcx
	service
	local i
	for ((i = 10; i < 20; i++)); do podctl up "more$i" --addr "10.9.4.$((i + 1))/32"; done
	cat > "$NODE_DIR/both.yaml" <<- 'YAML'
		name: both
		pods: {p: {name: "more*"}}
		destinations: {service: 10.96.0.1}
		probes:
		  - {from: p, to: service, proto: udp, dport: 53, expect: {outcome: delivered}}
	YAML
	# Its programs stay in the stacks of all pods meanwhile.
	node "$FLOWGEN" run "$NODE_DIR/both.yaml" -o text --watch --interval 60s > "$NODE_DIR/first" 2>&1 3>&- 7>&- &
	local first=$!
	wait_for grep -q 'more than 8 pods' "$NODE_DIR/first"
	run --separate-stderr node "$FLOWGEN" run -o text "$NODE_DIR/both.yaml"
	kill "$first"
	is_status 0
}

@test "of many sending pods none sees an answer" {
	need tcx
	local i pods=20
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	for ((i = 0; i < pods; i++)); do podctl up "p$i" --addr "10.9.5.$((i + 1))/32"; done
	# The node refuses, with a reset and with an ICMP error.
	node nft 'table ip no { chain c { type filter hook forward priority 0; tcp dport 80 reject with tcp reset; udp dport 80 reject; }; }'
	cat > "$NODE_DIR/many.yaml" <<- 'YAML'
		name: many
		pods: {p: {name: "p*"}}
		destinations: {dst: 10.9.0.9}
		probes:
		  - {from: p, to: dst, proto: tcp, dport: 80, expect: {outcome: rejected}}
		  - {from: p, to: dst, proto: udp, dport: 80, expect: {outcome: rejected}}
	YAML
	run --separate-stderr node "$FLOWGEN" run "$NODE_DIR/many.yaml" --output json
	is_status 0
	[[ $stderr == *'more than 16 pods send'*'counts'* || $stderr == *'more than 16 pods send'*'count a reply'* ]]
	for ((i = 0; i < pods; i++)); do
		[ "$(in_pod "p$i" awk '/^Tcp: [0-9]/ { print $11 } /^Icmp: [0-9]/ { print $2 }' /proc/net/snmp | tr '\n' ' ')" = '0 0 ' ]
	done
}

@test "a pod behind a bridge is found by the bridge's own table, whoever else claims its address" {
	need tcx
	# The bridge reports its own groups (IGMP) to all ports, and the pods' stacks count that.
	node sysctl -qw net.ipv4.igmp_link_local_mcast_reports=0
	podctl up web --addr 10.9.1.2/24 --gw 10.9.1.1 --bridge br0
	podctl up dst --addr 10.9.1.9/24 --gw 10.9.1.1 --bridge br0
	podctl up other --addr 10.9.1.7/24 --gw 10.9.1.1 --bridge br0
	in_pod other ip addr add 10.9.1.9/32 dev lo
	local before
	in_pod other sysctl -qw net.ipv4.conf.all.arp_ignore=1
	inject --dst 10.9.1.9:53 --proto udp
	before=$(received dst)
	inject --dst 10.9.1.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered"'
	[ "$(received dst)" = "$before" ]
}

# Connection tracking on the node, in the zones that the rules say.
track() { node nft "table ip track { chain z { type filter hook prerouting priority raw; $1 }; chain f { type filter hook forward priority 0; ct state new counter; }; }"; }

@test "connection tracking is asked in every zone, and tidied there" {
	local rule
	for rule in 'iifname "hweb" ct zone set 7' 'iifname "hweb" ct original zone set 7'; do
		pods_up
		track "$rule;"
		inject --dst 10.9.0.9:53 --proto udp --sport 4000 --tidy
		is_status 0
		holds '.state | length == 1 and .[0].zone == 7 and .[0].removed'
		[ "$(node conntrack -L 2> /dev/null | grep -c 10.9.1.2)" = 0 ]
		inject --dst 10.9.0.9:53 --proto udp --sport 4000
		is_status 0
		holds '.state | length == 1 and .[0].zone == 7 and (.[0].removed | not)'
		inject --dst 10.9.0.9:53 --proto udp --sport 4000
		is_status 2
		[[ $stderr == *'is in use: connection tracking of the host has'*'zone 7, unreplied'* ]]
		node nft delete table ip track
		node conntrack -F 2> /dev/null
		pods_down
	done
}

@test "entries for every port of the pod, from whomever, do not stop a probe" {
	pods_up
	track ''
	node sysctl -qw net.netfilter.nf_conntrack_udp_timeout=600
	in_pod web "$PYTHON" -c '
import socket
for port in range(32768, 61000):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("10.9.1.2", port)); s.sendto(b"", ("10.9.0.9", 53))'
	[ "$(node conntrack -C)" -gt 28000 ]
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	# Without tcx it comes to the pod's sockets, of which none listens there.
	holds ".outcome == \"$(can tcx && echo delivered || echo rejected)\""
	# One that was asked for by number is still refused.
	inject --dst 10.9.0.9:53 --proto udp --sport 40000
	is_status 2
}
