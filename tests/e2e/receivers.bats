#!/usr/bin/env bats
# Where packets come by in fact: several backends behind one address, devices that no route names, many receivers.

load helpers

setup() { node_up; }
teardown() { node_down; }

# A Service in front of two pods: source ports decide which.
two_backends() {
	podctl up web --addr 10.9.1.2/32
	podctl up one --addr 10.9.2.2/32
	podctl up two --addr 10.9.3.2/32
	node nft -f - <<-'END'
		table ip service {
			chain c {
				type nat hook prerouting priority -100;
				ip daddr 10.96.0.1 udp sport 1-999 dnat to 10.9.2.2
				ip daddr 10.96.0.1 dnat to 10.9.3.2
			}
		}
	END
	# So that the Service's address has a way out.
	node ip route add 10.96.0.0/16 dev hone
}

# of PORT FILTER: of the result of the packet from that port.
of() { jq -se --argjson port "$1" "map(select(.packet.sport == \$port)) | length == 1 and (.[0] | $2)" <<< "$output" > /dev/null || { show && return 1; }; }

@test "a Service with two backends in one window: each its own policy" {
	need tcx
	two_backends
	attach two tcx/egress next_all --other-side > /dev/null
	inject --dst 10.96.0.1:53 --proto udp --sport 900,1900 --count 2
	is_status 0
	of 900 '.outcome == "delivered" and .policy.verdict == "none"'
	of 1900 '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.stages.ingress == "allowed"'
	# What a window has found out is known in the next.
	attach one tcx/egress deny_port --other-side --proto udp --port 53 > /dev/null
	inject --dst 10.96.0.1:53 --proto udp --sport 1901,901 --count 2
	of 901 '.outcome == "dropped" and .policy.verdict == "denied" and .policy.denied_by.name == "deny_port" and .policy.denied_by.device == "hone"'
	of 1901 '.outcome == "delivered" and .policy.verdict == "allowed"'
}

@test "a device that another rule leads to: its programs count" {
	need tcx
	podctl up web --addr 10.9.1.2/32
	podctl up out --addr 10.9.2.2/24 --gw 10.9.2.1
	podctl up aside --addr 10.9.3.2/24 --gw 10.9.3.1
	node ip route add 10.20.0.0/16 via 10.9.2.2
	node ip route add 10.20.0.0/16 via 10.9.3.2 table 9
	node ip rule add iif hweb lookup 9
	attach aside tcx/egress next_all --other-side > /dev/null
	inject --dst 10.20.0.1:53 --proto udp
	holds '.policy.stages.ingress == "allowed"'
	holds '.policy.programs | map(select(.device == "haside")) | length == 1 and .[0].ran'
}

@test "programs at the bridge that the pod is a port of count" {
	need tcx
	podctl up web --addr 10.9.1.2/24 --gw 10.9.1.1 --bridge br0
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	podctl up aside --addr 10.9.3.2/24 --gw 10.9.3.1
	id=$(attach aside tcx/egress next_all --other-side)
	node tc qdisc add dev br0 clsact
	node mount -t bpf bpf /sys/fs/bpf
	node bpftool prog pin id "$id" /sys/fs/bpf/p
	node tc filter add dev br0 ingress bpf da object-pinned /sys/fs/bpf/p
	inject --dst 10.9.0.9:53 --proto udp
	holds '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.stages.node == "allowed"'
	holds '.policy.programs | map(select(.device == "br0")) | length == 1 and .[0].ran'
}

@test "the second look leaves no table behind" {
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	node nft 'table ip t { chain f { type filter hook forward priority 0; ip daddr 10.9.0.9 drop; }; }'
	local before
	before=$(node nft list ruleset)
	inject --dst 10.9.0.9:53 --proto udp
	holds '.attempts == 2 and .policy.verdict == "denied"'
	[ "$(node nft list ruleset)" = "$before" ]
}

@test "many receivers: descriptors are closed again" {
	local i
	podctl up web --addr 10.9.1.2/32
	for ((i = 1; i <= 60; i++)); do
		podctl up "p$i" --addr "10.8.0.$i/32" > /dev/null
	done
	{
		printf 'name: many\npods: {web: {name: web}}\ndestinations:\n'
		for ((i = 1; i <= 60; i++)); do echo "  d$i: 10.8.0.$i"; done
		printf 'probes:\n'
		for ((i = 1; i <= 60; i++)); do echo "  - {from: web, to: d$i, dport: 53, proto: udp, expect: allow}"; done
	} > "$BATS_TEST_TMPDIR/many.yaml"
	run --separate-stderr node prlimit --nofile=160 "$FLOWGEN" run "$BATS_TEST_TMPDIR/many.yaml" --output tap
	is_status 0
	[ "$(grep -c ^ok <<< "$output")" = 60 ]
}

@test "a soft limit on descriptors that is too low is raised as far as the hard one allows" {
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	run --separate-stderr node prlimit --nofile=24:24 "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp
	is_status 5
	[[ $stderr == *'Too many open files'* ]]
	run --separate-stderr node prlimit --nofile=24:4096 "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp
	is_status 0
	# Without tcx it comes to the pod's stack, where nothing listens.
	holds ".outcome == \"$(can tcx && echo delivered || echo dropped)\""
}

# three_alike: pods with one address of each family; only what the node says tells which is meant.
three_alike() {
	local n
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128
	for n in 1 2 3; do
		node ip netns add "a$n"
		node ip link add "ha$n" type veth peer name eth0 netns "a$n"
		node ip link set "ha$n" up
		in_pod "a$n" ip link set eth0 up
		in_pod "a$n" ip addr add 10.9.7.7/24 dev eth0
		in_pod "a$n" ip route add default via 10.9.7.1
		in_pod "a$n" ip -6 addr add fd00:7::7/64 dev eth0 nodad
		in_pod "a$n" ip -6 route add default via fd00:7::1
	done
}

# goes_to POD [flooded]: the packets do, and its program decides; only its programs are in the result, unless others
# got a copy.
goes_to() {
	local dst bpf='(.decisions | map(select(.kind == "bpf") | .device))'
	for dst in 10.9.7.7 '[fd00:7::7]'; do
		inject --dst "$dst:53" --proto udp
		is_status 0
		if [ "$1" = a2 ]; then
			holds '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.stages.ingress == "allowed"'
		else
			holds ".outcome == \"dropped\" and .policy.verdict == \"denied\" and .policy.denied_by.device == \"h$1\""
		fi
		if [ "${2:-}" = flooded ]; then holds "$bpf | contains([\"h$1\"])"; else holds "$bpf == [\"h$1\"]"; fi
	done
}

@test "three pods with one address: the one that the node's route or neighbour table leads to" {
	need tcx
	three_alike
	local n how
	attach a1 tcx/egress drop_all --other-side > /dev/null
	attach a2 tcx/egress next_all --other-side > /dev/null
	attach a3 tcx/egress drop_all --other-side > /dev/null
	for n in 2 1 3; do
		node ip addr add 10.9.7.1/24 dev "ha$n"
		node ip -6 addr add fd00:7::1/64 dev "ha$n" nodad
		node ip neigh replace 10.9.7.7 lladdr "$(mac_of "a$n")" dev "ha$n"
		node ip neigh replace fd00:7::7 lladdr "$(mac_of "a$n")" dev "ha$n"
		goes_to "a$n"
		node ip addr flush dev "ha$n"
	done
	# Ports of one bridge: by the MAC address.
	node ip link add br7 type bridge
	node ip link set br7 up
	node ip addr add 10.9.7.1/24 dev br7
	node ip -6 addr add fd00:7::1/64 dev br7 nodad
	for n in 1 2 3; do node ip link set "ha$n" master br7; done
	for how in flooded learnt; do
		for n in 3 2 1; do
			# Its MAC address is not known to the bridge at first.
			[ "$how" = flooded ] || node bridge fdb replace "$(mac_of "a$n")" dev "ha$n" master static
			node ip neigh replace 10.9.7.7 lladdr "$(mac_of "a$n")" dev br7
			node ip neigh replace fd00:7::7 lladdr "$(mac_of "a$n")" dev br7
			[ "$how" = learnt ] || node ip link set br7 type bridge fdb_flush
			goes_to "a$n" "$how"
		done
	done
}

@test "a pod that holds the address, but the route leads to another one" {
	need tcx
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	# Of a network of its own, without a way to it.
	node ip netns add island
	node ip link add hisland type veth peer name eth0 netns island
	node ip link set hisland up
	in_pod island ip link set eth0 up
	in_pod island ip addr add 10.9.44.4/24 dev eth0
	attach island tcx/egress drop_all --other-side > /dev/null
	node ip route add 10.9.44.4 via 10.9.0.9
	inject --dst 10.9.44.4:53 --proto udp
	is_status 0
	holds '(.decisions | map(select(.kind == "bpf")) == []) and .policy.verdict != "denied"'
}

@test "XDP in the driver of several senders and receivers in one run" {
	need tcx # else there would have to be sockets
	local n
	{
		echo 'name: xdp'
		echo 'pods: { senders: { name: "s*" } }'
		echo 'probes:'
		for n in 1 2 3 4 5 6; do
			echo "  - { from: senders, to: 10.9.3$n.2, dport: 53, proto: udp, expect: delivered }"
			echo "  - { from: senders, to: \"fd00:3$n::2\", dport: 53, proto: udp, expect: delivered }"
		done
	} > "$NODE_DIR/xdp.yaml"
	for n in 1 2 3 4 5 6; do
		podctl up "s$n" --addr "10.9.2$n.2/32" --addr "fd00:2$n::2/128"
		podctl up "r$n" --addr "10.9.3$n.2/32" --addr "fd00:3$n::2/128"
		attach "s$n" xdp xdp_pass > /dev/null
		attach "r$n" xdp xdp_pass --other-side > /dev/null
	done
	flowgen run -o text "$NODE_DIR/xdp.yaml"
	is_status 0
	[[ $output == *'72 probes: 72 as expected'* ]]
}
