/*
 * Sources and sinks by the names that people write: "file:speech.wav", "tone:440", "silence",
 * "null". The table of kinds is here and nowhere else. See audio/source.h and audio/sink.h for what
 * is got.
 *
 * Errors: -EINVAL for what is misspelt or cannot be, in whatever place; anything else says that a
 * file is not as it should be (audio/file_source.h, audio/sound_file.h). why has the words.
 */
#pragma once

#include "audio/setup.h"
#include "audio/sink.h"
#include "audio/source.h"
#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>

/* How each kind of source or sink is written: "default", "file:PATH". NULL behind the last. */
const char *audio_source_form(size_t i);
const char *audio_sink_form(size_t i);

/* Whether spec names a source that can be had: for a file, that it is there and has sound in it. It
 * reads from the disk. */
int audio_source_check(struct slice spec, struct fault *why);

/* Whether spec names the loudspeaker of a device, before which a person may be. */
bool audio_sink_is_device(struct slice spec);

/* Whether spec is "default", which is silence where there is no device. */
bool audio_is_default(struct slice spec);

/* Whether spec is the word "loop": to send back what is heard, which is for the caller to do. */
bool audio_source_is_loop(struct slice spec);

/* Whether the source spec may be over before the call is. */
bool audio_source_ends(struct slice spec);

/* Whether the samples of spec, a source or a sink, have the pipe_rate. */
bool audio_is_pipe(struct slice spec);

/* Opens spec, which is not "loop". */
int audio_source_open(
	struct source **out, const struct audio_setup *setup, struct slice spec, struct fault *why);

/* Whether spec names a sink that can be had; nothing is created. */
int audio_sink_check(struct slice spec, struct fault *why);

/* Opens spec. A file is created or overwritten. */
int audio_sink_open(
	struct sink **out, const struct audio_setup *setup, struct slice spec, struct fault *why);
