#include "tests/unit/codec_trial.h"

#include "codecs/spandsp.h"
#include "core/base/library.h"
#include "core/base/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { ROUNDS = 2000 };

static size_t allocations_left = SIZE_MAX;
static bool library_missing;
static struct spandsp real; /* of which each init may be made to fail */

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
int __wrap_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why);
int __real_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why);

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;

	allocations_left--;
	return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

static g722_encode_state_t *g722_encoder(g722_encode_state_t *s, int rate, int options)
{
	return may_allocate() ? real.g722_encode_init(s, rate, options) : NULL;
}

static g722_decode_state_t *g722_decoder(g722_decode_state_t *s, int rate, int options)
{
	return may_allocate() ? real.g722_decode_init(s, rate, options) : NULL;
}

static gsm0610_state_t *gsm_coder(gsm0610_state_t *s, int packing)
{
	return may_allocate() ? real.gsm0610_init(s, packing) : NULL;
}

static lpc10_encode_state_t *lpc10_encoder(lpc10_encode_state_t *s, int error_correction)
{
	return may_allocate() ? real.lpc10_encode_init(s, error_correction) : NULL;
}

static lpc10_decode_state_t *lpc10_decoder(lpc10_decode_state_t *s, int error_correction)
{
	return may_allocate() ? real.lpc10_decode_init(s, error_correction) : NULL;
}

int __wrap_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why)
{
	struct spandsp *spandsp = table;
	int err;

	if (library_missing)
		file = "libspandsp.so.of-another-machine";
	err = __real_library_load(table, file, symbols, count, why);
	if (err)
		return err;

	real = *spandsp;
	spandsp->g722_encode_init = g722_encoder;
	spandsp->g722_decode_init = g722_decoder;
	spandsp->gsm0610_init = gsm_coder;
	spandsp->lpc10_encode_init = lpc10_encoder;
	spandsp->lpc10_decode_init = lpc10_decoder;
	return 0;
}

const struct codec *trial_codec(const char *key)
{
	const struct codec *codec = codec_find(slice_of(key));

	assert_non_null(codec);
	return codec;
}

void trial_speak(int16_t *out, size_t count, uint32_t rate)
{
	double phase = 0;

	for (size_t i = 0; i < count; i++) {
		double t = (double)i / rate;
		double loud = sin(2 * M_PI * 3 * t);
		double value = 0;

		phase += 2 * M_PI * (220 + 30 * sin(2 * M_PI * 0.7 * t)) / rate;
		for (int n = 1; n < 10; n++)
			value += sin(n * phase) / n;
		out[i] = (int16_t)(loud > 0 ? 8000 * loud * value : 0);
	}
}

static struct encoder *new_encoder(const struct codec *codec)
{
	struct codec_settings settings = {.ptime_ms = codec_ptime(codec, 0)};
	struct encoder *encoder;

	assert_int_equal(codec_encoder_new(&encoder, codec, &settings), 0);
	return encoder;
}

static struct decoder *new_decoder(const struct codec *codec)
{
	struct decoder *decoder;

	assert_int_equal(codec_decoder_new(&decoder, codec), 0);
	return decoder;
}

size_t trial_round(
	int16_t *out, const int16_t *in, size_t count, const struct codec *codec, uint32_t ptime_ms)
{
	struct encoder *encoder = new_encoder(codec);
	struct decoder *decoder = new_decoder(codec);
	size_t frame = codec_frame(codec, ptime_ms);
	size_t bytes = 0;

	assert_int_equal(count % frame, 0);
	for (size_t at = 0; at < count; at += frame) {
		uint8_t room[CODEC_PAYLOAD_MAX];
		struct buf payload = {.data = room, .size = sizeof(room)};
		size_t got;

		assert_int_equal(codec_encode(encoder, &payload, in + at, frame), 0);
		assert_int_equal(codec_decode(decoder, out + at, frame, &got,
					 (struct slice){room, payload.len}),
			0);
		assert_int_equal(got, frame);
		bytes += payload.len;
	}
	codec_encoder_free(encoder);
	codec_decoder_free(decoder);
	return bytes;
}

double trial_snr(const int16_t *in, const int16_t *out, size_t count, size_t lag)
{
	double signal = 0, noise = 0;

	for (size_t i = 0; i < count; i++) {
		double off = (double)out[i + lag] - in[i];

		signal += (double)in[i] * in[i];
		noise += off * off;
	}
	return 10 * log10(signal / noise); /* of no noise: infinite */
}

double trial_best_snr(const int16_t *in, const int16_t *out, size_t count, size_t max)
{
	double best = -INFINITY;

	for (size_t lag = 0; lag <= max; lag++)
		best = fmax(best, trial_snr(in, out, count - max, lag));
	return best;
}

void trial_expect_bytes(const struct codec *codec, const int16_t *samples, size_t count,
	const uint8_t *bytes, size_t len)
{
	struct encoder *encoder = new_encoder(codec);
	uint8_t room[CODEC_PAYLOAD_MAX];
	struct buf payload = {.data = room, .size = sizeof(room)};

	assert_int_equal(codec_encode(encoder, &payload, samples, count), 0);
	assert_int_equal(payload.len, len);
	assert_memory_equal(room, bytes, len);
	codec_encoder_free(encoder);
}

void trial_lengths(
	const struct codec *codec, uint8_t byte, const struct trial_length *rows, size_t count)
{
	struct decoder *decoder = new_decoder(codec);

	for (size_t i = 0; i < count; i++) {
		size_t len = rows[i].len, samples = 7, got = 7;
		uint8_t *bytes = malloc(len); /* for AddressSanitizer */
		int16_t *out = malloc((rows[i].samples + 1) * sizeof(*out));
		int err = rows[i].samples > 0 ? 0 : -EPROTO;

		assert_non_null(out);
		memset(bytes, byte, len);
		if (codec_duration(&samples, codec, (struct slice){bytes, len}) != err)
			fail_msg("%zu bytes", len);
		assert_int_equal(samples, err ? 7 : rows[i].samples);
		assert_int_equal(codec_decode(decoder, out, rows[i].samples, &got,
					 (struct slice){bytes, len}),
			err);
		assert_int_equal(got, rows[i].samples);
		if (!err)
			assert_int_equal(codec_decode(decoder, out, rows[i].samples - 1, &got,
						 (struct slice){bytes, len}),
				-ENOBUFS);
		free(out);
		free(bytes);
	}
	codec_decoder_free(decoder);
}

void trial_refusals(const struct codec *codec, size_t count)
{
	static const int16_t samples[CODEC_SAMPLES_MAX + 1];
	size_t frame = codec_frame(codec, codec_ptime(codec, 0));
	struct encoder *encoder = new_encoder(codec);
	uint8_t room[CODEC_PAYLOAD_MAX];
	struct buf out = {.data = room, .len = 3, .size = sizeof(room)};
	size_t whole;

	assert_int_equal(codec_encode(encoder, &out, samples, 0), -EINVAL);
	assert_int_equal(codec_encode(encoder, &out, samples, count), -EINVAL);
	assert_int_equal(codec_encode(encoder, &out, samples,
				 codec_frame(codec, CODEC_PACKET_MAX_MS) + frame),
		-EINVAL);
	assert_int_equal(out.len, 3);
	assert_int_equal(codec_encode(encoder, &out, samples, frame), 0);
	whole = out.len;
	out = (struct buf){.data = room, .len = 3, .size = whole - 1};
	assert_int_equal(codec_encode(encoder, &out, samples, frame), -ENOBUFS);
	assert_int_equal(out.len, 3);
	out.size = whole;
	assert_int_equal(codec_encode(encoder, &out, samples, frame), 0);
	assert_int_equal(out.len, whole);
	codec_encoder_free(encoder);
}

void trial_chance(const struct codec *codec, uint8_t first)
{
	int16_t *out = calloc(CODEC_SAMPLES_MAX, sizeof(*out));
	struct decoder *decoder = new_decoder(codec);
	uint32_t chance = 7;
	size_t good = 0;

	assert_non_null(out);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t len = round % 70;
		uint8_t *bytes = malloc(len);
		size_t samples = 0, got = 7;
		int known, err;

		for (size_t i = 0; i < len; i++) {
			chance = chance * 1664525 + 1013904223;
			bytes[i] = i == 0 ? first : (uint8_t)(chance >> 24);
		}
		known = codec_duration(&samples, codec, (struct slice){bytes, len});
		err = codec_decode(
			decoder, out, CODEC_SAMPLES_MAX, &got, (struct slice){bytes, len});
		assert_int_equal(err, known);
		assert_int_equal(got, err ? 0 : samples);
		good += err == 0;
		free(bytes);
	}
	assert_true(good > 20);
	codec_decoder_free(decoder);
	free(out);
}

void trial_no_memory(const struct codec *codec)
{
	struct codec_settings settings = {.ptime_ms = codec_ptime(codec, 0)};
	int encoder_err = -ENOMEM, decoder_err = -ENOMEM;
	size_t failed = 0;

	for (size_t left = 0; encoder_err || decoder_err; left++) {
		struct encoder *encoder = NULL;
		struct decoder *decoder = NULL;

		allocations_left = left;
		encoder_err = codec_encoder_new(&encoder, codec, &settings);
		allocations_left = left;
		decoder_err = codec_decoder_new(&decoder, codec);
		allocations_left = SIZE_MAX;
		assert_true(encoder_err == (encoder ? 0 : -ENOMEM));
		assert_true(decoder_err == (decoder ? 0 : -ENOMEM));
		failed += encoder_err && decoder_err;
		codec_encoder_free(encoder);
		codec_decoder_free(decoder);
	}
	assert_int_equal(failed, codec->load ? 2 : 1);
}

void trial_library_comes_late(const struct codec *codec)
{
	struct codec_settings settings = {.ptime_ms = codec_ptime(codec, 0)};
	struct encoder *encoder = NULL;
	struct decoder *decoder = NULL;
	struct fault why = {""};

	library_missing = true;
	assert_int_equal(codec_load(codec, &why), -ENOENT);
	assert_string_equal(
		why.words, "the library libspandsp.so.of-another-machine is not installed");
	assert_int_equal(codec_encoder_new(&encoder, codec, &settings), -ENOENT);
	assert_int_equal(codec_decoder_new(&decoder, codec), -ENOENT);
	assert_null(encoder);
	assert_null(decoder);

	library_missing = false;
	assert_int_equal(codec_load(codec, &why), 0);
	library_missing = true; /* what is there is not looked for again */
	codec_encoder_free(new_encoder(codec));
	codec_decoder_free(new_decoder(codec));
	library_missing = false;
}
