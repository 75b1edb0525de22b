# SPDX-License-Identifier: GPL-2.0-only
# flowgen on the nodes of a real Kubernetes, and from it with what doc/deploy has (see setup_suite.bash).
. "$BATS_TEST_DIRNAME/helpers.bash"

setup() { need_cluster; }

@test "the nodes are ready, and every pod runs where it was put" {
	[ "$(kubectl get nodes -o json | jq -c '[.items[] | select(any(.status.conditions[]; .type == "Ready" and .status == "True")) | .metadata.name]')" = '["node-a","node-b"]' ]
	[ "$(kubectl get pods -A -o json | jq -r '.items[] | "\(.metadata.namespace) \(.spec.nodeName) \(.status.phase)"' | sort | uniq -c | xargs)" = \
		'2 pay node-b Running 2 shop node-a Running' ]
}

# from_cart ADDRESS PORT: what a client in the pod gets, by HTTP.
from_cart() {
	kubectl exec -n shop cart-0 -- /bin/sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 $1 $2" | tail -n1
}

@test "a Service works through kube-proxy, and so does the headless one's each pod" {
	# It takes its time to make the rules.
	works() { [ "$(from_cart "$(service pay/db)" 5432)" = hello ]; }
	wait_for works
	[ "$(from_cart "$(service pay/db)" 5432)" = hello ]
	[ "$(from_cart "$(service shop/web)" 80)" = hello ]
	[ "$(from_cart "$(address pay/db-1)" 8080)" = hello ]
	[ "$(from_cart "$(service pay/none)" 80)" = '' ]
	[ "$(kubectl get endpointslice -n pay -l kubernetes.io/service-name=each -o json | jq '[.items[].endpoints[]] | length')" = 2 ]
}

@test "flowgen pods: those of its own node" {
	[ "$(on node-a "$FLOWGEN" pods --output json | jq -r 'select(.refused == null and .namespace != null) | "\(.namespace)/\(.name)"' | sort | xargs)" = \
		"shop/cart-0 shop/$(only_web)" ]
	[ "$(on node-b "$FLOWGEN" pods --output json | jq -r 'select(.refused == null and .namespace != null) | "\(.namespace)/\(.name)"' | sort | xargs)" = \
		'pay/db-0 pay/db-1' ]
}

@test "same node" {
	inject --dst "$(address "shop/$(only_web)"):8080" --output json
	says '.outcome == "delivered" and .policy.denied_by == null and .pod.name == "shop/cart-0" and
		(.observations[.end] | .netns.name == "shop/" + $web)' --arg web "$(only_web)"
}

# What lies behind the border of node A has no name there. All nodes of this cluster have one kernel, so the packet is still seen
# on its way to the pod of node B.
@test "two nodes: the packet leaves node A, and what is behind is not of node A" {
	inject --dst "$(address pay/db-0):8080" --output json
	says '.outcome == "delivered" and .observations[.end].netns == { inode: $inode, name: null } and
		any(.observations[]; .netns.name == "host" and .device == "eth0" and .action == "Forwarded")' --argjson inode "$(namespace node-b pay/db-0)"
}

@test "a Service: the backend that kube-proxy chose; without an endpoint its rule is named" {
	inject --dst "$(service shop/web):80" --output json
	says '.outcome == "delivered" and (.observations[.end] | .netns.name == "shop/" + $web)' --arg web "$(only_web)"
	inject --dst "$(service pay/db):5432" --output json
	says '.outcome == "delivered" and (.observations[.end].netns | .inode == $one or .inode == $other)' \
		--argjson one "$(namespace node-b pay/db-0)" --argjson other "$(namespace node-b pay/db-1)"
	# Each mode of kube-proxy has a rule of its own for that.
	local table=filter chain=KUBE-SERVICES rule='"pay/none has no endpoints"'
	[ "$proxy" = iptables ] || table=kube-proxy chain=reject-chain rule=null
	inject --dst "$(service pay/none):80" --output json
	says '.outcome == "rejected" and .policy.stages.node == "denied" and .reply.kind == "icmp-error" and
		(.policy.denied_by | .kind == "netfilter" and .table == $table and .chain == $chain and .rule.comment == $rule)' \
		--arg table "$table" --arg chain "$chain" --argjson rule "$rule"
}

@test "denied on node A by BPF" {
	local id
	id=$(deny 8080)
	inject --dst "$(address pay/db-0):8080" --output json
	allow
	says '.policy.verdict == "denied" and .policy.denied_by.id == $id' --argjson id "$id"
	inject --dst "$(address pay/db-0):8080" --output json
	says '.policy.verdict != "denied"'
}

@test "dropped on node B by netfilter" {
	on node-b nft -f - <<- EOF
		table ip fence {
			chain forward { type filter hook forward priority 0; ip daddr $(address pay/db-0) tcp dport 8080 drop; }
		}
	EOF
	inject --dst "$(address pay/db-0):8080" --output json
	on node-b nft delete table ip fence
	says '.outcome == "dropped" and .policy.stages.node == "allowed" and .decider.netns == { inode: $inode, name: null } and
		(.policy.denied_by | .kind == "netfilter" and .stage == "ingress")' --argjson inode "$(on node-b stat -Lc %i /proc/1/ns/net)"
}

@test "lost between the nodes" {
	local what
	what="ip daddr $(address pay/db-0)"
	[ "$wiring" = routed ] || what='udp dport 8472'
	on hub nft -f - <<< "table bridge fence { chain forward { type filter hook forward priority 0; $what drop; }; }"
	inject --dst "$(address pay/db-0):8080" --output json
	on hub nft delete table bridge fence
	says '.outcome == "dropped" and (.observations[.end] | .action == "Dropped" and
		.netns == { inode: $inode, name: null })' --argjson inode "$(on hub stat -Lc %i /proc/1/ns/net)"
}

# As doc/deploy/README.md has it.
@test "without a login: kubectl debug" {
	local said pod
	said=$(kubectl debug node/node-a --profile=sysadmin --image=localhost/flowgen:latest --image-pull-policy=Never -- \
		/flowgen inject --host-root /host --pod shop/cart-0 --dst "$(address "shop/$(only_web)"):8080")
	pod=$(grep -o 'node-debugger-[^ ]*' <<< "$said")
	kubectl wait --for='jsonpath={.status.containerStatuses[0].state.terminated}' "pod/$pod" --timeout=60s
	run --separate-stderr kubectl logs "$pod"
	kubectl delete pod "$pod" > /dev/null
	says '.outcome == "delivered" and .pod.name == "shop/cart-0" and (.observations[.end] | .netns.name == "shop/" + $web)' --arg web "$(only_web)"
}

# the_job NODE ARGUMENT...: doc/deploy/job.yaml as it stands, with the node and the question set, as its text says.
the_job() {
	local node=$1
	shift
	"$PYTHON" - "$deploy/job.yaml" "$node" "$@" <<- 'EOF' | kubectl apply -f - > /dev/null
		import sys, yaml
		job = yaml.safe_load(open(sys.argv[1]))
		pod = job["spec"]["template"]["spec"]
		pod["nodeName"] = sys.argv[2]
		pod["containers"][0]["args"] = sys.argv[3:]
		print(yaml.safe_dump(job))
	EOF
	kubectl wait -n kube-system --for=jsonpath='{.status.conditions[*].status}' job/flowgen --timeout=60s
}

@test "the Job of doc/deploy" {
	the_job node-a inject --host-root /host --pod shop/cart-0 --dst "$(address "shop/$(only_web)"):8080"
	run --separate-stderr kubectl logs -n kube-system job/flowgen
	says '.outcome == "delivered" and .pod.name == "shop/cart-0" and (.observations[.end] | .netns.name == "shop/" + $web)' --arg web "$(only_web)"
	kubectl delete -n kube-system job/flowgen --wait > /dev/null
}
