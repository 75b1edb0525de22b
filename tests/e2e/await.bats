#!/usr/bin/env bats
# Two nodes, of one kernel here: the receiving end of a packet (inject --await), and the sending end that looks no further
# than its own node (--node-only).
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup() {
	SEED=7
	node_up
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128
}
teardown() { node_down; }

# two_nodes LINK: the pod remote (10.8.0.2, fd00:8::2) on a second node.
two_nodes() {
	local prefix
	podctl node second
	node ip link add to2 type veth peer name to1 netns second
	for side in 'node to2 1' 'second to1 2'; do
		read -r where dev host <<< "$side"
		at() { if [ "$where" = node ]; then node "$@"; else in_pod second "$@"; fi; }
		at ip addr add "192.168.77.$host/24" dev "$dev"
		at ip addr add "fd00:77::$host/64" dev "$dev" nodad
		at ip link set "$dev" up
		at ip route add default via "192.168.77.$((3 - host))"
		at ip -6 route add default via "fd00:77::$((3 - host))"
		at sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1
		if [ "$1" = vxlan ]; then
			at ip link add vx type vxlan id 42 dstport 4789 local "192.168.77.$host" remote "192.168.77.$((3 - host))" dev "$dev"
			at ip addr add "192.168.78.$host/24" dev vx
			at ip addr add "fd00:78::$host/64" dev vx nodad
			at ip link set vx up
		fi
	done
	podctl up remote --node second --addr 10.8.0.2/32 --addr fd00:8::2/128
	[ "$1" = vxlan ] && prefix=78 || prefix=77
	node ip route add 10.8.0.2 via "192.168.$prefix.2"
	node ip -6 route add fd00:8::2 via "fd00:$prefix::2"
	in_pod second ip route add 10.9.1.2 via "192.168.$prefix.1"
	in_pod second ip -6 route add fd00:1::2 via "fd00:$prefix::1"
	# The first packet is not to wait for an address.
	node ping -qc1 -W2 "192.168.$prefix.2" > "$NODE_DIR/ping"
	node ping -qc1 -W2 "fd00:$prefix::2" > "$NODE_DIR/ping"
}

# await OPTION...: the second node's flowgen waits; `arrived` is what it found.
await() {
	: > "$NODE_DIR/await.err"
	in_pod second "$FLOWGEN" inject "--await${AT:+=$AT}" --seed "$SEED" --output json "$@" > "$NODE_DIR/await" 2> "$NODE_DIR/await.err" 3>&- 7>&- &
	AWAITER=$!
	wait_for grep -q '^flowgen: awaiting$' "$NODE_DIR/await.err"
}
arrived() {
	run cat "$NODE_DIR/await.err"
	stderr=$output
	status=0
	wait "$AWAITER" || status=$?
	output=$(cat "$NODE_DIR/await")
}
send() { inject --node-only --seed "$SEED" "$@"; }

# halves DST OPTION...: sent on the node, and awaited on the second one; `sent` is the sender's half, and the output the other.
halves() {
	local src=10.9.1.2
	# Where connection tracking knows the last packet, the sender would leave its port to it.
	SEED=$((SEED + 1))
	[[ $1 != '['* && $1 != *::* ]] || src=fd00:1::2
	await --src "$src" --dst "$@"
	send --dst "$@"
	sent=$output
	sent_status=$status
	arrived
}
# On the host's side of a pod of the second node.
attach_there() { in_pod second "$TOOL/podctl" attach "$@" --other-side; }
sent_holds() { output=$sent holds "$1"; }

@test "both halves of a packet that is allowed, and neither pod notices it" {
	need tcx # else a probe is intercepted at the socket alone
	local before
	two_nodes link
	before=$(in_pod remote cat /proc/net/snmp)
	halves 10.8.0.2:8080 --proto tcp
	[ "$sent_status" = 0 ]
	sent_holds '.outcome == "forwarded" and .policy.verdict == "none" and ([.observations[].netns.name] | index("second") == null)'
	is_status 0
	fits_schema result
	holds '.outcome == "delivered" and .stopped and .policy.verdict == "none" and .pod.device.primary == "to1"'
	holds '.observations[0] | .action == "Injected" and .device == "to1"'
	[ "$before" = "$(in_pod remote cat /proc/net/snmp)" ]
}

@test "UDP, ICMP and IPv6; what no frame is too short for" {
	need tcx
	local words
	two_nodes link
	while read -r words; do
		# shellcheck disable=SC2086  # a list of words
		halves $words
		is_status 0
		sent_holds '.outcome == "forwarded"'
		holds '.outcome == "delivered" and .stopped'
	done <<-'END'
		10.8.0.2:53 --proto udp
		10.8.0.2 --proto icmp
		[fd00:8::2]:8080 --proto tcp
		[fd00:8::2]:53 --proto udp
		fd00:8::2 --proto icmp
	END
}

@test "VXLAN: known again at the device where it is unpacked" {
	need tcx
	two_nodes vxlan
	halves 10.8.0.2:8080 --proto tcp
	sent_holds '.outcome == "forwarded"'
	is_status 0
	holds '.outcome == "delivered" and .pod.device.primary == "vx" and .observations[0].device == "vx"'
}

@test "what the receiving node cuts up is followed and stopped piece by piece" {
	need tcx
	local before
	two_nodes link
	in_pod second ip link set hremote mtu 400
	before=$(in_pod remote cat /proc/net/snmp)
	halves 10.8.0.2:53 --proto udp --size 1400 --df off
	is_status 0
	holds '.outcome == "delivered" and .stopped and .drop == null'
	holds '[.observations[] | select(.of == "piece" and .component == "stop" and .action == "Delivered")] | length == 4'
	[ "$before" = "$(in_pod remote cat /proc/net/snmp)" ]
}

@test "denied by a program at the receiver: by name" {
	need tcx
	two_nodes link
	id=$(attach_there remote --hook tcx/egress --policy deny_port --proto tcp --port 8080)
	halves 10.8.0.2:8080 --proto tcp
	sent_holds '.outcome == "forwarded" and .policy.verdict == "none"'
	holds ".outcome == \"dropped\" and .policy.verdict == \"denied\" and .policy.denied_by.id == $id and .decider.stage == \"ingress\""
	halves '[fd00:8::2]:8080' --proto tcp
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id"
	halves 10.8.0.2:8081 --proto tcp
	holds '.outcome == "delivered" and .policy.verdict == "allowed"'
}

@test "denied by netfilter of the receiver's node, and at its uplink" {
	two_nodes link
	in_pod second nft add table ip t
	in_pod second nft add chain ip t f '{ type filter hook forward priority 0; }'
	in_pod second nft add rule ip t f tcp dport 8080 drop
	halves 10.8.0.2:8080 --proto tcp
	sent_holds '.outcome == "forwarded" and .policy.verdict == "none"'
	holds '.outcome == "dropped" and .policy.verdict == "denied" and .decider.kind == "netfilter" and .decider.stage == "node"'
	in_pod second nft flush ruleset
	in_pod second nft -f - <<-'END'
		table netdev t { chain c { type filter hook ingress device to1 priority 0; tcp dport 8080 drop; }; }
	END
	halves 10.8.0.2:8080 --proto tcp
	sent_holds '.outcome == "forwarded"'
	holds '.policy.verdict == "denied" and .decider.kind == "netfilter" and .decider.stage == "node" and .observations[.end].device == "to1"'
}

# bats test_tags=novm
@test "lost between the nodes: it left, and was not seen to arrive" {
	two_nodes link
	node nft -f - <<-'END'
		table netdev t { chain c { type filter hook egress device to2 priority 0; tcp dport 8080 drop; }; }
	END
	await --src 10.9.1.2 --dst 10.8.0.2:8080 --proto tcp --timeout 2s
	send --dst 10.8.0.2:8080 --proto tcp
	arrived
	is_status 4
	holds '.outcome == "inconclusive" and .policy.verdict == "unknown" and .reason == "it was not seen to arrive" and .observations == []'
}

@test "translated on the way: known by its identification, port and sequence number" {
	need tcx
	two_nodes link
	node nft -f - <<-'END'
		table ip n { chain p { type nat hook postrouting priority 100; oifname "to2" meta l4proto tcp masquerade random; oifname "to2" masquerade; }; }
	END
	halves 10.8.0.2:8080 --proto tcp
	sent_holds '.outcome == "forwarded"'
	holds '.outcome == "delivered" and ([.observations[] | select(.detail // "" | test("192.168.77.1"))] | length > 0)'
	halves 10.8.0.2:53 --proto udp
	holds '.outcome == "delivered"'
}

# bats test_tags=novm
@test "another packet with its identification is not taken for it, and arrives" {
	two_nodes link
	in_pod remote "$TOOL/listen" udp --port 53 --count 0 --seconds 99 > "$NODE_DIR/served-53" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/served-53"
	await --src 10.9.1.2 --dst 10.8.0.2:53 --proto udp --sport 4000 --id 77 --timeout 3s
	inject --node-only --deliver --seed 8 --dst 10.8.0.2:53 --proto udp --sport 4001 --id 77
	is_status 0
	inject --node-only --deliver --seed 8 --dst 10.8.0.2:53 --proto udp --sport 4000 --id 77 --payload 123456789
	is_status 0
	heard_both() { [ "$(served 53)" = 2 ]; }
	wait_for heard_both
	arrived
	is_status 4
	holds '.reason == "it was not seen to arrive"'
}

@test "many ports in one window, each by its own number" {
	need tcx
	two_nodes link
	attach_there remote --hook tcx/egress --policy deny_port --proto udp --port 101-110 > /dev/null
	halves 10.8.0.2 --proto udp --dport 91-120
	[ "$(jq -s 'map(select(.outcome == "forwarded")) | length' <<< "$sent")" = 30 ]
	[ "$(jq -s 'map(select(.outcome == "delivered") | .packet.dport) | length' <<< "$output")" = 20 ]
	[ "$(jq -sc 'map(select(.policy.verdict == "denied") | .packet.dport)' <<< "$output")" = '[101,102,103,104,105,106,107,108,109,110]' ]
}

@test "a scenario: both ends by one file, some blocks of it, and a Service that is translated" {
	need tcx
	two_nodes link
	cat > "$NODE_DIR/sent.yaml" <<-'END'
		name: both
		pods: { web: "netns:web" }
		destinations: { remote: "10.8.0.2", service: "10.96.0.7:80" }
		probes:
		  - { name: one, from: web, to: remote, dport: "8080" }
		  - { name: other, from: web, to: remote, dport: "8081-8083", expect: deny, control: "8090" }
		  - { name: translated, from: web, to: service, count: 2 }
	END
	sed 's|"netns:web"|"ip:10.9.1.2,fd00:1::2"|; s|service: "10.96.0.7:80"|service: { address: "10.96.0.7:80", arrives-as: "10.8.0.2:8080" }|' \
		"$NODE_DIR/sent.yaml" > "$NODE_DIR/awaited.yaml"
	node nft -f - <<-'END'
		table ip t { chain c { type nat hook prerouting priority -100; ip daddr 10.96.0.7 tcp dport 80 dnat to 10.8.0.2:8080; }; }
	END
	attach_there remote --hook tcx/egress --policy deny_port --proto tcp --port 8081-8083 > /dev/null
	# Without the control, of the other block two.
	: > "$NODE_DIR/await.err"
	in_pod second "$FLOWGEN" run --await --seed 7 --blocks 1,3:1-2,4 --output json "$NODE_DIR/awaited.yaml" > "$NODE_DIR/await" 2> "$NODE_DIR/await.err" 3>&- 7>&- &
	AWAITER=$!
	wait_for grep -q '^flowgen: awaiting$' "$NODE_DIR/await.err"
	flowgen run --node-only --seed 7 --blocks 1,3:1-2,4 --output json "$NODE_DIR/sent.yaml"
	sent=$output
	arrived
	echo "$sent / $output / $stderr"
	[ "$(jq -c 'select(.scenario) | [.id, .scenario.probe, .outcome]' <<< "$sent" | xargs -d '\n' -n1)" = "$(
		cat <<-'END'
			[1,"one","forwarded"]
			[2097154,"other port 8082","forwarded"]
			[2097155,"other port 8083","forwarded"]
			[3145729,"translated (1)","forwarded"]
			[3145730,"translated (2)","forwarded"]
		END
	)" ]
	[ "$(jq -c 'select(.scenario) | [.id, .outcome, .policy.verdict]' <<< "$output" | xargs -d '\n' -n1)" = "$(
		cat <<-'END'
			[1,"delivered","allowed"]
			[2097154,"dropped","denied"]
			[2097155,"dropped","denied"]
			[3145729,"delivered","allowed"]
			[3145730,"delivered","allowed"]
		END
	)" ]
	ports() { jq -sc 'map(select(.scenario) | .packet.sport)' <<< "$1"; }
	[ "$(ports "$sent")" = "$(ports "$output")" ]
}

# bats test_tags=novm
@test "with --reply the answer goes back to the node that asked" {
	need tcx
	two_nodes link
	in_pod remote "$TOOL/listen" tcp --port 8080 --count 0 --seconds 99 > "$NODE_DIR/served-8080" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/served-8080"
	halves 10.8.0.2:8080 --proto tcp --reply
	sent_holds '.outcome == "replied" and .reply.kind == "syn-ack"'
	holds '.outcome == "delivered" and (.stopped | not)'
}

@test "it arrives by another device than the route back says: what is attached there is met" {
	need tcx
	two_nodes vxlan
	# The program of a tunnel is at the device that unpacks; the route back leads to another one.
	in_pod second ip link add aside type veth peer name beside
	in_pod second ip link set aside up
	in_pod second ip link set beside up
	in_pod second ip route replace 10.9.1.2 dev aside
	there=$(in_pod second "$TOOL/podctl" attach remote --hook tcx/egress --policy deny_port --proto tcp --port 8080 --other-side)
	halves 10.8.0.2:8080 --proto tcp
	holds ".policy.denied_by.id == $there and .observations[0].device == \"vx\" and .pod.device.primary == \"aside\""
	in_pod second nft -f - <<-'END'
		table netdev t { chain c { type filter hook ingress device vx priority 0; tcp dport 8081 drop; }; }
	END
	halves 10.8.0.2:8081 --proto tcp
	holds '.policy.verdict == "denied" and .decider.kind == "netfilter" and .decider.stage == "node"'
}

# bats test_tags=novm
@test "mistakes: one line each, exit status 2" {
	local arguments message
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086  # a list of words
		flowgen inject --await $arguments
		is_status 2
		complains "$message"
	done <<-'END'
		--dst 10.8.0.2:80|no source address given
		--src 10.9.9.9 --dst 10.8.0.2:80|no --seed given
		--src 10.9.9.9 --seed 1 --dst 10.8.0.2:80 --pod netns:web|not with --pod
		--src 10.9.9.9 --seed 1 --dst 10.8.0.2:80 --count 0|not with --count 0
		--src 10.9.9.9 --seed 1 --dst 10.8.0.2:80 --from-uplink|not with --from-uplink
		--src 10.9.9.9 --seed 1 --dst 10.8.0.2:80 --until allow|not with --until
		--src 10.9.1.2 --seed 1 --dst 10.8.0.2:80|address of a pod on this node
	END
	printf 'name: s\npods: { web: "netns:web" }\nprobes: [{ from: web, to: "10.8.0.2:80" }]\n' > "$NODE_DIR/s.yaml"
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086  # a list of words
		flowgen run $arguments "$NODE_DIR/s.yaml"
		is_status 2
		complains "$message"
	done <<-'END'
		--await|no --seed given
		--await --seed 1 --repeat 2|not with --repeat
		--await --seed 1 --record|not with --watch, --record
		--await --seed 1|a sender is ip:ADDR
		--blocks 0|--blocks
		--blocks 1-|--blocks
		--blocks 2|--blocks:
		--blocks 1 --only x|not with --only
	END
	flowgen inject --await=nothere --src 10.9.9.9 --seed 1 --dst 10.8.0.2:80
	is_status 3
	complains 'nothere'
}
