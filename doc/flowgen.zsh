#compdef flowgen
# SPDX-License-Identifier: GPL-2.0-only
# Zsh completion for flowgen(8). For root it asks `flowgen pods` for names of pods; for others it
# offers the names of network namespaces.

# made by tests/lint/options --write
__flowgen_verbs=(
	'inject:send packets as a pod, and report the outcome and who...'
	'catch:report packets that arrive at a pod'
	'run:send the probes of scenario files, and report what is not...'
	'diff:show which verdicts differ between two runs'
	'pods:list the pods of this host and the programs on their...'
	'check:show what this kernel and these privileges allow'
	'demo:show how it works, on pods of its own'
	'exec:run a command of this host as if it ran in a pod'
	'agent:answer requests in JSON on standard input, for other...'
	'kube:ask over a cluster, with kubectl'
)

__flowgen_inject() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--pod=[The pod]:REF:__flowgen_pods' \
		'--namespace=[The namespace of a pod that is named without one]:NAME: ' \
		'-n+[The namespace of a pod that is named without one]:NAME: ' \
		'--interface=[The device in the pod]:NAME: ' \
		'--from-uplink=-[As if from the network, at this device of the node]::DEV: ' \
		'--await=-[Follow the packet that another node sends with the same...]::DEV: ' \
		'--dst=[The destination]:DESTINATION: ' \
		'--dport=[Destination ports, one probe for each]:PORTS: ' \
		'-p+[Destination ports, one probe for each]:PORTS: ' \
		'--tcp[Send TCP]' \
		'--udp[Send UDP]' \
		'--icmp[Send an ICMP echo request, or its ICMPv6 counterpart]' \
		'--src=[The source address]:ADDR: ' \
		'--spoof[Allow a --src that the pod does not own]' \
		'--sport=[Source ports, used in turn]:PORTS: ' \
		'--method=[auto, peer-egress, bounce, host-ingress or pod-socket]:METHOD:(auto peer-egress bounce host-ingress pod-socket)' \
		'--reply[Wait for the reply and follow it back to the pod'\''s device]' \
		'--deliver[Let the packet enter a destination pod on this host]' \
		'--no-explain[Report only the verdict of a single packet]' \
		'--trace-netfilter[Find the nf_tables rule that drops a packet]' \
		'--force[Send even if the packet would touch a live connection]' \
		'--tidy[Remove the connection tracking entries that the probes...]' \
		'--full-checksum[Compute TCP and UDP checksums]' \
		'--timeout=[Wait this long for a packet'\''s outcome]:TIME: ' \
		'--node-only[Follow packets on this node alone, where one kernel has...]' \
		'--timing-report[Tell on standard error where flowgen'\''s own time went]' \
		'--hold[Get ready, and send the first packet when SIGUSR1 comes]' \
		'--seed=[Seed for the random fields]:N: ' \
		'--host-root=[Look for the host'\''s /run, /var/lib and /proc below this...]:DIR:_files -/' \
		'--ring-size=[Size of the event ring buffer, a power of two]:BYTES: ' \
		'--count=[Probes for each port, or repetitions of the capture]:N: ' \
		'-c+[Probes for each port, or repetitions of the capture]:N: ' \
		'--interval=[Delay between probes]:TIME: ' \
		'-i+[Delay between probes]:TIME: ' \
		'--rate=[Packets per second]:VALUE: ' \
		'--duration=[Stop sending after this time]:TIME: ' \
		'--until=[Repeat one packet until this is met, and report how long...]:WHAT:(allow allowed deny denied delivered forwarded dropped not-sent)' \
		'--pcap=[Send the IP packets of a pcap or pcapng file as the pod,...]:FILE:_files' \
		'--filter=[Send only packets that match this pcap-filter]:EXPR: ' \
		'--timing=[Use the capture'\''s own delays, or those of --interval or...]:VALUE:(fast capture)' \
		'--keep-addresses[Keep the source addresses of the capture]' \
		'--write=[Write the frames to this pcap file, with the Ethernet...]:FILE:_files' \
		'--dry-run[Build, write and report the frames, but send nothing]' \
		'--expect=[Exit with status 1 if this is not met]:WHAT:(allow allowed deny denied delivered forwarded dropped not-sent)' \
		'--control=[A positive control]:VALUE:(tcp udp icmp icmpv6 sctp)' \
		'--output=[One JSON object per line for each probe, or text]:VALUE:(json text jsonl wide oneline)' \
		'-o+[One JSON object per line for each probe, or text]:VALUE:(json text jsonl wide oneline)' \
		'--summary[Print one summary instead of a result for each probe]' \
		'--bytes[Include the frame'\''s bytes in the result]' \
		'--name=[A name for the probes, repeated in the results]:TEXT: ' \
		'--proto=[tcp, udp, icmp]:PROTOCOL:(tcp udp icmp icmpv6 sctp)' \
		'--ttl=[TTL, or IPv6 hop limit]:N: ' \
		'--tos=[DSCP and ECN together as one byte]:N: ' \
		'--dscp=[0 to 63, or cs0 to cs7, af11 to af43, ef]:DSCP:(cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 ef)' \
		'--ecn=[not-ect, ect0, ect1 or ce]:ECN:(not-ect ect0 ect1 ce)' \
		'--id=[IPv4 identification, or the identification in the IPv6...]:N: ' \
		'--df=[Don'\''t fragment]:VALUE:(on off)' \
		'--reserved-flag[Set the reserved bit next to DF and MF]' \
		'--flow-label=[IPv6 flow label]:N: ' \
		'--fragment=[Split into fragments with SIZE bytes of data each, a...]:SIZE: ' \
		'--fragment-offset=[Send one fragment that starts at this offset, a multiple...]:BYTES: ' \
		'--more-fragments[Set the more-fragments flag]' \
		'*--ip-option=[IPv4 options as bytes, padded to a multiple of 4]:HEX: ' \
		'*--ext-header=[An IPv6 extension header]:NAME:(hop-by-hop destination fragment)' \
		'--trace-id=[Put a trace ID into an IPv4 option, for tools that follow it]:N: ' \
		'--trace-option=[IPv4 option type of the trace ID]:TYPE: ' \
		'--trace-length=[Length of the trace ID in bytes]:VALUE:(2 4 8)' \
		'--flags=[TCP flags]:LETTERS:(S SA A PA FA R RA none)' \
		'--seq=[TCP sequence number]:N: ' \
		'--ack=[TCP acknowledgment number]:N: ' \
		'--window=[TCP window]:N: ' \
		'--urgent=[TCP urgent pointer]:N: ' \
		'--mss=[TCP maximum segment size]:VALUE:(on off)' \
		'--wscale=[TCP window scale]:VALUE:(on off)' \
		'--sack=[TCP SACK-permitted]:VALUE:(on off)' \
		'--timestamps=[TCP timestamps]:VALUE:(on off)' \
		'*--tcp-option=[More TCP options as bytes, after the usual ones]:HEX: ' \
		'--icmp-type=[ICMP type, a number or name]:TYPE:(echo-request echo-reply)' \
		'--icmp-code=[ICMP code, a number or name]:CODE: ' \
		'--icmp-id=[Echo identifier]:N: ' \
		'--icmp-seq=[Echo sequence number]:N: ' \
		'--icmp-rest=[The 4 bytes after the checksum]:N: ' \
		'--sctp-chunk=[Type of the chunk, a number or name]:TYPE:(init init-ack data sack shutdown abort)' \
		'--sctp-flags=[Flags of the chunk]:N: ' \
		'--sctp-tag=[Verification tag]:N: ' \
		'--sctp-init-tag=[Initiate tag of init and init-ack]:N: ' \
		'--sctp-tsn=[TSN of init, init-ack, data, sack and shutdown]:N: ' \
		'--sctp-window=[Receiver window of init, init-ack and sack]:N: ' \
		'--sctp-out-streams=[Outbound streams of init and init-ack]:N: ' \
		'--sctp-in-streams=[Inbound streams of init and init-ack]:N: ' \
		'--sctp-stream=[Stream identifier of data]:N: ' \
		'--sctp-stream-seq=[Stream sequence number of data]:N: ' \
		'--sctp-ppid=[Payload protocol identifier of data]:N: ' \
		'--payload=[The bytes after the headers]:VALUE: ' \
		'--size=[A payload of this many bytes]:BYTES: ' \
		'--dns=[A DNS query as payload]:NAME: ' \
		'--http=[An HTTP request as payload, for /path or http]:METHOD: ' \
		'--bad-checksum[Send a wrong transport checksum]' \
		'--bad-ip-checksum[Send a wrong IPv4 header checksum]' \
		'--checksum=[Transport checksum to send]:N: ' \
		'--ip-checksum=[IPv4 header checksum]:N: ' \
		'--ip-version=[Version field of the IP header]:N: ' \
		'--ihl=[IPv4 header length in units of 4 bytes]:N: ' \
		'--total-length=[IPv4 total length]:N: ' \
		'--payload-length=[IPv6 payload length]:N: ' \
		'--data-offset=[TCP header length in units of 4 bytes]:N: ' \
		'--tcp-reserved=[The four bits between data offset and flags]:N: ' \
		'--udp-length=[UDP length]:N: ' \
		'--sctp-length=[Length of the SCTP chunk]:N: ' \
		'--checksum-offload[Leave the transport checksum to the device, as a pod'\''s...]' \
		'--gso=[Send a super-packet that the kernel cuts into segments...]:SIZE: ' \
		'1:pod:__flowgen_pods' '*:: : '
}

__flowgen_catch() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--pod=[The pod that the packets arrive at]:REF:__flowgen_pods' \
		'--interface=[The device in the pod]:NAME: ' \
		'--host-root=[Look for the host'\''s /run, /var/lib and /proc below this...]:DIR:_files -/' \
		'--trace-id=[Packets with this trace ID, or with any trace ID, in an...]:VALUE:(any)' \
		'--trace-option=[The type of that option]:TYPE: ' \
		'--proto=[Packets of this protocol]:PROTO:(tcp udp icmp icmpv6 sctp)' \
		'--src=[Packets from this address, as it is on arrival]:ADDR: ' \
		'--dst=[Packets to this address, as it is on arrival]:ADDR: ' \
		'--sport=[Packets from this port]:PORT: ' \
		'--dport=[Packets to this port]:PORT: ' \
		'-p+[Packets to this port]:PORT: ' \
		'--intercept[Keep the packets from the pod'\''s stack]' \
		'--pass[Let the packets continue to the pod'\''s stack]' \
		'--count=[Stop after this many packets, and let later ones pass]:N: ' \
		'-c+[Stop after this many packets, and let later ones pass]:N: ' \
		'--duration=[Stop after this time]:TIME: ' \
		'--output=[One JSON object or one line of text for each packet]:VALUE:(json text jsonl wide oneline)' \
		'-o+[One JSON object or one line of text for each packet]:VALUE:(json text jsonl wide oneline)' \
		'1:pod:__flowgen_pods' '*:: : '
}

__flowgen_run() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'*--set=[Set one of the files'\'' variables]:VAR: ' \
		'--only=[Send only probes whose name contains PATTERN, and their...]:PATTERN: ' \
		'--blocks=[Send only these blocks of the probes]:LIST: ' \
		'--repeat=[Send all probes this many times]:N: ' \
		'--watch[Repeat until interrupted, and report changes]' \
		'--interval=[Delay between rounds]:TIME: ' \
		'--heartbeat=[Delay between signs of life]:TIME: ' \
		'--parallel=[Maximum number of probes in flight]:N: ' \
		'--fail-fast[Stop at the first probe that does not meet its expectation]' \
		'--strict[Report a probe that cannot be sent as a failure]' \
		'--force[Send a probe even if a socket of its pod uses its source...]' \
		'--await[Await what another node sends by this file and --seed]' \
		'--node-only[Follow packets on this node alone, where one kernel has...]' \
		'--allow-exec[Let the files run commands of this host]' \
		'--validate[Only check the files, on any machine and without privileges]' \
		'--list[Only list the probes of the files, and what is expected]' \
		'--timeout=[Wait this long for a packet'\''s outcome]:TIME: ' \
		'--seed=[Seed for the random fields]:N: ' \
		'--host-root=[Look for the host'\''s /run, /var/lib and /proc below this...]:DIR:_files -/' \
		'--ring-size=[Size of the event ring buffer, a power of two]:BYTES: ' \
		'--output=[The format on standard output]:VALUE:(json text jsonl wide oneline tap junit)' \
		'-o+[The format on standard output]:VALUE:(json text jsonl wide oneline tap junit)' \
		'--json=[Also write JSON to a file]:FILE:_files' \
		'--tap=[Also write TAP to a file]:FILE:_files' \
		'--junit=[Also write JUnit XML to a file]:FILE:_files' \
		'--metrics=[Also write metrics]:FILE:_files' \
		'--report=[Draw the matrices in one self-contained HTML file]:FILE:_files' \
		'--record[Print the scenario with the observed results in place of...]' \
		'*:file:_files'
}

__flowgen_diff() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--pods[Compare one pod'\''s results with another'\''s, by what was asked]' \
		'--output=[Output format]:VALUE:(json text jsonl wide)' \
		'-o+[Output format]:VALUE:(json text jsonl wide)' \
		'*:file:_files'
}

__flowgen_pods() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--host-root=[Look for the host'\''s /run, /var/lib and /proc below this...]:DIR:_files -/' \
		'--output=[One JSON object per line for each pod, or aligned columns]:VALUE:(json text jsonl wide)' \
		'-o+[One JSON object per line for each pod, or aligned columns]:VALUE:(json text jsonl wide)' \
		'*:: : '
}

__flowgen_check() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--output=[Output format]:VALUE:(json text jsonl wide)' \
		'-o+[Output format]:VALUE:(json text jsonl wide)' \
		'*:: : '
}

__flowgen_demo() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--keep[Leave the pods up, with names on this host, for more...]' \
		'--down[Remove what --keep left]' \
		'*:: : '
}

__flowgen_exec() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--pod=[The pod that the command is, for the network]:REF:__flowgen_pods' \
		'--interface=[The device in the pod]:NAME: ' \
		'--from-uplink=-[As if from the network, at this device of the node]::DEV: ' \
		'--src=[The address that the command has]:ADDR: ' \
		'--host-root=[Look for the host'\''s /run, /var/lib and /proc below this...]:DIR:_files -/' \
		'--method=[auto, peer-egress, host-ingress or bounce]:METHOD:(auto peer-egress bounce host-ingress pod-socket)' \
		'--dns=[Look up names as the pod does, as the host does, or at...]:VALUE: ' \
		'--env-from-pod[Give the command the environment of the pod'\''s container]' \
		'--cgroup=[Run it in flowgen'\''s cgroup or in the pod'\''s]:VALUE:(own pod)' \
		'--timeout=[End the command after this time]:TIME: ' \
		'--report=[Report each flow]:VALUE: ' \
		'--expect=[Exit with 0 if allow or deny holds for all flows, 1 if...]:EXPECT:(allow deny any)' \
		'1:pod:__flowgen_pods' '*:: : '
}

__flowgen_agent() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--parallel=[Run this many requests at a time]:N: ' \
		'--deadline=[End after this time]:TIME: ' \
		'--idle=[End if the client says nothing for this time]:TIME: ' \
		'--grace=[Kill a cancelled request that has not ended after this time]:TIME: ' \
		'--node=[The node'\''s name, for the first line]:NAME: ' \
		'--hold[Read nothing, and wait]' \
		'--host-root=[Look for the host'\''s /run, /var/lib and /proc below this...]:DIR:_files -/' \
		'*:: : '
}

__flowgen_kube() {
	_arguments -s -S \
		'--help[Show help]' \
		'--quiet[Print no warnings]' \
		'--verbose[Print more]' \
		'--usage[Show the usage]' \
		'--color=[When to use colour]:WHEN:(auto always never)' \
		'--context=[The context of the kubeconfig file]:NAME: ' \
		'--kubeconfig=[The kubeconfig file]:FILE:_files' \
		'--cluster=[The cluster of the kubeconfig file]:NAME: ' \
		'--user=[The user of the kubeconfig file]:NAME: ' \
		'--server=[The address of the API server]:URL: ' \
		'--as=[Act as this user]:USER: ' \
		'--as-group=[Act as a member of this group]:GROUP: ' \
		'--request-timeout=[How long kubectl waits for one answer]:TIME: ' \
		'--namespace=[The namespace of names without one]:NAME: ' \
		'-n+[The namespace of names without one]:NAME: ' \
		'--all-namespaces[All namespaces, for pods, check and run --record]' \
		'-A[All namespaces, for pods, check and run --record]' \
		'--selector=[Only pods with these labels, for pods, check and run...]:LABELS: ' \
		'-l+[Only pods with these labels, for pods, check and run...]:LABELS: ' \
		'--every-pod[run --record without a file]' \
		'--cluster-domain=[What names of services end with]:NAME: ' \
		'--pod=[The sender]:REF:__flowgen_pods' \
		'--dst=[The receiver]:REF: ' \
		'--agent=[Make a pod on each node that is needed, and remove it at...]:VALUE:(pod daemonset)' \
		'--agent-namespace=[Where agents run]:NAME: ' \
		'--image=[Their image]:IMAGE: ' \
		'--agent-deadline=[Then the kubelet ends the agents'\'' pods, also those in use]:TIME: ' \
		'--start-timeout=[Wait this long for a pod to start]:TIME: ' \
		'--kube-timeout=[Wait this long for an answer of kubectl]:TIME: ' \
		'--requests=[Requests at a time, on all nodes]:N: ' \
		'*:: : '
}
# end of what is made

__flowgen_pods() {
	local -a pods
	pods=(/run/netns/*(N:t))
	((EUID)) || pods+=(${${(f)"$(timeout 3 $__flowgen_command pods --output text 2> /dev/null)"}[2,-1]%% *})
	compadd -a pods
}

_flowgen() {
	local state __flowgen_command=$words[1]
	_arguments -C '1:verb:->verb' '*::argument:->rest'
	case $state in
	verb) _describe verb __flowgen_verbs && return ;;
	rest)
		local verb=$words[1]
		((! $+functions[__flowgen_$verb])) || __flowgen_$verb
		;;
	esac
}

[[ $funcstack[1] != _flowgen ]] || _flowgen "$@"
