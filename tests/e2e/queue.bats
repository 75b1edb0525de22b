#!/usr/bin/env bats
# Parts of the node that decide beside rules and routes: queues to user space, bridges, connection tracking zones.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers
load way

setup_file() {
	way_node_up
	podctl up near --addr 10.9.8.2/24 --addr fd09:8::2/64 --gw 10.9.8.1 --bridge br0
	podctl up far --addr 10.9.8.3/24 --addr fd09:8::3/64 --gw 10.9.8.1 --bridge br0
	serve dst 9999
	serve far 9999
}
teardown_file() { node_down; }
teardown() {
	[ -z "${READER:-}" ] || reader_gone
	node nft flush ruleset
	node tc qdisc del dev hnear clsact 2> /dev/null || :
	node sysctl -qw net.bridge.bridge-nf-call-iptables=0 2> /dev/null || :
}

# reader NUMBER WHAT: a program that reads that queue of the node; its pid there is READER.
reader() {
	: > "$NODE_DIR/reader"
	node "$TOOL/nfqueue" "$@" > "$NODE_DIR/reader" 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/reader"
	READER=$(sed -n 's/^ready //p' "$NODE_DIR/reader")
}
reader_gone() {
	node kill "$READER"
	wait_for refute node test -e "/proc/$READER"
	READER=
}

got_through="DELIVERED at eth0 (dst), intercepted before the pod's stack; "
six=(--dst '[fd00:9::9]:9999' --proto udp)

# bats test_tags=novm
@test "a program that reads a netfilter queue refuses, takes, or keeps the packet" {
	local iptables
	# By nf_tables' own expression, or else by the target of iptables.
	node nft -f - <<< 'table inet t { chain c { type filter hook forward priority 0; udp dport 9999 queue num 7; }; }' 2> /dev/null ||
		for iptables in iptables-nft ip6tables-nft; do
			node $iptables -A FORWARD -p udp --dport 9999 -j NFQUEUE --queue-num 7 2> /dev/null || skip 'this kernel has no NFQUEUE'
		done
	reader 7 drop
	way 'refused' denied node queue '*' dropped 'DENIED by user space (netfilter queue)'
	holds '.cause.kind == "queue" and .cause.how == "refused" and (.cause.what | test("^NFQUEUE 7, refused")) and (.cause.process | test("^pid [0-9]+ nfqueue$")) and (.hint | test("nfqueue"))'
	way 'refused, IPv6' denied node queue '*' dropped 'DENIED by user space (netfilter queue)' "${six[@]}"
	reader_gone
	reader 7 accept
	way 'taken' allowed - - - delivered "${got_through}allowed: netfilter let it pass"
	way 'taken, IPv6' allowed - - - delivered "${got_through}allowed: netfilter let it pass" "${six[@]}"
	reader_gone
	reader 7 hold
	inject --dst 10.9.0.9:9999 --proto udp --timeout 300ms --expect allow
	is_status 4
	holds '.outcome == "inconclusive" and .policy.verdict == "unknown" and .cause.how == "waiting" and (.cause.process | test("nfqueue"))'
}

# bridged OPTION...: from a pod to another on the same bridge.
bridged() { flowgen inject --pod netns:near --proto udp "$@"; }

bridges_call_ip() {
	node sysctl -qw net.bridge.bridge-nf-call-iptables=1 2> /dev/null || {
		modprobe -q br_netfilter 2> /dev/null && node sysctl -qw net.bridge.bridge-nf-call-iptables=1
	} || skip 'this kernel has no br_netfilter'
}

# bats test_tags=novm
@test "a bridge hands packets to the chains of IP, which let them pass: for all bridges, or for one" {
	local of flag dst
	bridges_call_ip
	node nft -f - <<< 'table inet t { chain c { type filter hook forward priority 0; udp dport 7 drop; }; }'
	for of in 'iptables 10.9.8.3:9999' 'ip6tables [fd09:8::3]:9999'; do
		node sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
		dst=${of#* }
		bridged --dst "$dst"
		holds '.outcome == "delivered" and .policy.verdict == "none" and .policy.stages.node == "none"'
		for flag in sysctl bridge; do
			if [ $flag = sysctl ]; then
				node sysctl -qw "net.bridge.bridge-nf-call-${of% *}=1"
			else
				node sysctl -qw "net.bridge.bridge-nf-call-${of% *}=0"
				node ip link set br0 type bridge "nf_call_${of% *}" 1
			fi
			bridged --dst "$dst"
			holds '.outcome == "delivered" and .policy.verdict == "allowed" and .policy.stages.node == "allowed"'
			bridged --dst "${dst%:*}:7"
			holds '.policy.stages.node == "denied" and .policy.denied_by.table == "t"'
		done
		node ip link set br0 type bridge "nf_call_${of% *}" 0
	done
}

# bats test_tags=novm
@test "a bridge translates: nobody redirected it" {
	bridges_call_ip
	node nft -f - <<< 'table ip nat { chain p { type nat hook prerouting priority -100; ip daddr { 10.9.8.77, 10.96.0.1 } udp dport 53 dnat to 10.9.8.3:9999; }; }'
	in_pod near ip neigh replace 10.9.8.77 lladdr "$(mac_of far)" dev eth0
	attach near tc/ingress allow_all > /dev/null
	# Within the bridge, and by way of the gateway.
	for dst in 10.9.8.77 10.96.0.1; do
		bridged --dst $dst:53
		holds '.policy.redirected_to == null and .policy.redirected_by == null and .outcome == "delivered"'
		# Where the bridge has to ask for the neighbour, that looks like bpf_redirect_neigh().
		holds '.policy.verdict == "allowed" or .policy.verdict == "unknown"'
		! can fexit || holds '.policy.verdict == "allowed"'
		bridged --dst $dst:53 --expect allow
		is_status 0
		holds '.policy.verdict == "allowed" and .policy.stages.egress == "allowed"'
		holds '[.observations[] | select(.action == "Translated")] | length == 1'
	done
	# What the bridge hands to the chains of IP they can deny.
	node nft -f - <<< 'table ip t { chain c { type filter hook forward priority 0; udp dport 9999 drop; }; }'
	bridged --dst 10.9.8.77:53 --expect deny
	is_status 0
	holds '.policy.stages.egress == "allowed" and .policy.stages.node == "denied" and (.policy.denied_by | .kind == "netfilter" and .table == "t" and .chain == "c")'
}

@test "a bridge's VLAN filter" {
	node ip link set br0 type bridge vlan_filtering 1 2> /dev/null || skip "this kernel's bridges have no VLAN filter"
	bridged --dst 10.9.8.3:9999
	holds '.outcome == "delivered" and .policy.verdict == "none"'
	node bridge vlan del dev hnear vid 1
	bridged --dst 10.9.8.3:9999
	holds '.outcome == "dropped" and .policy.verdict == "none" and (.decider | .stage == "node" and .kind == "bridge" and .device == "hnear")'
	holds '.cause.kind == "bridge" and (.hint | test("bridge vlan"))'
	node bridge vlan add dev hnear vid 1 pvid untagged
	node bridge vlan del dev hfar vid 1
	bridged --dst 10.9.8.3:9999
	holds '.outcome == "dropped" and .policy.verdict == "none" and (.decider | .stage == "node" and .kind == "bridge")'
	node bridge vlan add dev hfar vid 1 pvid untagged
	node ip link set br0 type bridge vlan_filtering 0
}

# bats test_tags=novm
@test "connection tracking zones: an entry is found in each" {
	node nft -f - <<< 'table ip z { chain p { type filter hook prerouting priority -300; iifname "hweb" ct zone set 7; }; chain f { type filter hook forward priority 0; ct state invalid drop; }; }' 2> /dev/null ||
		skip 'this kernel has no zones'
	command -v conntrack > /dev/null || skip 'no conntrack'
	inject --dst 10.9.0.9:9999 --proto udp --sport 40001 --tidy
	is_status 0
	holds '.outcome == "delivered" and ([.state[] | .removed] == [true])'
	[ -z "$(node conntrack -L --orig-port-src 40001 2> /dev/null)" ]
	inject --dst 10.9.0.9:9999 --proto udp --sport 40001
	is_status 0
	holds '[.state[] | .removed] == [false]'
	# It is in use now.
	inject --dst 10.9.0.9:9999 --proto udp --sport 40001
	is_status 2
	complains '40001.* is in use: connection tracking of the host .*zone 7'
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
