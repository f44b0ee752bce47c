/* codecs/l16: the very samples come back, in network byte order between; what is refused. */
#include "tests/unit/codec_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { TOTAL = 9600 }; /* at both rates whole packets of 40 ms */

static const char *const keys[] = {"l16", "l16-8k"};

static void test_bytes_are_in_network_order(void **state)
{
	static const int16_t samples[] = {0, 1, -1, 258, 32767, -32768};
	static const uint8_t bytes[] = {0, 0, 0, 1, 0xff, 0xff, 1, 2, 0x7f, 0xff, 0x80, 0};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		trial_expect_bytes(trial_codec(keys[i]), samples, 6, bytes, sizeof(bytes));
}

static void test_all_comes_back(void **state)
{
	int16_t in[TOTAL], out[TOTAL];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct codec *codec = trial_codec(keys[i]);

		trial_speak(in, TOTAL, codec->sample_rate);
		assert_int_equal(trial_round(out, in, TOTAL, codec, 20), 2 * TOTAL);
		assert_memory_equal(in, out, sizeof(in));
		assert_int_equal(trial_round(out, in, TOTAL, codec, 40), 2 * TOTAL);
		assert_memory_equal(in, out, sizeof(in));
	}
}

/* With the headers of IPv4, UDP and RTP, an Ethernet carries it in one piece. */
static void test_each_packet_fits_into_a_datagram(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct codec *codec = trial_codec(keys[i]);

		for (size_t n = 0; n < CODEC_PTIMES_MAX && codec->ptimes_ms[n] > 0; n++)
			assert_true(2 * codec_frame(codec, codec->ptimes_ms[n]) <= 1500 - 40);
		assert_int_equal(codec_ptime(codec, 20), 20);
	}
}

static void test_payloads_are_whole_samples(void **state)
{
	static const struct trial_length wide[] = {
		{0, 0}, {1, 0}, {2, 1}, {639, 0}, {640, 320}, {6400, 3200}, {6402, 0}};
	static const struct trial_length narrow[] = {
		{0, 0}, {1, 0}, {2, 1}, {319, 0}, {320, 160}, {3200, 1600}, {3202, 0}};

	(void)state;
	trial_lengths(trial_codec("l16"), 0x12, wide, sizeof(wide) / sizeof(wide[0]));
	trial_lengths(trial_codec("l16-8k"), 0x12, narrow, sizeof(narrow) / sizeof(narrow[0]));
	for (size_t i = 0; i < 2; i++) {
		trial_refusals(trial_codec(keys[i]), CODEC_SAMPLES_MAX);
		trial_chance(trial_codec(keys[i]), 0);
	}
}

static void test_no_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		trial_no_memory(trial_codec(keys[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_in_network_order),
		cmocka_unit_test(test_all_comes_back),
		cmocka_unit_test(test_each_packet_fits_into_a_datagram),
		cmocka_unit_test(test_payloads_are_whole_samples),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("codecs/l16", tests, NULL, NULL);
}
