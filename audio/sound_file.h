/*
 * A sound file that is being written, 16 bit: WAV, FLAC, Ogg Vorbis or Ogg Opus, as the end of its
 * name says. It can be played at any time, even if the program is killed: of a WAV file the header
 * is right after each write, and in the others what comes is complete in itself, piece by piece.
 * One thread at a time; all of it may take as long as a disk does.
 */
#pragma once

#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sound_file;

/* Whether sound_file_create() without exclusive would go well, as far as can be told without
 * touching anything. Errors and words as there. */
int sound_file_check(const char *path, struct fault *why);

/*
 * Creates path, or empties the file of that name; if exclusive, an existing file is an error
 * (-EEXIST). rate: Hz, 8000..48000; channels: 1 or 2. Other errors, with words in why: -EINVAL if
 * the name does not end in one of the formats, -ENOTSUP for what is no file, or for a rate that the
 * format does not have, -EISDIR, -ENOMEM, and those of the system.
 */
int sound_file_create(struct sound_file **out, const char *path, uint32_t rate, unsigned channels,
	bool exclusive, struct fault *why);

/*
 * Appends count samples a channel; of two channels they alternate, left first. How many of them
 * were taken goes to written. Returns why it were not all: -ENOSPC, -EFBIG, ...; nothing is to be
 * written after.
 */
int sound_file_write(
	struct sound_file *file, const int16_t *samples, size_t count, size_t *written);

/* Ends it and frees file. Returns why what was taken did not get onto the disk, or 0. */
int sound_file_close(struct sound_file *file);
