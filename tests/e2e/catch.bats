#!/usr/bin/env bats
# flowgen catch: the far end of a probe, on this node and on another one.
load helpers

# Emulated machines are slow: the times are far above what is needed, and far below a test's limit.
LONG=${FLOWGEN_TEST_INSIDE:+2}20s SHORT=${FLOWGEN_TEST_INSIDE:+1}8s

setup_file() { node_up; }
teardown_file() { node_down; }
setup() {
	need tcx
	pods_up
}
teardown() { pods_down; }

# catch_start POD ARGUMENT...: in the background; returns when it catches. Output in $NODE_DIR/caught and caught.err.
catch_start() {
	local pod=$1
	shift
	: > "$NODE_DIR/caught.err"
	node "$FLOWGEN" catch --pod "netns:$pod" "$@" > "$NODE_DIR/caught" 2> "$NODE_DIR/caught.err" 3>&- 7>&- &
	CATCHER=$!
	wait_for grep -q . "$NODE_DIR/caught.err"
	grep -q catching "$NODE_DIR/caught.err" || {
		cat "$NODE_DIR/caught.err"
		return 1
	}
}

# catch_end: waits for it, and gives $status, $output and $stderr as flowgen does.
catch_end() {
	status=0
	wait "$CATCHER" || status=$?
	output=$(cat "$NODE_DIR/caught")
	stderr=$(cat "$NODE_DIR/caught.err")
}

# signal NAME: to the process itself; it is the only one of its name among the node's processes.
signal() { node kill "-$1" "$(node pgrep -x flowgen)"; }

# A packet for the far end must not end at flowgen's own stop.
send() { node "$FLOWGEN" inject --pod netns:web --deliver "$@" > "$NODE_DIR/sent"; }

@test "by trace ID: reported as it arrives, and kept from the pod" {
	serve dst 5300
	catch_start dst --intercept --trace-id 4242 --count 1 --duration "$LONG"
	send --dst 10.9.0.9:5300 --proto udp --sport 4000 --trace-id 7
	send --dst 10.9.0.9:5300 --proto udp --sport 4001
	send --dst 10.9.0.9:5300 --proto udp --sport 4002 --trace-id 4242 --ttl 9
	catch_end
	is_status 0
	[ "$(lines)" = 1 ]
	fits_schema catch
	holds '.schema == "flowgen.catch/1" and .number == 1 and .action == "stopped" and .device == "eth0"'
	holds '.trace == {option: 136, id: "4242", length: 2} and .pod.ref == "netns:dst"'
	holds '.packet | .src == "10.9.1.2" and .dst == "10.9.0.9" and .sport == 4002 and .dport == 5300 and .ttl == 8'
	holds '.headers | map(.header) == ["ipv4", "ipv4_option", "udp"] or map(.header)[0:2] == ["ipv4", "ipv4_option"]'
	[[ $stderr == *'1 packet caught, stopped before'* ]]
	# Those two with another trace ID and with none came through; the one that was caught did not.
	both() { [ "$(served 5300)" = 2 ]; }
	wait_for both
}

@test "trace IDs of 2, 4 and 8 bytes, in another option, behind other options" {
	catch_start dst --intercept --trace-option 143 --count 3 --duration "$LONG"
	send --dst 10.9.0.9:53 --proto udp --trace-option 143 --trace-id 1 --trace-length 2
	send --dst 10.9.0.9:53 --proto udp --trace-option 143 --trace-id 65536 --trace-length 4
	send --dst 10.9.0.9:53 --proto udp --trace-id 5
	send --dst 10.9.0.9:53 --proto udp --trace-option 143 --trace-id 18446744073709551615
	catch_end
	is_status 0
	[ "$(jq -rc '.trace | "\(.id)/\(.length)"' <<< "$output" | xargs)" = '1/2 65536/4 18446744073709551615/8' ]
}

@test "by flow: every criterion must fit" {
	catch_start dst --intercept --proto tcp --src 10.9.1.2 --dst 10.9.0.9 --sport 4000 --dport 80 --count 1 --duration "$LONG"
	send --dst 10.9.0.9:80 --proto udp --sport 4000
	send --dst 10.9.0.9:81 --sport 4000
	send --dst 10.9.0.9:80 --sport 4001
	send --dst 10.9.0.9:80 --sport 4000
	catch_end
	is_status 0
	holds '.packet | .proto == "tcp" and .sport == 4000 and .dport == 80 and .tcp_flags == "S"'
	holds '.trace == null and .captured == .length and .problem == null'
	fits_schema catch
}

@test "IPv6 and ICMP by flow" {
	podctl up six --addr fd00:9::2/128
	podctl up far --addr fd00:8::9/64 --gw fd00:8::1
	catch_start far --intercept --src fd00:9::2 --proto icmpv6 --count 1 --duration "$LONG"
	node "$FLOWGEN" inject --pod netns:six --deliver --dst fd00:8::9 --proto icmp > /dev/null
	catch_end
	is_status 0
	fits_schema catch
	holds '.packet | .proto == "icmpv6" and .icmp_type == 128 and .ttl == 63'
	holds '.headers[0].header == "ipv6"'
}

@test "they go on to the pod unless --intercept is given" {
	serve dst 5301
	catch_start dst --proto udp --dport 5301 --count 2 --duration "$LONG" --output text
	send --dst 10.9.0.9:5301 --proto udp --count 2
	catch_end
	is_status 0
	[[ $output == '1 '*' eth0 passed 10.9.1.2:'*' > 10.9.0.9:5301 udp ttl 63 '*$'\n2 '* ]]
	[[ $stderr == *'passed on to the pod'* ]]
	both() { [ "$(served 5301)" = 2 ]; }
	wait_for both
}

@test "after --count packets no more are stopped; fewer are exit status 4" {
	serve dst 5302
	catch_start dst --intercept --proto udp --dport 5302 --count 2 --duration "$LONG"
	send --dst 10.9.0.9:5302 --proto udp --count 5
	catch_end
	is_status 0
	[ "$(lines)" = 2 ]
	three() { [ "$(served 5302)" = 3 ]; }
	wait_for three
	catch_start dst --intercept --proto udp --dport 5302 --count 2 --duration "$SHORT"
	send --dst 10.9.0.9:5302 --proto udp
	catch_end
	is_status 4
	[ "$(lines)" = 1 ]
	[[ $stderr == *'1 of 2 packets arrived'* ]]
}

@test "SIGINT ends it with a summary" {
	catch_start dst --intercept --proto udp --dport 53
	send --dst 10.9.0.9:53 --proto udp
	arrived() { [ -s "$NODE_DIR/caught" ]; }
	wait_for arrived
	signal INT
	catch_end
	is_status 0
	[ "$(lines)" = 1 ]
	[[ $stderr == *"1 packet caught, stopped before the pod's stack, 0 not reported (lost), in "* ]]
}

@test "packets that find the ring full are counted, stopped all the same, and exit status 4" {
	serve dst 5303
	catch_start dst --intercept --proto udp --src 10.9.1.2
	signal STOP
	send --dst 10.9.0.9 --dport 1-9000 --proto udp --summary
	# nsenter has stopped with its child, and wakes it.
	kill -CONT "$(pgrep -P "$CATCHER")"
	signal INT
	catch_end
	is_status 4
	[[ $stderr =~ 9000\ packets\ caught.*stack,\ ([0-9]+)\ not\ reported ]]
	[ "${BASH_REMATCH[1]}" -gt 0 ]
	[ $((BASH_REMATCH[1] + $(lines))) = 9000 ]
	[ "$(served 5303)" = 0 ]
}

@test "the pod goes away: exit status 4" {
	catch_start dst --intercept --proto udp --dport 53
	podctl del dst
	catch_end
	is_status 4
	[[ $stderr == *'its device eth0 is gone'* ]]
}

@test "SIGKILL leaves nothing" {
	local before after
	before=$(host_state)
	for _ in 1 2 3 4 5 6 7 8; do
		catch_start dst --intercept --proto udp --dport 53
		signal KILL
		wait "$CATCHER" || :
	done
	clean() {
		after=$(host_state)
		[ "$before" = "$after" ]
	}
	wait_for clean
}

# two_nodes: pods web (10.9.1.2, on the node) and remote (10.8.0.2, on a second node), by the given link between the nodes.
two_nodes() {
	podctl node second
	node ip link add to2 type veth peer name to1 netns second
	node ip addr add 192.168.77.1/24 dev to2
	node ip link set to2 up
	in_pod second ip addr add 192.168.77.2/24 dev to1
	in_pod second ip link set to1 up
	podctl up remote --node second --addr 10.8.0.2/32 --kind "$1"
	if [ "$2" = vxlan ]; then
		node ip link add vx type vxlan id 42 dstport 4789 local 192.168.77.1 remote 192.168.77.2 dev to2
		in_pod second ip link add vx type vxlan id 42 dstport 4789 local 192.168.77.2 remote 192.168.77.1 dev to1
		node ip addr add 192.168.78.1/24 dev vx
		in_pod second ip addr add 192.168.78.2/24 dev vx
		node ip link set vx up
		in_pod second ip link set vx up
		node ip route add 10.8.0.2 via 192.168.78.2
		in_pod second ip route add 10.9.1.2 via 192.168.78.1
	else
		node ip route add 10.8.0.2 via 192.168.77.2
		in_pod second ip route add 10.9.1.2 via 192.168.77.1
	fi
}

# both_ends KIND LINK: what inject sent on the first node is what catch, in the second one's place, finds there.
both_ends() {
	two_nodes "$1" "$2"
	# The second node's flowgen sees the host from that node's namespace.
	: > "$NODE_DIR/caught.err"
	in_pod second "$FLOWGEN" catch --pod netns:remote --intercept --trace-id 99 --duration "$LONG" \
		> "$NODE_DIR/caught" 2> "$NODE_DIR/caught.err" 3>&- 7>&- &
	CATCHER=$!
	wait_for grep -q catching "$NODE_DIR/caught.err"
	inject --deliver --dst 10.8.0.2:8080 --proto tcp --sport 4000 --trace-id 99 --ttl 20
	local sent=$output
	# It stays until inject has looked at where its packet went.
	signal INT
	catch_end
	is_status 0
	fits_schema catch
	holds '.packet | .src == "10.9.1.2" and .dst == "10.8.0.2" and .sport == 4000 and .dport == 8080'
	holds '.packet | .ttl == 18 and .tcp_flags == "S"'
	holds '.trace.id == "99"'
	# Both nodes are of one kernel here: the sender's flowgen sees the packet go through the second one, whose rules it
	# does not know.
	jq -e '.policy.verdict == "unknown" and .outcome == "delivered" and .packet.dst == "10.8.0.2" and
		(.reason | test("a namespace that it went through"))' <<< "$sent"
	node ip link del to2
	[ "$2" = link ] || node ip link del vx 2> /dev/null || :
}

@test "two nodes, a plain link, veth" { both_ends veth link; }
@test "two nodes, VXLAN, veth" { both_ends veth vxlan; }
@test "two nodes, a plain link, netkit" { need netkit; both_ends netkit link; }
@test "two nodes, VXLAN, netkit" { need netkit; both_ends netkit vxlan; }

@test "mistakes: one line each, exit status 2" {
	local arguments message
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086  # a list of words
		flowgen catch $arguments
		is_status 2
		complains "$message"
	done <<-'END'
		--proto udp|no pod given
		--pod netns:dst --proto udp --pass --intercept|--pass and --intercept exclude each other
		--pod netns:dst|no filter given
		--pod netns:dst --proto foo|--proto: must be tcp, .* not "foo"
		--pod netns:dst --src 10.0.0|--src: "10.0.0"
		--pod netns:dst --src 10.0.0.1 --dst fd00::1|of different families
		--pod netns:dst --dport 0|--dport: .*0
		--pod netns:dst --dport 1-2|--dport: .*1-2
		--pod netns:dst --proto icmp --dport 5|--dport: protocol 1 has no ports
		--pod netns:dst --trace-id x|--trace-id: .*x
		--pod netns:dst --trace-option 1|--trace-option: "1" is not a number from 2 to 255
		--pod netns:dst --trace-id 5 --dst fd00::1|IPv6 packets have no such option
		--pod netns:dst --proto udp --count 0|--count: .*0
		--pod netns:dst --proto udp --duration x|--duration: .*x
		--pod netns:dst --proto udp --output xml|--output: must be json, text, jsonl, wide or oneline, not "xml"
	END
	flowgen catch --pod netns:none --proto udp
	is_status 3
}
