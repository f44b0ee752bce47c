/*
 * A simulated world for unit tests: some hosts with loops, a log of what happened, and a calloc()
 * that fails when told to (the test is linked with --wrap=calloc). One thread.
 */
#pragma once

#include "core/base/list.h"
#include "core/net/loop_sim.h"

enum {
	PLAY_HOSTS = 4,
	PLAY_LOOPS = 2, /* of each host */
	PLAY_LOG_SIZE = 512,
};

/* How late timers, posts and work may be, and how long a datagram takes. */
#define PLAY_LATE_NS NS_PER_MS
#define PLAY_WAY_NS (5 * NS_PER_MS)
#define PLAY_START_NS NS_PER_S
#define PLAY_WALL_NS (UINT64_C(1795215600) * NS_PER_S)

struct play {
	struct world *world;
	struct world_host *hosts[PLAY_HOSTS]; /* 192.0.2.1 and so on */
	struct loop *loops[PLAY_HOSTS][PLAY_LOOPS];
	struct loop *loop; /* the first of the first host */
	struct timer timers[4];
	char log[PLAY_LOG_SIZE]; /* a letter an event */
	size_t events;
};

/* So many more callocs succeed; SIZE_MAX: all. */
extern size_t play_allocations;

/* Only the next one after those fails, not all. */
extern bool play_fails_once;

void play_open(struct play *play, uint64_t seed);

/* Frees the loops that are left. Fails the test if then anything else is. */
void play_close(struct play *play);

/* A play of seed 1 as a test's state. */
int play_set_up(void **state);
int play_tear_down(void **state);

void play_run(struct play *play, uint64_t ns);
void play_note(struct play *play, char what);
struct world_left play_left(const struct play *play);

/* Frees a loop before its time. */
void play_free_loop(struct play *play, size_t host, size_t loop);

/* For timers whose argument is the play. */
void play_fire_a(void *arg);
void play_fire_b(void *arg);
void play_fire_c(void *arg);

/* A post that notes a letter and posts on, if there is more. */
struct letter {
	struct post post;
	struct play *play;
	char what;
	struct letter *then;
	struct loop *to; /* of then */
};

void letter_init(struct letter *letter, struct play *play, char what);

/* Work that posts a letter, 'o', while it runs, and notes 'w' when it is done. */
struct errand {
	struct work work;
	struct play *play;
	struct letter on_the_way;
	uint64_t ran_ns;
	uint64_t done_ns;
};

void errand_init(struct errand *errand, struct play *play);
