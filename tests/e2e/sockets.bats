#!/usr/bin/env bats
# BPF programs that decide at the receiver's socket: which socket gets a packet (sk_lookup), whether its cgroup takes it,
# and what a security module says. Never "allowed" for what did not come to the socket that it was for.
# shellcheck disable=SC2154  # run sets stderr
load helpers
load way

setup_file() {
	way_node_up
	serve dst 9999
}
teardown_file() { node_down; }
teardown() {
	[ -z "${PROGRAM:-}" ] || program_gone
	[ -z "${CGROUP:-}" ] || cgroup_gone
}

# program POD PROGRAM PORT [CGROUP]: PROGRAM is the process in the node that holds it, ID the program's.
program() {
	local pod=$1
	shift
	: > "$NODE_DIR/program"
	in_pod "$pod" "$TOOL/skprog" "$BUILD/tests/bpf/sockets.bpf.o" "$@" > "$NODE_DIR/program" 3>&- 7>&- &
	wait_for test -s "$NODE_DIR/program"
	grep -q ready "$NODE_DIR/program" || skip "no such program here: $(cat "$NODE_DIR/program")"
	read -r _ PROGRAM ID < "$NODE_DIR/program"
}
program_gone() {
	node kill "$PROGRAM"
	wait_for refute node test -e "/proc/$PROGRAM"
	PROGRAM=
}

cgroup_gone() {
	node kill "$SERVER"
	wait_for rmdir "$CGROUP" 2> /dev/null
	CGROUP=
}

here=(--dst 10.9.0.9:9999 --proto udp --deliver)

@test "sk_lookup: a program that refuses is a candidate, and nobody is told that it was allowed" {
	program dst lookup_drop 9999
	way 'UDP, a server listens' unknown ingress socket NO_SOCKET @(dropped|rejected) '' "${here[@]}"
	holds '.reason | test("sk_lookup")'
	holds ".cause.kind == \"socket\" and .cause.how == \"chooser\" and (.cause.what | test(\"lookup_drop \\\\(id $ID\\\\)\"))"
	[ "$(served 9999)" = 0 ]
	# Another port is not the program's: nothing listens, but that the program let it be is not seen.
	way 'UDP, nobody listens' unknown ingress socket NO_SOCKET @(dropped|rejected) '' --dst 10.9.0.9:9998 --proto udp --deliver
	holds '.cause.how == "chooser-or-no-listener"'
	program_gone
	way 'without it' @(none|allowed) - - - delivered 'DELIVERED' "${here[@]}"
	way 'without it, nobody listens' @(none|allowed) ingress socket NO_SOCKET @(dropped|rejected) '' --dst 10.9.0.9:9998 --proto udp --deliver
	holds '.cause.how == "no-listener"'
}

@test "sk_lookup: TCP, and in the host's own namespace" {
	program dst lookup_drop 80
	hear dst tcp --port 80 --count 0 --seconds 60
	way 'TCP' unknown ingress socket NO_SOCKET @(dropped|rejected) '' --dst 10.9.0.9:80 --deliver
	kill "$LISTENER"
	program_gone
	: > "$NODE_DIR/program"
	node "$TOOL/skprog" "$BUILD/tests/bpf/sockets.bpf.o" lookup_drop 53 > "$NODE_DIR/program" 3>&- 7>&- &
	wait_for test -s "$NODE_DIR/program"
	read -r _ PROGRAM ID < "$NODE_DIR/program"
	way 'the host' unknown ingress socket NO_SOCKET @(dropped|rejected) '' --dst 10.9.0.1:53 --proto udp
	holds ".cause.what | test(\"id $ID\")"
}

@test "sk_lookup: a program that steers to another socket" {
	program dst lookup_steer 9999
	local before
	before=$(served 9999)
	way 'steered' redirected - - - delivered 'DELIVERED to another socket at eth0 (dst); redirected by a BPF program that chooses sockets (sk_lookup)' "${here[@]}"
	holds ".cause.kind == \"proxy\" and .cause.how == \"chooser\" and (.cause.what | test(\":10000.*lookup_steer \\\\(id $ID\\\\)\")) and (.cause.process | test(\"skprog\"))"
	holds '.policy.stages.ingress == "redirected"'
	[ "$(served 9999)" = "$before" ]
	# What it leaves to the socket that it is for.
	serve dst 9997
	way 'left alone' @(none|allowed) - - - delivered 'DELIVERED' --dst 10.9.0.9:9997 --proto udp --deliver
	[ "$(served 9997)" -ge 1 ]
}

@test "cgroup: a program of the server's cgroup refuses" {
	local root
	root=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
	[ -n "$root" ] && CGROUP=$(mktemp -d "$root/flowgen-test.XXXXXX") || skip 'no cgroup can be made here'
	in_pod dst bash -c "echo \$\$ > $CGROUP/cgroup.procs && echo \$\$ && exec $TOOL/listen udp --port 9996 --count 0 --seconds 60" > "$NODE_DIR/heard" 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/heard"
	read -r SERVER < "$NODE_DIR/heard"
	program dst cgroup_deny 9996 "$CGROUP"
	way 'denied' unknown ingress socket SOCKET_FILTER dropped '' --dst 10.9.0.9:9996 --proto udp --deliver
	holds '.reason | test("cgroup")'
	holds ".cause | .kind == \"socket\" and .how == \"filter\" and (.process | test(\"pid [0-9]+ listen\")) and
		(.what | test(\"^the socket .*:9996, or what is before it: cgroup_deny \\\\(id $ID\\\\) on its cgroup /${CGROUP##*/}; or a filter of its own\"))"
	refute grep -q '^udp' "$NODE_DIR/heard"
}

@test "LSM: a program at the hook of received packets refuses" {
	local active
	mkdir "$NODE_DIR/security"
	active=$(node sh -c "mount -t securityfs security $NODE_DIR/security && cat $NODE_DIR/security/lsm" 2>&1) || skip "what security modules are active is not told: $active"
	[[ ,$active, == *,bpf,* ]] || skip "the BPF LSM is not active: $active"
	program dst lsm_deny 9999
	inject "${here[@]}"
	# Before Linux 6.15 the kernel does not tell it from a filter of the socket.
	holds '.outcome == "dropped" and ((.drop.reason == "SECURITY_HOOK" and .policy.verdict == "denied" and .decider.kind == "lsm" and .policy.stages.ingress == "denied")
		or (.drop.reason == "SOCKET_FILTER" and .policy.verdict == "unknown" and (.reason | test("LSM"))))'
	holds ".cause | .kind == \"socket\" and (.what | test(\"lsm_deny \\\\(id $ID\\\\)\"))"
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
