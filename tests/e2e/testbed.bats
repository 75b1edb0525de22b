#!/usr/bin/env bats
# The tests' own tools: without these doing what they say, nothing else here means anything.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }
teardown() { pods_down; }

send_udp() { # POD ADDRESS PORT
	in_pod "$1" "$PYTHON" -c 'import socket, sys
try:
	socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
except OSError as e:
	print(e)' "$2" "$3"
}

# deny_at HOOK [OPTION of up...]: the program denies port 9999 and nothing else, and counts both.
deny_at() {
	local hook=$1 id
	shift
	pods_up "$@"
	id=$(attach web "$hook" deny_port --proto udp --port 9999)
	hear dst udp --port 53
	send_udp web 10.9.0.9 9999
	send_udp web 10.9.0.9 53
	heard
	grep -q '^udp 10.9.1.2:[0-9]* > 53 5$' "$NODE_DIR/heard"
	read -r seen denied <<< "$(podctl seen "$id")"
	[ "$denied" = 1 ]
	[ "$seen" -ge 2 ]
}

xdp_denies() {
	local id
	pods_up
	id=$(attach web xdp xdp_deny_port "$@" --proto udp --port 9999)
	send_udp web 10.9.0.9 9999
	# In the driver the packet waits for its turn on the receiving side.
	denied_one() { [[ $(podctl seen "$id") == *' 1' ]]; }
	wait_for denied_one
}

# bats test_tags=novm
@test "a node is apart from the host" {
	[ "$(node ip -o link | wc -l)" = 1 ]
	[ "$(node ls /run/netns | wc -l)" = 0 ]
	[ "$(node cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(readlink /proc/self/ns/net)" != "$(node readlink /proc/self/ns/net)" ]
	[ "$(node cat /proc/1/comm)" = podctl ]
}

# bats test_tags=novm
@test "deleting a pod takes both devices away" {
	pods_up
	podctl del web
	refute node ip link show hweb
	refute node test -e /run/netns/web
	node ip link show hdst
}

# bats test_tags=novm
@test "a namespace of somebody else is not deleted" {
	node ip netns add theirs
	run -2 podctl del theirs
	[[ $output == *'was not made by flowgen'* ]]
	node test -e /run/netns/theirs
	node ip netns del theirs
}

# bats test_tags=novm
@test "tcx/egress denies" { need tcx; deny_at tcx/egress; }
# bats test_tags=novm
@test "tc/egress denies" { deny_at tc/egress; }
# bats test_tags=novm
@test "tcx/ingress denies" { need tcx; deny_at tcx/ingress; }
# bats test_tags=novm
@test "tc/ingress denies" { deny_at tc/ingress; }
# bats test_tags=novm
@test "xdp denies in the driver" { xdp_denies; }
@test "netkit/peer denies, L2" { need netkit; deny_at netkit/peer --kind netkit --mode l2; }
@test "netkit/peer denies, L3" { need netkit; deny_at netkit/peer --kind netkit --mode l3; }

# bats test_tags=novm
@test "generic xdp denies" { xdp_denies --generic; }

# bats test_tags=novm
@test "programs run in the order in which they were attached" {
	need tcx
	pods_up
	next=$(attach web tcx/egress next_all)
	drop=$(attach web tcx/egress deny_port --proto udp --port 9999 --otherwise next)
	after=$(attach web tcx/egress next_all)
	send_udp web 10.9.0.9 9999
	read -r seen_next _ <<< "$(podctl seen "$next")"
	read -r seen_drop denied <<< "$(podctl seen "$drop")"
	read -r seen_after _ <<< "$(podctl seen "$after")"
	[ "$denied" = 1 ]
	[ "$seen_next" = "$seen_drop" ]
	[ "$seen_after" = $((seen_drop - 1)) ]
}

# bats test_tags=novm
@test "tc filters run in the order in which they were attached" {
	pods_up
	next=$(attach web tc/egress next_all)
	drop=$(attach web tc/egress drop_all)
	after=$(attach web tc/egress next_all)
	send_udp web 10.9.0.9 9999
	[[ $(podctl seen "$next") != '0 0' ]]
	[[ $(podctl seen "$drop") != '0 0' ]]
	[ "$(podctl seen "$after")" = '0 0' ]
}

@test "a tail call's callee decides" {
	pods_up
	attach web tc/egress tail_entry --pin /sys/fs/bpf/jumps --proto udp --port 9999
	hear dst packet --dev eth0 --count 1
	send_udp web 10.9.0.9 9999
	send_udp web 10.9.0.9 9998
	heard
	grep -q ':9998 ' "$NODE_DIR/heard"
	refute grep -q ':9999 ' "$NODE_DIR/heard"
}

# bats test_tags=novm
@test "IPv6 reaches the destination and is denied too" {
	podctl up web --addr 10.9.1.2/32 --addr fd09:1::2/128
	podctl up dst --addr fd09::9/64 --gw fd09::1
	attach web tc/egress deny_port --proto udp --port 9999
	hear dst udp --port 53
	send_udp web fd09::9 53
	heard
	grep -q '^udp \[fd09:1::2\]:[0-9]* > 53 5$' "$NODE_DIR/heard"
	send_udp web fd09::9 9999
}

# bats test_tags=novm
@test "pods on a bridge reach each other" {
	podctl up web --addr 10.9.1.2/24 --gw 10.9.1.1 --bridge br0
	podctl up dst --addr 10.9.1.9/24 --gw 10.9.1.1 --bridge br0
	hear dst udp --port 53
	send_udp web 10.9.1.9 53
	heard
}

@test "a plain ingress redirect passes a netkit pod's program by" {
	need netkit
	pods_up --kind netkit
	id=$(attach web netkit/peer deny_port --proto udp --port 9999)
	hear dst udp --port 9999
	node "$TOOL/ingress" hweb 10.9.1.2 10.9.0.9 9999
	heard
	[ "$(podctl seen "$id")" = '0 0' ]
}

# bats test_tags=novm
@test "the same redirect meets a host-side program of a veth pod" {
	pods_up
	id=$(attach web tc/ingress deny_port --proto udp --port 9999)
	node "$TOOL/ingress" hweb 10.9.1.2 10.9.0.9 9999
	denied_one() { [[ $(podctl seen "$id") == *' 1' ]]; }
	wait_for denied_one
}

# bats test_tags=novm
@test "a node is gone when its holder is killed" {
	node_up
	pods_up
	kill -KILL "$NODE_HOLDER"
	gone() { ! kill -0 "$NODE_PID" 2> /dev/null; }
	wait_for gone
	rm -r "$NODE_DIR"
	node_up
}
