#!/usr/bin/env bats
# A veth pod's own packets and flowgen's, side by side: what differs is what doc/fidelity.md says, no more and no less.
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }

@test "what policy programs see of both differs by what doc/fidelity.md lists" {
	can tcx || skip "this kernel has no tcx"
	node "$TOOL/fidelity" "$FLOWGEN" veth > "$NODE_DIR/found"
	grep -q '^# veth, exec bounce' "$NODE_DIR/found"
	! can peer-egress || grep -q '^# veth, exec peer-egress' "$NODE_DIR/found"
	grep '^|' "$NODE_DIR/found" | sort > "$NODE_DIR/rows" || :
	# Of the table, the rows for what this kernel let us compare.
	while IFS= read -r line; do
		line=${line#'# '}
		grep -F "| ${line//, / | } |" "$ROOT/doc/fidelity.md" || :
	done < <(grep '^# ' "$NODE_DIR/found") | sort > "$NODE_DIR/listed"
	diff -u "$NODE_DIR/listed" "$NODE_DIR/rows"
}
