#!/usr/bin/env bats
# Whose answer it is: a third pod makes up answers to what the pod sends; pings and datagrams of one tuple get their own.
load helpers

setup_file() {
	node_up
	pods_up
	podctl up six --addr fd00:9::2/128
	podctl up far --addr fd00:8::9/64 --gw fd00:8::1
	for pod in dst far; do
		in_pod "$pod" "$TOOL/listen" tcp --port 80 --count 0 --seconds 9999 > "$NODE_DIR/tcp-$pod" 2>&1 3>&- 7>&- &
		wait_for grep -q ready "$NODE_DIR/tcp-$pod"
	done
	podctl up evil --addr 10.9.2.2/24 --gw 10.9.2.1
	podctl up evil6 --addr fd00:7::9/64 --gw fd00:7::1
	# What comes from there has others' addresses.
	node sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.hevil.rp_filter=0
	in_pod web sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
}
teardown_file() { node_down; }
setup() { need tcx; } # --reply needs it

# Of the pods that answer: not a word comes. What is dropped would be seen, and the wait would be over;
# so it waits for a neighbour that does not answer.
hush() {
	local pod
	for pod in dst far; do
		in_pod "$pod" sysctl -qw net.ipv4.neigh.eth0.mcast_solicit=10000 net.ipv6.neigh.eth0.mcast_solicit=10000
	done
	in_pod dst ip route add 10.9.1.2/32 dev eth0
	in_pod far ip -6 route add fd00:9::2/128 dev eth0
}

# forge KIND PORT SPORT: to both pods, over IPv4 and IPv6, until `stop_forging`.
forge() {
	rm -f "$NODE_DIR"/forging*
	in_pod evil "$PYTHON" "$ROOT/tests/e2e/forge.py" "$1" 10.9.0.9 10.9.1.2 "$2" "$3" 60 > "$NODE_DIR/forging4" 3>&- 7>&- &
	FORGERS=$!
	in_pod evil6 "$PYTHON" "$ROOT/tests/e2e/forge.py" "$1" fd00:8::9 fd00:9::2 "$2" "$3" 60 > "$NODE_DIR/forging6" 3>&- 7>&- &
	FORGERS="$FORGERS $!"
	wait_for grep -q ready "$NODE_DIR/forging4"
	wait_for grep -q ready "$NODE_DIR/forging6"
}
stop_forging() {
	local pid
	for pid in $FORGERS; do
		pkill -P "$pid" || :
		kill "$pid" 2> /dev/null || :
		wait "$pid" || :
	done
	FORGERS=
}
teardown() {
	[ -z "${FORGERS:-}" ] || stop_forging
	in_pod dst ip route del 10.9.1.2/32 dev eth0 2> /dev/null || :
	in_pod far ip -6 route del fd00:9::2/128 dev eth0 2> /dev/null || :
}

# Over IPv4 and IPv6: as web to dst, as six to far.
both() {
	local check=$1
	shift
	flowgen inject --pod netns:web --dst 10.9.0.9 "$@"
	$check
	flowgen inject --pod netns:six --dst fd00:8::9 "$@"
	$check
}

not_believed() {
	is_status 0
	fits_schema
	holds '.outcome == "delivered" and .reply.kind == null and .reason == "an answer came whose numbers do not fit the packet: it is not believed"'
}

@test "a third pod that makes up an answer is not believed" {
	hush
	forge rst 80 4000
	both not_believed --dport 80 --sport 4000 --reply --timeout 1s
	stop_forging
	forge syn-ack 80 4001
	both not_believed --dport 80 --sport 4001 --reply --timeout 1s
	stop_forging
	forge unreachable 80 4002
	both not_believed --dport 80 --sport 4002 --reply --timeout 1s
	stop_forging
	forge dns 53 4003
	for pod in dst far; do in_pod "$pod" "$TOOL/listen" udp --port 53 --seconds 60 > "$NODE_DIR/silent-$pod" 3>&- 7>&- &
		wait_for test -s "$NODE_DIR/silent-$pod"; done
	both not_believed --dport 53 --proto udp --sport 4003 --dns example.org --reply --timeout 1s
	stop_forging
	forge pong 77 1
	both not_believed --proto icmp --icmp-id 77 --reply --timeout 1s
}

kind_is() { is_status 0 && holds ".outcome == \"$OUTCOME\" and .reply.kind == \"$KIND\" and .reason == null and .reply.policy.verdict != \"allowed\""; }

@test "the answer that comes after made-up ones is found" {
	forge syn-ack 80 4010
	OUTCOME=replied KIND=syn-ack
	both kind_is --dport 80 --sport 4010 --reply
	holds '.reply.ack != 8738' # 0x2222
	stop_forging
	forge pong 78 1
	OUTCOME=replied KIND=echo-reply
	both kind_is --proto icmp --icmp-id 78 --reply
	stop_forging
	# A server that takes its time.
	for pod in dst far; do
		in_pod "$pod" "$PYTHON" -c '
import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 53))
print("ready", flush=True)
data, peer = s.recvfrom(512)
time.sleep(.2)
s.sendto(data[:2] + b"\x81\x83" + data[4:], peer)' > "$NODE_DIR/slow-$pod" 3>&- 7>&- &
		wait_for test -s "$NODE_DIR/slow-$pod"
	done
	forge dns 53 4011
	KIND=dns
	both kind_is --dport 53 --proto udp --sport 4011 --dns example.org --reply --timeout 10s
	holds '.reply.dns_rcode == 3 and .reply.rtt_ns > 150000000'
}

# bats test_tags=novm
@test "each of a thousand connections has a port of its own, and its answer" {
	inject --dst 10.9.0.9:80 --reply --count 1000 --seed 1
	is_status 0
	holds '.reply.kind == "syn-ack"'
	[ "$(jq .packet.sport <<< "$output" | sort -u | wc -l)" = 1000 ]
	# In a scenario, whatever set they are in.
	cat > "$NODE_DIR/ports.yaml" <<- 'END'
		name: ports
		probes:
		  - {name: one, from: "netns:web", to: 10.9.0.9, dport: 80, count: 400, expect: {outcome: replied}}
		  - {name: two, from: "netns:web", to: 10.9.0.9, dport: 80, count: 400, expect: {outcome: replied}}
		  - {name: three, from: "netns:web", to: 10.9.0.9, dport: "80,81", expect: {outcome: replied}}
	END
	flowgen run "$NODE_DIR/ports.yaml" --repeat 2 --seed 3 --output json
	[ "$(jq 'select(.packet.dport == 80) | .packet.sport' <<< "$output" | wc -l)" = 1602 ]
	[ "$(jq 'select(.packet.dport == 80) | .packet.sport' <<< "$output" | sort | uniq -d | wc -l)" = 0 ]
}

@test "those that share a tuple each have their own answer" {
	# The same echo over and over: what tells them apart is their number.
	inject --dst 10.9.0.9 --proto icmp --icmp-id 9 --reply --count 200
	is_status 0
	holds '.reply.kind == "echo-reply"'
	flowgen inject --pod netns:six --dst fd00:8::9 --proto icmp --icmp-id 9 --reply --count 200
	is_status 0
	holds '.reply.kind == "echo-reply"'
	# Nothing does in a datagram, so they are sent one after the other.
	for pod in dst far; do
		in_pod "$pod" "$TOOL/listen" udp --echo --port 7 --count 0 --seconds 9999 > "$NODE_DIR/echo-$pod" 3>&- 7>&- &
		wait_for test -s "$NODE_DIR/echo-$pod"
	done
	both all_answered --dport 7 --sport 4020 --proto udp --reply --count 50
	# And resets of a closed port, by their acknowledgment numbers.
	both all_reset --dport 9 --sport 4021 --reply --count 50
}
all_answered() { is_status 0 && [ "$(lines)" = 50 ] && holds '.outcome == "replied" and .reply.kind == "udp"'; }
all_reset() { is_status 0 && [ "$(lines)" = 50 ] && holds '.outcome == "rejected" and .reply.kind == "rst"'; }

@test "the answer to a packet with IPv4 options; one tuple over several windows, tracked" {
	node nft 'table inet track { chain c { type filter hook forward priority 0; ct state new counter; }; }'
	inject --dst 10.9.0.9 --proto icmp --trace-id 5 --reply
	is_status 0
	holds '.reply.kind == "echo-reply"'
	inject --dst 10.9.0.9:80 --trace-id 5 --reply
	is_status 0
	holds '.reply.kind == "syn-ack"'
	# The one before left an entry, which is the run's own.
	inject --dst 10.9.0.9:9 --sport 4030 --proto udp --reply --count 3 --interval 20ms
	is_status 0
	[ "$(lines)" = 3 ]
	holds '.outcome == "rejected" and .reply.kind == "icmp-error"'
	node nft delete table inet track
}

# What is dropped on its way back never comes to the pod: what it says is read where it is first seen.
denied_back() { is_status 0 && fits_schema && holds '.outcome == "delivered" and .reply.policy.verdict == "denied" and .reply.policy.denied_by.stage == "ingress"'; }
nobody_denied() { is_status 0 && fits_schema && holds '.outcome == "delivered" and .reply.kind == null and .reply.policy.verdict == "unknown" and .reply.policy.denied_by == null and .reply.drop == null and .reason == "an answer came whose numbers do not fit the packet: it is not believed"'; }

@test "a made-up answer that is dropped on its way is no reply that was denied" {
	local port=4040 pod kind
	denied() {
		port=$((port + 1))
		for pod in web six; do
			attach "$pod" tcx/egress deny_port --proto tcp --port "$port" --otherwise next --other-side > /dev/null
		done
	}
	for kind in rst syn-ack; do
		hush
		denied
		forge "$kind" 80 "$port"
		both nobody_denied --dport 80 --sport "$port" --reply --timeout 300ms
		stop_forging
		# Among them is the pod's own.
		in_pod dst ip route del 10.9.1.2/32 dev eth0
		in_pod far ip -6 route del fd00:9::2/128 dev eth0
		denied
		forge "$kind" 80 "$port"
		both denied_back --dport 80 --sport "$port" --reply --timeout 300ms
		stop_forging
	done
}
