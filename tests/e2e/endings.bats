#!/usr/bin/env bats
# What ends a run from outside: signals, a reader that went away, a file that may not grow. And what must not keep it waiting.
# shellcheck disable=SC2154  # run sets stderr
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
	cat > "$NODE_DIR/one.yaml" <<-'END'
		name: one
		probes:
		- {name: p, from: "netns:web", to: "10.9.0.9:53", proto: udp, expect: allow}
	END
}
teardown_file() { node_down; }

# begin ARGUMENT...: flowgen in the background; its output is in $NODE_DIR/out, its complaints in $NODE_DIR/err.
begin() {
	: > "$NODE_DIR/out"
	node "$FLOWGEN" "$@" > "$NODE_DIR/out" 2> "$NODE_DIR/err" 3>&- &
	RUNNER=$!
}
# The process itself, not nsenter; it ends within 10 seconds with a status.
send_signal() { kill "-$1" "$(leaf "$RUNNER")"; }
ended() {
	local end=$((SECONDS + ${FLOWGEN_TEST_INSIDE:+50} + 10))
	while kill -0 "$RUNNER" 2> /dev/null; do
		[ "$SECONDS" -lt "$end" ] || {
			send_signal KILL
			echo "it hangs"
			return 1
		}
		read -rt .02 <> "$NODE_DIR/never" || :
	done
	status=0
	wait "$RUNNER" || status=$?
	output=$(cat "$NODE_DIR/out") stderr=$(cat "$NODE_DIR/err")
}
# It has set up its signals, and waits for its input: in each of some looks it sleeps. Or it has ended.
waiting() {
	local pid
	kill -0 "$RUNNER" 2> /dev/null || return 0
	pid=$(leaf "$RUNNER")
	for _ in 1 2 3 4 5; do
		[ "/proc/$pid/exe" -ef "$FLOWGEN" ] && grep -q '^SigBlk:[[:space:]]*0*[1-9a-f]' "/proc/$pid/status" &&
			grep -q '^State:[[:space:]]*S' "/proc/$pid/status" || return 1
		read -rt .05 <> "$NODE_DIR/never" || :
	done
}
waits() { wait_for waiting; }

@test "a capture that says nothing, from a pipe: SIGINT, SIGTERM and SIGHUP end the wait" {
	local signal
	mkfifo "$NODE_DIR/silent"
	exec 8<> "$NODE_DIR/silent"
	for signal in INT TERM HUP; do
		node "$FLOWGEN" inject --pod netns:web --pcap - < "$NODE_DIR/silent" > "$NODE_DIR/out" 2> "$NODE_DIR/err" 3>&- 8>&- &
		RUNNER=$!
		waits
		send_signal "$signal"
		ended
		is_status 4
		[[ $stderr == *'flowgen: standard input: interrupted before its end' ]] || { show; false; }
	done
	exec 8>&-
}

@test "the same with a FIFO as the file, that has no writer yet" {
	mkfifo "$NODE_DIR/nobody"
	begin inject --pod netns:web --pcap "$NODE_DIR/nobody"
	waits
	send_signal TERM
	ended
	is_status 4
}

@test "a FIFO can be read only once: more rounds are refused before anything is sent" {
	local more
	flowgen inject --dry-run --pod netns:web --dst 10.9.0.9:53 --proto udp --write "$NODE_DIR/once.pcap"
	is_status 0
	mkfifo "$NODE_DIR/once"
	for more in '--count 2' '--count 0' '--duration 100ms'; do
		timeout 10 cat "$NODE_DIR/once.pcap" 2> /dev/null > "$NODE_DIR/once" 3>&- &
		# shellcheck disable=SC2086
		flowgen inject --pod netns:web --pcap "$NODE_DIR/once" $more
		is_status 2
		[ -z "$output" ]
		[[ $stderr == *"$NODE_DIR/once: can be read only once"* ]] || { show; false; }
		wait $! || :
	done
	timeout 10 cat "$NODE_DIR/once.pcap" > "$NODE_DIR/once" 3>&- &
	flowgen inject --pod netns:web --pcap "$NODE_DIR/once"
	is_status 0
	[ "$(lines)" = 1 ]
	flowgen inject --pod netns:web --pcap - --duration 1s < "$NODE_DIR/once.pcap"
	is_status 2
	[[ $stderr == *'--duration: standard input can be read only once'* ]]
}

@test "a capture that stops in the middle: what was sent is reported" {
	flowgen inject --dry-run --pod netns:web --dst 10.9.0.9:53 --proto udp --write "$NODE_DIR/one.pcap"
	is_status 0
	rm -f "$NODE_DIR/slow"
	mkfifo "$NODE_DIR/slow"
	begin inject --pod netns:web --pcap "$NODE_DIR/slow"
	exec 8> "$NODE_DIR/slow"
	cat "$NODE_DIR/one.pcap" >&8
	waits
	send_signal INT
	ended
	exec 8>&-
	is_status 4
	[[ $stderr != *interrupted\ before* ]]
}

@test "who reads a capture has no privileges, holds nothing of flowgen's, and ends with it" {
	local reader
	rm -f "$NODE_DIR/slow"
	mkfifo "$NODE_DIR/slow"
	begin inject --pod netns:web --pcap "$NODE_DIR/slow"
	waits
	reader=$(pgrep -P "$(leaf "$RUNNER")")
	[ -n "$reader" ]
	[ "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "/proc/$reader/status" | sort -u)" = 0000000000000000 ]
	[ "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$reader/status")" = 1 ]
	[ "$(awk '/^Seccomp:/ { print $2 }' "/proc/$reader/status")" = 2 ]
	# Its answer, the file, and a copy of it that is closed when it was read.
	[ "$(find "/proc/$reader/fd" -mindepth 1 | wc -l)" -le 3 ]
	refute grep -qhE "^(map|prog|link)_id" "/proc/$reader"/fdinfo/*
	cat "/proc/$(leaf "$RUNNER")"/fdinfo/* | grep -qE "^(map|prog|link)_id"
	send_signal KILL
	is_gone() { [ ! -e "/proc/$reader" ]; }
	wait_for is_gone
	wait "$RUNNER" || :
}

@test "a FIFO in /run/netns, or as a pod, is no namespace" {
	node mkfifo /run/netns/pipe
	for arguments in "pods --output json" "inject --pod netns:web --dst 10.9.0.9:53 --proto udp" "inject --pod /run/netns/pipe --dst 10.9.0.9:53"; do
		# shellcheck disable=SC2086  # a list of words
		begin $arguments
		ended
		case $arguments in
		*pipe*) is_status 3 && [[ $stderr == *'pod /run/netns/pipe: not found'* ]] ;;
		*) is_status 0 ;;
		esac
	done
	node rm /run/netns/pipe
}

@test "a reader that went away ends a watch, a run without end, and a catch, though nothing is to be written" {
	local arguments
	for arguments in "run --watch --interval 50ms $NODE_DIR/one.yaml" "inject --pod netns:web --dst 10.9.0.9:53 --proto udp --count 0 --interval 1h" \
		"catch --pod netns:dst --proto udp --dport 9"; do
		mkfifo "$NODE_DIR/read"
		# shellcheck disable=SC2086  # a list of words
		node "$FLOWGEN" $arguments > "$NODE_DIR/read" 2> "$NODE_DIR/err" 3>&- &
		RUNNER=$!
		exec 8< "$NODE_DIR/read"
		waits || { echo "$arguments"; cat "$NODE_DIR/err"; false; }
		exec 8<&-
		rm "$NODE_DIR/read"
		ended
		[ "$status" -lt 6 ]
	done
}

@test "SIGHUP ends a run as SIGTERM does, with its report; not under nohup" {
	begin run --watch --interval 50ms --output json "$NODE_DIR/one.yaml"
	wait_for test -s "$NODE_DIR/out"
	send_signal HUP
	ended
	is_status 0
	jq -se 'map(select(.schema == "flowgen.run/1")) | length == 1' < "$NODE_DIR/out"
	begin inject --pod netns:web --dst 10.9.0.9:53 --proto udp --count 0 --interval 50ms
	node nohup "$FLOWGEN" run --watch --interval 50ms --output json "$NODE_DIR/one.yaml" > "$NODE_DIR/nohup" 2>&1 3>&- &
	local other=$RUNNER
	RUNNER=$!
	wait_for test -s "$NODE_DIR/nohup"
	send_signal HUP
	read -rt .5 <> "$NODE_DIR/never" || :
	kill -0 "$RUNNER"
	send_signal TERM
	ended
	RUNNER=$other
	send_signal HUP
	ended
	is_status 0
}

@test "a file that may not grow is an error of the write" {
	run --separate-stderr node bash -c 'ulimit -f 8; "$0" inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 1-2000 > "$1/limited"' "$FLOWGEN" "$NODE_DIR"
	is_status 5
	# Without tcx a warning comes before it.
	[ "${stderr##*$'\n'}" = 'flowgen: standard output: File too large' ]
}

# bats test_tags=novm
@test "a sweep that ^C cuts short says so: in JSON, in text and in its statistics" {
	local form before
	for form in json text; do
		before=$(served 53)
		begin inject netns:web 10.9.0.9:53 --udp --deliver -c 100000 -i 10ms --summary -o "$form"
		more() { [ "$(served 53)" -gt "$before" ]; }
		wait_for more
		send_signal INT
		ended
		grep -q 'flowgen: interrupted: 9[0-9]* of 100000 probes were not sent' "$NODE_DIR/err"
		if [ "$form" = json ]; then
			jq -e '.interrupted and .planned == 100000 and .total < 100000' "$NODE_DIR/out"
		else
			grep -q '^interrupted: 9[0-9]* of 100000 probes were not sent' "$NODE_DIR/out"
		fi
	done
}
