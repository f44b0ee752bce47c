/*
 * A source of what another program says: standard input, or a command. What is not there in time is
 * heard as silence and counted; nothing is read ahead of it but by the pipe itself, so that a
 * writer who is in time is not late. See audio/source.h and audio/pipe_end.h.
 */
#pragma once

#include "audio/setup.h"
#include "audio/source.h"

#include "core/base/fault.h"

/* command: NULL for standard input. Errors as pipe_end_open(). */
int pipe_source_open(struct source **out, const struct audio_setup *setup, const char *command,
	struct fault *why);
