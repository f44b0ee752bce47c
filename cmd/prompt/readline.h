/*
 * GNU readline, loaded when there is somebody to type: its functions, and where its variables are.
 * It has one line for the whole process, so all of it is for one thread.
 */
#pragma once

#include "core/base/fault.h"

#include <stdio.h>

#include <readline/readline.h>

#include <readline/history.h>

struct readline {
	__typeof__(rl_initialize) *initialize;
	__typeof__(rl_callback_handler_install) *install;
	__typeof__(rl_callback_handler_remove) *remove;
	__typeof__(rl_callback_read_char) *read_char;
	__typeof__(rl_callback_sigcleanup) *clean_up;
	__typeof__(rl_free_line_state) *free_line_state;
	__typeof__(rl_replace_line) *replace_line;
	__typeof__(rl_bind_key) *bind_key;
	__typeof__(rl_variable_value) *variable;
	__typeof__(rl_completion_matches) *completion_matches;
	__typeof__(add_history) *add_history;
	__typeof__(history_get) *history_get;
	__typeof__(stifle_history) *stifle_history;
	__typeof__(using_history) *using_history;
	__typeof__(rl_clear_history) *clear_history;

	__typeof__(history_base) *history_base;
	__typeof__(history_length) *history_length;
	__typeof__(rl_readline_name) *name;
	__typeof__(rl_readline_state) *state;
	__typeof__(rl_line_buffer) *line;
	__typeof__(rl_point) *point;
	__typeof__(rl_end) *end;
	__typeof__(rl_display_prompt) *prompt;
	__typeof__(rl_attempted_completion_function) *attempt;
	__typeof__(rl_attempted_completion_over) *attempt_over;
	__typeof__(rl_completion_word_break_hook) *word_breaks;
	__typeof__(rl_completer_quote_characters) *quotes;
	__typeof__(rl_char_is_quoted_p) *is_quoted;
	__typeof__(rl_completion_quote_character) *open_quote;
	__typeof__(rl_completion_suppress_append) *suppress_append;
	__typeof__(rl_completion_display_matches_hook) *display_matches;
	__typeof__(rl_filename_completion_desired) *are_files;
	__typeof__(rl_filename_quote_characters) *file_quoted;
	__typeof__(rl_filename_quoting_function) *quote_file;
	__typeof__(rl_filename_dequoting_function) *unquote_file;
	__typeof__(rl_outstream) *outstream;
	__typeof__(rl_catch_signals) *catch_signals;
	__typeof__(rl_catch_sigwinch) *catch_sigwinch;
	__typeof__(rl_change_environment) *change_environment;
	__typeof__(rl_getc_function) *getc_function;
	__typeof__(rl_input_available_hook) *input_hook;
	__typeof__(rl_redisplay_function) *redisplay_function;
	__typeof__(rl_prep_term_function) *prep_function;
	__typeof__(rl_deprep_term_function) *deprep_function;
};

/* -ENOENT with words if it is not installed, -ENOSYS if it is too old. */
int readline_load(const struct readline **out, struct fault *why);
