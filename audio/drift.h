/*
 * Keeps what lies between a sound device and us at one level, though their clocks differ: tells by
 * how much the sound is to be stretched. And keeps that level low: only as high as the unevenness
 * of both asks for. Plain numbers without a clock; it is for the one thread that owns it.
 *
 * It is a phase-locked loop of the second order. What it follows is the level's distance from where
 * it should be; clocks that differ by some parts in a million are learnt within half a minute, and
 * the distance is next to nothing then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct drift {
	double error_ms; /* smoothed */
	double learnt_ppm;
	double uneven_ms; /* what is kept in hand for the unevenness of now */
	double extra_ms;  /* and because it was not enough */
	bool begun;
};

void drift_init(struct drift *drift);

/* How much has to be in hand, ms, over what is taken or given at once. */
double drift_reserve_ms(const struct drift *drift);

/*
 * Once a tick of tick_ms: the level was over_ms above the reserve. Returns how much faster the
 * device's sound is to be used up: ppm, at most DRIFT_MAX_PPM either way. A level that is too far
 * off for bending (DRIFT_JUMP_MS) is for the caller to set right, and drift_jumped() to be told.
 */
double drift_follow(struct drift *drift, double tick_ms, double over_ms);

enum {
	DRIFT_MAX_PPM = 4000,
	DRIFT_JUMP_MS = 60,
};

/* The level was set right. */
void drift_jumped(struct drift *drift);

/* Once a second or so: the device, or our tick, was late by up to uneven_ms, and sound broke off
 * breaks times. */
void drift_note(struct drift *drift, double uneven_ms, unsigned breaks);
