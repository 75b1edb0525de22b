# shellcheck shell=bash disable=SC2154  # sourced by run
heading "Processor time of a sweep of 65,535 ports by each method (the same pod, nothing on its own side)"
methods=()
for method in host-ingress bounce peer-egress pod-socket; do
	# A method that the kernel lacks has none.
	if node "$flowgen" inject --pod netns:web --method "$method" --dst 10.9.0.9:53 --proto udp > /dev/null 2>&1; then methods+=("$method"); fi
done
for ((i = 0; i < 7; i++)); do
	for method in "${methods[@]}"; do
		took "$method" "$flowgen" inject --pod netns:web --method "$method" --dst 10.9.0.9 --proto udp --dport 1-65535 --summary
	done
done
figure method.host-ingress host-ingress s host-ingress.cpu
for method in "${methods[@]:1}"; do
	limit=()
	[ "$method" != bounce ] || limit=(most 1.67)
	against "method.$method" "$method" s "$method.cpu" host-ingress host-ingress.cpu "${limit[@]}"
done
