# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bash completion for flowgen(8). It runs nothing and needs no privilege: what it offers stands here, or are names of
# files and of network namespaces.

# The options of a verb. `make lint` holds them against --help.
__flowgen_options() {
	local common='--help --usage'
	case $1 in
	inject)
		echo "$common --pod --interface --dst --dport --src --spoof --sport
			--method --reply --deliver --trace-netfilter --force --tidy --full-checksum --timeout --seed --host-root --ring-size
			--count --interval --rate --duration --until
			--pcap --filter --timing --keep-addresses --write --dry-run
			--expect --control --output --summary --bytes --name
			--proto --ttl --tos --dscp --ecn --id --df --reserved-flag --flow-label --fragment --fragment-offset
			--more-fragments --ip-option --ext-header --trace-id --trace-option --trace-length
			--flags --seq --ack --window --urgent --mss --wscale --sack --timestamps --tcp-option
			--icmp-type --icmp-code --icmp-id --icmp-seq --icmp-rest
			--sctp-chunk --sctp-flags --sctp-tag --sctp-init-tag --sctp-tsn --sctp-window --sctp-out-streams
			--sctp-in-streams --sctp-stream --sctp-stream-seq --sctp-ppid
			--payload --size --dns --http --gso
			--bad-checksum --bad-ip-checksum --checksum --checksum-offload --ip-checksum --ip-version --ihl
			--total-length --payload-length --data-offset --tcp-reserved --udp-length --sctp-length"
		;;
	catch)
		echo "$common --pod --interface --host-root --src --dst --sport --dport --proto --trace-id --trace-option
			--count --duration --pass --output"
		;;
	run)
		echo "$common --set --only --repeat --watch --interval --parallel --fail-fast --strict --force --timeout --seed
			--host-root --ring-size --output --json --tap --junit --report --record"
		;;
	pods) echo "$common --host-root --output" ;;
	check | diff) echo "$common --output" ;;
	demo) echo "$common --keep --down" ;;
	esac
}

# The values of an option, as words.
__flowgen_values() { # VERB OPTION
	case $2 in
	--output) if [ "$1" = run ]; then echo json text tap junit; else echo json text; fi ;;
	--method) echo auto peer-egress host-ingress pod-socket ;;
	--expect) echo allow deny delivered forwarded dropped ;;
	--until) echo denied allowed dropped delivered ;;
	--timing) echo capture fast ;;
	--proto | --control) echo tcp udp icmp icmpv6 sctp ;;
	--df | --sack | --mss | --wscale | --timestamps) echo on off ;;
	--ecn) echo not-ect ect0 ect1 ce ;;
	--dscp) echo cs{0..7} af{1..4}{1..3} ef ;;
	--ext-header) echo hop-by-hop destination fragment ;;
	--flags) echo S SA A PA FA R RA none ;;
	--icmp-type) echo echo-request echo-reply ;;
	--sctp-chunk) echo init init-ack data sack shutdown abort ;;
	--trace-length) echo 2 4 8 ;;
	--trace-id) [ "$1" != catch ] || echo any ;;
	esac
}

# Whether an option stands for itself, without a value.
__flowgen_is_flag() {
	case $1 in
	--help | --usage | --version | --spoof | --reply | --deliver | --trace-netfilter | --force | --tidy | --full-checksum | \
		--keep-addresses | --dry-run | --summary | --bytes | --reserved-flag | --more-fragments | --bad-checksum | \
		--bad-ip-checksum | --checksum-offload | --pass | --watch | --fail-fast | --strict | --record | --keep | \
		--down) return 0 ;;
	esac
	return 1
}

# Names of network namespaces; the other forms of a pod are the user's to know.
__flowgen_pods() {
	local path
	for path in /run/netns/* /var/run/netns/*; do
		[ ! -e "$path" ] || printf '%s\n' "${path##*/}"
	done
}

__flowgen_words() { # CURRENT WORD...
	local cur=$1
	shift
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

__flowgen_files() { # CURRENT [d]: names of files, or of directories
	compopt -o filenames 2> /dev/null || :
	mapfile -t COMPREPLY < <(compgen "-${2:-f}" -- "$1")
}

__flowgen_value() { # VERB OPTION CURRENT
	local values
	case $2 in
	--pod) __flowgen_words "$3" "$(__flowgen_pods | sort -u)" ;;
	--pcap | --write | --json | --tap | --junit | --report) __flowgen_files "$3" ;;
	--host-root) __flowgen_files "$3" d ;;
	--payload)
		# Behind an at sign stands a file.
		[[ $3 == @* ]] || return 0
		compopt -o filenames 2> /dev/null || :
		mapfile -t COMPREPLY < <(compgen -f -P @ -- "${3#@}")
		;;
	*)
		values=$(__flowgen_values "$1" "$2")
		[ -z "$values" ] || __flowgen_words "$3" "$values"
		;;
	esac
}

_flowgen() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]:-}
	COMPREPLY=()
	if [ "$COMP_CWORD" -le 1 ]; then
		__flowgen_words "$cur" inject catch run diff pods check demo --help --version
		return
	fi
	# "=" is a word of its own, before the value or at the cursor.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $prev == --* ]] && ! __flowgen_is_flag "$prev"; then
		__flowgen_value "$verb" "$prev" "$cur"
	elif [[ $cur == -* ]]; then
		__flowgen_words "$cur" "$(__flowgen_options "$verb")"
	elif [ "$verb" = run ] || [ "$verb" = diff ]; then
		__flowgen_files "$cur"
	else
		__flowgen_words "$cur" "$(__flowgen_options "$verb")"
	fi
}

complete -F _flowgen flowgen
