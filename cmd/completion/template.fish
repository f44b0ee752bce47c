# Completion of sipcall for fish, made from the program's own tables.

# What stands behind "--option=", or the whole word.
function __sipcall_word
    string replace -r -- '^--[^=]*=' '' (commandline -ct)
end

# The words given, and behind "file:" and "exec:" files and commands.
function __sipcall_offer
    set -l word (__sipcall_word)
    switch "$word"
        case 'file:*'
            printf 'file:%s\n' (__fish_complete_path (string replace file: '' -- $word))
        case 'exec:*'
            printf 'exec:%s\n' (complete -C (string replace exec: '' -- $word))
        case '*'
            printf '%s\n' $argv
    end
end

complete -c sipcall -f
# @tables@
