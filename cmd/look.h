/*
 * The look for sound devices at the start: where there are none, that is told in one line. It is
 * beside all else, as it takes its time. Only a run that is over before it waits for it, and not
 * for ever: a sound system that is sick keeps nobody. On the loop's thread.
 */
#pragma once

#include <stdbool.h>

struct look;
struct loop;
struct options;
struct terminal;

/* Not begun. What it is given is kept alive by the caller. -ENOMEM. */
int look_new(struct look **out, struct loop *loop, const struct options *options,
	struct terminal *terminal);

/* Once no thread is busy with it (loops_busy()). NULL is allowed. */
void look_free(struct look *look);

/* Looks, where options leave it to us what is spoken into or heard from. Once. */
void look_begin(struct look *look);

/* Calls done once what it has to tell is told, or has taken too long: maybe before this returns.
 * Nothing is told after that. Once. */
void look_end(struct look *look, void (*done)(void *arg), void *arg);

/* Somebody wants to leave: nothing is told any more and nobody waits for it; what look_end() was
 * given is called, if that is still to come. */
void look_hurry(struct look *look);

/* Whether it was given up: somebody is inside a sound system that does not answer. */
bool look_is_stuck(const struct look *look);
