#!/usr/bin/env bats
# How a packet ends: delivered, forwarded, dropped for this reason at that place; and never two of them at once.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53
	ledger_open
}
teardown_file() { node_down; }

@test "delivered, with observations in order" {
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.outcome == "delivered" and .drop == null and .lost_events == 0'
	holds '.observations | length >= 3 and (map(.time_ns) | . == sort) and .[0].action == "Injected" and .[0].time_ns == 0'
	holds '[.observations[] | select(.device == "hweb")] | length >= 1'
	holds '[.observations[] | select(.netns.name == "dst")] | length >= 1'
}

@test "a server that listens has it" {
	# On the wire to the pod the packet is seen, whether or not flowgen takes it off before the stack.
	before=$(served 53)
	inject --dst 10.9.0.9:53 --proto udp
	holds '.outcome == "delivered"'
	one_more() { [ "$(served 53)" = $((before + 1)) ]; }
	[ "$(value .stopped)" = true ] || wait_for one_more
}

@test "forwarded: it left through a device that leads out" {
	[ -e /dev/net/tun ] || skip 'no /dev/net/tun'
	node "$PYTHON" "$ROOT/tests/e2e/tun.py" up0 192.0.2.1/24 > "$NODE_DIR/tun" 2> "$NODE_DIR/tun.err" 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/tun"
	inject --dst 192.0.2.7:53 --proto udp
	is_status 0
	holds '.outcome == "forwarded" and .drop == null'
	holds '.observations[.end].device == "up0"'
	wait_for grep -qx '10.9.1.2 192.0.2.7' "$NODE_DIR/tun"
}

@test "no route on the node: the kernel says so, and where" {
	inject --dst 198.51.100.1:53 --proto udp
	is_status 0
	# Rejected where the node was seen to answer with an ICMP error, dropped where not.
	holds '(.outcome | IN("dropped", "rejected")) and .policy.verdict == "none"'
	holds '.policy.denied_by == null and .decider.kind == "route" and .decider.stage == "node"'
	# Kernels before 6.14 name no reason there.
	holds '.drop.reason | IN("IP_INNOROUTES", "NOT_SPECIFIED")'
	holds '.drop.location | test("^[a-zA-Z0-9_.]+\\+0x[0-9a-f]+")'
	holds '.drop.code > 0'
}

@test "dropped: by nftables in the node" {
	node nft -f - <<< 'add table ip t
		add chain ip t f { type filter hook forward priority 0; }
		add rule ip t f ip daddr 10.9.0.9 udp dport 7777 drop'
	inject --dst 10.9.0.9:7777 --proto udp
	node nft delete table ip t
	is_status 0
	holds '.outcome == "dropped" and .drop.reason == "NETFILTER_DROP" and .policy.verdict == "denied"'
	holds '.policy.stages == {egress: "none", node: "denied", ingress: null} and .decider.kind == "netfilter"'
}

@test "dropped: the policy's drop names its place by symbol and offset" {
	attach web tc/ingress deny_port --proto udp --port 9999
	inject --dst 10.9.0.9:9999 --proto udp
	holds '.drop | (.reason | test("^TC_INGRESS|^NOT_SPECIFIED")) and (.location | test("^[a-zA-Z0-9_.]+\\+0x[0-9a-f]+/0x[0-9a-f]+$"))'
	# The kernel's own name for the number, and no other.
	! [ "$(value .drop.reason)" = TC_INGRESS ] || [ "$(value .drop.code)" = "$(reason_number TC_INGRESS)" ]
}

reason_number() {
	bpftool btf dump file /sys/kernel/btf/vmlinux format c | grep -w "SKB_DROP_REASON_$1" | tr -dc 0-9
}

# A Service's address leads to a pod that nobody knows before.
service() {
	local before
	before=$(served 53)
	inject --dst 10.96.0.10:53 --proto udp
	is_status 0
	holds '.outcome == "delivered" and .stopped'
	[ "$(served 53)" = "$before" ]
}

@test "a translated address: the pod behind it is spared, on a full node in its stack" {
	local i
	node nft -f - <<< 'table ip service {
		chain c { type nat hook prerouting priority -100
			ip daddr 10.96.0.10 dnat to 10.9.0.9
		}
	}'
	service
	! can tcx || holds '[.observations[] | select(.component == "stop")][0].detail | test("before the pod.s stack")'
	for i in {1..9}; do
		podctl up "more$i" --addr "10.9.10.$i/32"
	done
	service
	# Without BPF links of netfilter (Linux 6.4; of the kernels tested, those without tcx) in front of its sockets.
	holds "[.observations[] | select(.component == \"stop\")][0].detail | test(\"$(can tcx && echo "in the pod's IP stack" || echo socket)\")"
	# The host's own sockets are asked as ever.
	inject --dst 10.9.0.1:9 --proto udp
	if can tcx; then
		holds '.outcome == "rejected" and .reply.icmp_code == 3'
	else
		holds '.outcome == "dropped" and .drop.reason == "NO_SOCKET"'
	fi
	for i in {1..9}; do
		podctl del "more$i"
	done
	node nft delete table ip service
}

@test "dropped: the destination's device is down" {
	in_pod dst ip link set eth0 down
	inject --dst 10.9.0.9:53 --proto udp --timeout 300ms
	in_pod dst ip link set eth0 up
	holds '.outcome | IN("dropped", "inconclusive")'
	holds '.outcome != "delivered"'
}

@test "the pod's device is down: the pod itself could not send" {
	podctl up gone --addr 10.9.3.2/32
	in_pod gone ip link set eth0 down
	flowgen inject --pod netns:gone --dst 10.9.0.9:53 --proto udp --timeout 300ms
	podctl del gone
	is_status 3
	complains 'pod netns:gone: its device eth0 is down'
}

@test "a pod without a route to the destination: not sent, with the pod's own lookup" {
	podctl up lone --addr 10.9.4.2/24
	flowgen inject --pod netns:lone --dst 10.9.0.9:53 --proto udp
	podctl del lone
	is_status 0
	holds '.outcome == "not-sent" and (.reason | endswith("ENETUNREACH")) and .cause.how == "no-route"'
}

@test "every packet of a mixed sweep ends in exactly one outcome" {
	podctl up mixed --addr 10.9.6.2/32
	attach mixed tc/ingress deny_port --proto udp --port 100-199
	flowgen inject --pod netns:mixed --dst 10.9.0.9 --proto udp --dport 1-300 --summary
	podctl del mixed
	is_status 0
	holds '.total == 300 and ([.outcomes[].count] | add) == 300 and ([.verdicts[].count] | add) == 300'
	holds '.verdicts.denied.count == 100 and .verdicts.denied.ports == ["100-199"]'
}

@test "over all of these, what was injected is the sum of the outcomes" {
	ledger_balances
}
