#include "codecs/codec.h"

#include "codecs/table.h"
#include "core/base/nearest.h"
#include "core/base/text.h"

#include <assert.h>

/* In the order in which we prefer them. */
static const struct codec *const table[] = {
	&codec_opus,
	&codec_g722,
	&codec_pcmu,
	&codec_pcma,
	&codec_gsm,
	&codec_l16,
	&codec_l16_8k,
	&codec_lpc10,
};

enum {
	COUNT = sizeof(table) / sizeof(table[0]),
	SHOWN = 120,
};

static_assert((int)COUNT <= (int)CODEC_LIST_MAX, "each codec fits into a list, once");

size_t codec_count(void)
{
	return COUNT;
}

const struct codec *codec_at(size_t i)
{
	assert(i < COUNT);
	return table[i];
}

const struct codec *codec_find(struct slice key)
{
	for (size_t i = 0; i < COUNT; i++)
		if (slice_is_nocase(key, table[i]->key))
			return table[i];
	return NULL;
}

/* RFC 8866, section 6.6: without a number of channels there is one. */
const struct codec *codec_find_rtpmap(struct slice name, uint32_t clock_rate, uint32_t channels)
{
	if (channels == 0)
		channels = 1;

	for (size_t i = 0; i < COUNT; i++)
		if (slice_is_nocase(name, table[i]->name) && table[i]->clock_rate == clock_rate &&
			table[i]->rtp_channels == channels)
			return table[i];
	return NULL;
}

const struct codec *codec_find_payload_type(uint8_t payload_type)
{
	for (size_t i = 0; i < COUNT; i++)
		if (table[i]->payload_type == payload_type)
			return table[i];
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static const char *key_at(const void *arg, size_t i)
{
	(void)arg;
	return table[i]->key;
}

static int fault_unknown(struct fault *why, struct slice key)
{
	char room[FAULT_SIZE];
	struct text words = TEXT_IN(room);
	const char *near;

	if (key.len == 0)
		return fault_set(why, -EINVAL, "a name is missing in the list of codecs");

	near = nearest_name(key, COUNT, key_at, NULL);
	text_puts(&words, "no codec ");
	text_put_escaped(&words, (struct slice){key.data, least(key.len, SHOWN)});
	if (near) {
		text_printf(&words, "; did you mean %s?", near);
	} else {
		text_puts(&words, "; there are");
		for (size_t i = 0; i < COUNT; i++)
			text_printf(&words, "%s %s", i > 0 ? "," : "", table[i]->key);
	}
	return fault_set(why, -EINVAL, "%s", words.data);
}

static bool list_has(const struct codec *const list[], size_t count, const struct codec *codec)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == codec)
			return true;
	return false;
}

int codec_list_parse(const struct codec *out[static CODEC_LIST_MAX], size_t *count,
	struct slice list, struct fault *why)
{
	size_t found = 0;
	bool more;

	*count = 0;
	if (slice_trim(list).len == 0)
		return fault_set(why, -EINVAL, "the list of codecs is empty");

	do {
		const struct codec *codec;
		struct slice key;

		more = slice_cut(&key, &list, ',');
		key = slice_trim(key);
		codec = codec_find(key);
		if (!codec)
			return fault_unknown(why, key);
		if (list_has(out, found, codec))
			return fault_set(why, -EINVAL, "codec %s is named twice", codec->key);
		out[found++] = codec; /* at most COUNT, as none is in it twice */
	} while (more);

	*count = found;
	return 0;
}

uint32_t codec_ptime(const struct codec *codec, uint32_t wanted_ms)
{
	uint32_t best = codec->ptimes_ms[0];

	if (wanted_ms == 0)
		wanted_ms = CODEC_PTIME_MS;

	for (size_t i = 0; i < CODEC_PTIMES_MAX && codec->ptimes_ms[i] > 0; i++)
		if (codec->ptimes_ms[i] <= wanted_ms)
			best = codec->ptimes_ms[i];
	return best;
}

size_t codec_frame(const struct codec *codec, uint32_t ptime_ms)
{
	assert(ptime_ms <= CODEC_PACKET_MAX_MS);
	return codec->sample_rate / 1000 * ptime_ms;
}

int codec_load(const struct codec *codec, struct fault *why)
{
	return codec->load ? codec->load(why) : 0;
}

int codec_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings)
{
	if (settings->ptime_ms == 0 || codec_ptime(codec, settings->ptime_ms) != settings->ptime_ms)
		return -EINVAL;

	return codec->encoder_new(out, codec, settings);
}

int codec_encode(struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count)
{
	return encoder->codec->encode(encoder, out, samples, count);
}

void codec_expect_loss(struct encoder *encoder, uint32_t percent)
{
	assert(percent <= 100);
	if (encoder->codec->expect_loss)
		encoder->codec->expect_loss(encoder, percent);
}

void codec_encoder_free(struct encoder *encoder)
{
	if (encoder)
		encoder->codec->encoder_free(encoder);
}

int codec_decoder_new(struct decoder **out, const struct codec *codec)
{
	return codec->decoder_new(out, codec);
}

int codec_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload)
{
	size_t samples;
	int err;

	*got = 0;
	err = decoder->codec->duration(&samples, payload);
	if (err)
		return err;
	if (samples > room)
		return -ENOBUFS;

	return decoder->codec->decode(decoder, out, room, got, payload);
}

/* Whole steps of 2.5 ms, and no more than a packet can hold. */
static bool can_make_up(const struct codec *codec, size_t count)
{
	return count > 0 && count % (codec->sample_rate / 400) == 0 &&
	       count <= codec_frame(codec, CODEC_PACKET_MAX_MS);
}

int codec_decode_fec(struct decoder *decoder, int16_t *out, size_t count, struct slice payload)
{
	if (!decoder->codec->decode_fec)
		return -ENODATA;
	if (!can_make_up(decoder->codec, count))
		return -EINVAL;

	return decoder->codec->decode_fec(decoder, out, count, payload);
}

int codec_conceal(struct decoder *decoder, int16_t *out, size_t count)
{
	if (!decoder->codec->conceal)
		return -ENOTSUP;
	if (!can_make_up(decoder->codec, count))
		return -EINVAL;

	return decoder->codec->conceal(decoder, out, count);
}

bool codec_conceals(const struct codec *codec)
{
	return codec->conceal;
}

int codec_duration(size_t *samples, const struct codec *codec, struct slice payload)
{
	return codec->duration(samples, payload);
}

void codec_decoder_free(struct decoder *decoder)
{
	if (decoder)
		decoder->codec->decoder_free(decoder);
}
