# shellcheck shell=bash disable=SC2016,SC2154
# way.bash - one row of the table of traits: a trait of the way, and all that the answer says of it.

shopt -s extglob

# way TRAIT VERDICT STAGE KIND NAME OUTCOME HEADLINE [OPTION of inject...]: of the packet (UDP to port 9999 of dst, where no
# options are given) the result says so much, its headline begins so, and `--expect allow` is met only if it arrived and
# nothing denied it. STAGE and KIND are those of what ended it, "-": nothing did. NAME is who denied it (the program; the
# table and chain), else the kernel's reason for the drop. All but TRAIT are patterns. ways_fit_schema validates the results.
way() {
	local trait=$1 wanted="$2 $3 $4" name=$5 outcome=$6 headline=$7 got
	shift 7
	# Without tcx answers are not taken, and so not seen.
	if [ "$outcome" = rejected ] && ! can tcx; then
		outcome=dropped headline=${headline/REJECTED by/DROPPED by}
		headline=${headline%'; rejected'}
	fi
	[ $# -gt 0 ] || set -- --dst 10.9.0.9:9999 --proto udp
	inject "$@" --expect allow
	[ -n "$output" ] || { echo "$trait: no result" && show && return 1; }
	printf '%s\n' "$output" >> "$NODE_DIR/results"
	got=$(value '[.policy.verdict, (.decider | .stage, .kind)] | map(. // "-") | join(" ")')
	fits "$trait: verdict, stage and kind" "$wanted" "$got"
	fits "$trait: outcome" "$outcome" "$(value .outcome)"
	got=$(value '.policy.denied_by as $d | if $d.table then "\($d.table)/\($d.chain)" else $d.name // .drop.reason // "-" end')
	fits "$trait: who, or why" "$name" "$got"
	keeps_promises "$trait"
	says "$trait" "$headline" "$@"
}

# The node of most of these: web (10.9.1.2, fd00:1::2) sends to dst (10.9.0.9, fd00:9::9).
way_node_up() {
	node_up
	podctl up web --addr 10.9.1.2/32 --addr fd00:1::2/128
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1 --addr fd00:9::9/64 --gw fd00:9::1
}

# Of all rows so far: asked once, as starting the validator takes longer than a packet.
ways_fit_schema() {
	[ -e "$NODE_DIR/results" ] || skip 'no row before ran here'
	output=$(cat "$NODE_DIR/results")
	fits_schema
}

fits() {
	# shellcheck disable=SC2053  # a pattern
	[[ $3 == $2 ]] || same "$@"
}

same() {
	[ "$2" = "$3" ] || {
		echo "$1: expected \"$2\", got \"$3\""
		jq . <<< "$output"
		return 1
	}
}

# What no packet may be said of: allowed though it did not arrive, denied without a stage, a denier that did not run.
keeps_promises() {
	local met=1
	case $(value '"\(.policy.verdict) \(.outcome)"') in
	allowed\ delivered | redirected\ delivered | none\ delivered | *\ forwarded | none\ replied | allowed\ replied) met=0 ;;
	unknown*) met=4 ;;
	esac
	# The destination's own socket said no: it arrived. Not where a program there may have.
	[ "$(value '"\(.decider | .stage) \(.decider.kind)"')" != 'ingress socket' ] || [ "$met" = 4 ] || met=0
	same "$1: exit status with --expect allow" "$met" "$status"
	holds ".expect.met == ($met == 0)"' and (.policy.verdict == "denied") == (.policy.stages | [.egress, .node, .ingress] | any(. == "denied"))
		and (.policy.verdict != "denied" or .policy.denied_by.stage == .decider.stage)
		and (.policy.denied_by.id as $id | $id == null or any(.policy.programs[]; .id == $id and .ran))
		and all(.policy.programs[]; .retval != null or .action == null)'
}

# says TRAIT BEGINNING OPTION...: the headline, as a person reads it, in one line. Some kernels come with a warning.
says() {
	local trait=$1 beginning=$2 text
	shift 2
	text=$(node "$FLOWGEN" inject --pod netns:web "$@" --output text 2> "$NODE_DIR/warnings" | sed '/^$/,$d' | tr -s ' \n' ' ')
	# Without tcx it is taken there.
	text=${text/intercepted before the socket/intercepted before the pod\'s stack}
	# shellcheck disable=SC2053  # a pattern
	[[ $text == $beginning* ]] || {
		echo "$trait: the headline begins with \"$beginning\", but is:"
		echo "$text"
		cat "$NODE_DIR/warnings"
		return 1
	}
}

# ran NAME...: the programs that are known to have run, in order; "NAME:no" did not, "NAME:?": it is not known.
ran() {
	same "what ran" "$*" "$(value '.policy.programs | map(.name + (if .ran == true then "" elif .ran == false then ":no" else ":?" end)) | join(" ")')"
}

# stages EGRESS NODE INGRESS: the verdict of each; "-": not reached.
stages() {
	same 'stages' "$*" "$(value '.policy.stages | [.egress, .node, .ingress] | map(. // "-") | join(" ")')"
}
