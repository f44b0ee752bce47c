/*
 * A source that plays a file of any format, rate and number of channels that libsndfile reads, as
 * mono at the stream's rate. Its first second is read when it is opened; each further one is read
 * ahead as the loop's work, so a slow disk is heard as silence (and counted) and delays nobody. It
 * belongs to the thread of its loop. See audio/source.h.
 */
#pragma once

#include "audio/source.h"

#include "core/base/fault.h"

struct loop;

/*
 * Sees that path is a file with sound in it. Returns 0, or with words in why: -ENOENT, -EACCES or
 * another error of the system, -EISDIR, -ENOTSUP for what is no file (a pipe), -EPROTO for what is
 * no audio, -ENODATA for audio that lasts no time. It reads from the disk.
 */
int file_source_check(const char *path, struct fault *why);

/* Errors as file_source_check(), and -ENOMEM. rate: Hz, 8000..48000. */
int file_source_open(
	struct source **out, struct loop *loop, const char *path, uint32_t rate, struct fault *why);
