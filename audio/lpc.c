#include "audio/lpc.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
/* A little noise, so that nothing is predicted beyond what 16 bits can tell. */
#define FLOOR 1e-4
/* Draws the filter's peaks apart a little, so that it dies away. */
#define WIDEN 0.99

static void correlate(double out[LPC_ORDER + 1], const int16_t *samples, size_t count)
{
	double windowed[LPC_SAMPLES_MAX];

	for (size_t i = 0; i < count; i++)
		windowed[i] =
			samples[i] * (0.5 - 0.5 * cos(2 * PI * ((double)i + 0.5) / (double)count));
	for (size_t lag = 0; lag <= LPC_ORDER; lag++) {
		out[lag] = 0;
		for (size_t i = lag; i < count; i++)
			out[lag] += windowed[i] * windowed[i - lag];
	}
	out[0] += out[0] * FLOOR + 1;
}

/* Returns the power of what is left. */
static double solve(double predict[LPC_ORDER], const double correlation[LPC_ORDER + 1])
{
	double error = correlation[0];

	for (size_t order = 0; order < LPC_ORDER; order++) {
		double before[LPC_ORDER];
		double reflect = correlation[order + 1];

		memcpy(before, predict, sizeof(before));
		for (size_t i = 0; i < order; i++)
			reflect -= before[i] * correlation[order - i];
		reflect /= error;
		for (size_t i = 0; i < order; i++)
			predict[i] = before[i] - reflect * before[order - 1 - i];
		predict[order] = reflect;
		error *= 1 - reflect * reflect;
	}
	return error;
}

void lpc_learn(struct lpc *lpc, const int16_t *samples, size_t count)
{
	double correlation[LPC_ORDER + 1];
	double widen = WIDEN;
	double error;

	assert(count > LPC_ORDER && count <= LPC_SAMPLES_MAX);

	memset(lpc, 0, sizeof(*lpc));
	correlate(correlation, samples, count);
	error = solve(lpc->predict, correlation);
	for (size_t i = 0; i < LPC_ORDER; i++, widen *= WIDEN)
		lpc->predict[i] *= widen;
	/* the window lets 3/8 of the power through */
	lpc->gain = sqrt(error / (0.375 * (double)count));
}

double lpc_next(struct lpc *lpc, double excitation)
{
	double next = excitation;

	for (size_t i = 0; i < LPC_ORDER; i++)
		next += lpc->predict[i] * lpc->past[i];
	memmove(lpc->past + 1, lpc->past, (LPC_ORDER - 1) * sizeof(*lpc->past));
	lpc->past[0] = next;
	return next;
}
