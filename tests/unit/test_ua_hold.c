/* core/ua: hold and its end, from either side and from both at once, in the simulated world. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct ua_policy answers = {.answer = true};

/* A call that stands, with empty logs. */
static void talk(struct pair *pair)
{
	pair_open(pair, (struct ua_policy){0}, answers);
	pair_call(pair, "sip:bob@192.0.2.2");
	run_s(pair, 1);
	expect_log(&pair->near, "outgoing(192.0.2.2) answered ");
	expect_log(&pair->far, "incoming answered ");
}

static void end_call(struct pair *pair)
{
	assert_int_equal(agent_hangup(pair->near.agent, 1), 0);
	run_s(pair, 1);
	expect_log(&pair->near, "ended(local 200 answered) ");
	expect_log(&pair->far, "ended(remote 200 answered) ");
	pair_close(pair);
}

static void test_hold_and_resume(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	expect_log(&pair.near, ""); /* told when it is so */
	run_s(&pair, 1);
	expect_log(&pair.near, "held(us) ");
	expect_log(&pair.far, "held(them) ");
	assert_true(pair.near.far_dbfs < -60);
	assert_true(pair.far.far_dbfs < -60); /* nobody hears a room that does not talk to him */
	assert_int_equal(agent_play(pair.near.agent, 1, "tone:700"), 0);
	run_s(&pair, 1);
	assert_true(pair.far.far_dbfs > -20);
	assert_int_equal(agent_play(pair.near.agent, 1, NULL), 0);
	run_s(&pair, 1);
	assert_true(pair.far.far_dbfs < -60);
	expect_log(&pair.near, "played(tone:700 stopped) ");
	assert_int_equal(agent_hold(pair.near.agent, 1), -EALREADY);
	run_s(&pair, 1);
	expect_log(&pair.near, "");
	expect_log(&pair.far, "");
	assert_int_equal(agent_resume(pair.near.agent, 1), 0);
	run_s(&pair, 2);
	assert_true(pair.near.far_dbfs > -20);
	assert_true(pair.far.far_dbfs > -20);
	expect_log(&pair.near, "resumed(us) ");
	expect_log(&pair.far, "resumed(them) ");
	assert_int_equal(agent_resume(pair.near.agent, 1), -EALREADY);
	end_call(&pair);
}

static void test_who_was_called_holds(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "held(them) ");
	expect_log(&pair.far, "held(us) ");
	end_call(&pair);
}

/* One after the other: each lifts only its own. */
static void test_both_hold(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	run_s(&pair, 1);
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "held(us) held(them) ");
	expect_log(&pair.far, "held(them) held(us) ");
	assert_int_equal(agent_resume(pair.near.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "resumed(us) ");
	expect_log(&pair.far, "resumed(them) ");
	assert_int_equal(agent_resume(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "resumed(them) ");
	expect_log(&pair.far, "resumed(us) ");
	end_call(&pair);
}

/* RFC 3261, section 14.1: both offers cross, both are refused 491, and go again apart. */
static void test_glare(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_ms(&pair, 3);
	expect_log(&pair.near, "");
	expect_log(&pair.far, "");
	run_s(&pair, 10);
	expect_log(&pair.near, "held(them) held(us) "); /* whose Call-ID it is lets the other go */
	expect_log(&pair.far, "held(us) held(them) ");
	end_call(&pair);
}

/* Who changes his mind while the offer is out gets what he wanted last. */
static void test_second_thoughts(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	assert_int_equal(agent_resume(pair.near.agent, 1), 0);
	run_s(&pair, 10);
	expect_log(&pair.near, "held(us) resumed(us) ");
	expect_log(&pair.far, "held(them) resumed(them) ");
	end_call(&pair);
}

/* Back to what holds before a refused offer may go again: nothing is left to be said. */
static void test_second_thoughts_during_glare(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_ms(&pair, 5);
	assert_int_equal(agent_resume(pair.near.agent, 1), 0);
	assert_int_equal(agent_resume(pair.far.agent, 1), 0);
	run_s(&pair, 10);
	expect_log(&pair.near, "error(hold was taken back before they agreed) ");
	expect_log(&pair.far, "error(hold was taken back before they agreed) ");
	end_call(&pair);
}

static void test_hung_up_while_the_offer_is_out(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(local 200 answered) ");
	expect_log(&pair.far, "held(them) ended(remote 200 answered) ");
	pair_close(&pair);
}

static void test_the_far_end_hangs_up_while_the_offer_is_out(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	assert_int_equal(agent_hangup(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(remote 200 answered) ");
	expect_log(&pair.far, "ended(local 200 answered) ");
	pair_close(&pair);
}

/* On hold nothing has to come; after it, it has to. */
static void test_silence_on_hold(void **state)
{
	const struct ua_policy near = {.silence_ns = 2 * NS_PER_S};
	struct pair pair;

	(void)state;
	pair_open(&pair, near, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 5);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered ");
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	run_s(&pair, 10);
	expect_log(&pair.near, "held(us) ");
	assert_int_equal(agent_resume(pair.near.agent, 1), 0);
	run_s(&pair, 10);
	expect_log(&pair.near, "resumed(us) ");
	world_host_down(pair.there);
	run_s(&pair, 10);
	expect_log(&pair.near, "ended(media 408 answered) ");
	world_host_up(pair.there);
	pair_close(&pair);
}

/* RFC 3261, section 14.1: whose 200 has no ACK yet waits for it. */
static void test_held_before_the_ack(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 2);
	expect_log(&pair.far, "incoming answered ");
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered held(them) ");
	expect_log(&pair.far, "held(us) ");
	end_call(&pair);
}

/* Who has asked for silence does not hang up because of it before the far end has said yes. */
static void test_silence_before_the_hold(void **state)
{
	const struct ua_policy near = {.silence_ns = NS_PER_S};
	struct pair pair;

	(void)state;
	pair_open(&pair, near, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 2);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered ");
	expect_log(&pair.far, "incoming answered ");
	world_host_down(pair.there);
	assert_int_equal(agent_hold(pair.near.agent, 1), 0);
	run_s(&pair, 3);
	expect_log(&pair.near, "");
	world_host_up(pair.there);
	run_s(&pair, 3);
	expect_log(&pair.near, "held(us) ");
	expect_log(&pair.far, "held(them) ");
	end_call(&pair);
}

static void test_nothing_to_hold(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0},
		(struct ua_policy){.answer = true, .answer_after_ns = 5 * NS_PER_S});
	assert_int_equal(agent_hold(pair.near.agent, 1), -ENOENT);
	assert_int_equal(agent_resume(pair.near.agent, 1), -ENOENT);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_int_equal(agent_hold(pair.near.agent, 1), -ENOTCONN);
	assert_int_equal(agent_resume(pair.far.agent, 1), -ENOTCONN);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_and_resume),
		cmocka_unit_test(test_who_was_called_holds),
		cmocka_unit_test(test_both_hold),
		cmocka_unit_test(test_glare),
		cmocka_unit_test(test_second_thoughts),
		cmocka_unit_test(test_second_thoughts_during_glare),
		cmocka_unit_test(test_hung_up_while_the_offer_is_out),
		cmocka_unit_test(test_the_far_end_hangs_up_while_the_offer_is_out),
		cmocka_unit_test(test_silence_on_hold),
		cmocka_unit_test(test_held_before_the_ack),
		cmocka_unit_test(test_silence_before_the_hold),
		cmocka_unit_test(test_nothing_to_hold),
	};

	return cmocka_run_group_tests_name("ua/hold", tests, NULL, NULL);
}
