/* core/media with a sound device: it is served in small steps, and packets stay whole. */
#include "audio/device.h"
#include "core/base/text.h"
#include "tests/unit/media_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { PATIENCE_MS = 400 }; /* less than it takes for a device that stands still to be missed */

/* A loudspeaker that takes nothing. */
static int open_device(struct device **out, const struct device_maker *maker, enum port_way way,
	const char *name, size_t block, struct port *port, struct fault *why)
{
	struct device *device = calloc(1, sizeof(*device));

	(void)way;
	(void)name;
	(void)block;
	(void)port;
	(void)why;
	assert_non_null(device);
	device->maker = maker;
	*out = device;
	return 0;
}

static void close_device(struct device *device)
{
	free(device);
}

static const struct device_maker devices = {.open = open_device, .close = close_device};

static int set_up(void **state)
{
	return line_set_up_with(state, "default", &devices);
}

static void test_packets_are_whole_and_in_their_time(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct rtp_packet early;

	end_start(a);
	line_run_ms(line, 100);
	assert_true(a->rtp >= 3);
	early = a->packet;
	line_run_ms(line, PATIENCE_MS - 100);
	assert_in_range(a->rtp, 18, 20);
	assert_int_equal(a->jumps, 0);
	assert_int_equal(a->marked, 1);
	assert_int_equal(a->packet.payload.len, FRAME);
	assert_int_equal(a->packet.timestamp - early.timestamp,
		(a->packet.seq - early.seq) * (unsigned)FRAME);
}

/* What has come waits for the next step, and not for as long as a packet lasts. */
static void test_what_is_heard_waits_less(void **state)
{
	struct line *line = *state;

	line_start(line, PATIENCE_MS);
	line_close_end(line, &line->ends[0]);
	line_close_end(line, &line->ends[1]);
	assert_true(line->ends[0].last.buffer_ms > 0);
	assert_true(line->ends[0].last.buffer_ms < 11);
	assert_true(line->ends[1].last.buffer_ms > line->ends[0].last.buffer_ms);
}

/* In the middle of a packet: of what sounds as before, nothing is lost. */
static void test_a_change_of_something_else_loses_nothing(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct rtp_packet before;

	end_start(a);
	line_run_ms(line, 100);
	before = a->packet;
	for (uint8_t i = 1; i <= 5; i++) {
		a->params.send_payload_type = i;
		end_change(a);
		line_run_ms(line, 27);
	}
	assert_int_equal(a->packet.payload_type, 5);
	assert_in_range(a->packet.seq - before.seq, 5, 7);
	assert_int_equal(a->packet.timestamp - before.timestamp,
		(a->packet.seq - before.seq) * (unsigned)FRAME);
}

/* In the middle of a packet: what was gathered of it is lost, and the time goes on. */
static void test_a_change_may_come_between_two_steps(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct rtp_packet before;

	end_start(a);
	line_run_ms(line, 112);
	before = a->packet;
	a->params.ptime_ms = 40;
	end_change(a);
	line_run_ms(line, PATIENCE_MS - 112);
	assert_int_equal(a->packet.payload.len, 2 * FRAME);
	assert_int_equal(a->jumps, 0);
	/* 20 ms and then 40 ms a packet, but for what was lost: less than one of the old */
	assert_in_range(a->packet.timestamp - before.timestamp,
		FRAME + (a->packet.seq - before.seq - 1U) * 2 * FRAME,
		2 * FRAME + (a->packet.seq - before.seq - 1U) * 2 * FRAME);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, line_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_packets_are_whole_and_in_their_time),
		TEST(test_what_is_heard_waits_less),
		TEST(test_a_change_of_something_else_loses_nothing),
		TEST(test_a_change_may_come_between_two_steps),
	};

	return cmocka_run_group_tests_name("core/media, device", tests, NULL, NULL);
}
