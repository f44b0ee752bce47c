/*
 * How late packets come, and how long the jitter buffer should therefore let them wait: a part of
 * core/rtp/jitter, whose thread it runs on. A plain value without any memory of its own.
 *
 * A packet's transit is its arrival less its timestamp: a number without meaning but for how it
 * differs from the others'. The least of the last seconds is the base; what a packet took longer is
 * its delay. The target is the delay that all but a few of the last packets kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	DELAY_WINDOW = 200,  /* packets that the target is made from */
	DELAY_MAX_MS = 1000, /* more is counted as this */
	DELAY_SLOTS = 8,     /* of half a second each, that the base is the least of */
};

struct delay {
	int64_t base_ns;
	uint64_t slot;                /* the newest; its number since the clock began */
	int64_t slot_ns[DELAY_SLOTS]; /* the least of each; INT64_MAX if it is empty */
	int64_t transit_ns[DELAY_WINDOW];
	uint32_t next;                      /* place in transit_ns of the packet to come */
	uint32_t count;                     /* filled places */
	uint16_t with_ms[DELAY_MAX_MS + 1]; /* how many in the window have that delay */
	uint32_t target_ms;
	uint32_t above; /* how many have more than target_ms */
};

/* Forgets everything; also how a new one begins. */
void delay_reset(struct delay *delay);

/* Takes in one packet's transit, which came at arrival_ns. */
void delay_add(struct delay *delay, uint64_t arrival_ns, int64_t transit_ns);
