#!/usr/bin/env bats
# Many probes in one run: ranges, lists, counts, summaries, expectations and their exit statuses, reproducibility.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	attach web tc/ingress deny_port --proto udp --port 1000-1099 > /dev/null
	serve dst 53
}
teardown_file() { node_down; }

# bats test_tags=novm
@test "a range: one line for each port, in order, each with its own verdict" {
	inject --dst 10.9.0.9 --proto udp --dport 1-2000
	is_status 0
	[ "$(lines)" = 2000 ]
	[ "$(jq -s 'map(.packet.dport) == [range(1; 2001)] and map(.id) == [range(1; 2001)]' <<< "$output")" = true ]
	[ "$(jq -s '[.[] | select(.policy.verdict == "denied") | .packet.dport] == [range(1000; 1100)]' <<< "$output")" = true ]
	[ "$(jq -s 'all(.lost_events == 0 and .outcome != "inconclusive")' <<< "$output")" = true ]
	# One of fifty, with both verdicts: to look at each takes a minute.
	output=$(awk 'NR % 50 == 1' <<< "$output")
	fits_schema
}

@test "a list of ports and ranges, in the order in which it was written" {
	inject --dst 10.9.0.9 --proto udp --dport 1005,22,80-82
	is_status 0
	[ "$(jq -sc 'map(.packet.dport)' <<< "$output")" = '[1005,22,80,81,82]' ]
}

@test "--summary: one object, with the ports behind each verdict" {
	inject --dst 10.9.0.9 --proto udp --dport 1-2000 --summary
	is_status 0
	[ "$(lines)" = 1 ]
	holds '.schema == "flowgen.summary/2" and .total == 2000 and .lost_events == 0'
	holds '.verdicts.denied == {count: 100, ports: ["1000-1099"]}'
	holds '.verdicts.allowed == {count: 1900, ports: ["1-999", "1100-2000"]}'
	holds '.outcomes.delivered == {count: 1, ports: ["53"]} or .outcomes.delivered.count == 1900'
	holds '.deniers | length == 1 and .[0].name == "deny_port" and .[0].stage == "egress" and .[0].denied.count == 100'
	# Without tcx the others come to the pod's stack, where nothing listens on their ports.
	if can tcx; then holds '.drops == []'; else holds '.drops | length == 1 and .[0].reason == "NO_SOCKET" and .[0].dropped.count == 1899'; fi
	fits_schema summary
}

@test "all 65535 ports, none lost" {
	inject --dst 10.9.0.9 --proto udp --dport 1-65535 --summary
	is_status 0
	holds '.total == 65535 and .lost_events == 0 and .verdicts.denied == {count: 100, ports: ["1000-1099"]}'
	holds '.outcomes.inconclusive.count == 0 and .verdicts.unknown.count == 0'
}

@test "--count sends each port so often" {
	before=$(served 53)
	inject --dst 10.9.0.9:53 --proto udp --count 7
	is_status 0
	[ "$(lines)" = 7 ]
	[ "$(jq -sc 'map(.id)' <<< "$output")" = '[1,2,3,4,5,6,7]' ]
	holds '.outcome == "delivered"'
	seven_more() { [ "$(served 53)" = $((before + 7)) ]; }
	[ "$(value .stopped)" = true ] || wait_for seven_more
}

# A tuple that connection tracking knows is in use, and another is taken.
forget_flows() { node conntrack -F > /dev/null 2>&1 || :; }

@test "--seed: the same packets again; without it, others" {
	inject --dst 10.9.0.9:53 --proto udp --count 5 --seed 7 --bytes
	first=$(jq -r .packet.bytes <<< "$output")
	forget_flows
	inject --dst 10.9.0.9:53 --proto udp --count 5 --seed 7 --bytes
	[ "$(jq -r .packet.bytes <<< "$output")" = "$first" ]
	inject --dst 10.9.0.9:53 --proto udp --count 5 --seed 8 --bytes
	[ "$(jq -r .packet.bytes <<< "$output")" != "$first" ]
	inject --dst 10.9.0.9:53 --proto udp --count 5 --bytes
	[ "$(jq -r .packet.bytes <<< "$output")" != "$first" ]
	[ "$(jq -r .packet.sport <<< "$output" | sort -u | wc -l)" -gt 1 ]
}

@test "--sport is taken as it is" {
	inject --dst 10.9.0.9:53 --proto udp --sport 4242
	holds '.packet.sport == 4242'
}

@test "a TCP packet is what a client sends first: SYN with the usual options, TTL 64" {
	inject --dst 10.9.0.9:80 --proto tcp --bytes
	is_status 0
	holds '.packet.tcp_flags == "S" and .packet.ttl == 64 and .packet.length == 60 and .packet.sport >= 1024'
	# MSS, SACK permitted, timestamps and window scale, behind the 20 bytes of the TCP header.
	[[ $(value '.packet.bytes[108:]') =~ ^020405b40402080a[0-9a-f]{16}010303 ]]
}

# expects STATUS WANTED MET PORT
expects() {
	inject --dst "10.9.0.9:$4" --proto udp --expect "$2"
	is_status "$1"
	holds ".expect == {wanted: \"$2\", met: $3}"
}

@test "--expect: met is exit status 0, not met is 1" {
	expects 0 allow true 53
	expects 1 deny false 53
	expects 0 deny true 1000
	expects 1 allow false 1000
	expects 0 delivered true 53
	expects 1 delivered false 1000
	expects 0 dropped true 1000
	expects 1 dropped false 53
	expects 1 forwarded false 53
}

@test "--expect over a sweep: one that is not as expected is enough" {
	inject --dst 10.9.0.9 --proto udp --dport 1000-1099 --expect deny --summary
	is_status 0
	holds '.expect == {met: 100, unmet: 0}'
	inject --dst 10.9.0.9 --proto udp --dport 1000-1100 --expect deny --summary
	is_status 1
	holds '.expect == {met: 100, unmet: 1}'
}

@test "denied without an expectation is an answer, not a failure" {
	inject --dst 10.9.0.9:1000 --proto udp
	is_status 0
	holds '.expect == null and .policy.verdict == "denied"'
}

# bats test_tags=novm
@test "events that are lost make it inconclusive: exit status 4" {
	# Each packet is cut into thirty on its way.
	node ip link set hdst mtu 68
	inject --dst 10.9.0.9 --proto udp --size 1400 --df off --dport 1-2000 --ring-size 4096 --timeout 200ms --summary
	node ip link set hdst mtu 1500
	is_status 4
	holds '.lost_events > 0 and .outcomes.inconclusive.count > 0'
	# What is still said to be denied or allowed is right.
	holds '(.verdicts.denied.count <= 100) and (.total == 2000)'
}

# bats test_tags=novm
@test "a ring of one page is enough for all ports, with and without replies" {
	inject --dst 10.9.0.9 --proto udp --dport 1-20000 --ring-size 4096 --summary
	is_status 0
	holds '.lost_events == 0 and .outcomes.inconclusive.count == 0 and .verdicts.denied.count == 100'
	inject --dst 10.9.0.9 --proto tcp --dport 1-5000 --ring-size 4096 --reply --summary
	is_status 0
	holds '.lost_events == 0 and .outcomes.inconclusive.count == 0 and .outcomes.rejected.count == 5000'
}

# The kernel answers some of them at once, and then few: by one rule, some are rejected and others dropped.
@test "what one rule rejects is one item, however many ICMP errors the kernel sends" {
	need tcx
	node nft 'table ip refuse { chain c { type filter hook forward priority 0; udp dport 30000-30999 reject; }; }'
	inject --dst 10.9.0.9 --proto udp --dport 30000-30999 --reply --timeout 300ms --summary
	fits_schema summary
	holds '.verdicts.denied.count == 1000 and .outcomes.rejected.count > 0 and .outcomes.dropped.count > 0'
	holds '([.deniers[] | select(.kind == "netfilter") | .denied.count] | add) == 1000
		and ([.deniers[].icmp_errors] | add) == .outcomes.rejected.count'
	# After a second some are sent again.
	read -rt 2 <> "$NODE_DIR/never" || :
	inject --dst 10.9.0.9 --proto udp --dport 30000-30999 --reply --timeout 300ms --summary --output text
	[[ $(tr -s ' \n' ' ' <<< "$output") == *'answered by an ICMP error (rejected), the others not (dropped): the kernel limits its ICMP errors'* ]]
	node nft delete table ip refuse
}
