/* audio/gain: as loud as asked for, never round the corner, and no click on the way. */
#include "audio/gain.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { RATE = 8000, RAMP = RATE * GAIN_RAMP_MS / 1000 };

static int16_t one(struct gain *gain, int16_t sample)
{
	gain_apply(gain, &sample, 1);
	return sample;
}

static void test_factors(void **state)
{
	static const struct {
		double db;
		bool muted;
		int16_t in, out;
	} rows[] = {
		{0, false, 12345, 12345},
		{0, false, -32768, -32768},
		{20, false, 100, 1000},
		{20, false, -3276, -32760},
		{20, false, 3277, 32767},
		{20, false, 32767, 32767},
		{20, false, -32768, -32768},
		{-20, false, 10000, 1000},
		{-20, false, -10000, -1000},
		{-60, false, 32767, 33},
		{-60, false, 0, 0},
		{-6.0206, false, 32767, 16384},
		{0, true, 32767, 0},
		{20, true, -32768, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gain gain;
		int16_t out;

		gain_init(&gain, RATE, rows[i].db, rows[i].muted);
		out = one(&gain, rows[i].in);
		if (abs(out - rows[i].out) > 1)
			fail_msg("row %zu: %d", i, out);
	}
}

/* From each to each other within the ramp, evenly, and then it stays. */
static void test_ramps(void **state)
{
	static const struct {
		double db;
		bool muted;
	} turns[] = {{0, true}, {0, false}, {20, false}, {-60, false}, {0.001, false}, {0, false},
		{0, true}, {20, true}};
	struct gain gain;
	int before = 1000;

	(void)state;
	gain_init(&gain, RATE, 0, false);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		int begin = before, end, most;

		gain_set(&gain, turns[i].db, turns[i].muted);
		end = turns[i].muted ? 0 : (int)lround(1000 * pow(10, turns[i].db / 20));
		most = abs(end - begin) / RAMP + 2;
		for (int n = 0; n < RAMP + 1; n++) {
			int now = one(&gain, 1000);

			if (abs(now - before) > most || (now - before) * (end - begin) < 0)
				fail_msg("turn %zu, sample %d: %d after %d", i, n, now, before);
			before = now;
		}
		if (abs(before - end) > 1)
			fail_msg("turn %zu: %d", i, before);
		assert_int_equal(one(&gain, 1000), before);
	}
}

/* Changed again before it is there: on from where it is. */
static void test_turned_on_the_way(void **state)
{
	struct gain gain;
	int16_t half;

	(void)state;
	gain_init(&gain, RATE, 0, false);
	gain_set(&gain, 0, true);
	for (int n = 0; n < RAMP / 2; n++)
		half = one(&gain, 10000);
	assert_in_range(half, 4900, 5100);
	gain_set(&gain, 0, false);
	assert_in_range(one(&gain, 10000), half, half + 200);
	for (int n = 0; n < RAMP; n++)
		half = one(&gain, 10000);
	assert_int_equal(half, 10000);
}

/* What is left alone is left alone to the bit, and a block is as its samples one by one. */
static void test_blocks(void **state)
{
	int16_t block[3 * RAMP];
	struct gain a, b;

	(void)state;
	gain_init(&a, RATE, 0, false);
	gain_init(&b, RATE, 0, false);
	gain_set(&a, -7.5, false);
	gain_set(&b, -7.5, false);
	for (int i = 0; i < 3 * RAMP; i++)
		block[i] = (int16_t)(i * 331);
	gain_apply(&a, block, 3 * RAMP);
	for (int i = 0; i < 3 * RAMP; i++)
		assert_int_equal(block[i], one(&b, (int16_t)(i * 331)));
	gain_apply(&a, block, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_factors),
		cmocka_unit_test(test_ramps),
		cmocka_unit_test(test_turned_on_the_way),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests_name("audio/gain", tests, NULL, NULL);
}
