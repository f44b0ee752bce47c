#include "audio/tone.h"

#include "core/base/list.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const double AMPLITUDE = 10362; /* 32767 less 10 dB */

struct tone {
	struct source source;
	uint32_t hz, rate;
	uint32_t phase; /* in 1/rate of a turn, so that it never drifts */
};

static size_t tone_read(struct source *source, int16_t *out, size_t count)
{
	struct tone *tone = container_of(source, struct tone, source);

	for (size_t i = 0; i < count; i++) {
		double turn = (double)tone->phase / tone->rate;

		out[i] = (int16_t)lround(AMPLITUDE * sin(2 * M_PI * turn));
		tone->phase = (tone->phase + tone->hz) % tone->rate;
	}
	return count;
}

static void tone_free(struct source *source)
{
	free(container_of(source, struct tone, source));
}

static const struct source_ops tone_ops = {tone_read, tone_free, NULL};

int tone_new(struct source **out, uint32_t hz, uint32_t rate)
{
	struct tone *tone;

	if (hz < TONE_HZ_MIN || hz >= rate / 2)
		return -EINVAL;

	tone = calloc(1, sizeof(*tone));
	if (!tone)
		return -ENOMEM;

	tone->source.ops = &tone_ops;
	tone->hz = hz;
	tone->rate = rate;
	*out = &tone->source;
	return 0;
}
