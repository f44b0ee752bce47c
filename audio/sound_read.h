/*
 * A whole sound file in memory, mono, 16 bit, at a rate of one's choice. Any thread; it takes as
 * long as a disk does.
 */
#pragma once

#include "core/base/fault.h"

#include <stddef.h>
#include <stdint.h>

enum { SOUND_READ_MAX_S = 600 }; /* what comes behind that is not read */

/*
 * samples are for the caller to free(). Of two channels the right one, which in recordings of calls
 * is the far end; of more, all as one. Errors as file_source_check(), and -ENOMEM.
 */
int sound_read(
	int16_t **samples, size_t *count, const char *path, uint32_t rate, struct fault *why);
