#!/usr/bin/env bats
# Each system call and each allocation fails once: the answer is right or absent, one line says why, nothing is left.
# FAULT_SECONDS (20) and FAULT_SEED choose a sample; `make fault` tries all.
# In a machine that is emulated one run under ptrace takes minutes, and what a failed call comes to is decided in flowgen.
# bats file_tags=novm
bats_require_minimum_version 1.5.0

load helpers

setup_file() {
	node_up
	pods_up
	attach web tc/ingress deny_port --proto udp --port 54 > /dev/null
	serve dst 53
	in_pod web "$PYTHON" -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    s.sendto(b"x", ("10.9.0.9", 53))
    time.sleep(.01)' 3>&- 7>&- &
	orphans > "$NODE_DIR/orphans"
}
teardown_file() { node_down; }

@test "a failed call or allocation never makes a wrong answer" {
	# shellcheck disable=SC2086  # a list of words
	node "$PYTHON" "$ROOT/tests/e2e/failing_calls.py" "$FLOWGEN" "$TOOL/faulty" "$BUILD/tests/preload/nomem.so" "$NODE_DIR" \
		--seconds "${FAULT_SECONDS-20}" --seed "${FAULT_SEED:-$RANDOM}" ${FAULT_OPTIONS:-}
}

@test "and leaves no BPF program or map" {
	# Other runs on this machine may have had some when this one began.
	new="$(comm -13 "$NODE_DIR/orphans" <(orphans))"
	[ -z "$new" ] || { echo "$new"; false; }
}
