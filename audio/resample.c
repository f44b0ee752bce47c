#include "audio/resample.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <speex/speex_resampler.h>

enum { ZEROS = 256 };

struct resampler {
	SpeexResamplerState *speex; /* NULL: the rates are equal */
	uint32_t in_rate, out_rate;
	uint64_t taken, made; /* in all */
};

static bool rate_good(uint32_t rate)
{
	return rate >= RESAMPLE_RATE_MIN && rate <= RESAMPLE_RATE_MAX;
}

int resampler_new(struct resampler **out, uint32_t in_rate, uint32_t out_rate, int quality)
{
	struct resampler *resampler;
	int err;

	if (!rate_good(in_rate) || !rate_good(out_rate) || quality < 0 || quality > 10)
		return -EINVAL;

	resampler = calloc(1, sizeof(*resampler));
	if (!resampler)
		return -ENOMEM;

	resampler->in_rate = in_rate;
	resampler->out_rate = out_rate;
	if (in_rate != out_rate) {
		resampler->speex = speex_resampler_init(1, in_rate, out_rate, quality, &err);
		if (!resampler->speex) {
			resampler_free(resampler);
			return -ENOMEM; /* for nothing else is left to be wrong */
		}
		speex_resampler_skip_zeros(resampler->speex);
	}
	*out = resampler;
	return 0;
}

void resampler_restart(struct resampler *resampler, enum resampler_start start)
{
	resampler->taken = 0;
	resampler->made = 0;
	if (!resampler->speex)
		return;

	speex_resampler_reset_mem(resampler->speex);
	if (start == RESAMPLER_IN_STEP)
		speex_resampler_skip_zeros(resampler->speex);
}

void resampler_free(struct resampler *resampler)
{
	if (!resampler)
		return;

	if (resampler->speex)
		speex_resampler_destroy(resampler->speex);
	free(resampler);
}

/* How many samples of ours the first taken of theirs last. */
static uint64_t owed(const struct resampler *resampler, uint64_t taken)
{
	return (taken * resampler->out_rate + resampler->in_rate - 1) / resampler->in_rate;
}

size_t resampler_room(const struct resampler *resampler, size_t count)
{
	return (size_t)(owed(resampler, resampler->taken + count) - resampler->made);
}

/* Gives speex as much of in as it takes; never makes more than is owed by now. */
static size_t feed(struct resampler *resampler, int16_t *out, const int16_t *in, size_t count)
{
	size_t made = 0;

	while (count > 0 && owed(resampler, resampler->taken) > resampler->made) {
		uint64_t left = owed(resampler, resampler->taken) - resampler->made;
		spx_uint32_t in_len = count < UINT16_MAX ? (spx_uint32_t)count : UINT16_MAX;
		spx_uint32_t out_len = left < UINT32_MAX ? (spx_uint32_t)left : UINT32_MAX;

		speex_resampler_process_int(resampler->speex, 0, in, &in_len, out + made, &out_len);
		in += in_len;
		count -= in_len;
		made += out_len;
		resampler->made += out_len;
	}
	return made;
}

size_t resampler_process(struct resampler *resampler, int16_t *out, const int16_t *in, size_t count)
{
	resampler->taken += count;
	if (resampler->speex)
		return feed(resampler, out, in, count);

	memcpy(out, in, count * sizeof(*in));
	resampler->made += count;
	return count;
}

size_t resampler_flush(struct resampler *resampler, int16_t *out)
{
	static const int16_t zeros[ZEROS];
	size_t made = 0;

	while (owed(resampler, resampler->taken) > resampler->made)
		made += feed(resampler, out + made, zeros, ZEROS);
	return made;
}
