#!/usr/bin/env bats
# One engine behind two verbs: `inject` and `run`, asked the same question, give the same answer.
load helpers

setup_file() {
	node_up
	pods_up
	podctl up guarded --addr 10.9.2.2/32
	podctl up steered --addr 10.9.3.2/32
	if can tcx; then
		attach guarded tcx/ingress deny_port --proto udp --port 9999
		attach steered tcx/ingress redirect_neigh --to hdst
	fi
}
teardown_file() { node_down; }
setup() { need tcx; }
teardown() {
	node nft delete table ip fw 2> /dev/null || :
	node ip rule del priority 7 2> /dev/null || :
}

# netfilter RULE: in the host's forward chain, for one test.
netfilter() {
	node nft "add table ip fw; add chain ip fw f { type filter hook forward priority 0; }; add rule ip fw f $1"
}

# What a verb said of the question, in one line: verdict, outcome, whether it was proven, and the answer.
said() { jq -r --arg answer "$1" '[.policy.verdict, .outcome, "proven:\(.control.proven)", $answer] | join(" ")'; }

asked_inject() {
	local answer
	flowgen inject "$@"
	case $status in
	0) answer=expected ;;
	1) answer=unexpected ;;
	4) answer=inconclusive ;;
	*)
		show
		return 1
		;;
	esac
	said "$answer" <<< "$output"
}

# asked_run POD KEYS: the probe called p of a scenario of one probe, and its control. The exit status is that of all.
asked_run() {
	local answer line
	printf 'name: parity\nprobes:\n  - {name: p, from: "netns:%s", %s}\n' "$1" "$2" > "$BATS_TEST_TMPDIR/p.yaml"
	flowgen run "$BATS_TEST_TMPDIR/p.yaml" --output json
	line=$(jq -c 'select(.scenario.probe == "p")' <<< "$output")
	case $(jq -r .scenario.status <<< "$line") in
	pass) answer=expected ;;
	fail) answer=unexpected ;;
	inconclusive) answer=inconclusive ;;
	*)
		show
		return 1
		;;
	esac
	said "$answer" <<< "$line"
}

# same ANSWER POD KEYS OPTION...: both say this.
same() {
	local wanted=$1 pod=$2 keys=$3 injected ran
	shift 3
	injected=$(asked_inject --pod "netns:$pod" "$@")
	ran=$(asked_run "$pod" "$keys")
	if [ "$injected" != "$wanted" ] || [ "$ran" != "$wanted" ]; then
		printf 'expected: %s\n  inject: %s\n     run: %s\n' "$wanted" "$injected" "$ran"
		return 1
	fi
}

@test "allowed by a policy" {
	same 'allowed delivered proven:null expected' guarded \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: allow' --dst 10.9.0.9:53 --proto udp --expect allow
	same 'allowed delivered proven:null unexpected' guarded \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: deny' --dst 10.9.0.9:53 --proto udp --expect deny
}

@test "denied by a policy" {
	same 'denied dropped proven:null expected' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: deny' --dst 10.9.0.9:9999 --proto udp --expect deny
	same 'denied dropped proven:null unexpected' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: allow' --dst 10.9.0.9:9999 --proto udp --expect allow
}

@test "dropped by netfilter" {
	netfilter 'udp dport 7000 drop'
	same 'denied dropped proven:null expected' web \
		'to: 10.9.0.9, proto: udp, dport: 7000, expect: dropped' --dst 10.9.0.9:7000 --proto udp --expect dropped
	same 'denied dropped proven:null unexpected' web \
		'to: 10.9.0.9, proto: udp, dport: 7000, expect: delivered' --dst 10.9.0.9:7000 --proto udp --expect delivered
}

@test "nothing enforces" {
	same 'none delivered proven:null expected' web \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: allow' --dst 10.9.0.9:53 --proto udp --expect allow
	same 'none delivered proven:null unexpected' web \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: deny' --dst 10.9.0.9:53 --proto udp --expect deny
}

@test "rejected" {
	netfilter 'tcp dport 23 reject with tcp reset'
	same 'denied rejected proven:null expected' web \
		'to: 10.9.0.9, dport: 23, expect: {outcome: [dropped, rejected], reply: rst}' \
		--dst 10.9.0.9:23 --reply --expect dropped
}

@test "delivered" {
	same 'none delivered proven:null expected' web \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: delivered' --dst 10.9.0.9:53 --proto udp --expect delivered
	same 'denied dropped proven:null unexpected' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: delivered' --dst 10.9.0.9:9999 --proto udp --expect delivered
}

@test "a control that passes" {
	same 'denied dropped proven:true expected' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: deny, control: 53' \
		--dst 10.9.0.9:9999 --proto udp --expect deny --control udp,dport=53
	netfilter 'udp dport 7000 drop'
	same 'denied dropped proven:true expected' web \
		'to: 10.9.0.9, proto: udp, dport: 7000, expect: dropped, control: 53' \
		--dst 10.9.0.9:7000 --proto udp --expect dropped --control udp,dport=53
}

@test "a control that fails: denied itself, or let through and lost on the way" {
	same 'denied dropped proven:false inconclusive' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: deny, control: 9999' \
		--dst 10.9.0.9:9999 --proto udp --expect deny --control udp,dport=9999
	# No policy denies the control, and it is lost all the same: it proves nothing.
	node ip rule add priority 7 ipproto udp dport 7000-7001 blackhole
	same 'denied dropped proven:false inconclusive' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: deny, control: 7000' \
		--dst 10.9.0.9:9999 --proto udp --expect deny --control udp,dport=7000
	same 'none dropped proven:false inconclusive' web \
		'to: 10.9.0.9, proto: udp, dport: 7000, expect: dropped, control: 7001' \
		--dst 10.9.0.9:7000 --proto udp --expect dropped --control udp,dport=7001
	# What was to be allowed cannot be distinguished from a broken path either.
	same 'denied dropped proven:false inconclusive' guarded \
		'to: 10.9.0.9, proto: udp, dport: 9999, expect: allow, control: 7000' \
		--dst 10.9.0.9:9999 --proto udp --expect allow --control udp,dport=7000
}

@test "a port that a live socket of the pod uses: neither sends, and both name the socket" {
	local inode why pid child
	in_pod web "$PYTHON" -c 'import os, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.9.1.2", 4000)); s.connect(("10.9.0.9", 53))
print("inode", os.fstat(s.fileno()).st_ino, flush=True)
time.sleep(9999)' > "$NODE_DIR/held" 3>&- 7>&- &
	pid=$!
	wait_for grep -q inode "$NODE_DIR/held"
	inode=$(awk '{ print $2 }' "$NODE_DIR/held")
	why="10.9.1.2:4000 > 10.9.0.9:53 udp is in use: pod netns:web has a socket (inode $inode, uid 0, ESTAB) of this connection"
	printf 'name: x\nprobes:\n  - {name: p, from: "netns:web", to: 10.9.0.9, proto: udp, dport: 53, sport: 4000}\n' > "$BATS_TEST_TMPDIR/p.yaml"
	inject --dst 10.9.0.9:53 --proto udp --sport 4000
	is_status 2
	[[ $stderr == *"$why"* ]]
	flowgen run "$BATS_TEST_TMPDIR/p.yaml" --output json
	is_status 3
	jq -se --arg why "$why" '.[0].scenario | .status == "skip" and (.why | startswith($why))' <<< "$output"
	# By force both send it, and both say so.
	inject --dst 10.9.0.9:53 --proto udp --sport 4000 --force
	is_status 0
	[[ $stderr == *"warning: $why"* ]]
	flowgen run "$BATS_TEST_TMPDIR/p.yaml" --output json --force
	is_status 0
	[[ $stderr == *"warning: $why"* ]]
	for child in $(pgrep -P "$pid"); do kill "$child"; done
	wait "$pid" || :
}

@test "redirected by a policy" {
	same 'redirected delivered proven:null expected' steered \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: allow' --dst 10.9.0.9:53 --proto udp --expect allow
	same 'redirected delivered proven:null unexpected' steered \
		'to: 10.9.0.9, proto: udp, dport: 53, expect: deny' --dst 10.9.0.9:53 --proto udp --expect deny
}

@test "replied" {
	same 'none replied proven:null expected' web \
		'to: 10.9.0.9, proto: icmp, expect: {outcome: [delivered, replied], reply: echo-reply}' \
		--dst 10.9.0.9 --proto icmp --reply --expect delivered
}
