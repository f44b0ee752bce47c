/*
 * One row of packets, by one clock, out of what a sender sends by one clock after another: it
 * changes with the codec, with its SSRC (RFC 7160, section 4.1) or, of older phones, without
 * (section 3.2). Where the clock changes, what comes follows on what came before, in number and in
 * time; so those who take packets in order and in time need not know. A plain value; it belongs to
 * whoever hears the sender, on one thread.
 */
#pragma once

#include "core/rtp/packet.h"

#include <stdbool.h>
#include <stdint.h>

/* What was sent by one clock. */
struct splice_part {
	bool set;
	uint32_t clock_rate;
	uint32_t ssrc;
	uint16_t first_seq; /* as it came, as are all here */
	uint16_t last_seq;
	uint32_t last_timestamp;
	int64_t last_ticks; /* of this clock, from: */
	uint32_t start;     /* by the clock of the row */
	uint16_t seq_shift; /* from what came to what goes out */
};

struct splice {
	uint32_t clock_rate;
	struct splice_part now, before;
	uint32_t ssrc; /* of the row */
	uint64_t last_arrival_ns;
	uint32_t last_duration; /* ticks of the row */
};

/* clock_rate: of the row, > 0. What comes by it first goes through as it is. */
void splice_init(struct splice *splice, uint32_t clock_rate);

/*
 * Puts packet, which lasts *duration ticks of clock_rate, into its place in the row: number,
 * timestamp, SSRC and *duration are then those of the row.
 */
void splice_packet(struct splice *splice, struct rtp_packet *packet, uint32_t *duration,
	uint32_t clock_rate, uint64_t arrival_ns);
