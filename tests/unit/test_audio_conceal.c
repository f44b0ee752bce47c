/* audio/conceal: sound goes on, fades, and comes back without a click; what is good stays as it is.
 */
#include "audio/conceal.h"

#include "tests/unit/lossy.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	RATE = 8000,
	FRAME = 160,
	BLEND = 24,
	FADE = 560,
	LOUD = 8000,
	NOISE = 60,
};

static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static int16_t tone(size_t i)
{
	return (int16_t)lround(LOUD * sin(2 * M_PI * 230 * (double)i / RATE));
}

static struct conceal *heard(size_t count)
{
	int16_t samples[1000];
	struct conceal *conceal;

	assert_int_equal(conceal_new(&conceal, RATE), 0);
	for (size_t i = 0; i < count; i++)
		samples[i] = tone(i);
	conceal_good(conceal, samples, count);
	return conceal;
}

static long loudest(const int16_t *samples, size_t count)
{
	long most = 0;

	for (size_t i = 0; i < count; i++)
		most = labs(samples[i]) > most ? labs(samples[i]) : most;
	return most;
}

/* The greatest step from one sample to the next; before is the one before the first. */
static long steepest(int16_t before, const int16_t *samples, size_t count)
{
	long most = 0;

	for (size_t i = 0; i < count; i++) {
		long step = labs((long)samples[i] - before);

		most = step > most ? step : most;
		before = samples[i];
	}
	return most;
}

static void test_fill_fades(void **state)
{
	struct conceal *conceal = heard(1000);
	int16_t out[1000];

	(void)state;
	conceal_fill(conceal, out, 1000);
	assert_true(loudest(out, 80) > LOUD * 9 / 10);
	assert_true(loudest(out + 240, 80) > LOUD * 2 / 10);
	assert_true(loudest(out + 240, 80) < LOUD * 4 / 10);
	assert_true(loudest(out + 400, 80) > LOUD / 50);
	assert_true(loudest(out + 400, 80) < LOUD / 10);
	assert_int_equal(loudest(out + FADE, 1000 - FADE), 0);
	/* a sine of that pitch has steps of 1445 itself */
	assert_true(steepest(tone(999), out, FADE) < 1500);
	conceal_free(conceal);
}

/* What is made up of a tone is that tone, at its place, and so is what it goes over into. */
static void test_goes_on(void **state)
{
	struct conceal *conceal = heard(1000);
	int16_t out[FRAME], back[FRAME];

	(void)state;
	conceal_fill(conceal, out, FRAME);
	for (int i = 0; i < FRAME; i++) {
		double fade = pow(1 - (double)i / FADE, 2);

		assert_true(fabs(out[i] - fade * tone(1000 + (size_t)i)) < LOUD / 5);
		back[i] = tone(1000 + FRAME + (size_t)i);
	}
	conceal_good(conceal, back, FRAME);
	for (int i = 0; i < BLEND; i++)
		assert_true(abs(back[i]) <= abs(tone(1000 + FRAME + (size_t)i)) + LOUD / 10);
	assert_true(steepest(out[FRAME - 1], back, FRAME) < 1500);
	conceal_free(conceal);
}

/* Each rate has as much of everything. */
static void test_rates(void **state)
{
	static const uint32_t rates[] = {8000, 16000, 24000, 48000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		size_t past = rates[i] / 4, frame = rates[i] / 50;
		int16_t samples[12000], out[960];
		struct conceal *conceal;

		assert_int_equal(conceal_new(&conceal, rates[i]), 0);
		for (size_t n = 0; n < past; n++)
			samples[n] =
				(int16_t)lround(LOUD * sin(2 * M_PI * 250 * (double)n / rates[i]));
		conceal_good(conceal, samples, past - frame);
		conceal_fill(conceal, out, frame);
		for (size_t n = 0; n < frame; n++) {
			double fade = pow(1 - (double)n / (double)frame * 2 / 7, 2);

			assert_true(fabs(out[n] - fade * samples[past - frame + n]) < LOUD / 20);
		}
		conceal_free(conceal);
	}
}

/* A voice that comes back out of step is met where it is: it does not cancel out on the way. */
static void test_aligned(void **state)
{
	(void)state;
	for (size_t late = 0; late < 35; late++) {
		struct conceal *conceal = heard(1000);
		int16_t out[80], back[FRAME];

		conceal_fill(conceal, out, 80);
		for (size_t i = 0; i < FRAME; i++)
			back[i] = tone(1080 + late + i);
		conceal_good(conceal, back, FRAME);
		if (loudest(back, BLEND) < LOUD * 4 / 10)
			fail_msg("late by %zu: %ld", late, loudest(back, BLEND));
		if (steepest(out[79], back, FRAME) > 3000)
			fail_msg("late by %zu: %ld", late, steepest(out[79], back, FRAME));
		conceal_free(conceal);
	}
}

/* 100 pulses a second for a moment; a loss in which one period alone is repeated buzzes. */
static void test_more_periods(void **state)
{
	int16_t past[800] = {0}, out[400];
	struct conceal *conceal = heard(0);
	bool same = true;

	(void)state;
	for (int16_t i = 0; i < 10; i++) /* the periods are told apart by what follows the pulse */
		past[80 * i] = 20000, past[80 * i + 20] = (int16_t)(300 * i);
	conceal_good(conceal, past, 800);
	conceal_fill(conceal, out, 400);
	for (size_t i = 1; i < 4; i++)
		same &= out[80 * i + 20] * 10 > out[80 * (i - 1) + 20] * 4;
	assert_true(out[0] > 19000);
	assert_true(out[20] > 2000);
	assert_true(same);
	assert_int_not_equal(out[100] * 1000 / (out[80] + 1), out[180] * 1000 / (out[160] + 1));
	conceal_free(conceal);
}

/* What was made up is part of what was heard, when the next loss follows soon. */
static void test_again(void **state)
{
	struct conceal *conceal = heard(1000);
	int16_t out[FRAME], back[40];

	(void)state;
	conceal_fill(conceal, out, 50);
	for (size_t i = 0; i < 40; i++)
		back[i] = tone(1050 + i);
	conceal_good(conceal, back, 40);
	conceal_fill(conceal, out, FRAME);
	for (int i = 0; i < 80; i++) {
		double fade = pow(1 - (double)i / FADE, 2);

		assert_true(fabs(out[i] - fade * tone(1090 + (size_t)i)) < LOUD / 5);
	}
	conceal_free(conceal);
}

/* Long after the last good sample, the background is heard on, as loud as it was. */
static void test_background(void **state)
{
	struct conceal *conceal = heard(0);
	uint32_t chance = 1;
	int16_t samples[FRAME], out[8000];
	double power = 0;

	(void)state;
	for (int n = 0; n < 50; n++) {
		for (size_t i = 0; i < FRAME; i++) {
			chance = chance * 1664525 + 1013904223;
			samples[i] = (int16_t)((int)(chance >> 16) % (2 * NOISE) - NOISE);
			samples[i] = (int16_t)(samples[i] + (n > 40 ? tone(i) : 0));
		}
		conceal_good(conceal, samples, FRAME);
	}
	conceal_fill(conceal, out, 8000);
	for (size_t i = FADE; i < 8000; i++)
		power += out[i] * out[i];
	power = sqrt(power / (8000 - FADE)) / (NOISE / sqrt(3));
	if (power < 0.7 || power > 1.4)
		fail_msg("%f of the background", power);
	conceal_free(conceal);
}

/* Speech that lost frames is nearer to the whole than with silence or the last frame in them. */
static void test_speech(void **state)
{
	static const struct {
		const char *path;
		unsigned percent;
		double worst; /* dB; more, and something has been lost that was gained */
	} rows[] = {
		{"tests/data/speech.wav", 5, 3.25},
		{"tests/data/speech.wav", 10, 3.125},
		{"tests/data/speech-other.wav", 5, 3.74},
		{"tests/data/speech-other.wav", 10, 3.64},
	};
	static struct lossy lossy;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lossy_last last = {{0}};
		struct conceal *conceal = heard(0);
		double zero, repeat, ours;

		assert_true(lossy_load(&lossy, rows[i].path));
		lossy_draw(&lossy, rows[i].percent, 1);
		lossy_run(&lossy, &lossy_zero, &last);
		zero = lossy_distance(&lossy);
		lossy_run(&lossy, &lossy_repeat, &last);
		repeat = lossy_distance(&lossy);
		lossy_run(&lossy, &lossy_conceal, conceal);
		ours = lossy_distance(&lossy);
		if (ours >= zero || ours >= repeat || ours > rows[i].worst)
			fail_msg("%s, %u %%: %.3f dB; zero %.3f, repeat %.3f", rows[i].path,
				rows[i].percent, ours, zero, repeat);
		conceal_free(conceal);
	}
}

/* In pieces of any length it is the same as in one. */
static void test_pieces(void **state)
{
	int16_t whole[600], pieces[600];
	struct conceal *conceal = heard(1000);
	size_t at = 0;

	(void)state;
	conceal_fill(conceal, whole, 600);
	conceal_free(conceal);
	conceal = heard(1000);
	for (size_t step = 0; at + step <= 600; at += step++)
		conceal_fill(conceal, pieces + at, step);
	assert_true(at > 550);
	assert_memory_equal(whole, pieces, at * sizeof(whole[0]));
	conceal_free(conceal);
}

static void test_good_is_kept(void **state)
{
	struct conceal *conceal = heard(0);
	int16_t samples[2 * FRAME];

	(void)state;
	for (size_t i = 0; i < 2 * FRAME; i++)
		samples[i] = tone(i);
	conceal_good(conceal, samples, 2 * FRAME);
	conceal_good(conceal, samples, 0);
	for (size_t i = 0; i < 2 * FRAME; i++)
		assert_int_equal(samples[i], tone(i));
	conceal_free(conceal);
}

/* After a loss the first 3 ms are blended in, and nothing more; after the next frame nothing is. */
static void test_return(void **state)
{
	static const size_t losses[] = {1, FRAME, FADE - 1, FADE, 5000};

	(void)state;
	for (size_t n = 0; n < sizeof(losses) / sizeof(losses[0]); n++) {
		struct conceal *conceal = heard(1000);
		int16_t out[5000], back[FRAME];

		conceal_fill(conceal, out, losses[n]);
		for (size_t i = 0; i < FRAME; i++)
			back[i] = LOUD; /* the worst: from anywhere to there */
		conceal_good(conceal, back, FRAME);
		if (steepest(out[losses[n] - 1], back, FRAME) > 2000)
			fail_msg("after %zu: %ld", losses[n],
				steepest(out[losses[n] - 1], back, FRAME));
		assert_int_not_equal(back[BLEND / 2], LOUD);
		for (size_t i = BLEND; i < FRAME; i++)
			assert_int_equal(back[i], LOUD);

		for (size_t i = 0; i < FRAME; i++)
			back[i] = tone(i);
		conceal_good(conceal, back, FRAME);
		for (size_t i = 0; i < FRAME; i++)
			assert_int_equal(back[i], tone(i));
		conceal_free(conceal);
	}
}

/* A frame shorter than the blend is blended over its length. */
static void test_short_return(void **state)
{
	struct conceal *conceal = heard(1000);
	int16_t out[FADE], back[8];

	(void)state;
	conceal_fill(conceal, out, FADE);
	for (size_t i = 0; i < 8; i++)
		back[i] = 800;
	conceal_good(conceal, back, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(back[i], 100 * (int)i);
	conceal_free(conceal);
}

/* What was heard last is what goes on, not what came long before. */
static void test_latest(void **state)
{
	struct conceal *conceal = heard(1000);
	int16_t quiet[4 * FRAME] = {0};
	int16_t out[FRAME];

	(void)state;
	for (size_t i = 0; i < FRAME; i++)
		quiet[i] = tone(i);
	conceal_good(conceal, quiet, 4 * FRAME);
	conceal_fill(conceal, out, FRAME);
	assert_int_equal(loudest(out, FRAME), 0);
	conceal_free(conceal);
}

static void test_nothing_heard(void **state)
{
	struct conceal *conceal = heard(0);
	int16_t out[FRAME];

	(void)state;
	memset(out, 1, sizeof(out));
	conceal_fill(conceal, out, FRAME);
	assert_int_equal(loudest(out, FRAME), 0);
	conceal_free(conceal);
	conceal_free(NULL);
}

/* The loudest samples there are do not wrap. */
static void test_extremes(void **state)
{
	struct conceal *conceal = heard(0);
	int16_t samples[FRAME * 2], out[FRAME], back[FRAME];

	(void)state;
	for (size_t i = 0; i < 2 * FRAME; i++)
		samples[i] = -32768;
	conceal_good(conceal, samples, 2 * FRAME);
	conceal_fill(conceal, out, FRAME);
	for (size_t i = 0; i < FRAME; i++) {
		assert_true(out[i] < 0);
		back[i] = 32767;
	}
	conceal_good(conceal, back, FRAME);
	for (size_t i = 1; i < FRAME; i++)
		assert_true(back[i] >= back[i - 1]);
	conceal_free(conceal);
}

static void test_no_memory(void **state)
{
	struct conceal *conceal = NULL;
	size_t allowed = 0;
	int err;

	(void)state;
	do {
		allocations_left = allowed++;
		err = conceal_new(&conceal, 48000);
		allocations_left = SIZE_MAX;

		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(conceal != NULL, err == 0);
	} while (err);

	assert_int_equal(allowed, 3);
	conceal_free(conceal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_fades),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_aligned),
		cmocka_unit_test(test_more_periods),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_speech),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_good_is_kept),
		cmocka_unit_test(test_return),
		cmocka_unit_test(test_short_return),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_nothing_heard),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/conceal", tests, NULL, NULL);
}
