#!/usr/bin/env bats
# What the completions of bash, zsh and fish offer; that they know every option is `make lint`'s to check.
# shellcheck disable=SC2317,SC2154  # functions are called by name
# bats file_tags=novm
load helpers

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
	is inject catch run diff pods check demo exec agent kube --help --version
	offers flowgen in
	is inject
}

@test "the options of a verb, and of no other" {
	offers flowgen inject --po
	is --pod
	offers flowgen demo --
	is --help --quiet --verbose --color --usage --keep --down
	offers flowgen run --ju
	is --junit
	offers flowgen pods --pod
	is
}

@test "the values of an option" {
	offers flowgen inject --method p
	is peer-egress pod-socket
	offers flowgen inject --expect d
	is deny denied delivered dropped
	offers flowgen inject --until ''
	is allow allowed deny denied delivered forwarded dropped not-sent
	offers flowgen inject --timing ''
	is fast capture
	offers flowgen run --output ''
	is json text jsonl wide oneline tap junit
	offers flowgen check --output ''
	is json text jsonl wide
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
	# Where there are no pods, the options are offered.
	__flowgen_pods() { :; }
	offers flowgen inject ''
	has --pod
}

# --- zsh and fish: by their own completion systems ---

# Where the completion runs: here, or in a node.
IN_NODE=()

# in_zsh LINE, in_fish LINE: what is offered at its end, a word a line, in $output.
in_zsh() {
	type zsh > /dev/null 2>&1 || skip 'zsh is not installed'
	"${IN_NODE[@]}" env "PATH=$(dirname "$FLOWGEN"):$PATH" "HOME=$BATS_TEST_TMPDIR" timeout 30 zsh -f "$BATS_TEST_DIRNAME/completion.zsh" \
		"$BATS_TEST_DIRNAME/../../doc/flowgen.zsh" "$BATS_TEST_TMPDIR/offered" "$1"
	grep -qx END "$BATS_TEST_TMPDIR/offered"
	output=$(grep -vx END "$BATS_TEST_TMPDIR/offered" | sort -u)
}
in_fish() {
	type fish > /dev/null 2>&1 || skip 'fish is not installed'
	output=$("${IN_NODE[@]}" env "PATH=$(dirname "$FLOWGEN"):$PATH" "HOME=$BATS_TEST_TMPDIR" fish --no-config -c "source '$BATS_TEST_DIRNAME/../../doc/flowgen.fish'; complete -C '$1'" | cut -f1 | sort -u)
}
offered() { grep -qxF -- "$1" <<< "$output" || { echo "not offered: $1; but: $output"; return 1; }; }
not_offered() { ! offered "$1" > /dev/null; }

for_each_shell() { # COMMAND
	for shell in zsh fish; do
		"$1" "in_$shell"
	done
}

verbs_and_options() {
	"$1" 'flowgen '
	for word in inject catch run diff pods check demo exec agent kube; do offered "$word"; done
	"$1" 'flowgen inject --'
	offered --dst
	offered --from-uplink
	not_offered --junit
	"$1" 'flowgen run --'
	offered --junit
	offered --metrics
	not_offered --dst
}

values_and_files() {
	touch "$BATS_TEST_TMPDIR/a.pcap"
	"$1" 'flowgen inject --method '
	[ "$output" = "$(printf '%s\n' auto bounce host-ingress peer-egress pod-socket)" ]
	"$1" 'flowgen run --output '
	offered junit
	offered text
	not_offered inject
	"$1" 'flowgen inject --pcap a.p'
	offered a.pcap
}

@test "zsh and fish: verbs and their options" { for_each_shell verbs_and_options; }
@test "zsh and fish: values and files" { for_each_shell values_and_files; }

# Its names of namespaces are those of pods, too: a name that is in no list shows that flowgen was asked.
@test "pods by their names, which flowgen is asked for" {
	node_up
	podctl up shop-1 --addr 10.9.1.2/32
	IN_NODE=(node)
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\n"%s" "$@" | sed "s/^shop-1/asked-1/"\n' "$FLOWGEN" > "$BATS_TEST_TMPDIR/bin/flowgen"
	chmod +x "$BATS_TEST_TMPDIR/bin/flowgen"
	FLOWGEN=$BATS_TEST_TMPDIR/bin/flowgen
	for shell in zsh fish; do
		for line in 'inject --pod ' 'inject ' 'exec '; do
			"in_$shell" "flowgen $line"
			offered shop-1
			offered asked-1
			not_offered --dns
		done
	done
	for line in '--pod ' ''; do
		# shellcheck disable=SC2016  # the shell within expands it
		output=$(node env "PATH=$BATS_TEST_TMPDIR/bin:$PATH" bash --norc -c '. "$1"; COMP_WORDS=(flowgen inject $2 ""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_flowgen; printf "%s\n" "${COMPREPLY[@]}"' - "$ROOT/doc/flowgen.bash" "$line")
		[ "$output" = "$(printf '%s\n' asked-1 shop-1)" ]
	done
	node_down
}
