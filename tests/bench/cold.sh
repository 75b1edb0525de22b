# shellcheck shell=bash disable=SC2154  # sourced by run
heading "One probe: a whole process, and one on a session that is up"
for ((i = 0; i <= 15; i++)); do
	took cold "$flowgen" inject --pod netns:web --dst 10.9.0.9:53 --proto udp
	# The first is not counted: files are read, and the neighbour is found.
	[ "$i" -gt 0 ] || rm "$work"/samples/cold.*
done
derive cold.wall_ms 'a * 1000' cold.wall
derive cold.cpu_ms 'a * 1000' cold.cpu
figure cold.wall "cold inject, whole process" ms cold.wall_ms most 60
figure cold.cpu "  of the processor" ms cold.cpu_ms most 25
figure cold.peak "  peak memory" MiB cold.peak
for ((i = 0; i < 5; i++)); do
	read -r median p90 < <(node "$BUILD/tests/bench/warm" netns:web 10.9.0.9 2000)
	sample warm.median "$(calc "$median / 1000")"
	sample warm.p90 "$(calc "$p90 / 1000")"
done
figure warm.median "warm probe, median of 2,000" µs warm.median most 50
figure warm.p90 "  90th percentile" µs warm.p90
