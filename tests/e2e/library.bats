#!/usr/bin/env bats
# libflowgen as another program sees it: installed, found by pkg-config, compiled with its header alone (library.c, doc/flowgen-example.c),
# and asked about real pods. Its caller's process stays as it was, and the host, too.
# bats file_tags=novm
# shellcheck disable=SC2154,SC2317  # run sets stderr; functions are called by name
load helpers

setup_file() {
	INSTALLED=$BATS_FILE_TMPDIR/installed
	LIB=$INSTALLED/usr/local/lib
	ABI=$(sed -n 's/^ABI := //p' "$ROOT/Makefile")
	export INSTALLED LIB ABI
	# As `make check` names it, or everything would be built anew: it is among the flags.
	local san=() log=$BATS_FILE_TMPDIR/log
	! grep -q fsanitize=address "$BUILD/flags" || san=(SAN=1)
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" install-library BUILD="${BUILD#"$ROOT/"}" "${san[@]}" DESTDIR="$INSTALLED" > "$log" 2>&1 ||
		{ cat "$log" && false; }
	export PKG_CONFIG_PATH=$LIB/pkgconfig PKG_CONFIG_SYSROOT_DIR=$INSTALLED LD_LIBRARY_PATH=$LIB
	compile "$ROOT/doc/flowgen-example.c" "$BATS_FILE_TMPDIR/example"
	compile "$ROOT/tests/e2e/library.c" "$BATS_FILE_TMPDIR/library" -D_GNU_SOURCE -pthread -ljansson
	node_up
	pods_up
	attach web tc/ingress deny_port --proto udp --port 9999 > /dev/null
	serve dst 53
	in_pod web ping -c 1 -W 5 10.9.0.9 > /dev/null
	scenario > "$BATS_FILE_TMPDIR/scenario.yaml"
}
teardown_file() { node_down; }

# compile SOURCE PROGRAM [OPTION...]
compile() {
	local source=$1 program=$2 flags
	shift 2
	read -ra flags <<< "$(pkg-config --cflags --libs flowgen)"
	! grep -q fsanitize=address "$BUILD/flags" || flags+=('-fsanitize=address,undefined')
	cc -std=c11 -Wall -Wextra -Wpedantic -Werror -o "$program" "$source" "${flags[@]}" "$@"
}

scenario() {
	cat <<-'END'
		schema: flowgen.scenario/1
		name: library
		pods: { pod: "netns:web" }
		destinations: { dst: 10.9.0.9 }
		probes:
		  - { name: open, from: pod, to: dst, proto: udp, dport: 53, expect: allow }
		  - { name: closed, from: pod, to: dst, proto: udp, dport: 9999, expect: deny, control: 53 }
	END
}

# installs COMMAND...: in mounts of their own, where ld.so's configuration and cache are copies.
installs() {
	local etc=$BATS_FILE_TMPDIR/etc
	[ -e "$etc" ] || { cp -a /etc "$etc" && mkdir "$BATS_FILE_TMPDIR/cache" && echo "$BATS_FILE_TMPDIR/prefix/lib" > "$etc/ld.so.conf.d/flowgen-test.conf"; }
	env -u MAKEFLAGS -u MAKELEVEL -u LD_LIBRARY_PATH -u PKG_CONFIG_SYSROOT_DIR unshare --mount --propagation private bash -c '
		mount --bind "$0/etc" /etc && mkdir -p /var/cache/ldconfig && mount --bind "$0/cache" /var/cache/ldconfig && exec "$@"' "$BATS_FILE_TMPDIR" "$@"
}

# Each line of the output is one of flowgen run.
fits_run() {
	"$PYTHON" -c '
import json, sys, jsonschema
check = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
lines = [json.loads(line) for line in sys.stdin]
assert len(lines) == int(sys.argv[2]), len(lines)
for line in lines:
    check.validate(line)' "$ROOT/doc/run.schema.json" "$1" <<< "$output"
}

# library CASE [TEXT]: in the node.
library() { run --separate-stderr node "$BATS_FILE_TMPDIR/library" "$1" "$FLOWGEN" "${2-}"; }

@test 'the example: one allowed, one denied, as flowgen run says it' {
	run -0 --separate-stderr node "$BATS_FILE_TMPDIR/example" "$BATS_FILE_TMPDIR/scenario.yaml" "$FLOWGEN"
	fits_run 4
	[ "$(jq -rc 'select(.name and .scenario.control_of == null) | [.name, .policy.verdict, .outcome]' <<< "$output")" = '["open","allowed","delivered"]
["closed","denied","dropped"]' ] || { jq -c "[.name, .policy.verdict, .outcome, .scenario.control_of]" <<< "$output" && false; }
	[ "$(jq -c 'select(.schema == "flowgen.run/1") | [.pass, .fail]' <<< "$output")" = '[3,0]' ] || { show && false; }
	# The same keys in the same order, and values but for times and what is chosen at random.
	local kept='del(.run, .time, .timing?) | [paths(scalars) | map(strings)]'
	jq -c "$kept" <<< "$output" > "$BATS_TEST_TMPDIR/library"
	flowgen run "$BATS_FILE_TMPDIR/scenario.yaml" -o json
	jq -c "$kept" <<< "$output" | diff "$BATS_TEST_TMPDIR/library" -
	[ "$(wc -l < "$BATS_TEST_TMPDIR/library")" = 4 ]
}

@test 'the example reads a large scenario as a whole, or not at all' {
	local file=$BATS_TEST_TMPDIR/large.yaml comments
	comments() { yes '# What a file has to say for itself.' | head -c "$1"; echo; }
	{ comments 1500000 && scenario; } > "$file"
	run -0 --separate-stderr node "$BATS_FILE_TMPDIR/example" "$file" "$FLOWGEN"
	fits_run 4
	{ scenario && comments 4194304; } > "$file"
	run -2 --separate-stderr node "$BATS_FILE_TMPDIR/example" "$file" "$FLOWGEN"
	[ "$stderr" = "$file: it is empty, too long, or cannot be read" ]
}

@test 'an expectation that is not met is an answer' {
	library inject "$(scenario | sed 's/9999, expect: deny/9999, expect: allow/')"
	is_status 1
	fits_run 4
	refute grep "^error:" <<< "$stderr"
}

@test 'pods' {
	library pods
	is_status 0
	fits_schema pod
	[ "$(jq -r .name <<< "$output" | sort | paste -sd ' ')" = 'dst web' ]
}

@test 'any request: inject, in JSON as an agent has it, with or without an id' {
	library request '{"id": "mine", "args": ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:9999", "--proto", "udp"]}'
	is_status 0
	fits_schema result
	holds '.policy.verdict == "denied"'
	library request '{"args": ["run", "@s", "--junit", "/dev/null", "--blocks", "1-1"], "files": {"s": "'"$(scenario | sed 's/"/\\"/g' | paste -sd '~' | sed 's/~/\\n/g')"'"}}'
	[ "$(jq -r '.name // empty' <<< "$output")" = open ] || { show && false; }
}

@test 'output that is not JSON is not lost' {
	library request '{"args": ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:53", "--proto", "udp", "-o", "oneline"]}'
	is_status 0
	holds '.text | test("10.9.0.9")'
}

@test 'a pod that is not there, a scenario and a request that are wrong: one clear line' {
	library inject "$(scenario | sed 's/netns:web/netns:nosuch/')"
	is_status 3
	[ "$stderr" = 'error: pod netns:nosuch: not found on this host' ]
	library request '{"args": ["inject", "--pod", "netns:nosuch", "--dst", "10.9.0.9:53"]}'
	is_status 3
	[[ $stderr == *$'\nerror: pod netns:nosuch: not found on this host ('* ]]
	library inject 'schema: [flowgen'
	is_status 2
	[[ $stderr == *$'\nerror: scenario:'*'did not find expected'* ]]
	[ -z "$output" ]
	library inject "$(printf 'name: \xff')"
	is_status 2
	[ "$stderr" = 'error: the scenario is not UTF-8' ]
	library request '{"args": ["inject", "--colour"]'
	is_status 2
	[[ $stderr == 'error: the request is not JSON: line 1, column '* ]]
	library request '{"args": ["demo"]}'
	is_status 2
	[[ $stderr == "error: args: no verb 'demo' for an agent (it has inject, "* ]]
	library request '{"end": true}'
	is_status 2
	[ "$stderr" = 'error: the request must be an object with args' ]
	library request '{"args": ["pods"], "file": {}}'
	is_status 2
	[[ $stderr == "error: no key 'file'"* ]]
}

@test 'a request that is larger than what a socket holds, and one that is too large' {
	library large
	is_status 2
	fits_schema pod
	[ "$(lines)" = 2 ]
	[ "$stderr" = 'error: a line of more than 4194304 bytes' ]
}

@test 'a program that is not flowgen' {
	local program error
	while read -r program error; do
		FLOWGEN=$program library pods
		is_status 99
		[[ $stderr == "flowgen_open: $error" ]] || { show && false; }
	done <<-'END'
		/nowhere/flowgen /nowhere/flowgen: No such file or directory
		/bin/true /bin/true: the session's process has ended
		/bin/echo /bin/echo: it does not speak as an agent does
	END
}

@test 'two sessions, one after the other: the process is as it was, and so is the host' {
	need tcx
	host_state > "$BATS_TEST_TMPDIR/before"
	library untouched "$(scenario)"
	is_status 0
	same_state() { host_state | diff "$BATS_TEST_TMPDIR/before" -; }
	wait_for same_state
}

@test 'cancelled from a signal handler: what is known, and the next call works' {
	library cancel '{"args": ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:53", "--proto", "udp", "--count", "30", "--interval", "1s"]}'
	is_status 4
	# It ended because of the alarm, and was well on its way by then.
	head -n 1 <<< "$output" | grep -qx '{"left": 0, "delivered": 1}' || { show && false; }
}

@test 'the agent is gone: told, without SIGPIPE' {
	library lost "$(scenario)"
	is_status 5
	[ "$stderr" = "error: the session's process has ended
error: the session has ended" ]
}

@test 'the agent hangs: a cancelled call returns, and so does close, though signals interrupt both' {
	run --separate-stderr node timeout 60 "$BATS_FILE_TMPDIR/library" hangs "$FLOWGEN" '{"args": ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:53", "--proto", "udp", "--count", "60", "--interval", "1s"]}'
	is_status 5
	[ "$stderr" = "error: the session's process does not answer" ] || { show && false; }
	none_left() { refute node pgrep -f '^flowgen inject .*--count 60'; }
	wait_for none_left
}

@test 'short of descriptors: told, and no process and no descriptor is left' {
	library few
	is_status 0
	grep -qx 'a session: Too many open files' <<< "$output"
	grep -qx 'watch a process: Too many open files' <<< "$output"
}

@test 'a process that has ended, and was waited for, before it is watched: its answers tell how it was' {
	run --separate-stderr node "$TOOL/faulty" --from-start --call pidfd_open --nth 1 --errno ESRCH "$BATS_FILE_TMPDIR/library" pods "$FLOWGEN" ''
	is_status 0
	fits_schema pod
}

@test 'a child of the caller closes its copy only' {
	library forked "$(scenario)"
	is_status 0
	[ "$(lines)" = 4 ]
}

@test 'a child of the caller cannot cancel the call' {
	library child_cancels "$(scenario)"
	is_status 0
	[ "$(lines)" = 4 ]
}

@test 'a caller that wants the status alone' {
	library no_answer "$(scenario | sed 's/9999, expect: deny/9999, expect: allow/')"
	is_status 1
	[ -z "$output$stderr" ]
}

@test 'a caller without standard descriptors' {
	library daemon "$(scenario)"
	is_status 0
	holds '.policy.verdict == "allowed"'
}

@test 'a caller that has given jansson its own allocators' {
	library allocators '{"args": ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:53", "--proto", "udp", "-o", "oneline"]}'
	is_status 0
	holds '.text | test("10.9.0.9")'
}

@test 'three threads with a session each, and SIGCHLD ignored' {
	library threads "$(scenario)"
	is_status 0
}

@test 'the caller is killed in the middle: nothing is left' {
	need tcx
	host_state > "$BATS_TEST_TMPDIR/before"
	node "$BATS_FILE_TMPDIR/library" request "$FLOWGEN" \
		'{"args": ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:53", "--proto", "udp", "--count", "1017", "--interval", "1s"]}' > "$BATS_TEST_TMPDIR/out" 3>&- &
	running() { node pgrep -f '^flowgen inject .*--count 1017'; }
	wait_for running
	pkill_caller() { kill -KILL "$(pgrep -f "^$BATS_FILE_TMPDIR/library request")"; }
	wait_for pkill_caller
	wait $! || :
	ended() { refute running; }
	wait_for ended
	same_state() { host_state | diff "$BATS_TEST_TMPDIR/before" -; }
	wait_for same_state
}

@test 'what is exported, needed and installed' {
	[ "$(nm -D --defined-only "$LIB"/libflowgen.so | awk '{ print $3 }' | grep -v "^flowgen_[a-z_]*@@FLOWGEN_$ABI\$")" = "FLOWGEN_$ABI" ]
	[ "$(nm -g --defined-only "$LIB/libflowgen.a" | awk 'NF == 3 { print $3 }' | grep -cv '^flowgen_')" = 0 ]
	# The header, the shared and the static library have the same.
	local names
	names=$(sed -nE 's/^.*[ *](flowgen_[a-z_]+)\(.*/\1/p' "$INSTALLED/usr/local/include/flowgen.h" | grep -v '^ \*' | sort -u)
	[ "$(nm -D --defined-only "$LIB/libflowgen.so" | sed -nE 's/.* (flowgen_[a-z_]+)@.*/\1/p' | sort)" = "$names" ]
	[ "$(nm -g --defined-only "$LIB/libflowgen.a" | sed -nE 's/.* (flowgen_[a-z_]+)$/\1/p' | sort)" = "$names" ]
	# It ends nobody, prints nothing, and changes nothing of its process.
	refute grep -wE '_?exit|abort|raise|printf|puts|perror|sigaction|signal|sigprocmask|pthread_sigmask|setrlimit|prctl|capset|setns|unshare|chdir|setenv|json_set_alloc_funcs' \
		<<< "$(nm -D --undefined-only "$LIB/libflowgen.so" | awk '{ sub(/@.*/, "", $2); print $2 }')"
	readelf -d "$LIB/libflowgen.so" > "$BATS_TEST_TMPDIR/dynamic"
	grep -qF "soname: [libflowgen.so.$ABI]" "$BATS_TEST_TMPDIR/dynamic"
	[ "$(readlink -f "$LIB/libflowgen.so.$ABI")" = "$LIB/libflowgen.so.$(pkg-config --modversion flowgen)" ]
	run -0 "$BATS_FILE_TMPDIR/library" version "$FLOWGEN" ''
	[ "$output" = "$(pkg-config --modversion flowgen) $(pkg-config --modversion flowgen)" ]
	grep -qF "$(printf '/usr/local/sbin/flowgen')" "$LIB/libflowgen.so"
}

@test 'installed, a program finds the library at once; uninstalled, nothing is left of it' {
	local prefix=$BATS_FILE_TMPDIR/prefix made san=()
	! grep -q fsanitize=address "$BUILD/flags" || san=(SAN=1)
	made=(make -C "$ROOT" BUILD="${BUILD#"$ROOT/"}" "${san[@]}" PREFIX="$prefix")
	# The flowgen that it starts is another's: only where it is is compiled in.
	run -0 installs "${made[@]}" SBINDIR=/usr/local/sbin install-library
	PKG_CONFIG_SYSROOT_DIR='' PKG_CONFIG_PATH=$prefix/lib/pkgconfig compile "$ROOT/doc/flowgen-example.c" "$BATS_TEST_TMPDIR/example"
	run --separate-stderr installs "$BATS_TEST_TMPDIR/example" "$BATS_FILE_TMPDIR/scenario.yaml" /nowhere/flowgen
	is_status 5
	[ "$stderr" = '/nowhere/flowgen: No such file or directory' ]
	run -0 installs ldconfig -p
	[[ $output == *"libflowgen.so.$ABI (libc6"*" => $prefix/lib/libflowgen.so.$ABI"* ]]
	run -0 installs "${made[@]}" uninstall
	run -0 find "$prefix" ! -type d
	[ -z "$output" ]
	run -0 installs ldconfig -p
	[[ $output != *libflowgen* ]]
}

@test "the README's example, on the pods of the demonstration" {
	local command
	command=$(sed -nE 's/^ +# (ip netns exec demo-node .*)\.\/(example .*)$/\1\2/p' "$ROOT/README.md")
	[ -n "$command" ]
	flowgen demo --keep
	is_status 0
	run --separate-stderr node bash -c "cd '$ROOT' && ${command/ example / "$BATS_FILE_TMPDIR/example" } $FLOWGEN"
	flowgen_down=$(node "$FLOWGEN" demo --down)
	echo "$flowgen_down"
	is_status 0
	fits_run 3
	[ "$(jq -c 'select(.schema == "flowgen.run/1") | [.pass, .fail]' <<< "$output")" = '[2,0]' ]
}

@test 'linked statically, and from C++' {
	[ ! -e "$BUILD/flags" ] || refute_san
	local flags
	read -ra flags <<< "$(pkg-config --cflags flowgen)"
	cc -o "$BATS_TEST_TMPDIR/static" "$ROOT/doc/flowgen-example.c" "${flags[@]}" "$LIB/libflowgen.a" -ljansson
	refute grep -q libflowgen <<< "$(readelf -d "$BATS_TEST_TMPDIR/static")"
	run -0 --separate-stderr node "$BATS_TEST_TMPDIR/static" "$BATS_FILE_TMPDIR/scenario.yaml" "$FLOWGEN"
	[ "$(lines)" = 4 ]
	command -v c++ > /dev/null || skip 'there is no compiler of C++'
	printf '#include <flowgen.h>\nint main() { return *flowgen_version() != 48; }\n' > "$BATS_TEST_TMPDIR/a.cc"
	read -ra flags <<< "$(pkg-config --cflags --libs flowgen)"
	c++ -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/cc" "$BATS_TEST_TMPDIR/a.cc" "${flags[@]}"
	"$BATS_TEST_TMPDIR/cc"
}

refute_san() { ! grep -q fsanitize=address "$BUILD/flags" || skip 'the archive has the sanitizers, and needs theirs'; }
