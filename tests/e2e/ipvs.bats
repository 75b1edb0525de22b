#!/usr/bin/env bats
# Services of IPVS: what it does with a packet, who is behind them, and packets that it has nobody for.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers
load way

has_ipvs() { command -v ipvsadm > /dev/null && { modprobe -q ip_vs 2> /dev/null || [ -e /proc/net/ip_vs ]; }; }

setup_file() {
	has_ipvs || return 0
	way_node_up
	podctl up other --addr 10.9.3.3/24 --gw 10.9.3.1
	serve dst 53 9999
	serve other 9999
	# As kube-proxy does: the host holds the addresses of all Services.
	node ip addr add 10.96.0.10/32 dev lo
	node ip addr add fd00:96::10/128 dev lo
	node sysctl -qw net.ipv4.vs.conntrack=1
	node ipvsadm -R <<-'END'
		-A -u 10.96.0.10:53 -s rr
		-a -u 10.96.0.10:53 -r 10.9.0.9:9999 -m
		-A -u 10.96.0.10:54 -s rr
		-A -u 10.96.0.10:55 -s wrr
		-a -u 10.96.0.10:55 -r 10.9.0.9:9999 -m -w 0
		-A -u 10.96.0.10:56 -s rr
		-a -u 10.96.0.10:56 -r 10.9.0.9:9999 -m -x 1 -y 0
		-A -u [fd00:96::10]:53 -s rr
		-a -u [fd00:96::10]:53 -r [fd00:9::9]:9999 -m
	END
}
teardown_file() { node_down; }
setup() { has_ipvs || skip 'this kernel has no IPVS, or there is no ipvsadm'; }
teardown() {
	[ -z "${NODE_PID:-}" ] || node nft flush ruleset
	[ -z "${DENIER:-}" ] || podctl detach dst --hook tcx/egress --other-side --id "$DENIER"
	DENIER=
}

service=(--dst 10.96.0.10:53 --proto udp)
got_through="DELIVERED at eth0 (dst), intercepted before the pod's stack; "
# What the stack of a pod has counted for UDP: with tcx nothing of a probe comes there.
counted() { in_pod "$1" cat /proc/net/snmp /proc/net/snmp6 | grep -E '^Udp:|^Udp6In'; }

@test "the receiver behind a service is known before anything is sent, and does not notice" {
	local before
	before=$(counted dst)
	way 'a service' none - - - delivered "${got_through}nothing enforces here" "${service[@]}"
	holds '.attempts == 1 and .ipvs == {proto: "udp", address: "10.96.0.10", port: 53, scheduler: "rr", backends: 1, to: {address: "10.9.0.9", port: 9999}}'
	way 'IPv6' none - - - delivered "${got_through}nothing enforces here" --dst '[fd00:96::10]:53' --proto udp
	holds '.ipvs.to == {address: "fd00:9::9", port: 9999}'
	! can tcx || [ "$(counted dst)" = "$before" ]
	flowgen inject --pod netns:web "${service[@]}" --output text
	[[ $(tr -s ' ' <<< "$output") == *'ipvs udp 10.96.0.10:53 (rr, 1 backend), to 10.9.0.9:9999'* ]]
}

@test "the receiver's policy denies what IPVS sent on" {
	need tcx
	DENIER=$(attach dst tcx/egress deny_port --proto udp --port 9999 --other-side)
	way 'denied behind it' denied ingress bpf deny_port dropped 'DENIED by deny_port (tcx/egress on hdst, ingress of dst)' "${service[@]}"
	holds '.attempts == 1 and .ipvs.to.address == "10.9.0.9"'
}

@test "several servers: each in turn, and none of them notices" {
	local before seen
	node ipvsadm -a -u 10.96.0.10:53 -r 10.9.3.3:9999 -m
	before=$(counted dst; counted other)
	seen=$(for _ in 1 2; do inject "${service[@]}"; value .ipvs.to.address; done | sort -u | xargs)
	node ipvsadm -d -u 10.96.0.10:53 -r 10.9.3.3:9999
	[ "$seen" = '10.9.0.9 10.9.3.3' ]
	! can tcx || [ "$(counted dst; counted other)" = "$before" ]
}

@test "a service without servers drops, and that is no policy" {
	way 'none' none node ipvs NETFILTER_DROP rejected 'REJECTED by ipvs at hweb (host)' --dst 10.96.0.10:54 --proto udp
	holds '.attempts == 1 and .ipvs.backends == 0 and .cause.kind == "ipvs" and .cause.how == "no-backend" and .cause.what == "service udp 10.96.0.10:54 (rr, 0 backends)" and (.hint | test("ipvsadm"))'
	way 'all of weight 0' none node ipvs NETFILTER_DROP rejected 'REJECTED by ipvs at hweb (host)' --dst 10.96.0.10:55 --proto udp
	holds '.cause.how == "no-backend"'
	# The first connection uses up the limit.
	inject --dst 10.96.0.10:56 --proto udp
	way 'at their limit' none node ipvs NETFILTER_DROP rejected 'REJECTED by ipvs at hweb (host)' --dst 10.96.0.10:56 --proto udp
	holds '.cause.how == "refused" and .ipvs.backends == 1'
	flowgen inject --pod netns:web --dst 10.96.0.10 --dport 54,55 --proto udp
	holds '.policy.verdict == "none" and .decider.kind == "ipvs" and (has("ipvs") | not)'
}

@test "a rule or IPVS: it takes a trace to tell" {
	node nft -f - <<< 'table ip t { chain c { type filter hook input priority 0; udp dport 55 drop; udp dport 9 drop; }; }'
	way 'the rule' denied node netfilter t/c dropped 'DENIED by netfilter (table ip t, chain c, rule handle 2) at hweb (host)' --dst 10.96.0.10:55 --proto udp
	holds '.attempts == 2'
	way 'not the rule' none node ipvs NETFILTER_DROP rejected 'REJECTED by ipvs at hweb (host)' --dst 10.96.0.10:54 --proto udp
	holds '.attempts == 2 and .cause.how == "no-backend"'
	# Of many nobody is asked twice.
	flowgen inject --pod netns:web --dst 10.96.0.10 --dport 54,55 --proto udp
	holds '.policy.verdict == "unknown" and .outcome == "rejected" or .outcome == "dropped"'
	flowgen inject --pod netns:web --dst 10.96.0.10 --dport 54,55 --proto udp --trace-netfilter
	[ "$(jq -rs 'map("\(.packet.dport) \(.policy.verdict) \(.decider.kind)") | sort | join(", ")' <<< "$output")" = '54 none ipvs, 55 denied netfilter' ]
	way 'no service' denied node netfilter t/c dropped 'DENIED by netfilter (table ip t, chain c, rule handle 3) at hweb (host)' --dst 10.96.0.10:9 --proto udp
}

@test "what IPVS sends on meets the output's chains, and not the forward chains" {
	node nft -f - <<< 'table ip t { chain c { type filter hook forward priority 0; policy drop; }; }'
	way 'forward' none - - - delivered "${got_through}nothing enforces here" "${service[@]}"
	node nft flush ruleset
	node nft -f - <<< 'table ip t { chain c { type filter hook output priority 0; udp dport 9 drop; }; }'
	way 'output' allowed - - - delivered "${got_through}allowed: netfilter let it pass" "${service[@]}"
	node nft add rule ip t c udp dport 9999 drop
	way 'output drops' denied node netfilter t/c dropped 'DENIED by netfilter (table ip t, chain c, rule handle 3)' "${service[@]}"
}

@test "a chain at the device behind IPVS is not IPVS" {
	node nft -f - <<< 'table netdev t { chain c { type filter hook egress device hdst priority 0; udp dport 9 drop; }; }' 2> /dev/null ||
		skip 'this kernel has no egress hook of devices'
	way 'lets pass' allowed - - - delivered "${got_through}allowed: netfilter let it pass" "${service[@]}"
	node nft add rule netdev t c udp dport 9999 drop
	way 'drops' denied node netfilter t/c dropped 'DENIED by netfilter (table netdev t, chain c, rule handle 3)' "${service[@]}"
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
