/* core/net/impair: each knob does what it says, and the counts are what is seen. */
#include "core/net/impair.h"

#include "core/base/loop.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static size_t allocations_left = SIZE_MAX; /* the one after these fails, and those after it */

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left != SIZE_MAX)
		allocations_left--;
	return __real_calloc(count, size);
}

enum {
	MANY = 100000,
	LEN = 172, /* 20 ms of PCMU by RTP */
};

#define PTIME_NS (20 * NS_PER_MS)

static struct impair *make(const struct impair_config *config, uint64_t seed)
{
	struct impair *impair;

	assert_int_equal(impair_new(&impair, config, seed), 0);
	return impair;
}

/* Within five standard deviations of what is expected. */
static void assert_share(uint64_t got, uint64_t of, double chance)
{
	double expected = (double)of * chance;
	double off = (double)got - expected;

	assert_true(off * off <= 25 * expected * (1 - chance) + 1e-9);
}

/* What impair counts, counted by who looks on. */
struct look {
	struct impair_counts counts;
	uint64_t *arrivals; /* of each first copy; 0: none */
	size_t sent;
};

static void look_init(struct look *look)
{
	*look = (struct look){.arrivals = __real_calloc(MANY, sizeof(*look->arrivals))};
	assert_non_null(look->arrivals);
}

static void look_at(struct look *look, const struct impair_fate *fate, uint64_t now_ns)
{
	uint64_t first = UINT64_MAX;

	assert_true(look->sent < MANY && fate->copies <= IMPAIR_COPIES_MAX);
	look->counts.asked++;
	look->counts.passed += fate->copies > 0;
	look->counts.duplicated += fate->copies > 1;
	look->counts.corrupted += fate->corrupts;
	for (size_t i = 0; i < fate->copies; i++)
		if (now_ns + fate->delay_ns[i] < first)
			first = now_ns + fate->delay_ns[i];
	look->arrivals[look->sent++] = fate->copies > 0 ? first : 0;
}

/* From the last to the first: who arrives after the earliest of those sent later. */
static uint64_t overtaken(const struct look *look)
{
	uint64_t earliest = UINT64_MAX;
	uint64_t count = 0;

	for (size_t i = look->sent; i-- > 0;) {
		if (look->arrivals[i] == 0)
			continue;
		count += look->arrivals[i] > earliest;
		if (look->arrivals[i] < earliest)
			earliest = look->arrivals[i];
	}
	return count;
}

/* Sends count datagrams, 20 ms apart, and holds the counts against what is seen. */
static void play(struct impair *impair, size_t count, struct impair_counts *out)
{
	struct impair_counts before;
	struct look look;

	look_init(&look);
	impair_counts(&before, impair);
	for (size_t i = 0; i < count; i++) {
		uint64_t now_ns = NS_PER_S + (before.asked + i) * PTIME_NS;
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, now_ns);
		look_at(&look, &fate, now_ns);
		for (size_t j = fate.copies; j < IMPAIR_COPIES_MAX; j++)
			assert_int_equal(fate.delay_ns[j], 0);
		assert_true(!fate.corrupts || (fate.copies > 0 && fate.corrupt_at < LEN));
		assert_true(fate.corrupts == (fate.corrupt_with != 0));
	}
	impair_counts(out, impair);
	assert_int_equal(out->asked, before.asked + count);
	assert_int_equal(out->passed - before.passed, look.counts.passed);
	assert_int_equal(out->duplicated - before.duplicated, look.counts.duplicated);
	assert_int_equal(out->corrupted - before.corrupted, look.counts.corrupted);
	if (before.asked == 0)
		assert_int_equal(out->overtaken, overtaken(&look));
	assert_int_equal(out->asked, out->passed + out->lost + out->cut + out->overflowed);
	assert_true(out->lost_in_bursts <= out->lost);
	free(look.arrivals);
}

static void test_all_passes(void **state)
{
	struct impair *impair = make(&(struct impair_config){0}, 1);
	struct impair_counts counts;
	struct impair_fate fate;

	(void)state;
	play(impair, MANY, &counts);
	assert_int_equal(counts.passed, MANY);
	assert_int_equal(counts.duplicated + counts.corrupted + counts.overtaken, 0);
	impair_decide(&fate, impair, 65507, UINT64_MAX);
	assert_int_equal(fate.copies, 1);
	assert_int_equal(fate.delay_ns[0], 0);
	impair_free(impair);
	impair_free(NULL);
}

static void test_loss(void **state)
{
	static const uint32_t chances[] = {1, 10000, 300000, 999999, IMPAIR_ALWAYS};

	(void)state;
	for (size_t i = 0; i < sizeof(chances) / sizeof(chances[0]); i++) {
		struct impair *impair = make(&(struct impair_config){.loss = chances[i]}, i);
		struct impair_counts counts;

		play(impair, MANY, &counts);
		assert_share(counts.lost, MANY, chances[i] / 1e6);
		assert_int_equal(counts.lost_in_bursts, 0);
		assert_int_equal(counts.passed, MANY - counts.lost);
		impair_free(impair);
	}
}

/* With all lost in bursts and none between, the bursts are seen as they are. */
static void test_bursts(void **state)
{
	const struct impair_config config = {
		.burst_begins = 10000,
		.burst_ends = 250000,
		.burst_loss = IMPAIR_ALWAYS,
	};
	struct impair *impair = make(&config, 1);
	struct impair_counts counts;
	uint64_t bursts = 0, lost = 0;
	bool last = false;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, i);
		bursts += fate.copies == 0 && !last;
		last = fate.copies == 0;
		lost += last;
		assert_true(i > 0 || !last); /* the first finds it good */
	}
	impair_counts(&counts, impair);
	assert_int_equal(counts.lost, lost);
	assert_int_equal(counts.lost_in_bursts, lost);
	assert_share(bursts, MANY - lost, 0.01); /* each good one may be the last before a burst */
	assert_share(bursts, lost, 0.25);        /* that is, a burst is 4 long in the mean */
	impair_free(impair);
}

static void test_loss_in_and_between_bursts(void **state)
{
	const struct impair_config config = {
		.loss = 100000, .burst_begins = 50000, .burst_ends = 50000, .burst_loss = 600000};
	struct impair *impair = make(&config, 1);
	struct impair_counts counts;

	(void)state;
	play(impair, MANY, &counts);
	/* half of them are in bursts; states stick together, so the bounds are wider */
	assert_true((double)counts.lost_in_bursts > MANY * 0.28 &&
		    (double)counts.lost_in_bursts < MANY * 0.32);
	assert_true((double)(counts.lost - counts.lost_in_bursts) > MANY * 0.045);
	assert_true((double)(counts.lost - counts.lost_in_bursts) < MANY * 0.055);
	impair_free(impair);
}

static void test_burst_goes_on_after_a_change(void **state)
{
	const struct impair_config bad = {.burst_begins = IMPAIR_ALWAYS};
	const struct impair_config same = {.burst_ends = 1, .burst_loss = IMPAIR_ALWAYS};
	const struct impair_config none = {.burst_loss = IMPAIR_ALWAYS};
	struct impair *impair = make(&bad, 1);
	struct impair_counts counts;

	(void)state;
	play(impair, 1, &counts);
	assert_int_equal(counts.lost, 0);
	impair_change(impair, &same);
	play(impair, 3, &counts);
	assert_int_equal(counts.lost_in_bursts, 3);
	impair_change(impair, &none); /* there are no bursts any more */
	play(impair, 3, &counts);
	assert_int_equal(counts.lost, 3);
	impair_change(impair, &same);
	play(impair, 3, &counts);
	assert_int_equal(counts.lost, 3);
	impair_free(impair);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The delays beyond the fixed one of MANY datagrams, in order. */
static uint64_t *draw_jitters(enum impair_spread spread, uint64_t jitter_ns)
{
	const struct impair_config config = {
		.delay_ns = 7, .jitter_ns = jitter_ns, .spread = spread, .reorders = true};
	struct impair *impair = make(&config, 1);
	uint64_t *delays = __real_calloc(MANY, sizeof(*delays));

	assert_non_null(delays);
	for (size_t i = 0; i < MANY; i++) {
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, i);
		assert_true(fate.delay_ns[0] >= 7);
		delays[i] = fate.delay_ns[0] - 7;
	}
	impair_free(impair);
	qsort(delays, MANY, sizeof(*delays), compare);
	return delays;
}

static double uniform(double x)
{
	return x < 1 ? x : 1;
}

static double half_normal(double x)
{
	return erf(x / sqrt(2));
}

static double exponential(double x)
{
	return 1 - exp(-x);
}

/*
 * Kolmogorov and Smirnov: the largest distance of what is seen from the distribution that is meant
 * stays below 2 / sqrt(n) but for three in ten thousand.
 */
static void test_spreads(void **state)
{
	static double (*const shares[])(double) = {
		[IMPAIR_UNIFORM] = uniform,
		[IMPAIR_NORMAL] = half_normal,
		[IMPAIR_EXPONENTIAL] = exponential,
	};
	const double bound = 2 / sqrt(MANY);

	(void)state;
	for (size_t spread = 0; spread < sizeof(shares) / sizeof(shares[0]); spread++) {
		uint64_t *jitters = draw_jitters((enum impair_spread)spread, 10 * NS_PER_S);

		for (size_t i = 0; i < MANY; i++) {
			double share = shares[spread]((double)jitters[i] / 1e10);

			assert_true(share - (double)i / MANY < bound);
			assert_true((double)(i + 1) / MANY - share < bound);
		}
		/* it reaches as far as it should, and no further */
		assert_true(
			(double)jitters[MANY - 1] > (spread == IMPAIR_UNIFORM ? 9.99e9 : 3.5e10));
		assert_true((double)jitters[MANY - 1] <= (spread == IMPAIR_UNIFORM ? 1e10 : 3e11));
		free(jitters);
	}
}

/* Each value of a small uniform jitter, both ends included, is as likely as the others. */
static void test_uniform_ends(void **state)
{
	uint64_t *jitters = draw_jitters(IMPAIR_UNIFORM, 3);
	size_t seen[4] = {0};

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		assert_true(jitters[i] <= 3);
		seen[jitters[i]]++;
	}
	for (size_t i = 0; i < 4; i++)
		assert_share(seen[i], MANY, 0.25);
	free(jitters);
}

static void test_huge_delays_do_not_wrap(void **state)
{
	struct impair_config config = {.delay_ns = UINT64_MAX - 5, .jitter_ns = UINT64_MAX};

	(void)state;
	for (int spread = IMPAIR_UNIFORM; spread <= IMPAIR_EXPONENTIAL; spread++) {
		struct impair *impair;

		config.spread = (enum impair_spread)spread;
		impair = make(&config, 1);
		for (size_t i = 0; i < 100; i++) {
			struct impair_fate fate;

			impair_decide(&fate, impair, LEN, NS_PER_S);
			assert_int_equal(fate.delay_ns[0], UINT64_MAX - NS_PER_S);
		}
		impair_free(impair);
	}
}

static void test_order_is_kept_unless_it_reorders(void **state)
{
	struct impair_config config = {.delay_ns = 40 * NS_PER_MS,
		.jitter_ns = 100 * NS_PER_MS,
		.duplicates = 100000,
		.spread = IMPAIR_EXPONENTIAL};
	struct impair *impair = make(&config, 1);
	struct impair_counts counts;
	uint64_t last = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, i * PTIME_NS);
		for (size_t j = 0; j < fate.copies; j++) {
			assert_true(i * PTIME_NS + fate.delay_ns[j] >= last);
			assert_true(fate.delay_ns[j] >= config.delay_ns);
			last = i * PTIME_NS + fate.delay_ns[j];
		}
	}
	impair_counts(&counts, impair);
	assert_int_equal(counts.overtaken, 0);
	impair_free(impair);

	impair = make(&(struct impair_config){.delay_ns = 9, .reorders = true}, 1);
	for (size_t i = 0; i < 3; i++) { /* it keeps the order again, after two that did not */
		const struct impair_config next = {.delay_ns = 3, .reorders = i == 0};
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, 0);
		assert_int_equal(fate.delay_ns[0], i == 1 ? 3 : 9);
		impair_change(impair, &next);
	}
	impair_free(impair);

	config.reorders = true;
	impair = make(&config, 1);
	play(impair, MANY, &counts); /* which counts itself how many are overtaken */
	assert_true(counts.overtaken > MANY / 4);
	impair_free(impair);
}

/* All of them on their way at once: more than are remembered without more memory. */
static void test_overtaking_is_counted_exactly(void **state)
{
	const struct impair_config config = {.jitter_ns = NS_PER_S, .reorders = true};
	struct impair *impair = make(&config, 1);
	struct impair_counts counts;
	struct look look;

	(void)state;
	look_init(&look);
	for (size_t i = 0; i < MANY; i++) {
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, NS_PER_S + i * 997);
		look_at(&look, &fate, NS_PER_S + i * 997);
	}
	impair_counts(&counts, impair);
	assert_int_equal(counts.overtaken, overtaken(&look));
	assert_true(counts.overtaken > MANY / 2);
	free(look.arrivals);
	impair_free(impair);
}

/* Sixteen that arrive in their order wait; the next is remembered at the cost of the first. */
static void test_overtaking_without_memory(void **state)
{
	const struct impair_config slow = {.delay_ns = NS_PER_S, .reorders = true};
	const struct impair_config fast = {.reorders = true};
	struct impair *impair = make(&slow, 1);
	struct impair_counts counts;
	struct impair_fate fate;

	(void)state;
	allocations_left = 0;
	for (size_t i = 0; i < 20; i++)
		impair_decide(&fate, impair, LEN, i);
	impair_change(impair, &fast);
	impair_decide(&fate, impair, LEN, 20);
	allocations_left = SIZE_MAX;
	impair_counts(&counts, impair);
	assert_int_equal(counts.overtaken, 16);
	impair_free(impair);
}

static void test_duplicates(void **state)
{
	const struct impair_config config = {
		.duplicates = 200000, .jitter_ns = 1000, .reorders = true};
	struct impair *impair = make(&config, 1);
	struct impair_counts counts;
	size_t earlier = 0, later = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		struct impair_fate fate;

		impair_decide(&fate, impair, LEN, i * PTIME_NS);
		earlier += fate.copies == 2 && fate.delay_ns[1] < fate.delay_ns[0];
		later += fate.copies == 2 && fate.delay_ns[1] > fate.delay_ns[0];
	}
	impair_counts(&counts, impair);
	assert_int_equal(counts.passed, MANY);
	assert_share(counts.duplicated, MANY, 0.2);
	assert_share(earlier, earlier + later, 0.5); /* each has a delay of its own */
	assert_true(earlier > 9000);
	assert_int_equal(counts.overtaken, 0); /* only by what was sent later */
	impair_free(impair);
}

static void test_corruption(void **state)
{
	struct impair *impair = make(&(struct impair_config){.corrupts = 300000}, 1);
	struct impair_counts counts;
	struct impair_fate fate;
	size_t places[4] = {0};
	size_t values[256] = {0};

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		impair_decide(&fate, impair, 4, i);
		if (!fate.corrupts)
			continue;
		places[fate.corrupt_at]++;
		values[fate.corrupt_with]++;
	}
	impair_counts(&counts, impair);
	assert_share(counts.corrupted, MANY, 0.3);
	for (size_t i = 0; i < 4; i++)
		assert_share(places[i], counts.corrupted, 0.25);
	assert_int_equal(values[0], 0);
	for (size_t i = 1; i < 256; i++)
		assert_share(values[i], counts.corrupted, 1 / 255.0);

	impair_change(impair, &(struct impair_config){.corrupts = IMPAIR_ALWAYS});
	impair_decide(&fate, impair, 0, MANY); /* it has no byte */
	assert_false(fate.corrupts);
	impair_change(
		impair, &(struct impair_config){.corrupts = IMPAIR_ALWAYS, .loss = IMPAIR_ALWAYS});
	impair_decide(&fate, impair, LEN, MANY); /* it does not arrive */
	assert_false(fate.corrupts);
	impair_free(impair);
}

static void test_cut(void **state)
{
	const struct impair_config cut = {
		.cut = true, .loss = 500000, .burst_begins = IMPAIR_ALWAYS, .rate_bps = 1};
	struct impair *impair = make(&cut, 1);
	struct impair_counts counts;

	(void)state;
	play(impair, 1000, &counts);
	assert_int_equal(counts.cut, 1000);
	assert_int_equal(counts.lost, 0);
	impair_change(impair, &(struct impair_config){0});
	play(impair, 1000, &counts);
	assert_int_equal(counts.passed, 1000);
	impair_change(impair, &cut);
	play(impair, 10, &counts);
	assert_int_equal(counts.cut, 1010);
	impair_free(impair);
}

static const struct impair_config everything = {
	.loss = 30000,
	.burst_begins = 10000,
	.burst_ends = 300000,
	.burst_loss = 700000,
	.delay_ns = 40 * NS_PER_MS,
	.jitter_ns = 30 * NS_PER_MS,
	.spread = IMPAIR_NORMAL,
	.reorders = true,
	.duplicates = 20000,
	.corrupts = 10000,
	.rate_bps = 70000,
	.queue_bytes = 600,
};

static void test_everything_at_once(void **state)
{
	struct impair *impair = make(&everything, 1);
	struct impair_counts counts;

	(void)state;
	play(impair, MANY, &counts);
	assert_true(counts.lost > 0 && counts.lost_in_bursts > 0 && counts.duplicated > 0);
	assert_true(counts.corrupted > 0 && counts.overtaken > 0);
	impair_free(impair);
}

/* The fates of two, datagram by datagram; returns how many differ. */
static size_t differences(uint64_t seed_a, uint64_t seed_b)
{
	struct impair *a = make(&everything, seed_a);
	struct impair *b = make(&everything, seed_b);
	size_t count = 0;

	for (size_t i = 0; i < 1000; i++) {
		struct impair_fate one, two;

		impair_decide(&one, a, LEN, i * PTIME_NS);
		impair_decide(&two, b, LEN, i * PTIME_NS);
		count += one.copies != two.copies || one.delay_ns[0] != two.delay_ns[0] ||
			 one.delay_ns[1] != two.delay_ns[1] || one.corrupts != two.corrupts ||
			 one.corrupt_at != two.corrupt_at || one.corrupt_with != two.corrupt_with;
	}
	impair_free(a);
	impair_free(b);
	return count;
}

static void test_seed_fixes_all(void **state)
{
	(void)state;
	assert_int_equal(differences(1, 1), 0);
	assert_true(differences(1, 2) > 900);
}

static void test_without_memory(void **state)
{
	struct impair *impair = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(impair_new(&impair, &everything, 1), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(impair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_passes),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_loss_in_and_between_bursts),
		cmocka_unit_test(test_burst_goes_on_after_a_change),
		cmocka_unit_test(test_spreads),
		cmocka_unit_test(test_uniform_ends),
		cmocka_unit_test(test_huge_delays_do_not_wrap),
		cmocka_unit_test(test_order_is_kept_unless_it_reorders),
		cmocka_unit_test(test_overtaking_is_counted_exactly),
		cmocka_unit_test(test_overtaking_without_memory),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_everything_at_once),
		cmocka_unit_test(test_seed_fixes_all),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests_name("net/impair", tests, NULL, NULL);
}
