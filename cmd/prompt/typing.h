/*
 * What a person does at the prompt, on its way from the terminal's thread to the agents'. Made and
 * freed by the terminal's thread while there is no other.
 */
#pragma once

#include "cmd/prompt/prompt.h"

struct loop;

/* On the agents' thread. */
struct typing_events {
	void (*line)(void *arg, const char *line);
	void (*end)(void *arg);               /* nothing more will be typed */
	void (*gone)(void *arg);              /* there is no terminal any more */
	void (*digit)(void *arg, char digit); /* while keys are digits (prompt_dial()) */
	void (*interrupted)(void *arg); /* Ctrl-C, and nothing was typed that it could be for */
};

struct typing_config {
	struct terminal *terminal;
	struct loop *agent_loop;
	bool plain; /* as prompt_config has it */
	const struct typing_events *events;
	void *arg;
};

struct typing;

/* Begins to read. What config points to is kept alive by the caller. Errors as prompt_new(). */
int typing_new(struct typing **out, const struct typing_config *config, struct fault *why);

/* NULL is allowed. */
void typing_free(struct typing *typing);

struct prompt *typing_prompt(struct typing *typing);
