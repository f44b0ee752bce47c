/*
 * How loud a sound goes on: a volume, in dB, and whether it is muted. What would be over the
 * loudest stays at that, and a change takes some milliseconds, so that none is a click. A plain
 * value; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The quietest that is not muted, and the loudest: ten times what comes. */
#define GAIN_MIN_DB (-60.0)
#define GAIN_MAX_DB 20.0

enum { GAIN_RAMP_MS = 10 };

struct gain {
	uint32_t rate;
	int32_t now; /* factors, in 1/65536 */
	int32_t aim;
	int32_t step; /* a sample */
};

/* Of sound at rate, Hz; db is what gain_set() takes. */
void gain_init(struct gain *gain, uint32_t rate, double db, bool muted);

/* From the next samples on. db: GAIN_MIN_DB..GAIN_MAX_DB, 0 leaves them as they are. */
void gain_set(struct gain *gain, double db, bool muted);

void gain_apply(struct gain *gain, int16_t *samples, size_t count);
