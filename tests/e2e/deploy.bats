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
	[[ $BATS_TEST_DESCRIPTION == 'the files:'* ]] || [ -z "$cannot" ] || skip "$cannot"
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

files() { "$PYTHON" "$BATS_TEST_DIRNAME/deploy.py" "$1" "$deploy" "${@:2}"; }

@test "the files: every container may do and sees what the Job's does, and README.md says so" { files same; }
@test "the files: what one says of another is so" { files references; }
@test "the files: containers are given words that flowgen knows" { files words "$FLOWGEN"; }

@test "the files: the rights are those for what kubectl flowgen asks for" { files rights "$tests/../lib/kubectl/gather.c"; }

@test "the files: the CronJob's scenario is one" {
	files scenario > "$BATS_TEST_TMPDIR/scenario.yaml"
	run --separate-stderr "$FLOWGEN" run --output json "$BATS_TEST_TMPDIR/scenario.yaml"
	echo "status $status: $stderr"
	# Its pods are not here; a mistake in the file is told before that, with status 2.
	[ "$status" = 3 ]
	jq -se '.[-1].planned == 2 and all(.[:-1][]; .scenario.why | contains("shop/cart-0: not on this node"))' <<< "$output"
}

@test "the files: what make krew has made" {
	[ -e "$BUILD/krew/flowgen.yaml" ] || skip 'there is no archive (make krew)'
	files krew "$BUILD/krew"
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
		"$BUILD/tests/tool/listen" udp --port 5353 --count 1 --seconds 300 > "$W/heard" 3>&- &
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

# The id of the one task whose words are these.
task() {
	node ctr -n k8s.io containers ls -q | while read -r id; do
		node ctr -n k8s.io containers info "$id" | jq -e --arg words "$1" '.Spec.process.args | join(" ") == $words' > /dev/null && echo "$id"
	done
	return 0
}

@test "the DaemonSet: an agent that a client starts in its container answers for pods by name" {
	local id pid
	node "$tests/realpods/cri.py" job "$deploy/daemonset.yaml" > "$W/held" 2>&1 3>&- &
	pid=$!
	until id=$(task '/flowgen agent --hold') && [ -n "$id" ] && node ctr -n k8s.io tasks ls | grep -q "$id.*RUNNING"; do
		kill -0 "$pid"
		read -rt .1 <> <(:) || :
	done
	printf '%s\n' '{"id": "p", "args": ["pods"]}' \
		'{"id": "i", "args": ["inject", "--pod", "shop/cart-0", "--dst", "'"$(address shop/db-0)"':8080"]}' '{"end": true}' |
		node ctr -n k8s.io tasks exec --exec-id "client-$BASHPID" "$id" /flowgen agent --host-root /host > "$W/answers" 2> "$W/said"
	node ctr -n k8s.io tasks kill -s SIGTERM "$id"
	wait "$pid"
	cat "$W/held" "$W/said" "$W/answers"
	[ "$(jq -r 'select(.id == "p") | .result // empty | select(.refused == null and .namespace != null) | .namespace + "/" + .name' < "$W/answers" | sort | xargs)" = 'pay/cart-0 shop/cart-0 shop/db-0' ]
	jq -se 'map(select(.id == "i")) | length == 2 and .[0].result.outcome == "delivered" and .[0].result.pod.name == "shop/cart-0" and .[1].done.status == 0' < "$W/answers"
	"$PYTHON" "$BATS_TEST_DIRNAME/schema.py" "$deploy/../agent.schema.json" < <(jq -c 'if has("result") then .result = {} else . end' "$W/answers")
}

@test "the CronJob: JUnit XML is its log, and its exit status is that of the scenario" {
	sed "s/10\.0\.0\.9:5432/$(address shop/db-0):8080/; /169\.254/d" "$deploy/cronjob.yaml" > "$BATS_TEST_TMPDIR/cronjob.yaml"
	job "$BATS_TEST_TMPDIR/cronjob.yaml"
	echo "status $status: $output / $stderr"
	[ "$status" = 0 ]
	xmllint --noout --schema "$tests/junit.xsd" - <<< "$output"
	[[ $output == *'tests="1"'*'failures="0"'* ]]
	sed -i 's/expect: allow/expect: deny/' "$BATS_TEST_TMPDIR/cronjob.yaml"
	job "$BATS_TEST_TMPDIR/cronjob.yaml"
	[ "$status" = 1 ]
	[[ $output == *'failures="1"'* ]]
}
