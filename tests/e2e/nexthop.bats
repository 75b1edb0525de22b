#!/usr/bin/env bats
# The next hop in each wiring: the frame carries the address that the pod's own kernel would have written to, and gets there.
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }
teardown() { pods_down; }

# mac_of POD: of its eth0.
mac_of() { in_pod "$1" ip -o link show dev eth0 | sed -n 's/.*link\/ether \([^ ]*\).*/\1/p'; }
# host_mac DEVICE: of a device of the node.
host_mac() { node ip -o link show dev "$1" | sed -n 's/.*link\/ether \([^ ]*\).*/\1/p'; }

# goes_to MAC: the frame's destination, and the pod as its source.
goes_to() {
	holds ".packet.bytes | startswith(\"$(tr -d : <<< "$1$(mac_of web)")\")"
}

# A new device works for IPv6 only after a moment.
settle_ipv6() {
	wait_for in_pod "$1" ping -6 -c 1 -W 1 -q "$2" > "$NODE_DIR/ping"
	in_pod "$1" ip -6 neigh flush all
}

@test "point to point: a /32 and the gateway 169.254.1.1, whose address nobody knows yet" {
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	in_pod web ip neigh flush all
	inject --dst 10.9.0.9:53 --proto udp --bytes
	is_status 0
	holds '.outcome == "delivered" or .drop.reason == "NO_SOCKET"'
	goes_to "$(host_mac hweb)"
}

@test "a gateway in the pod's subnet" {
	podctl up web --addr 10.9.1.2/24 --gw 10.9.1.1
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	inject --dst 10.9.0.9:53 --proto udp --bytes
	is_status 0
	goes_to "$(host_mac hweb)"
}

@test "a bridge: another pod of the subnet, by its own address; one beyond by the gateway's" {
	podctl up web --addr 10.9.5.2/24 --gw 10.9.5.1 --bridge br0
	podctl up near --addr 10.9.5.3/24 --gw 10.9.5.1 --bridge br0
	podctl up far --addr 10.9.0.9/24 --gw 10.9.0.1
	in_pod web ip neigh flush all
	inject --dst 10.9.5.3:53 --proto udp --bytes
	is_status 0
	goes_to "$(mac_of near)"
	inject --dst 10.9.0.9:53 --proto udp --bytes
	is_status 0
	goes_to "$(host_mac br0)"
	node ip link del br0
}

@test "a route of its own: more specific than the default one, on the link" {
	podctl up web --addr 10.9.1.2/32
	in_pod web ip route add 10.77.0.0/24 dev eth0
	node ip addr add 10.77.0.9/32 dev hweb
	inject --dst 10.77.0.9:53 --proto udp --bytes
	is_status 0
	goes_to "$(host_mac hweb)"
}

@test "IPv6: the gateway fe80::1, and a neighbour of the subnet" {
	podctl up web --addr fd00:1::2/128
	podctl up dst --addr fd00:9::9/64 --gw fd00:9::1
	settle_ipv6 web fd00:9::9
	inject --dst '[fd00:9::9]:53' --proto udp --bytes
	is_status 0
	holds '.packet.src == "fd00:1::2" and (.outcome == "delivered" or .drop.reason == "NO_SOCKET")'
	goes_to "$(host_mac hweb)"
	podctl del web dst
	podctl up web --addr fd00:5::2/64 --gw fd00:5::1 --bridge br6
	podctl up near --addr fd00:5::3/64 --gw fd00:5::1 --bridge br6
	settle_ipv6 web fd00:5::3
	inject --dst '[fd00:5::3]:53' --proto udp --bytes
	is_status 0
	goes_to "$(mac_of near)"
	node ip link del br6
}

@test "a pod with several addresses: --src picks one, and what the pod does not own needs --spoof" {
	podctl up web --addr 10.9.1.2/32 --addr 10.9.1.3/32 --addr fd00:1::2/128 --addr fd00:1::3/128
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	inject --dst 10.9.0.9:53 --proto udp
	holds '.packet.src == "10.9.1.2" and .pod.address == "10.9.1.2"'
	inject --dst 10.9.0.9:53 --proto udp --src 10.9.1.3
	holds '.packet.src == "10.9.1.3" and .pod.address == "10.9.1.3"'
	inject --dst 10.9.0.9:53 --proto udp --src 10.9.1.4
	is_status 2
	complains '--src: pod netns:web does not own 10.9.1.4 \(--spoof sends it anyway\)'
	inject --dst 10.9.0.9:53 --proto udp --src 10.9.1.4 --spoof
	is_status 0
	holds '.packet.src == "10.9.1.4"'
	inject --dst 10.9.0.9:53 --proto udp --src fd00:1::3
	is_status 2
	complains 'different families'
}

@test "a pod with one family only" {
	podctl up web --addr 10.9.1.2/32
	inject --dst '[fd00:9::9]:53' --proto udp
	is_status 3
	complains 'pod netns:web has no IPv6 address on eth0'
	podctl del web
	podctl up web --addr fd00:1::2/128
	inject --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'pod netns:web has no IPv4 address on eth0'
}

@test "no way out: not sent, the pod's own address, and a next hop that does not answer" {
	podctl up web --addr 10.9.1.2/24
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "not-sent" and .cause.what == "no route to 10.9.0.9 in table main"'
	inject --dst 10.9.1.2:53 --proto udp
	is_status 3
	complains "the pod's own address: nothing leaves it \(route: local 10\.9\.1\.2 dev lo\)"
	inject --dst 10.9.1.77:53 --proto udp
	is_status 3
	complains 'next hop 10\.9\.1\.77 on eth0 does not answer .*route: 10\.9\.1\.77 dev eth0'
}

@test "netkit: L2 with neighbours, L3 without" {
	need netkit
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	podctl up web --kind netkit --addr 10.9.1.2/32
	inject --dst 10.9.0.9:53 --proto udp --bytes
	is_status 0
	goes_to "$(host_mac hweb)"
	podctl del web
	podctl up web --kind netkit --mode l3 --addr 10.9.1.2/32
	inject --dst 10.9.0.9:53 --proto udp --bytes
	is_status 0
	holds '.pod.device.mode == "l3" and (.outcome == "delivered" or .drop.reason == "NO_SOCKET")'
}

@test "a link-local destination: the link is that of the pod's device, and so is the source" {
	local dst own
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128
	# Another pod has the same on another link.
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1 --addr fd00::9/64 --gw fd00::1
	in_pod dst ip -6 addr add fe80::1/64 dev eth0 nodad
	settle_ipv6 web fe80::1%eth0
	own=$(in_pod web ip -6 -j addr show dev eth0 scope link | jq -r '.[].addr_info[].local | select(.)')
	for dst in fe80::1 fe80::1%eth0 "fe80::1%$(in_pod web ip -j link show eth0 | jq -r ".[0].ifindex")"; do
		inject --dst "[$dst]:53" --proto udp --bytes
		is_status 0
		goes_to "$(host_mac hweb)"
		holds ".packet.dst == \"fe80::1\" and .packet.src == \"$own\" and .outcome == \"rejected\" and .drop.reason == \"NO_SOCKET\""
		holds '.observations[.end].device == "hweb" and (.stopped | not)'
	done
	inject --dst 'fe80::1%eth9' --proto udp --dport 53
	is_status 2
	complains 'pod netns:web: fe80::1%eth9: packets leave by the pod.s device eth0'
	inject --dst 'fd00::9%eth0' --proto udp --dport 53
	is_status 2
	complains '--dst: "fd00::9%eth0" is not ADDRESS'
	flowgen inject --pod 'ip:fe80::1%eth0' --dst 10.9.0.9:53 --proto udp
	is_status 2
	complains 'no zone is known here'
	flowgen catch --pod netns:web --src 'fe80::1%eth0'
	is_status 2
	complains 'without a zone'
}

@test "a link-local destination on a bridge: the port that has it" {
	need tcx
	podctl up web --addr 10.9.5.2/24 --gw 10.9.5.1 --addr fd00:5::2/64 --gw fd00:5::1 --bridge br0
	podctl up two --addr 10.9.5.3/24 --gw 10.9.5.1 --addr fd00:5::3/64 --gw fd00:5::1 --bridge br0
	podctl up else --addr 10.9.6.3/24 --gw 10.9.6.1 --addr fd00:6::3/64 --gw fd00:6::1
	in_pod two ip -6 addr add fe80::7/64 dev eth0 nodad
	in_pod else ip -6 addr add fe80::7/64 dev eth0 nodad
	attach two tcx/egress drop_all --other-side > /dev/null
	attach else tcx/egress next_all --other-side > /dev/null
	in_pod web ip -6 neigh replace fe80::7 lladdr "$(mac_of two)" dev eth0
	node bridge fdb replace "$(mac_of two)" dev htwo master static
	inject --dst '[fe80::7%eth0]:53' --proto udp
	is_status 0
	holds '.policy.verdict == "denied" and .policy.denied_by.device == "htwo" and (.decisions | map(select(.kind == "bpf") | .device) == ["htwo"])'
}
