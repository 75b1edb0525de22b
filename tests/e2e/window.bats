#!/usr/bin/env bats
# Windows in which not everything goes as it should: what the kernel does not take, and what has no way out of its pod.
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
}
teardown_file() { node_down; }

# capture FILE SIZE@ADDRESS...: packets of these sizes to these destinations.
capture() {
	local file=$1 what
	shift
	for what; do
		flowgen inject --dry-run --src 10.9.1.2 --dst "${what#*@}:53" --proto udp --size "${what%@*}" --write "$NODE_DIR/one.pcap"
		if [ -s "$file" ]; then tail -c +25 "$NODE_DIR/one.pcap" >> "$file"; else cat "$NODE_DIR/one.pcap" >> "$file"; fi
	done
}

@test "one frame that the device finds too long: it is inconclusive, and the others have their answers" {
	capture "$NODE_DIR/long.pcap" 100@10.9.0.9 3000@10.9.0.9 200@10.9.0.9 300@10.9.0.9
	flowgen inject --pod netns:web --pcap "$NODE_DIR/long.pcap" --method pod-socket --timeout 30s
	is_status 4
	[ "$(jq -c '[.packet.length, .outcome, .policy.verdict, .reason]' <<< "$output")" = '[128,"delivered","none",null]
[3028,"inconclusive","unknown","it did not reach the pod'\''s egress path"]
[228,"delivered","none",null]
[328,"delivered","none",null]' ]
	[[ $stderr == *'3 sent in '*', 1 not taken by the kernel'* ]]
	# The wait for it is not the timeout's.
	[[ $stderr =~ 'sent in '([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -lt 25000 ]
}

@test "nothing that could be sent is an error, with what the kernel says" {
	capture "$NODE_DIR/none.pcap" 3000@10.9.0.9
	flowgen inject --pod netns:web --pcap "$NODE_DIR/none.pcap" --method pod-socket
	is_status 5
	[ -z "$output" ]
	[[ $stderr == *'write a frame of 3042 bytes: Message too long'* ]]
}

@test "a pod without a route to one destination: that packet alone is not sent, of a capture and of a scenario" {
	local before
	in_pod web ip route del default
	in_pod web ip route add 10.9.0.0/24 via 169.254.1.1 dev eth0
	node nft 'table ip sent { counter web { }; chain c { type filter hook prerouting priority -500; iifname "hweb" counter name web; }; }'
	sent() { node nft -j list counter ip sent web | jq '.nftables[] | .counter // empty | .packets'; }
	capture "$NODE_DIR/routes.pcap" 100@10.9.0.9 100@192.0.2.9 100@10.9.0.9
	flowgen inject --pod netns:web --pcap "$NODE_DIR/routes.pcap"
	is_status 0
	[ "$(jq -r .outcome <<< "$output" | tr '\n' ' ')" = 'delivered not-sent delivered ' ]
	[[ $stderr == *', 1 not sent'* ]]
	[ "$(sent)" = 2 ]
	cat > "$NODE_DIR/routes.yaml" <<- 'END'
		name: s
		probes:
		  - {name: a, from: "netns:web", to: 10.9.0.9, proto: udp, dport: 53, expect: {outcome: delivered}}
		  - {name: b, from: "netns:web", to: 192.0.2.9, proto: udp, dport: 53, expect: {outcome: delivered}}
		  - {name: c, from: "netns:web", to: 10.9.0.9, proto: udp, dport: 53, expect: {outcome: delivered}}
	END
	flowgen run "$NODE_DIR/routes.yaml" --output tap
	is_status 1
	[[ $output == *$'\nok 1 - s: a'*'not ok 2 - s: b'*'connect() fails with ENETUNREACH'*$'\nok 3 - s: c'* ]]
	[ "$(sent)" = 4 ]
	in_pod web ip route add default via 169.254.1.1 dev eth0
	in_pod web ip route del 10.9.0.0/24
}

@test "replies to packets with IPv4 options" {
	need tcx
	local option
	# No operation; record route, with room for one address; a trace identifier.
	for option in 01010101 07070400000000 8808abcd00000000; do
		inject --dst 10.9.0.9 --proto icmp --ip-option "$option" --reply
		is_status 0
		holds '.outcome == "replied" and .reply.kind == "echo-reply" and .reply.from == "10.9.0.9"'
	done
}

@test "one tuple in many windows, with connection tracking" {
	node nft 'table ip watch { chain f { type filter hook forward priority 0; ct state new counter; }; }'
	inject --dst 10.9.0.9:53 --proto udp --sport 4041 --count 2500
	is_status 0
	[ "$(jq -r '[.outcome, .policy.verdict, (.state | length)] | join(" ")' <<< "$output" | sort | uniq -c | tr -s ' ')" = ' 2500 delivered allowed 1' ]
	[ "$(jq -r .id <<< "$output" | sort -u | wc -l)" = 2500 ]
	need tcx
	inject --dst 10.9.0.9 --proto icmp --icmp-id 7 --count 1100 --reply
	is_status 0
	[ "$(jq -r '[.outcome, .reply.kind] | join(" ")' <<< "$output" | sort | uniq -c | tr -s ' ')" = ' 1100 replied echo-reply' ]
}
