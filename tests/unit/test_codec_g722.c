/* codecs/g722: the bytes that others make of the same sound, what comes back, what is refused. */
#include "tests/unit/codec_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum {
	RATE = 16000,
	TOTAL = 2 * RATE,
	LAG = 22, /* of the two filter banks: ITU-T G.722, section 4.4 */
};

/* As FFmpeg makes them of saw(), and what it makes of them. */
static const uint8_t bytes[] = {
	0x34,
	0x8c,
	0x20,
	0x85,
	0x21,
	0x84,
	0x04,
	0x95,
	0x3f,
	0xb5,
	0x29,
	0xbe,
	0x0c,
	0x9a,
	0x3c,
	0xb6,
	0x2a,
	0xbd,
	0x4f,
	0xde,
	0x7b,
	0xf7,
	0x2b,
	0xbc,
	0x53,
	0x7e,
	0x7b,
	0xb5,
	0x2e,
	0x10,
	0x99,
	0xdd,
};
static const int16_t decoded[] = {
	0,
	-1,
	-1,
	0,
	0,
	-1,
	-1,
	1,
	0,
	-7,
	1,
	22,
	2,
	-60,
	6,
	106,
	-9,
	-204,
	-27,
	330,
	283,
	-582,
	-2006,
	-3163,
	-3120,
	-2133,
	-1012,
	-329,
	3,
	400,
	1539,
	2888,
	3066,
	1278,
	-1584,
	-3623,
	-3373,
	-1731,
	-568,
	-236,
	177,
	783,
	1653,
	2911,
	3610,
	1897,
	-1625,
	-3417,
	-2826,
	-1421,
	-568,
	-80,
	490,
	970,
	1864,
	3058,
	3811,
	2029,
	-1558,
	-3095,
	-2329,
	-1318,
	-474,
	57,
};

static void saw(int16_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (int16_t)((int)(i * 701 % 8192) - 4096);
}

static void test_the_library_may_be_missing(void **state)
{
	(void)state;
	trial_library_comes_late(trial_codec("g722"));
}

static void test_bytes_are_those_of_others(void **state)
{
	const struct codec *g722 = trial_codec("g722");
	int16_t samples[2 * sizeof(bytes)];
	struct decoder *decoder;
	size_t got;

	(void)state;
	saw(samples, 2 * sizeof(bytes));
	trial_expect_bytes(g722, samples, 2 * sizeof(bytes), bytes, sizeof(bytes));
	assert_int_equal(codec_decoder_new(&decoder, g722), 0);
	assert_int_equal(codec_decode(decoder, samples, 2 * sizeof(bytes), &got,
				 (struct slice){bytes, sizeof(bytes)}),
		0);
	assert_memory_equal(samples, decoded, sizeof(decoded));
	codec_decoder_free(decoder);
}

static void test_a_voice_comes_back_whatever_the_packets(void **state)
{
	const struct codec *g722 = trial_codec("g722");
	int16_t *in = malloc(TOTAL * sizeof(*in));
	int16_t *out = malloc(TOTAL * sizeof(*out));
	static const uint32_t ptimes_ms[] = {10, 20, 40, 50};

	(void)state;
	trial_speak(in, TOTAL, RATE);
	for (size_t i = 0; i < sizeof(ptimes_ms) / sizeof(ptimes_ms[0]); i++) {
		assert_int_equal(trial_round(out, in, TOTAL, g722, ptimes_ms[i]), TOTAL / 2);
		assert_true(trial_snr(in, out, TOTAL - LAG, LAG) > 20);
	}
	free(in);
	free(out);
}

static void test_the_clock_of_rtp_is_half_that_of_the_samples(void **state)
{
	const struct codec *g722 = trial_codec("g722");

	(void)state;
	assert_int_equal(g722->clock_rate, 8000);
	assert_int_equal(g722->sample_rate, RATE);
	assert_int_equal(codec_frame(g722, 20), 320);
}

static void test_payloads_are_two_samples_a_byte(void **state)
{
	static const struct trial_length rows[] = {
		{0, 0}, {1, 2}, {160, 320}, {161, 322}, {1600, 3200}, {1601, 0}};

	(void)state;
	trial_lengths(trial_codec("g722"), 0xd0, rows, sizeof(rows) / sizeof(rows[0]));
	trial_refusals(trial_codec("g722"), 319);
	trial_chance(trial_codec("g722"), 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	trial_no_memory(trial_codec("g722"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_library_may_be_missing),
		cmocka_unit_test(test_bytes_are_those_of_others),
		cmocka_unit_test(test_a_voice_comes_back_whatever_the_packets),
		cmocka_unit_test(test_the_clock_of_rtp_is_half_that_of_the_samples),
		cmocka_unit_test(test_payloads_are_two_samples_a_byte),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("codecs/g722", tests, NULL, NULL);
}
