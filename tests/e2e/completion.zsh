# completion.zsh COMPLETION FILE LINE: what zsh's own completion system offers at the end of LINE, a word a line, into
# FILE. zsh completes only in an interactive shell: this one has a terminal of its own (zsh/zpty).
zmodload zsh/zpty || exit 1
typeset completion=$1 offered=$2 line=$3
: > $offered
zpty shell zsh -f -i
zpty -w shell "PROMPT= ; autoload -Uz compinit; compinit -u -D; autoload -Uz +X _arguments _describe"
zpty -w shell "OFFERED=${(q)offered}; source ${(q)completion}; compdef _flowgen flowgen"
# Each word that would be added is noted instead.
zpty -w shell 'compadd() {
	local -a hits
	if (( ${@[(I)-[OAD]]} )); then builtin compadd "$@"; return; fi
	builtin compadd -A hits "$@"
	(( $#hits )) && print -rl -- $hits >> $OFFERED
	builtin compadd "$@"
}'
zpty -w shell 'note() { print END >> $OFFERED }; comppostfuncs=(note); LISTMAX=0; print READY'
while zpty -r shell answer 2> /dev/null; do [[ $answer != READY* ]] || break; done
zpty -w -n shell "$line"$'\t'
for i in {1..100}; do
	[[ $(< $offered) != *END* ]] || break
	sleep .1
done
zpty -d shell
