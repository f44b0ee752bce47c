/* audio/stretch: a voice by a period, the quiet as wished, anything else not at all; no click. */
#include "audio/stretch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	ROOM = 48 * 220,
	LOUD = 10000,
};

static const double pi = 3.14159265358979323846;

static void tone(int16_t *out, size_t count, double hz, uint32_t rate, size_t from)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (int16_t)lround(LOUD * sin(2 * pi * hz * (double)(from + i) / rate));
}

static uint32_t chance = 1;

static void noise(int16_t *out, size_t count, int loud)
{
	for (size_t i = 0; i < count; i++) {
		chance = chance * 1664525 + 1013904223;
		out[i] = (int16_t)((int)(chance >> 16) % (2 * loud + 1) - loud);
	}
}

static long bend(const int16_t *samples, size_t at)
{
	return labs((long)samples[at] - 2 * samples[at + 1] + samples[at + 2]);
}

/* The largest second difference. */
static long sharpest(const int16_t *samples, size_t count)
{
	long most = 0;

	for (size_t i = 0; i + 2 < count; i++)
		most = bend(samples, i) > most ? bend(samples, i) : most;
	return most;
}

/* In mid-tone, with some before and after it. */
static void test_tone(void **state)
{
	static const uint32_t rates[] = {8000, 16000, 44100, 48000};
	static const double tones[] = {110, 230, 440, 1000, 1700};
	static const int frames_ms[] = {20, 40, 60, 200};
	static int16_t samples[ROOM];

	(void)state;
	for (size_t i = 0; i < 4 * 5 * 4 * 2; i++) {
		uint32_t rate = rates[i % 4];
		double hz = tones[i / 4 % 5];
		size_t frame = rate / 1000 * (size_t)frames_ms[i / 20 % 4];
		size_t around = rate / 1000;
		ptrdiff_t wish = (ptrdiff_t)(i / 80 ? frame : frame / 2) * (i / 80 ? 1 : -1);
		struct stretch stretch = {.rate = rate};
		struct stretched done;
		size_t made;
		long clean;

		tone(samples, frame + 2 * around, hz, rate, 0);
		clean = sharpest(samples, frame + 2 * around);
		done = stretch_block(
			&stretch, samples + around, frame, ROOM - around - around, wish);
		made = (size_t)((ptrdiff_t)frame + done.by);
		tone(samples + around + made, around, hz, rate, around + frame);
		if (done.by == 0 || done.quiet || (done.by < 0) != (wish < 0))
			fail_msg("%g Hz at %u, %zu: by %td", hz, rate, frame, done.by);
		if (sharpest(samples, made + 2 * around) > clean + clean / 4 + 20)
			fail_msg("%g Hz at %u, %zu, by %td: %ld, not %ld", hz, rate, frame, done.by,
				sharpest(samples, made + 2 * around), clean);
	}
}

/* By one period of the voice, or several; never by more than is wished, if it is to go. */
static void test_period(void **state)
{
	static const struct {
		ptrdiff_t wish, by;
	} rows[] = {{0, 0}, {-160, -100}, {-120, -100}, {-100, -100}, {-99, -50}, {-50, -50},
		{-40, 0}, {160, 100}, {1, 100}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stretch stretch = {.rate = 8000};
		int16_t samples[320], before[160];
		struct stretched done;

		for (int n = 0; n < 160; n++)
			samples[n] = (int16_t)(8000 * exp(-(n % 50) / 10.0));
		memcpy(before, samples, sizeof(before));
		samples[160] = 77;
		done = stretch_block(&stretch, samples, 160, 320, rows[i].wish);
		if (done.by % 50 != 0 || labs(done.by) > labs(rows[i].by) ||
			(done.by == 0) != (rows[i].by == 0) || done.by * rows[i].by < 0)
			fail_msg("wish %td: by %td", rows[i].wish, done.by);
		for (int n = 0; n < 160 + done.by; n++) /* it is periodic still */
			assert_true(abs(samples[n] - before[n % 50]) < 5);
		if (done.by <= 0)
			assert_int_equal(samples[160], 77);
	}
}

/* Noise as loud as speech has no period, and is left as it is. */
static void test_nothing_repeats(void **state)
{
	struct stretch stretch = {.rate = 8000};
	int16_t samples[320], before[160];
	struct stretched done;

	(void)state;
	noise(samples, 160, LOUD);
	memcpy(before, samples, sizeof(before));
	for (ptrdiff_t wish = -160; wish <= 160; wish += 40) {
		done = stretch_block(&stretch, samples, 160, 320, wish);
		assert_int_equal(done.by, 0);
		assert_false(done.quiet);
		assert_memory_equal(samples, before, sizeof(before));
	}
}

/* In the quiet, at least half of what is wished, and no more. */
static void test_quiet(void **state)
{
	static const ptrdiff_t wishes[] = {-160, -120, -81, -40, -2, -1, 1, 2, 40, 81, 160};

	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct stretch stretch = {.rate = 8000};
		int16_t samples[320];
		ptrdiff_t most = labs(wishes[i]) < 140 ? labs(wishes[i]) : 140;
		struct stretched done;

		noise(samples, 160, 20);
		done = stretch_block(&stretch, samples, 160, 320, wishes[i]);
		assert_true(done.quiet);
		if (labs(done.by) > most || labs(done.by) * 2 < most || done.by * wishes[i] < 0)
			fail_msg("wish %td: by %td", wishes[i], done.by);
	}
}

/* Blocks too short for anything, and rooms without any. */
static void test_bounds(void **state)
{
	(void)state;
	for (size_t count = 0; count <= 200; count++) {
		for (size_t room = 0; room <= 60; room += 20) {
			struct stretch stretch = {.rate = 8000};
			int16_t *samples = calloc(count + room + 1, sizeof(*samples));
			struct stretched done;

			assert_non_null(samples);
			tone(samples, count, 400, 8000, 0);
			done = stretch_block(&stretch, samples, count, count + room, 160);
			assert_true(done.by >= 0 && (size_t)done.by <= room);
			if (count >= 160 && room >= 20)
				assert_true(done.by > 0);
			done = stretch_block(&stretch, samples, count, count + room, -160);
			assert_true(done.by <= 0 && (size_t)-done.by <= count);
			noise(samples, count, 20);
			done = stretch_block(&stretch, samples, count, count + room, 160);
			assert_true(done.by >= 0 && (size_t)done.by <= room);
			free(samples);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tone),
		cmocka_unit_test(test_period),
		cmocka_unit_test(test_nothing_repeats),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("audio/stretch", tests, NULL, NULL);
}
