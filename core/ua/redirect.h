/*
 * Where a call may still be tried, once a 3xx has sent it elsewhere (RFC 3261, section 8.1.3.4): a
 * list of URIs that grows while it is worked off, and never holds one twice. It belongs to its
 * call, on the agent's thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/sip/msg.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	REDIRECT_HOPS_MAX = 5,     /* 3xx that are followed in one call */
	REDIRECT_TARGETS_MAX = 10, /* that are tried in one call, the first aside */
};

struct redirect {
	char *targets[1 + REDIRECT_TARGETS_MAX]; /* in the order of trying; 0: called first */
	size_t count;
	size_t at; /* the one that is tried now */
	unsigned hops;
};

/* All zero before. first is copied. -ENOMEM. */
int redirect_init(struct redirect *redirect, struct slice first);

void redirect_free(struct redirect *redirect);

/*
 * Takes the Contacts of a 300, 301 or 302, the best by q first, to be tried next, before those that
 * were there. Passed over is what this phone cannot call, what is there already, and what is more
 * than the limits allow. Returns how many were taken, or -ENOMEM.
 */
int redirect_follow(struct redirect *redirect, const struct sip_msg *response);

/* Goes on to the next. False if there is none. */
bool redirect_next(struct redirect *redirect);

/* The URI to be called now. */
struct slice redirect_target(const struct redirect *redirect);
