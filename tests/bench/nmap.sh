# shellcheck shell=bash disable=SC2154  # sourced by run
# nmap from inside the pod, as fast as it goes: one packet a port, no name look-ups, no waiting for a rate to be found. Where
# ports answer, it has nothing to wait for; where a policy drops, silence is all that it can go by.
heading "A scan of 65,535 TCP ports, whole process, against nmap's fastest SYN scan"
node "$podctl" up shut --addr 10.9.2.2/32
node "$podctl" attach shut --hook tc/ingress --policy deny_port --proto tcp --port 1-65535 > /dev/null
# scan POD: both, by turns.
scan() {
	local start
	start=$EPOCHREALTIME
	in_pod "$1" nmap -n -Pn -sS -T5 --min-rate 100000 --max-retries 0 -p 1-65535 10.9.0.9 > "$work/nmap" 2>&1
	sample "$1.nmap" "$(calc "b - a" a="$start" b="$EPOCHREALTIME")"
	took "$1.own" "$flowgen" inject --pod "netns:$1" --proto tcp --dst 10.9.0.9 --dport 1-65535 --summary
	sample "$1.missed" "$((65535 - $(sed -nE 's/^Not shown: ([0-9]+) .*|^All ([0-9]+) scanned .*/\1\2/p' "$work/nmap" | head -n 1)))"
}
for ((i = 0; i < 3; i++)); do
	scan web
	must "what web may send" "$(jq .verdicts.allowed.count "$work/out")" 65535
	scan shut
	must "what shut may not" "$(jq .verdicts.denied.count "$work/out")" 65535
done
against nmap.answered "all ports answer" s web.own.wall "nmap -sS -T5 --min-rate 100000 --max-retries 0" web.nmap most 1
against nmap.dropped "a policy drops all" s shut.own.wall "the same, which waits" shut.nmap most 1
figure nmap.missed "ports that nmap did not count alike, all answering" ports web.missed
