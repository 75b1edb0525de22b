#!/usr/bin/env bats
# What the bash completion offers; that it knows every option is `make lint`'s to check.
# shellcheck disable=SC2317,SC2154  # functions are called by name
# bats file_tags=novm
bats_require_minimum_version 1.5.0

setup() {
	# shellcheck source=doc/flowgen.bash
	. "$BATS_TEST_DIRNAME/../../doc/flowgen.bash"
	cd "$BATS_TEST_TMPDIR" || return
}

# offers LINE...: completes the last of these words; the answer is in COMPREPLY.
offers() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_flowgen
}

# is WORD...: just these were offered.
is() {
	[ "${COMPREPLY[*]}" = "$*" ] || {
		echo "offered: ${COMPREPLY[*]}"
		echo "wanted: $*"
		return 1
	}
}

has() { [[ " ${COMPREPLY[*]} " == *" $1 "* ]]; }

@test "the verbs" {
	offers flowgen ''
	is inject catch run diff pods check demo --help --version
	offers flowgen in
	is inject
}

@test "the options of a verb, and of no other" {
	offers flowgen inject --po
	is --pod
	offers flowgen demo --
	is --help --usage --keep --down
	offers flowgen run --ju
	is --junit
	offers flowgen pods --pod
	is
}

@test "the values of an option" {
	offers flowgen inject --method p
	is peer-egress pod-socket
	offers flowgen inject --expect d
	is deny delivered dropped
	offers flowgen inject --until ''
	is denied allowed dropped delivered
	offers flowgen run --output ''
	is json text tap junit
	offers flowgen check --output ''
	is json text
}

@test "a value behind an equals sign" {
	offers flowgen inject --method = host
	is host-ingress
	offers flowgen inject --proto =
	is tcp udp icmp icmpv6 sctp
}

@test "behind a flag comes an option, behind a free value nothing" {
	offers flowgen inject --reply --dp
	is --dport
	offers flowgen inject --dst ''
	is
}

@test "files where files are expected" {
	touch a.pcap b.yaml
	mkdir root
	offers flowgen inject --pcap a
	is a.pcap
	offers flowgen run b
	is b.yaml
	offers flowgen inject --payload @a
	is @a.pcap
	offers flowgen inject --host-root ''
	is root
}

@test "pods by the names of their namespaces" {
	__flowgen_pods() { printf '%s\n' shop-1 shop-2 web; }
	offers flowgen inject --pod sh
	is shop-1 shop-2
}

@test "in a real shell the function is registered" {
	run bash --norc -c '. "$1"; complete -p flowgen' - "$BATS_TEST_DIRNAME/../../doc/flowgen.bash"
	[ "$status" = 0 ]
	[ "$output" = 'complete -F _flowgen flowgen' ]
	offers flowgen inject ''
	has --pod
}
