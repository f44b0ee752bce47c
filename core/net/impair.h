/*
 * What a network does to datagrams on one way, from one host to another: it loses, delays, doubles,
 * reorders and damages them, by chance that a seed fixes, and counts each that it touches, exactly.
 *
 * It sees neither sockets nor clocks: who sends asks for each datagram's fate and does as it is
 * told, in the simulated world or on real sockets. It belongs to whoever made it; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPAIR_ALWAYS 1000000 /* parts in a million */

enum impair_spread {
	IMPAIR_UNIFORM,     /* 0..jitter_ns, each as likely */
	IMPAIR_NORMAL,      /* |x| of a bell curve whose standard deviation is jitter_ns */
	IMPAIR_EXPONENTIAL, /* mean jitter_ns, with a long tail */
};

/* All zero: everything passes at once and unharmed. Chances are in parts in a million. */
struct impair_config {
	uint32_t loss; /* in the good state, which is the only one where there are no bursts */

	/*
	 * Bursts, by the model of Gilbert and Elliott: a good and a bad state, changed from one
	 * datagram to the next. The first finds it good. There are none if both chances are 0.
	 */
	uint32_t burst_begins; /* chance, while good, that the next is in the bad state */
	uint32_t burst_ends;   /* chance, while bad, that the next is in the good state */
	uint32_t burst_loss;   /* chance of loss in the bad state */

	uint64_t delay_ns;
	uint64_t jitter_ns;
	enum impair_spread spread;
	bool reorders; /* who is delayed more may be overtaken; else it holds up those behind */

	/* Chance that one goes astray: it takes stray_ns longer and holds up nobody, so that those
	 * that are sent within that time overtake it. */
	uint32_t strays;
	uint64_t stray_ns;

	uint32_t duplicates;
	uint32_t corrupts; /* chance that a byte is changed */
	bool cut;          /* nothing passes */

	/* Bits a second of the narrowest place, bytes of datagrams alone; 0: no limit. */
	uint64_t rate_bps;
	/* What may be at it and wait before it; who finds no room is dropped. One always may. */
	uint64_t queue_bytes;
};

/* Of the datagrams that were asked about. Each is passed, lost, cut or overflowed. */
struct impair_counts {
	uint64_t asked;
	uint64_t passed; /* at least one copy arrives */
	uint64_t lost;   /* by chance, bursts included */
	uint64_t lost_in_bursts;
	uint64_t cut;
	uint64_t overflowed; /* for want of room in the queue */
	uint64_t duplicated;
	uint64_t corrupted;
	uint64_t overtaken; /* arrive after one that was sent later */
};

enum { IMPAIR_COPIES_MAX = 2 };

struct impair_fate {
	size_t copies; /* 0: it does not arrive */
	uint64_t delay_ns[IMPAIR_COPIES_MAX];
	bool corrupts; /* the byte at corrupt_at is to be combined by xor with corrupt_with */
	size_t corrupt_at;
	uint8_t corrupt_with; /* never 0 */
};

struct impair;

/* Returns -ENOMEM. The same seed and the same questions give the same answers. */
int impair_new(struct impair **out, const struct impair_config *config, uint64_t seed);

/* NULL is allowed. */
void impair_free(struct impair *impair);

/* From now on. What is counted stays; a burst that is on, and what waits in the queue, go on. */
void impair_change(struct impair *impair, const struct impair_config *config);

/* What becomes of a datagram of len bytes that is sent at now_ns, which never goes back. */
void impair_decide(struct impair_fate *out, struct impair *impair, size_t len, uint64_t now_ns);

void impair_counts(struct impair_counts *out, const struct impair *impair);
