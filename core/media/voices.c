#include "core/media/voices.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OVERTAKEN_NS UINT64_C(1000000000)

bool media_formats_equal(const struct media_formats *a, const struct media_formats *b)
{
	if (a->count != b->count)
		return false;

	for (size_t i = 0; i < a->count; i++)
		if (a->list[i].codec != b->list[i].codec ||
			a->list[i].payload_type != b->list[i].payload_type)
			return false;
	return true;
}

static void voice_free(struct voice *voice)
{
	if (!voice)
		return;

	codec_decoder_free(voice->decoder);
	conceal_free(voice->conceal);
	resampler_free(voice->resampler);
	free(voice);
}

static int voice_new(struct voice **out, const struct codec *codec, uint32_t rate)
{
	bool converts = rate != codec->sample_rate;
	size_t room = converts ? codec_frame(codec, CODEC_PACKET_MAX_MS) : 0;
	struct voice *voice = calloc(1, sizeof(*voice) + room * sizeof(voice->samples[0]));
	int err;

	if (!voice)
		return -ENOMEM;

	voice->codec = codec;
	voice->stretch.rate = codec->sample_rate;
	err = codec_decoder_new(&voice->decoder, codec);
	if (!err && !codec_conceals(codec))
		err = conceal_new(&voice->conceal, codec->sample_rate);
	if (!err && converts)
		err = resampler_new(&voice->resampler, codec->sample_rate, rate, RESAMPLE_QUALITY);
	if (err) {
		voice_free(voice);
		return err;
	}
	*out = voice;
	return 0;
}

static const struct media_format *format_of(
	const struct media_formats *formats, const struct codec *codec)
{
	for (size_t i = 0; formats && i < formats->count; i++)
		if (formats->list[i].codec == codec)
			return &formats->list[i];
	return NULL;
}

int voice_set_make(struct voice_set *out, const struct media_formats *formats,
	const struct media_formats *known, uint32_t rate)
{
	assert(formats->count >= 1 && formats->count <= VOICES_MAX);

	*out = (struct voice_set){.formats = *formats};
	for (size_t i = 0; i < formats->count; i++) {
		const struct codec *codec = formats->list[i].codec;
		int err;

		if (format_of(known, codec))
			continue;
		err = voice_new(&out->voices[i], codec, rate);
		if (err) {
			voice_set_free(out);
			return err;
		}
	}
	return 0;
}

void voice_set_free(struct voice_set *set)
{
	for (size_t i = 0; i < set->formats.count; i++)
		voice_free(set->voices[i]);
	*set = (struct voice_set){0};
}

bool voice_set_has(const struct voice_set *set, const struct voice *voice)
{
	for (size_t i = 0; i < set->formats.count; i++)
		if (set->voices[i] == voice)
			return true;
	return false;
}

/* Leaves in set the voices that other has not. */
static void leave_out(struct voice_set *set, const struct voice_set *other)
{
	for (size_t i = 0; i < set->formats.count; i++)
		if (voice_set_has(other, set->voices[i]))
			set->voices[i] = NULL;
}

void voices_free(struct voices *voices)
{
	leave_out(&voices->before, &voices->now);
	voice_set_free(&voices->before);
	voice_set_free(&voices->now);
}

static struct voice *voice_of_codec(const struct voice_set *set, const struct codec *codec)
{
	const struct media_format *format = format_of(&set->formats, codec);

	return format ? set->voices[format - set->formats.list] : NULL;
}

bool voices_turn(struct voices *voices, struct voice_set *set)
{
	struct voice_set left = voices->before;

	if (media_formats_equal(&set->formats, &voices->now.formats))
		return false;

	for (size_t i = 0; i < set->formats.count; i++)
		if (!set->voices[i])
			set->voices[i] = voice_of_codec(&voices->now, set->formats.list[i].codec);
	leave_out(&left, &voices->now);
	voices->before = voices->now;
	voices->before_until_ns = UINT64_MAX;
	voices->now = *set;
	*set = left;
	return true;
}

static const struct media_format *format_of_type(const struct voice_set *set, uint8_t payload_type)
{
	for (size_t i = 0; i < set->formats.count; i++)
		if (set->formats.list[i].payload_type == payload_type)
			return &set->formats.list[i];
	return NULL;
}

static struct voice *voice_of_type(const struct voice_set *set, uint8_t payload_type)
{
	const struct media_format *format = format_of_type(set, payload_type);

	return format ? set->voices[format - set->formats.list] : NULL;
}

const struct media_format *voices_format(const struct voices *voices, uint8_t payload_type)
{
	return format_of_type(&voices->now, payload_type);
}

/*
 * RFC 3264, section 8.3.2: the far end may send what was agreed on before until it has the new
 * agreement, so the old types are understood until the first packet of a new one; and for a moment
 * more, because some may have been overtaken.
 */
struct voice *voices_of(struct voices *voices, uint8_t payload_type, uint64_t arrival_ns)
{
	struct voice *now = voice_of_type(&voices->now, payload_type);
	struct voice *before = voice_of_type(&voices->before, payload_type);

	if (now) {
		if (now != before && voices->before_until_ns == UINT64_MAX)
			voices->before_until_ns = arrival_ns + OVERTAKEN_NS;
		return now;
	}
	return arrival_ns < voices->before_until_ns ? before : NULL;
}

struct voice *voices_at(const struct voices *voices, uint8_t payload_type)
{
	struct voice *now = voice_of_type(&voices->now, payload_type);

	return now ? now : voice_of_type(&voices->before, payload_type);
}
