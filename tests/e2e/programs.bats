#!/usr/bin/env bats
# BPF programs at other places than the devices': netfilter's own, those of routes, and those of cgroups at the receiver.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
# Alone: older kernels cannot say in which namespace a program of netfilter is, so it counts for every node.
load helpers
load way

setup_file() {
	way_node_up
	serve dst 9999
}
teardown_file() { node_down; }
teardown() {
	[ -z "${PROGRAM:-}" ] || program_gone
	node nft flush ruleset
	node ip route del 10.9.0.9/32 2> /dev/null || :
}

got_through="DELIVERED at eth0 (dst), intercepted before the pod's stack; "
six=(--dst '[fd00:9::9]:9999' --proto udp)

# program ARGUMENT of tests/tool/nfprog...: in the node. PROGRAM is its process there, ID the program's.
program() {
	: > "$NODE_DIR/program"
	node "$TOOL/nfprog" "$@" > "$NODE_DIR/program" 3>&- 7>&- &
	wait_for test -s "$NODE_DIR/program"
	grep -q ready "$NODE_DIR/program" || skip 'this kernel has no BPF programs of netfilter'
	read -r _ PROGRAM ID < "$NODE_DIR/program"
}
program_gone() {
	node kill "$PROGRAM"
	wait_for refute node test -e "/proc/$PROGRAM"
	PROGRAM=
}

@test "netfilter: a program that drops is named" {
	program ipv4 forward drop deny_nf
	way 'alone' denied node netfilter NETFILTER_DROP dropped 'DENIED by netfilter at hweb (host)'
	holds ".attempts == 2 and .cause.kind == \"netfilter\" and .cause.how == \"bpf\" and (.cause.what | startswith(\"BPF program $ID (deny_nf) at forward\")) and (.hint | test(\"bpftool link\"))"
	# Beside a chain that lets pass.
	node nft -f - <<< 'table inet t { chain c { type filter hook forward priority 0; udp dport 9 drop; }; }'
	way 'beside a chain' denied node netfilter NETFILTER_DROP dropped 'DENIED by netfilter at hweb (host)'
	holds '.cause.how == "bpf"'
	node nft -f - <<< 'table inet t { chain d { type filter hook prerouting priority 0; udp dport 9999 drop; }; }'
	way 'a rule before it' denied node netfilter t/d dropped 'DENIED by netfilter (table inet t, chain d, rule handle *) at hweb (host)'
	holds '.cause == null'
}

# bats test_tags=novm
@test "netfilter: a program that lets pass, and one of the other family" {
	program ipv4 postrouting accept pass_nf
	inject --dst 10.9.0.9:9999 --proto udp
	# Whether it stands here is not known on every kernel.
	holds '.outcome == "delivered" and (.policy.verdict == "allowed" or (.policy.verdict == "unknown" and (.reason | test("netfilter"))))'
	way 'IPv6' none - - - delivered "${got_through}nothing enforces here" "${six[@]}"
}

# Without nfnetlink_hook the kernel does not tell in which namespace a program is: it may be in the pod's.
# bats test_tags=novm
@test "netfilter: a program that may be in the receiving pod, or in the one that replies" {
	local want family dst
	program ipv4 forward accept pass_nf
	inject --dst 10.9.0.9:9999 --proto udp
	want=$(value '.policy.verdict')
	[ "$want" = unknown ] || want=none
	program_gone
	for family in ipv4 ipv6; do
		dst=10.9.0.9
		[ "$family" = ipv4 ] || dst='[fd00:9::9]'
		# At input nothing of the node's is on the way, at output nothing of the receiver's either.
		program "$family" input accept pass_nf
		inject --dst "$dst:9999" --proto udp --deliver
		holds ".outcome == \"delivered\" and .policy.verdict == \"$want\" and (.policy.verdict == \"none\" or (.reason | test(\"netfilter enforces policy in the receiving pod\")))"
		inject --dst "$dst:9999" --proto udp
		! can tcx || holds '.outcome == "delivered" and .policy.verdict == "none" and .reason == null'
		program_gone
		program "$family" output accept pass_nf
		inject --dst "$dst:9999" --proto udp --deliver
		holds '.outcome == "delivered" and .policy.verdict == "none"'
		if can tcx; then
			inject --dst "$dst" --proto icmp --reply
			holds ".outcome == \"replied\" and .reply.policy.verdict == \"$want\""
		fi
		program_gone
	done
}

# on_route HOOK SECTION: a program of the route to the pod dst.
on_route() {
	node ip route replace 10.9.0.9/32 encap bpf "$1" obj "$BUILD/tests/bpf/route.bpf.o" section "$2" dev hdst 2> "$NODE_DIR/route" ||
		skip "no program at a route here: $(tail -n 1 "$NODE_DIR/route")"
}

# bats test_tags=novm
@test "routes: a program drops, and one that lets pass" {
	local hook
	for hook in in out xmit; do
		on_route $hook drop
		way "$hook" denied node bpf NOT_SPECIFIED dropped 'DENIED by a BPF program at @(hweb|hdst) (host)'
		holds '.cause.kind == "route" and .cause.how == "program" and (.cause.what | test("drop.*on the route to 10.9.0.9")) and (.hint | test("ip route show"))'
		on_route $hook pass
		inject --dst 10.9.0.9:9999 --proto udp
		holds '.outcome == "delivered" and .policy.verdict == "unknown" and (.reason | test("encap bpf"))'
	done
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
