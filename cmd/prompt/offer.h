/*
 * Words that can be completed to, on their way from whoever knows them to the thread that
 * completes.
 */
#pragma once

#include "cmd/prompt/complete.h"

#include <stdatomic.h>

struct loop;

/*
 * Copies words, and has the loop's thread put them in place of those of that list (complete_set()).
 * posted counts those on their way, for whoever frees complete. Any thread; with no memory, those
 * before stay.
 */
void offer_post(struct loop *loop, struct complete *complete, enum complete_list list,
	const char *const *words, size_t count, atomic_uint *posted);
