/* core/ua: another codec in the middle of a call, from either side and from both at once. */
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TONE_DB = -13 };

static const struct ua_policy answers = {.answer = true};

static const struct codec *codec(const char *key)
{
	return codec_find(slice_of(key));
}

/* They will talk by PCMU. far: the codecs of the far end. */
static void call(struct pair *pair, const char *far)
{
	static const struct codec *nears[CODEC_LIST_MAX], *fars[CODEC_LIST_MAX];

	pair_init(pair, (struct ua_policy){0}, answers);
	pair->near.logs_media = pair->far.logs_media = true;
	assert_int_equal(codec_list_parse(nears, &pair->near.config.codec_count,
				 slice_of("pcmu,pcma,g722,gsm"), NULL),
		0);
	assert_int_equal(
		codec_list_parse(fars, &pair->far.config.codec_count, slice_of(far), NULL), 0);
	pair->near.config.codecs = nears;
	pair->far.config.codecs = fars;
	pair_start(pair);
	pair_call(pair, "sip:bob@192.0.2.2");
}

/* A call that stands, with empty logs. */
static void talk(struct pair *pair, const char *far)
{
	call(pair, far);
	run_s(pair, 1);
	expect_log(&pair->near, "outgoing(192.0.2.2) answered pcmu ");
	expect_log(&pair->far, "incoming answered pcmu ");
}

static void expect_sound(const struct pair *pair)
{
	assert_true(fabs(pair->near.far_dbfs - TONE_DB) < 1);
	assert_true(fabs(pair->far.far_dbfs - TONE_DB) < 1);
}

static void test_another_codec(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, "pcmu,pcma,g722");
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	expect_log(&pair.near, ""); /* told when it is so */
	run_s(&pair, 1);
	expect_log(&pair.near, "pcma ");
	expect_log(&pair.far, "pcma ");
	expect_sound(&pair);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), -EALREADY);

	/* from the other side, at another rate, and then hold asks for no other */
	assert_int_equal(agent_codec(pair.far.agent, 1, codec("g722")), 0);
	run_s(&pair, 2);
	expect_log(&pair.near, "g722 ");
	expect_log(&pair.far, "g722 ");
	expect_sound(&pair);
	agent_hold(pair.near.agent, 1);
	run_s(&pair, 1);
	agent_resume(pair.near.agent, 1);
	run_s(&pair, 1);
	expect_log(&pair.near, "held(us) resumed(us) ");
	expect_log(&pair.far, "held(them) resumed(them) ");
	expect_sound(&pair);
	pair_close(&pair);
}

static void test_refused(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, "pcmu");
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	run_s(&pair, 2);
	expect_log(&pair.near,
		"error(they refuse to talk by pcma: 488 Not Acceptable Here: they say: "
		"they offer no codec of ours (we: pcmu; they: pcma)) ");
	expect_log(&pair.far, "");
	expect_sound(&pair);

	/* and nothing of it is left */
	agent_hold(pair.near.agent, 1);
	run_s(&pair, 1);
	expect_log(&pair.near, "held(us) ");
	pair_close(&pair);
}

/* RFC 3261, section 14.1: both offers cross, and go again apart; the last one is what holds. */
static void test_glare(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, "pcmu,pcma,g722");
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	assert_int_equal(agent_codec(pair.far.agent, 1, codec("g722")), 0);
	run_s(&pair, 10);
	expect_log(&pair.near, "g722 pcma ");
	expect_log(&pair.far, "g722 pcma ");
	expect_sound(&pair);

	/* both want the same: it is asked for once */
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcmu")), 0);
	assert_int_equal(agent_codec(pair.far.agent, 1, codec("pcmu")), 0);
	run_s(&pair, 10);
	expect_log(&pair.near, "pcmu ");
	expect_log(&pair.far, "pcmu ");
	pair_close(&pair);
}

/* One thing at a time, hold first: so that it is clear what is refused. */
static void test_with_hold(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, "pcmu,pcma");
	agent_hold(pair.near.agent, 1);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	run_s(&pair, 2);
	expect_log(&pair.near, "held(us) pcma "); /* though nothing is heard of it yet */
	agent_resume(pair.near.agent, 1);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("g722")), 0);
	run_s(&pair, 2);
	expect_log(&pair.near, "resumed(us) error(they refuse to talk by g722: 488 Not Acceptable "
			       "Here: they say: they offer no codec of ours (we: pcma, pcmu; "
			       "they: g722)) ");
	expect_sound(&pair);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("g722")), 0);
	agent_hold(pair.near.agent, 1);
	run_s(&pair, 2);
	assert_non_null(strstr(pair.near.room, "they: g722)) held(us) "));
	pair_close(&pair);
}

/* RFC 3261, section 14.1: whose 200 has no ACK yet waits for it, with all that is wanted. */
static void test_with_hold_before_the_ack(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair, "pcmu,opus");
	run_ms(&pair, 2);
	expect_log(&pair.far, "incoming answered pcmu ");
	assert_int_equal(agent_codec(pair.far.agent, 1, codec("opus")), 0);
	assert_int_equal(agent_hold(pair.far.agent, 1), 0);
	run_s(&pair, 2);
	expect_log(&pair.far,
		"held(us) error(they refuse to talk by opus: 488 Not Acceptable Here: "
		"they say: they offer no codec of ours (we: pcmu, pcma, g722, gsm; "
		"they: opus)) ");
	expect_log(&pair.near, "outgoing(192.0.2.2) answered pcmu held(them) ");
	pair_close(&pair);
}

static void test_second_thoughts(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, "pcmu,pcma");
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcmu")), 0);
	run_s(&pair, 5);
	expect_log(&pair.near, "pcma pcmu ");
	/* what is refused is told, also where it is not wanted any more: somebody may wait */
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("g722")), 0);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	run_s(&pair, 5);
	expect_log(&pair.near,
		"error(they refuse to talk by g722: 488 Not Acceptable Here: they say: they offer "
		"no codec of ours (we: pcmu, pcma; they: g722)) pcma ");
	expect_log(&pair.far, "pcma pcmu pcma ");
	expect_sound(&pair);
	pair_close(&pair);
}

static void test_what_cannot_be(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, "pcmu,pcma,g722");
	assert_int_equal(agent_codec(pair.near.agent, 2, codec("pcma")), -ENOENT);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("opus")), -EINVAL);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcmu")), -EALREADY);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), 0);
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	assert_int_equal(agent_codec(pair.near.agent, 1, codec("pcma")), -ENOTCONN);
	run_s(&pair, 1);
	expect_log(&pair.near, "ended(local 200 answered) ");
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_codec),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_glare),
		cmocka_unit_test(test_with_hold),
		cmocka_unit_test(test_with_hold_before_the_ack),
		cmocka_unit_test(test_second_thoughts),
		cmocka_unit_test(test_what_cannot_be),
	};

	return cmocka_run_group_tests_name("core/ua, codec", tests, NULL, NULL);
}
