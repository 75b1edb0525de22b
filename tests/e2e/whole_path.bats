#!/usr/bin/env bats
# The whole way, programs: each trait of the datapaths in use, by a program of our own, with what is said of it: verdict,
# stage, kind, denier, outcome, headline.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers
load way

setup_file() {
	node_up
	pods_up --addr fd00:9::2/128
	podctl up six --addr fd00:8::9/64 --gw fd00:8::1
	podctl up other --addr 10.9.3.3/24 --gw 10.9.3.1
	node mount -t bpf bpf /sys/fs/bpf
	serve dst 53 9999
	# Without tcx a packet is taken off at its socket, so there must be one.
	serve six 54
}
teardown_file() { node_down; }

# What the kernel has: the same programs decide the same at both.
setup() {
	ON=()
	TCX=tcx
	can tcx || TCX=tc
}
teardown() {
	local entry
	for entry in ${ON[@]+"${ON[@]}"}; do
		# Filters go with their qdisc.
		# shellcheck disable=SC2086  # words
		[[ $entry == 'tc '* ]] || podctl detach $entry || :
	done
	local device
	for device in hweb hdst hsix hother; do
		node tc qdisc del dev $device clsact 2> /dev/null || :
	done
	in_pod dst tc qdisc del dev eth0 clsact 2> /dev/null || :
}

# on POD HOOK PROGRAM [OPTION...]: attached for this test; its id is in $ID. tcx and tc egress: on the pod's host side, the
# others there by themselves; with --inside at the pod's own device.
on() {
	local pod=$1 hook=$2 inside='' options=() other=()
	shift 2
	[ "${*: -1}" != --inside ] || {
		inside=1
		set -- "${@:1:$#-1}"
	}
	case $hook in
	t*/egress) [ -n "$inside" ] || other=(--other-side) ;;
	t*/ingress | xdp) [ -z "$inside" ] || other=(--other-side) ;;
	esac
	[[ " $* " != *' --generic '* ]] || options+=(--generic)
	if [[ $1 == [0-9]* ]]; then
		ID=$(podctl attach "$pod" --hook "$hook" --id "$1" "${other[@]}")
	else
		ID=$(attach "$pod" "$hook" "$@" "${other[@]}")
	fi
	case $hook in
	tc/*) ON+=("tc $pod ${hook#tc/} $ID") ;;
	*) ON+=("$pod --hook $hook --id $ID ${other[*]} ${options[*]}") ;;
	esac
}
# The filter of a program on a pod's host side.
off_tc() {
	local pref
	pref=$(node tc -j filter show dev "h$2" "$3" | jq -r ".[] | select(.options.prog.id? == $4) | .pref")
	node tc filter del dev "h$2" "$3" pref "$pref"
}
off() {
	local entry=${ON[-1]}
	unset 'ON[-1]'
	if [[ $entry == 'tc '* ]]; then
		# shellcheck disable=SC2086  # words
		off_tc $entry
		return
	fi
	# shellcheck disable=SC2086  # words
	podctl detach $entry
}

deny=(deny_port --proto udp --port 9999)
other_port=(--dst 10.9.0.9:53 --proto udp)

# --- the receiver's programs ---

@test "receiver: host side, tcx egress" {
	on dst "$TCX/egress" "${deny[@]}"
	way 'receiver denies' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hdst, ingress'
	stages none none denied
	ran deny_port
	way 'receiver allows' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 1 policy program let it pass' "${other_port[@]}"
	stages none none allowed
	on web "$TCX/ingress" allow_all
	way 'both have policy, the receiver denies' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hdst, ingress'
	stages allowed none denied
	ran allow_all deny_port
	way 'both allow' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 2 policy programs let it pass' "${other_port[@]}"
	off
	on web "$TCX/ingress" "${deny[@]}"
	way 'the sender denies first' denied egress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/ingress on hweb, egress of web'
	stages denied - -
	ran deny_port deny_port:no
}

@test "receiver: host side, tc egress" {
	on dst tc/egress "${deny[@]}"
	way 'receiver denies' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc/egress on hdst, ingress'
	way 'receiver allows' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 1 policy program let it pass' "${other_port[@]}"
}

@test "receiver: IPv6, host side and XDP" {
	local six=(--dst '[fd00:8::9]:9999' --proto udp) other=(--dst '[fd00:8::9]:54' --proto udp)
	on web tc/ingress allow_all
	on six tc/egress "${deny[@]}"
	way 'IPv6, the receiver denies' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc/egress on hsix, ingress of six)' "${six[@]}"
	stages allowed none denied
	ran allow_all deny_port
	way 'IPv6, both allow' allowed - - - delivered 'DELIVERED at eth0 (six), intercepted before the pod'\''s stack; allowed: 2 policy programs let it pass' "${other[@]}"
	node tc qdisc del dev hsix clsact
	on six xdp xdp_deny_port --proto udp --port 9999 --inside
	way 'IPv6, XDP denies' denied ingress bpf xdp_deny_port dropped 'DENIED by xdp_deny_port (xdp on eth0, ingress of six)' "${six[@]}"
	way 'IPv6, XDP allows' allowed - - - delivered 'DELIVERED at eth0 (six)' "${other[@]}"
}

@test "receiver: a program inside the pod is not exercised, unless the packet is delivered" {
	need tcx
	on dst tcx/ingress "${deny[@]}" --inside
	way 'taken before it' none - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack'
	holds '.not_exercised | index("receiver-programs")'
	ran deny_port:no
	way 'delivered to it' denied ingress bpf deny_port dropped 'DENIED by deny_port (tcx/ingress on eth0, ingress of dst)' --dst 10.9.0.9:9999 --proto udp --deliver
	holds '.not_exercised | index("receiver-programs") | not'
	ran deny_port
}

@test "receiver: generic XDP inside the pod" {
	on dst xdp xdp_deny_port --proto udp --port 9999 --generic --inside
	way 'denies' denied ingress bpf xdp_deny_port dropped 'DENIED by xdp_deny_port (xdp on eth0, ingress of dst)'
}

@test "receiver: XDP in the driver inside the pod" {
	on dst xdp xdp_deny_port --proto udp --port 9999 --inside
	way 'denies' denied ingress bpf xdp_deny_port dropped 'DENIED by xdp_deny_port (xdp on eth0, ingress of dst)'
	way 'allows' allowed - - - delivered 'DELIVERED at eth0 (dst)' "${other_port[@]}"
}

# --- one program, many pods ---

@test "one program at sender and receiver: the attachment that denied" {
	on web "$TCX/ingress" allow_all
	on dst "$TCX/egress" "$ID"
	way 'it allows at both' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 2 policy programs let it pass'
	off
	off
	on web "$TCX/ingress" "${deny[@]}"
	on dst "$TCX/egress" "$ID"
	way 'it denies at the first' denied egress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/ingress on hweb, egress of web'
	holds '.policy.denied_by.device == "hweb"'
	stages denied - -
	off
	off
	on web "$TCX/ingress" allow_all
	on dst "$TCX/egress" "${deny[@]}"
	on other "$TCX/egress" "$ID"
	way 'another pod has it too' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hdst, ingress'
	holds '.policy.denied_by.device == "hdst"'
}

# The kernel keeps 15 characters: these two it cannot tell apart by name.
@test "programs with long names: each is traced, and named in full" {
	need tcx
	on web tcx/ingress cil_from_container_too
	on web tcx/ingress cil_from_container
	way 'the second denies' denied egress bpf cil_from_container dropped 'DENIED by cil_from_container (tcx/ingress on hweb, egress of web'
	ran cil_from_container_too cil_from_container
	! can fexit || holds '[.policy.programs[].evidence] | unique == ["fexit"]'
}

# Without fexit run counters tell who of several it was; one that counts elsewhere too does not count.
@test "several programs at one hook, one of them on other pods too" {
	need tcx
	on web tcx/ingress next_all
	local shared=$ID
	on web tcx/ingress "${deny[@]}" --otherwise next
	local denier=$ID
	on web tcx/ingress allow_all
	way 'each stands alone' denied egress bpf deny_port dropped 'DENIED by deny_port (tcx/ingress on hweb, egress of web'
	ran next_all deny_port allow_all:no
	on other tcx/egress "$shared"
	way 'the first stands elsewhere' denied egress bpf deny_port dropped 'DENIED by deny_port (tcx/ingress on hweb, egress of web'
	on other tcx/ingress "$denier"
	if can fexit; then
		way 'the denier stands elsewhere' denied egress bpf deny_port dropped 'DENIED by deny_port'
	else
		way 'the denier stands elsewhere' denied egress tc TC_INGRESS dropped 'DENIED by a tc program or filter at hweb (host), egress of web: which one is not known; candidates: next_all, deny_port'
		holds '[.policy.candidates[].name] == ["next_all", "deny_port"]'
	fi
}

@test "several programs at one hook, one of them attached to another pod just before the packet" {
	need tcx
	local asked=(inject --pod netns:web --dst 10.9.0.9:9999 --proto udp --hold --output json) pid
	on web tcx/ingress "${deny[@]}" --otherwise next
	local denier=$ID
	on web tcx/ingress allow_all
	node "$FLOWGEN" "${asked[@]}" > "$NODE_DIR/held" 2> "$NODE_DIR/held.err" 3>&- 7>&- &
	pid=$!
	wait_for grep -q '^flowgen: awaiting$' "$NODE_DIR/held.err"
	on other tcx/ingress "$denier"
	kill -USR1 "$(leaf "$pid")"
	wait "$pid" || status=$?
	output=$(cat "$NODE_DIR/held")
	holds '.policy.verdict == "denied" and .outcome == "dropped"'
	if can fexit; then
		holds '.policy.denied_by.name == "deny_port"'
	else
		holds '.policy.denied_by.kind == "tc" and [.policy.candidates[].name] == ["deny_port"]'
	fi
}

@test "tail calls: the callee denies, in the name of the entry" {
	on dst "$TCX/egress" tail_entry --proto udp --port 9999 --pin /sys/fs/bpf/jumps
	way 'callee denies' denied ingress bpf tail_entry dropped 'DENIED by tail_entry (tc?(x)/egress on hdst, ingress'
	way 'callee allows' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed' "${other_port[@]}"
}

# --- what changes meanwhile ---

# arrives POD HOOK HEADLINE: while flowgen waits for a denial, a program that drops is put in front of one that does not.
arrives() {
	local old new
	on "$1" "$2" next_all
	old=$ID
	node "$FLOWGEN" inject --pod netns:web --dst 10.9.0.9:9999 --proto udp --until denied --interval 50ms --duration 60s \
		> "$NODE_DIR/until" 2> "$NODE_DIR/until.err" 3>&- 7>&- &
	wait_for ran_some "$old"
	on "$1" "$2" drop_all --first
	new=$ID
	wait $!
	output=$(tail -n 1 "$NODE_DIR/until")
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $new and .policy.denied_by.name == \"drop_all\""
	off
	off
}
ran_some() { [ "$(podctl seen "$1" | cut -d' ' -f1)" -gt 2 ]; }

@test "a policy that arrives during --until is the one that is named" {
	need tcx
	arrives web tcx/ingress
	arrives dst tcx/egress
}

# --- translation and redirects ---

@test "a Service in BPF: the receiver behind it" {
	on web "$TCX/ingress" dnat --from 10.96.0.1:80 --backend 10.9.0.9:9999
	way 'translated' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 1 policy program let it pass' --dst 10.96.0.1:80 --proto udp
	on dst "$TCX/egress" "${deny[@]}"
	way 'denied behind the Service' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hdst, ingress' --dst 10.96.0.1:80 --proto udp
	stages allowed none denied
}

@test "redirects: to the receiver's host side" {
	on web "$TCX/ingress" redirect_to --to hdst
	way 'with the wrong Ethernet address' redirected ingress neighbour OTHERHOST dropped 'DROPPED by neighbour at eth0 (dst): OTHERHOST; redirected by redirect_to (tc?(x)/ingress on hweb) to hdst (host)'
	on dst "$TCX/egress" "${deny[@]}"
	way 'denied there' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hdst, ingress'
	stages redirected none denied
	off
	off
	on web "$TCX/ingress" redirect_mac --to hdst --mac "$(mac_of dst)"
	way 'with the right one' redirected - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; redirected by redirect_mac (tc?(x)/ingress on hweb) to hdst (host)'
}

@test "redirects: with the neighbour's address, and a hop less" {
	on web "$TCX/ingress" redirect_neigh --to hdst
	way 'neigh' redirected - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; redirected by redirect_neigh (tc?(x)/ingress on hweb) to hdst (host)'
	off
	on web "$TCX/ingress" neigh_hop --to hdst
	way 'neigh, a hop less' redirected - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; redirected by neigh_hop (tc?(x)/ingress on hweb) to hdst (host)'
	node ip neigh flush dev hdst
	way 'neigh, a hop less, in wait for it' redirected - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; redirected by neigh_hop'
	on dst "$TCX/egress" "${deny[@]}"
	way 'denied there' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hdst, ingress'
}

@test "redirects: into the receiver" {
	on web "$TCX/ingress" redirect_peer --to hdst
	on dst "$TCX/egress" "${deny[@]}"
	# That hook is bypassed.
	way 'peer' redirected - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; redirected by redirect_peer (tc?(x)/ingress on hweb) to eth0 (dst)'
	ran redirect_peer deny_port:no
	off
	off
	on web "$TCX/ingress" peer_hop --to hdst
	way 'peer, a hop less' redirected - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; redirected by peer_hop (tc?(x)/ingress on hweb) to eth0 (dst)'
}

@test "IPv6: the receiver's host side, and redirects to it" {
	local six=(--dst '[fd00:8::9]:9999' --proto udp) through='DELIVERED at eth0 (six), intercepted before the pod'\''s stack; '
	serve six 9999
	on web "$TCX/ingress" allow_all
	on six "$TCX/egress" "${deny[@]}"
	way 'the receiver denies' denied ingress bpf deny_port dropped 'DENIED by deny_port (tc?(x)/egress on hsix, ingress of six)' "${six[@]}"
	stages allowed none denied
	off
	off
	on web "$TCX/ingress" redirect_neigh --to hsix
	way 'neigh' redirected - - - delivered "${through}redirected by redirect_neigh (tc?(x)/ingress on hweb) to hsix (host)" "${six[@]}"
	off
	on web "$TCX/ingress" neigh_hop --to hsix
	way 'neigh, a hop less' redirected - - - delivered "${through}redirected by neigh_hop (tc?(x)/ingress on hweb) to hsix (host)" "${six[@]}"
	off
	on web "$TCX/ingress" redirect_peer --to hsix
	way 'peer' redirected - - - delivered "${through}redirected by redirect_peer (tc?(x)/ingress on hweb) to eth0 (six)" "${six[@]}"
}

@test "XDP in the driver sends it on or rewrites it: what became of it is not known, and why" {
	local end side
	for end in web dst; do
		side=()
		[ "$end" = web ] || side=(--inside)
		on "$end" xdp xdp_tx "${side[@]}"
		way "$end: XDP_TX" unknown - - - inconclusive 'INCONCLUSIVE: XDP in the driver'
		! can tcx || holds '.reason | test("^XDP in the driver (sent it on .XDP_TX or XDP_REDIRECT.; flowgen|took it: a program sent it on, or)")'
		off
		on "$end" xdp xdp_port --from 0.0.0.0:9999 --backend 0.0.0.0:8888 "${side[@]}"
		way "$end: another port" unknown - - - inconclusive 'INCONCLUSIVE: XDP in the driver took it'
		! can tcx || holds '.reason | startswith("XDP in the driver took it, and it was not known again")'
		off
	done
}

@test "redirects: to a device that has gone" {
	podctl up gone --addr 10.9.7.9/24 --gw 10.9.7.1
	on web "$TCX/ingress" redirect_to --to hgone
	podctl del gone
	way 'gone' redirected egress device NOT_SPECIFIED dropped 'DROPPED by device at hweb (host): NOT_SPECIFIED; redirected by redirect_to (tc?(x)/ingress on hweb)'
	holds '.policy.redirected_to == null'
}

@test "a copy goes on, and the packet itself does not" {
	on web "$TCX/ingress" clone_drop --to hother
	way 'the copy is for nobody' denied egress bpf clone_drop dropped 'DENIED by clone_drop (tc?(x)/ingress on hweb, egress of web)'
	off
	on web "$TCX/ingress" clone_pass --to hother
	way 'a mirror' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 1 policy program let it pass'
}

# Without tcx answers are not taken.
@test "a program answers in the receiver's name" {
	need tcx
	on web "$TCX/ingress" reset
	way 'reset' denied egress bpf reset rejected 'DENIED by reset (tc?(x)/ingress on hweb, egress of web); rejected' --dst 10.9.0.9:80
}

# listen_here udp|tcp PORT: a socket on the node itself.
listen_here() {
	node "$TOOL/listen" "$1" --port "$2" --count 0 --seconds 9999 > "$NODE_DIR/listen-$1" 2>&1 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/listen-$1"
}

# Without tcx it is taken before the socket, and so before the proxy.
@test "a local proxy takes it (sk_assign), UDP and TCP" {
	need tcx
	listen_here udp 7000
	listen_here tcp 7000
	node ip rule add fwmark 0x77 lookup 100
	node ip route add local default dev lo table 100
	on web "$TCX/ingress" assign --backend 10.9.0.1:7000
	way 'UDP' allowed - - - delivered 'DELIVERED to a local proxy at hweb (host); allowed: 1 policy program let it pass' --dst 10.9.0.9:80 --proto udp
	holds '.cause.kind == "proxy" and (.cause.what | test(":7000")) and (.cause.process | test("listen"))'
	way 'TCP' allowed - - - delivered 'DELIVERED to a local proxy at hweb (host); allowed: 1 policy program let it pass' --dst 10.9.0.9:80
	holds '.cause.kind == "proxy"'
	# The host's own address is no proxy's.
	way 'to the host itself' allowed - - - delivered 'DELIVERED at hweb (host); allowed: 1 policy program let it pass' --dst 10.9.0.1:7000 --proto udp
	holds '.cause == null'
	node ip rule del fwmark 0x77 lookup 100
}

@test "an IPv4 header around it (IPIP): to whoever takes it off" {
	on web "$TCX/ingress" ipip --from 10.9.1.2 --backend 10.9.0.9
	# Nobody there speaks IPIP.
	inject --dst 10.9.0.9:9999 --proto udp --expect allow
	holds '.policy.verdict == "allowed"'
	holds '[.observations[] | select(.action | test("ncapsulated"))] | length == 1'
}

# --- what is no policy ---

@test "programs that decide nothing" {
	on web "$TCX/ingress" next_all
	way 'one that says next' allowed - - - delivered 'DELIVERED at eth0 (dst), intercepted before the pod'\''s stack; allowed: 1'
	! can fexit || holds '.policy.decided == 0 and .policy.ran == 1'
}

@test "a tc program keeps the packet" {
	on web tc/ingress return_value --value 4
	way 'stolen' denied egress bpf return_value inconclusive 'DENIED by return_value (tc/ingress on hweb, egress of web)'
}

@test "every result of these fits the schema" {
	ways_fit_schema
}
