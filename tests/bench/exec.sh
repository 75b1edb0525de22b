# shellcheck shell=bash disable=SC2154  # sourced by run, and uses what is defined there
# TCP of a command that is the pod (flowgen exec), against the pod's own, by turns. Each end has a processor of its own.
echo "Throughput of a command that is the pod, against a command in the pod:"
node "$podctl" up be1 --addr 10.9.4.2/32
node "$podctl" up be2 --addr 10.9.5.2/24 --gw 10.9.5.1
in_pod be2 iperf3 -s > /dev/null 2>&1 &
server=$!
until in_pod be2 ss -ltn | grep -q :5201; do :; done
client=(iperf3 -c 10.9.5.2 -A 0,1 -C cubic -l 1M -t 2 -J)
# turns METHOD [OPTION of iperf3]: the ratio of the medians of five turns each.
turns() {
	local i method=$1
	shift
	for i in 1 2 3 4 5; do
		in_pod be1 "${client[@]}" "$@" | jq '{who: "pod", bps: .end.sum_received.bits_per_second}'
		node "$flowgen" exec --pod netns:be1 --method "$method" -- "${client[@]}" "$@" | jq '{who: "exec", bps: .end.sum_received.bits_per_second}'
	done | jq -s 'def median(w): map(select(.who == w).bps) | sort | .[length / 2 | floor]; median("exec") / median("pod")'
}
methods=(bounce host-ingress)
! "$podctl" can peer-egress || methods+=(peer-egress)
for method in "${methods[@]}"; do
	at_least "$method, out of the pod" "$(turns "$method")" 0.8
	at_least "$method, into the pod" "$(turns "$method" -R)" 0.8
done
kill "$server"
