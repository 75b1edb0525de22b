# shellcheck shell=bash disable=SC2154  # sourced by run, and uses what is defined there
# A node full of pods: 250 with a pair, a policy program and a containerd bundle each. The program is loaded once.
echo "250 pods of a containerd, each with a program:"
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
listing=$(seconds node "$flowgen" pods --output json)
at_least "pods listed by their names" \
	"$(node "$flowgen" pods --output json | jq -c 'select(.namespace == "full" and (.programs | length) == 1)' | wc -l)" "$pods"
at_most "flowgen pods, in seconds" "$listing" 1
cold=$(seconds node "$flowgen" inject --pod full/pod-0 --dst 10.9.0.9:53 --proto udp)
at_most "cold inject by name among them, in ms (without entering)" \
	"$(awk -v a="$cold" -v b="$enter" 'BEGIN { print (a - b) * 1000 }')" 150
