# shellcheck shell=bash disable=SC2154  # sourced by run
# What two other pods lose while flowgen probes: packets for a second of the processor, of a paced sender (paced.c), by turns
# alone and beside flowgen. Throughput says less: it swings with where the scheduler puts both ends.
heading "A bystander: packets for each second of the processor, of a paced sender between two other pods"
node "$podctl" up by1 --addr 10.9.2.2/32
node "$podctl" up by2 --addr 10.9.3.2/32
own=0 other=$(($(nproc) > 1))

# paced NAME: one turn; ns and instructions of a packet are samples of NAME.ns and NAME.instructions.
paced() {
	local ns instructions
	echo >&8
	read -r ns instructions <&9
	sample "$1.ns" "$ns"
	[ "$instructions" = - ] || sample "$1.instructions" "$instructions"
}
# in_programs: ns in each of flowgen's programs so far, as the kernel counts them.
in_programs() { node bpftool prog show --json | jq -c '[.[] | select(.name // "" | startswith("fg_")) | {"\(.id)": (.run_time_ns // 0)}] | add // {}'; }

# turns NAME RATE COUNT PACKETS: alone, and beside flowgen at RATE probes a second.
turns() {
	local i ms before packets=$4 probing sending
	mkfifo "$work/go" "$work/done"
	in_pod by1 taskset -c "$own" "$BUILD/tests/bench/paced" /run/netns/by2 10.9.3.2 7000 "$packets" 100000 < "$work/go" > "$work/done" &
	sending=$!
	exec 8> "$work/go" 9< "$work/done"
	# As long as the turn, and what a busy machine adds.
	ms=$((packets / 100 + 500))
	for ((i = 0; i < $3; i++)); do
		paced "$1.alone"
		: > "$work/probes"
		node taskset -c "$other" "$flowgen" inject --pod netns:web --dst 10.9.0.9:53 --proto udp --rate "$2" --duration "${ms}ms" -o json \
			> "$work/probes" 2> /dev/null 8>&- 9>&- &
		probing=$!
		# With the first result it has started.
		until [ -s "$work/probes" ]; do read -rt .01 <> <(:) || :; done
		before=$(in_programs)
		paced "$1.beside"
		# Programs that are there at both ends of the turn: detached ones may have been loaded anew, or be someone else's.
		sample "$1.programs" "$(jq -n --argjson a "$before" --argjson b "$(in_programs)" \
			"[\$b | to_entries[] | select(\$a[.key]) | .value - \$a[.key]] | (add // 0) / $packets")"
		wait "$probing" || must "flowgen's exit status" $? 0
	done
	exec 8>&- 9<&-
	wait "$sending"
	rm "$work/go" "$work/done"
	derive "$1.alone.pps" '1e9 / a' "$1.alone.ns"
	derive "$1.beside.pps" '1e9 / a' "$1.beside.ns"
	derive "$1.more" 'a - b' "$1.beside.ns" "$1.alone.ns"
}
# print NAME RATE [LIMIT]
print() {
	against "bystander.$2" "with $2 probes a second" packets/s "$1.beside.pps" "alone" "$1.alone.pps" ${3:+least "$3"}
	figure "bystander.$2.ns" "  each packet costs more by" ns "$1.more"
	figure "bystander.$2.programs" "  of that in flowgen's programs (the kernel's count)" ns "$1.programs"
	if [ -e "$work/samples/$1.beside.instructions" ]; then
		against "bystander.$2.instructions" "  instructions of a packet" "" "$1.beside.instructions" alone "$1.alone.instructions"
	else
		echo "  (instructions: this machine does not show the processor's counters)"
	fi
}
turns one 1 8 100000
print one 1 0.98
turns ten 10 8 50000
print ten 10
turns hundred 100 40 15000
print hundred 100 0.98
