/*
 * PCMU and PCMA (ITU-T G.711; RFC 3551, section 4.5.14): a byte a sample. The two laws are
 * spandsp's, which are inline; the library itself is not needed.
 */
#include "codecs/frames.h"
#include "codecs/table.h"

#include <stdlib.h>

#include <spandsp/telephony.h> /* in the order that they need */

#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>

enum {
	RATE = 8000,
	STEPS = 256,
};

static const struct frames frames = {1, 1, RATE / 1000 * CODEC_PACKET_MAX_MS};

struct g711_decoder {
	struct decoder decoder;
	int16_t linear[STEPS]; /* of each byte */
};

static int law_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	struct encoder *encoder = calloc(1, sizeof(*encoder));

	(void)settings; /* RFC 3551 has no parameters for them, and any length will do */
	if (!encoder)
		return -ENOMEM;

	encoder->codec = codec;
	*out = encoder;
	return 0;
}

static void law_encoder_free(struct encoder *encoder)
{
	free(encoder);
}

static int pcmu_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	uint8_t *bytes;
	int err;

	(void)encoder;
	err = frames_take(&bytes, out, &frames, count);
	if (err)
		return err;

	for (size_t i = 0; i < count; i++)
		bytes[i] = linear_to_ulaw(samples[i]);
	return 0;
}

static int pcma_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	uint8_t *bytes;
	int err;

	(void)encoder;
	err = frames_take(&bytes, out, &frames, count);
	if (err)
		return err;

	for (size_t i = 0; i < count; i++)
		bytes[i] = linear_to_alaw(samples[i]);
	return 0;
}

static int law_decoder_new(
	struct decoder **out, const struct codec *codec, int16_t (*law)(uint8_t byte))
{
	struct g711_decoder *g711 = calloc(1, sizeof(*g711));

	if (!g711)
		return -ENOMEM;

	g711->decoder.codec = codec;
	for (size_t i = 0; i < STEPS; i++)
		g711->linear[i] = law((uint8_t)i);
	*out = &g711->decoder;
	return 0;
}

static int pcmu_decoder_new(struct decoder **out, const struct codec *codec)
{
	return law_decoder_new(out, codec, ulaw_to_linear);
}

static int pcma_decoder_new(struct decoder **out, const struct codec *codec)
{
	return law_decoder_new(out, codec, alaw_to_linear);
}

static void law_decoder_free(struct decoder *decoder)
{
	free(decoder); /* the first member of what was allocated */
}

static int law_duration(size_t *samples, struct slice payload)
{
	return frames_duration(samples, &frames, payload);
}

static int law_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	const struct g711_decoder *g711 = (const struct g711_decoder *)decoder;

	(void)room; /* codec_decode() has asked law_duration() */
	for (size_t i = 0; i < payload.len; i++)
		out[i] = g711->linear[payload.data[i]];
	*got = payload.len;
	return 0;
}

/* Ie and Bpl: ITU-T G.113, appendix I, G.711 with concealment. */
#define G711_ROW(law_name, law_key, law_about, type)                                               \
	.name = law_name, .key = #law_key, .about = law_about, .payload_type = type,               \
	.clock_rate = RATE, .rtp_channels = 1, .sample_rate = RATE, .bit_rate = 8 * RATE, .ie = 0, \
	.bpl = 25.1, .ptimes_ms = {10, 20, 30, 40, 50, 60}, .encoder_new = law_encoder_new,        \
	.encode = law_key##_encode, .encoder_free = law_encoder_free,                              \
	.decoder_new = law_key##_decoder_new, .decode = law_decode, .duration = law_duration,      \
	.decoder_free = law_decoder_free

const struct codec codec_pcmu = {G711_ROW("PCMU", pcmu, "G.711 µ-law, 8 kHz, 64 kbit/s", 0)};
const struct codec codec_pcma = {G711_ROW("PCMA", pcma, "G.711 A-law, 8 kHz, 64 kbit/s", 8)};
