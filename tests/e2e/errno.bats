#!/usr/bin/env bats
# One system call fails with one error: it is told as what it is, and what cannot be protected is not sent.
# bats file_tags=novm
# shellcheck disable=SC2154  # run sets stderr
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
}
teardown_file() { node_down; }

# failing OPTION... -- ARGUMENT...: flowgen in which a call fails.
failing() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run --separate-stderr node "$TOOL/faulty" "${options[@]}" "$FLOWGEN" "$@"
}
question=(inject --pod netns:web --dst 10.9.0.9:53 --proto udp)
one_line() { [ "$(wc -l <<< "$stderr")" = 1 ]; }

# Commands of bpf(2).
BPF_LINK_CREATE=28

@test "EPERM is not a kernel without tcx: nothing is sent" {
	can tcx || skip 'this kernel has no tcx'
	before=$(in_pod dst cat /proc/net/snmp)
	for error in EPERM EMFILE EINVAL; do
		for n in 1 2 3 4 5 6 7; do
			failing --call "bpf/$BPF_LINK_CREATE" --nth "$n" --errno "$error" -- "${question[@]}"
			[[ $stderr != *'no tcx'* && $stderr != *'without tcx'* ]]
			[ "$status" = 0 ] || one_line
			[ "$before" = "$(in_pod dst cat /proc/net/snmp)" ]
		done
	done
	failing --call "bpf/$BPF_LINK_CREATE" --nth 1 --times 99 --errno EPERM -- "${question[@]}"
	is_status 3
	complains 'Operation not permitted'
	failing --call "bpf/$BPF_LINK_CREATE" --nth 1 --times 99 --errno EPERM -- catch --pod netns:dst --proto udp --pass --duration 10ms
	is_status 3
	[[ $stderr == *'Operation not permitted'* ]]
	[ "$before" = "$(in_pod dst cat /proc/net/snmp)" ]
}

@test "a kernel that says for all of them what one without tcx says is one" {
	# From the one on that attaches to the pod.
	local n
	for n in 1 2 3 4 5 6 7; do
		failing --call "bpf/$BPF_LINK_CREATE" --nth "$n" --times 999 --errno EINVAL -- "${question[@]}"
		[[ $stderr != *'without tcx (Linux 6.6)'* ]] || return 0
	done
	show
	false
}

@test "a namespace that cannot be opened is not one that is gone" {
	local n error
	before=$(in_pod dst cat /proc/net/snmp)
	for error in EMFILE EACCES ENOMEM; do
		for n in 1 2 3 4; do
			failing --call openat --path /run/netns/dst --nth "$n" --times 99 --errno "$error" -- "${question[@]}"
			[ "$status" = 0 ] || [ "$status" = 3 ] || [ "$status" = 5 ]
			# Protected, or not sent: never in the pod's stack.
			[ "$before" = "$(in_pod dst cat /proc/net/snmp)" ]
			[ "$status" = 0 ] || [[ $stderr =~ (Too many open files|Permission denied|Cannot allocate memory) ]]
			[[ $stderr != *'not found'* && $stderr != *'leads'* ]]
		done
	done
	failing --call openat --path /run/netns/web --nth 2 --times 99 --errno EMFILE -- "${question[@]}"
	[[ $stderr == *'Too many open files'* ]]
	one_line
	failing --call openat --path /run/netns/web --nth 1 --times 99 --errno ENOENT -- "${question[@]}"
	is_status 3
	complains 'pod netns:web: not found'
}

@test "a pod whose namespace cannot be opened is listed, with the reason" {
	for n in 2 3; do
		failing --call openat --path /run/netns/web --nth "$n" --times 99 --errno EMFILE -- pods --output json
		is_status 0
		[ "$(lines)" = 2 ]
		jq -se 'map(select(.name == "web"))[0].refused | test("Too many open files")' <<< "$output"
	done
}

@test "a namespace that cannot be left ends the process, with a word" {
	failing --call setns --nth 2 --errno EPERM -- pods
	is_status 5
	[ "$stderr" = 'flowgen: leave a network namespace: Operation not permitted' ]
	failing --call setns --nth 4 --errno EMFILE -- "${question[@]}"
	is_status 5
	[ "$stderr" = 'flowgen: leave a network namespace: Too many open files' ]
}

@test "a receive that failed: no later question gets its answer" {
	local n total
	failing --counts "$NODE_DIR/counts" -- "${question[@]}"
	total=$(awk '$1 == "recvmsg" { print $2 }' "$NODE_DIR/counts")
	for ((n = 1; n <= total; n += 3)); do
		failing --call recvmsg --nth "$n" --errno ENOBUFS -- "${question[@]}"
		[ "$status" -le 5 ]
		[ "$status" != 0 ] || holds '.outcome == "delivered" or .outcome == "inconclusive"'
	done
}

@test "the number of pods on the node does not multiply what the kernel is asked" {
	local few many i
	asked() {
		failing --counts "$NODE_DIR/counts" -- "${question[@]}"
		is_status 0
		awk '$1 == "sendmsg" { print $2 }' "$NODE_DIR/counts"
	}
	few=$(asked)
	for ((i = 0; i < 40; i++)); do
		echo "$TOOL/podctl up crowd$i --addr 10.79.0.$((i + 1))/32 || exit 1"
	done > "$NODE_DIR/crowd.sh"
	node bash "$NODE_DIR/crowd.sh"
	many=$(asked)
	# shellcheck disable=SC2046  # a list of names
	podctl del $(printf "crowd%d " {0..39})
	echo "$few questions by netlink among two pods, $many among 42"
	[ "$few" -gt 10 ]
	[ "$many" -lt $((few + 20)) ]
}

@test "a locked-down host, whose first process may not be looked at: names work, with one warning, and check tells" {
	hidden=(--path /proc/1/ns/net --nth 1 --times 99 --errno EACCES)
	failing "${hidden[@]}" -- pods --output json
	is_status 0
	[ "$(lines)" = 2 ]
	one_line
	[[ $stderr == 'flowgen: warning: network namespaces that may not be looked at: 1, the first is /proc/1/ns/net; '* ]]
	failing "${hidden[@]}" -- "${question[@]}"
	is_status 0
	one_line
	# Five questions, each with a process of its own.
	failing "${hidden[@]}" -- demo
	is_status 0
	one_line
	[[ $stderr == *'may not be looked at: 1, the first is /proc/1/ns/net; '* ]]
	failing "${hidden[@]}" -- inject --pod no/such --dst 10.9.0.9:53
	is_status 3
	[[ $stderr == *'pod no/such: not on this node'* ]]
	failing "${hidden[@]}" -- check --output json
	is_status 0
	fits_schema check
	holds '(.features.other_netns.works | not) and (.features.other_netns.why | test("Permission denied"))'
	flowgen check --output json
	holds '.features.other_netns.works and (.kernel | has("lockdown"))'
}

@test "diff without memory: an error, never another comparison" {
	local n total golden
	flowgen "${question[@]}"
	printf '%s\n' "$output" > "$NODE_DIR/a"
	printf '%s\n' "$output" > "$NODE_DIR/b"
	golden=$(node "$FLOWGEN" diff "$NODE_DIR/a" "$NODE_DIR/b")
	run node env "LD_PRELOAD=$BUILD/tests/preload/nomem.so" "NOMEM_COUNT=$NODE_DIR/count" "$FLOWGEN" diff "$NODE_DIR/a" "$NODE_DIR/b"
	total=$(cat "$NODE_DIR/count")
	[ "$total" -gt 50 ]
	# Without bats' own work for each run. The same ones each time: `make fault` has them all.
	node bash -c 'for ((n = 1; n <= $1; n += 7)); do
			status=0
			LD_PRELOAD=$2 NOMEM_AT=$n "$3" diff "$4/a" "$4/b" > "$4/out" 2> "$4/err" || status=$?
			echo "allocation $n: $status $(cat "$4/out" "$4/err")"
			case $status in
			0) [ "$(cat "$4/out")" = "$5" ] ;;
			5) [ ! -s "$4/out" ] && [ "$(wc -l < "$4/err")" = 1 ] ;;
			*) false ;;
			esac || exit 1
		done' - "$total" "$BUILD/tests/preload/nomem.so" "$FLOWGEN" "$NODE_DIR" "$golden"
}

@test "a file that memory or descriptors are short for is an internal error, not wrong input" {
	local error
	flowgen "${question[@]}"
	printf '%s\n' "$output" > "$NODE_DIR/a"
	echo 'probes: []' > "$NODE_DIR/none.yaml"
	for error in ENOMEM EMFILE ENFILE; do
		failing --call openat --path "$NODE_DIR/a" --nth 1 --errno "$error" -- diff "$NODE_DIR/a" "$NODE_DIR/a"
		is_status 5
		one_line
		failing --call openat --path "$NODE_DIR/none.yaml" --nth 1 --errno "$error" -- run --validate "$NODE_DIR/none.yaml"
		is_status 5
		one_line
		failing --call openat --path "$NODE_DIR/a" --nth 1 --errno "$error" -- "${question[@]}" --payload "@$NODE_DIR/a"
		is_status 5
		one_line
	done
	failing --call openat --path "$NODE_DIR/a" --nth 1 --errno ENOENT -- diff "$NODE_DIR/a" "$NODE_DIR/a"
	is_status 2
}

@test "an option that memory is short for is an internal error, not a wrong option" {
	local n met=0
	for n in {1..20}; do
		run --separate-stderr env "LD_PRELOAD=$BUILD/tests/preload/nomem.so" "NOMEM_AT=$n" "NOMEM_COUNT=$NODE_DIR/count" \
			"$FLOWGEN" run --set a=b "$NODE_DIR/none.yaml"
		[[ $stderr == *'allocate memory'* ]] || continue
		is_status 5
		one_line
		[[ $stderr != *'settings: '* && $stderr != *'files: '* ]] || met=$((met + 1))
	done
	# The setting, and the list of files and the path in it.
	[ "$met" = 3 ]
}
