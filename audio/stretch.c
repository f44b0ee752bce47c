#include "audio/stretch.h"

#include "audio/pitch.h"

#include <assert.h>
#include <string.h>

/* Below, a seam or a missing period is heard in a voice. */
#define MATCH_LEAST 0.9

enum {
	SPAN_MS = 40,  /* of a longer block, only its beginning is looked at */
	BLEND_MS = 10, /* at most */
	BLEND_LEAST_US = 2500,
	QUIET_MOST_MS = 20, /* at a time */
	SPAN_MAX = 48 * SPAN_MS,
};

static size_t samples_in(const struct stretch *stretch, uint32_t us)
{
	return (size_t)((uint64_t)stretch->rate * us / 1000000);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Where to cut: period samples, which begin at after; around that blend samples go over. */
struct cut {
	size_t period;
	size_t at;
	size_t blend;
};

/* From a to b as i goes from 0 to count. */
static int16_t mix(int16_t a, int16_t b, size_t i, size_t count)
{
	int64_t part = 2 * (int64_t)i + 1;
	int64_t whole = 2 * (int64_t)count;

	return (int16_t)((a * (whole - part) + b * part) / whole);
}

static void leave_out(int16_t *samples, size_t count, const struct cut *cut)
{
	int16_t *at = samples + cut->at;
	size_t done = cut->at + cut->blend;

	for (size_t i = 0; i < cut->blend; i++)
		at[i] = mix(at[i], at[cut->period + i], i, cut->blend);
	memmove(samples + done, samples + done + cut->period,
		(count - done - cut->period) * sizeof(*samples));
}

/* The period before is heard again. */
static void put_in(int16_t *samples, size_t count, const struct cut *cut)
{
	int16_t before[SPAN_MAX];
	int16_t *at = samples + cut->at;
	size_t done = cut->at + cut->blend;

	memcpy(before, at, (cut->period + cut->blend) * sizeof(*before));
	memmove(samples + done + cut->period, samples + done, (count - done) * sizeof(*samples));
	for (size_t i = 0; i < cut->blend; i++)
		at[cut->period + i] = mix(before[cut->period + i], before[i], i, cut->blend);
}

/* Whether there is a place for it; longest: samples that may be added or left out at most. */
static bool find_cut(struct cut *out, const struct stretch *stretch, const int16_t *samples,
	size_t span, size_t longest, bool quiet)
{
	size_t shortest = samples_in(stretch, PITCH_SHORTEST_US);
	size_t blend = samples_in(stretch, BLEND_LEAST_US);
	struct pitch pitch;

	if (span <= blend)
		return false;
	longest = least(longest, span - blend);
	if (quiet)
		shortest = longest / 2 + 1;
	if (longest == 0 || shortest > longest)
		return false;

	pitch = pitch_find(samples, span, span, shortest, longest, stretch->rate);
	if (!quiet && pitch.match < MATCH_LEAST)
		return false;

	out->period = pitch.period;
	out->blend = least(span - pitch.period, samples_in(stretch, BLEND_MS * 1000));
	out->at = (span - pitch.period - out->blend) / 2;
	return true;
}

struct stretched stretch_block(
	struct stretch *stretch, int16_t *samples, size_t count, size_t room, ptrdiff_t wish)
{
	struct stretched done = {
		.quiet = background_hear(&stretch->background, samples, count, stretch->rate)};
	size_t span = least(count, samples_in(stretch, SPAN_MS * 1000));
	size_t wished = (size_t)(wish < 0 ? -wish : wish);
	size_t longest = samples_in(stretch, PITCH_LONGEST_US);
	struct cut cut;

	assert(stretch->rate >= 8000 && stretch->rate <= 48000 && count <= room);

	if (done.quiet)
		longest = least(wished, samples_in(stretch, QUIET_MOST_MS * 1000));
	else if (wish < 0)
		longest = least(longest, wished);
	if (wish > 0)
		longest = least(longest, room - count);
	if (wish == 0 || !find_cut(&cut, stretch, samples, span, longest, done.quiet))
		return done;

	(wish < 0 ? leave_out : put_in)(samples, count, &cut);
	done.by = (wish < 0 ? -1 : 1) * (ptrdiff_t)cut.period;
	return done;
}
