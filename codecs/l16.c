/*
 * L16 (RFC 3551, section 4.5.11): the samples themselves, in network byte order. What is sent is
 * heard bit by bit, which laboratories want, and some gateways between their own parts.
 *
 * Its rates are the two of telephony. At higher ones the usual 20 ms have no room in a datagram,
 * and at 16 kHz no more than 40 ms have.
 */
#include "codecs/frames.h"
#include "codecs/table.h"

#include <stdlib.h>

enum {
	NARROW_RATE = 8000,
	WIDE_RATE = 16000,
	SAMPLE_BYTES = 2,
};

static const struct frames narrow = {1, SAMPLE_BYTES, NARROW_RATE / 1000 * CODEC_PACKET_MAX_MS};
static const struct frames wide = {1, SAMPLE_BYTES, WIDE_RATE / 1000 * CODEC_PACKET_MAX_MS};

static const struct frames *frames_of(const struct codec *codec)
{
	return codec->sample_rate == WIDE_RATE ? &wide : &narrow;
}

static int l16_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	struct encoder *encoder = calloc(1, sizeof(*encoder));

	(void)settings; /* RFC 3551 has no parameters for it that are not in the rtpmap */
	if (!encoder)
		return -ENOMEM;

	encoder->codec = codec;
	*out = encoder;
	return 0;
}

static void l16_encoder_free(struct encoder *encoder)
{
	free(encoder);
}

static int l16_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	uint8_t *bytes;
	int err;

	err = frames_take(&bytes, out, frames_of(encoder->codec), count);
	if (err)
		return err;

	for (size_t i = 0; i < count; i++)
		be16_put(bytes + i * SAMPLE_BYTES, (uint16_t)samples[i]);
	return 0;
}

static int l16_decoder_new(struct decoder **out, const struct codec *codec)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return -ENOMEM;

	decoder->codec = codec;
	*out = decoder;
	return 0;
}

static void l16_decoder_free(struct decoder *decoder)
{
	free(decoder);
}

static int narrow_duration(size_t *samples, struct slice payload)
{
	return frames_duration(samples, &narrow, payload);
}

static int wide_duration(size_t *samples, struct slice payload)
{
	return frames_duration(samples, &wide, payload);
}

static int l16_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	size_t count = payload.len / SAMPLE_BYTES;

	(void)decoder;
	(void)room; /* codec_decode() has asked how many there are */
	for (size_t i = 0; i < count; i++)
		out[i] = (int16_t)be16_get(payload.data + i * SAMPLE_BYTES);
	*got = count;
	return 0;
}

/* Ie and Bpl: as G.711 (ITU-T G.113, appendix I), with which it shares all but the laws. */
#define L16_ROW(row_key, row_about, rate, row_duration)                                            \
	.name = "L16", .key = row_key, .about = row_about, .payload_type = CODEC_DYNAMIC,          \
	.clock_rate = rate, .rtp_channels = 1, .sample_rate = rate,                                \
	.bit_rate = 8 * SAMPLE_BYTES * rate, .ie = 0, .bpl = 25.1, .encoder_new = l16_encoder_new, \
	.encode = l16_encode, .encoder_free = l16_encoder_free, .decoder_new = l16_decoder_new,    \
	.decode = l16_decode, .duration = row_duration, .decoder_free = l16_decoder_free

const struct codec codec_l16 = {
	L16_ROW("l16", "linear, 16 kHz, 256 kbit/s", WIDE_RATE, wide_duration),
	.ptimes_ms = {10, 20, 30, 40},
};
const struct codec codec_l16_8k = {
	L16_ROW("l16-8k", "linear, 8 kHz, 128 kbit/s", NARROW_RATE, narrow_duration),
	.ptimes_ms = {10, 20, 30, 40, 50, 60},
};
