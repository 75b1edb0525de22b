#!/usr/bin/env bats
# What can happen to a packet: each case with its outcome, by reason and place; and every packet has one.

load helpers

setup_file() {
	node_up
	pods_up
	# A link that is only there to be wrong: it has a route, and one namespace behind it.
	podctl up far --addr 10.9.5.9/24 --gw 10.9.5.1
	ledger_open
}
teardown_file() { node_down; }
teardown() {
	node nft delete table ip fault 2> /dev/null || :
	node ip link set hfar up mtu 1500
	node sysctl -qw net.ipv4.conf.hweb.rp_filter=0 net.ipv4.conf.all.rp_filter=0
}

# rules CHAIN RULE[; RULE]: one chain of the host's, for as long as a test runs.
rules() { printf 'table ip fault {\nchain f {\n%s\n%s\n}\n}\n' "$1" "$2" | node nft -f -; }

# one FILTER: the only result of the last inject satisfies it, and the schema.
one() { is_status "${want:-0}" && holds "$1"; }

# rejected REPLY DROP: by such an answer, after such a drop. Without tcx answers are not seen, and what is left is the drop.
rejected() {
	if can tcx; then
		one ".outcome == \"rejected\" and $1 and $2"
	else
		one ".outcome == \"dropped\" and .reply == null and $2"
	fi
}

@test "no route on the host: dropped by the routing, and answered" {
	inject --dst 192.0.2.77:53 --proto udp
	one '.policy.verdict == "none" and (.outcome == "rejected" or .outcome == "dropped") and (.drop.reason | test("NOROUTE|NO_ROUTE|NOT_SPECIFIED"))'
}

@test "TTL expired: rejected by the host with a time exceeded" {
	inject --dst 10.9.0.9:53 --proto udp --ttl 1
	rejected '.reply.kind == "icmp-error" and .reply.icmp_type == 11' '.drop.reason == "IP_INHDR"'
}

@test "a closed port: rejected, by the destination" {
	inject --dst 10.9.0.9:53 --proto udp --deliver
	rejected '.reply.kind == "icmp-error" and .reply.icmp_type == 3 and .reply.icmp_code == 3 and .reply.from == "10.9.0.9"' '.drop.reason == "NO_SOCKET"'
	inject --dst 10.9.0.9:53 --proto tcp --deliver
	rejected '.reply.kind == "rst" and .reply.from == "10.9.0.9"' '.drop.reason == "NO_SOCKET"'
}

@test "unless it is let in, a destination pod does not see the packet" {
	need tcx
	before=$(in_pod dst cat /proc/net/snmp /proc/net/netstat)
	inject --dst 10.9.0.9:53 --proto udp
	one '.outcome == "delivered" and .stopped and .drop == null'
	inject --dst 10.9.0.9:53 --proto tcp
	one '.outcome == "delivered" and .stopped'
	inject --dst 10.9.0.9 --proto icmp
	one '.outcome == "delivered" and .stopped'
	[ "$before" = "$(in_pod dst cat /proc/net/snmp /proc/net/netstat)" ]
}

@test "the sending pod's counters do not move, whatever is answered" {
	need tcx
	in_pod dst "$TOOL/listen" tcp --port 8080 --count 0 --seconds 60 > "$NODE_DIR/tcp" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/tcp"
	before=$(in_pod web cat /proc/net/snmp /proc/net/netstat)
	inject --dst 10.9.0.9:8080 --proto tcp --reply
	one '.outcome == "replied" and .reply.kind == "syn-ack" and .reply.ttl == 63 and .reply.rtt_ns > 0'
	inject --dst 10.9.0.9:8081 --proto tcp --reply
	one '.outcome == "rejected" and .reply.kind == "rst"'
	inject --dst 10.9.0.9 --proto icmp --reply
	one '.outcome == "replied" and .reply.kind == "echo-reply" and .packet.proto == "icmp"'
	inject --dst 10.9.0.9:53 --proto udp --reply
	one '.outcome == "rejected" and .reply.kind == "icmp-error"'
	[ "$before" = "$(in_pod web cat /proc/net/snmp /proc/net/netstat)" ]
	# Nothing is left half open on the other side either.
	refute in_pod dst grep -q ' 03 00000000:' /proc/net/tcp /proc/net/tcp6
}

@test "an answer that does not come: the outcome stands, and it is said" {
	need tcx
	rules 'type filter hook forward priority 0;' 'ip saddr 10.9.0.9 drop'
	inject --dst 10.9.0.9 --proto icmp --reply --timeout 300ms
	one '.outcome == "delivered" and .reply.kind == null and .reply.drop.reason == "NETFILTER_DROP"'
}

@test "the return path has a verdict of its own" {
	need tcx
	id=$(attach web tcx/egress drop_all --other-side)
	inject --dst 10.9.0.9 --proto icmp --reply --timeout 300ms
	podctl detach web --hook tcx/egress --other-side --id "$id"
	one ".outcome == \"delivered\" and .policy.denied_by == null and .reply.kind == null and .reply.policy.verdict == \"denied\" and .reply.policy.denied_by.id == $id"
}

@test "a full socket buffer: dropped at the socket" {
	in_pod dst "$PYTHON" -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256)
s.bind(("", 5353))
print("ready", flush=True)
time.sleep(60)' > "$NODE_DIR/full" 3>&- 7>&- &
	stuck=$!
	wait_for grep -q ready "$NODE_DIR/full"
	inject --dst 10.9.0.9:5353 --proto udp --deliver --size 1000 --count 20
	is_status 0
	[ "$(jq -s 'map(select(.outcome == "delivered")) | length' <<< "$output")" -ge 1 ]
	[ "$(jq -s 'map(select(.outcome == "dropped" and .drop.reason == "SOCKET_RCVBUFF")) | length' <<< "$output")" -ge 1 ]
	[ "$(jq -s length <<< "$output")" = 20 ]
	kill "$stuck"
}

@test "the way out is down: no route, or no device" {
	node ip link set hfar down
	inject --dst 10.9.5.9:53 --proto udp
	holds '(.outcome == "rejected" or .outcome == "dropped") and .drop != null'
}

@test "too large for the way, with DF: rejected with the size that fits" {
	node ip link set hfar mtu 1000
	inject --dst 10.9.5.9:53 --proto udp --size 1200
	rejected '.reply.kind == "icmp-error" and .reply.icmp_type == 3 and .reply.icmp_code == 4' '.drop.reason == "PKT_TOO_BIG"'
}

# pieces N: the packet was cut into N pieces, each seen from the cut on.
pieces() {
	holds "[.observations[] | select(.component == \"cut\" and .of == \"piece\")] | length == $1"
}

@test "too large for the way, without DF: the host fragments it, and each fragment is followed and stopped" {
	can tcx || skip 'this kernel has no tcx: fragments are stopped only behind their reassembly'
	node ip link set hfar mtu 400
	before=$(node ip netns exec far cat /proc/net/snmp /proc/net/netstat)
	inject --dst 10.9.5.9:53 --proto udp --size 1400 --df off
	one '.outcome == "delivered" and .stopped and .drop == null'
	holds '[.observations[] | select(.of == "piece" and .component == "stop" and .action == "Delivered")] | length == 4'
	holds '[.observations[] | select(.component == "cut") | .action] | unique == ["Fragmented"]'
	pieces 4
	[ "$before" = "$(node ip netns exec far cat /proc/net/snmp /proc/net/netstat)" ]
	# As well when the next hop is not known yet, and the kernel keeps a copy to ask with.
	node ip neigh flush dev hfar
	inject --dst 10.9.5.9:53 --proto udp --size 1400 --df off
	one '.outcome == "delivered" and .stopped'
	pieces 4
}

@test "fragments come together again before a socket, under translated addresses too" {
	node ip link set hfar mtu 400
	serve far 1053
	inject --dst 10.9.5.9:1053 --proto udp --size 1400 --df off --deliver
	one '.outcome == "delivered" and (.stopped | not) and .drop == null'
	pieces 4
	rules 'type nat hook postrouting priority 100;' 'oifname "hfar" masquerade'
	inject --dst 10.9.5.9:1053 --proto udp --size 1100 --df off
	one '.outcome == "delivered" and .stopped'
	pieces 3
}

@test "one fragment dropped is the whole dropped" {
	node ip link set hfar mtu 1000
	serve far 1054
	printf 'table netdev fault {\nchain f {\ntype filter hook ingress device eth0 priority 0;\nip frag-off & 0x3fff == 122 drop\n}\n}\n' |
		node ip netns exec far nft -f -
	inject --dst 10.9.5.9:1054 --proto udp --size 1200 --df off --deliver
	node ip netns exec far nft delete table netdev fault
	one '.outcome == "dropped" and (.drop.reason | test("NETFILTER|NOT_SPECIFIED")) and .drop.location != null'
	pieces 2
}

@test "a super-packet that a device segments: each segment is followed" {
	can tcx || skip 'this kernel has no tcx: segments reach the stack'
	node ethtool -K hfar tx-tcp-segmentation off > /dev/null
	inject --dst 10.9.5.9:53 --proto tcp --flags A --size 5000 --gso 1000
	node ethtool -K hfar tx-tcp-segmentation on > /dev/null
	one '.outcome == "delivered" and .stopped'
	holds '[.observations[] | select(.component == "cut") | .action] == ["Segmented", "Segmented", "Segmented", "Segmented", "Segmented"]'
}

@test "reverse path filter: dropped by it" {
	node sysctl -qw net.ipv4.conf.hweb.rp_filter=1 net.ipv4.conf.all.rp_filter=1
	inject --dst 10.9.0.9:53 --proto udp --src 10.77.0.1 --spoof
	one '.outcome == "dropped" and (.drop.reason | test("RPFILTER"))'
}

@test "nftables drops in the forward chain" {
	rules 'type filter hook forward priority 0;' 'udp dport 53 drop'
	inject --dst 10.9.0.9:53 --proto udp
	one '.outcome == "dropped" and .drop.reason == "NETFILTER_DROP" and (.drop.location | test("^(nf_|nft_)")) and .policy.verdict == "denied"'
	one '.policy.denied_by | .kind == "netfilter" and .stage == "node" and .device == "hweb"'
}

@test "nftables rejects in the forward chain" {
	rules 'type filter hook forward priority 0;' 'udp dport 53 reject; tcp dport 53 reject with tcp reset'
	inject --dst 10.9.0.9:53 --proto udp
	rejected '.reply.kind == "icmp-error" and .reply.icmp_type == 3' '.drop.reason == "NETFILTER_DROP"'
	inject --dst 10.9.0.9:53 --proto tcp
	rejected '.reply.kind == "rst"' '.drop.reason == "NETFILTER_DROP"'
}

@test "translated on the way: the change is seen, and the end is that of the real destination" {
	rules 'type nat hook prerouting priority -100;' 'ip daddr 10.96.0.10 udp dport 53 dnat to 10.9.0.9:5300'
	inject --dst 10.96.0.10:53 --proto udp
	one '(.observations | map(.detail // "") | any(test("10.9.0.9")))'
	# Without tcx it reaches the stack, where nothing listens.
	if can tcx; then one '.outcome == "delivered" and .stopped'; else one '.drop.reason == "NO_SOCKET"'; fi
}

@test "a ring that is too small for the pieces of a packet: inconclusive, never a guess" {
	node ip link set hdst mtu 68
	inject --dst 10.9.0.9 --dport 1-300 --proto udp --size 1400 --df off --ring-size 4096 --timeout 200ms
	node ip link set hdst mtu 1500
	is_status 4
	[ "$(jq -s length <<< "$output")" = 300 ]
	[ "$(jq -s 'map(.lost_events) | max' <<< "$output")" -gt 0 ]
	[ "$(jq -s 'map(select(.lost_events > 0 and (.outcome != "inconclusive" or .policy.verdict != "unknown"))) | length' <<< "$output")" = 0 ]
}

@test "the smallest ring: all is seen, in one write after the other" {
	inject --dst 10.9.0.9 --dport 1-3000 --proto udp --ring-size 4096 --summary
	is_status 0
	holds '.total == 3000 and .lost_events == 0 and .outcomes.inconclusive.count == 0'
}

@test "the destination goes away in mid-run: each packet has one end all the same" {
	podctl up gone --addr 10.9.6.9/24 --gw 10.9.6.1
	node "$FLOWGEN" inject --pod netns:web --dst 10.9.6.9 --dport 1-20000 --proto udp --timeout 200ms > "$NODE_DIR/gone" 2> /dev/null 3>&- &
	runner=$!
	wait_for test -s "$NODE_DIR/gone"
	podctl del gone
	wait "$runner" || status=$?
	ledger_enter --dport 1-20000 < "$NODE_DIR/gone"
	# One by one: the whole file would be a large array.
	jq -r .outcome "$NODE_DIR/gone" | sort -u > "$NODE_DIR/outcomes"
	[ -s "$NODE_DIR/outcomes" ]
	refute grep -vxE 'delivered|forwarded|dropped|rejected|replied|inconclusive' "$NODE_DIR/outcomes"
}

@test "conservation: what is injected is the sum of the outcomes" {
	rules 'type filter hook forward priority 0;' 'udp dport 100-199 drop; udp dport 200-299 reject'
	inject --dst 10.9.0.9 --dport 1-2000 --proto udp --summary
	holds '.total == 2000 and ([.outcomes[].count] | add) == 2000 and ([.verdicts[].count] | add) == 2000'
	if can tcx; then
		holds '.outcomes.dropped.count + .outcomes.rejected.count == 200 and .outcomes.delivered.count == 1800'
	else
		holds '.outcomes.dropped.count == 2000'
	fi
}

@test "netem on the way: lost is dropped by the qdisc, and 50 ms are 50 ms" {
	node tc qdisc add dev hfar root netem loss 100% 2> /dev/null || skip "this kernel has no netem"
	inject --dst 10.9.5.9:53 --proto udp
	one '.outcome == "dropped" and (.drop.reason | test("QDISC"))'
	need tcx
	node tc qdisc replace dev hfar root netem delay 50ms
	inject --dst 10.9.5.9 --proto icmp --count 10 --interval 1ms --reply
	holds '.outcome == "replied" and .reply.rtt_ns > 50000000'
	# An emulated machine itself takes its time; and any is held up now and then.
	jq -se "(map(.reply.rtt_ns) | min) < ${FLOWGEN_TEST_INSIDE:+1}55000000" <<< "$output"
	node tc qdisc del dev hfar root
}

@test "through a VXLAN tunnel to a pod on another node: followed in, along and out" {
	podctl up under --addr 10.9.7.2/24 --gw 10.9.7.1
	node ip link add vx0 type vxlan id 7 local 10.9.7.1 remote 10.9.7.2 dstport 4789 2> /dev/null || skip "this kernel has no VXLAN"
	node ip addr add 10.55.0.1/24 dev vx0
	node ip link set vx0 up
	in_pod under ip link add vx0 type vxlan id 7 local 10.9.7.2 remote 10.9.7.1 dstport 4789
	in_pod under ip addr add 10.55.0.2/24 dev vx0
	in_pod under ip link set vx0 up
	in_pod under ip route add 10.9.1.0/24 via 10.55.0.1
	local both='(.observations | map(.action) | index("Encapsulated") != null and index("Decapsulated") != null)'
	if can tcx; then
		inject --dst 10.55.0.2 --proto icmp --reply
		one ".outcome == \"replied\" and .reply.kind == \"echo-reply\" and $both"
	else
		inject --dst 10.55.0.2:53 --proto udp
		one ".outcome == \"dropped\" and .drop.reason == \"NO_SOCKET\" and $both"
	fi
	node ip link del vx0
}

@test "conservation: over all of these, what was injected is the sum of the outcomes" {
	ledger_balances
}
