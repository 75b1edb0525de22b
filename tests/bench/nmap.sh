# shellcheck shell=bash disable=SC2154  # sourced by run
# nmap from inside the pod, with what makes it fastest in each case. Where ports answer, that is the rate that it finds out
# itself (with --min-rate it takes ten times as long). Where a policy drops, silence is all that it can go by, and it would
# wait for minutes: so it sends at a given rate, each port once.
heading "A scan of 65,535 TCP ports, whole process, against nmap's fastest SYN scan"
node "$podctl" up shut --addr 10.9.2.2/32
node "$podctl" attach shut --hook tc/ingress --policy deny_port --proto tcp --port 1-65535 > /dev/null
answered="nmap -n -Pn -sS -T5" dropped="nmap -n -Pn -sS -T5 --min-rate 100000 --max-retries 0"
# scan POD COMMAND: both, by turns. What nmap says of ports that are all alike is one line.
scan() {
	local start command
	read -ra command <<< "$2"
	start=$EPOCHREALTIME
	in_pod "$1" "${command[@]}" -p 1-65535 10.9.0.9 > "$work/nmap" 2>&1
	sample "$1.nmap" "$(calc "b - a" a="$start" b="$EPOCHREALTIME")"
	sample "$1.apart" "$((65535 - $(sed -nE 's/^Not shown: ([0-9]+) .*|^All ([0-9]+) scanned .*/\1\2/p' "$work/nmap" | head -n 1)))"
	took "$1.own" "$flowgen" inject --pod "netns:$1" --proto tcp --dst 10.9.0.9 --dport 1-65535 --summary
}
for ((i = 0; i < 5; i++)); do
	scan web "$answered"
	must "what web may send" "$(jq .verdicts.allowed.count "$work/out")" 65535
	scan shut "$dropped"
	must "what shut may not" "$(jq .verdicts.denied.count "$work/out")" 65535
done
against nmap.answered "all ports answer" s web.own.wall "$answered" web.nmap most 1
against nmap.dropped "a policy drops all" s shut.own.wall "$dropped" shut.nmap most 1
figure nmap.apart "ports that nmap got no answer of, though all answer" ports web.apart
