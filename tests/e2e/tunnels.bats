#!/usr/bin/env bats
# Packets that go into a tunnel, or that IPsec policies have a say about.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers
load way

setup_file() {
	way_node_up
	serve dst 9999
	# Each error is told, however many there were.
	node sysctl -qw net.ipv4.icmp_ratelimit=0
}
teardown_file() { node_down; }
teardown() {
	node ip xfrm policy flush 2> /dev/null || :
	node ip xfrm state flush 2> /dev/null || :
}

six=(--dst '[fd00:9::9]:9999' --proto udp)
got_through="DELIVERED at eth0 (dst), intercepted before the pod's stack; "

# policy DIRECTION WHAT...: of IPsec, on what goes to the pod dst, of both families.
policy() {
	local dir=$1
	shift
	node ip xfrm policy add dir "$dir" src 10.9.1.0/24 dst 10.9.0.0/24 "$@" 2> /dev/null || skip 'this kernel has no IPsec'
	node ip xfrm policy add dir "$dir" src fd00:1::/64 dst fd00:9::/64 "$@"
}

# bats test_tags=novm
@test "IPsec: a policy blocks what is forwarded" {
	policy fwd action block
	way 'IPv4' denied node xfrm XFRM_POLICY dropped 'DENIED by IPsec policy (xfrm) at hweb (host)'
	holds '.cause.kind == "xfrm" and .cause.how == "block" and (.cause.what | test("^policy dir fwd block, src 10.9.1.0/24 dst 10.9.0.0/24"))'
	# IPv6 gives no reason here; that a setting did it cannot be ruled out.
	way 'IPv6' unknown node other NOT_SPECIFIED dropped 'DROPPED at hweb (host)' "${six[@]}"
	holds '.cause.kind == "xfrm" and .cause.how == "block" and (.hint | test("ip xfrm policy"))'
	node ip xfrm policy flush
	way 'none left' none - - - delivered "${got_through}nothing enforces here" "${six[@]}"
}

# bats test_tags=novm
@test "IPsec: a policy blocks what goes out" {
	policy out action block
	way 'IPv4' denied node xfrm XFRM_POLICY dropped 'DENIED by IPsec policy (xfrm) at hweb (host)'
	holds '.cause.how == "block" and (.cause.what | test("^policy dir out block"))'
	way 'IPv6' denied node xfrm XFRM_POLICY dropped 'DENIED by IPsec policy (xfrm) at hweb (host)' "${six[@]}"
	holds '.cause.how == "block"'
}

@test "IPsec: encryption is asked for, and there is no state; and there is one" {
	policy out tmpl src 10.9.0.1 dst 10.9.0.9 proto esp reqid 1 mode tunnel
	way 'no state' denied node xfrm XFRM_POLICY dropped 'DENIED by IPsec policy (xfrm) at hweb (host)'
	holds '.cause.how == "no-state" and (.hint | test("ip xfrm state"))'
	node ip xfrm state add src 10.9.0.1 dst 10.9.0.9 proto esp spi 1 reqid 1 mode tunnel \
		auth 'hmac(sha256)' "0x$(printf '12%.0s' {1..32})" enc 'cbc(aes)' "0x$(printf '34%.0s' {1..16})" 2> /dev/null ||
		skip 'this kernel has no ESP'
	inject --dst 10.9.0.9:9999 --proto udp --expect allow
	is_status 4
	holds '.policy.verdict == "unknown" and .outcome == "inconclusive" and (.reason | test("IPsec"))'
}

# The ends of a WireGuard tunnel: wg0 in the node, wg1 (10.77.0.1) in the pod dst.
wireguard_up() {
	node ip link add wg0 type wireguard 2> /dev/null || skip 'this kernel has no WireGuard'
	node ip link set wg0 up
	node ip route add 10.77.0.0/16 dev wg0
	in_pod dst ip link add wg1 type wireguard
	in_pod dst ip link set wg1 up
	in_pod dst ip addr add 10.77.0.1/16 dev wg1
	in_pod dst ip route add 10.9.1.2/32 dev wg1
}
wg() {
	local where=$1
	shift
	$where "$PYTHON" "$ROOT/tests/e2e/wg.py" "$@"
}

@test "WireGuard: no peer, no answer, and through" {
	wireguard_up
	local tunnel=(--dst 10.77.0.1:9999 --proto udp) here there
	here=$(wg node key wg0 51820)
	there=$(wg 'in_pod dst' key wg1 51821)
	way 'no peer' none ingress device NOT_SPECIFIED rejected 'REJECTED by device at wg0 (host)' "${tunnel[@]}"
	holds '.hint | test("wg show")'
	# Nobody listens at that port.
	wg node peer wg0 "$there" 10.77.0.0/16 10.9.0.9 51822
	inject "${tunnel[@]}" --timeout 300ms
	holds '.outcome == "inconclusive" and .policy.verdict == "unknown" and (.reason | test("WireGuard.*handshake"))'
	wg 'in_pod dst' peer wg1 "$here" 10.9.1.0/24
	wg node peer wg0 "$there" 10.77.0.0/16 10.9.0.9 51821
	in_pod web ping -qc 1 -W 9 10.77.0.1
	# Encrypted, it goes to where the tunnel ends.
	inject "${tunnel[@]}"
	holds '.outcome == "delivered" and .policy.verdict == "none"'
	holds '[.observations[] | select(.device == "wg0" and .action == "Forwarded")] | length > 0'
	holds '[.observations[] | select(.action == "Encapsulated" and (.detail | test("10.9.0.9:51821")))] | length == 1'
	inject "${tunnel[@]}" --deliver
	holds '.outcome == "delivered" and ([.observations[] | select(.action == "Decapsulated")] | length == 1)'
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
