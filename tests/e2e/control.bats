#!/usr/bin/env bats
# The positive control: a denial is proven by what passes beside it.
load helpers

setup_file() {
	node_up
	pods_up
}
teardown_file() { node_down; }
setup() {
	need tcx
	podctl up web2 --addr 10.9.2.2/32
	ID=$(attach web2 tcx/ingress deny_port --proto udp --port 9999)
}
teardown() { ! can tcx || podctl del web2; }

control() { flowgen inject --pod netns:web2 --proto udp "$@"; }

@test "a control that passes proves the denial" {
	control --dst 10.9.0.9:9999 --control 53 --expect deny
	is_status 0
	fits_schema
	[ "$(lines)" = 1 ]
	holds '.policy.verdict == "denied" and .expect.met'
	holds '.control == {port: 53, verdict: "allowed", outcome: "delivered", proven: true}'
	control --dst 10.9.0.9:53 --control 54
	is_status 0
	holds '.control.proven == null and .policy.verdict == "allowed"'
}

@test "a control that fails too: not proven, exit status 4" {
	control --dst 10.9.0.9:9999 --control 9999 --expect deny
	is_status 4
	fits_schema
	holds '.policy.verdict == "denied" and .outcome == "dropped" and (.expect.met | not)'
	holds '.control == {port: 9999, verdict: "denied", outcome: "dropped", proven: false}'
	holds '.reason == "the control failed too"'
	control --dst 10.9.0.9:9999 --control 9999
	is_status 4
}

@test "the way is broken for both" {
	node ip route add blackhole 10.9.0.99
	control --dst 10.9.0.99:9998 --control 53 --expect dropped
	is_status 4
	holds '.control.proven == false and .control.outcome == "dropped" and (.expect.met | not)'
	# A control to another address shows that the policy is not to blame; the drop is real.
	control --dst 10.9.0.99:9998 --control 10.9.0.9:53 --expect dropped
	is_status 0
	holds '.control.proven == true'
	node ip route del blackhole 10.9.0.99
}

@test "one control for each batch, which is neither told nor counted" {
	control --dst 10.9.0.9 --dport 9900-9999,10000-12500 --control 53 --summary
	is_status 0
	holds '.total == 2601'
	[ "$(podctl seen "$ID" | cut -d' ' -f1)" = 2604 ]
	control --dst 10.9.0.9 --dport 9998-9999 --control 53
	[ "$(lines)" = 2 ]
	[ "$(jq -rc '.control.proven' <<< "$output" | xargs)" = 'null true' ]
}

@test "for a person" {
	control --dst 10.9.0.9:9999 --control 9999 --output text
	is_status 4
	[[ $output == *'port 9999: denied, dropped: the denial is NOT proven'* ]]
}

@test "ICMP to another address, and fragments" {
	node ip route add blackhole 10.9.0.99
	control --proto icmp --dst 10.9.0.99 --control 10.9.0.9
	node ip route del blackhole 10.9.0.99
	is_status 0
	holds '.control == {port: null, verdict: "allowed", outcome: "delivered", proven: true} and .outcome == "dropped"'
	control --dst 10.9.0.9:53 --control 54 --size 64 --fragment 32 --deliver
	holds '.control.port == 54 and .packet.dport != 54'
	[ "$(lines)" -gt 1 ]
}

@test "mistakes: one line each, exit status 2" {
	local arguments message
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086  # a list of words
		flowgen inject --pod netns:web2 $arguments
		is_status 2
		complains "$message"
	done <<-'END'
		--dst 10.9.0.9:53 --control 0|--control: .*0
		--dst 10.9.0.9:53 --control 70000|--control: .*70000
		--dst 10.9.0.9:53 --control x|--control: .*x
		--dst 10.9.0.9:53 --control 10.9.0.9|--control: no port given
		--dst 10.9.0.9:53 --control [fd00::1]:5|different families
		--dst 10.9.0.9 --proto icmp --control 5|--control: the packet has no ports
	END
}
