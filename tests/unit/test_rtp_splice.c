/* core/rtp/splice: packets by several clocks, as a table of what comes and what goes on. */
#include "core/rtp/splice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

#define MS UINT64_C(1000000)

struct row {
	uint32_t clock_rate;
	uint32_t ssrc;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t duration;
	uint64_t at_ms;
	/* in the row: */
	uint32_t to_ssrc;
	uint16_t to_seq;
	uint32_t to_timestamp;
	uint32_t to_duration;
};

static void run(uint32_t clock_rate, const struct row *rows, size_t count)
{
	struct splice splice;

	splice_init(&splice, clock_rate);
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct rtp_packet packet = {
			.ssrc = row->ssrc, .seq = row->seq, .timestamp = row->timestamp};
		uint32_t duration = row->duration;

		splice_packet(&splice, &packet, &duration, row->clock_rate, row->at_ms * MS);
		if (packet.ssrc != row->to_ssrc || packet.seq != row->to_seq ||
			packet.timestamp != row->to_timestamp || duration != row->to_duration)
			fail_msg("row %zu: %x, %u, %u, %u", i, (unsigned)packet.ssrc, packet.seq,
				(unsigned)packet.timestamp, (unsigned)duration);
	}
}

#define RUN(clock_rate, rows) run(clock_rate, rows, sizeof(rows) / sizeof((rows)[0]))

/* By one clock all is as it was: jumps, another sender, round the corner. */
static void test_one_clock(void **state)
{
	static const struct row rows[] = {
		{8000, 1, 65535, 4294967200, 160, 0, 1, 65535, 4294967200, 160},
		{8000, 1, 0, 64, 160, 20, 1, 0, 64, 160},
		{8000, 1, 2, 384, 160, 60, 1, 2, 384, 160},
		{8000, 1, 1, 224, 160, 61, 1, 1, 224, 160},
		{8000, 1, 30000, 7, 240, 90, 1, 30000, 7, 240},
		{8000, 2, 5, 3000000000, 80, 100, 2, 5, 3000000000, 80},
		{8000, 1, 3, 544, 160, 101, 1, 3, 544, 160},
	};

	(void)state;
	RUN(8000, rows);
}

/* RFC 7160, section 3.2: another clock by the same name, its timestamps from anywhere. */
static void test_same_name(void **state)
{
	static const struct row rows[] = {
		{8000, 1, 10, 1000, 160, 0, 1, 10, 1000, 160},
		{8000, 1, 11, 1160, 160, 20, 1, 11, 1160, 160},
		{48000, 1, 12, 7, 960, 40, 1, 12, 1320, 160},
		{48000, 1, 13, 967, 960, 60, 1, 13, 1480, 160},
		{48000, 1, 15, 2887, 960, 100, 1, 15, 1800, 160}, /* 14 is lost, or late: */
		{48000, 1, 14, 1927, 960, 101, 1, 14, 1640, 160},
		{8000, 1, 16, 5000000, 160, 120, 1, 16, 1960, 160},
		{8000, 1, 18, 5000320, 160, 160, 1, 18, 2280, 160},
		{48000, 1, 20, 0, 480, 200, 1, 20, 2600, 80},       /* 19 is lost */
		{8000, 1, 19, 5000480, 160, 201, 1, 19, 2440, 160}, /* or was overtaken */
		{48000, 1, 21, 480, 480, 210, 1, 21, 2680, 80},
	};

	(void)state;
	RUN(8000, rows);
}

/* Section 4.1: by another name, its numbers from anywhere, too. */
static void test_other_name(void **state)
{
	static const struct row rows[] = {
		{8000, 1, 10, 1000, 160, 0, 1, 10, 1000, 160},
		{8000, 1, 11, 1160, 160, 20, 1, 11, 1160, 160},
		{48000, 2, 65535, 4294967295, 960, 40, 1, 12, 1320, 160},
		{48000, 2, 0, 959, 960, 60, 1, 13, 1480, 160},
		{8000, 1, 11, 1160, 160, 61, 1, 11, 1160, 160}, /* again, too late */
		{48000, 2, 1, 1919, 960, 80, 1, 14, 1640, 160},
		{8000, 3, 700, 50, 160, 100, 1, 15, 1800, 160},
		{8000, 3, 701, 210, 160, 120, 1, 16, 1960, 160},
		{8000, 4, 9, 9, 160, 140, 4, 64860, 1759, 160}, /* somebody else */
	};

	(void)state;
	RUN(8000, rows);
}

/* It goes back to a name that it had: its numbers are older, and it is heard all the same. */
static void test_back_to_a_name(void **state)
{
	static const struct row rows[] = {
		{8000, 1, 10, 1000, 160, 0, 1, 10, 1000, 160},
		{48000, 2, 500, 0, 960, 20, 1, 11, 1160, 160},
		{48000, 2, 501, 960, 960, 40, 1, 12, 1320, 160},
		{8000, 1, 11, 1160, 160, 60, 1, 13, 1480, 160},
		{8000, 1, 12, 1320, 160, 80, 1, 14, 1640, 160},
	};

	(void)state;
	RUN(8000, rows);
}

/* A pause at the change is one in the row; a little lateness is none. */
static void test_pause(void **state)
{
	static const struct row rows[] = {
		{8000, 1, 10, 1000, 160, 0, 1, 10, 1000, 160},
		{48000, 1, 11, 0, 960, 219, 1, 11, 1160, 160},
		{8000, 1, 12, 0, 160, 219 + 500, 1, 12, 1160 + 4000, 160},
		{48000, 1, 13, 0, 960, 700, 1, 13, 1160 + 4160, 160}, /* clocks may step back */
	};

	(void)state;
	RUN(8000, rows);
}

/* Clocks that do not divide: what follows on each other does so in the row, for hours. */
static void test_odd_clocks(void **state)
{
	struct splice splice;
	struct rtp_packet packet = {.ssrc = 1};
	uint32_t duration = 160, next;

	(void)state;
	splice_init(&splice, 8000);
	splice_packet(&splice, &packet, &duration, 8000, 0);
	next = 160;
	for (uint32_t i = 0; i < 1000000; i++) {
		packet = (struct rtp_packet){
			.ssrc = 1, .seq = (uint16_t)(1 + i), .timestamp = 4000000000 + i * 441};
		duration = 441;
		splice_packet(&splice, &packet, &duration, 44100, i * 10 * MS);
		assert_int_equal(packet.timestamp, next);
		assert_in_range(duration, 80, 80);
		next += duration;
	}
	for (uint32_t i = 0; i < 100; i++) {
		packet = (struct rtp_packet){
			.ssrc = 1, .seq = (uint16_t)(1000001 + i), .timestamp = i * 100};
		duration = 100;
		splice_packet(&splice, &packet, &duration, 11025, 10000000 * MS);
		if (i > 0)
			assert_int_equal(packet.timestamp, next);
		assert_in_range(duration, 72, 73);
		next = packet.timestamp + duration;
	}
}

/* As far ahead as a timestamp can be, again and again: no number becomes too great for it. */
static void test_leaps(void **state)
{
	struct splice splice;

	(void)state;
	splice_init(&splice, 48000);
	for (uint32_t i = 0; i < 250000; i++) {
		uint64_t ticks = (uint64_t)i * INT32_MAX;
		struct rtp_packet packet = {
			.ssrc = 1, .seq = (uint16_t)i, .timestamp = (uint32_t)ticks};
		uint32_t duration = 160;

		splice_packet(&splice, &packet, &duration, 8000, i * MS);
		assert_int_equal(packet.timestamp, (uint32_t)(6 * ticks));
		assert_int_equal(duration, 960);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_clock),
		cmocka_unit_test(test_same_name),
		cmocka_unit_test(test_other_name),
		cmocka_unit_test(test_back_to_a_name),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_odd_clocks),
		cmocka_unit_test(test_leaps),
	};

	return cmocka_run_group_tests_name("rtp/splice", tests, NULL, NULL);
}
