#!/usr/bin/env bats
# A run as metrics: a file for node_exporter's textfile collector, read by Prometheus' own parsers.
# bats file_tags=novm
# shellcheck disable=SC2154  # run sets stderr
load helpers

setup_file() {
	node_up
	pods_up
	serve dst 53
	attach web tc/ingress deny_port --proto udp --port 9999 > /dev/null
}
teardown_file() { node_down; }

setup() { METRICS=$NODE_DIR/flowgen.prom; }
teardown() { rm -f "$METRICS"; }

# scenario TEXT [OPTION...]: runs it.
scenario() {
	printf '%s\n' "$1" > "$NODE_DIR/s.yaml"
	flowgen run "$NODE_DIR/s.yaml" --metrics "$METRICS" "${@:2}"
}

# samples: each as "NAME{label=value,...} VALUE", labels in order, read by both parsers: they must agree.
samples() {
	"$PYTHON" - "$METRICS" <<- 'END'
		import sys
		from prometheus_client import openmetrics, parser
		import prometheus_client.openmetrics.parser

		def read(text, parse):
		    return sorted("%s{%s} %s" % (s.name, ",".join("%s=%s" % l for l in sorted(s.labels.items())), float(s.value))
		                  for family in parse(text) for s in family.samples)

		text = open(sys.argv[1]).read()
		new, old = (read(text, p.text_string_to_metric_families) for p in (openmetrics.parser, parser))
		assert new == old, (new, old)
		print("\n".join(new))
	END
}

two_ports='
name: two "ports"
pods: {client: {ref: "netns:web"}, server: {ref: "netns:dst"}}
probes:
  - {from: client, to: server, proto: udp, dport: 53, expect: allow}
  - {from: client, to: server, proto: udp, dport: 9999, expect: allow}
  - {from: client, to: server, proto: udp, dport: 9999, expect: deny, count: 3}
'

@test "probes by what was expected, verdicts and outcomes: the numbers of the report" {
	scenario "$two_ports" --output json
	is_status 1
	report=$output
	samples > "$NODE_DIR/samples"
	labels='destination=server,pod=client,scenario=two "ports",status'
	for status in pass fail skip inconclusive; do
		n=$(jq -s "map(select(.schema == \"flowgen.run/1\"))[0].$status" <<< "$report")
		grep -qxF "flowgen_probes{$labels=$status} $n.0" "$NODE_DIR/samples"
	done
	grep -qxF "flowgen_probes{$labels=pass} 4.0" "$NODE_DIR/samples"
	labels=${labels%,status}
	grep -qxF "flowgen_verdicts{$labels,verdict=denied} 4.0" "$NODE_DIR/samples"
	[ "$(grep -c '^flowgen_verdicts{' "$NODE_DIR/samples")" = 2 ]
	grep -qxF "flowgen_outcomes{${labels/,/,outcome=delivered,}} 1.0" "$NODE_DIR/samples"
	grep -qxF "flowgen_outcomes{${labels/,/,outcome=dropped,}} 4.0" "$NODE_DIR/samples"
	grep -qxF "flowgen_path_seconds_count{$labels} 5.0" "$NODE_DIR/samples"
	# What was seen after the end does not count.
	sum=$(jq -s 'map(select(.schema == "flowgen.result/2").observations[-1].time_ns) | add' <<< "$report")
	told=$(sed -n 's/^flowgen_path_seconds_sum{.*} //p' "$NODE_DIR/samples")
	awk -v a="$sum" -v b="$told" 'BEGIN { exit !(b > 0 && b <= a / 1e9 + 1e-8) }'
	refute grep -q '^flowgen_round_trip' "$NODE_DIR/samples"
}

@test "the run: when, where, how long, whether all of it; and replies" {
	begin=$EPOCHSECONDS
	scenario '{name: replies, pods: {a\b: {ref: "netns:web"}}, probes: [{from: a\b, to: 10.9.0.9, proto: icmp, count: 4, expect: {reply: echo-reply}}]}' --output json
	report=$output
	samples > "$NODE_DIR/samples"
	run=$(jq -r 'select(.schema == "flowgen.run/1").run | "host=\(.host),kernel=\(.kernel),run=\(.id),version=\(.version)"' <<< "$report")
	grep -qxF "flowgen_run_info{$run} 1.0" "$NODE_DIR/samples"
	grep -qxF 'flowgen_run_complete{} 1.0' "$NODE_DIR/samples"
	grep -qxF 'flowgen_run_lost_events{} 0.0' "$NODE_DIR/samples"
	end=$(sed -n 's/^flowgen_run_end_timestamp_seconds{} //p' "$NODE_DIR/samples")
	awk -v a="$begin" -v b="$end" -v c="$EPOCHSECONDS" 'BEGIN { exit !(a <= b && b <= c + 1) }'
	grep -qF 'flowgen_round_trip_seconds_count{destination=10.9.0.9,pod=a\b,' "$NODE_DIR/samples"
	# The longest of several is no shorter than their mean.
	awk '/^flowgen_round_trip_max_seconds/ { max = $NF } /^flowgen_round_trip_seconds_sum/ { sum = $NF }
		/^flowgen_round_trip_seconds_count/ { n = $NF } END { exit !(n > 0 && max > 0 && max >= sum / n - 1e-9) }' "$NODE_DIR/samples"
}

@test "a run that is cut short says so, and writes what it has" {
	# Nobody answers for the second address: its packets wait.
	printf 'name: slow\ntimeout: 60s\nprobes:\n- {from: "netns:web", to: 10.9.0.9, proto: udp, dport: 53, expect: allow}\n- {from: "netns:web", to: 10.9.0.99, proto: udp, dport: 53, count: 9, expect: allow}\n' > "$NODE_DIR/slow.yaml"
	node "$FLOWGEN" run "$NODE_DIR/slow.yaml" --metrics "$METRICS" --output json --parallel 1 > "$NODE_DIR/slow" &
	wait_for test -s "$NODE_DIR/slow"
	run_with "run $NODE_DIR/slow.yaml"
	kill -INT "$FLOWGEN_PID"
	status=0
	wait "$!" || status=$?
	is_status 4
	samples > "$NODE_DIR/samples"
	grep -qxF 'flowgen_run_complete{} 0.0' "$NODE_DIR/samples"
	grep -q '^flowgen_probes{.*} [1-9]' "$NODE_DIR/samples"
}

@test "a watch has no end, and so no metrics" {
	scenario "$two_ports" --watch
	is_status 2
	complains '--watch never ends: not with TAP, JUnit, metrics or a report'
	[ ! -e "$METRICS" ]
}

@test "the dashboard and the units ask for what there is" {
	scenario "$two_ports" --output json
	scenario '{name: two "ports", pods: {web: {ref: "netns:web"}}, probes: [{from: web, to: 10.9.0.9, proto: icmp, expect: {reply: echo-reply}}]}' --output json
	samples | sed 's/{.*//' | sort -u > "$NODE_DIR/there"
	jq -r '.panels[].targets[].expr, .templating.list[].query' "$ROOT/doc/deploy/grafana.json" | grep -o 'flowgen_[a-z_]*' | sort -u > "$NODE_DIR/asked"
	[ "$(wc -l < "$NODE_DIR/asked")" -gt 6 ]
	[ -z "$(comm -23 "$NODE_DIR/asked" "$NODE_DIR/there")" ]
	# And the document names each.
	while read -r name; do
		name=${name%_sum}
		grep -qF "\`${name%_count}\`" "$ROOT/doc/metrics.md"
	done < "$NODE_DIR/there"
	[ "$(jq '[.panels[].id] | length == (unique | length)' "$ROOT/doc/deploy/grafana.json")" = true ]
	# The service's command line, on files and a folder of this test.
	mkdir -p "$NODE_DIR/scenarios"
	printf '%s\n' "$two_ports" > "$NODE_DIR/scenarios/one.yaml"
	read -ra words <<< "$(awk '/^ExecStart=/ { on = sub(/ExecStart=/, "") } on { on = sub(/\\$/, ""); printf "%s ", $0 }' "$ROOT/doc/deploy/flowgen-run.service")"
	[ "${words[0]}" = /usr/sbin/flowgen ]
	words=("${words[@]/#\/etc\/flowgen/$NODE_DIR}")
	words=("${words[@]/#\/var\/lib\/prometheus\/node-exporter/$NODE_DIR}")
	rm "$METRICS"
	flowgen "${words[@]:1}"
	is_status 1
	[ -s "$METRICS" ]
}

@test "systemd understands the units" {
	type systemd-analyze > /dev/null 2>&1 || skip 'there is no systemd-analyze here'
	mkdir -p "$NODE_DIR/units"
	sed "s,/usr/sbin/flowgen,$FLOWGEN," "$ROOT/doc/deploy/flowgen-run.service" > "$NODE_DIR/units/flowgen-run.service"
	cp "$ROOT/doc/deploy/flowgen-run.timer" "$NODE_DIR/units"
	run -0 systemd-analyze verify --man=no "$NODE_DIR/units/flowgen-run.timer" "$NODE_DIR/units/flowgen-run.service"
	# It only warns of a key that it does not know.
	refute grep flowgen-run <<< "$output"
}
