#include "core/rtp/splice.h"

#include <assert.h>

#define NS_PER_S UINT64_C(1000000000)

/* A wait for longer than the packets that are missing account for is one of the sender's. */
#define PAUSE_NS UINT64_C(200000000)

enum { MISORDER_MAX = 100 }; /* as in RFC 3550, appendix A.1: who is more behind begins anew */

void splice_init(struct splice *splice, uint32_t clock_rate)
{
	assert(clock_rate > 0);

	*splice = (struct splice){.clock_rate = clock_rate};
}

/* Downwards, of whatever sign. */
static int64_t row_ticks(const struct splice *splice, const struct splice_part *part, int64_t ticks)
{
	int64_t product = ticks * splice->clock_rate;
	int64_t rest = product % part->clock_rate;

	return product / part->clock_rate - (rest < 0);
}

static int64_t ticks_at(const struct splice_part *part, uint32_t timestamp)
{
	return part->last_ticks + (int32_t)(timestamp - part->last_timestamp);
}

/* Whether it was sent before the clock changed, and was overtaken. */
static bool is_of_before(
	const struct splice *splice, const struct rtp_packet *packet, uint32_t clock_rate)
{
	const struct splice_part *before = &splice->before;
	uint16_t next = before->ssrc == splice->now.ssrc ? splice->now.first_seq
							 : (uint16_t)(before->last_seq + 1);
	uint16_t behind = (uint16_t)(next - packet->seq);

	return before->set && clock_rate == before->clock_rate && packet->ssrc == before->ssrc &&
	       behind >= 1 && behind <= MISORDER_MAX;
}

/* How long after the last packet of before this one was sent, by the clock of the row. */
static int64_t since_last(
	const struct splice *splice, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	const struct splice_part *now = &splice->now;
	int16_t steps = packet->ssrc == now->ssrc ? (int16_t)(packet->seq - now->last_seq) : 1;
	uint64_t sent, waited_ns;

	if (steps < 1)
		steps = 1;
	sent = (uint64_t)steps * splice->last_duration;
	waited_ns = arrival_ns > splice->last_arrival_ns ? arrival_ns - splice->last_arrival_ns : 0;
	if (waited_ns > sent * NS_PER_S / splice->clock_rate + PAUSE_NS)
		return (int64_t)(waited_ns / 1000000 * splice->clock_rate / 1000);
	return (int64_t)sent;
}

static void begin(struct splice *splice, const struct rtp_packet *packet, uint32_t clock_rate,
	uint64_t arrival_ns)
{
	const struct splice_part before = splice->now;
	struct splice_part now = {
		.set = true,
		.clock_rate = clock_rate,
		.ssrc = packet->ssrc,
		.first_seq = packet->seq,
		.last_seq = packet->seq,
		.last_timestamp = packet->timestamp,
		.start = packet->timestamp,
	};

	if (before.set) {
		now.start = before.start + (uint32_t)row_ticks(splice, &before, before.last_ticks) +
			    (uint32_t)since_last(splice, packet, arrival_ns);
		now.seq_shift = before.seq_shift;
		if (packet->ssrc != before.ssrc)
			now.seq_shift =
				(uint16_t)(before.last_seq + before.seq_shift + 1 - packet->seq);
	} else {
		splice->ssrc = packet->ssrc;
	}
	splice->before = before;
	splice->now = now;
}

/* Whole seconds are counted by the clock of the row, so that a sender whose timestamps leap as far
 * as they can, however often, comes to no number that is too great. */
static void count_to(const struct splice *splice, struct splice_part *now, int64_t ticks)
{
	int64_t seconds = ticks / now->clock_rate;

	now->start += (uint32_t)(seconds * splice->clock_rate);
	now->last_ticks = ticks - seconds * now->clock_rate;
}

/* The latest is what others are counted from, and what follows a change. */
static void note(struct splice *splice, const struct rtp_packet *packet, uint64_t arrival_ns)
{
	struct splice_part *now = &splice->now;
	int16_t ahead = (int16_t)(packet->seq - now->last_seq);

	if (packet->ssrc != now->ssrc) { /* another sender by the same clock */
		now->ssrc = packet->ssrc;
		splice->ssrc = packet->ssrc;
	} else if (ahead < 0 && ahead >= -MISORDER_MAX) {
		return;
	}
	count_to(splice, now, ticks_at(now, packet->timestamp));
	now->last_timestamp = packet->timestamp;
	now->last_seq = packet->seq;
	splice->last_arrival_ns = arrival_ns;
}

void splice_packet(struct splice *splice, struct rtp_packet *packet, uint32_t *duration,
	uint32_t clock_rate, uint64_t arrival_ns)
{
	const struct splice_part *part = &splice->now;
	int64_t ticks, begins, ends;

	if (is_of_before(splice, packet, clock_rate)) {
		part = &splice->before;
	} else {
		if (!part->set || clock_rate != part->clock_rate)
			begin(splice, packet, clock_rate, arrival_ns);
		note(splice, packet, arrival_ns);
	}

	/* from the ends' difference, so that what follows on each other does so in the row, too */
	ticks = ticks_at(part, packet->timestamp);
	begins = row_ticks(splice, part, ticks);
	ends = row_ticks(splice, part, ticks + *duration);
	packet->seq = (uint16_t)(packet->seq + part->seq_shift);
	packet->timestamp = part->start + (uint32_t)begins;
	packet->ssrc = splice->ssrc;
	*duration = (uint32_t)(ends - begins);
	if (part == &splice->now)
		splice->last_duration = *duration;
}
