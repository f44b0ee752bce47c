/* A sink that writes a sound file, mono, beside the call. See audio/sink.h and audio/file_writer.h.
 */
#pragma once

#include "audio/sink.h"

#include "core/base/fault.h"

struct loop;

/* Creates path, or overwrites it. Errors as sound_file_create(). */
int file_sink_open(
	struct sink **out, struct loop *loop, const char *path, uint32_t rate, struct fault *why);
