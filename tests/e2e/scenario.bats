#!/usr/bin/env bats
# `flowgen run` and `flowgen diff`: shipped scenarios on the pods that the demo leaves, policies broken on purpose, every form
# of output read back by a standard parser, and what happens when it is interrupted.
load helpers

setup_file() {
	node_up
	node "$FLOWGEN" demo --keep > "$NODE_DIR/demo.out"
}
teardown_file() { node_down; }

setup() { OUT=$BATS_TEST_TMPDIR FLOWGEN_OUTPUT=text; export FLOWGEN_OUTPUT; }

# On the demo's node, as a person would.
demo() { node ip netns exec demo-node "$FLOWGEN" "$@"; }
scenario() { run --separate-stderr demo run "$@"; }

hook_of_demo() {
	if can netkit; then echo netkit/peer; elif can tcx; then echo tcx/ingress; else echo tc/ingress; fi
}
id_of() { demo pods --output json | jq -r "select(.name == \"$1\").programs[0].id"; }

# refused TEXT ARGUMENT...: wrong usage, in one line that has the text.
refused() {
	local text=$1
	shift
	run --separate-stderr "$FLOWGEN" "$@"
	is_status 2
	[ -z "$output" ] && [[ $stderr =~ $text ]] && [ "$(wc -l <<< "$stderr")" = 1 ]
}

# One probe from demo-none to the destination.
one() {
	printf 'name: one\nprobes:\n  - {name: p, from: "netns:demo-none", to: 10.201.9.9, proto: udp, dport: 53, expect: %s}\n' "$1"
}

@test "every shipped scenario runs on the demo's pods and passes" {
	can tcx || skip 'this kernel has no tcx: a probe that nobody listens for ends in the stack of its destination, as dropped'
	for file in "$ROOT"/scenarios/*.yaml; do
		scenario --allow-exec "$file" --output json
		is_status 0
		[ "$(jq -r 'select(.schema == "flowgen.run/1") | .fail + .inconclusive + .skip' <<< "$output")" = 0 ]
	done
	scenario --allow-exec "$ROOT"/scenarios/*.yaml
	is_status 0
	[[ $output == *' 0 not as expected, 0 inconclusive, 0 skipped;'* ]]
}

# Where there are no pods, and with no more rights than anybody has.
anybody() { run --separate-stderr setpriv --bounding-set -all --inh-caps -all "$FLOWGEN" "$@"; }

# bats test_tags=novm
@test "--list names what a run sends, and needs no pods and no privileges" {
	local files=() file
	for file in default-deny demo mtu port-sweep isolation; do
		files+=("$ROOT/scenarios/$file.yaml")
	done
	scenario "${files[@]}" --output json
	is_status 0
	jq -r 'select(.scenario) | [.scenario.probe, .scenario.expected, .scenario.file] | @tsv' <<< "$output" > "$OUT/sent"
	anybody run --list "${files[@]}"
	is_status 0
	[ "$(wc -l < "$OUT/sent")" -gt 100 ]
	diff "$OUT/sent" - <<< "$output"
	scenario --only '*udp/53*' "$ROOT/scenarios/demo.yaml" --output json
	jq -r 'select(.scenario) | .scenario.probe' <<< "$output" > "$OUT/sent"
	anybody run --list --only '*udp/53*' "$ROOT/scenarios/demo.yaml"
	[ "$(wc -l < "$OUT/sent")" = 3 ]
	diff "$OUT/sent" <(cut -f1 <<< "$output")
	printf 'name: x\nprobes:\n  - {name: "a\\\\tb\\\\e[1mc\\\\nd", from: "netns:x", to: 10.0.0.9, proto: icmp}\n' > "$OUT/odd.yaml"
	anybody run --list "$OUT/odd.yaml"
	is_status 0
	[ "$(wc -l <<< "$output")" = 1 ]
	[ "$(tr -cd '\t' <<< "$output" | wc -c)" = 2 ]
	[[ $output != *$'\e'* ]]
	refused '--list sends nothing' run --list --output json "$ROOT/scenarios/demo.yaml"
	refused 'no probe.s name contains "zzz"' run --list --only zzz "$ROOT/scenarios/demo.yaml"
	refused 'no probe.s name contains "zzz"' run --validate --only zzz "$ROOT/scenarios/demo.yaml"
	refused '--list and --validate exclude' run --list --validate "$ROOT/scenarios/demo.yaml"
}

# bats test_tags=novm
@test "--validate checks all files, and a folder is its files" {
	mkdir "$OUT/folder" "$OUT/empty"
	cp "$ROOT"/scenarios/{demo,mtu}.yaml "$OUT/folder/"
	cp "$ROOT/scenarios/commands.yaml" "$OUT/folder/z.yml"
	echo '{' > "$OUT/folder/other.json"
	anybody run --validate "$OUT/folder"
	is_status 0
	[ "$output" = "$OUT/folder/demo.yaml: valid, 9 probes
$OUT/folder/mtu.yaml: valid, 5 probes
$OUT/folder/z.yml: valid, 2 probes" ]
	# Each file that is wrong has its line, and nothing is called valid.
	printf 'name: x\nprobs: []\n' | tee "$OUT/folder/a.yaml" > "$OUT/folder/n.yaml"
	anybody run --validate "$OUT/folder"
	is_status 2
	[ -z "$output" ]
	[ "$(grep -c 'probs' <<< "$stderr")" = 2 ]
	[[ $stderr == *"/a.yaml:2:1: "*"/n.yaml:2:1: "* ]]
	anybody run --validate "$ROOT/scenarios/demo.yaml" --set no=1
	is_status 2
	refused 'no file \*.yaml or \*.yml in it' run --validate "$OUT/empty"
	rm "$OUT/folder/"[anz]*
	scenario "$OUT/folder" --output json
	is_status 0
	[ "$(jq -r 'select(.scenario) | .scenario.file' <<< "$output" | uniq | xargs -n 1 basename | paste -sd ' ')" = 'demo.yaml mtu.yaml' ]
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
	[ "${lines[0]}" = 'TAP version 13' ]
	printf '%s\n' "$output" > "$OUT/good.tap"
	prove -e cat "$OUT/good.tap"
	one '{verdict: deny, denied-by: "it''s # \\ odd"}' > "$OUT/bad.yaml"
	scenario "$OUT/bad.yaml" --output tap
	is_status 1
	printf '%s\n' "$output" > "$OUT/bad.tap"
	perl -MTAP::Parser -MTAP::Parser::YAMLish::Reader -e '
		local $/; open my $f, "<", $ARGV[0]; my $tap = <$f>;
		my $p = TAP::Parser->new({ tap => $tap }); my @yaml;
		while (my $r = $p->next) { push @yaml, $r->data if $r->is_yaml }
		die join "; ", $p->parse_errors if $p->parse_errors;
		die "plan " . $p->tests_planned unless $p->tests_planned == 1 && $p->failed == 1;
		die "no YAML" unless @yaml == 1 && $yaml[0]{message} =~ /expected denied, got none/ && $yaml[0]{outcome};
		print $yaml[0]{result};
	' "$OUT/bad.tap" > "$OUT/result.json"
	jq -e '.schema == "flowgen.result/2"' "$OUT/result.json"
	# Any other reader of YAML agrees.
	sed -n '/^  ---$/,/^  \.\.\.$/p' "$OUT/bad.tap" | sed '1d;$d;s/^  //' | "$PYTHON" -c 'import json, sys, yaml; block = yaml.safe_load(sys.stdin)
assert json.loads(block["result"])["outcome"] == block["outcome"]'
}

# bats test_tags=novm
@test "all that a run writes says which run it was, when and where" {
	local began=$EPOCHSECONDS id
	scenario "$ROOT/scenarios/demo.yaml" --output json --tap "$OUT/run.tap" --junit "$OUT/run.xml" --report "$OUT/run.html"
	is_status 0
	id=$(jq -r 'select(.schema == "flowgen.run/1").run.id' <<< "$output")
	[[ $id =~ ^[0-9a-f]{16}$ ]]
	jq -se --arg id "$id" --arg host "$(node uname -n)" --arg kernel "$(uname -r)" --arg version "$("$FLOWGEN" --version | cut -d' ' -f2)" --argjson began "$began" '
		def when: sub("\\.\\d+Z$"; "Z") | fromdateiso8601;
		([.[].run] | unique) == [{id: $id, started: .[0].run.started, host: $host, kernel: $kernel, version: $version}] and
		(.[0].run.started | when) as $start | ($start >= $began - 1 and $start <= now) and
		([.[:-1][].time | when | . >= $start and . <= now] | all)' <<< "$output"
	[[ $(sed -n 2p "$OUT/run.tap") == "# run $id on "*", flowgen "* ]]
	[ "$(xmllint --xpath 'string(//property[@name="run"]/@value)' "$OUT/run.xml")" = "$id" ]
	[ "$(xmllint --xpath 'string(//testsuite/@hostname)' "$OUT/run.xml")" = "$(node uname -n)" ]
	grep -q "<p class=\"origin\">run $id on " "$OUT/run.html"
	# Probes of a command's flows are of the same run, which began before them.
	if can tcx; then
		scenario --allow-exec "$ROOT/scenarios/commands.yaml" --output json
		is_status 0
		jq -se 'map(.. | objects | select(has("run")) | .run | select(. != null)) | (length > 2) and (unique | length == 1)' <<< "$output"
		jq -se '.[-1].run.started as $began | [.. | objects | .time? // empty | select(type == "string") | . >= $began] | length > 0 and all' <<< "$output"
	fi
	# Another run has another name, and text has it too.
	scenario "$ROOT/scenarios/demo.yaml"
	[[ ${lines[-1]} =~ ^run\ [0-9a-f]{16}\ on\ .*\ \(Linux\ .*\),\ flowgen\  && ${lines[-1]} != *"$id"* ]]
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
	# What passed is no more than a name.
	[ "$(xmllint --xpath 'count(//testcase[not(failure)]) > 0 and count(//testcase[not(*)]/system-out) = 0 and count(//system-out) = 1' "$OUT/run.xml")" = true ]
}

# bats test_tags=novm
@test "text: a matrix of letters, and failures of one kind are shown once" {
	cat > "$OUT/kinds.yaml" <<- EOF
		name: kinds
		on-failure: look at the policy
		pods: {deny: "netns:demo-deny", none: "netns:demo-none", allow: "netns:demo-allow"}
		destinations: {dst: 10.201.9.9}
		matrix: {name: all, from: [deny, none, allow], to: dst, ports: [53/udp, 9990-9999/udp, 80/tcp], expect: allowed}
		probes:
		  - {name: sweep, from: deny, to: dst, proto: udp, dport: 9000-9050, expect: deny, control: 9999}
	EOF
	scenario "$OUT/kinds.yaml"
	is_status 1
	# As many letters as a cell has; the control is denied, so it is not as expected, and no denial would be proven.
	[[ $output == *$'\nall, from (rows) to (columns)
       dst
       udp/53  udp/9990-9999  tcp/80
deny   .       .X!            .
none   o!      o!             o!
allow  .       .              .
. allowed, o open, no policy, X denied, ! not as expected
'* ]]
	[[ $output == *$'\nkinds, from (rows) to (columns)
      dst
      9999  udp/9000-9050
deny  X!    .!
. allowed, X denied, ! not as expected
'* ]]
	# One of each in full: the sweep, its control, the denial in the matrix and what no policy let pass.
	[ "$(grep -c '^NOT OK' <<< "$output")" = 4 ]
	[[ $output == *$'\n65 not as expected or inconclusive, by kind (-v shows each):\n'* ]]
	[[ $output =~ $'\n     51  not ok: expected deny, got allowed, delivered\n         sweep port 9000, sweep port 9001, sweep port 9002 and 48 more\n' ]]
	[[ $output =~ $'\n      1  not ok: expected allowed, got denied by deny_port, dropped' ]]
	# What a failure means is not what a control's means.
	[ "$(grep -c '^  what next   look at the policy' <<< "$output")" = 3 ]
	scenario "$OUT/kinds.yaml" -v
	is_status 1
	[ "$(grep -c '^NOT OK' <<< "$output")" = 65 ]
	[[ $output != *'by kind'* && $output == *$'\ndeny   .       .X!'* ]]
	scenario "$OUT/kinds.yaml" --color=always
	[[ $output == *$'\ndeny   \e[1;32m.\e[0m       \e[1;31m.X!\e[0m'* ]]
	# A probe that is not sent, or of which nothing is known, says nothing of the policy.
	printf 'name: x\non-failure: look at the policy\nprobes:\n  - {from: "netns:gone", to: 10.201.9.9, proto: icmp}\n' > "$OUT/gone.yaml"
	scenario "$OUT/gone.yaml" --strict
	is_status 1
	[[ $output == *'NOT OK'* && $output != *'what next'* ]]
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
	complains '--set prt: no file has this variable'
	scenario "$ROOT/scenarios/demo.yaml" --only nonsense
	is_status 2
	complains 'no probe.s name contains "nonsense"'
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
	[ "$(jq -r 'select(.scenario).scenario.why' <<< "$output")" = 'reply: one of a different kind came' ]
}

@test "diff compares two pods by what was asked, one by one, as summaries, and in scenarios" {
	local pod from
	from=(inject '10.201.9.9:9998,9999' --udp --output json)
	for pod in deny none; do
		demo "${from[@]}" --pod "demo-$pod" > "$OUT/$pod.json"
		demo "${from[@]}" --pod "demo-$pod" --summary > "$OUT/$pod.sum"
		demo run --output json --only "demo-$pod to" "$ROOT/scenarios/demo.yaml" > "$OUT/$pod.run"
	done
	run --separate-stderr "$FLOWGEN" diff --pods --output text "$OUT/deny.json" "$OUT/none.json"
	is_status 1
	[[ $output == *'changed  to 10.201.9.9 udp/9999'*'denied -> none'*'deny_port -> none'* ]]
	[[ $output == *'0 the same, 2 changed, 0 added, 0 removed' ]]
	run --separate-stderr "$FLOWGEN" diff --pods --output text "$OUT/deny.sum" "$OUT/none.sum"
	is_status 1
	[[ $output == *'changed  the pods: port 9999'*'denied -> none'* ]]
	[[ $output == *'0 the same, 2 changed, 0 added, 0 removed' ]]
	run --separate-stderr "$FLOWGEN" diff --pods --output text "$OUT/deny.run" "$OUT/none.run"
	is_status 1
	[[ $output == *'changed  demo pods: to 10.201.9.9 udp/9999'*'denied -> none'* ]]
	[[ $output == *'0 the same, 3 changed, 0 added, 0 removed' ]]
	# Without it nobody is compared with somebody else; and with it, one pod with one.
	run --separate-stderr "$FLOWGEN" diff --output text "$OUT/deny.json" "$OUT/none.json"
	is_status 1
	[[ $output == *'0 the same, 0 changed, 2 added, 2 removed' ]]
	cat "$OUT/none.json" >> "$OUT/deny.json"
	run --separate-stderr "$FLOWGEN" diff --pods "$OUT/deny.json" "$OUT/none.json"
	is_status 2
	[ "$stderr" = "flowgen: $OUT/deny.json:3: of \"demo-none\", and before of \"demo-deny\": --pods takes one pod in each" ]
}

@test "what is recorded keeps the comments, the order and the layout of its file" {
	need tcx
	# The same but for one cell of a table and one word; what holds already stays as it is written.
	sed -e 's/^    demo-allow: allowed$/    demo-allow: "?      -        ?"   # not known/' -e 's/^    demo-none:  none$/    demo-none:  N      N        N/' \
		"$ROOT/scenarios/demo.yaml" > "$OUT/old.yaml"
	printf '\nprobes:\n  # DNS\n  - { name: dns, from: demo-none, to: demo-dst, dport: 53,\n      proto: udp } # by hand\n' >> "$OUT/old.yaml"
	run --separate-stderr demo run --record "$OUT/old.yaml"
	is_status 0
	[[ $stderr != *comments* ]]
	printf '%s\n' "$output" > "$OUT/new.yaml"
	diff "$OUT/old.yaml" "$OUT/new.yaml" > "$OUT/changes" || :
	cat "$OUT/changes"
	diff - "$OUT/changes" <<- 'END'
		26,27c26,27
		<     demo-deny:  A      D        A
		<     demo-allow: "?      -        ?"   # not known
		---
		>     demo-deny:  allowed deny allowed
		>     demo-allow: "allowed skip allowed"   # not known
		33c33
		<       proto: udp } # by hand
		---
		>       proto: udp, expect: none } # by hand
	END
	scenario "$OUT/new.yaml"
	is_status 0
	# Where a text cannot stay, it is said.
	printf 'name: x\ndefaults: &d {proto: udp}\nmatrix:\n  {from: demo-none, to: 10.201.9.9, ports: [53], <<: {expect: deny}}\npods: {demo-none: "netns:demo-none"} # c\n' > "$OUT/merge.yaml"
	run --separate-stderr demo run --record "$OUT/merge.yaml"
	is_status 0
	[[ $stderr == *'warning: the scenario is written anew, without its comments: a merge key has something else than'* ]]
	[[ $output != *'# c'* ]]
	printf '%s\n' "$output" > "$OUT/anew.yaml"
	scenario "$OUT/anew.yaml"
	is_status 0
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
	complains 'no.ndjson:1: not a flowgen result'
	run --separate-stderr "$FLOWGEN" diff "$OUT/before.ndjson"
	is_status 2
}

# bats test_tags=novm
@test "diff: two summaries port by port, and two folders file by file" {
	local a="$OUT/a" b="$OUT/b"
	mkdir -p "$a" "$b" "$OUT/empty"
	demo inject netns:demo-deny 10.201.9.9:9990-10005 --udp --summary -o json > "$a/sweep.ndjson"
	demo inject netns:demo-none 10.201.9.9:9980-9999 --udp --summary -o json | sed 's/demo-none/demo-deny/g' > "$b/sweep.ndjson"
	run --separate-stderr "$FLOWGEN" diff -o text "$a/sweep.ndjson" "$b/sweep.ndjson"
	is_status 1
	[ "$output" = 'added    demo-deny: ports 9980-9989
    verdict none, outcome delivered
changed  demo-deny: ports 9990-9998
    verdict     allowed -> none
changed  demo-deny: port 9999
    verdict     denied -> none
    denied by   deny_port -> none
    outcome     dropped -> delivered
removed  demo-deny: ports 10000-10005
    verdict allowed, outcome delivered
0 the same, 2 changed, 1 added, 1 removed' ]
	run --separate-stderr "$FLOWGEN" diff -o text "$a/sweep.ndjson" - <<< "$(cat "$a/sweep.ndjson")"
	is_status 0
	[ "$output" = '3 the same, 0 changed, 0 added, 0 removed' ]
	# What has no port; and one pod's summary is not another's.
	demo inject netns:demo-none 10.201.9.9 --icmp --summary -o json > "$OUT/icmp.json"
	run --separate-stderr "$FLOWGEN" diff -o json "$OUT/icmp.json" "$a/sweep.ndjson"
	is_status 1
	jq -se '[.[] | select(.change == "removed")] == [{schema: "flowgen.diff/1", change: "removed", name: "demo-none", after: null,
		before: {verdict: "none", denied_by: null, outcome: "delivered", reason: null}}] and .[-1].added == 3' <<< "$output"
	# Folders: files of one name belong together, what is no result's name is left alone.
	echo 'no JSON' | tee "$a/README.txt" "$a/.hidden.json" > "$b/notes"
	cp "$a/sweep.ndjson" "$a/gone.jsonl"
	cp "$b/sweep.ndjson" "$b/new.json"
	run --separate-stderr "$FLOWGEN" diff -o text "$a" "$b"
	is_status 1
	[[ $output == 'added    new.json: demo-deny: ports 9980-9999'*'added    sweep.ndjson: demo-deny: ports 9980-9989'*'changed  sweep.ndjson: demo-deny: port 9999'* ]]
	[[ $output == *'removed  gone.jsonl: demo-deny: port 9999'*'verdict denied by deny_port'*'0 the same, 2 changed, 2 added, 4 removed' ]]
	run --separate-stderr "$FLOWGEN" diff -o text "$a" "$a"
	is_status 0
	[ "$output" = '6 the same, 0 changed, 0 added, 0 removed' ]
	run --separate-stderr "$FLOWGEN" diff "$a" "$b/new.json"
	is_status 2
	complains "$a is a folder, $b/new.json is not"
	run --separate-stderr "$FLOWGEN" diff "$a" "$OUT/nowhere"
	is_status 2
	complains "$OUT/nowhere: No such file or directory"
	# What would wait for ever, or never end, is no file of results; and a name may be any bytes.
	mkdir "$OUT/odd"
	mkfifo "$OUT/odd/x.json"
	run --separate-stderr timeout 10 "$FLOWGEN" diff "$OUT/odd" "$OUT/odd"
	is_status 2
	complains "$OUT/odd/x.json: not a regular file"
	rm "$OUT/odd/x.json"
	cp "$OUT/icmp.json" "$OUT/odd/"$'\xff.json'
	run --separate-stderr "$FLOWGEN" diff -o text "$OUT/odd" "$OUT/odd"
	is_status 0
	[ "$output" = '1 the same, 0 changed, 0 added, 0 removed' ]
	# Several packets of one port: all that they came to is compared.
	for word in denied unknown; do
		jq -c --arg word "$word" '.verdicts = {allowed: {count: 2, ports: ["80"]}} | .verdicts[$word] = {count: 1, ports: ["80"]}' "$OUT/icmp.json" > "$OUT/$word.json"
	done
	run --separate-stderr "$FLOWGEN" diff -o text "$OUT/denied.json" "$OUT/unknown.json"
	is_status 1
	[[ $output == *'verdict     allowed, denied -> allowed, unknown'* ]]
	run --separate-stderr "$FLOWGEN" diff -o text "$OUT/denied.json" "$OUT/denied.json"
	is_status 0
	run --separate-stderr "$FLOWGEN" diff "$OUT/empty" "$b"
	is_status 2
	complains "$OUT/empty: no .*ndjson in it"
	echo '{"schema": "x"}' > "$b/sweep.ndjson"
	run --separate-stderr "$FLOWGEN" diff "$a" "$b"
	is_status 2
	complains "$b/sweep.ndjson:1: not a flowgen result"
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
		local $/; my $tap = <STDIN>;
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

# watch FILE OPTION...: in the background; its policy comes, and goes, and then a signal.
watch() {
	local out=$1 hook id
	shift
	one none > "$OUT/w.yaml"
	node ip netns exec demo-node "$FLOWGEN" run "$OUT/w.yaml" --watch --interval 50ms "$@" > "$out" 2> "$out.err" &
	runner=$!
	wait_for grep -q . "$out.err" # a heartbeat
	hook=$(hook_of_demo)
	id=$(podctl attach demo-none --node demo-node --hook "$hook" --policy deny_port --proto udp --port 53)
	wait_for grep -q deny_port "$out"
	podctl detach demo-none --node demo-node --hook "$hook" --id "$id"
	back() { tail -n 5 "$out" | grep -qE 'Z  ok  |"status":"pass","why":null,"change"'; }
	wait_for back
	# A heartbeat after the change.
	wait_for grep -qE ', [1-9][0-9]* changes?: ' "$out.err"
	run_with "run $OUT/w.yaml --watch"
	kill -INT "$FLOWGEN_PID"
	status=0
	wait "$runner" || status=$?
	is_status 0
}

@test "a watch tells of each change: when, what it was, what it is, and who decides; and ends well with a signal" {
	need tcx
	watch "$OUT/watch" --output json --heartbeat 100ms
	output=$(cat "$OUT/watch")
	"$PYTHON" -c 'import json, sys, jsonschema
check = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
for line in sys.stdin: check.validate(json.loads(line))' "$ROOT/doc/run.schema.json" <<< "$output"
	# What was in flight meanwhile is inconclusive: a state of its own. Each begins where the one before has ended.
	jq -se '[.[] | select(.scenario.change).scenario] as $c | ($c | length >= 2) and
		([$c[].change | .before != .after] | all) and
		([range(1; $c | length) | $c[. - 1].change.after == $c[.].change.before] | all) and
		([$c[].change.time | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z$")] | all) and ([$c[].change.time] | . == sort) and
		([$c[].change | select(.after.verdict == "denied")] | length == 1 and (.[0].after | .status == "fail" and .denied_by == "deny_port" and
			.outcome == "dropped") and (.[0].decided_by | startswith("deny_port ("))) and
		($c[-1].change | .after.verdict == "none" and .decided_by == null)' <<< "$output"
	jq -se '.[0].scenario | .round == 1 and (has("change") | not)' <<< "$output"
	# Every 100 ms a line, on standard error.
	[[ $(head -n 1 "$OUT/watch.err") =~ ^flowgen:\ [0-9-]{10}T[0-9:.]{12}Z:\ round\ [0-9]+,\ 0\ changes:\ 1\ as\ expected,\ 0\ not$ ]]
	grep -qE ', [1-9][0-9]* changes?: ' "$OUT/watch.err"
	watch "$OUT/text" --output text --heartbeat 100ms
	[[ $(tr -s ' \n' ' ' < "$OUT/text") =~ [0-9]{3}Z\ NOT\ OK\ p\ was\ [a-z]+,\ [a-z]+\ is\ denied\ by\ deny_port,\ dropped.*\ decided\ by\ deny_port\ \(.*verdict:\ expected\ none,\ got\ denied.*Z\ ok\ p\ was\ .*is\ none,\ delivered\ decided\ by\ nothing\ on\ its\ way ]]
	refute grep -q '^ladder' "$OUT/text"
	# On a terminal one line is drawn anew; with --quiet, none.
	seen=$(script -qec "timeout -s INT $((${FLOWGEN_TEST_INSIDE:+30} + 5)) $(printf '%q ' nsenter --target "$NODE_PID" --net --mount --pid -- ip netns exec demo-node "$FLOWGEN" run "$OUT/w.yaml" --watch --interval 50ms -o json) > $OUT/there" /dev/null < /dev/null 3>&- 7>&-) || :
	[[ $seen == *$'Z: round 1, 0 changes: 1 as expected, 0 not\r\e[K'*'Z: round 3, 0 changes: 1 as expected, 0 not'* && $seen != *$'\n'*$'\n'* ]]
	seen=$(node timeout -s INT $((${FLOWGEN_TEST_INSIDE:+30} + 1)) ip netns exec demo-node "$FLOWGEN" run "$OUT/w.yaml" --watch --interval 50ms --heartbeat 50ms -o json -q 2>&1 > "$OUT/there") || :
	[ -z "$seen" ]
}

# bats test_tags=novm
@test "the report in a browser: wide and narrow, light and dark, with pictures of sweeps and a filter" {
	command -v chromium || skip 'no chromium here'
	one deny > "$OUT/bad.yaml"
	printf 'name: sweep\nprobes:\n  - {name: all ports, from: "netns:demo-deny", to: 10.201.9.9, proto: udp, dport: 1-65535, expect: allowed}\n' > "$OUT/sweep.yaml"
	# A name without a place to break it.
	printf 'name: long\npods: {%s: netns:demo-none}\nprobes:\n  - {from: %s, to: 10.201.9.9, proto: udp, dport: 20-90, expect: none}\n' \
		"$(printf 'p%.0s' {1..60})" "$(printf 'p%.0s' {1..60})" > "$OUT/long.yaml"
	scenario "$ROOT/scenarios/demo.yaml" "$ROOT/scenarios/mtu.yaml" "$OUT/bad.yaml" "$OUT/sweep.yaml" "$OUT/long.yaml" --report "$OUT/report.html"
	is_status 1
	"$PYTHON" "$ROOT/tests/e2e/markup.py" "$OUT/report.html"
	# Nothing is fetched, and what is not the filter does not run.
	refute grep -qiE '<link|src=|url\(|@import|https?://' "$OUT/report.html"
	[ "$(grep -o '<script' "$OUT/report.html" | wc -l)" = 1 ]
	# The picture of 65,535 ports is small, and says in words what it shows.
	grep -q '<b>65534 allowed</b>: 1-9998, 10000-65535</li>' "$OUT/report.html"
	grep -q '<b>1 denied, not as expected</b>: 9999</li>' "$OUT/report.html"
	[ "$(grep -o '<svg class="many".*</svg>' "$OUT/report.html" | wc -c)" -lt 1000 ]
	# Verdict and outcome are in the cell.
	grep -q '>&#10003; denied, dropped<small>' "$OUT/report.html"
	mkdir -p "$BUILD/screenshots" "$OUT/browser"
	"$PYTHON" "$ROOT/tests/e2e/looks.py" "$OUT/report.html" "$OUT/browser" "$BUILD/screenshots"
	# Pictures, not blank pages: of their colours those of good and bad.
	"$PYTHON" "$ROOT/tests/e2e/picture.py" "$BUILD/screenshots/report-390.png" 390 e3f5e6 fde3e3
	"$PYTHON" "$ROOT/tests/e2e/picture.py" "$BUILD/screenshots/report-1280-dark.png" 1280 12351d 4a1616
}

@test "over a cluster a name that cannot be is an error at its line, and nobody is asked" {
	printf 'name: x\npods:\n  a: shop/a\n  b: { namespace: shop }\nprobes: [{ from: a, to: "svc:pay/x:1" }]\n' > "$OUT/names.yaml"
	run --separate-stderr env PATH=/nonexistent "$FLOWGEN" kube run "$OUT/names.yaml"
	[ "$status" = 2 ]
	[[ $stderr == "flowgen: $OUT/names.yaml:4:6: pods.b: a selector is for the pods of one node"* ]]
	printf 'name: x\nprobes:\n  - { from: "svc:pay/db", to: "svc:pay/x:1" }\n' > "$OUT/names.yaml"
	run --separate-stderr env PATH=/nonexistent "$FLOWGEN" kube run "$OUT/names.yaml"
	[ "$status" = 2 ]
	[ "$stderr" = "flowgen: $OUT/names.yaml:3:13: svc:pay/db: \"svc:pay/db\": only a pod can be the sender" ]
	run --separate-stderr env PATH=/nonexistent "$FLOWGEN" kube run --record --output json "$OUT/names.yaml"
	[ "$status" = 2 ]
	[[ $stderr == *'--record prints the scenario, once'* ]]
}
