/*
 * A call as it is remembered: one line of JSON, from which nothing of the far end can do harm. Any
 * thread.
 */
#pragma once

#include "core/ua/event.h"

enum call_way {
	CALL_MADE,
	CALL_TAKEN,
	CALL_MISSED,  /* they gave up, or nobody answered them */
	CALL_REFUSED, /* by us */
	CALL_WAYS,
};

struct call_entry {
	uint64_t began_ns; /* wall time, to the second */
	enum call_way way;
	char *peer;    /* as people write it, without a password */
	char *display; /* may be empty */
	bool answered;
	double duration_s; /* since the answer */
	char *reason;      /* why one that was made or refused was not answered; may be empty */
};

const char *call_way_name(enum call_way way);

/*
 * The line of a call that has ended, without a newline, for the caller to free(). event:
 * UA_CALL_ENDED; began_ns: wall time. -ENOMEM.
 */
int call_entry_print(char **out, const struct ua_event *event, uint64_t began_ns);

/* Reads such a line. -EPROTO: it is none; -ENOMEM. */
int call_entry_read(struct call_entry *out, const char *line);

/* Frees what it holds. */
void call_entry_drop(struct call_entry *entry);
