#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# W=DIR fixture.sh up | podman | docker | exec COMMAND... | down: a throw-away node with real containerd, CRI and CNI plugins.
#
# The node is a process, mount, network and host name namespace of its own: it ends with its first process, and nothing
# of it is on this machine, except in DIR and in a control group that bears DIR's name; `down` removes both. Several
# nodes may run side by side. `up` makes these pods:
#   shop/cart-0   CNI ptp, a container `web` that serves HTTP on port 8080
#   pay/cart-0    CNI ptp, the same name in another namespace
#   shop/db-0     CNI bridge, a container `db` that does so too
#   kube-system/agent-x7   on the node's own network
# `podman` adds a podman pod `stand` with a container `till`, a container `kiosk`, and a host-network one `lobby`.
# `docker` starts a docker daemon on this containerd, and adds a container `shelf`, a container `basket` in its network, a
# host-network one `porter`, and what cri-dockerd would make of the pod shop/mug-0: a sandbox with labels, and a container.
# Exit status 77: this machine cannot do it; the reason is on standard error.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
: "${W:?where the node lives}"
W=$(realpath -m "$W")
name=flowgen-$(basename "$W")
image=localhost/flowgen-test:1
uid=3c1ad6e4-9a6c-4f53-8a52-9f0a3c1f000

unable() {
	echo "fixture.sh: $1" >&2
	exit 77
}

inside() {
	nsenter -t "$(cat "$W/init")" -m -n -u -p -- env CRI_CGROUP="/$name/kubepods" \
		CONTAINERS_CONF="$W/containers.conf" "$@"
}

wait_for() { # wait_for SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# The first process of the node: it mounts what the node has of its own, and collects processes that have ended.
# Its number in this machine is what the old /proc says before the new one covers it.
node_init() {
	local pid
	read -r pid _ < /proc/self/stat
	mount --make-rprivate /
	hostname node-a
	ip link set lo up
	mkdir -p "$W/cgroup" "$W/root"
	mount --rbind /sys/fs/cgroup "$W/cgroup"
	mount -t sysfs sysfs /sys
	mount --rbind "$W/cgroup" /sys/fs/cgroup
	mount -t proc proc /proc
	mount -t tmpfs -o mode=755 tmpfs "$W/root"
	for dir in /run /var/lib /var/log; do
		mount -t tmpfs -o mode=755 tmpfs "$dir"
	done
	mount -t tmpfs -o mode=1777 tmpfs /dev/shm
	mkdir -p /run/netns /var/lib/cni /var/log/pods
	echo 1 > /proc/sys/net/ipv4/ip_forward
	echo "$pid" > "$W/init.new"
	mv "$W/init.new" "$W/init"
	while :; do
		sleep 3600 &
		wait $!
	done
}

configure() {
	mkdir -p "$W/ptp.d" "$W/bridge.d"
	cp "$here/ptp.conflist" "$W/ptp.d/"
	cp "$here/bridge.conflist" "$W/bridge.d/"
	cat > "$W/containerd.toml" <<- EOF
		version = 2
		root = "$W/root"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.zfs"]
		[plugins."io.containerd.internal.v1.opt"]
			path = "$W/root/opt"
		[plugins."io.containerd.grpc.v1.cri"]
			sandbox_image = "$image"
			restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
			bin_dir = "/usr/lib/cni"
			conf_dir = "$W/ptp.d"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
			runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.bridge]
			runtime_type = "io.containerd.runc.v2"
			cni_conf_dir = "$W/bridge.d"
			cni_max_conf_num = 1
	EOF
	# Limits are left as they are: raising them is not allowed everywhere.
	cat > "$W/containers.conf" <<- EOF
		[containers]
		default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=1024:1024"]
		[network]
		network_backend = "cni"
		network_config_dir = "$W/podman.d"
		cni_plugin_dirs = ["/usr/lib/cni"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
	EOF
}

pod() { inside "$here/cri.py" runp "$@"; }

up() {
	local tool sandbox
	for tool in containerd runc jq curl python3 nsenter /usr/lib/cni/ptp /usr/lib/cni/bridge /bin/busybox; do
		[ -n "$(PATH=$PATH:/usr/sbin:/sbin type -P "$tool")" ] || unable "$tool is not installed"
	done
	grep -q ' /sys/fs/cgroup' /proc/self/mountinfo || unable 'there are no control groups'
	mkdir -p "$W"
	configure
	W=$W setsid unshare --mount --net --uts --pid --fork --kill-child "$0" node_init < /dev/null > "$W/init.log" 2>&1 &
	wait_for 20 test -s "$W/init" || unable "the node does not start: $(tail -n1 "$W/init.log")"
	inside setsid containerd -c "$W/containerd.toml" < /dev/null > "$W/containerd.log" 2>&1 &
	"$here/image.sh" "$image" "$W/image.tar"
	wait_for 30 inside ctr version || unable "containerd does not start: $(tail -n1 "$W/containerd.log")"
	inside ctr -n k8s.io images import "$W/image.tar" > /dev/null
	sandbox=$(pod shop cart-0 "${uid}1")
	inside "$here/cri.py" run "$sandbox" web "$image" /bin/httpd -f -p 8080 -h /www > "$W/web"
	pod pay cart-0 "${uid}2" > /dev/null
	sandbox=$(pod shop db-0 "${uid}4" --handler bridge)
	inside "$here/cri.py" run "$sandbox" db "$image" /bin/httpd -f -p 8080 -h /www > "$W/db"
	pod kube-system agent-x7 "${uid}3" --host-network > /dev/null
}

podman() {
	[ -n "$(type -P podman)" ] || unable 'podman is not installed'
	inside podman load -q -i "$W/image.tar" > /dev/null || unable 'podman cannot load an image here'
	inside podman pod create --name stand --cgroup-parent "/$name" --infra-image "$image" \
		--infra-command '/bin/sleep infinity' > "$W/stand" || unable 'podman cannot make a pod here'
	inside podman run -d --pod stand --name till "$image" > "$W/till"
	inside podman run -d --cgroup-parent "/$name" --name kiosk "$image" > "$W/kiosk"
	inside podman run -d --cgroup-parent "/$name" --network host --name lobby "$image" > "$W/lobby"
}

# Without rules for the firewall: the node may have none.
docker() {
	local path=$here/../../build/docker
	PATH=$(realpath -m "$path"):$PATH
	[ -n "$(type -P dockerd)" ] || unable 'docker is not here (tests/realpods/fetch-docker build/docker)'
	inside setsid dockerd --containerd /run/containerd/containerd.sock --storage-driver vfs --data-root /var/lib/docker \
		--exec-root /run/docker --pidfile /run/docker.pid --host unix:///var/run/docker.sock --cgroup-parent "/$name" \
		--bip 10.246.1.1/24 --iptables=false --ip6tables=false < /dev/null > "$W/dockerd.log" 2>&1 &
	wait_for 20 inside docker version || unable "docker does not start here: $(tail -n1 "$W/dockerd.log")"
	inside docker load -q -i "$W/image.tar" > /dev/null || unable 'docker cannot load an image here'
	inside docker run -d --name shelf "$image" > "$W/shelf" || unable 'docker cannot run a container here'
	inside docker run -d --name basket --network container:shelf "$image" > "$W/basket"
	inside docker run -d --name porter --network host "$image" > "$W/porter"
	dockershim POD podsandbox bridge > "$W/mug"
	dockershim app container "container:$(cat "$W/mug")" > "$W/app"
}

dockershim() { # dockershim CONTAINER TYPE NETWORK: a container of shop/mug-0, named and labelled as cri-dockerd does
	inside docker run -d --name "k8s_$1_mug-0_shop_${uid}b_0" --network "$3" \
		--label "io.kubernetes.docker.type=$2" --label "io.kubernetes.container.name=$1" \
		--label io.kubernetes.pod.name=mug-0 --label io.kubernetes.pod.namespace=shop \
		--label "io.kubernetes.pod.uid=${uid}b" "$image"
}

# A process that has ended, but which nobody has collected, has no namespaces any more.
is_gone() { ! readlink "/proc/$1/ns/net"; }

down() {
	local init dir
	if [ -s "$W/init" ]; then
		init=$(cat "$W/init")
		kill -KILL "$init" 2> /dev/null || :
		wait_for 20 is_gone "$init"
	fi
	for dir in /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
		[ -d "$dir" ] || continue
		wait_for 5 find "$dir" -depth -type d -exec rmdir {} + || echo "fixture.sh: $dir is still in use" >&2
	done
	rm -rf "$W"
}

case ${1:-} in
up | down | podman | docker | node_init) "$1" ;;
exec) shift && inside "$@" ;;
*) echo 'usage: W=DIR fixture.sh up | podman | docker | exec COMMAND... | down' >&2 && exit 2 ;;
esac
