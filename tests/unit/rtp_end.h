/* One end of an RTP session for unit tests: what it receives, sends and reports, made by hand. */
#pragma once

#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define WALL (UINT64_C(1790000000) * S) /* when now is 0; in 2026 */

enum {
	OURS = 0x0a,
	THEIRS = 0x0b,
	OTHER = 0x0c,
	FRAME = 160, /* ticks and bytes */
};

/* Of 8000 Hz, named "me"; it numbers its packets from 65534. */
struct rtp_session *new_session(uint32_t ssrc);

struct rtp_stats stats_of(const struct rtp_session *session);

/* What rtp_session_receive() returns of such a packet. */
int receive(struct rtp_session *session, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint64_t arrival_ns);

/* One of the stream, in time; the sequence is what is looked at. */
int receive_seq(struct rtp_session *session, uint32_t ssrc, uint16_t seq);

void send_frame(struct rtp_session *session, uint32_t frame, uint64_t now_ns);

/* What the last report of session holds: its items, and one of each kind. */
struct report {
	char kinds[8];
	struct rtcp_item items[8];
	uint8_t room[256];
	size_t len;
};

void report(struct report *out, struct rtp_session *session, uint64_t now_ns, bool bye);

/* What rtp_session_rtcp() returns of it. */
int hear_report(struct rtp_session *session, const struct report *report, uint64_t arrival_ns);
