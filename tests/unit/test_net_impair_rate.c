/* core/net/impair: what a narrow place lets through, and when, to the nanosecond. */
#include "core/base/loop.h"
#include "core/net/impair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { MANY = 100000 };

static struct impair *make(const struct impair_config *config, uint64_t seed)
{
	struct impair *impair;

	assert_int_equal(impair_new(&impair, config, seed), 0);
	return impair;
}

/* 1000 bytes at 8 Mbit/s take 1 ms; three of them fit into 3000 bytes. */
static void test_rate_and_queue(void **state)
{
	static const struct {
		uint64_t now_us;
		uint64_t delay_us; /* 0: dropped */
	} steps[] = {
		{0, 1000}, /* at once at the place */
		{0, 2000}, /* waits for the first */
		{0, 3000},
		{0, 0},   /* no room */
		{999, 0}, /* nor while a byte of the first is left */
		{1000, 3000},
		{5000, 1000}, /* all are through, the place is free */
		{5500, 1500},
	};
	const struct impair_config config = {.rate_bps = 8000000, .queue_bytes = 3000};
	struct impair *impair = make(&config, 1);
	struct impair_counts counts;
	struct impair_fate fate;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		impair_decide(&fate, impair, 1000, steps[i].now_us * NS_PER_US);
		assert_int_equal(fate.copies, steps[i].delay_us > 0);
		assert_int_equal(fate.delay_ns[0], steps[i].delay_us * NS_PER_US);
	}
	impair_decide(&fate, impair, 1500, 5500 * NS_PER_US); /* 1500 wait: that much fits */
	assert_int_equal(fate.delay_ns[0], 3000 * NS_PER_US);
	impair_counts(&counts, impair);
	assert_int_equal(counts.overflowed, 2);
	assert_int_equal(counts.passed, 7);
	impair_free(impair);
}

/* Without a queue one passes at a time, whatever its size. */
static void test_rate_without_queue(void **state)
{
	struct impair *impair = make(&(struct impair_config){.rate_bps = 8000}, 1);
	struct impair_fate fate;

	(void)state;
	impair_decide(&fate, impair, 65507, 0);
	assert_int_equal(fate.delay_ns[0], 65507 * NS_PER_MS);
	impair_decide(&fate, impair, 1, 65507 * NS_PER_MS - 1);
	assert_int_equal(fate.copies, 0);
	impair_decide(&fate, impair, 1, 65507 * NS_PER_MS);
	assert_int_equal(fate.delay_ns[0], NS_PER_MS);
	impair_free(impair);
}

/* A byte at 7 bit/s takes 8/7 of a second, which no nanosecond ends; no part gets lost on the way.
 */
static void test_rate_is_exact(void **state)
{
	const struct impair_config config = {.rate_bps = 7, .queue_bytes = MANY};
	struct impair *impair = make(&config, 1);
	struct impair_fate fate;

	(void)state;
	for (uint64_t i = 1; i <= MANY; i++) {
		uint64_t bits = 8 * i;

		impair_decide(&fate, impair, 1, 0);
		assert_int_equal(fate.delay_ns[0], (bits * NS_PER_S + 6) / 7);
	}
	impair_decide(&fate, impair, 1, 0);
	assert_int_equal(fate.copies, 0);

	impair_free(impair);

	/* the place is not free while a part of a nanosecond is left, nor does a change free it */
	impair = make(&config, 1);
	impair_decide(&fate, impair, 1, 0);
	impair_decide(&fate, impair, 1, UINT64_C(8000000000) / 7);
	assert_int_equal(
		fate.delay_ns[0], UINT64_C(16000000000) / 7 + 1 - UINT64_C(8000000000) / 7);
	impair_change(impair, &config);
	impair_decide(&fate, impair, 5, UINT64_C(8000000000) / 7);
	assert_int_equal(fate.delay_ns[0], UINT64_C(8000000000) - UINT64_C(8000000000) / 7);
	impair_free(impair);

	impair = make(&config, 1);
	for (size_t i = 0; i < MANY; i++)
		impair_decide(&fate, impair, 1, 0);
	/* another rate: what waits goes on as before, and a begun nanosecond is a whole one */
	impair_change(impair, &(struct impair_config){.rate_bps = 8, .queue_bytes = UINT64_MAX});
	impair_decide(&fate, impair, 1, 0);
	assert_int_equal(fate.delay_ns[0], (8 * MANY * NS_PER_S + 6) / 7 + NS_PER_S);
	impair_change(impair, &(struct impair_config){0}); /* no limit, but the order stays */
	impair_decide(&fate, impair, 1, 0);
	assert_int_equal(fate.delay_ns[0], (8 * MANY * NS_PER_S + 6) / 7 + NS_PER_S);
	impair_free(impair);
}

static void test_rate_with_delay(void **state)
{
	const struct impair_config config = {
		.rate_bps = 8000000, .queue_bytes = 10000, .delay_ns = 5 * NS_PER_MS};
	struct impair *impair = make(&config, 1);
	struct impair_fate fate;

	(void)state;
	impair_decide(&fate, impair, 1000, NS_PER_S);
	assert_int_equal(fate.delay_ns[0], 6 * NS_PER_MS);
	impair_decide(&fate, impair, 1000, NS_PER_S);
	assert_int_equal(fate.delay_ns[0], 7 * NS_PER_MS);
	impair_free(impair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_and_queue),
		cmocka_unit_test(test_rate_without_queue),
		cmocka_unit_test(test_rate_is_exact),
		cmocka_unit_test(test_rate_with_delay),
	};

	return cmocka_run_group_tests_name("net/impair_rate", tests, NULL, NULL);
}
