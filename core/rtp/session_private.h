/*
 * What core/rtp/session.c, which has the RTP of a session, and core/rtp/session_rtcp.c share; for
 * these two only.
 */
#pragma once

#include "core/rtp/interval.h"
#include "core/rtp/session.h"

#define NS_PER_S UINT64_C(1000000000)

enum {
	SEEN_BITS = 128, /* divides 2^16, and holds as many as may come late */
	SEEN_WORD = 64,
	RTP_PAYLOAD_TYPES = 128,
	JITTER_SHIFT = 4,       /* RFC 3550, appendix A.8: a gain of 1/16 */
	REPORTS_REMEMBERED = 4, /* of ours, that the far end may still answer to */
};

/* One of the far end's; RFC 3550, appendix A.1, calls it so. */
struct source {
	bool heard; /* the rest is good */
	bool bye;
	uint32_t ssrc;
	uint32_t highest;  /* sequence number, with its cycles in the upper half */
	uint32_t base;     /* where it began */
	uint64_t received; /* duplicates included, as the reports want it */
	uint64_t duplicates;
	uint64_t expected_prior; /* both as of our last report */
	uint64_t received_prior;
	uint64_t seen[SEEN_BITS / SEEN_WORD]; /* a bit a sequence number, modulo SEEN_BITS */
	uint32_t clock_rate; /* of the last packet, and its timestamp and transit */
	uint32_t timestamp;
	uint32_t transit;
	uint32_t jitter_x16; /* ticks, scaled */
};

/* The start of what may become the stream. */
struct candidate {
	bool set;
	uint32_t ssrc;
	uint16_t next_seq;
};

/* A sender report that came: for the round trip that the far end measures. */
struct heard_report {
	bool set;
	uint32_t ssrc;
	uint32_t ntp_middle;
	uint64_t arrival_ns;
};

/* A sender report of ours: for the round trip that we measure. */
struct sent_report {
	uint32_t ntp_middle;
	uint64_t sent_ns;
};

struct rtp_session {
	uint32_t ssrc;
	uint32_t clock_rate;                      /* of what we send */
	uint32_t their_clocks[RTP_PAYLOAD_TYPES]; /* 0: not told, and taken for: */
	uint32_t usual_clock;
	uint32_t first_timestamp;
	uint16_t next_seq;
	uint32_t last_timestamp; /* of the last packet sent, and when it was */
	uint64_t last_sent_ns;
	uint64_t sent_at_report[2]; /* packets_sent as of our last report, and of the one before */
	uint64_t reports;
	uint64_t packets_before; /* sent under another SSRC, as are */
	uint64_t octets_before;
	uint64_t reports_before;
	bool collided;
	unsigned renames;
	struct sent_report sent_reports[REPORTS_REMEMBERED];
	struct source source;
	bool left; /* a source before this one, whose SSRC was: */
	uint32_t left_ssrc;
	bool resumed; /* the next packet begins the source anew */
	struct candidate candidate;
	struct heard_report heard_report;
	int64_t lost_before; /* by the sources before this one */
	struct rtp_stats stats;
	struct interval interval;
	size_t cname_len;
	uint8_t cname[];
};

/* In two steps, because the product of the whole would overflow after hours. */
static inline uint32_t session_ticks(uint64_t ns, uint32_t clock_rate)
{
	return (uint32_t)(ns / NS_PER_S * clock_rate + ns % NS_PER_S * clock_rate / NS_PER_S);
}

/* An arrival may bear the time of the kernel's clock, a trifle ahead of the now that we were told.
 */
static inline uint64_t session_since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static inline uint64_t session_expected(const struct source *source)
{
	return (uint64_t)(uint32_t)(source->highest - source->base) + 1;
}

static inline double session_ms(uint32_t ticks, uint32_t clock_rate)
{
	return 1e3 * ticks / clock_rate;
}

/* The far end uses our SSRC: it is to be changed, if that has not been tried often enough. */
void session_collide(struct rtp_session *session);
