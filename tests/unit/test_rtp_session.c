/* core/rtp/session, its RTP: what is taken, refused and counted, and what is sent. */
#include "tests/unit/rtp_end.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
	{"another source and back", {{THEIRS, 1, 0}, {OTHER, 7, -EPROTO}, {OTHER, 8, 0}, {THEIRS, 2, -EPROTO},
		{THEIRS, 3, 0}, {THEIRS, 4, 0}, {OTHER, 9, -EPROTO}, END}, 4, 0, 0, 0, 3},
	{"late after a new start", {{THEIRS, 1000, 0}, {THEIRS, 30000, -EPROTO}, {THEIRS, 30001, 0},
		{THEIRS, 1001, -EPROTO}, {THEIRS, 30002, 0}, {THEIRS, 1003, -EPROTO}, END}, 3, 0, 0, 0, 3},
	{"a start just behind", {{THEIRS, 1000, 0}, {THEIRS, 10, -EPROTO}, {THEIRS, 11, 0}, {THEIRS, 12, 0}, END},
		3, 0, 0, 0, 1},
	{"a start round the corner", {{THEIRS, 7, 0}, {THEIRS, 65000, -EPROTO}, {THEIRS, 65001, 0}, END},
		2, 0, 0, 0, 1},
	{"on probation twice", {{THEIRS, 1, 0}, {OTHER, 7, -EPROTO}, {OTHER, 7, -EPROTO}, {OTHER, 8, 0}, END},
		2, 0, 0, 0, 2},
	{"on probation, backwards", {{THEIRS, 1, 0}, {OTHER, 8, -EPROTO}, {OTHER, 7, -EPROTO}, {OTHER, 8, 0}, END},
		2, 0, 0, 0, 2},
	{"on probation round the corner", {{THEIRS, 1, 0}, {OTHER, 65535, -EPROTO}, {OTHER, 0, 0}, END},
		2, 0, 0, 0, 1},
	{"two starts, mixed", {{THEIRS, 1, 0}, {OTHER, 7, -EPROTO}, {THEIRS, 30000, -EPROTO}, {OTHER, 8, -EPROTO},
		{THEIRS, 30001, -EPROTO}, {THEIRS, 2, 0}, END}, 2, 0, 0, 0, 4},
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

/* Twice round all numbers, as an hour of speech does nearly three times. */
static void test_cycles(void **state)
{
	struct rtp_session *session = new_session(OURS);
	struct report out;

	(void)state;
	for (uint32_t i = 0; i < 131072 + 10; i++)
		if (i % 1000 != 7)
			assert_int_equal(receive_seq(session, THEIRS, (uint16_t)(65000 + i)), 0);
	assert_int_equal(stats_of(session).lost, 132);
	assert_int_equal(stats_of(session).out_of_order, 0);
	report(&out, session, S, false);
	assert_int_equal(out.items[1].block.highest_seq, 65000 + 131072 + 9);
	assert_int_equal(out.items[1].block.lost, 132);
	rtp_session_free(session);
}

/* Sources, extension and padding of a packet take nothing from its payload, which alone counts. */
static void test_what_stands_around(void **state)
{
	static const uint8_t bytes[] = "\xb1\0\0\1\0\0\0\0\0\0\0\x0b"   /* X, P, one source */
				       "\0\0\0\5\xbe\xde\0\1\x1f\0\0\0" /* too long within */
				       "voice\0\0\3";
	static const uint8_t empty[] = "\xa0\0\0\2\0\0\0\xa0\0\0\0\x0b\0\0\3";
	static const uint8_t bad[] = "\xa0\0\0\3\0\0\0\xa0\0\0\0\x0b\0\0\4";
	struct rtp_session *session = new_session(OURS);
	struct rtp_packet out;

	(void)state;
	assert_int_equal(
		rtp_session_receive(&out, session, (struct slice){bytes, sizeof(bytes) - 1}, 0), 0);
	assert_int_equal(out.payload.len, 5);
	assert_memory_equal(out.payload.data, "voice", 5);
	assert_int_equal(rtp_session_receive(&out, session, (struct slice){empty, 15}, 0), 0);
	assert_int_equal(out.payload.len, 0);
	assert_int_equal(rtp_session_receive(&out, session, (struct slice){bad, 15}, 0), -EPROTO);
	assert_int_equal(stats_of(session).octets_received, 5);
	assert_int_equal(stats_of(session).refused, 1);
	assert_int_equal(stats_of(session).lost, 0);
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
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_what_stands_around),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_collision),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("rtp/session", tests, NULL, NULL);
}
