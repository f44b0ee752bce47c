/* core/ua: mute and volume, at any time of a call, and what is heard of them. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct ua_policy answers = {.answer = true};

static bool near_to(double db, double other)
{
	return fabs(db - other) < 0.5;
}

static void test_mute(void **state)
{
	struct pair pair;
	double full;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 2);
	full = pair.far.far_dbfs;
	assert_true(full > -20);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered ");

	assert_int_equal(agent_mute(pair.near.agent, 1, true), 0);
	assert_int_equal(agent_mute(pair.near.agent, 1, true), 0);
	expect_log(&pair.near, "muted "); /* at once, and once */
	run_s(&pair, 2);
	assert_true(pair.near.near_dbfs == -96);
	assert_true(pair.far.far_dbfs < -60);
	assert_true(near_to(pair.near.far_dbfs, full)); /* the other way goes on */

	/* nothing is heard of it until the end of a hold, either */
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	assert_int_equal(agent_resume(pair.far.agent, 1), 0);
	run_s(&pair, 2);
	assert_true(pair.far.far_dbfs < -60);
	expect_log(&pair.near, "held(them) resumed(them) ");

	assert_int_equal(agent_mute(pair.near.agent, 1, false), 0);
	expect_log(&pair.near, "unmuted ");
	run_s(&pair, 2);
	assert_true(near_to(pair.far.far_dbfs, full));
	expect_log(&pair.far, "incoming answered held(us) resumed(us) ");
	pair_close(&pair);
}

static void test_volume(void **state)
{
	static const double bad[] = {GAIN_MIN_DB - 0.1, GAIN_MAX_DB + 0.1, NAN, INFINITY};
	struct pair pair;
	double full;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 2);
	full = pair.far.far_dbfs;
	assert_int_equal(agent_volume(pair.near.agent, 1, -6, 3), 0);
	assert_int_equal(agent_volume(pair.far.agent, 1, 0, -10), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(agent_volume(pair.near.agent, 1, bad[i], 0), -ERANGE);
		assert_int_equal(agent_volume(pair.near.agent, 1, 0, bad[i]), -ERANGE);
	}
	run_s(&pair, 2);
	assert_true(near_to(pair.near.near_dbfs, full - 6));
	assert_true(near_to(pair.near.far_dbfs, full + 3));
	assert_true(near_to(pair.far.far_dbfs, full - 16));
	assert_true(near_to(pair.far.near_dbfs, full));
	pair_close(&pair);
}

/* While it rings, and where there is no call any more, or never was. */
static void test_whenever(void **state)
{
	struct ua_policy later = {.answer = true, .answer_after_ns = 5 * NS_PER_S};
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, later);
	assert_int_equal(agent_mute(pair.near.agent, 1, true), -ENOENT);
	assert_int_equal(agent_volume(pair.near.agent, 1, 0, 0), -ENOENT);
	pair_call(&pair, "sip:bob@192.0.2.2");
	assert_int_equal(agent_mute(pair.near.agent, 1, true), 0);
	assert_int_equal(agent_volume(pair.near.agent, 1, 20, 0), 0);
	run_s(&pair, 2);
	assert_int_equal(agent_mute(pair.far.agent, 1, true), 0);
	expect_log(&pair.near, "muted outgoing(192.0.2.2) ringing ");
	expect_log(&pair.far, "incoming muted ");
	run_s(&pair, 6);
	assert_true(pair.near.near_dbfs == -96 && pair.far.near_dbfs == -96);
	assert_true(pair.near.far_dbfs < -60 && pair.far.far_dbfs < -60);

	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	assert_int_equal(agent_mute(pair.near.agent, 1, false), -ENOTCONN);
	assert_int_equal(agent_volume(pair.near.agent, 1, 0, 0), -ENOTCONN);
	run_s(&pair, 1);
	assert_int_equal(agent_mute(pair.near.agent, 1, false), -ENOENT);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_whenever),
	};

	return cmocka_run_group_tests_name("core/ua, mute and volume", tests, NULL, NULL);
}
