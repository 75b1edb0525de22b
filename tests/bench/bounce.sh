# shellcheck shell=bash disable=SC2154  # sourced by run, and uses what is defined there
echo "Processor time of a sweep of 65,535 ports by each method, against host-ingress (the same pod, nothing on its own side):"
# cpu METHOD...: of each the median of five runs, by turns, in seconds; a method that the kernel lacks has none.
cpu() {
	local i method
	for i in 1 2 3 4 5; do
		for method; do
			node /usr/bin/time -o "$work/cpu" -f '%U %S' "$flowgen" inject --pod netns:web --method "$method" --dst 10.9.0.9 --proto udp \
				--dport 1-65535 --summary > /dev/null 2> "$work/err" || [ $? = 4 ] || continue
			tail -n 1 "$work/cpu" | awk -v m="$method" '{ print m, $1 + $2 }'
		done
	done | sort -k1,1 -k2,2n | awk '{ v[$1] = v[$1] " " $2 } END { for (m in v) { split(v[m], a, " "); print m, a[3] } }'
}
cpu host-ingress bounce peer-egress pod-socket > "$work/methods"
plain=$(awk '$1 == "host-ingress" { print $2 }' "$work/methods")
while read -r method taken; do
	printf '%-58s %10.2f  %s\n' "$method, packets for the same time" "$(ratio "$plain" "$taken")" "($taken s)"
done < "$work/methods"
at_least "bounce, of host-ingress" "$(ratio "$plain" "$(awk '$1 == "bounce" { print $2 }' "$work/methods")")" 0.6
