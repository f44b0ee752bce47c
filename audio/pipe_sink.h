/*
 * A sink into another program: standard output, or a command. Its reader may be slow for a second;
 * what it does not read then is dropped, counted, and told at the end. See audio/sink.h and
 * audio/pipe_end.h.
 */
#pragma once

#include "audio/setup.h"
#include "audio/sink.h"

#include "core/base/fault.h"

/* command: NULL for standard output. Errors as pipe_end_open(). */
int pipe_sink_open(
	struct sink **out, const struct audio_setup *setup, const char *command, struct fault *why);
