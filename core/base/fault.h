/*
 * What went wrong, in words for the person who can mend it: what failed, with what, what to do.
 * Filled by the function that knows, shown by whoever talks to people. A plain value: any thread.
 */
#pragma once

enum { FAULT_SIZE = 512 };

struct fault {
	char words[FAULT_SIZE]; /* one line, no final stop, nothing that harms a terminal */
};

/*
 * Writes the words and returns err, so that a function can end with it. fault may be NULL. What
 * does not fit is cut. Text from outside has to be escaped by the caller (text_put_escaped()).
 */
int fault_set(struct fault *fault, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
