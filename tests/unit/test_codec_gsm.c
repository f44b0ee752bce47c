/* codecs/gsm: the bytes that others make of the same sound, what comes back, what is refused. */
#include "tests/unit/codec_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { RATE = 8000, FRAME = 160, TOTAL = 2 * RATE - 2 * RATE % (3 * FRAME) };

/* As SoX makes them of saw(), and the beginning of what it makes of them. */
static const uint8_t bytes[] = {
	0xd8,
	0xa2,
	0xb3,
	0xa9,
	0xec,
	0x50,
	0x11,
	0x19,
	0x28,
	0x93,
	0x09,
	0x31,
	0x5f,
	0xcf,
	0xce,
	0x93,
	0xf1,
	0xaf,
	0x1b,
	0x8d,
	0xae,
	0xf4,
	0x97,
	0x4d,
	0xe6,
	0xdc,
	0x8d,
	0xea,
	0x25,
	0x4c,
	0x15,
	0x3e,
	0xda,
	0xd8,
	0xa2,
	0xb3,
	0xa9,
	0xec,
	0xd3,
	0xa9,
	0xaa,
	0x60,
	0xa9,
	0xf6,
	0xde,
	0x5f,
	0xa7,
	0xed,
	0x3a,
	0x97,
	0xa9,
	0xcd,
	0xeb,
	0xc7,
	0x4e,
	0xa6,
	0xea,
	0x63,
	0x29,
	0x8d,
	0xc5,
	0x8b,
	0x49,
	0xad,
	0x5e,
	0xda,
};
static const int16_t decoded[] = {
	-3520,
	-2904,
	-2384,
	-1240,
	-952,
	-728,
	192,
	272,
	376,
	2344,
	1848,
	1424,
	-3816,
	-3200,
	-2672,
	-1456,
	-1088,
	-856,
	376,
	656,
	968,
	4072,
	2912,
	1984,
	-3600,
	-3056,
	-2576,
	-1336,
	-936,
	-696,
	936,
	1328,
	1616,
	4304,
	2576,
	1320,
	-2976,
	-2544,
	-2120,
	-1560,
};

static void saw(int16_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (int16_t)((int)(i * 701 % 8192) - 4096);
}

static void test_the_library_may_be_missing(void **state)
{
	(void)state;
	trial_library_comes_late(trial_codec("gsm"));
}

static void test_bytes_are_those_of_others(void **state)
{
	const struct codec *gsm = trial_codec("gsm");
	int16_t samples[2 * FRAME];
	struct decoder *decoder;
	size_t got;

	(void)state;
	saw(samples, 2 * FRAME);
	trial_expect_bytes(gsm, samples, 2 * FRAME, bytes, sizeof(bytes));
	assert_int_equal(codec_decoder_new(&decoder, gsm), 0);
	assert_int_equal(codec_decode(decoder, samples, 2 * FRAME, &got,
				 (struct slice){bytes, sizeof(bytes)}),
		0);
	assert_memory_equal(samples, decoded, sizeof(decoded));
	codec_decoder_free(decoder);
}

static void test_a_voice_comes_back_whatever_the_packets(void **state)
{
	const struct codec *gsm = trial_codec("gsm");
	int16_t *in = malloc(TOTAL * sizeof(*in));
	int16_t *out = malloc(TOTAL * sizeof(*out));

	(void)state;
	trial_speak(in, TOTAL, RATE);
	for (uint32_t ptime_ms = 20; ptime_ms <= 60; ptime_ms += 40) {
		assert_int_equal(trial_round(out, in, TOTAL, gsm, ptime_ms), TOTAL / FRAME * 33);
		assert_true(trial_snr(in, out, TOTAL, 0) > 8);
	}
	free(in);
	free(out);
}

static void test_payloads_are_whole_frames(void **state)
{
	static const struct trial_length rows[] = {
		{0, 0},
		{1, 0},
		{32, 0},
		{33, 160},
		{34, 0},
		{65, 0}, /* two frames as Microsoft packs them, which is another payload type's */
		{66, 320},
		{99, 480},
		{330, 1600},
		{363, 0},
	};

	(void)state;
	trial_lengths(trial_codec("gsm"), 0xd2, rows, sizeof(rows) / sizeof(rows[0]));
	trial_refusals(trial_codec("gsm"), FRAME + 1);
	trial_chance(trial_codec("gsm"), 0xd0);
}

/* RFC 3551, section 4.5.8: a frame begins with 1101. */
static void test_each_frame_is_signed(void **state)
{
	const struct codec *gsm = trial_codec("gsm");
	uint8_t payload[sizeof(bytes)];
	size_t samples;

	(void)state;
	for (unsigned high = 0; high < 16; high++) {
		for (size_t at = 0; at < sizeof(bytes); at += 33) {
			memcpy(payload, bytes, sizeof(bytes));
			payload[at] = (uint8_t)(high << 4 | 0x3);
			assert_int_equal(codec_duration(&samples, gsm,
						 (struct slice){payload, sizeof(payload)}),
				high == 0xd ? 0 : -EPROTO);
		}
	}
}

static void test_no_memory(void **state)
{
	(void)state;
	trial_no_memory(trial_codec("gsm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_library_may_be_missing),
		cmocka_unit_test(test_bytes_are_those_of_others),
		cmocka_unit_test(test_a_voice_comes_back_whatever_the_packets),
		cmocka_unit_test(test_payloads_are_whole_frames),
		cmocka_unit_test(test_each_frame_is_signed),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("codecs/gsm", tests, NULL, NULL);
}
