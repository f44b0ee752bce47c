/* Makes a play that fails smaller, so that a person can see what matters. One thread. */
#pragma once

#include "tests/sim/play.h"

/* Whether play still fails in the same way. */
typedef bool shrink_try(void *arg, const struct play *play);

/*
 * Leaves out steps and phones, then settings, then makes times round, as long as try says yes, and
 * asks it at most tries times. Returns how often it was asked. -ENOMEM.
 */
int shrink_play(struct play *play, unsigned tries, shrink_try *try, void *arg);
