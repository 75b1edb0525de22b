# shellcheck shell=bash
# helpers.bash - what every end-to-end test needs: a node of its own, pods in it, and questions about a result.
#
# A node is made by `podctl hold`: namespaces of its own for network, mounts and processes. Nothing that a test makes
# is seen by the host, and nothing outlives the test, however it ends: the node's first process dies with bats.
bats_require_minimum_version 1.5.0

BUILD=${BUILD:-$(realpath "$BATS_TEST_DIRNAME/../../build")}
FLOWGEN=${FLOWGEN:-$BUILD/flowgen}
TOOL=$BUILD/tests/tool
ROOT=$(realpath "$BATS_TEST_DIRNAME/../..")
PYTHON=/usr/bin/python3
export BUILD FLOWGEN TOOL ROOT PYTHON
PATH=$PATH:/usr/sbin:/sbin

# What this machine's user has chosen is not what is tested.
export FLOWGEN_CONFIG=''
unset FLOWGEN_OUTPUT COLUMNS NO_COLOR

# What must fail: a bare ! does not fail a test.
refute() { ! "$@"; }

# --- the node ----------------------------------------------------------------------------------------------------------

# wait_for COMMAND...: until it succeeds, at most 30 s (90 in a machine that is emulated).
wait_for() {
	local end=$((SECONDS + ${FLOWGEN_TEST_INSIDE:+60} + 30))
	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		read -rt .02 <> "$NODE_DIR/never" || :
	done
}

# More wants to run than there are processors: how fast something is then says nothing.
busy() { [ "$(cut -d. -f1 /proc/loadavg)" -ge "$(nproc)" ]; }

# A node for all tests of a file (in setup_file, with node_down in teardown_file) or for one.
node_up() {
	NODE_DIR=$(mktemp -d "$BATS_RUN_TMPDIR/node.XXXXXX")
	mkfifo "$NODE_DIR/in" "$NODE_DIR/never"
	"$TOOL/podctl" hold < "$NODE_DIR/in" > "$NODE_DIR/pid" 3>&- &
	NODE_HOLDER=$!
	exec 7> "$NODE_DIR/in"
	wait_for test -s "$NODE_DIR/pid"
	NODE_PID=$(cat "$NODE_DIR/pid")
	export NODE_PID NODE_DIR PODCTL_HELD=1
}

node_down() {
	[ -n "${NODE_DIR:-}" ] || return 0
	exec 7>&-
	kill "$NODE_HOLDER" 2> /dev/null || :
	wait "$NODE_HOLDER" || :
	rm -rf "$NODE_DIR"
}

# node COMMAND...: runs it in the node.
node() {
	nsenter --target "$NODE_PID" --net --mount --pid --wd="$PWD" -- "$@" 3>&- 7>&-
}

# leaf PID: the process that a command in the node has become: behind the shell and nsenter that started it.
leaf() {
	local child
	# What flowgen itself starts reads files for it.
	[ ! "/proc/$1/exe" -ef "$FLOWGEN" ] || { echo "$1"; return; }
	child=$(pgrep -P "$1" | head -n 1)
	if [ -n "$child" ]; then leaf "$child"; else echo "$1"; fi
}

# in_pod NAME COMMAND...: runs it in a pod's network namespace, with the node's mounts and processes.
in_pod() {
	local name=$1
	shift
	nsenter --target "$NODE_PID" "--net=/proc/$NODE_PID/root/run/netns/$name" --mount --pid --wd="$PWD" -- "$@" 3>&- 7>&-
}

podctl() { node "$TOOL/podctl" "$@"; }
can() { "$TOOL/podctl" can "$1"; }
need() {
	local thing
	for thing in "$@"; do
		can "$thing" || skip "this kernel has no $thing"
	done
}

# attach NAME HOOK PROGRAM [OPTION...]: prints the program's id.
attach() {
	local name=$1 hook=$2 program=$3
	shift 3
	podctl attach "$name" --hook "$hook" --policy "$program" "$@"
}

# After an inject with --gso and UDP: Linux 6.1 refuses it, and says so.
skip_without_udp_gso() {
	can tcx || [ "$status" != 3 ] || [[ $stderr != *'does not accept UDP super-packets'* ]] ||
		skip 'this kernel does not accept UDP super-packets from a packet socket'
}

# The usual pair: a pod called web (10.9.1.2, point to point) and the destination dst (10.9.0.9).
# pods_up [OPTION of podctl up for web...]
pods_up() {
	podctl up web --addr 10.9.1.2/32 "$@"
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
}

# Takes away every pod of the node.
pods_down() {
	local names
	names=$(ls "/proc/$NODE_PID/root/run/netns")
	# shellcheck disable=SC2086  # a list of names
	[ -z "$names" ] || podctl del $names
}

# mac_of POD: the address of its device.
mac_of() { in_pod "$1" ip -j link show eth0 | jq -r '.[0].address'; }

# serve POD PORT...: UDP servers that take what comes, as long as the node is there.
serve() {
	local pod=$1 port
	shift
	for port; do
		in_pod "$pod" "$TOOL/listen" udp --port "$port" --count 0 --seconds 9999 > "$NODE_DIR/served-$port" 2>&1 3>&- 7>&- &
		wait_for grep -q ready "$NODE_DIR/served-$port"
	done
}
# served PORT: how many packets a server has taken.
served() { grep -c '^udp' "$NODE_DIR/served-$1" || :; }

# Starts a listener in a pod, and returns when it is ready. What it prints is in $NODE_DIR/heard.
# hear POD ARGUMENT of tests/tool/listen...
hear() {
	local pod=$1
	shift
	in_pod "$pod" "$TOOL/listen" "$@" > "$NODE_DIR/heard" 3>&- 7>&- &
	LISTENER=$!
	wait_for grep -q ready "$NODE_DIR/heard"
}
# Until it ends by itself; its exit status.
heard() { wait "$LISTENER"; }

# --- flowgen -----------------------------------------------------------------------------------------------------------

# flowgen ARGUMENT...: in the node; standard output to $output, diagnostics to $stderr, the exit status to $status.
flowgen() { run --separate-stderr node "$FLOWGEN" "$@"; }

# inject ARGUMENT...: as the pod web to dst, as JSON.
inject() {
	flowgen inject --pod netns:web "$@"
	if [ -e "${NODE_DIR:-}/ledger" ] && [ -n "$output" ]; then
		ledger_enter "$@" <<< "$output"
	fi
}

# run_with WORDS: finds the process of flowgen that has these words on its command line: FLOWGEN_PID.
run_with() {
	local pid words
	# What starts it has the same words on its command line.
	for pid in $(pgrep -f -- " $1( |\$)"); do
		mapfile -d '' -t words 2> /dev/null < "/proc/$pid/cmdline" || continue
		[[ ${words[0]:-} == "$FLOWGEN" && "${words[*]} " == *" $1 "* ]] || continue
		FLOWGEN_PID=$pid
		return 0
	done
	return 1
}

# --- the ledger: what was injected equals the outcomes ---------------------------------------------------------------

# Counts, from now on, what the pod web sends where it comes into the host's stack, whoever says so: but for the resets by
# which flowgen ends what it has half opened. In setup_file; `inject` then enters each of its runs.
ledger_open() {
	: > "$NODE_DIR/ledger"
	node nft -f - <<-'END'
		table ip ledger {
			counter arrived { }
			chain c {
				type filter hook prerouting priority -300;
				iifname "hweb" tcp flags & rst == rst accept
				iifname "hweb" counter name arrived
			}
		}
	END
}

# How many probes the options of inject ask for.
asked_for() {
	local ports=1 count=1
	while [ $# -gt 0 ]; do
		case $1 in
		--dport) [[ $2 != *-* ]] || ports=$((${2#*-} - ${2%-*} + 1)) ;;
		--count) count=$2 ;;
		esac
		shift
	done
	echo $((ports * count))
}

# ledger_enter OPTION...: the results on standard input are those of inject with these options. A line of the ledger is a
# number and what it is the number of.
ledger_enter() {
	echo "$(asked_for "$@") asked" >> "$NODE_DIR/ledger"
	jq -r 'if .total then (.outcomes | to_entries[] | "\(.value.count) \(.key)"), "\(.again) again", "\(([.deniers[] | select(.stage == "egress").denied.count] | add // 0) + (.verdicts.redirected.count // 0)) elsewhere"
		else "1 \(.outcome)", "\(.attempts - 1) again", (select(.policy.stages.egress | IN("denied", "redirected")) | "\(.attempts) elsewhere") end' |
		awk '{ n[$2] += $1 } END { for (k in n) print n[k], k }' >> "$NODE_DIR/ledger"
}

# What was asked for, the outcomes, and what the host's own rules counted (what the pod's own programs denied or
# redirected does not come there) agree, and each packet has one of the seven ends.
ledger_balances() {
	local arrived
	arrived=$(node nft --json list counter ip ledger arrived | jq '.nftables[] | .counter // empty | .packets')
	awk -v arrived="$arrived" '
		{ n[$2] += $1 }
		END {
			split("delivered forwarded dropped rejected replied not-sent inconclusive", ends)
			for (i in ends) { sum += n[ends[i]]; text = text " " n[ends[i]] + 0 " " ends[i] }
			printf "%d asked for, %d sent again, %d denied or redirected, %d arrived, outcomes:%s\n", n["asked"], n["again"], n["elsewhere"], arrived, text
			for (i in ends) known[ends[i]]
			known["asked"]; known["again"]; known["elsewhere"]
			for (k in n) if (!(k in known)) { print "no outcome: " k; bad = 1 }
			exit bad || !n["asked"] || sum != n["asked"] || arrived + n["elsewhere"] + n["not-sent"] != n["asked"] + n["again"]
		}' "$NODE_DIR/ledger"
}

# --- what came out -----------------------------------------------------------------------------------------------------

show() {
	echo "status ${status:-}"
	echo "stdout: ${output:-}"
	echo "stderr: ${stderr:-}"
}

is_status() {
	[ "$status" = "$1" ] || {
		echo "exit status $status, not $1"
		show
		return 1
	}
}

# holds FILTER: the jq filter is true of every line of the output, and there is at least one.
holds() {
	local count
	count=$(jq -rc "if ($1) then \"yes\" else \"no\" end" <<< "$output") || {
		echo "not JSON, or a bad filter: $1"
		show
		return 1
	}
	if [ -z "$count" ] || [[ $count == *no* ]]; then
		echo "does not hold: $1"
		# A log shows the first lines of a failure only.
		jq -c '{ outcome, policy: .policy.verdict, decider, drop, "end": .end, cause }' <<< "$output" || :
		jq . <<< "$output"
		echo "stderr: ${stderr:-}"
		return 1
	fi
}

# value FILTER: of the first line of the output.
value() { jq -rc "$1" <<< "${output%%$'\n'*}"; }

lines() { printf '%s' "${output:+$output$'\n'}" | wc -l; }

# One line on stderr that fits the expression, and nothing on stdout.
complains() {
	if [ -n "$output" ] || ! [[ $stderr =~ $1 ]]; then
		echo "expected a message like: $1"
		show
		return 1
	fi
}

# Every result of the output is described by the schema, and every key in it by name.
fits_schema() {
	local schema=$ROOT/doc/${1:-result}.schema.json folder=$NODE_DIR/validator asked answered status=''
	if [ ! -d "$folder" ]; then
		mkdir "$folder"
		mkfifo "$folder/asked" "$folder/answered"
		"$PYTHON" "$ROOT/tests/e2e/schema.py" --serve "$folder" < /dev/null > "$folder/said" 2>&1 3>&- 7>&- &
	fi
	printf '%s\n' "$output" > "$folder/given"
	# Held open: what is in a FIFO that nobody has open is lost.
	exec {asked}<> "$folder/asked" {answered}<> "$folder/answered"
	echo "$schema" >&"$asked"
	read -rt 120 -u "$answered" status || cat "$folder/said"
	exec {asked}>&- {answered}>&-
	cat "$folder/told"
	[ "$status" = 0 ]
}

# What flowgen's programs and maps are called: `fg_...`, the names of maps in bpf/, and those of its constants and variables. Those of
# bpf/policy.bpf.c are the tests' own.
own_names() {
	local maps
	maps=$(sed -nE 's/^\} ([a-z_]+)( __weak)? SEC\("\.maps"\);/\1/p' "$ROOT"/bpf/{maps,tap}.h "$ROOT"/bpf/{arrive,catch,exec,inject,path,stated,tap,verdict}.bpf.c | paste -sd '|')
	echo "^(fg_.*|($maps)|(datapath|symbol_b|catch_bp|exec_bpf|stated_b|verdict_|marking_|arrive_b|leave_bp|local_bp)[a-z_]*\\.(rodata|bss|data))\$"
}

# What the kernel still has of them though no process holds it (a link holds its program). Other runs may go on beside
# this one, on the same kernel: theirs are held.
orphans() {
	local kind names
	names=$(own_names)
	for kind in prog map; do
		bpftool "$kind" list --json | jq -r --arg kind "$kind" --arg names "$names" '.[] | select((.name // "") | test($names)) | "\($kind) \(.id) \(.name)"'
	done | sort > "$BATS_TEST_TMPDIR/all"
	cat /proc/[0-9]*/fdinfo/* 2> /dev/null | sed -nE 's/^(prog|map)_id:\s*([0-9]+)$/\1 \2 /p' | sort -u > "$BATS_TEST_TMPDIR/held"
	grep -vFf "$BATS_TEST_TMPDIR/held" "$BATS_TEST_TMPDIR/all" > "$BATS_TEST_TMPDIR/nobodys" || return 0
	# Looked at again, as each goes some grace periods of RCU after the last that held it: what has gone meanwhile was no orphan.
	local left tries
	for tries in {1..50}; do
		read -rt .2 <> "$NODE_DIR/never" || :
		left=$(while read -r kind id name; do
			! bpftool "$kind" show id "$id" > /dev/null 2>&1 || echo "$kind $id $name"
		done < "$BATS_TEST_TMPDIR/nobodys")
		[ -n "$left" ] || return 0
	done
	cut -d ' ' -f 1,3 <<< "$left"
}

# What is in one network namespace, as text, but for counters, times, and the state of a link: that is told late, and may
# still change for what was there before.
namespace_state() {
	cat <<-'SCRIPT'
		ip -d link | sed -E 's/ group .*//; s/NO-CARRIER,//; s/ state [A-Z]+//'
		ip addr | sed -E 's/NO-CARRIER,//; s/ state [A-Z]+//'
		ip route show table all
		ip -6 route show table all | sed 's/expires [0-9]*sec//'
		ip neigh | awk '{ print $1, $2, $3 }'
		ip rule
		conntrack -L 2> /dev/null | sed -E 's/^(([^ ]+ +){2})[0-9]+ /\1/; s/(packets|bytes)=[0-9]+ //g' | sort
		nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'
		bpftool net show
		tc qdisc show
		for device in $(tc qdisc show | sed -n 's/^qdisc clsact .* dev \([^ ]*\) .*/\1/p'); do
			tc filter show dev "$device" ingress
			tc filter show dev "$device" egress
		done
	SCRIPT
}

# Whatever is not flowgen's own: for comparing before and after.
host_state() {
	local name
	echo '== node'
	node sh -c "$(namespace_state)"
	echo '== pinned'
	node find /sys/fs/bpf -mindepth 1 | sort
	for name in "/proc/$NODE_PID/root/run/netns"/*; do
		[ -e "$name" ] || continue
		name=${name##*/}
		echo "== $name"
		in_pod "$name" sh -c "$(namespace_state)"
	done
	echo '== BPF objects of flowgen that no process holds'
	orphans
}
