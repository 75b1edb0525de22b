#!/usr/bin/env bats
# Files that flowgen writes: whole or not at all, through nobody's link, over nothing that is read. Text that cannot mislead.
# bats file_tags=novm
# shellcheck disable=SC2154  # run sets stderr
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
}
teardown_file() { node_down; }
setup() {
	DIR=$(mktemp -d "$NODE_DIR/files.XXXXXX")
	cat > "$DIR/one.yaml" <<-'END'
		name: one
		probes:
		- {name: p, from: "netns:web", to: "10.9.0.9:53", proto: udp, expect: allow}
	END
}

build=(inject --dry-run --pod x --src 10.0.0.1 --dst 10.0.0.2:5 --proto udp)

@test "a file that was there keeps its permissions, and is whole or as it was" {
	echo before > "$DIR/a"
	chmod 640 "$DIR/a"
	flowgen "${build[@]}" --write "$DIR/a"
	is_status 0
	[ "$(stat -c %a "$DIR/a")" = 640 ]
	[ "$(head -c 4 "$DIR/a" | od -An -tx1 | tr -d ' ')" = 4d3cb2a1 ]
	echo before > "$DIR/b"
	run --separate-stderr node bash -c 'ulimit -f 8; "$0" inject --dry-run --pod x --src 10.0.0.1 --dst 10.0.0.2 --dport 1-2000 --proto udp --write "$1" > /dev/null' "$FLOWGEN" "$DIR/b"
	is_status 5
	[ "$(cat "$DIR/b")" = before ]
	[ "$(cd "$DIR" && echo .[!.]* *)" = '.[!.]* a b one.yaml' ]
}

@test "killed in the middle: nothing is left, and the file is as it was" {
	echo before > "$DIR/a"
	node "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:53 --proto udp --count 0 --interval 10ms --write "$DIR/a" > "$DIR/out" 2> /dev/null 3>&- &
	wait_for test -s "$DIR/out"
	kill -KILL "$(leaf $!)"
	wait $! || :
	[ "$(cat "$DIR/a")" = before ]
	[ "$(cd "$DIR" && echo .[!.]* *)" = '.[!.]* a one.yaml out' ]
}

@test "a link of one's own is followed, one of another user is not" {
	echo before > "$DIR/target"
	ln -s target "$DIR/own"
	flowgen "${build[@]}" --write "$DIR/own"
	is_status 0
	[ -L "$DIR/own" ]
	[ "$(wc -c < "$DIR/target")" -gt 40 ]
	echo before > "$DIR/target"
	ln -s target "$DIR/theirs"
	chown -h 1234 "$DIR/theirs"
	for option in "inject --dry-run --pod x --src 10.0.0.1 --dst 10.0.0.2:5 --proto udp --write" "run $DIR/one.yaml --json" "run $DIR/one.yaml --junit"; do
		# shellcheck disable=SC2086  # a list of words
		flowgen $option "$DIR/theirs"
		is_status 2
		[[ $stderr == *"theirs: a symbolic link that user 1234 made (name the file that is to be written)" ]]
		[ "$(cat "$DIR/target")" = before ]
	done
}

@test "two outputs to one file, or onto an input, are refused before anything is sent" {
	ln -s out "$DIR/also"
	flowgen run "$DIR/one.yaml" --json "$DIR/out" --junit "$DIR/./out"
	is_status 2
	complains 'out: two outputs go there'
	flowgen run "$DIR/one.yaml" --json "$DIR/out" --tap "$DIR/also"
	is_status 2
	complains 'also: two outputs go there'
	run --separate-stderr node bash -c '"$0" run "$1/one.yaml" --json "$1/out" >> "$1/out"' "$FLOWGEN" "$DIR"
	is_status 2
	complains 'out: standard output goes there too'
	flowgen run "$DIR/one.yaml" --json "$DIR/one.yaml"
	is_status 2
	complains 'one.yaml: is an input too'
	grep -q 'name: one' "$DIR/one.yaml"
	flowgen "${build[@]}" --write "$DIR/a.pcap"
	ln "$DIR/a.pcap" "$DIR/b.pcap"
	flowgen inject --pod netns:web --pcap "$DIR/a.pcap" --write "$DIR/b.pcap"
	is_status 2
	complains 'b.pcap: is an input too'
	echo payload > "$DIR/p"
	flowgen "${build[@]}" --payload "@$DIR/p" --write "$DIR/p"
	is_status 2
	complains 'p: is an input too'
	[ ! -s "$DIR/out" ]
}

@test "what is no file is written to as it is" {
	flowgen "${build[@]}" --write /dev/null
	is_status 0
	flowgen "${build[@]}" --write /dev/full
	is_status 5
	[ "$stderr" = 'flowgen: write: /dev/full: No space left on device' ]
	mkfifo "$DIR/fifo"
	wc -c < "$DIR/fifo" > "$DIR/count" 3>&- 7>&- &
	flowgen "${build[@]}" --write "$DIR/fifo"
	is_status 0
	wait $!
	[ "$(cat "$DIR/count")" = 82 ]
}

@test "with --watch the file is there from the start, and grows" {
	node "$FLOWGEN" run --watch --interval 50ms "$DIR/one.yaml" --json "$DIR/out" > "$DIR/text" 2> /dev/null 3>&- &
	wait_for test -s "$DIR/out"
	kill -TERM "$(leaf $!)"
	wait $!
	jq -e . < "$DIR/out" > /dev/null
}

# A C1 control, marks that turn the direction of writing, a separator of lines.
HIDDEN=$'a\xc2\x9bb\xe2\x80\xaec\xe2\x81\xa6d\xd8\x9ce\xe2\x80\xa8f'
shows_nothing_hidden() { ! grep -qP '\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xd8\x9c' <<< "$1"; }

@test "C1 controls and marks of direction reach neither JSON, TAP nor text" {
	flowgen "${build[@]}" --name "$HIDDEN"
	is_status 0
	LC_ALL=C shows_nothing_hidden "$output"
	# A reader of JSON gets what was given.
	[ "$(jq -r .name <<< "$output")" = "$HIDDEN" ]
	flowgen "${build[@]}" --name "$HIDDEN" --output text
	LC_ALL=C shows_nothing_hidden "$output"
	flowgen inject --pod "$HIDDEN" --dst 10.9.0.9:53
	is_status 3
	LC_ALL=C shows_nothing_hidden "$stderr"
	sed "s/name: p/name: \"a\\\\u009bb\\\\u202ec\\\\u2066d\\\\u061ce\\\\u2028f\"/; s/expect: allow/expect: deny/" "$DIR/one.yaml" > "$DIR/hidden.yaml"
	for form in tap text json junit; do
		flowgen run "$DIR/hidden.yaml" --output "$form"
		is_status 1
		LC_ALL=C shows_nothing_hidden "$output"
	done
}
