/*
 * G.722 (ITU-T G.722; RFC 3551, section 4.5.2) at 64 kbit/s, by spandsp: a byte for two samples at
 * 16 kHz, its two bands as ADPCM.
 */
#include "codecs/frames.h"
#include "codecs/spandsp.h"
#include "codecs/table.h"

#include <stdlib.h>

enum {
	RATE = 16000,
	CLOCK_RATE = 8000, /* an error of RFC 1890, which stays, as everybody had it by then */
	BIT_RATE = 64000,
};

static const struct frames frames = {2, 1, RATE / 1000 * CODEC_PACKET_MAX_MS};

/* RFC 3551 has no parameters for it, and any length will do. */
static int g722_row_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	struct spandsp_coder *self;
	int err;

	(void)settings;
	err = spandsp_coder_new(&self, codec);
	if (err)
		return err;

	self->state = self->spandsp->g722_encode_init(NULL, BIT_RATE, 0);
	return spandsp_encoder_done(out, self);
}

static int g722_row_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	struct spandsp_coder *self = (struct spandsp_coder *)encoder;
	uint8_t *bytes;
	int err;

	err = frames_take(&bytes, out, &frames, count);
	if (err)
		return err;

	self->spandsp->g722_encode(self->state, bytes, samples, (int)count);
	return 0;
}

static void g722_row_encoder_free(struct encoder *encoder)
{
	struct spandsp_coder *self = (struct spandsp_coder *)encoder;

	self->spandsp->g722_encode_free(self->state);
	free(self);
}

static int g722_row_decoder_new(struct decoder **out, const struct codec *codec)
{
	struct spandsp_coder *self;
	int err;

	err = spandsp_coder_new(&self, codec);
	if (err)
		return err;

	self->state = self->spandsp->g722_decode_init(NULL, BIT_RATE, 0);
	return spandsp_decoder_done(out, self);
}

static int g722_row_duration(size_t *samples, struct slice payload)
{
	return frames_duration(samples, &frames, payload);
}

static int g722_row_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	struct spandsp_coder *self = (struct spandsp_coder *)decoder;

	(void)room; /* codec_decode() has asked g722_row_duration() */
	*got = (size_t)self->spandsp->g722_decode(self->state, out, payload.data, (int)payload.len);
	return 0;
}

static void g722_row_decoder_free(struct decoder *decoder)
{
	struct spandsp_coder *self = (struct spandsp_coder *)decoder;

	self->spandsp->g722_decode_free(self->state);
	free(self);
}

/*
 * Ie and Bpl: ITU-T G.113 rates it only on the scale of wide-band telephony. On ours, whose best is
 * G.711, it takes nothing away, and bears loss a little worse, as each loss leaves its ADPCM astray
 * for some milliseconds.
 */
const struct codec codec_g722 = {
	.name = "G722",
	.key = "g722",
	.about = "G.722, 16 kHz, 64 kbit/s",
	.payload_type = 9,
	.clock_rate = CLOCK_RATE,
	.rtp_channels = 1,
	.sample_rate = RATE,
	.bit_rate = BIT_RATE,
	.ie = 0,
	.bpl = 20,
	.ptimes_ms = {10, 20, 30, 40, 50, 60},
	.load = spandsp_row_load,
	.encoder_new = g722_row_encoder_new,
	.encode = g722_row_encode,
	.encoder_free = g722_row_encoder_free,
	.decoder_new = g722_row_decoder_new,
	.decode = g722_row_decode,
	.duration = g722_row_duration,
	.decoder_free = g722_row_decoder_free,
};
