/* How loud a block of samples is, for meters. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* dB below the loudest that there is: a full sine peaks at 0, its mean is -3. Silence: AUDIO_QUIET.
 */
struct audio_level {
	double mean_db;
	double peak_db;
};

#define AUDIO_QUIET (-96.0)

struct audio_level audio_level(const int16_t *samples, size_t count);
