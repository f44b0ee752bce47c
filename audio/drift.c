#include "audio/drift.h"

#include <math.h>

/*
 * The loop: d(error)/dt = (drift - bend) / 1000 per ms, and bend = GAIN * error + learnt. With
 * learnt growing by GAIN^2 / 4 of error it settles without swinging, in about 2 / GAIN seconds.
 */
static const double GAIN_PER_S = 0.15; /* of the error is taken away in a second */
static const double SMOOTH_S = 1;      /* a device's block comes a little early, a little late */
static const double LEARN_MS = 1;      /* of error that is learnt from: more is no clock's */
static const double LEAST_MS = 1.5;    /* in hand, however even everything is */
static const double MOST_MS = 80;
static const double STEP_MS = 3;         /* more after sound broke off */
static const double FORGET = 0.02;       /* of what was kept in hand, from note to note */
static const double PPM_PER_MS_S = 1000; /* a millisecond in a second is a thousandth */

void drift_init(struct drift *drift)
{
	*drift = (struct drift){0};
}

double drift_reserve_ms(const struct drift *drift)
{
	return fmin(LEAST_MS + drift->uneven_ms + drift->extra_ms, MOST_MS);
}

static double within(double value, double most)
{
	return fmin(fmax(value, -most), most);
}

double drift_follow(struct drift *drift, double tick_ms, double over_ms)
{
	double tick_s = tick_ms / 1000;

	if (!drift->begun) {
		drift->begun = true;
		drift->error_ms = over_ms;
	}
	drift->error_ms += (over_ms - drift->error_ms) * fmin(tick_s / SMOOTH_S, 1);
	drift->learnt_ppm += within(drift->error_ms, LEARN_MS) * GAIN_PER_S * GAIN_PER_S / 4 *
			     tick_s * PPM_PER_MS_S;
	drift->learnt_ppm = within(drift->learnt_ppm, DRIFT_MAX_PPM / 2.0);
	return within(
		drift->error_ms * GAIN_PER_S * PPM_PER_MS_S + drift->learnt_ppm, DRIFT_MAX_PPM);
}

void drift_jumped(struct drift *drift)
{
	drift->begun = false;
}

/* Up at once, down slowly: what was uneven once will be so again. More than is kept in hand is not
 * remembered, either, or a standstill would be for minutes. */
void drift_note(struct drift *drift, double uneven_ms, unsigned breaks)
{
	uneven_ms = fmin(uneven_ms, MOST_MS);
	if (uneven_ms > drift->uneven_ms)
		drift->uneven_ms = uneven_ms;
	else
		drift->uneven_ms += (uneven_ms - drift->uneven_ms) * FORGET;
	if (breaks > 0)
		drift->extra_ms = fmin(drift->extra_ms + STEP_MS, MOST_MS);
	else
		drift->extra_ms -= drift->extra_ms * FORGET;
}
