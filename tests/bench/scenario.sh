# shellcheck shell=bash disable=SC2154  # sourced by run, and uses what is defined there
# A scenario of 10,000 probes over 50 pods: 200 ports each, half of which the pods' policy denies.
echo "A scenario of 10,000 probes over 50 pods:"
for ((i = 0; i < 50; i++)); do
	node "$podctl" up "many$i" --addr "10.78.0.$((i + 1))/32"
	node "$podctl" attach "many$i" --hook tc/ingress --policy deny_port --proto udp --port 101-200 > /dev/null
done
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
many=$(seconds node "$flowgen" run "$work/many.yaml" --output json)
at_most "whole process, in s" "$many" 10
[ "$(jq -c 'select(.schema == "flowgen.run/1") | [.pass, .planned]' "$work/out")" = '[10000,10000]' ] || {
	tail -n 1 "$work/out"
	failed=1
}
peak=$(node /usr/bin/time -f %M "$flowgen" run "$work/many.yaml" --output tap --json /dev/null --junit /dev/null --report /dev/null 2>&1 > /dev/null | tail -n 1)
at_most "peak memory in MiB, four outputs at once" "$(ratio "$peak" 1024)" 128
