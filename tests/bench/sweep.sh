# shellcheck shell=bash disable=SC2154  # sourced by run
# The start of the process is not in it: a cold inject of the same round is taken off.
heading "A sweep of 65,535 UDP ports, less the start"
. "$here/bare_pair.sh"
inject=("$flowgen" inject --pod netns:web --proto udp)
for ((i = 0; i <= 9; i++)); do
	took start "${inject[@]}" --dst 10.9.0.9:53
	bare bare sweep 65535
	took summary "${inject[@]}" --dst 10.9.0.9 --dport 1-65535 --summary
	must "results" "$(jq -c '[.total, .lost_events, .outcomes.inconclusive.count]' "$work/out")" '[65535,0,0]'
	took json "${inject[@]}" --dst 10.9.0.9 --dport 1-65535
	must "lines" "$(wc -l < "$work/out")" 65535
	[ "$i" -gt 0 ] || rm "$work"/samples/*
done
derive sweep.summary 'a - b' summary.wall start.wall
derive sweep.json 'a - b' json.wall start.wall
bare="a bare program, same frames, redirect, and three events"
against sweep.summary "with --summary" s sweep.summary "$bare" bare most 1.6
against sweep.json "with a JSON line for each" s sweep.json "$bare" bare most 2.5
figure sweep.peak "peak memory" MiB json.peak most 128
