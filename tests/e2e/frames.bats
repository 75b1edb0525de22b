#!/usr/bin/env bats
# What another program reads in the frames that flowgen builds: tests/tool/frames writes one of every kind to a capture
# and says what must be in it, and tshark has to find exactly that, no malformed packet and no wrong checksum.
# bats file_tags=novm
bats_require_minimum_version 1.5.0

BUILD=${BUILD:-$(realpath "$BATS_TEST_DIRNAME/../../build")}

setup_file() {
	command -v tshark > /dev/null || skip 'tshark is not installed'
	cd "$BATS_FILE_TMPDIR" || exit
	"$BUILD/tests/tool/frames" frames.pcap > cases
}

# decode ARGUMENT...: tshark on the frames, every checksum checked, each fragment by itself unless an argument says
# otherwise.
decode() {
	HOME=$BATS_FILE_TMPDIR tshark -r "$BATS_FILE_TMPDIR/frames.pcap" \
		-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o sctp.checksum:CRC-32C \
		-o tcp.analyze_sequence_numbers:FALSE -o ip.defragment:FALSE -o ipv6.defragment:FALSE "$@" 2> "$BATS_TEST_TMPDIR/errors"
}

# show_cases NUMBER...: the lines of these frames.
show_cases() {
	local number
	for number in "$@"; do
		grep -P "^$number\t" "$BATS_FILE_TMPDIR/cases" || echo "frame $number"
	done
}

wrong='_ws.malformed || _ws.expert.severity == "Error" || ip.checksum.status == "Bad" || tcp.checksum.status == "Bad"
	|| udp.checksum.status == "Bad" || sctp.checksum.status == "Bad" || icmp.checksum.status == "Bad"
	|| icmpv6.checksum.status == "Bad" || _ws.expert.message contains "exceeds framing"'

@test "frames: tshark finds the values that were asked for in each" {
	local expression found missing
	cd "$BATS_FILE_TMPDIR"
	[ "$(wc -l < cases)" -gt 100 ]
	expression=$(awk -F '\t' '{ printf "%s(frame.number == %s && (%s))", (NR > 1 ? " || " : ""), $1, $3 }' cases)
	found=$(decode -Y "$expression" -T fields -e frame.number) || { cat "$BATS_TEST_TMPDIR/errors"; false; }
	missing=$(comm -23 <(cut -f 1 cases | sort) <(sort <<< "$found"))
	# shellcheck disable=SC2086
	[ -z "$missing" ] || { show_cases $missing; false; }
}

@test "frames: none is malformed and no checksum is wrong, but where it was asked for" {
	local found unasked
	cd "$BATS_FILE_TMPDIR"
	found=$(decode -Y "$wrong" -T fields -e frame.number)
	unasked=$(comm -13 <(grep -P '\tbad' cases | cut -f 1 | sort) <(sort <<< "$found"))
	# shellcheck disable=SC2086
	[ -z "$unasked" ] || { show_cases $unasked; false; }
}

@test "frames: each one that was to be wrong is" {
	local found untouched
	cd "$BATS_FILE_TMPDIR"
	found=$(decode -Y "$wrong" -T fields -e frame.number)
	untouched=$(comm -23 <(grep -P '\tbad' cases | cut -f 1 | sort) <(sort <<< "$found"))
	# shellcheck disable=SC2086
	[ -z "$untouched" ] || { show_cases $untouched; false; }
}

@test "frames: the fragments of a datagram come together again, with the right checksum" {
	local found
	found=$(decode -o ip.defragment:TRUE -o ipv6.defragment:TRUE \
		-Y '(ip.fragment.count || ipv6.fragment.count) && udp.length == 1008 && udp.checksum.status == "Good"' \
		-T fields -e frame.number | wc -l)
	[ "$found" = 2 ]
}
