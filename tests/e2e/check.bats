#!/usr/bin/env bats
# flowgen check: what it says of this kernel is what the tests' own probes find, and it leaves nothing.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }

agrees() { # FEATURE THING: the tool and the tests are of one mind
	local wanted=false
	! can "$2" || wanted=true
	[ "$(jq -r ".features.\"$1\".works" <<< "$output")" = "$wanted" ] || {
		echo "check says of $1: $(jq -c ".features.\"$1\"" <<< "$output"); podctl can $2: $wanted"
		return 1
	}
}

@test "JSON: features as they are" {
	flowgen check --output json
	is_status 0
	agrees BPF_F_EGRESS peer-egress
	agrees netkit netkit
	agrees tcx tcx
	agrees fexit fexit
	holds '.kernel.release == "'"$(uname -r)"'" and .works == true'
	holds '.features | .veth.works and .clsact.works and .btf.works and .ring_buffer.works and .tp_btf.works'
	holds '.features | to_entries | all(.value.works or (.value.why | length > 0))'
	holds '.privileges | to_entries | all(.value.works)'
}

@test "JSON: methods follow from it" {
	flowgen check --output json
	wanted=false
	! can peer-egress || wanted=true
	holds ".methods.\"peer-egress\".works == $wanted and .methods.\"host-ingress\".works and .methods.\"pod-socket\".works"
	[ "$wanted" = true ] || holds '.methods."peer-egress".missing | test("BPF_F_EGRESS")'
	holds '.methods | to_entries | all(.value.works == (.value.missing == null))'
}

@test "text says the same" {
	flowgen check
	is_status 0
	[[ $output == *host-ingress* && $output == *pod-socket* && $output == *fexit* && $output != *$'\e'* ]]
	can peer-egress || [[ $output == *missing:*BPF_F_EGRESS* ]]
}

@test "a missing capability is named" {
	run --separate-stderr node setpriv --bounding-set -net_raw --inh-caps -net_raw "$FLOWGEN" check --output json
	holds '.privileges.CAP_NET_RAW.works == false'
	holds '.methods | to_entries | all(.value.works == false)'
	is_status 3
}

@test "it leaves nothing" {
	host_state > "$BATS_TEST_TMPDIR/before"
	flowgen check
	is_status 0
	host_state > "$BATS_TEST_TMPDIR/after"
	diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
