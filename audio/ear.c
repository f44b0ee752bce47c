#include "audio/ear.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum {
	BLOCKS_PER_S = 50,
	BLOCK_MS = 1000 / BLOCKS_PER_S,
	BLOCKS = 3,             /* that are looked at together */
	SEEN_MORE = BLOCKS - 1, /* a tone is seen in the blocks that it fills, and in two more */
	SEEN_MIN = EAR_LASTS_MS / BLOCK_MS + SEEN_MORE,
	SURE_MIN = EAR_LASTS_MS / BLOCK_MS, /* of these, to be told */
	UNSEEN_MAX = EAR_LASTS_MS / BLOCK_MS - SEEN_MORE,
};

/*
 * Of the power of all that is heard: the fourth part leaves room for a second tone, for noise, and
 * for a frequency that is 10 Hz off, and is more than a voice has for long. Where the tone begins
 * and ends, it fills the third of what is looked at, and of two tones each has half of that.
 */
#define SHARE_MIN 0.25
#define SHARE_EDGE_MIN 0.15

/* Below, it is what a codec makes of silence. */
#define POWER_MIN 1e-6

struct complex {
	double re, im;
};

struct tone {
	double hz;
	struct complex turn;          /* from one sample to the next */
	struct complex now;           /* of length 1 */
	struct complex parts[BLOCKS]; /* the block's samples, each turned back by now */
	uint32_t seen;                /* blocks, since it began; 0: it has not */
	uint32_t sure;                /* of these, where it is no edge */
	uint32_t unseen;              /* since it was last seen */
	bool told;
	double power; /* where it was loudest, of a full square */
};

struct ear {
	ear_tell *tell;
	void *arg;
	size_t block; /* samples, */
	size_t at;    /* those of the present one, */
	size_t place; /* and where it is in parts */
	double energy[BLOCKS];
	uint32_t rate;
	size_t count;
	struct tone tones[];
};

bool ear_may(const double *hz, size_t count)
{
	if (count < 1 || count > EAR_TONES_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!(hz[i] >= EAR_HZ_MIN && hz[i] <= EAR_HZ_MAX))
			return false;
	return true;
}

int ear_new(
	struct ear **out, uint32_t rate, const double *hz, size_t count, ear_tell *tell, void *arg)
{
	struct ear *ear = calloc(1, sizeof(*ear) + count * sizeof(ear->tones[0]));

	if (!ear)
		return -ENOMEM;

	ear->tell = tell;
	ear->arg = arg;
	ear->block = rate / BLOCKS_PER_S;
	ear->rate = rate;
	ear->count = count;
	for (size_t i = 0; i < count; i++) {
		double angle = 2 * M_PI * hz[i] / rate;

		ear->tones[i] = (struct tone){
			.hz = hz[i], .turn = {cos(angle), -sin(angle)}, .now = {1, 0}};
	}
	*out = ear;
	return 0;
}

void ear_free(struct ear *ear)
{
	free(ear);
}

static struct complex product(struct complex a, struct complex b)
{
	return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static void tell(struct ear *ear, const struct tone *tone, bool on)
{
	const struct ear_tone told = {
		.hz = tone->hz,
		.level_dbfs = 10 * log10(tone->power),
		.ms = (tone->seen - SEEN_MORE) * BLOCK_MS,
		.on = on,
	};

	ear->tell(ear->arg, &told);
}

/* A gap that is too short to end it is a part of it. */
static void see(struct ear *ear, struct tone *tone, double power, bool sure)
{
	tone->seen += tone->unseen + 1;
	tone->sure += sure;
	tone->unseen = 0;
	if (power > tone->power)
		tone->power = power;
	if (tone->told || tone->seen < SEEN_MIN || tone->sure < SURE_MIN)
		return;

	tone->told = true;
	tell(ear, tone, true);
}

static void miss(struct ear *ear, struct tone *tone)
{
	if (tone->seen == 0 || ++tone->unseen < UNSEEN_MAX)
		return;

	if (tone->told)
		tell(ear, tone, false);
	tone->seen = 0;
	tone->sure = 0;
	tone->unseen = 0;
	tone->told = false;
	tone->power = 0;
}

/* The mean of the squares: of all, and of the one frequency, for a sine of which the sum over its
 * samples, turned back, is half of its amplitude. */
static void judge(struct ear *ear, struct tone *tone, double all)
{
	double samples = (double)(BLOCKS * ear->block);
	struct complex sum = {0, 0};
	double power;

	for (size_t i = 0; i < BLOCKS; i++) {
		sum.re += tone->parts[i].re;
		sum.im += tone->parts[i].im;
	}
	power = 2 * (sum.re * sum.re + sum.im * sum.im) / (samples * samples);
	if (power >= POWER_MIN && power >= SHARE_EDGE_MIN * all && tone->hz < ear->rate / 2.0)
		see(ear, tone, power, power >= SHARE_MIN * all);
	else
		miss(ear, tone);
}

/* What rounding has done to the length of now does not add up. */
static void next_block(struct ear *ear)
{
	ear->at = 0;
	ear->place = (ear->place + 1) % BLOCKS;
	ear->energy[ear->place] = 0;
	for (size_t i = 0; i < ear->count; i++) {
		struct tone *tone = &ear->tones[i];
		double length = hypot(tone->now.re, tone->now.im);

		tone->now = (struct complex){tone->now.re / length, tone->now.im / length};
		tone->parts[ear->place] = (struct complex){0, 0};
	}
}

static void finish_block(struct ear *ear)
{
	double samples = (double)(BLOCKS * ear->block);
	double all = 0;

	for (size_t i = 0; i < BLOCKS; i++)
		all += ear->energy[i];
	for (size_t i = 0; i < ear->count; i++)
		judge(ear, &ear->tones[i], all / samples);
	next_block(ear);
}

static void hear(struct ear *ear, double sample)
{
	ear->energy[ear->place] += sample * sample;
	for (size_t i = 0; i < ear->count; i++) {
		struct tone *tone = &ear->tones[i];
		struct complex *part = &tone->parts[ear->place];

		part->re += sample * tone->now.re;
		part->im += sample * tone->now.im;
		tone->now = product(tone->now, tone->turn);
	}
}

void ear_hear(struct ear *ear, const int16_t *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		hear(ear, samples[i] / 32768.0);
		if (++ear->at == ear->block)
			finish_block(ear);
	}
}
