#include "audio/level.h"

#include <math.h>

static double decibels(double part)
{
	double db = part > 0 ? 20 * log10(part) : AUDIO_QUIET;

	return db > AUDIO_QUIET ? db : AUDIO_QUIET;
}

struct audio_level audio_level(const int16_t *samples, size_t count)
{
	double sum = 0, peak = 0;

	for (size_t i = 0; i < count; i++) {
		double value = fabs(samples[i] / 32768.0);

		sum += value * value;
		peak = value > peak ? value : peak;
	}
	return (struct audio_level){
		.mean_db = decibels(count > 0 ? sqrt(sum / (double)count) : 0),
		.peak_db = decibels(peak),
	};
}
