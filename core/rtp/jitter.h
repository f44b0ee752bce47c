/*
 * The jitter buffer's decisions: which packet is to be played when, and what to do where there is
 * none. It never sees a sample or a codec; three calls tell it everything, so that a record of them
 * replays exactly:
 *
 *   jitter_put()   a packet arrived;
 *   jitter_next()  samples are due: what shall they be made from?
 *   jitter_done()  that is what really came of it.
 *
 * On each tick the caller asks jitter_next() and obeys until it hears JITTER_ENOUGH or
 * JITTER_NOTHING, and tells jitter_done() after every decision but these two.
 *
 * Packets are copied, and belong to the buffer. It belongs to whoever made it and is used by one
 * thread, in a running phone the media thread. Ticks are those of the RTP clock; times are
 * nanoseconds of one clock that never goes back.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/rtp/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	JITTER_PACKETS_MAX = 256,      /* waiting at once */
	JITTER_BYTES_MAX = 128 * 1024, /* of their payloads */
	JITTER_DELAY_MAX_MS = 1000,
};

struct jitter;

struct jitter_config {
	uint32_t clock_rate; /* ticks a second; > 0 */
	uint32_t min_ms;     /* bounds of the delay that is aimed at; */
	uint32_t max_ms;     /* min_ms <= max_ms <= JITTER_DELAY_MAX_MS */
};

struct jitter_packet {
	uint8_t payload_type;
	bool marker;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t duration; /* ticks, as jitter_put() was told */
	uint64_t arrival_ns;
	struct slice payload;
};

enum jitter_action {
	JITTER_ENOUGH,  /* the samples that are ready suffice */
	JITTER_NOTHING, /* nothing has come yet, or no more comes: silence */
	JITTER_PLAY,    /* decode packet */
	JITTER_FEC,     /* packet follows a missing one: make that from packet's redundancy */
	JITTER_CONCEAL, /* make something up */
	JITTER_NOISE,   /* the sender is silent: comfort noise */
};

struct jitter_decision {
	enum jitter_action action;
	/* Of PLAY and FEC, good until jitter_done(); else NULL. */
	const struct jitter_packet *packet;
	uint32_t duration; /* ticks to produce, the stretch not counted; 0 for ENOUGH and NOTHING */
	/* Of PLAY: ticks to add (> 0) or leave out if that goes unheard, at most duration. A wish:
	 * less is done where no more can be, and a little more may be added, but not left out. */
	int32_t stretch;
};

/*
 * What really happened. A PLAY or FEC that failed is told as the CONCEAL that was done in its
 * stead; a FEC whose packet has no redundancy is, too. Who can produce nothing at all stops asking
 * for the tick.
 */
struct jitter_done {
	enum jitter_action action; /* PLAY, FEC, CONCEAL or NOISE */
	uint32_t ticks;            /* produced, the stretch included */
	int32_t stretched;         /* how many of them are added (> 0) or left out (< 0) */
	bool quiet; /* nobody hears what was added or left out: it was as good as silent */
};

struct jitter_stats {
	uint64_t played;     /* packets */
	uint64_t lost;       /* packets that were not there at their time, late ones included */
	uint64_t late;       /* packets that came when their place was played already */
	uint64_t duplicates; /* packets that were waiting already */
	uint64_t dropped;    /* packets left out because of a delay over all bounds, or unfit */
	uint64_t overflow;   /* packets for which there was no room */
	uint64_t restarts;   /* of the sender */
	uint64_t played_ticks;
	uint64_t fec_ticks;
	uint64_t concealed_ticks; /* what was lost for so long that it was left silent, too */
	uint64_t noise_ticks;
	uint32_t target_ms; /* the delay that is aimed at */
	double delay_ms;    /* of the packet last played, over the quickest of late */
	double buffer_ms;   /* from arrival to play, mean of all packets played */
};

/* Returns -ENOMEM, with out untouched, if there is too little memory. Wrong config is asserted. */
int jitter_new(struct jitter **out, const struct jitter_config *config);

/* Frees it with all packets. NULL is allowed. */
void jitter_free(struct jitter *jitter);

/* Forgets packets and all that was learnt, as for a new stream; what was counted stays. */
void jitter_reset(struct jitter *jitter);

/*
 * Takes a copy of packet, which lasts duration ticks. A packet far from the others in sequence or
 * time is held back; if the next one agrees with it, the sender has started anew and so do we;
 * another SSRC starts anew at once. Not between a decision and its jitter_done().
 *
 * Returns 0; -EALREADY for one that is waiting already; -ETIME for one that came too late; -ENOBUFS
 * if too many wait; -EPROTO for a duration of nothing or over a second; -ENOMEM.
 */
int jitter_put(struct jitter *jitter, const struct rtp_packet *packet, uint64_t arrival_ns,
	uint32_t duration);

/*
 * Decides what follows the samples_ready ticks that are decoded and not yet played, where wanted
 * ticks have to be played from now_ns on.
 */
void jitter_next(struct jitter_decision *out, struct jitter *jitter, uint64_t now_ns,
	uint32_t samples_ready, uint32_t wanted);

/* From now on each sample is heard ticks later than it is taken: it goes through a filter. 0 at
 * first. */
void jitter_hold(struct jitter *jitter, uint32_t ticks);

/* Ends the last decision: moves on by what happened and frees its packet, if that is played. */
void jitter_done(struct jitter *jitter, const struct jitter_done *done);

void jitter_stats(struct jitter_stats *out, const struct jitter *jitter);
