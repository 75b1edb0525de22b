#!/usr/bin/env bats
# `flowgen run` and `flowgen diff`: shipped scenarios on the pods that the demo leaves, policies broken on purpose, every form
# of output read back by a standard parser, and what happens when it is interrupted.
load helpers

setup_file() {
	node_up
	node "$FLOWGEN" demo --keep > "$NODE_DIR/demo.out"
}
teardown_file() { node_down; }

setup() { OUT=$BATS_TEST_TMPDIR; }

# On the demo's node, as a person would.
demo() { node ip netns exec demo-node "$FLOWGEN" "$@"; }
scenario() { run --separate-stderr demo run "$@"; }

hook_of_demo() {
	if can netkit; then echo netkit/peer; elif can tcx; then echo tcx/ingress; else echo tc/ingress; fi
}
id_of() { demo pods --output json | jq -r "select(.name == \"$1\").programs[0].id"; }

# One probe from demo-none to the destination.
one() {
	printf 'name: one\nprobes:\n  - {name: p, from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 53, expect: %s}\n' "$1"
}

@test "every shipped scenario runs on the demo's pods and passes" {
	can tcx || skip 'this kernel has no tcx: a probe that nobody listens for ends in the stack of its destination, as dropped'
	for file in "$ROOT"/scenarios/*.yaml; do
		scenario "$file" --output json
		is_status 0
		[ "$(jq -r 'select(.schema == "flowgen.run/1") | .fail + .inconclusive + .skip' <<< "$output")" = 0 ]
	done
	scenario "$ROOT"/scenarios/*.yaml
	is_status 0
	[[ $output == *' 0 not as expected, 0 inconclusive, 0 skipped;'* ]]
}

# bats test_tags=novm
@test "the shipped scenarios fit their schema, and so does each line of a run" {
	"$PYTHON" - "$ROOT" <<- 'END'
		import glob, json, sys, yaml, jsonschema
		root = sys.argv[1]
		schema = json.load(open(root + '/scenarios/scenario.schema.json'))
		jsonschema.Draft202012Validator.check_schema(schema)
		check = jsonschema.Draft202012Validator(schema)
		files = sorted(glob.glob(root + '/scenarios/*.yaml'))
		assert len(files) >= 8
		for name in files:
		    check.validate(yaml.safe_load(open(name)))
		for bad in ({'name': 'x'}, {'name': 'x', 'probes': [{'frm': 'a'}]}, {'name': 'x', 'probes': [], 'mtarix': {}}):
		    assert not check.is_valid(bad), bad
	END
	scenario "$ROOT/scenarios/demo.yaml" --output json --set x=1
	is_status 2
	scenario "$ROOT/scenarios/demo.yaml" --output json
	is_status 0
	printf '%s\n' "$output" > "$OUT/run.ndjson"
	"$PYTHON" - "$ROOT" "$OUT/run.ndjson" <<- 'END'
		import json, sys, jsonschema
		check = jsonschema.Draft202012Validator(json.load(open(sys.argv[1] + '/doc/run.schema.json')))
		lines = [json.loads(line) for line in open(sys.argv[2])]
		assert len(lines) == 10
		for line in lines:
		    check.validate(line)
	END
	# Without what the run adds, each is a result as inject writes it.
	output=$(head -n -1 "$OUT/run.ndjson" | jq -c 'del(.scenario)')
	fits_schema
}

@test "a policy that is taken away: exactly its probes fail" {
	# Also to take the policy off again, in each of these.
	need tcx
	id=$(id_of demo-deny) hook=$(hook_of_demo)
	podctl detach demo-deny --node demo-node --hook "$hook" --id "$id"
	scenario "$ROOT/scenarios/demo.yaml" --output json
	is_status 1
	[ "$(jq -r 'select(.scenario.status == "fail").scenario.probe' <<< "$output")" = "policies: demo-deny to demo-dst udp/9999" ]
	scenario "$ROOT/scenarios/enforced.yaml" --output json
	is_status 1
	[ "$(jq -r 'select(.scenario.status == "fail").scenario.from' <<< "$output" | sort -u)" = pod ]
	scenario "$ROOT/scenarios/default-deny.yaml"
	is_status 1
	[[ $output == *'NOT OK'*'expected denied, got none'*'what next'* ]]
	podctl attach demo-deny --node demo-node --hook "$hook" --policy deny_port --proto udp --port 9999
	scenario "$ROOT/scenarios/demo.yaml"
	is_status 0
}

@test "a denial whose control is denied too is not proven" {
	need tcx
	hook=$(hook_of_demo)
	id=$(podctl attach demo-deny --node demo-node --hook "$hook" --policy deny_port --proto udp --port 53 --otherwise next --first)
	scenario "$ROOT/scenarios/default-deny.yaml" --output json
	podctl detach demo-deny --node demo-node --hook "$hook" --id "$id"
	# The control itself is not as expected.
	is_status 1
	[ "$(jq -r 'select(.scenario.probe == "a port that no rule allows").scenario | .status + ": " + .why' <<< "$output")" = \
		'inconclusive: the denial is not proven: its control "control of a port that no rule allows" is not as expected' ]
}

# bats test_tags=novm
@test "TAP is read back by a harness" {
	scenario "$ROOT/scenarios/demo.yaml" --output tap
	is_status 0
	[ "${lines[0]}" = 'TAP version 14' ]
	# Perl's harness knows versions up to 13, of which 14 is an extension.
	printf '%s\n' "$output" | sed '1s/14/13/' > "$OUT/good.tap"
	prove -e cat "$OUT/good.tap"
	one '{verdict: deny, denied-by: "it''s # \\ odd"}' > "$OUT/bad.yaml"
	scenario "$OUT/bad.yaml" --output tap
	is_status 1
	printf '%s\n' "$output" > "$OUT/bad.tap"
	perl -MTAP::Parser -MTAP::Parser::YAMLish::Reader -e '
		local $/; open my $f, "<", $ARGV[0]; my $tap = <$f>;
		$tap =~ s/TAP version 14/TAP version 13/;
		my $p = TAP::Parser->new({ tap => $tap }); my @yaml;
		while (my $r = $p->next) { push @yaml, $r->data if $r->is_yaml }
		die join "; ", $p->parse_errors if $p->parse_errors;
		die "plan " . $p->tests_planned unless $p->tests_planned == 1 && $p->failed == 1;
		die "no YAML" unless @yaml == 1 && $yaml[0]{message} =~ /expected denied, got none/ && $yaml[0]{outcome};
		print $yaml[0]{result};
	' "$OUT/bad.tap" > "$OUT/result.json"
	jq -e '.schema == "flowgen.result/1"' "$OUT/result.json"
	# Any other reader of YAML agrees.
	sed -n '/^  ---$/,/^  \.\.\.$/p' "$OUT/bad.tap" | sed '1d;$d;s/^  //' | "$PYTHON" -c 'import json, sys, yaml; block = yaml.safe_load(sys.stdin)
assert json.loads(block["result"])["outcome"] == block["outcome"]'
}

# bats test_tags=novm
@test "JUnit is as its schema says, whatever the names are" {
	one deny > "$OUT/bad.yaml"
	printf 'name: "<&>\\"\\x01\\uFFFE ]]>"\nprobes:\n  - {name: "a<b", from: "netns:gone", to: 10.201.9.9, proto: icmp}\n' > "$OUT/odd.yaml"
	scenario "$ROOT/scenarios/demo.yaml" "$OUT/bad.yaml" "$OUT/odd.yaml" --output junit --junit "$OUT/too.xml"
	is_status 1
	printf '%s\n' "$output" > "$OUT/run.xml"
	xmllint --noout --schema "$ROOT/tests/junit.xsd" "$OUT/run.xml"
	cmp "$OUT/run.xml" "$OUT/too.xml"
	[ "$(xmllint --xpath 'string(/testsuites/@tests)' "$OUT/run.xml")" = 11 ]
	[ "$(xmllint --xpath 'count(//testcase)' "$OUT/run.xml")" = 11 ]
	[ "$(xmllint --xpath 'count(//failure)' "$OUT/run.xml")" = 1 ]
	[ "$(xmllint --xpath 'count(//skipped)' "$OUT/run.xml")" = 1 ]
	xmllint --xpath 'string(//testcase[failure]/system-out)' "$OUT/run.xml" | jq -e '.policy.verdict == "none"'
}

# bats test_tags=novm
@test "several outputs at once, and a write that fails is an error" {
	scenario "$ROOT/scenarios/demo.yaml" --output tap --json "$OUT/a.json" --junit "$OUT/a.xml" --report "$OUT/a.html" --tap "$OUT/a.tap"
	is_status 0
	[ "$output" = "$(cat "$OUT/a.tap")" ]
	[ "$(wc -l < "$OUT/a.json")" = 10 ]
	xmllint --noout "$OUT/a.xml"
	grep -q '</html>' "$OUT/a.html"
	scenario "$ROOT/scenarios/demo.yaml" --json /dev/full
	is_status 5
	run --separate-stderr bash -c "'$FLOWGEN' run --help > /dev/full"
	is_status 5
	scenario "$ROOT/scenarios/demo.yaml" --junit /no/such/dir/x
	is_status 2
}

# bats test_tags=novm
@test "a pod that is not here is left out, or a failure, and nothing at all is no success" {
	printf 'name: x\nprobes:\n  - {from: "netns:demo-none", to: 10.201.9.9, proto: icmp}\n  - {from: "netns:gone", to: 10.201.9.9, proto: icmp}\n' > "$OUT/x.yaml"
	scenario "$OUT/x.yaml"
	is_status 0
	[[ $output == *'skipped'*'gone'* ]]
	scenario "$OUT/x.yaml" --strict
	is_status 1
	scenario "$OUT/x.yaml" --only gone --output json
	is_status 3
	jq -se '.[0] | .schema == "flowgen.unsent/1" and .scenario.status == "skip" and (.scenario.why | test("gone"))' <<< "$output"
}

# bats test_tags=novm
@test "a selector finds pods by their names" {
	printf 'name: x\npods: {all: {name: "demo-[dan]*"}}\nmatrix: {from: all, to: 10.201.9.9, ports: 9999/udp, table: {all: allow, demo-deny: deny, demo-dst: skip}}\n' > "$OUT/x.yaml"
	scenario "$OUT/x.yaml" --output json
	is_status 0
	[ "$(jq -r 'select(.scenario).scenario.from' <<< "$output" | paste -sd' ')" = 'demo-allow demo-deny demo-none' ]
}

# bats test_tags=novm
@test "errors are found before anything is sent" {
	printf 'name: x\nprobes:\n  - {from: "netns:demo-none", to: 10.201.9.9, proto: icmp, expct: deny}\n' > "$OUT/x.yaml"
	scenario "$ROOT/scenarios/demo.yaml" "$OUT/x.yaml"
	is_status 2
	complains "x.yaml:3:60: probes\[0\]: a probe has no key \"expct\".*did you mean \"expect\""
	scenario "$OUT/none.yaml"
	is_status 2
	complains 'none.yaml: No such file'
	scenario "$ROOT/scenarios/default-deny.yaml" --set prt=1
	is_status 2
	complains '--set prt: no file has such a variable'
	scenario "$ROOT/scenarios/demo.yaml" --only nonsense
	is_status 2
	complains 'no probe.s name has "nonsense" in it'
	scenario
	is_status 2
	scenario "$ROOT/scenarios/demo.yaml" --watch --output tap
	is_status 2
	scenario "$ROOT/scenarios/demo.yaml" --record --output json
	is_status 2
}

# bats test_tags=novm
@test "--set, --only, --repeat, --parallel, --fail-fast" {
	scenario "$ROOT/scenarios/default-deny.yaml" --set pod=netns:demo-allow
	is_status 1
	scenario "$ROOT/scenarios/demo.yaml" --only 'policies: demo-deny *' --output json --parallel 1
	is_status 0
	[ "$(lines)" = 4 ]
	scenario "$ROOT/scenarios/demo.yaml" --repeat 3 --output json
	is_status 0
	[ "$(lines)" = 28 ]
	[ "$(jq -r 'select(.scenario) | .id' <<< "$output" | sort -n | uniq | wc -l)" = 27 ]
	[ "$(jq -r 'select(.scenario) | .scenario.round' <<< "$output" | sort -u | paste -sd' ')" = '1 2 3' ]
	one deny > "$OUT/x.yaml"
	scenario "$OUT/x.yaml" "$ROOT/scenarios/demo.yaml" --fail-fast --parallel 1 --output json
	is_status 1
	jq -se 'map(select(.schema == "flowgen.run/1"))[0] | .done == 1 and .planned == 10 and .interrupted == false' <<< "$output"
	# A control comes along with what it proves.
	scenario "$ROOT/scenarios/default-deny.yaml" --only 'a port that no rule allows' --output json
	is_status 0
	[ "$(lines)" = 3 ]
}

@test "what cannot be sent does not take the others along" {
	cat > "$OUT/x.yaml" <<- 'END'
		name: x
		probes:
		  - {name: good, from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 53, expect: none}
		  - {name: no route, from: "netns:demo-dst", to: 192.0.2.1, proto: udp, dport: 53, expect: none}
		  - {name: six, from: "netns:demo-none", to: "fd00::1", proto: udp, dport: 53, expect: none}
		  - {name: good too, from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 54, expect: none}
	END
	scenario "$OUT/x.yaml" --output json
	is_status 0
	[ "$(jq -r 'select(.scenario.status == "pass").scenario.probe' <<< "$output" | paste -sd,)" = 'good,good too' ] ||
		[ "$(jq -r 'select(.scenario.status == "pass").scenario.probe' <<< "$output" | paste -sd,)" = 'good,no route,good too' ]
	[ "$(jq -r 'select(.scenario.probe == "six").scenario.why' <<< "$output")" = 'the pod has no IPv6 address' ]
}

@test "a reply is waited for, and its kind and time are checked" {
	need tcx
	printf 'name: x\nprobes:\n  - {from: "netns:demo-none", to: 10.201.9.9, proto: icmp, expect: {reply: echo-reply, rtt: 1s}}\n' > "$OUT/x.yaml"
	scenario "$OUT/x.yaml" --output json
	is_status 0
	printf 'name: x\nprobes:\n  - {from: "netns:demo-none", to: "10.201.9.9:81", expect: {reply: syn-ack}}\n' > "$OUT/x.yaml"
	scenario "$OUT/x.yaml" --output json
	is_status 1
	[ "$(jq -r 'select(.scenario).scenario.why' <<< "$output")" = 'reply: one of another kind came' ]
}

@test "what is recorded passes, and fails when a policy changes" {
	need tcx
	run --separate-stderr demo run --record "$ROOT/scenarios/demo.yaml"
	is_status 0
	printf '%s\n' "$output" > "$OUT/seen.yaml"
	scenario "$OUT/seen.yaml" --json "$OUT/before.ndjson"
	is_status 0
	hook=$(hook_of_demo)
	id=$(podctl attach demo-none --node demo-node --hook "$hook" --policy deny_port --proto udp --port 53)
	scenario "$OUT/seen.yaml" --json "$OUT/after.ndjson"
	podctl detach demo-none --node demo-node --hook "$hook" --id "$id"
	is_status 1
	[ "$(jq -r 'select(.scenario.status == "fail").scenario.from' "$OUT/after.ndjson" | sort -u)" = demo-none ]
	run --separate-stderr "$FLOWGEN" diff "$OUT/before.ndjson" "$OUT/after.ndjson"
	is_status 1
	[[ $output == *'changed  demo pods: policies: demo-none to demo-dst udp/53'*'verdict     none -> denied'*'denied by   none -> deny_port'* ]]
	[[ $output == *'6 the same, 3 changed, 0 added, 0 removed' ]]
	run --separate-stderr "$FLOWGEN" diff --output json "$OUT/before.ndjson" "$OUT/after.ndjson"
	is_status 1
	jq -se 'map(select(.change == "changed" and .after.verdict == "denied")) | length == 1 and .[0].after.denied_by == "deny_port"' <<< "$output"
	run --separate-stderr "$FLOWGEN" diff "$OUT/before.ndjson" "$OUT/before.ndjson"
	is_status 0
	echo '{"schema": "x"}' > "$OUT/no.ndjson"
	run --separate-stderr "$FLOWGEN" diff "$OUT/before.ndjson" "$OUT/no.ndjson"
	is_status 2
	complains 'no.ndjson:1: no result of flowgen'
	run --separate-stderr "$FLOWGEN" diff "$OUT/before.ndjson"
	is_status 2
}

# interrupt FORM: SIGINT while packets that never end are waited for. The first window is what there is then.
interrupt() {
	cat > "$OUT/slow.yaml" <<- 'END'
		name: slow
		timeout: 60s
		probes:
		  - {from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 1-9, expect: none}
		  - {from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 10-5000, count: 200, expect: none}
	END
	rm -f "$OUT/cut"
	node ip netns exec demo-node "$FLOWGEN" run "$OUT/slow.yaml" --parallel 3 --output "$1" > "$OUT/cut" 2> "$OUT/cut.err" &
	local runner=$! pid
	wait_for test -s "$OUT/cut" || true
	pid=$(pgrep -P "$runner" -x flowgen || pgrep -f "run $OUT/slow.yaml --parallel 3 --output $1" | tail -1)
	kill -INT "$pid"
	status=0
	wait "$runner" || status=$?
	output=$(cat "$OUT/cut")
	# shellcheck disable=SC2034  # is_status shows it
	stderr=$(cat "$OUT/cut.err")
	is_status 4
}

# bats test_tags=novm
@test "interrupted: JSON and TAP are whole as far as they go, and the exit status is 4" {
	interrupt json
	jq -se 'length > 1 and .[-1].schema == "flowgen.run/1" and .[-1].interrupted and .[-1].done == length - 1 and .[-1].done < .[-1].planned' <<< "$output"
	interrupt tap
	[[ $output == *'Bail out! interrupted'* ]]
	perl -MTAP::Parser -e '
		local $/; my $tap = <STDIN>; $tap =~ s/TAP version 14/TAP version 13/;
		my $p = TAP::Parser->new({ tap => $tap }); my $bail;
		while (my $r = $p->next) { $bail ||= $r->is_bailout }
		die join "; ", $p->parse_errors if $p->parse_errors; die "no bail out" unless $bail;
		die "tests: ", $p->tests_run, " of ", $p->tests_planned unless $p->tests_run > 0 && $p->tests_run == $p->tests_planned' <<< "$output"
}

# These write at the end, so the wait is for the temporary file's content instead.
# bats test_tags=novm
@test "interrupted: JUnit and HTML are whole as far as they go" {
	cat > "$OUT/slow.yaml" <<- 'END'
		name: slow
		probes:
		  - {from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 10-5000, count: 200, expect: none}
	END
	node ip netns exec demo-node "$FLOWGEN" run "$OUT/slow.yaml" --parallel 3 --output json --junit "$OUT/cut.xml" --report "$OUT/cut.html" > "$OUT/cut" &
	runner=$!
	wait_for test -s "$OUT/cut"
	kill -INT "$(pgrep -f "run $OUT/slow.yaml --parallel 3" | tail -1)"
	status=0
	wait "$runner" || status=$?
	is_status 4
	xmllint --noout --schema "$ROOT/tests/junit.xsd" "$OUT/cut.xml"
	[ "$(xmllint --xpath 'count(//testcase)' "$OUT/cut.xml")" = "$(($(wc -l < "$OUT/cut") - 1))" ]
	"$PYTHON" "$ROOT/tests/e2e/markup.py" "$OUT/cut.html"
	grep -q 'Interrupted' "$OUT/cut.html"
}

@test "a watch tells what changes, and ends well with a signal" {
	need tcx
	one none > "$OUT/w.yaml"
	node ip netns exec demo-node "$FLOWGEN" run "$OUT/w.yaml" --watch --interval 50ms --output json > "$OUT/watch" &
	runner=$!
	wait_for test -s "$OUT/watch"
	hook=$(hook_of_demo)
	id=$(podctl attach demo-none --node demo-node --hook "$hook" --policy deny_port --proto udp --port 53)
	changed() { jq -e 'select(.scenario.status != "pass")' "$OUT/watch" > /dev/null; }
	wait_for changed
	podctl detach demo-none --node demo-node --hook "$hook" --id "$id"
	again() { [ "$(jq -c 'select(.scenario.status == "pass")' "$OUT/watch" | wc -l)" = 2 ]; }
	wait_for again
	kill -INT "$(pgrep -f "run $OUT/w.yaml --watch" | tail -1)"
	status=0
	wait "$runner" || status=$?
	is_status 0
}

# bats test_tags=novm
@test "the report looks as it should, wide and narrow" {
	command -v chromium || skip 'no chromium here'
	one deny > "$OUT/bad.yaml"
	scenario "$ROOT/scenarios/demo.yaml" "$ROOT/scenarios/mtu.yaml" "$OUT/bad.yaml" --report "$OUT/report.html"
	is_status 1
	"$PYTHON" "$ROOT/tests/e2e/markup.py" "$OUT/report.html"
	# Nothing is fetched, and nothing runs.
	refute grep -qiE '<script|<link|src=|url\(|@import|https?://' "$OUT/report.html"
	mkdir -p "$BUILD/screenshots"
	for width in 1280 390; do
		profile=$(mktemp -d "$OUT/profile.XXXX")
		timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
			--disable-component-update --disable-sync --user-data-dir="$profile" --hide-scrollbars --window-size=$width,1400 \
			--screenshot="$BUILD/screenshots/report-$width.png" "file://$OUT/report.html" > "$OUT/chromium" 2>&1
		# A picture, not a blank page: more than one colour, among them those of good and bad.
		"$PYTHON" "$ROOT/tests/e2e/picture.py" "$BUILD/screenshots/report-$width.png" $width e3f5e6 fde3e3
	done
}
