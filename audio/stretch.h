/*
 * Makes a block of sound a little longer or shorter where nobody hears it: a voice by one of its
 * periods, the quiet between words by as much as is wished. So the jitter buffer's delay follows
 * the network without a gap. One per stream, one thread; nothing is allocated.
 */
#pragma once

#include "audio/background.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stretch {
	uint32_t rate; /* Hz, 8000..48000; by whoever makes it, the rest begins as 0 */
	struct background background;
};

struct stretched {
	ptrdiff_t by; /* samples that were added (> 0) or left out */
	bool quiet;   /* what they were taken from */
};

/*
 * To be given all that is decoded, in order, with how many samples it is wished to be longer (> 0)
 * or shorter. samples has room for room of them, and count may be any. Never is more left out than
 * was wished; up to a period may be added where less was. 0 where the sound does not repeat itself.
 */
struct stretched stretch_block(
	struct stretch *stretch, int16_t *samples, size_t count, size_t room, ptrdiff_t wish);
