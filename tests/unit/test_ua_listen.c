/* core/ua: tones that are listened for in what the far end sends. */
#include "audio/ear.h"
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static const struct ua_policy answers = {.answer = true};
static const double tones[] = {440, 1000};

static int listen(struct end *end, size_t count)
{
	return agent_listen_in(end->agent, 1, tones, count);
}

/* As it comes, whatever is done to it here; and what is heard is told as long as it is asked for.
 */
static void test_tones(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	expect_log(&pair.far, "incoming answered ");
	assert_int_equal(agent_volume(pair.far.agent, 1, 0, -40), 0);
	assert_int_equal(listen(&pair.far, 2), 0);
	run_ms(&pair, 80);
	expect_log(&pair.far, "");
	run_ms(&pair, 120);
	expect_log(&pair.far, "440+(-13 dB, 100 ms) ");
	assert_int_equal(agent_play(pair.near.agent, 1, "tone:1000"), 0);
	run_s(&pair, 1);
	assert_non_null(strstr(pair.far.room, "440-(-13 dB, "));
	assert_non_null(strstr(pair.far.room, "1000+(-13 dB, 100 ms) "));
	pair.far.log = TEXT_IN(pair.far.room);

	assert_int_equal(listen(&pair.far, 1), 0); /* 440 alone, and anew */
	run_s(&pair, 1);
	expect_log(&pair.far, "");
	assert_int_equal(agent_play(pair.near.agent, 1, NULL), 0);
	run_s(&pair, 1);
	expect_log(&pair.far, "440+(-13 dB, 100 ms) ");
	assert_int_equal(listen(&pair.far, 0), 0);
	assert_int_equal(agent_play(pair.near.agent, 1, "silence"), 0);
	run_s(&pair, 1);
	expect_log(&pair.far, "");

	assert_int_equal(listen(&pair.far, 2), 0);
	assert_int_equal(agent_hangup(pair.far.agent, 1), 0);
	assert_int_equal(listen(&pair.far, 2), -ENOTCONN);
	run_s(&pair, 1);
	expect_log(&pair.far, "ended(local 200 answered) ");
	assert_int_equal(listen(&pair.far, 2), -ENOENT);
	pair_close(&pair);
}

static void listen_at_once(struct end *end, unsigned call)
{
	(void)call;
	assert_int_equal(listen(end, 2), 0);
}

/* Its sound is just being made. */
static void test_from_the_first_moment(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, answers);
	pair.near.hasty_at = UA_CALL_MEDIA;
	pair.near.hasty = listen_at_once;
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 400);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered 440+(-13 dB, 100 ms) ");
	pair_close(&pair);
}

static void test_what_cannot_be(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_int_equal(listen(&pair.near, 2), -ENOTCONN);
	assert_int_equal(listen(&pair.far, 2), -ENOTCONN);
	assert_int_equal(agent_listen_in(pair.near.agent, 1, (const double[]){10}, 1), -EINVAL);
	assert_int_equal(listen(&pair.near, EAR_TONES_MAX + 1), -EINVAL);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tones),
		cmocka_unit_test(test_from_the_first_moment),
		cmocka_unit_test(test_what_cannot_be),
	};

	return cmocka_run_group_tests_name("core/ua, listen", tests, NULL, NULL);
}
