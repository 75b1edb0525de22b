#!/usr/bin/env bats
# flowgen exec: a command of the host that is the pod, for the network.
# shellcheck disable=SC2154  # run sets stderr
load helpers

setup_file() {
	node_up
	can tcx || return 0
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1 --addr fd09::9/64 --gw fd09::1
	in_pod dst "$PYTHON" -u -c '
import socketserver, threading
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
class Six(socketserver.ThreadingTCPServer):
    address_family = 10
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64
class Datagrams(socketserver.ThreadingUDPServer):
    address_family = 10
    max_packet_size = 65536
class Mirror(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(self.request[0], self.client_address)
threading.Thread(target=Datagrams(("::", 7), Mirror).serve_forever, daemon=True).start()
server = Six(("::", 7), Echo)
print("ready")
server.serve_forever()' > "$NODE_DIR/echo" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/echo"
}
teardown_file() { node_down; }
setup() {
	[[ $BATS_TEST_DESCRIPTION == 'without tcx'* ]] || need tcx
	podctl up web --addr 10.9.1.2/32 --addr fd09:1::2/128
}
teardown() { ! node test -e /run/netns/web || podctl del web; }

# be COMMAND...: as the pod web. Options before --.
be() { flowgen exec --pod netns:web "$@"; }

# A client in few words: tcp|udp ADDRESS PORT SIZE [TIMEOUT [SOURCE PORT]]: sends so many bytes, gets them back, prints how many.
CLIENT='
import socket, sys
kind, host, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[5]) if len(sys.argv) > 5 else 20)
if len(sys.argv) > 6: s.bind(("", int(sys.argv[6])))
s.connect((host, port))
sent = b"x" * size
got = b""
if kind == "tcp":
    import threading
    threading.Thread(target=s.sendall, args=(sent,), daemon=True).start()
    while len(got) < size:
        got += s.recv(65536)
else:
    s.send(sent)
    got = s.recv(65536)
print(len(got))'
# speak OPTION... -- ARGUMENT of the client...
speak() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	be "${options[@]}" -- "$PYTHON" -c "$CLIENT" "$@"
}

# What the pod's own stack has counted: packets, TCP segments, ICMP messages, for both families.
counted() {
	in_pod web awk '/^(Ip|Tcp|Udp|Icmp): [0-9]/ { $2 = $3 = $4 = ""; print }' /proc/net/snmp
	in_pod web grep -E '^(Ip6(In|Out)(Receives|Requests|Octets)|Udp6In|Icmp6InMsgs)' /proc/net/snmp6
}

no_neighbour_asked() { [ -z "$(in_pod web ip neigh show nud delay nud probe nud incomplete)" ]; }

# The addresses of the pod that the host has packets for: its own, and what it asks for its gateway by.
addresses_of_web() {
	echo '10.9.1.2 fd09:1::2'
	in_pod web ip -6 -o addr show dev eth0 scope link | awk '{ sub("/.*", "", $4); print $4 }'
}

# untouched COMMAND...: what the pod's stack counts, and its neighbours (but for their age), are as before.
untouched() {
	local before after address
	# The host asks the pod now and then whether it is there, and the pod answers.
	for address in $(addresses_of_web); do node ip neigh replace "$address" lladdr "$(mac_of web)" dev hweb nud permanent; done
	# And the pod asks for its gateway, some seconds after it last sent something.
	wait_for no_neighbour_asked
	before=$(counted; in_pod web ip neigh | awk '{ NF--; print }' | sort)
	"$@"
	after=$(counted; in_pod web ip neigh | awk '{ NF--; print }' | sort)
	[ "$before" = "$after" ] || {
		diff <(echo "$before") <(echo "$after")
		return 1
	}
}

methods() {
	echo bounce
	[ "${1:-veth}" != veth ] || echo host-ingress
	! can peer-egress || echo peer-egress
}

both_families() {
	local address
	for address in 10.9.0.9 fd09::9; do
		speak --method "$1" -- tcp "$address" 7 300000
		is_status 0
		[ "$output" = 300000 ]
		speak --method "$1" -- udp "$address" 7 1000
		is_status 0
		[ "$output" = 1000 ]
		be --method "$1" -- ping -c 2 -i .2 -W 5 "$address"
		is_status 0
	done
}

@test "TCP, UDP and ICMP by each method, IPv4 and IPv6; the pod's stack counts nothing" {
	# The first packets resolve the host's neighbours.
	for method in $(methods); do both_families "$method"; done
	for method in $(methods); do untouched both_families "$method"; done
	[ "$(node ip -o link | grep -c ' fx')" = 0 ]
}

@test "netkit, L2 and L3" {
	need netkit
	for mode in l2 l3; do
		podctl del web
		podctl up web --addr 10.9.1.2/32 --addr fd09:1::2/128 --kind netkit --mode "$mode"
		id=$(attach web netkit/peer deny_port --proto udp --port 9999)
		for method in $(methods netkit); do
			both_families "$method"
			untouched both_families "$method"
			before=$(podctl seen "$id")
			speak --method "$method" --expect deny -- udp 10.9.0.9 9999 100 .3
			is_status 0
			[ "$(podctl seen "$id")" != "$before" ]
		done
	done
}

@test "fragments and segments: large datagrams and streams, both ways" {
	for method in $(methods); do
		for address in 10.9.0.9 fd09::9; do
			speak --method "$method" -- udp "$address" 7 9000
			is_status 0
			[ "$output" = 9000 ]
			speak --method "$method" -- tcp "$address" 7 5000000
			[ "$output" = 5000000 ]
		done
	done
	untouched speak -- udp 10.9.0.9 7 9000
}

@test "the pod's policy is met, at each hook, and named afterwards" {
	for hook in tcx/egress tc/egress tcx/ingress tc/ingress; do
		id=$(attach web "$hook" deny_port --proto tcp --port 7)
		for address in 10.9.0.9 fd09::9; do
			speak -- tcp "$address" 7 10 .5
			is_status 1
			[[ $stderr == *'no answer'*'DENIED by deny_port'* ]]
		done
		[[ $(podctl seen "$id") != '0 0' ]]
		speak -- udp 10.9.0.9 7 10
		is_status 0
		[ -z "$stderr" ]
		podctl del web
		podctl up web --addr 10.9.1.2/32 --addr fd09:1::2/128
	done
}

@test "the pod's own programs do not see flowgen's mark" {
	attach web tc/egress drop_marked > /dev/null
	for method in $(methods); do
		for address in 10.9.0.9 fd09::9; do
			speak --method "$method" -- tcp "$address" 7 1000
			is_status 0
			[ "$output" = 1000 ]
		done
	done
	# It does drop what has one.
	refute in_pod web ping -c 1 -W 1 -m 7 10.9.0.9
}

@test "the receiver's policy, and the host's rules" {
	attach dst tcx/egress deny_port --other-side --proto tcp --port 7 > "$NODE_DIR/id"
	speak --expect deny -- tcp 10.9.0.9 7 10 1
	is_status 0
	[[ $stderr == *'DENIED by deny_port'*'hdst'* ]]
	podctl detach dst --hook tcx/egress --other-side --id "$(cat "$NODE_DIR/id")"
	node nft add table ip t '{ chain c { type filter hook forward priority 0; tcp dport 9 drop; }; }'
	speak --expect deny -- tcp 10.9.0.9 9 10 1
	is_status 0
	[[ $stderr == *'DENIED by netfilter (table ip t, chain c'* ]]
	node nft delete table ip t
}

# bats test_tags=novm
@test "the report: a record for each flow that fits the schema, with the probe's whole result" {
	node nft add table ip t '{ chain c { type filter hook forward priority 0; tcp dport 9 drop; }; }'
	be --report "$NODE_DIR/report" -- sh -c "$PYTHON -c '$CLIENT' tcp 10.9.0.9 7 1000; $PYTHON -c '$CLIENT' tcp 10.9.0.9 9 1 .5 2> /dev/null
		$PYTHON -c '$CLIENT' tcp 10.9.0.9 8 1 2> /dev/null; $PYTHON -c '$CLIENT' udp fd09::9 8 1 2> /dev/null; ping -c 1 10.9.0.9 > /dev/null"
	node nft delete table ip t
	output=$(cat "$NODE_DIR/report")
	[ "$(lines)" = 5 ]
	[ "$(jq -c '[.proto, .remote.port, .got]' <<< "$output" | tr -d '\n')" = '["tcp",7,"answered"]["tcp",9,"unanswered"]["tcp",8,"reset"]["udp",8,"icmp-error"]["icmp",null,"answered"]' ]
	holds '.pod == "netns:web" and .probe != null and .out.packets > 0 and .kept_back == 0'
	[ "$(jq -c 'select(.remote.port == 9) | .probe.policy | .verdict' <<< "$output")" = '"denied"' ]
	[ "$(jq -c 'select(.remote.port == 7) | .end' <<< "$output")" != '"open"' ]
	[ "$(jq -c 'select(.got == "icmp-error") | .icmp_error' <<< "$output")" = '{"type":1,"code":4,"count":1}' ]
	probes=$(jq -c .probe <<< "$output")
	output=$(jq -c '.probe = null' <<< "$output")
	fits_schema exec
	output=$probes
	fits_schema result
}

# bats test_tags=novm
@test "what is expected decides the exit status; nothing sent is unknown" {
	speak --expect allow -- tcp 10.9.0.9 7 10
	is_status 0
	speak --expect deny -- tcp 10.9.0.9 7 10
	is_status 1
	attach web tc/egress deny_port --proto tcp --port 7
	speak --expect allow -- tcp 10.9.0.9 7 10 .5
	is_status 1
	# Nobody answers, and nobody denies it.
	speak --expect allow -- udp 10.9.0.9 7777 10 .3
	is_status 0
	be --expect allow -- true
	is_status 4
	# An answer that is dropped on its way is what was not allowed, whatever a probe does.
	podctl del web
	podctl up web --addr 10.9.1.2/32 --addr fd09:1::2/128
	node nft add table inet t '{ chain c { type filter hook forward priority 0; tcp sport 7 drop; }; }'
	for address in 10.9.0.9 fd09::9; do
		speak --expect allow -- tcp "$address" 7 10 .5
		is_status 1
		[[ $stderr == *'no answer'*'dropped'*'(NETFILTER_DROP)'*'DELIVERED'* ]]
		speak --expect deny -- tcp "$address" 7 10 .5
		is_status 1
	done
	node nft delete table inet t
}

# names ADDRESS: a name server in the pod dst, which knows one name.
names() {
	[ ! -e "$NODE_DIR/names" ] || return 0
	in_pod dst "$PYTHON" -u -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("ready")
while True:
    q, client = s.recvfrom(512)
    if len(q) < 17:
        s.sendto(q, client)
        continue
    kind = q[q.index(0, 12) + 2]
    answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x0a\x09\0\x09" if kind == 1 else b""
    s.sendto(q[:2] + b"\x81\x80\0\x01\0" + bytes([len(answer) > 0]) + b"\0\0\0\0" + q[12:q.index(0, 12) + 5] + answer, client)' "$1" > "$NODE_DIR/names" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/names"
}

# bats test_tags=novm
@test "a name that has to be looked up first is not what is expected to be denied; and rules for some flows" {
	names 10.9.0.9
	attach web tc/egress deny_port --proto tcp --port 7
	speak --dns 10.9.0.9 --expect deny -- tcp pay.shop 7 10 .5
	is_status 0
	speak --dns 10.9.0.9 --expect allow -- tcp pay.shop 7 10 .5
	is_status 1
	[[ $stderr == *'--expect: tcp to 10.9.0.9:7: expected allow, which is not so'* ]]
	# A lookup is what the command is about if it did nothing else.
	speak --dns 10.9.0.9 --expect deny -- udp pay.shop 53 10 .2
	is_status 1
	speak --dns 10.9.0.9 --expect deny:7/tcp,allow:53/udp -- tcp pay.shop 7 10 .5
	is_status 0
	speak --dns 10.9.0.9 --expect deny:53/udp -- tcp pay.shop 7 10 .5
	is_status 1
	# A rule that no flow meets is not known to hold.
	speak --dns 10.9.0.9 --expect deny:7/tcp,allow:8/tcp -- tcp pay.shop 7 10 .5
	is_status 4
	[[ $stderr == *'--expect: no flow went where a rule says: expected allow, and it is not known'* ]]
	# One that nobody answers counts.
	node nft add table ip t '{ chain c { type filter hook forward priority 0; udp dport 53 drop; }; }'
	RES_OPTIONS='timeout:1 attempts:1' speak --dns 10.9.0.9 --expect allow -- tcp pay.shop 8 10 .5
	is_status 1
	[[ $stderr == *'--expect: udp to 10.9.0.9:53'* ]]
	node nft delete table ip t
}

@test "a policy that comes during the connection: answered, then silence, and who denies it now" {
	{
		be --expect deny --report "$NODE_DIR/report" -- "$PYTHON" -u -c '
import socket, time, os
s = socket.create_connection(("10.9.0.9", 7)); s.settimeout('"${FLOWGEN_TEST_INSIDE:+1}5"')
s.send(b"a"); s.recv(1); open("'"$NODE_DIR"'/spoke", "w").close()
while not os.path.exists("'"$NODE_DIR"'/denied"): time.sleep(.02)
s.send(b"b")
try: s.recv(1)
except TimeoutError: pass'
		echo "$status" > "$NODE_DIR/status"
	} &
	wait_for test -e "$NODE_DIR/spoke"
	id=$(attach web tc/egress deny_port --proto tcp --port 7)
	: > "$NODE_DIR/denied"
	wait $!
	rm "$NODE_DIR/spoke" "$NODE_DIR/denied"
	# It was not denied at first.
	[ "$(cat "$NODE_DIR/status")" = 1 ]
	output=$(cat "$NODE_DIR/report")
	holds ".got == \"silenced\" and .probe.policy.denied_by.id == $id"
	# The command's own packet was seen to be dropped, and the probe was sent then.
	holds '.drop.reason == "TC_EGRESS" and .drop.device == "eth0" and .drop.side == "pod" and (.drop.answer | not)'
	holds '.asked.during and .asked.time < .last'
	output=$(jq -c '.probe = null' <<< "$output")
	fits_schema exec
}

@test "a denial that is gone when the command ends is told by its own packets" {
	id=$(attach web tcx/egress deny_port --proto tcp --port 7)
	{
		be --expect deny --report "$NODE_DIR/report" -- "$PYTHON" -u -c '
import socket, time, os
s = socket.socket(); s.settimeout(.6)
try: s.connect(("10.9.0.9", 7))
except TimeoutError: pass
s.close(); open("'"$NODE_DIR"'/spoke", "w").close()
while not os.path.exists("'"$NODE_DIR"'/gone"): time.sleep(.02)'
		echo "$status" > "$NODE_DIR/status"
	} &
	wait_for test -e "$NODE_DIR/spoke"
	podctl detach web --hook tcx/egress --id "$id"
	: > "$NODE_DIR/gone"
	wait $!
	rm "$NODE_DIR/spoke" "$NODE_DIR/gone"
	[ "$(cat "$NODE_DIR/status")" = 0 ]
	output=$(cat "$NODE_DIR/report")
	# The probe was sent while the command ran; on a slow machine the policy is gone by then, and it is the packets that tell.
	holds '.got == "unanswered" and .drop.reason == "TC_EGRESS" and (.drop.answer | not) and .asked.during'
}

@test "what the command sees: the twin's device, the pod's names, host name, ports; nothing of flowgen's" {
	node mkdir -p /etc/netns/web
	be -- sh -c 'ip -o -4 addr show eth0; ip route get 10.9.0.9; cat /sys/class/net/eth0/address; find /proc/self/fd -lname 'anon_inode*' -o -lname 'socket:*' | wc -l; cat /proc/sys/net/ipv4/ip_local_port_range'
	is_status 0
	[[ $output == *'10.9.1.2/32'*'10.9.0.9'*"$(mac_of web)"* ]]
	read -r low _ < <(in_pod web cat /proc/sys/net/ipv4/ip_local_port_range)
	[ "$(tail -n 1 <<< "$output" | cut -f1)" != "$low" ]
	[ "$(sed -n '/^[0-9]*$/p' <<< "$output")" = 0 ]
	be --dns 10.9.0.53 -- sh -c 'cat /etc/resolv.conf; grep ^hosts: /etc/nsswitch.conf'
	is_status 0
	[[ $output == *'nameserver 10.9.0.53'*'hosts: files dns' ]]
	node grep -q 10.9.0.53 /etc/resolv.conf && return 1
	SECRET=pod PYTHONPATH=/evil in_pod web sleep 996 3>&- 7>&- &
	with_secret() { be --env-from-pod -- sh -c 'echo $SECRET $PYTHONPATH' && [ "$output" = pod ]; }
	wait_for with_secret
	node pkill -f '^sleep 996'
}

# bats test_tags=novm
@test "exit statuses: the command's, and 124 to 127 and 128 + N" {
	be -- sh -c 'exit 42'
	is_status 42
	run -127 --separate-stderr node "$FLOWGEN" exec --pod netns:web -- no-such-command
	is_status 127
	be -- /etc/passwd
	is_status 126
	be --timeout 300ms -- sleep 60
	is_status 124
	# One that is stopped, and flowgen with it, ends as well.
	run node bash -c '"$0" exec --pod netns:web --timeout 300ms -- sh -c "kill -STOP \$\$"; echo "status $?"' "$FLOWGEN"
	[[ $output == *'status 124' ]]
	be -- sh -c 'kill -TERM $$'
	is_status 143
	flowgen exec --pod netns:nobody -- true
	is_status 125
	complains 'nobody'
	be
	is_status 125
	complains 'no command given'
	be --method pod-socket -- true
	is_status 125
	complains 'pod-socket'
	be --report /nowhere/report -- true
	is_status 125
	complains '/nowhere/report'
	flowgen exec -- true
	is_status 125
	complains 'no pod given'
}

# bats test_tags=novm
@test "signals are the command's, and what it leaves behind ends with it" {
	node "$FLOWGEN" exec --pod netns:web -- sh -c 'trap "echo caught; exit 9" TERM; sleep 999 & echo ready; wait' > "$NODE_DIR/said" 3>&- 7>&- &
	run=$!
	wait_for grep -q ready "$NODE_DIR/said"
	node pkill -o -TERM -x flowgen
	status=0
	wait "$run" || status=$?
	[ "$status" = 9 ]
	grep -q caught "$NODE_DIR/said"
	refute node pgrep -x sleep
}

@test "SIGKILL: no process, device, program or namespace is left" {
	node "$FLOWGEN" exec --pod netns:web -- sh -c 'echo ready; exec sleep 998' > "$NODE_DIR/said" 3>&- 7>&- &
	run=$!
	wait_for grep -q ready "$NODE_DIR/said"
	node pkill -o -KILL -x flowgen
	wait "$run" || :
	gone() { ! node pgrep -f 'sleep 998' && ! node ip link show type veth | grep -q ' fx' && [ -z "$(orphans)" ]; }
	wait_for gone
	[ "$(in_pod web bpftool -j net show 2> /dev/null | jq '[.. | .name? // empty | select(startswith("fg_"))] | length')" = 0 ]
}

@test "the pod wins: its live connection is not touched, and a new one on the command's tuple is the pod's" {
	# A connection of the pod's that is there before: the command may not have the same.
	in_pod web "$PYTHON" -u -c '
import socket, os, time
s = socket.socket(); s.bind(("", 4000)); s.connect(("10.9.0.9", 7)); print("up")
while not os.path.exists("'"$NODE_DIR"'/go"): time.sleep(.02)
s.settimeout(5); s.send(b"x"); print("got", len(s.recv(10)))' > "$NODE_DIR/pod" 3>&- 7>&- &
	pod=$!
	wait_for grep -q up "$NODE_DIR/pod"
	speak --report "$NODE_DIR/report" -- tcp 10.9.0.9 7 10 .5 4000
	is_status 1
	output=$(cat "$NODE_DIR/report")
	holds '.got == "not-sent" and .kept_back > 0 and .out.packets == 0'
	: > "$NODE_DIR/go"
	wait "$pod"
	grep -q 'got 1' "$NODE_DIR/pod"
	rm "$NODE_DIR/go"
	# One that the pod makes while the command runs, before the command wants the same.
	for kind in SOCK_STREAM SOCK_DGRAM; do
		be --report "$NODE_DIR/report" -- "$PYTHON" -u -c '
import socket, subprocess
pod = subprocess.Popen(["nsenter", "--net=/run/netns/web", "'"$PYTHON"'", "-uc", """
import socket, sys
s = socket.socket(socket.AF_INET, socket.'$kind'); s.bind(("", 4002)); s.connect(("10.9.0.9", 7)); print("up")
sys.stdin.readline(); s.settimeout(5); s.send(b"x"); print("got", len(s.recv(10)))"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
pod.stdout.readline()
s = socket.socket(socket.AF_INET, socket.'$kind'); s.settimeout(.3); s.bind(("", 4002))
try: s.connect(("10.9.0.9", 7)); s.send(b"y"); s.recv(10); print("stolen")
except OSError: pass
print(pod.communicate(b"go\n")[0])'
		is_status 0
		[[ $output == *'got 1'* && $output != *stolen* ]]
		output=$(cat "$NODE_DIR/report")
		holds '.got == "not-sent" and .kept_back > 0'
	done
	# The command has it first, and the pod comes: the pod gets what is the pod's.
	node "$FLOWGEN" exec --pod netns:web -- "$PYTHON" -u -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 4001)); s.connect(("10.9.0.9", 7)); s.send(b"x"); s.recv(10); print("up")
time.sleep(30)' > "$NODE_DIR/said" 2>&1 3>&- 7>&- &
	run=$!
	wait_for grep -q up "$NODE_DIR/said"
	[ "$(in_pod web "$PYTHON" -c "$CLIENT" udp 10.9.0.9 7 33 5 4001)" = 33 ]
	node pkill -o -TERM -x flowgen
	wait "$run" || :
}

@test "the pod wins: a ping of its own with the command's identifier is answered to the pod" {
	ECHO='
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); s.settimeout(5)
head = struct.pack("!BBHHH", 8, 0, 0, 77, 1)
total = sum(struct.unpack("!4H", head)); total = ~((total & 0xffff) + (total >> 16)) & 0xffff
s.connect(("10.9.0.9", 0)); s.send(head[:2] + struct.pack("!H", total) + head[4:])
while struct.unpack("!H", s.recv(100)[24:26])[0] != 77: pass
print("answered", flush=True); time.sleep(float(sys.argv[1]))'
	node "$FLOWGEN" exec --pod netns:web -- "$PYTHON" -c "$ECHO" 30 > "$NODE_DIR/said" 2>&1 3>&- 7>&- &
	run=$!
	wait_for grep -q answered "$NODE_DIR/said"
	[ "$(in_pod web "$PYTHON" -c "$ECHO" 0)" = answered ]
	node pkill -o -TERM -x flowgen
	wait "$run" || :
}

@test "a pod that goes while the command runs: what the command did is reported all the same" {
	be --report - -- sh -c "$PYTHON -c '$CLIENT' tcp 10.9.0.9 7 10; nsenter --net=/run/netns/web ip link del eth0"
	is_status 0
	[[ $stderr == *'10.9.0.9:7  answered'*'could not be asked'* ]]
	podctl del web || :
	podctl up web --addr 10.9.1.2/32 --addr fd09:1::2/128
}

# bats test_tags=novm
@test "a pod whose device is down is refused, and says so" {
	in_pod web ip link set eth0 down
	be -- true
	is_status 125
	complains 'eth0'
}

@test "two at once on one pod, at both ends of a connection, and beside inject" {
	for size in 1001 1002; do
		node "$FLOWGEN" exec --pod netns:web -- "$PYTHON" -c "$CLIENT" tcp 10.9.0.9 7 "$size" > "$NODE_DIR/two$size" 2>&1 3>&- 7>&- &
		pids+=($!)
	done
	inject --dst 10.9.0.9:7 --proto udp --count 50 --summary
	is_status 0
	holds '.verdicts.none.count == 50 and .outcomes.delivered.count == 50'
	for pid in "${pids[@]}"; do wait "$pid"; done
	[ "$(cat "$NODE_DIR/two1001") $(cat "$NODE_DIR/two1002")" = '1001 1002' ]
	# The pod dst is the server, by exec too.
	node "$FLOWGEN" exec --pod netns:dst -- "$PYTHON" -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 6000)); s.connect(("10.9.1.2", 6001)); s.settimeout(20)
s.send(b"first")
try: s.settimeout(1); s.recv(100)  # the pod web refuses it: the command is not there yet
except OSError: pass
s.settimeout(20); print("ready"); print(s.recv(100).decode())' > "$NODE_DIR/far" 2>&1 3>&- 7>&- &
	far=$!
	wait_for grep -q ready "$NODE_DIR/far"
	be -- "$PYTHON" -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 6001)); s.connect(("10.9.0.9", 6000)); s.send(b"hello")'
	is_status 0
	wait "$far"
	grep -q hello "$NODE_DIR/far"
}

@test "other verbs do not take the twin for a pod, nor its programs for policy" {
	node "$FLOWGEN" exec --pod netns:web -- sh -c 'echo ready; exec sleep 997' > "$NODE_DIR/said" 3>&- 7>&- &
	run=$!
	wait_for grep -q ready "$NODE_DIR/said"
	flowgen pods --output json
	[ "$(jq -r .name <<< "$output" | sort | tr '\n' ' ')" = 'dst web ' ]
	refute grep -q fg_exec <<< "$output"
	flowgen inject --pod netns:dst --dst 10.9.1.2:53 --proto udp
	holds '.outcome == "delivered" and .policy.verdict == "none" and (.policy.programs | length) == 0'
	flowgen inject --pod ip:10.9.1.2 --dst 10.9.0.9:53 --proto udp
	is_status 0
	node pkill -o -TERM -x flowgen
	wait "$run" || :
}

# A script for a person at a terminal; its first argument is flowgen.
typing() { run node env PYTHONPATH="$ROOT/tests/e2e" PYTHONDONTWRITEBYTECODE=1 "$PYTHON" - "$FLOWGEN"; }

# bats test_tags=novm
@test "on a terminal ^Z stops it, fg goes on, and ^C ends it, as with any command" {
	typing <<-'END'
		import sys, time
		from terminal import expect
		expect("here we are", "echo here we; echo 'here' we are\n")
		expect("up 42", f"{sys.argv[1]} exec --pod netns:web -- sh -c 'echo up $((41 + 1)); exec sleep 995'\n")
		expect("Stopped", "\x1a")
		expect("sleep 995", "fg\n")
		time.sleep(.3)
		expect("status 130", "\x03echo status $?\n")
	END
	is_status 0
	refute node pgrep -f '^sleep 995'
}

# bats test_tags=novm
@test "in the background it leaves the terminal alone; a shell that was the command gives it back" {
	typing <<-'END'
		import os, sys, time
		from terminal import expect, terminal
		os.write(terminal, f"({sys.argv[1]} exec --pod netns:web -- true; touch /run/ended) &\n".encode())
		while not os.path.exists("/run/ended"):
		    time.sleep(.1)
		expect("still 42", "echo still $((41 + 1))\n")
		os.write(terminal, f"{sys.argv[1]} exec --pod netns:web -- bash --norc -i\n".encode())
		expect("inner 43", "sleep .1; echo inner $((42 + 1))\n")
		expect("outer 44", "exit\nsleep .1; echo outer $((43 + 1))\n")
	END
	is_status 0
}

# bats test_tags=novm
@test "descriptors that the caller left open are the command's, as the shell's <(...)" {
	run node bash -c '"$0" exec --pod netns:web -- cat <(echo from a pipe)' "$FLOWGEN"
	[ "$output" = 'from a pipe' ]
}

# flowgen raises its own, for runs with many pods; programs that use select() need what they are used to.
@test "the command has the limit of descriptors that the caller has, of a scenario, too" {
	local text='name: limits
probes:
  - name: soft
    from: netns:web
    exec: [bash, -c, "ulimit -Sn; ulimit -Hn"]
    output: "^200"'
	run node prlimit --nofile=200:4096 "$FLOWGEN" exec --pod netns:web -- bash -c 'ulimit -Sn; ulimit -Hn'
	[ "$output" = $'200\n4096' ]
	printf '%s\n' "$text" > "$NODE_DIR/limits.yaml"
	run node prlimit --nofile=200:4096 "$FLOWGEN" run --allow-exec "$NODE_DIR/limits.yaml" --output json
	is_status 0
	[ "$(jq -r 'select(.command) | .command.output' <<< "$output")" = $'200\n4096' ]
}

# serve ADDRESS: a real web server in the pod dst, at port 8080.
serve() {
	[ ! -e "$NODE_DIR/http" ] || return 0
	mkdir -p "$NODE_DIR/web"
	echo '{"status": "ok"}' > "$NODE_DIR/web/health"
	in_pod dst "$PYTHON" -u -m http.server -d "$NODE_DIR/web" -b "$1" 8080 > "$NODE_DIR/http" 2>&1 3>&- 7>&- &
	wait_for grep -q Serving "$NODE_DIR/http"
}

# scenario FILE-CONTENT: run as a scenario, with the options that follow.
scenario() {
	printf '%s\n' "$1" > "$NODE_DIR/scenario.yaml"
	shift
	FLOWGEN_OUTPUT=text flowgen run --allow-exec "$@" "$NODE_DIR/scenario.yaml"
}

@test "a scenario's probe may be a command: real curl, its status, its output, its flows" {
	serve 10.9.0.9
	local text='name: shop
probes:
  - name: packet
    from: netns:web
    to: 10.9.0.9:8080
    proto: tcp
    expect: allow
  - name: health
    from: netns:web
    exec: curl -sf http://10.9.0.9:8080/health
    output: "status.*ok"
    expect: allow:8080/tcp
  - name: missing
    from: netns:web
    exec: [curl, -sf, "http://10.9.0.9:8080/nothing"]
    exit-status: 22
  - name: after
    from: netns:web
    to: 10.9.0.9:8080
    proto: tcp
    expect: allow'
	scenario "$text" --output json
	is_status 0
	[ "$(jq -r .schema <<< "$output" | tr '\n' ' ')" = 'flowgen.result/2 flowgen.command/1 flowgen.command/1 flowgen.result/2 flowgen.run/1 ' ]
	"$PYTHON" -c '
import json, jsonschema, sys
check = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
for line in sys.stdin:
    check.validate(json.loads(line))' "$ROOT/doc/run.schema.json" <<< "$output"
	output=$(jq -c 'select(.command)' <<< "$output")
	[ "$(jq -r '.command.exit_status' <<< "$output" | tr '\n' ' ')" = '0 22 ' ]
	[ "$(jq -r '.command.output' <<< "$output" | head -n 1)" = '{"status": "ok"}' ]
	[ "$(jq -c '.command.flows[0].remote' <<< "$output" | head -n 1)" = '{"address":"10.9.0.9","port":8080}' ]
	[ "$(jq -c '.command.flows[0].probe.outcome' <<< "$output" | head -n 1)" = '"delivered"' ]
	# As JSON of `exec --report` describes it.
	output=$(jq -c '.command.flows[]' <<< "$output" | jq -c '.probe = null')
	fits_schema exec

	# Denied: the command fails, and who denied it is told.
	attach web tc/egress deny_port --proto tcp --port 8080
	scenario "${text/curl -sf/curl -sf --max-time 1}"
	is_status 1
	[[ $output == *'NOT OK        health'*'exit status: expected 0, got 28'*'exit status 0, output /status.*ok/, allow:8080/tcp'*'curl -sf --max-time 1'*'deny_port'* ]]
}

# bats test_tags=novm
@test "a scenario's command: every form of report, --record, and diff" {
	serve 10.9.0.9
	local text='name: shop
probes:
  - name: health
    from: netns:web
    exec: curl -sS --max-time 1 http://10.9.0.9:8080/health; echo "<done>"
    expect: allow
    on-failure: look at the web server
  - from: netns:web
    exec: "exit 3"'
	scenario "$text" --output json
	is_status 1
	holds 'select(.command and .id == 2) | .scenario.probe == "netns:web: exit 3" and .command.exit_status == 3 and .command.flows == [] and .scenario.why == "exit status: expected 0, got 3"'
	cp <(echo "$output") "$NODE_DIR/before"
	attach web tc/egress deny_port --proto tcp --port 8080
	scenario "$text" --output tap --junit "$NODE_DIR/junit.xml" --report "$NODE_DIR/report.html" --json "$NODE_DIR/after"
	is_status 1
	[[ $output == *"not ok 1 - shop: health"*"message: 'tcp to 10.9.0.9:8080: expected allow, which is not so'"*'look at the web server'*'deny_port'*'not ok 2'* ]]
	xmllint --noout --schema "$BATS_TEST_DIRNAME/../junit.xsd" "$NODE_DIR/junit.xml"
	grep -q 'failure message="tcp to 10.9.0.9:8080' "$NODE_DIR/junit.xml"
	grep -q '&lt;done&gt;' "$NODE_DIR/junit.xml"
	grep -q 'exit status 3' "$NODE_DIR/report.html"
	grep -q '&lt;done&gt;' "$NODE_DIR/report.html"
	flowgen diff -o text "$NODE_DIR/before" "$NODE_DIR/after"
	is_status 1
	[[ $output == *'changed  shop: health'*'verdict     allow -> deny'*'1 the same, 1 changed, 0 added, 0 removed'* ]]
	# What was seen is what is expected then.
	scenario "$text" --record
	is_status 0
	cp <(echo "$output") "$NODE_DIR/recorded.yaml"
	grep -A 9 'name: health' "$NODE_DIR/recorded.yaml" | grep -q 'expect: deny'
	grep -q 'exit-status: "\?3' "$NODE_DIR/recorded.yaml"
	flowgen run -o text --allow-exec "$NODE_DIR/recorded.yaml"
	is_status 0
}

# bats test_tags=novm
@test "a scenario's command: refused without --allow-exec; its time; what cannot be started; ^C" {
	local text='name: x
probes:
  - name: slow
    from: netns:web
    exec: echo begun; sleep 30
    timeout: 2s'
	printf '%s\n' "$text" > "$NODE_DIR/scenario.yaml"
	flowgen run "$NODE_DIR/scenario.yaml"
	is_status 2
	[[ $stderr == *'scenario.yaml:5:11: exec: the file runs a command of this host'*'--allow-exec'* ]]
	scenario "$text" --output json
	is_status 1
	[ "$(jq -c 'select(.command) | .command | [.overdue, .exit_status, .output]' <<< "$output")" = '[true,124,"begun\n"]' ]
	[[ $output == *'got 124: it took longer than 2 s'* ]]
	scenario 'name: x
probes:
  - from: netns:web
    exec: [no-such-command]'
	is_status 1
	[[ $output == *'no-such-command: No such file or directory'* ]]
	# What it writes is kept up to a limit, and it is not held up.
	scenario 'name: x
probes:
  - from: netns:web
    exec: head -c 3000000 /dev/zero | tr "\\0" x; echo end
    output: end' --output json
	is_status 4
	[ "$(jq -c 'select(.command) | [(.command.output | length), .command.output_cut]' <<< "$output")" = '[1048576,true]' ]
	# The run ends, and the command with it.
	scenario "${text/timeout: 2s/timeout: 60s}" --output json > "$NODE_DIR/out" &
	wait_for node pgrep -f '^sleep 30'
	node pkill -INT -f "run --allow-exec .*$NODE_DIR/scenario.yaml"
	wait $! || true
	! node pgrep -f '^sleep 30' || return 1
}

# bats test_tags=novm
@test "a scenario's command: the run is confined while it runs; SIGKILL of the run ends it and who started it" {
	local run starter job word
	printf 'name: c\nprobes:\n  - name: first\n    from: netns:web\n    exec: "true"\n  - name: long\n    from: netns:web\n    exec: [sleep, "4711"]\n' > "$NODE_DIR/scenario.yaml"
	node "$FLOWGEN" run --allow-exec "$NODE_DIR/scenario.yaml" > /dev/null 2>&1 3>&- 7>&- &
	sleeps() { pgrep -f '^sleep 4711$'; }
	wait_for sleeps
	run=$(pgrep -f "^$FLOWGEN run --allow-exec $NODE_DIR" | head -n 1)
	starter=$(pgrep -P "$run" -f 'run --allow-exec')
	job=$(pgrep -P "$starter" -f 'run --allow-exec')
	confined() { awk '$1 == "Seccomp:" { s = $2 } $1 == "NoNewPrivs:" { n = $2 } END { print s n }' "/proc/$1/status"; }
	# Where the tests run in a container, this shell may be confined itself.
	[ "$(confined "$run") $(confined "$starter") $(confined "$job")" = "21 $(confined self) 21" ]
	# Who starts them holds nothing of the run's.
	[ "$(find "/proc/$starter/fd" -mindepth 1 | wc -l)" -le 4 ]
	refute grep -qhE "^(map|prog|link)_id" "/proc/$starter"/fdinfo/*
	kill -KILL "$run"
	gone() { ! sleeps && [ ! -e "/proc/$starter" ] && [ ! -e "/proc/$job" ]; }
	wait_for gone
}

@test "commands that are one pod have ports of their own, outside the pod's" {
	local ranges='cat /proc/sys/net/ipv4/ip_local_port_range; touch "$1"; while [ ! -e "$2" ]; do sleep .05; done' pids=() n
	for n in 1 2 3; do
		node "$FLOWGEN" exec --pod netns:web -- sh -c "$ranges" - "$NODE_DIR/up$n" "$NODE_DIR/end" > "$NODE_DIR/range$n" 2>&1 3>&- 7>&- &
		pids+=($!)
	done
	for n in 1 2 3; do wait_for test -e "$NODE_DIR/up$n"; done
	: > "$NODE_DIR/end"
	for n in "${pids[@]}"; do wait "$n"; done
	in_pod web cat /proc/sys/net/ipv4/ip_local_port_range > "$NODE_DIR/range0"
	# Sorted by their beginnings, each begins after the end of the one before.
	sort -n "$NODE_DIR"/range[0-3] | awk 'NR > 1 && $1 <= last { exit 1 } { last = $2; n++ } END { exit n != 4 }'
	# A pod that has nearly all of them.
	in_pod web sh -c 'echo 1024 65000 > /proc/sys/net/ipv4/ip_local_port_range'
	be -- true
	is_status 0
	[[ $stderr == *"note: the pod's own range of ports leaves none"* ]]
}

# bats test_tags=novm
@test "what is not as in the pod is said: other devices, name servers on loopback, early fragments" {
	be -- true
	is_status 0
	[ -z "$stderr" ]
	in_pod web ip link add extra type veth peer name other
	in_pod web ip addr add 10.77.0.1/24 dev extra
	in_pod web ip link set other up
	in_pod web ip link set extra up
	# By the device of the twin it would go to the host, which the pod would not ask.
	node ip addr add 10.77.0.9/32 dev lo
	be --dns 127.0.0.53 -- ping -c 1 -W 1 10.77.0.9
	is_status 2
	node ip addr del 10.77.0.9/32 dev lo
	[[ $stderr == *'note: 1 routes of the pod lead by other devices than this one'*'note: the name server 127.0.0.53 is a loopback address'*'No route to host'* ]]
	# The second fragment comes first: it has no ports.
	{
		be --report "$NODE_DIR/report" -- "$PYTHON" -u -c '
import os, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 6100)); s.connect(("10.9.0.9", 7)); s.settimeout(5)
s.send(b"a"); s.recv(10)
open("'"$NODE_DIR"'/early", "w").close()
while not os.path.exists("'"$NODE_DIR"'/late"): time.sleep(.02)'
		echo "$stderr" > "$NODE_DIR/said"
	} &
	wait_for test -e "$NODE_DIR/early"
	in_pod dst "$PYTHON" -c '
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def fragment(where, data):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 4711, where, 64, 17, 0, socket.inet_aton("10.9.0.9"), socket.inet_aton("10.9.1.2"))
    s.sendto(head + data, ("10.9.1.2", 0))
udp = struct.pack("!HHHH", 7, 6100, 8 + 16, 0) + b"x" * 16
fragment(1, udp[8:]); fragment(0x2000, udp[:8])'
	sleep .2
	: > "$NODE_DIR/late"
	wait $!
	rm "$NODE_DIR/early" "$NODE_DIR/late"
	[ "$(wc -l < "$NODE_DIR/report")" = 1 ]
	# Beside the file, which has flows only.
	grep -q '^1 datagrams for the command lost a fragment to the pod' "$NODE_DIR/said"
}

@test "real programs: nc, nmap, iperf3, TLS by openssl, ping in a flood" {
	in_pod dst iperf3 -s -1 --forceflush -p 5201 > "$NODE_DIR/iperf" 2>&1 3>&- 7>&- &
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$NODE_DIR/key" -out "$NODE_DIR/cert" -days 2 -subj /CN=pay 2> /dev/null
	in_pod dst openssl s_server -accept 4433 -www -key "$NODE_DIR/key" -cert "$NODE_DIR/cert" > "$NODE_DIR/tls" 2>&1 3>&- 7>&- &
	wait_for grep -q ACCEPT "$NODE_DIR/tls"
	wait_for grep -q listening "$NODE_DIR/iperf"
	be -- iperf3 -c 10.9.0.9 -p 5201 -n 20M
	is_status 0
	be -- sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | openssl s_client -quiet -connect 10.9.0.9:4433 2> /dev/null'
	[[ $output == *'s_server -accept 4433'* ]]
	be -- sh -c 'echo hello | nc -N -w 5 10.9.0.9 7'
	is_status 0
	[ "$output" = hello ]
	be --expect allow:7/tcp -- nmap -n -Pn -p 7,8 10.9.0.9
	is_status 0
	[[ $output == *'7/tcp open'*'8/tcp closed'* ]]
	# By packets of its own, which no socket of the namespace sends.
	be -- nmap -n -Pn -sS -p 7,8 10.9.0.9
	is_status 0
	[[ $output == *'7/tcp open'*'8/tcp closed'* ]]
	be --report - -- ping -q -f -c 500 10.9.0.9
	is_status 0
	[[ $output == *'500 received, 0% packet loss'* && $stderr == *'500 packets out, 500 in'* ]]
	# Within a command that is the pod there is no pod to be found.
	be -- "$FLOWGEN" exec --pod netns:web -- true
	is_status 125
	[[ $stderr == *'flowgen: '* ]]
}

@test "a Service: a name server behind DNAT, and a drop after the translation is still the command's" {
	names 10.9.0.9
	node nft add table ip svc '{ chain nat { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 dnat to 10.9.0.9; }
		chain late { type filter hook forward priority 0; ip daddr 10.9.0.9 tcp dport 8 drop; }; }'
	be --dns 10.96.0.10 --expect allow --report "$NODE_DIR/report" -- getent ahostsv4 pay.shop
	is_status 0
	[[ $output == *'10.9.0.9'* ]]
	output=$(cat "$NODE_DIR/report")
	holds '.remote == {"address": "10.96.0.10", "port": 53} and .got == "answered"'
	speak --report "$NODE_DIR/report" --expect deny:8/tcp -- tcp 10.96.0.10 8 1 .5
	is_status 0
	output=$(cat "$NODE_DIR/report")
	holds '.remote == {"address": "10.96.0.10", "port": 8} and .drop.reason == "NETFILTER_DROP" and .drop.packets >= 1'
	node nft delete table ip svc
}

@test "drops of later fragments, behind extension headers, and after the source was translated are the command's" {
	local rules
	# dropped SCRIPT: its record says that netfilter dropped it on the way out.
	dropped() {
		be --report "$NODE_DIR/records" -- "$PYTHON" -c "$1" || :
		output=$(< "$NODE_DIR/records")
		holds '.remote.port == 7 and .drop.reason == "NETFILTER_DROP" and .drop.side == "host" and (.drop.answer | not)'
	}
	for rules in 'ip frag-off & 0x1fff != 0' 'frag frag-off > 0'; do
		node nft "table inet t { chain c { type filter hook prerouting priority -500; iifname \"hweb\" $rules drop; }; }"
		dropped 'import socket, sys
s = socket.socket(socket.'"$([[ $rules == ip* ]] && echo AF_INET || echo AF_INET6)"', socket.SOCK_DGRAM)
s.connect(("'"$([[ $rules == ip* ]] && echo 10.9.0.9 || echo fd09::9)"'", 7))
s.send(b"x" * 3000)'
		node nft delete table inet t
	done
	node nft 'table inet t { chain c { type filter hook forward priority 0; iifname "hweb" meta l4proto udp drop; }; }'
	dropped 'import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
s.connect(("fd09::9", 7))
s.send(b"x")'
	node nft delete table inet t
	node nft 'table ip t { chain n { type nat hook postrouting priority srcnat; udp dport 7 masquerade random; }
		chain late { type filter hook postrouting priority 300; udp dport 7 drop; }; }'
	dropped 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.9.0.9", 7))
s.send(b"x")'
	node nft delete table ip t
}

@test "a pod with a VLAN on its device: the command has the device alone, and that is said" {
	in_pod web ip link add link eth0 name eth0.5 type vlan id 5 || skip 'this kernel has no VLANs'
	in_pod web ip addr add 10.55.0.2/24 dev eth0.5
	in_pod web ip link set eth0.5 up
	speak -- tcp 10.9.0.9 7 1000
	is_status 0
	[ "$output" = 1000 ]
	[[ $stderr == *'note: 1 routes of the pod lead by other devices'* ]]
}
