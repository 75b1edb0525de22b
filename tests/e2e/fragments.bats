#!/usr/bin/env bats
# A pod's own fragments where connection tracking puts them together: each is followed through the whole, and behind it.
load helpers

setup_file() {
	node_up
	pods_up
	podctl up six --addr fd00:9::2/128
	podctl up far --addr fd00:8::9/64 --gw fd00:8::1
	node nft -f - <<-'END'
		table ip nat {
			chain pre {
				type nat hook prerouting priority -100;
				ip daddr 10.96.0.53 udp dport 53 dnat to 10.9.0.9:5353
			}
		}
		table ip6 nat {
			chain pre {
				type nat hook prerouting priority -100;
				ip6 daddr fd00:96::53 udp dport 53 dnat to [fd00:8::9]:5353
			}
		}
	END
	local pod
	for pod in dst far; do
		in_pod "$pod" "$TOOL/listen" udp --port 5353 --count 0 --seconds 9999 > "$NODE_DIR/heard-$pod" 2>&1 3>&- 7>&- &
		wait_for grep -q ready "$NODE_DIR/heard-$pod"
	done
}
teardown_file() { node_down; }
teardown() { node nft 'delete table inet f' 2> /dev/null || node nft 'delete table netdev f' 2> /dev/null || :; }

# Over IPv4 and IPv6, to the translated address: CHECK OPTION...
both() {
	local check=$1
	shift
	inject --dst 10.96.0.53:53 --proto udp --size 2000 --fragment 800 "$@"
	POD=dst $check
	flowgen inject --pod netns:six --dst '[fd00:96::53]:53' --proto udp --size 2000 --fragment 800 "$@"
	POD=far $check
}

all_delivered() {
	is_status 0
	[ "$(lines)" = 3 ]
	fits_schema
	holds '.outcome == "delivered" and .reason == null and .policy.verdict != "unknown"'
	holds 'any(.observations[]; .action == "Reassembled" and .device != null)'
}
# Each carries on the wire what it was sent with: only the first has ports.
as_sent() {
	all_delivered
	holds '[.observations[] | select(.action == "Translated")] | length == 1'
	holds '(.packet.fragment == 0) == any(.observations[]; .action == "Translated" and (.detail | contains("5353")))'
	holds 'all(.observations[]; .of == "packet" or .action == "Consumed")'
	[ "$(grep -c ^udp "$NODE_DIR/heard-$POD")" = "$WANT" ]
}
heard_whole() {
	all_delivered
	got() { [ "$(grep -c '^udp.* 2000$' "$NODE_DIR/heard-$POD")" = "$WANT" ]; }
	wait_for got
}

@test "a datagram in fragments, reassembled, translated and cut again" {
	WANT=0 both as_sent --expect delivered
	WANT=1 both heard_whole --deliver --expect delivered
	# One after the other, each with its own.
	inject --dst 10.96.0.53:53 --proto udp --size 2000 --fragment 800 --count 20 --sport 4000
	is_status 0
	[ "$(lines)" = 60 ]
	holds '.outcome == "delivered"'
}

denied_whole() {
	is_status 0
	[ "$(lines)" = 3 ]
	fits_schema
	holds '.outcome == "dropped" and .policy.verdict == "denied" and .decider.kind == "netfilter" and .drop.reason == "NETFILTER_DROP"'
	holds '.policy.stages.node == "denied"'
}
@test "what drops the whole drops each fragment" {
	can tcx || skip 'this kernel does not name the reason'
	node nft 'table inet f { chain c { type filter hook forward priority 0; udp dport 5353 drop; }; }'
	both denied_whole --expect deny
}

rest_delivered() {
	is_status 0
	holds '(.packet.fragment == 1) == (.outcome == "dropped")'
	holds '.packet.fragment == 1 or .outcome == "delivered"'
}
# drop_second HOOK DEVICE: the second of three, by its offset.
drop_second() {
	node nft "table netdev f { chain c { type filter hook $1 device $2 priority 0; ip frag-off & 0x1fff == 100 counter drop; }; }"
}

@test "behind the whole each has an end of its own" {
	can tcx || skip 'this kernel does not name the reason'
	drop_second egress hdst || skip 'this kernel has no netfilter at egress'
	inject --dst 10.96.0.53:53 --proto udp --size 2000 --fragment 800
	is_status 0
	holds '(.packet.fragment == 0) == (.outcome == "delivered")'
	holds '.packet.fragment != 1 or .drop.reason == "NETFILTER_DROP"'
	# The kernel does not send the rest of what it has cut.
	holds '.packet.fragment != 2 or (.outcome == "dropped" and (.drop.location | startswith("ip_do_fragment")))'
}

@test "where a fragment is missing nothing is known of the others" {
	drop_second ingress hweb
	inject --dst 10.96.0.53:53 --proto udp --size 2000 --fragment 800 --timeout 300ms
	is_status 4
	holds '(.packet.fragment == 1) == (.outcome == "dropped")'
	holds '.packet.fragment == 1 or .outcome == "inconclusive"'
}
