/*
 * Listens for tones in what goes by, and changes nothing. A tone is there when most of what is
 * heard at its frequency is its own: for that, 60 ms are looked at, every 20 ms. One thread at a
 * time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ear;

enum {
	EAR_TONES_MAX = 16,
	EAR_HZ_MIN = 50,    /* what 60 ms can tell from no tone at all; 40 Hz apart are two tones */
	EAR_HZ_MAX = 20000, /* above half of the rate, nothing is ever heard */
	EAR_LASTS_MS = 100, /* at least, to be told; and so long it has to be gone */
};

struct ear_tone {
	double hz;
	double level_dbfs; /* the mean of the tone alone, where it was loudest, as audio/level.h */
	uint32_t ms; /* how long it has been there, to 20 ms; beside other sounds up to 40 less */
	bool on;     /* it goes on; else it is over */
};

typedef void ear_tell(void *arg, const struct ear_tone *tone);

/* Whether these can be listened for. */
bool ear_may(const double *hz, size_t count);

/* For such tones, in sound at rate, Hz, 8000..48000. -ENOMEM. Any thread. */
int ear_new(
	struct ear **out, uint32_t rate, const double *hz, size_t count, ear_tell *tell, void *arg);

/* NULL is allowed. What goes on is not told to end. */
void ear_free(struct ear *ear);

/* The next count samples. tell comes from within it. */
void ear_hear(struct ear *ear, const int16_t *samples, size_t count);
