#!/usr/bin/env bats
# What flowgen promises of what it leaves alone, by counters that the way really moves: each test moves its counter once, too.
load helpers

setup_file() {
	node_up
	pods_up --addr fd00:9::2/128
	podctl up six --addr fd00:8::9/64 --gw fd00:8::1
	# All that comes from the pod web, before anything of the stack reads it: also what is a fragment, or has options.
	local pod
	for pod in dst six; do
		in_pod "$pod" nft -f - <<-'END'
			table inet seen {
				counter web { }
				chain c {
					type filter hook prerouting priority -500;
					ip saddr 10.9.1.2 counter name web
					ip6 saddr fd00:9::2 counter name web
				}
			}
		END
	done
	node nft -f - <<-'END'
		table inet sent {
			counter web { }
			counter synack { }
			chain c {
				type filter hook prerouting priority -500;
				iifname "hweb" counter name web
				tcp flags & (syn | ack) == syn | ack counter name synack
			}
		}
	END
}
teardown_file() { node_down; }

# counter TABLE NAME: how many packets it has; sent and seen_by: those of this file.
counter() { nft -j list counter inet "$1" "$2" | jq '.nftables[] | .counter // empty | .packets'; }
export -f counter
seen_by() { in_pod "$1" bash -c 'counter seen web'; }
sent() { node bash -c 'counter sent web'; }

# What the stack of a pod has counted but for its neighbours' questions, which come when they come.
stack() {
	in_pod "$1" awk '$1 == "Ip:" || $1 ~ /^(Tcp|Udp|IpExt|TcpExt):$/ || $1 ~ /^(Udp6|Ip6Reasm|Ip6InHdr|Ip6InUnk)/' \
		/proc/net/snmp /proc/net/netstat /proc/net/snmp6
}

# unseen POD ADDRESS OPTION...: the probe arrives there, and the pod does not notice.
unseen() {
	local pod=$1 dst=$2 packets counters
	shift 2
	packets=$(seen_by "$pod")
	counters=$(stack "$pod")
	inject --dst "$dst" "$@"
	is_status 0
	holds '.outcome == "delivered" and .stopped'
	[ "$(seen_by "$pod")" = "$packets" ]
	[ "$(stack "$pod")" = "$counters" ]
}

@test "the destination pod does not notice, IPv4: plain, with options, in fragments" {
	need tcx
	serve dst 53
	unseen dst 10.9.0.9:53 --proto udp
	unseen dst 10.9.0.9:53 --proto tcp
	unseen dst 10.9.0.9 --proto icmp
	unseen dst 10.9.0.9:53 --proto udp --ip-option 01010101
	unseen dst 10.9.0.9:53 --proto udp --size 1000 --fragment 400
	local before
	before=$(seen_by dst)
	inject --dst 10.9.0.9:53 --proto udp --deliver
	[ "$(seen_by dst)" = $((before + 1)) ]
}

@test "the destination pod does not notice, IPv6: plain, with extension headers, in fragments" {
	need tcx
	serve six 54
	unseen six '[fd00:8::9]:54' --proto udp
	unseen six '[fd00:8::9]:54' --proto tcp
	unseen six 'fd00:8::9' --proto icmpv6
	unseen six '[fd00:8::9]:54' --proto udp --ext-header hop-by-hop
	unseen six '[fd00:8::9]:54' --proto udp --ext-header destination
	unseen six '[fd00:8::9]:54' --proto udp --ext-header fragment
	unseen six '[fd00:8::9]:54' --proto udp --size 1000 --fragment 400
	local before
	before=$(seen_by six)
	inject --dst '[fd00:8::9]:54' --proto udp --deliver
	[ "$(seen_by six)" = $((before + 1)) ]
}

# half_open POD: connections that the pod's stack is waiting for, of both families.
half_open() { in_pod "$1" cat /proc/net/tcp /proc/net/tcp6 | grep -c ' 03 00000000' || :; }

# closes POD ADDRESS: a SYN there is answered, once, and nothing is half open afterwards.
closes() {
	local before
	hear "$1" tcp --port 8080 --count 0 --seconds 60
	before=$(node bash -c 'counter sent synack')
	inject --dst "$2" --proto tcp --reply
	is_status 0
	holds '.outcome == "replied" and .reply.kind == "syn-ack"'
	[ "$(half_open "$1")" = 0 ]
	# A listener that was left alone sends it again, a second later.
	read -rt 1.5 <> "$NODE_DIR/never" || :
	[ "$(node bash -c 'counter sent synack')" = $((before + 1)) ]
	[ "$(half_open "$1")" = 0 ]
	kill "$LISTENER"
}

@test "a handshake that is not ended is reset: IPv4" { need tcx && closes dst 10.9.0.9:8080; }
@test "a handshake that is not ended is reset: IPv6" { need tcx && closes six '[fd00:8::9]:8080'; }

@test "a program in the destination pod that drops does not see what flowgen takes" {
	need tcx
	local id
	serve dst 55
	id=$(attach dst tcx/ingress drop_all --other-side)
	unseen dst 10.9.0.9:55 --proto udp
	# With --deliver it is the one that decides.
	inject --dst 10.9.0.9:55 --proto udp --deliver
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $id"
	podctl detach dst --hook tcx/ingress --id "$id" --other-side
}

@test "a program in the sending pod that drops what comes in does not see the reply" {
	need tcx
	local id
	id=$(attach web tcx/ingress drop_all --other-side)
	inject --dst 10.9.0.9 --proto icmp --reply --method pod-socket
	is_status 0
	holds '.outcome == "replied" and .reply.kind == "echo-reply"'
	podctl detach web --hook tcx/ingress --id "$id" --other-side
}

# links_of NAME: how many programs the running flowgen of that name has at devices (tcx).
links_of() {
	FLOWGEN_PID=
	wait_for run_with "--name $1"
	wait_for test -s "$NODE_DIR/$1"
	cat /proc/"$FLOWGEN_PID"/fdinfo/* 2> /dev/null | grep -c '^link_type:.tcx' || :
}

@test "a third pod is left alone while the destination is known" {
	need tcx
	local known unknown FLOWGEN_PID
	# To an address that is nobody's, a translation may lead to any pod: then all are watched.
	node ip route add 192.0.2.0/24 dev hsix
	for dst in known=10.9.0.9 unknown=192.0.2.7; do
		node "$FLOWGEN" inject --pod netns:web --dst "${dst#*=}:53" --proto udp --count 0 --interval 20ms --timeout 20ms --name "${dst%=*}" \
			> "$NODE_DIR/${dst%=*}" 2>&1 3>&- 7>&- &
		running=$!
		printf -v "${dst%=*}" %s "$(links_of "${dst%=*}")"
		wait_for run_with "--name ${dst%=*}"
		kill -INT "$FLOWGEN_PID"
		wait "$running" || :
	done
	node ip route del 192.0.2.0/24
	# In the destination, and for replies in the sender; else also in each of the others.
	[ "$known" = 2 ]
	[ "$unknown" -ge 3 ]
}
