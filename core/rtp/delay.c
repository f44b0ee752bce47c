#include "core/rtp/delay.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
#define SLOT_NS UINT64_C(500000000)

/* One packet in so many may come later than the target; of fewer packets, none. */
enum { LATE_ONE_IN = 100 };

void delay_reset(struct delay *delay)
{
	memset(delay, 0, sizeof(*delay));
	for (uint32_t i = 0; i < DELAY_SLOTS; i++)
		delay->slot_ns[i] = INT64_MAX;
}

/* In whole milliseconds, upwards, so that waiting as long is long enough. */
static uint32_t delay_ms(const struct delay *delay, int64_t transit_ns)
{
	int64_t over_ns = transit_ns - delay->base_ns;

	if (over_ns <= 0)
		return 0;
	if (over_ns >= DELAY_MAX_MS * NS_PER_MS)
		return DELAY_MAX_MS;
	return (uint32_t)((over_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Moves the target to the least that few enough are above; from one packet to the next, not far. */
static void settle(struct delay *delay)
{
	uint32_t allowed = delay->count / LATE_ONE_IN;

	while (delay->above > allowed)
		delay->above -= delay->with_ms[++delay->target_ms];
	while (delay->target_ms > 0 && delay->above + delay->with_ms[delay->target_ms] <= allowed)
		delay->above += delay->with_ms[delay->target_ms--];
}

static void count_in(struct delay *delay, int64_t transit_ns)
{
	uint32_t ms = delay_ms(delay, transit_ns);

	delay->with_ms[ms]++;
	delay->above += ms > delay->target_ms;
}

static void count_out(struct delay *delay, int64_t transit_ns)
{
	uint32_t ms = delay_ms(delay, transit_ns);

	delay->with_ms[ms]--;
	delay->above -= ms > delay->target_ms;
}

/*
 * The window's delays are counted anew from another base. It moves by the clocks' drift, a few
 * times a minute, and when the path changes: those who came by the old one then are early or late.
 */
static void move_base(struct delay *delay, int64_t base_ns)
{
	delay->base_ns = base_ns;
	memset(delay->with_ms, 0, sizeof(delay->with_ms));
	delay->above = 0;
	for (uint32_t i = 0; i < delay->count; i++)
		count_in(delay, delay->transit_ns[i]);
}

/* The least transit of the slots, after this one is taken into the newest. */
static int64_t least(struct delay *delay, uint64_t arrival_ns, int64_t transit_ns)
{
	uint64_t slot = arrival_ns / SLOT_NS;
	int64_t least_ns = transit_ns;

	if (slot > delay->slot + DELAY_SLOTS)
		delay->slot = slot - DELAY_SLOTS; /* all are older than the window */
	while (delay->slot < slot)
		delay->slot_ns[++delay->slot % DELAY_SLOTS] = INT64_MAX;

	if (transit_ns < delay->slot_ns[delay->slot % DELAY_SLOTS])
		delay->slot_ns[delay->slot % DELAY_SLOTS] = transit_ns;
	for (uint32_t i = 0; i < DELAY_SLOTS; i++)
		if (delay->slot_ns[i] < least_ns)
			least_ns = delay->slot_ns[i];
	return least_ns;
}

void delay_add(struct delay *delay, uint64_t arrival_ns, int64_t transit_ns)
{
	int64_t base_ns = least(delay, arrival_ns, transit_ns);
	int64_t moved_ns = base_ns - delay->base_ns;

	if (delay->count == DELAY_WINDOW)
		count_out(delay, delay->transit_ns[delay->next]);
	else
		delay->count++;
	delay->transit_ns[delay->next] = transit_ns;

	if (moved_ns >= NS_PER_MS || moved_ns <= -NS_PER_MS)
		move_base(delay, base_ns);
	else
		count_in(delay, transit_ns);
	delay->next = (delay->next + 1) % DELAY_WINDOW;
	settle(delay);
}
