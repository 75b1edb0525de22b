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
	holds 'has("schema", "id", "name", "pod", "packet", "method", "policy", "observations", "outcome", "drop", "not_exercised", "lost_events", "expect")' ||
		holds '["schema", "id", "name", "pod", "packet", "method", "policy", "observations", "outcome", "drop", "not_exercised", "lost_events", "expect"] - keys == []'
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

@test "the name is given back, whatever is in it" {
	inject --dst 10.9.0.9:53 --proto udp --name $'a "name" \\ with\ttab'
	is_status 0
	[ "$(value .name)" = $'a "name" \\ with\ttab' ]
}

@test "text: the verdict, the denier and the end of the packet can be read off" {
	inject --dst 10.9.0.9:9999 --proto udp --output text
	is_status 0
	[[ $output == *DENIED*deny_port*tc/ingress*hweb* ]]
	[[ $output == *next_all* ]]
	[[ $output == *TC_INGRESS* || $output == *TC_ACT_SHOT* ]]
	inject --dst 10.9.0.9:53 --proto udp --output text
	is_status 0
	[[ $output == *ALLOWED* && $output == *delivered* ]]
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
	json=$(on_terminal "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp)
	[[ $json == *flowgen.result/1* && $json != *$'\e['* ]]
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
