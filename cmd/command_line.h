/*
 * From what is typed to a command with its arguments, or to words about what is wrong and where.
 * Words are cut at spaces; "double" and 'single' quotes keep them together, a backslash takes the
 * next character as it is (not within single quotes). Pure functions: any thread.
 */
#pragma once

#include "cmd/command.h"

enum { COMMAND_WORDS_MAX = 32 };

/* A word of a line. */
struct command_word {
	struct slice text; /* without quotes and backslashes, in room of the caller */
	size_t at;         /* where it begins in the line, in bytes */
	size_t end;        /* behind its last byte in the line */
	bool quoted;
};

/*
 * Cuts line into words, at most COMMAND_WORDS_MAX; their text goes to room, of at least as many
 * bytes as line. A comment, "#" at the beginning of the line or after a space unless a digit
 * follows, ends it. -EINVAL with words and at: a quote is not closed; too many words.
 */
int command_cut(struct command_word *words, size_t *count, char *room, const char *line,
	struct fault *why, size_t *at);

/* Whether such a line ends in "&": nobody waits for it. */
bool command_is_behind(const struct command_word *words, size_t count);

/*
 * Reads line, whose words are given, into a run: its command, values, line. Where run->command is
 * set already, all words are its arguments. The values borrow from
 * the words. behind: command_is_behind(). -EINVAL with words in why and at the place in line.
 */
int command_parse(struct command_run *run, bool *behind, const char *line,
	const struct command_word *words, size_t count, struct fault *why, size_t *at);

/* Reads one value of a kind, as the arguments of commands are. -EINVAL with words, without a
 * caret. text is what value->text is then. */
int command_read(
	struct command_value *value, enum command_kind kind, struct slice text, struct fault *why);
