# Completion of sipcall for bash, made from the program's own tables.
# shellcheck shell=bash

# Readline breaks the line at ":" and "=" as well, and tells of each piece: what belongs together is
# read from the line here. To the word at the cursor, without quotes; the one before it; the quote
# that is open, and where in the word it was opened.
_sipcall_split()
{
	local line=${COMP_LINE:0:COMP_POINT} i c
	before='' word='' quote='' opened=0
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		if [[ $c == \\ && $quote != \' ]]; then
			i=$((i + 1))
			word+=${line:i:1}
		elif [[ -n $quote && $c == "$quote" ]]; then
			quote=''
		elif [[ -z $quote && $c == [\'\"] ]]; then
			quote=$c
			opened=${#word}
		elif [[ -z $quote && $c == [[:blank:]] ]]; then
			[[ -z $word ]] || before=$word
			word=''
		else
			word+=$c
		fi
	done
}

# What readline has of the word is what stands behind the last break, or behind the open quote.
_sipcall_cut()
{
	local i cut=${word%"${word##*[:=]}"}
	[[ -z $quote ]] || cut=${word:0:opened}
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
	done
}

# Those of words that go on as the word does, behind prefix. Lines of several words need a quote.
_sipcall_offer()
{
	local one
	for one in "${words[@]}"; do
		[[ $prefix$one == "$word"* ]] || continue
		[[ -n $quote || $one != *' '* ]] || continue
		COMPREPLY+=("$prefix$one")
	done
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *: ]] || compopt -o nospace
}

# The same of a list, without what stands in it already.
_sipcall_offer_list()
{
	local have=,${word#"$prefix"} one left=()
	have=${have%,*},
	for one in "${words[@]}"; do
		[[ $have == *,"$one",* ]] || left+=("$one")
	done
	words=("${left[@]}")
	[[ $word != *,* ]] || prefix=${word%,*},
	compopt -o nospace
	_sipcall_offer
}

# @tables@

_sipcall()
{
	local before word quote opened option prefix='' takes='' words=()
	COMPREPLY=()
	_sipcall_split
	option=$before
	if [[ $word == --*=* ]]; then
		option=${word%%=*}=
		prefix=$option
	fi
	_sipcall_value
	if [[ -z $takes && -z $prefix && $word == -* ]]; then
		words=("${_sipcall_options[@]}")
		_sipcall_offer
	elif [[ $takes == files || $takes == words && $word == "$prefix"file:* ]]; then
		compopt -o default # readline's own way with files
	elif [[ $takes == words && $word == "$prefix"exec:* ]]; then
		prefix+=exec:
		mapfile -t words < <(compgen -c -- "${word#"$prefix"}")
		_sipcall_offer
	elif [[ $takes == words ]]; then
		_sipcall_offer
	elif [[ $takes == list ]]; then
		_sipcall_offer_list
	fi
	_sipcall_cut
}
complete -F _sipcall sipcall
