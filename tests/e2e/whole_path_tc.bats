#!/usr/bin/env bats
# The whole way, what needs modules that not every kernel has: tc filters of other kinds, netkit at the receiver. In the
# virtual machines all of it runs.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers
load way

setup_file() {
	node_up
	pods_up
	serve dst 53 9999
	# What drops everything else would drop what asks for addresses too.
	node ip neigh replace 10.9.0.9 lladdr "$(mac_of dst)" dev hdst nud permanent
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp
}
teardown_file() { node_down; }
setup() {
	node tc qdisc add dev hweb clsact
	node tc qdisc add dev hdst clsact
}
teardown() {
	node tc qdisc del dev hweb clsact 2> /dev/null || :
	node tc qdisc del dev hdst clsact 2> /dev/null || :
}

# filter DEVICE HOOK SPECIFICATION...: or the test is skipped.
filter() {
	node tc filter add dev "$@" 2> "$NODE_DIR/tc.err" || skip "this kernel has no such filter: $(head -n 1 "$NODE_DIR/tc.err")"
}
other_port=(--dst 10.9.0.9:53 --proto udp)
got_through="DELIVERED at eth0 (dst), intercepted before the pod's stack; "
let_pass="${got_through}allowed: the tc filters on its way let it pass"

@test "u32 drops at the sender" {
	filter hweb ingress pref 1 protocol ip u32 match ip dport 9999 0xffff action drop
	way 'u32' denied egress tc-filter 'TC_INGRESS' dropped 'DENIED by u32 pref 1 handle *, drop (tc/ingress on hweb), egress of web'
	way 'another port' allowed - - - delivered "$let_pass" "${other_port[@]}"
}

@test "flower drops at the receiver, alone and before a program" {
	filter hdst egress pref 1 protocol ip flower ip_proto udp dst_port 9999 action drop
	way 'flower' denied ingress tc-filter 'TC_EGRESS' dropped 'DENIED by flower pref 1 handle *, drop (tc/egress on hdst), ingress of dst'
	way 'another port' allowed - - - delivered "$let_pass" "${other_port[@]}"
}

@test "classic BPF with an action, before and behind an eBPF program" {
	attach web tc/ingress next_all
	filter hweb ingress pref 50 protocol ip bpf bytecode '1,6 0 0 4294967295,' action drop
	if can fexit; then
		way 'behind' denied egress tc-filter 'TC_INGRESS' dropped 'DENIED by bpf (classic) pref 50 handle *, drop (tc/ingress on hweb), egress of web'
	else
		way 'behind' denied egress tc 'TC_INGRESS' dropped 'DENIED by a tc program or filter at hweb (host), egress of web: which one is not known; candidates: next_all'
	fi
}

@test "police and matchall" {
	filter hweb ingress pref 1 protocol ip matchall action police rate 8bit burst 10 conform-exceed drop
	way 'police' denied egress tc-filter 'TC_INGRESS' dropped 'DENIED by matchall pref 1 handle *, police'
}

@test "a filter in another chain" {
	filter hweb ingress pref 1 protocol ip matchall action goto chain 5
	filter hweb ingress chain 5 pref 1 protocol ip flower ip_proto udp dst_port 9999 action drop
	way 'chain 5' denied egress tc-filter 'TC_INGRESS' dropped 'DENIED by flower pref 1 handle * chain 5, drop (tc/ingress on hweb), egress of web'
}

@test "mirred to an ifb, as the bandwidth plugin has it: it comes back" {
	node ip link add ifb7 type ifb 2> /dev/null || skip 'no ifb'
	node ip link set ifb7 up
	filter hweb ingress pref 1 protocol ip u32 match u32 0 0 action mirred egress redirect dev ifb7
	way 'ifb' '@(allowed|none)' - - - delivered "$got_through"
	holds '.policy.redirected_by == null and .policy.redirected_to == null and any(.observations[]; .device == "ifb7")'
	node ip link del ifb7
}

@test "mirred to the receiver's host side: nobody is blamed" {
	filter hweb ingress pref 1 protocol ip bpf bytecode '1,6 0 0 4294967295,' action mirred egress redirect dev hdst
	inject --dst 10.9.0.9:9999 --proto udp --expect allow
	is_status 4
	holds '.policy.verdict == "unknown" and .policy.redirected_by == null and .outcome == "dropped" and .drop.reason == "OTHERHOST"'
}

# One program on one hook twice: for IPv6, where it is not asked, and for IPv4.
@test "a twin for IPv6" {
	local id
	node mount -t bpf bpf /sys/fs/bpf
	id=$(attach web tc/ingress deny_port --proto udp --port 9999)
	node bpftool prog pin id "$id" /sys/fs/bpf/twin
	node tc qdisc del dev hweb clsact
	node tc qdisc add dev hweb clsact
	filter hweb ingress pref 1 protocol ipv6 bpf da pinned /sys/fs/bpf/twin
	way 'for IPv6 alone' none - - - delivered "${got_through}nothing enforces here"
	filter hweb ingress pref 2 protocol ip bpf da pinned /sys/fs/bpf/twin
	way 'and for IPv4' denied egress bpf deny_port dropped 'DENIED by deny_port (tc/ingress on hweb, egress of web'
}

@test "a qdisc that loses everything at the receiver's host side" {
	node tc qdisc add dev hdst root netem loss 100% 2> /dev/null || skip 'no netem'
	way 'netem' none ingress qdisc 'QDISC_DROP' dropped 'DROPPED by qdisc at hdst (host): QDISC_DROP; no policy denied it'
	node tc qdisc del dev hdst root
}

@test "NFQUEUE without a listener" {
	node nft -f - <<< 'table ip t { chain c { type filter hook forward priority 0; udp dport 9999 queue num 7; }; }' 2> /dev/null || skip 'no NFQUEUE'
	way 'nobody listens' denied node queue '*' dropped 'DENIED by user space (netfilter queue)'
	holds '.cause.what | test("NFQUEUE 7, no listener")'
	node nft flush ruleset
}

# --- netkit at both ends ---

@test "netkit: the receiver's primary program, and redirects that fail" {
	need netkit
	pods_down
	pods_up --kind netkit
	podctl del dst
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1 --kind netkit
	local id behind
	id=$(attach dst netkit/primary deny_port --proto udp --port 9999)
	way 'the receiver denies' denied ingress bpf deny_port dropped 'DENIED by deny_port (netkit/primary on hdst, ingress of dst)'
	way 'it allows' allowed - - - delivered "${got_through}allowed: 1 policy program let it pass" "${other_port[@]}"
	podctl detach dst --hook netkit/primary --id "$id"
	podctl up gone --addr 10.9.7.9/24 --gw 10.9.7.1
	id=$(attach web netkit/peer redirect_to --to hgone)
	behind=$(attach web netkit/peer drop_all)
	podctl del gone
	inject --dst 10.9.0.9:9999 --proto udp --expect allow
	is_status 1
	holds ".policy.verdict == \"redirected\" and .policy.redirected_by.id == $id and .policy.redirected_to == null and .outcome == \"dropped\""
	! can fexit || ran redirect_to drop_all:no
	podctl detach web --hook netkit/peer --id "$id"
	podctl detach web --hook netkit/peer --id "$behind"
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
