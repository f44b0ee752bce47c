/* core/base/random: the numbers that its authors published, and none that is favoured. */
#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum { DRAWS = 100000 };

/* Of xoshiro256++ from the state 1, 2, 3, 4, and of SplitMix64 from 0 and 1234567. */
static void test_published_numbers(void **state)
{
	static const uint64_t numbers[] = {
		41943041,
		58720359,
		3588806011781223,
		3591011842654386,
		UINT64_C(9228616714210784205),
		UINT64_C(9973669472204895162),
		UINT64_C(14011001112246962877),
		UINT64_C(12406186145184390807),
		UINT64_C(15849039046786891736),
		UINT64_C(10450023813501588000),
	};
	static const uint64_t from_0[] = {
		UINT64_C(0xe220a8397b1dcdaf),
		UINT64_C(0x6e789e6aa1b965f4),
		UINT64_C(0x06c45d188009454f),
		UINT64_C(0xf88bb8a8724c81ec),
	};
	static const uint64_t from_1234567[] = {
		UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431),
	};
	struct random random = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(random_next(&random), numbers[i]);

	random_init(&random, 0);
	assert_memory_equal(random.state, from_0, sizeof(from_0));
	random_init(&random, 1234567);
	assert_memory_equal(random.state, from_1234567, sizeof(from_1234567));
}

static void test_derived_seeds_differ(void **state)
{
	enum { SIDE = 64 };
	uint64_t seeds[SIDE * SIDE];

	(void)state;
	for (size_t seed = 0; seed < SIDE; seed++)
		for (size_t number = 0; number < SIDE; number++)
			seeds[seed * SIDE + number] = random_derive(seed, number);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(seeds[i] != seeds[j]);
	assert_int_equal(random_derive(7, 9), random_derive(7, 9));
}

/* Within five standard deviations of what is expected. */
static void assert_share(size_t got, size_t of, double chance)
{
	double expected = (double)of * chance;
	double off = (double)got - expected;

	assert_true(off * off <= 25 * expected * (1 - chance) + 1e-9);
}

static void test_below_is_fair(void **state)
{
	static const uint64_t bounds[] = {2, 3, 5, 7, 8, 9, 10};

	(void)state;
	for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
		size_t seen[10] = {0};
		struct random random;

		random_init(&random, b);
		for (size_t i = 0; i < DRAWS; i++) {
			uint64_t number = random_below(&random, bounds[b]);

			assert_true(number < bounds[b]);
			seen[number]++;
		}
		for (size_t i = 0; i < bounds[b]; i++)
			assert_share(seen[i], DRAWS, 1 / (double)bounds[b]);
	}
}

/* A remainder would come out below 2^62 twice as often as it should. */
static void test_below_of_large_bounds(void **state)
{
	const uint64_t bound = UINT64_C(3) << 62;
	struct random random;
	size_t low = 0;

	(void)state;
	random_init(&random, 1);
	for (size_t i = 0; i < DRAWS; i++) {
		uint64_t number = random_below(&random, bound);

		assert_true(number < bound);
		low += number < UINT64_C(1) << 62;
	}
	assert_share(low, DRAWS, 1.0 / 3);
	assert_int_equal(random_below(&random, 1), 0);
	assert_true(random_below(&random, UINT64_MAX) != random_below(&random, UINT64_MAX));
}

static void test_chance(void **state)
{
	static const uint32_t millionths[] = {1, 1000, 30000, 500000, 999999};
	struct random random, before;

	(void)state;
	random_init(&random, 1);
	for (size_t m = 0; m < sizeof(millionths) / sizeof(millionths[0]); m++) {
		size_t hits = 0;

		for (size_t i = 0; i < DRAWS; i++)
			hits += random_chance(&random, millionths[m]);
		assert_share(hits, DRAWS, (double)millionths[m] / 1e6);
	}
	for (size_t i = 0; i < DRAWS; i++) { /* to the last millionth */
		struct random same = random;
		struct random next = random;
		uint32_t drawn = (uint32_t)random_below(&random, 1000000);

		assert_false(random_chance(&same, drawn));
		assert_true(random_chance(&next, drawn + 1));
	}
	before = random;
	for (size_t i = 0; i < DRAWS; i++) {
		assert_false(random_chance(&random, 0));
		assert_true(random_chance(&random, 1000000));
		assert_true(random_chance(&random, UINT32_MAX));
	}
	assert_memory_equal(&random, &before, sizeof(random));
}

/* The lowest byte of a number first, and no byte more than was asked for. */
static void test_fill(void **state)
{
	struct random random = {{1, 2, 3, 4}};
	const uint8_t expected[] = {
		0x01, 0x00, 0x80, 0x02, 0, 0, 0, 0, /* 41943041 */
		0x67, 0x00, 0x80,                   /* 58720359 */
	};
	uint8_t bytes[12];

	(void)state;
	memset(bytes, 0xaa, sizeof(bytes));
	random_fill(&random, bytes, sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_int_equal(bytes[11], 0xaa);
	assert_int_equal(random_next(&random), 3588806011781223);
	random_fill(&random, NULL, 0);
	assert_int_equal(random_next(&random), 3591011842654386);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_numbers),
		cmocka_unit_test(test_derived_seeds_differ),
		cmocka_unit_test(test_below_is_fair),
		cmocka_unit_test(test_below_of_large_bounds),
		cmocka_unit_test(test_chance),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
