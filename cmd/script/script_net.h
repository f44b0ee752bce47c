/*
 * "net PHONE [rx|tx] loss 3% jitter 30ms": what a script has a network do. A plain value: any
 * thread.
 */
#pragma once

#include "cmd/command_line.h"
#include "core/net/impair.h"

#include <stdbool.h>

struct net_change {
	bool rx; /* on the way to the phone */
	bool tx; /* and from it; both where the line does not say */
	struct impair_config config;
};

/*
 * Reads what stands behind the phone's name. -EINVAL with words in why, and at is the place in the
 * line.
 */
int net_change_read(struct net_change *out, const struct command_word *words, size_t count,
	struct fault *why, size_t *at);
