# shellcheck shell=bash disable=SC2154  # sourced by run, and uses what is defined there
# A node with 250 pods, and one program at the egress of all of them, as with Cilium: next to a second program at the
# sender its counter says nothing, which flowgen finds out by listing where else it is attached.
echo "A node with 250 pods and one program on all:"
for ((i = 0; i < 250; i++)); do
	echo "$podctl up shared$i --addr 10.78.0.$((i + 1))/32 || exit 1"
done > "$work/shared.sh"
node bash "$work/shared.sh"
node "$podctl" attach web --hook tcx/ingress --policy next_all > /dev/null
id=$(node "$podctl" attach web --hook tcx/ingress --policy allow_all)
# median_of: of eleven injects, whole processes, in seconds.
median_of() {
	local n
	for ((n = 0; n < 11; n++)); do seconds node "$flowgen" inject --pod netns:web --dst 10.9.0.9:53 --proto udp; done | sort -n | sed -n 6p
}
alone=$(median_of)
for ((i = 0; i < 250; i++)); do
	echo "$podctl attach shared$i --hook tcx/ingress --id $id > /dev/null || exit 1"
done > "$work/shared.sh"
node bash "$work/shared.sh"
at_most "one inject, against the program at one pod only" "$(ratio "$(median_of)" "$alone")" 1.1
