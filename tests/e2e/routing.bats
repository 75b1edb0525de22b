#!/usr/bin/env bats
# The pod's routing is the kernel's: source address, next hop and device are those of the pod's own packet, by its rules, routes and
# addresses; and what the pod's own connect() would be refused is not sent.
load helpers

# The pod web has one link with three gateways; behind each is everything.
#   A a = 10.9.1.1 (the host's bridge), B = 10.9.1.253, C = 10.9.1.254; fd09:1::1, ::253, ::254
setup_file() { node_up; }
teardown_file() { node_down; }

# MAC addresses of the gateways, by letter.
letter() { cat "$NODE_DIR/mac.$1"; }

setup() {
	podctl up web --addr 10.9.1.2/24 --addr fd09:1::2/64 --gw 10.9.1.1 --gw fd09:1::1 --bridge br0
	podctl up gb --addr 10.9.1.253/24 --addr fd09:1::253/64 --bridge br0
	podctl up gc --addr 10.9.1.254/24 --addr fd09:1::254/64 --bridge br0
	node ip -o link show dev br0 | sed -n 's/.*link\/ether \([^ ]*\).*/\1/p' | tr -d : > "$NODE_DIR/mac.A"
	mac_of gb | tr -d : > "$NODE_DIR/mac.B"
	mac_of gc | tr -d : > "$NODE_DIR/mac.C"
	wait_for in_pod web ping -6 -c 1 -W 1 -q fd09:1::1 > "$NODE_DIR/ping"
}
teardown() {
	pods_down
	node ip link del br0
}

web() { in_pod web "$@"; }
# both ip's ARGUMENTS: for IPv4, and for IPv6 with the addresses of that family.
both() {
	local word six=()
	for word; do
		case $word in
		10.9.1.1) word=fd09:1::1 ;; 10.9.1.253) word=fd09:1::253 ;; 10.9.1.254) word=fd09:1::254 ;;
		10.9.1.77) word=fd09:1::77 ;; 10.9.1.77/24) word=fd09:1::77/64 ;; 10.77.0.0/16) word=fd77::/32 ;;
		esac
		six+=("$word")
	done
	web ip "$@"
	web ip -6 "${six[@]}"
}
FAR4=10.77.0.9 FAR6=fd77::9
SECOND4=10.9.1.77 SECOND6=fd09:1::77
# to 4|6 PORT: as --dst takes it.
to() { if [ "$1" = 4 ]; then echo "$FAR4:$2"; else echo "[$FAR6]:$2"; fi; }
far() { if [ "$1" = 4 ]; then echo "$FAR4"; else echo "$FAR6"; fi; }
second() { if [ "$1" = 4 ]; then echo "$SECOND4"; else echo "$SECOND6"; fi; }
own() { if [ "$1" = 4 ]; then echo 10.9.1.2; else echo fd09:1::2; fi; }

# What a real socket of the pod comes to.
real() { web "$PYTHON" "$ROOT/tests/e2e/connect.py" "$@"; }

# goes GATEWAY SOURCE: the result's frame is for that gateway, and from there.
goes() {
	is_status 0
	holds ".packet.src == \"$2\" and .pod.address == \"$2\" and .outcome != \"not-sent\""
	holds ".packet.bytes | startswith(\"$(letter "$1")$(mac_of web | tr -d :)\")"
}
# is_refused ERRNO CAUSE: not sent, as connect() would fail, because of that.
is_refused() {
	is_status 0
	holds ".outcome == \"not-sent\" and .policy.verdict == \"none\" and .decider.kind == \"route\" and .decider.stage == \"egress\""
	holds ".reason | endswith(\"connect() fails with $1\")"
	holds ".cause.kind == \"route\" and (.cause.what | test(\"^$2\$\")) and (.hint | contains(.cause.what)? // true)"
	holds '.hint != null and .observations == [] and .drop == null'
	fits_schema
}
# kernel_says GATEWAY-ADDRESS ip route get's ARGUMENTS
kernel_says() {
	local via=$1
	shift
	web ip -j route get "$@" | jq -re ".[0].gateway == \"$via\"" > "$NODE_DIR/said" || {
		web ip route get "$@"
		return 1
	}
}
gateway() { if [ "$1" = 4 ]; then echo "10.9.1.$2"; else echo "fd09:1::$2"; fi; }

@test "a rule by source: the next hop is that of the address that is sent from" {
	both addr add 10.9.1.77/24 dev eth0
	both rule add from 10.9.1.77 lookup 100
	both route add default via 10.9.1.254 dev eth0 table 100
	for f in 4 6; do
		kernel_says "$(gateway $f 254)" "$(far $f)" from "$(second $f)"
		inject --dst "$(to $f 80)" --src "$(second $f)" --bytes
		goes C "$(second $f)"
		inject --dst "$(to $f 80)" --src "$(own $f)" --bytes
		goes A "$(own $f)"
	done
}

@test "a rule for the source that the kernel chooses: IPv4 looks up again with it, IPv6 does not" {
	both addr add 10.9.1.77/24 dev eth0
	web ip route replace default via 10.9.1.1 dev eth0 src 10.9.1.77
	web ip -6 route replace default via fd09:1::1 dev eth0 src fd09:1::77
	both rule add from 10.9.1.77 lookup 100
	both route add default via 10.9.1.254 dev eth0 table 100
	inject --dst "$(to 4 80)" --bytes
	goes C 10.9.1.77
	inject --dst "$(to 6 80)" --bytes
	goes A fd09:1::77
	# As a real socket's packets do.
	in_pod gc nft -f - <<-'END'
		table inet count {
			counter four { }
			counter six { }
			chain c { type filter hook prerouting priority 0; ip daddr 10.77.0.9 counter name four; ip6 daddr fd77::9 counter name six; }
		}
	END
	for f in 4 6; do
		web "$PYTHON" -c "import socket; s = socket.socket(socket.AF_INET$([ $f = 4 ] || echo 6), socket.SOCK_DGRAM); s.connect(('$(far $f)', 9)); s.send(b'x')"
	done
	[ "$(in_pod gc nft -j list counters table inet count | jq -c '[.nftables[].counter // empty | {(.name): .packets}] | add')" = '{"four":1,"six":0}' ]
}

@test "a rule by destination port, by protocol, by TOS, by source port: each packet by its own" {
	both route add default via 10.9.1.253 dev eth0 table 101
	both route add default via 10.9.1.254 dev eth0 table 102
	both rule add ipproto tcp dport 443 lookup 101
	both rule add ipproto udp lookup 102
	both rule add tos 0x10 ipproto tcp lookup 102
	both rule add sport 4000 ipproto tcp lookup 101
	for f in 4 6; do
		local o
		o=$(own $f)
		inject --dst "$(to $f 80)" --bytes
		goes A "$o"
		inject --dst "$(to $f 443)" --bytes
		goes B "$o"
		inject --dst "$(to $f 443)" --proto udp --bytes
		goes C "$o"
		inject --dst "$(to $f 80)" --tos 0x10 --bytes
		goes C "$o"
		inject --dst "$(to $f 80)" --sport 4000 --bytes
		goes B "$o"
		inject --dst "$(far $f)" --dport 442-444 --bytes
		[ "$(jq -r '.packet.bytes[0:12]' <<< "$output" | paste -sd' ')" = "$(letter A) $(letter B) $(letter A)" ]
		inject --dst "$(far $f)" --proto icmp --bytes
		goes A "$o"
	done
}

# bats test_tags=novm
@test "a protocol that the kernel cannot be asked for, where rules look at protocols: refused, with what to do" {
	inject --dst "$FAR4:80" --proto sctp --bytes
	goes A 10.9.1.2
	web ip rule add ipproto sctp lookup 101
	inject --dst "$FAR4:80" --proto sctp
	is_status 3
	complains 'pod netns:web: its routing depends on protocols or ports, .* protocol 132 \(TCP, UDP and ICMP can be asked for'
	# So do several next hops, if ports choose.
	web ip rule del ipproto sctp lookup 101
	web ip route replace default nexthop via 10.9.1.253 dev eth0 nexthop via 10.9.1.254 dev eth0
	inject --dst "$FAR4:80" --proto sctp
	is_status 0
	web sysctl -qw net.ipv4.fib_multipath_hash_policy=1
	inject --dst "$FAR4:80" --proto sctp
	is_status 3
}

@test "routes that refuse: prohibit, blackhole, unreachable, throw, and none at all" {
	for f in 4 6; do
		local four=0 bits=16 net=10.77.0.0
		[ $f = 4 ] || { bits=32; net=fd77::; }
		for row in 'prohibit EACCES' 'blackhole EINVAL' 'unreachable EHOSTUNREACH'; do
			read -r type name <<< "$row"
			web ip route add "$type" $net/$bits
			[ "$(real udp "$(far $f)" 80)" = "$name" ]
			[ "$(real tcp "$(far $f)" 80)" = "$name" ]
			inject --dst "$(to $f 80)"
			is_refused "$name" "$type $net/$bits in table main"
			web ip route del "$type" $net/$bits
			inject --dst "$(to $f 80)" --bytes
			goes A "$(own $f)"
		done
		[ $f = 4 ] && web ip route del default || web ip -6 route del default
		[ "$(real udp "$(far $f)" 80)" = ENETUNREACH ]
		inject --dst "$(to $f 80)" --proto udp
		is_refused ENETUNREACH "no route to $(far $f).*"
	done
}

@test "rules that refuse: for a port, a protocol, a source; other packets go" {
	both addr add 10.9.1.77/24 dev eth0
	both rule add ipproto tcp dport 443 prohibit
	both rule add ipproto udp blackhole
	for f in 4 6; do
		[ "$(real tcp "$(far $f)" 443)" = EACCES ]
		inject --dst "$(to $f 443)"
		is_refused EACCES 'rule [0-9]+ [(]ipproto 6 dport 443-443[)]: prohibit'
		[ "$(real udp "$(far $f)" 443)" = EINVAL ]
		inject --dst "$(to $f 443)" --proto udp
		is_refused EINVAL 'rule [0-9]+ [(]ipproto 17[)]: blackhole'
		inject --dst "$(to $f 80)" --bytes
		goes A "$(value .packet.src)"
		inject --dst "$(far $f)" --dport 442-444
		[ "$(jq -r 'if .outcome == "not-sent" then "no" else "yes" end' <<< "$output" | paste -sd' ')" = 'yes no yes' ]
	done
	# After the refused first lookup IPv6 chooses a source, and this rule comes before the others.
	both rule add from 10.9.1.77 unreachable
	for f in 4 6; do
		[ "$(real tcp "$(far $f)" 80 "src=$(second $f)")" = ENETUNREACH ]
		inject --dst "$(to $f 80)" --src "$(second $f)"
		is_refused ENETUNREACH "rule [0-9]+ [(]from $(second $f)[)]: unreachable"
		inject --dst "$(to $f 80)" --src "$(own $f)" --bytes
		goes A "$(own $f)"
		for proto in tcp udp; do
			inject --dst "$(to $f 443)" --proto $proto
			holds ".reason | endswith(\" $(real $proto "$(far $f)" 443)\")"
		done
	done
}

@test "the source address is the kernel's: the route's preferred one, of two, and by RFC 6724" {
	both addr add 10.9.1.77/24 dev eth0
	web ip addr add fd77:1::5/64 dev eth0 nodad
	for proto in udp tcp; do
		for dst in "$FAR4" "$FAR6" fd77:1::9 10.9.1.253 fd09:1::253; do
			local src
			src=$(real "$proto" "$dst" 80)
			src=${src#src }
			if [[ $dst = *:* ]]; then inject --dst "[$dst]:80" --proto "$proto"; else inject --dst "$dst:80" --proto "$proto"; fi
			# fd77:1::9 is nobody: the pod would ask for it in vain.
			[ "$dst" = fd77:1::9 ] || holds ".packet.src == \"$src\" and .pod.address == \"$src\""
		done
	done
	# Deprecated addresses are not used while there are others (RFC 6724 rule 3).
	web ip addr change fd09:1::2/64 dev eth0 preferred_lft 0
	[ "$(real udp "$FAR6" 80)" != 'src fd09:1::2' ]
	inject --dst "[$FAR6]:80"
	holds ".packet.src == \"$(real udp "$FAR6" 80 | cut -d' ' -f2)\""
	web ip route replace default via 10.9.1.1 dev eth0 src 10.9.1.77
	web ip -6 route replace default via fd09:1::1 dev eth0 src fd09:1::77
	for f in 4 6; do
		[ "$(real tcp "$(far $f)" 80)" = "src $(second $f)" ]
		inject --dst "$(to $f 80)" --bytes
		goes A "$(second $f)"
		inject --dst "$(to $f 80)" --dry-run
		holds ".packet.src == \"$(second $f)\""
	done
}

# bats test_tags=novm
@test "an address on another device is the pod's too" {
	web ip addr add 10.9.7.7/32 dev lo
	web ip route replace default via 10.9.1.1 dev eth0 src 10.9.7.7
	inject --dst "$FAR4:80" --bytes
	goes A 10.9.7.7
	inject --dst "$FAR4:80" --src 10.9.7.7 --bytes
	goes A 10.9.7.7
	cat > "$NODE_DIR/s.yaml" <<-END
		name: routing
		pods: {web: netns:web}
		probes:
		  - {name: chosen, from: web, to: $FAR4, dport: 80, expect: any}
		  - {name: lo, from: web, to: $FAR4, dport: 80, src: 10.9.7.7, expect: any}
		  - {name: eth0, from: web, to: $FAR4, dport: 80, src: 10.9.1.2, expect: any}
	END
	flowgen run "$NODE_DIR/s.yaml" --output json
	[ "$(jq -r 'select(.packet).packet.src' <<< "$output" | paste -sd' ')" = '10.9.7.7 10.9.7.7 10.9.1.2' ]
}

@test "a source that the pod does not hold: routed without it, as a raw socket's" {
	both rule add from 10.9.1.77 prohibit
	for f in 4 6; do
		inject --dst "$(to $f 80)" --src "$(second $f)" --spoof --bytes
		goes A "$(second $f)"
	done
}

@test "IPv6 without a route for anybody, but with one for a source: the kernel tries again with it" {
	web ip -6 route del default
	web ip -6 route add default via fd09:1::254 dev eth0 table 100
	web ip -6 rule add from fd09:1::2 lookup 100
	[ "$(real tcp "$FAR6" 80)" = 'src fd09:1::2' ]
	inject --dst "[$FAR6]:80" --bytes
	goes C fd09:1::2
	# And how that fails is how connect() fails.
	web ip -6 rule add from fd09:1::2 prohibit
	[ "$(real udp "$FAR6" 80)" = EACCES ]
	inject --dst "[$FAR6]:80" --proto udp
	is_refused EACCES '.*Permission denied'
}

@test "several next hops: each flow by its own, as the kernel hashes it" {
	local by_b=()
	web sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
	web ip route replace default nexthop via 10.9.1.253 dev eth0 nexthop via 10.9.1.254 dev eth0
	web ip -6 route del default
	web ip -6 route add default nexthop via fd09:1::253 dev eth0 nexthop via fd09:1::254 dev eth0
	for f in 4 6; do
		local port via wanted='' got from=()
		# IPv6 has looked up before it has a source.
		[ $f = 6 ] || from=(from "$(own $f)")
		for port in {5000..5031}; do
			via=$(web ip -j route get "$(far $f)" "${from[@]}" ipproto udp sport 4001 dport "$port" | jq -r '.[0].gateway')
			case $via in *253) wanted+=B ;; *254) wanted+=C ;; esac
			[ "$f${wanted: -1}" != 4B ] || by_b+=("$port")
		done
		inject --dst "$(far $f)" --dport 5000-5031 --sport 4001 --proto udp --bytes
		is_status 0
		got=$(jq -r '.packet.bytes[0:12]' <<< "$output" | sed "s/$(letter B)/B/; s/$(letter C)/C/" | tr -d '\n')
		echo "$wanted $got"
		[[ $wanted = *B* && $wanted = *C* ]]
		[ "$got" = "$wanted" ]
	done
	# And that is where the packets of a real socket go.
	in_pod gb nft -f - <<-'END'
		table ip count {
			set ports { type inet_service; flags dynamic; }
			chain c { type filter hook prerouting priority 0; ip daddr 10.77.0.9 update @ports { udp dport }; }
		}
	END
	for port in {5000..5031}; do
		web "$PYTHON" -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 4001)); s.connect(('$FAR4', $port)); s.send(b'x')"
	done
	[ "$(in_pod gb nft -j list set ip count ports | jq -r '.nftables[].set.elem // empty | sort[]' | paste -sd' ')" = "${by_b[*]}" ]
}

# bats test_tags=novm
@test "a second device: what the route sends there is injected there, and a device that was named is kept to" {
	node ip link add hnet1 type veth peer name net1 netns web
	node ip addr add 10.9.8.1/24 dev hnet1
	node ip link set hnet1 up
	web ip addr add 10.9.8.2/24 dev net1
	web ip link set net1 up
	# As the plugin sbr does it.
	web ip route add default via 10.9.8.1 dev net1 table 100
	web ip rule add from 10.9.8.2 lookup 100
	web ip route add 10.78.0.0/16 via 10.9.8.1 dev net1
	inject --dst 10.78.0.9:80
	is_status 0
	holds '.packet.src == "10.9.8.2" and .pod.address == "10.9.8.2" and .pod.device.peer == "net1" and .pod.device.primary == "hnet1"'
	inject --dst 10.77.0.9:80 --src 10.9.8.2
	is_status 0
	holds '.packet.src == "10.9.8.2" and .pod.device.peer == "net1"'
	inject --dst 10.77.0.9:80
	holds '.packet.src == "10.9.1.2" and .pod.device.peer == "eth0"'
	# The header of all results, and the packet, are that device's.
	inject --dst 10.78.0.9 --dport 80-81 --summary
	holds '.pod.address == "10.9.8.2" and .pod.device.peer == "net1" and .total == 2'
	node ip link set hnet1 mtu 1400
	web ip link set net1 mtu 1400
	inject --dst 10.78.0.9:80 --bytes
	holds '.packet.bytes | contains("02040550")' # MSS 1360
	inject --dst 10.78.0.9:80 --interface net1
	holds '.pod.device.peer == "net1"'
	inject --dst 10.78.0.9:80 --interface eth0
	is_status 3
	complains 'pod netns:web: its route leaves through net1, not eth0 \(route: 10\.78\.0\.9 via 10\.9\.8\.1 dev net1\) \(name no device, or net1'
	# Some ports here, some there.
	web ip rule add ipproto tcp dport 8080 lookup 100
	inject --dst 10.77.0.9 --dport 8079-8081
	is_status 0
	[ "$(jq -r '.pod.device.peer' <<< "$output" | paste -sd' ')" = 'eth0 net1 eth0' ]
	# A device that is not a pair.
	web ip link add vx type vxlan id 5 remote 10.9.1.254 dstport 4789
	web ip link set vx up
	web ip addr add 10.9.10.2/24 dev vx
	inject --dst 10.9.10.9:80
	is_status 3
	complains 'its route leaves through vx: .*vx \(vxlan\) is not an end of a veth or netkit pair'
}

# bats test_tags=novm
@test "expectations and exit status: only not-sent is met, and a scenario says the same as inject" {
	web ip route add prohibit 10.77.0.0/16
	for word in allow deny delivered dropped allowed denied forwarded ingress=deny by=x; do
		inject --dst "$FAR4:80" --expect "$word"
		is_status 1
	done
	inject --dst "$FAR4:80" --expect not-sent
	is_status 0
	holds '.expect == {wanted: "not-sent", met: true}'
	inject --dst "$FAR4:80" --reply
	holds '.outcome == "not-sent" and .reply.kind == null and .reply.policy == null'
	fits_schema
	inject --dst "$FAR4" --dport 1-2000 --summary
	is_status 0
	holds '.total == 2000 and .outcomes["not-sent"].count == 2000 and .drops == [{stage: "egress", kind: "route", reason: "prohibit 10.77.0.0/16 in table main", dropped: .outcomes["not-sent"], icmp_errors: 0}]'
	fits_schema summary
	inject --dst "$FAR4:80" --output text
	[[ $output == "NOT SENT: the pod's own routing refuses it: prohibit 10.77.0.0/16 in table main"* ]]
	cat > "$NODE_DIR/s.yaml" <<-END
		name: routing
		pods: {web: netns:web}
		probes:
		  - {name: right, from: web, to: $FAR4, dport: 80, expect: not-sent}
		  - {name: finer, from: web, to: $FAR4, dport: 80, expect: {outcome: not-sent}}
		  - {name: allowed, from: web, to: $FAR4, dport: 80, expect: allow}
		  - {name: nothing, from: web, to: $FAR4, dport: 80, expect: none}
		  - {name: denied, from: web, to: $FAR4, dport: 80, expect: deny}
		  - {name: other, from: web, to: 10.78.0.9, dport: 80, expect: not-sent}
	END
	flowgen run "$NODE_DIR/s.yaml" --output json
	is_status 1
	[ "$(jq -r 'select(.outcome) | .scenario.status' <<< "$output" | paste -sd' ')" = 'pass pass fail fail fail fail' ]
	[ "$(jq -r 'select(.outcome) | .cause.what' <<< "$output" | head -5 | sort -u)" = 'prohibit 10.77.0.0/16 in table main' ]
	output=$(jq -c 'select(.outcome) | del(.scenario)' <<< "$output")
	fits_schema
}

# bats test_tags=novm
@test "a run sees routes change" {
	web ip route add prohibit 10.77.0.0/16
	node "$FLOWGEN" inject --pod netns:web --dst "$FAR4:80" --until allow --duration 20 > "$NODE_DIR/until" 2> "$NODE_DIR/said" &
	wait_for grep -q not-sent "$NODE_DIR/until"
	node ip addr add 10.77.0.9/32 dev br0
	web ip route del prohibit 10.77.0.0/16
	wait $!
	jq -se '.[0].outcome == "not-sent" and .[-1].outcome != "not-sent" and .[-1].expect.met' "$NODE_DIR/until"
	grep -E ' sent in .* not sent$' "$NODE_DIR/said"
	node ip addr del 10.77.0.9/32 dev br0
}

@test "nothing is left, and nothing is sent: the pod's counters, sockets, routes and neighbours are as before" {
	both rule add ipproto tcp dport 443 prohibit
	web ip -6 route del default
	state() { web ip addr; web ip route show table all; web ip -6 route show table all | sed 's/expires [0-9]*sec//'; web ip rule; web ip -6 rule; web cat /proc/net/raw /proc/net/raw6 /proc/net/udp /proc/net/udp6; web ip neigh | awk '$1 !~ /^fe80/ { print $1 }'; }
	state > "$BATS_TEST_TMPDIR/before"
	web cat /proc/net/snmp | grep -E '^(Tcp|Udp):' > "$BATS_TEST_TMPDIR/count-before"
	inject --dst "$FAR4:443"
	is_refused EACCES '.*'
	inject --dst "[$FAR6]:80"
	is_refused ENETUNREACH '.*'
	web cat /proc/net/snmp | grep -E '^(Tcp|Udp):' > "$BATS_TEST_TMPDIR/count-after"
	state > "$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/count-before" "$BATS_TEST_TMPDIR/count-after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
