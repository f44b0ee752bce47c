/*
 * One RTP stream each way between two ends (RFC 3550): a source of ours, which numbers and counts
 * what it sends, and the far end's, whose packets are checked, told from strays and counted; and
 * the reports that both exchange by RTCP.
 *
 * It sees neither socket nor clock: datagrams go in and out as bytes, and the time is an argument,
 * in nanoseconds of a clock that never goes back; wall_ns counts from 1970. Whose address a
 * datagram came from, and that it was encrypted as asked, its caller has checked. A session belongs
 * to whoever made it and is used by one thread; in a running phone the media thread.
 */
#pragma once

#include "core/base/bytes.h"
#include "core/rtp/packet.h"

#include <stdbool.h>
#include <stdint.h>

struct rtp_session;

/* The first three are to be drawn at random, so that nobody can guess them (RFC 3550, section 5.1).
 */
struct rtp_session_config {
	uint32_t ssrc;
	uint16_t first_seq;
	uint32_t first_timestamp;
	uint32_t clock_rate; /* ticks a second, both ways until another is told; > 0 */
	const char *cname;   /* 1..255 bytes, copied (RFC 7022) */
};

struct rtp_stats {
	uint64_t packets_sent;
	uint64_t octets_sent;      /* of payload, as are all octets */
	uint64_t packets_received; /* without duplicates */
	uint64_t octets_received;
	/* Expected less received. A packet from before the first that came makes it -1. */
	int64_t lost;
	uint64_t duplicates;
	uint64_t out_of_order;
	uint64_t refused; /* not RTP, or not (yet) believed to be of the stream */
	double jitter_ms; /* between arrivals, smoothed (RFC 3550, section 6.4.1) */
	uint64_t rtt_ns;  /* to the far end and back, as last measured; 0: not known */

	/* The far end's view of what we send, from its last report; all 0 before it. */
	uint64_t remote_reports;
	double remote_lost_fraction; /* 0..1, since its report before */
	double remote_loss;          /* 0..1, over its reports: up at once, down by and by */
	int32_t remote_lost;
	double remote_jitter_ms;
	bool bye; /* the far end's source has said goodbye and sent nothing since */
};

/* Returns -ENOMEM, with out untouched, if there is too little memory. Wrong config is asserted. */
int rtp_session_new(struct rtp_session **out, const struct rtp_session_config *config);

/* NULL is allowed. */
void rtp_session_free(struct rtp_session *session);

/*
 * Appends the next packet to out and counts it as sent. timestamp is the payload's place in ticks
 * since the stream began: first_timestamp is added here. Returns -ENOBUFS, with nothing changed, if
 * it does not fit.
 */
int rtp_session_send(struct buf *out, struct rtp_session *session, uint8_t payload_type,
	bool marker, uint32_t timestamp, struct slice payload, uint64_t now_ns);

/*
 * Reads a datagram that arrived at arrival_ns; the slices in out borrow it. Returns 0 for a packet
 * of the stream; -EALREADY for one that came before; -EPROTO for what is no RTP, or does not belong
 * here. In the two latter cases out is untouched.
 *
 * The first packet of all is believed at once, though RFC 3550, appendix A.1, would wait for a
 * second: the first words of a call are worth more than a stray, which would be found out by what
 * follows. Another source, or a jump of the sequence, is taken over with the second packet in order
 * that is not interrupted by one of the stream so far. A source by another clock that was told is
 * what a far end goes on as that changes its clock (RFC 7160, section 4.1), and is believed at
 * once, unless it is the one that was just left.
 */
int rtp_session_receive(struct rtp_packet *out, struct rtp_session *session, struct slice datagram,
	uint64_t arrival_ns);

/*
 * Packets of theirs with that payload type, 0..127, count by that clock, in ticks a second, > 0.
 * Those of which this was never told count by that of the config.
 */
void rtp_session_expect(struct rtp_session *session, uint8_t payload_type, uint32_t clock_rate);

/*
 * What the far end sends next may go on, jump or begin anew: after a hold, or from elsewhere. The
 * next packet is believed at once, and what lies between is no loss.
 */
void rtp_session_resume(struct rtp_session *session);

/*
 * Whether the far end has been found to use our SSRC (RFC 3550, section 8.2). Its answer is a last
 * report with BYE and rtp_session_rename(). What a far end reflects, as echo services do, is no
 * collision, and is heard; and a far end that takes each new name of ours is left alone in the end.
 */
bool rtp_session_collided(const struct rtp_session *session);

/* Goes on as another source; ssrc by chance. */
void rtp_session_rename(struct rtp_session *session, uint32_t ssrc);

/*
 * Goes on by another clock, which is what another source does, each time (RFC 7160, section 4.1): a
 * last report with BYE is to come before this. ssrc by chance; timestamp: where the next packet's
 * lies, at now_ns, in ticks of the new clock.
 */
void rtp_session_turn(struct rtp_session *session, uint32_t ssrc, uint32_t clock_rate,
	uint32_t timestamp, uint64_t now_ns);

void rtp_session_stats(struct rtp_stats *out, const struct rtp_session *session);

/* The source that we hear. Returns false, with out untouched, while there is none. */
bool rtp_session_remote(uint32_t *out, const struct rtp_session *session);

/*
 * Appends one compound datagram to out: a report of ours (SR if we sent anything in the last two
 * intervals, else RR), our CNAME, and BYE if asked for. A session of two is left at once (RFC 3550,
 * section 6.3.7). Returns, with nothing changed, -ENOBUFS if it does not fit, and -ENODATA for a
 * BYE of whom nobody has heard.
 */
int rtp_session_report(
	struct buf *out, struct rtp_session *session, uint64_t now_ns, uint64_t wall_ns, bool bye);

/*
 * Reads an RTCP datagram that arrived at arrival_ns. Returns -EPROTO, with nothing changed, if it
 * is not a sound compound. What a source with our own SSRC says is our echo and is passed over.
 */
int rtp_session_rtcp(struct rtp_session *session, struct slice datagram, uint64_t arrival_ns);

/*
 * From now_ns on reports are planned (core/rtp/interval.h). bandwidth: of both ends' RTP, octets a
 * second with all headers, > 0. Here and below random is any number, each as likely as the others.
 */
void rtp_session_start_reports(
	struct rtp_session *session, uint32_t bandwidth, uint64_t now_ns, uint32_t random);
void rtp_session_set_bandwidth(struct rtp_session *session, uint32_t bandwidth);

/* When to ask rtp_session_report_due(). What comes by rtp_session_rtcp() may change it. */
uint64_t rtp_session_next_report(const struct rtp_session *session);

/*
 * Whether a report is to be sent now, as it was planned; rtp_session_plan_report() is to follow it.
 * If not, the next is planned already.
 */
bool rtp_session_report_due(struct rtp_session *session, uint64_t now_ns, uint32_t random);
void rtp_session_plan_report(struct rtp_session *session, uint32_t random);

/* Which of the two a datagram is that came to a port of both (RFC 5761, section 4). */
bool rtp_is_rtcp(struct slice datagram);
