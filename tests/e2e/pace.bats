#!/usr/bin/env bats
# How often and how fast, from and to captures, and large sends.
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
}
teardown_file() { node_down; }
# A test that fails must not slow down those after it.
teardown() { node tc qdisc del dev hdst root 2> /dev/null || :; }

udp() { inject --dst 10.9.0.9:53 --proto udp "$@"; }

@test "--count and --interval: so many results, so long, and a summary on standard error" {
	udp --count 5 --interval 50ms
	is_status 0
	[ "$(lines)" = 5 ]
	holds '.policy.verdict == "none"'
	[[ $stderr =~ '5 sent in '([0-9.]+)' ms' ]]
	[ "${BASH_REMATCH[1]%.*}" -ge 200 ]
	[[ $stderr =~ '0 allowed, 0 denied, 0 redirected, 5 none, 0 unknown, 0 inconclusive' ]]
	[[ $stderr =~ 'from injection to end min/avg/max' ]]
}

@test "one probe says nothing on standard error" {
	udp
	is_status 0
	# Without tcx a warning says what is not kept from the destination.
	[ -z "$stderr" ] || refute can tcx
}

@test "--rate and --duration: about so many" {
	local try most=0
	# A machine that is emulated, or busy, may be slower, never faster.
	for try in 1 2 3; do
		udp --rate 2k --duration 500ms --summary
		is_status 0
		[[ $stderr =~ flowgen:\ ([0-9]+)\ sent ]]
		[ "${BASH_REMATCH[1]}" -le 1100 ]
		[ "${BASH_REMATCH[1]}" -le "$most" ] || most=${BASH_REMATCH[1]}
		[ "$most" -lt 700 ] || break
	done
	[ -n "${FLOWGEN_TEST_INSIDE:-}" ] || busy || [ "$most" -ge 700 ]
}

holds_tracepoints() { grep -qs '^link_type:.raw_tracepoint' /proc/"$FLOWGEN_PID"/fdinfo/*; }

@test "between probes far apart no tracepoint is held, and each probe is followed all the same" {
	local results="$NODE_DIR/apart" interval=$((${FLOWGEN_TEST_INSIDE:+3600} + 400))ms free=0
	node "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp --name apart --count 4 --interval "$interval" \
		> "$results" 2> "$NODE_DIR/summary" &
	running=$!
	wait_for run_with "--name apart"
	wait_for test -s "$results"
	# Results are written when there is nothing more to do, so that one that stands there alone means a pause.
	while [ -d "/proc/$FLOWGEN_PID" ] && [ "$(wc -l < "$results")" -lt 4 ]; do
		holds_tracepoints || free=$((free + 1))
	done
	wait "$running"
	[ "$free" -gt 2 ]
	output=$(cat "$results")
	[ "$(lines)" = 4 ]
	holds '.outcome == "delivered" and ([.observations[].action] | index("Received") != null)'
}

@test "between the rounds of a watch no tracepoint is held either, and the next round sees what changed" {
	need tcx
	local file="$NODE_DIR/watch.yaml" results="$NODE_DIR/watched" id
	podctl up brief --addr 10.9.7.2/32
	podctl up moved --addr 10.9.8.2/32
	cat > "$file" <<- 'END'
		name: w
		probes:
		  - {name: p, from: "netns:web", to: 10.9.0.9, proto: udp, dport: 53, expect: allow}
		  - {name: q, from: "netns:brief", to: 10.9.0.9, proto: udp, dport: 53, expect: none}
		  - {name: r, from: "netns:moved", to: 10.9.0.9, proto: udp, dport: 53, expect: none}
	END
	node "$FLOWGEN" run "$file" --watch --interval "$((${FLOWGEN_TEST_INSIDE:+1600} + 400))ms" --output json > "$results" 2> "$NODE_DIR/summary" &
	running=$!
	wait_for run_with "run $file"
	wait_for test -s "$results"
	wait_for refute holds_tracepoints
	id=$(attach web tcx/ingress deny_port --proto udp --port 53)
	wait_for grep -q '"status":"fail"' "$results"
	# One pod that goes does not take the others along; one that has another address is not taken for the one that was.
	podctl del brief
	wait_for grep -q '"probe":"q".*"status":"skip"' "$results"
	in_pod moved ip addr add 10.9.8.3/32 dev eth0
	in_pod moved ip addr del 10.9.8.2/32 dev eth0
	attach moved tcx/ingress next_all
	wait_for grep -q '"probe":"r".*"status":"skip","why":"pod netns:moved: its addresses have changed' "$results"
	podctl detach web --hook tcx/ingress --id "$id"
	passed() { [ "$(grep -c '"probe":"p".*"status":"pass"' "$results")" -ge 2 ]; }
	wait_for passed
	kill -INT "$FLOWGEN_PID"
	wait "$running" || :
	output=$(grep '"status":"fail"' "$results" | head -n 1)
	holds '.policy.verdict == "denied" and .policy.denied_by != null'
}

# bats test_tags=novm
@test "a probe that comes late, after its window, is kept from its destination all the same" {
	received() { in_pod dst awk '$1 == "Udp:" && $2 ~ /[0-9]/ { print $2 + $3 }' /proc/net/snmp; }
	local results="$NODE_DIR/late" capture="$NODE_DIR/late.pcap" before
	# Three packets: at once, a tenth of a second later, and a minute later; by then flowgen has been told to end.
	flowgen inject --dry-run --src 10.9.1.2 --dst 10.9.0.9:53 --proto udp --size 1400 --count 3 --write "$capture"
	"$PYTHON" - "$capture" 0 100000 60000000 <<-'END'
		import struct, sys
		data = bytearray(open(sys.argv[1], "rb").read())
		at, parts = 24, 1000 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1
		for us in map(int, sys.argv[2:]):
		    struct.pack_into("=II", data, at, 1000 + us // 1000000, us % 1000000 * parts)
		    at += 16 + struct.unpack_from("=I", data, at + 8)[0]
		open(sys.argv[1], "wb").write(data)
	END
	before=$(received)
	# A byte in 4 ms: the first one leaves 98 in the bucket, and the second one waits for more than five seconds.
	node tc qdisc add dev hdst root tbf rate 2kbit burst 1540 latency 30s
	node "$FLOWGEN" inject --pod netns:web --pcap "$capture" --timing capture --name late --timeout 20ms \
		> "$results" 2> "$NODE_DIR/summary" &
	running=$!
	wait_for run_with "--name late"
	wait_for grep -q '"id":2,' "$results"
	wait_for emptied
	read -rt .1 <> "$NODE_DIR/never" || :
	[ "$(jq -r 'select(.id == 2).outcome' "$results")" = inconclusive ]
	[ "$(received)" = "$before" ]
	kill -INT "$FLOWGEN_PID"
	wait "$running" || [ $? = 4 ]
	[ "$(wc -l < "$results")" = 2 ]
	node tc qdisc del dev hdst root
	# The counter moves where a packet is let in.
	udp --deliver
	[ "$(received)" = $((before + 1)) ]
}
emptied() { [ "$(node tc -s -j qdisc show dev hdst | jq '.[0].qlen')" = 0 ]; }

@test "--until denied: the denial is seen, with the time since the first probe and the one before it" {
	# To take the policy off again.
	need tcx
	node "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp --until denied --duration 60s \
		> "$NODE_DIR/until" 2> "$NODE_DIR/summary" &
	waiting=$!
	wait_for test -s "$NODE_DIR/until"
	id=$(attach web tcx/ingress deny_port --proto udp --port 53)
	wait "$waiting"
	podctl detach web --hook tcx/ingress --id "$id"
	output=$(tail -n 1 "$NODE_DIR/until")
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id and .expect.met == true"
	holds '.repeat | .probes > 1 and .after_ns > .previous_ns'
	grep -q 'denied after .*, not yet at' "$NODE_DIR/summary"
	fits_schema
}

@test "--until what never comes is exit status 1" {
	udp --until denied --duration 200ms
	is_status 1
	[[ $stderr =~ 'never denied' ]]
	[ "$(lines)" = 1 ]
}

@test "SIGINT ends a run without end: a summary, and exit status 0" {
	node "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp --count 0 --interval 10ms --name endless \
		> "$NODE_DIR/endless" 2> "$NODE_DIR/summary" &
	running=$!
	wait_for run_with "--name endless"
	wait_for test -s "$NODE_DIR/endless"
	kill -INT "$FLOWGEN_PID"
	wait "$running"
	output=$(cat "$NODE_DIR/endless")
	holds '.outcome == "delivered"'
	grep -q ' sent in ' "$NODE_DIR/summary"
}

@test "--write stores what was sent, and --pcap sends it again" {
	udp --count 3 --interval 1ms --size 100 --write "$NODE_DIR/w.pcap" --bytes --full-checksum
	is_status 0
	[ "$(tcpdump -nr "$NODE_DIR/w.pcap" 2> "$NODE_DIR/words" | wc -l)" = 3 ]
	bytes=$(jq -r .packet.bytes <<< "$output" | head -n 1)
	[ "$(tcpdump -nr "$NODE_DIR/w.pcap" -c 1 -XX 2> "$NODE_DIR/words" | sed -n 's/^\t0x[0-9a-f]*:  \([0-9a-f ]*\)  .*/\1/p' | tr -d ' \n')" = "$bytes" ]
	flowgen inject --pod netns:web --pcap "$NODE_DIR/w.pcap" --bytes
	is_status 0
	[ "$(lines)" = 3 ]
	[ "$(jq -r .packet.bytes <<< "$output" | head -n 1)" = "$bytes" ]
	[ "$(value .name)" = 'packet 1' ]
	flowgen inject --pod netns:web --pcap "$NODE_DIR/w.pcap" --filter 'udp port 54'
	is_status 0
	[ -z "$output" ]
}

@test "--pcap: the pod's address and recomputed checksums, or as captured" {
	node "$FLOWGEN" inject --dry-run --src 192.0.2.7 --dst 10.9.0.9:53 --proto udp --size 30 --write "$NODE_DIR/d.pcap" > "$NODE_DIR/dry"
	flowgen inject --pod netns:web --pcap "$NODE_DIR/d.pcap" --write "$NODE_DIR/sent.pcap"
	is_status 0
	holds '.packet.src == "10.9.1.2" and .outcome == "delivered"'
	[[ $(tcpdump -nvvr "$NODE_DIR/sent.pcap" 2>&1) == *'udp sum ok'* ]]
	flowgen inject --pod netns:web --pcap "$NODE_DIR/d.pcap" --keep-addresses
	holds '.packet.src == "192.0.2.7"'
}

@test "--pcap: what cannot be sent as it is, is refused" {
	node "$FLOWGEN" inject --dry-run --src 192.0.2.7 --dst 10.9.0.9 --proto 51 --size 24 --write "$NODE_DIR/ah.pcap" > "$NODE_DIR/dry"
	flowgen inject --pod netns:web --pcap "$NODE_DIR/ah.pcap"
	is_status 2
	complains "ah.pcap: packet 1: its authentication header covers another source address .leave it out with --filter 'not ah', or"
	flowgen inject --pod netns:web --pcap "$NODE_DIR/ah.pcap" --keep-addresses --write "$NODE_DIR/sent.pcap"
	# Byte for byte, behind the headers of file, record and Ethernet.
	[ "$(tail -c +55 "$NODE_DIR/ah.pcap" | md5sum)" = "$(tail -c +55 "$NODE_DIR/sent.pcap" | md5sum)" ]
	node "$FLOWGEN" inject --dry-run --src fd00::7 --dst '[fd00::9]:53' --proto udp --size 24 --payload-length 0 --write "$NODE_DIR/zero.pcap" > "$NODE_DIR/dry"
	flowgen inject --pod netns:web --pcap "$NODE_DIR/zero.pcap"
	is_status 2
	complains 'zero.pcap: packet 1: its IPv6 payload length is 0: a jumbogram or a super-packet'
}

@test "--expect over no packets is not a success" {
	udp --count 2 --interval 1ms --write "$NODE_DIR/some.pcap"
	flowgen inject --pod netns:web --pcap "$NODE_DIR/some.pcap" --filter tcp --expect deny
	is_status 4
	complains 'no packet was sent: nothing is known of what is expected'
	flowgen inject --pod netns:web --pcap "$NODE_DIR/some.pcap" --filter tcp
	is_status 0
}

@test "a file cut short names the packet, after what came before it was sent" {
	udp --count 2 --interval 1ms --size 100 --write "$NODE_DIR/c.pcap"
	head -c 260 "$NODE_DIR/c.pcap" > "$NODE_DIR/cut.pcap"
	flowgen inject --pod netns:web --pcap "$NODE_DIR/cut.pcap"
	is_status 2
	[ "$(lines)" = 1 ]
	[[ $stderr == *'cut.pcap: packet 2: truncated'* ]]
}

@test "--timing capture keeps the pauses" {
	local span
	udp --count 3 --interval 500ms --write "$NODE_DIR/t.pcap"
	# On a busy machine the first one is late, and the others are in time.
	span=$(tcpdump -tt -n -r "$NODE_DIR/t.pcap" 2> /dev/null | awk 'NR == 1 { first = $1 } END { print int(($1 - first) * 1000) }')
	[ "$span" -ge 500 ]
	flowgen inject --pod netns:web --pcap "$NODE_DIR/t.pcap" --timing capture
	is_status 0
	[[ $stderr =~ '3 sent in '([0-9.]+)' '(m?s) ]]
	awk -v took="${BASH_REMATCH[1]}" -v unit="${BASH_REMATCH[2]}" -v span="$span" 'BEGIN { exit !(took * (unit == "s" ? 1000 : 1) >= span - 50) }'
}

# stamped FILE MILLISECONDS...: a capture with a packet at each of these times.
stamped() {
	local file=$1
	shift
	node "$FLOWGEN" inject --dry-run --src 192.0.2.7 --dst 10.9.0.9:53 --proto udp --size 100 --count $# --write "$file" > "$NODE_DIR/dry"
	"$PYTHON" - "$file" "$@" <<-'END'
		import struct, sys
		data, at = bytearray(open(sys.argv[1], "rb").read()), 24
		for ms in map(int, sys.argv[2:]):
		    struct.pack_into("=II", data, at, ms // 1000, ms % 1000 * 1000000)
		    at += 16 + struct.unpack_from("=I", data, at + 8)[0]
		assert at == len(data)
		open(sys.argv[1], "wb").write(data)
	END
}

# takes_at_least MILLISECONDS FILE [OPTION...]
takes_at_least() {
	flowgen inject --pod netns:web --pcap "$2" --timing capture "${@:3}"
	is_status 0
	[[ $stderr =~ 'sent in '([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge "$1" ] && [ "${BASH_REMATCH[1]}" -le $(($1 + 60000)) ]
}

@test "--timing capture: times that begin at 0, go back, or are all alike" {
	stamped "$NODE_DIR/zero.pcap" 0 150 300
	takes_at_least 300 "$NODE_DIR/zero.pcap"
	[ "$(lines)" = 3 ]
	# Again from the start, at once.
	takes_at_least 600 "$NODE_DIR/zero.pcap" --count 2
	[ "$(lines)" = 6 ]
	stamped "$NODE_DIR/none.pcap" 0 0 0
	takes_at_least 0 "$NODE_DIR/none.pcap" --count 2
	[ "$(lines)" = 6 ]
	# The clock was set back by an hour after the second packet.
	stamped "$NODE_DIR/back.pcap" 3600000 3600100 100 250 400
	takes_at_least 400 "$NODE_DIR/back.pcap"
	[ "$(lines)" = 5 ]
}

@test "--dry-run needs no privileges with --src, and touches nothing" {
	run --separate-stderr node setpriv --reuid 65534 --regid 65534 --clear-groups "$FLOWGEN" inject --dry-run --src 10.1.1.1 --dst 10.9.0.9:53
	is_status 0
	holds '.policy.verdict == "unknown" and .outcome == "inconclusive" and .reason == "not sent: --dry-run" and .method == null'
	holds '.packet.bytes | length == 148'
	fits_schema
	inject --dry-run --dst 10.9.0.9:53
	is_status 0
	holds '.packet.src == "10.9.1.2"'
	flowgen inject --dry-run --dst 10.9.0.9:53
	is_status 2
	complains 'no pod given \(--pod REF; or --src ADDR, which needs no pod\)'
}

@test "--gso: a super-packet goes through as one, and comes out as its segments" {
	hear dst packet --dev eth0 --count 1
	udp --gso 1000 --size 5000
	skip_without_udp_gso
	is_status 0
	holds '.packet.length == 5028 and .outcome == "delivered"'
	heard
	inject --dst 10.9.0.9:53 --proto tcp --flags PA --gso 1000 --size 60000
	holds '.packet.length > 60000 and (.outcome == "dropped" or .outcome == "delivered")'
}

@test "what does not fit together" {
	udp --interval 1s
	is_status 2
	complains '--interval: there is only one probe'
	udp --interval 1s --rate 5 --count 2
	is_status 2
	complains '--interval and --rate: only one of the two'
	udp --until denied --expect deny
	is_status 2
	complains '--until and --expect'
	udp --until perhaps
	is_status 2
	complains '--until: must be allow, allowed, deny, denied, .* not "perhaps"'
	udp --filter tcp
	is_status 2
	complains '--filter: only with --pcap'
	flowgen inject --pod netns:web --pcap /dev/null --dst 10.9.0.9
	is_status 2
	complains '--pcap: not with --dst'
	flowgen inject --pod netns:web --pcap /dev/null --ttl 3
	is_status 2
	complains '--pcap: not with --ttl'
	flowgen inject --pod netns:web --pcap "$NODE_DIR/absent.pcap"
	is_status 2
	complains 'absent.pcap: No such file'
}
