#!/usr/bin/env bats
# The privileges that doc/flowgen.8 lists are enough, and each is needed; the static binary needs no file but /proc and /sys.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

NEEDED=(sys_admin net_admin net_raw sys_ptrace)

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53
	attach web tc/ingress next_all
}
teardown_file() { node_down; }

# with CAPABILITY... -- COMMAND...: as root with these alone, in the node.
with() {
	local set=-all
	while [ "$1" != -- ]; do
		set+=,+$1
		shift
	done
	shift
	run --separate-stderr node setpriv --bounding-set="$set" --inh-caps=-all "$@"
}

# as_user CAPABILITY... -- COMMAND...: the same as a user who is not root.
as_user() {
	local set=-all
	while [ "$1" != -- ]; do
		set+=,+$1
		shift
	done
	shift
	run --separate-stderr node setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$set" --ambient-caps="$set" "$@"
}

question=(inject --pod netns:web --dst 10.9.0.9:53 --proto udp)

answered() {
	is_status 0
	holds '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.programs[0].evidence != "none"'
}

@test "the documented set is enough, for each method" {
	local method methods=(auto pod-socket host-ingress)
	! can peer-egress || methods+=(peer-egress)
	! can tcx || methods+=(bounce)
	for method in "${methods[@]}"; do
		with "${NEEDED[@]}" -- "$FLOWGEN" "${question[@]}" --method "$method"
		answered
	done
	with "${NEEDED[@]}" -- "$FLOWGEN" "${question[@]}" --deliver
	answered
	with "${NEEDED[@]}" -- "$FLOWGEN" pods --output json
	is_status 0
	[ "$(lines)" = 2 ]
	with "${NEEDED[@]}" -- "$FLOWGEN" check --output json
	is_status 0
	holds '.works'
}

@test "another user with that set is as good as root" {
	as_user "${NEEDED[@]}" -- "$FLOWGEN" "${question[@]}"
	answered
	as_user "${NEEDED[@]}" -- "$FLOWGEN" pods --output json
	is_status 0
	[ "$(lines)" = 2 ]
}

@test "each of them is needed: one line that names it, and exit status 3" {
	local missing capability others
	for missing in "${NEEDED[@]}"; do
		others=()
		for capability in "${NEEDED[@]}"; do
			[ "$capability" = "$missing" ] || others+=("$capability")
		done
		for verb in "${question[*]}" pods; do
			# shellcheck disable=SC2086  # a list of words
			with "${others[@]}" -- "$FLOWGEN" $verb
			is_status 3
			complains "^flowgen: missing privileges: CAP_${missing^^} to "
			# CAP_SYS_ADMIN stands for two others, which are told with it.
			[ "$missing" = sys_admin ] || refute grep -qE "CAP_.*CAP_" <<< "$stderr"
			[ "$(wc -l <<< "$stderr")" = 1 ]
		done
		with "${others[@]}" -- "$FLOWGEN" check --output json
		is_status 3
		holds "(.works | not) and ([.privileges | to_entries[] | select(.value.works | not) | .key] - [\"CAP_DAC_READ_SEARCH\"]) - [\"CAP_BPF\", \"CAP_PERFMON\"] == [\"CAP_${missing^^}\"]"
	done
}

# bats test_tags=novm
@test "the manual lists them" {
	local capability
	for capability in "${NEEDED[@]}"; do
		grep -q "^\.It Dv CAP_${capability^^}$" "$ROOT/doc/flowgen.8"
	done
	# The Job asks for the same, and no more.
	[ "$("$PYTHON" -c 'import sys, yaml
container = yaml.safe_load(open(sys.argv[1]))["spec"]["template"]["spec"]["containers"][0]
capabilities = container["securityContext"]["capabilities"]
print(*capabilities["drop"], *sorted(capabilities["add"]))' "$ROOT/doc/deploy/job.yaml")" = 'ALL NET_ADMIN NET_RAW SYS_ADMIN SYS_PTRACE' ]
}

@test "names of container runtimes: another user needs CAP_DAC_READ_SEARCH" {
	node sh -c 'mkdir -p /run/containerd && mount -t tmpfs -o mode=700 tmpfs /run/containerd &&
		mkdir -p -m 700 /run/containerd/io.containerd.runtime.v2.task/k8s.io'
	as_user "${NEEDED[@]}" -- "$FLOWGEN" inject --pod shop/cart-0 --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains CAP_DAC_READ_SEARCH
	as_user "${NEEDED[@]}" dac_read_search -- "$FLOWGEN" inject --pod shop/cart-0 --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'shop/cart-0: not on this node'
	# Other names do without.
	as_user "${NEEDED[@]}" -- "$FLOWGEN" "${question[@]}"
	answered
	node umount /run/containerd
}

# As the image is (doc/deploy/Containerfile): the program, /proc and /sys, and the host's files below /host.
@test "the static binary in an empty root, with the documented set" {
	[ -x "$BUILD/flowgen.static" ] || skip 'there is no static binary (make static)'
	run -1 grep -q NEEDED <(readelf -d "$BUILD/flowgen.static")
	cat > "$NODE_DIR/enter" << 'END'
set -e
root=$1 binary=$2
shift 2
mount -t tmpfs tmpfs "$root"
mkdir "$root/proc" "$root/sys" "$root/host" "$root/host/proc" "$root/host/run"
touch "$root/flowgen"
mount --bind "$binary" "$root/flowgen"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --bind /proc "$root/host/proc"
mount --rbind /run "$root/host/run"
exec setpriv --bounding-set=-all,+sys_admin,+net_admin,+net_raw,+sys_ptrace,+sys_chroot --inh-caps=-all \
	chroot "$root" /flowgen "$@"
END
	mkdir "$NODE_DIR/root"
	run --separate-stderr node unshare --mount bash "$NODE_DIR/enter" "$NODE_DIR/root" "$BUILD/flowgen.static" "${question[@]}" --host-root /host
	answered
	run --separate-stderr node unshare --mount bash "$NODE_DIR/enter" "$NODE_DIR/root" "$BUILD/flowgen.static" pods --host-root /host --output json
	is_status 0
	fits_schema pod
	[ "$(jq -r .name <<< "$output" | sort | xargs)" = 'dst web' ]
}
