/*
 * How a call sounds, from what was measured of it: the E-model of ITU-T G.107, with everything that
 * a telephone of our kind cannot measure left at its default. Pure functions: any thread.
 */
#pragma once

/* The default of every input: no delay, no loss, a codec that takes nothing away. */
#define QUALITY_R_BEST 93.2

struct quality_input {
	double delay_ms;     /* from mouth to ear, one way: network, buffer and devices */
	double loss_percent; /* of what was played: lost, late or concealed; 0..100 */
	double codec_ie;     /* what the codec takes away without loss, 0..95; G.711: 0 */
	double codec_bpl;    /* how well it bears loss, > 0; G.711 with concealment: 25.1 */
};

/* The rating R, at most QUALITY_R_BEST; below 0 where the formulas lead there. */
double quality_r(const struct quality_input *input);

/* The mean opinion score that belongs to R, 1..4.5. */
double quality_mos(double r);
