#!/usr/bin/env bats
# veth pods: each verdict, by each method that this kernel has, at each hook, against what the programs themselves counted.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
# What only repeats on another hook is left out in the emulated machines (novm), where a test takes twenty seconds.
load helpers

setup_file() {
	node_up
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53 9999
}
teardown_file() { node_down; }
setup() { podctl up web --addr 10.9.1.2/32; }
teardown() { podctl del web; }

# denies METHOD HOOK: UDP port 9999 is denied by the program there, another port is let through by it, and the program's
# own counters agree.
denies() {
	local id before after
	id=$(attach web "$2" deny_port --proto udp --port 9999)
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".method == \"$1\" and .policy.verdict == \"denied\" and .outcome == \"dropped\""
	holds ".policy.denied_by.name == \"deny_port\" and .policy.denied_by.id == $id"
	holds ".policy.programs | length == 1 and .[0].hook == \"$2\" and .[0].id == $id and .[0].ran == true"
	holds '.policy.programs[0].evidence != "none" and .lost_events == 0'
	before=$(podctl seen "$id")
	[ "${before#* }" = 1 ]
	inject --method "$1" --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.policy.verdict == "allowed" and .policy.denied_by == null and .outcome == "delivered" and .drop == null'
	holds '.policy.programs[0].ran == true'
	after=$(podctl seen "$id")
	[ "${after#* }" = 1 ]
	[ "${after% *}" -gt "${before% *}" ]
}

# nothing_enforces METHOD: no program at all is a finding of its own.
nothing_enforces() {
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".method == \"$1\" and .policy.verdict == \"none\" and .policy.programs == [] and .policy.denied_by == null"
	holds '.outcome == "delivered"'
}

# chain METHOD HOOK: the first says next, the second drops, the third is not met.
chain() {
	local first second third
	first=$(attach web "$2" next_all)
	second=$(attach web "$2" deny_port --proto udp --port 9999 --otherwise next)
	third=$(attach web "$2" allow_all)
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $second"
	holds ".policy.programs | map(.id) == [$first, $second, $third]"
	holds '.policy.programs | map(.order) == [1, 2, 3]'
	holds '.policy.programs | map(.ran) == [true, true, false]'
	[ "$(podctl seen "$third")" = '0 0' ]
	inject --method "$1" --dst 10.9.0.9:53 --proto udp
	holds '.policy.verdict == "allowed" and (.policy.programs | map(.ran) == [true, true, true])'
}

@test "host-ingress: tcx/ingress denies" { need tcx; denies host-ingress tcx/ingress; }
@test "host-ingress: tc/ingress denies" { denies host-ingress tc/ingress; }
@test "host-ingress: nothing enforces here" { nothing_enforces host-ingress; }
@test "host-ingress: a chain on tcx/ingress" { need tcx; chain host-ingress tcx/ingress; }
@test "host-ingress: a chain on tc/ingress" { chain host-ingress tc/ingress; }
@test "pod-socket: tcx/egress denies" { need tcx; denies pod-socket tcx/egress; }
@test "pod-socket: tc/egress denies" { denies pod-socket tc/egress; }
@test "pod-socket: tcx/ingress denies" { need tcx; denies pod-socket tcx/ingress; }
@test "pod-socket: tc/ingress denies" { denies pod-socket tc/ingress; }
@test "pod-socket: nothing enforces here" { nothing_enforces pod-socket; }
@test "pod-socket: a chain on tcx/egress" { need tcx; chain pod-socket tcx/egress; }
@test "pod-socket: a chain on tc/egress" { chain pod-socket tc/egress; }
@test "pod-socket: native XDP denies" { denies_xdp pod-socket; }
@test "peer-egress: tcx/egress denies" { need peer-egress tcx; denies peer-egress tcx/egress; }
@test "peer-egress: tc/egress denies" { need peer-egress; denies peer-egress tc/egress; }
@test "peer-egress: tcx/ingress denies" { need peer-egress tcx; denies peer-egress tcx/ingress; }
@test "peer-egress: nothing enforces here" { need peer-egress; nothing_enforces peer-egress; }
@test "peer-egress: a chain on tcx/egress" { need peer-egress tcx; chain peer-egress tcx/egress; }
@test "peer-egress: native XDP denies" { need peer-egress; denies_xdp peer-egress; }

@test "bounce: tcx/egress denies" { need tcx; denies bounce tcx/egress; }
@test "bounce: tc/egress denies" { need tcx; denies bounce tc/egress; }
@test "bounce: tcx/ingress denies" { need tcx; denies bounce tcx/ingress; }
@test "bounce: tc/ingress denies" { need tcx; denies bounce tc/ingress; }
@test "bounce: nothing enforces here" { need tcx; nothing_enforces bounce; }
@test "bounce: a chain on tcx/egress" { need tcx; chain bounce tcx/egress; }
@test "bounce: a chain on tc/egress" { need tcx; chain bounce tc/egress; }
@test "bounce: native XDP denies" { need tcx; denies_xdp bounce; }

denies_xdp() {
	local id
	id=$(attach web xdp xdp_deny_port --proto udp --port 9999)
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds '.policy.verdict == "denied" and .outcome == "dropped" and .policy.denied_by.name == "xdp_deny_port"'
	holds ".policy.programs | length == 1 and .[0].hook == \"xdp\" and .[0].side == \"host\" and .[0].id == $id"
	[[ $(podctl seen "$id") == *' 1' ]]
	inject --method "$1" --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.policy.verdict == "allowed" and .outcome == "delivered"'
	[[ $(podctl seen "$id") == *' 1' ]]
}

@test "host-ingress: generic XDP denies" {
	id=$(attach web xdp xdp_deny_port --generic --proto udp --port 9999)
	inject --method host-ingress --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds '.policy.verdict == "denied" and .policy.denied_by.name == "xdp_deny_port" and .policy.denied_by.hook == "xdp"'
	[[ $(podctl seen "$id") == *' 1' ]]
}

@test "programs are listed in the kernel's order, whatever the order in which they came" {
	need tcx
	tc_in=$(attach web tc/ingress next_all)
	tcx_in=$(attach web tcx/ingress next_all)
	xdp=$(attach web xdp xdp_pass)
	tc_out=$(attach web tc/egress next_all)
	tcx_out=$(attach web tcx/egress next_all)
	tcx_first=$(attach web tcx/egress next_all --first)
	inject --method pod-socket --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds ".policy.programs | map(.id) == [$tcx_first, $tcx_out, $tc_out, $xdp, $tcx_in, $tc_in]"
	holds '.policy.programs | map(.hook) == ["tcx/egress", "tcx/egress", "tc/egress", "xdp", "tcx/ingress", "tc/ingress"]'
	holds '.policy.programs | map(.side) == ["pod", "pod", "pod", "host", "host", "host"]'
	holds '.policy.programs | map(.device) == ["eth0", "eth0", "eth0", "hweb", "hweb", "hweb"]'
	# XDP in the driver makes another sk_buff of it: without return values a redirect would look the same.
	verdict=unknown
	! can fexit || verdict=allowed
	holds ".policy.verdict == \"$verdict\" and (.policy.programs | all(.ran == true))"
}

@test "programs that are not on the egress path are not listed" {
	attach web tc/ingress next_all --other-side
	attach web tc/egress drop_all --other-side
	attach web xdp xdp_pass --other-side
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.policy.programs == [] and .policy.verdict == "none" and .outcome == "delivered"'
}

@test "name, id and tag are those that bpftool shows" {
	id=$(attach web tc/ingress deny_port --proto udp --port 9999)
	inject --dst 10.9.0.9:9999 --proto udp
	tag=$(bpftool prog show id "$id" --json | jq -r .tag)
	holds ".policy.programs[0] | .name == \"deny_port\" and .tag == \"$tag\" and .id == $id"
	# The denier is that program, by the same words.
	holds '.policy as $p | $p.denied_by | to_entries | map(select(.key | IN("kind", "netns") | not)) | length >= 6 and all(.value == $p.programs[0][.key])'
}

@test "a program that redirects: the verdict is redirected, and the packet goes there" {
	id=$(attach web tc/ingress redirect_to --to hdst)
	hear dst packet --dev eth0 --count 1
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds ".policy.verdict == \"redirected\" and .policy.denied_by == null and .policy.redirected_by.id == $id"
	[[ $(podctl seen "$id") == '1 0' ]]
	heard
}

@test "TC_ACT_STOLEN is not delivery" {
	attach web tc/ingress return_value --value 4
	inject --timeout 300ms --dst 10.9.0.9:53 --proto udp
	holds '.outcome != "delivered" and .outcome != "forwarded"'
	holds '.policy.verdict != "allowed"'
}

@test "a program without BTF cannot be traced, and the ladder says how it is known then" {
	id=$(attach web tc/ingress no_btf)
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id and .policy.denied_by.name == \"no_btf\""
	holds '.policy.programs[0] | .evidence != "fexit" and .evidence != "none" and .ran == true'
}

@test "a tail call: the callee's word counts" {
	attach web tc/egress tail_entry --pin /sys/fs/bpf/jumps --proto udp --port 9999
	inject --dst 10.9.0.9:9999 --proto udp
	node rm /sys/fs/bpf/jumps
	is_status 0
	holds '.policy.verdict == "denied" and .policy.denied_by.name == "tail_entry" and .outcome == "dropped"'
}

@test "TCP and ICMP are denied alike" {
	attach web tc/ingress deny_port --proto tcp --port 80 --proto icmp --port 0
	inject --dst 10.9.0.9:80 --proto tcp
	holds '.policy.verdict == "denied" and .packet.proto == "tcp" and .packet.dport == 80'
	inject --dst 10.9.0.9:80 --proto udp
	holds '.policy.verdict == "allowed" and .packet.proto == "udp"'
	inject --dst 10.9.0.9 --proto icmp
	holds '.policy.verdict == "denied" and .packet.proto == "icmp" and .packet.dport == null'
}

@test "a pod on a bridge, to a neighbour whose address nobody knows yet" {
	podctl up left --addr 10.9.5.2/24 --gw 10.9.5.1 --bridge br0
	podctl up right --addr 10.9.5.3/24 --gw 10.9.5.1 --bridge br0
	attach left tc/ingress deny_port --proto udp --port 9999
	mac=$(in_pod right cat /sys/class/net/eth0/address 2> /dev/null || in_pod right ip -br link show eth0 | awk '{ print $3 }')
	hear right packet --dev eth0 --count 1
	flowgen inject --pod netns:left --dst 10.9.5.3:53 --proto udp --bytes
	podctl del left right
	is_status 0
	holds '.policy.verdict == "allowed" and any(.observations[]; .action == "Received" and .netns.name == "right")'
	# Without tcx it reaches the stack, where nothing listens.
	if can tcx; then holds '.outcome == "delivered"'; else holds '.drop.reason == "NO_SOCKET"'; fi
	# The frame is for the other pod itself, not for the bridge.
	holds ".packet.bytes | startswith(\"$(tr -d : <<< "$mac")\")"
}
