#!/usr/bin/env bats
# What a kernel without tcx (before 6.6) refuses, and how. In a file of its own: only the oldest kernel of the virtual
# machines runs it, and that first.
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
}
teardown_file() { node_down; }
setup() { ! can tcx || skip 'this kernel has tcx'; }

@test "flowgen exec: status 125" {
	flowgen exec --pod netns:web -- true
	is_status 125
	complains 'no tcx'
}

@test "flowgen catch: status 3" {
	flowgen catch --pod netns:dst --proto udp
	is_status 3
	complains 'pod netns:dst: this kernel has no tcx'
}

@test "bounce by force: status 3" {
	inject --method bounce --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'bounce.*tcx'
}

@test "what needs none goes on: an answer, by another method" {
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered" and (.method | . != "bounce" and . != "peer-egress")'
}
