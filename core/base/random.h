/*
 * Chance that a seed fixes: the same seed gives the same numbers on each machine. For what is to be
 * replayed, never for secrets: who has seen a few numbers can tell the rest. A plain value: any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state[4];
};

/* Each seed will do, 0 as well; near seeds give streams that have nothing in common. */
void random_init(struct random *random, uint64_t seed);

/* A seed of its own for each number, so that one stream does not depend on how many others are. */
uint64_t random_derive(uint64_t seed, uint64_t number);

/* 64 bits, each value as likely as the others. */
uint64_t random_next(struct random *random);

/* A number below bound, each as likely as the others. bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* True so many times in a million. What never or always happens costs no number. */
bool random_chance(struct random *random, uint32_t millionths);

void random_fill(struct random *random, void *out, size_t len);
