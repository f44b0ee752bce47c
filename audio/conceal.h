/*
 * Sound in place of what was lost, for codecs that have no way of their own: the voice goes on, by
 * its last periods, and fades into the noise that was heard behind it; what comes after the loss is
 * blended in where it fits. One per stream, one thread; only conceal_new() allocates.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conceal;

/* For samples at rate, Hz, 8000..48000; another is the caller's mistake. Returns -ENOMEM. */
int conceal_new(struct conceal **out, uint32_t rate);

/* NULL is allowed. */
void conceal_free(struct conceal *conceal);

/* To be given all that was received, before it is heard, in order. It changes the first few
 * milliseconds of samples after a loss, and nothing else. */
void conceal_good(struct conceal *conceal, int16_t *samples, size_t count);

/* Makes up the next count samples. After 70 ms without a good one it is the background alone. */
void conceal_fill(struct conceal *conceal, int16_t *out, size_t count);
