/*
 * A codec turns mono samples into the payload of an RTP packet and back. This is the one interface
 * to all of them; a codec is one file with one row of the table, and nobody else knows its library.
 *
 * The rows are constants, for any thread. An encoder or a decoder is one direction of one stream:
 * it belongs to whoever made it, and is used by one thread at a time, in a running phone the
 * stream's media thread. Samples are 16 bit, mono, at the codec's sample_rate; counts are in
 * samples.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CODEC_DYNAMIC = -1, /* the payload type is agreed on by SDP */
	CODEC_LIST_MAX = 16,
	CODEC_PTIME_MS = 20, /* unless the other side asks for another */
	/* RFC 3551, section 4.2: a receiver should take packets of up to 200 ms. */
	CODEC_PACKET_MAX_MS = 200,
	CODEC_RATE_MAX = 48000,
	CODEC_SAMPLES_MAX = CODEC_RATE_MAX / 1000 * CODEC_PACKET_MAX_MS,
	CODEC_PAYLOAD_MAX = 1500, /* room for what any codec makes of one ptime */
	CODEC_PTIMES_MAX = 8,
};

struct codec;

/* What each implementation's state begins with. */
struct encoder {
	const struct codec *codec;
};

struct decoder {
	const struct codec *codec;
};

struct codec_settings {
	uint32_t ptime_ms; /* of each packet: one that codec_ptime() gave */
	struct slice
		remote_fmtp; /* how the receiver wants it: "useinbandfec=1;..."; may be empty */
};

struct codec {
	const char *name;     /* as in an rtpmap (RFC 8866, section 6.6): "PCMU" */
	const char *key;      /* as in --codecs: "pcmu" */
	const char *about;    /* a line for people */
	int payload_type;     /* 0..95, or CODEC_DYNAMIC */
	uint32_t clock_rate;  /* of RTP timestamps, Hz */
	uint8_t rtp_channels; /* as in an rtpmap; says nothing of the sound */
	uint32_t sample_rate; /* of the samples, Hz */
	uint32_t bit_rate;    /* of the payloads, b/s; where it varies, as we send them */
	const char *fmtp;     /* what our receiver asks for; NULL for nothing */
	double ie, bpl;       /* how it sounds and how it bears loss (ITU-T G.107, section 7.2) */
	uint8_t ptimes_ms[CODEC_PTIMES_MAX]; /* that it can make, ascending, 0 after the last */

	/* Behind the functions below; load, expect_loss, decode_fec and conceal may be NULL. */
	int (*load)(struct fault *why);
	int (*encoder_new)(struct encoder **out, const struct codec *codec,
		const struct codec_settings *settings);
	int (*encode)(
		struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count);
	void (*expect_loss)(struct encoder *encoder, uint32_t percent);
	void (*encoder_free)(struct encoder *encoder);
	int (*decoder_new)(struct decoder **out, const struct codec *codec);
	int (*decode)(struct decoder *decoder, int16_t *out, size_t room, size_t *got,
		struct slice payload);
	int (*decode_fec)(
		struct decoder *decoder, int16_t *out, size_t count, struct slice payload);
	int (*conceal)(struct decoder *decoder, int16_t *out, size_t count);
	int (*duration)(size_t *samples, struct slice payload);
	void (*decoder_free)(struct decoder *decoder);
};

/* All codecs, in the order in which we prefer them. i < codec_count(). */
size_t codec_count(void);
const struct codec *codec_at(size_t i);

/* Each returns NULL if there is none. Names and keys are told apart without regard to case. */
const struct codec *codec_find(struct slice key);

/* channels: 0 where the rtpmap names none, which means 1. */
const struct codec *codec_find_rtpmap(struct slice name, uint32_t clock_rate, uint32_t channels);

/* Of a payload type that stands without an rtpmap (RFC 3551, section 6). */
const struct codec *codec_find_payload_type(uint8_t payload_type);

/*
 * Reads "opus,pcmu" into out, in that order. Returns -EINVAL, with words in why, if the list is
 * empty, or holds a codec twice or one that we have not; count is 0 then.
 */
int codec_list_parse(const struct codec *out[static CODEC_LIST_MAX], size_t *count,
	struct slice list, struct fault *why);

/* The packet length, ms, that codec can make and that comes nearest to wanted_ms from below, or its
 * shortest. 0 wants CODEC_PTIME_MS. */
uint32_t codec_ptime(const struct codec *codec, uint32_t wanted_ms);

/* How many samples make a packet of ptime_ms. */
size_t codec_frame(const struct codec *codec, uint32_t ptime_ms);

/*
 * Loads the library that codec is made of, if it has one of its own and that is not there yet:
 * encoders and decoders do so as well, but cannot say why it failed. Returns what library_load()
 * does. Any thread.
 */
int codec_load(const struct codec *codec, struct fault *why);

/*
 * Returns -ENOMEM, -EINVAL for a ptime that codec_ptime() would not give, or as codec_load(). What
 * the remote fmtp asks for is obeyed; what it misspells is as if it were not there.
 */
int codec_encoder_new(
	struct encoder **out, const struct codec *codec, const struct codec_settings *settings);

/*
 * Appends the payload for count samples, one ptime, to out; or nothing, if they are of a silence
 * for which the receiver wants no packets (RFC 3551, section 4.1). Returns -ENOBUFS, with out
 * unchanged, if CODEC_PAYLOAD_MAX bytes of room would have been needed, or -EINVAL for a count the
 * codec cannot make.
 */
int codec_encode(struct encoder *encoder, struct buf *out, const int16_t *samples, size_t count);

/*
 * Tells how many of the packets are likely to be lost on their way, 0..100: a codec that can bear
 * loss at a price pays what is worth it. Until this is called, it thinks as it likes.
 */
void codec_expect_loss(struct encoder *encoder, uint32_t percent);

/* NULL is allowed. */
void codec_encoder_free(struct encoder *encoder);

/* -ENOMEM, or as codec_load(). */
int codec_decoder_new(struct decoder **out, const struct codec *codec);

/*
 * Writes what payload holds to out and how many samples that is to got. Returns -EPROTO for a
 * payload that is none, and -ENOBUFS for one that holds more than room; got is 0 then.
 * CODEC_SAMPLES_MAX is room for all.
 */
int codec_decode(
	struct decoder *decoder, int16_t *out, size_t room, size_t *got, struct slice payload);

/*
 * Restores count samples that were lost right before payload, which came, from the redundancy in
 * it; to be called before payload itself is decoded. Returns -ENODATA, with nothing done, if
 * payload holds none or the codec knows none; conceal then. -EINVAL: as codec_conceal().
 */
int codec_decode_fec(struct decoder *decoder, int16_t *out, size_t count, struct slice payload);

/*
 * Makes up count samples in place of lost ones. Returns -ENOTSUP where the codec has no concealment
 * of its own (audio/conceal.h is for those), and -EINVAL unless count is a multiple of 2.5 ms and
 * at most CODEC_PACKET_MAX_MS.
 */
int codec_conceal(struct decoder *decoder, int16_t *out, size_t count);

bool codec_conceals(const struct codec *codec);

/*
 * How many samples payload holds, by its length and its first bytes alone: 1..CODEC_SAMPLES_MAX.
 * Returns -EPROTO if it can be no payload of that codec.
 */
int codec_duration(size_t *samples, const struct codec *codec, struct slice payload);

/* NULL is allowed. */
void codec_decoder_free(struct decoder *decoder);
