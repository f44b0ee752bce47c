#include "audio/conceal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	REPEAT_MS = 20,
	BLEND_MS = 4,
	FADE_MS = 60,
};

/*
 * What is repeated is the end of what was heard, made into a ring: its last few milliseconds blend
 * into those that stood before its first, so that going round leaves no click. Where the repetition
 * begins there is nothing that it could follow on from, so the last milliseconds are played
 * backward and the ring blends in over them: their first sample is the last that was heard.
 */
struct conceal {
	size_t repeat, blend, fade; /* samples */
	size_t past_len;            /* repeat + blend */
	size_t lost;                /* samples made up since the last good one */
	int16_t *past;              /* the last past_len that were heard, silence at first */
	int16_t *ring;              /* repeat samples, made when a loss begins */
};

int conceal_new(struct conceal **out, uint32_t rate)
{
	struct conceal *conceal;

	assert(rate >= 8000 && rate <= 48000);

	conceal = calloc(1, sizeof(*conceal));
	if (!conceal)
		return -ENOMEM;

	conceal->repeat = rate / 1000 * REPEAT_MS;
	conceal->blend = rate / 1000 * BLEND_MS;
	conceal->fade = rate / 1000 * FADE_MS;
	conceal->past_len = conceal->repeat + conceal->blend;
	conceal->past = calloc(conceal->past_len + conceal->repeat, sizeof(*conceal->past));
	if (!conceal->past) {
		conceal_free(conceal);
		return -ENOMEM;
	}

	conceal->ring = conceal->past + conceal->past_len;
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

/* From a to b as i goes from 0 to len. */
static int16_t mix(int16_t a, int16_t b, size_t i, size_t len)
{
	int64_t part = (int64_t)i;
	int64_t whole = (int64_t)len;

	return (int16_t)((a * (whole - part) + b * part) / whole);
}

static void make_ring(struct conceal *conceal)
{
	const int16_t *before = conceal->past;
	const int16_t *end = conceal->past + conceal->blend;
	size_t seam = conceal->repeat - conceal->blend;

	memcpy(conceal->ring, end, conceal->repeat * sizeof(*end));
	for (size_t i = 0; i < conceal->blend; i++)
		conceal->ring[seam + i] = mix(end[seam + i], before[i], i + 1, conceal->blend);
}

static int16_t made_up(const struct conceal *conceal, size_t at)
{
	int16_t value = conceal->ring[at % conceal->repeat];

	if (at >= conceal->fade)
		return 0;
	if (at < conceal->blend)
		value = mix(conceal->past[conceal->past_len - 1 - at], value, at, conceal->blend);
	return mix(value, 0, at, conceal->fade);
}

void conceal_fill(struct conceal *conceal, int16_t *out, size_t count)
{
	if (conceal->lost == 0)
		make_ring(conceal);

	for (size_t i = 0; i < count; i++) {
		out[i] = made_up(conceal, conceal->lost);
		if (conceal->lost < conceal->fade)
			conceal->lost++;
	}
}

/* The tail of a longer past is all that is kept. */
static void remember(struct conceal *conceal, const int16_t *samples, size_t count)
{
	size_t kept;

	if (count > conceal->past_len) {
		samples += count - conceal->past_len;
		count = conceal->past_len;
	}
	kept = conceal->past_len - count;
	memmove(conceal->past, conceal->past + count, kept * sizeof(*samples));
	memcpy(conceal->past + kept, samples, count * sizeof(*samples));
}

void conceal_good(struct conceal *conceal, int16_t *samples, size_t count)
{
	size_t blend = count < conceal->blend ? count : conceal->blend;

	if (count == 0)
		return;

	if (conceal->lost > 0)
		for (size_t i = 0; i < blend; i++)
			samples[i] = mix(made_up(conceal, conceal->lost + i), samples[i], i, blend);
	conceal->lost = 0;
	remember(conceal, samples, count);
}
