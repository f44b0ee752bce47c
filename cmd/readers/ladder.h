/*
 * The flow of calls as a ladder: who said what to whom, and when. Each SIP message of the trace is
 * a row between our column and the far end's (one for each far end that a call comes to, by a
 * redirection or a fork), sound is a double line. What the last calls said is kept, within bounds,
 * so that it can still be shown when they are over. A reader. All of it on the agent's thread.
 */
#pragma once

#include "core/base/addr.h"
#include "core/ua/event.h"

#include <stdbool.h>

enum {
	LADDER_CALLS = 50,    /* that are kept; those that are over go first */
	LADDER_ENTRIES = 100, /* rows of one call that are kept: the newest */
};

struct ladder;

/* A line with its newline, harmless on a terminal; good during the call only. */
typedef void ladder_line(void *arg, struct slice line);

struct ladder_config {
	bool utf8;                    /* else the lines are drawn in ASCII */
	size_t (*columns)(void *arg); /* how wide a line may be; NULL: PRINTER_COLUMNS */
	ladder_line *line;            /* each row as it happens; NULL: they are only kept */
	void *arg;
};

/* Copies config. -ENOMEM. */
int ladder_new(struct ladder **out, const struct ladder_config *config);

/* NULL is allowed. */
void ladder_free(struct ladder *ladder);

/*
 * A message as ua_config.trace tells of it. It belongs to a call by its Call-ID; what cannot be
 * read, or kept for want of memory, is passed over.
 */
void ladder_message(struct ladder *ladder, uint64_t wall_ns, bool sent, const struct addr *local,
	const struct addr *remote, struct slice bytes);

/* The reader, a ua_event_fn: arg is the ladder. It tells the calls' numbers, and of their sound. */
void ladder_event(void *arg, const struct ua_event *event);

/*
 * All that is kept of a call, by its number; 0: of the latest. -ENOENT if nothing is.
 */
int ladder_print(struct ladder *ladder, unsigned call, ladder_line *line, void *arg);

/*
 * The last messages of a call, count at most, one a line, as they stand under a script's failure:
 * "    bob > alice  200 OK (BYE)        +3.002". -ENOENT as above.
 */
int ladder_last(struct ladder *ladder, unsigned call, unsigned count, ladder_line *line, void *arg);
