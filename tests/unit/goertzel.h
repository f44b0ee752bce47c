/* How loud one frequency is in a block of samples. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* dB below a sine of full scale. count is best a whole number of turns. */
static inline double goertzel_db(const int16_t *samples, size_t count, double hz, double rate)
{
	double turn = 2 * cos(2 * M_PI * hz / rate);
	double last = 0, before = 0;

	for (size_t i = 0; i < count; i++) {
		double now = samples[i] + turn * last - before;

		before = last;
		last = now;
	}
	return 10 * log10((last * last + before * before - turn * last * before + 1e-9) /
			    ((double)count * (double)count)) +
	       20 * log10(2.0 / INT16_MAX);
}
