/*
 * The receiving half of a stream: packets go in as they come, samples come out as they are due. The
 * jitter buffer decides, the codec and the concealment do, and what really happened goes back to
 * the buffer. It belongs to its stream, on the media thread.
 */
#pragma once

#include "codecs/codec.h"
#include "core/rtp/jitter.h"

struct playout;

/* What makes sound of one codec's payloads. */
struct voice;

struct playout_stats {
	bool anything; /* has been heard */
	uint64_t late;
	double buffer_ms;
	double concealed_pct; /* of what was to be heard: 0..100 */
};

/* -ENOMEM, or what the codec says. Of any thread. */
int voice_new(struct voice **out, const struct codec *codec);

/* NULL is allowed. */
void voice_free(struct voice *voice);

/* -ENOMEM, or what the codec says. payload_type: of the packets that are for it. */
int playout_new(struct playout **out, const struct codec *codec, uint8_t payload_type);

/* NULL is allowed. */
void playout_free(struct playout *playout);

/* Takes a packet of the stream. What cannot be used is dropped and counted. */
void playout_packet(struct playout *playout, const struct rtp_packet *packet, uint64_t arrival_ns);

/* Fills out with count samples, at the codec's sample rate, to be heard from now_ns on. */
void playout_read(struct playout *playout, int16_t *out, size_t count, uint64_t now_ns);

/* Forgets what waits, as before something new; what was counted stays. */
void playout_reset(struct playout *playout);

/*
 * What comes has another payload type from now on and, unless *voice is NULL, another codec of the
 * same rates, which is *voice's and becomes the playout's. What still comes with the old type is
 * understood until a second after the first with the new. *voice is then what is not needed any
 * more, for the caller to free, or NULL.
 */
void playout_turn(struct playout *playout, uint8_t payload_type, struct voice **voice);

void playout_stats(struct playout_stats *out, const struct playout *playout);
