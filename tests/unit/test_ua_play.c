/* core/ua: what is sent for a while in the place of the microphone. */
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

enum { RATE = 8000, MS = RATE / 1000, PATH_SIZE = 64, TONE_DB = -13, CLIP_DB = -33 };

static const struct ua_policy answers = {.answer = true};
static char folder[] = "/tmp/ua_play.XXXXXX";
static char clip[PATH_SIZE], other[PATH_SIZE]; /* as sources: half a second, quieter than a tone */

static void write_clip(const char *path, double hz)
{
	static int16_t samples[500 * MS];
	struct sound_file *file;
	size_t written;

	for (size_t i = 0; i < 500 * MS; i++)
		samples[i] = (int16_t)lrint(1000 * sin(2 * M_PI * hz * (double)i / RATE));
	assert_int_equal(sound_file_create(&file, path, RATE, 1, true, NULL), 0);
	assert_int_equal(sound_file_write(file, samples, 500 * MS, &written), 0);
	assert_int_equal(sound_file_close(file), 0);
}

static int make_files(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(clip, sizeof(clip), "file:%s/clip.wav", folder);
	snprintf(other, sizeof(other), "file:%s/other.wav", folder);
	write_clip(clip + strlen("file:"), 700);
	write_clip(other + strlen("file:"), 900);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(clip + strlen("file:"));
	unlink(other + strlen("file:"));
	return rmdir(folder);
}

static void expect_played(struct end *end, const char *source, const char *how, const char *more)
{
	char room[LOG_SIZE];
	struct text words = TEXT_IN(room);

	text_printf(&words, "played(%s %s) %s", source, how, more);
	expect_log(end, room);
}

/* A call that stands, of which the far end hears a tone. */
static void talk(struct pair *pair)
{
	pair_open(pair, (struct ua_policy){0}, answers);
	pair_call(pair, "sip:bob@192.0.2.2");
	run_s(pair, 1);
	assert_true(fabs(pair->far.far_dbfs - TONE_DB) < 1);
	expect_log(&pair->near, "outgoing(192.0.2.2) answered ");
}

static void test_until_it_ends(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_play(pair.near.agent, 1, clip), 0);
	run_ms(&pair, 450);
	expect_log(&pair.near, "");
	assert_true(fabs(pair.far.far_dbfs - CLIP_DB) < 1);
	run_ms(&pair, 100);
	expect_played(&pair.near, clip, "all", "");
	run_ms(&pair, 500); /* and the microphone is back */
	assert_true(fabs(pair.far.far_dbfs - TONE_DB) < 1);
	pair_close(&pair);
}

static void test_until_it_is_stopped(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_play(pair.near.agent, 1, NULL), 0); /* harmless */
	assert_int_equal(agent_play(pair.near.agent, 1, "silence"), 0);
	run_s(&pair, 5);
	expect_log(&pair.near, "");
	assert_true(pair.far.far_dbfs < -60);
	assert_int_equal(agent_play(pair.near.agent, 1, NULL), 0);
	expect_log(&pair.near, "played(silence stopped) "); /* at once */
	run_s(&pair, 1);
	expect_log(&pair.near, "");
	assert_true(fabs(pair.far.far_dbfs - TONE_DB) < 1);
	pair_close(&pair);
}

static void test_what_is_heard(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, answers);
	pair.far.config.mic = "silence";
	pair_start(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_s(&pair, 1);
	assert_true(pair.near.far_dbfs < -60);
	assert_int_equal(agent_play(pair.far.agent, 1, "loop"), 0);
	run_s(&pair, 1);
	assert_true(fabs(pair.near.far_dbfs - TONE_DB) < 1);
	pair_close(&pair);
}

/* clang-format off */
static const struct {
	const char *source, *words;
} bad_rows[] = {
	{"file:/nowhere/at/all.wav", "/nowhere/at/all.wav: no such file"},
	{"file",                     "source file needs a path: file:PATH"},
	{"tone:999999",              "a tone has from 20 to 23999 Hz, as in tone:440"},
	{"tone:5000",                "tone:5000: at 8000 Hz there are no tones above 3999 Hz"},
	{"flie:x",                   "no source flie; did you mean file:?"},
};
/* clang-format on */

static void test_what_cannot_be_opened(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		assert_int_equal(agent_play(pair.near.agent, 1, bad_rows[i].source), 0);
		expect_log(&pair.near, "");
		run_s(&pair, 1);
		expect_played(&pair.near, bad_rows[i].source, bad_rows[i].words, "");
		assert_true(fabs(pair.far.far_dbfs - TONE_DB) < 1);
	}
	/* what it was to follow is over all the same */
	assert_int_equal(agent_play(pair.near.agent, 1, "silence"), 0);
	run_s(&pair, 1);
	assert_int_equal(agent_play(pair.near.agent, 1, "file:/nowhere"), 0);
	expect_log(&pair.near, "played(silence stopped) ");
	run_s(&pair, 1);
	expect_log(&pair.near, "played(file:/nowhere /nowhere: no such file) ");
	assert_true(fabs(pair.far.far_dbfs - TONE_DB) < 1);
	pair_close(&pair);
}

/* The last that was asked for is what is heard, whatever was opened first. */
static void test_one_after_the_other(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	assert_int_equal(agent_play(pair.near.agent, 1, clip), 0);
	assert_int_equal(agent_play(pair.near.agent, 1, other), 0);
	assert_int_equal(agent_play(pair.near.agent, 1, "loop"), 0);
	assert_int_equal(agent_play(pair.near.agent, 1, clip), 0);
	run_ms(&pair, 300);
	assert_int_equal(agent_play(pair.near.agent, 1, other), 0);
	run_ms(&pair, 450);
	assert_true(fabs(pair.far.far_dbfs - CLIP_DB) < 1);
	run_ms(&pair, 100);
	assert_true(strstr(pair.near.room, "played(loop stopped) played(file:"));
	assert_true(strstr(pair.near.room, "clip.wav stopped) played(file:"));
	assert_true(strstr(pair.near.room, "other.wav all) "));
	pair.near.log = TEXT_IN(pair.near.room);
	run_s(&pair, 1);
	assert_true(fabs(pair.far.far_dbfs - TONE_DB) < 1);
	pair_close(&pair);
}

/* Whatever it is at, the call's end is its own, and told before. */
static void test_the_call_ends_first(void **state)
{
	static const unsigned after_ms[] = {0, 100};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < sizeof(after_ms) / sizeof(after_ms[0]); i++) {
		talk(&pair);
		assert_int_equal(agent_play(pair.near.agent, 1, clip), 0);
		run_ms(&pair, after_ms[i]);
		assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
		assert_int_equal(agent_play(pair.near.agent, 1, other), -ENOTCONN);
		assert_int_equal(agent_play(pair.near.agent, 1, NULL), -ENOTCONN);
		run_s(&pair, 1);
		expect_played(&pair.near, clip, "stopped", "ended(local 200 answered) ");
		assert_int_equal(agent_play(pair.near.agent, 1, clip), -ENOENT);
		pair_close(&pair);
	}
}

/* A disk that stands still is not waited for, and whatever comes of it later, nobody hears. */
static void test_a_slow_disk(void **state)
{
	struct pair pair;

	(void)state;
	for (unsigned seed = 1; seed <= 10; seed++) {
		char pattern[PATH_SIZE];
		struct fault why;

		snprintf(pattern, sizeof(pattern), "%s/slow.wav", folder);
		pair_init(&pair, (struct ua_policy){0}, answers);
		pair.config.seed = seed;
		pair.config.work_late_ns = 20 * NS_PER_S;
		pair.far.config.early = clip;
		pair_start(&pair);
		pair_call(&pair, "sip:bob@192.0.2.2");
		run_s(&pair, 1);
		assert_int_equal(agent_play(pair.near.agent, 1, clip), 0);
		assert_int_equal(agent_record(pair.near.agent, 1, pattern, &why), 0);
		run_s(&pair, seed);
		assert_int_equal(agent_play(pair.far.agent, 1, clip), 0);
		assert_int_equal(agent_record(pair.far.agent, 1, pattern, &why), 0);
		assert_int_equal(agent_record(pair.far.agent, 1, NULL, &why), 0);
		assert_int_equal(agent_hangup(pair.near.agent, 1), 0);
		run_s(&pair, 10);
		assert_non_null(strstr(pair.near.room, "ended("));
		run_s(&pair, 40);
		pair_close(&pair);
		unlink(pattern);
	}
}

static void test_before_there_is_sound(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair, (struct ua_policy){0}, (struct ua_policy){.ring = true});
	assert_int_equal(agent_play(pair.near.agent, 1, clip), -ENOENT);
	pair_call(&pair, "sip:bob@192.0.2.2");
	assert_int_equal(agent_play(pair.near.agent, 1, clip), -ENOTCONN);
	run_s(&pair, 1);
	assert_int_equal(agent_play(pair.near.agent, 1, clip), -ENOTCONN);
	assert_int_equal(agent_play(pair.far.agent, 1, clip), -ENOTCONN);
	pair_close(&pair);
}

/* Its sound is just being made. */
static void play_clip(struct end *end, unsigned call)
{
	assert_int_equal(agent_play(end->agent, call, clip), 0);
}

static void test_from_the_first_moment(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair, (struct ua_policy){0}, answers);
	pair.near.hasty_at = UA_CALL_MEDIA;
	pair.near.hasty = play_clip;
	pair_start(&pair);
	pair_call(&pair, "sip:bob@192.0.2.2");
	run_ms(&pair, 410);
	assert_true(fabs(pair.far.far_dbfs - CLIP_DB) < 1);
	run_ms(&pair, 190);
	assert_non_null(strstr(pair.near.room, "clip.wav all) "));
	pair_close(&pair);
}

/* A command that plays one file after the other asks for the next within the event. */
static void test_again_within_the_event(void **state)
{
	struct pair pair;

	(void)state;
	talk(&pair);
	pair.near.hasty_at = UA_CALL_PLAYED;
	pair.near.hasty = play_clip;
	assert_int_equal(agent_play(pair.near.agent, 1, "silence"), 0);
	run_ms(&pair, 100);
	assert_int_equal(agent_play(pair.near.agent, 1, "tone:500"), 0);
	run_ms(&pair, 320); /* the one of the event came last */
	assert_true(fabs(pair.far.far_dbfs - CLIP_DB) < 1);
	run_ms(&pair, 300);
	assert_true(strstr(pair.near.room, "clip.wav all) "));
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_it_ends),
		cmocka_unit_test(test_until_it_is_stopped),
		cmocka_unit_test(test_what_is_heard),
		cmocka_unit_test(test_what_cannot_be_opened),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_the_call_ends_first),
		cmocka_unit_test(test_a_slow_disk),
		cmocka_unit_test(test_before_there_is_sound),
		cmocka_unit_test(test_from_the_first_moment),
		cmocka_unit_test(test_again_within_the_event),
	};

	return cmocka_run_group_tests_name("core/ua, play", tests, make_files, remove_files);
}
