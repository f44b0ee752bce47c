/*
 * What a source and a sink of a pipe have in common: our end of it, what a person calls it, and
 * what is said of a command that fails. In a pipe there are samples of 16 bits, mono, the low byte
 * first, at the pipe_rate of the setup. On the loop's thread once it is open.
 */
#pragma once

#include "audio/setup.h"
#include "core/base/fault.h"
#include "core/base/loop.h"

#include <stdbool.h>

enum { PIPE_NAME_SIZE = 160 };

struct pipe_end {
	struct audio_setup setup;
	struct pipe *pipe;
	bool command;
	bool exited; /* which was told, if it */
	bool failed;
	char name[PIPE_NAME_SIZE];
};

/* command: NULL for standard input or output. Errors as loop_pipe_command(), with words. */
int pipe_end_open(struct pipe_end *out, const struct audio_setup *setup, enum pipe_way way,
	const char *command, struct fault *why);

/* Tells once of a command that has failed. */
void pipe_end_tell(struct pipe_end *end, const struct pipe_exit *exit);

/* Whether it has a command that has ended; if so, and if it failed, that is told. */
bool pipe_end_exited(struct pipe_end *end);
