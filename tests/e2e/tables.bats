#!/usr/bin/env bats
# What probes leave in the tables of a policy, and in connection tracking: told in each result, and before a run that
# needs more of them than is good for live connections.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() { node_up; }
teardown_file() { node_down; }
setup() {
	pods_up --addr fd00:9::2/128
	podctl up six --addr fd00:8::9/64 --gw fd00:8::1
}
teardown() { pods_down; }

# map_of NAME: its id. Other tests may have maps of that name at the same time.
map_of() { bpftool --json prog show id "$PROGRAM" | jq -r '.map_ids[]' | while read -r id; do
	bpftool --json map show id "$id" | jq -r --arg name "$1" 'select(.name == $name).id'
done; }
policy() {
	PROGRAM=$(attach web tc/ingress "$1")
	[ -n "$PROGRAM" ]
}
entries() { bpftool --json map dump id "$(map_of "$1")" | jq length; }

@test "a single probe: the table that gained an entry, and how full it is; IPv4 and IPv6" {
	policy remember_lru
	inject --dst 10.9.0.9:53 --proto udp --sport 4001
	is_status 0
	fits_schema
	[ "$(entries flows_lru)" = 1 ]
	holds "[.state[] | select(.kind == \"map\" and .map == \"flows_lru\")] ==
		[{kind: \"map\", map: \"flows_lru\", map_id: $(map_of flows_lru), evicts: true, gained: 1, probes: 1, entries: 1, max_entries: 4096, about: false}]"
	holds '[.state[] | select(.kind == "map") | .map] | sort == ["flows_lru", "senders"]'
	# The same flow once more adds nothing.
	inject --dst 10.9.0.9:53 --proto udp --sport 4001 --force
	is_status 0
	holds '[(.state // [])[] | select(.kind == "map")] == []'
	inject --dst 10.9.0.9:53 --proto udp --sport 4002
	holds '[.state[] | select(.map == "flows_lru")] | length == 1 and .[0].gained == 1 and .[0].entries == 2'
	inject --dst fd00:8::9 --dport 53 --proto udp --sport 4003
	holds '[.state[] | select(.map == "flows_lru")] | length == 1 and .[0].gained == 1 and .[0].entries == 3'
}

@test "as text" {
	policy remember_hash
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp --output text
	is_status 0
	[[ $output == *"map flows_hash (id $(map_of flows_hash)): 1 more entry; 1 of 256 are in use"* ]]
}

@test "a policy that remembers nothing: nothing is told" {
	policy allow_all
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '[(.state // [])[] | select(.kind == "map")] == []'
	inject --dst 10.9.0.9 --proto udp --dport 1-400 --summary
	is_status 0
	[ -z "$stderr" ]
}

@test "a sweep that needs more than half of what is free: one line names the table, before it is full" {
	policy remember_hash
	# 256 entries, 32 of which the first probes take: 112 of 224 would do.
	inject --dst 10.9.0.9 --proto udp --dport 1-500
	is_status 0
	[ "$(grep -c "flows_hash" <<< "$stderr")" = 1 ]
	[[ $stderr == *"the policy's table flows_hash (BPF map $(map_of flows_hash)) holds 32 of 256 entries, and the probes to come add about 468: new connections then find no room"* ]]
	# A table with one entry for each pod is not one that a sweep fills.
	[[ $stderr != *senders* ]]
	[ "$(lines)" = 500 ]
	holds '[.state[] | select(.kind == "map")] | length == 1 and .[0].gained == 32 and .[0].probes == 32 and .[0].max_entries == 256'
	output=$(head -n 1 <<< "$output")
	fits_schema
}

@test "an LRU map: what is evicted are the entries of live connections" {
	policy remember_lru
	inject --dst 10.9.0.9 --proto udp --dport 1-5000 --summary
	is_status 0
	[[ $stderr == *"the policy's table flows_lru "*" holds 32 of 4096 entries, and the probes to come add about 4968: those of live connections are then evicted"* ]]
	[ "$(grep -c . <<< "$stderr")" = 1 ]
	fits_schema summary
	holds ".state == [{kind: \"map\", map: \"flows_lru\", map_id: $(map_of flows_lru), evicts: true, gained: 32, probes: 32, entries: 32, max_entries: 4096, about: false}]"
}

@test "a sweep that the table has room for is not warned of; and neither is one flow, sent often" {
	policy remember_hash
	inject --dst 10.9.0.9 --proto udp --dport 1-100 --summary --output text
	is_status 0
	[[ $(tr -s ' \n' ' ' <<< "$output") == *"state map flows_hash (id "*"): 12 more entries by the first 12 probes; 12 of 256 are in use"* ]] || { show; false; }
	refute grep flows_hash <<< "$stderr"
	inject --dst 10.9.0.9:53 --proto udp --sport 4000 --count 1000 --summary
	is_status 0
	refute grep flows_hash <<< "$stderr"
}

@test "a run without a known end: told once, when it has taken half of what was free" {
	policy remember_hash
	inject --dst 10.9.0.9:53 --proto udp --rate 2000 --count 0 --duration "${FLOWGEN_TEST_INSIDE:+1}2s" --summary
	is_status 0
	[ "$(grep -c "flows_hash" <<< "$stderr")" = 1 ]
	[[ $stderr =~ "the policy's table flows_hash (BPF map $(map_of flows_hash)) holds "([0-9]+)" of 256 entries, "([0-9]+)" of them of the probes so far, and the run goes on: new connections then find no room" ]] || { show; false; }
	[ "${BASH_REMATCH[1]}" -ge 128 ]
	[ "${BASH_REMATCH[2]}" -ge 128 ]
	[[ $stderr != *senders* ]]
	holds '.state | length == 1 and .[0].map == "flows_hash" and .[0].gained >= 128 and .[0].probes >= 128'
	# One flow, again and again, fills nothing.
	inject --dst 10.9.0.9:53 --proto udp --sport 4000 --rate 2000 --duration 1s --summary
	is_status 0
	refute grep flows_hash <<< "$stderr"
	holds '[.state[] | select(.map == "flows_hash")] == []'
}

@test "a scenario is announced, too" {
	policy remember_hash
	cat > "$BATS_TEST_TMPDIR/many.yaml" <<-'END'
		schema: flowgen.scenario/1
		name: many
		pods: {web: "netns:web"}
		destinations: {dst: 10.9.0.9}
		probes:
		  - {name: ports, from: web, to: dst, proto: udp, dport: 1-300, expect: allow}
	END
	flowgen run "$BATS_TEST_TMPDIR/many.yaml"
	[[ $stderr == *"table flows_hash "*" holds 32 of 256 entries, and the probes to come add about 268"* ]]
}

@test "connection tracking: how full it is" {
	node nft 'table inet t { chain c { type filter hook forward priority 0; ct state new accept; }; }'
	policy allow_all
	inject --dst 10.9.0.9:53 --proto udp
	is_status 0
	max=$(cat /proc/sys/net/netfilter/nf_conntrack_max)
	holds "[.state[] | select(.kind == \"conntrack\" and .netns.side == \"host\")] | length == 1 and .[0].max_entries == $max and .[0].entries >= 1"
	node nft delete table inet t
}
