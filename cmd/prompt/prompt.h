/*
 * The prompt: where a person types, on the terminal's thread. Lines above it are the terminal's;
 * what is half typed stays untouched by them. What was typed is handed to its owner there, who
 * leads it on to the agent's thread.
 *
 * Where standard input or the terminal is none, lines are read plainly and one after the other, and
 * nothing is written.
 */
#pragma once

#include "cmd/prompt/complete.h"
#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>

struct prompt;
struct terminal;

enum { PROMPT_LINE_MAX = 8191 }; /* bytes of a line that is read plainly; the rest is left out */

/* All on the terminal's thread. */
struct prompt_events {
	/* A line was entered, without its newline. */
	void (*line)(void *arg, const char *line);
	/* There will be no more lines: Ctrl-D on an empty one, the end of the input. Once. */
	void (*end)(void *arg);
	/* There is no terminal any more, as a SIGHUP tells. Once, and instead of the end. */
	void (*gone)(void *arg);
	/* prompt_interrupt() found nothing typed that could be forgotten. */
	void (*interrupted)(void *arg);
	/* While dialling: '0' to '9', '*', '#', 'A' to 'D'. */
	void (*digit)(void *arg, char digit);
};

struct prompt_config {
	const char *prompt;  /* NULL: "> " */
	const char *history; /* the file that keeps what was typed; NULL: none does */
	bool plain;          /* even on a terminal */
	const struct prompt_events *events;
	void *arg;
};

/*
 * Begins to read at once. config is copied, but for what it points to. The terminal is kept until
 * prompt_free(). With no other thread running yet. -ENOMEM, -EMFILE, with words in why; where
 * readline is missing there is no error: lines are read plainly, and that is told.
 */
int prompt_new(struct prompt **out, struct terminal *terminal, const struct prompt_config *config,
	struct fault *why);

/* Leaves the terminal as it was found. On its thread, with no other left. NULL is allowed. */
void prompt_free(struct prompt *prompt);

/* There are keys, and not only lines. Any thread. */
bool prompt_has_keys(const struct prompt *prompt);

/* Of plain lines: the last one that was handed out is dealt with, and the next may come. Any
 * thread. */
void prompt_next(struct prompt *prompt);

/* Ctrl-C: forgets what is typed, or leaves dialling; or tells that there was nothing. Any thread.
 */
void prompt_interrupt(struct prompt *prompt);

/* Whether somebody rings: then "a" and "r" alone are the lines "answer" and "reject". Any thread.
 */
void prompt_ringing(struct prompt *prompt, bool ringing);

/* Whether keys are digits, each at once; Enter and Escape end that, too. Any thread. */
void prompt_dial(struct prompt *prompt, bool dials);

/* Words that can be completed to, in place of those before. Text from outside as it is. Any thread;
 * with no memory for them, those before stay. */
void prompt_offer(
	struct prompt *prompt, enum complete_list list, const char *const *words, size_t count);

/* Just before _exit(): gives the terminal back, waiting for nothing. Any thread. */
void prompt_abandon(struct prompt *prompt);
