#include "audio/tone_cadence.h"

#include "core/base/list.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const double NETWORK_DBM0 = -10;
static const double FULL_DBM0 = 3.14; /* the loudest sine (ITU-T G.711, table 5: A-law) */
static const double BEAT_DEPTH = 0.9;

enum { LOUDER_MAX_DB = 7 }; /* beyond, three frequencies would not fit into 16 bits */

struct cadence {
	struct source source;
	struct tone_cadence is;
	uint32_t rate;

	size_t burst;     /* the present one, */
	unsigned turn;    /* how often it came before, */
	uint64_t from_ms; /* and when it began */
	bool over;

	/* The same in samples, which never drift from milliseconds: first, first silent, next. */
	uint64_t first, silent, next;
	uint64_t at;
	uint32_t phases[TONE_FREQUENCIES]; /* in 1/rate of a turn */
	double amplitude;                  /* of each frequency */
};

static size_t frequencies(const struct tone_burst *burst)
{
	size_t count = 0;

	while (count < TONE_FREQUENCIES && burst->hz[count] > 0)
		count++;
	return count;
}

/* How much louder the blend is than one of its sines, as a ratio of amplitudes. */
static double blend_gain(const struct tone_burst *burst)
{
	switch (burst->blend) {
	case TONE_SUM:
		return sqrt((double)frequencies(burst));
	case TONE_BEAT:
		return sqrt(1 + BEAT_DEPTH * BEAT_DEPTH / 2);
	case TONE_WARBLE:
		break;
	}
	return 1;
}

static uint64_t sample_at(const struct cadence *self, uint64_t ms)
{
	return ms * self->rate / 1000;
}

static void begin_burst(struct cadence *self)
{
	const struct tone_burst *burst = &self->is.bursts[self->burst];
	double dbm0 = NETWORK_DBM0 + self->is.louder_db - burst->softer_db;

	self->first = self->at;
	self->silent = sample_at(self, self->from_ms + burst->on_ms);
	self->next = sample_at(self, self->from_ms + burst->on_ms + burst->off_ms);
	self->amplitude = INT16_MAX * pow(10, (dbm0 - FULL_DBM0) / 20) / blend_gain(burst);
	for (size_t i = 0; i < TONE_FREQUENCIES; i++)
		self->phases[i] = 0;
}

static void next_burst(struct cadence *self)
{
	const struct tone_burst *burst = &self->is.bursts[self->burst];

	self->from_ms += burst->on_ms + burst->off_ms;
	self->turn++;
	if (self->turn >= burst->times) {
		self->turn = 0;
		self->burst++;
	}
	if (self->burst == TONE_BURSTS_MAX || self->is.bursts[self->burst].on_ms == 0) {
		self->burst = 0;
		self->over = self->is.ends;
	}
	begin_burst(self);
}

/* The sine of frequency i now; then its phase is moved on by hz. */
static double sine(struct cadence *self, size_t i, uint32_t hz)
{
	double turn = (double)self->phases[i] / self->rate;

	self->phases[i] = (self->phases[i] + hz) % self->rate;
	return sin(2 * M_PI * turn);
}

static double blend(struct cadence *self, const struct tone_burst *burst)
{
	uint64_t change;
	double sum = 0;

	switch (burst->blend) {
	case TONE_SUM:
		for (size_t i = 0; i < TONE_FREQUENCIES && burst->hz[i] > 0; i++)
			sum += sine(self, i, burst->hz[i]);
		return sum;
	case TONE_BEAT:
		return (1 + BEAT_DEPTH * sine(self, 1, burst->hz[1])) * sine(self, 0, burst->hz[0]);
	case TONE_WARBLE:
		change = (self->at - self->first) * burst->hz[2] / self->rate;
		return sine(self, 0, burst->hz[change % 2]);
	}
	return 0;
}

/* 0..1: half a cosine up at the beginning of a burst, and down at its end. */
static double envelope(const struct cadence *self)
{
	uint64_t ramp = sample_at(self, TONE_RAMP_MS);
	uint64_t begun = self->at - self->first;
	uint64_t left = self->silent - 1 - self->at;
	uint64_t edge = begun < left ? begun : left;

	if (edge >= ramp)
		return 1;
	return (1 - cos(M_PI * ((double)edge + 0.5) / (double)ramp)) / 2;
}

static size_t cadence_read(struct source *source, int16_t *out, size_t count)
{
	struct cadence *self = container_of(source, struct cadence, source);
	size_t done = 0;

	while (done < count && !self->over) {
		const struct tone_burst *burst = &self->is.bursts[self->burst];
		double level = 0;

		if (self->at < self->silent)
			level = self->amplitude * envelope(self) * blend(self, burst);
		out[done++] = (int16_t)lround(level);
		self->at++;
		while (self->at == self->next && !self->over)
			next_burst(self);
	}
	return done;
}

static void cadence_free(struct source *source)
{
	free(container_of(source, struct cadence, source));
}

static const struct source_ops cadence_ops = {cadence_read, cadence_free, NULL};

static bool can_sound(const struct tone_burst *burst, uint32_t rate)
{
	for (size_t i = 0; i < TONE_FREQUENCIES; i++)
		if (burst->hz[i] >= rate / 2)
			return false;
	return frequencies(burst) >= (burst->blend == TONE_SUM ? 1 : burst->blend + 1U);
}

int tone_cadence_new(struct source **out, const struct tone_cadence *cadence, uint32_t rate)
{
	struct cadence *self;

	assert(cadence->louder_db <= LOUDER_MAX_DB);
	if (cadence->bursts[0].on_ms == 0)
		return -EINVAL;
	for (size_t i = 0; i < TONE_BURSTS_MAX && cadence->bursts[i].on_ms > 0; i++)
		if (!can_sound(&cadence->bursts[i], rate))
			return -EINVAL;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->source.ops = &cadence_ops;
	self->is = *cadence;
	self->rate = rate;
	begin_burst(self);
	*out = &self->source;
	return 0;
}
