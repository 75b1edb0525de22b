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
	holds '.features | .veth.works and .redirect_peer.works and .clsact.works and .btf.works and .ring_buffer.works and .tp_btf.works'
	holds '.features | to_entries | all(.value.works or (.value.why | length > 0))'
	holds '.privileges | to_entries | all(.value.works)'
}

@test "JSON: methods follow from it" {
	flowgen check --output json
	wanted=false
	! can peer-egress || wanted=true
	holds ".methods.\"peer-egress\".works == $wanted and .methods.\"host-ingress\".works and .methods.\"pod-socket\".works"
	holds ".methods.bounce.works == $(can tcx && echo true || echo false)"
	can tcx || holds '.methods.bounce.missing == "tcx"'
	[ "$wanted" = true ] || holds '.methods."peer-egress".missing | test("BPF_F_EGRESS")'
	holds '.methods | to_entries | all(.value.works == (.value.missing == null))'
}

@test "text says the same" {
	flowgen check -o text
	is_status 0
	[[ $output == *host-ingress* && $output == *pod-socket* && $output == *bounce* && $output == *fexit* && $output != *$'\e'* ]]
	can peer-egress || [[ $output == *missing:*BPF_F_EGRESS* ]]
}

@test "what else on the node decides: a chain that drops, one that translates, a qdisc" {
	local tables=(inet\ flowgen-test ip\ flowgen-nat)
	node nft -f - <<- 'END'
		table inet flowgen-test {
			chain f { type filter hook forward priority 5; policy drop; }
			chain idle { type filter hook input priority 5; }
		}
		table ip flowgen-nat {
			chain pre { type nat hook prerouting priority -100
				ip daddr 10.9.9.9 dnat to 10.9.0.9
			}
		}
	END
	node ip link add q0 type veth peer name q1
	node tc qdisc add dev q0 root tbf rate 1mbit burst 10k latency 10ms
	flowgen check --output json
	fits_schema check
	holds '[.node.netfilter.hooks[] | select(.can_deny) | .family + " " + .hook + ": " + .name] ==
		["ip forward: nft inet flowgen-test f", "ip6 forward: nft inet flowgen-test f"]'
	holds '[.node.netfilter.hooks[] | select(.can_translate) | .name] == ["nft ip flowgen-nat pre"]'
	holds '.node.netfilter.hooks | map(select(.can_deny))[0].chain | .policy == "drop" and .rules == 0 and .type == "filter"'
	holds '.node.qdiscs | map(select(.device == "q0"))[0].kind == "tbf"'
	flowgen check -o text
	[[ $output == *'inet forward       can deny: nft inet flowgen-test f (0 rules, policy drop)'* ]]
	[[ $output == *'ip prerouting      translates: nft ip flowgen-nat pre (1 rule)'* ]]
	[[ $output == *'q0: tbf, 0 dropped'* ]]
	for table in "${tables[@]}"; do
		# shellcheck disable=SC2086  # family and name
		node nft delete table $table
	done
	node ip link del q0
}

@test "a missing capability is named" {
	run --separate-stderr node setpriv --bounding-set -net_raw --inh-caps -net_raw "$FLOWGEN" check --output json
	holds '.privileges.CAP_NET_RAW.works == false'
	holds '.methods | to_entries | all(.value.works == false)'
	is_status 3
}

@test "it leaves nothing" {
	host_state > "$BATS_TEST_TMPDIR/before"
	flowgen check -o text
	is_status 0
	host_state > "$BATS_TEST_TMPDIR/after"
	diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
