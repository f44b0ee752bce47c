/*
 * Commands that wait and run. Each who types (the prompt, the -e options, a script, a connection of
 * the control socket) has a queue of its own: a line after the other, each to its end before the
 * next is begun; or, for the prompt, without waiting. A line that ends in "&" is never waited for.
 * On the agents' thread.
 */
#pragma once

#include "cmd/command.h"
#include "core/base/text.h"

struct queue;

/* How a line ended; good during the call only. */
struct queue_result {
	const char *line;
	bool ok;
	int exit;            /* enum verdict_code */
	unsigned call;       /* that it was about; 0: none */
	const char *words;   /* why it is not ok; NULL if it is */
	bool told;           /* the events of a call have told that already */
	size_t at;           /* of the caret in line; SIZE_MAX: none */
	struct slice output; /* whole lines */
	bool behind;         /* nobody waited for it: a later line may have ended before */
	const void *mark;    /* of queue_put_marked() */
};

struct queue_events {
	void (*done)(void *arg, const struct queue_result *result);
	/* All lines have been begun, and none is waited for. Not from within queue_put(). */
	void (*idle)(void *arg);
	/* Keys are to be digits for a call of that phone; NULL: there are no keys. */
	void (*dial)(void *arg, struct handset *handset, unsigned call);
};

struct queue_config {
	struct desk *desk;
	bool waits;        /* each line to its end */
	bool bare_targets; /* a line that is no command but a target calls it */
	const struct queue_events *events;
	void *arg;
};

/* Appends for a person why a line has failed, with a caret where it is known; nothing if it has
 * not, or if that was told already. */
void queue_print_failure(struct text *out, const struct queue_result *result);

enum { QUEUE_FAILURE_SIZE = 2048 }; /* room for that */

enum { QUEUE_LINE_MAX = 4096, QUEUE_LINES_MAX = 1024, QUEUE_BEHIND_MAX = 1024 };

/* -ENOMEM. */
int queue_new(struct queue **out, const struct queue_config *config);

/* What waits is forgotten, what runs is dropped; no event comes any more. May be called from within
 * one. NULL is allowed. */
void queue_free(struct queue *queue);

/* For which phone the lines that are put from now on are; NULL: the first of the desk. */
void queue_use(struct queue *queue, struct handset *handset);

/* Adds a line, copied; done tells how it ends, maybe before this returns. An empty one and a
 * comment
 * ("# ...") are done at once. One with & fails where QUEUE_BEHIND_MAX of those run. -ENOSPC: too
 * many wait; -E2BIG; -ENOMEM. */
int queue_put(struct queue *queue, const char *line);

/* The same; the line's result and its UA_COMMAND_DONE carry mark, which is nobody else's. */
int queue_put_marked(struct queue *queue, const char *line, const void *mark);

/* What waits is forgotten; what runs goes on. */
void queue_forget(struct queue *queue);

/* Whether anything waits or is waited for. */
bool queue_is_idle(const struct queue *queue);
