/*
 * A source that sounds as a telephone network does: bursts of tone with pauses, once or for ever,
 * their edges soft enough not to click. See audio/source.h; audio/tone_plan.h has what sounds
 * where.
 */
#pragma once

#include "audio/source.h"

#include <stdbool.h>

enum {
	TONE_FREQUENCIES = 3,
	TONE_BURSTS_MAX = 5,
	TONE_RAMP_MS = 5, /* of each edge, inside the burst */
};

enum tone_blend {
	TONE_SUM,    /* all frequencies at once */
	TONE_BEAT,   /* the first, its loudness swaying as often as the second tells */
	TONE_WARBLE, /* the first and the second in turn, changing as often as the third tells */
};

/* What sounds for a while, and the pause behind it. */
struct tone_burst {
	uint16_t hz[TONE_FREQUENCIES]; /* 0: none */
	uint16_t on_ms;
	uint16_t off_ms;
	uint8_t times;     /* how often it comes before the next; 0 is once, too */
	uint8_t softer_db; /* than the cadence's level */
	enum tone_blend blend;
};

/* A plain value. */
struct tone_cadence {
	struct tone_burst bursts[TONE_BURSTS_MAX]; /* up to the first with on_ms 0 */
	bool ends;                                 /* after the last burst; else it begins again */
	uint8_t louder_db;                         /* than the tones of a network: up to 7 */
};

/*
 * A tone of a network is at -10 dBm0 (ITU-T E.180, section 2), whatever it is made of. rate: Hz,
 * 8000..48000. cadence is copied. -ENOMEM, or -EINVAL if it has no burst or a frequency that rate
 * cannot carry.
 */
int tone_cadence_new(struct source **out, const struct tone_cadence *cadence, uint32_t rate);
