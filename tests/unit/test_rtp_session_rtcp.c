/* core/rtp/session, its RTCP: what reports say, what theirs tell, and when ours are due. */
#include "tests/unit/rtp_end.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool near(double a, double b)
{
	return fabs(a - b) < 0.01;
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
	send_frame(theirs, 0, 0);
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

/* When the next report is planned, in seconds from when it all began. */
static double next_s(const struct rtp_session *session)
{
	return (double)rtp_session_next_report(session) / S;
}

/* 2.5 s and then 5 s, times 0.5 .. 1.5, over e - 3/2; reconsidered when the time has come. */
static void test_next_report(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	rtp_session_start_reports(session, 20000, 9 * S, 0);
	assert_true(near(next_s(session), 10.026));
	assert_false(rtp_session_report_due(session, 10 * S + 30 * MS, UINT32_MAX));
	assert_true(near(next_s(session), 12.078));
	assert_true(rtp_session_report_due(session, 12 * S + 80 * MS, UINT32_MAX));
	report(&out, session, 12 * S, false);
	rtp_session_plan_report(session, 0);
	assert_true(near(next_s(session), 14.052));
	rtp_session_plan_report(session, 1u << 31);
	assert_true(near(next_s(session), 16.104));
	rtp_session_free(session);
}

/* A share of 10 octets a second: sizes count both ways, and so does whoever is heard. */
static void test_next_report_by_share(void **state)
{
	struct rtp_session *session = new_session(OURS), *theirs = new_session(THEIRS);
	struct report out;
	double alone_s, both_s;

	(void)state;
	rtp_session_start_reports(session, 200, 0, 1u << 31);
	alone_s = next_s(session);
	assert_true(near(alone_s, 116 / 7.5 / 1.21828));
	send_frame(session, 0, 0);
	rtp_session_plan_report(session, 1u << 31);
	assert_true(near(next_s(session), 116 / 10.0 / 1.21828));
	receive_seq(session, THEIRS, 1);
	rtp_session_plan_report(session, 1u << 31);
	assert_true(near(next_s(session), 2 * 116 / 10.0 / 1.21828));

	report(&out, theirs, 0, false); /* 8 + 16, and 28 of headers, where 116 were thought */
	assert_int_equal(out.len, 24);
	assert_int_equal(hear_report(session, &out, 0), 0);
	rtp_session_plan_report(session, 1u << 31);
	both_s = next_s(session);
	assert_true(near(both_s, 2 * (116 - 64 / 16.0) / 10.0 / 1.21828));

	/* goodbye: half of what is left; and the far end is no member any more */
	report(&out, theirs, 0, false);
	send_frame(theirs, 0, 0);
	report(&out, theirs, 0, true);
	assert_int_equal(hear_report(session, &out, 2 * S), 0);
	assert_true(near(next_s(session), 2 + (both_s - 2) / 2));
	rtp_session_set_bandwidth(session, 400);
	rtp_session_plan_report(session, 1u << 31);
	assert_true(next_s(session) < 6);
	rtp_session_free(session);
	rtp_session_free(theirs);

	/* and what we send ourselves: 24 bytes of RR and name, and 28 */
	session = new_session(OURS);
	rtp_session_start_reports(session, 200, 0, 1u << 31);
	report(&out, session, 0, false);
	rtp_session_plan_report(session, 1u << 31);
	assert_true(near(next_s(session), (116 - 64 / 16.0) / 7.5 / 1.21828));
	rtp_session_free(session);
}

/* RFC 3550, section 6.3.7: whom nobody has heard says no goodbye. */
static void test_no_goodbye_of_nobody(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report whole;
	uint8_t room[64];
	struct buf out = {.data = room, .size = sizeof(room)};

	(void)state;
	assert_int_equal(rtp_session_report(&out, session, 0, WALL, true), -ENODATA);
	assert_int_equal(out.len, 0);
	report(&whole, session, 0, false);
	report(&whole, session, 0, true);
	assert_string_equal(whole.kinds, "RNG");
	rtp_session_free(session);

	session = new_session(OURS);
	send_frame(session, 0, 0);
	report(&whole, session, 0, true);
	assert_string_equal(whole.kinds, "SNG");
	rtp_session_free(session);
}

/* XR, APP, feedback and names of other kinds stand between what is read, and change nothing. */
static void test_passed_over(void **state)
{
	static const uint8_t bytes[] =
		"\x82\xc9\0\x0d\0\0\0\x0b" /* RR of two blocks: another's, and ours */
		"\0\0\0\x0c\x40\0\0\7\0\0\0\1\0\0\0\x50\0\0\0\0\0\0\0\0"
		"\0\0\0\x0a\x80\0\0\5\0\0\0\1\0\0\0\x50\0\0\0\0\0\0\0\0"
		"\x80\xcf\0\3\0\0\0\x0b\4\0\0\1word"             /* XR */
		"\x80\xcc\0\3\0\0\0\x0bnamedata"                 /* APP */
		"\x81\xcd\0\3\0\0\0\x0b\0\0\0\x0a\0\1\0\0"       /* NACK */
		"\x81\xce\0\2\0\0\0\x0b\0\0\0\x0a"               /* PLI */
		"\x81\xca\0\6\0\0\0\x0b\2\3Bob\6\4soft\x08\3p=1" /* NAME, TOOL, PRIV */
		"\0\0\0\0";
	struct rtp_session *session = new_session(OURS);

	(void)state;
	assert_int_equal(rtp_session_rtcp(session, (struct slice){bytes, sizeof(bytes) - 1}, S), 0);
	assert_int_equal(stats_of(session).remote_reports, 1);
	assert_true(near(stats_of(session).remote_lost_fraction, 0.5));
	assert_int_equal(stats_of(session).remote_lost, 5);
	assert_false(stats_of(session).bye);
	assert_false(rtp_session_collided(session));
	rtp_session_free(session);
}

/* Loss comes in bursts: a report of much counts at once, one of little by a quarter. */
static void test_loss_is_smoothed(void **state)
{
	static const struct {
		uint8_t fraction; /* of 256 */
		double loss;
	} rows[] = {{0, 0}, {64, 0.25}, {0, 0.1875}, {32, 0.171875}, {128, 0.5}, {128, 0.5}};
	uint8_t bytes[] = "\x81\xc9\0\7\0\0\0\x0b" /* RR of one block */
			  "\0\0\0\x0a\0\0\0\5\0\0\0\1\0\0\0\x50\0\0\0\0\0\0\0\0";
	struct rtp_session *session = new_session(OURS);

	(void)state;
	assert_true(near(stats_of(session).remote_loss, 0));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes[12] = rows[i].fraction;
		assert_int_equal(
			rtp_session_rtcp(session, (struct slice){bytes, sizeof(bytes) - 1}, S), 0);
		assert_true(near(stats_of(session).remote_loss, rows[i].loss));
	}
	rtp_session_free(session);
}

/* The middle of the NTP time runs over every 18 hours, and in 2036 all of it. */
static void test_round_trip_wraps(void **state)
{
	static const uint64_t walls[] = {
		(UINT64_C(4294967295) - 2208988800) * S + 999 * MS, /* 2036 */
		(UINT64_C(65536) * 60000 - 2208988800) * S - 1,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(walls); i++) {
		struct rtp_session *a = new_session(OURS), *b = new_session(THEIRS);
		uint8_t room[128];
		struct buf out = {.data = room, .size = sizeof(room)};
		struct report back;

		send_frame(a, 0, 0);
		receive_seq(b, OURS, 1);
		for (unsigned n = 0; n < 2; n++) { /* before the turn, and behind it */
			out.len = 0;
			assert_int_equal(
				rtp_session_report(&out, a, n * S, walls[i] + n * S, false), 0);
			assert_int_equal(
				rtp_session_rtcp(b, (struct slice){room, out.len}, n * S + 10 * MS),
				0);
			receive_seq(b, OURS, (uint16_t)(2 + n));
			report(&back, b, n * S + 30 * MS, false);
			assert_int_equal(hear_report(a, &back, n * S + 70 * MS + n * MS), 0);
			assert_true(fabs((double)stats_of(a).rtt_ns / MS - 50 - n) < 0.1);
		}
		rtp_session_free(a);
		rtp_session_free(b);
	}
}

/* A report of before our new name answers to nothing of ours. */
static void test_report_of_the_old_name(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report sent;
	uint8_t room[64];
	struct buf out = {.data = room, .size = sizeof(room)};
	struct rtcp_block block = {.ssrc = OURS, .lost = 3};

	(void)state;
	send_frame(session, 0, 0);
	report(&sent, session, 0, true);
	rtp_session_rename(session, 99);
	assert_int_equal(rtcp_print_receiver(&out, THEIRS, &block, 1), 0);
	assert_int_equal(rtp_session_rtcp(session, (struct slice){room, out.len}, S), 0);
	assert_int_equal(stats_of(session).remote_reports, 0);
	send_frame(session, 1, S);
	report(&sent, session, S, false);
	assert_int_equal(sent.items[0].ssrc, 99);
	assert_int_equal(sent.items[0].sender.packets, 1); /* of the new name only */
	assert_int_equal(sent.items[0].sender.octets, FRAME);
	rtp_session_free(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(test_collision_by_name),
		cmocka_unit_test(test_next_report),
		cmocka_unit_test(test_next_report_by_share),
		cmocka_unit_test(test_no_goodbye_of_nobody),
		cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_loss_is_smoothed),
		cmocka_unit_test(test_round_trip_wraps),
		cmocka_unit_test(test_report_of_the_old_name),
	};

	return cmocka_run_group_tests_name("rtp/session_rtcp", tests, NULL, NULL);
}
