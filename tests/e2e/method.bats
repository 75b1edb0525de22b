#!/usr/bin/env bats
# Which method `auto` takes in which situation, and that no method passes a program by without saying so.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53 9999
	# What auto takes where an ingress redirect would be right, and where it would not.
	if can peer-egress; then
		export PLAIN=peer-egress FULL=peer-egress
	else
		export PLAIN=host-ingress FULL=pod-socket
	fi
}
teardown_file() { node_down; }
setup() { podctl up web --addr 10.9.1.2/32; }
teardown() { podctl del web; }

# takes METHOD: auto takes it, and every program of the path ran on the packet.
takes() {
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds ".method == \"$1\" and (.policy.programs | all(.ran == true)) and .policy.verdict != \"unknown\""
	[ "$(node "$FLOWGEN" pods --output json | jq -r 'select(.name == "web") | .method')" = "$1" ]
}

@test "no program: as plain as it can be" { takes "$PLAIN"; }

@test "programs on the host side only" {
	attach web tc/ingress next_all
	takes "$PLAIN"
}

@test "a tcx egress program in the pod is never passed by" {
	need tcx
	id=$(attach web tcx/egress deny_port --proto udp --port 9999)
	takes "$FULL"
	inject --dst 10.9.0.9:9999 --proto udp
	holds ".method == \"$FULL\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
}

@test "a clsact egress program in the pod is never passed by" {
	id=$(attach web tc/egress deny_port --proto udp --port 9999)
	takes "$FULL"
	inject --dst 10.9.0.9:9999 --proto udp
	holds ".method == \"$FULL\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
}

@test "native XDP on the primary is never passed by" {
	id=$(attach web xdp xdp_deny_port --proto udp --port 9999)
	inject --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".method == \"$FULL\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
	takes "$FULL"
}

@test "generic XDP runs after an ingress redirect too" {
	id=$(attach web xdp xdp_deny_port --generic --proto udp --port 9999)
	# An egress redirect does not (Linux 7.3).
	takes host-ingress
	inject --dst 10.9.0.9:9999 --proto udp
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id"
}

@test "a queueing discipline in the pod is never passed by" {
	in_pod web tc qdisc add dev eth0 root tbf rate 1gbit burst 1mb latency 10ms
	takes "$FULL"
}

@test "a filter of another kind in the pod is never passed by" {
	in_pod web tc qdisc add dev eth0 clsact
	in_pod web tc filter add dev eth0 egress protocol ip matchall action drop 2> /dev/null ||
		in_pod web tc filter add dev eth0 egress protocol ip u32 match u32 0 0 action drop 2> /dev/null ||
		skip 'this kernel has no filter but BPF'
	inject --dst 10.9.0.9:53 --proto udp
	holds ".method == \"$FULL\" and .outcome == \"dropped\" and .policy.verdict != \"allowed\" and .policy.verdict != \"none\""
}

@test "host-ingress by force past an egress program is said, on stderr and in the result" {
	id=$(attach web tc/egress drop_all)
	inject --method host-ingress --dst 10.9.0.9:53 --proto udp
	holds '.method == "host-ingress" and .policy.verdict == "unknown" and .policy.programs[0].ran != true'
	[[ $stderr == *'passes by'* ]]
	[ "$(podctl seen "$id")" = '0 0' ]
}

@test "peer-egress by force where the kernel has it not: exit status 3" {
	! can peer-egress || skip 'this kernel has it'
	inject --method peer-egress --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'peer-egress.*BPF_F_EGRESS'
}

@test "the result says where the packet was written" {
	inject --method host-ingress --dst 10.9.0.9:53 --proto udp
	holds '.written_in == "own-namespace"'
	inject --method pod-socket --dst 10.9.0.9:53 --proto udp
	holds '.written_in == "pod-namespace"'
}

@test "what a device-level packet does not exercise is listed" {
	inject --dst 10.9.0.9:53 --proto udp
	holds '.not_exercised | length >= 3'
}
