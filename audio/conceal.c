#include "audio/conceal.h"

#include "audio/background.h"
#include "audio/lpc.h"
#include "audio/pitch.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	PERIODS_MAX = 3,
	PAST_MS = 50,    /* PERIODS_MAX of the longest, and a seam */
	COMPARE_MS = 12, /* of the past, to find the period */
	LEARN_MS = 20,   /* of the past, and of the background, for the spectrum */
	MORE_AFTER_MS = 10,
	SEAM_PART = 4, /* of a period */
	FADE_MS = 70,
	RING_MS = 5,
	ALIGN_MS = 5, /* of what comes after the loss, to find where it fits */
	BLEND_MS = 3,
};

/*
 * What goes on is the end of what was heard, from a period before the loss up to the loss, and
 * again from a period before, and so on: first the last period, then the last two, then three, for
 * a voice that repeats one of its periods many times buzzes. Before it jumps back it blends into
 * what stood before the place where it goes on.
 *
 * The first jump, from what was heard already, and the one to the place that fits what comes after
 * the loss, cannot be blended: the difference between where it was and where it goes on dies away
 * instead, as the filter of the voice lets it.
 */
struct conceal {
	uint32_t rate;
	size_t past_len;
	int16_t *past;   /* the last past_len that were heard before the loss, silence at first */
	int16_t *made;   /* what was made up since: the last of it, */
	size_t made_len; /* that many samples */

	size_t lost;            /* samples made up since the last good one */
	size_t period;          /* of the voice */
	size_t at;              /* place in past of the next sample */
	size_t back;            /* how far the jump at the end goes back */
	size_t seam;            /* samples that blend before a jump */
	struct lpc ring;        /* of the difference at the last jump */
	size_t rung;            /* samples since then */
	double said[LPC_ORDER]; /* by the voice, before it was faded; the last first */

	struct background background;
	int16_t *quiet; /* LEARN_MS of it */
	bool quiet_heard;
	struct lpc noise;
	uint32_t chance;
};

static size_t samples_in(const struct conceal *conceal, uint32_t ms)
{
	return (size_t)conceal->rate * ms / 1000;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int conceal_new(struct conceal **out, uint32_t rate)
{
	struct conceal *conceal;

	assert(rate >= 8000 && rate <= 48000);

	conceal = calloc(1, sizeof(*conceal));
	if (!conceal)
		return -ENOMEM;

	conceal->rate = rate;
	conceal->past_len = samples_in(conceal, PAST_MS);
	conceal->past = calloc(
		2 * conceal->past_len + samples_in(conceal, LEARN_MS), sizeof(*conceal->past));
	if (!conceal->past) {
		conceal_free(conceal);
		return -ENOMEM;
	}

	conceal->made = conceal->past + conceal->past_len;
	conceal->quiet = conceal->made + conceal->past_len;
	*out = conceal;
	return 0;
}

void conceal_free(struct conceal *conceal)
{
	if (!conceal)
		return;

	free(conceal->past);
	free(conceal);
}

static int16_t to_sample(double value)
{
	if (value >= INT16_MAX)
		return INT16_MAX;
	if (value <= INT16_MIN)
		return INT16_MIN;
	return (int16_t)lrint(value);
}

/* From a to b as i goes from 0 to count. */
static double mix(double a, double b, size_t i, size_t count)
{
	return a + (b - a) * (double)i / (double)count;
}

/* The tail of a longer past is all that is kept. */
static void append(int16_t *past, size_t len, const int16_t *samples, size_t count)
{
	if (count > len) {
		samples += count - len;
		count = len;
	}
	memmove(past, past + count, (len - count) * sizeof(*samples));
	memcpy(past + len - count, samples, count * sizeof(*samples));
}

/* How many periods the next repetition has. */
static size_t periods(const struct conceal *conceal)
{
	return least(1 + conceal->lost / samples_in(conceal, MORE_AFTER_MS), PERIODS_MAX);
}

/* The sample at a place in past, with the seam before the next jump. */
static double repeated(const struct conceal *conceal, size_t at, size_t back)
{
	size_t left = conceal->past_len - at; /* until the jump */
	double value = conceal->past[at];

	if (left > conceal->seam)
		return value;
	return mix(value, conceal->past[at - back], conceal->seam - left + 1, conceal->seam + 1);
}

/* Goes on at another place. How it differed there from what was said becomes what rings. */
static void jump(struct conceal *conceal, size_t to)
{
	for (size_t i = 0; i < LPC_ORDER; i++)
		conceal->ring.past[i] = conceal->said[i] - conceal->past[to - 1 - i];
	conceal->at = to;
	conceal->rung = 0;
}

static void begin_noise(struct conceal *conceal)
{
	memset(&conceal->noise, 0, sizeof(conceal->noise));
	if (conceal->quiet_heard)
		lpc_learn(&conceal->noise, conceal->quiet, samples_in(conceal, LEARN_MS));
}

static void begin(struct conceal *conceal)
{
	size_t shortest = (size_t)((uint64_t)conceal->rate * PITCH_SHORTEST_US / 1000000);
	size_t longest = (size_t)((uint64_t)conceal->rate * PITCH_LONGEST_US / 1000000);
	size_t compare = samples_in(conceal, COMPARE_MS);
	const int16_t *end = conceal->past + conceal->past_len;
	struct pitch pitch;

	pitch = pitch_find(end - compare - longest, compare + longest, compare, shortest, longest,
		conceal->rate);
	conceal->period = pitch.period;
	conceal->seam = conceal->period / SEAM_PART;
	lpc_learn(&conceal->ring, end - compare, compare);
	conceal->back = conceal->period;
	for (size_t i = 0; i < LPC_ORDER; i++)
		conceal->said[i] = end[-1 - (ptrdiff_t)i];
	jump(conceal, conceal->past_len - conceal->back);
	conceal->made_len = 0;
	begin_noise(conceal);
}

/* Even in spectrum, with a mean square of 1. */
static double white(struct conceal *conceal)
{
	conceal->chance = conceal->chance * 1664525 + 1013904223;
	return ((double)(conceal->chance >> 8) / (1 << 23) - 1) * sqrt(3);
}

static double ringing(struct conceal *conceal)
{
	size_t whole = samples_in(conceal, RING_MS);

	if (conceal->rung >= whole)
		return 0;
	return mix(lpc_next(&conceal->ring, 0), 0, conceal->rung++, whole);
}

static double voice(struct conceal *conceal)
{
	double value;

	if (conceal->past_len - conceal->at == conceal->seam)
		conceal->back = conceal->period * periods(conceal);
	value = repeated(conceal, conceal->at, conceal->back) + ringing(conceal);
	if (++conceal->at == conceal->past_len)
		conceal->at -= conceal->back;
	memmove(conceal->said + 1, conceal->said, (LPC_ORDER - 1) * sizeof(*conceal->said));
	conceal->said[0] = value;
	return value;
}

/* Falls fast at first: the longer ago, the less is known. */
static double loudness(const struct conceal *conceal)
{
	double part = 1 - (double)conceal->lost / (double)samples_in(conceal, FADE_MS);

	return part * part;
}

static int16_t make_up(struct conceal *conceal)
{
	size_t fade = samples_in(conceal, FADE_MS);
	double noise = lpc_next(&conceal->noise, white(conceal) * conceal->noise.gain);
	double value = 0;

	if (conceal->lost < fade) {
		value = voice(conceal);
		value = noise + (value - noise) * loudness(conceal);
		conceal->lost++;
	} else {
		value = noise;
	}
	return to_sample(value);
}

void conceal_fill(struct conceal *conceal, int16_t *out, size_t count)
{
	if (count == 0)
		return;

	if (conceal->lost == 0)
		begin(conceal);
	for (size_t i = 0; i < count; i++)
		out[i] = make_up(conceal);
	append(conceal->made, conceal->past_len, out, count);
	conceal->made_len = least(conceal->made_len + count, conceal->past_len);
}

/* Where in the period what came goes on best, if it does at all. */
static void align(struct conceal *conceal, const int16_t *samples, size_t count)
{
	size_t from = conceal->past_len - conceal->seam - count;
	double most = 0;
	size_t best = 0;

	if (count + conceal->seam + conceal->period + LPC_ORDER > conceal->past_len ||
		conceal->lost >= samples_in(conceal, FADE_MS))
		return;

	for (size_t i = 0; i < conceal->period; i++) {
		const int16_t *past = conceal->past + from - i;
		int64_t both = 0, power = 0;
		double match;

		for (size_t j = 0; j < count; j++) {
			both += past[j] * samples[j];
			power += past[j] * past[j];
		}
		match = power > 0 ? (double)both / sqrt((double)power) : 0;
		if (match > most) {
			most = match;
			best = from - i;
		}
	}
	if (most > 0)
		jump(conceal, best);
}

static void come_back(struct conceal *conceal, int16_t *samples, size_t count)
{
	size_t blend = least(count, samples_in(conceal, BLEND_MS));

	align(conceal, samples, least(count, samples_in(conceal, ALIGN_MS)));
	for (size_t i = 0; i < blend; i++)
		samples[i] = to_sample(mix(make_up(conceal), samples[i], i, blend));
	append(conceal->past, conceal->past_len,
		conceal->made + conceal->past_len - conceal->made_len, conceal->made_len);
	conceal->lost = 0;
}

/* Keeps a piece of the background, for its spectrum. */
static void note_quiet(struct conceal *conceal, const int16_t *samples, size_t count)
{
	size_t kept = samples_in(conceal, LEARN_MS);

	if (!background_hear(&conceal->background, samples, count, conceal->rate))
		return;
	append(conceal->quiet, kept, samples, count);
	conceal->quiet_heard = true;
}

void conceal_good(struct conceal *conceal, int16_t *samples, size_t count)
{
	if (count == 0)
		return;

	note_quiet(conceal, samples, count);
	if (conceal->lost > 0)
		come_back(conceal, samples, count);
	append(conceal->past, conceal->past_len, samples, count);
}
