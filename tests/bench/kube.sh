# shellcheck shell=bash disable=SC2154  # sourced by run
# The client of `kubectl flowgen run` with 50 and 500 agents that answer all at the same time. What they say was recorded from a real
# one, for the request that the client makes; only the names of the pod, its node and the request are each agent's own. `kubectl` is
# a script that replays it: the client is measured, and no cluster. It has no proxy, so that each agent is a process.
heading "The client of kubectl flowgen run, and recorded agents"
agents=$work/agents
mkdir -p "$agents/bin"
ports=20
# scenario AGENTS: each pod sends to 20 ports.
agents_scenario() {
	echo 'name: recorded'
	echo 'pods:'
	for ((i = 0; i < $1; i++)); do echo "  sender-$i-x: bench/sender-$i-x"; done
	echo 'destinations: {dst: "ext:10.9.0.9"}'
	echo "matrix: {from: [$(seq -s, -f 'sender-%.0f-x' 0 $(($1 - 1)))], to: dst, ports: [1-$ports/udp], expect: allow}"
}
# pods AGENTS: what the API server says of the senders and of the agents, each on a node of its own.
agents_pods() {
	jq -nc --argjson n "$1" '{kind: "List", items: [range($n) | {kind: "Pod", metadata: {namespace: "bench", name: "sender-\(.)-x"},
		spec: {nodeName: "node-\(.)-x"}, status: {phase: "Running", podIPs: [{ip: "10.99.\(. / 250 | floor).\(. % 250 + 1)"}]}}]}' > "$agents/senders"
	jq -nc --argjson n "$1" '{kind: "List", items: [range($n) | {kind: "Pod", metadata: {namespace: "kube-system", name: "agent-\(.)",
		ownerReferences: [{kind: "DaemonSet", name: "flowgen-agent", controller: true}]}, spec: {nodeName: "node-\(.)-x"},
		status: {phase: "Running", conditions: [{type: "Ready", status: "True"}]}}]}' > "$agents/agents"
}
cat > "$agents/bin/kubectl" << END
#!/bin/bash
case " \$* " in
*" proxy "*) exit 1 ;;
*" exec "*) ;;
*component=agent*) exec cat "$agents/agents" ;;
*) exec cat "$agents/senders" ;;
esac
node=\${!#} number=\${!#//[!0-9]/}
sed -u "s/node-0-x/\$node/g" "$agents/hello"
while read -r request; do
	[[ \$request == *'"id":"'r* ]] || continue
	[ -e "$agents/request" ] || echo "\$request" > "$agents/request"
	id=\${request##*'"id":"'}
	[ ! -s "$agents/results" ] || sed "s/sender-0-x/sender-\$number-x/g; s/node-0-x/\$node/g; s/\"id\":\"r0\"/\"id\":\"\${id%%\"*}\"/" "$agents/results"
	[ -s "$agents/results" ] || exit 1
done
END
chmod +x "$agents/bin/kubectl"
kube() { env PATH="$agents/bin:$PATH" "$BUILD/tests/bench/took" "$agents/took" "$flowgen" kube run --agent daemonset "$@"; }
# The request is the client's own, and a real agent on this node answers it. The pod is there by that name.
node "$podctl" up sender-0-x --addr 10.99.0.1/32
agents_pods 1
agents_scenario 1 > "$agents/one.yaml"
: > "$agents/results"
echo '{"agent":{"protocol":1,"version":"0","host":"x","kernel":"x","node":"node-0-x","verbs":["run"],"parallel":1}}' > "$agents/hello"
kube "$agents/one.yaml" > /dev/null 2>&1 || :
mkfifo "$agents/requests"
node "$flowgen" agent --node node-0-x < "$agents/requests" > "$agents/said" &
exec 8> "$agents/requests"
sed 's,bench/sender,netns:sender,g' "$agents/request" >&8
until grep -q '"done":{' "$agents/said"; do sleep 0.05; done
exec 8>&-
wait "$!" || :
head -n 1 "$agents/said" > "$agents/hello"
sed '1d; s,netns:sender,bench/sender,g' "$agents/said" > "$agents/results"

for count in 50 500; do agents_scenario "$count" > "$agents/all$count.yaml"; done
for ((i = 0; i < 3; i++)); do
	for count in 50 500; do
		agents_pods "$count"
		: > "$agents/took"
		kube "$agents/all$count.yaml" --output tap --json "$agents/json" --junit /dev/null --report /dev/null > "$work/out" 2> "$work/err"
		must "results" "$(grep -c '^ok ' "$work/out")" $((count * ports))
		read -r wall _ peak < "$agents/took"
		sample "kube$count.each" "$(calc "a / n * 1e6" a="$wall" n=$((count * ports)))"
		sample "kube$count.peak" "$peak"
	done
done
figure kube.peak "500 agents: peak memory, four outputs at once" MiB kube500.peak most 256
against kube.each "500 agents: time for each result" µs kube500.each "50 agents" kube50.each most 1.5
