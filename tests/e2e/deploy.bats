# SPDX-License-Identifier: GPL-2.0-only
# doc/deploy as it stands: its image is built, and its Job is run by a real containerd, as a kubelet would have it run (the same mounts,
# capabilities and namespaces, read from the file); then the same by podman. The node and its pods are those of realpods.bats.
# shellcheck disable=SC2154  # run sets stderr

BUILD=${BUILD:-$(realpath "$BATS_TEST_DIRNAME/../../build")}
FLOWGEN=${FLOWGEN:-$BUILD/flowgen}
PYTHON=/usr/bin/python3

setup_file() {
	local status=0
	bats_require_minimum_version 1.5.0
	W=$(mktemp -d "${TMPDIR:-/tmp}/flowgen-deploy-XXXXXX")
	tests=$(realpath "$BATS_TEST_DIRNAME/..")
	deploy=$(realpath "$BATS_TEST_DIRNAME/../../doc/deploy")
	cannot=''
	export W tests deploy cannot BUILD
	"$tests/realpods/fixture.sh" up 2> "$W.log" || status=$?
	case $status in
	0) make_image ;;
	77) cannot=$(tail -n1 "$W.log") ;;
	*) cat "$W.log" >&2 && return 1 ;;
	esac
}

teardown_file() {
	"$tests/realpods/fixture.sh" down
	rm -f "$W.log"
}

setup() {
	[ -z "$cannot" ] || skip "$cannot"
}

node() { "$tests/realpods/fixture.sh" exec "$@"; }
job() { run --separate-stderr node "$tests/realpods/cri.py" job "$@"; }

# Built as doc/deploy/Containerfile says, with nothing but the static program around it, and given to containerd.
make_image() {
	[ -x "$BUILD/flowgen.static" ] || { cannot='there is no static binary (make static)' && return 0; }
	mkdir -p "$W/context/build"
	cp "$BUILD/flowgen.static" "$W/context/build/"
	# Mounts of the node are seen in its containers, as on any node that systemd has started.
	node mount --make-rshared /
	node podman build -q -f "$deploy/Containerfile" -t localhost/flowgen:latest "$W/context" > "$W/build.log" 2>&1 ||
		{ cannot="podman cannot build an image here: $(tail -n1 "$W/build.log")" && return 0; }
	node podman save -q -o "$W/flowgen.tar" localhost/flowgen:latest
	node ctr -n k8s.io images import "$W/flowgen.tar" > /dev/null
}

address() { # address POD: of its eth0
	node "$FLOWGEN" pods --output json | jq -r --arg pod "$1" 'select("\(.namespace)/\(.name)" == $pod) | .addresses[0]'
}

says() { # says FILTER: exit status 0, and it is true of the one object on standard output
	echo "status $status: $output / $stderr"
	[ "$status" = 0 ]
	jq -se --arg want "${2:-}" "length == 1 and (.[0] | $1)" <<< "$output"
}

@test "the Job: asked for a pod by name, the answer is its log, and its exit status 0" {
	job "$deploy/job.yaml" inject --host-root /host --pod shop/cart-0 --dst "$(address shop/db-0):8080"
	says '.outcome == "delivered" and .pod.name == "shop/cart-0" and any(.observations[]; .netns.name == "shop/db-0")'
	job "$deploy/job.yaml" pods --host-root /host --output json
	[ "$status" = 0 ]
	[ "$(jq -r 'select(.refused == null and .namespace != null) | .namespace + "/" + .name' <<< "$output" | sort | xargs)" = 'pay/cart-0 shop/cart-0 shop/db-0' ]
}

@test "the Job: a packet is seen handed to a socket" {
	local target
	target=$(address shop/db-0):8080
	node nsenter --net="$(node "$FLOWGEN" pods --output json | jq -r 'select(.namespace == "shop" and .name == "db-0") | .netns.path')" \
		"$BUILD/tests/tool/listen" udp --port 5353 --count 1 --seconds 60 > "$W/heard" 3>&- &
	until grep -q ready "$W/heard"; do read -rt .02 <> <(:) || :; done
	job "$deploy/job.yaml" inject --host-root /host --pod shop/cart-0 --dst "${target%:*}:5353" --proto udp --deliver
	says '.outcome == "delivered" and (.stopped | not) and any(.observations[]; .component == "socket" and .netns.name == "shop/db-0")'
	wait
	"$BUILD/tests/tool/podctl" can tcx || return 0
	job "$deploy/job.yaml" inject --host-root /host --pod shop/cart-0 --dst "$target" --reply
	says '.outcome == "replied" and .reply.kind == "syn-ack"'
}

@test "the Job without one of its capabilities: it is named, exit status 3" {
	local capability
	for capability in $("$PYTHON" -c 'import sys, yaml
print(*yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]["containers"][0]["securityContext"]["capabilities"]["add"])' "$deploy/job.yaml"); do
		job --without "$capability" "$deploy/job.yaml"
		echo "$capability: status $status: $output / $stderr"
		[ "$status" = 3 ]
		[ -z "$output" ]
		[[ $stderr == *"CAP_$capability"* ]]
	done
}

# bats test_tags=novm
@test "the Job without one of its mounts: a wrong answer is none" {
	local target mount
	target=$(address shop/db-0):8080
	job --without proc "$deploy/job.yaml" inject --host-root /host --pod shop/cart-0 --dst "$target"
	echo "status $status: $output / $stderr"
	[ "$status" = 3 ]
	[[ $stderr == *'/host/proc'* ]]
	job --without run --without lib "$deploy/job.yaml" inject --host-root /host --pod shop/cart-0 --dst "$target"
	echo "status $status: $output / $stderr"
	[ "$status" = 3 ]
	[[ $stderr == *'shop/cart-0: not on this node'* ]]
	# CNI's results tell what containerd's bundles would; and containerd's bundles do without what only docker and podman need.
	for mount in run lib; do
		job --without "$mount" "$deploy/job.yaml" inject --host-root /host --pod shop/cart-0 --dst "$target"
		says '.outcome == "delivered" and .pod.name == "shop/cart-0"'
	done
}

# bats test_tags=novm
@test "the same container by podman" {
	local options
	mapfile -t options < <("$PYTHON" -c 'import sys, yaml
spec = yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]
container = spec["containers"][0]
capabilities = container["securityContext"]["capabilities"]
assert spec["hostPID"] and spec["hostNetwork"] and container["securityContext"]["readOnlyRootFilesystem"]
print("--pid=host", "--network=host", "--read-only", "--security-opt=seccomp=unconfined", "--security-opt=no-new-privileges", sep="\n")
print(*("--cap-drop=" + name for name in capabilities["drop"]), *("--cap-add=" + name for name in capabilities["add"]), sep="\n")
sources = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"]}
for mount in container["volumeMounts"]:
    slave = ",rslave" if mount.get("mountPropagation") == "HostToContainer" else ""
    print("--volume=%s:%s:ro%s" % (sources[mount["name"]], mount["mountPath"], slave))' "$deploy/job.yaml")
	run --separate-stderr node podman run --rm --cgroup-parent "/flowgen-$(basename "$W")" "${options[@]}" localhost/flowgen:latest \
		inject --host-root /host --pod shop/cart-0 --dst "$(address shop/db-0):8080"
	says '.outcome == "delivered" and .pod.name == "shop/cart-0" and any(.observations[]; .netns.name == "shop/db-0")'
}
