# shellcheck shell=bash disable=SC2154  # sourced by run
# A command that is the pod (flowgen exec), against the same command in the pod, by turns.
#
# Both ends of the connection are on one processor. On two, the sender's packets are queued by whichever of them sends (the
# process, or the softirq that an answer comes in), so they overtake each other: hundreds of spurious retransmissions a second
# (TcpExtTCPSACKReorder, TcpExtTCPFullUndo), and a throughput that swings fivefold with or without flowgen. What is judged is
# bytes for a second of the processor of both ends, which with all on one processor is the throughput of an idle machine.
heading "A command that is the pod (flowgen exec), against the same command in the pod"
node "$podctl" up be1 --addr 10.9.4.2/32
node "$podctl" up be2 --addr 10.9.5.2/24 --gw 10.9.5.1
in_pod be2 iperf3 -s > /dev/null 2>&1 &
until in_pod be2 ss -ltn | grep -q :5201; do read -rt .02 <> <(:) || :; done
methods=(host-ingress bounce)
! "$podctl" can peer-egress || methods+=(peer-egress)

# What the softirq thread of that processor has run, in ns: its work for the connection is in neither process's time.
softirqd=$(pgrep -x ksoftirqd/0)
in_softirqd() { cut -d ' ' -f 1 "/proc/$softirqd/schedstat"; }

# transfer NAME COMMAND...: Gbit for a second of the processor, and Gbit/s.
transfer() {
	local before
	before=$(in_softirqd)
	"${@:2}" > "$work/iperf" 2> "$work/err" || {
		cat "$work/err" "$work/iperf" >&2
		return 1
	}
	sample "$1.cpu" "$(jq --argjson softirq "$(($(in_softirqd) - before))" '.end
		| .sum_received.bytes * 8e-9 / ((.cpu_utilization_percent | .host_total + .remote_total) / 100 * .sum_sent.seconds + $softirq / 1e9)' \
		"$work/iperf")"
	sample "$1.wall" "$(jq '.end.sum_received.bits_per_second / 1e9' "$work/iperf")"
}
# both METHOD WAY [OPTION of iperf3]: by turns, and who begins changes as well.
both() {
	local i who order name=$1.$2 client=(iperf3 -c 10.9.5.2 -A "0,0" -C cubic -n 4G -J "${@:3}")
	for ((i = 0; i < 10; i++)); do
		order=(pod own)
		((i % 2)) || order=(own pod)
		for who in "${order[@]}"; do
			case $who in
			pod) transfer "$name.pod" in_pod be1 "${client[@]}" ;;
			own) transfer "$name.own" node "$flowgen" exec --pod netns:be1 --method "$1" -- "${client[@]}" ;;
			esac
		done
	done
}
for method in "${methods[@]}"; do
	limit=0.95
	[ "$method" != bounce ] || limit=0.9
	both "$method" out
	against "exec.$method.out" "$method, out of the pod" Gbit/cpu-s "$method.out.own.cpu" "in the pod" "$method.out.pod.cpu" least "$limit"
	against "exec.$method.out.wall" "  throughput" Gbit/s "$method.out.own.wall" "in the pod" "$method.out.pod.wall"
	both "$method" in -R
	against "exec.$method.in" "$method, into the pod" Gbit/cpu-s "$method.in.own.cpu" "in the pod" "$method.in.pod.cpu" least "$limit"
done

# The command itself tells when it begins.
now() { "$@" bash -c 'echo "$EPOCHREALTIME"'; }
for ((i = 0; i <= 10; i++)); do
	start=$EPOCHREALTIME
	entered=$(now node)
	middle=$EPOCHREALTIME
	begun=$(now node "$flowgen" exec --pod netns:be1 --)
	[ "$i" = 0 ] || sample begin "$(calc "((d - c) - (b - a)) * 1000" a="$start" b="$entered" c="$middle" d="$begun")"
done
figure exec.begin "from the start of flowgen to the command's" ms begin most 120

# What the pod's own packets pay: its guard looks at each.
mkfifo "$work/go" "$work/done"
in_pod be1 taskset -c 0 "$BUILD/tests/bench/paced" /run/netns/be2 10.9.5.2 7000 20000 100000 < "$work/go" > "$work/done" &
exec 8> "$work/go" 9< "$work/done"
paced() {
	echo >&8
	read -r ns _ <&9
	sample "$1" "$ns"
}
for ((i = 0; i < 12; i++)); do
	paced pods.alone
	mkfifo "$work/begun" "$work/stay"
	node "$flowgen" exec --pod netns:be1 -- sh -c "echo > '$work/begun'; read -r line < '$work/stay'" > /dev/null 2>&1 8>&- 9>&- &
	running=$!
	read -r _ < "$work/begun" || :
	paced pods.beside
	echo > "$work/stay"
	wait "$running"
	rm "$work/begun" "$work/stay"
done
exec 8>&- 9<&-
derive pods.more 'a - b' pods.beside pods.alone
figure exec.others "each packet of the pod's own costs more by" ns pods.more most 100
