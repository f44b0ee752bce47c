/*
 * The names of the sound devices, for completion: asked for when somebody wants to complete one,
 * beside all else, as the sound library takes its time. On the loop's thread.
 */
#pragma once

#include "cmd/prompt/complete.h"

struct listing;
struct loop;

/* done takes the words of a list (complete_set()). Nothing is asked for yet. -ENOMEM. */
int listing_new(struct listing **out, struct loop *loop,
	void (*done)(void *arg, enum complete_list list, char *words, size_t len), void *arg);

/* What is on its way is forgotten once it comes. NULL is allowed. */
void listing_free(struct listing *listing);

/* Asks, unless an answer is on its way. */
void listing_ask(struct listing *listing);
