/*
 * The simulated world of --virtual: one host with the loops of the agents and of their sound, both
 * driven by one thread in virtual time, as fast as it can. The same seed and the same script give
 * the same bytes. Owned by the main thread.
 */
#pragma once

#include "core/base/loop.h"

struct device_maker;
struct virtual;

/* -ENOMEM. */
int virtual_new(struct virtual **out, uint64_t seed);

/* With its thread stopped. NULL is allowed. */
void virtual_free(struct virtual *world);

struct loop *virtual_agent_loop(const struct virtual *world);
struct loop *virtual_media_loop(const struct virtual *world);

/* Of which there are none. */
const struct device_maker *virtual_devices(void);

/* Starts the thread. -EAGAIN, -ENOMEM. */
int virtual_start(struct virtual *world);

/* Stops it between two events, and waits for it. Once started. */
void virtual_stop(struct virtual *world);

/* From now on time goes as the real one does: what is still to come waits for somebody who is real.
 * On its thread. */
void virtual_pace(struct virtual *world);

/* Has caught called on its thread for each signal of that number. Before virtual_start(). Errors as
 * loop_uv_signal(). */
int virtual_signal(
	struct virtual *world, int number, void (*caught)(void *arg, int number), void *arg);
