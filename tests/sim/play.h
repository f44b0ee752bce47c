/*
 * A play: who calls whom when, and what happens to the phones and to the network between them. It
 * is a plain value, printed as text and read back from it, a line a setting or a step:
 *
 *	seed 7                   chance, all of it
 *	media                    with sound (PCMU); without, a codec that says nothing
 *	world timers 1ms posts 200us work 2ms way 500us
 *	net loss 3% delay 40ms jitter 30ms normal reorders duplicates 1%
 *	phone a answers after 200ms lasts 3s gives-up 10s at-most 2 anywhere mic tone:440
 *	phone b refuses 486
 *	phone c deaf-after 5s wordy
 *	phone d udp-only rings
 *	phone e answers pcma     talks PCMA as well
 *	at 0s a calls b          by-name and over-tcp may follow
 *	at 1s a hangs-up         its oldest call; newest or all may follow
 *	at 1s a holds            likewise: asks the far end to be quiet
 *	at 2s a resumes          likewise: asks it to go on
 *	at 2s a turns            likewise: asks it to talk by PCMA, or by PCMU if it does
 *	at 2s a picks-up         likewise: answers
 *	at 2s a crashes          its host goes on; vanishes: host and all
 *	at 3s a restarts         as a new phone on the same address
 *	at 4s a moves            has another address; who listens anywhere is heard again
 *	at 4s a unplugs          has no address any more, until it moves
 *	at 4s a hears            it is wrong if no sound comes to it just now
 *	at 5s a loses b          what a sends to b is cut off, until: a finds b
 *	at 6s a hears-a-stranger a packet of sound comes from who is no phone
 *	at 7s net loss 10%       the whole network has these settings from now on
 *
 * # begins a comment. Phones come before steps, steps in the order of their times.
 */
#pragma once

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"

enum {
	PLAY_PHONES_MAX = 8,
	PLAY_STEPS_MAX = 256,
	PLAY_MIC_SIZE = 16,
	PLAY_TEXT_SIZE = 65536, /* room for any play */
};

/* What a phone does by itself. Times of 0: never, but for after_ns. */
struct play_phone {
	bool answers;
	bool rings; /* until somebody picks it up */
	bool pcma;
	uint64_t after_ns;
	uint64_t lasts_ns;
	uint64_t gives_up_ns;
	uint64_t at_most;       /* calls at once */
	uint64_t refuses;       /* status, or 0 */
	uint64_t deaf_after_ns; /* hangs up after so long without sound */
	bool anywhere;          /* listens on all its addresses, not on the first alone */
	bool wordy;             /* its INVITEs are too long for a datagram */
	bool udp_only;          /* refuses connections */
	char mic[PLAY_MIC_SIZE];
};

enum play_verb {
	PLAY_CALLS,
	PLAY_HANGS_UP,
	PLAY_HOLDS,
	PLAY_RESUMES,
	PLAY_TURNS,
	PLAY_PICKS_UP,
	PLAY_CRASHES,
	PLAY_VANISHES,
	PLAY_RESTARTS,
	PLAY_MOVES,
	PLAY_UNPLUGS,
	PLAY_HEARS,
	PLAY_LOSES,
	PLAY_FINDS,
	PLAY_STRAYED,
	PLAY_NET,
};

enum play_which { PLAY_OLDEST, PLAY_NEWEST, PLAY_ALL };

struct play_step {
	uint64_t at_ns;
	enum play_verb verb;
	unsigned who;
	unsigned whom;            /* of CALLS, LOSES and FINDS */
	bool by_name;             /* of CALLS */
	bool over_tcp;            /* likewise */
	enum play_which which;    /* of HANGS_UP to PICKS_UP */
	struct impair_config net; /* of NET; cut is not used */
};

struct play {
	bool media;
	struct world_config world; /* with the seed; its start times are not used */
	struct impair_config net;
	unsigned phone_count;
	struct play_phone phones[PLAY_PHONES_MAX];
	unsigned step_count;
	struct play_step steps[PLAY_STEPS_MAX];
};

/* Reads text, which came from file. -EPROTO with "file:line: words" in why; out is then undefined.
 */
int play_parse(struct play *out, struct slice text, const char *file, struct fault *why);

/* The same from the file itself; and what open() and read() return. */
int play_load(struct play *out, const char *file, struct fault *why);

void play_print(struct text *out, const struct play *play);

/* One step, without a newline. */
void play_print_step(struct text *out, const struct play_step *step);

/* 'a' for phone 0. */
char play_name(unsigned phone);

/* A play by chance; the same for the same seed, everywhere. */
void play_random(struct play *out, uint64_t seed, bool media);
