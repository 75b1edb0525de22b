# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# helpers.bash - questions to the cluster that setup_suite.bash has started.
bats_require_minimum_version 1.5.0

here=$(realpath "${BASH_SOURCE[0]%/*}")
BUILD=${BUILD:-$(realpath "$here/../../build")}
FLOWGEN=${FLOWGEN:-$BUILD/flowgen}
PYTHON=/usr/bin/python3
TOOL=$BUILD/tests/tool
deploy=$(realpath "$here/../../doc/deploy")

# Why there is none, if there is none.
need_cluster() { [ -z "$cannot" ] || skip "$cannot"; }

refute() { ! "$@"; }
kubectl() { "$here/cluster.sh" kubectl "$@" 3>&-; }
on() { "$here/cluster.sh" exec "$@" 3>&-; }

wait_for() { # wait_for COMMAND...: at most 60 s
	local end=$((SECONDS + 60))
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "waited in vain for: $*" >&2 && return 1; }
		sleep 0.1
	done
}

address() { kubectl get pod -n "${1%/*}" "${1#*/}" -o 'jsonpath={.status.podIP}'; }
service() { kubectl get service -n "${1%/*}" "${1#*/}" -o 'jsonpath={.spec.clusterIP}'; }
namespace() { on "$1" "$FLOWGEN" pods --output json | jq --arg pod "$2" 'select("\(.namespace)/\(.name)" == $pod) | .netns.inode'; }
# in_namespace NODE NAMESPACE/POD COMMAND...: in the pod's network, with the node's files.
in_namespace() {
	# shellcheck disable=SC2016  # the shell there expands it
	on "$1" bash -c 'for p in /proc/[0-9]*; do
			[ "$(stat -Lc %i "$p/ns/net" 2> /dev/null)" != "$0" ] || exec nsenter --net="$p/ns/net" "$@"
		done
		exit 1' "$(namespace "$1" "$2")" "${@:3}"
}
only_web() { kubectl get pod -n shop -l app=web -o 'jsonpath={.items[0].metadata.name}'; }

inject() { run --separate-stderr on node-a "$FLOWGEN" inject --pod shop/cart-0 "$@"; }

says() { # says FILTER [ARGUMENT OF jq...]: exit status 0, and it is true of the one object on standard output
	local filter=$1
	shift
	echo "status $status: $output / $stderr"
	[ "$status" = 0 ]
	jq -se "$@" "length == 1 and (.[0] | $filter)" <<< "$output"
}

# laptop COMMAND...: with kubectl and its plugin on PATH, all rights, and no more of the cluster than the API server.
laptop() {
	mkdir -p "$W/laptop"
	ln -sf "$FLOWGEN" "$W/laptop/kubectl-flowgen"
	ln -sf "$BUILD/cluster/bin/kubectl" "$W/laptop/kubectl"
	nsenter -t "$(cat "$W/hub.pid")" -n -- env PATH="$W/laptop:$PATH" KUBECONFIG="$W/admin.conf" "$@" 3>&-
}

# deny PORT [NODE POD HOOK]: a program on the pod's host-side device; prints its id. Without more: cart-0's, on the way out.
deny() {
	local id device port=$1 node=${2:-node-a} pod=${3:-shop/cart-0} hook=${4:-ingress}
	on "$node" "$TOOL/podctl" up seed --addr 10.77.0.2/32 > /dev/null
	id=$(on "$node" "$TOOL/podctl" attach seed --hook tc/ingress --policy deny_port --proto tcp --port "$port")
	device=$(on "$node" "$FLOWGEN" pods --output json | jq -r --arg pod "$pod" 'select("\(.namespace)/\(.name)" == $pod) | .device.primary')
	on "$node" mkdir -p /run/flowgen-bpf
	on "$node" sh -c "mount -t bpf bpf /run/flowgen-bpf && bpftool prog pin id $id /run/flowgen-bpf/deny"
	on "$node" tc qdisc add dev "$device" clsact
	on "$node" tc filter add dev "$device" "$hook" bpf da object-pinned /run/flowgen-bpf/deny
	echo "$node $device" > "$W/denying"
	echo "$id"
}

allow() {
	local node device
	read -r node device < "$W/denying"
	on "$node" tc qdisc del dev "$device" clsact
	on "$node" umount /run/flowgen-bpf
	on "$node" "$TOOL/podctl" del seed
}
