/* cmd/queue, cmd/desk and the commands of calls: what is typed on two phones of one desk. */
#include "core/base/loop.h"
#include "tests/unit/desk_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/* Each line waits for the end of the one before, whichever phone it is for. */
static void test_in_order(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "call " FAR_URI);
	desk_pair_put(&pair, pair.near, "mute");
	assert_false(queue_is_idle(pair.queue));
	desk_pair_run(&pair, 3000);
	desk_pair_expect(&pair, ""); /* it rings, and nobody answers */
	assert_int_equal(agent_answer(pair.far->agent, 1), 0);
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok call " FAR_URI "; ok mute; ");
	assert_int_equal(pair.idle, 1);
	assert_true(handset_call(pair.near, 1)->muted);

	desk_pair_put(&pair, pair.near, "hangup");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok hangup; ");
	assert_int_equal(pair.idle, 2);
	assert_int_equal(desk_calls(pair.desk), 0);
	desk_pair_close(&pair);
}

/* What ends in "&" is not waited for, and told when it ends. */
static void test_behind(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "call " FAR_URI " &");
	desk_pair_run(&pair, 500);
	assert_int_equal(pair.idle, 1);
	desk_pair_put(&pair, pair.far, "answer");
	desk_pair_run(&pair, 500);
	desk_pair_expect(&pair, "ok answer; ok call " FAR_URI " &; ");
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_put(&pair, pair.near, "hold");  /* it is so */
	desk_pair_put(&pair, pair.far, "resume"); /* it is not so by them */
	desk_pair_put(&pair, pair.near, "resume");
	desk_pair_put(&pair, pair.far, "hangup 1");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok hold; ok hold; ok resume; ok resume; ok hangup 1; ");
	desk_pair_close(&pair);
}

/* What is under way counts, not what was told last. */
static void test_second_thoughts(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, false);
	desk_pair_talk(&pair);
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_put(&pair, pair.near, "resume");
	desk_pair_expect(&pair, "");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok hold; ok resume; ");
	assert_false(handset_call(pair.near, 1)->held);
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_run(&pair, 1000);
	desk_pair_put(&pair, pair.near, "resume");
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok hold; ok resume; ok hold; ");
	assert_true(handset_call(pair.near, 1)->held);
	desk_pair_close(&pair);
}

/* What fails beside it, a disk say, is not what the far end thinks of it. */
static void test_trouble_of_ours(void **state)
{
	struct ua_event trouble = {
		.kind = UA_ERROR, .call = 1, .error = {.words = "the disk is full", .ours = true}};
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, false);
	desk_pair_talk(&pair);
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_put(&pair, pair.near, "codec pcma");
	desk_tell(pair.desk, pair.near, &trouble);
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok hold; ok codec pcma; ");
	desk_pair_close(&pair);
}

/* Neither could be offered yet, as a change of theirs was not through. */
static void test_taken_back_before_it_is_offered(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, false);
	desk_pair_talk(&pair);
	desk_pair_put(&pair, pair.far, "hold");
	desk_pair_run(&pair, 2); /* the ACK is under way */
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_put(&pair, pair.near, "codec pcma");
	desk_pair_put(&pair, pair.near, "resume");
	desk_pair_put(&pair, pair.near, "codec pcmu");
	desk_pair_run(&pair, 5000);
	desk_pair_expect(&pair,
		"ok hold; 4 hold: hold was taken back before they agreed; ok resume; "
		"8 codec pcma: codec pcma was taken back before they agreed; ok codec pcmu; ");
	desk_pair_close(&pair);
}

/* What they refuse fails who asked for it; that of others is as it was, or as it was asked for. */
static void test_each_its_own_refusal(void **state)
{
	static const struct {
		enum ua_wish wish;
		const char *codec, *log;
	} rows[] = {
		{UA_WISH_HOLD, NULL, "4 hold: no; ok resume; ok codec pcma; "},
		{UA_WISH_RESUME, NULL, "ok hold; 4 resume: no; ok codec pcma; "},
		{UA_WISH_CODEC, "pcma", "8 codec pcma: no; ok hold; ok resume; "},
		{UA_WISH_CODEC, "pcmu", "ok hold; ok resume; ok codec pcma; "},
		{UA_WISH_NONE, NULL, "ok hold; ok resume; ok codec pcma; "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ua_event refused = {.kind = UA_ERROR,
			.call = 1,
			.error = {.words = "no", .wish = rows[i].wish, .codec = rows[i].codec}};
		struct desk_pair pair;

		desk_pair_open(&pair, false);
		desk_pair_talk(&pair);
		desk_pair_put(&pair, pair.near, "hold");
		desk_pair_put(&pair, pair.near, "resume");
		desk_pair_put(&pair, pair.near, "codec pcma");
		desk_tell(pair.desk, pair.near, &refused);
		desk_pair_run(&pair, 1000);
		desk_pair_expect(&pair, rows[i].log);
		desk_pair_close(&pair);
	}
}

/* What fails has no code of success, however well the call ended. */
static void test_hung_up_meanwhile(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_talk(&pair);
	assert_int_equal(agent_hangup(pair.far->agent, 1), 0);
	desk_pair_put(&pair, pair.near, "hold");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "8 hold: call 1 ended before; ");
	desk_pair_close(&pair);
}

/* A wish that was taken back before it could be told has an end all the same. */
static void test_taken_back(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, false);
	desk_pair_talk(&pair);
	desk_pair_put(&pair, pair.near, "hold"); /* both cross, */
	desk_pair_put(&pair, pair.far, "hold");
	desk_pair_run(&pair, 5); /* and are refused for a moment */
	desk_pair_put(&pair, pair.near, "resume");
	desk_pair_put(&pair, pair.far, "resume");
	desk_pair_run(&pair, 5000);
	desk_pair_expect(&pair, "4 hold: hold was taken back before they agreed; ok resume; "
				"4 hold: hold was taken back before they agreed; ok resume; ");
	desk_pair_close(&pair);
}

/* By whatever spelling of its name. */
static void test_codec(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "call Friend &");
	desk_pair_run(&pair, 500);
	desk_pair_put(&pair, pair.far, "answer");
	desk_pair_run(&pair, 500);
	desk_pair_put(&pair, pair.near, "codec PCMA");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok answer; ok call Friend &; ok codec PCMA; ");
	assert_string_equal(handset_call(pair.near, 1)->codec, "pcma");
	desk_pair_close(&pair);
}

/* Who hangs up at once means the call that was just begun, though nothing was told of it yet. */
static void test_hung_up_at_once(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "call Friend &");
	desk_pair_put(&pair, pair.near, "hangup");
	desk_pair_run(&pair, 5000);
	assert_non_null(strstr(pair.room, "ok hangup; "));
	assert_int_equal(desk_calls(pair.desk), 0);
	desk_pair_close(&pair);
}

static void test_refused(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "call Friend &");
	desk_pair_run(&pair, 500);
	desk_pair_put(&pair, pair.far, "reject 603");
	desk_pair_run(&pair, 1000);
	desk_pair_expect(&pair, "ok reject 603; 5 call Friend &: 603 Decline; ");
	desk_pair_close(&pair);
}

/* A far end that is not there fails the command as it would fail the program. */
static void test_unreachable(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "call 192.0.2.9");
	desk_pair_run(&pair, 40000);
	assert_memory_equal(pair.room, "3 call 192.0.2.9: ", 18);
	desk_pair_close(&pair);
}

/* Nobody waits at a prompt, and a line may be just whom to call. */
static void test_prompt(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, false);
	desk_pair_put(&pair, pair.near, "Friend");
	desk_pair_put(&pair, pair.near, "sip:x@" FAR_URI " &");
	desk_pair_put(&pair, pair.near, "nobody");
	desk_pair_put(&pair, pair.near, "");
	desk_pair_put(&pair, pair.near, "# nothing");
	desk_pair_put(&pair, pair.near, "quit");
	desk_pair_expect(&pair, "2 nobody: no command \"nobody\"; help shows them all at 0; ok ; "
				"ok # nothing; ok quit; ");
	assert_int_equal(pair.quit, 1);
	desk_pair_run(&pair, 500);
	assert_int_equal(desk_calls(pair.desk), 4);
	desk_pair_put(&pair, pair.far, "hangup all");
	desk_pair_run(&pair, 5000);
	desk_pair_expect(&pair, "ok hangup all; 6 Friend: 480 Temporarily Unavailable; "
				"6 sip:x@" FAR_URI " &: 480 Temporarily Unavailable; ");
	desk_pair_close(&pair);
}

/* Who calls meanwhile is not waited for. */
static void test_hangup_all(void **state)
{
	struct desk_pair pair;
	struct fault why;
	unsigned call;
	size_t at;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "hangup all");
	desk_pair_expect(&pair, "ok hangup all; ");
	desk_pair_put(&pair, pair.near, "call 192.0.2.9 &"); /* who is not there */
	desk_pair_run(&pair, 100);
	desk_pair_put(&pair, pair.near, "hangup all");
	assert_int_equal(agent_call(&call, pair.far->agent, "192.0.2.1", &why, &at), 0);
	desk_pair_run(&pair, 100);
	assert_non_null(handset_call(pair.near, 2));
	desk_pair_expect(&pair, "");
	desk_pair_run(&pair, 5000);
	assert_non_null(strstr(pair.room, "ok hangup all; "));
	assert_non_null(handset_call(pair.near, 2));
	desk_pair_close(&pair);
}

/* Commands for calls that are not, or are not as they would have to be. */
static void test_wrong_calls(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"answer", "2 answer: no call waits for an answer; "},
		{"answer 1", "2 answer 1: call 1 waits for no answer of ours at 7; "},
		{"answer 7",
			"2 answer 7: there is no call 7; \"calls\" shows those that are at 7; "},
		{"reject", "2 reject: no call waits for an answer; "},
		{"hold", "2 hold: call 1 is not answered yet; "},
		{"dial", "2 dial: call 1 is not answered yet; "},
		{"stats #1", "2 stats #1: call 1 is not answered yet; "},
		{"hangup some", "2 hangup some: a call's number, or all at 7; "},
		{"call a@@b", "2 call a@@b: "},
	};
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "hangup");
	desk_pair_put(&pair, pair.near, "calls");
	desk_pair_expect(&pair, "2 hangup: there is no call; ok calls: no calls\n; ");
	desk_pair_put(&pair, pair.near, "call Friend &");
	desk_pair_run(&pair, 500);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		desk_pair_put(&pair, pair.near, rows[i].line);
		assert_memory_equal(pair.room, rows[i].words, strlen(rows[i].words));
		pair.log = TEXT_IN(pair.room);
	}
	desk_pair_put(&pair, pair.near, "calls");
	assert_non_null(strstr(pair.room, "*#1   192.0.2.2 "));
	assert_non_null(strstr(pair.room, "ringing   0:0"));
	desk_pair_close(&pair);
}

/* Where nobody presses keys, none of them can be digits. */
static void test_dial_without_keys(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, false);
	desk_pair_talk(&pair);
	desk_pair_put(&pair, pair.near, "dial");
	desk_pair_expect(&pair, "2 dial: dial is for a prompt, whose keys are digits then; ");
	desk_pair_close(&pair);
}

static void forget_all(void *arg, const struct queue_result *result)
{
	struct desk_pair *pair = arg;

	(void)result;
	queue_free(pair->queue);
	pair->queue = NULL;
}

/* Who is told may end the queue, with what waits in it. */
static void test_gone_within(void **state)
{
	static const struct queue_events events = {.done = forget_all};
	struct desk_pair pair;
	struct queue_config config = {.waits = true, .events = &events};

	(void)state;
	desk_pair_open(&pair, true);
	queue_free(pair.queue);
	config.desk = pair.desk;
	config.arg = &pair;
	assert_int_equal(queue_new(&pair.queue, &config), 0);
	assert_int_equal(queue_put(pair.queue, "call Friend"), 0);
	assert_int_equal(queue_put(pair.queue, "calls"), 0);
	desk_pair_run(&pair, 500);
	assert_int_equal(agent_answer(pair.far->agent, 1), 0);
	desk_pair_run(&pair, 500);
	assert_null(pair.queue);
	desk_pair_close(&pair);
}

/* What runs is dropped, whatever it waits for: what comes of that later finds nobody. */
static void test_gone_while_all_wait(void **state)
{
	static const char *const lines[] = {"call Friend &", "ping 192.0.2.9 &", "wait 100ms &",
		"history &", "set mic file:/nonexistent.wav &", "expect message &",
		"play tone:440 &"};
	struct desk_pair pair;

	(void)state;
	desk_pair_open_slow(&pair, true, 50);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		desk_pair_put(&pair, pair.near, lines[i]);
	queue_free(pair.queue);
	pair.queue = NULL;
	pair.log = TEXT_IN(pair.room);
	desk_pair_run(&pair, 40000);
	desk_pair_expect(&pair, "");
	desk_pair_close(&pair);
}

static void test_limits(void **state)
{
	static char line[QUEUE_LINE_MAX + 2];
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	memset(line, 'x', sizeof(line) - 1);
	assert_int_equal(queue_put(pair.queue, line), -E2BIG);
	desk_pair_put(&pair, pair.near, "call Friend");
	for (size_t i = 0; i < QUEUE_LINES_MAX; i++)
		assert_int_equal(queue_put(pair.queue, "calls"), 0);
	assert_int_equal(queue_put(pair.queue, "calls"), -ENOSPC);
	queue_forget(pair.queue);
	desk_pair_close(&pair);
}

/* What nobody waits for is counted, and room is there again once one has ended. */
static void test_behind_limit(void **state)
{
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "wait 1 &");
	for (size_t i = 1; i < QUEUE_BEHIND_MAX; i++)
		desk_pair_put(&pair, pair.near, "wait 1h &");
	desk_pair_expect(&pair, "");
	desk_pair_put(&pair, pair.near, "calls &");
	desk_pair_put(&pair, pair.near, "calls");
	desk_pair_expect(&pair,
		"9 calls &: 1024 commands with & are under way, and no more can be; "
		"ok calls: no calls\n; ");
	desk_pair_run(&pair, 1500);
	desk_pair_put(&pair, pair.near, "calls &");
	desk_pair_expect(&pair, "ok wait 1 &; ok calls &: no calls\n; ");
	desk_pair_put(&pair, pair.near, "wait 1h &");
	desk_pair_put(&pair, pair.near, "wait 1h &");
	desk_pair_expect(
		&pair, "9 wait 1h &: 1024 commands with & are under way, and no more can be; ");
	desk_pair_close(&pair);
}

static void test_settings(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{"set volume +3", "ok set volume +3; "},
		{"set volume", "ok set volume:   volume           +3 dB   (all calls)\n; "},
		{"set volume 99", "2 set volume 99: -60 to 20 dB can be had at 11; "},
		{"set codecs pcma,opus", "ok set codecs pcma,opus; "},
		{"set codecs", "ok set codecs:   codecs           pcma,opus   (later calls)\n; "},
		{"set record a%q.wav",
			"2 set record a%q.wav: a recording's name knows no %q; there are %n "
			"(call), %t (time), %p (peer) and %% at 11; "},
		{"set record a%n.wav", "ok set record a%n.wav; "},
		{"set timeout never", "ok set timeout never; "},
		{"set anonymous", "ok set anonymous:   anonymous        account   (later calls; "
				  "account: as its key says)\n; "},
		{"set anonymous on", "ok set anonymous on; "},
		{"set anonymous", "ok set anonymous:   anonymous        on   (later calls; "
				  "account: as its key says)\n; "},
		{"set anonymous maybe",
			"2 set anonymous maybe: \"maybe\" is neither on nor off at 14; "},
		{"set anonymous account", "ok set anonymous account; "},
		{"set anonymous off", "ok set anonymous off; "},
		{"set reject-anonymous on", "ok set reject-anonymous on; "},
		{"set max-calls 2", "ok set max-calls 2; "},
		{"set max-calls x",
			"2 set max-calls x: \"x\" is no number from 1 to 1000000 at 14; "},
		{"set volme 3",
			"2 set volme 3: there is nothing to set called \"volme\"; did you mean "
			"volume? at 4; "},
	};
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		desk_pair_put(&pair, pair.near, rows[i].line);
		desk_pair_expect(&pair, rows[i].words);
	}
	assert_true(pair.near->config.policy.max_calls == 2);
	assert_true(pair.near->config.policy.reject_anonymous);
	assert_true(pair.near->config.anonymous == UA_ANONYMOUS_OFF);
	assert_int_equal(pair.near->config.policy.ring_limit_ns, 0);
	desk_pair_put(&pair, pair.near, "set mic file:/nonexistent.wav");
	desk_pair_run(&pair, 100);
	assert_memory_equal(pair.room, "2 set mic file:/nonexistent.wav: ", 33);
	pair.log = TEXT_IN(pair.room);
	desk_pair_put(&pair, pair.near, "set mic tone:300");
	desk_pair_run(&pair, 100);
	desk_pair_expect(&pair, "ok set mic tone:300; ");
	assert_string_equal(pair.near->config.mic, "tone:300");
	desk_pair_close(&pair);
}

/* However often values change, each is kept once. */
static void test_settings_are_kept_once(void **state)
{
	const char *mic, *other;
	const void *codecs;
	struct desk_pair pair;

	(void)state;
	desk_pair_open(&pair, true);
	desk_pair_put(&pair, pair.near, "set mic tone:500");
	desk_pair_put(&pair, pair.near, "set codecs pcma");
	desk_pair_run(&pair, 100);
	mic = pair.near->config.mic;
	codecs = pair.near->config.codecs;
	desk_pair_put(&pair, pair.near, "set mic tone:600");
	desk_pair_put(&pair, pair.near, "set codecs pcmu");
	desk_pair_run(&pair, 100);
	other = pair.near->config.mic;
	assert_string_equal(other, "tone:600");
	assert_ptr_not_equal(pair.near->config.codecs, codecs);
	desk_pair_put(&pair, pair.near, "set mic tone:500");
	desk_pair_put(&pair, pair.near, "set codecs pcma");
	desk_pair_run(&pair, 100);
	assert_ptr_equal(pair.near->config.mic, mic);
	assert_ptr_equal(pair.near->config.codecs, codecs);
	assert_string_equal(mic, "tone:500");
	desk_pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_behind),
		cmocka_unit_test(test_second_thoughts),
		cmocka_unit_test(test_trouble_of_ours),
		cmocka_unit_test(test_taken_back_before_it_is_offered),
		cmocka_unit_test(test_each_its_own_refusal),
		cmocka_unit_test(test_hung_up_meanwhile),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_codec),
		cmocka_unit_test(test_hung_up_at_once),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_hangup_all),
		cmocka_unit_test(test_wrong_calls),
		cmocka_unit_test(test_dial_without_keys),
		cmocka_unit_test(test_gone_within),
		cmocka_unit_test(test_gone_while_all_wait),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_behind_limit),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_are_kept_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
