/*
 * A bad way between two ends of a connection, on a loop of the real world: what goes either way is
 * held back, cut into pieces, damaged or broken off, as a seed says. Whoever makes it owns it. On
 * the loop's thread.
 */
#pragma once

#include "core/base/loop.h"

struct torn;

struct torn_config {
	uint64_t seed;
	struct addr to;   /* where the connection really leads */
	uint64_t cut_at;  /* so many bytes pass, of both directions, then it breaks; 0: never */
	uint64_t flip_at; /* of that byte, from 1, a bit is another; 0: of none; soon after, it
			     breaks */
};

/* Takes one connection at at. */
int torn_new(
	struct torn **out, struct loop *loop, const struct torn_config *config, struct addr *at);

/* NULL is allowed. */
void torn_free(struct torn *torn);
