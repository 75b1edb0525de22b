# shellcheck shell=bash disable=SC2154  # sourced by run
# A node with 250 pods, and one program at the egress of all of them, as with Cilium: next to a second program at the
# sender its counter says nothing, which flowgen finds out by listing where else it is attached.
heading "A node with 250 pods: one program on all of them, against the same on one"
on_node << 'END'
for ((i = 0; i < 250; i++)); do "$podctl" up "shared$i" --addr "10.78.0.$((i + 1))/32"; done
END
node "$podctl" attach web --hook tcx/ingress --policy next_all > /dev/null
id=$(node "$podctl" attach web --hook tcx/ingress --policy allow_all)
one() {
	local i
	for ((i = 0; i < 15; i++)); do took "$1" "$flowgen" inject --pod netns:web --dst 10.9.0.9:53 --proto udp; done
	derive "$1.ms" 'a * 1000' "$1.wall"
}
one alone
on_node "$id" << 'END'
for ((i = 0; i < 250; i++)); do "$podctl" attach "shared$i" --hook tcx/ingress --id "$1" > /dev/null; done
END
one shared
against program.shared "cold inject, on all" ms shared.ms "on one" alone.ms most 1.1
