#!/usr/bin/env bats
# flowgen check, and what all verbs have in common: help, versions, mistakes on the command line, output that goes nowhere.
# bats file_tags=check
load helpers

run_flowgen() { run --separate-stderr "$FLOWGEN" "$@"; }

# One line on stderr, exactly this, and the exit status; nothing on stdout.
refuses() {
	local want_status=$1 want=$2
	shift 2
	run_flowgen "$@"
	if [ "$status" != "$want_status" ] || [ "$stderr" != "$want" ] || [ -n "$output" ]; then
		echo "flowgen $*: expected status $want_status and: $want"
		show
		return 1
	fi
}

@test "check says in JSON what works, as its schema describes" {
	run_flowgen check --output json
	is_status 0
	[ "$(lines)" = 1 ]
	fits_schema check
	holds '.schema == "flowgen.check/1" and .works'
	holds '.methods["pod-socket"].works and .methods["host-ingress"].works'
	holds '(.kernel.release | length > 0) and .kernel.release == "'"$(uname -r)"'"'
}

@test "check finds what other means find" {
	run_flowgen check --output json
	local thing feature
	for thing in netkit:netkit tcx:tcx fexit:fexit peer-egress:BPF_F_EGRESS; do
		feature=${thing#*:}
		if can "${thing%%:*}"; then
			holds ".features.$feature.works"
		else
			holds ".features.$feature | (.works | not) and (.why | length > 0)"
		fi
	done
	holds '.methods["peer-egress"].works == .features.BPF_F_EGRESS.works'
}

@test "check for a person has the same answers" {
	run_flowgen check --output json
	local json=$output name works
	run_flowgen check
	is_status 0
	while read -r name works; do
		grep -qE "^  $name +$works( |$)" <<< "$output" || {
			echo "$name $works"
			show
			return 1
		}
	done < <(jq -r '(.methods, .privileges, .features) | to_entries[] | .key + " " + (if .value.works then "yes" else "no" end)' <<< "$json")
}

@test "check without privileges says what is missing, and exits with 3" {
	run --separate-stderr setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$FLOWGEN" check --output json
	is_status 3
	fits_schema check
	holds '(.works | not) and (.privileges.CAP_NET_RAW.works | not)'
	holds 'all(.methods[]; .missing | contains("CAP_NET_RAW"))'
	run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups "$FLOWGEN" check --output json
	is_status 3
	fits_schema check
	holds 'all(.privileges[]; .works | not)'
}

@test "check leaves nothing behind" {
	node_up
	local before after
	before=$(host_state)
	node "$FLOWGEN" check > /dev/null
	after=$(host_state)
	node_down
	diff <(echo "$before") <(echo "$after")
}

@test "mistakes on the command line: one line each, and exit status 2" {
	refuses 2 "flowgen: no verb given (see flowgen --help)"
	refuses 2 "flowgen: no verb 'chekc' (did you mean 'check'? See flowgen --help)" chekc
	refuses 2 "flowgen: no verb 'inj' (see flowgen --help)" inj
	refuses 2 "flowgen: no verb '' (see flowgen --help)" ''
	refuses 2 "flowgen: no verb 'a?b' (see flowgen --help)" $'a\nb'
	refuses 2 "flowgen: no option '-x' (see flowgen --help)" -x
	refuses 2 "flowgen check: --output: 'xml' is not one of json, text" check --output xml
	refuses 2 "flowgen check: --output: '' is not one of json, text" check --output=
	refuses 2 "flowgen check: option '--output' requires an argument" check --output
	refuses 2 "flowgen check: unrecognized option '--frobnicate'" check --frobnicate
	refuses 2 "flowgen check: invalid option -- 'q'" check -q
	refuses 2 "flowgen check: unexpected argument 'now'" check now
	refuses 2 "flowgen check: unexpected argument 'now'" check now --output json
	refuses 2 "flowgen check: unexpected argument 'now'" check -- now
}

@test "help and version" {
	run_flowgen --version
	is_status 0
	[[ $output =~ ^flowgen\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	run_flowgen --help
	is_status 0
	[[ $output == *'  check '* && $output == *'  inject '* && $output == *'  pods '* ]]
	run_flowgen check --help
	is_status 0
	[[ $output == 'Usage: flowgen check '* ]]
	[ -z "$stderr" ]
}

@test "output that cannot be written is an error" {
	local arguments
	for arguments in check 'check --output json' --help --version 'check --help'; do
		# shellcheck disable=SC2086  # a list of words
		run --separate-stderr bash -c '"$@" > /dev/full' - "$FLOWGEN" $arguments
		is_status 5
		complains '^flowgen: standard output: No space left on device$'
		# shellcheck disable=SC2086
		run --separate-stderr bash -c '"$@" >&-' - "$FLOWGEN" $arguments
		is_status 5
		complains '^flowgen: standard output: Bad file descriptor$'
	done
	# Nobody is there to read any more.
	run --separate-stderr "$PYTHON" -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
sys.exit(subprocess.run([sys.argv[1], "check"], stdout=w).returncode)' "$FLOWGEN"
	is_status 5
	complains '^flowgen: standard output: Broken pipe$'
}
