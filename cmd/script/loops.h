/*
 * The loops of a run and the threads that drive them: the terminal's, which is the caller's thread,
 * the agents' and that of their sound; the latter two real, or simulated by one thread. Owned by
 * the main thread.
 */
#pragma once

#include "core/base/loop.h"

struct device_maker;
struct loops;

struct loops_config {
	bool in_virtual;          /* the agents and their sound live in the simulated world */
	uint64_t seed;            /* of that */
	unsigned dscp;            /* of the agents' messages, as loop_uv_mark() has it */
	const char *name_servers; /* as loop_uv_name_servers() has them; "": the system's */
};

/* -ENOMEM, -EMFILE or the like. */
int loops_new(struct loops **out, const struct loops_config *config);

/* With the threads stopped. NULL is allowed. */
void loops_free(struct loops *loops);

struct loop *loops_main(const struct loops *loops);
struct loop *loops_agent(const struct loops *loops);
struct loop *loops_media(const struct loops *loops);

/* What opens sound devices there; NULL: what usually does. */
const struct device_maker *loops_devices(const struct loops *loops);

/* Has caught called on the agents' thread for each signal of that number. */
int loops_signal(struct loops *loops, int number, void (*caught)(void *arg, int number), void *arg);

/* Starts the threads of the agents and of their sound. On error none runs. */
int loops_start(struct loops *loops);

/* Stops them, after what has been posted to the real ones, and waits for them. */
void loops_stop(struct loops *loops);

/* All calls are over: time is real from now on. On the agents' thread. */
void loops_settle(struct loops *loops);

/* Whether loops_free() would wait for slow work or leave it behind (loop_uv_busy()). */
bool loops_busy(const struct loops *loops);
