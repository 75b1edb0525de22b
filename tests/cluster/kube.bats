# SPDX-License-Identifier: GPL-2.0-only
# kubectl flowgen on a real Kubernetes (see setup_suite.bash), from outside of the nodes: it has kubectl and nothing else.
. "$BATS_TEST_DIRNAME/helpers.bash"

setup() {
	need_cluster
	rm -rf "$W/instead"
	mkdir -p "$W/run"
}

# The client: in the network of the API server, with a kubeconfig.
client() {
	nsenter -t "$(cat "$W/hub.pid")" -n -- env "PATH=$W/instead:$BUILD/cluster/bin:$PATH" "KUBECONFIG=$W/admin.conf" \
		"XDG_RUNTIME_DIR=$W/run" "$BUILD/flowgen" kube "$@" 3>&-
}
ask() { run --separate-stderr client "$@"; }

agents() { kubectl get pods -n kube-system -l app.kubernetes.io/component=agent -o name; }

wait_until() { # wait_until SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "waited in vain for: $*" >&2 && return 1; }
		sleep 0.2
	done
}

# The client's way to the API server, of which nothing may stay.
no_line() { [ -z "$(ls "$W/run")" ] && ! pgrep -f "unix-socket=$W/run/" > /dev/null; }
no_agents() { [ -z "$(agents)" ]; }
none_runs() { [ -z "$(kubectl get pods -n kube-system -l app.kubernetes.io/component=agent --field-selector=status.phase=Running -o name)" ]; }

# started: the client in the background has written a result; then client_pid is its process.
start_client() {
	rm -f "$W/out"
	client "$@" > "$W/out" 2> "$W/err" &
	job=$!
	wait_until 30 test -s "$W/out"
	client_pid=$(pgrep -P "$job") || client_pid=$job
}

@test "a Service by its name: the address, the port and the protocol are the cluster's" {
	ask inject --pod shop/cart-0 --dst svc:pay/db
	echo "$status $output $stderr"
	[ "$status" = 0 ]
	jq -e --arg address "$(kubectl get service -n pay db -o 'jsonpath={.spec.clusterIP}')" \
		'.packet.dst == $address and .packet.dport == 5432 and .packet.proto == "tcp" and .node == "node-a" and
		.pod.name == "shop/cart-0" and .to.name == "svc:pay/db" and ([.decisions[].node] | unique == ["node-a", "node-b"])' <<< "$output"
	wait_until 20 no_agents
}

@test "each pod of a Deployment against each backend, at the port of the backend" {
	ask inject --pod deploy:shop/web:all --dst endpoints:pay/db:sql
	[ "$status" = 0 ]
	[ "$(jq -r '"\(.to.pod) \(.to.node) \(.packet.dport)"' <<< "$output" | sort | xargs)" = 'db-0 node-b 8080 db-1 node-b 8080' ]
}

@test "a DNS name, as the sending pod resolves it" {
	ask inject --pod shop/cart-0 --dst db-1.each.pay.svc.cluster.local:8080
	[ "$status" = 0 ]
	[ "$(jq -r .packet.dst <<< "$output")" = "$(kubectl get pod -n pay db-1 -o 'jsonpath={.status.podIP}')" ]
	ask inject --pod shop/cart-0 --dst db:5432
	[ "$status" = 3 ]
	[[ $stderr == *'no service of the cluster has this name for pod shop/cart-0'* ]]
}

@test "pods of all nodes in one table, and check of each node" {
	ask pods
	[ "$status" = 0 ]
	[ "$(awk '$2 == "pay" || $2 == "shop" { print $1, $2 }' <<< "$output" | sort | uniq -c | xargs)" = '2 node-a shop 2 node-b pay' ]
	ask pods -n pay -l app=db --output json
	[ "$(jq -r '"\(.node) \(.namespace)/\(.name)"' <<< "$output" | sort | xargs)" = 'node-b pay/db-0 node-b pay/db-1' ]
	ask check --output json
	[ "$(jq -r .node_name <<< "$output" | sort | xargs)" = 'node-a node-b' ]
}

@test "exec: the command's exit status and output" {
	ask exec --pod shop/cart-0 -- /flowgen --version
	[ "$status" = 0 ]
	[[ $output == 'flowgen '* ]]
	run -127 --separate-stderr client exec --pod shop/cart-0 -- /nonesuch
}

@test "exec ends with its client, and no agent stays" {
	local exit=0
	mkfifo "$W/in"
	client exec --pod shop/cart-0 -- /flowgen agent <> "$W/in" > "$W/out" 2> "$W/err" &
	job=$!
	wait_until 30 test -s "$W/out"
	kill -TERM "$(pgrep -P "$job" || echo "$job")"
	wait "$job" || exit=$?
	echo "$exit $(cat "$W/err")"
	[ "$exit" != 0 ]
	wait_until 20 no_agents
}

@test "a client that was stopped for a while does not take its agents for dead" {
	client catch --pod shop/cart-0 --proto udp --dport 7 > "$W/out" 2> "$W/err" &
	job=$!
	wait_until 30 grep -q catching "$W/err" || { cat "$W/err" && false; }
	client_pid=$(pgrep -P "$job") || client_pid=$job
	kill -STOP "$client_pid"
	sleep 13
	kill -CONT "$client_pid"
	sleep 1
	kill -INT "$client_pid"
	wait "$job" || :
	cat "$W/err"
	grep -q ' caught' "$W/err"
	refute grep -q 'has not answered' "$W/err"
	wait_until 20 no_agents
}

@test "what an agent would not read is not sent" {
	{
		printf 'schema: flowgen.scenario/1\nname: long\npods: { cart: shop/cart-0 }\nprobes:\n'
		seq 45000 | sed 's/.*/  - { name: a probe with a long name for a long line &, from: cart, to: cart, dport: "8080", expect: allow }/'
	} > "$W/long.yaml"
	ask run "$W/long.yaml"
	echo "$status ${output:0:500} $stderr"
	[ "$status" = 4 ]
	[[ $stderr == *'node node-a: a request of '*' bytes; its agent reads 4194304 at most (split the file)'* ]]
	wait_until 20 no_agents
}

@test "a scenario: each probe from the node of its pod, one report" {
	cat > "$W/scenario.yaml" <<- 'END'
		schema: flowgen.scenario/1
		name: shop and pay
		variables: { web: "deploy:shop/web" }
		pods: { cart: shop/cart-0, web: "${web}", db: sts:pay/db }
		destinations: { sql: svc:pay/db:sql, none: svc:pay/none:80 }
		probes:
		  - { name: sql, from: cart, to: sql, expect: { outcome: delivered } }
		  - { name: back, from: db, to: cart, dport: "8080", expect: { outcome: delivered } }
		  - { name: none, from: web, to: none, expect: { outcome: delivered } }
		matrix: { name: all, from: [cart, web, db], to: web, ports: [8080/tcp], expect: { outcome: delivered } }
	END
	ask run --output json "$W/scenario.yaml"
	[ "$status" = 1 ]
	[ "$(jq -r 'select(.scenario) | "\(.scenario.probe) \(.node) \(.scenario.status)"' <<< "$output" | sort)" = "$(
		sort <<- 'END'
			sql node-a pass
			back node-b pass
			none node-a fail
			all: cart to web tcp/8080 node-a pass
			all: web to web tcp/8080 node-a skip
			all: db to web tcp/8080 node-b pass
		END
	)" ]
	[ "$(jq -c 'select(.schema == "flowgen.run/1") | [.planned, .done, .pass, .fail, .skip, .inconclusive, .lost_nodes]' <<< "$output")" = \
		'[6,6,4,1,1,0,0]' ]
	[ "$(jq -r 'select(.scenario) | .scenario.file' <<< "$output" | uniq)" = "$W/scenario.yaml" ]
	ask run --output tap "$W/scenario.yaml"
	[ "$(grep -c '^ok\|^not ok' <<< "$output")" = 6 ]
	[ "$(tail -n 1 <<< "$output")" = 1..6 ]
	ask run --only 'web to web' --output json "$W/scenario.yaml"
	[ "$(jq -r 'select(.scenario) | .scenario.probe' <<< "$output")" = 'all: web to web tcp/8080' ]
	ask run --watch "$W/scenario.yaml"
	[ "$status" = 2 ]
}

# junit FILE: the suites' counts, then each case with what it came to.
junit() {
	"$PYTHON" - "$1" <<- 'END'
		import sys, xml.etree.ElementTree as tree
		root = tree.parse(sys.argv[1]).getroot()
		print(*(root.get(key) for key in ("tests", "failures", "errors", "skipped")))
		for case in root.iter("testcase"):
		    print(case.get("name"), *([child.tag for child in case if child.tag != "system-out"] or ["passed"]))
	END
}

@test "a scenario's report as JUnit and HTML: the matrix of all nodes, with their names" {
	cat > "$W/report.yaml" <<- 'END'
		schema: flowgen.scenario/1
		name: shop and pay
		pods: { cart: shop/cart-0, db: sts:pay/db }
		matrix:
		  name: all
		  from: [cart, db]
		  to: [cart, db]
		  ports: [8080/tcp]
		  table:
		    cart: skip allow
		    db: deny skip
		probes: [{ name: both, from: [cart, db], to: "svc:shop/web:80", expect: allow }]
	END
	ask run --output junit --junit "$W/report.xml" --report "$W/report.html" "$W/report.yaml"
	echo "$status $stderr"
	[ "$status" = 1 ]
	printf '%s\n' "$output" > "$W/out.xml"
	[ "$(junit "$W/out.xml")" = "$(junit "$W/report.xml")" ]
	[ "$(junit "$W/report.xml" | sort | xargs)" = "$(
		sort <<- 'END' | xargs
			4 1 0 0
			all: cart to db tcp/8080 passed
			all: db to cart tcp/8080 failure
			both: cart to svc:shop/web:80 passed
			both: db to svc:shop/web:80 passed
		END
	)" ]
	grep -q '^from node: node-b$' "$W/report.xml"
	grep -q '<th>cart<small>node node-a</small></th>' "$W/report.html"
	grep -q '<th>db<small>node node-b</small></th><td class="fail" data-to="[^"]*">' "$W/report.html"
	# An error in the file is one of its line, before anything is sent.
	sed -i 's/deny skip/deny skap/' "$W/report.yaml"
	ask run "$W/report.yaml"
	[ "$status" = 2 ]
	[[ $stderr == "flowgen: $W/report.yaml:11:"* ]]
	[ -z "$output" ]
	sed -i 's/deny skap/deny skip/; s|shop/cart-0|svc:pay/db|' "$W/report.yaml"
	ask run "$W/report.yaml"
	[ "$status" = 2 ]
	[[ $stderr == "flowgen: $W/report.yaml:3:"* ]]
}

@test "a node that is lost in the middle: what it did not answer is an error in the report, and nothing else is" {
	cat > "$W/lost.yaml" <<- 'END'
		schema: flowgen.scenario/1
		name: lost
		pods: { cart: shop/cart-0, db: sts:pay/db }
		probes:
		  - { name: many, from: cart, to: db, dport: "8080", count: "4000", expect: allow }
		  - { name: back, from: db, to: pay/db-1, dport: "8080", expect: allow }
	END
	start_client run --parallel 1 --output json --junit "$W/lost.xml" --report "$W/lost.html" "$W/lost.yaml"
	wait_until 30 grep -q '"node":"node-a"' "$W/out"
	kubectl delete pod -n kube-system --force --grace-period=0 \
		"$(kubectl get pods -n kube-system -l app.kubernetes.io/component=agent -o json |
			jq -er '.items[] | select(.spec.nodeName == "node-a") | .metadata.name')" > /dev/null 2>&1
	local exit=0
	wait "$job" || exit=$?
	[ "$exit" = 4 ]
	[ "$(jq -r 'select(.scenario) | .scenario.status' "$W/out" | sort | uniq)" = $'inconclusive\npass' ]
	jq -se '.[-1] | .planned == 4001 and .done == 4001 and .lost_nodes == 1 and .fail == 0 and .inconclusive > 0 and .pass > 1' "$W/out"
	jq -se 'map(select(.scenario.probe == "back")) | length == 1 and (.[0] | .scenario.status == "pass" and .node == "node-b")' "$W/out"
	jq -se 'map(select(.schema == "flowgen.unsent/1")) | length > 0 and all(.node == "node-a" and (.scenario.why | startswith("the node was lost: ")))' "$W/out"
	[ "$(junit "$W/lost.xml" | head -n1)" = "$(jq -r 'select(.schema == "flowgen.run/1") | "4001 0 \(.inconclusive) 0"' "$W/out")" ]
	grep -q '<b>Nodes lost:</b> 1' "$W/lost.html"
	wait_until 30 no_agents
}

@test "what is not there, not allowed, not admitted or not to be had is one line each" {
	ask inject --pod shop/cart-9 --dst svc:pay/db
	[ "$status" = 3 ]
	[ "$stderr" = 'flowgen: shop/cart-9: the cluster has no pod shop/cart-9' ]
	ask inject --pod shop/cart-0 --dst svc:pay/nope
	[ "$status" = 3 ]
	[ "$stderr" = 'flowgen: svc:pay/nope: the cluster has no service pay/nope' ]
	ask inject --pod shop/cart-0 --dst svc:pay/db --as bob
	[ "$status" = 3 ]
	[[ $stderr == 'flowgen: pods of shop: the cluster does not let bob get pods in namespace shop (the right that is missing: get on pods; '* ]]
	ask inject --pod shop/cart-0 --dst svc:pay/db --image localhost/nonesuch:1
	[ "$status" = 3 ]
	[[ $stderr == *'on node node-a: its image could not be pulled (ErrImagePull)'* ]]
	kubectl create namespace tight > /dev/null
	kubectl label namespace tight pod-security.kubernetes.io/enforce=baseline > /dev/null
	ask inject --pod shop/cart-0 --dst svc:pay/db --agent-namespace tight
	[ "$status" = 3 ]
	[[ $stderr == *'admission refused it: violates PodSecurity'* ]]
	[ "$(wc -l <<< "$stderr")" = 1 ]
	wait_until 20 no_agents
}

@test "interrupted, the request ends as on a node, and no agent stays" {
	start_client inject --pod shop/cart-0 --dst deploy:shop/web:8080 --count 0 --interval 200ms
	kill -INT "$client_pid"
	wait "$job"
	grep -q ' sent in ' "$W/err"
	wait_until 20 no_agents
}

@test "killed, the agent ends by its deadline; cleanup removes what is left" {
	start_client inject --pod shop/cart-0 --dst deploy:shop/web:8080 --count 0 --interval 200ms --agent-deadline 15s
	[ "$(stat -c %A:%F "$W"/run/flowgen-*/proxy)" = 'srwx------:socket' ]
	[ "$(stat -c %a "$W"/run/flowgen-*)" = 700 ]
	refute no_line
	kill -KILL "$client_pid"
	wait "$job" || [ "$?" = 137 ]
	wait_until 5 no_line
	[ -n "$(agents)" ]
	wait_until 40 none_runs
	ask cleanup
	[ "$status" = 0 ]
	[[ $output == pod/flowgen-agent-* ]]
	wait_until 20 no_agents
}

@test "two clients at once do not disturb each other" {
	client inject --pod shop/cart-0 --dst svc:pay/db > "$W/one" &
	local one=$!
	ask inject --pod deploy:shop/web --dst svc:pay/db
	[ "$status" = 0 ]
	wait "$one"
	[ "$(jq -r .pod.name "$W/one")" = shop/cart-0 ]
	wait_until 20 no_agents
}

@test "a namespace's matrix is learnt, and holds" {
	ask run --record -n pay
	echo "$status $stderr"
	[ "$status" = 0 ]
	printf '%s\n' "$output" > "$W/learnt.yaml"
	grep -q '^name: namespace pay$' "$W/learnt.yaml"
	grep -q '^    "\?sts:pay/db"\?: ' "$W/learnt.yaml"
	refute grep -q 'pay/db-[01]' "$W/learnt.yaml"
	ask run --output json "$W/learnt.yaml"
	echo "$status $output $stderr"
	[ "$status" = 0 ]
	# A way without a rule of netfilter meets no policy: none. And the first backend of the headless service may be the sender itself.
	[ "$(jq -r 'select(.scenario) | .scenario | "\(.from) \(.to) \(.expected | sub("none"; "allowed")) \(.status)"' <<< "$output" |
		sed 's/each:8080 any skip$/each:8080 allowed pass/' | sort)" = "$(
		cat <<- 'END'
			sts:pay/db svc:pay/db:5432 allowed pass
			sts:pay/db svc:pay/each:8080 allowed pass
			sts:pay/db svc:pay/none:80 deny pass
		END
	)" ]
	# Every pod, of all namespaces; and no more of them than the labels say.
	ask run --record -A --every-pod -l app=db
	[ "$status" = 0 ]
	[ "$(grep -o 'pay/db-[01]\|shop/cart-0' <<< "$output" | sort -u | xargs)" = 'pay/db-0 pay/db-1' ]
	[[ $output == *svc:shop/web:80* ]]
	# A file: what was seen is in place of what was expected, and the names stay.
	cat > "$W/record.yaml" <<- 'END'
		name: mine
		pods: { cart: shop/cart-0 }
		destinations: { none: "svc:pay/none:80" }
		probes: [{ name: none, from: cart, to: none, expect: allow }]
	END
	ask run --record "$W/record.yaml"
	[ "$status" = 0 ]
	grep -q '^pods: { cart: shop/cart-0 }$' <<< "$output"
	grep -q 'svc:pay/none:80' <<< "$output"
	grep -q 'to: none, expect: deny }]$' <<< "$output"
	wait_until 20 no_agents
}

@test "a pod's addresses in other networks are the pod's" {
	ask inject --pod shop/cart-0 --dst 10.99.0.7:80
	[ "$(jq -r .to.pod <<< "$output")" = null ]
	kubectl annotate pod -n pay db-1 'k8s.v1.cni.cncf.io/network-status=[
		{"name": "main", "interface": "eth0", "ips": ["10.0.0.1"]},
		{"name": "pay/second", "interface": "net1", "ips": ["10.99.0.7"]}]' > /dev/null
	ask inject --pod shop/cart-0 --dst 10.99.0.7:80
	echo "$output $stderr"
	[ "$(jq -r '"\(.to.namespace)/\(.to.pod) \(.to.node)"' <<< "$output")" = 'pay/db-1 node-b' ]
	kubectl annotate pod -n pay db-1 k8s.v1.cni.cncf.io/network-status- > /dev/null
	wait_until 20 no_agents
}

# keep_from exec|proxy|late: the client's kubectl is the real one, but does not do that; late: its proxy never begins.
keep_from() {
	mkdir -p "$W/instead"
	cat > "$W/instead/kubectl" <<- END
		#!/bin/bash
		case "$1 \$* " in
		exec*" exec "* | proxy*" proxy "*) exit 1 ;;
		late*" proxy "*) sleep 300 & wait ;;
		esac
		exec "$BUILD/cluster/bin/kubectl" "\$@"
	END
	chmod +x "$W/instead/kubectl"
}

@test "one kubectl serves all questions; without its proxy each is a kubectl, and the answer the same" {
	local answer kept
	for kept in exec proxy late; do
		keep_from "$kept"
		ask inject --kube-timeout 5s --pod shop/cart-0 --dst svc:pay/db
		echo "without $kept: $status $stderr"
		[ "$status" = 0 ]
		no_line
		[ "$kept" = exec ] || [ "$(jq -c '[.outcome, .to.name, [.decisions[].node]]' <<< "$output")" = "$answer" ]
		answer=$(jq -c '[.outcome, .to.name, [.decisions[].node]]' <<< "$output")
	done
	wait_until 20 no_agents
}

@test "many pods of a scenario are looked up at once: kubectl asks for named ones at five a second" {
	local i kept begin
	{
		echo 'pods:'
		for i in {1..100}; do echo "  pod-$i: shop/none-$i"; done
		echo 'destinations: { db: "pod:pay/db-0" }'
		echo 'probes: [{ name: x, from: pod-1, to: db, dport: 8080, expect: allow }]'
	} > "$W/many.yaml"
	for kept in exec proxy; do
		keep_from "$kept"
		begin=$EPOCHREALTIME
		ask run "$W/many.yaml"
		echo "without $kept: $status $stderr"
		[ "$status" = 3 ]
		[[ $stderr == *'the cluster has no pod shop/none-1' ]]
		jq -ne --arg from "$begin" --arg to "$EPOCHREALTIME" '($to | tonumber) - ($from | tonumber) < 15'
	done
}
