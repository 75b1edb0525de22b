#!/usr/bin/env bats
# netkit pods: the reason why flowgen exists. Needs a kernel with netkit; what needs BPF_F_EGRESS or fexit says so.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53 9999
	# Where there is netkit there is tcx.
	if can peer-egress; then
		export FULL=peer-egress
	else
		export FULL=bounce
	fi
}
teardown_file() { node_down; }
setup() { need netkit; }
teardown() { ! node test -e /run/netns/web || podctl del web; }

# denies MODE: seen to deny by flowgen, while the same packet by a plain ingress redirect goes past the program.
denies() {
	local id
	podctl up web --addr 10.9.1.2/32 --kind netkit --mode "$1"
	id=$(attach web netkit/peer deny_port --proto udp --port 9999)
	inject --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".pod.device.kind == \"netkit\" and .pod.device.mode == \"$1\" and .method == \"$FULL\""
	holds ".policy.verdict == \"denied\" and .outcome == \"dropped\" and .policy.denied_by.id == $id"
	holds '.policy.programs | length == 1 and .[0].hook == "netkit/peer" and .[0].side == "pod" and .[0].name == "deny_port"'
	[[ $(podctl seen "$id") == *' 1' ]]
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.policy.verdict == "allowed" and .outcome == "delivered" and .policy.programs[0].ran == true'
	[[ $(podctl seen "$id") == *' 1' ]]
}

@test "L2: a peer program denies" { denies l2; }
@test "L3: a peer program denies" { denies l3; }

@test "a plain ingress redirect of the same packet is not seen by the program that denies it" {
	podctl up web --addr 10.9.1.2/32 --kind netkit
	id=$(attach web netkit/peer deny_port --proto udp --port 9999)
	inject --dst 10.9.0.9:9999 --proto udp
	holds '.policy.verdict == "denied"'
	[[ $(podctl seen "$id") == *' 1' ]]
	before=$(podctl seen "$id")
	served_before=$(served 9999)
	node "$TOOL/ingress" hweb 10.9.1.2 10.9.0.9 9999
	one_more() { [ "$(served 9999)" = $((served_before + 1)) ]; }
	wait_for one_more
	[ "$(podctl seen "$id")" = "$before" ]
}

@test "host-ingress by force is refused: exit status 3" {
	podctl up web --addr 10.9.1.2/32 --kind netkit
	inject --method host-ingress --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'host-ingress.*bypasses'
}

# meets METHOD MODE
meets() {
	podctl up web --addr 10.9.1.2/32 --kind netkit --mode "$2"
	id=$(attach web netkit/peer deny_port --proto udp --port 9999)
	inject --method "$1" --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds ".method == \"$1\" and .policy.verdict == \"allowed\" and .outcome == \"delivered\" and .policy.programs[0].ran == true"
	[[ $(podctl seen "$id") == *' 0' ]]
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".method == \"$1\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
	[[ $(podctl seen "$id") == *' 1' ]]
}

@test "pod-socket meets the peer program too" { meets pod-socket l2; }
@test "bounce meets the peer program, L2" { meets bounce l2; }
@test "bounce meets the peer program, L3" { meets bounce l3; }

@test "bounce meets everything: programs in the pod, netkit's, the host side's, over IPv6, in batches" {
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128 --kind netkit
	podctl up six --addr fd00:6::9/64 --gw fd00:6::1
	out=$(attach web tcx/egress deny_port --proto udp --port 101-110 --otherwise next)
	peer=$(attach web netkit/peer deny_port --proto udp --port 201-220)
	host=$(attach web tcx/ingress deny_port --proto udp --port 301-330)
	for dst in 10.9.0.9 fd00:6::9; do
		inject --method bounce --dst "$dst" --proto udp --dport 1-400 --summary
		is_status 0
		holds '.method == "bounce" and .total == 400 and .verdicts.denied.count == 60 and .verdicts.allowed.count == 340 and .lost_events == 0'
		holds '.outcomes.delivered.count == 340 and .outcomes.dropped.count == 60'
	done
	podctl del six
	[[ $(podctl seen "$out") == *' 20' && $(podctl seen "$peer") == *' 40' && $(podctl seen "$host") == *' 60' ]]
}

@test "nothing enforces here" {
	podctl up web --addr 10.9.1.2/32 --kind netkit
	inject --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds '.policy.verdict == "none" and .policy.programs == [] and .outcome == "delivered"'
}

@test "a pod that drops without a program: dropped, and by no program" {
	# In L3 mode, where no address of a next hop is asked for: that would be dropped too.
	podctl up web --addr 10.9.1.2/32 --kind netkit --mode l3 --drop-without-program
	inject --dst 10.9.0.9:53 --proto udp
	holds '.outcome == "dropped" and .policy.verdict == "denied" and (.policy.denied_by | .kind == "bpf" and .id == null) and .policy.programs == []'
}

@test "a chain: tcx egress, peer programs, host side; the rest is not met" {
	podctl up web --addr 10.9.1.2/32 --kind netkit
	out=$(attach web tcx/egress next_all)
	first=$(attach web netkit/peer next_all)
	second=$(attach web netkit/peer deny_port --proto udp --port 9999 --otherwise next)
	third=$(attach web netkit/peer allow_all)
	host=$(attach web tcx/ingress next_all)
	inject --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".policy.programs | map(.id) == [$out, $first, $second, $third, $host]"
	holds '.policy.programs | map(.hook) == ["tcx/egress", "netkit/peer", "netkit/peer", "netkit/peer", "tcx/ingress"]'
	holds ".policy.denied_by.id == $second and (.policy.programs | map(.ran) == [true, true, true, false, false])"
	inject --dst 10.9.0.9:53 --proto udp
	holds '.policy.verdict == "allowed" and (.policy.programs | all(.ran == true))'
}

@test "fexit: return values by their kernel names, and the time each took" {
	need fexit
	podctl up web --addr 10.9.1.2/32 --kind netkit
	attach web tcx/egress next_all
	attach web netkit/peer next_all
	attach web netkit/peer deny_port --proto udp --port 9999 --otherwise next
	attach web tcx/ingress allow_all
	inject --dst 10.9.0.9:53 --proto udp
	holds '.policy.programs | map(.evidence) | all(. == "fexit")'
	holds '.policy.programs | map(.action) == ["TCX_NEXT", "NETKIT_NEXT", "NETKIT_NEXT", "TCX_PASS"]'
	holds '.policy.programs | map(.retval) == [-1, -1, -1, 0]'
	holds '.policy.programs | all(.duration_ns > 0 and .duration_ns < 1000000000)'
	inject --dst 10.9.0.9:9999 --proto udp
	holds '.policy.programs[2] | .action == "NETKIT_DROP" and .retval == 2 and .evidence == "fexit"'
	holds '.policy.programs[3] | .ran == false and .retval == null and .action == null and .duration_ns == null'
}

@test "fexit on tc and XDP programs of a veth pod" {
	need fexit
	podctl up web --addr 10.9.1.2/32
	attach web tc/egress next_all
	attach web xdp xdp_pass
	attach web tc/ingress allow_all
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.policy.programs | map(.evidence) | all(. == "fexit")'
	holds '.policy.programs | map(.action) == ["TC_ACT_UNSPEC", "XDP_PASS", "TC_ACT_OK"]'
}

@test "fexit: what a tail call returns in the end" {
	need fexit
	podctl up web --addr 10.9.1.2/32 --kind netkit
	attach web netkit/peer tail_entry --pin /sys/fs/bpf/jumps --proto udp --port 9999
	inject --dst 10.9.0.9:9999 --proto udp
	holds '.policy.verdict == "denied" and .policy.denied_by.name == "tail_entry"'
	holds '.policy.programs | length == 1 and .[0].action == "NETKIT_DROP" and .[0].evidence == "fexit"'
	inject --dst 10.9.0.9:53 --proto udp
	node rm /sys/fs/bpf/jumps
	holds '.policy.verdict == "allowed" and .policy.programs[0].action == "NETKIT_PASS"'
}

@test "one program that cannot be traced does not spoil the others" {
	need fexit
	podctl up web --addr 10.9.1.2/32 --kind netkit
	attach web netkit/peer next_all
	id=$(attach web netkit/peer no_btf)
	inject --dst 10.9.0.9:53 --proto udp
	holds '.policy.programs[0] | .evidence == "fexit" and .action == "NETKIT_NEXT"'
	holds '.policy.programs[1] | .evidence != "fexit" and .name == "no_btf"'
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id"
}

@test "a peer program that redirects" {
	podctl up web --addr 10.9.1.2/32 --kind netkit
	id=$(attach web netkit/peer redirect_to --to hdst)
	inject --dst 10.9.0.9:53 --proto udp
	holds '.policy.verdict == "redirected" and .policy.denied_by == null'
	! can fexit || holds '.policy.programs[0].action == "NETKIT_REDIRECT"'
	holds ".policy.redirected_by.id == $id and .policy.redirected_to.device == \"hdst\""
	[ "$(podctl seen "$id")" = '1 0' ]
}

@test "a primary program is on the way in, and not listed" {
	podctl up web --addr 10.9.1.2/32 --kind netkit
	attach web netkit/primary drop_all
	inject --dst 10.9.0.9:53 --proto udp
	holds '.policy.programs == [] and .outcome == "delivered"'
}
