/*
 * Somebody who has no part in any call and sends sound to where a phone hears it: one packet at a
 * time, in a row of one source. It learns from the descriptions on the wire where that is. Whoever
 * makes it frees it, before its world. One thread, that of the world.
 */
#pragma once

#include "core/net/loop_sim.h"

struct stranger;

/* Has a host of its own at addr. -ENOMEM. */
int stranger_new(struct stranger **out, struct world *world, const struct addr *addr);

/* NULL is allowed. */
void stranger_free(struct stranger *stranger);

/* What was sent from there. */
void stranger_listens(struct stranger *stranger, const struct addr *from, struct slice bytes);

/* Sends a packet to where the host at addr wanted to hear its newest call, if it had any. */
void stranger_sends(struct stranger *stranger, const struct addr *addr);
