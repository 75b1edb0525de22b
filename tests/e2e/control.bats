#!/usr/bin/env bats
# The positive control: a denial is proven by what passes beside it.
load helpers

setup_file() {
	node_up
	pods_up
}
teardown_file() { node_down; }
setup() {
	need tcx
	podctl up web2 --addr 10.9.2.2/32
	ID=$(attach web2 tcx/ingress deny_port --proto udp --port 9999)
}
teardown() { ! can tcx || podctl del web2; }

control() {
	[[ " $* " == *' --proto '* ]] || set -- --proto udp "$@"
	flowgen inject --pod netns:web2 "$@"
}

@test "a control that passes proves the denial" {
	control --dst 10.9.0.9:9999 --control 53 --expect deny
	is_status 0
	fits_schema
	[ "$(lines)" = 1 ]
	holds '.policy.verdict == "denied" and .expect.met'
	holds '.control == {asked: "53", proto: "udp", dst: "10.9.0.9", port: 53, verdict: "allowed", outcome: "delivered", proven: true}'
	control --dst 10.9.0.9:53 --control 54
	is_status 0
	holds '.control.proven == null and .policy.verdict == "allowed"'
}

@test "a control that fails too: not proven, exit status 4" {
	control --dst 10.9.0.9:9999 --control 9999 --expect deny
	is_status 4
	fits_schema
	holds '.policy.verdict == "denied" and .outcome == "dropped" and (.expect.met | not)'
	holds '.control == {asked: "9999", proto: "udp", dst: "10.9.0.9", port: 9999, verdict: "denied", outcome: "dropped", proven: false}'
	holds '.reason == "the control failed too"'
	control --dst 10.9.0.9:9999 --control 9999
	is_status 4
}

@test "the way is broken for both" {
	node ip route add blackhole 10.9.0.99
	control --dst 10.9.0.99:9998 --control 53 --expect dropped
	is_status 4
	holds '.control.proven == false and .control.outcome == "dropped" and (.expect.met | not)'
	# A control to another address shows that the policy is not to blame; the drop is real.
	control --dst 10.9.0.99:9998 --control 10.9.0.9:53 --expect dropped
	is_status 0
	holds '.control.proven == true'
	node ip route del blackhole 10.9.0.99
}

@test "one control for each batch, which is neither told nor counted" {
	control --dst 10.9.0.9 --dport 9900-9999,10000-12500 --control 53 --summary
	is_status 0
	holds '.total == 2601'
	# Three of 1,024 at most, and before them a few that tell what a packet leaves in tables.
	echo "seen: $(podctl seen "$ID")"
	[ "$(podctl seen "$ID" | cut -d' ' -f1)" = 2605 ]
	control --dst 10.9.0.9 --dport 9998-9999 --control 53
	[ "$(lines)" = 2 ]
	[ "$(jq -rc '.control.proven' <<< "$output" | xargs)" = 'null true' ]
}

@test "for a person" {
	control --dst 10.9.0.9:9999 --control 9999 --output text
	is_status 4
	[[ $output == *'udp 10.9.0.9:9999: denied, dropped: the denial is NOT proven'* ]]
	control --dst 10.9.0.9:9999 --control tcp,dport=9999,ttl=9 --output text
	is_status 0
	[[ $(xargs <<< "$output") == *'tcp 10.9.0.9:9999 (tcp,dport=9999,ttl=9): allowed, delivered: the denial is proven'* ]]
}

@test "a whole probe: another protocol, another address, other fields" {
	node ip route add blackhole 10.9.0.99
	control --dst 10.9.0.99:9999 --control 'tcp,dport=443,dst=10.9.0.9' --expect deny
	is_status 0
	fits_schema
	[ "$(lines)" = 1 ]
	holds '.packet.proto == "udp" and .policy.verdict == "denied" and .expect.met'
	holds '.control == {asked: "tcp,dport=443,dst=10.9.0.9", proto: "tcp", dst: "10.9.0.9", port: 443, verdict: "allowed", outcome: "delivered", proven: true}'
	# Nothing of the probe's own options is in it: flags would not fit UDP, and a TTL of 1 would not arrive.
	flowgen inject --pod netns:web2 --proto tcp --flags FA --ttl 1 --dst 10.9.0.9:80 --control dst=10.9.0.9:54,proto=udp
	is_status 0
	holds '.control | .proto == "udp" and .port == 54 and .outcome == "delivered" and .proven'
	# Without a protocol it is the probe but for this.
	control --dst 10.9.0.99:53 --expect dropped --control dst=10.9.0.9
	is_status 0
	holds '.control | .proto == "udp" and .dst == "10.9.0.9" and .port == 53 and .proven'
	control --dst 10.9.0.99:53 --expect dropped --control dst=10.9.0.9,ttl=1
	is_status 4
	holds '.control.proven == false and .reason == "the control failed too"'
	control --dst 10.9.0.99:53 --expect dropped --control icmp,dst=10.9.0.9,size=8 --summary
	is_status 0
	node ip route del blackhole 10.9.0.99
}

@test "what the control's packet is, the policy sees too: ports, payload, fragments" {
	hear dst udp --port 54 --count 1 --seconds 20
	control --dst 10.9.0.9:9999 --deliver --control 'dport=54,sport=4321,payload=a\,b'
	heard
	is_status 0
	holds '.control | .port == 54 and .outcome == "delivered" and .proven'
	grep -qx 'udp 10.9.2.2:4321 > 54 3' "$NODE_DIR/heard"
	control --dst 10.9.0.9:9999 --control udp,dport=54,size=64,fragment=32
	is_status 0
	[ "$(lines)" = 1 ]
	holds '.control | .proven and .proto == "udp"'
	# All pieces of a control are to pass, and not the first alone.
	node nft 'add table ip t; add chain ip t f { type filter hook forward priority 0; }; add rule ip t f ip frag-off & 0x1fff != 0 drop'
	control --dst 10.9.0.9:9999 --control udp,dport=54,size=64,fragment=32
	node nft delete table ip t
	is_status 4
	holds '.control | .outcome == "dropped" and .proven == false'
}

@test "ICMP to another address, and fragments" {
	node ip route add blackhole 10.9.0.99
	flowgen inject --pod netns:web2 --proto icmp --dst 10.9.0.99 --control 10.9.0.9
	node ip route del blackhole 10.9.0.99
	is_status 0
	holds '.control == {asked: "10.9.0.9", proto: "icmp", dst: "10.9.0.9", port: null, verdict: "allowed", outcome: "delivered", proven: true} and .outcome == "dropped"'
	control --dst 10.9.0.9:53 --control 54 --size 64 --fragment 32 --deliver
	holds '.control.port == 54 and .packet.dport != 54'
	[ "$(lines)" -gt 1 ]
}

@test "mistakes: one line each, exit status 2" {
	local arguments message
	while IFS='|' read -r arguments message; do
		# shellcheck disable=SC2086  # a list of words
		flowgen inject --pod netns:web2 $arguments
		is_status 2
		complains "$message"
	done <<-'END'
		--dst 10.9.0.9:53 --control 0|--control: .*0
		--dst 10.9.0.9:53 --control 70000|--control: .*70000
		--dst 10.9.0.9:53 --control x|--control: .*x
		--dst 10.9.0.9 --dport 1-2 --control 10.9.0.9|--control: no port given
		--dst 10.9.0.9 --dport 1-2 --control tcp|--control: no port given
		--dst 10.9.0.9 --proto icmp --control udp|--control: no port given
		--dst 10.9.0.9:53 --control tcp,,ttl=5|--control: an empty field
		--dst 10.9.0.9:53 --control ttl=5,|--control: an empty field
		--dst 10.9.0.9:53 --control ttl=300|--control: ttl: .*300.* 0 to 255
		--dst 10.9.0.9:53 --control ttl,dport=5|--control: ttl: no value given
		--dst 10.9.0.9:53 --control dst,dport=5|--control: dst: no value given
		--dst 10.9.0.9:53 --control tcp,dport=0|--control: dport: .*0
		--dst 10.9.0.9:53 --control tcp,dport=1-5|--control: dport: .*1-5
		--dst 10.9.0.9:53 --control tcp,sport=x|--control: sport: .*x
		--dst 10.9.0.9:53 --control dst=nowhere|--control: dst: .*nowhere
		--dst 10.9.0.9:53 --control dst=[fd00::1]:5|different families
		--dst 10.9.0.9:53 --control tpc,dport=5|"tpc" is not a field
		--dst 10.9.0.9:53 --control tcp,dprot=5|"dprot" is not a field.*did you mean dport
		--dst 10.9.0.9:53 --control 53,ttl=9|"53" is not a field
		--dst 10.9.0.9:53 --control proto=300|--control: proto: .*300
		--dst 10.9.0.9:53 --control icmp,dport=5|--control: the packet has no ports
		--dst 10.9.0.9:53 --control udp,flags=S|--control: .*flags
		--dst 10.9.0.9:53 --control payload=@/nowhere|--control: /nowhere: No such file
		--dst 10.9.0.9:53 --control =5|"" is not a field
		--dst 10.9.0.9:53 --dry-run --control tcp|--control: not with --dry-run
		--dst 10.9.0.9:53 --control [fd00::1]:5|different families
		--dst 10.9.0.9 --proto icmp --control 5|--control: the packet has no ports
	END
}
