#!/usr/bin/env bats
# How pods are wired to the host: what works, and what is refused with the reason. (CNI's ptp and bridge: realpods.bats.)
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53
}
teardown_file() { node_down; }
teardown() {
	local name
	for name in $(node ls /run/netns); do
		[ "$name" = dst ] || podctl del "$name" 2> /dev/null || node ip netns del "$name"
	done
}

# link NAME TYPE...: a device of the node that moves to the pod's namespace as eth0; skipped where the kernel has no such kind.
link() {
	local pod=$1
	shift
	node ip netns add "$pod"
	node ip link add "$@" 2> /dev/null || {
		node ip netns del "$pod"
		skip "this kernel has no such device: $*"
	}
}

# refuses POD EXPRESSION: inject does, with exit status 3, and `flowgen pods` says the same.
refuses() {
	inject_as "$1"
	is_status 3
	complains "$2"
	listed "$1"
	holds '.method == null and .device == null and .programs == [] and .netns.inode > 0'
	[[ $(value .refused) =~ $2 ]]
}

inject_as() { flowgen inject --pod "netns:$1" --dst 10.9.0.9:53 --proto udp "${@:2}"; }

# listed POD: its line of `flowgen pods`, in $output.
listed() {
	flowgen pods --output json
	is_status 0
	fits_schema pod
	output=$(jq -c "select(.name == \"$1\")" <<< "$output")
	[ "$(lines)" = 1 ]
}

works() {
	inject_as "$@"
	is_status 0
	holds '.outcome == "delivered"'
	listed "$1"
	holds '.refused == null and .method != null and .device.primary != null'
}

@test "veth with routes on the host" {
	podctl up web --addr 10.9.1.2/32
	works web
	holds '.device.kind == "veth" and .device.mode == null and .device.primary == "hweb"'
}

@test "veth on a bridge" {
	podctl up web --addr 10.9.5.2/24 --gw 10.9.5.1 --bridge br0
	works web
}

@test "netkit, L2 and L3, with a primary and a peer program" {
	need netkit
	local mode
	for mode in l2 l3; do
		podctl up web --addr 10.9.1.2/32 --kind netkit --mode "$mode"
		attach web netkit/peer next_all
		attach web netkit/primary next_all
		works web
		holds ".device.kind == \"netkit\" and .device.mode == \"$mode\""
		holds '.programs | length == 1 and .[0].hook == "netkit/peer" and .[0].side == "pod"'
		podctl del web
	done
}

@test "two ends with the same index are a pair all the same" {
	node ip netns add web
	node ip link add hweb index 4242 type veth peer name eth0 index 4242 netns web
	in_pod web ip addr add 10.9.1.2/24 dev eth0
	in_pod web ip link set eth0 up
	node ip link set hweb up
	node ip addr add 10.9.1.1/24 dev hweb
	in_pod web ip route add default via 10.9.1.1
	works web
	holds '.device.peer_ifindex == 4242 and .device.primary_ifindex == 4242'
	inject_as web
	holds '.pod.device.peer_ifindex == 4242 and .pod.device.primary_ifindex == 4242'
	node ip link del hweb
}

@test "a pair with both ends in the pod leads nowhere" {
	node ip netns add web
	in_pod web ip link add eth0 type veth peer name eth1
	in_pod web ip link set eth0 up
	refuses web 'other end of its device eth0 is in the pod itself'
}

@test "an end of the pair is down: inject says which, and so does the list" {
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128
	node ip link set hweb down
	for dst in 10.9.0.9:53 '[fd00::9]:53'; do
		flowgen inject --pod netns:web --dst "$dst" --proto udp
		is_status 3
		complains 'pod netns:web: its host-side device hweb is down'
	done
	listed web
	holds '.note == "its host-side device hweb is down" and .refused == null and .device.primary == "hweb"'
	node ip link set hweb up
	in_pod web ip link set eth0 down
	inject_as web
	is_status 3
	complains 'pod netns:web: its device eth0 is down'
	listed web
	holds '.note == "its device eth0 is down"'
	# The others are listed as ever.
	listed dst
	holds '.note == null and .method != null'
}

@test "a host side that was moved to another namespace: told, and the others are listed" {
	podctl up web --addr 10.9.1.2/32
	node ip netns add inside
	node ip link set hweb netns inside
	inject_as web
	is_status 3
	complains 'its host-side device hweb, in the namespace inside, is down'
	in_pod inside ip link set hweb up
	inject_as web
	is_status 3
	complains 'pod netns:web: .*\(its host-side device hweb is in the namespace inside\)'
	listed web
	holds '.note == "its host-side device hweb is in the namespace inside" and .refused == null'
	listed dst
	holds '.note == null and .method != null'
}

@test "the primary end of a netkit pair in a namespace: its row says so" {
	need netkit
	podctl up web --addr 10.9.1.2/32 --kind netkit
	node ip netns add inside
	node ip link set hweb netns inside
	in_pod inside ip link set hweb up
	refuses inside 'device hweb is the primary end of a netkit pair'
	listed web
	holds '.note == "its host-side device hweb is in the namespace inside"'
	listed dst
	holds '.note == null and .method != null'
}

@test "macvlan: no pair" {
	link web mv0 link hdst type macvlan
	node ip link set mv0 netns web name eth0
	in_pod web ip link set eth0 up
	refuses web 'device eth0 \(macvlan\) is not an end of a veth or netkit pair'
}

@test "macvlan with the index that its parent has: no pair either" {
	# An index that no other device of the pod's namespace has got by itself.
	node ip link add wire index 4243 type veth peer name erif
	node ip netns add web
	node ip link add link wire name eth0 index 4243 netns web type macvlan || skip 'this kernel has no macvlan'
	in_pod web ip -o link show eth0 | grep "^4243: eth0@if4243:"
	refuses web '\(macvlan\)'
	node ip link del wire
}

@test "ipvlan: no pair" {
	link web iv0 link hdst type ipvlan
	node ip link set iv0 netns web name eth0
	in_pod web ip link set eth0 up
	refuses web 'device eth0 \(ipvlan\) is not an end of a veth or netkit pair'
}

@test "hardware of the pod's own, as with SR-IOV: no pair" {
	# Hardware has no kind either, and that is what a tun device shows here.
	node ip netns add web
	in_pod web ip tuntap add eth0 mode tap 2> /dev/null || skip 'this kernel has no tun'
	in_pod web ip link set eth0 up
	refuses web 'device eth0 \((tun|hardware)\) is not an end of a veth or netkit pair'
}

@test "nothing but loopback" {
	node ip netns add web
	refuses web 'has no network device|device .* is no end'
}

@test "the host's own network" {
	flowgen inject --pod pid:1 --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'host network'
}

# two_pairs: a pod with two pairs to the host, eth0 and net1.
two_pairs() {
	podctl up web --addr 10.9.1.2/32
	node ip link add hnet1 type veth peer name net1 netns web
	node ip link set hnet1 up
	node ip addr add 10.9.3.1/24 dev hnet1
	in_pod web ip addr add 10.9.3.2/24 dev net1
	in_pod web ip link set net1 up
}

@test "several interfaces: that of the default route, or the one that is named" {
	two_pairs
	works web
	holds '.device.peer == "eth0" and .addresses[0] == "10.9.1.2"'
	flowgen inject --pod netns:web --interface net1 --dst 10.9.3.1:53 --proto udp
	is_status 0
	holds '.pod.device.peer == "net1" and .pod.device.primary == "hnet1" and .packet.src == "10.9.3.2"'
	inject_as web --interface eth9
	is_status 3
	complains 'no device eth9'
	inject_as web --interface lo
	is_status 3
	complains 'lo \(loopback\)'
	# The pod's own routes send it elsewhere.
	inject_as web --interface net1
	is_status 3
	complains 'net1|route'
}

@test "several interfaces and no default route: which one is meant has to be said" {
	two_pairs
	in_pod web ip route del default
	inject_as web
	is_status 2
	complains '2 pairs to the host.*--interface'
	listed web
	[[ $(value .refused) == *'2 pairs'* ]]
	flowgen inject --pod netns:web --interface net1 --dst 10.9.3.1:53 --proto udp
	is_status 0
}

@test "a second interface without a pair is not taken for one" {
	podctl up web --addr 10.9.1.2/32
	node ip link add mv1 link hdst type macvlan 2> /dev/null || skip 'this kernel has no macvlan'
	node ip link set mv1 netns web name net1
	works web
	holds '.device.peer == "eth0"'
	inject_as web --interface net1
	is_status 3
	complains 'net1 \(macvlan\)'
}

@test "a node that is a namespace itself, looked at from outside" {
	podctl up web --addr 10.9.1.2/32
	local root=/proc/$NODE_PID/root
	run --separate-stderr "$FLOWGEN" inject --pod "$root/run/netns/web" --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered" and .pod.device.primary == "hweb"'
	run --separate-stderr "$FLOWGEN" inject --host-root "$root" --pod netns:web --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered" and .pod.name == "web"'
	run --separate-stderr "$FLOWGEN" pods --host-root "$root" --output json
	is_status 0
	fits_schema pod
	[ "$(jq -r .name <<< "$output" | sort | xargs)" = 'dst web' ]
}

# inner_node: a pod of this node that is a node itself, with the pods leaf and leaf2.
inner_node() {
	local n=0 leaf
	node ip netns add leaf
	node ip netns add leaf2
	podctl up kn --addr 10.9.3.2/24 --gw 10.9.3.1 --addr fd00:3::2/64 --gw fd00:3::1
	in_pod kn sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for leaf in leaf leaf2; do
		n=$((n + 1))
		in_pod kn ip link add "h$leaf" type veth peer name eth0 netns "$leaf"
		in_pod kn ip addr add "10.8.$n.1/24" dev "h$leaf"
		in_pod kn ip -6 addr add "fd00:8:$n::1/64" dev "h$leaf" nodad
		in_pod kn ip link set "h$leaf" up
		in_pod "$leaf" ip addr add "10.8.$n.2/24" dev eth0
		in_pod "$leaf" ip -6 addr add "fd00:8:$n::2/64" dev eth0 nodad
		in_pod "$leaf" ip link set eth0 up
		in_pod "$leaf" ip route add default via "10.8.$n.1"
		in_pod "$leaf" ip -6 route add default via "fd00:8:$n::1"
	done
	node ip route add 10.8.0.0/16 via 10.9.3.2
	node ip -6 route add fd00:8::/32 via fd00:3::2
}

# from_leaf DESTINATION [OPTION...]: as a pod of the inner node, by a flowgen that runs in the inner node.
from_leaf() { run --separate-stderr in_pod kn "$FLOWGEN" inject --pod netns:leaf --dst "$1" --proto udp "${@:2}"; }

@test "run in a node that is a container: what is above and beside it is not taken for a pod" {
	local before dst
	inner_node
	podctl up beside --addr 10.9.6.9/24 --gw 10.9.6.1 --addr fd00:6::9/64 --gw fd00:6::1
	# Its own pods are, and do not notice.
	for dst in 10.8.2.2 '[fd00:8:2::2]'; do
		from_leaf "$dst:53"
		is_status 0
		if can tcx; then holds '.outcome == "delivered" and .stopped'; fi
	done
	# A server beside it gets what it is sent, as one on any other host would. Without tcx no socket of this kernel does.
	serve beside 54
	before=$(served 54)
	for dst in 10.9.6.9 '[fd00:6::9]'; do
		from_leaf "$dst:54"
		is_status 0
		if can tcx; then holds '.outcome == "delivered" and (.stopped | not)'; else holds '.outcome == "delivered" and .stopped'; fi
	done
	if can tcx; then [ "$(served 54)" = $((before + 2)) ]; else [ "$(served 54)" = "$before" ]; fi
	# The node above: nothing listens there, and that is what is said.
	for dst in 10.9.3.1 '[fd00:3::1]'; do
		from_leaf "$dst:55"
		is_status 0
		# Without tcx answers are not seen, and what is left is the drop.
		if can tcx; then holds '.outcome == "rejected" and .drop.reason == "NO_SOCKET"'; else holds '.outcome == "dropped" and .drop.reason == "NO_SOCKET"'; fi
	done
	# From above the pods of the inner node are below, and do not notice.
	if can tcx; then
		podctl up web --addr 10.9.1.2/32
		flowgen inject --pod netns:web --dst 10.8.2.2:53 --proto udp
		is_status 0
		holds '.outcome == "delivered" and .stopped'
	fi
}

@test "where the other ends of pairs are is asked once, and not for each pod" {
	command -v strace > /dev/null || skip 'strace is not installed'
	local n opened
	node ip netns add kn
	for n in {1..20}; do
		node ip netns add "p$n"
		in_pod kn ip link add "h$n" type veth peer name eth0 netns "p$n"
		in_pod "p$n" ip link set eth0 up
	done
	node strace -qq -e trace=openat -o "$NODE_DIR/opened" "$FLOWGEN" pods --output json > "$NODE_DIR/listed"
	[ "$(jq -r 'select(.note) | .name' "$NODE_DIR/listed" | wc -l)" -ge 20 ]
	opened=$(grep -c '/run/netns/' "$NODE_DIR/opened")
	# Of 22 namespaces; each for each would be 484.
	[ "$opened" -le 260 ] || { echo "opened: $opened"; false; }
}
