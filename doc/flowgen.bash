# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Bash completion for flowgen(8). What it offers stands here, or are names of files and of network
# namespaces. For root it also asks `flowgen pods` for names of pods.

# made by tests/lint/options --write
# The verbs, and the options of one.
__flowgen_verbs='inject catch run diff pods check demo exec agent kube'

__flowgen_options() { # VERB
	case $1 in
	inject)
		echo "--help --quiet --verbose --color --usage --pod --namespace --interface
			--from-uplink --await --dst --dport --tcp --udp --icmp --src --spoof
			--sport --method --reply --deliver --no-explain --trace-netfilter --force
			--tidy --full-checksum --timeout --node-only --timing-report --hold --seed
			--host-root --ring-size --count --interval --rate --duration --until --pcap
			--filter --timing --keep-addresses --write --dry-run --expect --control
			--output --summary --bytes --name --proto --ttl --tos --dscp --ecn --id
			--df --reserved-flag --flow-label --fragment --fragment-offset
			--more-fragments --ip-option --ext-header --trace-id --trace-option
			--trace-length --flags --seq --ack --window --urgent --mss --wscale --sack
			--timestamps --tcp-option --icmp-type --icmp-code --icmp-id --icmp-seq
			--icmp-rest --sctp-chunk --sctp-flags --sctp-tag --sctp-init-tag --sctp-tsn
			--sctp-window --sctp-out-streams --sctp-in-streams --sctp-stream
			--sctp-stream-seq --sctp-ppid --payload --size --dns --http --bad-checksum
			--bad-ip-checksum --checksum --ip-checksum --ip-version --ihl
			--total-length --payload-length --data-offset --tcp-reserved --udp-length
			--sctp-length --checksum-offload --gso"
		;;
	catch)
		echo "--help --quiet --verbose --color --usage --pod --interface --host-root
			--trace-id --trace-option --proto --src --dst --sport --dport --intercept
			--pass --count --duration --output"
		;;
	run)
		echo "--help --quiet --verbose --color --usage --set --only --blocks --repeat
			--watch --interval --heartbeat --parallel --fail-fast --strict --force
			--await --node-only --allow-exec --validate --list --timeout --seed
			--host-root --ring-size --output --json --tap --junit --metrics --report
			--record"
		;;
	diff)
		echo "--help --quiet --verbose --color --usage --pods --output"
		;;
	pods)
		echo "--help --quiet --verbose --color --usage --host-root --output"
		;;
	check)
		echo "--help --quiet --verbose --color --usage --output"
		;;
	demo)
		echo "--help --quiet --verbose --color --usage --keep --down"
		;;
	exec)
		echo "--help --quiet --verbose --color --usage --pod --interface --from-uplink
			--src --host-root --method --dns --env-from-pod --cgroup --timeout --report
			--expect"
		;;
	agent)
		echo "--help --quiet --verbose --color --usage --parallel --deadline --idle
			--grace --node --hold --host-root"
		;;
	kube)
		echo "--help --quiet --verbose --color --usage --context --kubeconfig --cluster
			--user --server --as --as-group --request-timeout --namespace
			--all-namespaces --selector --every-pod --cluster-domain --pod --dst
			--agent --agent-namespace --image --agent-deadline --start-timeout
			--kube-timeout --requests"
		;;
	esac
}

# The values of an option that takes one of a few words.
__flowgen_choices() { # VERB OPTION
	case "$1 $2" in
	'inject --timing') echo fast capture ;;
	'inject --output') echo json text jsonl wide oneline ;;
	'catch --output') echo json text jsonl wide oneline ;;
	'run --output') echo json text jsonl wide oneline tap junit ;;
	'diff --output') echo json text jsonl wide ;;
	'pods --output') echo json text jsonl wide ;;
	'check --output') echo json text jsonl wide ;;
	'exec --cgroup') echo own pod ;;
	'kube --agent') echo pod daemonset ;;
	esac
}

# Whether an option stands for itself, without a value.
__flowgen_is_flag() { # OPTION
	case " $(__flowgen_flags) " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

__flowgen_flags() {
	echo --help --quiet --verbose --color --usage --version --all-namespaces --allow-exec \
		--await --bad-checksum --bad-ip-checksum --bytes --checksum-offload --deliver \
		--down --dry-run --env-from-pod --every-pod --fail-fast --force --from-uplink \
		--full-checksum --hold --icmp --intercept --keep --keep-addresses --list \
		--more-fragments --no-explain --node-only --pass --pods --record --reply \
		--reserved-flag --spoof --strict --summary --tcp --tidy --timing-report \
		--trace-netfilter --udp --validate --watch
}
# end of what is made

# The values of an option, as words.
__flowgen_values() { # VERB OPTION
	case $2 in
	--method) echo auto peer-egress bounce host-ingress pod-socket ;;
	--expect | --until)
		if [ "$1" = exec ]; then
			echo allow deny any
		else
			echo allow allowed deny denied delivered forwarded dropped not-sent
		fi
		;;
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
	*) __flowgen_choices "$1" "$2" ;;
	esac
}

# Names of pods; their other forms are the user's to know.
__flowgen_pods() {
	local path
	for path in /run/netns/* /var/run/netns/*; do
		[ ! -e "$path" ] || printf '%s\n' "${path##*/}"
	done
	[ "$EUID" != 0 ] || timeout 3 "${COMP_WORDS[0]}" pods --output text 2> /dev/null | sed '1d; s/ .*//'
}

# Whether the cursor is at the first word behind the verb that is neither an option nor the value of one.
__flowgen_is_first() { # VERB
	local i
	case $1 in inject | catch | exec) ;; *) return 1 ;; esac
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--pod | --pod=* | --from-uplink* | --await*) return 1 ;;
		--*)
			# "=" is a word of its own, before the value.
			if [ "${COMP_WORDS[i + 1]}" = = ]; then
				((i += 2))
			elif ! __flowgen_is_flag "${COMP_WORDS[i]}"; then
				((i++))
			fi
			;;
		-[a-z]) [[ ${COMP_WORDS[i]} == -[hqvV] ]] || ((i++)) ;;
		-*) ;;
		*) return 1 ;;
		esac
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
	--pcap | --write | --json | --tap | --junit | --metrics | --report) __flowgen_files "$3" ;;
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
		__flowgen_words "$cur" "$__flowgen_verbs" --help --version
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
		! __flowgen_is_first "$verb" || __flowgen_words "$cur" "$(__flowgen_pods | sort -u)"
		[ ${#COMPREPLY[@]} -gt 0 ] || __flowgen_words "$cur" "$(__flowgen_options "$verb")"
	fi
}

complete -F _flowgen flowgen
