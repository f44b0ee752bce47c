/* What the invariants may expect of a play, by its text alone. Pure functions: any thread. */
#pragma once

#include "tests/sim/play.h"

/* For the ends of a call to end, once told: an answer that nobody acknowledges is given up after 32
 * s, and the BYE that follows and that nobody answers after as many (RFC 3261, section 13.3.1.4).
 */
#define BOUND_ENDS_NS (70 * NS_PER_S)

/* How long a call may take, by what its ends were told to do. */
uint64_t bound_of_play(const struct play *play);

/* How long a datagram may take. */
uint64_t bound_of_way(const struct play *play);

/* Whether nothing is lost, doubled, damaged or overtaken, and nobody crashes. */
bool bound_is_perfect(const struct play *play);
