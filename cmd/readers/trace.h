/*
 * --trace: each SIP message as it went over the wire, under a line that says when, which way and
 * between whom. Any thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/base/bytes.h"

#include <stdbool.h>

/*
 * The text of one message, lines with newlines, harmless on a terminal, for the caller to free();
 * its length goes to len. NULL if there is no memory.
 */
char *trace_print(size_t *len, uint64_t wall_ns, bool sent, const struct addr *local,
	const struct addr *remote, struct slice message);
