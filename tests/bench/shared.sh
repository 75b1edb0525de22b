# shellcheck shell=bash disable=SC2034,SC2154  # sourced by run, which has work, figures, BUILD, and what the parts use
# The one way to make a node, to take samples, and to judge and print a figure.

# --- a node of its own for each part -----------------------------------------------------------------------------------

holders=()

# node_begin: a node with the pods web (10.9.1.2; its policy denies UDP to port 9999) and dst (10.9.0.9).
node_begin() {
	rm -f "$work/in" "$work/pid"
	mkfifo "$work/in"
	"$podctl" hold < "$work/in" > "$work/pid" &
	holders+=("$!")
	exec 7> "$work/in"
	until [ -s "$work/pid" ]; do read -rt .02 <> <(:) || :; done
	node_pid=$(cat "$work/pid")
	node "$podctl" up web --addr 10.9.1.2/32
	node "$podctl" up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	node "$podctl" attach web --hook tc/ingress --policy deny_port --proto udp --port 9999 > /dev/null
}

# node_end: what a part has left running ends too; it would hold the node.
node_end() {
	local job
	exec 6>&- 7>&-
	for job in $(jobs -p); do
		[[ " ${holders[*]} " = *" $job "* ]] || kill "$job" 2> /dev/null || :
	done
	wait 2> /dev/null || :
}

node() { nsenter --target "$node_pid" --net --mount --pid --wd="$PWD" -- env PODCTL_HELD=1 "$@" 7>&-; }
in_pod() {
	nsenter --target "$node_pid" "--net=/proc/$node_pid/root/run/netns/$1" --mount --pid --wd="$PWD" -- "${@:2}" 7>&-
}

# on_node COMMANDS: a shell on the node reads them from standard input; for loops of hundreds, which nsenter makes slow.
on_node() { node env podctl="$podctl" bash -eu -s -- "$@"; }

# --- samples: a file of numbers for each name ---------------------------------------------------------------------------

# sample NAME VALUE
sample() { printf '%s\n' "$2" >> "$work/samples/$1"; }

# took NAME COMMAND...: runs it on the node, and notes its seconds, those of the processor, and its peak memory in MiB
# under NAME.wall, NAME.cpu and NAME.peak. Its output is in $work/out, and is shown if it fails.
took() {
	local name=$1 wall cpu peak
	: > "$work/took"
	if ! node "$BUILD/tests/bench/took" "$work/took" "${@:2}" > "$work/out" 2> "$work/err"; then
		cat "$work/err" >&2
		return 1
	fi
	read -r wall cpu peak < "$work/took"
	sample "$name.wall" "$wall"
	sample "$name.cpu" "$cpu"
	sample "$name.peak" "$peak"
}

# calc EXPRESSION [NAME=VALUE...]: of awk.
calc() {
	local args=() a
	for a in "${@:2}"; do args+=(-v "$a"); done
	awk "${args[@]}" "BEGIN { printf \"%.9g\", $1 }"
}

# derive NAME EXPRESSION A [B]: of the samples of A (a) and B (b), in the order they were taken.
derive() {
	paste "$work/samples/$3" ${4:+"$work/samples/$4"} | awk "{ a = \$1; b = \$2; printf \"%.9g\\n\", $2 }" > "$work/samples/$1"
}

# --- figures ------------------------------------------------------------------------------------------------------------

# figure ID TEXT UNIT SAMPLES [least|most LIMIT]: least, median and largest of them.
figure() {
	put "$1" "$2" "$3" "$4" "" "" "${5:-}" "${6:-}"
}

# against ID TEXT UNIT SAMPLES PEER'S-TEXT PEER'S-SAMPLES [least|most LIMIT]: both, and the ratio of each round. The limit is
# the ratio's. The samples of both were taken by turns.
against() {
	put "$1" "$2" "$3" "$4" "$5" "$6" "${7:-}" "${8:-}"
}

# A limit is missed only if all of the interval in which the median lies (95 %, by order statistics; for fewer than six rounds
# that is all of them) is on its wrong side: then it is not by the spread of the measurement.
put() {
	jq -nc --arg id "$1" --arg what "$2" --arg unit "$3" --arg peer "$5" --arg kind "$7" --arg limit "$8" --arg part "$part" \
		--slurpfile own "$work/samples/$4" --slurpfile other "${6:+$work/samples/}${6:-/dev/null}" '
		def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
		def spread: sort as $s | length as $n
			| (if $n < 6 then 0 else ([0, $n / 2 - 0.98 * ($n | sqrt) | floor] | max) end) as $k
			| {min: $s[0], median: ($s | median), max: $s[-1], low: $s[$k], high: $s[$n - 1 - $k], rounds: $n};
		{part: $part, id: $id, what: $what, unit: $unit, value: ($own | spread)}
		+ if $peer == "" then {} else {
			peer: ({what: $peer} + ($other | spread)),
			ratio: ([$own, $other] | transpose | map(select(.[1] and .[0]) | .[0] / .[1]) | spread)
		} end
		| (.ratio // .value) as $judged
		| if $kind == "" then .limit = null | .verdict = null else
			($limit | tonumber) as $l | .limit = {kind: $kind, value: $l}
			| .verdict = if $kind == "least"
				then if $judged.median >= $l then "reached" elif $judged.high >= $l then "within the spread" else "missed" end
				else if $judged.median <= $l then "reached" elif $judged.low <= $l then "within the spread" else "missed" end end
		end' > "$work/figure"
	cat "$work/figure" >> "$figures"
	jq -r 'def row(what; s; unit): [what, s.min, s.median, s.max, unit];
		def limit: if .limit then "at \(.limit.kind) \(.limit.value): \(.verdict)" else "" end;
		if .peer then row(.what; .value; .unit) + [""], row("  against " + .peer.what; .peer; .unit) + [""],
			row("  ratio of each round"; .ratio; "") + [limit]
		else row(.what; .value; .unit) + [limit] end | @tsv' "$work/figure" |
		awk -F '\t' 'function f(v) { return v >= 1000 || v == int(v) ? sprintf("%.0f", v) : v >= 100 ? sprintf("%.1f", v) : v >= 1 ? sprintf("%.2f", v) : sprintf("%.3f", v) }
			{ printf "%-66s %9s %9s %9s %-8s %s\n", $1, f($2), f($3), f($4), $5, $6 }' | sed 's/ *$//'
}

# must TEXT VALUE WANTED: what makes the figures of a part worthless if it is not so.
must() {
	[ "$2" = "$3" ] && return
	echo "bench: $part: $1: $2, and should be $3" >&2
	return 1
}

# heading TEXT: above the figures of a part.
heading() { printf '\n%s\n%-66s %9s %9s %9s\n' "$1" '' least median largest; }

# --- the machine --------------------------------------------------------------------------------------------------------

machine() {
	jq -nc --arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" --argjson cores "$(nproc)" \
		--arg memory "$(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)" \
		--arg kernel "$(uname -r)" --arg arch "$(uname -m)" --arg compiler "$(${CC:-gcc} --version | head -n 1)" \
		--arg flowgen "$("$flowgen" --version | head -n 1)" --arg commit "$(git describe --always --dirty 2> /dev/null)" \
		--argjson load "$(cut -d ' ' -f 1 /proc/loadavg)" --arg date "$(date -u +%FT%TZ)" \
		'{cpu: (if $cpu == "" then $arch else $cpu end), $cores, $memory, $kernel, $compiler, $flowgen, $commit, $date, $load}'
}
