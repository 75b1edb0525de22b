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
	is_no netns:nosuch 3 'nosuch.*not found'
	is_no nosuch 3 'nosuch.*not found'
	is_no ip:10.99.99.99 3 'not found'
	is_no dev:nosuch0 3 'not found'
	is_no pid:4194303 3 'not found'
	is_no /run/netns/nosuch 3 'not found|No such file'
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
	is_no /etc/passwd 3 '/etc/passwd.*(not found|not a network namespace)'
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

@test "several names of one namespace: all of them are it, and it is one pod" {
	node touch /run/netns/also
	node mount --bind /run/netns/web /run/netns/also
	node ln -s web /run/netns/a-link
	node ln -s "/proc/$POD_PID/ns/net" /run/netns/absolute
	node ln -s nowhere /run/netns/dangling
	node ln -s loop /run/netns/loop
	node mkfifo /run/netns/fifo
	for name in also a-link absolute web; do means "netns:$name"; done
	means ip:10.9.1.2
	means also
	is_no netns:dangling 3 'not found'
	is_no netns:fifo 3 'not found'
	flowgen pods --output json
	is_status 0
	# The first name that is not a link.
	[ "$(jq -r 'select(.addresses == ["10.9.1.2"]) | .name' <<< "$output")" = also ]
	cat > "$NODE_DIR/names.yaml" <<-'END'
		name: names
		pods: { some: { name: "a*" } }
		probes: [ { from: some, to: 10.9.0.9, dport: 53, proto: udp, expect: delivered } ]
	END
	flowgen run -o text "$NODE_DIR/names.yaml"
	selected=$output
	node umount /run/netns/also
	node rm /run/netns/{also,a-link,absolute,dangling,loop,fifo}
	is_status 0
	[[ $selected == *'1 as expected'* ]] || { echo "$selected"; false; }
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

@test "flowgen pods lists them, with the programs on their paths" {
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
		holds ".method == \"$(can tcx && echo bounce || echo pod-socket)\" and (.method_reason | length > 10)"
	fi
}

@test "flowgen pods as text: a line for each" {
	flowgen pods --output text
	is_status 0
	[ "$(lines)" = 3 ]
	[[ $output == *web*10.9.1.2*hweb* && $output == *dst*10.9.0.9*hdst* ]]
}

@test "flowgen pods: the programs on the path to them, and filters of other kinds" {
	node tc qdisc add dev hdst clsact
	node tc filter add dev hdst egress pref 3 protocol ip u32 match ip dport 9998 0xffff \
		action mirred egress redirect dev lo
	flowgen pods --output json
	is_status 0
	fits_schema pod
	output=$(jq -c 'select(.name == "dst")' <<< "$output")
	holds '.filters == [.filters[0]] and (.filters[0] | .direction == "ingress" and .hook == "tc/egress" and
		.side == "host" and .device == "hdst" and .kind == "u32" and .pref == 3 and .action == "redirect" and
		.target == "lo" and .protocol == 2048 and .text == "u32 pref 3 handle 800::800, redirect to lo")'
	flowgen pods --output text
	[[ $output == *INGRESS* && $output == *tc/egress:u32/redirect* ]]
	node tc qdisc del dev hdst clsact
}

# denied NAME...: flowgen pods, where the kernel lets nobody into the namespaces of these pods.
denied() {
	local name inodes=' '
	command -v cc > /dev/null || skip 'there is no compiler'
	cat > "$BATS_TEST_TMPDIR/deny.c" <<- 'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <errno.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/stat.h>
		int setns(int fd, int type)
		{
			int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "setns");
			char word[32];
			struct stat st;
			fstat(fd, &st);
			snprintf(word, sizeof(word), " %lu ", (unsigned long)st.st_ino);
			if (!strstr(getenv("DENIED"), word))
				return next(fd, type);
			errno = EPERM;
			return -1;
		}
	END
	cc -shared -fPIC -o "$BATS_TEST_TMPDIR/deny.so" "$BATS_TEST_TMPDIR/deny.c" -ldl
	for name in "$@"; do
		inodes+="$(in_pod "$name" stat -L -c %i /proc/self/ns/net) "
	done
	run --separate-stderr node env DENIED="$inodes" LD_PRELOAD="$BATS_TEST_TMPDIR/deny.so" \
		ASAN_OPTIONS=verify_asan_link_order=0 "$FLOWGEN" pods --output json
}

# bats test_tags=novm
@test "a pod that may not be looked at is refused, and the others are listed" {
	denied web
	is_status 0
	[ "$(jq -r .name <<< "$output" | sort | xargs)" = 'dst web' ]
	[ "$(jq -r 'select(.refused == null).name' <<< "$output")" = dst ]
	output=$(jq -c 'select(.name == "web")' <<< "$output")
	holds '(.refused | test("^[^:]*: Operation not permitted$")) and .device == null and .addresses == [] and .programs == [] and .method == null'
}

# bats test_tags=novm
@test "where no pod may be looked at: exit status 3" {
	denied web dst
	is_status 3
	[ "$(jq -r 'select(.refused != null).name' <<< "$output" | sort | xargs)" = 'dst web' ]
	[[ $stderr =~ ^'flowgen: no pod could be looked at: '.*'Operation not permitted' ]]
}
