#!/usr/bin/env bats
# A datapath of Open vSwitch between the pods: flows that let pass, that drop, and none at all, without a daemon and with one.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

dp() { node ovs-dpctl "$@"; }
# flow MATCH ACTIONS: of packets that come from the pod web.
flow() { dp add-flow dp0 "in_port(1),eth(),$1" "$2"; }

setup() {
	command -v ovs-dpctl > /dev/null || skip 'no ovs-dpctl here'
	modprobe -q openvswitch 2> /dev/null || [ -d /sys/module/openvswitch ] || skip 'this kernel has no Open vSwitch'
	node_up
	podctl up web --addr 10.9.0.2/24
	podctl up dst --addr 10.9.0.9/24
	dp add-dp dp0
	dp add-if dp0 hweb
	dp add-if dp0 hdst
	flow 'eth_type(0x0806),arp()' 2
	dp add-flow dp0 'in_port(2),eth(),eth_type(0x0806),arp()' 1
}
teardown() { [ -z "${NODE_PID:-}" ] || node_down; }

@test "what a flow does is the outcome of the packet" {
	flow 'eth_type(0x0800),ipv4(proto=17),udp(dst=53)' 2
	flow 'eth_type(0x0800),ipv4(proto=17),udp(dst=54)' ''
	serve dst 53
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered" and .drop == null'
	# A flow without actions drops. Before Linux 6.6 it does so without a word.
	inject --dst 10.9.0.9:54 --proto udp
	if ! can tcx; then
		holds '.outcome == "inconclusive" and .policy.verdict == "unknown" and (.reason | test("Open vSwitch consumed it"))'
		return
	fi
	is_status 0
	holds '.outcome == "dropped" and .drop.reason == "OVS_DROP_LAST_ACTION" and (.drop.location | test("openvswitch"))'
}

@test "no flow, and no daemon that is asked" {
	inject --dst 10.9.0.9:55 --proto udp
	is_status 0
	holds '.outcome == "dropped" and (.drop.location | test("^ovs_dp_process_packet.*openvswitch"))'
}

# The daemon, as the tests have it: OVS' own asks for more than one processor.
@test "no flow yet: the daemon is asked, and the packet is followed" {
	local before
	dp del-dp dp0
	# shellcheck disable=SC2153  # of the helpers
	node "$PYTHON" "$ROOT/tests/e2e/ovsd.py" dp1 hweb hdst 54 > "$NODE_DIR/ovsd" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/ovsd"
	serve dst 53 57
	in_pod web ping -qc 1 -W 9 10.9.0.9
	before=$(in_pod dst grep ^Udp: /proc/net/snmp)
	inject --dst 10.9.0.9:53 --proto udp --sport 40000
	is_status 0
	holds '.attempts == 1 and .outcome == "delivered" and .policy.verdict == "none" and [.observations[] | select(.action == "Delivered")] != []'
	# The same flow again: it has one now.
	inject --dst 10.9.0.9:53 --proto udp --sport 40000
	holds '.outcome == "delivered" and .policy.verdict == "none"'
	[ "$(grep -c 'upcall from 1' "$NODE_DIR/ovsd")" -ge 3 ]
	! can tcx || [ "$(in_pod dst grep ^Udp: /proc/net/snmp)" = "$before" ]
	[ "$(served 53)" = 0 ]
	# The daemon makes a flow that drops: the first packet ends without a word, the second by that flow.
	inject --dst 10.9.0.9:54 --proto udp
	holds '.attempts == 2'
	if can tcx; then
		holds '.policy.verdict == "denied" and .outcome == "dropped" and .decider.kind == "ovs" and .drop.reason == "OVS_DROP_LAST_ACTION"'
	else
		holds '.outcome == "inconclusive" and .policy.verdict == "unknown" and (.reason | test("Open vSwitch consumed it"))'
	fi
	# Many at a time.
	flowgen inject --pod netns:web --dst 10.9.0.9 --dport 53,57 --proto udp
	holds '.outcome == "delivered"'
	fits_schema
}

# of RECEIVERS PORT FILTER: of all results of these receivers at that port.
of() {
	jq -se --argjson of "$1" --argjson port "$2" "map(select(.packet.dport == \$port and (.packet.dst | split(\".\")[3] | tonumber - 10 | IN(\$of[])))) |
		length == (\$of | length) and all(.[]; $3)" <<< "$output" > /dev/null || {
		jq -c '[.packet.dst, .packet.dport, .outcome, .policy.verdict, .policy.denied_by, .policy.stages, .decider, .attempts, .reason, .policy.programs]' <<< "$output"
		return 1
	}
}

# More than the devices that packets were known again at, when these were eight.
@test "many receivers in one run: each its own policy, and its own end" {
	local n ports=(hweb)
	dp del-dp dp0
	for n in 1 2 3 4 5 6 7 8 9 10; do
		podctl up "r$n" --addr "10.9.0.$((10 + n))/24"
		serve "r$n" 53
		ports+=("hr$n")
	done
	attach r3 tc/egress deny_port --other-side --proto udp --port 53 > /dev/null
	attach r10 tc/egress deny_port --other-side --proto udp --port 53 > /dev/null
	attach r5 tc/egress allow_all --other-side > /dev/null
	node "$PYTHON" "$ROOT/tests/e2e/ovsd.py" dp1 "${ports[@]}" 54 > "$NODE_DIR/ovsd" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/ovsd"
	{
		echo 'name: many'
		echo 'pods: { web: netns:web }'
		echo 'probes:'
		for n in 1 2 3 4 5 6 7 8 9 10; do
			for port in 53 54; do
				echo "  - { from: web, to: 10.9.0.$((10 + n)), dport: $port, proto: udp }"
			done
		done
	} > "$NODE_DIR/many.yaml"
	# In the second round each address is known, but no flow to it.
	for n in 1 2; do
		flowgen run "$NODE_DIR/many.yaml" --output json
		of '[3, 10]' 53 '.outcome == "dropped" and .policy.verdict == "denied" and .policy.denied_by.name == "deny_port" and
			(.policy.denied_by.device == "hr\(.packet.dst | split(".")[3] | tonumber - 10)")'
		of '[5]' 53 '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.stages.ingress == "allowed"'
		of '[1, 2, 4, 6, 7, 8, 9]' 53 '.outcome == "delivered" and .policy.verdict == "none"'
		if can tcx; then
			of '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]' 54 '.attempts == 2 and .policy.verdict == "denied" and .decider.kind == "ovs"'
		else
			of '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]' 54 '.policy.verdict == "unknown" and (.reason | test("Open vSwitch consumed it"))'
		fi
	done
}

@test "check names the datapath and counts its ports" {
	flowgen check --output json
	holds '.node.openvswitch == [{"device": "dp0", "ports": 2}]'
	flowgen check -o text
	[[ $output == *'Open vSwitch        dp0: 2 ports'* ]]
}
