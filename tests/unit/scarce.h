/*
 * Memory that runs out, for tests that are linked with --wrap=calloc, and with --wrap=malloc if
 * they have scarce_malloc.c: whatever is wanting, it is told by an error, and nothing is left
 * behind. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many allocations still return something; SIZE_MAX, as at first: all. */
extern size_t allocations_left;

/* Whether the next one returns something; it counts. */
bool scarce_may_allocate(void);
