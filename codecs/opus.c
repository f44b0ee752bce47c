/*
 * Opus (RFC 6716, RFC 7587), by libopus: mono for speech, always at 48 kHz on our side. Its
 * redundancy and its concealment are its own. What comes in stereo is heard as the mean of both.
 */
#include "codecs/table.h"
#include "core/base/text.h"

#include <assert.h>
#include <stdlib.h>

#include <opus/opus.h>

enum {
	RATE = 48000, /* RFC 7587, section 4.1: the clock, whatever is in the packet */
	FRAME_MAX = RATE / 1000 * 120,
	BITRATE = 32000,    /* as it is told; a receiver that plays less is sent less */
	BITRATE_MIN = 6000, /* RFC 7587, section 6.1, as are the limits of the others */
	BITRATE_MAX = 510000,
	COMPLEXITY = 5,
	LOSS_AT_FIRST = 10, /* percent, while nobody knows the network */
	LOSS_FLOOR = 6,     /* the least for which libopus thinks redundancy worth its bits */
	NOTHING_MAX = 2,    /* bytes of a packet that says only that there is none */
	FRAMES_MAX = 48,    /* of 2.5 ms in a packet */
	PAYLOAD_IN_MAX = 65535,
};

struct opus_encoder {
	struct encoder encoder;
	OpusEncoder *opus;
	bool fec;
	bool dtx;
};

struct opus_decoder {
	struct decoder decoder;
	OpusDecoder *opus;
};

/* What the receiver asks for (RFC 7587, section 6.1); the initial values are its defaults. */
struct wishes {
	uint32_t playback_rate;
	uint32_t bitrate;
	bool fec;
	bool cbr;
	bool dtx;
};

static void take_number(uint32_t *out, struct slice value, uint32_t min, uint32_t max)
{
	uint64_t number;

	if (slice_number(&number, value, max) == 0 && number >= min)
		*out = (uint32_t)number;
}

/*
 * A wish for stereo is not for us: mono may be sent to whoever prefers it not. What begins with
 * "sprop" tells of the other direction, and whatever comes is played.
 */
static void read_wishes(struct wishes *wishes, struct slice fmtp)
{
	bool more;

	do {
		struct slice name, value;

		more = slice_cut(&value, &fmtp, ';');
		slice_cut(&name, &value, '=');
		name = slice_trim(name);
		value = slice_trim(value);
		if (slice_is_nocase(name, "maxplaybackrate"))
			take_number(&wishes->playback_rate, value, 8000, RATE);
		else if (slice_is_nocase(name, "maxaveragebitrate"))
			take_number(&wishes->bitrate, value, BITRATE_MIN, BITRATE_MAX);
		else if (slice_is_nocase(name, "useinbandfec"))
			wishes->fec = slice_is(value, "1");
		else if (slice_is_nocase(name, "cbr"))
			wishes->cbr = slice_is(value, "1");
		else if (slice_is_nocase(name, "usedtx"))
			wishes->dtx = slice_is(value, "1");
	} while (more);
}

/*
 * What is worth sending to who plays at rate: RFC 7587, section 6.1 and table 1. The bit rates are
 * those of section 3.1.1 for speech, but for the narrow ones as much more as redundancy takes.
 */
static const struct playback {
	uint32_t rate; /* from this on */
	int bandwidth;
	uint32_t bitrate;
} playbacks[] = {
	{8000, OPUS_BANDWIDTH_NARROWBAND, 20000},
	{12000, OPUS_BANDWIDTH_MEDIUMBAND, 20000},
	{16000, OPUS_BANDWIDTH_WIDEBAND, 24000},
	{24000, OPUS_BANDWIDTH_SUPERWIDEBAND, BITRATE},
	{RATE, OPUS_BANDWIDTH_FULLBAND, BITRATE},
};

static const struct playback *playback_of(uint32_t rate)
{
	const struct playback *found = &playbacks[0];

	for (size_t i = 1; i < sizeof(playbacks) / sizeof(playbacks[0]); i++)
		if (rate >= playbacks[i].rate)
			found = &playbacks[i];
	return found;
}

static int error_of(int opus_error)
{
	switch (opus_error) {
	case OPUS_ALLOC_FAIL:
		return -ENOMEM;
	case OPUS_BUFFER_TOO_SMALL:
		return -ENOBUFS;
	case OPUS_INVALID_PACKET:
		return -EPROTO;
	default:
		return -EINVAL;
	}
}

/* None of these can fail: each value is one that libopus knows. */
static void set_up(OpusEncoder *opus, const struct wishes *wishes)
{
	const struct playback *playback = playback_of(wishes->playback_rate);
	uint32_t rate = wishes->bitrate < playback->bitrate ? wishes->bitrate : playback->bitrate;
	int failed = 0;

	failed |= opus_encoder_ctl(opus, OPUS_SET_BITRATE((opus_int32)rate));
	failed |= opus_encoder_ctl(opus, OPUS_SET_VBR(wishes->cbr ? 0 : 1));
	failed |= opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
	failed |= opus_encoder_ctl(opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	failed |= opus_encoder_ctl(opus, OPUS_SET_MAX_BANDWIDTH(playback->bandwidth));
	failed |= opus_encoder_ctl(opus, OPUS_SET_INBAND_FEC(wishes->fec ? 1 : 0));
	failed |= opus_encoder_ctl(opus, OPUS_SET_DTX(wishes->dtx ? 1 : 0));
	assert(failed == OPUS_OK);
}

/* Where there is redundancy, some is kept on the best network: the first loss comes before any
 * report of it. */
static void opus_row_expect_loss(struct encoder *encoder, uint32_t percent)
{
	struct opus_encoder *self = (struct opus_encoder *)encoder;
	int failed;

	if (self->fec && percent < LOSS_FLOOR)
		percent = LOSS_FLOOR;
	failed = opus_encoder_ctl(self->opus, OPUS_SET_PACKET_LOSS_PERC((opus_int32)percent));
	assert(failed == OPUS_OK);
}

static void opus_row_encoder_free(struct encoder *encoder)
{
	struct opus_encoder *self = (struct opus_encoder *)encoder;

	if (self->opus)
		opus_encoder_destroy(self->opus);
	free(self);
}

static int opus_row_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	struct wishes wishes = {.playback_rate = RATE, .bitrate = BITRATE_MAX};
	struct opus_encoder *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->encoder.codec = codec;
	self->opus = opus_encoder_create(RATE, 1, OPUS_APPLICATION_VOIP, &err);
	if (!self->opus) {
		opus_row_encoder_free(&self->encoder);
		return error_of(err);
	}

	read_wishes(&wishes, settings->remote_fmtp);
	set_up(self->opus, &wishes);
	self->fec = wishes.fec;
	self->dtx = wishes.dtx;
	opus_row_expect_loss(&self->encoder, wishes.fec ? LOSS_AT_FIRST : 0);
	*out = &self->encoder;
	return 0;
}

static int opus_row_encode(
	struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	struct opus_encoder *self = (struct opus_encoder *)encoder;
	size_t room = out->size - out->len;
	opus_int32 len;

	if (count > FRAME_MAX)
		return -EINVAL;
	if (room == 0)
		return -ENOBUFS;
	if (room > CODEC_PAYLOAD_MAX) /* no datagram carries more */
		room = CODEC_PAYLOAD_MAX;

	len = opus_encode(self->opus, samples, (int)count, out->data + out->len, (opus_int32)room);
	if (len < 0)
		return error_of(len);
	if (self->dtx && len <= NOTHING_MAX) /* RFC 7587, section 3.1.3: silence goes on */
		return 0;

	out->len += (size_t)len;
	return 0;
}

static void opus_row_decoder_free(struct decoder *decoder)
{
	struct opus_decoder *self = (struct opus_decoder *)decoder;

	if (self->opus)
		opus_decoder_destroy(self->opus);
	free(self);
}

static int opus_row_decoder_new(struct decoder **out, const struct codec *codec)
{
	struct opus_decoder *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->decoder.codec = codec;
	self->opus = opus_decoder_create(RATE, 1, &err);
	if (!self->opus) {
		opus_row_decoder_free(&self->decoder);
		return error_of(err);
	}

	*out = &self->decoder;
	return 0;
}

/* RFC 6716, section 3.4, R5: no more than 120 ms, which libopus sees to; an empty payload would
 * mean a lost packet to it, so none may come that far. */
static int opus_row_duration(size_t *samples, struct slice payload)
{
	int count;

	if (payload.len == 0 || payload.len > PAYLOAD_IN_MAX)
		return -EPROTO;

	count = opus_packet_get_nb_samples(payload.data, (opus_int32)payload.len, RATE);
	if (count <= 0 || count > FRAME_MAX)
		return -EPROTO;

	*samples = (size_t)count;
	return 0;
}

static int opus_row_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	struct opus_decoder *self = (struct opus_decoder *)decoder;
	int fits = room < FRAME_MAX ? (int)room : FRAME_MAX;
	int count;

	count = opus_decode(self->opus, payload.data, (opus_int32)payload.len, out, fits, 0);
	if (count < 0)
		return error_of(count);

	*got = (size_t)count;
	return 0;
}

/*
 * Whether the first frame of payload brings the one before it again: RFC 6716, sections 4.2.3 and
 * 4.2.4. A SILK frame begins with a bit for each of its parts of 20 ms and then the flag, and that
 * once more for a second channel. The bits are even odds, so they stand as they are in the byte.
 */
static bool has_fec(struct slice payload, size_t count)
{
	const unsigned char *frames[FRAMES_MAX];
	opus_int16 sizes[FRAMES_MAX];
	unsigned char toc = payload.data[0];
	int length = opus_packet_get_samples_per_frame(payload.data, RATE);
	int parts = length > RATE / 50 ? length / (RATE / 50) : 1;
	int found;

	if (toc & 0x80) /* CELT alone */
		return false;
	if ((size_t)length > count)
		return false;

	found = opus_packet_parse(payload.data, (opus_int32)payload.len, NULL, frames, sizes, NULL);
	if (found <= 0 || sizes[0] < 1)
		return false;

	if (frames[0][0] >> (7 - parts) & 1)
		return true;
	return opus_packet_get_nb_channels(payload.data) == 2 &&
	       frames[0][0] >> (6 - 2 * parts) & 1;
}

static int opus_row_decode_fec(
	struct decoder *decoder, int16_t *out, size_t count, struct slice payload)
{
	struct opus_decoder *self = (struct opus_decoder *)decoder;
	size_t samples;
	int err;

	err = opus_row_duration(&samples, payload);
	if (err)
		return err;
	if (!has_fec(payload, count))
		return -ENODATA;

	err = opus_decode(self->opus, payload.data, (opus_int32)payload.len, out, (int)count, 1);
	return err < 0 ? error_of(err) : 0;
}

static int opus_row_conceal(struct decoder *decoder, int16_t *out, size_t count)
{
	struct opus_decoder *self = (struct opus_decoder *)decoder;

	while (count > 0) {
		size_t step = count < FRAME_MAX ? count : FRAME_MAX;
		int made = opus_decode(self->opus, NULL, 0, out, (int)step, 0);

		if (made <= 0)
			return error_of(made);
		out += made;
		count -= (size_t)made;
	}
	return 0;
}

/* Ie and Bpl: ITU-T G.113 has no row for it. It does no harm to telephone speech, and bears loss
 * nearly as well as G.711 with concealment. */
const struct codec codec_opus = {
	.name = "opus",
	.key = "opus",
	.about = "Opus, 48 kHz, 32 kbit/s",
	.payload_type = CODEC_DYNAMIC,
	.clock_rate = RATE,
	.rtp_channels = 2, /* RFC 7587, section 7: always 2 */
	.sample_rate = RATE,
	.bit_rate = BITRATE,
	.fmtp = "useinbandfec=1",
	.ie = 0,
	.bpl = 20,
	.ptimes_ms = {10, 20, 40, 60},
	.encoder_new = opus_row_encoder_new,
	.encode = opus_row_encode,
	.expect_loss = opus_row_expect_loss,
	.encoder_free = opus_row_encoder_free,
	.decoder_new = opus_row_decoder_new,
	.decode = opus_row_decode,
	.decode_fec = opus_row_decode_fec,
	.conceal = opus_row_conceal,
	.duration = opus_row_duration,
	.decoder_free = opus_row_decoder_free,
};
