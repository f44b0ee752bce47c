/* core/ua: readers of its events who hang up, or put the phone down, within one of them. */
#include "tests/unit/ua_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct ua_policy answers_soon = {.answer = true, .answer_after_ns = NS_PER_S};

static void hang_up(struct end *end, unsigned call)
{
	assert_int_equal(agent_hangup(end->agent, call), 0);
}

static void put_down(struct end *end, unsigned call)
{
	(void)call;
	agent_close(end->agent, on_closed, end);
}

static size_t count_of(const char *log, const char *word)
{
	size_t count = 0;

	for (const char *at = strstr(log, word); at; at = strstr(at + 1, word))
		count++;
	return count;
}

/* A call that would stand, be held by both in turn, and be hung up. Each end tells its end once. */
static void play(struct pair *pair)
{
	pair_call(pair, "sip:bob@192.0.2.2");
	run_s(pair, 3);
	agent_hold(pair->near.agent, 1);
	run_s(pair, 1);
	agent_hold(pair->far.agent, 1);
	run_s(pair, 1);
	agent_resume(pair->near.agent, 1);
	run_s(pair, 10);
	agent_hangup(pair->near.agent, 1);
	run_s(pair, 40);
	assert_int_equal(agent_calls(pair->near.agent), 0);
	assert_int_equal(agent_calls(pair->far.agent), 0);
	assert_int_equal(count_of(pair->near.room, "ended("), 1);
	assert_true(count_of(pair->far.room, "ended(") <= 1);
}

static void close_end(struct pair *pair, struct end *end)
{
	if (!end->closed) {
		end_close(pair, end);
		return;
	}
	agent_free(end->agent);
	world_loop_free(end->loop);
	world_loop_free(end->media_loop);
}

static void run_hasty(enum ua_event_kind kind, bool far, void (*hasty)(struct end *, unsigned))
{
	struct pair pair;
	struct end *end = far ? &pair.far : &pair.near;

	pair_open(&pair, (struct ua_policy){0}, answers_soon);
	end->hasty_at = kind;
	end->hasty = hasty;
	play(&pair);
	close_end(&pair, &pair.near);
	close_end(&pair, &pair.far);
	world_free(pair.world);
}

/* Which of them come in that call at one end or the other. */
static const enum ua_event_kind kinds[] = {UA_CALL_OUTGOING, UA_CALL_INCOMING, UA_CALL_RINGING,
	UA_CALL_ANSWERED, UA_CALL_MEDIA, UA_CALL_HELD, UA_CALL_RESUMED, UA_CALL_STATS};

static void test_hung_up_within_an_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		run_hasty(kinds[i], false, hang_up);
		run_hasty(kinds[i], true, hang_up);
	}
}

static void test_put_down_within_an_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		run_hasty(kinds[i], false, put_down);
		run_hasty(kinds[i], true, put_down);
	}
}

/* The event of the call's end is no place where it could be ended once more. */
static void test_hung_up_within_the_end(void **state)
{
	(void)state;
	run_hasty(UA_CALL_ENDED, false, hang_up);
	run_hasty(UA_CALL_ENDED, true, put_down);
}

/* Told within the end: the outgoing call that could not even be made. */
static void test_hung_up_before_it_is_made(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers_soon);
	pair.near.hasty_at = UA_CALL_OUTGOING;
	pair.near.hasty = hang_up;
	pair_call(&pair, "sip:bob@192.0.2.2");
	hang_up(&pair.near, 1); /* which tells first that it is made */
	run_s(&pair, 1);
	assert_int_equal(count_of(pair.near.room, "outgoing"), 1);
	assert_int_equal(count_of(pair.near.room, "ended(local"), 1);
	pair_close(&pair);
}

static void hold(struct end *end, unsigned call)
{
	assert_int_equal(agent_hold(end->agent, call), 0);
}

/* Who was called may hold at once; it is asked for when ACK has come. */
static void test_held_before_ack(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers_soon);
	pair.far.hasty_at = UA_CALL_ANSWERED;
	pair.far.hasty = hold;
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 3);
	expect_log(&pair.near, "outgoing(192.0.2.2) ringing answered held(them) ");
	expect_log(&pair.far, "incoming answered held(us) ");
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hung_up_within_an_event),
		cmocka_unit_test(test_put_down_within_an_event),
		cmocka_unit_test(test_hung_up_within_the_end),
		cmocka_unit_test(test_hung_up_before_it_is_made),
		cmocka_unit_test(test_held_before_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
