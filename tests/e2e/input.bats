#!/usr/bin/env bats
# Bad input: one line on stderr that names the option and what is wrong with it, exit status 2, and nothing done.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
# bats file_tags=novm
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
}
teardown_file() { node_down; }

# refused EXPRESSION ARGUMENT...
refused() {
	local expression=$1
	shift
	flowgen "$@"
	if [ "$status" != 2 ] || [ -n "$output" ] || [ "$(wc -l <<< "$stderr")" != 1 ] || ! [[ $stderr =~ ^flowgen.*$expression ]]; then
		echo "flowgen $*"
		echo "wanted: exit status 2 and a line like: $expression"
		show
		return 1
	fi
}

# bad EXPRESSION ARGUMENT...: the same for inject, with all that is needed given.
bad() {
	local expression=$1
	shift
	refused "$expression" inject --pod netns:web --dst 10.9.0.9:53 "$@"
}

@test "verbs and options that are none" {
	flowgen
	is_status 2
	[[ $stderr == *'Usage: flowgen VERB'*'no verb given' && -z $output ]]
	refused "no verb 'injct'.*did you mean 'inject'" injct
	refused "no option '--frobnicate'" --frobnicate
	refused 'frobnicate' inject --frobnicate
	refused 'requires an argument' inject --pod
	refused "unexpected argument 'more'" check more
	refused "unexpected argument 'more'" inject --pod netns:web --dst 10.9.0.9:53 more
	refused '--output.*xml' pods --output xml
	refused '--output.*xml' check --output xml
	refused '--keep and --down' demo --keep --down
}

@test "what has to be given" {
	refused 'no pod given' inject --dst 10.9.0.9:53
	refused 'no destination given \(try: flowgen inject --pod netns:web ADDRESS:PORT\)' inject --pod netns:web
	refused 'no destination given \(try: flowgen inject POD 10.9.0.9:53 --udp\)' inject 10.9.0.9:53 --udp
	refused 'no destination port \(try: flowgen inject --pod netns:web --dst=10.9.0.9:80 --proto udp\)' \
		inject --pod netns:web --dst=10.9.0.9 --proto udp
	refused 'no destination port .*\[fd00::1\]:80' inject netns:web fd00::1:80
	refused 'no destination port \(try: flowgen inject netns:web \[fd00::9\]:80\)' inject netns:web fd00::9
}

@test "POD DESTINATION[:PORTS], as people write them" {
	# answered PORTS ARGUMENT...: protocol, addresses and ports of the probes.
	answered() {
		local wanted=$1
		shift
		flowgen inject "$@"
		is_status 0
		[ "$(jq -rs 'map("\(.packet.proto) \(.packet.dst):\(.packet.dport // "-")") | join(" ")' <<< "$output")" = "$wanted" ] || {
			show
			return 1
		}
	}
	answered 'tcp 10.9.0.9:80' netns:web 10.9.0.9:80
	answered 'udp 10.9.0.9:53' --udp netns:web 10.9.0.9 -p53
	answered 'udp 10.9.0.9:53' netns:web 10.9.0.9 --dns example.com
	answered 'tcp 10.9.0.9:80' netns:web 10.9.0.9 --http /
	answered 'tcp 10.9.0.9:80 tcp 10.9.0.9:443' netns:web 10.9.0.9:http,https
	answered 'tcp 10.9.0.9:80 tcp 10.9.0.9:81 tcp 10.9.0.9:80 tcp 10.9.0.9:81' netns:web 10.9.0.9:80-81 -c 2
	answered 'udp 10.9.0.8:53 udp 10.9.0.9:53' netns:web 10.9.0.8/31:53 --udp --dry-run
	answered 'icmp 10.9.0.9:-' --pod netns:web netns:dst --icmp -q
	answered 'tcp 10.9.0.9:22' web pod:dst:ssh
	refused '--udp: a protocol was given already' inject web 10.9.0.9:53 --tcp --udp
	refused '--proto: a protocol was given already' inject web 10.9.0.9:53 --tcp --proto udp
	refused 'the destination has a port already' inject web 10.9.0.9:53 -p 53
	refused "unexpected argument '53'" inject web 10.9.0.9 53
	refused "--until: one packet is repeated: --dst makes several" inject web 10.9.0.8/30:53 --until allow
	flowgen inject -n shop web 10.9.0.9:53
	is_status 3
	complains 'shop/web'
}

@test "a host name is resolved as the pod resolves it" {
	need tcx # as for any command that is the pod
	node mkdir -p /etc/netns/web
	echo '10.9.0.9 db.test db' | node tee /etc/netns/web/hosts
	echo 'nameserver 10.9.0.250' | node tee /etc/netns/web/resolv.conf
	flowgen inject netns:web db.test:53 --udp
	is_status 0
	[ "$(jq -r .packet.dst <<< "$output")" = 10.9.0.9 ]
	[[ $stderr == *'note: db.test is 10.9.0.9 in the pod'* ]]
	flowgen inject netns:web nowhere.invalid:53 --udp
	is_status 2
	complains '--dst: nowhere.invalid: the pod.s name servers do not answer'
	# One that answers: there is no such name.
	echo 'nameserver 10.9.0.9' | node tee /etc/netns/web/resolv.conf
	in_pod dst "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.9", 53))
print("ready", flush=True)
while True:
    q, client = s.recvfrom(512)
    s.sendto(q[:2] + b"\x81\x83" + q[4:6] + bytes(6) + q[12:], client)' > "$NODE_DIR/names" 2>&1 3>&- 7>&- &
	local server=$!
	wait_for grep -q ready "$NODE_DIR/names"
	flowgen inject netns:web nowhere.invalid:53 --udp
	kill "$(leaf "$server")"
	is_status 2
	complains '--dst: nowhere.invalid: the pod.s resolver knows no address of it'
	node rm -r /etc/netns/web
}

@test "destinations" {
	refused '--dst.*10\.9\.0' inject --pod netns:web --dst 10.9.0:53
	refused '--dst.*empty' inject --pod netns:web --dst ''
	refused '--dst.*1 to 65535' inject --pod netns:web --dst 10.9.0.9:0
	refused '--dst.*1 to 65535' inject --pod netns:web --dst 10.9.0.9:65536
	refused '--dst.*1 to 65535' inject --pod netns:web --dst 10.9.0.9:53x
	refused '--dst.*1 to 65535' inject --pod netns:web --dst '10.9.0.9: 53'
	refused '--dst.*1 to 65535' inject --pod netns:web --dst 10.9.0.9:
	refused '--dst.*example' inject --pod netns:web --dst example.org:53
	refused '--dst.*010\.9\.0\.9|--dst' inject --pod netns:web --dst 10.9.0.256:53
	refused '--dst' inject --pod netns:web --dst ' 10.9.0.9:53'
	refused '--dst' inject --pod netns:web --dst $'10.9.0.9\n:53'
}

@test "ports" {
	refused '--dport.*already' inject --pod netns:web --dst 10.9.0.9:53 --dport 54
	local text
	for text in 0 65536 -1 +1 5- -5 9-5 1,,2 ,1 '1,' 1-2-3 0x10 ' 1' '1 ' a '' 1-70000 99999999999999999999; do
		refused '--dport' inject --pod netns:web --dst 10.9.0.9 --proto udp "--dport=$text"
	done
	refused '--dport.*80 is named twice' inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 80,79-81
	bad '--sport' --sport 0
	bad '--sport' --sport 70000
	refused 'no ports' inject --pod netns:web --dst 10.9.0.9:53 --proto icmp
	refused 'no ports' inject --pod netns:web --dst 10.9.0.9 --proto icmp --dport 53
}

@test "numbers, words and durations" {
	bad '--count' --count -1
	bad '--count' --count 1x
	bad '--count' --count 99999999999999999999999
	bad '--seed' --seed x
	bad '--seed' --seed 18446744073709551616
	bad '--method.*peer-egress.*teleport' --method teleport
	bad '--method' --method ''
	bad '--expect: must be allow, .*dropped or not-sent, not "maybe"' --expect maybe
	bad '--expect' --expect nothing
	bad '--proto.*carrier-pigeon' --proto carrier-pigeon
	bad '--output: must be json, text, jsonl, wide or oneline, not "xml"' --output xml
	bad '--timeout' --timeout soon
	bad '--timeout' --timeout -1s
	bad '--timeout' --timeout 1h
	bad '--timeout' --timeout ''
	bad '--timeout' --timeout 1e3
	bad '--timeout' --timeout inf
	bad '--duration: must be greater than 0' --duration 0
	bad '--ring-size: must be a power of two' --ring-size 5000
}

@test "an option with a value may be given once" {
	bad '--dst: given twice' --dst 10.9.0.9:53
	bad '--ttl: given twice' --ttl 1 --ttl 1
	bad '--expect: given twice' --expect allow --exp deny
	refused '--output: given twice' run --output json --output text file
	refused '--set: must be VAR=VALUE' run --set a=1 --set b file
	# A flag is no more than set, and some options add.
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp --bytes --bytes --ip-option 0101 --ip-option 0101
	is_status 0
}

@test "--expect and --until take the words of scenarios, and mean the same" {
	local word status_of
	# No policy: nothing denies it, and nothing has allowed it.
	for word in allow:0 allowed:1 deny:1 denied:1 delivered:0 forwarded:1 dropped:1; do
		status_of=${word#*:}
		flowgen inject --pod netns:web --dst 10.9.0.9 --proto icmp --expect "${word%:*}"
		is_status "$status_of"
		flowgen inject --pod netns:web --dst 10.9.0.9 --proto icmp --until "${word%:*}" --count 2 --interval 1ms
		is_status "$status_of"
		echo "{name: words, probes: [{from: 'netns:web', to: 10.9.0.9, proto: icmp, expect: ${word%:*}}]}" > "$BATS_TEST_TMPDIR/words.yaml"
		flowgen run "$BATS_TEST_TMPDIR/words.yaml"
		is_status "$status_of"
	done
}

@test "what an option takes stays what it takes, shortened" {
	flowgen inject --po netns:web --ds 10.9.0.9:53 --prot udp --outp=json
	is_status 2
	complains "option '--ds' is ambiguous"
	flowgen inject --po netns:web --dst 10.9.0.9:53 --prot udp --outp=json
	is_status 0
}

@test "control characters in bad input do not reach the terminal" {
	flowgen inject --pod $'netns:\e[31mred' --dst 10.9.0.9:53 --proto udp
	is_status 3
	[[ $stderr != *$'\e'* ]]
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --method $'\e[31mred'
	is_status 2
	[[ $stderr != *$'\e'* ]]
	flowgen $'\e[31mred'
	is_status 2
	[[ $stderr != *$'\e'* ]]
}

@test "bad input changes nothing" {
	host_state > "$BATS_TEST_TMPDIR/before"
	refused '--dst' inject --pod netns:web --dst 10.9.0
	bad '--method' --method teleport
	flowgen inject --pod netns:nosuch --dst 10.9.0.9:53 --proto udp
	is_status 3
	host_state > "$BATS_TEST_TMPDIR/after"
	diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

@test "without privileges: exit status 3, and what is missing is named" {
	run --separate-stderr node setpriv --reuid 65534 --regid 65534 --clear-groups "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'CAP_'
	[ "$(wc -l <<< "$stderr")" = 1 ]
}

@test "kubectl-flowgen: help and version in each form" {
	local plugin=$BATS_TEST_TMPDIR/kubectl-flowgen verb
	ln -s "$FLOWGEN" "$plugin"
	for verb in inject catch exec run pods check; do
		run --separate-stderr "$plugin" help "$verb"
		is_status 0
		[[ $output == *'kubectl flowgen --help'*"Usage: flowgen $verb"* && -z $stderr ]]
		[ "$("$plugin" "$verb" -h)" = "$output" ]
		[ "$("$plugin" "$verb" --help)" = "$output" ]
		[ "$("$plugin" -n shop "$verb" --help=all)" = "$("$plugin" help "$verb" all)" ]
	done
	[ "$("$plugin" help cleanup)" = "$("$plugin" -h)" ]
	[ "$("$plugin" help)" = "$("$FLOWGEN" kube --help)" ]
	[ "$("$plugin" version)" = "$("$FLOWGEN" --version)" ]
	[ "$("$plugin" -V)" = "$("$FLOWGEN" --version)" ]
	run --separate-stderr "$plugin" help diff
	is_status 2
	complains "no verb 'diff'"
	run --separate-stderr "$plugin" help run more
	is_status 2
	complains "unexpected argument 'more'"
}

@test "diff: what a file says does not steer the terminal" {
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp --output json
	printf '%s\n' "$output" > "$NODE_DIR/one"
	jq -c '.policy.verdict = "denied" | .policy.denied_by = {name: "a\u001b[2Jb"} | .reason = "c\u001b[2Jd"' "$NODE_DIR/one" > "$NODE_DIR/two"
	flowgen diff --output text "$NODE_DIR/one" "$NODE_DIR/two"
	is_status 1
	[[ $output == *'a?[2Jb'* && $output != *$'\e['* ]]
}

@test "a FIFO that nobody writes to does not keep kubectl flowgen from ending" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	run --separate-stderr timeout --preserve-status --kill-after=30 2 "$FLOWGEN" kube run "$BATS_TEST_TMPDIR/fifo"
	is_status 4
	complains 'interrupted'
}

@test "--help and --version: exit status 0, on standard output" {
	local verb
	flowgen --version
	is_status 0
	[[ $output =~ ^flowgen\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	flowgen --help
	is_status 0
	[[ $output == *inject* && $output == *pods* && $output == *check* && -z $stderr ]]
	for verb in inject catch run diff pods check demo exec agent kube; do
		flowgen "$verb" --help
		is_status 0
		[[ $output == *"Usage: flowgen $verb"* && -z $stderr ]]
		local short=$output
		flowgen "$verb" -h
		[ "$output" = "$short" ]
		flowgen help "$verb"
		[ "$output" = "$short" ]
		flowgen "$verb" --help=all
		[ "${#output}" -ge "${#short}" ]
		[ "$(wc -L <<< "$output")" -le 80 ]
	done
	[ "$("$FLOWGEN" help)" = "$("$FLOWGEN" -h)" ]
	[ "$("$FLOWGEN" version)" = "$("$FLOWGEN" -V)" ]
	COLUMNS=60 flowgen inject -h
	[ "$(wc -L <<< "$output")" -le 70 ]
}
