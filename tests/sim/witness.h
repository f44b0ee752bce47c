/*
 * Who looks on while a play is played: counts, hashes what is on the wires, writes the trace, shows
 * all of it to the invariants. What it allocates does not count in the ledger. Times are those of
 * the play. One thread.
 */
#pragma once

#include "core/ua/event.h"
#include "tests/sim/stage.h"

struct witness;

/* addrs: of the phones, at first. play is kept alive by the caller. -ENOMEM. */
int witness_new(
	struct witness **out, const struct play *play, const struct addr *addrs, FILE *trace);
void witness_free(struct witness *witness);

void witness_step(struct witness *witness, const struct play_step *step);
void witness_event(
	struct witness *witness, unsigned phone, const struct ua_event *event, uint64_t now_ns);
void witness_wire(struct witness *witness, enum world_wire what, uint64_t now_ns,
	const struct addr *from, const struct addr *to, struct slice bytes);

/* What users and fate do; see checks.h. */
void witness_hangup(struct witness *witness, unsigned phone, unsigned call, uint64_t now_ns);
void witness_hold(
	struct witness *witness, unsigned phone, unsigned call, bool hold, uint64_t now_ns);
void witness_crash(struct witness *witness, unsigned phone, uint64_t now_ns);
void witness_move(
	struct witness *witness, unsigned phone, const struct addr *addr, uint64_t now_ns);
void witness_hears(struct witness *witness, unsigned phone, uint64_t now_ns);
void witness_quiet(
	struct witness *witness, const struct world_left *left, size_t bytes, uint64_t now_ns);

/* What the stage itself finds wrong. */
void witness_fail(struct witness *witness, const char *name, uint64_t now_ns);

/* All but the number of calls; the hash is then closed. */
void witness_tell(struct stage_result *out, struct witness *witness);
