/* core/media/talker: payloads of one codec out of samples of any rate, each due with its tick. */
#include "core/media/talker.h"

#include "audio/level.h"
#include "core/base/text.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

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

/* Each packet has what it lasts, the first too, and the tone is in them. */
static void test_every_rate(void **state)
{
	static const struct {
		const char *codec;
		uint32_t ptime_ms, rate;
	} rows[] = {{"pcmu", 20, 8000}, {"pcmu", 20, 48000}, {"pcmu", 30, 16000},
		{"pcma", 60, 44100}, {"opus", 20, 48000}, {"opus", 20, 8000}, {"opus", 10, 16000},
		{"opus", 60, 44100}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct codec *codec = codec_find(slice_of(rows[i].codec));
		const struct codec_settings settings = {.ptime_ms = rows[i].ptime_ms};
		static int16_t samples[CODEC_SAMPLES_MAX];
		struct decoder *decoder;
		struct talker *talker;
		double phase = 0;

		assert_int_equal(talker_new(&talker, codec, &settings, rows[i].rate), 0);
		assert_int_equal(codec_decoder_new(&decoder, codec), 0);
		assert_int_equal(talker_frame(talker), rows[i].rate * rows[i].ptime_ms / 1000);
		for (int packet = 0; packet < 20; packet++) {
			uint8_t room[CODEC_PAYLOAD_MAX];
			struct buf out = {room, 0, sizeof(room)};
			double level;
			size_t got;

			for (size_t n = 0; n < talker_frame(talker); n++) {
				samples[n] = (int16_t)(10000 * sin(phase));
				phase += 2 * M_PI * 440 / rows[i].rate;
			}
			assert_int_equal(talker_encode(talker, &out, samples), 0);
			assert_int_equal(codec_decode(decoder, samples, CODEC_SAMPLES_MAX, &got,
						 (struct slice){out.data, out.len}),
				0);
			assert_int_equal(got, codec_frame(codec, rows[i].ptime_ms));
			level = audio_level(samples, got).mean_db;
			if (packet > 1 && (level < -14.5 || level > -12.5))
				fail_msg("row %zu, packet %d: %.1f dB", i, packet, level);
		}
		codec_decoder_free(decoder);
		talker_free(talker);
	}
}

static void test_no_memory(void **state)
{
	static const struct codec_settings settings = {.ptime_ms = 20};
	struct talker *talker = NULL;
	size_t left = 0;
	int err;

	(void)state;
	do {
		allocations_left = left++;
		err = talker_new(&talker, codec_find(slice_of("pcmu")), &settings, 48000);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
	} while (err);
	assert_true(left > 3);
	talker_free(talker);
	talker_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_rate),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("media/talker", tests, NULL, NULL);
}
