/*
 * Is what was heard the speech that was sent? An adaptive jitter buffer stretches and shrinks what
 * it plays, so one correlation over the whole is no measure. The speech is cut into windows of 100
 * ms; the loud ones are kept; each is looked for in what was heard, at most 40 ms around the place
 * where the whole fits best. The figure is the median of their normalised correlations: 1 is the
 * same wave, another voice stays below 0.4. Pure functions: any thread; they may take a second.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	LIKENESS_SENT_RATE =
		8000, /* Hz: everything is compared in the band that all codecs carry */
	LIKENESS_HEARD_RATE = 16000, /* for half a sample in between, as no two clocks agree */
};

struct likeness {
	double figure;  /* -1..1; 0 if there is no speech, or less than half of it was heard */
	size_t windows; /* that were found room for */
	size_t voiced;  /* of those with speech */
};

/* -ENOMEM. */
int likeness_measure(struct likeness *out, const int16_t *sent, size_t sent_count,
	const int16_t *heard, size_t heard_count);
