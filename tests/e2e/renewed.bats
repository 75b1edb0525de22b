#!/usr/bin/env bats
# What a run has found out about a packet's way does not hold for ever: pods move, and programs come to other places.
load helpers

setup_file() {
	node_up
	pods_up
	podctl up other --addr 10.9.3.9/24 --gw 10.9.3.1
}
teardown_file() { node_down; }

# watch FILE OPTION...: a run that goes on beside the test; it is over with `ended`.
watch() {
	local file=$1
	shift
	node "$FLOWGEN" inject --pod netns:web --output json "$@" > "$file" 2> "$file.err" 3>&- 7>&- &
	RUN=$!
	wait_for test -s "$file"
}
ended() { wait "$RUN" || :; }

@test "the destination loses its address, and another pod has it" {
	need tcx
	watch "$NODE_DIR/moves" --dst 10.9.0.9:53 --proto udp --count 30 --interval 200ms --timeout 300ms
	in_pod dst ip addr del 10.9.0.9/24 dev eth0
	ended
	in_pod dst ip addr add 10.9.0.9/24 dev eth0
	in_pod dst ip route replace default via 10.9.0.1
	jq -c '[.outcome, .stopped, .drop.reason, .reason]' "$NODE_DIR/moves"
	cat "$NODE_DIR/moves.err"
	output=$(head -n 1 "$NODE_DIR/moves")
	holds '.outcome == "delivered" and .stopped'
	# The pod does not hold it any more: nothing is taken there as if it did.
	output=$(tail -n 1 "$NODE_DIR/moves")
	holds '.outcome != "delivered" and (.stopped | not)'
}

@test "a program comes to a second place: its counter says nothing any more" {
	local id
	! can fexit || skip 'this kernel shows return values: counters are not needed'
	need tcx
	attach web tcx/ingress next_all > /dev/null
	id=$(attach web tcx/ingress deny_port --proto udp --port 9999)
	watch "$NODE_DIR/shared" --dst 10.9.0.9:9999 --proto udp --count 30 --interval 200ms
	podctl attach other --hook tcx/ingress --id "$id" > /dev/null
	ended
	output=$(head -n 1 "$NODE_DIR/shared")
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id"
	output=$(tail -n 1 "$NODE_DIR/shared")
	holds '.policy.verdict == "denied" and .policy.denied_by.id == null and (.policy.candidates | length) == 2'
}

@test "another pod is in the place of the sending one: its sockets are asked, too" {
	local socket='import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.9.1.2", 4000)); print("ready", flush=True); time.sleep(9999)'
	watch "$NODE_DIR/replaced" --dst 10.9.0.9:53 --proto udp --sport 4000 --count 100 --interval 100ms
	podctl up after --addr 10.9.4.2/32
	in_pod after ip addr add 10.9.1.2/32 dev eth0
	in_pod after ip addr del 10.9.4.2/32 dev eth0
	in_pod after "$PYTHON" -c "$socket" > "$NODE_DIR/bound" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/bound"
	node umount -l /run/netns/web
	node mount --bind /run/netns/after /run/netns/web
	node ip link del hweb
	node ip route replace 10.9.1.2/32 dev hafter
	status=0
	wait "$RUN" || status=$?
	cat "$NODE_DIR/replaced.err"
	[ "$status" = 2 ]
	grep -q '10.9.1.2:4000 > 10.9.0.9:53 udp is in use: pod netns:web has a socket' "$NODE_DIR/replaced.err"
	output=$(head -n 1 "$NODE_DIR/replaced")
	holds '.outcome == "delivered"'
}
