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
	refused 'no verb'
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
	refused 'no destination given' inject --pod netns:web
	refused 'no destination port' inject --pod netns:web --dst 10.9.0.9 --proto udp
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
	bad '--method.*teleport.*peer-egress' --method teleport
	bad '--method' --method ''
	bad '--expect.*maybe.*allow' --expect maybe
	bad '--expect' --expect nothing
	bad '--proto.*carrier-pigeon' --proto carrier-pigeon
	bad '--output.*xml.*json' --output xml
	bad '--timeout' --timeout soon
	bad '--timeout' --timeout -1s
	bad '--timeout' --timeout 1h
	bad '--timeout' --timeout ''
	bad '--timeout' --timeout 1e3
	bad '--timeout' --timeout inf
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
	refused '--dst' inject --pod netns:web --dst nonsense
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

@test "--help and --version: exit status 0, on standard output" {
	local verb
	flowgen --version
	is_status 0
	[[ $output =~ ^flowgen\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	flowgen --help
	is_status 0
	[[ $output == *inject* && $output == *pods* && $output == *check* && -z $stderr ]]
	for verb in inject pods check demo; do
		flowgen "$verb" --help
		is_status 0
		[[ $output == *Usage* && -z $stderr ]]
	done
}
