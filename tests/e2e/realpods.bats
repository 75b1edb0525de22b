# SPDX-License-Identifier: GPL-2.0-only
# Pods of a real containerd with real CNI plugins, of podman and of docker, in a node of the test's own (tests/realpods).
# Names are resolved by tests/tool/runtimels, packets are sent by flowgen. What is on disk does not depend on the kernel,
# and a command in the node takes seconds in a virtual machine: those tests stay out of it.

BUILD=${BUILD:-$(realpath "$BATS_TEST_DIRNAME/../../build")}
FLOWGEN=${FLOWGEN:-$BUILD/flowgen}

bats_require_minimum_version 1.5.0

setup_file() {
	local status=0
	W=$(mktemp -d "${TMPDIR:-/tmp}/flowgen-pods-XXXXXX")
	fixture=$BATS_TEST_DIRNAME/../realpods/fixture.sh
	runtimels=$BUILD/tests/tool/runtimels
	export W fixture runtimels
	cannot=''
	export cannot
	"$fixture" up 2> "$W.log" || status=$?
	[ "$status" != 77 ] || cannot=$(tail -n1 "$W.log")
	[ "$status" = 0 ] || [ "$status" = 77 ] || { cat "$W.log" >&2; return 1; }
}

teardown_file() {
	"$fixture" down
	rm -f "$W.log"
}

setup() {
	[ -z "$cannot" ] || skip "$cannot"
}

PATH=$PATH:$(realpath -m "$BATS_TEST_DIRNAME/../../build/docker")

node() { "$fixture" exec "$@"; }
cri() { node "$BATS_TEST_DIRNAME/../realpods/cri.py" "$@"; }

# The one pod that a name stands for, as JSON.
pod() { node "$runtimels" "" "$1" | jq -ce '.[0]'; }

refused() { # refused NAME TEXT: exit status 3, and the message says TEXT
	run node "$runtimels" "" "$1"
	echo "$output"
	[ "$status" = 3 ]
	[[ $output == *"$2"* ]]
}


inject() { node "$FLOWGEN" inject "$@"; }

gone() { ! node readlink "/proc/$1/ns/net"; }

wait_for() {
	local end=$((SECONDS + 20))
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

uid=3c1ad6e4-9a6c-4f53-8a52-9f0a3c1f000

# bats test_tags=novm
@test "a pod is found by name, uid, container and shortened container" {
	one=$(pod shop/cart-0)
	[ "$(jq -r .uid <<< "$one")" = "${uid}1" ]
	[ "$(jq -r .runtime <<< "$one")" = containerd ]
	[ "$(jq .live <<< "$one")" = true ]
	[ "$(pod "uid:${uid}1")" = "$one" ]
	[ "$(pod "container:$(cat "$W/web")")" = "$one" ]
	[ "$(pod "container:$(cut -c1-12 "$W/web")")" = "$one" ]
}

# bats test_tags=novm
@test "the namespace is the one that CNI wired" {
	path=$(pod shop/cart-0 | jq -r .netns)
	[[ $(node nsenter --net="$path" ip -4 -o addr show eth0) == *'inet 10.244.1.'* ]]
	path=$(pod shop/db-0 | jq -r .netns)
	[[ $(node nsenter --net="$path" ip -4 -o addr show eth0) == *'inet 10.244.2.'* ]]
}

# bats test_tags=novm
@test "the same name in two namespaces is two pods" {
	[ "$(pod pay/cart-0 | jq -r .uid)" = "${uid}2" ]
	[ "$(pod pay/cart-0 | jq .netns_inode)" != "$(pod shop/cart-0 | jq .netns_inode)" ]
	refused web/cart-0 'not on this node'
}

# bats test_tags=novm
@test "a host-network pod is refused" {
	refused kube-system/agent-x7 'host network'
}

# bats test_tags=novm
@test "from outside the node, by its root" {
	root=/proc/$(cat "$W/init")/root
	run "$runtimels" "$root" shop/cart-0
	[ "$status" = 0 ]
	path=$(jq -r '.[0].netns' <<< "$output")
	[ "$(jq '.[0].netns_inode' <<< "$output")" = "$(stat -Lc %i "$path")" ]
	[ "$(jq '.[0].netns_inode' <<< "$output")" = "$(pod shop/cart-0 | jq .netns_inode)" ]
}

# bats test_tags=novm
@test "where the recorded path does not open, the process's namespace does" {
	# A mount namespace without the runtime's mounts, as a container that is given /run before they are made.
	run node unshare --mount sh -c 'for mount in /run/netns/*; do umount "$mount"; done; exec "$@"' - "$runtimels" '' shop/cart-0
	[ "$status" = 0 ]
	[[ $(jq -r '.[0].netns' <<< "$output") == /proc/*/ns/net ]]
	[ "$(jq '.[0].netns_inode' <<< "$output")" = "$(pod shop/cart-0 | jq .netns_inode)" ]
}

# bats test_tags=novm
@test "podman: a container, a pod, and one on the node's network" {
	"$fixture" podman 2> "$W.log" || skip "podman: $(tail -n1 "$W.log")"
	[ "$(pod container:kiosk | jq -r .runtime)" = podman ]
	[ "$(pod "container:$(cut -c1-10 "$W/kiosk")")" = "$(pod container:kiosk)" ]
	[ "$(pod container:till)" = "$(pod container:stand)" ]
	[ "$(pod container:till | jq -r .namespace)" = '' ]
	path=$(pod container:till | jq -r .netns)
	[ "$(stat -Lc %i "/proc/$(cat "$W/init")/root/$path")" = "$(pod container:till | jq .netns_inode)" ]
	refused container:lobby 'host network'
	refused shop/stand 'not on this node'
}

# bats test_tags=novm
@test "pause killed: the pod is found by the container that lives on" {
	sandbox=$(cri runp shop late-0 "${uid}5")
	cri run "$sandbox" app localhost/flowgen-test:1 /bin/sleep infinity > "$BATS_TEST_TMPDIR/app"
	before=$(pod shop/late-0)
	pause=$(jq .pid <<< "$before")
	node kill -KILL "$pause"
	wait_for gone "$pause"
	wait_for node test ! -e "/run/containerd/io.containerd.runtime.v2.task/k8s.io/$sandbox"
	after=$(pod shop/late-0)
	[ "$(jq .live <<< "$after")" = true ]
	[ "$(jq .pid <<< "$after")" != "$pause" ]
	[ "$(jq .netns_inode <<< "$after")" = "$(jq .netns_inode <<< "$before")" ]
	[ "$(jq -r .id <<< "$after")" = "$sandbox" ]
	# Nothing lives, and the namespace is still wired: the CNI result tells.
	node kill -KILL "$(jq .pid <<< "$after")"
	wait_for node test ! -e "/run/containerd/io.containerd.runtime.v2.task/k8s.io/$(cat "$BATS_TEST_TMPDIR/app")"
	after=$(pod shop/late-0)
	[ "$(jq .live <<< "$after")" = false ]
	[ "$(jq .netns_inode <<< "$after")" = "$(jq .netns_inode <<< "$before")" ]
	cri stopp "$sandbox"
	refused shop/late-0 'not on this node'
	cri rmp "$sandbox"
}

# bats test_tags=novm
@test "stopped, then made again with another uid" {
	old=$(cri runp shop again-0 "${uid}6")
	result=$(node sh -c "cat /var/lib/cni/results/*-$old-eth0")
	cri stopp "$old"
	refused shop/again-0 'not on this node'
	refused "uid:${uid}6" 'not on this node'
	# A result that was left behind does not bring it back.
	node sh -c "cat > /var/lib/cni/results/ptp-$old-eth0" <<< "$result"
	refused shop/again-0 'not on this node'
	new=$(cri runp shop again-0 "${uid}7")
	[ "$(pod shop/again-0 | jq -r .uid)" = "${uid}7" ]
	cri rmp "$old"
	cri stopp "$new"
	cri rmp "$new"
}

# bats test_tags=novm
@test "two live pods of one name are listed with uid and age" {
	first=$(cri runp shop twin-0 "${uid}8")
	second=$(cri runp shop twin-0 "${uid}9")
	refused shop/twin-0 '2 match'
	[[ $output == *"uid ${uid}8"*'s old)'* ]]
	[[ $output == *"uid ${uid}9"* ]]
	[ "$(pod "uid:${uid}9" | jq -r .id)" = "$second" ]
	for sandbox in "$first" "$second"; do
		cri stopp "$sandbox"
		cri rmp "$sandbox"
	done
}

# bats test_tags=novm
@test "a pod's annotations do not make it another pod" {
	sandbox=$(cri runp shop liar-0 "${uid}a" --annotation io.kubernetes.cri.sandbox-name=vault-0 \
		--annotation io.kubernetes.cri.sandbox-namespace=pay --annotation io.kubernetes.cri.sandbox-id=x)
	[ "$(pod shop/liar-0 | jq -r .id)" = "$sandbox" ]
	refused pay/vault-0 'not on this node'
	cri stopp "$sandbox"
	cri rmp "$sandbox"
}

# bats test_tags=novm
@test "without the privilege to look at processes the records give names; without that for records it is named" {
	run node setpriv --bounding-set -all --inh-caps -all "$runtimels"
	[ "$status" = 0 ]
	[ "$(jq -r '.[] | select(.namespace == "shop") | "\(.name) \(.live)"' <<< "$output" | head -n 1)" = 'cart-0 false' ]
	run node setpriv --bounding-set -all,+sys_ptrace --inh-caps -all "$runtimels" '' shop/cart-0
	[ "$status" = 0 ]
	[ "$(jq '.[0].live' <<< "$output")" = true ]
	run node setpriv --reuid 65534 --clear-groups "$runtimels"
	[ "$status" = 3 ]
}

# bats test_tags=novm
@test "flowgen injects as a docker container and as a pod of cri-dockerd, by name and id" {
	"$fixture" docker 2> "$W.log" || skip "docker: $(tail -n1 "$W.log")"
	target=$(address shop/db-0):8080
	delivered container:shelf "$target" shelf shop/db-0
	delivered shelf "$target" shelf shop/db-0
	delivered "container:$(cut -c1-12 "$W/shelf")" "$target" shelf
	# A container in another's network stands for that.
	delivered container:basket "$target" shelf
	run inject --pod container:porter --dst "$target"
	[ "$status" = 3 ]
	[[ $output == *'host network'* ]]
	delivered shop/mug-0 "$target" shop/mug-0 shop/db-0
	delivered "uid:${uid}b" "$target" shop/mug-0
	delivered "container:$(cat "$W/app")" "$target" shop/mug-0
	# The other way, from a pod of containerd.
	delivered shop/cart-0 "$(node docker inspect -f '{{.NetworkSettings.IPAddress}}' shelf):8080" shop/cart-0 shelf
	# Stopped, and started again.
	node docker stop -t 0 shelf basket > /dev/null
	run inject --pod container:shelf --dst "$target"
	[ "$status" = 3 ]
	[[ $output == *'has stopped'* ]]
	node docker start shelf > /dev/null
	delivered container:shelf "$target" shelf
	# A label that the name does not bear out is somebody's own.
	node docker run -d --name imp --label io.kubernetes.pod.name=vault-0 --label io.kubernetes.pod.namespace=pay \
		--label "io.kubernetes.pod.uid=${uid}c" localhost/flowgen-test:1 > /dev/null
	delivered container:imp "$target" imp
	run inject --pod pay/vault-0 --dst "$target"
	[ "$status" = 3 ]
	# shellcheck disable=SC2046  # a list of ids
	node docker rm -f $(node docker ps -aq) > /dev/null
}

# bats test_tags=novm
@test "containerd dead: names are still found" {
	[ "$(pod shop/cart-0 | jq .live)" = true ]
	daemon=$(node pgrep -x containerd)
	node kill -KILL "$daemon"
	wait_for gone "$daemon"
	[ "$(pod shop/cart-0 | jq .live)" = true ]
	[ "$(pod shop/db-0 | jq -r .uid)" = "${uid}4" ]
}

@test "flowgen pods lists them all" {
	node "$FLOWGEN" pods --output json > "$BATS_TEST_TMPDIR/pods"
	/usr/bin/python3 "$BATS_TEST_DIRNAME/schema.py" "$BATS_TEST_DIRNAME/../../doc/pod.schema.json" < "$BATS_TEST_TMPDIR/pods"
	list=$(jq -sc . "$BATS_TEST_TMPDIR/pods")
	jq -e --arg uid "${uid}1" 'any(.[]; .namespace == "shop" and .name == "cart-0" and .uid == $uid and .runtime == "containerd"
		and .live and (.addresses[0] | startswith("10.244.1.")) and .device.kind == "veth" and .method != null)' <<< "$list"
	jq -e 'any(.[]; .namespace == "pay" and .name == "cart-0")' <<< "$list"
	jq -e 'any(.[]; .namespace == "kube-system" and .name == "agent-x7" and .netns == null and (.refused | contains("host network")))' <<< "$list"
	# Each pod once: its namespace is not listed a second time by the name that CNI gave it.
	[ "$(jq '[.[] | select(.netns) | .netns.inode] | length == (unique | length)' <<< "$list")" = true ]
	run node "$FLOWGEN" pods -o text
	[[ ${lines[0]} =~ ^NAMESPACE\ +NAME\ +UID\ +RUNTIME\ +ADDRESSES\ +DEVICE\ +HOST-DEVICE\ +METHOD\ +PROGRAMS ]]
	[[ $output =~ shop\ +cart-0\ +${uid}1\ +containerd\ +10\.244\.1\.[0-9]+\ +eth0\ veth\ +veth ]]
	[[ $output =~ kube-system\ +agent-x7\ .*host\ network ]]
}

@test "flowgen pods from outside the node, by its root" {
	run "$FLOWGEN" pods --host-root "/proc/$(cat "$W/init")/root" --output json
	[ "$status" = 0 ]
	[ "$(jq -r 'select(.refused == null and .namespace != null) | .namespace + "/" + .name' <<< "$output" | sort | xargs)" = 'pay/cart-0 shop/cart-0 shop/db-0' ]
}

address() { # address POD: of its eth0
	node nsenter --net="$(pod "$1" | jq -r .netns)" ip -4 -o addr show eth0 | grep -oE '10\.[0-9]+\.[0-9]+\.[0-9]+' | head -n1
}

# What podman brought has rules of its own in the forward chain: then netfilter is a policy that packets meet.
expected() {
	if node nft list ruleset | grep -q 'type filter hook forward'; then echo allowed; else echo none; fi
}

delivered() { # delivered POD DESTINATION NAME [DESTINATION'S NAME]: the result says so, and calls the pods by their names
	run --separate-stderr inject --pod "$1" --dst "$2" --proto tcp --output json
	echo "$output $stderr"
	[ "$status" = 0 ]
	jq -se --arg name "$3" --arg to "${4:-}" --arg verdict "$(expected)" 'length == 1 and .[0].outcome == "delivered" and .[0].policy.verdict == $verdict and
		.[0].pod.name == $name and ($to == "" or any(.[0].observations[]; .netns.name == $to))' <<< "$output"
}

@test "flowgen injects from a namespace's path, ptp to bridge and back" {
	delivered "$(pod shop/cart-0 | jq -r .netns)" "$(address shop/db-0):8080" shop/cart-0 shop/db-0
	delivered "$(pod shop/db-0 | jq -r .netns)" "$(address shop/cart-0):8080" shop/db-0 shop/cart-0
}

@test "flowgen injects by each name, on ptp and on bridge" {
	target=$(address shop/db-0):8080
	for name in shop/cart-0 "uid:${uid}1" "container:$(cut -c1-12 "$W/web")" "ip:$(address shop/cart-0)"; do
		delivered "$name" "$target" shop/cart-0 shop/db-0
	done
	delivered pay/cart-0 "$target" pay/cart-0 shop/db-0
	delivered shop/db-0 "$(address shop/cart-0):8080" shop/db-0 shop/cart-0
}

@test "text: sender and destination by their pods' names, also where the sender was named by its namespace" {
	local path says
	path=$(pod shop/cart-0 | jq -r .netns)
	for name in shop/cart-0 "$path"; do
		run --separate-stderr inject --pod "$name" --dst "$(address shop/db-0):8080" --output text
		echo "$output"
		[ "$status" = 0 ]
		says='nothing enforces here'
		[ "$(expected)" = none ] || says='netfilter let it pass'
		[[ ${lines[0]} == 'DELIVERED at eth0 ('* && $(tr -s ' \n' ' ' <<< "$output") == *"$says"* ]]
		[[ $output == *'(shop/db-0)'* ]]
		# Long lines are broken.
		grep -qE " pod (shop/cart-0|$path \(shop/cart-0\)), device eth0" < <(xargs -d '\n' <<< "$output" | tr -s ' ')
		grep -qE '^  shop/db-0$' <<< "$output"
	done
}

@test "a packet that is dropped in another pod's namespace says whose" {
	local db
	db=$(pod shop/db-0 | jq -r .netns)
	node nsenter --net="$db" sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
	node nsenter --net="$db" ip route add blackhole "$(address shop/cart-0)/32"
	run --separate-stderr inject --pod shop/cart-0 --dst "$(address shop/db-0):8080" --deliver --output json
	node nsenter --net="$db" ip route del blackhole "$(address shop/cart-0)/32"
	echo "$output"
	[ "$status" = 0 ]
	jq -e '.outcome == "dropped" and (.observations[.end] | .action == "Dropped" and .netns.name == "shop/db-0")' <<< "$output"
}

@test "a program on CNI's host-side device is seen to deny: ptp and bridge" {
	node "$BUILD/tests/tool/podctl" up seed --addr 10.77.0.2/32
	id=$(node "$BUILD/tests/tool/podctl" attach seed --hook tc/ingress --policy deny_port --proto tcp --port 8080)
	node sh -c "mount -t bpf bpf /sys/fs/bpf && bpftool prog pin id $id /sys/fs/bpf/deny"
	for name in cart-0 db-0; do
		device=$(node "$FLOWGEN" pods --output json | jq -r --arg name "$name" 'select(.namespace == "shop" and .name == $name) | .device.primary')
		node tc qdisc add dev "$device" clsact
		node tc filter add dev "$device" ingress bpf da object-pinned /sys/fs/bpf/deny
		run --separate-stderr inject --pod "shop/$name" --dst 10.77.0.2:8080 --output json
		node tc qdisc del dev "$device" clsact
		echo "$output"
		[ "$status" = 0 ]
		jq -e --argjson id "$id" '.policy.verdict == "denied" and .policy.denied_by.id == $id' <<< "$output"
	done
	node umount /sys/fs/bpf
}

# bats test_tags=novm
@test "flowgen injects as a podman pod and container, by id, name and bare name" {
	[ -s "$W/kiosk" ] || skip 'podman does not work here'
	target=$(address shop/db-0):8080
	delivered container:kiosk "$target" kiosk shop/db-0
	delivered kiosk "$target" kiosk shop/db-0
	delivered "container:$(cut -c1-12 "$W/kiosk")" "$target" kiosk
	# A container of a pod stands for the pod.
	delivered container:till "$target" stand
	delivered stand "$target" stand
	run inject --pod container:lobby --dst "$target"
	[ "$status" = 3 ]
	[[ $output == *'host network'* ]]
	# The start of an id is no bare word.
	run inject --pod "$(cut -c1-12 "$W/kiosk")" --dst "$target"
	[ "$status" = 3 ]
}

@test "flowgen refuses a host-network pod and one that is not there, with exit status 3" {
	run inject --pod kube-system/agent-x7 --dst 10.244.1.2:80
	[ "$status" = 3 ]
	[[ $output == *agent-x7*'host network'* ]]
	run inject --pod shop/nobody --dst 10.244.1.2:80
	[ "$status" = 3 ]
	[[ $output == *shop/nobody*'not on this node'* ]]
}

can_tcx() { node "$FLOWGEN" check --output json | jq -e .features.tcx.works > /dev/null; }

@test "exec: a command as pods of both CNI plugins, with what real pods have" {
	can_tcx || skip 'this kernel has no tcx (Linux 6.6)'
	path=$(pod shop/db-0 | jq -r .netns)
	far=$(node nsenter --net="$path" ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*')
	for name in shop/cart-0 pay/cart-0; do
		run node "$FLOWGEN" exec --pod "$name" --expect allow:icmp -- ping -c 2 -i .2 -W 5 "${far#inet }"
		[ "$status" = 0 ]
		[[ $output == *'2 received'* ]]
	done
	# And from there, over the other plugin's device.
	path=$(pod shop/cart-0 | jq -r .netns)
	near=$(node nsenter --net="$path" ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*')
	run node "$FLOWGEN" exec --pod shop/db-0 --report - -- ping -c 2 -i .2 -W 5 "${near#inet }"
	[ "$status" = 0 ]
	[[ $output == *'2 received'*'2 packets out, 2 in'* ]]
	run node "$FLOWGEN" exec --pod shop/cart-0 --env-from-pod -- sh -c 'ip -4 -o addr show eth0; hostname; env'
	[ "$status" = 0 ]
	[[ $output == *"${near#inet }"* ]]
}
