#!/usr/bin/env bats
# Nothing that flowgen does not own is touched, and nothing of its own stays: everything there is before and after.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	attach web tc/ingress next_all > /dev/null
	attach web tc/egress deny_port --proto udp --port 9999 > /dev/null
	attach web xdp xdp_pass --generic > /dev/null
	attach dst tc/egress next_all --other-side > /dev/null
	if can tcx; then
		attach web tcx/egress next_all > /dev/null
		attach dst tcx/ingress next_all --other-side > /dev/null
	fi
	serve dst 53
	node nft -f - <<< 'add table ip filter
		add chain ip filter forward { type filter hook forward priority 0; }
		add rule ip filter forward counter accept'
	# What a first packet leaves behind anywhere (neighbours) is there before.
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
}
teardown_file() { node_down; }

# What the stacks of the pods have counted; without tcx they see what flowgen sends. Neighbours' questions come when they come.
stacks() {
	local pod
	can tcx || return 0
	for pod in web dst; do
		in_pod "$pod" awk '$1 !~ /^(Icmp6|Ip6|UdpLite6)/' /proc/net/snmp /proc/net/netstat /proc/net/snmp6
	done
}

# All that the kernel has of BPF, whoever's it is; other tests run beside this one, so only what this node's devices have
# and what is flowgen's is in host_state.
unchanged_by() {
	host_state > "$BATS_TEST_TMPDIR/before"
	stacks > "$BATS_TEST_TMPDIR/counted"
	"$@"
	gone() {
		host_state > "$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	}
	# Namespaces and programs go a moment after their last user.
	wait_for gone || diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	[ -s "$BATS_TEST_TMPDIR/before" ]
	stacks | diff -u "$BATS_TEST_TMPDIR/counted" -
}

# shellcheck disable=SC2120  # unchanged_by passes them
run_once() {
	[[ " $* " == *' --dst '* ]] || set -- --dst 10.9.0.9:53 "$@"
	inject --proto udp "$@"
	is_status 0
}

@test "inject, as auto chooses" { unchanged_by run_once; }
@test "inject by pod-socket" { unchanged_by run_once --method pod-socket; }
@test "inject by host-ingress" { unchanged_by run_once --method host-ingress; }
@test "inject by bounce" {
	need tcx
	podctl up plain --addr 10.9.4.2/32
	attach plain tcx/egress next_all > /dev/null
	in_pod plain ping -c 1 -W 5 10.9.0.9 > /dev/null
	bounced() {
		flowgen inject --pod netns:plain --dst 10.9.0.9:53 --proto udp --method bounce
		is_status 0
	}
	unchanged_by bounced
	podctl del plain
}
@test "a sweep" { unchanged_by run_once --dst 10.9.0.9 --dport 1-5000 --summary; }
@test "a run that fails" {
	fails() {
		flowgen inject --dst 10.9.0.9:53 --proto udp --pod netns:nosuch
		is_status 3
	}
	unchanged_by fails
}

@test "a run that SIGINT ends" {
	interrupted() {
		node bash -c '"$0" inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 1-65535 --count 100 --summary > "$1" 2> "$1.err" & pid=$!
			while ! [ "$(ls -l /proc/$pid/fd 2> /dev/null | grep -c bpf)" -gt 8 ]; do read -rt .01 <> "$2" || :; done
			kill -INT $pid; wait $pid' "$FLOWGEN" "$BATS_TEST_TMPDIR/out" "$NODE_DIR/never" || status=$?
		[ "${status:-0}" = 4 ] || [ "${status:-0}" = 130 ]
	}
	unchanged_by interrupted
}

@test "the pod's processes and sockets are as before, and the pod has no other traffic" {
	before=$(in_pod web cat /proc/net/snmp /proc/net/packet)
	inject --dst 10.9.0.9:53 --proto udp --method "$(can peer-egress && echo peer-egress || echo host-ingress)"
	[ "$(in_pod web cat /proc/net/snmp /proc/net/packet)" = "$before" ]
}

@test "run statistics are not left switched on" {
	before=$(cat /proc/sys/kernel/bpf_stats_enabled)
	run_once
	[ "$(cat /proc/sys/kernel/bpf_stats_enabled)" = "$before" ]
}
