/*
 * How loud it is where nobody talks: the least level that was heard, forgotten bit by bit. A plain
 * value; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct background {
	uint64_t power; /* mean square of a sample; 0 before anything was heard, and in silence */
	bool heard;
};

/*
 * Listens to samples, at rate Hz, and tells whether they are the background: no louder than twice
 * what it is, and quiet in any case, so that a steady tone or music never is.
 */
bool background_hear(
	struct background *background, const int16_t *samples, size_t count, uint32_t rate);
