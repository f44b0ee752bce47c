/*
 * Writes a WAV file, 16 bit, beside the call: samples gather in blocks of half a second, and the
 * loop's work takes them to the disk in order, however slow that is. What a bounded queue cannot
 * hold is dropped and counted. The header is right after each block, so even a killed program
 * leaves a file that plays. The writer belongs to the thread of its loop.
 */
#pragma once

#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct wav_writer;

enum { WAV_QUEUE_BLOCKS = 16 }; /* 8 s of a disk that stands still */

/*
 * Creates path, or empties the file of that name; if exclusive, an existing file is an error
 * (-EEXIST). rate: Hz, 8000..48000; channels: 1 or 2. Other errors: those of the system, -EISDIR,
 * -ENOTSUP for what is no file, -ENOMEM; with words in why.
 */
int wav_writer_open(struct wav_writer **out, struct loop *loop, const char *path, uint32_t rate,
	unsigned channels, bool exclusive, struct fault *why);

/* Whether wav_writer_open() without exclusive would go well, as far as can be told without touching
 * anything. Errors and words as there. */
int wav_writer_check(const char *path, struct fault *why);

/* Takes count samples a channel; of two channels they alternate, left first. Not after close. */
void wav_writer_write(struct wav_writer *writer, const int16_t *samples, size_t count);

/* Samples a channel that did not get onto the disk. */
uint64_t wav_writer_dropped(const struct wav_writer *writer);

/*
 * written and dropped: samples a channel. err: why some did not get onto the disk, once it stopped
 * taking them: -ENOSPC, -EFBIG, ...; -ENOBUFS if it only was too slow; 0 if nothing was dropped.
 */
typedef void wav_writer_done(void *arg, int err, uint64_t written, uint64_t dropped);

/* Writes what is left, then calls done once on the loop's thread, never before this returns. The
 * writer is gone then. done may be NULL. */
void wav_writer_close(struct wav_writer *writer, wav_writer_done *done, void *arg);
