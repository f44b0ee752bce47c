/*
 * Which formats of theirs are codecs of ours, for offers and answers. It borrows both, and keeps
 * nothing. Any thread.
 */
#pragma once

#include "core/sdp/session.h"

/* A codec of ours and a format of theirs that are the same. */
struct sdp_match {
	size_t codec;
	const struct sdp_format *format;
};

struct sdp_matches {
	const struct sdp_codec *codecs; /* ours */
	size_t count;
	struct sdp_match list[SDP_CODECS_MAX];
};

/*
 * In the order of their formats, each of our codecs once, at most SDP_CODECS_MAX. numbers are those
 * of our offer if media answers it, else NULL.
 */
void sdp_match_formats(struct sdp_matches *out, const struct sdp_media *media,
	const struct sdp_codec *codecs, size_t codec_count, const uint8_t *numbers);

/* Voices first, then by our order if that is asked for; equals stay as they are. */
void sdp_sort_matches(struct sdp_matches *matches, bool own_order);

/* Whether there is a voice among matches, which are sorted. */
bool sdp_has_voice(const struct sdp_matches *matches);
