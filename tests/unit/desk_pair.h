/*
 * Two phones, "near" and "far", on one desk in the simulated world, and a queue; what ends of what
 * is typed stands as words in a log. For the tests of what cmd makes of commands.
 */
#pragma once

#include "cmd/desk.h"
#include "cmd/queue.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"

enum { DESK_LOG_SIZE = 16384 };

#define FAR_URI "192.0.2.2"

struct desk_pair {
	struct world *world;
	struct world_host *hosts[2];
	struct loop *loops[4];
	const struct codec *codecs[2]; /* pcmu, pcma */
	struct contacts *contacts;     /* one of them, "Friend", who is at FAR_URI */
	struct desk *desk;
	struct handset *near, *far;
	struct queue *queue;
	unsigned idle; /* how often it was told */
	unsigned quit;
	bool closed;
	char room[DESK_LOG_SIZE];
	struct text log; /* "ok LINE[: OUTPUT]; " or "EXIT LINE: WORDS; " */
};

/* Phones that let calls ring. waits: the queue does. */
void desk_pair_open(struct desk_pair *pair, bool waits);

/* The same with disks that take up to so long. */
void desk_pair_open_slow(struct desk_pair *pair, bool waits, unsigned work_ms);

/* Ends what is left, and checks that nothing is. */
void desk_pair_close(struct desk_pair *pair);

/* Goes on by that time. */
void desk_pair_run(struct desk_pair *pair, unsigned ms);

/* Puts a line for one of the phones. */
void desk_pair_put(struct desk_pair *pair, struct handset *handset, const char *line);

/* The log, which is empty after it. */
void desk_pair_expect(struct desk_pair *pair, const char *words);

/* Has near call far, and far answer; the log is empty after it. */
void desk_pair_talk(struct desk_pair *pair);
