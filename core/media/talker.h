/*
 * The sending half of a stream's sound: what makes payloads of one codec out of samples at the rate
 * of the call's ends. It belongs to its stream, on the media thread; until it is there, to whoever
 * makes it.
 */
#pragma once

#include "codecs/codec.h"

struct talker;

/*
 * rate: Hz, of what goes in. Returns -ENOMEM or what the codec says. settings are not kept. Any
 * thread.
 */
int talker_new(struct talker **out, const struct codec *codec,
	const struct codec_settings *settings, uint32_t rate);

/* NULL is allowed. */
void talker_free(struct talker *talker);

/* How many samples make a packet. */
size_t talker_frame(const struct talker *talker);

/* Appends the payload of talker_frame() samples to out; returns what codec_encode() does. */
int talker_encode(struct talker *talker, struct buf *out, const int16_t *samples);

/* As codec_expect_loss(). */
void talker_expect_loss(struct talker *talker, uint32_t percent);
