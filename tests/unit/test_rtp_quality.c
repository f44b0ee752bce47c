/* core/rtp/quality: the E-model against values worked out by hand from G.107's formulas. */
#include "core/rtp/quality.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* after the headers that it needs */

#define G711 0, 25.1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
static const struct {
	const char *name;
	struct quality_input input;
	double r;
} ratings[] = {
	{"nothing wrong",            {0, 0, G711},           93.2},
	{"up to 100 ms are free",    {100, 0, G711},         93.2},
	{"a negative delay is none", {-5, 0, G711},          93.2},
	/* X = 1: 25 * (2^(1/6) - 3 * (1 + 3^-6)^(1/6) + 2) = 3.044 */
	{"200 ms",                   {200, 0, G711},         90.156},
	/* X = 2: 25 * (65^(1/6) - 3 * (1 + (2/3)^6)^(1/6) + 2) = 24.070 */
	{"400 ms",                   {400, 0, G711},         69.1299},
	/* X = 0.5850: X^6 = 0.040065, (X/3)^6 = 0.00005496; 25 * (1.006570 - 3.000027 + 2) */
	{"150 ms",                   {150, 0, G711},         93.0364},
	/* 95 * 1 / 26.1 */
	{"1 % lost",                 {0, 1, G711},           89.5602},
	/* 95 * 5 / 30.1 */
	{"5 % lost",                 {0, 5, G711},           77.4193},
	/* 95 * 100 / 125.1 */
	{"all lost",                 {0, 100, G711},         17.2608},
	{"more than all is all",     {0, 250, G711},         17.2608},
	{"less than nothing is none", {0, -1, G711},         93.2},
	/* 11 + 84 * 2 / 12 */
	{"a poorer codec",           {0, 2, 11, 10},         68.2},
	/* 3.044 and 5 % */
	{"both",                     {200, 5, G711},         74.3753},
};

static const struct {
	double r, mos;
} scores[] = {
	{-10, 1},
	{0, 1},
	{3, 1},         /* the polynomial says 0.989 */
	{30, 1.609},    /* 1 + 1.05 - 0.441 */
	{50, 2.575},    /* 1 + 1.75 - 0.175 */
	{60, 3.1},
	{80, 4.024},    /* 1 + 2.8 + 0.224 */
	{93.2, 4.4093},
	{99.999, 4.5},
	{100, 4.5},
	{130, 4.5},
};
/* clang-format on */

static void test_ratings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ratings); i++) {
		double r = quality_r(&ratings[i].input);

		if (!(fabs(r - ratings[i].r) < 0.001))
			fail_msg("%s: %f, not %f", ratings[i].name, r, ratings[i].r);
	}
}

static void test_scores(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(scores); i++) {
		double mos = quality_mos(scores[i].r);

		if (!(fabs(mos - scores[i].mos) < 0.0005))
			fail_msg("R %f: %f, not %f", scores[i].r, mos, scores[i].mos);
	}
}

/* More delay or more loss never sounds better, and a score stays on its scale. */
static void test_monotonic(void **state)
{
	double before = QUALITY_R_BEST, mos_before = quality_mos(before);

	(void)state;
	for (int i = 0; i <= 1000; i++) {
		struct quality_input input = {i * 2.0, i / 10.0, 0, 25.1};
		double r = quality_r(&input), mos = quality_mos(r);

		assert_true(r <= before);
		assert_true(mos <= mos_before && mos >= 1);
		before = r;
		mos_before = mos;
	}
	assert_true(mos_before == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ratings),
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_monotonic),
	};

	return cmocka_run_group_tests_name("rtp/quality", tests, NULL, NULL);
}
