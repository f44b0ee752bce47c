/* core/ua: whole calls of two agents in the simulated world, as their events tell them. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct ua_policy answers = {.answer = true};

static void test_a_call(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){.duration_ns = 2 * NS_PER_S}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 5);
	assert_string_equal(
		pair.near.room, "outgoing(192.0.2.2) answered ended(local 200 answered) ");
	assert_string_equal(pair.far.room, "incoming answered ended(remote 200 answered) ");
	pair_close(&pair);
}

/* RFC 3263, section 4.3: where nobody listens at the first address of a name, the next has its
 * turn. */
static void test_next_address_of_a_name(void **state)
{
	struct world_host *empty;
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){.duration_ns = NS_PER_S}, answers);
	assert_int_equal(world_host_new(&empty, pair.world, &nowhere), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &nowhere), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	pair_call(&pair, "sip:bob@bob.test");
	run_s(&pair, 5);
	assert_string_equal(
		pair.near.room, "outgoing(192.0.2.3) answered ended(local 200 answered) ");
	pair_close(&pair);
}

/* A host that is silent is left after 4 s, the last after Timer B; in the end nobody was there. */
static void test_all_addresses_in_vain(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	assert_int_equal(world_name(pair.world, "bob.test", &nowhere), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	world_host_down(pair.there);
	pair_call(&pair, "sip:bob@bob.test");
	run_s(&pair, 35);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.3) ");
	run_s(&pair, 2);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.3) ended(unreachable 408) ");
	world_host_up(pair.there);
	pair_close(&pair);
}

/* Who said 180 is there: a refusal after it is final. */
static void test_refusal_is_no_reason_to_move(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.refuse_code = 486});
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	assert_int_equal(world_name(pair.world, "bob.test", &nowhere), 0);
	pair_call(&pair, "sip:bob@bob.test");
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.2) ended(rejected 486) ");
	assert_string_equal(pair.far.room, "incoming ended(rejected 486) ");
	pair_close(&pair);
}

static void test_no_such_name(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@carol.test");
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(none) ended(unreachable 0) ");
	pair_close(&pair);
}

/* It is hung up while nothing is known yet; the call is told all the same. */
static void test_hung_up_while_looking_up(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	assert_int_equal(world_name(pair.world, "bob.test", &there), 0);
	pair_call(&pair, "sip:bob@bob.test");
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(none) ended(local 487) ");
	assert_string_equal(pair.far.room, "");
	assert_int_equal(agent_hangup(pair.near.agent, 1), -ENOENT);
	pair_close(&pair);
}

static void test_nobody_picks_up(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){.ring_limit_ns = 2 * NS_PER_S},
		(struct ua_policy){.answer = true, .answer_after_ns = 30 * NS_PER_S});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 5);
	assert_string_equal(pair.near.room, "outgoing(192.0.2.2) ringing ended(timeout 487) ");
	assert_string_equal(pair.far.room, "incoming ended(remote 487) ");
	pair_close(&pair);
}

/* An INVITE that comes while the agent closes is refused and makes no call; nor does somebody who
 * still types. */
static void test_closing_takes_no_call(void **state)
{
	struct pair pair;
	struct fault why;
	unsigned call;
	size_t at;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	agent_close(pair.far.agent, on_closed, &pair.far);
	assert_int_equal(
		agent_call(&call, pair.far.agent, "sip:a@192.0.2.1", &why, &at), -ESHUTDOWN);
	assert_string_equal(why.words, "the phone is being put down");
	run_s(&pair, 1);
	assert_true(pair.far.closed);
	assert_string_equal(pair.far.room, "");
	assert_string_equal(pair.near.room, "outgoing(192.0.2.2) ended(rejected 480) ");

	end_close(&pair, &pair.near);
	agent_free(pair.far.agent);
	world_loop_free(pair.far.loop);
	world_loop_free(pair.far.media_loop);
	world_free(pair.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call),
		cmocka_unit_test(test_next_address_of_a_name),
		cmocka_unit_test(test_all_addresses_in_vain),
		cmocka_unit_test(test_refusal_is_no_reason_to_move),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_hung_up_while_looking_up),
		cmocka_unit_test(test_nobody_picks_up),
		cmocka_unit_test(test_closing_takes_no_call),
	};

	return cmocka_run_group_tests_name("ua/calls", tests, NULL, NULL);
}
