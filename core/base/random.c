#include "core/base/random.h"

#include <assert.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 by the golden ratio, odd */

/* One bit more or less changes half of the result (Steele, Lea, Flood: SplitMix, 2014). */
static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* mix() maps one number only to 0, so the state is never all zero, from where it could not go on.
 */
void random_init(struct random *random, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++)
		random->state[i] = mix(seed += GOLDEN);
}

uint64_t random_derive(uint64_t seed, uint64_t number)
{
	return mix(mix(seed + GOLDEN) + (number + 1) * GOLDEN);
}

/* xoshiro256++ (Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators, 2021). */
uint64_t random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate(s[0] + s[3], 23) + s[0];
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

/* The numbers of as few bits as will do, until one is small enough: fewer than two draws each. */
uint64_t random_below(struct random *random, uint64_t bound)
{
	uint64_t mask;
	uint64_t number;

	assert(bound > 0);
	if (bound == 1)
		return 0;

	mask = UINT64_MAX >> __builtin_clzll(bound - 1);
	do {
		number = random_next(random) & mask;
	} while (number >= bound);
	return number;
}

bool random_chance(struct random *random, uint32_t millionths)
{
	if (millionths == 0 || millionths >= 1000000)
		return millionths > 0;

	return random_below(random, 1000000) < millionths;
}

void random_fill(struct random *random, void *out, size_t len)
{
	uint8_t *bytes = out;
	uint64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0)
			number = random_next(random);
		bytes[i] = (uint8_t)number; /* the same on each machine, whatever its byte order */
		number >>= 8;
	}
}
