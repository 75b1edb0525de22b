# shellcheck shell=bash disable=SC2154  # sourced by run
heading "50,000 super-packets of TCP, 60,000 bytes each"
. "$here/bare_pair.sh"
count=50000
for ((i = 0; i < 7; i++)); do
	bare bare gso "$count"
	took own "$flowgen" inject --pod netns:web --proto tcp --flags PA --gso 1000 --size 60000 --dst 10.9.0.9:53 --count "$count" --summary
	sample own "$(lasted)"
	sample inconclusive "$(jq .outcomes.inconclusive.count "$work/out")"
done
derive gso.own "$count * 60000 * 8 / a / 1e9" own
derive gso.bare "$count * 60000 * 8 / a / 1e9" bare
against gso "observed, with --count and --summary" Gbit/s gso.own "a bare loop" gso.bare least 0.5
figure gso.inconclusive "inconclusive" packets inconclusive most 0
