# shellcheck shell=bash disable=SC2154  # sourced by the parts that compare with a bare program (bare.c)
node ip netns add bare
node ip link add bare0 type veth peer name eth0 netns bare
node ip link set bare0 up
in_pod bare ip link set eth0 up

# bare NAME sweep|stream|gso COUNT: its seconds are a sample of NAME.
bare() {
	local seconds
	read -r seconds _ < <(node "$BUILD/tests/bench/bare" "$2" "$3")
	sample "$1" "$seconds"
}

# lasted: the seconds from the first packet to the last of the summary that took() has left.
lasted() { jq .duration_ns/1e9 "$work/out"; }
