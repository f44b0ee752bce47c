/*
 * The prompt's end on the agents' thread: what was typed becomes commands, what they show goes to
 * the terminal, and the prompt is told what could be typed next.
 */
#pragma once

#include "cmd/queue.h"

struct console;
struct prompt;

struct console_config {
	struct desk *desk;
	struct prompt *prompt;
	/* How each line ended, for a person. */
	void (*ended)(void *arg, const struct queue_result *result);
	void *arg;
};

/* What config points to is kept alive by the caller. -ENOMEM. */
int console_new(struct console **out, const struct console_config *config);

/* NULL is allowed. */
void console_free(struct console *console);

/* A line was entered. */
void console_line(struct console *console, const char *line);

/* A digit was dialled: it is kept with the call that dial was for. */
void console_digit(struct console *console, char digit);

/* Ctrl-C, and nothing was typed that it could be for: appends what would help, or nothing. */
void console_advise(struct text *out, const struct console *console);
