#include "tests/unit/rtp_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

struct rtp_session *new_session(uint32_t ssrc)
{
	struct rtp_session_config config = {ssrc, 65534, 0xffffff00, 8000, "me"};
	struct rtp_session *session;

	assert_int_equal(rtp_session_new(&session, &config), 0);
	return session;
}

struct rtp_stats stats_of(const struct rtp_session *session)
{
	struct rtp_stats stats;

	rtp_session_stats(&stats, session);
	return stats;
}

int receive(struct rtp_session *session, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
	uint64_t arrival_ns)
{
	static const uint8_t payload[FRAME];
	struct rtp_packet packet = {
		.seq = seq, .timestamp = timestamp, .ssrc = ssrc, .payload = {payload, FRAME}};
	struct rtp_packet out = {.csrc_count = 9};
	uint8_t room[RTP_HEADER_SIZE + FRAME];
	struct buf datagram = {.data = room, .size = sizeof(room)};
	int err;

	assert_int_equal(rtp_packet_print(&datagram, &packet), 0);
	err = rtp_session_receive(&out, session, (struct slice){room, datagram.len}, arrival_ns);
	assert_int_equal(out.csrc_count, err ? 9 : 0);
	if (!err)
		assert_int_equal(out.seq, seq);
	return err;
}

int receive_seq(struct rtp_session *session, uint32_t ssrc, uint16_t seq)
{
	return receive(session, ssrc, seq, seq * (uint32_t)FRAME, seq * 20 * MS);
}

void send_frame(struct rtp_session *session, uint32_t frame, uint64_t now_ns)
{
	static const uint8_t payload[FRAME];
	uint8_t room[RTP_HEADER_SIZE + FRAME];
	struct buf out = {.data = room, .size = sizeof(room)};

	assert_int_equal(rtp_session_send(&out, session, 0, false, frame * FRAME,
				 (struct slice){payload, FRAME}, now_ns),
		0);
}

void report(struct report *out, struct rtp_session *session, uint64_t now_ns, bool bye)
{
	struct buf room = {.data = out->room, .size = sizeof(out->room)};
	struct rtcp_reader reader;
	size_t count = 0;

	assert_int_equal(rtp_session_report(&room, session, now_ns, WALL + now_ns, bye), 0);
	out->len = room.len;
	assert_int_equal(rtcp_parse(&reader, (struct slice){room.data, room.len}), 0);
	while (rtcp_next(&out->items[count], &reader)) {
		out->kinds[count] = "SRBNG"[out->items[count].kind];
		count++;
	}
	out->kinds[count] = 0;
}

int hear_report(struct rtp_session *session, const struct report *report, uint64_t arrival_ns)
{
	return rtp_session_rtcp(session, (struct slice){report->room, report->len}, arrival_ns);
}
