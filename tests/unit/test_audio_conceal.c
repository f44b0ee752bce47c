/* audio/conceal: sound goes on, fades, and comes back without a click; what is good stays as it is.
 */
#include "audio/conceal.h"

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
	BLEND = 32,
	FADE = 480,
	LOUD = 8000,
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
	struct conceal *conceal;

	assert_int_equal(conceal_new(&conceal, RATE), 0);
	for (size_t i = 0; i < count; i++) {
		int16_t sample = tone(i);

		conceal_good(conceal, &sample, 1);
	}
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
	assert_true(loudest(out, FRAME) > LOUD * 6 / 10);
	assert_true(loudest(out + FRAME, FRAME) > LOUD * 3 / 10);
	assert_true(loudest(out + FRAME, FRAME) < LOUD * 7 / 10);
	assert_true(loudest(out + 2 * FRAME, FRAME) > 500);
	assert_true(loudest(out + 2 * FRAME, FRAME) < LOUD * 4 / 10);
	assert_int_equal(loudest(out + FADE, 1000 - FADE), 0);
	/* a sine of that pitch has steps of 1445 itself; a click would be far beyond two of them */
	assert_true(steepest(tone(999), out, FADE) < 2600);
	conceal_free(conceal);
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

/* After a loss the first 4 ms are blended in, and nothing more; after the next frame nothing is. */
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
