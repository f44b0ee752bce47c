/* audio/lpc: what was learnt goes on as it was, and dies away. */
#include "audio/lpc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum { COUNT = 160 };

static const double pi = 3.14159265358979323846;

static uint32_t chance = 1;

static double white(void)
{
	chance = chance * 1664525 + 1013904223;
	return (double)(chance >> 8) / (1 << 23) - 1;
}

static void test_tone(void **state)
{
	int16_t samples[COUNT];
	struct lpc lpc;

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		samples[i] = (int16_t)lround(8000 * sin(2 * pi * 0.05 * (double)i));
	lpc_learn(&lpc, samples, COUNT);
	assert_true(lpc.gain < 500);
	for (size_t i = 0; i < LPC_ORDER; i++)
		lpc.past[i] = samples[COUNT - 1 - i];
	for (size_t i = 0; i < 8; i++)
		assert_true(fabs(lpc_next(&lpc, 0) -
				    8000 * sin(2 * pi * 0.05 * (double)(COUNT + i))) < 1500);
	for (size_t i = 0; i < 2000; i++)
		lpc_next(&lpc, 0);
	assert_true(fabs(lpc_next(&lpc, 0)) < 100);
}

/* Noise of a low pitch: as loud again, and as low. */
static void test_noise(void **state)
{
	double power = 0, steps = 0, made = 0, made_steps = 0, last = 0;
	int16_t samples[LPC_SAMPLES_MAX];
	struct lpc lpc;

	(void)state;
	for (size_t i = 0; i < LPC_SAMPLES_MAX; i++) {
		double value = 0.8 * last + 1000 * white();

		samples[i] = (int16_t)value;
		power += value * value;
		steps += (value - last) * (value - last);
		last = value;
	}
	lpc_learn(&lpc, samples, LPC_SAMPLES_MAX);
	last = 0;
	for (size_t i = 0; i < LPC_SAMPLES_MAX; i++) {
		double value = lpc_next(&lpc, white() * sqrt(3) * lpc.gain);

		made += value * value;
		made_steps += (value - last) * (value - last);
		last = value;
	}
	assert_true(made > power / 1.5 && made < power * 1.5);
	assert_true(made_steps > steps / 1.5 && made_steps < steps * 1.5);
}

static void test_silence(void **state)
{
	static const int16_t samples[COUNT];
	struct lpc lpc;

	(void)state;
	memset(&lpc, 0x55, sizeof(lpc));
	lpc_learn(&lpc, samples, COUNT);
	assert_true(lpc.gain < 0.2);
	assert_true(lpc_next(&lpc, 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests_name("audio/lpc", tests, NULL, NULL);
}
