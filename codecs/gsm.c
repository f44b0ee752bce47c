/*
 * GSM 06.10 full rate (RFC 3551, section 4.5.8), by spandsp: 33 bytes for each 20 ms.
 */
#include "codecs/frames.h"
#include "codecs/spandsp.h"
#include "codecs/table.h"

#include <stdlib.h>

enum {
	RATE = 8000,
	FRAME_BYTES = 33,
	SIGNATURE = 0xd, /* what the first four bits of each frame are */
};

static const struct frames frames = {160, FRAME_BYTES, RATE / 1000 * CODEC_PACKET_MAX_MS};

/* RFC 3551 has no parameters for it. */
static int gsm_row_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	struct spandsp_coder *self;
	int err;

	(void)settings;
	err = spandsp_coder_new(&self, codec);
	if (err)
		return err;

	self->state = self->spandsp->gsm0610_init(NULL, GSM0610_PACKING_VOIP);
	return spandsp_encoder_done(out, self);
}

static int gsm_row_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	struct spandsp_coder *self = (struct spandsp_coder *)encoder;
	uint8_t *bytes;
	int err;

	err = frames_take(&bytes, out, &frames, count);
	if (err)
		return err;

	self->spandsp->gsm0610_encode(self->state, bytes, samples, (int)count);
	return 0;
}

static void gsm_row_encoder_free(struct encoder *encoder)
{
	struct spandsp_coder *self = (struct spandsp_coder *)encoder;

	self->spandsp->gsm0610_free(self->state);
	free(self);
}

static int gsm_row_decoder_new(struct decoder **out, const struct codec *codec)
{
	struct spandsp_coder *self;
	int err;

	err = spandsp_coder_new(&self, codec);
	if (err)
		return err;

	self->state = self->spandsp->gsm0610_init(NULL, GSM0610_PACKING_VOIP);
	return spandsp_decoder_done(out, self);
}

/* spandsp itself does not look at the signature. */
static int gsm_row_duration(size_t *samples, struct slice payload)
{
	for (size_t i = 0; i < payload.len; i += FRAME_BYTES)
		if (payload.data[i] >> 4 != SIGNATURE)
			return -EPROTO;

	return frames_duration(samples, &frames, payload);
}

static int gsm_row_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	struct spandsp_coder *self = (struct spandsp_coder *)decoder;

	(void)room; /* codec_decode() has asked gsm_row_duration() */
	*got = (size_t)self->spandsp->gsm0610_decode(
		self->state, out, payload.data, (int)payload.len);
	return 0;
}

static void gsm_row_decoder_free(struct decoder *decoder)
{
	struct spandsp_coder *self = (struct spandsp_coder *)decoder;

	self->spandsp->gsm0610_free(self->state);
	free(self);
}

/* Ie: ITU-T G.113, table I.1. It gives no Bpl; this is that of GSM's enhanced full rate, which is
 * predictive in the same way and as long a frame. */
const struct codec codec_gsm = {
	.name = "GSM",
	.key = "gsm",
	.about = "GSM 06.10, 8 kHz, 13 kbit/s",
	.payload_type = 3,
	.clock_rate = RATE,
	.rtp_channels = 1,
	.sample_rate = RATE,
	.bit_rate = 13200,
	.ie = 20,
	.bpl = 10,
	.ptimes_ms = {20, 40, 60},
	.load = spandsp_row_load,
	.encoder_new = gsm_row_encoder_new,
	.encode = gsm_row_encode,
	.encoder_free = gsm_row_encoder_free,
	.decoder_new = gsm_row_decoder_new,
	.decode = gsm_row_decode,
	.duration = gsm_row_duration,
	.decoder_free = gsm_row_decoder_free,
};
