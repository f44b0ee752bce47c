#include "audio/likeness.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
	STEP = LIKENESS_HEARD_RATE / LIKENESS_SENT_RATE,
	WINDOW = LIKENESS_SENT_RATE / 10,
	BLOCK = LIKENESS_SENT_RATE / 200, /* of the envelope, 5 ms */
	REACH = LIKENESS_HEARD_RATE / 25, /* how far a window may stand from the whole */
	SHIFT_BLOCKS = 600,               /* how far the whole may stand from where it was sent */
	APART_BLOCKS = 8,                 /* two places that are not the same */
	PLACES = 4,                       /* that are tried */
	TRIED = 12,                       /* windows, at each of them */
};

static const double full_scale = 32768;
static const double quietest = 1e-3 * 32768; /* below that there is nothing to compare */
static const double gate = 0.01;             /* windows so far below the loud ones are no speech */
static const double loud_part = 0.95;        /* so that a click does not set the gate */

/* A window of the speech. */
struct window {
	size_t start;
	double energy;
};

struct comparison {
	const int16_t *sent;
	size_t sent_count;
	const int16_t *heard;
	size_t heard_count;
	double *sums; /* of the squares of every other sample of heard, up to that one */
	struct window *windows;
	size_t voiced;
	double *sent_envelope;
	double *heard_envelope;
	size_t sent_blocks;
	size_t heard_blocks;
	double *figures; /* of the windows */
};

static double square(int16_t sample)
{
	return (double)sample * sample;
}

static double energy_of(const int16_t *samples, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += square(samples[i]);
	return sum;
}

static int louder(const void *a, const void *b)
{
	const struct window *first = a, *second = b;

	return (first->energy < second->energy) - (first->energy > second->energy);
}

static int by_size(const void *a, const void *b)
{
	const double *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

/* Keeps the windows with speech, the loudest first. */
static void find_speech(struct comparison *self)
{
	size_t count = self->sent_count / WINDOW;
	double least;

	for (size_t i = 0; i < count; i++)
		self->windows[i] =
			(struct window){i * WINDOW, energy_of(self->sent + i * WINDOW, WINDOW)};
	qsort(self->windows, count, sizeof(*self->windows), louder);
	if (count == 0)
		return;

	least = self->windows[(size_t)((1 - loud_part) * (double)count)].energy * gate;
	least = fmax(least, quietest * quietest * WINDOW);
	while (self->voiced < count && self->windows[self->voiced].energy >= least)
		self->voiced++;
}

static void make_envelope(double *out, size_t blocks, const int16_t *samples, size_t block)
{
	for (size_t i = 0; i < blocks; i++)
		out[i] = sqrt(energy_of(samples + i * block, block) / (double)block) / full_scale;
}

/* The normalised correlation of two rows about their means. */
static double correlate(const double *a, const double *b, size_t count)
{
	double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0, n = (double)count;

	for (size_t i = 0; i < count; i++) {
		sum_a += a[i];
		sum_b += b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
		ab += a[i] * b[i];
	}
	aa -= sum_a * sum_a / n;
	bb -= sum_b * sum_b / n;
	return aa > 0 && bb > 0 ? (ab - sum_a * sum_b / n) / sqrt(aa * bb) : 0;
}

/* How well the loudness goes together where heard stands lag blocks later; -2: too little is. */
static double fit_envelope(const struct comparison *self, long lag)
{
	size_t first = lag < 0 ? (size_t)-lag : 0;
	size_t behind = lag > 0 ? (size_t)lag : 0;
	size_t shorter =
		self->sent_blocks < self->heard_blocks ? self->sent_blocks : self->heard_blocks;
	size_t end = self->heard_blocks > behind ? self->heard_blocks - behind + first : 0;

	end = end < self->sent_blocks ? end : self->sent_blocks;
	if (end <= first || end - first < shorter / 2 || end - first < 2)
		return -2;
	return correlate(self->sent_envelope + first, self->heard_envelope + behind, end - first);
}

/* Where heard's loudness goes as sent's, in blocks, each well apart. Returns how many there are. */
static size_t find_places(long places[static PLACES], const struct comparison *self)
{
	double scores[2 * SHIFT_BLOCKS + 1];
	size_t count = 0;

	for (long i = 0; i <= 2 * SHIFT_BLOCKS; i++)
		scores[i] = fit_envelope(self, i - SHIFT_BLOCKS);
	for (; count < PLACES; count++) {
		long best = 0;

		for (long i = 1; i <= 2 * SHIFT_BLOCKS; i++)
			best = scores[i] > scores[best] ? i : best;
		if (scores[best] < -1)
			break;
		places[count] = best - SHIFT_BLOCKS;
		for (long i = best - APART_BLOCKS; i <= best + APART_BLOCKS; i++)
			if (i >= 0 && i <= 2 * SHIFT_BLOCKS)
				scores[i] = -2;
	}
	return count;
}

/* How well a window fits where heard stands at, in its samples. */
static double fit_window(const struct comparison *self, const struct window *window, size_t at)
{
	const int16_t *sent = self->sent + window->start;
	const int16_t *heard = self->heard + at;
	double before = at >= STEP ? self->sums[at - STEP] : 0;
	double energy = self->sums[at + STEP * (WINDOW - 1)] - before;
	int64_t both = 0;

	if (energy < quietest * quietest * WINDOW)
		return 0;
	for (size_t i = 0; i < WINDOW; i++)
		both += (int64_t)sent[i] * heard[STEP * i];
	return (double)both / sqrt(window->energy * energy);
}

/* The best fit around place, in samples of heard. Returns false if heard has no room for it. */
static bool match(
	double *figure, const struct comparison *self, const struct window *window, long place)
{
	long middle = (long)(STEP * window->start) + place;
	bool found = false;

	for (long at = middle - REACH; at <= middle + REACH; at++) {
		double fit;

		if (at < 0 || (size_t)at + STEP * (WINDOW - 1) >= self->heard_count)
			continue;
		fit = fit_window(self, window, (size_t)at);
		if (!found || fit > *figure)
			*figure = fit;
		found = true;
	}
	return found;
}

/* Fills figures of the first count windows at place. Returns how many were found. */
static size_t match_all(struct comparison *self, size_t count, long place)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += match(&self->figures[found], self, &self->windows[i], place);
	return found;
}

static double mean_of(const double *figures, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += figures[i];
	return count > 0 ? sum / (double)count : -1;
}

/* The place at which a few loud windows fit best together. */
static long choose_place(struct comparison *self, const long *places, size_t count)
{
	size_t tried = self->voiced < TRIED ? self->voiced : TRIED;
	double best = -2;
	long chosen = 0;

	for (size_t i = 0; i < count; i++) {
		long place = places[i] * BLOCK * STEP;
		size_t found = match_all(self, tried, place);
		double mean = mean_of(self->figures, found);

		if (found * 2 >= tried && mean > best) {
			best = mean;
			chosen = place;
		}
	}
	return chosen;
}

static void sum_up(struct comparison *self)
{
	for (size_t i = 0; i < self->heard_count; i++)
		self->sums[i] = square(self->heard[i]) + (i >= STEP ? self->sums[i - STEP] : 0);
}

static void compare(struct likeness *out, struct comparison *self)
{
	long places[PLACES];
	size_t count;

	find_speech(self);
	sum_up(self);
	make_envelope(self->sent_envelope, self->sent_blocks, self->sent, BLOCK);
	make_envelope(self->heard_envelope, self->heard_blocks, self->heard, STEP * BLOCK);
	count = find_places(places, self);
	out->voiced = self->voiced;
	if (self->voiced == 0 || count == 0)
		return;

	out->windows = match_all(self, self->voiced, choose_place(self, places, count));
	if (out->windows * 2 < self->voiced)
		return;
	qsort(self->figures, out->windows, sizeof(*self->figures), by_size);
	out->figure = (self->figures[(out->windows - 1) / 2] + self->figures[out->windows / 2]) / 2;
}

int likeness_measure(struct likeness *out, const int16_t *sent, size_t sent_count,
	const int16_t *heard, size_t heard_count)
{
	struct comparison self = {
		.sent = sent,
		.sent_count = sent_count,
		.heard = heard,
		.heard_count = heard_count,
		.sent_blocks = sent_count / BLOCK,
		.heard_blocks = heard_count / (STEP * BLOCK),
	};
	size_t windows = sent_count / WINDOW;
	int err = -ENOMEM;

	*out = (struct likeness){0};
	self.sums = calloc(heard_count + 1, sizeof(*self.sums));
	self.windows = calloc(windows + 1, sizeof(*self.windows));
	self.figures = calloc(windows + 1, sizeof(*self.figures));
	self.sent_envelope = calloc(self.sent_blocks + 1, sizeof(double));
	self.heard_envelope = calloc(self.heard_blocks + 1, sizeof(double));
	if (self.sums && self.windows && self.figures && self.sent_envelope &&
		self.heard_envelope) {
		compare(out, &self);
		err = 0;
	}
	free(self.sums);
	free(self.windows);
	free(self.figures);
	free(self.sent_envelope);
	free(self.heard_envelope);
	return err;
}
