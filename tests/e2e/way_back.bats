#!/usr/bin/env bats
# The return path of a reply: who denies it or drops it, at each stage, in the same form as on the way out.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers
load way

setup_file() {
	way_node_up
	node sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	# A program that drops everything drops neighbour discovery too.
	local addr
	for addr in 10.9.0.9 fd00:9::9; do
		node ip neigh replace "$addr" lladdr "$(mac_of dst)" dev hdst nud permanent
	done
	for addr in 10.9.0.1 fd00:9::1; do
		in_pod dst ip neigh replace "$addr" lladdr "$(node cat /sys/class/net/hdst/address)" dev eth0 nud permanent
	done
	for addr in 10.9.1.2 fd00:1::2; do
		node ip neigh replace "$addr" lladdr "$(mac_of web)" dev hweb nud permanent
	done
}
teardown_file() { node_down; }
setup() {
	need tcx
	OFF=()
}
teardown() {
	node nft flush ruleset
	in_pod dst nft flush ruleset
	[ ${#OFF[@]} = 0 ] || podctl detach "${OFF[@]}"
}

# hang POD HOOK PROGRAM [OPTION...]: until the test ends.
hang() {
	local id
	id=$(attach "$@")
	OFF=("$1" --hook "$2" --id "$id")
	[[ " $* " != *' --other-side '* ]] || OFF+=(--other-side)
}

four=(--dst 10.9.0.9 --proto icmp)
six=(--dst '[fd00:9::9]' --proto icmp)

# back TRAIT VERDICT STAGE KIND NAME STAGES HEADLINE [OPTION of inject...]: what is said of the reply. STAGE and KIND are those of
# what ended it, NAME who denied it, else the reason for the drop; STAGES the verdict of egress, node and ingress. The headline
# ends so, "-": it says nothing of the reply. All but TRAIT are patterns.
back() {
	local trait=$1 wanted="$2 $3 $4" name=$5 stages=$6 headline=$7 got
	shift 7
	inject --reply --timeout 400ms "$@"
	[ -n "$output" ] || { echo "$trait: no result" && show && return 1; }
	printf '%s\n' "$output" >> "$NODE_DIR/results"
	got=$(value '.reply | [.policy.verdict, (.decider | .stage, .kind)] | map(. // "-") | join(" ")')
	fits "$trait: verdict, stage and kind" "$wanted" "$got"
	got=$(value '.reply | .policy.denied_by as $d | if $d.table then "\($d.table)/\($d.chain)" else $d.name // .drop.reason // "-" end')
	fits "$trait: who, or why" "$name" "$got"
	fits "$trait: stages" "$stages" "$(value '.reply.policy.stages | [.egress, .node, .ingress] | map(. // "-") | join(" ")')"
	# What became of the packet itself stands.
	holds '.policy.verdict != "denied" and .policy.denied_by == null and (.reply.policy.verdict == "denied") == (.reply.policy.stages | any(. == "denied"))'
	[ "$headline" != - ] || headline='[A-Z]*'
	got=$(node "$FLOWGEN" inject --pod netns:web --reply --timeout 400ms "$@" --output text 2> "$NODE_DIR/warnings" | sed '/^$/,$d' | tr -s ' \n' ' ')
	# shellcheck disable=SC2053  # a pattern
	[[ $got == *$headline* ]] || { echo "$trait: the headline is: $got" && return 1; }
	[[ $headline != '[A-Z]*' || $got != *'its reply'* ]] || { echo "$trait: the headline is: $got" && return 1; }
}
# both TRAIT...: with IPv4 and with IPv6.
both() {
	back "$@" "${four[@]}"
	back "$1, IPv6" "${@:2}" "${six[@]}"
}

@test "nothing is on its way" {
	both 'no policy' none - - - 'none none none' -
	holds '.outcome == "replied" and .reply.kind == "echo-reply" and (.reply.decisions | length == 0)'
	back 'the host itself replies' none - - - '- none none' - --dst 10.9.0.1 --proto icmp
	back "the host's own error" none - - - '- none none' - --dst 10.9.0.1:9 --proto udp
	back 'an error of the receiver' none - - - 'none none none' - --dst 10.9.0.9:9 --proto udp
	holds '.outcome == "rejected" and any(.observations[]; .action == "Replied" and (.detail | test("icmp 3/3")))'
}

@test "programs at the pod that replies" {
	hang dst tcx/egress drop_all
	both 'in the pod' denied egress bpf drop_all 'denied - -' 'its reply was denied on the return path by drop_all (tcx/egress on eth0, egress of dst)'
}

@test "programs at the host's side of the pod that replies" {
	hang dst tcx/ingress drop_all
	both 'at the host' denied egress bpf drop_all 'denied - -' 'its reply was denied on the return path by drop_all (tcx/ingress on hdst, egress of dst)'
}

@test "programs that let it pass" {
	hang dst tcx/ingress allow_all
	both 'allowed' allowed - - - 'allowed none none' -
	holds '.reply.policy.programs | length == 1 and .[0].name == "allow_all" and .[0].ran'
	back 'another way' none - - - '- none none' - --dst 10.9.0.1 --proto icmp
}

@test "programs at the sending pod's host side" {
	hang web tcx/egress drop_all --other-side
	both 'of a pod' denied ingress bpf drop_all 'none none denied' 'its reply was denied on the return path by drop_all (tcx/egress on hweb, ingress of web)'
	back 'of the host' denied ingress bpf drop_all '- none denied' 'its reply was denied on the return path by drop_all' --dst 10.9.0.1 --proto icmp
}

@test "a program in the sending pod is behind the place where flowgen takes the reply" {
	hang web tcx/ingress drop_all --other-side
	both 'intercepted' none - - - 'none none none' -
	holds '.outcome == "replied" and (.reply.policy.programs | length == 1 and .[0].ran == false)'
}

@test "several programs, and none is seen to deny" {
	hang web tcx/egress drop_all --other-side
	id=$(attach web tcx/egress allow_all --other-side)
	inject --reply --timeout 400ms "${four[@]}"
	podctl detach web --hook tcx/egress --other-side --id "$id"
	holds '.reply.policy | .verdict == "denied" and .stages.ingress == "denied"'
	# One program is named if it was seen to deny; else both are candidates.
	holds '.reply.policy | (.denied_by.name == "drop_all" and .candidates == []) or (.denied_by.id == null and (.candidates | map(.name) | sort == ["allow_all", "drop_all"]))'
}

@test "netfilter on the host" {
	node nft -f - <<< 'table inet t { chain c { type filter hook forward priority 0; ip saddr 10.9.0.9 drop; ip6 saddr fd00:9::9 drop; }; }'
	both 'forward' denied node netfilter t/c 'none denied -' 'its reply was denied on the return path by netfilter (table inet t, chain c, rule handle *) at hdst (host)'
	holds '.attempts == 2 and .policy.verdict == "allowed" and (.reply.drop.netfilter | .table == "t" and .rule.handle > 0)'
	inject --reply --timeout 400ms --trace-netfilter "${four[@]}"
	holds '.attempts == 1 and (.reply.policy.denied_by | .table == "t" and .chain == "c" and .rule.handle > 0)'
	back 'nor is what the host sends itself forwarded' none - - - '- none none' - --dst 10.9.0.1 --proto icmp
	node nft flush ruleset
	node nft 'table inet t { chain c { type filter hook forward priority 0; ip saddr 10.9.0.99 drop; }; }'
	both 'let through' allowed - - - 'none allowed none' -
}

@test "netfilter on the host: what it sends itself" {
	node nft -f - <<< 'table inet t { chain c { type filter hook output priority 0; ip daddr 10.9.1.2 drop; }; }'
	back 'output' denied node netfilter t/c '- denied -' 'its reply was denied on the return path by netfilter (table inet t, chain c, rule handle *)' --dst 10.9.0.1 --proto icmp
	back 'forwarded' none - - - 'none none none' - "${four[@]}"
}

@test "netfilter in the pod that replies" {
	in_pod dst nft -f - <<< 'table inet t { chain c { type filter hook output priority 0; ip saddr 10.9.0.9 drop; ip6 saddr fd00:9::9 icmpv6 type echo-reply drop; }; }'
	both 'output' denied egress netfilter t/c 'denied - -' 'its reply was denied on the return path by netfilter (table inet t, chain c, rule handle *)'
	in_pod dst nft flush ruleset
	in_pod dst nft -f - <<< 'table inet t { chain c { type filter hook output priority 0; tcp dport 9 drop; }; }'
	both 'let through' allowed - - - 'allowed none none' -
	holds '.reply.decisions | any(.stage == "egress" and .kind == "netfilter" and .decided == "passed")'
}

@test "netdev chains on the way back" {
	local where
	for where in 'ingress device hdst' 'egress device hweb'; do
		node nft -f - <<< "table netdev t { chain c { type filter hook $where priority 0; udp dport 9999 drop; }; }"
		both "$where lets pass" allowed - - - 'none allowed none' -
		node nft flush ruleset
	done
	node nft -f - <<< 'table netdev t { chain c { type filter hook egress device hweb priority 0; udp dport 9999 drop; }; }'
	back 'of what the host sends' allowed - - - '- allowed none' - --dst 10.9.0.1 --proto icmp
	node nft flush ruleset
	node nft -f - <<< 'table netdev t { chain c { type filter hook ingress device hweb priority 0; udp dport 9999 drop; }; }'
	both 'of the way out alone' none - - - 'none none none' -
	in_pod dst nft -f - <<< 'table netdev t { chain c { type filter hook egress device eth0 priority 0; udp dport 9999 drop; }; }'
	both 'in the pod that replies' allowed - - - 'allowed none none' -
	in_pod dst nft flush ruleset
	in_pod dst nft -f - <<< 'table netdev t { chain c { type filter hook ingress device eth0 priority 0; udp dport 9999 drop; }; }'
	both 'what that pod receives alone' none - - - 'none none none' -
	holds '.policy.stages.ingress == "allowed"'
}

# To the server the second packet repeats the first, and its stack drops it: that is not what becomes of a packet.
@test "netfilter in the pod that replies, of a server that has the first packet" {
	in_pod dst "$TOOL/listen" tcp --port 80 --count 0 --seconds 9999 > "$NODE_DIR/tcp" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/tcp"
	in_pod dst nft -f - <<< 'table inet t { chain c { type filter hook output priority 0; tcp sport 80 drop; }; }'
	local dst
	for dst in 10.9.0.9:80 '[fd00:9::9]:80'; do
		back "a server, $dst" denied egress netfilter t/c 'denied - -' 'its reply was denied on the return path by netfilter (table inet t, chain c, rule handle *)' --dst "$dst"
		holds '.outcome == "delivered" and .drop == null and .attempts == 2 and .decider == null and (.reason | test("repetition"))'
	done
}

@test "no route back" {
	node ip route del 10.9.1.2/32
	node ip -6 route del fd00:1::2/128
	both 'route' none node route '*' 'none none -' 'its reply was dropped on the return path by route at hdst (host)'
	node ip route add 10.9.1.2/32 dev hweb
	node ip -6 route add fd00:1::2/128 dev hweb
	holds '.outcome == "delivered" and .reply.cause.kind == "route" and .reply.cause.how == "no-route"'
}

@test "reverse path filter" {
	# Only packets with a mark are routed to the pod by that device; the look-up of a reply's source has none.
	node nft 'table ip t { chain c { type filter hook prerouting priority -300; iifname hweb meta mark set 7; }; }'
	node ip rule add fwmark 7 lookup 77
	node ip route add 10.9.0.0/24 dev hdst table 77
	node ip route del 10.9.0.0/24 dev hdst
	node ip route add 10.9.0.0/24 dev hweb
	node sysctl -qw net.ipv4.conf.hdst.rp_filter=1
	back 'rp_filter' none node route '*' 'none none -' 'its reply was dropped on the return path by route at hdst (host)' "${four[@]}"
	node sysctl -qw net.ipv4.conf.hdst.rp_filter=0
	node ip route del 10.9.0.0/24 dev hweb
	node ip route add 10.9.0.0/24 dev hdst src 10.9.0.1
	node ip rule del fwmark 7 lookup 77
	holds '.reply.cause.kind == "rp-filter" and .reply.cause.value == "1"'
}

@test "a Service: the reply is followed from the pod behind it" {
	node nft -f - <<< 'table ip nat { chain p { type nat hook prerouting priority -100; ip daddr 10.96.0.10 dnat to 10.9.0.9; }; }'
	back 'translated' none - - - 'none none none' - --dst 10.96.0.10 --proto icmp
	holds '.outcome == "replied" and .reply.from == "10.96.0.10"'
	hang dst tcx/egress drop_all
	back 'and denied' denied egress bpf drop_all 'denied - -' 'its reply was denied on the return path by drop_all (tcx/egress on eth0, egress of dst)' --dst 10.96.0.10 --proto icmp
}

@test "a program that comes to the uplink during a run is met by the answers from outside" {
	local id run
	[ -e /dev/net/tun ] || skip 'no /dev/net/tun'
	node "$PYTHON" "$ROOT/tests/e2e/tun.py" up0 192.0.2.1/24 answer > "$NODE_DIR/tun" 2> "$NODE_DIR/tun.err" 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/tun"
	node tc qdisc add dev up0 clsact
	node mount -t bpf bpf /sys/fs/bpf
	podctl up aside --addr 10.9.3.2/24 --gw 10.9.3.1
	id=$(attach aside tcx/egress next_all --other-side)
	node bpftool prog pin id "$id" /sys/fs/bpf/comes
	node "$FLOWGEN" inject --pod netns:web --dst 192.0.2.7 --proto icmp --reply --count 600 --interval 100ms --output json \
		> "$NODE_DIR/comes" 2> "$NODE_DIR/comes.err" 3>&- 7>&- &
	run=$!
	wait_for test -s "$NODE_DIR/comes"
	node tc filter add dev up0 ingress bpf da object-pinned /sys/fs/bpf/comes
	wait_for is_met
	kill "$(leaf "$run")"
	wait "$run" || :
	output=$(head -n 1 "$NODE_DIR/comes")
	holds '.outcome == "replied" and .reply.policy.verdict == "none"'
}
is_met() {
	tail -n 1 "$NODE_DIR/comes" | jq -e '.outcome == "replied" and .reply.policy.stages.node == "allowed" and
		(.reply.policy.programs | length == 1 and .[0].device == "up0")' > /dev/null 2>&1
}

@test "expectations: what is asked of the packet is not asked of its reply" {
	hang dst tcx/egress drop_all
	inject --reply --timeout 400ms --expect allow "${four[@]}"
	is_status 0
	inject --reply --timeout 400ms --expect reply=deny "${four[@]}"
	is_status 0
	inject --reply --timeout 400ms --expect reply=allow "${four[@]}"
	is_status 1
	inject --expect reply=deny "${four[@]}"
	is_status 2
	[[ $stderr == *'--expect reply=...: only with --reply'* ]]
	printf 'name: x\nprobes:\n  - {name: a, from: "netns:web", to: 10.9.0.9, proto: icmp, expect: {verdict: allow, reply: deny}}\n  - {name: b, from: "netns:web", to: 10.9.0.9, proto: icmp, expect: {reply: [redirected, syn-ack]}}\n  - {name: c, from: "netns:web", to: 10.9.0.9, proto: icmp, expect: {reply: none}}\n' > "$NODE_DIR/x.yaml"
	flowgen run "$NODE_DIR/x.yaml" --timeout 400ms --output json
	is_status 1
	[ "$(jq -r '.scenario | select(.) | "\(.status) \(.why)"' <<< "$output" | xargs)" = 'pass null fail reply: expected redirected, got denied pass null' ]
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
