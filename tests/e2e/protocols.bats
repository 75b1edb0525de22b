#!/usr/bin/env bats
# Each protocol, both families: what flowgen sends is taken and answered by a real stack on the other side.
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1 --addr fd00:9::9/64 --gw fd00:9::1
	wait_for in_pod web ping -6 -c 1 -W 1 -q fd00:9::9 > "$NODE_DIR/ping"
}
teardown_file() { node_down; }

# answered FILTER ARGUMENT...: the destination's stack replied, and the result says so.
answered() {
	local filter=$1
	shift
	can tcx || skip 'this kernel has no tcx, and so no --reply'
	inject --reply "$@"
	is_status 0
	holds ".outcome == \"replied\" and ($filter)"
	fits_schema
}

@test "UDP: a server takes the payload and sends it back" {
	hear dst udp --port 5353 --echo --count 2
	answered '.packet.proto == "udp"' --dst 10.9.0.9:5353 --proto udp --payload hello
	answered '.packet.proto == "udp"' --dst '[fd00:9::9]:5353' --proto udp --payload 'hello, six'
	heard
	grep -q '^udp 10.9.1.2:[0-9]* > 5353 5$' "$NODE_DIR/heard"
	grep -q '^udp \[fd00:1::2\]:[0-9]* > 5353 10$' "$NODE_DIR/heard"
}

@test "UDP: in fragments, put together again by the other side" {
	hear dst udp --port 5353 --count 1
	inject --deliver --dst 10.9.0.9:5353 --proto udp --size 1500 --fragment 800
	heard
	grep -q '^udp 10.9.1.2:[0-9]* > 5353 1500$' "$NODE_DIR/heard"
	hear dst udp --port 5353 --count 1
	inject --deliver --dst '[fd00:9::9]:5353' --proto udp --size 1500 --fragment 800
	heard
	grep -q '^udp \[fd00:1::2\]:[0-9]* > 5353 1500$' "$NODE_DIR/heard"
}

@test "UDP: a super-packet is as many datagrams" {
	hear dst udp --port 5353 --count 3
	inject --deliver --dst 10.9.0.9:5353 --proto udp --size 3000 --gso 1000
	skip_without_udp_gso
	is_status 0
	heard
	[ "$(grep -c '> 5353 1000$' "$NODE_DIR/heard")" = 3 ]
}

@test "what is let in is heard, and seen to be delivered, also where answers cannot be seen" {
	hear dst udp --port 5353 --count 2
	inject --deliver --dst 10.9.0.9:5353 --proto udp --payload hello
	is_status 0
	holds '.outcome == "delivered" and (.stopped | not)'
	inject --deliver --dst '[fd00:9::9]:5353' --proto udp --payload 'hello, six'
	is_status 0
	holds '.outcome == "delivered" and (.stopped | not)'
	heard
	hear dst tcp --port 8082 --count 0 --seconds 300
	inject --deliver --dst 10.9.0.9:8082 --proto tcp
	# A kernel before 6.3 does not tell who consumed it.
	is_status 0 || { refute can tcx && is_status 4; }
	holds '.outcome == "delivered" or .outcome == "replied" or .reason == "consumed where it was received; what consumed it is not known"'
}

@test "TCP: a SYN is answered by a listener, and by a closed port" {
	hear dst tcp --port 8080 --count 0 --seconds 300
	answered '.packet.tcp_flags == "S"' --dst 10.9.0.9:8080 --proto tcp
	answered '.packet.tcp_flags == "S"' --dst '[fd00:9::9]:8080' --proto tcp
	inject --reply --dst 10.9.0.9:8081 --proto tcp
	is_status 0
	holds '.outcome == "rejected"'
}

@test "ICMP and ICMPv6: echo requests are answered" {
	answered '.packet.proto == "icmp" and .packet.icmp_type == 8' --dst 10.9.0.9 --proto icmp
	answered '.packet.proto == "icmpv6" and .packet.icmp_type == 128' --dst fd00:9::9 --proto icmp
}

@test "SCTP: an INIT is answered by a listener" {
	"$PYTHON" -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)' 2> "$NODE_DIR/words" ||
		skip 'this kernel has no SCTP'
	in_pod dst "$PYTHON" -c 'if True:
		import socket, time
		s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 132)
		s.bind(("::", 9000)); s.listen()
		print("ready", flush=True)
		time.sleep(60)' > "$NODE_DIR/sctp" &
	wait_for grep -q ready "$NODE_DIR/sctp"
	answered '.packet.proto == "sctp"' --dst 10.9.0.9:9000 --proto sctp
	answered '.packet.proto == "sctp"' --dst '[fd00:9::9]:9000' --proto sctp
}

@test "a protocol by number: the stack says that it has none" {
	local reply=()
	! can tcx || reply=(--reply)
	inject "${reply[@]}" --dst 10.9.0.9 --proto 99 --payload hello
	is_status 0
	holds '.outcome == "rejected" or .outcome == "dropped" or .outcome == "delivered"'
}
