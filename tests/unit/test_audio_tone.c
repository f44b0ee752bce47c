/* audio/tone, audio/nothing, audio/level: pitch, level and phase; silence; a sink that forgets. */
#include "audio/level.h"
#include "audio/nothing.h"
#include "audio/tone.h"
#include "core/base/loop.h"
#include "tests/unit/fake_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROOM = 48000 };

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

static size_t rises(const int16_t *samples, size_t count)
{
	size_t found = 0;

	for (size_t i = 1; i < count; i++)
		found += samples[i - 1] < 0 && samples[i] >= 0;
	return found;
}

static void test_pitch_and_level(void **state)
{
	static const struct {
		uint32_t hz, rate;
	} rows[] = {{20, 8000}, {440, 8000}, {1000, 8000}, {440, 48000}, {15000, 48000}};
	static int16_t out[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source;
		struct audio_level level;
		size_t heard;

		assert_int_equal(tone_new(&source, rows[i].hz, rows[i].rate), 0);
		assert_int_equal(source_read(source, out, rows[i].rate), rows[i].rate);
		heard = rises(out, rows[i].rate);
		if (heard + 1 < rows[i].hz || heard > rows[i].hz)
			fail_msg("%u Hz at %u: %zu", rows[i].hz, rows[i].rate, heard);
		level = audio_level(out, rows[i].rate);
		if (fabs(level.mean_db + 13.0) > 0.1)
			fail_msg("%u Hz at %u: %f dB", rows[i].hz, rows[i].rate, level.mean_db);
		source_free(source);
	}
}

/* In pieces it is the same tone as in one. */
static void test_phase(void **state)
{
	static int16_t whole[8000], pieces[8000];
	struct source *source;
	size_t at = 0;

	(void)state;
	assert_int_equal(tone_new(&source, 441, 8000), 0);
	assert_int_equal(source_read(source, whole, 8000), 8000);
	source_free(source);

	assert_int_equal(tone_new(&source, 441, 8000), 0);
	for (size_t step = 1; at + step <= 8000; at += step++)
		assert_int_equal(source_read(source, pieces + at, step), step);
	assert_true(at > 7800);
	assert_memory_equal(whole, pieces, at * sizeof(whole[0]));
	assert_int_equal(source_missed(source), 0);
	source_free(source);
	source_free(NULL);
}

static void test_limits(void **state)
{
	struct source *source = NULL;

	(void)state;
	assert_int_equal(tone_new(&source, 19, 8000), -EINVAL);
	assert_int_equal(tone_new(&source, 0, 8000), -EINVAL);
	assert_int_equal(tone_new(&source, 4000, 8000), -EINVAL);
	assert_int_equal(tone_new(&source, UINT32_MAX, 8000), -EINVAL);
	assert_null(source);
	assert_int_equal(tone_new(&source, 3999, 8000), 0);
	source_free(source);
}

static void test_silence(void **state)
{
	int16_t out[5] = {1, 2, 3, 4, 5};
	struct source *source;

	(void)state;
	assert_int_equal(silence_new(&source), 0);
	assert_int_equal(source_read(source, out, 4), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(out[4], 5);
	source_free(source);
}

static void count_done(void *arg, int err)
{
	assert_int_equal(err, 0);
	++*(int *)arg;
}

static void test_null(void **state)
{
	int16_t samples[4] = {0};
	struct fake_loop fake;
	struct sink *sink;
	int done = 0;

	(void)state;
	fake_loop_init(&fake);
	assert_int_equal(null_new(&sink, &fake.loop), 0);
	sink_write(sink, samples, 4);
	sink_close(sink, count_done, &done);
	assert_int_equal(done, 0); /* never before sink_close() returns */
	fake_loop_settle(&fake);
	assert_int_equal(done, 1);

	assert_int_equal(null_new(&sink, &fake.loop), 0);
	sink_close(sink, NULL, NULL);
	fake_loop_settle(&fake);
	fake_loop_end(&fake);
}

static void test_level(void **state)
{
	static const int16_t square[] = {16384, -16384, 16384, -16384};
	static const int16_t spike[] = {0, 0, -32768, 0};
	static const int16_t zero[4];
	struct audio_level level;

	(void)state;
	level = audio_level(square, 4);
	assert_true(fabs(level.mean_db + 6.0206) < 0.001 && fabs(level.peak_db + 6.0206) < 0.001);
	level = audio_level(spike, 4);
	assert_true(fabs(level.mean_db + 6.0206) < 0.001 && fabs(level.peak_db) < 0.001);
	level = audio_level(zero, 4);
	assert_true(level.mean_db <= AUDIO_QUIET && level.peak_db <= AUDIO_QUIET);
	level = audio_level(zero, 0);
	assert_true(level.mean_db <= AUDIO_QUIET);
}

static void test_no_memory(void **state)
{
	struct source *source = NULL;
	struct sink *sink = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(tone_new(&source, 440, 8000), -ENOMEM);
	assert_int_equal(silence_new(&source), -ENOMEM);
	assert_int_equal(null_new(&sink, NULL), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(source);
	assert_null(sink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pitch_and_level),
		cmocka_unit_test(test_phase),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("audio/tone", tests, NULL, NULL);
}
