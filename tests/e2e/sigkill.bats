#!/usr/bin/env bats
# SIGKILL at random moments of a run leaves no device, namespace, program, map, link or process behind.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	attach web tc/ingress deny_port --proto udp --port 9999 > /dev/null
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
}
teardown_file() { node_down; }

# Emulated, each run takes ten times as long.
KILLS=${KILLS:-$([ -n "${FLOWGEN_TEST_INSIDE:-}" ] && echo 8 || echo 200)}

namespaces() { lsns -t net -n -o NS 2> /dev/null | sort; }

# Runs inside the node: how long a whole run takes, then one run for each moment, killed there.
kill_at_random_moments() {
	cat <<-'SCRIPT'
		flowgen=$1 kills=$2 never=$3 seed=$4 method=("${@:5}")
		RANDOM=$seed
		args=(inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 1-3000)
		# The shortest of three: on a busy machine one alone may say too much, and the kills come too late.
		whole=999999999
		for i in 1 2 3; do
			start=${EPOCHREALTIME/./}
			"$flowgen" "${args[@]}" > /dev/null || exit 1
			took=$((${EPOCHREALTIME/./} - start))
			[ "$took" -ge "$whole" ] || whole=$took
		done
		killed=0
		for ((i = 0; i < kills; i++)); do
			# Every fourth with tables in the ruleset, which go with their socket.
			extra=()
			((i % 4)) || extra=(--trace-netfilter --deliver)
			# And every other one with packets that a program inside the pod sends on.
			((i % 2)) || extra+=("${method[@]}")
			"$flowgen" "${args[@]}" "${extra[@]}" > /dev/null 2>&1 &
			pid=$!
			moment=$(((RANDOM << 15 | RANDOM) % whole))
			printf -v seconds '%d.%06d' $((moment / 1000000)) $((moment % 1000000))
			# Nothing ever comes from there: a pause without a process.
			read -rt "$seconds" <> "$never" || :
			kill -KILL $pid 2> /dev/null && killed=$((killed + 1))
			wait $pid 2> /dev/null
		done
		echo "$killed of $kills were killed within $whole us"
		[ "$killed" -ge $((kills / 2)) ]
	SCRIPT
}

@test "nothing stays after SIGKILL at $KILLS random moments" {
	local seed=${SEED:-$RANDOM}
	echo "seed $seed"
	host_state > "$BATS_TEST_TMPDIR/before"
	namespaces > "$BATS_TEST_TMPDIR/ns.before"
	local bounce=()
	! can tcx || bounce=(--method bounce)
	node bash -c "$(kill_at_random_moments)" - "$FLOWGEN" "$KILLS" "$NODE_DIR/never" "$seed" "${bounce[@]}"
	gone() {
		host_state > "$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	}
	wait_for gone || diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	# No process of it is left in the node, and so none that holds a namespace.
	refute node sh -c 'cat /proc/[0-9]*/comm | grep -x flowgen'
	[ "$(node sh -c 'readlink /proc/[0-9]*/ns/net | sort -u | wc -l')" -le 3 ]
	# And it works as before.
	inject --dst 10.9.0.9:9999 --proto udp
	is_status 0
	holds '.policy.verdict == "denied"'
}
