/* audio/recorder: two sides in one file, in step whatever comes; names that are safe. */
#include "audio/recorder.h"

#include "core/base/loop.h"
#include "tests/unit/fake_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h> /* after the headers that it needs */
#include <sndfile.h>

enum {
	RATE = 8000,
	TICK = 160,
	SKEW = RATE / 1000 * RECORDER_SKEW_MS,
	ROOM = 10 * RATE,
	PATH_SIZE = 200,
};

struct call {
	struct fake_loop fake;
	struct recorder *recorder;
	size_t near, far; /* samples given, numbered from 1 */
	int done;
	uint64_t written, dropped;
	int16_t frames[ROOM][2]; /* what was read back */
	size_t count;
};

static char folder[] = "/tmp/recorder.XXXXXX";
static char path[PATH_SIZE];
static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static struct call *new_call(void)
{
	struct call *call = calloc(1, sizeof(*call));

	assert_non_null(call);
	unlink(path);
	fake_loop_init(&call->fake);
	assert_int_equal(recorder_new(&call->recorder, &call->fake.loop, path, RATE, NULL), 0);
	return call;
}

static void near(struct call *call, size_t count)
{
	int16_t samples[ROOM];

	for (size_t i = 0; i < count; i++)
		samples[i] = (int16_t)++call->near;
	recorder_near(call->recorder, samples, count);
}

/* The far side is numbered from -1 down. */
static void far(struct call *call, size_t count)
{
	int16_t samples[ROOM] = {0};

	for (size_t i = 0; i < count; i++)
		samples[i] = (int16_t) - (int)++call->far;
	recorder_far(call->recorder, samples, count);
}

static void note_done(void *arg, int err, uint64_t written, uint64_t dropped)
{
	struct call *call = arg;

	assert_int_equal(err, 0);
	call->done++;
	call->written = written;
	call->dropped = dropped;
}

/* Ends the recording and reads it. */
static void finish(struct call *call)
{
	SF_INFO info = {0};
	SNDFILE *file;

	recorder_close(call->recorder, note_done, call);
	assert_int_equal(call->done, 0);
	fake_loop_settle(&call->fake);
	assert_int_equal(call->done, 1);
	assert_int_equal(call->dropped, 0);
	fake_loop_end(&call->fake);

	file = sf_open(path, SFM_READ, &info);
	assert_non_null(file);
	assert_int_equal(info.channels, 2);
	assert_int_equal(info.samplerate, RATE);
	call->count = (size_t)sf_readf_short(file, call->frames[0], ROOM);
	assert_int_equal(call->count, call->written);
	sf_close(file);
}

/* Where sample number of a side stands in the file. */
static size_t place(const struct call *call, int number)
{
	int side = number < 0;

	for (size_t i = 0; i < call->count; i++)
		if (call->frames[i][side] == number)
			return i;
	fail_msg("sample %d is not there", number);
	return 0;
}

/* Each sample of both sides is there once, in order, and all else is silence. */
static void expect_complete(const struct call *call)
{
	int next[2] = {0, 0};

	for (size_t i = 0; i < call->count; i++)
		for (int side = 0; side < 2; side++) {
			int value = call->frames[i][side];

			if (value == 0)
				continue;
			next[side] += side ? -1 : 1;
			if (value != next[side])
				fail_msg(
					"%d of side %d at %zu, not %d", value, side, i, next[side]);
		}
	assert_int_equal(next[0], call->near);
	assert_int_equal(-next[1], call->far);
}

static void test_in_step(void **state)
{
	struct call *call = new_call();

	(void)state;
	for (size_t i = 0; i < 50; i++) {
		near(call, TICK);
		far(call, TICK);
	}
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, 50 * TICK);
	assert_int_equal(place(call, 4321), place(call, -4321));
	free(call);
}

/* Pieces of any size, each side on its own: still in step while neither is 200 ms behind. */
static void test_uneven(void **state)
{
	struct call *call = new_call();

	(void)state;
	near(call, 1);
	far(call, 1);
	for (size_t i = 0; i < 10; i++) {
		near(call, SKEW - i);
		far(call, 100);
		far(call, 0);
		far(call, SKEW - i - 100);
	}
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, call->near);
	assert_int_equal(place(call, 5000), place(call, -5000));
	free(call);
}

/* A side that stops is filled up with silence, and when it goes on, it is where the other is. */
static void test_stop_and_go(void **state)
{
	struct call *call = new_call();

	(void)state;
	for (size_t i = 0; i < 150; i++) {
		near(call, TICK);
		if (i < 20 || i >= 100)
			far(call, TICK);
	}
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, 150 * TICK);
	assert_int_equal(place(call, -20 * TICK), 20 * TICK - 1);
	assert_int_equal(place(call, -20 * TICK - 1), 100 * TICK);
	free(call);
}

/* The same for the near side, and for one that starts late. */
static void test_late_start(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct call *call = new_call();

		for (size_t i = 0; i < 60; i++) {
			if (late || i >= 5)
				near(call, TICK);
			if (!late || i >= 5)
				far(call, TICK);
		}
		finish(call);
		expect_complete(call);
		assert_int_equal(call->count, 60 * TICK);
		/* the near side comes first in each tick, so it cannot know of the far's */
		assert_int_equal(place(call, late ? -1 : 1), late ? 5 * TICK : 4 * TICK);
		free(call);
	}
}

/* It starts with more than the other has given: then both start at once. */
static void test_longer_start(void **state)
{
	struct call *call = new_call();

	(void)state;
	near(call, 100);
	far(call, TICK);
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, TICK);
	assert_int_equal(place(call, 1), place(call, -1));
	free(call);
}

static void test_one_side_alone(void **state)
{
	struct call *call = new_call();

	(void)state;
	near(call, 3 * SKEW + 7); /* more than fits at once */
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, 3 * SKEW + 7);
	free(call);

	call = new_call();
	far(call, SKEW / 2); /* never enough to be written before the end */
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, SKEW / 2);
	free(call);

	call = new_call();
	finish(call);
	assert_int_equal(call->count, 0);
	free(call);
}

/* However long a side is ahead, what was written is never more than 200 ms behind it. */
static void test_skew(void **state)
{
	struct call *call = new_call();

	(void)state;
	for (size_t i = 0; i < 100; i++)
		near(call, TICK);
	fake_loop_settle(&call->fake);
	far(call, TICK);
	finish(call);
	expect_complete(call);
	assert_int_equal(call->count, 100 * TICK);
	assert_int_equal(place(call, -1), 99 * TICK);
	free(call);
}

static void test_never_overwrites(void **state)
{
	struct call *call = new_call();
	struct recorder *second = NULL;
	struct fault why;

	(void)state;
	near(call, 100);
	assert_int_equal(recorder_new(&second, &call->fake.loop, path, RATE, &why), -EEXIST);
	assert_null(second);
	assert_non_null(strstr(why.words, "a.wav: it exists already, and is not overwritten"));
	finish(call);
	assert_int_equal(call->count, 100);
	free(call);
}

static void test_no_memory(void **state)
{
	struct recorder *recorder = NULL;
	struct fake_loop fake;
	size_t allowed = 0;
	int err;

	(void)state;
	unlink(path);
	fake_loop_init(&fake);
	do {
		allocations_left = allowed++;
		err = recorder_new(&recorder, &fake.loop, path, RATE, NULL);
		allocations_left = SIZE_MAX;

		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(recorder != NULL, err == 0);
		assert_int_equal(access(path, F_OK) == 0, err == 0);
	} while (err);

	assert_int_equal(allowed, 4); /* itself, its writer and the file */
	recorder_close(recorder, NULL, NULL);
	fake_loop_settle(&fake);
	fake_loop_end(&fake);
}

/* clang-format off */
static const struct {
	const char *pattern;
	const char *peer;
	const char *name; /* NULL: to be refused with these words */
	const char *words;
} names[] = {
	{"call.wav",          "bob",                "call.wav",                     NULL},
	{"%n-%t-%p.wav",      "bob@example.org",    "12-20261120-230000-bob@example.org.wav", NULL},
	{"/var/rec/%p",       "bob",                "/var/rec/bob",                 NULL},
	{"100%%",             "bob",                "100%",                         NULL},
	{"%n%n",              "bob",                "1212",                         NULL},
	{"%p",                "../../etc/passwd",   "_._.._etc_passwd",             NULL},
	{"%p",                ".hidden",            "_hidden",                      NULL},
	{"%p",                "-rf",                "_rf",                          NULL},
	{"%p",                "a\x1b[2J\nb\x7f\xff", "a__2J_b__",                   NULL},
	{"%p",                "sip:+49-30@h;x=1",   "sip_+49-30@h_x=1",             NULL},
	{"%p.wav",            "",                   "unknown.wav",                  NULL},
	{"",                  "bob",                "",                             NULL},
	{"%x",                "bob", NULL, "knows no %x; there are %n (call), %t (time), %p (peer) and %%"},
	{"a%",                "bob", NULL, "ends in a single %"},
	{"%\x1b",             "bob", NULL, "knows no %\\x1b;"},
	{"%N",                "bob", NULL, "knows no %N"},
};
/* clang-format on */

static const uint64_t WHEN = UINT64_C(1795215600) * NS_PER_S + 999999999;

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char room[100];
		struct text out = TEXT_IN(room);
		struct fault why = {0};
		int err = audio_record_name(
			&out, slice_of(names[i].pattern), 12, WHEN, slice_of(names[i].peer), &why);

		if (err != (names[i].name ? 0 : -EINVAL))
			fail_msg("%s: %d", names[i].pattern, err);
		if (names[i].name && strcmp(room, names[i].name))
			fail_msg("%s of %s: %s", names[i].pattern, names[i].peer, room);
		if (err && !strstr(why.words, names[i].words))
			fail_msg("%s: %s", names[i].pattern, why.words);
	}
}

static void test_name_lengths(void **state)
{
	static const uint8_t nul[] = "a\0b";
	char long_peer[300];
	char room[20];
	struct text out = TEXT_IN(room);
	struct fault why;

	(void)state;
	memset(long_peer, 'x', sizeof(long_peer));
	long_peer[299] = '\0';
	assert_int_equal(audio_record_name(&out, slice_of("%t%t"), 1, WHEN, slice_of("b"), &why),
		-ENAMETOOLONG);
	assert_int_equal(
		audio_record_name(&out, (struct slice){nul, 3}, 1, WHEN, slice_of("b"), &why),
		-EINVAL);
	{
		char more[200];
		struct text name = TEXT_IN(more);

		assert_int_equal(audio_record_name(&name, slice_of("%p.wav"), 1, WHEN,
					 slice_of(long_peer), &why),
			0);
		assert_int_equal(strlen(more), 84); /* a far end cannot make a name too long */
	}
}

static void test_times(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} rows[] = {
		{0, "19700101-000000"}, {86399, "19700101-235959"}, {86400, "19700102-000000"},
		{951782399, "20000228-235959"}, {951782400, "20000229-000000"},
		{951868800, "20000301-000000"}, {1798761599, "20261231-235959"},
		{1798761600, "20270101-000000"}, {1835481600, "20280301-000000"},
		{4107542400, "21000301-000000"}, /* no leap year */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[40];
		struct text out = TEXT_IN(room);

		assert_int_equal(audio_record_name(&out, slice_of("%t"), 1,
					 rows[i].seconds * NS_PER_S, slice_of(""), NULL),
			0);
		assert_string_equal(room, rows[i].name);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.wav", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_step),
		cmocka_unit_test(test_uneven),
		cmocka_unit_test(test_stop_and_go),
		cmocka_unit_test(test_late_start),
		cmocka_unit_test(test_longer_start),
		cmocka_unit_test(test_one_side_alone),
		cmocka_unit_test(test_skew),
		cmocka_unit_test(test_never_overwrites),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_lengths),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests_name("audio/recorder", tests, set_up, tear_down);
}
