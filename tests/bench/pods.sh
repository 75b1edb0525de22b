# shellcheck shell=bash disable=SC2154  # sourced by run
# A node full of pods: 250 with a pair, a policy program and a containerd bundle each. The program is loaded once.
heading "250 pods of a containerd, each with a program"
pods=250
cat > "$work/pods" << 'END'
set -eu
id=$1 pods=$2
mount -t tmpfs tmpfs /run/containerd 2> /dev/null || { mkdir -p /run/containerd && mount -t tmpfs tmpfs /run/containerd; }
task=/run/containerd/io.containerd.runtime.v2.task/k8s.io
padding=$(head -c 15000 /dev/zero | tr '\0' x)
mount -t bpf bpf /sys/fs/bpf 2> /dev/null || :
bpftool prog pin id "$id" /sys/fs/bpf/full
# The first is the pod that the other figures are about.
for ((i = 0; i <= pods; i++)); do
	name=full$i
	[ "$i" -gt 0 ] || name=web
	sandbox=$(printf '%064x' "$i")
	mkdir -p "$task/$sandbox"
	cat > "$task/$sandbox/config.json" << JSON
{"ociVersion":"1.0.2","process":{"args":["/pause"],"env":["PADDING=$padding"]},"annotations":{
"io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-id":"$sandbox","io.kubernetes.cri.sandbox-name":"pod-$i",
"io.kubernetes.cri.sandbox-namespace":"full","io.kubernetes.cri.sandbox-uid":"00000000-0000-4000-8000-$(printf '%012x' "$i")"},
"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/$name"}]}}
JSON
	[ "$i" -gt 0 ] || continue
	ip netns add "$name"
	ip link add "f$i" type veth peer name eth0 netns "$name"
	ip -n "$name" addr add "10.77.$((i / 250)).$((i % 250 + 1))/32" dev eth0
	ip -n "$name" link set eth0 up
	ip link set "f$i" up
	tc qdisc add dev "f$i" clsact
	tc filter add dev "f$i" ingress bpf da object-pinned /sys/fs/bpf/full
done
rm /sys/fs/bpf/full
END
# What hangs on the devices keeps the program loaded.
node "$podctl" up seed --addr 10.9.6.2/32
id=$(node "$podctl" attach seed --hook tc/ingress --policy next_all)
node bash "$work/pods" "$id" "$pods"
for ((i = 0; i < 7; i++)); do
	took listing "$flowgen" pods --output json
	must "pods listed by their names" \
		"$(jq -c 'select(.namespace == "full" and (.programs | length) == 1)' "$work/out" | wc -l)" $((pods + 1))
	took cold "$flowgen" inject --pod full/pod-0 --dst 10.9.0.9:53 --proto udp
done
derive cold.ms 'a * 1000' cold.wall
figure pods.listing "flowgen pods" s listing.wall most 1
figure pods.cold "cold inject by name among them" ms cold.ms most 150
