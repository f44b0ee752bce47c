/*
 * The receiving half of a stream: packets go in as they come, samples come out as they are due, at
 * the rate of the call's ends, whatever codec they came by. The jitter buffer decides, the codec
 * and the concealment do, and what really happened goes back to the buffer. It belongs to its
 * stream, on the media thread.
 */
#pragma once

#include "core/media/voices.h"
#include "core/rtp/jitter.h"

struct playout;

struct playout_stats {
	bool anything; /* has been heard */
	uint64_t late;
	double buffer_ms;
	double concealed_pct; /* of what was to be heard: 0..100 */
};

/* -ENOMEM, or what the codec says. rate: Hz, of what comes out. */
int playout_new(struct playout **out, const struct media_formats *formats, uint32_t rate);

/* NULL is allowed. */
void playout_free(struct playout *playout);

/*
 * Takes a packet of the stream. What cannot be used is dropped and counted. Returns what it is, if
 * it is of those that are spoken now, else NULL.
 */
const struct media_format *playout_packet(
	struct playout *playout, const struct rtp_packet *packet, uint64_t arrival_ns);

/* Fills out with count samples to be heard from now_ns on. */
void playout_read(struct playout *playout, int16_t *out, size_t count, uint64_t now_ns);

/* Forgets what waits, as before something new; what was counted stays. */
void playout_reset(struct playout *playout);

/* As voices_turn(). What waits is still played. */
void playout_turn(struct playout *playout, struct voice_set *set);

void playout_stats(struct playout_stats *out, const struct playout *playout);
