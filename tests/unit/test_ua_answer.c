/* core/ua: incoming calls that ring until somebody answers or refuses them. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct ua_policy rings = {.ring = true};

/* A call that rings at the far end, with empty logs. */
static void ring(struct pair *pair)
{
	pair_open(pair, (struct ua_policy){0}, rings);
	pair_call(pair, "sip:bob@192.0.2.2");
	run_s(pair, 1);
	expect_log(&pair->near, "outgoing(192.0.2.2) ringing ");
	expect_log(&pair->far, "incoming ");
}

/* For longer than any timer of SIP; then it is a call like any. */
static void test_answered(void **state)
{
	struct pair pair;

	(void)state;
	ring(&pair);
	run_s(&pair, 600);
	expect_log(&pair.near, "");
	assert_int_equal(agent_answer(pair.far.agent, 1), 0);
	assert_int_equal(agent_answer(pair.far.agent, 1), -EALREADY);
	assert_int_equal(agent_reject(pair.far.agent, 1, 486), -EALREADY);
	run_s(&pair, 2);
	expect_log(&pair.near, "answered ");
	expect_log(&pair.far, "answered ");
	assert_true(pair.near.far_dbfs > -20 && pair.far.far_dbfs > -20);
	assert_int_equal(agent_hangup(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(remote 200 answered) ");
	pair_close(&pair);
}

static void test_rejected(void **state)
{
	static const uint16_t bad[] = {0, 180, 200, 299, 700};
	struct pair pair;

	(void)state;
	ring(&pair);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(agent_reject(pair.far.agent, 1, bad[i]), -ERANGE);
	assert_int_equal(agent_reject(pair.far.agent, 1, 603), 0);
	assert_int_equal(agent_reject(pair.far.agent, 1, 603), -EALREADY);
	assert_int_equal(agent_answer(pair.far.agent, 1), -EALREADY);
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(rejected 603) ");
	expect_log(&pair.far, "ended(rejected 603) ");
	assert_int_equal(agent_answer(pair.far.agent, 1), -ENOENT);
	assert_int_equal(agent_reject(pair.far.agent, 1, 486), -ENOENT);
	pair_close(&pair);
}

/* Who answers another call asks the first to be quiet, where that is the policy. */
static void test_others_held(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0},
		(struct ua_policy){.ring = true, .hold_others = true});
	pair_call(&pair, "sip:bob@192.0.2.2");
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_int_equal(agent_answer(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.far, "incoming incoming answered ");
	assert_int_equal(agent_answer(pair.far.agent, 2), 0);
	run_s(&pair, 1);
	expect_log(&pair.far, "answered held(us) ");
	expect_log(&pair.near, "outgoing(192.0.2.2) outgoing(192.0.2.2) ringing ringing answered "
			       "answered held(them) ");
	pair_close(&pair);
}

static void test_given_up_while_it_rings(void **state)
{
	struct pair pair;

	(void)state;
	ring(&pair);
	assert_int_equal(agent_answer(pair.near.agent, 1), -EALREADY); /* it is our own call */
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(local 487) ");
	expect_log(&pair.far, "ended(remote 487) ");
	pair_close(&pair);
}

/* Each has its own number and its own fate, within what the policy allows. */
static void test_several(void **state)
{
	struct ua_policy two = {.ring = true, .max_calls = 2};
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, two);
	for (unsigned i = 0; i < 3; i++) {
		pair_call(&pair, "sip:bob@192.0.2.2");
		run_s(&pair, 1);
	}
	expect_log(&pair.far, "incoming incoming incoming ended(rejected 486) ");
	assert_int_equal(agent_answer(pair.far.agent, 2), 0);
	assert_int_equal(agent_reject(pair.far.agent, 1, 404), 0);
	run_s(&pair, 1);
	expect_log(&pair.far, "answered ended(rejected 404) ");
	pair_close(&pair);
}

static void answer(struct end *end, unsigned call)
{
	assert_int_equal(agent_answer(end->agent, call), 0);
}

static void reject(struct end *end, unsigned call)
{
	assert_int_equal(agent_reject(end->agent, call, 404), 0);
	assert_int_equal(agent_answer(end->agent, call), -EALREADY);
}

static void come_too_late(struct end *end, unsigned call)
{
	assert_int_equal(agent_answer(end->agent, call), -EALREADY);
	assert_int_equal(agent_reject(end->agent, call, 404), -EALREADY);
}

/* clang-format off */
static const struct {
	struct ua_policy policy;
	void (*hasty)(struct end *end, unsigned call);
	const char *near, *far;
} hasty_rows[] = {
	{{.ring = true},   answer,        "answered ",            "incoming answered "},
	{{.ring = true},   reject,        "ended(rejected 404) ", "incoming ended(rejected 404) "},
	{{.answer = true}, answer,        "answered ",            "incoming answered "},
	{{.answer = true}, reject,        "ended(rejected 404) ", "incoming ended(rejected 404) "},
	{{0},              come_too_late, "ended(rejected 486) ", "incoming ended(rejected 486) "},
};
/* clang-format on */

/* Before anything else was done with the call: it does not even ring. */
static void test_within_the_event(void **state)
{
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(hasty_rows) / sizeof(hasty_rows[0]); i++) {
		char room[LOG_SIZE];
		struct text near = TEXT_IN(room);

		pair_open(&pair, (struct ua_policy){0}, hasty_rows[i].policy);
		pair.far.hasty_at = UA_CALL_INCOMING;
		pair.far.hasty = hasty_rows[i].hasty;
		pair_call(&pair, "sip:bob@192.0.2.2");
		run_s(&pair, 1);
		text_printf(&near, "outgoing(192.0.2.2) %s", hasty_rows[i].near);
		expect_log(&pair.near, room);
		expect_log(&pair.far, hasty_rows[i].far);
		pair_close(&pair);
	}
}

/* Without an offer, ours goes with the 200 and nothing is talked before the ACK. */
static void test_offer_in_the_answer(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, rings);
	pair.near.config.late_offer = true;
	pair_start(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_int_equal(agent_answer(pair.far.agent, 1), 0);
	expect_log(&pair.far, "incoming ");
	assert_int_equal(agent_answer(pair.far.agent, 1), -EALREADY);
	run_s(&pair, 1);
	expect_log(&pair.near, "outgoing(192.0.2.2) ringing answered ");
	expect_log(&pair.far, "answered ");
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_others_held),
		cmocka_unit_test(test_given_up_while_it_rings),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_within_the_event),
		cmocka_unit_test(test_offer_in_the_answer),
	};

	return cmocka_run_group_tests_name("core/ua, answer and reject", tests, NULL, NULL);
}
