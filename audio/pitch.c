#include "audio/pitch.h"

#include <assert.h>
#include <math.h>

enum {
	COARSE_RATE = 8000, /* or a little more, for the first search */
	COARSE_MAX = 2 * COARSE_RATE / 1000 * PITCH_SPAN_MAX_MS,
};

static int64_t product(const int16_t *a, const int16_t *b, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

static double match_at(const int16_t *samples, size_t count, size_t window, size_t period)
{
	size_t compared = count - period < window ? count - period : window;
	const int16_t *late = samples + count - compared;
	const int16_t *early = late - period;
	int64_t both = product(late, early, compared);
	int64_t power = product(late, late, compared);
	int64_t before = product(early, early, compared);

	if (power == 0 || before == 0)
		return 0;
	return (double)both / sqrt((double)power * (double)before);
}

static struct pitch best(
	const int16_t *samples, size_t count, size_t window, size_t shortest, size_t longest)
{
	struct pitch found = {shortest, -1};

	for (size_t period = shortest; period <= longest; period++) {
		double match = match_at(samples, count, window, period);

		if (match > found.match)
			found = (struct pitch){period, match};
	}
	return found;
}

/* Each is the mean of factor samples; the last ones count, and some of the first may be left. */
static size_t thin_out(int16_t *out, const int16_t *samples, size_t count, size_t factor)
{
	size_t left = count / factor;

	samples += count - left * factor;
	for (size_t i = 0; i < left; i++) {
		int32_t sum = 0;

		for (size_t j = 0; j < factor; j++)
			sum += samples[i * factor + j];
		out[i] = (int16_t)(sum / (int32_t)factor);
	}
	return left;
}

/* A rough search among fewer samples, then a fine one around what it found. */
struct pitch pitch_find(const int16_t *samples, size_t count, size_t window, size_t shortest,
	size_t longest, uint32_t rate)
{
	size_t factor = rate / COARSE_RATE;
	int16_t coarse[COARSE_MAX];
	struct pitch rough;
	size_t from, to, left;

	assert(shortest > 0 && shortest <= longest && longest < count && window > 0);
	assert(count <= (size_t)rate * PITCH_SPAN_MAX_MS / 1000);

	if (factor < 2 || longest / factor <= shortest / factor || window < factor)
		return best(samples, count, window, shortest, longest);

	left = thin_out(coarse, samples, count, factor);
	from = shortest / factor > 0 ? shortest / factor : 1;
	to = longest / factor < left ? longest / factor : left - 1;
	rough = best(coarse, left, window / factor, from, to);
	from = (rough.period - 1) * factor;
	to = (rough.period + 1) * factor;
	return best(samples, count, window, from > shortest ? from : shortest,
		to < longest ? to : longest);
}
