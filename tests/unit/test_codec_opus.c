/* codecs/opus: what comes back sounds alike; redundancy, concealment, fmtp, broken payloads. */
#include "core/base/text.h"
#include "tests/unit/codec_trial.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#include <opus/opus.h>

enum {
	RATE = 48000,
	FRAME = 960,
	FRAMES = 60,
	TOTAL = FRAME * FRAMES,
	LAG_MAX = 480, /* what the encoder looks ahead, and some more */
	ROUNDS = 2000,
};

struct stream {
	int16_t in[TOTAL];
	uint8_t bytes[FRAMES][CODEC_PAYLOAD_MAX];
	size_t len[FRAMES];
	int16_t out[TOTAL];
};

static const struct codec *opus(void)
{
	return trial_codec("opus");
}

static struct slice payload(const struct stream *stream, size_t i)
{
	return (struct slice){stream->bytes[i], stream->len[i]};
}

static struct encoder *new_encoder(const char *fmtp)
{
	struct codec_settings settings = {20, slice_of(fmtp)};
	struct encoder *encoder;

	assert_int_equal(codec_encoder_new(&encoder, opus(), &settings), 0);
	return encoder;
}

static void encode_by(struct stream *stream, struct encoder *encoder)
{
	for (size_t i = 0; i < FRAMES; i++) {
		struct buf out = {.data = stream->bytes[i], .size = CODEC_PAYLOAD_MAX};

		assert_int_equal(codec_encode(encoder, &out, stream->in + i * FRAME, FRAME), 0);
		stream->len[i] = out.len;
	}
}

static void encode_all(struct stream *stream, const char *fmtp)
{
	struct encoder *encoder = new_encoder(fmtp);

	trial_speak(stream->in, TOTAL, RATE);
	encode_by(stream, encoder);
	codec_encoder_free(encoder);
}

static struct stream *new_stream(const char *fmtp)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	assert_non_null(stream);
	encode_all(stream, fmtp);
	return stream;
}

/* Bits a second. */
static size_t bitrate(const struct stream *stream)
{
	size_t bytes = 0;

	for (size_t i = 0; i < FRAMES; i++)
		bytes += stream->len[i];
	return bytes * 8 * 50 / FRAMES;
}

/* How alike two pieces are, -1..1. */
static double alike(const int16_t *a, const int16_t *b, size_t count)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < count; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* The same for a piece of in at from, wherever it came out. */
static double alike_at(const struct stream *stream, size_t from, size_t count)
{
	double best = -1;

	for (size_t lag = 0; lag < LAG_MAX; lag++) {
		double now = alike(stream->in + from, stream->out + from + lag, count);

		best = now > best ? now : best;
	}
	return best;
}

static void test_round_trip(void **state)
{
	struct stream *stream = new_stream("");
	struct decoder *decoder;
	double before = 0, after = 0;

	(void)state;
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t i = 0; i < FRAMES; i++) {
		size_t got, samples;

		assert_int_equal(codec_duration(&samples, opus(), payload(stream, i)), 0);
		assert_int_equal(samples, FRAME);
		assert_int_equal(codec_decode(decoder, stream->out + i * FRAME, FRAME, &got,
					 payload(stream, i)),
			0);
		assert_int_equal(got, FRAME);
	}
	for (size_t i = 5 * FRAME; i < TOTAL; i++) {
		before += (double)stream->in[i] * stream->in[i];
		after += (double)stream->out[i] * stream->out[i];
	}
	assert_true(alike_at(stream, 10 * FRAME, 30 * FRAME) > 0.9);
	assert_true(after > before / 2 && after < before * 2);
	assert_true(bitrate(stream) > 16000 && bitrate(stream) < 40000);
	codec_decoder_free(decoder);
	free(stream);
}

/* Packets are lost, no two in a row, and what the next one holds of them is played instead. */
static void test_fec(void **state)
{
	struct stream *stream = new_stream("useinbandfec=1");
	struct decoder *decoder;
	bool lost[FRAMES];
	size_t restored = 0, i = 0;

	(void)state;
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	while (i < FRAMES) {
		int16_t *out = stream->out + i * FRAME;
		int err = -ENODATA;
		size_t got;

		if (i % 4 == 3 && i + 1 < FRAMES)
			err = codec_decode_fec(decoder, out, FRAME, payload(stream, i + 1));
		assert_true(err == 0 || err == -ENODATA);
		if (err)
			assert_int_equal(
				codec_decode(decoder, out, FRAME, &got, payload(stream, i)), 0);
		lost[i++] = !err;
	}
	for (i = 0; i + 1 < FRAMES; i++) {
		if (!lost[i])
			continue;
		restored++;
		if (alike_at(stream, i * FRAME, FRAME / 2) < 0.7)
			fail_msg("%zu: %f", i, alike_at(stream, i * FRAME, FRAME / 2));
	}
	assert_true(restored >= 4);
	codec_decoder_free(decoder);
	free(stream);
}

/* RFC 7587, section 6.1: who does not say that it can use redundancy, is sent none. */
static void test_no_fec(void **state)
{
	static const char *const without[] = {"", "useinbandfec=0", "useinbandfec", "stereo=1"};
	static const uint8_t celt[] = {0xf8, 0xff, 0xfe};
	int16_t out[3 * FRAME];
	struct decoder *decoder;

	(void)state;
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t n = 0; n < sizeof(without) / sizeof(without[0]); n++) {
		struct stream *stream = new_stream(without[n]);

		for (size_t i = 0; i < FRAMES; i++)
			assert_int_equal(codec_decode_fec(decoder, out, FRAME, payload(stream, i)),
				-ENODATA);
		free(stream);
	}
	assert_int_equal(codec_decode_fec(decoder, out, FRAME, (struct slice){celt, sizeof(celt)}),
		-ENODATA);
	assert_int_equal(codec_decode_fec(decoder, out, FRAME, (struct slice){celt, 0}), -EPROTO);
	codec_decoder_free(decoder);
}

/* The packet after the loss has a longer frame than was lost: nothing of it is of use. */
static void test_fec_lengths(void **state)
{
	struct stream *stream = new_stream("useinbandfec=1");
	int16_t out[3 * FRAME];
	struct decoder *decoder;
	size_t i = 0;

	(void)state;
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	while (codec_decode_fec(decoder, out, FRAME, payload(stream, i)) == -ENODATA)
		assert_true(++i < FRAMES);
	assert_int_equal(codec_decode_fec(decoder, out, FRAME / 2, payload(stream, i)), -ENODATA);
	assert_int_equal(codec_decode_fec(decoder, out, FRAME + 1, payload(stream, i)), -EINVAL);
	assert_int_equal(codec_decode_fec(decoder, out, 0, payload(stream, i)), -EINVAL);
	assert_int_equal(codec_decode_fec(decoder, out, 3 * FRAME, payload(stream, i)), 0);
	codec_decoder_free(decoder);
	free(stream);
}

/* The energy of out above hz, as a part of all; count is a power of two or not, it is only slow. */
static double above(const int16_t *samples, size_t count, double hz)
{
	double high = 0, all = 0;

	for (double f = 100; f < 20000; f += 100) {
		double re = 0, im = 0;

		for (size_t i = 0; i < count; i++) {
			re += samples[i] * cos(2 * M_PI * f * (double)i / RATE);
			im += samples[i] * sin(2 * M_PI * f * (double)i / RATE);
		}
		all += re * re + im * im;
		high += f > hz ? re * re + im * im : 0;
	}
	return high / all;
}

/* White noise through an encoder for fmtp; the last frames that come out. */
static void send_noise(int16_t out[static 2 * FRAME], const char *fmtp)
{
	struct codec_settings settings = {.ptime_ms = 20, .remote_fmtp = slice_of(fmtp)};
	uint32_t chance = 1;
	struct encoder *encoder;
	struct decoder *decoder;

	assert_int_equal(codec_encoder_new(&encoder, opus(), &settings), 0);
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t i = 0; i < 20; i++) {
		uint8_t bytes[CODEC_PAYLOAD_MAX];
		struct buf packet = {.data = bytes, .size = sizeof(bytes)};
		int16_t in[FRAME];
		size_t got;

		for (size_t n = 0; n < FRAME; n++) {
			chance = chance * 1664525 + 1013904223;
			in[n] = (int16_t)((int)(chance >> 17) - 16384);
		}
		assert_int_equal(codec_encode(encoder, &packet, in, FRAME), 0);
		assert_int_equal(codec_decode(decoder, out + i % 2 * FRAME, FRAME, &got,
					 (struct slice){bytes, packet.len}),
			0);
	}
	codec_encoder_free(encoder);
	codec_decoder_free(decoder);
}

static void test_playback_rate(void **state)
{
	int16_t out[2 * FRAME];

	(void)state;
	send_noise(out, "maxplaybackrate=8000");
	assert_true(above(out, 2 * FRAME, 5000) < 0.01);
	send_noise(out, " stereo=1 ; MaxPlaybackRate=16000;cbr=1");
	assert_true(above(out, 2 * FRAME, 5000) > 0.05);
	assert_true(above(out, 2 * FRAME, 9000) < 0.01);
	send_noise(out,
		"maxplaybackrate=4000;maxplaybackrate=;maxplaybackrate=8000000000"); /* nonsense */
	assert_true(above(out, 2 * FRAME, 9000) > 0.05);
}

static void test_bitrate(void **state)
{
	struct stream *low = new_stream("maxaveragebitrate=12000;useinbandfec=0");
	struct stream *high = new_stream("maxaveragebitrate=510000");
	struct stream *wrong = new_stream("maxaveragebitrate=1;maxaveragebitrate=-1");
	struct stream *constant = new_stream("cbr=1");

	(void)state;
	assert_true(bitrate(low) > 8000 && bitrate(low) < 14000);
	assert_true(bitrate(high) > 16000 && bitrate(high) < 40000); /* ours is less */
	assert_int_equal(bitrate(wrong), bitrate(high));
	for (size_t i = 1; i < FRAMES; i++)
		assert_int_equal(constant->len[i], 80);
	assert_int_not_equal(high->len[10], high->len[11]);
	free(low);
	free(high);
	free(wrong);
	free(constant);
}

/* RFC 7587, section 3.1.1: a receiver that plays less is sent less. */
static void test_bitrate_follows_playback_rate(void **state)
{
	struct stream *narrow = new_stream("maxplaybackrate=11025");
	struct stream *wide = new_stream("maxplaybackrate=16000");
	struct stream *full = new_stream("");

	(void)state;
	assert_true(bitrate(narrow) > 6000);
	assert_true(bitrate(wide) > bitrate(narrow) + 1000);
	assert_true(bitrate(full) > bitrate(wide) + 4000);
	free(narrow);
	free(wide);
	free(full);
}

static size_t packets_with_fec(const struct stream *stream)
{
	int16_t out[FRAME];
	struct decoder *decoder;
	size_t count = 0;

	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t i = 0; i < FRAMES; i++)
		count += codec_decode_fec(decoder, out, FRAME, payload(stream, i)) == 0;
	codec_decoder_free(decoder);
	return count;
}

/* A bit rate for which libopus thinks redundancy worth its bits only if there is much loss. */
static void test_redundancy_follows_loss(void **state)
{
	struct stream *stream = new_stream("");
	struct encoder *narrow = new_encoder("useinbandfec=1;maxaveragebitrate=18000");
	struct encoder *usual = new_encoder("useinbandfec=1");
	struct encoder *none = new_encoder("");

	(void)state;
	encode_by(stream, narrow);
	assert_int_equal(packets_with_fec(stream), 0);
	codec_expect_loss(narrow, 20);
	encode_by(stream, narrow);
	assert_true(packets_with_fec(stream) > FRAMES / 4);

	codec_expect_loss(usual, 0); /* the first loss comes before any report */
	encode_by(stream, usual);
	assert_true(packets_with_fec(stream) > FRAMES / 4);
	codec_expect_loss(none, 100); /* who does not want it gets none */
	encode_by(stream, none);
	assert_int_equal(packets_with_fec(stream), 0);

	codec_encoder_free(narrow);
	codec_encoder_free(usual);
	codec_encoder_free(none);
	free(stream);
}

/* RFC 7587, section 3.1.3: nothing is sent for silence, but for a sign of life now and then. */
static void test_silence_is_not_sent_to_who_asks(void **state)
{
	struct stream *stream = new_stream("");
	struct encoder *dtx = new_encoder("usedtx=1");
	struct encoder *plain = new_encoder("usedtx=0");
	size_t sent = 0;

	(void)state;
	memset(stream->in + 10 * FRAME, 0, 50 * FRAME * sizeof(int16_t));
	encode_by(stream, dtx);
	for (size_t i = 0; i < FRAMES; i++) {
		sent += stream->len[i] > 0;
		assert_true(stream->len[i] > 2 || stream->len[i] == 0);
		if (i < 10)
			assert_true(stream->len[i] > 0);
	}
	assert_true(sent > 10 && sent < 30);
	assert_true(stream->len[40] + stream->len[41] == 0);

	trial_speak(stream->in, TOTAL, RATE); /* and the voice comes back at once */
	encode_by(stream, dtx);
	assert_true(stream->len[1] > 2 && stream->len[2] > 2);

	memset(stream->in, 0, sizeof(stream->in));
	encode_by(stream, plain);
	for (size_t i = 0; i < FRAMES; i++)
		assert_true(stream->len[i] > 0);
	codec_encoder_free(dtx);
	codec_encoder_free(plain);
	free(stream);
}

/* A tone left, a tone right: both are heard, and in one channel. */
static void test_stereo_is_heard(void **state)
{
	static int16_t both[2 * FRAME], out[2 * FRAME];
	uint8_t bytes[CODEC_PAYLOAD_MAX];
	struct decoder *decoder;
	OpusEncoder *stereo;
	size_t got;
	int err;

	(void)state;
	stereo = opus_encoder_create(RATE, 2, OPUS_APPLICATION_AUDIO, &err);
	assert_non_null(stereo);
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t i = 0; i < 20; i++) {
		opus_int32 len;

		for (size_t n = 0; n < FRAME; n++) {
			double t = (double)(i * FRAME + n) / RATE;

			both[2 * n] = (int16_t)(8000 * sin(2 * M_PI * 500 * t));
			both[2 * n + 1] = (int16_t)(8000 * sin(2 * M_PI * 6000 * t));
		}
		len = opus_encode(stereo, both, FRAME, bytes, sizeof(bytes));
		assert_true(len > 0);
		assert_int_equal(codec_decode(decoder, out + i % 2 * FRAME, FRAME, &got,
					 (struct slice){bytes, (size_t)len}),
			0);
		assert_int_equal(got, FRAME);
	}
	assert_true(above(out, 2 * FRAME, 3000) > 0.3 && above(out, 2 * FRAME, 3000) < 0.7);
	opus_encoder_destroy(stereo);
	codec_decoder_free(decoder);
}

/* RFC 7587, section 4.2: packets are as long as their receiver likes. */
static void test_packet_lengths(void **state)
{
	static const uint32_t ptimes_ms[] = {10, 20, 40, 60};
	struct stream *stream = new_stream("");

	(void)state;
	for (size_t i = 0; i < sizeof(ptimes_ms) / sizeof(ptimes_ms[0]); i++) {
		struct codec_settings settings = {.ptime_ms = ptimes_ms[i]};
		size_t frame = codec_frame(opus(), ptimes_ms[i]), samples, got;
		struct encoder *encoder;
		struct decoder *decoder;

		assert_int_equal(codec_encoder_new(&encoder, opus(), &settings), 0);
		assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
		for (size_t at = 0; at + frame <= TOTAL; at += frame) {
			struct buf out = {.data = stream->bytes[0], .size = CODEC_PAYLOAD_MAX};

			assert_int_equal(codec_encode(encoder, &out, stream->in + at, frame), 0);
			stream->len[0] = out.len;
			assert_int_equal(codec_duration(&samples, opus(), payload(stream, 0)), 0);
			assert_int_equal(samples, frame);
			assert_int_equal(codec_decode(decoder, stream->out + at, frame, &got,
						 payload(stream, 0)),
				0);
		}
		assert_true(alike_at(stream, 10 * FRAME, 30 * FRAME) > 0.9);
		codec_encoder_free(encoder);
		codec_decoder_free(decoder);
	}
	free(stream);
}

static bool opus_fails;

OpusEncoder *__wrap_opus_encoder_create(opus_int32 rate, int channels, int application, int *err);
OpusEncoder *__real_opus_encoder_create(opus_int32 rate, int channels, int application, int *err);
OpusDecoder *__wrap_opus_decoder_create(opus_int32 rate, int channels, int *err);
OpusDecoder *__real_opus_decoder_create(opus_int32 rate, int channels, int *err);

OpusEncoder *__wrap_opus_encoder_create(opus_int32 rate, int channels, int application, int *err)
{
	*err = OPUS_ALLOC_FAIL;
	return opus_fails ? NULL : __real_opus_encoder_create(rate, channels, application, err);
}

OpusDecoder *__wrap_opus_decoder_create(opus_int32 rate, int channels, int *err)
{
	*err = OPUS_ALLOC_FAIL;
	return opus_fails ? NULL : __real_opus_decoder_create(rate, channels, err);
}

/* What is allocated on our side, test_codec_g711.c makes fail for all codecs. */
static void test_no_memory(void **state)
{
	struct codec_settings settings = {.ptime_ms = 20};
	struct encoder *encoder = NULL;
	struct decoder *decoder = NULL;

	(void)state;
	opus_fails = true;
	assert_int_equal(codec_encoder_new(&encoder, opus(), &settings), -ENOMEM);
	assert_int_equal(codec_decoder_new(&decoder, opus()), -ENOMEM);
	opus_fails = false;
	assert_null(encoder);
	assert_null(decoder);
}

static void test_conceal(void **state)
{
	struct stream *stream = new_stream("");
	int16_t out[CODEC_SAMPLES_MAX];
	struct decoder *decoder;
	size_t got;
	double sum = 0;

	(void)state;
	assert_true(codec_conceals(opus()));
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(codec_decode(decoder, out, FRAME, &got, payload(stream, i)), 0);
	assert_int_equal(codec_conceal(decoder, out, FRAME), 0);
	for (size_t i = 0; i < FRAME; i++)
		sum += abs(out[i]);
	assert_true(sum / FRAME > 100); /* the voice goes on */
	assert_int_equal(codec_conceal(decoder, out, 120), 0);
	memset(out, 0x55, sizeof(out));
	assert_int_equal(codec_conceal(decoder, out, CODEC_SAMPLES_MAX), 0);
	for (size_t i = 0; i < CODEC_SAMPLES_MAX; i++)
		assert_int_not_equal(out[i], 0x5555); /* all was made up */
	assert_int_equal(codec_conceal(decoder, out, CODEC_SAMPLES_MAX + 120), -EINVAL);
	assert_int_equal(codec_conceal(decoder, out, 100), -EINVAL);
	assert_int_equal(codec_conceal(decoder, out, 0), -EINVAL);
	codec_decoder_free(decoder);
	free(stream);
}

static void test_encode_limits(void **state)
{
	struct codec_settings settings = {.ptime_ms = 60};
	int16_t in[CODEC_SAMPLES_MAX] = {0};
	uint8_t bytes[2 * CODEC_PAYLOAD_MAX];
	struct buf out = {.data = bytes};
	struct encoder *encoder;

	(void)state;
	assert_int_equal(codec_encoder_new(&encoder, opus(), &settings), 0);
	assert_int_equal(codec_encode(encoder, &out, in, FRAME), -ENOBUFS);
	out.size = sizeof(bytes);
	assert_int_equal(codec_encode(encoder, &out, in, FRAME - 1), -EINVAL);
	assert_int_equal(codec_encode(encoder, &out, in, 0), -EINVAL);
	assert_int_equal(codec_encode(encoder, &out, in, CODEC_SAMPLES_MAX), -EINVAL);
	assert_int_equal(out.len, 0);
	assert_int_equal(codec_encode(encoder, &out, in, 3 * FRAME), 0);
	assert_true(out.len > 0);
	codec_encoder_free(encoder);
}

/* clang-format off */
static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	size_t samples; /* 0: to be refused */
} payloads[] = {
	{"empty",                 "",                 0, 0},
	{"toc alone, 20 ms",      "\xf8",             1, 960},
	{"2.5 ms",                "\xe0",             1, 120},
	{"60 ms of SILK",         "\x18",             1, 2880},
	{"two frames",            "\xf9\x01\x02",     3, 1920},
	{"frame count missing",   "\xfb",             1, 0},
	{"six of 20 ms",          "\xfb\x06",         2, 5760},
	{"seven of 20 ms",        "\xfb\x07",         2, 0},
	{"two of 60 ms",          "\x1b\x02",         2, 5760},
	{"three of 60 ms",        "\x1b\x03",         2, 0},
	{"48 of 2.5 ms",          "\xe3\x30",         2, 5760},
	{"63 frames",             "\xe3\x3f",         2, 0},
	{"no frames",             "\xfb\x00",         2, 0},
};
/* clang-format on */

static void test_duration(void **state)
{
	static uint8_t huge[70000] = {0xf8};
	size_t samples = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		uint8_t *copy = malloc(payloads[i].len); /* for AddressSanitizer */
		int err;

		assert_non_null(copy);
		memcpy(copy, payloads[i].bytes, payloads[i].len);
		samples = 7;
		err = codec_duration(&samples, opus(), (struct slice){copy, payloads[i].len});
		if (err != (payloads[i].samples ? 0 : -EPROTO))
			fail_msg("%s: %d", payloads[i].name, err);
		if (samples != (err ? 7 : payloads[i].samples))
			fail_msg("%s: %zu", payloads[i].name, samples);
		free(copy);
	}
	assert_int_equal(codec_duration(&samples, opus(), (struct slice){huge, 65536}), -EPROTO);
}

/* What is no Opus is refused or decoded to the length that was foretold, and never beyond. */
static void test_random_payloads(void **state)
{
	int16_t *out = calloc(CODEC_SAMPLES_MAX, sizeof(*out));
	struct decoder *decoder;
	uint32_t chance = 7;
	size_t good = 0, bad = 0;

	(void)state;
	assert_non_null(out);
	assert_int_equal(codec_decoder_new(&decoder, opus()), 0);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t len = round % 40;
		uint8_t *bytes = malloc(len);
		size_t samples = 0, got = 7;
		int err, known;

		for (size_t i = 0; i < len; i++) {
			chance = chance * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(chance >> 24);
		}
		known = codec_duration(&samples, opus(), (struct slice){bytes, len});
		if (round % 3 == 0) {
			err = codec_decode_fec(decoder, out, FRAME, (struct slice){bytes, len});
			assert_true(err == 0 || err == -EPROTO || err == -ENODATA);
		}
		err = codec_decode(
			decoder, out, CODEC_SAMPLES_MAX, &got, (struct slice){bytes, len});
		assert_true(err == 0 || err == -EPROTO);
		assert_true(err == 0 ? known == 0 && got == samples : got == 0);
		good += err == 0;
		bad += err != 0;
		if (!err) /* not one sample less may do */
			assert_int_equal(codec_decode(decoder, out, samples - 1, &got,
						 (struct slice){bytes, len}),
				-ENOBUFS);
		free(bytes);
	}
	assert_true(good > 100 && bad > 100);
	codec_decoder_free(decoder);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_fec),
		cmocka_unit_test(test_no_fec),
		cmocka_unit_test(test_fec_lengths),
		cmocka_unit_test(test_playback_rate),
		cmocka_unit_test(test_bitrate),
		cmocka_unit_test(test_bitrate_follows_playback_rate),
		cmocka_unit_test(test_redundancy_follows_loss),
		cmocka_unit_test(test_silence_is_not_sent_to_who_asks),
		cmocka_unit_test(test_stereo_is_heard),
		cmocka_unit_test(test_packet_lengths),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_conceal),
		cmocka_unit_test(test_encode_limits),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_random_payloads),
	};

	return cmocka_run_group_tests_name("codecs/opus", tests, NULL, NULL);
}
