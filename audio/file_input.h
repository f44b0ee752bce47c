/*
 * A sound file that is read, of any format that libsndfile knows. One thread at a time; all of it
 * may take as long as a disk does.
 */
#pragma once

#include "core/base/fault.h"

#include <stdint.h>

#include <sndfile.h>

enum { FILE_INPUT_CHANNELS_MAX = 64 };

struct file_input {
	int fd;
	SNDFILE *file;
	SF_INFO info; /* rates of RESAMPLE_RATE_MIN to RESAMPLE_RATE_MAX, some frames */
};

/* Errors as file_source_check(). */
int file_input_open(struct file_input *out, const char *path, struct fault *why);

void file_input_close(struct file_input *input);

/* Of what sf_readf_float() gives, whatever is in the file. */
int16_t file_input_sample(float value);
