/*
 * One RTCP datagram as it stands on the wire (RFC 3550, section 6): a compound of sender and
 * receiver reports, CNAMEs and goodbyes, read one item at a time, and printed one packet after the
 * other.
 *
 * What an item means for the stream, rtp/session decides. Nothing is allocated or kept, so any
 * thread may call; in a running phone it is the media thread.
 */
#pragma once

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	RTCP_BLOCKS_MAX = 31, /* the count has five bits */
	RTCP_TEXT_MAX = 255,  /* a CNAME or a reason: the length has eight */
};

/* What a receiver says of one source (RFC 3550, section 6.4.1). */
struct rtcp_block {
	uint32_t ssrc;         /* the source it speaks of */
	uint8_t fraction_lost; /* of 256, since its report before */
	int32_t lost;          /* in all, -2^23..2^23-1; below 0 with duplicates */
	uint32_t highest_seq;  /* extended by the cycles */
	uint32_t jitter;       /* in ticks of the source's clock */
	uint32_t lsr;          /* middle of the NTP time of the source's last report, 0: none */
	uint32_t dlsr;         /* since it came, in 1/65536 s */
};

/* What a sender says of itself. */
struct rtcp_sender {
	uint64_t ntp;       /* when it was sent: seconds since 1900 in the upper half */
	uint32_t timestamp; /* the same moment in ticks of the stream */
	uint32_t packets;
	uint32_t octets; /* of payload */
};

enum rtcp_kind {
	RTCP_SENDER,   /* a sender report begins */
	RTCP_RECEIVER, /* a receiver report begins */
	RTCP_BLOCK,    /* one block of the report that began */
	RTCP_CNAME,
	RTCP_BYE,
};

struct rtcp_item {
	enum rtcp_kind kind;
	uint32_t ssrc;             /* who says it; of RTCP_BYE and RTCP_CNAME: of whom it is said */
	struct rtcp_sender sender; /* RTCP_SENDER only */
	struct rtcp_block block;   /* RTCP_BLOCK only */
	struct slice text;         /* RTCP_CNAME: the name; RTCP_BYE: the reason, mostly empty */
};

/* Where the reading stands. Its slices borrow the datagram. */
struct rtcp_reader {
	struct slice rest; /* packets not begun yet */
	struct slice body; /* of the packet at hand: what is not read yet */
	uint8_t type;
	uint8_t left; /* blocks, chunks or sources of the packet at hand */
	bool in_chunk;
	uint32_t ssrc;
	struct slice reason;
};

/*
 * Begins to read a datagram. Returns -EPROTO, with out untouched, unless all of it is sound:
 * version 2, a report first or a reduced size (RFC 5506), lengths that add up (RFC 3550,
 * section 6.1 and appendix A.2), and in the packets that we know every count and length kept.
 * Packets of other types are passed over.
 */
int rtcp_parse(struct rtcp_reader *out, struct slice datagram);

/* Reads the next item. Returns false, with out untouched, at the end. */
bool rtcp_next(struct rtcp_item *out, struct rtcp_reader *reader);

/*
 * Each appends one packet to out, or returns -ENOBUFS and leaves its length as it was. More blocks
 * than RTCP_BLOCKS_MAX and texts over RTCP_TEXT_MAX are the caller's mistake and are asserted; a
 * number of lost packets that 24 bits do not hold is printed as the nearest that they do.
 */
int rtcp_print_sender(struct buf *out, uint32_t ssrc, const struct rtcp_sender *sender,
	const struct rtcp_block *blocks, size_t count);
int rtcp_print_receiver(
	struct buf *out, uint32_t ssrc, const struct rtcp_block *blocks, size_t count);
int rtcp_print_cname(struct buf *out, uint32_t ssrc, struct slice cname);
int rtcp_print_bye(struct buf *out, uint32_t ssrc);
