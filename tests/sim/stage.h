/*
 * Where a play is played: in a world of its own, from the first step until all is quiet, with the
 * invariants looking on. What it comes to depends on the play alone. One thread.
 */
#pragma once

#include "tests/sim/play.h"

#include <stdio.h>

enum {
	STAGE_HASH_SIZE = 32, /* SHA-256 */
	STAGE_NAME_SIZE = 128,
	STAGE_WORDS_SIZE = 512,
};

struct stage_result {
	uint64_t calls;    /* that were made */
	uint64_t answered; /* ends of calls that were */
	uint64_t events;
	uint64_t datagrams;
	uint8_t hash[STAGE_HASH_SIZE]; /* of each datagram, with what became of it, and when */

	/* Of the invariant that failed first; no name: none did. */
	char name[STAGE_NAME_SIZE];
	char section[STAGE_NAME_SIZE];
	char words[STAGE_WORDS_SIZE];
	uint64_t at_ns;
};

/*
 * Returns 0 if the play was played, whatever result says, or -ENOMEM. After a failure the world may
 * be left behind as it is. trace: each step, event and datagram, a line each; NULL: none.
 */
int stage_run(struct stage_result *out, const struct play *play, FILE *trace);
