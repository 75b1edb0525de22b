#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# W=DIR cluster.sh up [routed|vxlan] [iptables|nftables] | exec PLACE COMMAND... | kubectl ARGUMENT... | kubelet NODE | down
# A throw-away Kubernetes: the published one, built by tests/cluster/build, with etcd, containerd and CNI plugins of Debian.
#
# `hub` is a process, mount, network and host name namespace with the API server and what belongs to it, and the wire: a bridge that
# the nodes are plugged into. Each node (node-a, node-b, and with NODES=3 node-c) is four such namespaces below the hub's, with its
# own containerd, kubelet and kube-proxy. All of it ends with the hub's first process, and that with the process OWNER, if it is
# set. Nothing of it is on this machine, except in DIR and in a control group that bears DIR's name; `down` removes both.
#
#   hub 172.30.0.1, node-a 172.30.0.11, node-b 172.30.0.12; pods 10.244.x.0/24 as Kubernetes gives them out; services 10.96.0.0/16
#   routed: CNI ptp, each node has a route to each other's pods; vxlan: CNI bridge, behind a VXLAN device with fixed entries
#
# Images on each node: localhost/flowgen-test:1 (busybox) and localhost/flowgen:latest (doc/deploy/Containerfile). No other is to be had.
# `exec PLACE` runs in hub or a node; `kubectl` with all rights, from the hub's network but with the files of who calls it.
# `kubelet NODE` starts one again that was killed.
# Logs of every daemon: LOGS (DIR/logs). Exit status 77: this machine cannot do it; the reason is on standard error.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
: "${W:?where the cluster lives}"
W=$(realpath -m "$W")
BUILD=$(realpath -m "${BUILD:-$here/../../build}")
LOGS=$(realpath -m "${LOGS:-$W/logs}")
export W BUILD LOGS
PATH=$BUILD/cluster/bin:$PATH:/usr/sbin:/sbin
name=flowgen-$(basename "$W")
image=localhost/flowgen-test:1
flowgen_image=localhost/flowgen:latest
services=10.96.0.0/16 pods=10.244.0.0/16

nodes=(node-a node-b node-c)
nodes=("${nodes[@]:0:${NODES:-2}}")

unable() {
	echo "cluster.sh: $1" >&2
	exit 77
}

wait_for() { # wait_for SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

inside() { # inside PLACE COMMAND...
	local place=$1
	shift
	nsenter -t "$(cat "$W/$place.pid")" -m -n -u -p -- env CONTAINERS_CONF="$W/containers.conf" "$@"
}

daemon() { # daemon PLACE COMMAND...: in the background; its log bears both names
	local place=$1
	shift
	spawn "$LOGS/$place.$(basename "$1").log" inside "$place" setsid "$@"
}

spawn() { # spawn LOG COMMAND...: in the background, with nothing open of who starts it, who may wait for the end of what is written
	local log=$1
	shift
	(
		for fd in /proc/"$BASHPID"/fd/*; do
			fd=${fd##*/}
			[ "$fd" -le 2 ] || eval "exec $fd>&-"
		done
		exec < /dev/null > "$log" 2>&1
		"$@"
	) &
}

admin() {
	nsenter -t "$(cat "$W/hub.pid")" -n -- kubectl --kubeconfig "$W/admin.conf" "$@"
}

# node_address NAME: on the wire.
node_address() {
	local i
	for i in "${!nodes[@]}"; do
		[ "${nodes[i]}" != "$1" ] || echo "172.30.0.$((11 + i))"
	done
}

# --- places ------------------------------------------------------------------------------------------------------------

# The first process of a place: it mounts what the place has of its own, and collects processes that have ended. Its number
# in this machine is what the old /proc says before the new one covers it.
place_init() {
	local pid place=$1 dir
	read -r pid _ < /proc/self/stat
	mount --make-rprivate /
	hostname "$place"
	ip link set lo up
	mkdir -p "$W/$place.cgroup" "$W/$place.root"
	mount --rbind /sys/fs/cgroup "$W/$place.cgroup"
	mount -t sysfs sysfs /sys
	mount --rbind "$W/$place.cgroup" /sys/fs/cgroup
	mount -t proc proc /proc
	keep_switches
	for dir in "$W/$place.root" /run /var/lib /var/log; do
		mount -t tmpfs -o mode=755 tmpfs "$dir"
	done
	mount -t tmpfs -o mode=1777 tmpfs /dev/shm
	mkdir -p /run/netns /var/lib/cni /var/lib/kubelet /var/log/pods
	# Mounts of a node are seen in its containers, as where systemd has started it.
	mount --make-rshared /
	echo 1 > /proc/sys/net/ipv4/ip_forward
	[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
	echo "$pid" > "$W/$place.pid.new"
	mv "$W/$place.pid.new" "$W/$place.pid"
	while :; do
		sleep 3600 &
		wait $!
	done
}

# What is of the whole machine stays as it is. A kubelet sets how it treats memory and panics, or does not begin: it finds what it
# would have set.
keep_switches() {
	local setting file
	mount --bind /proc/sys /proc/sys
	for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
		kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
		file=$W/switches/${setting%=*}
		mkdir -p "${file%/*}"
		echo "${setting#*=}" > "$file"
		mount --bind "$file" "/proc/sys/${setting%=*}"
	done
	mount -o remount,bind,ro /proc/sys
	mount --bind /proc/sys/net /proc/sys/net
	mount -o remount,bind,rw /proc/sys/net
}

# A node's processes are below the hub's first process, and seen from this machine's /proc.
start_place() { # start_place NAME [COMMAND...]: in front of it
	local place=$1
	shift
	spawn "$LOGS/$place.init.log" setsid "$@" unshare --mount --net --uts --pid --fork --kill-child \
		"$here/cluster.sh" place_init "$place"
	wait_for 20 test -s "$W/$place.pid" || unable "$place does not start: $(tail -n1 "$LOGS/$place.init.log")"
}

plug_in() { # plug_in NODE: its eth0 is a pair with a port of the wire
	local node=$1
	nsenter -t "$(cat "$W/hub.pid")" -n -- ip link add "$node" type veth peer name eth0 netns "$(cat "$W/$node.pid")"
	inside hub ip link set "$node" master wire up
	inside "$node" ip addr add "$(node_address "$node")/24" dev eth0
	inside "$node" ip link set eth0 up
	inside "$node" ip route add default via 172.30.0.1
}

# A control group for each node, with every controller that kubelets want, on version 1 and 2.
make_cgroups() {
	local dir node
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
		mkdir -p "/sys/fs/cgroup/$name"
		for dir in /sys/fs/cgroup "/sys/fs/cgroup/$name"; do
			sed 's/\(^\| \)/ +/g' "$dir/cgroup.controllers" > "$dir/cgroup.subtree_control" ||
				unable "control groups cannot be given away in $dir"
		done
		for node in "${nodes[@]}"; do
			mkdir -p "/sys/fs/cgroup/$name/$node"
		done
		return
	fi
	for dir in /sys/fs/cgroup/*/; do
		for node in "${nodes[@]}"; do
			mkdir -p "$dir$name/$node"
			[ ! -e "$dir/cpuset.cpus" ] || cat "$dir/cpuset.cpus" > "$dir$name/cpuset.cpus"
			[ ! -e "$dir/cpuset.mems" ] || cat "$dir/cpuset.mems" > "$dir$name/cpuset.mems"
			[ ! -e "$dir/cpuset.cpus" ] || cat "$dir/cpuset.cpus" > "$dir$name/$node/cpuset.cpus"
			[ ! -e "$dir/cpuset.mems" ] || cat "$dir/cpuset.mems" > "$dir$name/$node/cpuset.mems"
		done
	done
}

# --- who may what ------------------------------------------------------------------------------------------------------

certificate() { # certificate FILE SUBJECT [ALTERNATIVE NAMES]
	local file=$W/pki/$1
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$file.key" -out "$file.csr" -subj "$2" \
		${3:+-addext "subjectAltName=$3"} 2> /dev/null
	openssl x509 -req -in "$file.csr" -CA "$W/pki/ca.crt" -CAkey "$W/pki/ca.key" -CAcreateserial -days 2 \
		-copy_extensions copy -out "$file.crt" 2> /dev/null
}

kubeconfig() { # kubeconfig NAME SUBJECT: $W/NAME.conf
	certificate "$1" "$2"
	cat > "$W/$1.conf" <<- EOF
		apiVersion: v1
		kind: Config
		clusters:
		- { name: test, cluster: { server: "https://172.30.0.1:6443", certificate-authority: $W/pki/ca.crt } }
		users:
		- { name: $1, user: { client-certificate: $W/pki/$1.crt, client-key: $W/pki/$1.key } }
		contexts:
		- { name: test, context: { cluster: test, user: $1 } }
		current-context: test
	EOF
}

make_identities() {
	local node
	mkdir -p "$W/pki"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca \
		-keyout "$W/pki/ca.key" -out "$W/pki/ca.crt" 2> /dev/null
	openssl ecparam -name prime256v1 -genkey -noout -out "$W/pki/accounts.key"
	certificate apiserver /CN=kube-apiserver 'IP:172.30.0.1,IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes.default.svc'
	certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver
	kubeconfig admin /O=system:masters/CN=admin
	kubeconfig kube-controller-manager /CN=system:kube-controller-manager
	kubeconfig kube-scheduler /CN=system:kube-scheduler
	kubeconfig kube-proxy /CN=system:kube-proxy
	for node in "${nodes[@]}"; do
		kubeconfig "$node" "/O=system:nodes/CN=system:node:$node"
	done
}

# --- the parts ---------------------------------------------------------------------------------------------------------

start_control_plane() {
	daemon hub etcd --data-dir /var/lib/etcd --log-level warn --unsafe-no-fsync
	daemon hub kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address=172.30.0.1 --secure-port=6443 \
		--service-cluster-ip-range="$services" --client-ca-file="$W/pki/ca.crt" --tls-cert-file="$W/pki/apiserver.crt" \
		--tls-private-key-file="$W/pki/apiserver.key" --kubelet-client-certificate="$W/pki/apiserver-kubelet.crt" \
		--kubelet-client-key="$W/pki/apiserver-kubelet.key" --kubelet-preferred-address-types=InternalIP \
		--service-account-key-file="$W/pki/accounts.key" --service-account-signing-key-file="$W/pki/accounts.key" \
		--service-account-issuer=https://kubernetes.default.svc --authorization-mode=Node,RBAC --allow-privileged \
		--enable-admission-plugins=NodeRestriction --cert-dir=/run/kubernetes --feature-gates=SizeBasedListCostEstimate=false
	wait_for 120 admin get --raw /readyz || unable "the API server does not start: $(tail -n1 "$LOGS/hub.kube-apiserver.log")"
	daemon hub kube-controller-manager --kubeconfig="$W/kube-controller-manager.conf" --cluster-cidr="$pods" \
		--allocate-node-cidrs --service-account-private-key-file="$W/pki/accounts.key" --root-ca-file="$W/pki/ca.crt" \
		--use-service-account-credentials --leader-elect=false --cert-dir=/run/kubernetes \
		--node-monitor-period=2s --node-monitor-grace-period=15s
	daemon hub kube-scheduler --kubeconfig="$W/kube-scheduler.conf" --leader-elect=false --cert-dir=/run/kubernetes
}

# The addresses of a node's pods come from Kubernetes: containerd makes the CNI configuration when it is told of them.
configure_containerd() { # configure_containerd NODE WIRING
	local node=$1 plugin='"type": "ptp", "mtu": 1500'
	[ "$2" = routed ] || plugin='"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "mtu": 1450'
	mkdir -p "$W/$node.cni"
	cat > "$W/$node.cni.template" <<- EOF
		{ "cniVersion": "0.4.0", "name": "pods", "plugins": [ { $plugin, "ipMasq": false, "ipam": { "type": "host-local",
			"ranges": [{{range \$i, \$range := .PodCIDRRanges}}{{if \$i}}, {{end}}[{ "subnet": "{{\$range}}" }]{{end}}],
			"routes": [{ "dst": "0.0.0.0/0" }] } } ] }
	EOF
	cat > "$W/$node.containerd.toml" <<- EOF
		version = 2
		root = "$W/$node.root"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.zfs"]
		[plugins."io.containerd.internal.v1.opt"]
			path = "$W/$node.root/opt"
		[plugins."io.containerd.grpc.v1.cri"]
			sandbox_image = "$image"
			restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
			bin_dir = "/usr/lib/cni"
			conf_dir = "$W/$node.cni"
			conf_template = "$W/$node.cni.template"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
			runtime_type = "io.containerd.runc.v2"
	EOF
}

# Written for a machine that does not let every limit and every switch be set: see doc/cluster-tests.md.
configure_kubelet() { # configure_kubelet NODE
	cat > "$W/$1.kubelet.yaml" <<- EOF
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		address: $(node_address "$1")
		authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: $W/pki/ca.crt } }
		authorization: { mode: Webhook }
		cgroupDriver: cgroupfs
		cgroupRoot: /$name/$1
		failSwapOn: false
		oomScoreAdj: 0
		maxOpenFiles: $(ulimit -Hn)
		resolvConf: ""
		volumePluginDir: /var/lib/kubelet/volume-plugins
		localStorageCapacityIsolation: false
		evictionHard: { memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%" }
		imageGCHighThresholdPercent: 100
		imageGCLowThresholdPercent: 99
	EOF
}

# Limits are left as they are: raising them is not allowed everywhere.
make_images() {
	cat > "$W/containers.conf" <<- EOF
		[containers]
		default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
	EOF
	"$here/../realpods/image.sh" "$image" "$W/test.tar"
	mkdir -p "$W/context/build"
	cp "$BUILD/flowgen.static" "$W/context/build/"
	inside hub podman build -q -f "$here/../../doc/deploy/Containerfile" -t "$flowgen_image" "$W/context" > "$LOGS/podman.log" 2>&1 ||
		unable "podman cannot build an image here: $(tail -n1 "$LOGS/podman.log")"
	inside hub podman save -q -o "$W/flowgen.tar" "$flowgen_image" >> "$LOGS/podman.log" 2>&1
}

start_node() { # start_node NODE WIRING
	local node=$1 tar
	configure_containerd "$node" "$2"
	configure_kubelet "$node"
	daemon "$node" containerd -c "$W/$node.containerd.toml"
	wait_for 60 inside "$node" ctr version || unable "containerd does not start: $(tail -n1 "$LOGS/$node.containerd.log")"
	for tar in "$W/test.tar" "$W/flowgen.tar"; do
		inside "$node" ctr -n k8s.io images import "$tar" > /dev/null
	done
	kubelet "$node"
}

kubelet() { # kubelet NODE
	daemon "$1" kubelet --config="$W/$1.kubelet.yaml" --kubeconfig="$W/$1.conf" --hostname-override="$1" --node-ip="$(node_address "$1")"
}

start_proxy() { # start_proxy NODE iptables|nftables
	daemon "$1" kube-proxy --kubeconfig="$W/kube-proxy.conf" --proxy-mode="$2" --cluster-cidr="$pods" --hostname-override="$1" \
		--conntrack-max-per-core=0 --oom-score-adj=0
}

# --- between the nodes -------------------------------------------------------------------------------------------------

pods_of() { # pods_of NODE: the network of its pods
	admin get node "$1" -o 'jsonpath={.spec.podCIDR}' | grep .
}

connect_routed() { # connect_routed NODE OTHER
	inside "$1" ip route add "$(pods_of "$2")" via "$(node_address "$2")"
}

# As a network plugin does it that keeps every node's entries up to date: nothing is learned, nothing flooded.
vxlan_mac() { printf '02:f1:00:00:00:%02x' "$(node_address "$1" | cut -d. -f4)"; }

connect_vxlan() { # connect_vxlan NODE OTHER
	local node=$1 other=$2 network=
	network=$(pods_of "$other")
	if ! inside "$node" ip link show vxlan0 > /dev/null 2>&1; then
		inside "$node" ip link add vxlan0 address "$(vxlan_mac "$node")" mtu 1450 type vxlan id 42 dstport 8472 \
			local "$(node_address "$node")" dev eth0 nolearning
		inside "$node" ip addr add "$(pods_of "$node" | cut -d/ -f1)/32" dev vxlan0
		inside "$node" ip link set vxlan0 up
	fi
	inside "$node" bridge fdb append "$(vxlan_mac "$other")" dev vxlan0 dst "$(node_address "$other")"
	inside "$node" ip neigh add "${network%/*}" lladdr "$(vxlan_mac "$other")" dev vxlan0 nud permanent
	inside "$node" ip route add "$network" via "${network%/*}" dev vxlan0 onlink
}

# A kube-proxy that does not find its node waits for half a minute.
connect() { # connect WIRING PROXY
	local node other
	for node in "${nodes[@]}"; do
		wait_for 60 pods_of "$node" || unable "$node does not register: $(tail -n1 "$LOGS/$node.kubelet.log")"
		start_proxy "$node" "$2"
	done
	for node in "${nodes[@]}"; do
		inside hub ip route add "$(pods_of "$node")" via "$(node_address "$node")"
		for other in "${nodes[@]}"; do
			[ "$node" = "$other" ] || "connect_$1" "$node" "$other"
		done
	done
}

# --- all of it ---------------------------------------------------------------------------------------------------------

find_tools() {
	local tool
	[ -x "$BUILD/cluster/bin/kubelet" ] || unable "$(cat "$BUILD/cluster/why-not" 2> /dev/null || echo 'there is no Kubernetes (make cluster)')"
	[ -x "$BUILD/flowgen.static" ] || unable 'there is no static binary (make static)'
	for tool in etcd containerd ctr runc podman openssl jq nsenter iptables nft conntrack /usr/lib/cni/ptp /usr/lib/cni/bridge \
		/usr/lib/cni/host-local /bin/busybox; do
		[ -n "$(type -P "$tool")" ] || unable "$tool is not installed"
	done
	grep -q ' /sys/fs/cgroup' /proc/self/mountinfo || unable 'there are no control groups'
}

up() {
	local node images wiring=${1:-routed} proxy=${2:-iptables}
	find_tools
	mkdir -p "$W" "$LOGS"
	make_identities
	make_cgroups
	start_place hub
	[ -z "${OWNER:-}" ] || spawn "$LOGS/keep.log" setsid "$here/cluster.sh" keep "$OWNER"
	inside hub ip link add wire type bridge
	inside hub ip addr add 172.30.0.1/24 dev wire
	inside hub ip link set wire up
	for node in "${nodes[@]}"; do
		start_place "$node" nsenter -t "$(cat "$W/hub.pid")" -p --
		plug_in "$node"
	done
	make_images &
	images=$!
	start_control_plane
	wait $images
	for node in "${nodes[@]}"; do
		start_node "$node" "$wiring"
	done
	connect "$wiring" "$proxy"
	admin wait --for=condition=Ready node --all --timeout=120s > /dev/null ||
		unable "a node does not become ready: $(tail -n1 "$LOGS/${nodes[0]}.kubelet.log")"
}

# Whoever wanted the cluster may be killed and not say so, or remove DIR alone.
keep() {
	local hub
	hub=$(cat "$W/hub.pid")
	while kill -0 "$1" 2> /dev/null && [ -d "$W" ]; do
		sleep 1
	done
	is_gone "$hub" || kill -KILL "$hub"
	down
}

# A process that has ended, but which nobody has collected, has no namespaces any more.
is_gone() { ! readlink "/proc/$1/ns/net"; }

down() {
	local place dir
	if [ -s "$W/hub.pid" ]; then
		kill -KILL "$(cat "$W/hub.pid")" 2> /dev/null || :
		for place in hub "${nodes[@]}"; do
			[ ! -s "$W/$place.pid" ] || wait_for 20 is_gone "$(cat "$W/$place.pid")"
		done
	fi
	for dir in /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
		[ -d "$dir" ] || continue
		wait_for 20 find "$dir" -depth -type d -exec rmdir {} + || echo "cluster.sh: $dir is still in use" >&2
	done
	rm -rf "$W"
}

case ${1:-} in
up | down | keep | kubelet | place_init) "$@" ;;
exec) shift && inside "$@" ;;
kubectl) shift && admin "$@" ;;
*) echo 'usage: W=DIR cluster.sh up [routed|vxlan] [iptables|nftables] | exec PLACE COMMAND... | kubectl ARGUMENT... | kubelet NODE | down' >&2 && exit 2 ;;
esac
