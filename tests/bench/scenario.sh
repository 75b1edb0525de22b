# shellcheck shell=bash disable=SC2154  # sourced by run
# 200 ports of each pod, half of which the pods' policy denies.
heading "A scenario of 10,000 probes over 50 pods"
on_node << 'END'
for ((i = 0; i < 50; i++)); do
	"$podctl" up "many$i" --addr "10.78.0.$((i + 1))/32"
	"$podctl" attach "many$i" --hook tc/ingress --policy deny_port --proto udp --port 101-200 > /dev/null
done
END
cat > "$work/many.yaml" << 'END'
name: many
pods: {many: {name: "many*"}}
destinations: {dst: 10.9.0.9}
matrix:
  from: many
  to: dst
  ports: [1-100/udp, 101-200/udp]
  table: {many: A D}
END
for ((i = 0; i < 5; i++)); do
	took many "$flowgen" run "$work/many.yaml" --output json
	must "probes passed" "$(jq -c 'select(.schema == "flowgen.run/1") | [.pass, .planned]' "$work/out")" '[10000,10000]'
done
took four "$flowgen" run "$work/many.yaml" --output tap --json /dev/null --junit /dev/null --report /dev/null
figure scenario.many "whole process" s many.wall most 10
figure scenario.peak "peak memory, four outputs at once" MiB four.peak most 128
