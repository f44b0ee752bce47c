/* core/ua: recordings that begin or end in the middle of a call. */
#include "tests/unit/goertzel.h"
#include "tests/unit/ua_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

enum { RATE = 8000, MS = RATE / 1000, PATH_SIZE = 64, ROOM = 10 * RATE };

static const struct ua_policy answers = {.answer = true};
static char folder[] = "/tmp/ua_record.XXXXXX";
static char pattern[PATH_SIZE], path[PATH_SIZE]; /* of call 1 */

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(pattern, sizeof(pattern), "%s/%%n.wav", folder);
	snprintf(path, sizeof(path), "%s/1.wav", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* The near end sends 440 Hz, the far end 600. record: of the near end, or NULL. */
static void talk(struct pair *pair, const char *record)
{
	pair_init(pair, (struct ua_policy){0}, answers);
	pair->near.config.record = record;
	pair->far.config.mic = "tone:600";
	pair_start(pair);
	pair_call(pair, "sip:bob@192.0.2.2");
	run_s(pair, 1);
	expect_log(&pair->near, "outgoing(192.0.2.2) answered ");
}

static int record(struct pair *pair, const char *into)
{
	struct fault why = {""};
	int err = agent_record(pair->near.agent, 1, into, &why);

	assert_int_equal(err != 0, why.words[0] != '\0');
	return err;
}

static void expect_recording(struct end *end, const char *how, const char *more)
{
	char room[LOG_SIZE];
	struct text words = TEXT_IN(room);

	text_printf(&words, "recording(%s %s) %s", path, how, more);
	expect_log(end, room);
}

/* Left our own tone, right theirs, for about so long. It is gone after that. */
static void expect_file(unsigned ms)
{
	static int16_t frames[ROOM][2], left[ROOM], right[ROOM];
	SF_INFO info = {0};
	SNDFILE *file = sf_open(path, SFM_READ, &info);
	size_t count;

	assert_non_null(file);
	assert_int_equal(info.channels, 2);
	assert_int_equal(info.samplerate, RATE);
	count = (size_t)sf_readf_short(file, frames[0], ROOM);
	sf_close(file);
	unlink(path);
	assert_in_range(count + 40 * MS, ms * MS, (ms + 80) * MS);
	for (size_t i = 0; i < count; i++) {
		left[i] = frames[i][0];
		right[i] = frames[i][1];
	}
	if (count < 400 * MS)
		return;
	assert_true(goertzel_db(left + 100 * MS, 200 * MS, 440, RATE) > -15);
	assert_true(goertzel_db(left + 100 * MS, 200 * MS, 600, RATE) < -40);
	assert_true(goertzel_db(right + 100 * MS, 200 * MS, 600, RATE) > -15);
	assert_true(goertzel_db(right + 100 * MS, 200 * MS, 440, RATE) < -40);
}

static void test_in_the_middle(void **state)
{
	char more[PATH_SIZE + 40];
	struct pair pair;

	(void)state;
	talk(&pair, NULL);
	assert_int_equal(record(&pair, NULL), -EALREADY);
	assert_int_equal(record(&pair, pattern), 0);
	assert_int_equal(record(&pair, pattern), -EALREADY);
	expect_log(&pair.near, "");
	run_s(&pair, 2);
	expect_recording(&pair.near, "on", "");
	assert_int_equal(record(&pair, pattern), -EALREADY);
	assert_int_equal(record(&pair, NULL), 0);
	assert_int_equal(record(&pair, NULL), -EALREADY);
	run_s(&pair, 1);
	expect_recording(&pair.near, "off", "");
	expect_file(2000);
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 1);
	snprintf(more, sizeof(more), "ended(local 200 answered %s) ", path);
	expect_log(&pair.near, more);
	pair_close(&pair);
}

/* None of a call is cut off by its end, and none overwritten. */
static void test_to_the_end(void **state)
{
	char more[PATH_SIZE + 40];
	struct pair pair;

	(void)state;
	talk(&pair, NULL);
	assert_int_equal(record(&pair, pattern), 0);
	run_s(&pair, 1);
	expect_recording(&pair.near, "on", "");
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	assert_int_equal(record(&pair, NULL), -ENOTCONN);
	run_s(&pair, 1);
	snprintf(more, sizeof(more), "ended(local 200 answered %s) ", path);
	expect_recording(&pair.near, "off", more);
	pair_close(&pair);

	talk(&pair, NULL);
	assert_int_equal(record(&pair, pattern), 0);
	run_s(&pair, 1);
	assert_non_null(strstr(pair.near.room, "it exists already"));
	pair.near.log = TEXT_IN(pair.near.room);
	assert_int_equal(record(&pair, NULL), -EALREADY);
	pair_close(&pair);
	expect_log(&pair.near, "ended(local 200 answered) ");
	expect_file(1000);
}

/* What was to be recorded from the start can be ended, and another begun. */
static void test_from_the_start(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, pattern);
	assert_int_equal(record(&pair, "%p"), -EALREADY);
	assert_int_equal(record(&pair, NULL), 0);
	run_s(&pair, 1);
	expect_recording(&pair.near, "off", "");
	expect_file(1000);
	assert_int_equal(record(&pair, pattern), 0);
	run_s(&pair, 1);
	expect_recording(&pair.near, "on", "");
	pair_close(&pair);
	expect_file(1000);
}

/* A disk that hangs keeps the sound waiting: that is told once, and whoever hangs up is not kept.
 */
static void test_slow_disk(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, answers);
	pair.near.config.record = pattern;
	pair.config.work_late_ns = 600 * NS_PER_S;
	pair_start(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 2);
	expect_log(&pair.near, "outgoing(192.0.2.2) answered ");
	run_s(&pair, 2);
	expect_log(&pair.near, "note(no sound yet: microphone, loudspeaker and recording are being "
			       "opened, which takes long) ");
	expect_log(&pair.far, "incoming answered note(no sound yet: microphone and loudspeaker are "
			      "being opened, which takes long) ");
	run_s(&pair, 20);
	expect_log(&pair.near, "");
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 3);
	expect_log(&pair.near, "ended(local 200 answered) ");
	expect_log(&pair.far, "ended(remote 200 answered) ");
	run_s(&pair, 600); /* what was opened meanwhile goes then */
	expect_log(&pair.near, "");
	pair_close(&pair);
	unlink(path);
}

/* Its file is just being made. */
static void test_second_thoughts(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair, NULL);
	assert_int_equal(record(&pair, pattern), 0);
	assert_int_equal(record(&pair, NULL), 0);
	assert_int_equal(record(&pair, pattern), -EALREADY); /* one at a time */
	run_s(&pair, 1);
	assert_non_null(strstr(pair.near.room, " on) recording("));
	assert_non_null(strstr(pair.near.room, " off) "));
	expect_file(40);
	pair.near.log = TEXT_IN(pair.near.room);

	assert_int_equal(record(&pair, pattern), 0);
	assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
	run_s(&pair, 1);
	assert_non_null(strstr(pair.near.room, " on) recording("));
	assert_non_null(strstr(pair.near.room, " off) ended("));
	pair_close(&pair);
	expect_file(40);
}

static void test_what_cannot_be(void **state)
{
	struct pair pair;
	struct fault why;

	(void)state;
	talk(&pair, NULL);
	assert_int_equal(record(&pair, "%q"), -EINVAL);
	assert_int_equal(record(&pair, "/nowhere/at/all.wav"), 0);
	assert_int_equal(record(&pair, NULL), 0); /* whoever is too early hears of it once */
	run_s(&pair, 1);
	expect_log(
		&pair.near, "recording(/nowhere/at/all.wav /nowhere/at/all.wav: no such folder) ");
	assert_int_equal(agent_record(pair.near.agent, 2, pattern, &why), -ENOENT);
	assert_string_equal(why.words, "there is no call 2");
	pair_close(&pair);

	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_int_equal(record(&pair, pattern), -ENOTCONN);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_the_middle),
		cmocka_unit_test(test_to_the_end),
		cmocka_unit_test(test_from_the_start),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_second_thoughts),
		cmocka_unit_test(test_what_cannot_be),
	};

	return cmocka_run_group_tests_name("core/ua, record", tests, make_folder, remove_folder);
}
