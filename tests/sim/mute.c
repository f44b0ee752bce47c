#include "tests/sim/mute.h"

#include <string.h>

static struct encoder encoder = {&codec_mute};
static struct decoder decoder = {&codec_mute};

static int mute_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	(void)codec;
	(void)settings;
	*out = &encoder;
	return 0;
}

/* What cannot be encoded is not sent. */
static int mute_encode(struct encoder *self, struct buf *out, const int16_t *samples, size_t count)
{
	(void)self;
	(void)out;
	(void)samples;
	(void)count;
	return -EAGAIN;
}

static void mute_encoder_free(struct encoder *self)
{
	(void)self;
}

static int mute_decoder_new(struct decoder **out, const struct codec *codec)
{
	(void)codec;
	*out = &decoder;
	return 0;
}

static int mute_decode(
	struct decoder *self, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	(void)self;
	(void)out;
	(void)room;
	(void)payload;
	*got = 0;
	return -EPROTO;
}

static int mute_conceal(struct decoder *self, int16_t *out, size_t count)
{
	(void)self;
	memset(out, 0, count * sizeof(*out));
	return 0;
}

static int mute_duration(size_t *samples, struct slice payload)
{
	(void)samples;
	(void)payload;
	return -EPROTO;
}

static void mute_decoder_free(struct decoder *self)
{
	(void)self;
}

const struct codec codec_mute = {
	.name = "PCMU",
	.key = "mute",
	.about = "nothing at all",
	.payload_type = 0,
	.clock_rate = 8000,
	.rtp_channels = 1,
	.sample_rate = 8000,
	.ptimes_ms = {CODEC_PACKET_MAX_MS},
	.encoder_new = mute_encoder_new,
	.encode = mute_encode,
	.encoder_free = mute_encoder_free,
	.decoder_new = mute_decoder_new,
	.decode = mute_decode,
	.conceal = mute_conceal,
	.duration = mute_duration,
	.decoder_free = mute_decoder_free,
};
