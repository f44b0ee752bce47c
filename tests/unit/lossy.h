/*
 * Speech that has gone through G.711 and lost frames by chance, and how far what was made of it is
 * from the whole: for the test and the bench of audio/conceal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOSSY_RATE = 8000,
	LOSSY_FRAME = 160,
	LOSSY_FRAMES_MAX = 500,
};

struct lossy {
	size_t frames;
	int16_t clean[LOSSY_FRAMES_MAX * LOSSY_FRAME]; /* encoded and decoded */
	bool lost[LOSSY_FRAMES_MAX];
	int16_t made[LOSSY_FRAMES_MAX * LOSSY_FRAME];
};

/* How a lost frame is made up: good is called for each that came, in place, fill for each lost. */
struct lossy_way {
	const char *name;
	void (*good)(void *arg, int16_t *frame);
	void (*fill)(void *arg, int16_t *frame);
};

/* Two that need nothing but what came last. arg: struct lossy_last, at first 0. */
struct lossy_last {
	int16_t frame[LOSSY_FRAME];
};
extern const struct lossy_way lossy_zero, lossy_repeat;

/* arg: a struct conceal at LOSSY_RATE. */
extern const struct lossy_way lossy_conceal;

/* Reads a WAV of 16 kHz into clean. False if there is none. */
bool lossy_load(struct lossy *lossy, const char *path);

/* Draws lost anew. The first frames and the last one are never lost. */
void lossy_draw(struct lossy *lossy, unsigned percent, uint32_t seed);

/* Makes made. */
void lossy_run(struct lossy *lossy, const struct lossy_way *way, void *arg);

/*
 * The log-spectral distance of made to clean, dB: over windows of 32 ms (Hann), 8 ms apart, that
 * touch a lost frame or the one after it, the root of the mean square difference of their spectra
 * in dB, from 0 to 4 kHz; mean of these. So that what nobody hears does not decide, each
 * spectral line counts as at least that of a white noise of 0.1 % of full scale (-60 dB).
 */
double lossy_distance(const struct lossy *lossy);
