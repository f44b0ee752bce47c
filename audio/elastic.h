/*
 * From one sample rate to another whose ratio may be bent while it runs, by parts in a million: at
 * the edge to a sound device, whose clock is never quite ours. On bending there is no seam. It is
 * libsamplerate's, since speexdsp (audio/resample.h) makes its filter anew for each ratio.
 *
 * Mono. One thread at a time. After elastic_new() nothing is allocated.
 */
#pragma once

#include "core/base/fault.h"

#include <stddef.h>
#include <stdint.h>

struct elastic;

enum {
	ELASTIC_BLOCK_MAX = 4096, /* samples in, or out, at a time */
	ELASTIC_BEND_MAX_PPM = 5000,
};

/* Returns -ENOMEM, or what library_load() does; with words. Rates: Hz, 8000..48000. */
int elastic_new(struct elastic **out, uint32_t in_rate, uint32_t out_rate, struct fault *why);

/* NULL is allowed. */
void elastic_free(struct elastic *elastic);

/* From now on as if the input's rate were higher by ppm, which shortens what comes out: within
 * ELASTIC_BEND_MAX_PPM. What is made next glides there. */
void elastic_bend(struct elastic *elastic, double ppm);

/* How many samples have to be put in so that count come out, give or take one: 0 if enough wait. At
 * most ELASTIC_BLOCK_MAX. */
size_t elastic_needs(const struct elastic *elastic, size_t count);

/*
 * Puts in count samples, and takes out up to room of what can be made of them so far; what is not
 * made yet waits. Returns how many came out. Both at most ELASTIC_BLOCK_MAX.
 */
size_t elastic_process(
	struct elastic *elastic, int16_t *out, size_t room, const int16_t *in, size_t count);
