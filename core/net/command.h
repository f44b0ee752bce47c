/*
 * A command of the shell that runs beside us, in a process group of its own: what a key at the
 * terminal ends is not for it. A plain value; one thread at a time.
 */
#pragma once

#include "core/base/loop.h"

#include <sys/types.h>

struct command {
	pid_t pid; /* 0: there is none, or it has ended and was reaped */
};

/*
 * Runs line with one end of a pipe; our end, which does not block, goes to fd, and is the caller's.
 * The pipe itself holds about room bytes. What the command says by its standard error, and by its
 * standard output where that is not ours, comes out at our standard error. Errors as
 * loop_pipe_command().
 */
int command_start(struct command *out, int *fd, enum pipe_way way, const char *line, size_t room);

/* Runs line with env, reading nothing; what it says comes out at our standard error. */
int command_run(struct command *out, const char *line, char *const env[]);

/* Whether it has ended by now; if so it is reaped, and exit has how. Once. */
bool command_ended(struct command *command, struct pipe_exit *exit);

/* Sends number to all of its group. It has not been reaped. */
void command_signal(const struct command *command, int number);
