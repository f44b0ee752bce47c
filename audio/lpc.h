/*
 * The shape of a sound's spectrum as a filter: linear prediction, by autocorrelation and the
 * recursion of Levinson and Durbin. What goes through the filter goes on as the sound would.
 *
 * A plain value; one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LPC_ORDER = 16 };

struct lpc {
	double predict[LPC_ORDER]; /* of the next sample, from the last one back */
	double gain;               /* the root mean square of what is left unpredicted */
	double past[LPC_ORDER];    /* what came out, the last first */
};

/* Of count samples, at most LPC_SAMPLES_MAX. Of silence it predicts silence. past is cleared. */
enum { LPC_SAMPLES_MAX = 48 * 20 };
void lpc_learn(struct lpc *lpc, const int16_t *samples, size_t count);

/* The next sample, where what is not predicted is excitation. */
double lpc_next(struct lpc *lpc, double excitation);
