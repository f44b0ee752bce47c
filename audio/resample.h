/*
 * From one sample rate to another, mono. What comes out is in step with what went in: the filter's
 * delay is taken off at the start and given back by the flush, so n samples become n * out_rate /
 * in_rate, rounded up, in all. One thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct resampler;

enum {
	RESAMPLE_RATE_MIN = 1000,
	RESAMPLE_RATE_MAX = 768000,
	RESAMPLE_QUALITY = 5, /* good for speech; 0 is cheap, 10 is best */
};

/* Returns -ENOMEM, or -EINVAL for a rate or quality outside the limits. Equal rates only copy. */
int resampler_new(struct resampler **out, uint32_t in_rate, uint32_t out_rate, int quality);

/* NULL is allowed. */
void resampler_free(struct resampler *resampler);

/* The most samples that resampler_process() makes of count, and resampler_flush() of 0. */
size_t resampler_room(const struct resampler *resampler, size_t count);

/* Takes count samples, writes to out what can be made of them so far and returns how many that
 * is. out has resampler_room() for them; in and out do not overlap. */
size_t resampler_process(
	struct resampler *resampler, int16_t *out, const int16_t *in, size_t count);

/* Writes the rest to out, which has resampler_room() of 0, and returns how many. Nothing may be
 * processed after, but resampler_restart(). */
size_t resampler_flush(struct resampler *resampler, int16_t *out);

enum resampler_start {
	RESAMPLER_IN_STEP, /* as told above, and as it is when new */
	RESAMPLER_AT_ONCE, /* the filter's delay stays in what comes out: n samples make all that
			    * they last at once, which begins with a little silence */
};

/* Forgets what went in, as before another sound. */
void resampler_restart(struct resampler *resampler, enum resampler_start start);
