#!/usr/bin/env bats
# bats file_tags=novm
# How `make bench` judges: a limit is missed only by more than the spread of the measurement.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	work=$BATS_TEST_TMPDIR part=test figures=$work/figures
	mkdir "$work/samples"
	. tests/bench/shared.sh
}

samples() { printf '%s\n' "${@:2}" > "$work/samples/$1"; }
said() { jq -r "select(.id == \"$1\") | $2" "$figures"; }

@test "bench: a figure has least, median and largest, and its limit is compared with the median" {
	samples five 5 1 4 2 3
	figure five "five of them" s five most 3
	[ "$(said five '[.value.min, .value.median, .value.max] | join(" ")')" = "1 3 5" ]
	[ "$(said five .verdict)" = reached ]
	samples even 1 2 3 10
	figure even "four of them" s even
	[ "$(said even .value.median)" = 2.5 ]
	[ "$(said even .verdict)" = null ]
}

@test "bench: beyond the limit by less than the spread is not missed, by more it is" {
	samples wide 0.9 0.95 1.2
	figure wide "one round is above" "" wide least 0.98
	[ "$(said wide .verdict)" = "within the spread" ]
	samples narrow 0.9 0.95 0.97
	figure narrow "none is" "" narrow least 0.98
	[ "$(said narrow .verdict)" = missed ]
	figure most "and the other way" "" wide most 0.8
	[ "$(said most .verdict)" = missed ]
}

@test "bench: of many rounds, single ones do not widen the interval of the median" {
	# shellcheck disable=SC2046  # numbers
	samples many 2 2 2 $(printf '0.9%.0s ' {1..37})
	figure many "three rounds of forty are above" "" many least 0.98
	[ "$(said many .verdict)" = missed ]
}

@test "bench: against a peer, the ratio of each round is judged" {
	samples own 2 20 200
	samples peer 1 10 100
	against ratio "both grow alike" s own "the peer" peer most 2
	[ "$(said ratio '[.ratio.min, .ratio.median, .ratio.max] | join(" ")')" = "2 2 2" ]
	[ "$(said ratio .peer.median)" = 10 ]
	[ "$(said ratio .verdict)" = reached ]
}

@test "bench: what is not a part is refused, and the parts are named" {
	run tests/bench/run cold nonsense
	[ "$status" = 2 ]
	[[ $output = *"no part 'nonsense'"*thousand* ]]
}

@test "bench: each part that run names has a file" {
	parts=$(sed -n 's/^all=(\(.*\))$/\1/p' tests/bench/run)
	[ -n "$parts" ]
	for each in $parts; do
		[ -f "tests/bench/$each.sh" ]
	done
}

@test "bench: the history has as many columns as the line of a release" {
	jq -n '{machine: {flowgen: "flowgen 1.2.3", date: "2026-01-02T03:04:05Z", cores: 2, cpu: "X", load: 0, kernel: "6.18"},
		figures: [{id: "cold.wall", value: {median: 55.4}}, {id: "stream", value: {median: 1}, ratio: {median: 0.256}}]}' > "$work/bench.json"
	line=$(tests/bench/line "$work/bench.json")
	[[ $line = "| 1.2.3 | 2026-01-02 | 2 × X | 6.18 | 55 | - |"*" | 0.26 | "* ]]
	[ "$(tr -cd '|' <<< "$line")" = "$(grep '^| version' tests/bench/history.md | tr -cd '|')" ]
}
