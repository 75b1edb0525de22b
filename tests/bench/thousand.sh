# shellcheck shell=bash disable=SC2154  # sourced by run, and uses what is defined there
# A node with 1,000 pods: one probe among them, one to a Service's address, and a scenario that all of them send in.
echo "A node with 1,000 pods:"
for ((i = 0; i < 1000; i++)); do
	echo "$podctl up thousand$i --addr 10.79.$((i / 250)).$((i % 250 + 1))/32 || exit 1"
done > "$work/thousand.sh"
node bash "$work/thousand.sh"
cold=$(seconds node "$flowgen" inject --pod netns:web --dst 10.9.0.9:53 --proto udp)
at_most "one inject, whole process, in ms (with entering the node)" "$(ratio "$cold" 0.001)" 150
printf '%-58s %10.2f\n' "the same to a Service's address, in ms" \
	"$(ratio "$(seconds node "$flowgen" inject --pod netns:web --dst 10.96.0.1:53 --proto udp)" 0.001)"
cat > "$work/thousand.yaml" << 'END'
name: thousand
pods: {all: {name: "thousand*"}}
destinations: {dst: 10.9.0.9}
matrix: {from: all, to: dst, ports: [53/udp], table: {all: A}}
END
at_most "a scenario over all of them, in s" "$(seconds node "$flowgen" run "$work/thousand.yaml" --output json)" 3
[ "$(jq -c 'select(.schema == "flowgen.run/1") | [.pass, .planned]' "$work/out")" = '[1000,1000]' ] || {
	tail -n 1 "$work/out"
	failed=1
}
peak=$(node /usr/bin/time -f %M "$flowgen" run "$work/thousand.yaml" --output tap 2>&1 > /dev/null | tail -n 1)
at_most "peak memory in MiB" "$(ratio "$peak" 1024)" 64
