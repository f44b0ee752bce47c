/* core/rtp/session where clocks change, theirs and ours (RFC 7160). */
#include "tests/unit/rtp_end.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { SLOW = 0, FAST = 96, STRANGE = 13 }; /* payload types, by 8000 and by 48000 Hz */

static struct rtp_session *two_clocks(void)
{
	struct rtp_session *session = new_session(OURS);

	rtp_session_expect(session, SLOW, 8000);
	rtp_session_expect(session, FAST, 48000);
	return session;
}

static int receive_by(struct rtp_session *session, uint8_t payload_type, uint32_t ssrc,
	uint16_t seq, uint32_t timestamp, uint64_t arrival_ns)
{
	struct rtp_packet packet = {
		.payload_type = payload_type, .seq = seq, .timestamp = timestamp, .ssrc = ssrc};
	uint8_t room[RTP_HEADER_SIZE];
	struct buf datagram = {.data = room, .size = sizeof(room)};

	assert_int_equal(rtp_packet_print(&datagram, &packet), 0);
	return rtp_session_receive(
		&packet, session, (struct slice){room, datagram.len}, arrival_ns);
}

/* Even packets have no jitter by either clock, nor where it changes, by whatever timestamp. */
static void test_jitter_by_each_clock(void **state)
{
	struct rtp_session *session = two_clocks();

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		bool fast = i / 20 % 2 == 1;
		uint32_t timestamp = fast ? 3000000000 + 960 * i : 160 * i;

		assert_int_equal(receive_by(session, fast ? FAST : SLOW, THEIRS, (uint16_t)i,
					 timestamp, i * 20 * MS),
			0);
		assert_true(stats_of(session).jitter_ms == 0);
	}
	assert_int_equal(stats_of(session).lost, 0);
	rtp_session_free(session);
}

/* What was measured stays what it is, in milliseconds; reports have it in ticks of the last. */
static void test_jitter_goes_over(void **state)
{
	struct rtp_session *session = two_clocks();
	double before, after;
	struct report said;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		receive_by(
			session, SLOW, THEIRS, (uint16_t)i, 160 * i, i * 20 * MS + i % 2 * 10 * MS);
	before = stats_of(session).jitter_ms;
	assert_true(before > 8 && before < 10.1);
	receive_by(session, FAST, THEIRS, 100, 77, 2 * S);
	after = stats_of(session).jitter_ms;
	assert_true(fabs(after - before) < 0.1);
	report(&said, session, 3 * S, false);
	assert_string_equal(said.kinds, "RBN");
	assert_true(fabs(said.items[1].block.jitter / 48.0 - after) < 0.1);
	rtp_session_free(session);
}

/* Another source is believed at once where its clock is another, and no other one is. */
static void test_another_source(void **state)
{
	struct rtp_session *session = two_clocks();
	uint32_t remote;

	(void)state;
	assert_int_equal(receive_by(session, SLOW, THEIRS, 10, 0, 0), 0);
	assert_int_equal(receive_by(session, SLOW, THEIRS, 12, 320, 40 * MS), 0);
	assert_int_equal(receive_by(session, SLOW, OTHER, 500, 0, 50 * MS), -EPROTO);
	assert_int_equal(receive_by(session, FAST, OTHER, 700, 0, 60 * MS), 0);
	assert_true(rtp_session_remote(&remote, session) && remote == OTHER);
	assert_int_equal(receive_by(session, SLOW, THEIRS, 11, 160, 61 * MS), -EPROTO); /* late */
	assert_int_equal(receive_by(session, FAST, OTHER, 701, 960, 80 * MS), 0);
	assert_int_equal(receive_by(session, SLOW, 99, 1, 0, 100 * MS), 0); /* a third one */
	assert_int_equal(receive_by(session, FAST, OTHER, 702, 1920, 101 * MS), -EPROTO);
	assert_int_equal(
		receive_by(session, FAST, OTHER, 703, 2880, 120 * MS), 0); /* it means it */
	assert_int_equal(stats_of(session).lost, 1);
	assert_int_equal(stats_of(session).packets_received, 6);
	rtp_session_free(session);
}

/* By a type that nobody agreed on no clock is known, so it is no reason to believe anybody. */
static void test_a_stranger(void **state)
{
	struct rtp_session *session = two_clocks();

	(void)state;
	assert_int_equal(receive_by(session, FAST, THEIRS, 10, 0, 0), 0);
	assert_int_equal(receive_by(session, STRANGE, OTHER, 500, 0, 10 * MS), -EPROTO);
	assert_int_equal(receive_by(session, FAST, THEIRS, 11, 960, 20 * MS), 0);
	assert_int_equal(receive_by(session, SLOW, OTHER, 501, 0, 40 * MS), 0);
	rtp_session_free(session);
}

static uint32_t bye_of(const struct report *said)
{
	for (size_t i = 0; said->kinds[i] != '\0'; i++)
		if (said->kinds[i] == 'G')
			return said->items[i].ssrc;
	return 0;
}

/* RFC 7160, section 4.1: another source, whose reports begin at nothing, by the new clock. */
static void test_our_clock(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report said;

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		send_frame(session, i, i * 20 * MS);
	report(&said, session, 1 * S, true);
	assert_int_equal(bye_of(&said), OURS);
	rtp_session_turn(session, OTHER, 48000, 50 * FRAME, 1 * S);

	report(&said, session, 1100 * MS, false); /* nothing was sent by that name yet */
	assert_string_equal(said.kinds, "RN");
	send_frame(session, 50, 1200 * MS);
	report(&said, session, 1250 * MS, false);
	assert_string_equal(said.kinds, "SN");
	assert_int_equal(said.items[0].ssrc, OTHER);
	assert_int_equal(said.items[0].sender.packets, 1);
	assert_int_equal(said.items[0].sender.octets, FRAME);
	assert_int_equal(said.items[0].sender.timestamp, 0xffffff00 + 50 * FRAME + 2400);
	assert_int_equal(stats_of(session).packets_sent, 51);
	assert_false(rtp_session_collided(session));
	rtp_session_free(session);
}

/* RFC 3550, section 6.3.7: nor is goodbye said to a name under which nothing was said. */
static void test_no_goodbye_of_nobody(void **state)
{
	struct rtp_session *session = new_session(OURS);
	uint8_t room[256];
	struct buf out = {room, 0, sizeof(room)};

	(void)state;
	send_frame(session, 0, 0);
	rtp_session_turn(session, OTHER, 48000, FRAME, 20 * MS);
	assert_int_equal(rtp_session_report(&out, session, 1 * S, WALL, true), -ENODATA);
	send_frame(session, 1, 1 * S);
	assert_int_equal(rtp_session_report(&out, session, 1 * S, WALL, true), 0);
	rtp_session_free(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jitter_by_each_clock),
		cmocka_unit_test(test_jitter_goes_over),
		cmocka_unit_test(test_another_source),
		cmocka_unit_test(test_a_stranger),
		cmocka_unit_test(test_our_clock),
		cmocka_unit_test(test_no_goodbye_of_nobody),
	};

	return cmocka_run_group_tests_name("core/rtp/session, clocks", tests, NULL, NULL);
}
