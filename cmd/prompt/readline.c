#include "cmd/prompt/readline.h"

#include "core/base/library.h"

#include <stddef.h>

static struct readline library;

int readline_load(const struct readline **out, struct fault *why)
{
	static const struct library_symbol symbols[] = {
		{"rl_initialize", offsetof(struct readline, initialize)},
		{"rl_callback_handler_install", offsetof(struct readline, install)},
		{"rl_callback_handler_remove", offsetof(struct readline, remove)},
		{"rl_callback_read_char", offsetof(struct readline, read_char)},
		{"rl_callback_sigcleanup", offsetof(struct readline, clean_up)},
		{"rl_free_line_state", offsetof(struct readline, free_line_state)},
		{"rl_replace_line", offsetof(struct readline, replace_line)},
		{"rl_bind_key", offsetof(struct readline, bind_key)},
		{"rl_variable_value", offsetof(struct readline, variable)},
		{"rl_completion_matches", offsetof(struct readline, completion_matches)},
		{"add_history", offsetof(struct readline, add_history)},
		{"history_get", offsetof(struct readline, history_get)},
		{"stifle_history", offsetof(struct readline, stifle_history)},
		{"using_history", offsetof(struct readline, using_history)},
		{"rl_clear_history", offsetof(struct readline, clear_history)},
		{"history_base", offsetof(struct readline, history_base)},
		{"history_length", offsetof(struct readline, history_length)},
		{"rl_readline_name", offsetof(struct readline, name)},
		{"rl_readline_state", offsetof(struct readline, state)},
		{"rl_line_buffer", offsetof(struct readline, line)},
		{"rl_point", offsetof(struct readline, point)},
		{"rl_end", offsetof(struct readline, end)},
		{"rl_display_prompt", offsetof(struct readline, prompt)},
		{"rl_attempted_completion_function", offsetof(struct readline, attempt)},
		{"rl_attempted_completion_over", offsetof(struct readline, attempt_over)},
		{"rl_completion_word_break_hook", offsetof(struct readline, word_breaks)},
		{"rl_completer_quote_characters", offsetof(struct readline, quotes)},
		{"rl_char_is_quoted_p", offsetof(struct readline, is_quoted)},
		{"rl_completion_quote_character", offsetof(struct readline, open_quote)},
		{"rl_completion_suppress_append", offsetof(struct readline, suppress_append)},
		{"rl_completion_display_matches_hook", offsetof(struct readline, display_matches)},
		{"rl_filename_completion_desired", offsetof(struct readline, are_files)},
		{"rl_filename_quote_characters", offsetof(struct readline, file_quoted)},
		{"rl_filename_quoting_function", offsetof(struct readline, quote_file)},
		{"rl_filename_dequoting_function", offsetof(struct readline, unquote_file)},
		{"rl_outstream", offsetof(struct readline, outstream)},
		{"rl_catch_signals", offsetof(struct readline, catch_signals)},
		{"rl_catch_sigwinch", offsetof(struct readline, catch_sigwinch)},
		{"rl_change_environment", offsetof(struct readline, change_environment)},
		{"rl_getc_function", offsetof(struct readline, getc_function)},
		{"rl_input_available_hook", offsetof(struct readline, input_hook)},
		{"rl_redisplay_function", offsetof(struct readline, redisplay_function)},
		{"rl_prep_term_function", offsetof(struct readline, prep_function)},
		{"rl_deprep_term_function", offsetof(struct readline, deprep_function)},
	};
	int err = library_load(
		&library, "libreadline.so.8", symbols, sizeof(symbols) / sizeof(symbols[0]), why);

	if (!err)
		*out = &library;
	return err;
}
