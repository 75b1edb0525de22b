#!/usr/bin/env bats
# What is printed: JSON that its schema describes to the last key, text for people, and what happens when it cannot be written.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
# bats file_tags=novm
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	attach web tc/ingress next_all > /dev/null
	attach web tc/ingress deny_port --proto udp --port 9999 > /dev/null
	serve dst 53
}
teardown_file() { node_down; }

@test "results fit their schema, and every key in them is described there" {
	for arguments in '--dst 10.9.0.9:53 --proto udp' '--dst 10.9.0.9:9999 --proto udp --expect deny --bytes --name here' \
		'--dst 10.9.0.9:80 --proto tcp' '--dst 10.9.0.9 --proto icmp' '--dst 198.51.100.1:1 --proto udp' \
		'--dst 10.9.0.9:53 --proto udp --method pod-socket'; do
		# shellcheck disable=SC2086  # a list of arguments
		inject $arguments
		is_status 0
		fits_schema
	done
}

@test "the keys that the issue asks for are all there" {
	inject --dst 10.9.0.9:9999 --proto udp --expect deny --name here
	holds '["schema", "id", "name", "pod", "packet", "method", "policy", "decisions", "decider", "observations", "outcome", "drop", "not_exercised", "lost_events", "expect", "attempts", "cause", "hint"] - keys == []'
}

@test "a schema that forgot a key would be noticed" {
	inject --dst 10.9.0.9:53 --proto udp
	jq 'del(.properties.outcome)' "$ROOT/doc/result.schema.json" > "$BATS_TEST_TMPDIR/poor.json"
	run "$PYTHON" "$ROOT/tests/e2e/schema.py" "$BATS_TEST_TMPDIR/poor.json" <<< "$output"
	[ "$status" = 1 ]
	[[ $output == *outcome* ]]
}

@test "summary, check and pods fit theirs" {
	inject --dst 10.9.0.9 --proto udp --dport 1-100 --summary
	fits_schema summary
	flowgen check --output json
	fits_schema check
	flowgen pods --output json
	[ ! -e "$ROOT/doc/pod.schema.json" ] || fits_schema pod
}

@test "--timing-report: the phases on standard error, and all of them are the sum" {
	inject --dst 10.9.0.9:53 --proto udp --timing-report
	is_status 0
	[ "$(lines)" = 1 ]
	holds '.outcome == "delivered"'
	awk '$2 != "ms" || $4 != "ms" { next }
		{ n++; name = $0; sub(/^ *[0-9.]+ ms +[0-9.]+ ms  /, "", name); seen[name] = 1 }
		n == 1 { wall = $1; cpu = $3; if (name != "all") exit bad = 1; next }
		{ wall -= $1; cpu -= $3 }
		END { exit bad || n < 8 || wall * wall > .001 || cpu * cpu > .001 || !("packets" in seen) || !("loading of flowgen'\''s programs" in seen) }' <<< "$stderr"
	inject --dst 10.9.0.9:53 --proto udp
	[[ $stderr != *' ms  packets'* ]]
}

@test "the name is given back, whatever is in it" {
	inject --dst 10.9.0.9:53 --proto udp --name $'a "name" \\ with\ttab'
	is_status 0
	[ "$(value .name)" = $'a "name" \\ with\ttab' ]
}

@test "text: the verdict, the denier and the end of the packet can be read off" {
	inject --dst 10.9.0.9:9999 --proto udp --output text
	is_status 0
	[[ $output == 'DENIED by deny_port (tc/ingress on hweb, egress of web)'* ]]
	[[ $output == *next_all* ]]
	[[ $output == *TC_INGRESS* || $output == *TC_ACT_SHOT* ]]
	inject --dst 10.9.0.9:53 --proto udp --output text
	is_status 0
	[[ $(tr -s ' \n' ' ' <<< "$output") == 'DELIVERED at eth0 (dst), '*'; allowed: '*' let it pass'* ]]
}

@test "text: no escape codes when it is not for a terminal, and 80 columns" {
	inject --dst 10.9.0.9:9999 --proto udp --output text
	[[ $output != *$'\e'* ]]
	[ "$(wc -L <<< "$output")" -le 80 ]
}

# on_terminal COMMAND...: its standard output is a terminal; what came out is printed.
on_terminal() {
	script -qec "$(printf '%q ' nsenter --target "$NODE_PID" --net --mount --pid -- "$@")" /dev/null < /dev/null 3>&- 7>&-
}

@test "text: colours on a terminal, and not with NO_COLOR" {
	command -v script > /dev/null || skip 'no script(1)'
	coloured=$(on_terminal "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp --output text)
	[[ $coloured == *$'\e['*m* ]]
	plain=$(NO_COLOR=1 on_terminal "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp --output text)
	[[ $plain == *deny_port* && $plain != *$'\e['* ]]
	[[ $(TERM=dumb on_terminal "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp -o text) != *$'\e['* ]]
	[[ $(on_terminal "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp -o text --color=never) != *$'\e['* ]]
	flowgen inject --pod netns:web --dst 10.9.0.9:9999 --proto udp -o text --color
	[[ $output == *$'\e['* ]]
	json=$(on_terminal "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp --output json)
	[[ $json == *flowgen.result/2* && $json != *$'\e['* ]]
}

@test "on a terminal a live count and the last verdict, on standard error alone" {
	command -v script > /dev/null || skip 'no script(1)'
	local sweep=(inject netns:web 10.9.0.9:9995-9999 --udp --interval 20ms) seen
	# Standard output goes to a file: what the terminal has is standard error.
	seen=$(on_terminal sh -c "\"\$@\" > $BATS_TEST_TMPDIR/out" sh "$FLOWGEN" "${sweep[@]}")
	[[ $seen == *'] 1 of 5, last allowed, delivered'*'] 5 of 5, last denied, dropped'* ]]
	# It is gone when the statistics come.
	[[ $seen == *$'dropped\r\e[Kflowgen: 5 sent'* ]]
	[ "$(jq -s length "$BATS_TEST_TMPDIR/out")" = 5 ]
	refute grep -q $'[\r\e]' "$BATS_TEST_TMPDIR/out"
	# Without a number to go to; and where it would not fit into a line.
	seen=$(on_terminal sh -c "\"\$@\" > $BATS_TEST_TMPDIR/out" sh timeout -s INT 4 "$FLOWGEN" inject netns:web 10.9.0.9:9999 --udp -c 0 -i 50ms) || :
	[[ $seen =~ $'\e[K'[0-9]+' probes, last denied, dropped' ]]
	seen=$(COLUMNS=30 on_terminal sh -c "\"\$@\" > $BATS_TEST_TMPDIR/out" sh "$FLOWGEN" "${sweep[@]}")
	[[ $seen == *$'\e[K3 of 5, last allowed, deliver\r\e[K'* || $seen == *$'\e[K5 of 5, last denied, dropped\r\e[K'* ]]
	[[ $seen != *'['[#\ ]* ]]
	# Nobody asked, or nobody looks.
	seen=$(on_terminal sh -c "\"\$@\" > $BATS_TEST_TMPDIR/out" sh "$FLOWGEN" "${sweep[@]}" --quiet)
	[ -z "$seen" ]
	flowgen "${sweep[@]}"
	[[ $stderr != *'of 5'* ]]
}

@test "text on a terminal, JSON elsewhere, and what FLOWGEN_OUTPUT and a configuration say" {
	command -v script > /dev/null || skip 'no script(1)'
	local deny=(inject netns:web 10.9.0.9:9999 --udp) file=$BATS_TEST_TMPDIR/flowgen/config.yaml
	unset FLOWGEN_CONFIG
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR
	[[ $(on_terminal "$FLOWGEN" "${deny[@]}") == *'DENIED by'*'packet   10.9.1.2:'* ]]
	# Several: a line for each, unless more is asked for.
	output=$(on_terminal "$FLOWGEN" inject netns:web 10.9.0.9:9998-9999 --udp --color=never)
	[[ $output == *'1: '*' > 10.9.0.9:9998 udp '*'2: '*' > 10.9.0.9:9999 udp '*' DENIED by deny_port'* ]]
	[[ $output != *'packet   10.9.1.2:'* ]]
	[[ $(on_terminal "$FLOWGEN" inject netns:web 10.9.0.9:9998-9999 --udp -v) == *'packet   10.9.1.2:'*'not exercised'*'cgroup hooks'* ]]
	flowgen "${deny[@]}"
	holds '.schema == "flowgen.result/2"'
	FLOWGEN_OUTPUT=text flowgen "${deny[@]}"
	[[ $output == 'DENIED by'*$'\n'packet* && $output != *'cgroup hooks'* ]]
	FLOWGEN_OUTPUT=wide flowgen "${deny[@]}"
	[[ $output == 'DENIED by'*'not exercised'*'cgroup hooks'* ]]
	# One that this verb has not, and one that is none.
	FLOWGEN_OUTPUT=tap flowgen "${deny[@]}"
	holds '.schema == "flowgen.result/2"'
	FLOWGEN_OUTPUT=xml flowgen "${deny[@]}"
	is_status 2
	complains '^flowgen inject: FLOWGEN_OUTPUT: output: must be json, text'
	mkdir -p "${file%/*}"
	printf 'output: oneline\ninject: {ttl: 9, name: "from a file"}\n' > "$file"
	flowgen "${deny[@]}"
	[[ $output == '1: '*'DENIED by deny_port'* && $(lines) = 1 ]]
	FLOWGEN_OUTPUT=json flowgen "${deny[@]}"
	holds '.packet.ttl == 9 and .name == "from a file"'
	flowgen "${deny[@]}" -o json --ttl 7
	holds '.packet.ttl == 7'
	FLOWGEN_CONFIG='' flowgen "${deny[@]}"
	holds '.name == null'
	# A default gives way to another option that says the same thing.
	printf 'inject: {proto: icmp, dport: 80}\ncatch: {pass: true}\n' > "$file"
	flowgen "${deny[@]}"
	holds '.packet.proto == "udp" and .packet.dport == 9999'
	flowgen inject netns:web 10.9.0.9
	holds '.packet.proto == "icmp"'
	flowgen inject netns:web 10.9.0.9 --tcp
	holds '.packet.dport == 80'
	flowgen catch netns:dst --proto udp --intercept --duration 10ms
	is_status 0
	printf 'output: text\nnothing: 3\n' > "$file"
	flowgen catch --help
	[[ $output == *'--intercept'* ]]
	is_status 0
	flowgen "${deny[@]}"
	is_status 2
	complains "flowgen/config.yaml:2: unknown key .nothing"
	printf 'inject: {tttl: 3}\n' > "$file"
	flowgen "${deny[@]}"
	complains 'flowgen/config.yaml:1: there is no option --tttl'
	FLOWGEN_CONFIG=$BATS_TEST_TMPDIR/nowhere flowgen "${deny[@]}"
	complains 'nowhere: No such file'
}

@test "text is as wide as the terminal" {
	COLUMNS=60 flowgen inject netns:web 10.9.0.9:9999 --udp -o text
	[ "$(head -n 1 <<< "$output" | wc -L)" -le 60 ]
	[ "$(grep '^packet\|^pod' <<< "$output" | wc -L)" -le 60 ]
	COLUMNS=200 flowgen inject netns:web 10.9.0.9:9999 --udp -o text
	[ "$(wc -L <<< "$output")" -gt 80 ]
}

@test "text: control characters in a device's name do not reach the terminal" {
	podctl up odd --addr 10.9.2.2/32 --primary $'h\e[31mx' || skip 'the kernel refuses such a name'
	flowgen inject --pod netns:odd --dst 10.9.0.9:53 --proto udp --output text
	podctl del odd
	[[ $output != *$'\e'* ]]
}

# full ARGUMENT...: standard output is a full disk.
full() {
	run --separate-stderr node sh -c 'exec "$0" "$@" > /dev/full' "$FLOWGEN" "$@"
	is_status 5
	complains 'standard output.*No space left'
	[ "$(wc -l <<< "$stderr")" = 1 ]
}

@test "a full disk is an error, for every verb and form" {
	full inject --pod netns:web --dst 10.9.0.9:53 --proto udp
	full inject --pod netns:web --dst 10.9.0.9:53 --proto udp --output text
	full inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 1-3000
	full inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 1-10 --summary
	full check
	full check --output json
	full pods
	full pods --output json
	full --version
	full --help
	full inject --help
}

@test "a reader that went away is an error too" {
	run --separate-stderr node bash -c '"$0" inject --pod netns:web --dst 10.9.0.9 --proto udp --dport 1-5000 | head -n 1 > /dev/null; exit "${PIPESTATUS[0]}"' "$FLOWGEN"
	is_status 5
	[[ $stderr == *'Broken pipe'* ]]
}

@test "a closed standard output is an error" {
	run --separate-stderr node bash -c '"$0" inject --pod netns:web --dst 10.9.0.9:53 --proto udp >&-' "$FLOWGEN"
	is_status 5
}

@test "diagnostics are on stderr, data on stdout" {
	inject --dst 10.9.0.9:53 --proto udp
	[ -z "$stderr" ]
	jq -e . <<< "$output" > /dev/null
}
