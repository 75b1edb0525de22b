#!/usr/bin/env bats
# flowgen agent: requests and answers through one pipe, as a program speaks with it (agent.py). All that it writes fits its schema.
# shellcheck disable=SC2154  # run sets stderr
load helpers

setup_file() {
	node_up
	pods_up
	attach web tc/ingress deny_port --proto udp --port 9999 > /dev/null
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
}
teardown_file() { node_down; }

fits() { "$PYTHON" "$ROOT/tests/e2e/schema.py" "$ROOT/doc/$1.schema.json"; }

# drive CASE: of agent.py, within the node. What is in a result has a schema of its own.
drive() {
	LOG=$BATS_TEST_TMPDIR/log
	node "$PYTHON" "$ROOT/tests/e2e/agent.py" "$1" "$FLOWGEN" "$LOG"
	jq -c 'if has("result") then .result = {} else . end' "$LOG" | fits agent
}

@test 'ten requests at once, four at a time: each has its own answers' {
	drive parallel
	jq -c 'select(.id | test("^i[0-9]")?) | .result // empty' "$LOG" | fits result
	jq -c 'select(.id == "pods") | .result // empty' "$LOG" | fits pod
}

@test 'one at a time, requests run in the order in which they were asked for' { drive in_order; }

@test 'cancel: what runs, what ignores SIGINT, and what waits' {
	need tcx
	drive cancel
}

@test 'go: a request that holds its first packet back' {
	need tcx
	drive go
}

@test 'a malformed line, an unknown verb, a line that is too long: told, and it goes on' {
	need tcx
	drive malformed
}

@test 'short of descriptors: that is no mistake in the line, and it says so' {
	run --separate-stderr node prlimit --nofile=8:8 "$FLOWGEN" agent <<< '{"id": "a", "args": ["pods"]}'
	is_status 0
	fits agent <<< "$output"
	[ "$(jq -c 'select(.error) | [.id, .error, .status]' <<< "$output")" = '["a","a pipe for a request: Too many open files",5]' ] || { show && false; }
}

@test 'files that a request reads and writes' { drive files; }

@test 'exec: its output, its status and its report' {
	need tcx
	drive execute
}

@test 'the end of input in the middle: all is cancelled, nothing is left' {
	need tcx
	host_state > "$BATS_TEST_TMPDIR/before"
	drive end_of_input
	host_state | diff "$BATS_TEST_TMPDIR/before" -
	[ -z "$(orphans)" ]
}

@test 'the reader is lost: the agent ends, nothing is left' {
	need tcx
	drive lost_reader
}

@test 'signals end it in order' {
	need tcx
	drive signals
}

@test 'SIGKILL in the middle: nothing is left' {
	need tcx
	host_state > "$BATS_TEST_TMPDIR/before"
	drive killed
	# Namespaces go a moment after their last process.
	wait_for same_state
	[ -z "$(orphans)" ]
}

same_state() { host_state | diff "$BATS_TEST_TMPDIR/before" - > "$BATS_TEST_TMPDIR/different"; }

@test 'a reader that does not read: the agent does not grow, and nothing is lost' { drive slow_reader; }

@test '--deadline, --idle and --hold' {
	need tcx
	drive ends
}

@test 'it gives up what it does not need: at rest, before a request begins, and on hold' {
	need tcx
	drive confined
}

@test 'more requests than may wait' {
	need tcx
	drive too_many
}

@test '--host-root is handed to requests' { drive host_root; }

@test 'a request costs one process, and the agent a few system calls' {
	local count requests=20 traces
	for count in 1 $((requests + 1)); do
		{
			for ((i = 0; i < count; i++)); do
				echo '{"id": "'$i'", "args": ["inject", "--dry-run", "--src", "10.9.1.2", "--dst", "10.9.0.9:53"]}'
			done
			echo '{"end": true}'
		} > "$BATS_TEST_TMPDIR/requests"
		node strace -ff -qq -o "$BATS_TEST_TMPDIR/trace.$count" "$FLOWGEN" agent --parallel 1 < "$BATS_TEST_TMPDIR/requests" > "$BATS_TEST_TMPDIR/answers"
		[ "$(grep -c '"done"' "$BATS_TEST_TMPDIR/answers")" = "$count" ]
		traces=("$BATS_TEST_TMPDIR/trace.$count".*)
		[ "${#traces[@]}" = $((count + 1)) ]
		# The agent's own file is that without the words of a verb.
		grep -L '"inject"' "$BATS_TEST_TMPDIR/trace.$count".* > "$BATS_TEST_TMPDIR/own"
		wc -l < "$(cat "$BATS_TEST_TMPDIR/own")" > "$BATS_TEST_TMPDIR/calls.$count"
	done
	local each=$((($(cat "$BATS_TEST_TMPDIR/calls.$((requests + 1))") - $(cat "$BATS_TEST_TMPDIR/calls.1")) / requests))
	echo "$each system calls for a request"
	[ "$each" -gt 5 ] && [ "$each" -le 50 ]
}
