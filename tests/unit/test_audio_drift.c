/* audio/drift: a level is led to its place and kept there, whatever the clocks and their jitter. */
#include "audio/drift.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TICK_MS = 20, TICKS_A_SECOND = 1000 / TICK_MS };

/* A level, over the reserve, that grows by the clocks' difference less what it is bent. */
struct level {
	double over_ms, drift_ppm, jitter_ms;
	double least_ms, most_ms, most_ppm;
	unsigned seed;
};

static double chance(struct level *level)
{
	level->seed = level->seed * 1664525U + 1013904223U;
	return (double)level->seed / 4294967296.0 - 0.5;
}

static void run(struct drift *drift, struct level *level, unsigned seconds)
{
	level->least_ms = level->most_ms = level->over_ms;
	level->most_ppm = 0;
	for (unsigned i = 0; i < seconds * TICKS_A_SECOND; i++) {
		double seen_ms = level->over_ms + 2 * level->jitter_ms * chance(level);
		double bend_ppm = drift_follow(drift, TICK_MS, seen_ms);

		level->over_ms += (level->drift_ppm - bend_ppm) * TICK_MS / 1e6;
		level->least_ms = fmin(level->least_ms, level->over_ms);
		level->most_ms = fmax(level->most_ms, level->over_ms);
		level->most_ppm = fmax(level->most_ppm, fabs(bend_ppm));
	}
}

static void test_any_clock_is_learnt_and_the_level_comes_back(void **state)
{
	static const double ppm[] = {0, 20, -20, 200, -200, 1000, -1000};

	(void)state;
	for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		struct level level = {.drift_ppm = ppm[i]};
		struct drift drift;

		drift_init(&drift);
		run(&drift, &level, 300);
		assert_true(fabs(level.most_ms) <= fabs(ppm[i]) / 120);
		assert_true(fabs(level.least_ms) <= fabs(ppm[i]) / 120);
		assert_true(fabs(level.over_ms) <= fabs(ppm[i]) / 2000);
		assert_true(fabs(drift.learnt_ppm - ppm[i]) <= fabs(ppm[i]) / 20);
	}
}

static void test_what_is_off_is_led_back_without_swinging(void **state)
{
	static const double off_ms[] = {10, 45, DRIFT_JUMP_MS};

	(void)state;
	for (size_t i = 0; i < sizeof(off_ms) / sizeof(off_ms[0]); i++) {
		struct level level = {.over_ms = off_ms[i]};
		struct drift drift;

		drift_init(&drift);
		run(&drift, &level, 180);
		assert_true(fabs(level.over_ms) < 0.1);
		assert_true(level.least_ms > -1); /* less than is kept in hand in any case */
		assert_true(level.most_ppm <= DRIFT_MAX_PPM);
	}
}

static void test_jitter_is_hardly_heard(void **state)
{
	struct level level = {.jitter_ms = 5, .drift_ppm = 50, .seed = 1};
	struct drift drift;

	(void)state;
	drift_init(&drift);
	run(&drift, &level, 60);
	run(&drift, &level, 60);
	assert_true(fabs(level.most_ms) < 2 && fabs(level.least_ms) < 2);
	assert_true(level.most_ppm < 250); /* a quarter of a thousandth: no ear hears it */
}

static void test_bending_has_its_bounds(void **state)
{
	struct level level = {.over_ms = 55};
	struct drift drift;

	(void)state;
	drift_init(&drift);
	run(&drift, &level, 1);
	assert_true(level.most_ppm == DRIFT_MAX_PPM);
	level = (struct level){.drift_ppm = 1e6}; /* no clock is like that */
	run(&drift, &level, 60);
	assert_true(level.most_ppm <= DRIFT_MAX_PPM);
	assert_true(drift.learnt_ppm <= DRIFT_MAX_PPM);
}

static void test_after_a_jump_what_was_before_does_not_count(void **state)
{
	struct drift drift;

	(void)state;
	drift_init(&drift);
	for (unsigned i = 0; i < 200; i++)
		(void)drift_follow(&drift, TICK_MS, 50);
	drift_jumped(&drift);
	(void)drift_follow(&drift, TICK_MS, 1);
	assert_true(fabs(drift.error_ms - 1) < 0.01);
}

static void test_the_reserve_follows_what_is_uneven(void **state)
{
	struct drift drift;
	double calm_ms, reserve_ms;

	(void)state;
	drift_init(&drift);
	calm_ms = drift_reserve_ms(&drift);
	assert_true(calm_ms > 0.5 && calm_ms < 3);
	drift_note(&drift, 8, 0);
	assert_true(drift_reserve_ms(&drift) >= 8);
	drift_note(&drift, 0, 0);
	assert_true(drift_reserve_ms(&drift) > 7.5); /* it may be so again */
	for (unsigned i = 0; i < 300; i++)
		drift_note(&drift, 0, 0);
	assert_true(drift_reserve_ms(&drift) < calm_ms + 0.1);

	drift_note(&drift, 0, 3);
	reserve_ms = drift_reserve_ms(&drift);
	assert_true(reserve_ms > calm_ms + 2);
	drift_note(&drift, 0, 1);
	assert_true(drift_reserve_ms(&drift) > reserve_ms + 2);
	for (unsigned i = 0; i < 1000; i++)
		drift_note(&drift, 500, 1);
	assert_true(drift_reserve_ms(&drift) < 100);
}

/* A program that stood still for a minute has not become uneven by that. */
static void test_a_standstill_is_forgotten_like_anything_else(void **state)
{
	struct drift drift;
	double calm_ms;

	(void)state;
	drift_init(&drift);
	calm_ms = drift_reserve_ms(&drift);
	drift_note(&drift, 60000, 0);
	for (unsigned i = 0; i < 200; i++)
		drift_note(&drift, 0, 0);
	assert_true(drift_reserve_ms(&drift) < calm_ms + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_clock_is_learnt_and_the_level_comes_back),
		cmocka_unit_test(test_what_is_off_is_led_back_without_swinging),
		cmocka_unit_test(test_jitter_is_hardly_heard),
		cmocka_unit_test(test_bending_has_its_bounds),
		cmocka_unit_test(test_after_a_jump_what_was_before_does_not_count),
		cmocka_unit_test(test_the_reserve_follows_what_is_uneven),
		cmocka_unit_test(test_a_standstill_is_forgotten_like_anything_else),
	};

	return cmocka_run_group_tests_name("audio/drift", tests, NULL, NULL);
}
