#!/usr/bin/env bats
# How a pod is named, and what is answered to a name that is none.
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	node_up
	podctl up web --addr 10.9.1.2/32
	podctl up dst --addr 10.9.0.9/24 --gw 10.9.0.1
	serve dst 53
	# A process in the pod, known by its number in the node.
	in_pod web "$TOOL/listen" udp --port 5353 --count 0 --seconds 9999 > "$NODE_DIR/process" 3>&- 7>&- &
	wait_for grep -q ready "$NODE_DIR/process"
	POD_PID=$(node sh -c 'for p in /proc/[0-9]*; do
		[ "$(readlink $p/ns/net)" = "$(stat -L -c "net:[%i]" /run/netns/web)" ] && echo "${p#/proc/}" && break; done')
	export POD_PID
}
teardown_file() { node_down; }

# means REF: it is the pod web.
means() {
	flowgen inject --pod "$1" --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds ".pod.ref == \"$1\" and .pod.address == \"10.9.1.2\" and .pod.device.primary == \"hweb\" and .outcome == \"delivered\""
}

# is_no REF STATUS EXPRESSION
is_no() {
	flowgen inject --pod "$1" --dst 10.9.0.9:53 --proto udp
	is_status "$2"
	complains "$3"
	[ "$(wc -l <<< "$stderr")" = 1 ]
}

@test "netns:NAME" { means netns:web; }
@test "a path" { means /run/netns/web; }
@test "pid:N" { means "pid:$POD_PID"; }
@test "ip:ADDR" { means ip:10.9.1.2; }
@test "dev:NAME" { means dev:hweb; }
@test "a bare name" { means web; }
@test "a bare address" { means 10.9.1.2; }
@test "a bare device" { means hweb; }
@test "a bare process id" { means "$POD_PID"; }
@test "a path below /proc" { means "/proc/$POD_PID/ns/net"; }

@test "there is none: exit status 3" {
	is_no netns:nosuch 3 'nosuch.*none'
	is_no nosuch 3 'nosuch.*none'
	is_no ip:10.99.99.99 3 'none'
	is_no dev:nosuch0 3 'none'
	is_no pid:4194303 3 'none'
	is_no /run/netns/nosuch 3 'none|No such file'
}

@test "what is no reference: exit status 2" {
	is_no '' 2 'pod'
	is_no pid:abc 2 'abc'
	is_no pid:0 2 '0'
	is_no ip:10.9.1 2 '10\.9\.1'
	is_no ip:10.9.1.2/32 2 '10\.9\.1\.2/32'
	is_no "netns:$(printf 'x%.0s' {1..400})" 2 'pod'
}

@test "a file that is no namespace" {
	is_no /etc/passwd 3 '/etc/passwd|none'
	[[ $stderr == *none* || $stderr == *'not a network namespace'* ]]
}

@test "the node's own namespace is no pod: exit status 3" {
	is_no pid:1 3 'shares the host'
	is_no /proc/self/ns/net 3 'shares the host'
}

@test "an ambiguous word lists what it could be: exit status 2" {
	# A namespace with the name of the other pod's device.
	podctl up hweb --addr 10.9.7.2/32 --primary hother
	flowgen inject --pod hweb --dst 10.9.0.9:53 --proto udp
	ambiguous=$stderr
	is_status 2
	complains 'netns:hweb.*dev:hweb'
	means netns:web
	means dev:hweb
	podctl del hweb
	[[ $ambiguous != *hother* ]]
}

@test "one that means the same twice is not ambiguous" {
	podctl up same --addr 10.9.8.2/32 --primary same
	flowgen inject --pod same --dst 10.9.0.9:53 --proto udp
	podctl del same
	is_status 0
	holds '.pod.device.primary == "same"'
}

@test "the same address in two pods is ambiguous" {
	podctl up twin --addr 10.9.1.2/24 --bridge br9
	is_no ip:10.9.1.2 2 'could be'
	podctl del twin
}

@test "a namespace without a pair: exit status 3" {
	node ip netns add bare
	is_no netns:bare 3 'bare.*(no|pair)'
	node ip netns del bare
}

@test "two devices in a pod: --interface says which" {
	podctl up two --addr 10.9.9.2/32
	in_pod two ip link add eth1 type veth peer name away
	in_pod two ip link set away netns 1
	flowgen inject --pod netns:two --interface eth0 --dst 10.9.0.9:53 --proto udp
	is_status 0
	holds '.pod.device.peer == "eth0"'
	flowgen inject --pod netns:two --interface eth7 --dst 10.9.0.9:53 --proto udp
	is_status 3
	complains 'eth7'
	podctl del two
}

@test "flowgen pods lists them, with what stands on their paths" {
	id=$(attach web tc/egress deny_port --proto udp --port 9999)
	flowgen pods --output json
	is_status 0
	[ "$(jq -r .name <<< "$output" | sort | xargs)" = 'dst web' ]
	output=$(jq -c 'select(.name == "web")' <<< "$output")
	holds '.addresses == ["10.9.1.2"] and .device.kind == "veth" and .device.peer == "eth0" and .device.primary == "hweb"'
	holds ".programs | length == 1 and .[0].id == $id and .[0].hook == \"tc/egress\" and .[0].name == \"deny_port\""
	if can peer-egress; then
		holds '.method == "peer-egress"'
	else
		holds '.method == "pod-socket" and (.method_reason | length > 10)'
	fi
}

@test "flowgen pods as text: a line for each" {
	flowgen pods --output text
	is_status 0
	[ "$(lines)" = 3 ]
	[[ $output == *web*10.9.1.2*hweb* && $output == *dst*10.9.0.9*hdst* ]]
}
