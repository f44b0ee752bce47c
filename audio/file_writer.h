/*
 * Writes a sound file beside the call: samples gather in blocks of half a second, and the loop's
 * work takes them to the disk in order, however slow that is. What a bounded queue cannot hold is
 * dropped and counted. Formats, and that even a killed program leaves a file that plays: see
 * audio/sound_file.h. The writer belongs to the thread of its loop.
 */
#pragma once

#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct file_writer;

enum { FILE_QUEUE_BLOCKS = 16 }; /* 8 s of a disk that stands still */

/* As sound_file_create(). */
int file_writer_open(struct file_writer **out, struct loop *loop, const char *path, uint32_t rate,
	unsigned channels, bool exclusive, struct fault *why);

/* Takes count samples a channel; of two channels they alternate, left first. Not after close. */
void file_writer_write(struct file_writer *writer, const int16_t *samples, size_t count);

/* Samples a channel that did not get onto the disk. */
uint64_t file_writer_dropped(const struct file_writer *writer);

/*
 * written and dropped: samples a channel. err: why some did not get onto the disk, once it stopped
 * taking them: -ENOSPC, -EFBIG, ...; -ENOBUFS if it only was too slow; 0 if nothing was dropped.
 */
typedef void file_writer_done(void *arg, int err, uint64_t written, uint64_t dropped);

/* Writes what is left, then calls done once on the loop's thread, never before this returns. The
 * writer is gone then. done may be NULL. */
void file_writer_close(struct file_writer *writer, file_writer_done *done, void *arg);
