/*
 * Where a sound is most like itself a little earlier: the period of a voice, or the best place for
 * a seam in anything else. A plain function of its samples; any thread.
 *
 * All sums are whole numbers, so that every machine finds the same place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	PITCH_SPAN_MAX_MS = 50,
	/* Of a voice: 400 to 67 Hz. */
	PITCH_SHORTEST_US = 2500,
	PITCH_LONGEST_US = 15000,
};

struct pitch {
	size_t period; /* samples */
	double match;  /* normalised correlation, -1..1; 0 where there is only silence */
};

/*
 * Compares the end of the count samples with what stood up to longest samples before it: at most
 * window samples, and for each period as many as there are. 0 < shortest <= longest < count, which
 * is at most PITCH_SPAN_MAX_MS. rate: Hz, 8000..48000.
 */
struct pitch pitch_find(const int16_t *samples, size_t count, size_t window, size_t shortest,
	size_t longest, uint32_t rate);
