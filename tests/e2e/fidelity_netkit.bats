#!/usr/bin/env bats
# A netkit pod's own packets and flowgen's, side by side: what differs is what doc/fidelity.md says, no more and no less.
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }

@test "what policy programs see of both differs by what doc/fidelity.md lists" {
	need netkit
	can tcx || skip "this kernel has no tcx"
	node "$TOOL/fidelity" "$FLOWGEN" netkit > "$NODE_DIR/found"
	grep -q '^# netkit l2, exec bounce' "$NODE_DIR/found"
	for pod in 'netkit l2' 'netkit l3'; do
		! can peer-egress || grep -q "^# $pod, exec peer-egress" "$NODE_DIR/found"
	done
	grep '^|' "$NODE_DIR/found" | sort > "$NODE_DIR/rows" || :
	# Of the table, the rows for what this kernel let us compare.
	while IFS= read -r line; do
		line=${line#'# '}
		grep -F "| ${line//, / | } |" "$ROOT/doc/fidelity.md" || :
	done < <(grep '^# ' "$NODE_DIR/found") | sort > "$NODE_DIR/listed"
	diff -u "$NODE_DIR/listed" "$NODE_DIR/rows"
}
