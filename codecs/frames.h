/*
 * Payloads that are a row of frames, all of the same length in samples and in bytes: how many there
 * may be, for all codecs of which that is so. Plain values: any thread.
 */
#pragma once

#include "codecs/codec.h"

struct frames {
	size_t samples; /* of one frame */
	size_t bytes;
	size_t samples_max; /* of a payload */
};

/*
 * Points bytes at room for count samples at the end of out. Returns, with out unchanged, -EINVAL if
 * they are no whole frames, at least one and at most CODEC_PACKET_MAX_MS, or -ENOBUFS.
 */
static inline int frames_take(
	uint8_t **bytes, struct buf *out, const struct frames *frames, size_t count)
{
	if (count == 0 || count % frames->samples != 0 || count > frames->samples_max)
		return -EINVAL;

	return buf_take(bytes, out, count / frames->samples * frames->bytes);
}

/* How many samples payload holds, or -EPROTO if it is no whole frames, or none, or too many. */
static inline int frames_duration(
	size_t *samples, const struct frames *frames, struct slice payload)
{
	size_t count = payload.len / frames->bytes;

	if (count == 0 || payload.len % frames->bytes != 0 ||
		count > frames->samples_max / frames->samples)
		return -EPROTO;

	*samples = count * frames->samples;
	return 0;
}
