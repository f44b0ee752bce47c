/*
 * A loop whose datagrams go through a bad network: another loop with all that it has, but that what
 * its UDP sockets send and receive is lost, delayed, doubled, reordered and damaged as impair says.
 * Names, connections by TCP, pipes and time are the other loop's. For phones that are tried, in the
 * real world and in the simulated one.
 *
 * Whoever makes it owns it, and frees it when nothing uses it any more, before the other loop. It
 * belongs to that loop's thread; a socket that is handed to another thread's loop has to be handed
 * to one of these.
 */
#pragma once

#include "core/base/loop.h"
#include "core/net/impair.h"

enum lossy_way {
	LOSSY_RX, /* what its sockets receive */
	LOSSY_TX, /* what they send */
	LOSSY_WAYS,
};

/* All passes, to begin with. The same seed and the same datagrams give the same fates. -ENOMEM. */
int lossy_new(struct loop **out, struct loop *other, uint64_t seed);

/* With no socket left. NULL is allowed. */
void lossy_free(struct loop *loop);

/* From now on; what is on its way stays as it is. On its thread, as the next. */
void lossy_change(struct loop *loop, enum lossy_way way, const struct impair_config *config);

void lossy_counts(struct impair_counts *out, const struct loop *loop, enum lossy_way way);
