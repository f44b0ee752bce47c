/*
 * The exit code: what happened, as one number that scripts can trust. A reader of the event stream.
 * A plain value, for one thread at a time.
 */
#pragma once

#include "core/ua/event.h"

enum verdict_code {
	VERDICT_DONE = 0,
	VERDICT_EXPECTATION = 1,
	VERDICT_USAGE = 2,
	VERDICT_UNREACHABLE = 3,
	VERDICT_REJECTED = 4,
	VERDICT_BUSY = 5,
	VERDICT_NO_ANSWER = 6,
	VERDICT_AUTH = 7,
	VERDICT_MEDIA = 8,
	VERDICT_LOCAL = 9,
	VERDICT_SIGNAL = 128, /* and the signal's number */
};

/* What a code means, in words of a line. */
struct verdict_meaning {
	int code;
	const char *words;
};

/* All codes that there are, in their order. NULL behind the last. */
const struct verdict_meaning *verdict_meaning_at(size_t i);

/* All zero: nothing has happened. Of several calls of ours the first that failed counts; how calls
 * end that we took (--answer) does not matter. */
struct verdict {
	int signal; /* the first that came; 0: none */
	int code;
	bool failed;  /* code is of something other than a call, and stays */
	bool trouble; /* a file of a call or standard output is not what it should be */
};

void verdict_event(struct verdict *verdict, const struct ua_event *event);

/* What the end of a call that we placed is worth: an exit code. event: UA_CALL_ENDED. */
int verdict_of(const struct ua_event *event);

/* What a registration that failed or was lost is worth, likewise. */
int verdict_of_registration(const struct ua_event *event);

void verdict_signal(struct verdict *verdict, int number);

/* What has nothing to do with a call went wrong. code: one of enum verdict_code. */
void verdict_fail(struct verdict *verdict, int code);

/* What was told has not arrived, or a file is not what it should be: no success any more. */
void verdict_trouble(struct verdict *verdict);

int verdict_exit(const struct verdict *verdict);
