#!/usr/bin/env bats
# flowgen demo: a story that a newcomer understands, on pods of its own, of which nothing stays.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }

@test "it tells of a denied, an allowed and an unpoliced packet" {
	flowgen demo
	is_status 0
	# Without tcx a warning says what is not kept from the destination.
	[ -z "$stderr" ] || refute can tcx
	[[ $output == *demo-deny* && $output == *demo-allow* && $output == *demo-none* && $output == *demo-dst* ]]
	[[ $output == *'$ flowgen inject --pod demo-deny --dst 10.201.9.9:9999 --proto udp'* ]]
	[[ $output == *deny_port* && $output == *allow_all* ]]
	[[ $output == *[Dd]enied*[Aa]llowed*'nothing enforces'* ]]
	# The receiver's policy counts as the sender's does.
	[[ $output == *'DENIED by deny_port ('*'ingress of demo-guard)'* ]]
	[[ $output == *result.schema.json* && $output != *$'\e'* ]]
	# The kernel's best kind of pod is shown.
	if can netkit; then [[ $output == *netkit/peer* ]]; else [[ $output == *veth* ]]; fi
}

@test "it leaves nothing, and does not see or touch what is there" {
	podctl up demo-deny --addr 10.201.1.2/32
	is_up() { in_pod demo-deny ip link show eth0 | grep -q 'state UP'; }
	wait_for is_up
	host_state > "$BATS_TEST_TMPDIR/before"
	flowgen demo
	is_status 0
	gone() {
		host_state > "$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	}
	wait_for gone || diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	podctl del demo-deny
}

@test "--keep leaves the pods for more questions, and --down takes them away" {
	host_state > "$BATS_TEST_TMPDIR/before"
	flowgen demo --keep
	is_status 0
	[[ $output == *'flowgen demo --down'* ]]
	[ "$(node ls /run/netns | xargs)" = 'demo-allow demo-deny demo-dst demo-guard demo-node demo-none' ]
	# The command that it prints.
	command=$(grep -o 'ip netns exec demo-node flowgen inject.*' <<< "$output")
	run --separate-stderr node bash -c "${command/ flowgen / "$FLOWGEN" }"
	is_status 0
	holds '.policy.verdict == "denied" and .policy.denied_by.name == "deny_port"'
	flowgen demo --keep
	[ "$status" = 2 ]
	[[ $stderr == *--down* ]]
	flowgen demo --down
	is_status 0
	[ -z "$(node ls /run/netns)" ]
	gone() {
		host_state > "$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	}
	wait_for gone || diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	flowgen demo --down
	is_status 0
}

@test "--down does not delete what the demo has not made" {
	node ip netns add demo-dst
	flowgen demo --down
	is_status 2
	[[ $stderr == *demo-dst* ]]
	node ip netns del demo-dst
}

# ends_by SIGNAL STATUS [OPTION]: sent while it asks its questions.
ends_by() {
	node bash -c '"$0" demo $4 > "$1" 2>&1 & pid=$!
		while ! grep -q "^1\. " "$1"; do read -rt .01 <> "$3" || :; done
		kill -"$2" $pid; wait $pid' "$FLOWGEN" "$BATS_TEST_TMPDIR/out" "$1" "$NODE_DIR/never" "${3:-}" && status=0 || status=$?
	[ "$status" = "$2" ]
	none_left() { ! node sh -c 'cat /proc/[0-9]*/comm | grep -qx flowgen'; }
	wait_for none_left
	[ -z "$(node ls /run/netns)" ]
}

@test "SIGINT, SIGTERM and SIGKILL leave nothing" {
	ends_by TERM 143
	ends_by KILL 137
	ends_by TERM 143 --keep
}

@test "it gives up what neither it nor flowgen inject needs, before it makes anything" {
	local line
	mkfifo "$BATS_TEST_TMPDIR/says"
	node "$FLOWGEN" demo > "$BATS_TEST_TMPDIR/says" 2>&1 3>&- &
	exec 5< "$BATS_TEST_TMPDIR/says"
	read -r line <&5
	node sh -c 'cat "$(grep -lx flowgen /proc/[0-9]*/comm | head -n1 | sed s/comm/status/)"' > "$BATS_TEST_TMPDIR/status"
	cat <&5 > /dev/null
	exec 5<&-
	wait $!
	[ "$(awk '$1 == "NoNewPrivs:" { print $2 }' "$BATS_TEST_TMPDIR/status")" = 1 ]
	[ "$(awk '$1 == "Seccomp:" { print $2 }' "$BATS_TEST_TMPDIR/status")" = 2 ]
	# CAP_SYS_MODULE and CAP_SYS_RAWIO.
	[ $((0x$(awk '$1 == "CapBnd:" { print $2 }' "$BATS_TEST_TMPDIR/status") >> 16 & 3)) = 0 ]
}

# bats test_tags=novm
@test "in a chroot whose root is no mount point it says so, and what to do" {
	local root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root"
	# The host's directories, in a directory: for this process alone.
	run --separate-stderr node unshare -m bash -c 'set -e
		for d in bin lib lib64 usr etc proc sys dev run tmp; do
			[ -d "/$d" ] || continue
			mkdir -p "$1/$d"
			mount --rbind "/$d" "$1/$d"
		done
		mkdir -p "$1/flowgen"
		mount --bind "${2%/*}" "$1/flowgen"
		exec chroot "$1" /flowgen/flowgen demo' - "$root" "$FLOWGEN"
	is_status 3
	[ -z "$output" ]
	[[ $stderr == 'flowgen: make the mounts private: Invalid argument (/ is a directory that chroot made the root: mount it onto itself before (mount --bind))' ]] || { show; false; }
}
