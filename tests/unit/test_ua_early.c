/* core/ua: what a caller hears before his call is answered (RFC 3960). */
#include "audio/sound_file.h"
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */

enum { RATE = 8000, MS = RATE / 1000, PATH_SIZE = 64 };

static const struct ua_policy rings = {.ring = true};
static const double tones[] = {440, 600, 700};
static char folder[] = "/tmp/ua_early.XXXXXX";
static char clip[PATH_SIZE]; /* as a source: half a second of 700 Hz, quieter than a tone */

static int make_file(void **state)
{
	static int16_t samples[500 * MS];
	struct sound_file *file;
	size_t written;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(clip, sizeof(clip), "file:%s/clip.wav", folder);
	for (size_t i = 0; i < 500 * MS; i++)
		samples[i] = (int16_t)lrint(1000 * sin(2 * M_PI * 700 * (double)i / RATE));
	assert_int_equal(sound_file_create(&file, clip + strlen("file:"), RATE, 1, true, NULL), 0);
	assert_int_equal(sound_file_write(file, samples, 500 * MS, &written), 0);
	return sound_file_close(file);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(clip + strlen("file:"));
	return rmdir(folder);
}

static void listen(struct end *end, unsigned call)
{
	assert_int_equal(agent_listen_in(end->agent, call, tones, 3), 0);
}

/* A call that rings at the far end, which plays early; the near end hears 440, 600 and 700 Hz. */
static void call(struct pair *pair, struct ua_policy far, const char *early, const char *mic)
{
	pair_init(pair, (struct ua_policy){0}, far);
	pair->near.config.mic = "tone:1000";
	pair->far.config.early = early;
	pair->far.config.mic = mic;
	pair->near.hasty_at = UA_CALL_MEDIA;
	pair->near.hasty = listen;
	pair_start(pair);
	pair_call(pair, "sip:bob@192.0.2.2");
}

static void expect_logs(struct pair *pair, const char *near, const char *far)
{
	expect_log(&pair->near, near);
	expect_log(&pair->far, far);
}

static void test_until_it_is_answered(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair, rings, "tone:600", "tone:440");
	run_s(&pair, 100);
	assert_non_null(strstr(pair.near.room, "outgoing(192.0.2.2) progress 600+(-13 dB, "));
	assert_null(strstr(pair.near.room, "440"));
	pair.near.log = TEXT_IN(pair.near.room);
	assert_int_equal(agent_answer(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	assert_non_null(strstr(pair.near.room, "answered 600-(-13 dB, "));
	assert_non_null(strstr(pair.near.room, " 440+(-13 dB, "));
	expect_log(&pair.far, "incoming answered ");
	pair_close(&pair);
}

/* A file of an announcement, then silence: never the microphone. */
static void test_until_it_ends(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair, (struct ua_policy){.answer = true, .answer_after_ns = 2 * NS_PER_S}, clip,
		"tone:440");
	run_ms(&pair, 1900);
	expect_logs(&pair,
		"outgoing(192.0.2.2) progress 700+(-33 dB, 100 ms) 700-(-33 dB, 500 ms) ",
		"incoming ");
	run_s(&pair, 1);
	expect_logs(&pair, "answered 440+(-13 dB, 100 ms) ", "answered ");
	pair_close(&pair);
}

/* What is to be heard once from its start waits for whoever is to hear it. */
static void test_a_file_waits_for_the_answer(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair,
		(struct ua_policy){
			.answer = true, .answer_after_ns = 2 * NS_PER_S, .hangup_at_eof = true},
		"silence", clip);
	run_s(&pair, 4);
	expect_logs(&pair,
		"outgoing(192.0.2.2) progress answered 700+(-33 dB, 100 ms) 700-(-33 dB, 500 ms) "
		"ended(remote 200 answered) ",
		"incoming answered ended(local 200 answered) ");
	pair_close(&pair);
}

/* Somebody plays something else to a caller: that goes on when it is answered. */
static void test_play_while_it_rings(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair, rings, "silence", "tone:440");
	run_s(&pair, 1);
	assert_int_equal(agent_play(pair.far.agent, 1, "tone:600"), 0);
	run_s(&pair, 1);
	assert_int_equal(agent_answer(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_logs(&pair, "outgoing(192.0.2.2) progress 600+(-13 dB, 100 ms) answered ",
		"incoming answered ");
	assert_int_equal(agent_play(pair.far.agent, 1, NULL), 0);
	run_s(&pair, 1);
	assert_non_null(strstr(pair.near.room, " 440+(-13 dB, "));
	expect_log(&pair.far, "played(tone:600 stopped) ");
	pair_close(&pair);
}

static void test_what_cannot_be_opened(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair, rings, "file:/nowhere.wav", "tone:440");
	run_s(&pair, 1);
	expect_logs(&pair, "outgoing(192.0.2.2) progress ",
		"incoming error(/nowhere.wav: no such file) ");
	assert_int_equal(agent_answer(pair.far.agent, 1), 0);
	run_s(&pair, 1);
	expect_logs(&pair, "answered 440+(-13 dB, 100 ms) ", "answered ");
	pair_close(&pair);
}

static void test_never_answered(void **state)
{
	struct pair pair;

	(void)state;
	call(&pair, rings, "tone:600", "tone:440");
	run_ms(&pair, 150);
	assert_int_equal(agent_reject(pair.far.agent, 1, 603), 0);
	run_s(&pair, 1);
	expect_logs(&pair, "outgoing(192.0.2.2) progress ended(rejected 603) ",
		"incoming ended(rejected 603) ");
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_int_equal(agent_hangup(pair.near.agent, 2), 0);
	run_s(&pair, 1);
	expect_logs(&pair, "outgoing(192.0.2.2) progress ended(local 487) ",
		"incoming ended(remote 487) ");
	pair_close(&pair);
}

/* RFC 3261, section 13.2.1: who makes no offer can be told no answer before the 200. */
static void test_without_an_offer(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, rings);
	pair.near.config.late_offer = true;
	pair.far.config.early = "tone:600";
	pair_start(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	expect_logs(&pair, "outgoing(192.0.2.2) ringing ", "incoming ");
	pair_close(&pair);
}

static void answer(struct end *end, unsigned call)
{
	assert_int_equal(agent_answer(end->agent, call), 0);
}

static void hang_up(struct end *end, unsigned call)
{
	assert_int_equal(agent_hangup(end->agent, call), 0);
}

/* Readers who are told of the sound, and do not wait. */
static void test_within_the_event(void **state)
{
	static const struct {
		void (*hasty)(struct end *end, unsigned call);
		struct ua_policy policy;
		const char *far;
	} rows[] = {
		{answer, {.answer = true, .answer_after_ns = NS_PER_S}, "incoming answered "},
		{answer, {.ring = true}, "incoming answered "},
		{hang_up, {.answer = true, .answer_after_ns = NS_PER_S},
			"incoming ended(local 487) "},
	};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pair_init(&pair, (struct ua_policy){0}, rows[i].policy);
		pair.far.config.early = "tone:600";
		pair.far.hasty_at = UA_CALL_MEDIA;
		pair.far.hasty = rows[i].hasty;
		pair_start(&pair);
		pair_call(&pair, "sip:bob@192.0.2.2");
		run_s(&pair, 3);
		expect_log(&pair.far, rows[i].far);
		pair_close(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_it_is_answered),
		cmocka_unit_test(test_until_it_ends),
		cmocka_unit_test(test_a_file_waits_for_the_answer),
		cmocka_unit_test(test_play_while_it_rings),
		cmocka_unit_test(test_what_cannot_be_opened),
		cmocka_unit_test(test_never_answered),
		cmocka_unit_test(test_without_an_offer),
		cmocka_unit_test(test_within_the_event),
	};

	return cmocka_run_group_tests_name("core/ua, early sound", tests, make_file, remove_file);
}
