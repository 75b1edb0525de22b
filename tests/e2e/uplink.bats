#!/usr/bin/env bats
# From outside: what would become of a packet that arrived at the node's device, in real namespaces: XDP, tc, netfilter, the
# receiver, the node's own sockets; answers are caught before they leave, and nothing gets to the other end of the wire.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

# wire is what is behind the uplink up0; dst a pod, and box another node's side of a second uplink.
setup_file() {
	node_up
	podctl up wire --addr 198.51.100.1/24 --gw 198.51.100.2 --addr fd00:e::1/64 --gw fd00:e::2 --primary up0
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1 --addr fd00:9::9/64 --gw fd00:9::1
	node ip route add default via 198.51.100.1 dev up0
	node ip -6 route add default via fd00:e::1 dev up0
	serve dst 53 9999
	node "$TOOL/listen" udp --port 10250 --count 0 --seconds 9999 > "$NODE_DIR/served-10250" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/served-10250"
	# No questions of neighbours: what is on the wire is a packet of somebody's.
	local addr
	for addr in 198.51.100.1 fd00:e::1; do
		node ip neigh replace "$addr" lladdr "$(mac_of wire)" dev up0 nud permanent
	done
	for addr in 10.9.0.9 fd00:9::9; do
		node ip neigh replace "$addr" lladdr "$(mac_of dst)" dev hdst nud permanent
	done
	for addr in 10.9.0.1 fd00:9::1; do
		in_pod dst ip neigh replace "$addr" lladdr "$(node cat /sys/class/net/hdst/address)" dev eth0 nud permanent
	done
	node sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	in_pod wire nft -f - <<-'END'
		table inet wire {
			counter came { }
			chain c {
				type filter hook prerouting priority -300;
				icmpv6 type { mld-listener-query, mld-listener-report, mld2-listener-report, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
				counter name came
			}
		}
	END
}
teardown_file() { node_down; }
setup() {
	need tcx
	OFF=()
}
teardown() {
	node nft flush ruleset
	off
}

four=(--src 203.0.113.7 --dst 10.9.0.9:9999 --proto udp)
six=(--src 2001:db8::7 --dst '[fd00:9::9]:9999' --proto udp)

# from_outside OPTION...: at the uplink of the default route.
from_outside() { flowgen inject --from-uplink "$@"; }

# hang POD HOOK PROGRAM [OPTION...]: until the test ends, or `off`.
hang() {
	local id
	id=$(attach "$@")
	OFF=(podctl detach "$1" --hook "$2" --id "$id")
	[[ " $* " != *' --other-side '* ]] || OFF+=(--other-side)
	[[ " $* " != *' --generic '* ]] || OFF+=(--generic)
	# A filter of tc goes with what holds it.
	[[ $2 != tc/* ]] || OFF=(node tc qdisc del dev up0 clsact)
}
off() {
	[ ${#OFF[@]} = 0 ] || "${OFF[@]}"
	OFF=()
}

# How many packets of the node came out at the other end of the wire.
on_the_wire() { in_pod wire nft --json list counter inet wire came | jq '.nftables[] | .counter // empty | .packets'; }
# What the pod has counted, but for its neighbours.
counted() { in_pod dst awk '$1 !~ /^(Icmp6|Ip6|UdpLite6)/' /proc/net/snmp /proc/net/netstat; in_pod dst grep -E '^(Udp6(In|NoPorts)|Icmp6InEchos)' /proc/net/snmp6; }
# unnoticed COMMAND...: neither the pod nor the other end of the wire notices it.
unnoticed() {
	local before sent
	before=$(counted)
	sent=$(on_the_wire)
	"$@"
	[ "$before" = "$(counted)" ]
	[ "$sent" = "$(on_the_wire)" ]
}
# denied_by NAME STAGE: and nothing else was reached.
denied_by() {
	is_status 0
	holds ".policy.verdict == \"denied\" and .policy.denied_by.name == \"$1\" and .policy.denied_by.stage == \"$2\" and .decider.stage == \"$2\" and .policy.stages.egress == null and .policy.stages[\"$2\"] == \"denied\""
}

@test "the counters of the wire and of the pod move if something comes" {
	local before sent
	before=$(counted)
	sent=$(on_the_wire)
	node ping -c 1 -W 5 198.51.100.1 > /dev/null
	[ "$(on_the_wire)" -gt "$sent" ]
	in_pod wire ping -c 1 -W 5 10.9.0.9 > /dev/null
	[ "$before" != "$(counted)" ]
}

@test "to a pod: the ladder begins at the uplink, and nobody notices, IPv4 and IPv6" {
	unnoticed from_outside "${four[@]}" --expect delivered
	is_status 0
	holds '.outcome == "delivered" and .stopped and .policy.verdict == "none" and .policy.stages == {"egress": null, "node": "none", "ingress": "none"}
		and .pod.ref == "uplink:up0" and .pod.address == "203.0.113.7" and .pod.device.primary == "up0" and .pod.device.peer == null'
	holds '[.observations[] | select(.action == "Received")][0].device == "up0"'
	fits_schema
	unnoticed from_outside "${six[@]}"
	is_status 0
	holds '.outcome == "delivered" and .policy.verdict == "none" and .policy.stages.egress == null'
}

@test "the answer is caught at the uplink, and judged, IPv4 and IPv6" {
	local sent
	sent=$(on_the_wire)
	from_outside --src 203.0.113.7 --dst 10.9.0.9 --proto icmp --reply
	is_status 0
	holds '.outcome == "replied" and .reply.kind == "echo-reply" and .reply.policy.verdict == "none" and .reply.policy.stages == {"egress": "none", "node": "none", "ingress": "none"}'
	fits_schema
	from_outside --src 2001:db8::7 --dst fd00:9::9 --proto icmp --reply
	is_status 0
	holds '.outcome == "replied" and .reply.kind == "echo-reply" and .reply.policy.stages.ingress == "none"'
	from_outside --src 203.0.113.7 --dst 10.9.0.9:9 --proto udp --reply
	holds '.outcome == "rejected" and .reply.kind == "icmp-error" and .decider.kind == "socket" and .decider.stage == "ingress"'
	[ "$sent" = "$(on_the_wire)" ]
}

@test "without --reply, too, nothing that answers gets out" {
	local sent
	sent=$(on_the_wire)
	from_outside --src 203.0.113.7 --dst 10.9.0.1:81
	holds '.outcome == "rejected" and .decider.kind == "socket" and .decider.stage == "ingress"'
	from_outside --src 203.0.113.7 --dst 10.9.0.9:9 --proto udp --deliver
	holds '.outcome == "rejected" and .decider.kind == "socket"'
	from_outside --src 2001:db8::7 --dst '[fd00:9::1]:81'
	holds '.outcome == "rejected"'
	[ "$sent" = "$(on_the_wire)" ]
}

@test "XDP in the uplink's driver, and generic: allowed and denied" {
	local mode evidence
	for mode in '' --generic; do
		# shellcheck disable=SC2086  # an option or none
		hang wire xdp xdp_deny_port $mode --proto udp --port 9999
		unnoticed from_outside "${four[@]}"
		denied_by xdp_deny_port node
		holds '.outcome == "dropped" and .policy.stages.ingress == null'
		unnoticed from_outside "${six[@]}"
		denied_by xdp_deny_port node
		unnoticed from_outside --src 203.0.113.7 --dst 10.9.0.9:53 --proto udp
		is_status 0
		holds '.policy.verdict == "allowed" and .outcome == "delivered" and .policy.stages == {"egress": null, "node": "allowed", "ingress": "none"} and (.policy.programs[0] | .ran and .stage == "node" and .hook == "xdp")'
		evidence=$(value '.policy.programs[0].evidence')
		[ -n "$mode" ] || [ "$evidence" = run ]
		fits_schema
		off
	done
}

@test "XDP in the driver sends it back, or translates it" {
	hang wire xdp xdp_tx
	unnoticed from_outside "${four[@]}"
	is_status 0
	holds '.policy.verdict == "redirected" and .policy.redirected_by.name == "xdp_tx" and .outcome == "forwarded" and .stopped'
	off
	hang wire xdp xdp_port --from 0.0.0.0:9999 --backend 0.0.0.0:53
	unnoticed from_outside "${four[@]}"
	is_status 0
	holds '.policy.verdict == "allowed" and .outcome == "delivered" and .packet.dport == 9999 and any(.observations[]; .action == "Translated" and (.detail | endswith(":53 udp")))'
}

@test "tcx and clsact ingress of the uplink" {
	local hook
	for hook in tcx/ingress tc/ingress; do
		hang wire "$hook" deny_port --proto udp --port 9999
		unnoticed from_outside "${four[@]}"
		denied_by deny_port node
		unnoticed from_outside "${six[@]}"
		denied_by deny_port node
		unnoticed from_outside --src 203.0.113.7 --dst 10.9.0.9:53 --proto udp
		holds '.policy.verdict == "allowed" and .outcome == "delivered" and .policy.stages.node == "allowed"'
		off
	done
}

@test "netfilter: ingress of the uplink, and egress to the pod" {
	local where
	for where in 'ingress device up0' 'egress device hdst'; do
		node nft -f - <<< "table netdev t { chain c { type filter hook $where priority 0; udp dport 9999 drop; }; }"
		from_outside "${four[@]}"
		holds '.policy.verdict == "denied" and .policy.stages.node == "denied" and .policy.denied_by.family == "netdev"'
		from_outside "${six[@]}"
		holds '.policy.verdict == "denied" and .policy.denied_by.family == "netdev"'
		from_outside --src 203.0.113.7 --dst 10.9.0.9:53 --proto udp
		holds '.policy.verdict == "allowed" and .policy.stages.node == "allowed" and .outcome == "delivered"'
		node nft flush ruleset
	done
	node nft -f - <<< 'table netdev t { chain c { type filter hook egress device up0 priority 0; udp dport 9999 drop; }; }'
	from_outside --src 203.0.113.7 --dst 10.9.0.9:53 --proto udp
	holds '.policy.verdict == "none" and .outcome == "delivered"'
}

@test "netfilter: prerouting, forward, input" {
	local hook
	for hook in prerouting forward; do
		node nft -f - <<< "table inet t { chain c { type filter hook $hook priority 0; udp dport 9999 drop; }; }"
		unnoticed from_outside "${four[@]}"
		holds '.policy.verdict == "denied" and (.policy.denied_by | .table == "t" and .chain == "c" and .stage == "node") and .outcome == "dropped"'
		unnoticed from_outside "${six[@]}"
		holds '.policy.verdict == "denied" and .policy.denied_by.table == "t"'
		unnoticed from_outside --src 203.0.113.7 --dst 10.9.0.9:53 --proto udp
		holds '.policy.verdict == "allowed" and .policy.stages == {"egress": null, "node": "allowed", "ingress": "none"}'
		node nft flush ruleset
	done
	node nft -f - <<< 'table inet t { chain c { type filter hook input priority 0; udp dport 10250 drop; }; }'
	unnoticed from_outside --src 203.0.113.7 --dst 198.51.100.2:10250 --proto udp
	holds '.policy.verdict == "denied" and .policy.denied_by.table == "t"'
	unnoticed from_outside "${four[@]}"
	holds '.policy.verdict == "none"'
}

@test "the receiver's programs" {
	hang dst tcx/egress deny_port --other-side --proto udp --port 9999
	unnoticed from_outside "${four[@]}"
	denied_by deny_port ingress
	holds '.policy.stages.node == "none"'
	unnoticed from_outside "${six[@]}"
	denied_by deny_port ingress
	unnoticed from_outside --src 203.0.113.7 --dst 10.9.0.9:53 --proto udp
	holds '.policy.verdict == "allowed" and .policy.stages.ingress == "allowed"'
}

@test "to the node itself: its sockets take it, and nobody listens" {
	local sent
	sent=$(on_the_wire)
	from_outside --src 203.0.113.7 --dst 198.51.100.2:10250 --proto udp
	is_status 0
	holds '.outcome == "delivered" and (.stopped | not) and .policy.stages.ingress == "none"'
	[ "$(served 10250)" = 1 ]
	from_outside --src 203.0.113.7 --dst 198.51.100.2:10251 --proto udp --reply
	holds '.outcome == "rejected" and .reply.kind == "icmp-error" and .decider.kind == "socket"'
	[ "$sent" = "$(on_the_wire)" ]
}

@test "a NodePort: DNAT to a pod, and its answer translated back" {
	local rules
	for rules in '' 'chain q { type nat hook postrouting priority 100; ct status dnat masquerade; };'; do
		node nft -f - <<< "table ip nat { chain p { type nat hook prerouting priority -100; udp dport 30053 dnat to 10.9.0.9:9; icmp type echo-request ip daddr 198.51.100.9 dnat to 10.9.0.9; }; $rules }"
		unnoticed from_outside --src 203.0.113.7 --dst 198.51.100.2:30053 --proto udp
		is_status 0
		holds '.outcome == "delivered" and .stopped and any(.observations[]; .action == "Translated")'
		# An address of a load balancer, which nobody holds.
		local sent
		sent=$(on_the_wire)
		from_outside --src 203.0.113.7 --dst 198.51.100.9 --proto icmp --reply
		holds '.outcome == "replied" and .reply.from == "198.51.100.9" and .reply.kind == "echo-reply"'
		from_outside --src 203.0.113.7 --dst 198.51.100.2:30053 --proto udp --reply
		holds '.outcome == "rejected" and .reply.kind == "icmp-error"'
		[ "$sent" = "$(on_the_wire)" ]
		node nft flush ruleset
	done
}

@test "what the node would send back out does not leave, and its programs there are met" {
	local sent
	unnoticed from_outside --src 203.0.113.7 --dst 192.0.2.77:9999 --proto udp
	is_status 0
	holds '.outcome == "forwarded" and .stopped and .policy.verdict == "none" and .policy.stages.ingress == "none"'
	unnoticed from_outside --src 2001:db8::7 --dst '[2001:db8:1::7]:9999' --proto udp
	holds '.outcome == "forwarded" and .stopped'
	hang wire tcx/egress deny_port --other-side --proto udp --port 9999
	unnoticed from_outside --src 203.0.113.7 --dst 192.0.2.77:9999 --proto udp
	holds '.policy.verdict == "denied" and .policy.denied_by.name == "deny_port" and .policy.denied_by.hook == "tcx/egress"'
	off
	hang wire tcx/egress drop_all --other-side
	sent=$(on_the_wire)
	from_outside --src 203.0.113.7 --dst 10.9.0.9 --proto icmp --reply --timeout 300ms
	holds '.policy.verdict == "none" and .reply.policy.verdict == "denied" and (.reply.policy.denied_by | .name == "drop_all" and .stage == "ingress")'
	[ "$sent" = "$(on_the_wire)" ]
	off
	# Behind flowgen's own program: not met.
	hang wire tc/egress drop_all --other-side
	from_outside --src 203.0.113.7 --dst 192.0.2.77:9999 --proto udp
	holds '.outcome == "forwarded" and .policy.verdict == "none" and (.policy.programs[] | .name == "drop_all" and .ran == false) and any(.not_exercised[]; . == "uplink-way-out")'
}

@test "a source that no one outside has" {
	from_outside --src 10.9.0.9 --dst 10.9.0.9:53
	is_status 2
	complains 'source 10.9.0.9: it is an address of a pod on this node, dst'
	from_outside --src 198.51.100.2 --dst 10.9.0.9:53
	is_status 2
	complains 'source 198.51.100.2: it is an address of the node itself'
	from_outside --src fd00:9::9 --dst '[fd00:9::9]:53'
	is_status 2
	complains 'source fd00:9::9: it is an address of a pod on this node'
	from_outside --dst 10.9.0.9:53
	is_status 2
	complains 'no source address given'
	# One that the node's routes do not believe: the kernel's own answer.
	node sysctl -qw net.ipv4.conf.up0.rp_filter=1
	node ip route add 192.0.2.128/25 dev hdst
	from_outside --src 192.0.2.130 --dst 10.9.0.9:9999 --proto udp
	node ip route del 192.0.2.128/25
	node sysctl -qw net.ipv4.conf.up0.rp_filter=0
	holds '.outcome == "dropped" and .decider.kind == "route" and .decider.stage == "node"'
}

@test "a wrong device, and several" {
	flowgen inject --from-uplink=nosuch0 "${four[@]}"
	is_status 3
	complains 'nosuch0'
	flowgen inject --from-uplink=lo "${four[@]}"
	is_status 3
	complains 'uplink lo: a loopback'
	flowgen inject --from-uplink=hdst "${four[@]}"
	is_status 3
	complains 'uplink hdst: it is the host side of a pod'
	flowgen inject --from-uplink --pod netns:dst "${four[@]}"
	is_status 2
	complains '--from-uplink: not with --pod'
	flowgen inject --from-uplink --method bounce "${four[@]}"
	is_status 2
	complains '--from-uplink: not with --method'
	node ip link add other0 type bridge
	node ip addr add 198.51.101.2/24 dev other0
	node ip link set other0 up
	node ip route add default via 198.51.101.1 dev other0 metric 500
	from_outside "${four[@]}"
	node ip link del other0
	is_status 2
	complains 'default routes by several devices: up0, other0'
	node ip route del default
	node ip -6 route del default
	from_outside "${four[@]}"
	node ip route add default via 198.51.100.1 dev up0
	node ip -6 route add default via fd00:e::1 dev up0
	is_status 3
	complains 'the node has no default route'
}

@test "programs at a port come before a bridge that is the uplink" {
	podctl up far --addr 198.51.102.1/24 --gw 198.51.102.2 --bridge br9 --primary port0
	attach far tcx/ingress next_all > /dev/null
	flowgen inject --from-uplink=br9 "${four[@]}"
	podctl del far
	node ip link del br9
	is_status 3
	complains 'uplink:br9: what it receives passes port0 first'
}

@test "a sweep, a list of its results, and scenarios" {
	unnoticed from_outside --src 203.0.113.7 --dst 10.9.0.9 --dport 9000-9999 --proto udp --summary
	is_status 0
	holds '.total == 1000 and .outcomes.delivered.count == 1000'
	hang wire tcx/ingress deny_port --proto udp --port 9999
	cat > "$NODE_DIR/outside.yaml" <<-'END'
		name: from outside
		pods: { world: "uplink:up0", dst: "netns:dst" }
		defaults: { from: world, to: dst, proto: udp }
		probes:
		  - { name: denied, src: 203.0.113.7, dport: 9999, expect: { verdict: deny, node: deny } }
		  - { name: open, src: 203.0.113.7, dport: 53, expect: allow }
		  - { name: six, src: "2001:db8::7", to: dst, dport: 53, expect: allow }
	END
	unnoticed flowgen run "$NODE_DIR/outside.yaml" --output tap
	show
	is_status 0
	[ "$(grep -c '^ok' <<< "$output")" = 3 ]
	sed -i 's/ src: 203.0.113.7,//' "$NODE_DIR/outside.yaml"
	flowgen run "$NODE_DIR/outside.yaml" --output tap
	[[ $output == *'needs a source address (src)'* ]]
}

@test "a tuple of a live connection is left alone" {
	node "$TOOL/listen" tcp --port 7443 --count 1 --seconds 99 > "$NODE_DIR/tcp" 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/tcp"
	in_pod wire "$PYTHON" -c 'import socket, sys
s = socket.socket(); s.bind(("198.51.100.1", 40123)); s.connect(("198.51.100.2", 7443)); print("ready", flush=True); sys.stdin.read()' < "$NODE_DIR/never" > "$NODE_DIR/client" 3>&- 7>&- &
	local client=$!
	wait_for grep -q ready "$NODE_DIR/client"
	from_outside --src 198.51.100.1 --dst 198.51.100.2:7443 --sport 40123
	pkill -P "$client" || :
	kill "$client" 2> /dev/null || :
	is_status 2
	complains 'is in use: .*(the node has a socket|connection tracking of the host)'
}

@test "the node is as it was" {
	# What the tests before have left there would end meanwhile.
	node conntrack -F 2> /dev/null
	host_state > "$BATS_TEST_TMPDIR/before"
	from_outside "${four[@]}" --reply
	from_outside --src 203.0.113.7 --dst 192.0.2.77:9999 --proto udp
	gone() {
		host_state > "$BATS_TEST_TMPDIR/after"
		cmp -s "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	}
	wait_for gone || diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

# --- flowgen exec --from-uplink ---

# outside ADDRESS COMMAND...: the command has that address, outside.
outside() {
	local address=$1
	shift
	flowgen exec --from-uplink --src "$address" "$@"
}
# ask FAMILY-ADDRESS PORT: a datagram there and its answer, or nothing within a second.
ASK='
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[3]) if len(sys.argv) > 3 else 10)
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b"x" * 3000)
print(len(s.recv(65536)))'
# In dst, until the file ends: UDP comes back, and who connects gets three megabytes.
echo_up() {
	[ ! -e "$NODE_DIR/echo" ] || return 0
	in_pod dst "$PYTHON" -u -c '
import socket, threading
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.bind(("::", 4007))
def mirror():
    while True:
        data, who = u.recvfrom(65536)
        u.sendto(data, who)
threading.Thread(target=mirror, daemon=True).start()
t = socket.create_server(("::", 4007), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready")
while True:
    c, _ = t.accept()
    c.sendall(b"y" * 3000000)
    c.close()' > "$NODE_DIR/echo" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/echo"
}

@test "exec: a command that is outside: TCP, large datagrams and ping, both families; nothing leaves by the uplink" {
	local src to sent
	echo_up
	sent=$(on_the_wire)
	for src in 203.0.113.7 2001:db8::7; do
		to=10.9.0.9
		[ "$src" = 203.0.113.7 ] || to=fd00:9::9
		outside "$src" --report "$NODE_DIR/records" -- "$PYTHON" -c "$ASK" "$to" 4007
		is_status 0
		[ "$output" = 3000 ]
		output=$(jq -c '.probe = null' "$NODE_DIR/records")
		fits_schema exec
		output=$(< "$NODE_DIR/records")
		holds ".pod == \"uplink:up0\" and .local.address == \"$src\" and .remote == {address: \"$to\", port: 4007} and .got == \"answered\" and .probe.policy.stages.egress == null and .probe.outcome == \"delivered\""
		outside "$src" -- "$PYTHON" -c 'import socket, sys
s = socket.create_connection((sys.argv[1], 4007), 10)
n = 0
while data := s.recv(65536): n += len(data)
print(n, s.getsockname()[0])' "$to"
		is_status 0
		[ "$output" = "3000000 $src" ]
		outside "$src" -- ping -c 2 -i 0.2 -W 5 "$to"
		is_status 0
	done
	[ "$(on_the_wire)" = "$sent" ]
}

@test "exec from outside: who denies is told, with --expect; a NodePort; a socket of the node" {
	echo_up
	node nft -f - <<-'END'
		table ip t {
			chain n { type nat hook prerouting priority dstnat; iifname "up0" udp dport 30007 dnat to 10.9.0.9:4007; }
			chain f { type filter hook forward priority 0; iifname "up0" ip saddr 203.0.113.66 drop; }
		}
	END
	outside 203.0.113.7 --expect allow -- "$PYTHON" -c "$ASK" 198.51.100.2 30007
	is_status 0
	[ "$output" = 3000 ]
	outside 203.0.113.66 --expect deny --report - -- "$PYTHON" -c "$ASK" 10.9.0.9 4007 1
	is_status 0
	[[ $stderr == *'203.0.113.66'*'DENIED'*'table ip t'* ]] || { show; false; }
	hang wire tcx/ingress deny_port --proto udp --port 4007
	outside 203.0.113.7 --expect deny -- "$PYTHON" -c "$ASK" 10.9.0.9 4007 1
	is_status 0
	off
	hang wire tcx/egress drop_all --other-side
	# What denies answers on their way out runs before they are caught.
	outside 203.0.113.7 -- "$PYTHON" -c "$ASK" 10.9.0.9 4007 1
	refute test "$status" = 0
	off
	# UDP port 10250 is the node's own socket: it hears, and says nothing.
	outside 203.0.113.7 --expect allow -- "$PYTHON" -c "${ASK/print*/pass}" 198.51.100.2 10250
	is_status 0
}

@test "exec from outside: what cannot be is refused before the command runs" {
	local options
	refused() { [ "$status" = 125 ] && [ -z "$output" ] && [[ $stderr == *"$1"* ]] || { show; false; }; }
	flowgen exec --from-uplink -- echo ran
	refused 'no source address given (--src)'
	flowgen exec --from-uplink --pod netns:dst --src 203.0.113.7 -- echo ran
	refused 'not with --pod'
	flowgen exec --pod netns:dst --src 203.0.113.7 -- echo ran
	refused '--src: only with --from-uplink'
	outside 10.9.0.9 -- echo ran
	refused 'it is an address of a pod on this node, dst'
	outside 203.0.113.7 --method bounce -- echo ran
	refused 'one method'
	flowgen exec --from-uplink=nowhere --src 203.0.113.7 -- echo ran
	refused 'uplink nowhere'
}

# A name server of this side, which knows each name as 10.9.0.9.
names_up() {
	! grep -qs ready "$NODE_DIR/names" || return 0
	in_pod dst "$PYTHON" -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.9", 5353))
print("ready")
while True:
    q, client = s.recvfrom(512)
    kind = q[q.index(0, 12) + 2]
    answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x0a\x09\0\x09" if kind == 1 else b""
    s.sendto(q[:2] + b"\x81\x80\0\x01\0" + bytes([len(answer) > 0]) + b"\0\0\0\0" + q[12:q.index(0, 12) + 5] + answer, client)' > "$NODE_DIR/names" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/names"
}

# The nearest name server outside is as far as the furthest: nothing of the command leaves the node.
@test "exec from outside: a name server beyond the uplink is told once, and --dns names one of this side" {
	local server
	for server in 192.0.2.53 2001:db8:53::1; do
		RES_OPTIONS='timeout:1 attempts:1' outside "$([ "$server" = 192.0.2.53 ] && echo 203.0.113.7 || echo 2001:db8::7)" --dns "$server" -- getent ahosts pay.shop
		is_status 2
		[ "$(grep -c "the name server $server is beyond the uplink" <<< "$stderr")" = 1 ] || { show; false; }
		[[ $stderr == *'(--dns ADDR)'* ]]
	done
	names_up
	# As a Service is: the route to the address leads by the uplink, and the packet does not go there.
	node nft add table ip svc '{ chain nat { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 udp dport 53 dnat to 10.9.0.9:5353; }; }'
	outside 203.0.113.7 --dns 10.96.0.10 -- getent ahostsv4 pay.shop
	is_status 0
	[[ $output == *10.9.0.9* && $stderr != *beyond* ]] || { show; false; }
}

@test "exec from outside in a scenario: allowed, denied, by name; who it is has to be said" {
	echo_up
	names_up
	hang wire tcx/ingress deny_port --proto udp --port 4007
	node nft add table ip svc '{ chain nat { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 udp dport 53 dnat to 10.9.0.9:5353; }; }'
	cat > "$NODE_DIR/outside.yaml" <<-'END'
		name: from outside
		pods: { world: "uplink:up0", default: "uplink:", dst: "netns:dst" }
		probes:
		  - name: tcp
		    from: [world, default]
		    src: 203.0.113.7
		    exec: python3 -c 'import socket; s = socket.create_connection(("10.9.0.9", 4007), 5); print("got", len(s.makefile("rb").read()), s.getsockname()[0])'
		    output: "got 3000000 203.0.113.7"
		    expect: allow:4007/tcp
		  - name: six
		    from: world
		    src: 2001:db8::7
		    exec: ping -c 1 -W 5 fd00:9::9
		    expect: allow
		  - { name: denied, from: world, src: 203.0.113.7, exec: "python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((\"10.9.0.9\", 4007)); s.send(b\"x\"); s.settimeout(.5); s.recv(1)'", expect: deny }
		  - { name: names, from: world, src: 203.0.113.7, dns: 10.96.0.10, exec: getent ahostsv4 pay.shop, output: 10.9.0.9 }
		  - { name: nobody, from: world, exec: "true" }
		  - { name: a pod, from: dst, src: 203.0.113.7, exec: "true" }
	END
	FLOWGEN_OUTPUT=text flowgen run --allow-exec "$NODE_DIR/outside.yaml" --output json
	show
	is_status 0
	[ "$(jq -r 'select(.scenario) | "\(.scenario.probe) \(.scenario.status) \(.scenario.why // "")"' <<< "$output" | sort)" = "$(sort <<-'END'
		tcp: world pass 
		tcp: default pass 
		six pass 
		denied pass 
		names pass 
		nobody skip what comes from outside needs a source address (src)
		a pod skip src is for a command from outside (uplink:); a pod's has the pod's
	END
	)" ]
	jq -se 'map(select(.scenario.probe == "tcp: world"))[0].command.flows[0] | .pod == "uplink:up0" and .local.address == "203.0.113.7"' <<< "$output"
}
