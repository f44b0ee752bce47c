/* codecs/lpc10: the bytes that others make of the same sound, its loudness and its pitch, as its
 * wave is another; what is refused. */
#include "tests/unit/codec_trial.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	RATE = 8000,
	FRAME = 180,
	BYTES = 7,
	PITCH = 64, /* samples: 125 Hz */
	TOTAL = 80 * FRAME,
};

/* As SoX makes them of saw(). */
static const uint8_t bytes[] = {
	0x01,
	0x08,
	0x31,
	0x08,
	0x31,
	0x80,
	0x30,
	0x01,
	0x08,
	0x31,
	0x08,
	0x31,
	0x80,
	0x34,
	0x01,
	0x08,
	0x31,
	0x08,
	0x31,
	0x80,
	0x30,
	0x11,
	0xca,
	0x31,
	0x6e,
	0x31,
	0xc2,
	0x3c,
	0x09,
	0x4a,
	0x31,
	0x6a,
	0xca,
	0x83,
	0x10,
	0x09,
	0x4a,
	0x31,
	0x6a,
	0xca,
	0x83,
	0x14,
	0x09,
	0x4a,
	0x31,
	0x6a,
	0xca,
	0x83,
	0x10,
	0x09,
	0x4a,
	0x31,
	0x6a,
	0xca,
	0x83,
	0x14,
};

static void saw(int16_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (int16_t)((int)(i % PITCH) * 128 - 4096);
}

static void test_the_library_may_be_missing(void **state)
{
	(void)state;
	trial_library_comes_late(trial_codec("lpc10"));
}

static void test_bytes_are_those_of_others(void **state)
{
	int16_t samples[sizeof(bytes) / BYTES * FRAME];
	size_t count = sizeof(samples) / sizeof(samples[0]);

	(void)state;
	saw(samples, count);
	trial_expect_bytes(trial_codec("lpc10"), samples, count, bytes, sizeof(bytes));
}

static double power(const int16_t *samples, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)samples[i] * samples[i];
	return sum / (double)count;
}

/* How alike samples are to themselves, lag earlier: -1..1. */
static double periodic(const int16_t *samples, size_t count, size_t lag)
{
	double sum = 0;

	for (size_t i = lag; i < count; i++)
		sum += (double)samples[i] * samples[i - lag];
	return sum / ((double)(count - lag) * power(samples, count));
}

static void test_a_buzz_keeps_its_pitch_and_loudness(void **state)
{
	const struct codec *lpc10 = trial_codec("lpc10");
	int16_t in[TOTAL], out[TOTAL];
	size_t count = TOTAL / 2;

	(void)state;
	saw(in, TOTAL);
	assert_int_equal(trial_round(out, in, TOTAL, lpc10, 45), TOTAL / FRAME * BYTES);
	assert_true(periodic(out + count, count, PITCH) > 0.8);
	assert_true(periodic(out + count, count, PITCH * 3 / 4) < 0.5);
	assert_true(fabs(10 * log10(power(out + count, count) / power(in, count))) < 4);
}

static void test_silence_stays_silence(void **state)
{
	static const int16_t in[TOTAL];
	int16_t out[TOTAL];

	(void)state;
	trial_round(out, in, TOTAL, trial_codec("lpc10"), 45);
	assert_true(power(out, TOTAL) < 400); /* 64 dB below the loudest there is */
}

static void test_payloads_are_whole_frames(void **state)
{
	static const struct trial_length rows[] = {
		{0, 0}, {6, 0}, {7, 180}, {8, 0}, {14, 360}, {21, 540}, {28, 720}, {56, 1440},
		{63, 0}, /* 202.5 ms */
	};

	(void)state;
	trial_lengths(trial_codec("lpc10"), 0x31, rows, sizeof(rows) / sizeof(rows[0]));
	trial_refusals(trial_codec("lpc10"), FRAME + 1);
	trial_chance(trial_codec("lpc10"), 0x31);
}

/* A packet of 20 ms, which everybody offers, is none of its own: the shortest is sent. */
static void test_packets_are_of_whole_milliseconds(void **state)
{
	(void)state;
	assert_int_equal(codec_ptime(trial_codec("lpc10"), 20), 45);
	assert_int_equal(codec_ptime(trial_codec("lpc10"), 200), 45);
	assert_int_equal(codec_frame(trial_codec("lpc10"), 45), 2 * FRAME);
}

static void test_no_memory(void **state)
{
	(void)state;
	trial_no_memory(trial_codec("lpc10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_library_may_be_missing),
		cmocka_unit_test(test_bytes_are_those_of_others),
		cmocka_unit_test(test_a_buzz_keeps_its_pitch_and_loudness),
		cmocka_unit_test(test_silence_stays_silence),
		cmocka_unit_test(test_payloads_are_whole_frames),
		cmocka_unit_test(test_packets_are_of_whole_milliseconds),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("codecs/lpc10", tests, NULL, NULL);
}
