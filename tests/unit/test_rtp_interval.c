/* core/rtp/interval: the share of the bandwidth, who is a member, and when reports come. */
#include "core/rtp/interval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define S UINT64_C(1000000000)
#define HALF (UINT32_MAX / 2 + 1) /* a throw that neither lengthens nor shortens */
#define COMPENSATION 1.21828

enum {
	PCMU = 2 * 10000, /* octets a second, both ways, of packets of 20 ms */
	THIN = 200,       /* a share of 10 a second: two members wait for their turn */
	FIRST = 116,      /* what a report is thought to take before one was seen */
};

static bool near(double a, double b)
{
	return fabs(a - b) < 0.001;
}

/* Section 6.3.1: 1000 octets a second and 100 a report, by hand. */
static void test_share(void **state)
{
	static const struct {
		struct interval_members of;
		double seconds;
	} rows[] = {
		{{1, 0, false}, 1 * 100 / 750.0},
		{{1, 1, true}, 0.1},
		{{2, 0, false}, 2 * 100 / 750.0},
		{{2, 1, false}, 0.2}, /* half of them send: no quarter */
		{{2, 1, true}, 0.2},
		{{2, 2, true}, 0.2},
		{{4, 1, true}, 1 * 100 / 250.0}, /* just a quarter */
		{{4, 1, false}, 3 * 100 / 750.0},
		{{4, 2, false}, 0.4},
		{{100, 5, true}, 5 * 100 / 250.0},
		{{100, 5, false}, 95 * 100 / 750.0},
		{{100, 25, true}, 25 * 100 / 250.0},
		{{100, 26, true}, 10},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!near(interval_share(rows[i].of, 1000, 100), rows[i].seconds))
			fail_msg("row %zu: %f", i, interval_share(rows[i].of, 1000, 100));
}

/* When the next report is planned, in seconds from the last. */
static double planned(struct interval *interval, bool we_send, uint32_t random)
{
	interval_plan(interval, we_send, random);
	return (double)(interval->next_ns - interval->last_ns) / S;
}

static struct interval begun(uint32_t bandwidth)
{
	struct interval interval;

	interval_begin(&interval, bandwidth, 100 * S);
	assert_true(interval.last_ns == 100 * S);
	return interval;
}

/* 5 s, half of them at first, where the bandwidth asks for less; 0.5 to 1.5 of it, over e - 3/2. */
static void test_least(void **state)
{
	struct interval interval = begun(PCMU);

	(void)state;
	assert_true(near(planned(&interval, true, 0), 1.25 / COMPENSATION));
	assert_true(near(planned(&interval, true, HALF), 2.5 / COMPENSATION));
	assert_true(near(planned(&interval, true, UINT32_MAX), 3.75 / COMPENSATION));
	interval_sent(&interval, 102 * S);
	assert_true(interval.last_ns == 102 * S);
	assert_true(near(planned(&interval, true, 0), 2.5 / COMPENSATION));
	assert_true(near(planned(&interval, true, UINT32_MAX), 7.5 / COMPENSATION));
}

/* Where it asks for more, it gets it, by members, senders and the size of reports. */
static void test_thin(void **state)
{
	struct interval interval = begun(THIN);

	(void)state;
	assert_true(near(planned(&interval, true, HALF), FIRST / 10.0 / COMPENSATION));
	assert_true(near(planned(&interval, false, HALF), FIRST / 7.5 / COMPENSATION));
	interval_heard_rtcp(&interval, 101 * S);
	assert_true(near(planned(&interval, true, HALF), 2 * FIRST / 10.0 / COMPENSATION));
	assert_true(near(planned(&interval, false, HALF), 2 * FIRST / 7.5 / COMPENSATION));
	interval_heard_rtp(&interval, 101 * S);
	assert_true(near(planned(&interval, false, HALF), 2 * FIRST / 10.0 / COMPENSATION));
	interval_set_bandwidth(&interval, 2 * THIN);
	assert_true(near(planned(&interval, false, HALF), 2 * FIRST / 20.0 / COMPENSATION));
}

/* Section 6.3.3: a gain of 1/16, and the headers of UDP and IPv4 count. */
static void test_average_size(void **state)
{
	struct interval interval = begun(PCMU);

	(void)state;
	interval_measure(&interval, FIRST - 28);
	assert_true(near(interval.average_size, FIRST));
	interval_measure(&interval, FIRST - 28 + 160);
	assert_true(near(interval.average_size, FIRST + 10));
	for (int i = 0; i < 500; i++)
		interval_measure(&interval, 12);
	assert_true(near(interval.average_size, 40));
}

/* Section 6.3.6: what has become less since the plan was made is sent; what has become more, not.
 */
static void test_reconsideration(void **state)
{
	struct interval interval = begun(PCMU);
	uint64_t first_ns;

	(void)state;
	interval_plan(&interval, true, HALF);
	first_ns = interval.next_ns;
	assert_false(interval_due(&interval, first_ns, true, HALF + (1 << 20)));
	assert_true(interval.next_ns > first_ns);
	assert_true(interval.next_ns < first_ns + S);
	assert_true(interval_due(&interval, first_ns, true, HALF));
	assert_true(interval_due(&interval, first_ns, true, 0));

	/* somebody has come in the meantime, so there is less for each */
	interval = begun(THIN);
	interval_plan(&interval, true, HALF);
	first_ns = interval.next_ns;
	interval_heard_rtp(&interval, first_ns - S);
	assert_false(interval_due(&interval, first_ns, true, HALF));
	assert_true(near(
		(double)(interval.next_ns - 100 * S) / S, 2.0 * (double)(first_ns - 100 * S) / S));
}

/* Section 6.3.4: the times behind and ahead shrink as the members do, once. */
static void test_leaving(void **state)
{
	struct interval interval = begun(PCMU);

	(void)state;
	interval_left(&interval, 101 * S); /* nobody was there */
	assert_true(interval.last_ns == 100 * S);

	interval_heard_rtp(&interval, 101 * S);
	interval_plan(&interval, true, 0);
	interval.next_ns = 110 * S;
	interval_left(&interval, 102 * S);
	assert_false(interval.far);
	assert_false(interval.far_sends);
	assert_true(interval.next_ns == 106 * S);
	assert_true(interval.last_ns == 101 * S);
	interval_left(&interval, 102 * S);
	assert_true(interval.next_ns == 106 * S);

	/* one that was due before, or begins in what is not yet */
	interval_heard_rtcp(&interval, 103 * S);
	interval_plan(&interval, true, 0);
	interval.next_ns = 103 * S;
	interval.last_ns = 105 * S;
	interval_left(&interval, 104 * S);
	assert_true(interval.next_ns == 104 * S);
	assert_true(interval.last_ns == 104 * S);
}

/* It came and left before a report was planned: the plan was made for us alone. */
static void test_leaving_unplanned(void **state)
{
	struct interval interval = begun(PCMU);

	(void)state;
	interval_plan(&interval, true, 0);
	interval_heard_rtp(&interval, 101 * S);
	interval.next_ns = 110 * S;
	interval_left(&interval, 102 * S);
	assert_true(interval.next_ns == 110 * S);
	assert_false(interval.far);
}

/* Section 6.3.5: after five intervals of 5 s of nothing, whatever ours are. */
static void test_absent(void **state)
{
	static const struct {
		uint64_t after;
		bool member;
	} rows[] = {{25 * S, true}, {25 * S + 1, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct interval interval = begun(PCMU);

		interval_heard_rtcp(&interval, 101 * S);
		interval_due(&interval, 101 * S + rows[i].after, false, HALF);
		assert_int_equal(interval.far, rows[i].member);
	}
}

/* And no sender after two reports of ours without its RTP; it is a member all the same. */
static void test_no_sender_any_more(void **state)
{
	struct interval interval = begun(PCMU);

	(void)state;
	interval_heard_rtp(&interval, 101 * S);
	for (uint64_t at = 102; at < 106; at++) {
		interval_due(&interval, at * S, true, HALF);
		assert_int_equal(interval.far_sends, at < 104);
		interval_sent(&interval, at * S);
		interval_heard_rtcp(&interval, at * S);
		assert_true(interval.far);
	}
}

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 32);
}

/*
 * What all of this is for: reports are on the average as far apart as was calculated, no two nearer
 * than half of that over the compensation, and two ends fall out of step.
 */
static void test_many(void **state)
{
	static const struct {
		uint32_t bandwidth;
		double mean_s;
	} rows[] = {{PCMU, 5}, {THIN, 2 * FIRST / 10.0}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct interval interval = begun(rows[i].bandwidth);
		uint64_t seed = 7 + i;
		unsigned reports = 0, longer = 0;
		double sum_s = 0;

		interval_sent(&interval, 100 * S);
		interval_heard_rtp(&interval, 100 * S);
		interval_plan(&interval, true, draw(&seed));
		while (reports < 20000) {
			uint64_t now_ns = interval.next_ns;
			double gap_s;

			interval_heard_rtp(&interval, now_ns);
			if (!interval_due(&interval, now_ns, true, draw(&seed)))
				continue;
			gap_s = (double)(now_ns - interval.last_ns) / S;
			assert_true(gap_s >= rows[i].mean_s * 0.5 / COMPENSATION);
			assert_true(gap_s <= rows[i].mean_s * 1.5 / COMPENSATION);
			longer += gap_s > rows[i].mean_s;
			sum_s += gap_s;
			reports++;
			interval_sent(&interval, now_ns);
			interval_plan(&interval, true, draw(&seed));
		}
		assert_true(fabs(sum_s / reports / rows[i].mean_s - 1) < 0.01);
		assert_in_range(longer, reports / 3, reports * 2 / 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_thin),
		cmocka_unit_test(test_average_size),
		cmocka_unit_test(test_reconsideration),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_leaving_unplanned),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_no_sender_any_more),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("rtp/interval", tests, NULL, NULL);
}
