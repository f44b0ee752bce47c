/* core/sip/invite: whose owner goes before it has ended, and forgets it or leaves it to itself. */
#include "tests/unit/sip_phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* A call that is forgotten within the event that brought it; its message is still good there. */
static void test_forgotten_at_once(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.forget = true;
	pair_call(&pair);
	pair_run_ms(&pair, 450);
	pair_expect_sent(&pair, "INVITE");
	pair_expect_logs(&pair, "", "incoming(offer) ");
	assert_true(phone_is_idle(&pair.b));
	pair_run_ms(&pair, 40000); /* each repetition is a new call */
	assert_int_equal(pair.b.incoming, 7);
	pair_expect_sent(&pair, "INVITE INVITE INVITE INVITE INVITE INVITE INVITE");
	pair_close(&pair);
}

/* An invite forgotten in each state; nothing is said, and the far end ends by its own timers. */
static void test_forgotten(void **state)
{
	struct pair pair;

	(void)state;
	for (int ms = 0; ms < 6; ms++) {
		for (int caller = 0; caller < 2; caller++) {
			struct phone *phone = caller ? &pair.a : &pair.b;
			size_t sent;

			pair_open(&pair);
			pair.b.accept = true;
			pair_call(&pair);
			pair_run_ms(&pair, (uint64_t)ms);
			sent = pair.world.sent_count;
			sip_invite_free(phone->invite);
			phone->invite = NULL;
			assert_int_equal(pair.world.sent_count, sent);
			pair_run_ms(&pair, 70000);
			phone_hangup(&pair.a);
			phone_hangup(&pair.b);
			pair_close(&pair);
		}
	}
}

static void leave(struct phone *phone)
{
	sip_invite_leave(phone->invite);
	phone->invite = NULL;
}

/* Nothing was heard yet, so that CANCEL has to wait for the 180 of the second INVITE. */
static void test_left_before_any_response(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.start = "INVITE";
	pair.drop = 1;
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	leave(&pair.a);
	pair_run_ms(&pair, 600);

	pair_expect_logs(&pair, "", "incoming(offer) ended(remote 487 0) ");
	pair_expect_sent(&pair, "INVITE INVITE 180 CANCEL 200 487 ACK");
	pair_close(&pair);
}

static void test_left_while_ringing(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_hangup(&pair.a);
	leave(&pair.a); /* what was begun goes on */
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "180 ", "incoming(offer) ended(remote 487 0) ");
	pair_expect_sent(&pair, "INVITE 180 CANCEL 200 487 ACK");
	pair_close(&pair);
}

/* The far end picks up all the same: the call that it then has is ended by BYE. */
static void test_left_and_answered(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_call(&pair);
	pair_run_ms(&pair, 100);
	phone_accept(&pair.b);
	leave(&pair.a);
	pair_run_ms(&pair, 100);

	pair_expect_logs(&pair, "180 ", "incoming(offer) confirmed ended(remote 0 0) ");
	pair_expect_sent(&pair, "INVITE 180 200 CANCEL ACK BYE 200 200");
	pair_close(&pair);
}

static void test_left_while_talking(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair_talk(&pair);
	leave(&pair.b);
	pair_run_ms(&pair, 100);
	pair_expect_sent(&pair, "BYE 200");
	pair_close(&pair);
}

/* The stack goes first; that the invite goes with it, LeakSanitizer sees. */
static void test_left_to_the_stack(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	pair.b.accept = true;
	pair_call(&pair);
	leave(&pair.a);
	phone_close(&pair.a);
	pair_run_ms(&pair, 70000);
	phone_hangup(&pair.b);
	assert_int_equal(
		phone_open(&pair.a, world_host(&pair.world, "192.0.2.4"), "192.0.2.4:5060"), 0);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forgotten_at_once),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_left_before_any_response),
		cmocka_unit_test(test_left_while_ringing),
		cmocka_unit_test(test_left_and_answered),
		cmocka_unit_test(test_left_while_talking),
		cmocka_unit_test(test_left_to_the_stack),
	};

	return cmocka_run_group_tests_name("sip/invite, its owner", tests, NULL, NULL);
}
