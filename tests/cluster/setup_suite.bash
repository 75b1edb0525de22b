# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# setup_suite.bash - one cluster (cluster.sh) for all files here. tests/run starts them once for each way that the nodes are wired:
# CLUSTER is `routed iptables` or `vxlan nftables`.
. "${BASH_SOURCE[0]%/*}/helpers.bash"

setup_suite() {
	local status=0
	read -r wiring proxy <<< "${CLUSTER:-routed iptables}"
	W=$(mktemp -d "${TMPDIR:-/tmp}/flowgen-cluster-XXXXXX")
	LOGS=$BUILD/test-logs/cluster/$wiring
	mkdir -p "$LOGS"
	cannot=
	export W LOGS BUILD cannot wiring proxy
	OWNER=$$ "$here/cluster.sh" up "$wiring" "$proxy" 2> "$LOGS/up.log" || status=$?
	case $status in
	0) ;;
	77) cannot=$(tail -n1 "$LOGS/up.log") && return ;;
	*) cat "$LOGS/up.log" >&2 && return 1 ;;
	esac
	kubectl apply -f "$here/pods.yaml" > /dev/null
	kubectl wait -n shop --for=condition=Ready pod/cart-0 --timeout=120s > /dev/null
	kubectl rollout status -n shop deployment/web --timeout=120s > /dev/null
	kubectl rollout status -n pay statefulset/db --timeout=120s > /dev/null
}

teardown_suite() {
	"$here/cluster.sh" down
}
