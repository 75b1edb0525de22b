# shellcheck shell=bash disable=SC2154  # sourced by run
heading "A node with 1,000 pods"
on_node << 'END'
for ((i = 0; i < 1000; i++)); do "$podctl" up "thousand$i" --addr "10.79.$((i / 250)).$((i % 250 + 1))/32"; done
END
cat > "$work/thousand.yaml" << 'END'
name: thousand
pods: {all: {name: "thousand*"}}
destinations: {dst: 10.9.0.9}
matrix: {from: all, to: dst, ports: [53/udp], table: {all: A}}
END
for ((i = 0; i < 5; i++)); do
	took cold "$flowgen" inject --pod netns:web --dst 10.9.0.9:53 --proto udp
	took service "$flowgen" inject --pod netns:web --dst 10.96.0.1:53 --proto udp
	took all "$flowgen" run "$work/thousand.yaml" --output json
	must "probes passed" "$(jq -c 'select(.schema == "flowgen.run/1") | [.pass, .planned]' "$work/out")" '[1000,1000]'
done
derive cold.ms 'a * 1000' cold.wall
derive service.ms 'a * 1000' service.wall
figure thousand.cold "cold inject" ms cold.ms most 150
figure thousand.service "  to a Service's address" ms service.ms
figure thousand.all "a scenario over all of them" s all.wall most 3
figure thousand.peak "  peak memory" MiB all.peak most 64
