/* audio/pitch: periods are found to the sample, at every rate. */
#include "audio/pitch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum { SAMPLES_MAX = 48 * PITCH_SPAN_MAX_MS };

/* Pulses, period samples apart, each dying away; every second one as loud as told. */
static void voice(int16_t *samples, size_t count, size_t period, double second)
{
	for (size_t i = 0; i < count; i++) {
		double loud = i / period % 2 ? second : 1;

		samples[i] =
			(int16_t)(10000 * loud * exp(-8.0 * (double)(i % period) / (double)period));
	}
}

static void test_periods(void **state)
{
	static const struct {
		uint32_t rate;
		size_t period;
	} rows[] = {{8000, 20}, {8000, 57}, {8000, 120}, {16000, 111}, {16000, 239}, {24000, 101},
		{44100, 400}, {48000, 120}, {48000, 437}, {48000, 719}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t count = rows[i].rate * 35 / 1000;
		size_t shortest = rows[i].rate / 400, longest = rows[i].rate * 15 / 1000;
		int16_t samples[SAMPLES_MAX];
		struct pitch pitch;

		voice(samples, count, rows[i].period, 1);
		pitch = pitch_find(
			samples, count, rows[i].rate / 50, shortest, longest, rows[i].rate);
		if (pitch.period % rows[i].period != 0 || pitch.match < 0.999)
			fail_msg("%u Hz, %zu: %zu, %f", rows[i].rate, rows[i].period, pitch.period,
				pitch.match);
	}
}

/* Of periods that take turns, the double one is the better. Only the window counts. */
static void test_best(void **state)
{
	int16_t samples[400];
	struct pitch pitch;

	(void)state;
	voice(samples, 400, 40, 0.3);
	pitch = pitch_find(samples, 400, 160, 20, 120, 8000);
	assert_int_equal(pitch.period, 80);
	assert_true(pitch.match > 0.999);

	memset(samples, 0, 100 * sizeof(samples[0]));
	pitch = pitch_find(samples, 400, 160, 20, 120, 8000);
	assert_int_equal(pitch.period, 80);
	assert_true(pitch.match > 0.999);
	pitch = pitch_find(samples, 400, 160, 20, 60, 8000);
	assert_int_equal(pitch.period, 40);
	assert_true(pitch.match < 0.9);
}

static void test_silence(void **state)
{
	static const int16_t samples[400];
	struct pitch pitch = pitch_find(samples, 400, 160, 20, 120, 8000);

	(void)state;
	assert_int_equal(pitch.period, 20);
	assert_true(pitch.match == 0);
}

/* The loudest there is overflows nothing. */
static void test_extremes(void **state)
{
	int16_t samples[SAMPLES_MAX];
	struct pitch pitch;

	(void)state;
	for (size_t i = 0; i < SAMPLES_MAX; i++)
		samples[i] = i / 300 % 2 ? INT16_MAX : INT16_MIN;
	pitch = pitch_find(samples, SAMPLES_MAX, SAMPLES_MAX, 120, 720, 48000);
	assert_int_equal(pitch.period, 600);
	assert_true(pitch.match > 0.999 && pitch.match < 1.001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests_name("audio/pitch", tests, NULL, NULL);
}
