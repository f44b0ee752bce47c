/*
 * LPC-10e (FIPS 137, formerly Federal Standard 1015), by spandsp: a vocoder, 7 bytes for each
 * 180 samples, which are 22.5 ms. It carries words over the narrowest line, and no voice.
 *
 * As payload type 7, "LPC", it goes by a name that RFC 3551, section 4.5.12, gives to another
 * coder, an experimental one of 14 bytes for 20 ms that hardly anybody has had. What telephones
 * and gateways send as "LPC" is this. As nothing in a payload tells the two apart, none is refused
 * for it.
 */
#include "codecs/frames.h"
#include "codecs/spandsp.h"
#include "codecs/table.h"

#include <stdbool.h>
#include <stdlib.h>

enum { RATE = 8000 };

static const struct frames frames = {180, 7, RATE / 1000 * CODEC_PACKET_MAX_MS};

/* Of what is not voiced, spare bits protect the rest; the standard has it so. */
static const int protect = true;

/* There are no parameters for it. */
static int lpc10_row_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	struct spandsp_coder *self;
	int err;

	(void)settings;
	err = spandsp_coder_new(&self, codec);
	if (err)
		return err;

	self->state = self->spandsp->lpc10_encode_init(NULL, protect);
	return spandsp_encoder_done(out, self);
}

static int lpc10_row_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	struct spandsp_coder *self = (struct spandsp_coder *)encoder;
	uint8_t *bytes;
	int err;

	err = frames_take(&bytes, out, &frames, count);
	if (err)
		return err;

	self->spandsp->lpc10_encode(self->state, bytes, samples, (int)count);
	return 0;
}

static void lpc10_row_encoder_free(struct encoder *encoder)
{
	struct spandsp_coder *self = (struct spandsp_coder *)encoder;

	self->spandsp->lpc10_encode_free(self->state);
	free(self);
}

static int lpc10_row_decoder_new(struct decoder **out, const struct codec *codec)
{
	struct spandsp_coder *self;
	int err;

	err = spandsp_coder_new(&self, codec);
	if (err)
		return err;

	self->state = self->spandsp->lpc10_decode_init(NULL, protect);
	return spandsp_decoder_done(out, self);
}

static int lpc10_row_duration(size_t *samples, struct slice payload)
{
	return frames_duration(samples, &frames, payload);
}

static int lpc10_row_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	struct spandsp_coder *self = (struct spandsp_coder *)decoder;

	(void)room; /* codec_decode() has asked lpc10_row_duration() */
	*got = (size_t)self->spandsp->lpc10_decode(
		self->state, out, payload.data, (int)payload.len);
	return 0;
}

static void lpc10_row_decoder_free(struct decoder *decoder)
{
	struct spandsp_coder *self = (struct spandsp_coder *)decoder;

	self->spandsp->lpc10_decode_free(self->state);
	free(self);
}

/*
 * Ie and Bpl: ITU-T G.113 does not know it. Listeners give it little more than 2 of 5 points, which
 * is an Ie of 50; and it has long frames, though no memory from one to the next.
 */
const struct codec codec_lpc10 = {
	.name = "LPC",
	.key = "lpc10",
	.about = "LPC-10, 8 kHz, 2.5 kbit/s",
	.payload_type = 7,
	.clock_rate = RATE,
	.rtp_channels = 1,
	.sample_rate = RATE,
	.bit_rate = 2489,
	.ie = 50,
	.bpl = 10,
	.ptimes_ms = {45}, /* two frames: lengths are of whole milliseconds */
	.load = spandsp_row_load,
	.encoder_new = lpc10_row_encoder_new,
	.encode = lpc10_row_encode,
	.encoder_free = lpc10_row_encoder_free,
	.decoder_new = lpc10_row_decoder_new,
	.decode = lpc10_row_decode,
	.duration = lpc10_row_duration,
	.decoder_free = lpc10_row_decoder_free,
};
