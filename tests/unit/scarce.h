/*
 * Memory that runs out, for tests that are linked with --wrap=calloc and --wrap=malloc: whatever is
 * wanting, it is told by an error, and nothing is left behind. One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How many calls of calloc() and malloc() still return something; SIZE_MAX, as at first: all. */
extern size_t allocations_left;
