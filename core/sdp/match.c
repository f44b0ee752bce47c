#include "core/sdp/match.h"

static uint8_t codec_channels(const struct sdp_codec *codec)
{
	return codec->channels ? codec->channels : 1;
}

static bool same_codec(const struct sdp_codec *codec, const struct sdp_format *format)
{
	return slice_is_nocase(format->encoding, codec->name) &&
	       codec->clock_rate == format->clock_rate && codec_channels(codec) == format->channels;
}

/* In an answer to us the number alone may tell, when there is no rtpmap. */
static bool same_number(
	const struct sdp_codec *codec, uint8_t number, const struct sdp_format *format)
{
	return format->payload_type == number &&
	       (format->encoding.len == 0 || same_codec(codec, format));
}

static bool codec_is_free(const struct sdp_matches *matches, size_t codec)
{
	for (size_t i = 0; i < matches->count; i++)
		if (matches->list[i].codec == codec)
			return false;
	return true;
}

/*
 * Our codec, not matched yet, that format is; codec_count if there is none. numbers are
 * those of our offer if it is of an answer to that, else NULL.
 */
static size_t find_codec(const struct sdp_matches *matches, size_t codec_count,
	const uint8_t *numbers, const struct sdp_format *format)
{
	for (size_t i = 0; numbers && i < codec_count; i++)
		if (codec_is_free(matches, i) &&
			same_number(&matches->codecs[i], numbers[i], format))
			return i;
	for (size_t i = 0; i < codec_count; i++)
		if (codec_is_free(matches, i) && same_codec(&matches->codecs[i], format))
			return i;
	return codec_count;
}

void sdp_match_formats(struct sdp_matches *out, const struct sdp_media *media,
	const struct sdp_codec *codecs, size_t codec_count, const uint8_t *numbers)
{
	out->codecs = codecs;
	out->count = 0;
	for (size_t i = 0; i < media->format_count; i++) {
		const struct sdp_format *format = &media->formats[i];
		size_t codec = find_codec(out, codec_count, numbers, format);

		if (codec < codec_count)
			out->list[out->count++] = (struct sdp_match){codec, format};
	}
}

/* Whether a comes before b: a voice before what goes along with it, then by our order if asked. */
static bool match_before(const struct sdp_match *a, const struct sdp_match *b,
	const struct sdp_codec *codecs, bool own_order)
{
	bool a_last = codecs[a->codec].auxiliary;
	bool b_last = codecs[b->codec].auxiliary;

	if (a_last != b_last)
		return b_last;
	return own_order && a->codec < b->codec;
}

/* By insertion: there are few. */
void sdp_sort_matches(struct sdp_matches *matches, bool own_order)
{
	for (size_t i = 1; i < matches->count; i++) {
		struct sdp_match one = matches->list[i];
		size_t at = i;

		for (; at > 0 &&
			match_before(&one, &matches->list[at - 1], matches->codecs, own_order);
			at--)
			matches->list[at] = matches->list[at - 1];
		matches->list[at] = one;
	}
}

bool sdp_has_voice(const struct sdp_matches *matches)
{
	return matches->count > 0 && !matches->codecs[matches->list[0].codec].auxiliary;
}
