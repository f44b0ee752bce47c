/*
 * A loop for unit tests: its time stands until the test moves it, its timers, posts and work run
 * when the test says so, and its chance is the same each time. It has no network. One thread.
 */
#pragma once

#include "core/base/loop.h"

enum { FAKE_LOOP_WORK_MAX = 64 };

struct fake_loop {
	struct loop loop; /* to be handed to what is tested */
	uint64_t now_ns;
	uint64_t wall_ns;
	uint64_t random; /* the seed */
	struct heap timers;
	uint64_t order;
	struct post *first, **last;
	struct work *work[FAKE_LOOP_WORK_MAX]; /* queued, the oldest first */
	size_t work_count;
	int work_err; /* what loop_work() returns instead of taking any; 0 at first */
	/* From the first work on: it is run before loop_work() returns, as another thread might. */
	bool work_hastes;
	struct pipe *pipe;      /* the next that is opened; NULL: there is none */
	enum pipe_way pipe_way; /* as it was asked for, */
	const char *pipe_line;  /* likewise; NULL: standard input or output */
};

/* Time begins at a second, wall time in the year 2026. */
void fake_loop_init(struct fake_loop *fake);

/* Fails the test if a timer, a post or work is left. */
void fake_loop_end(const struct fake_loop *fake);

/* Runs the posts of now and those that they make; returns how many. */
size_t fake_loop_run_posts(struct fake_loop *fake);

/* Runs the oldest piece of work and its done. Returns whether there was one. */
bool fake_loop_run_work(struct fake_loop *fake);

/* Runs posts and work until there are none. */
void fake_loop_settle(struct fake_loop *fake);

/* Settles, and goes on by ns; timers go off at their times, in order, and all settles after each.
 */
void fake_loop_advance(struct fake_loop *fake, uint64_t ns);

/* When the next timer goes off, or UINT64_MAX. */
uint64_t fake_loop_next_timer(const struct fake_loop *fake);
