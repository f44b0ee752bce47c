/*
 * When RTCP reports are due (RFC 3550, sections 6.2, 6.3 and appendix A.7): so that those of all
 * together take a twentieth of the session's bandwidth, are never close together, and fall in step
 * with nobody's. A part of core/rtp/session, whose thread it runs on; a plain value that decides
 * and has neither clock nor dice: times and chance are arguments.
 *
 * A session has two members, we and the far end, who may be gone, or not have come yet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
	double bandwidth;    /* for RTCP, octets a second */
	double average_size; /* of the datagrams with RTCP, both ways, octets with all headers */
	bool reported;       /* we have, once */
	uint64_t last_ns;    /* when we did, or began; RFC 3550's tp */
	uint64_t before_ns;  /* and the time before that */
	uint64_t next_ns;    /* when to ask interval_due(); tn */
	unsigned reckoned;   /* members as next_ns was planned; pmembers */
	bool far;            /* the far end is a member, */
	bool far_sends;      /* and a sender */
	uint64_t far_ns;     /* when it was last heard, by RTP or RTCP, */
	uint64_t far_rtp_ns; /* and by RTP */
};

/* Who takes part, we included. */
struct interval_members {
	unsigned members; /* > 0 */
	unsigned senders; /* <= members */
	bool we_send;
};

/*
 * What the bandwidth, octets a second, > 0, leaves between two reports of a member, in seconds,
 * where each is of size octets: without least interval or chance (section 6.3.1).
 */
double interval_share(struct interval_members of, double bandwidth, double size);

/* Begins at now_ns. bandwidth: of the session, octets a second with all headers, > 0. */
void interval_begin(struct interval *interval, uint32_t bandwidth, uint64_t now_ns);

/* The session's bandwidth has become another; what is planned stays planned. */
void interval_set_bandwidth(struct interval *interval, uint32_t bandwidth);

/* Something came from the far end: RTP, or RTCP. */
void interval_heard_rtp(struct interval *interval, uint64_t now_ns);
void interval_heard_rtcp(struct interval *interval, uint64_t now_ns);

/* It said goodbye: what is planned comes nearer, as there are fewer (section 6.3.4). */
void interval_left(struct interval *interval, uint64_t now_ns);

/* Takes in the size of an RTCP datagram that came or was sent, in octets without UDP's header. */
void interval_measure(struct interval *interval, size_t size);

/* A report of ours was sent; interval_plan() is to follow. */
void interval_sent(struct interval *interval, uint64_t now_ns);

/* Plans the next. random: any number, each as likely as the others; we_send: RTP, of late. */
void interval_plan(struct interval *interval, bool we_send, uint32_t random);

/*
 * next_ns has come: whether a report is to be sent now. If not, it is planned anew; in both cases
 * whoever has not been heard for long is no member any more (sections 6.3.5 and 6.3.6).
 */
bool interval_due(struct interval *interval, uint64_t now_ns, bool we_send, uint32_t random);
