/*
 * What both loops' watches of the network have in common: a swarm of changes is told once. On the
 * loop's thread.
 */
#pragma once

#include "core/base/loop.h"

struct settle {
	struct loop *loop;
	struct timer timer;
	uint64_t latest_ns; /* when it is told, whatever still comes */
	void (*changed)(void *arg);
	void *arg;
};

void settle_init(struct settle *settle, struct loop *loop, void (*changed)(void *arg), void *arg);

/* Something has changed. */
void settle_heed(struct settle *settle);

/* Nothing is told any more. */
void settle_stop(struct settle *settle);
