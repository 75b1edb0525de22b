# SPDX-License-Identifier: GPL-2.0-only
# `kubectl flowgen` by that name: which ends a question has, who decided, and what is made on the nodes for it (see setup_suite.bash).
. "$BATS_TEST_DIRNAME/helpers.bash"

setup() { need_cluster; }

# No test leaves an agent behind; one that failed may have left its client, which holds one.
teardown() {
	[ -z "$cannot" ] || return 0
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		[ -z "${busy:-}" ] || kill -INT "$(pgrep -x flowgen -P "$busy" || echo "$busy")" 2> /dev/null || :
		laptop kubectl flowgen cleanup > /dev/null 2>&1 || :
	fi
	wait_for no_agents
}

ask() { run --separate-stderr laptop kubectl flowgen inject "$@" --output json; }

refused() { # refused TEXT...: exit status 3, nothing on standard output, and one line that says each of these
	local text
	echo "status $status: $output / $stderr"
	[ "$status" = 3 ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" = 1 ]
	for text; do
		[[ $stderr == *"$text"* ]]
	done
}

agents() { kubectl get pods -A -l app.kubernetes.io/component=agent -o json; }
no_agents() { [ "$(agents | jq '.items | length')" = 0 ]; }

# The name of an agent that runs.
agent() { agents | jq -er '.items[] | select(.status.phase == "Running" and .metadata.deletionTimestamp == null) | .metadata.name' | grep -m1 .; }

agent_on() { agents | jq -er --arg node "$1" '.items[] | select(.spec.nodeName == $node and .status.phase == "Running") | .metadata.name' | grep -m1 .; }

# What answers for as long as it is not stopped; $busy is its process.
be_busy() {
	rm -f "$W/busy"
	laptop "$FLOWGEN" kube inject --pod shop/cart-0 --dst deploy:shop/web:8080 --count 0 --interval 100ms --output json > "$W/busy" 2> "$W/busy.err" &
	busy=$!
	wait_for test -s "$W/busy"
}

# --- names -------------------------------------------------------------------------------------------------------------

@test "same node: the receiver is a Deployment" {
	ask --pod shop/cart-0 --dst deploy:shop/web:8080
	says '.outcome == "delivered" and .node == "node-a" and .to.node == "node-a" and .to.pod == $web and .packet.dst == $address and
		(.observations[.end] | .netns.name == "shop/" + $web)' --arg web "$(only_web)" --arg address "$(address "shop/$(only_web)")"
}

@test "two nodes: the receiver's node is named" {
	ask --pod shop/cart-0 --dst pay/db-1:8080
	says '.outcome == "delivered" and .node == "node-a" and .to.node == "node-b" and .to.pod == "db-1" and .packet.dst == $address' \
		--arg address "$(address pay/db-1)"
	# The other way, from the other node.
	ask --pod sts:pay/db --dst shop/cart-0:8080
	says '.outcome == "delivered" and .node == "node-b" and .to.node == "node-a" and (.pod.name | test("^pay/db-[01]$"))'
}

@test "a Service by its port's name; each backend, also of a headless one; none" {
	ask --pod shop/cart-0 --dst svc:pay/db:sql
	says '.outcome == "delivered" and .packet.dst == $address and .packet.dport == 5432' --arg address "$(service pay/db)"
	local service
	for service in db each; do
		ask --pod shop/cart-0 --dst "endpoints:pay/$service:sql"
		echo "status $status: $output / $stderr"
		[ "$status" = 0 ]
		jq -se --arg one "$(address pay/db-0)" --arg other "$(address pay/db-1)" 'length == 2 and all(.[]; .outcome == "delivered" and
			.packet.dport == 8080 and .to.node == "node-b") and (map(.packet.dst) | sort) == ([$one, $other] | sort)' <<< "$output"
	done
	ask --pod shop/cart-0 --dst svc:pay/none:80
	says '.outcome == "rejected" and .policy.stages.node == "denied"'
	[[ $stderr == *'svc:pay/none:80: the service has no endpoint that is ready'* ]]
}

@test "two senders of a label: a result from each node" {
	kubectl label pod -n pay db-0 tier=any > /dev/null
	kubectl label pod -n pay db-1 tier=any > /dev/null
	ask --pod label:pay/tier=any:all --dst shop/cart-0:8080
	echo "status $status: $output / $stderr"
	[ "$status" = 0 ]
	jq -se 'length == 2 and (map(.pod.name) | sort) == ["pay/db-0", "pay/db-1"] and all(.[]; .outcome == "delivered" and .node == "node-b")' <<< "$output"
}

# --- who decided -------------------------------------------------------------------------------------------------------

@test "denied on node A by BPF" {
	local id
	id=$(deny 8080)
	ask --pod shop/cart-0 --dst pay/db-0:8080
	allow
	says '.policy.verdict == "denied" and .policy.denied_by.id == $id and .node == "node-a"' --argjson id "$id"
}

@test "one ladder over two nodes, also behind a Service" {
	local dst
	for dst in pay/db-1:8080 svc:pay/db; do
		ask --pod shop/cart-0 --dst "$dst"
		says '.outcome == "delivered" and .stopped and .to.node == "node-b" and (.to.pod | test("^db-[01]$")) and
			([.observations[].node] | unique == ["node-a", "node-b"]) and .observations[.end].node == "node-b" and
			([.decisions[].node] | unique == ["node-a", "node-b"]) and (.observations[.end].netns.name | test("^pay/db-[01]$"))'
		"$PYTHON" "$here/../e2e/schema.py" "$here/../../doc/result.schema.json" <<< "$output"
	done
	run --separate-stderr laptop kubectl flowgen inject -n shop cart-0 pay/db-0:8080 --reply -o text
	echo "$output / $stderr"
	[ "$status" = 0 ]
	[[ $output == 'REPLIED'* && $output == *'on node node-b'* ]]
}

@test "denied on node B by BPF, at the receiver's ingress" {
	local id
	id=$(deny 8080 node-b pay/db-0 egress)
	ask --pod shop/cart-0 --dst pay/db-0:8080 --expect deny
	local first=$status denied=$output
	ask --pod shop/cart-0 --dst pay/db-0:8080 --expect allow
	local second=$status
	ask --pod shop/cart-0 --dst pay/db-0:8081
	allow
	says '.outcome == "delivered" and .policy.verdict == "allowed"'
	[ "$first $second" = '0 1' ]
	jq -e --argjson id "$id" '.policy.verdict == "denied" and .outcome == "dropped" and .policy.denied_by.id == $id and .expect.met and
		(.decider | .node == "node-b" and .stage == "ingress")' <<< "$denied"
}

@test "--control over two nodes: a denial there is proven by it, or is not" {
	local id
	id=$(deny 8080 node-b pay/db-0 egress)
	ask --pod shop/cart-0 --dst pay/db-0:8080 --control 8081 --expect deny
	local proven=$output first=$status
	# That the other pod is reached says as much as is asked.
	ask --pod shop/cart-0 --dst pay/db-0:8080 --control dst=pay/db-1,tcp
	local other=$output
	allow
	on node-b nft -f - <<< "table ip fence { chain forward { type filter hook forward priority 0; ip daddr $(address pay/db-0) drop; }; }"
	ask --pod shop/cart-0 --dst pay/db-0:8080 --control 8081 --expect deny
	on node-b nft delete table ip fence
	echo "$first $status $(jq -c '[.control, .reason, .expect]' <<< "$proven$other$output") $stderr"
	[ "$first $status" = '0 4' ]
	jq -se --argjson id "$id" 'length == 1 and (.[0] | .policy.denied_by.id == $id and .decider.node == "node-b" and .expect.met and
		(.control | .asked == "8081" and .port == 8081 and .outcome == "delivered" and .proven))' <<< "$proven"
	jq -e --arg to "$(address pay/db-1)" '.policy.verdict == "denied" and (.control | .dst == $to and .port == 8080 and .proven)' <<< "$other"
	jq -e '.policy.verdict == "denied" and (.control | .verdict == "denied" and .outcome == "dropped" and .proven == false) and
		.reason == "the control failed too" and (.expect.met | not)' <<< "$output"
	"$PYTHON" "$here/../e2e/schema.py" "$here/../../doc/result.schema.json" <<< "$proven"
}

@test "dropped on node B by netfilter" {
	on node-b nft -f - <<< "table ip fence { chain forward { type filter hook forward priority 0; ip daddr $(address pay/db-0) drop; }; }"
	ask --pod shop/cart-0 --dst pay/db-0:8080
	on node-b nft delete table ip fence
	says '.outcome == "dropped" and .policy.verdict == "denied" and .policy.denied_by.kind == "netfilter" and
		(.decider | .node == "node-b" and .stage == "node")'
}

@test "two senders to one receiver: what happens to the one is not told of the other" {
	on node-a nft -f - <<< "table ip fence { chain forward { type filter hook forward priority 0; ip saddr $(address pay/db-0) drop; }; }"
	ask --pod sts:pay/db:all --dst shop/cart-0:8080 --proto udp
	on node-a nft delete table ip fence
	echo "status $status: $output / $stderr"
	jq -se 'length == 2 and (map("\(.pod.name) \(.outcome) \(.policy.verdict)") | sort | .[0] == "pay/db-0 dropped denied" and
		(.[1] | test("^pay/db-1 delivered")))' <<< "$output"
}

@test "lost between the nodes: it left, and did not arrive" {
	local what
	[ "$wiring" = vxlan ] && what='ip protocol udp' || what="ip daddr $(address pay/db-0)"
	on hub nft -f - <<< "table netdev cut { chain c { type filter hook egress device \"node-b\" priority 0; $what drop; }; }"
	ask --pod shop/cart-0 --dst pay/db-0:8080 --expect allow
	on hub nft delete table netdev cut
	echo "status $status: $output / $stderr"
	[ "$status" = 4 ]
	jq -e '.outcome == "inconclusive" and .policy.verdict == "unknown" and (.expect.met | not) and
		(.reason | test("^left node node-a at [^;]*; did not arrive at [^ ]* of node node-b$"))' <<< "$output"
}

@test "several packets to another node; what cannot be asked of both is refused in one line" {
	ask --pod shop/cart-0 --dst pay/db-0 --proto udp --dport 8080,8081 --count 3 --interval 1ms
	echo "status $status: $output / $stderr"
	[ "$status" = 0 ]
	jq -se 'length == 6 and all(.[]; .outcome == "delivered" and .observations[.end].node == "node-b")' <<< "$output"
	# The time and the pace tell how many to await.
	ask --pod shop/cart-0 --dst pay/db-0:8081 --duration 4s --interval 1s
	echo "status $status: $output / $stderr"
	[ "$status" = 0 ]
	jq -se 'length >= 2 and length <= 5 and all(.[]; .outcome == "delivered" and .observations[.end].node == "node-b")' <<< "$output"
	ask --pod shop/cart-0 --dst pay/db-0:8081 --duration 1s
	[ "$status" = 2 ]
	[[ ${#stderr_lines[@]} = 1 && $stderr == *'--duration: how many packets another node is to wait for is not known'*'--interval TIME or --rate N'* ]]
	ask --pod sts:pay/db:all --dst shop/cart-0:8080 --until deny
	[ "$status" = 2 ]
	[[ ${#stderr_lines[@]} = 1 && $stderr == *'--until: one packet is repeated, and these are 2'* ]]
	ask --pod shop/cart-0 --src deploy:shop/web --dst pay/db-0:8081
	[ "$status" = 2 ]
	[[ ${#stderr_lines[@]} = 1 && $stderr == *'--src: "deploy:shop/web"'*"the sender's name is --pod REF"* ]]
	ask --pod shop/cart-0 --dst pay/db-0 --proto udp -p 1-1025
	[ "$status" = 2 ]
	[[ ${#stderr_lines[@]} = 1 && $stderr == *'1025 packets to another node: it awaits at most 1024'* ]]
}

@test "several keys are expected of the whole way, and not of one half of it" {
	ask --pod shop/cart-0 --dst pay/db-0:8080 --proto tcp --reply --expect allow,reply=none
	echo "status $status: $output / $stderr"
	[ "$status" = 1 ]
	jq -se 'length == 1 and (.[0] | .reply.kind == "syn-ack" and (.expect.met | not))' <<< "$output"
	ask --pod shop/cart-0 --dst pay/db-0:8080 --proto tcp --reply --expect allow,reply=syn-ack
	says '.reply.kind == "syn-ack" and .expect.met'
}

@test "--until asks both nodes about one packet after the other: a policy of node B that takes effect meanwhile" {
	local id exit=0
	laptop kubectl flowgen inject --pod shop/cart-0 --dst pay/db-0:8080 --until deny --duration 40s --interval 200ms --output json > "$W/until" 2> "$W/until.err" &
	busy=$!
	wait_for test -s "$W/until"
	id=$(deny 8080 node-b pay/db-0 egress)
	wait "$busy" || exit=$?
	allow
	echo "$exit $(cat "$W/until.err") $(jq -c '[.outcome, .policy.verdict, .expect]' "$W/until")"
	[ "$exit" = 0 ]
	# Only what is new is told: delivered first, denied on node B in the end.
	jq -se --argjson id "$id" '(.[0] | .outcome == "delivered" and (.expect.met | not)) and length < 10 and (.[-1] | .policy.denied_by.id == $id and
		.expect.met and .decider.node == "node-b")' "$W/until"
	grep -qE 'deny after [0-9.]+ s, not yet at [0-9.]+ s' "$W/until.err"
	ask --pod shop/cart-0 --dst pay/db-0:8080 --until deny --count 2
	[ "$status" = 1 ]
	[[ $stderr == *'never deny'* ]]
	ask --pod shop/cart-0 --dst pay/db-0:8080 --until allow
	says '.outcome == "delivered" and .expect.met'
	[[ $stderr == *'allow from the first probe on'* ]]
}

@test "names of ports: of a pod, at a pod's address, and what everybody calls so" {
	ask --pod shop/cart-0 --dst pod:pay/db-0:sql
	says '.outcome == "delivered" and .packet.dport == 8080 and .to.node == "node-b"'
	ask --pod shop/cart-0 --dst "$(address pay/db-0):sql"
	says '.outcome == "delivered" and .packet.dport == 8080 and .to.pod == "db-0"'
	ask --pod shop/cart-0 --dst "$(address pay/db-0):http"
	says '.packet.dport == 80 and .to.pod == "db-0"'
}

@test "nobody listens there: who refuses it is on node B" {
	ask --pod shop/cart-0 --dst pay/db-0:9 --reply
	says '.outcome == "rejected" and .reply.kind == "rst" and .observations[-1].node == "node-b"'
}

# A denial on the receiver's node is the whole way's: in each form of the report, and when it is recorded.
@test "a scenario over both ends: denied on node B is as expected, and proven by its control" {
	local id
	cat > "$W/both.yaml" <<- 'END'
		name: both ends
		pods: { cart: shop/cart-0, db: pay/db-0, other: pay/db-1 }
		destinations: { sql: svc:pay/db:sql }
		probes:
		  - { name: denied, from: cart, to: db, dport: "8080", expect: { ingress: denied, denied-by: deny_port }, control: "8081" }
		  - { name: allowed, from: [cart, other], to: db, dport: "8081", expect: { outcome: delivered } }
		  - { name: wrong, from: cart, to: db, dport: "8080", expect: allow }
		  - { name: any backend, from: cart, to: sql, expect: { policy: any } }
		  - { name: many, from: cart, to: other, dport: "8080", count: "300", proto: udp, expect: allow }
	END
	sed -i 's/, expect: { policy: any }//' "$W/both.yaml"
	id=$(deny 8080 node-b pay/db-0 egress)
	run --separate-stderr laptop kubectl flowgen run --output json --junit "$W/both.xml" --report "$W/both.html" "$W/both.yaml"
	local json=$output first=$status said=$stderr
	run --separate-stderr laptop kubectl flowgen run --record "$W/both.yaml"
	allow
	echo "$first $said / $(jq -c '[.scenario.probe, .scenario.status, .scenario.why, .outcome, .policy.verdict]' <<< "$json") / $output $stderr"
	[ "$first" = 1 ]
	[ "$(jq -r 'select(.scenario) | "\(.scenario.probe) \(.scenario.status)"' <<< "$json" | sed 's/many ([0-9]*)/many/' | sort | uniq -c | xargs -n1 -d'\n' | sed 's/^ *//' | grep -v 'any backend')" = "$(
		cat <<- 'END'
			1 allowed: cart to db pass
			1 allowed: other to db pass
			1 control of denied pass
			1 denied pass
			300 many pass
			1 wrong fail
		END
	)" ]
	jq -se --argjson id "$id" 'map(select(.scenario.probe == "denied")) | length == 1 and (.[0] | .policy.denied_by.id == $id and
		.outcome == "dropped" and .control.proven and (.decider | .node == "node-b" and .stage == "ingress"))' <<< "$json"
	jq -se 'map(select(.scenario.probe == "wrong")) | .[0].scenario.why == "verdict: expected allowed or redirected or none, got denied"' <<< "$json"
	grep -q 'expect: deny' <<< "$output"
}

@test "a scenario over both ends: --fail-fast stops what crosses nodes as well, and nothing of it reaches a pod" {
	local before
	cat > "$W/fast.yaml" <<- 'END'
		name: fast
		pods: { cart: shop/cart-0, db: pay/db-0, other: pay/db-1 }
		probes:
		  - { name: wrong, from: cart, to: db, dport: "8080", expect: deny }
		  - { name: many, from: [cart, other], to: db, dport: "8080", count: "9000", proto: udp, expect: allow }
	END
	received() { in_namespace node-b pay/db-0 cat /proc/net/snmp | awk '/^Udp:/ && $2 ~ /[0-9]/ { print $2 + $3 }'; }
	before=$(received)
	[ -n "$before" ]
	run --separate-stderr laptop kubectl flowgen run --fail-fast --output json "$W/fast.yaml"
	echo "status $status: $stderr / $(tail -n 1 <<< "$output")"
	[ "$status" = 1 ]
	jq -se '[.[] | select(.scenario and .scenario.status != "pass") | .scenario.probe] == ["wrong"]' <<< "$output"
	jq -se '.[-1] | .planned == 18001 and .done < 18001 and .fail == 1 and .inconclusive == 0' <<< "$output"
	[ "$(received)" = "$before" ]
}

# --- agents ------------------------------------------------------------------------------------------------------------

@test "the agent's pod has the Job's capabilities and mounts, and is gone after ^C" {
	be_busy
	agents | jq -e --argjson job "$("$PYTHON" -c 'import json, sys, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]))' "$deploy/job.yaml")" '
		.items | length == 1 and (.[0].spec | .nodeName == "node-a" and .hostPID and .hostNetwork and .activeDeadlineSeconds == 3600 and
		.containers[0].securityContext == $job.containers[0].securityContext and .containers[0].volumeMounts == $job.containers[0].volumeMounts and
		[.volumes[].hostPath.path] == [$job.volumes[].hostPath.path])'
	kill -INT "$(pgrep -x flowgen -P "$busy" || echo "$busy")"
	wait "$busy" || true
	wait_for no_agents
	jq -se 'length > 0 and all(.[]; .outcome == "delivered")' "$W/busy"
}

@test "the client killed: cleanup removes its agent at once" {
	local name
	be_busy
	name=$(agent)
	kill -KILL "$(pgrep -x flowgen -P "$busy" || echo "$busy")"
	wait "$busy" || true
	[ "$(agent)" = "$name" ]
	run --separate-stderr laptop kubectl flowgen cleanup
	echo "$output / $stderr"
	[ "$status" = 0 ]
	[[ $output == *"$name"* ]]
	wait_for no_agents
	refute on node-a pgrep -x flowgen
}

# --- what cannot be ----------------------------------------------------------------------------------------------------

@test "a node that is not ready" {
	ready() { [ "$(kubectl get node node-b -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = "$1" ]; }
	on node-b sh -c 'kill -KILL $(pgrep -x kubelet)'
	wait_for ready Unknown
	ask --pod pay/db-0 --dst shop/cart-0:8080 --start-timeout 5s
	local sender=$status said=$output/$stderr
	ask --pod shop/cart-0 --dst pay/db-0:8080 --start-timeout 3s --expect allow
	"$here/cluster.sh" kubelet node-b
	wait_for ready True
	echo "status $status: $output / $stderr"
	[ "$status" = 4 ]
	jq -se 'length == 1 and (.[0] | .outcome == "inconclusive" and .policy.verdict == "unknown" and (.expect.met | not) and
		(.reason | contains("node node-b could not look: ") and contains("on node node-b: its node has not taken it up")))' <<< "$output"
	# The receiver's node answers, but there is nothing to answer.
	[ "$sender" = 4 ]
	[[ $said == '/'*'on node node-b: its node has not taken it up'* && $said != *$'\n'* ]]
}

# cut PACKETS POD: in the background; $busy is its process.
cut() {
	laptop kubectl flowgen inject --pod shop/cart-0 --dst "$2:8080" --count "$1" --interval 100ms --expect allow --output json > "$W/cut" 2> "$W/cut.err" &
	busy=$!
	wait_for agent_on node-b
	sleep 2
}

@test "the receiver's agent deleted in the middle: what it did not see is not known" {
	local exit=0
	cut 100 pay/db-0
	kubectl delete pod -n kube-system --force --grace-period=0 "$(agent_on node-b)" > /dev/null 2>&1
	wait "$busy" || exit=$?
	echo "$exit $(cat "$W/cut.err") $(jq -r .reason "$W/cut" | sort | uniq -c)"
	[ "$exit" = 4 ]
	jq -se 'length == 100 and all(.[]; .outcome == "inconclusive" and .policy.verdict == "unknown" and (.expect.met | not) and
		(.reason | test("^left node node-a at [^;]*; node node-b could not look: node node-b: ")))' "$W/cut"
}

@test "the receiver deleted in the middle: no packet of that time is called allowed" {
	local exit=0
	kubectl run gone -n pay --image=localhost/flowgen-test:1 --image-pull-policy=Never --overrides='{"spec": {"nodeName": "node-b"}}' \
		--command -- /bin/httpd -f -p 8080 -h /www > /dev/null
	kubectl wait -n pay --for=condition=Ready pod/gone --timeout=60s > /dev/null
	cut 100 pay/gone
	kubectl delete pod -n pay gone --force --grace-period=0 > /dev/null 2>&1
	wait "$busy" || exit=$?
	echo "$exit $(cat "$W/cut.err") $(jq -c '[.outcome, .policy.verdict, .reason]' "$W/cut" | sort | uniq -c)"
	[ "$exit" = 4 ]
	jq -se 'length == 100 and all(.[]; .policy.verdict == "unknown" and (.expect.met | not) and .reason == "the receiver went away during the run: its device is gone")' "$W/cut"
}

# --- doc/deploy --------------------------------------------------------------------------------------------------------

@test "rbac.yaml grants what is asked for" {
	ask --as someone --as-group flowgen-users --pod shop/cart-0 --dst deploy:shop/web:8080
	refused 'does not let someone'
	kubectl apply -f "$deploy/rbac.yaml" > /dev/null
	ask --as someone --as-group flowgen-users --pod shop/cart-0 --dst deploy:shop/web:8080
	kubectl delete -f "$deploy/rbac.yaml" > /dev/null
	says '.outcome == "delivered" and .to.pod == $web' --arg web "$(only_web)"
}

@test "daemonset.yaml: its agents answer, and stay" {
	local first
	kubectl apply -f "$deploy/daemonset.yaml" > /dev/null
	kubectl rollout status -n kube-system daemonset/flowgen-agent --timeout=60s > /dev/null
	first=$(agents | jq -c '[.items[].metadata.name] | sort')
	ask --pod shop/cart-0 --dst pay/db-0:8080
	[ "$(agents | jq -c '[.items[].metadata.name] | sort')" = "$first" ]
	kubectl delete -f "$deploy/daemonset.yaml" > /dev/null
	says '.outcome == "delivered" and .node == "node-a" and .to.node == "node-b"'
	[ "$(jq length <<< "$first")" = 2 ]
}

@test "--agent daemonset: its agents are made once, answer, and stay until cleanup" {
	local first
	ask --agent daemonset --pod shop/cart-0 --dst pay/db-0:8080
	says '.outcome == "delivered" and .node == "node-a" and .to.node == "node-b"'
	first=$(agents | jq -c '[.items[].metadata.name] | sort')
	[ "$(jq length <<< "$first")" = 2 ]
	kubectl get daemonset -n kube-system flowgen-agent > /dev/null
	ask --agent daemonset --pod pay/db-0 --dst shop/cart-0:8080
	says '.outcome != null and .node == "node-b"'
	[ "$(agents | jq -c '[.items[].metadata.name] | sort')" = "$first" ]
	laptop kubectl flowgen cleanup > /dev/null
	wait_for no_agents
	# One that cannot start there is told, with the object and what to look at.
	ask --agent daemonset --image localhost/none:1 --start-timeout 3s --pod shop/cart-0 --dst pay/db-0:8080
	refused 'no agent of the DaemonSet flowgen-agent is ready there after 3 s' 'kubectl describe pods -n kube-system'
	laptop kubectl flowgen cleanup > /dev/null
	wait_for no_agents
}

@test "cronjob.yaml: its scenario becomes JUnit in the log" {
	"$PYTHON" - "$deploy/cronjob.yaml" "$(address "shop/$(only_web)")" <<- 'EOF' | kubectl apply -f - > /dev/null
		import sys, yaml
		config, job = yaml.safe_load_all(open(sys.argv[1]))
		scenario = yaml.safe_load(config["data"]["scenario.yaml"])
		scenario["probes"] = [dict(scenario["probes"][0], to=sys.argv[2] + ":8080")]
		config["data"]["scenario.yaml"] = yaml.safe_dump(scenario)
		job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["nodeName"] = "node-a"
		print(yaml.safe_dump_all([config, job]))
	EOF
	kubectl create job -n kube-system --from=cronjob/flowgen-scenario now > /dev/null
	kubectl wait -n kube-system --for=condition=Complete job/now --timeout=60s
	kubectl logs -n kube-system job/now > "$BATS_TEST_TMPDIR/junit.xml"
	kubectl delete -n kube-system job/now cronjob/flowgen-scenario configmap/flowgen-scenario > /dev/null
	cat "$BATS_TEST_TMPDIR/junit.xml"
	xmllint --noout --schema "$here/../junit.xsd" "$BATS_TEST_TMPDIR/junit.xml"
	[ "$(xmllint --xpath 'string(/testsuites/@tests)' "$BATS_TEST_TMPDIR/junit.xml")" = 1 ]
}
