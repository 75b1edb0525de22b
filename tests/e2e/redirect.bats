#!/usr/bin/env bats
# Policy programs that redirect: who did it, where to, and the outcome there.
load helpers

setup_file() {
	node_up
	pods_up
	podctl up other --addr 10.9.3.9/24 --gw 10.9.3.1
	podctl up bridged --addr 10.9.8.2/24 --gw 10.9.8.1 --bridge br0
	podctl up near --addr 10.9.8.3/24 --gw 10.9.8.1 --bridge br0
	ledger_open
}
teardown_file() { node_down; }
teardown() {
	if [ -n "${POD:-}" ]; then
		podctl detach "$POD" --hook tcx/ingress --id "$ID"
	fi
}
setup() { need tcx; }

# policy POD PROGRAM [OPTION...]: one program on the host-side device, for one test.
policy() {
	POD=
	ID=$(attach "$1" tcx/ingress "${@:2}")
	POD=$1
}

# ways FILTER [OPTION...]: the filter holds of the packet to dst, by each method.
ways() {
	local filter=$1 method methods='host-ingress pod-socket'
	shift
	! can tcx || methods+=' bounce'
	! can peer-egress || methods+=' peer-egress'
	for method in $methods; do
		inject --method "$method" --dst 10.9.0.9:53 --proto udp "$@"
		is_status 0
		holds ".method == \"$method\" and .policy.verdict == \"redirected\" and .policy.denied_by == null and .policy.redirected_by.id == $ID"
		holds '.policy.programs | length == 1 and (.[0] | .ran and .evidence != "none" and (.action == "TCX_REDIRECT" or .evidence != "fexit" and .action == null))'
		holds "$filter"
	done
	fits_schema
}

# The devices that the packet came by behind the policy, with what was seen there, in order.
trail='.observations | map(select(.of == "packet" and .component != "policy")) | map("\(.component) \(.device)@\(.netns.name)") | .[index("ingress hweb@host") + 1:]'

@test "bpf_redirect: to the egress of another device" {
	policy web redirect_mac --to hdst --mac "$(mac_of dst)"
	ways ".outcome == \"delivered\" and .stopped and (.policy.redirected_to | .device == \"hdst\" and .netns.name == \"host\")
		and ($trail | .[:4] == [\"egress hdst@host\", \"driver hdst@host\", \"ingress eth0@dst\", \"stop eth0@dst\"])"
}

@test "bpf_redirect_neigh: to the egress of another device, with that one's Ethernet header" {
	# Where the neighbour is not known yet, the packet waits for it.
	node ip neigh flush dev hdst
	policy web redirect_neigh --to hdst
	ways ".outcome == \"delivered\" and .stopped and .policy.redirected_to.device == \"hdst\"
		and ($trail | .[:4] == [\"egress hdst@host\", \"driver hdst@host\", \"ingress eth0@dst\", \"stop eth0@dst\"])"
}

@test "bpf_redirect_peer: straight into the other pod" {
	policy web redirect_peer --to hdst
	ways ".outcome == \"delivered\" and .stopped and (.policy.redirected_to | .device == \"eth0\" and .netns.name == \"dst\") and ($trail | .[0] == \"stop eth0@dst\")"
	hear dst udp --port 53 --count 1 --seconds 60
	inject --dst 10.9.0.9:53 --proto udp --deliver
	heard
	holds '.policy.verdict == "redirected" and .outcome == "delivered" and (.stopped | not) and .policy.redirected_to.netns.name == "dst"'
}

@test "for a person" {
	policy web redirect_mac --to hdst --mac "$(mac_of dst)"
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp --output text
	[[ $(tr -s ' \n' ' ' <<< "$output") == 'DELIVERED at eth0 (dst), '*'; redirected by redirect_mac (tcx/ingress on hweb) to hdst (host)'* ]]
}

@test "to the right pod with another's Ethernet address: dropped there" {
	policy web redirect_to --to hdst
	ways '.outcome == "dropped" and .drop.reason == "OTHERHOST" and .policy.redirected_to.device == "hdst" and .observations[.end].netns.name == "dst"'
}

@test "to a pod that it is not for: dropped there" {
	policy web redirect_to --to hother
	ways '.outcome == "dropped" and .drop.reason == "OTHERHOST" and .policy.redirected_to.device == "hother" and .observations[.end].netns.name == "other"'
}

@test "to the ingress of another device: it has not been queued" {
	policy web redirect_to --to hdst --ingress
	inject --dst 10.9.0.9:53 --proto udp
	holds ".policy.verdict == \"redirected\" and .policy.redirected_to.device == \"hdst\" and ($trail | .[0] == \"ingress hdst@host\")"
}

@test "back to the pod that sent it" {
	policy web redirect_to --to hweb
	inject --dst 10.9.0.9:53 --proto udp
	holds '.policy.verdict == "redirected" and .policy.redirected_to.device == "hweb" and .outcome == "dropped" and .observations[.end].netns.name == "web"'
}

# down PROGRAM TARGET [OPTION...]: the verdict stands, the packet is dropped, and it is said where it was to go, if it came there.
down() {
	policy web "$1" --to hdst "${@:3}"
	inject --dst 10.9.0.9:53 --proto udp
	podctl detach web --hook tcx/ingress --id "$ID"
	POD=
	is_status 0
	holds ".policy.verdict == \"redirected\" and .policy.redirected_by.id == $ID and .policy.redirected_to.device == $2"
	holds '.outcome == "dropped" and .drop.reason != null and .drop.location != null'
}

@test "to a device that is down: dropped, with reason and place" {
	node ip link set hdst down
	down redirect_to '"hdst"'
	down redirect_to null --ingress
	down redirect_neigh null
	node ip link set hdst up
	# The peer is what counts here.
	in_pod dst ip link set eth0 down
	down redirect_peer null
	in_pod dst ip link set eth0 up
	in_pod dst ip route replace default via 10.9.0.1
}

@test "to a device that has gone: dropped where it stood" {
	local program
	for program in redirect_to redirect_neigh redirect_peer; do
		podctl up gone --addr 10.9.7.9/24 --gw 10.9.7.1
		policy web "$program" --to hgone
		podctl del gone
		inject --dst 10.9.0.9:53 --proto udp
		podctl detach web --hook tcx/ingress --id "$ID"
		POD=
		holds ".policy.verdict == \"redirected\" and .policy.redirected_by.id == $ID and .policy.redirected_to == null"
		holds '.outcome == "dropped" and .drop.reason == "NOT_SPECIFIED" and (.drop.location | test("redirect|bpf"))'
	done
}

@test "to a neighbour that does not answer" {
	policy web redirect_neigh --to hother
	inject --dst 10.9.3.77:53 --proto udp --timeout 9s
	holds '.policy.verdict == "redirected" and .policy.redirected_to.device == "hother" and .outcome == "rejected" and .drop.reason == "NEIGH_FAILED"'
}

@test "dropped by a program of the device it was sent to: that is the receiver's policy" {
	policy web redirect_to --to hdst
	local other
	other=$(attach dst tcx/egress drop_all --other-side)
	inject --dst 10.9.0.9:53 --proto udp
	podctl detach dst --hook tcx/egress --other-side --id "$other"
	holds '.policy.verdict == "denied" and .policy.stages.egress == "redirected" and .policy.stages.ingress == "denied" and .policy.redirected_to.device == "hdst" and .outcome == "dropped" and (.drop.reason | test("TC_EGRESS"))'
	holds ".policy.denied_by | .id == $other and .stage == \"ingress\" and .device == \"hdst\""
}

@test "several programs: the one that redirects is named, and those behind it do not run" {
	local first last
	first=$(attach web tcx/ingress next_all)
	policy web redirect_peer --to hdst
	last=$(attach web tcx/ingress drop_all)
	inject --dst 10.9.0.9:53 --proto udp
	holds ".policy.verdict == \"redirected\" and .policy.redirected_by.order == 2 and .policy.redirected_by.id == $ID"
	holds '.policy.programs | map(.ran) == [true, true, false] and (map(.action) | . == ["TCX_NEXT", "TCX_REDIRECT", null] or . == [null, null, null])'
	holds '.outcome == "delivered" and .policy.redirected_to.netns.name == "dst"'
	[ "$(podctl seen "$last")" = '0 0' ]
	podctl detach web --hook tcx/ingress --id "$first"
	podctl detach web --hook tcx/ingress --id "$last"
	# And one before it that denies is the denier; nothing was redirected.
	first=$(attach web tcx/ingress drop_all --first)
	inject --dst 10.9.0.9:53 --proto udp
	podctl detach web --hook tcx/ingress --id "$first"
	holds ".policy.verdict == \"denied\" and .policy.denied_by.id == $first and .policy.redirected_by == null and .policy.redirected_to == null and .policy.programs[1].ran == false"
}

# A program that takes a hop as a router does. XDP in the driver gives the packet another sk_buff, which no socket owns:
# then only its own return value tells a redirect from a route, or connection tracking, which sees what is routed.
@test "a hop less, behind XDP in the driver: unknown where neither fexit nor connection tracking tells" {
	local xdp method verdict
	xdp=$(attach web xdp xdp_pass)
	policy web neigh_hop --to hdst
	# The ledger does not know of what was redirected and cannot be told to be.
	for method in bounce pod-socket; do
		flowgen inject --pod netns:web --method "$method" --dst 10.9.0.9:53 --proto udp
		verdict=unknown
		! can fexit || verdict=redirected
		holds ".policy.verdict == \"$verdict\" and .outcome == \"delivered\""
	done
	podctl detach web --hook tcx/ingress --id "$ID"
	POD=
	policy web allow_all
	for method in bounce pod-socket; do
		inject --method "$method" --dst 10.9.0.9:53 --proto udp
		verdict=unknown
		! can fexit || verdict=allowed
		holds ".policy.verdict == \"$verdict\" and .outcome == \"delivered\""
	done
	node nft -f - <<-'END'
		table ip tracks {
			chain c {
				type filter hook prerouting priority -150;
				ct state new counter accept
			}
		}
	END
	for method in bounce pod-socket; do
		inject --method "$method" --dst 10.9.0.9:53 --proto udp
		holds '.policy.verdict == "allowed" and .outcome == "delivered"'
	done
	node nft delete table ip tracks
	podctl detach web --hook xdp --id "$xdp"
}

@test "in the pod itself: where the program cannot be traced it is unknown, never allowed" {
	in_pod web ip link add x0 type veth peer name x1
	in_pod web ip link set x0 up
	in_pod web ip link set x1 up
	local id wanted=unknown
	id=$(attach web tcx/egress redirect_to --to x0)
	! can fexit || wanted=redirected
	# It never comes to the host, so it is none of the ledger's.
	flowgen inject --pod netns:web --dst 10.9.0.9:53 --proto udp --timeout 500ms
	podctl detach web --hook tcx/egress --id "$id"
	in_pod web ip link del x0
	holds ".policy.verdict == \"$wanted\""
	[ "$wanted" = unknown ] || holds ".policy.redirected_by.id == $id and .policy.redirected_to.device == \"x0\""
}

@test "over all of these, what was injected is the sum of the outcomes" {
	ledger_balances
}

# from_bridge FILTER: of the packet of the bridged pod to its neighbour on the same bridge.
from_bridge() {
	flowgen inject --pod netns:bridged --dst "${2:-10.9.8.3:53}" --proto udp
	is_status 0
	holds "$1"
}

@test "a bridged pod: bridging is no redirect" {
	policy bridged allow_all
	from_bridge '.policy.verdict == "allowed" and .policy.redirected_by == null and .outcome == "delivered"'
	from_bridge '.policy.verdict == "allowed" and .policy.redirected_by == null and .outcome == "delivered"' 10.9.0.9:53
}

@test "a bridged pod: a redirect is no bridging, though it leads to the same place" {
	local program
	for program in redirect_to redirect_peer; do
		policy bridged "$program" --to hnear
		from_bridge ".policy.verdict == \"redirected\" and .policy.redirected_by.id == $ID and .outcome == \"delivered\" and .stopped"
		podctl detach bridged --hook tcx/ingress --id "$ID"
		POD=
	done
	policy bridged redirect_neigh --to br0
	from_bridge '.policy.verdict == "redirected" and .policy.redirected_to.device == "br0" and .outcome == "delivered"'
}

@test "a bridged pod: a redirect past the bridge" {
	policy bridged redirect_to --to hdst
	from_bridge '.policy.verdict == "redirected" and .policy.redirected_to.device == "hdst" and .outcome == "dropped"'
	podctl detach bridged --hook tcx/ingress --id "$ID"
	policy bridged redirect_neigh --to hdst
	from_bridge '.policy.verdict == "redirected" and .policy.redirected_to.device == "hdst" and .outcome == "delivered"' 10.9.0.9:53
}
