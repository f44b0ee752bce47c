/* core/rtp/session: what is taken and counted, what the reports say, and when they are due. */
#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define WALL (UINT64_C(1790000000) * S) /* when now is 0; in 2026 */

enum {
	OURS = 0x0a,
	THEIRS = 0x0b,
	OTHER = 0x0c,
	FRAME = 160, /* ticks and bytes */
};

static size_t allocations_left = SIZE_MAX;

/* The linker sends each calloc() of this program to the first, by --wrap=calloc. */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static struct rtp_session *new_session(uint32_t ssrc)
{
	struct rtp_session_config config = {ssrc, 65534, 0xffffff00, 8000, "me"};
	struct rtp_session *session;

	assert_int_equal(rtp_session_new(&session, &config), 0);
	return session;
}

static struct rtp_stats stats_of(const struct rtp_session *session)
{
	struct rtp_stats stats;

	rtp_session_stats(&stats, session);
	return stats;
}

static int receive(struct rtp_session *session, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
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

/* One of the stream, in time; the sequence is what is looked at. */
static int receive_seq(struct rtp_session *session, uint32_t ssrc, uint16_t seq)
{
	return receive(session, ssrc, seq, seq * (uint32_t)FRAME, seq * 20 * MS);
}

/* clang-format off */
#define END {0, 0, 0}
static const struct row {
	const char *name;
	struct {
		uint32_t ssrc;
		uint16_t seq;
		int err;
	} packets[12];
	uint64_t received;
	int64_t lost;
	uint64_t duplicates, out_of_order, refused;
} rows[] = {
	{"in order", {{THEIRS, 1, 0}, {THEIRS, 2, 0}, {THEIRS, 3, 0}, END}, 3, 0, 0, 0, 0},
	{"round the corner", {{THEIRS, 65534, 0}, {THEIRS, 65535, 0}, {THEIRS, 0, 0}, {THEIRS, 1, 0}, END},
		4, 0, 0, 0, 0},
	{"lost", {{THEIRS, 1, 0}, {THEIRS, 4, 0}, END}, 2, 2, 0, 0, 0},
	{"lost round the corner", {{THEIRS, 65534, 0}, {THEIRS, 2, 0}, END}, 2, 3, 0, 0, 0},
	{"late", {{THEIRS, 1, 0}, {THEIRS, 3, 0}, {THEIRS, 2, 0}, {THEIRS, 4, 0}, END}, 4, 0, 0, 1, 0},
	{"late round the corner", {{THEIRS, 65534, 0}, {THEIRS, 0, 0}, {THEIRS, 65535, 0}, END}, 3, 0, 0, 1, 0},
	{"before the first", {{THEIRS, 2, 0}, {THEIRS, 1, 0}, END}, 2, -1, 0, 1, 0},
	{"twice", {{THEIRS, 1, 0}, {THEIRS, 1, -EALREADY}, {THEIRS, 2, 0}, END}, 2, 0, 1, 0, 0},
	{"an old one twice", {{THEIRS, 1, 0}, {THEIRS, 2, 0}, {THEIRS, 3, 0}, {THEIRS, 1, -EALREADY}, END},
		3, 0, 1, 0, 0},
	{"a late one twice", {{THEIRS, 1, 0}, {THEIRS, 3, 0}, {THEIRS, 2, 0}, {THEIRS, 2, -EALREADY}, END},
		3, 0, 1, 1, 0},
	{"bits used again", {{THEIRS, 1, 0}, {THEIRS, 130, 0}, {THEIRS, 129, 0}, {THEIRS, 129, -EALREADY}, END},
		3, 127, 1, 1, 0},
	{"just late enough", {{THEIRS, 200, 0}, {THEIRS, 100, 0}, END}, 2, -1, 0, 1, 0},
	{"too late", {{THEIRS, 200, 0}, {THEIRS, 99, -EPROTO}, {THEIRS, 201, 0}, END}, 2, 0, 0, 0, 1},
	{"widest gap", {{THEIRS, 1, 0}, {THEIRS, 3000, 0}, END}, 2, 2998, 0, 0, 0},
	{"too wide", {{THEIRS, 1, 0}, {THEIRS, 3001, -EPROTO}, {THEIRS, 2, 0}, END}, 2, 0, 0, 0, 1},
	{"a jump", {{THEIRS, 1, 0}, {THEIRS, 3, 0}, {THEIRS, 30000, -EPROTO}, {THEIRS, 30001, 0}, {THEIRS, 30002, 0},
		END}, 4, 1, 0, 0, 1},
	{"a jump not in order", {{THEIRS, 1, 0}, {THEIRS, 30000, -EPROTO}, {THEIRS, 30002, -EPROTO},
		{THEIRS, 30003, 0}, END}, 2, 0, 0, 0, 2},
	{"a jump with talk between", {{THEIRS, 1, 0}, {THEIRS, 30000, -EPROTO}, {THEIRS, 2, 0},
		{THEIRS, 30001, -EPROTO}, {THEIRS, 3, 0}, END}, 3, 0, 0, 0, 2},
	{"another source", {{THEIRS, 1, 0}, {OTHER, 7, -EPROTO}, {OTHER, 8, 0}, {OTHER, 9, 0},
		{THEIRS, 2, -EPROTO}, END}, 3, 0, 0, 0, 2},
	{"two sources at once", {{THEIRS, 1, 0}, {OTHER, 7, -EPROTO}, {THEIRS, 2, 0}, {OTHER, 8, -EPROTO},
		{THEIRS, 3, 0}, {OTHER, 9, -EPROTO}, END}, 3, 0, 0, 0, 3},
	{"one stray each", {{THEIRS, 1, 0}, {OTHER, 7, -EPROTO}, {OTHER + 1, 8, -EPROTO}, END}, 1, 0, 0, 0, 2},
	{"an echo of our own", {{OURS, 1, 0}, {OURS, 2, 0}, END}, 2, 0, 0, 0, 0},
};
/* clang-format on */

static void test_receive_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct rtp_session *session = new_session(OURS);
		struct rtp_stats stats;

		for (size_t n = 0; row->packets[n].ssrc != 0; n++) {
			int err = receive_seq(session, row->packets[n].ssrc, row->packets[n].seq);

			if (err != row->packets[n].err)
				fail_msg("%s: packet %zu: got %d", row->name, n, err);
		}
		stats = stats_of(session);
		if (stats.packets_received != row->received || stats.lost != row->lost)
			fail_msg("%s: received %d, lost %d", row->name, (int)stats.packets_received,
				(int)stats.lost);
		assert_int_equal(stats.octets_received, FRAME * row->received);
		if (stats.duplicates != row->duplicates ||
			stats.out_of_order != row->out_of_order || stats.refused != row->refused)
			fail_msg("%s: wrong counts", row->name);
		rtp_session_free(session);
	}
}

static void test_not_rtp(void **state)
{
	static const uint8_t rtcp[] = "\x80\xc9\0\1\0\0\0\x0b"
				      "moreandmore";
	static const uint8_t brief[] = "\x80\x00\x12";
	struct rtp_session *session = new_session(OURS);
	struct rtp_packet out;
	uint32_t ssrc = 5;

	(void)state;
	assert_int_equal(rtp_session_receive(&out, session, (struct slice){rtcp, 19}, 0), -EPROTO);
	assert_int_equal(rtp_session_receive(&out, session, (struct slice){brief, 3}, 0), -EPROTO);
	assert_int_equal(stats_of(session).refused, 2);
	assert_false(rtp_session_remote(&ssrc, session));
	assert_int_equal(ssrc, 5);
	assert_int_equal(stats_of(session).lost, 0);
	assert_int_equal(receive_seq(session, THEIRS, 1), 0);
	assert_true(rtp_session_remote(&ssrc, session));
	assert_int_equal(ssrc, THEIRS);
	rtp_session_free(session);
}

static void test_is_rtcp(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		uint8_t bytes[] = {0x80, (uint8_t)type};

		assert_int_equal(rtp_is_rtcp((struct slice){bytes, 2}), type >= 192 && type <= 223);
		assert_false(rtp_is_rtcp((struct slice){bytes, 1}));
	}
}

static void test_send(void **state)
{
	static const uint8_t payload[] = "abc";
	struct rtp_session *session = new_session(OURS);
	struct rtp_packet packet;
	uint8_t room[16];

	(void)state;
	for (uint16_t i = 0; i < 4; i++) {
		struct buf tight = {.data = room, .size = 14};
		struct buf out = {.data = room, .size = sizeof(room)};

		assert_int_equal(rtp_session_send(&tight, session, 8, i == 0, i * 160u,
					 (struct slice){payload, 3}, i * 20 * MS),
			-ENOBUFS);
		assert_int_equal(rtp_session_send(&out, session, 8, i == 0, i * 160u,
					 (struct slice){payload, 3}, i * 20 * MS),
			0);
		assert_int_equal(rtp_packet_parse(&packet, (struct slice){room, out.len}), 0);
		assert_int_equal(packet.seq, (uint16_t)(65534 + i));
		assert_int_equal(packet.timestamp, 0xffffff00 + i * 160u);
		assert_int_equal(packet.ssrc, OURS);
		assert_int_equal(packet.payload_type, 8);
		assert_int_equal(packet.marker, i == 0);
		assert_int_equal(packet.payload.len, 3);
	}
	assert_int_equal(stats_of(session).packets_sent, 4);
	assert_int_equal(stats_of(session).octets_sent, 12);
	rtp_session_free(session);
}

static bool near(double a, double b)
{
	return fabs(a - b) < 0.01;
}

/* Every second packet 8 ms late: each transit differs from the one before by 8 ms, 64 ticks. */
static void test_jitter(void **state)
{
	struct rtp_session *session = new_session(OURS);
	uint64_t start =
		UINT64_MAX / 8000 - 10 * MS; /* the ticks of it pass 64 bits of nanoseconds */

	(void)state;
	receive(session, THEIRS, 0, 0, start);
	assert_true(stats_of(session).jitter_ms == 0);
	receive(session, THEIRS, 1, FRAME, start + 28 * MS);
	assert_true(near(stats_of(session).jitter_ms, 0.5)); /* 8 / 16 */
	for (uint16_t i = 2; i < 200; i++)
		receive(session, THEIRS, i, i * (uint32_t)FRAME,
			start + i * 20 * MS + (i % 2 ? 8 * MS : 0));
	assert_true(fabs(stats_of(session).jitter_ms - 8) < 0.1);

	/* a telephone event: packets with one timestamp, and audio going on behind */
	for (uint16_t i = 200; i < 210; i++)
		receive(session, THEIRS, i, 200 * FRAME, start + i * 20 * MS);
	assert_true(stats_of(session).jitter_ms < 8);
	rtp_session_free(session);
}

static void test_jitter_of_a_new_clock(void **state)
{
	struct rtp_session *session = new_session(OURS);

	(void)state;
	receive(session, THEIRS, 0, 0, 0);
	receive(session, THEIRS, 1, 0x70000000, 20 * MS);
	receive(session, THEIRS, 2, 0x70000000 + FRAME, 40 * MS);
	assert_true(stats_of(session).jitter_ms == 0);

	/* another source starts with none, too */
	receive(session, THEIRS, 3, 0x70000000 + 2 * FRAME, 160 * MS);
	assert_true(near(stats_of(session).jitter_ms, 6.25));
	receive(session, OTHER, 500, 0, 180 * MS);
	receive(session, OTHER, 501, FRAME, 200 * MS);
	assert_true(stats_of(session).jitter_ms == 0);
	rtp_session_free(session);
}

/* What the last report of session holds: its items, and one of each kind. */
struct report {
	char kinds[8];
	struct rtcp_item items[8];
	uint8_t room[256];
	size_t len;
};

static void report(struct report *out, struct rtp_session *session, uint64_t now_ns, bool bye)
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

static void send_frame(struct rtp_session *session, uint32_t frame, uint64_t now_ns)
{
	static const uint8_t payload[FRAME];
	uint8_t room[RTP_HEADER_SIZE + FRAME];
	struct buf out = {.data = room, .size = sizeof(room)};

	assert_int_equal(rtp_session_send(&out, session, 0, false, frame * FRAME,
				 (struct slice){payload, FRAME}, now_ns),
		0);
}

/* RFC 3550, section 6.4: SR for two intervals after the last packet, a block while we hear. */
static void test_report_kinds(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	report(&out, session, 0, false);
	assert_string_equal(out.kinds, "RN");
	assert_int_equal(out.items[0].ssrc, OURS);
	assert_int_equal(out.items[1].text.len, 2);
	assert_memory_equal(out.items[1].text.data, "me", 2);
	send_frame(session, 0, 0);
	report(&out, session, 1 * S, false);
	assert_string_equal(out.kinds, "SN");
	report(&out, session, 2 * S, false);
	assert_string_equal(out.kinds, "SN");
	report(&out, session, 3 * S, false);
	assert_string_equal(out.kinds, "RN");
	receive_seq(session, THEIRS, 1);
	report(&out, session, 4 * S, false);
	assert_string_equal(out.kinds, "RBN");
	assert_int_equal(out.items[1].block.ssrc, THEIRS);
	report(&out, session, 5 * S, true);
	assert_string_equal(out.kinds, "RNG");
	assert_int_equal(out.items[2].ssrc, OURS);
	rtp_session_free(session);
}

static void test_sender_info(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	send_frame(session, 0, 1 * S);
	send_frame(session, 1, 1 * S + 20 * MS);
	report(&out, session, 1 * S + 520 * MS, false);
	assert_int_equal(out.items[0].sender.packets, 2);
	assert_int_equal(out.items[0].sender.octets, 2 * FRAME);
	/* the moment of the report on the stream's clock: half a second after the second frame */
	assert_int_equal(out.items[0].sender.timestamp, (uint32_t)(0xffffff00 + FRAME + 4000));
	assert_int_equal(out.items[0].sender.ntp >> 32, 1790000000 + 2208988800 + 1);
	assert_int_equal((uint32_t)out.items[0].sender.ntp >> 16, 65536 * 52 / 100);
	rtp_session_free(session);
}

/* RFC 3550, appendix A.3; a duplicate counts as received, and may make up for a lost one. */
static void test_block(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	receive_seq(session, THEIRS, 65535);
	receive_seq(session, THEIRS, 3); /* 0, 1, 2 are lost: 3 of 5 */
	report(&out, session, 1 * S, false);
	assert_int_equal(out.items[1].block.fraction_lost, 256 * 3 / 5);
	assert_int_equal(out.items[1].block.lost, 3);
	assert_int_equal(out.items[1].block.highest_seq, 0x10003);
	assert_int_equal(out.items[1].block.lsr, 0);
	assert_int_equal(out.items[1].block.dlsr, 0);
	receive_seq(session, THEIRS, 4);
	receive_seq(session, THEIRS, 6); /* 1 of 3 */
	report(&out, session, 2 * S, false);
	assert_int_equal(out.items[1].block.fraction_lost, 256 / 3);
	assert_int_equal(out.items[1].block.lost, 4);
	for (int i = 0; i < 5; i++)
		receive_seq(session, THEIRS, 6);
	report(&out, session, 3 * S, false);
	assert_int_equal(out.items[1].block.fraction_lost, 0);
	assert_int_equal(out.items[1].block.lost, -1);
	assert_int_equal(stats_of(session).lost, 4); /* what a person is told is the truth */
	receive_seq(session, THEIRS, 7);
	for (int i = 0; i < 4; i++)
		receive_seq(session, THEIRS, 8);
	report(&out, session, 4 * S, false);
	assert_int_equal(out.items[1].block.fraction_lost, 0); /* 2 expected, 5 came */
	rtp_session_free(session);
}

static void test_block_jitter(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	receive(session, THEIRS, 0, 0, 0);
	receive(session, THEIRS, 1, FRAME, 60 * MS);
	report(&out, session, 1 * S, false);
	assert_int_equal(out.items[1].block.jitter, 20); /* 40 ms / 16 = 2.5 ms */
	rtp_session_free(session);
}

/* A room for one of the two ends, which hear each other and report with a delay of 30 ms a way. */
static void test_round_trip(void **state)
{
	struct rtp_session *a = new_session(OURS), *b = new_session(THEIRS);
	struct report from_a, from_b;

	(void)state;
	receive_seq(a, THEIRS, 1);
	receive_seq(b, OURS, 1);
	receive_seq(b, OURS, 3);
	send_frame(a, 0, 0);
	report(&from_a, a, 100 * S, false);
	assert_int_equal(
		rtp_session_rtcp(b, (struct slice){from_a.room, from_a.len}, 100 * S + 30 * MS), 0);
	report(&from_b, b, 102 * S + 30 * MS, false);
	assert_int_equal(from_b.items[1].block.dlsr, 2 * 65536);
	assert_int_equal(stats_of(a).rtt_ns, 0);
	assert_int_equal(
		rtp_session_rtcp(a, (struct slice){from_b.room, from_b.len}, 102 * S + 60 * MS), 0);
	assert_true(fabs((double)stats_of(a).rtt_ns / MS - 60) < 0.1);
	assert_int_equal(stats_of(a).remote_reports, 1);
	assert_true(near(stats_of(a).remote_lost_fraction, 1 / 3.0));
	assert_int_equal(stats_of(a).remote_lost, 1);
	assert_int_equal(stats_of(b).remote_reports, 1);
	rtp_session_free(a);
	rtp_session_free(b);
}

/* What a block with that LSR and DLSR, 2 s after our last of six reports, makes of the round trip.
 */
static uint64_t rtt_of(
	unsigned int reports_ago, uint32_t lsr_error, uint32_t dlsr, uint32_t from, uint32_t about)
{
	struct rtp_session *session = new_session(OURS);
	struct rtcp_block block = {.ssrc = about, .dlsr = dlsr, .jitter = 80};
	uint8_t room[64];
	struct buf out = {.data = room, .size = sizeof(room)};
	struct report report_out;
	uint64_t rtt_ns;

	for (unsigned int i = 0; i < 6; i++) {
		send_frame(session, i, i * S);
		report(&report_out, session, i * S, false);
		if (i == 5 - reports_ago)
			block.lsr = (uint32_t)(report_out.items[0].sender.ntp >> 16) + lsr_error;
	}
	assert_int_equal(rtcp_print_receiver(&out, from, &block, 1), 0);
	assert_int_equal(rtp_session_rtcp(session, (struct slice){room, out.len}, 7 * S), 0);
	rtt_ns = stats_of(session).rtt_ns;
	assert_int_equal(stats_of(session).remote_reports, from == THEIRS && about == OURS);
	assert_true(
		near(stats_of(session).remote_jitter_ms, from == THEIRS && about == OURS ? 10 : 0));
	rtp_session_free(session);
	return rtt_ns;
}

static void test_round_trip_table(void **state)
{
	(void)state;
	assert_int_equal(rtt_of(0, 0, 0, THEIRS, OURS), 2 * S);
	assert_int_equal(rtt_of(0, 0, 65536, THEIRS, OURS), 1 * S);
	assert_int_equal(rtt_of(0, 0, 2 * 65536, THEIRS, OURS), 1); /* at once: not 0, unknown */
	assert_int_equal(rtt_of(0, 0, 2 * 65536 + 1, THEIRS, OURS), 0); /* back before it left */
	assert_int_equal(rtt_of(0, 0, UINT32_MAX, THEIRS, OURS), 0);
	assert_int_equal(rtt_of(3, 0, 65536, THEIRS, OURS), 4 * S); /* an answer to an older one */
	assert_int_equal(rtt_of(5, 0, 65536, THEIRS, OURS), 0);     /* to one forgotten */
	assert_int_equal(rtt_of(0, 1, 0, THEIRS, OURS), 0);         /* to none of ours */
	assert_int_equal(rtt_of(0, 0, 0, THEIRS, OTHER), 0);        /* not about us */
	assert_int_equal(rtt_of(0, 0, 0, OURS, OURS), 0);           /* our echo */
}

/* The longest round trip that is believed; and the wall clock, set while a report was on its way.
 */
static void test_round_trip_limits(void **state)
{
	static const uint64_t after_s[] = {60, 61};

	(void)state;
	for (size_t i = 0; i < COUNT(after_s); i++) {
		struct rtp_session *session = new_session(OURS);
		struct rtcp_block block = {.ssrc = OURS};
		uint8_t room[128];
		struct buf out = {.data = room, .size = sizeof(room)};
		struct report sent;

		send_frame(session, 0, 0);
		report(&sent, session, 1 * S, false);
		block.lsr = (uint32_t)(sent.items[0].sender.ntp >> 16);
		send_frame(session, 1, 1 * S);
		assert_int_equal(
			rtp_session_report(&out, session, 2 * S, WALL - 999 * S, false), 0);
		out.len = 0;
		assert_int_equal(rtcp_print_receiver(&out, THEIRS, &block, 1), 0);
		assert_int_equal(rtp_session_rtcp(session, (struct slice){room, out.len},
					 (1 + after_s[i]) * S),
			0);
		assert_int_equal(stats_of(session).rtt_ns, after_s[i] > 60 ? 0 : 60 * S);
		rtp_session_free(session);
	}
}

static void test_bye(void **state)
{
	struct rtp_session *session = new_session(OURS), *theirs = new_session(THEIRS);
	struct report out;

	(void)state;
	report(&out, theirs, 0, true);
	receive_seq(session, OTHER, 1);
	assert_int_equal(rtp_session_rtcp(session, (struct slice){out.room, out.len}, 0), 0);
	assert_false(stats_of(session).bye); /* somebody else's */
	receive_seq(session, THEIRS, 1);
	receive_seq(session, THEIRS, 2);
	assert_int_equal(rtp_session_rtcp(session, (struct slice){out.room, out.len}, 0), 0);
	assert_true(stats_of(session).bye);
	assert_int_equal(
		rtp_session_rtcp(session, (struct slice){out.room, out.len - 1}, 0), -EPROTO);
	receive_seq(session, THEIRS, 3);
	assert_false(stats_of(session).bye);
	rtp_session_free(session);
	rtp_session_free(theirs);
}

/* DLSR belongs to the source whose report it was, and is at most what its 32 bits hold. */
static void test_dlsr(void **state)
{
	struct rtp_session *session = new_session(OURS), *theirs = new_session(THEIRS);
	struct report out, ours;

	(void)state;
	send_frame(theirs, 0, 0);
	report(&out, theirs, 0, false);
	assert_int_equal(rtp_session_rtcp(session, (struct slice){out.room, out.len}, 5 * S), 0);
	receive_seq(session, THEIRS, 1);
	report(&ours, session, 5 * S - 1, false); /* a trifle before: none */
	assert_int_equal(ours.items[1].block.lsr, (uint32_t)(out.items[0].sender.ntp >> 16));
	assert_int_equal(ours.items[1].block.dlsr, 0);
	receive_seq(session, THEIRS, 2);
	report(&ours, session, 5 * S + 65535 * S + 500 * MS, false);
	assert_int_equal(ours.items[1].block.dlsr, 0xffff8000);
	receive_seq(session, THEIRS, 3);
	report(&ours, session, 5 * S + 65536 * S, false);
	assert_int_equal(ours.items[1].block.dlsr, UINT32_MAX);
	receive_seq(session, OTHER, 1);
	receive_seq(session, OTHER, 2);
	report(&ours, session, 5 * S + 65536 * S, false);
	assert_int_equal(ours.items[1].block.ssrc, OTHER);
	assert_int_equal(ours.items[1].block.lsr, 0);
	rtp_session_free(session);
	rtp_session_free(theirs);
}

static void test_report_room(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report whole;

	(void)state;
	send_frame(session, 0, 0);
	receive_seq(session, THEIRS, 1);
	for (size_t size = 0; size < 28 + 24 + 16 + 8; size++) {
		uint8_t *tight = malloc(size);
		struct buf out = {.data = tight, .size = size};

		assert_int_equal(rtp_session_report(&out, session, 0, WALL, true), -ENOBUFS);
		assert_int_equal(out.len, 0);
		free(tight);
	}
	report(&whole, session, 0, true); /* none of those counted as a report */
	assert_string_equal(whole.kinds, "SBNG");
	assert_int_equal(whole.len, 28 + 24 + 16 + 8);
	rtp_session_free(session);
}

/* Nothing of a pause is lost, however the far end numbers what comes after it. */
static void test_resume(void **state)
{
	static const struct {
		uint32_t ssrc;
		uint16_t seq;
	} after[] = {{THEIRS, 3}, {THEIRS, 900}, {THEIRS, 40000}, {THEIRS, 1}, {OTHER, 7}};

	(void)state;
	for (size_t i = 0; i < COUNT(after); i++) {
		struct rtp_session *session = new_session(OURS);

		assert_int_equal(receive_seq(session, THEIRS, 1), 0);
		assert_int_equal(receive_seq(session, THEIRS, 3), 0);
		rtp_session_resume(session);
		assert_int_equal(receive_seq(session, after[i].ssrc, after[i].seq), 0);
		assert_int_equal(
			receive_seq(session, after[i].ssrc, (uint16_t)(after[i].seq + 2)), 0);
		assert_int_equal(stats_of(session).lost, 2);
		assert_int_equal(stats_of(session).packets_received, 4);
		rtp_session_free(session);
	}
}

static void send_one(struct rtp_session *session)
{
	uint8_t room[RTP_HEADER_SIZE];
	struct buf out = {.data = room, .size = sizeof(room)};

	assert_int_equal(rtp_session_send(&out, session, 0, false, 0, (struct slice){0}, 0), 0);
}

/* RFC 3550, section 8.2; new_session() numbers its packets from 65534. */
static void test_collision(void **state)
{
	struct rtp_session *session = new_session(OURS);

	(void)state;
	send_one(session);
	send_one(session);
	assert_int_equal(receive_seq(session, OURS, 65534), 0);
	assert_int_equal(receive_seq(session, OURS, 65535), 0);
	assert_false(rtp_session_collided(session)); /* our own, reflected */
	assert_int_equal(receive_seq(session, OURS, 0), 0);
	assert_true(rtp_session_collided(session)); /* not sent by us */

	for (uint32_t ssrc = 100; ssrc < 104; ssrc++) {
		assert_true(rtp_session_collided(session));
		rtp_session_rename(session, ssrc);
		assert_false(rtp_session_collided(session));
		receive_seq(session, ssrc, 30000);
		receive_seq(session, ssrc, 30001);
	}
	assert_false(rtp_session_collided(session)); /* it follows us on purpose */
	assert_int_equal(stats_of(session).packets_sent, 2);
	rtp_session_free(session);
}

static void test_collision_by_name(void **state)
{
	static const struct {
		const char *cname;
		uint32_t ssrc;
		bool collides;
	} rows_of_names[] = {{"me", OURS, false}, {"you", OURS, true}, {"mee", OURS, true},
		{"us", OURS, true}, {"you", THEIRS, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows_of_names); i++) {
		struct rtp_session *session = new_session(OURS);
		const char *cname = rows_of_names[i].cname;
		uint8_t room[64];
		struct buf out = {.data = room, .size = sizeof(room)};

		/* of reduced size */
		assert_int_equal(rtcp_print_cname(&out, rows_of_names[i].ssrc,
					 (struct slice){(const uint8_t *)cname, strlen(cname)}),
			0);
		assert_int_equal(rtp_session_rtcp(session, (struct slice){room, out.len}, S), 0);
		assert_int_equal(rtp_session_collided(session), rows_of_names[i].collides);
		rtp_session_free(session);
	}
}

static void test_next_report(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	/* 2.5 s and then 5 s, times 0.5 .. 1.5, over e - 3/2 */
	assert_true(near((double)rtp_session_next_report(session, 9 * S, 0) / S, 10.026));
	assert_true(near((double)rtp_session_next_report(session, 9 * S, UINT32_MAX) / S, 12.078));
	report(&out, session, 0, false);
	assert_true(near((double)rtp_session_next_report(session, 9 * S, 0) / S, 11.052));
	assert_true(near((double)rtp_session_next_report(session, 9 * S, 1u << 31) / S, 13.104));
	assert_true(near((double)rtp_session_next_report(session, 9 * S, UINT32_MAX) / S, 15.156));
	rtp_session_free(session);
}

static void test_no_memory(void **state)
{
	struct rtp_session_config config = {1, 2, 3, 8000, "me"};
	struct rtp_session *session = NULL;

	(void)state;
	allocations_left = 0;
	assert_int_equal(rtp_session_new(&session, &config), -ENOMEM);
	allocations_left = SIZE_MAX;
	assert_null(session);
	rtp_session_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receive_table),
		cmocka_unit_test(test_not_rtp),
		cmocka_unit_test(test_is_rtcp),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_jitter_of_a_new_clock),
		cmocka_unit_test(test_report_kinds),
		cmocka_unit_test(test_sender_info),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_block_jitter),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_table),
		cmocka_unit_test(test_round_trip_limits),
		cmocka_unit_test(test_bye),
		cmocka_unit_test(test_dlsr),
		cmocka_unit_test(test_report_room),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_collision),
		cmocka_unit_test(test_collision_by_name),
		cmocka_unit_test(test_next_report),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("rtp/session", tests, NULL, NULL);
}
