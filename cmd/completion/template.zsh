#compdef sipcall
# Completion of sipcall for zsh, made from the program's own tables.

# The words given; one that ends in a colon goes on, and behind "file:" and "exec:" files and
# commands do.
_sipcall_offer()
{
	if compset -P 'file:'; then
		_files
	elif compset -P 'exec:'; then
		_command_names -e
	else
		compadd -S '' -- ${(M)@:#*:}
		compadd -- ${@:#*:}
	fi
}

# @tables@
