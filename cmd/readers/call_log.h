/*
 * Remembers calls: each that ends is written to the file of calls (cmd/readers/call_file.h), on a
 * thread of the pool. A reader of the event stream; on the agents' thread.
 */
#pragma once

#include <stddef.h>

struct call_log;
struct desk;

/* Looks on from now. -ENOMEM. */
int call_log_new(struct call_log **out, struct desk *desk);

/* Lets go; what is not written is forgotten. The desk is there still. NULL is allowed. */
void call_log_free(struct call_log *log);

/* Calls done once, when all is written, or a disk takes too long: at once or later. log may be
 * NULL. */
void call_log_close(struct call_log *log, void (*done)(void *arg), void *arg);

/* Copies of the lines that may not be in the file yet, oldest first, to be freed, each and all;
 * count of them. NULL: there are none, or there is no memory. */
char **call_log_waiting(size_t *count, const struct call_log *log);
