#!/usr/bin/env bats
# --trace-netfilter: which rule dropped the packet; and that nothing of the tracing stays.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup() {
	node_up
	pods_up
}
teardown() { node_down; }

# rules TEXT: nftables rules in the node.
rules() { node nft -f - <<< "$1"; }
# handle FAMILY TABLE CHAIN PATTERN: of the rule that has the pattern in its text.
handle() { node nft -a list chain "$1" "$2" "$3" | sed -nE "/$4/s/.*# handle ([0-9]+)$/\\1/p"; }
trace() { inject --trace-netfilter "$@"; }

# Where modules are loaded on demand, a kernel that has not loaded nf_tables yet can be made one that has none.
@test "a kernel without nf_tables: exit status 3, and without the option it is no matter" {
	[ -n "${FLOWGEN_TEST_INSIDE:-}" ] || skip 'only in a machine of its own'
	local before plain round
	# The files before this one may have loaded it.
	for round in 1 2 3; do
		awk '/^(nft_|nf_tables)/ { print $1 }' /proc/modules | xargs -rn 1 rmmod 2> "$NODE_DIR/rmmod" || :
	done
	[ ! -e /sys/module/nf_tables ] || skip 'nf_tables is in use, or built in'
	before=$(cat /proc/sys/kernel/modprobe)
	# All other modules are there after this; that one is not loaded for nothing.
	inject --dst 10.9.0.9:53 --proto udp
	[ ! -e /sys/module/nf_tables ]
	echo /bin/false > /proc/sys/kernel/modprobe
	inject --dst 10.9.0.9:53 --proto udp
	plain=$status
	inject --trace-netfilter --dst 10.9.0.9:53 --proto udp
	echo "$before" > /proc/sys/kernel/modprobe
	is_status 3
	[ "$plain" = 0 ]
	complains '^flowgen: --trace-netfilter: .*nf_tables'
}

@test "a rule that drops: table, chain, handle, and its comment" {
	rules 'table inet filter {
		chain before { type filter hook forward priority -10
			counter
			accept
		}
		chain forward { type filter hook forward priority 0
			ip daddr 10.9.0.9 udp dport 7001 counter drop comment "no telnet, please"
			udp dport 7002 drop
		}
	}'
	trace --dst 10.9.0.9:7001 --proto udp
	is_status 0
	holds '.outcome == "dropped" and .drop.reason == "NETFILTER_DROP" and .reason == null'
	holds ".drop.netfilter | .family == \"inet\" and .table == \"filter\" and .chain == \"forward\" and .verdict == \"drop\" and
		.rule == {\"handle\": $(handle inet filter forward 7001), \"comment\": \"no telnet, please\"} and .policy == false"
	holds '.drop.netfilter.netns | .name == "host" and .inode > 0'
	fits_schema
	trace --dst 10.9.0.9:7002 --proto udp
	holds ".drop.netfilter.rule == {\"handle\": $(handle inet filter forward 7002), \"comment\": null}"
	# What is let through has no drop.
	serve dst 7003
	trace --dst 10.9.0.9:7003 --proto udp
	is_status 0
	holds '.outcome == "delivered" and .drop == null'
}

# bats test_tags=novm
@test "a chain's policy has no rule" {
	rules 'table ip guard {
		chain f { type filter hook forward priority 5; policy drop
			tcp dport 22 accept
		}
	}'
	trace --dst 10.9.0.9:23
	holds '.outcome == "dropped"'
	holds '.drop.netfilter | .family == "ip" and .table == "guard" and .chain == "f" and .rule == null and .policy == true and .verdict == "drop"'
	fits_schema
	flowgen inject --pod netns:web --dst 10.9.0.9:23 --trace-netfilter --output text
	[[ $output == *'table ip guard, chain f, its policy: drop'* ]]
}

# bats test_tags=novm
@test "a rule that rejects" {
	rules 'table ip guard {
		chain f { type filter hook forward priority 5
			tcp dport 23 reject with tcp reset comment "go away"
		}
	}'
	trace --dst 10.9.0.9:23
	holds '.outcome | IN("rejected", "dropped")'
	holds ".drop.netfilter | .verdict == \"reject\" and .chain == \"f\" and .rule.handle == $(handle ip guard f reject) and .rule.comment == \"go away\""
	! can tcx || {
		trace --dst 10.9.0.9:23 --reply
		holds '.outcome == "rejected" and .reply.kind == "rst" and .drop.netfilter.verdict == "reject"'
	}
}

# bats test_tags=novm
@test "translated before it is dropped, in a chain that was jumped to; another table accepts first" {
	rules 'table ip nat {
		chain pre { type nat hook prerouting priority -100
			ip daddr 10.9.200.1 udp dport 80 dnat to 10.9.0.9:8080
		}
	}
	table ip one {
		chain f { type filter hook forward priority -5
			accept
		}
	}
	table ip two {
		chain deep {
			udp dport 8080 drop comment "deep"
		}
		chain f { type filter hook forward priority 5
			counter
			jump deep
			drop
		}
	}'
	trace --dst 10.9.200.1:80 --proto udp
	holds '.outcome == "dropped"'
	holds '.drop.netfilter | .table == "two" and .chain == "deep" and .rule.comment == "deep" and .policy == false'
}

# bats test_tags=novm
@test "a sweep: each port its own rule" {
	rules 'table ip t {
		chain f { type filter hook forward priority 0
			udp dport 1-100 drop comment "low"
			udp dport 101-199 drop comment "mid"
		}
	}'
	trace --dst 10.9.0.9 --proto udp --dport 1-300 --sport 40000
	is_status 0
	[ "$(jq -s 'map(select(.packet.dport <= 100 and .drop.netfilter.rule.comment == "low")) | length' <<< "$output")" = 100 ]
	[ "$(jq -s 'map(select(.packet.dport > 100 and .packet.dport < 200 and .drop.netfilter.rule.comment == "mid")) | length' <<< "$output")" = 99 ]
	[ "$(jq -s 'map(select(.packet.dport >= 200 and .drop == null)) | length' <<< "$output")" = 101 ]
}

# bats test_tags=novm
@test "IPv6, and the same packet many times" {
	podctl up six --addr fd00:9::2/128
	podctl up far --addr fd00:8::9/64 --gw fd00:8::1
	rules 'table ip6 six {
		chain f { type filter hook forward priority 0
			tcp dport 443 drop comment "six"
		}
	}'
	flowgen inject --pod netns:six --trace-netfilter --dst '[fd00:8::9]:443' --count 3 --sport 40000
	[ "$(lines)" = 3 ]
	holds '.outcome == "dropped" and .drop.netfilter.family == "ip6" and .drop.netfilter.rule.comment == "six"'
}

# bats test_tags=novm
@test "if it is not known which rule, none is named, and the outcome stays" {
	podctl up six --addr fd00:9::2/128
	podctl up far --addr fd00:8::9/64 --gw fd00:8::1
	rules 'table ip6 t {
		chain f { type filter hook forward priority 0
			udp dport 7014 drop
		}
	}
	table ip n {
		chain post { type nat hook postrouting priority 100
			udp dport 7015 masquerade
		}
	}'
	# Two packets that are the same in each byte.
	flowgen inject --pod netns:six --trace-netfilter --dst '[fd00:8::9]:7014' --proto udp --sport 40000 --count 2
	[ "$(lines)" = 2 ]
	holds '.outcome == "dropped" and .drop.netfilter == null and (.reason | test("cannot distinguish it from another"))'
	# Another sender than the probe's, when it comes to the destination.
	in_pod dst nft -f - <<< 'table inet fw {
		chain in { type filter hook input priority 0
			udp dport 7015 drop
		}
	}'
	trace --dst 10.9.0.9:7015 --proto udp --deliver
	is_status 0
	holds '.outcome == "dropped" and .drop.netfilter == null and (.reason | test("^no nf_tables rule was seen"))'
}

@test "netdev chains: ingress of the host side, egress of the pod's device" {
	rules 'table netdev n {
		chain in { type filter hook ingress device hweb priority 0
			udp dport 7004 drop comment "at the door"
		}
	}'
	trace --dst 10.9.0.9:7004 --proto udp
	holds '.outcome == "dropped" and .drop.netfilter.family == "netdev" and .drop.netfilter.rule.comment == "at the door"'
	in_pod web nft -f - <<< 'table netdev n {
		chain out { type filter hook egress device eth0 priority 0
			udp dport 7005 drop comment "inside"
		}
	}' || skip 'this kernel has no netfilter egress'
	trace --dst 10.9.0.9:7005 --proto udp --method pod-socket
	holds '.outcome == "dropped" and .drop.netfilter.rule.comment == "inside" and .drop.netfilter.netns.name == "web"'
	# A packet that is redirected bypasses this hook, so that the usual way is not taken.
	inject --dst 10.9.0.9:7005 --proto udp
	holds '.method == "pod-socket" and .outcome == "dropped" and (.not_exercised | index("pod-netfilter-egress") == null)'
	flowgen pods --output json
	[ "$(jq -r 'select(.device.primary == "hweb").method' <<< "$output")" = pod-socket ]
	inject --dst 10.9.0.9:7005 --proto udp --method host-ingress
	holds '.not_exercised | index("pod-netfilter-egress") != null'
	[[ $stderr == *'bypasses the netfilter chains at the egress'* ]]
	for method in peer-egress bounce; do
		inject --dst 10.9.0.9:7005 --proto udp --method "$method"
		is_status 3
	done
	# Chains of other devices do not matter, nor do those of another run.
	in_pod web nft flush ruleset
	in_pod web nft -f - <<< 'table netdev n {
		chain out { type filter hook egress device lo priority 0; policy drop
		}
	}
	table netdev flowgen-trace-of-another {
		chain trace0 { type filter hook egress device eth0 priority 0
		}
	}'
	serve dst 7006
	inject --dst 10.9.0.9:7006 --proto udp
	holds '.method != "pod-socket" and .outcome == "delivered"'
}

# bats test_tags=novm
@test "between ports of a bridge" {
	pods_down
	podctl up web --addr 10.9.5.2/24 --gw 10.9.5.1 --bridge br0
	podctl up dst --addr 10.9.5.9/24 --gw 10.9.5.1 --bridge br0
	rules 'table bridge b {
		chain f { type filter hook forward priority 0
			udp dport 7011 drop comment "on the bridge"
		}
	}'
	trace --dst 10.9.5.9:7011 --proto udp
	holds '.outcome == "dropped" and .drop.netfilter.family == "bridge" and .drop.netfilter.rule.comment == "on the bridge"'
}

# bats test_tags=novm
@test "iptables-nft: a rule with a comment, and REJECT" {
	command -v iptables-nft > /dev/null || skip 'no iptables-nft'
	node iptables-nft -A FORWARD -p udp --dport 7006 -m comment --comment 'from iptables' -j DROP
	node iptables-nft -A FORWARD -p udp --dport 7007 -j REJECT
	trace --dst 10.9.0.9:7006 --proto udp
	holds '.drop.netfilter | .family == "ip" and .table == "filter" and .chain == "FORWARD" and .rule.comment == "from iptables" and .verdict == "drop"'
	trace --dst 10.9.0.9:7007 --proto udp
	holds '.drop.netfilter | .verdict == "reject" and .rule.comment == null'
}

# bats test_tags=novm
@test "iptables-legacy is not traced: that is said, and no rule is guessed" {
	command -v iptables-legacy > /dev/null || skip 'no iptables-legacy'
	node iptables-legacy -A FORWARD -p udp --dport 7008 -j DROP 2> /dev/null || skip 'this kernel has no iptables-legacy'
	rules 'table ip t { chain f { type filter hook forward priority 0; counter; }; }' || :
	trace --dst 10.9.0.9:7008 --proto udp
	is_status 0
	holds '.outcome == "dropped" and .drop.netfilter == null and (.reason | test("iptables-legacy"))'
	fits_schema
}

# bats test_tags=novm
@test "--deliver: a drop in the destination pod's own input chain" {
	in_pod dst nft -f - <<< 'table inet fw {
		chain in { type filter hook input priority 0
			udp dport 53 drop comment "not in here"
		}
	}'
	trace --dst 10.9.0.9:53 --proto udp --deliver
	holds '.outcome == "dropped" and .drop.netfilter.rule.comment == "not in here" and .drop.netfilter.netns.name == "dst"'
}

# bats test_tags=novm
@test "without the option: no rule, and a word about the option" {
	rules 'table ip t {
		chain f { type filter hook forward priority 0
			udp dport 7009 drop
		}
	}'
	inject --dst 10.9.0.9:7009 --proto udp --no-explain
	holds '.drop.reason == "NETFILTER_DROP" and .drop.netfilter == null and .reason == null and .attempts == 1'
	holds '.policy.denied_by | .kind == "netfilter" and .table == null and .rule == null'
	inject --dst 10.9.0.9:7009 --proto udp --no-explain --output text
	[[ $output == *--trace-netfilter* ]]
	# A single probe looks twice.
	inject --dst 10.9.0.9:7009 --proto udp
	holds ".attempts == 2 and (.policy.denied_by | .kind == \"netfilter\" and .table == \"t\" and .chain == \"f\" and .rule.handle == $(handle ip t f 7009))"
	inject --dst 10.9.0.9:7009 --proto udp --output text --trace-netfilter
	[[ $output != *--trace-netfilter* ]]
	[[ $output == *"rule handle $(handle ip t f 7009): drop"* ]]
}

# bats test_tags=novm
@test "a scenario asks for it by a key" {
	rules 'table ip t {
		chain f { type filter hook forward priority 0
			udp dport 7012 drop comment "by the scenario"
		}
	}'
	cat > "$BATS_TEST_TMPDIR/s.yaml" <<-'YAML'
		name: netfilter
		trace-netfilter: true
		pods: {web: netns:web}
		probes:
		  - {from: web, to: 10.9.0.9, proto: udp, dport: 7012, expect: dropped}
		  - {from: web, to: 10.9.0.9, proto: udp, dport: 7013, expect: delivered}
	YAML
	flowgen run --output json "$BATS_TEST_TMPDIR/s.yaml"
	is_status 0
	[ "$(jq -c 'select(.drop).drop.netfilter.rule.comment' <<< "$output")" = '"by the scenario"' ]
	# Reports have the details of what is not as expected.
	sed -i 's/expect: dropped/expect: delivered/' "$BATS_TEST_TMPDIR/s.yaml"
	flowgen run --output tap --junit "$BATS_TEST_TMPDIR/junit" "$BATS_TEST_TMPDIR/s.yaml"
	is_status 1
	grep -q 'by the scenario' "$BATS_TEST_TMPDIR/junit"
	[[ $output == *'by the scenario'* ]]
}

# What the table is while a run lasts: it must be there, and nft must be able to show it.
# bats test_tags=novm
@test "the host is the same afterwards, and after SIGKILL" {
	rules 'table ip t {
		chain f { type filter hook forward priority 0
			udp dport 7010 drop
		}
	}'
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
	host_state > "$BATS_TEST_TMPDIR/before"
	trace --dst 10.9.0.9 --proto udp --dport 7000-9000 --deliver
	is_status 0
	host_state > "$BATS_TEST_TMPDIR/after"
	diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	node bash -c '"$0" inject --pod netns:web --dst 10.9.0.9:7010 --proto udp --count 0 --interval 10ms --trace-netfilter --deliver > "$1" & echo $!; wait' \
		"$FLOWGEN" "$BATS_TEST_TMPDIR/out" > "$BATS_TEST_TMPDIR/pid" 3>&- 7>&- &
	wait_for test -s "$BATS_TEST_TMPDIR/out"
	node nft list ruleset > "$BATS_TEST_TMPDIR/during"
	in_pod web nft list ruleset >> "$BATS_TEST_TMPDIR/during"
	in_pod dst nft list ruleset >> "$BATS_TEST_TMPDIR/during"
	node kill -KILL "$(cat "$BATS_TEST_TMPDIR/pid")"
	grep -q 'table inet flowgen-trace-' "$BATS_TEST_TMPDIR/during"
	grep -q 'meta nftrace set 1' "$BATS_TEST_TMPDIR/during"
	gone() {
		host_state > "$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	}
	wait_for gone || diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
