#!/usr/bin/env bats
# doc/kernels.md: what is measured here, for the running kernel, is what its table says.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53
}
teardown_file() { node_down; }

# cell METHOD ID: what inject does with a packet that the program denies.
cell() {
	inject --method "$1" --dst 10.9.0.9:9999 --proto udp --timeout 500ms
	case $status in
	3)
		[[ $stderr == *"method $1"* ]] && echo refused || echo "FAILED: $stderr"
		;;
	0 | 4)
		if [ "$(value '.policy.verdict')" = denied ] && [ "$(value '.policy.denied_by.id')" = "$2" ]; then
			echo "works, $(value '.policy.programs[0].evidence')"
		elif [ "$(value '.policy.verdict')" = unknown ] && [[ $stderr == *bypasses* ]]; then
			echo 'bypasses, warns'
		else
			echo "FAILED: $(value '[.policy.verdict, .outcome, .reason]') $stderr"
		fi
		;;
	*) echo "FAILED: status $status $stderr" ;;
	esac
}

# row DEVICE HOOK [OPTION of attach...]: a line of the table. Where the kernel has no such hook it says only that.
row() {
	local device=$1 hook=$2 id auto up=(--addr 10.9.1.2/32)
	shift 2
	case $device in
	veth*) up+=(--kind veth) ;;
	netkit*) up+=(--kind netkit --mode "${device#netkit }") ;;
	esac
	if ! podctl up web "${up[@]}" 2> /dev/null; then
		echo "| $kernel | $device | any | no such device | no such device | no such device | no such device | - |"
		return
	fi
	if id=$(attach web "$hook" "$(program "$hook")" --proto udp --port 9999 "$@" 2> /dev/null); then
		auto=$(node "$FLOWGEN" pods --output json | jq -r 'select(.name == "web") | .method')
		echo "| $kernel | $device | $hook$(native "$@") | $(cell peer-egress "$id") | $(cell bounce "$id") | $(cell host-ingress "$id") | $(cell pod-socket "$id") | $auto |"
	else
		echo "| $kernel | $device | $hook$(native "$@") | no such hook | no such hook | no such hook | no such hook | - |"
	fi
	podctl del web
}

program() { [ "$1" = xdp ] && echo xdp_deny_port || echo deny_port; }
native() { if [[ $* == *--generic* ]]; then echo ', generic'; fi; }

measure() {
	local hook
	for hook in tcx/egress tc/egress xdp tcx/ingress tc/ingress; do
		row veth "$hook"
	done
	row veth xdp --generic
	row 'netkit l2' netkit/peer
	can netkit || return 0
	row 'netkit l3' netkit/peer
	row 'netkit l2' tcx/egress
	row 'netkit l2' tcx/ingress
}

@test "the capability table of doc/kernels.md holds for this kernel" {
	kernel=$(uname -r | cut -d. -f1,2)
	measure > "$BATS_TEST_TMPDIR/measured"
	cat "$BATS_TEST_TMPDIR/measured"
	if ! grep "^| $kernel |" "$ROOT/doc/kernels.md" > "$BATS_TEST_TMPDIR/documented"; then
		sed 's/^/# /' "$BATS_TEST_TMPDIR/measured" >&3
		skip "doc/kernels.md says nothing of Linux $kernel"
	fi
	refute grep -q FAILED "$BATS_TEST_TMPDIR/measured"
	diff -u "$BATS_TEST_TMPDIR/documented" "$BATS_TEST_TMPDIR/measured"
}
