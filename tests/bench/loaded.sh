# shellcheck shell=bash disable=SC2154  # sourced by run
# What a node has when it is in use, and a probe must not walk through: 5,000 rules of nftables as kube-proxy writes them (a
# chain for each Service, behind a map), 200,000 tracked connections, 400 namespaces. Another node has none of it.
heading "A node with 5,000 rules, 200,000 connections and 400 namespaces, against an empty one"
inject=("$flowgen" inject --pod netns:web --proto udp)
# A chain has to be there before a map leads to it.
{
	echo 'table ip services {'
	for ((i = 0; i < 1000; i++)); do
		echo "chain service$i {"
		for ((n = 0; n < 5; n++)); do echo "ip saddr 10.98.$((i / 250)).$((n + 1)) counter accept"; done
		echo '}'
	done
	echo 'map services { type ipv4_addr . inet_service : verdict; elements = {'
	for ((i = 0; i < 1000; i++)); do echo "10.97.$((i / 250)).$((i % 250 + 1)) . 80 : goto service$i,"; done
	echo '} }'
	echo 'chain prerouting { type nat hook prerouting priority dstnat; ip daddr . tcp dport vmap @services; }'
	echo '}'
} > "$work/rules"
for ((i = 0; i < 200000; i++)); do
	echo "-I -p tcp -s 10.98.$((i / 62500)).$((i / 250 % 250 + 1)) -d 10.97.0.1 --sport $((i % 250 + 1024)) --dport 80" \
		"-t 3600 --state ESTABLISHED -u SEEN_REPLY"
done > "$work/connections"

# shellcheck disable=SC2034  # by name, below
loaded_pid=$node_pid
node nft -f "$work/rules"
node conntrack --load-file "$work/connections" > /dev/null 2>&1 || :
connections=$(node cat /proc/sys/net/netfilter/nf_conntrack_count)
on_node << 'END'
for ((i = 0; i < 400; i++)); do ip netns add "other$i"; done
END
[ "$connections" -ge 200000 ] || echo "  (connections: $connections; the kernel's limit is $(cat /proc/sys/net/netfilter/nf_conntrack_max))"

# What keeps the first node is put aside; node_end() ends both.
exec 6>&7
node_begin
# shellcheck disable=SC2034
empty_pid=$node_pid
for ((i = 0; i <= 10; i++)); do
	for which in empty loaded; do
		node_pid=${which}_pid
		node_pid=${!node_pid}
		took "$which.cold" "${inject[@]}" --dst 10.9.0.9:53
		# The node tracks them too: no more than fit beside the others.
		took "$which.sweep" "${inject[@]}" --dst 10.9.0.9 --dport 1-1000 --summary
	done
	[ "$i" -gt 0 ] || rm "$work"/samples/*
done
for which in empty loaded; do derive "$which.ms" 'a * 1000' "$which.cold.wall"; done
against loaded.cold "cold inject" ms loaded.ms "the empty node" empty.ms most 1.2
against loaded.cpu "  of the processor" s loaded.cold.cpu "the empty node" empty.cold.cpu
against loaded.sweep "sweep of 1,000 ports, whole process" s loaded.sweep.wall "the empty node" empty.sweep.wall most 1.2
