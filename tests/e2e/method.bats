#!/usr/bin/env bats
# Which method `auto` takes in which situation, and that no method bypasses a program without saying so.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53 9999
	# What auto takes where an ingress redirect would be right, and where it would not.
	if can peer-egress; then
		export PLAIN=peer-egress FULL=peer-egress
	elif can tcx; then
		export PLAIN=host-ingress FULL=bounce
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

@test "a tcx egress program in the pod is never bypassed" {
	need tcx
	id=$(attach web tcx/egress deny_port --proto udp --port 9999)
	takes "$FULL"
	inject --dst 10.9.0.9:9999 --proto udp
	holds ".method == \"$FULL\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
}

@test "a clsact egress program in the pod is never bypassed" {
	id=$(attach web tc/egress deny_port --proto udp --port 9999)
	takes "$FULL"
	inject --dst 10.9.0.9:9999 --proto udp
	holds ".method == \"$FULL\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
}

@test "native XDP on the primary is never bypassed" {
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

@test "a queueing discipline in the pod is never bypassed" {
	in_pod web tc qdisc add dev eth0 root tbf rate 1gbit burst 1mb latency 10ms
	takes "$FULL"
}

@test "a filter of another kind in the pod is never bypassed" {
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
	[[ $stderr == *bypasses* ]]
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

@test "neither way out of the pod's device is complete: the packet socket is left, and the reason is said" {
	need tcx
	id=$(attach web tcx/egress deny_port --proto udp --port 9999)
	attach web xdp xdp_pass --generic
	takes pod-socket
	inject --dst 10.9.0.9:9999 --proto udp
	holds ".method == \"pod-socket\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id"
	inject --method bounce --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'method bounce: .*bypasses generic XDP on the primary'
}

@test "bounce is refused where generic XDP for what comes in would see the packet" {
	need tcx
	id=$(attach web xdp xdp_deny_port --generic --other-side --proto udp --port 9999)
	attach web tcx/egress next_all
	inject --method bounce --dst 10.9.0.9:9999 --proto udp
	is_status 3
	complains 'method bounce: generic XDP'
	takes "$(can peer-egress && echo peer-egress || echo pod-socket)"
	inject --dst 10.9.0.9:9999 --proto udp
	holds '.outcome == "delivered"'
	[[ $(podctl seen "$id") == *' 0' ]]
}

@test "bounce: the pod's queueing discipline, its programs, native XDP and the host's all run, once each" {
	need tcx
	out=$(attach web tcx/egress next_all)
	filter=$(attach web tc/egress next_all)
	xdp=$(attach web xdp xdp_pass)
	host=$(attach web tcx/ingress next_all)
	in_pod web tc qdisc add dev eth0 root tbf rate 1gbit burst 1mb latency 10ms
	# The address of the next hop is known already: else its request would come by too.
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
	sent() { in_pod web tc -s -j qdisc show dev eth0 | jq '.[] | select(.kind == "tbf").packets'; }
	before=$(sent)
	seen=$(podctl seen "$xdp")
	policed=$(podctl seen "$out")
	inject --method bounce --dst 10.9.0.9 --proto udp --dport 1001-1200 --summary
	is_status 0
	# XDP in the driver makes another sk_buff of it: without return values a redirect would look the same.
	if can fexit; then verdict=allowed; else verdict=unknown; fi
	holds ".method == \"bounce\" and .total == 200 and .outcomes.delivered.count == 200 and .verdicts.$verdict.count == 200"
	# The pod has a packet of its own to send now and then.
	once() { [ "$1" -ge $(($2 + 200)) ] && [ "$1" -lt $(($2 + 220)) ]; }
	once "$(sent)" "$before"
	once "$(podctl seen "$xdp" | cut -d' ' -f1)" "${seen% *}"
	for id in "$out" "$filter" "$host"; do
		once "$(podctl seen "$id" | cut -d' ' -f1)" "${policed% *}"
	done
}

@test "bounce: the pod's stack sees nothing of it, a capture in the pod shows each packet twice" {
	need tcx
	attach web tcx/egress next_all
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
	before=$(in_pod web cat /proc/net/snmp /proc/net/snmp6 /proc/net/packet)
	inject --method bounce --dst 10.9.0.9:53 --proto udp --reply
	is_status 0
	inject --method bounce --dst 10.9.0.9:80 --proto tcp
	holds '.outcome == "delivered"'
	[ "$(in_pod web cat /proc/net/snmp /proc/net/snmp6 /proc/net/packet)" = "$before" ]
	in_pod web timeout 60 tcpdump -n --immediate-mode -c 2 -i eth0 udp port 4242 > "$NODE_DIR/tap" 2> "$NODE_DIR/tap.err" 3>&- 7>&- &
	tap=$!
	wait_for grep -q listening "$NODE_DIR/tap.err"
	inject --method bounce --dst 10.9.0.9:4242 --proto udp
	is_status 0
	wait "$tap"
	[ "$(grep -c '> 10.9.0.9.4242' "$NODE_DIR/tap")" = 2 ]
}

@test "one run with a pod for each method: each goes its own way, in whatever order they come" {
	need tcx
	local ways=(host-ingress bounce pod-socket) pods=() order way
	! can peer-egress || ways+=(peer-egress)
	kind=veth
	! can netkit || kind=netkit
	for way in "${ways[@]}"; do
		# An ingress redirect would bypass the programs of a netkit pod.
		podctl up "$way" --addr "10.9.4.$((${#pods[@]} + 2))/32" --kind "$([ "$way" = host-ingress ] && echo veth || echo "$kind")"
		pods+=("$way")
		attach "$way" "$([ "$way" = host-ingress ] && echo tcx/ingress || echo tcx/egress)" deny_port --proto udp --port 9999
	done
	for order in "${ways[*]}" "$(printf '%s\n' "${ways[@]}" | tac | xargs)"; do
		{
			printf 'name: ways\npods:\n'
			for way in $order; do printf '  %s: {ref: "netns:%s", method: %s}\n' "$way" "$way" "$way"; done
			printf 'probes:\n'
			for way in $order; do
				printf '  - {name: %s-%%s, from: %s, to: 10.9.0.9, proto: udp, dport: %%s, expect: %%s}\n' "$way" "$way" |
					while IFS= read -r line; do
						# shellcheck disable=SC2059  # the line is the format
						printf "$line\n$line\n" 53 53 delivered 9999 9999 deny
					done
			done
		} > "$NODE_DIR/ways.yaml"
		flowgen run "$NODE_DIR/ways.yaml" --output json
		is_status 0
		output=$(jq -c 'select(.schema | startswith("flowgen.result"))' <<< "$output")
		[ "$(lines)" = $((2 * ${#ways[@]})) ]
		holds '.method as $m | .name | startswith($m)'
		holds 'if (.name | endswith("9999")) then .policy.verdict == "denied" else .policy.verdict == "allowed" and .outcome == "delivered" end'
	done
	podctl del "${pods[@]}"
}

@test "bounce: two runs at once on one pod leave each other's packets alone" {
	need tcx
	id=$(attach web tcx/egress deny_port --proto udp --port 1001-1100 --port 3001-3100)
	for first in 1 2001; do
		node "$FLOWGEN" inject --pod netns:web --method bounce --dst 10.9.0.9 --proto udp --dport "$first-$((first + 1999))" --count 5 --summary \
			> "$NODE_DIR/run$first" 2> "$NODE_DIR/run$first.err" 3>&- 7>&- &
		runs+=($!)
	done
	for run in "${runs[@]}"; do wait "$run"; done
	for first in 1 2001; do
		output=$(cat "$NODE_DIR/run$first")
		holds '.method == "bounce" and .total == 10000 and .verdicts.denied.count == 500 and .verdicts.allowed.count == 9500'
		holds '.outcomes.delivered.count == 9500 and .lost_events == 0'
	done
	[[ $(podctl seen "$id") == *' 1000' ]]
}

# rewritten METHOD: what a program in the pod made of the packet is said, whether or not anybody saw it before.
rewritten() {
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds ".method == \"$1\" and .outcome == \"delivered\" and .packet.dport == 9999"
	holds 'any(.observations[]; .action == "Translated" and (.detail | test("10.9.0.9:53 udp")))'
	inject --method "$1" --dst 10.9.0.9:53 --proto udp
	holds '.outcome == "delivered" and all(.observations[]; .action != "Translated")'
}

@test "pod-socket: rewritten by the pod's own program before anyone looked" {
	attach web tc/egress rewrite_port --value 53
	rewritten pod-socket
}

@test "bounce: rewritten by the pod's own program" {
	need tcx
	attach web tc/egress rewrite_port --value 53
	rewritten bounce
}

@test "pod-socket: what is not rewritten does not read so, whatever the packet" {
	attach web tc/egress next_all
	for arguments in '--dst 10.9.0.9 --proto icmp' '--dst 10.9.0.9:80 --proto tcp --size 1200' '--dst 10.9.0.9:53 --proto udp --id 7 --df off' \
		'--dst 10.9.0.9:53 --proto udp --size 2500 --fragment 1000' '--dst 10.9.0.9:53 --proto udp --udp-length 9'; do
		# shellcheck disable=SC2086  # a list of arguments
		inject --method pod-socket $arguments
		# Linux 6.1 does not tell who takes an echo request.
		! can tcx || is_status 0
		holds 'all(.observations[]; .action != "Translated")'
	done
}

@test "bounce: a program that comes before flowgen's inside the pod: inconclusive, never a verdict" {
	need tcx
	podctl up trap --addr 10.9.4.2/32
	attach trap tcx/egress next_all
	node "$FLOWGEN" inject --pod netns:trap --method bounce --dst 10.9.0.9:53 --proto udp --rate 50 --count 400 --timeout 500ms > "$NODE_DIR/trap" 2> "$NODE_DIR/trap.err" 3>&- 7>&- &
	run=$!
	wait_for test -s "$NODE_DIR/trap"
	attach trap tcx/ingress drop_all --other-side --first
	wait "$run" || status=$?
	podctl del trap
	[ "${status:-0}" = 4 ]
	[ "$(jq -s length "$NODE_DIR/trap")" = 400 ]
	output=$(cat "$NODE_DIR/trap")
	holds '(.outcome == "delivered" and .policy.verdict == "allowed") or (.outcome == "inconclusive" and .policy.verdict == "unknown" and .drop == null)'
	[ "$(jq -s 'map(select(.outcome == "delivered")) | length' <<< "$output")" -gt 0 ]
	[ "$(jq -s 'map(select(.reason // "" | test("the pod.s device"))) | length' <<< "$output")" -gt 0 ]
}

@test "on a port of a bridge a bounced packet would hide redirects by the host side: it is written in the pod, then" {
	podctl up left --addr 10.9.5.2/24 --gw 10.9.5.1 --bridge br0
	podctl up right --addr 10.9.5.9/24 --gw 10.9.5.1 --bridge br0
	attach left tc/egress next_all
	attach left tc/ingress next_all
	flowgen inject --pod netns:left --dst 10.9.5.9:53 --proto udp
	is_status 0
	holds ".method == \"$(can peer-egress && echo peer-egress || echo pod-socket)\""
	can peer-egress || holds '.policy.verdict == "allowed" and (.policy.programs | all(.ran == true))'
	[ "$(node "$FLOWGEN" pods --output json | jq -r 'select(.name == "left") | .method')" = "$(value .method)" ]
	if can tcx; then
		# br_netfilter takes the packet from its socket, which no redirect does: that would tell.
		node sh -c 'for call in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do [ ! -e "$call" ] || echo 0 > "$call"; done'
		flowgen inject --pod netns:left --dst 10.9.5.9:53 --proto udp --method bounce
		if can fexit; then holds '.policy.verdict == "allowed"'; else holds '.policy.verdict == "unknown"'; fi
		[[ $stderr == *'hides a redirect'* ]]
	fi
	podctl del left right
}
