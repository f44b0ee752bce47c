/*
 * Records a call as one stereo sound file: left the near end, right the far end. The two sides come
 * each in its own time; they are kept in step by their counts, and one that lags behind, because it
 * is muted or lost, is filled up with silence. It belongs to the thread of its loop.
 */
#pragma once

#include "audio/file_writer.h"
#include "core/base/text.h"

struct recorder;

enum { RECORDER_SKEW_MS = 200 }; /* how far one side may be behind the other */

/* Never overwrites: -EEXIST. rate: Hz, 8000..48000. Other errors as sound_file_create(). */
int recorder_new(struct recorder **out, struct loop *loop, const char *path, uint32_t rate,
	struct fault *why);

/* The next count samples of each side. */
void recorder_near(struct recorder *recorder, const int16_t *samples, size_t count);
void recorder_far(struct recorder *recorder, const int16_t *samples, size_t count);

/* As file_writer_close(), which is done with this writer. done may be NULL. */
void recorder_close(struct recorder *recorder, file_writer_done *done, void *arg);

/*
 * Appends to out what pattern makes: %n the call's number, %t the time wall_ns (since 1970) in UTC
 * as 20261120-230000, %p the peer with everything in it replaced that does not belong into a file
 * name,
 * %% a percent sign. Returns -EINVAL for another %, and -ENAMETOOLONG if out is too small, with
 * words.
 */
int audio_record_name(struct text *out, struct slice pattern, unsigned number, uint64_t wall_ns,
	struct slice peer, struct fault *why);
