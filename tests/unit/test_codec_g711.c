/* codecs/g711: the decision and output values of ITU-T G.711, tables 1a and 2a; what is refused. */
#include "codecs/codec.h"

#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

/*
 * The output value at each end of each segment, as the Recommendation numbers them: of 14 bits for
 * µ-law (8031 is the greatest) and of 13 for A-law (4032). Ours have 16, so they are 4 or 8 times
 * as large. Bytes are as they are sent: µ-law all bits inverted, A-law the even ones.
 */
static const struct row {
	const char *key;
	uint8_t byte;
	int value;
	int scale;
} rows[] = {
	{"pcmu", 0x80, 8031, 4},
	{"pcmu", 0x8f, 4191, 4},
	{"pcmu", 0x90, 3999, 4},
	{"pcmu", 0x9f, 2079, 4},
	{"pcmu", 0xa0, 1983, 4},
	{"pcmu", 0xaf, 1023, 4},
	{"pcmu", 0xb0, 975, 4},
	{"pcmu", 0xbf, 495, 4},
	{"pcmu", 0xc0, 471, 4},
	{"pcmu", 0xcf, 231, 4},
	{"pcmu", 0xd0, 219, 4},
	{"pcmu", 0xdf, 99, 4},
	{"pcmu", 0xe0, 93, 4},
	{"pcmu", 0xef, 33, 4},
	{"pcmu", 0xf0, 30, 4},
	{"pcmu", 0xfe, 2, 4},
	{"pcmu", 0xff, 0, 4},
	{"pcmu", 0x7e, -2, 4},
	{"pcmu", 0x70, -30, 4},
	{"pcmu", 0x0f, -4191, 4},
	{"pcmu", 0x00, -8031, 4},
	{"pcma", 0xaa, 4032, 8},
	{"pcma", 0xa5, 2112, 8},
	{"pcma", 0xba, 2016, 8},
	{"pcma", 0xb5, 1056, 8},
	{"pcma", 0x8a, 1008, 8},
	{"pcma", 0x85, 528, 8},
	{"pcma", 0x9a, 504, 8},
	{"pcma", 0x95, 264, 8},
	{"pcma", 0xea, 252, 8},
	{"pcma", 0xe5, 132, 8},
	{"pcma", 0xfa, 126, 8},
	{"pcma", 0xf5, 66, 8},
	{"pcma", 0xca, 63, 8},
	{"pcma", 0xc5, 33, 8},
	{"pcma", 0xda, 31, 8},
	{"pcma", 0xd5, 1, 8},
	{"pcma", 0x55, -1, 8},
	{"pcma", 0x5a, -31, 8},
	{"pcma", 0x25, -2112, 8},
	{"pcma", 0x2a, -4032, 8},
};

enum { SAMPLES_MAX = 1600 };

static const struct codec *law(const char *key)
{
	return codec_find(slice_of(key));
}

static int16_t decode_one(const char *key, uint8_t byte)
{
	struct decoder *decoder;
	int16_t value = -1;
	size_t got;

	assert_int_equal(codec_decoder_new(&decoder, law(key)), 0);
	assert_int_equal(codec_decode(decoder, &value, 1, &got, (struct slice){&byte, 1}), 0);
	assert_int_equal(got, 1);
	codec_decoder_free(decoder);
	return value;
}

static uint8_t encode_one(const char *key, int16_t value)
{
	struct codec_settings settings = {.ptime_ms = 20};
	struct encoder *encoder;
	uint8_t byte;
	struct buf out = {.data = &byte, .size = 1};

	assert_int_equal(codec_encoder_new(&encoder, law(key), &settings), 0);
	assert_int_equal(codec_encode(encoder, &out, &value, 1), 0);
	assert_int_equal(out.len, 1);
	codec_encoder_free(encoder);
	return byte;
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		int16_t value = (int16_t)(row->value * row->scale);

		if (decode_one(row->key, row->byte) != value)
			fail_msg("%s %02x: %d", row->key, row->byte,
				decode_one(row->key, row->byte));
		if (encode_one(row->key, value) != row->byte)
			fail_msg("%s %d: %02x", row->key, value, encode_one(row->key, value));
	}
}

/* Decoding undoes encoding for each byte but µ-law's second zero. */
static void test_round_trip(void **state)
{
	static const char *const keys[] = {"pcmu", "pcma"};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			uint8_t again = encode_one(keys[k], decode_one(keys[k], (uint8_t)byte));
			unsigned want = k == 0 && byte == 0x7f ? 0xff : byte;

			if (again != want)
				fail_msg("%s %02x: %02x", keys[k], byte, again);
		}
		/* the loudest there are */
		assert_int_equal(encode_one(keys[k], 32767), k == 0 ? 0x80 : 0xaa);
		assert_int_equal(encode_one(keys[k], -32768), k == 0 ? 0x00 : 0x2a);
	}
}

static void test_blocks(void **state)
{
	struct codec_settings settings = {.ptime_ms = 20};
	struct encoder *encoder;
	struct decoder *decoder;
	int16_t samples[SAMPLES_MAX + 1] = {0};
	uint8_t bytes[SAMPLES_MAX + 1];
	struct buf out = {.data = bytes, .len = 3, .size = 163};
	size_t got = 7;

	(void)state;
	for (size_t i = 0; i < 160; i++)
		samples[i] = (int16_t)(i * 128);
	assert_int_equal(codec_encoder_new(&encoder, law("pcma"), &settings), 0);
	assert_int_equal(codec_encode(encoder, &out, samples, 0), -EINVAL);
	assert_int_equal(codec_encode(encoder, &out, samples, 161), -ENOBUFS);
	assert_int_equal(out.len, 3);
	assert_int_equal(codec_encode(encoder, &out, samples, 160), 0);
	assert_int_equal(out.len, 163);
	out = (struct buf){.data = bytes, .size = sizeof(bytes)};
	assert_int_equal(codec_encode(encoder, &out, samples, SAMPLES_MAX + 1), -EINVAL);
	assert_int_equal(codec_encode(encoder, &out, samples, 160), 0);
	codec_encoder_free(encoder);

	assert_int_equal(codec_decoder_new(&decoder, law("pcma")), 0);
	assert_int_equal(
		codec_decode(decoder, samples, 159, &got, (struct slice){bytes, 160}), -ENOBUFS);
	assert_int_equal(got, 0);
	samples[160] = 77;
	assert_int_equal(codec_decode(decoder, samples, 161, &got, (struct slice){bytes, 160}), 0);
	assert_int_equal(got, 160);
	for (size_t i = 0; i < 160; i++) /* half a step of the segment, at most 1/32 of the value */
		assert_true(labs(samples[i] - (long)i * 128) <= 8 + (long)i * 4);
	assert_int_equal(samples[160], 77);
	assert_int_equal(
		codec_decode_fec(decoder, samples, 160, (struct slice){bytes, 160}), -ENODATA);
	assert_int_equal(codec_conceal(decoder, samples, 160), -ENOTSUP);
	assert_false(codec_conceals(law("pcma")));
	codec_decoder_free(decoder);
}

static void test_duration(void **state)
{
	static const uint8_t bytes[SAMPLES_MAX + 1];
	int16_t samples[SAMPLES_MAX];
	struct decoder *decoder;
	size_t count = 7;

	(void)state;
	assert_int_equal(codec_duration(&count, law("pcmu"), (struct slice){NULL, 0}), -EPROTO);
	assert_int_equal(
		codec_duration(&count, law("pcmu"), (struct slice){bytes, SAMPLES_MAX + 1}),
		-EPROTO);
	assert_int_equal(count, 7);
	assert_int_equal(
		codec_duration(&count, law("pcmu"), (struct slice){bytes, SAMPLES_MAX}), 0);
	assert_int_equal(count, SAMPLES_MAX);
	assert_int_equal(codec_duration(&count, law("pcmu"), (struct slice){bytes, 1}), 0);
	assert_int_equal(count, 1);

	assert_int_equal(codec_decoder_new(&decoder, law("pcmu")), 0);
	assert_int_equal(codec_decode(decoder, samples, SAMPLES_MAX, &count,
				 (struct slice){bytes, SAMPLES_MAX + 1}),
		-EPROTO);
	assert_int_equal(
		codec_decode(decoder, samples, SAMPLES_MAX, &count, (struct slice){NULL, 0}),
		-EPROTO);
	assert_int_equal(count, 0);
	codec_decoder_free(decoder);
}

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

static void test_no_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < codec_count(); i++) {
		struct codec_settings settings = {.ptime_ms = codec_ptime(codec_at(i), 0)};
		struct encoder *encoder = NULL;
		struct decoder *decoder = NULL;

		allocations_left = 0;
		assert_int_equal(codec_encoder_new(&encoder, codec_at(i), &settings), -ENOMEM);
		assert_int_equal(codec_decoder_new(&decoder, codec_at(i)), -ENOMEM);
		allocations_left = SIZE_MAX;
		assert_null(encoder);
		assert_null(decoder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("codecs/g711", tests, NULL, NULL);
}
