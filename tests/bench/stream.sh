# shellcheck shell=bash disable=SC2154  # sourced by run
heading "A stream of 400,000 packets of one flow"
. "$here/bare_pair.sh"
count=400000
pps() { derive "$1" "$count / a" "$2"; }
# trafgen on the same way. Its own start is in its time, so it gets more packets.
printf '{ 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00,
0x45, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, csumip(14, 33), 10, 9, 1, 2, 10, 9, 0, 9,
0x9c, 0x40, 0x00, 0x35, 0x00, 0x08, 0x00, 0x00 }\n' > "$work/trafgen"
trafgen() {
	local start in sent
	coproc node "$BUILD/tests/bench/bare" relay
	in=${COPROC[1]}
	read -r _ <&"${COPROC[0]}"
	start=$EPOCHREALTIME
	in_pod bare trafgen --in "$work/trafgen" --out eth0 --num $((4 * count)) --cpus 1 --no-sock-mem --qdisc-path > /dev/null 2> "$work/err" || {
		cat "$work/err" >&2
		return 1
	}
	sample trafgen "$(calc "(b - a) / 4" a="$start" b="$EPOCHREALTIME")"
	exec {in}>&-
	read -r _ sent <&"${COPROC[0]}"
	wait "$COPROC_PID"
	must "trafgen's packets" "$sent" $((4 * count))
}
for ((i = 0; i < 7; i++)); do
	bare bare stream "$count"
	took own "$flowgen" inject --pod netns:web --proto udp --dst 10.9.0.9:53 --count "$count" --summary
	must "results" "$(jq -c '[.total, .lost_events, .outcomes.inconclusive.count]' "$work/out")" "[$count,0,0]"
	sample own "$(lasted)"
	trafgen
done
pps stream.own own
pps stream.bare bare
pps stream.trafgen trafgen
against stream "observed, with --count and --summary" packets/s stream.own "a bare loop" stream.bare least 0.5
against stream.trafgen "the bare loop" packets/s stream.bare "trafgen on the same way" stream.trafgen
