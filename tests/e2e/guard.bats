#!/usr/bin/env bats
# The live-flow guard: what a socket or a connection uses is refused; and the state that probes leave, and --tidy.
load helpers

setup_file() {
	node_up
	pods_up
	# Connection tracking works in a namespace once a rule asks for it.
	local where
	for where in node 'in_pod web' 'in_pod dst'; do
		$where nft -f - <<-'END'
			table inet watch {
				chain forward { type filter hook forward priority 0; ct state new counter; }
				chain input { type filter hook input priority 0; ct state new counter; }
				chain output { type filter hook output priority 0; ct state new counter; }
			}
		END
	done
	serve dst 53
}
teardown_file() { node_down; }
setup() {
	SOCKETS=
	untrack
}
teardown() { drop_sockets; }

untrack() { for where in node 'in_pod web' 'in_pod dst'; do $where conntrack -F 2> /dev/null; done; }

# hold_socket POD PYTHON: runs the statements, which leave a socket in s, and keeps it until drop_sockets.
hold_socket() {
	rm -f "$NODE_DIR/held"
	in_pod "$1" "$PYTHON" -c "
import socket, time
$2
print('inode', __import__('os').fstat(s.fileno()).st_ino, flush=True)
time.sleep(9999)" > "$NODE_DIR/held" 2>&1 3>&- 7>&- &
	SOCKETS="$SOCKETS $!"
	wait_for grep -q inode "$NODE_DIR/held"
	INODE=$(awk '{ print $2 }' "$NODE_DIR/held")
}
# Of a process started here and all that it started.
family() {
	local child
	for child in $(pgrep -P "$1"); do family "$child"; done
	echo "$1"
}
drop_sockets() {
	local pid
	for pid in $SOCKETS; do
		family "$pid" | xargs kill 2> /dev/null || :
		wait "$pid" || :
	done
	SOCKETS=
}

# refused PATTERN ARGUMENT...: exit status 2, and --force sends it.
refused() {
	local pattern=$1
	shift
	inject "$@"
	is_status 2
	complains "$pattern"
	inject "$@" --force
	is_status 0
	[[ $stderr =~ warning:\ .*$pattern ]]
	holds '.outcome == "delivered"'
}

@test "a connected UDP socket" {
	hold_socket web 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.1.2", 4000)); s.connect(("10.9.0.9", 53))'
	refused "10.9.1.2:4000 > 10.9.0.9:53 udp is in use: pod netns:web has a socket .inode $INODE, uid 0, ESTAB. of this connection" \
		--dst 10.9.0.9:53 --proto udp --sport 4000
	# Another port of the same pod is nobody's.
	inject --dst 10.9.0.9:53 --proto udp --sport 4001
	is_status 0
	inject --dst 10.9.0.9:54 --proto udp --sport 4000
	is_status 0
	# And for TCP that tuple is free.
	inject --dst 10.9.0.9:53 --sport 4000
	is_status 0
}

@test "a UDP socket without a peer, of IPv4, and of IPv6 for both" {
	hold_socket web 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 4002))'
	refused "socket .inode $INODE, uid 0, UNCONN. on this port" --dst 10.9.0.9:53 --proto udp --sport 4002
	hold_socket web 's = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 4003))'
	refused "socket .inode $INODE, uid 0, UNCONN. on this port" --dst 10.9.0.9:53 --proto udp --sport 4003
	hold_socket web 's = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(41, socket.IPV6_V6ONLY, 1); s.bind(("::", 4004))'
	inject --dst 10.9.0.9:53 --proto udp --sport 4004
	is_status 0
}

@test "a UDP socket of IPv4 has no part in what is sent over IPv6 in the same run" {
	local file="$NODE_DIR/both.yaml"
	podctl up both --addr 10.9.6.2/32 --addr fd00:6::2/128
	podctl up there --addr 10.9.7.9/24 --gw 10.9.7.1 --addr fd00:7::9/64 --gw fd00:7::1
	hold_socket both 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 4009))'
	cat > "$file" <<- 'END'
		name: both
		probes:
		  - {name: four, from: "netns:both", to: 10.9.7.9, proto: udp, sport: 4009, dport: 53, expect: {outcome: delivered}}
		  - {name: six, from: "netns:both", to: "fd00:7::9", proto: udp, sport: 4009, dport: 53, expect: {outcome: delivered}}
	END
	run --separate-stderr node "$FLOWGEN" run "$file" --output json
	is_status 0
	[ "$(counted skip) $(counted pass)" = '1 1' ] && [[ $output == *"inode $INODE,"* ]]
}

@test "a TCP connection, not a listening socket" {
	hold_socket dst 's = socket.socket(); s.bind(("10.9.0.9", 80)); s.listen()'
	hold_socket web 's = socket.socket(); s.bind(("10.9.1.2", 4005)); s.connect(("10.9.0.9", 80))'
	refused "10.9.1.2:4005 > 10.9.0.9:80 tcp is in use: .*inode $INODE, uid 0, ESTAB" --dst 10.9.0.9:80 --sport 4005
	hold_socket web 's = socket.socket(); s.bind(("10.9.1.2", 4006)); s.listen()'
	inject --dst 10.9.0.9:80 --sport 4006
	is_status 0
	# A TCP connection of an IPv6 socket over IPv4.
	hold_socket web 's = socket.socket(socket.AF_INET6); s.bind(("::", 4007)); s.connect(("::ffff:10.9.0.9", 80))'
	refused "inode $INODE, uid 0, ESTAB" --dst 10.9.0.9:80 --sport 4007
}

@test "a connection tracking entry, listed" {
	node conntrack -I -p udp -s 10.9.1.2 -d 10.9.0.9 --sport 4010 --dport 53 -t 600 2> /dev/null
	refused '10.9.1.2:4010 > 10.9.0.9:53 udp is in use: connection tracking of the host has 10.9.1.2:4010 > 10.9.0.9:53 udp' \
		--dst 10.9.0.9:53 --proto udp --sport 4010
	inject --dst 10.9.0.9 --dport 1-200 --proto udp --sport 4010
	is_status 2
	complains 'tracking of the host has'
	inject --dst 10.9.0.9 --dport 54-253 --proto udp --sport 4010 --summary
	is_status 0
	# In the pod; and the answering side of an entry, here behind a translation.
	in_pod web conntrack -I -p udp -s 10.9.1.2 -d 10.9.0.9 --sport 4011 --dport 53 -t 600 2> /dev/null
	refused 'tracking of the pod has' --dst 10.9.0.9:53 --proto udp --sport 4011
	node conntrack -I -p tcp -s 10.9.0.9 -d 10.9.0.77 --reply-src 10.9.1.2 --reply-dst 10.9.0.9 --sport 5000 --dport 80 \
		--reply-port-src 8080 --reply-port-dst 5000 -t 600 --state ESTABLISHED -u SEEN_REPLY 2> /dev/null
	inject --dst 10.9.0.9:5000 --sport 8080
	is_status 2
	complains '10.9.1.2:8080 > 10.9.0.9:5000 tcp is in use: connection tracking of the host has 10.9.0.9:5000 > 10.9.0.77:80 tcp .*replied'
	inject --dst 10.9.0.9 --dport 4900-5100 --sport 8080
	is_status 2
}

# bats test_tags=novm
@test "a connection tracking entry of many, asked for one by one" {
	inject --dst 10.9.0.9 --dport 10000-27000 --proto udp --sport 4012 --summary
	is_status 0
	[ "$(node conntrack -C)" -gt 16384 ] || skip 'the table does not hold that many'
	refused '10.9.1.2:4012 > 10.9.0.9:10007 udp is in use: connection tracking of the host has' --dst 10.9.0.9:10007 --proto udp --sport 4012
	inject --dst 10.9.0.9:9 --proto udp --sport 4012 --tidy
	is_status 0
	holds '[.state[].removed] == [true]'
}

@test "nothing is sent when one of many is refused" {
	hold_socket web 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.9.1.2", 4020)); s.connect(("10.9.0.9", 3000))'
	# A redirect to an ingress moves no counter of the device's.
	node nft 'table ip sent { counter web { }; chain c { type filter hook prerouting priority -500; iifname "hweb" counter name web; }; }'
	sent() { node nft -j list counter ip sent web | jq '.nftables[] | .counter // empty | .packets'; }
	inject --dst 10.9.0.9 --dport 1-3000 --proto udp --sport 4020
	is_status 2
	[ -z "$output" ]
	[ "$(sent)" = 0 ]
	inject --dst 10.9.0.9 --dport 1-2999 --proto udp --sport 4020 --summary
	is_status 0
	[ "$(sent)" = 2999 ]
	node nft delete table ip sent
}

@test "a random source port is chosen anew" {
	inject --dst 10.9.0.9:53 --proto udp --seed 7
	local port
	port=$(value .packet.sport)
	untrack
	inject --dst 10.9.0.9:53 --proto udp --seed 7
	holds ".packet.sport == $port"
	# That left an entry, which is as good as a socket.
	inject --dst 10.9.0.9:53 --proto udp --seed 7
	is_status 0
	holds ".packet.sport != $port and .outcome == \"delivered\""
	untrack
	hold_socket web "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.9.1.2', $port))"
	inject --dst 10.9.0.9:53 --proto udp --seed 7
	is_status 0
	holds ".packet.sport != $port"
}

@test "an ICMP identifier too" {
	inject --dst 10.9.0.9 --proto icmp --seed 8
	local id
	id=$(value .packet.icmp_id)
	inject --dst 10.9.0.9 --proto icmp --seed 8
	# Before 6.3 who consumes an echo request is not known; it was sent all the same.
	is_status 0 || is_status 4
	holds ".packet.icmp_id != $id"
}

# quote PROTOCOL SRC SPORT DST DPORT: the first bytes of such a packet, as an ICMP error quotes it.
quote() {
	"$PYTHON" -c "
import ipaddress, struct, sys
src, dst = map(ipaddress.ip_address, (sys.argv[2], sys.argv[4]))
proto, sport, dport = map(int, (sys.argv[1], sys.argv[3], sys.argv[5]))
if src.version == 4: head = struct.pack('>BBHHHBBH', 0x45, 0, 28, 1, 0, 64, proto, 0)
else: head = struct.pack('>IHBB', 6 << 28, 8, proto, 64)
print('hex:' + (head + src.packed + dst.packed + struct.pack('>HHHH', sport, dport, 8, 0)).hex())" "$@"
}

# Before 6.3 who consumes an ICMP packet is not known; it was sent all the same.
sent_alone() {
	is_status 0 || is_status 4
	holds '(.outcome == "delivered" or .end > 0) and .state == []'
}

@test "packets that can have no entry of their own: ICMP errors, neighbour discovery, MLD" {
	local type
	for type in 3 11 12 42; do
		inject --dst 10.9.0.9 --proto icmp --icmp-type "$type" --payload "$(quote 17 10.9.0.9 4060 10.9.1.2 4061)"
		sent_alone
	done
	podctl up six --addr fd00:9::2/128
	podctl up far --addr fd00:8::9/64 --gw fd00:8::1
	for type in 1 2 3 4 130 131 133 135 136 137 143; do
		flowgen inject --pod netns:six --dst fd00:8::9 --proto icmp --icmp-type "$type" --ttl 255 \
			--payload "$(quote 17 fd00:8::9 4060 fd00:9::2 4061)"
		sent_alone
	done
	podctl del six far
}

@test "an ICMP error belongs to the connection of the packet that it quotes" {
	hold_socket web 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.1.2", 4062)); s.connect(("10.9.0.9", 53))'
	inject --dst 10.9.0.9 --proto icmp --icmp-type 3 --payload "$(quote 17 10.9.0.9 53 10.9.1.2 4062)"
	is_status 2
	complains "10.9.1.2:4062 > 10.9.0.9:53 udp is in use: pod netns:web has a socket .inode $INODE.*--force sends it"
	inject --dst 10.9.0.9 --proto icmp --icmp-type 3 --payload "$(quote 17 10.9.0.9 53 10.9.1.2 4062)" --force
	sent_alone
	# It quotes a packet to another address, whatever sockets the pod has.
	inject --dst 10.9.0.9 --proto icmp --icmp-type 3 --payload "$(quote 17 10.9.0.9 53 10.9.1.3 4062)"
	sent_alone
	node conntrack -I -p tcp -s 10.9.1.2 -d 10.9.0.9 --sport 4063 --dport 80 -t 600 --state ESTABLISHED -u SEEN_REPLY 2> /dev/null
	inject --dst 10.9.0.9 --proto icmp --icmp-type 3 --icmp-code 4 --payload "$(quote 6 10.9.0.9 80 10.9.1.2 4063)"
	is_status 2
	complains '10.9.1.2:4063 > 10.9.0.9:80 tcp is in use: connection tracking of the host has'
}

@test "the same tuple twice in one run is the run's own" {
	inject --dst 10.9.0.9:53 --proto udp --sport 4030 --count 5
	is_status 0
	[ "$(lines)" = 5 ]
	inject --dst 10.9.0.9:53 --proto udp --sport 4031 --count 100 --summary
	is_status 0
}

@test "the state a probe leaves is in its result, and gone with --tidy" {
	inject --dst 10.9.0.9:53 --proto udp --sport 4040
	is_status 0
	fits_schema
	holds '.state | length == 1 and .[0].kind == "conntrack" and .[0].netns.side == "host" and .[0].removed == false'
	holds '.state[0] | .original == {proto: "udp", src: "10.9.1.2", dst: "10.9.0.9", sport: 4040, dport: 53}'
	holds '.state[0] | .reply.src == "10.9.0.9" and .replied == false and .timeout > 0'
	node conntrack -L -p udp --sport 4040 2> /dev/null | grep -q 4040
	inject --dst 10.9.0.9:53 --proto udp --sport 4041 --tidy
	holds '.state | length == 1 and .[0].removed == true'
	[ "$(node conntrack -L -p udp --sport 4041 2> /dev/null | wc -l)" = 0 ]
	# What was there before is not flowgen's, and stays.
	node conntrack -I -p udp -s 10.9.1.2 -d 10.9.0.9 --sport 4042 --dport 53 -t 600 2> /dev/null
	inject --dst 10.9.0.9:53 --proto udp --sport 4042 --tidy --force
	holds '.state == []'
	[ "$(node conntrack -L -p udp --sport 4042 2> /dev/null | wc -l)" = 1 ]
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp --sport 4043 --output text
	[[ $output == *'connection tracking, host: 10.9.1.2:4043 > 10.9.0.9:53 udp, left'* ]]
}

@test "an entry in a zone of its own is one too: for a single probe as for many" {
	node nft -f - <<- 'END'
		table ip zones {
			chain z { type filter hook prerouting priority -300; iifname "hweb" ct zone set 7; }
		}
	END
	zoned() { node conntrack -L -p udp --sport 4050 2> /dev/null | grep -c zone=7 || :; }
	inject --dst 10.9.0.9:53 --proto udp --sport 4050
	is_status 0
	holds '.state | length == 1 and .[0].original.sport == 4050 and .[0].netns.side == "host" and .[0].removed == false'
	[ "$(zoned)" = 1 ]
	inject --dst 10.9.0.9:53 --proto udp --sport 4050
	is_status 2
	complains 'tracking of the host has 10.9.1.2:4050 > 10.9.0.9:53 udp .*zone 7'
	inject --dst 10.9.0.9 --dport 1-100 --proto udp --sport 4050
	is_status 2
	# What was there before stays, also with --tidy.
	inject --dst 10.9.0.9:53 --proto udp --sport 4050 --force --tidy
	[ "$(zoned)" = 1 ]
	holds '.state == []'
	untrack
	inject --dst 10.9.0.9:53 --proto udp --sport 4050 --tidy
	is_status 0
	holds '.state | length == 1 and .[0].removed == true'
	[ "$(zoned)" = 0 ]
	node nft delete table ip zones
}

@test "a sweep leaves nothing with --tidy, in a summary too" {
	local form
	node sysctl -qw net.netfilter.nf_conntrack_udp_timeout=600
	for form in --summary '--output json'; do
		# shellcheck disable=SC2086  # a list of words
		inject --dst 10.9.0.9 --dport 1-3000 --proto udp --tidy $form
		is_status 0
		[ "$(node conntrack -L 2> /dev/null | grep -c 10.9.1.2)" = 0 ]
	done
	[ "$(jq -c 'select(.state | length == 1 and .[0].removed) | 1' <<< "$output" | wc -l)" = 3000 ]
	inject --dst 10.9.0.9 --dport 1-3000 --proto udp --summary
	[ "$(node conntrack -L 2> /dev/null | grep -c 10.9.1.2)" = 3000 ]
}

@test "run: what a socket has is left out with the reason, --strict fails it, --force sends it; random ports are free ones" {
	local file="$NODE_DIR/used.yaml"
	cat > "$file" <<- 'END'
		name: used
		probes:
		  - {name: fixed, from: "netns:web", to: 10.9.0.9, proto: udp, sport: 4100, dport: 53, expect: {outcome: delivered}}
		  - {name: other, from: "netns:web", to: 10.9.0.9, proto: udp, sport: 4101, dport: 53, expect: {outcome: delivered}}
		  - {name: any, from: "netns:web", to: 10.9.0.9, proto: udp, dport: 53, count: 50, expect: {outcome: delivered}}
	END
	ran() { run --separate-stderr node "$FLOWGEN" run "$file" --output json "$@"; }
	ran
	is_status 0
	[ "$(counted pass)" = 52 ]
	hold_socket web 's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.1.2", 4100)); s.connect(("10.9.0.9", 53))'
	# Twice: connection tracking remembers the first time, which is no reason.
	ran --repeat 2
	is_status 0
	[ "$(counted skip)" = 2 ]
	[ "$(counted pass)" = 102 ]
	[[ $output == *"10.9.1.2:4100 > 10.9.0.9:53 udp is in use: pod netns:web has a socket (inode $INODE,"*'(--force sends it anyway)'* ]]
	ran --strict
	is_status 1
	[ "$(counted fail)" = 1 ]
	ran --force
	is_status 0
	[[ $stderr == 'flowgen: warning: '*'is in use'* ]]
	[ "$(counted pass)" = 52 ]
	drop_sockets
	gone() { [ -z "$(in_pod web ss -Huan 'sport = :4100')" ]; }
	wait_for gone
	# Every other port that a random choice has is taken.
	hold_socket web 'import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
s = []
for port in range(32768, 61000):
    if port % 2: s.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)); s[-1].bind(("10.9.1.2", port))
s = s[0]'
	ran
	is_status 0
	[ "$(counted pass)" = 52 ]
}

# counted WORD: of the last line of a run.
counted() { jq -r "select(.schema == \"flowgen.run/1\") | .$1" <<< "$output"; }
