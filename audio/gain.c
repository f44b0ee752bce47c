#include "audio/gain.h"

#include <assert.h>
#include <math.h>

enum { ONE = 65536 };

/* Integers, so that each machine makes the same sound of the same. */
static int32_t factor_of(double db, bool muted)
{
	assert(db >= GAIN_MIN_DB && db <= GAIN_MAX_DB);

	return muted ? 0 : (int32_t)lround(ONE * pow(10, db / 20));
}

void gain_init(struct gain *gain, uint32_t rate, double db, bool muted)
{
	*gain = (struct gain){.rate = rate, .now = factor_of(db, muted)};
	gain->aim = gain->now;
}

/* A step is never nothing, however near the aim is. */
void gain_set(struct gain *gain, double db, bool muted)
{
	int32_t ramp = (int32_t)(gain->rate * GAIN_RAMP_MS / 1000);

	gain->aim = factor_of(db, muted);
	gain->step = (gain->aim - gain->now) / ramp;
	if (gain->step == 0)
		gain->step = gain->aim < gain->now ? -1 : 1;
}

static void move_on(struct gain *gain)
{
	int32_t left = gain->aim - gain->now;

	if (gain->step < 0 ? left > gain->step : left < gain->step)
		gain->now = gain->aim;
	else
		gain->now += gain->step;
}

static int16_t scale(int16_t sample, int32_t factor)
{
	int64_t scaled = ((int64_t)sample * factor + ONE / 2) >> 16;

	if (scaled > INT16_MAX)
		return INT16_MAX;
	return scaled < INT16_MIN ? INT16_MIN : (int16_t)scaled;
}

void gain_apply(struct gain *gain, int16_t *samples, size_t count)
{
	if (gain->now == ONE && gain->aim == ONE)
		return;

	for (size_t i = 0; i < count; i++) {
		if (gain->now != gain->aim)
			move_on(gain);
		samples[i] = scale(samples[i], gain->now);
	}
}
