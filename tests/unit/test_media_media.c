/* core/media/media: two ends in a simulated world, and what is told, sent and waited for. */
#include "tests/unit/media_line.h"

#include "core/base/library.h"
#include "core/base/text.h"
#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static bool library_missing;

int __wrap_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why);
int __real_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why);

int __wrap_library_load(void *table, const char *file, const struct library_symbol *symbols,
	size_t count, struct fault *why)
{
	if (library_missing)
		return fault_set(why, -ENOENT, "the library of another machine is not installed");
	return __real_library_load(table, file, symbols, count, why);
}

/* Of what they may send, too; whose it is that is missing is not what we send by. */
static void test_missing_library_is_named(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	a->params.heard.list[a->params.heard.count++] =
		(struct media_format){codec_find(slice_of("gsm")), 3};
	a->may_fail = true;
	library_missing = true;
	end_start(a);
	line_run_ms(line, 100);
	library_missing = false;
	assert_string_equal(a->failed.words, "the library of another machine is not installed");
}

/*
 * RFC 3550, section 6.3.1: reconsidered, reports are 5 s apart on the average; without that, the
 * compensation for it would leave 4.1 s.
 */
static void test_rtcp_interval(void **state)
{
	struct line *line = *state;

	line_start(line, 1000 * 1000);
	assert_in_range(line->ends[0].rtcp + line->ends[1].rtcp, 370, 430);
}

/* No RTP but RTCP; and afterwards the same stream, at the time that it has become. */
static void test_hold(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct rtp_packet before;
	unsigned rtcp;

	line_start(line, 1000);
	assert_int_equal(a->marked, 1);
	line_hold(line, true);
	line_run_ms(line, 50);
	before = a->packet;
	rtcp = a->rtcp;
	line_run_ms(line, 20000);
	assert_int_equal(a->packet.seq, before.seq);
	assert_true(a->rtcp >= rtcp + 2);
	assert_int_equal(a->silent, 0);

	line_hold(line, false);
	line_run_ms(line, 1000);
	assert_int_equal(a->marked, 2);
	assert_int_equal(a->jumps, 0);
	assert_in_range((a->packet.timestamp - before.timestamp) / FRAME, 1045, 1055);
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_in_range(a->last.received, 95, 105);
}

/* A far end that talks on though nobody listens: none of that is lost, nor received. */
static void test_unheard_is_not_lost(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	line_start(line, 1000);
	a->params.receives = false;
	end_change(a);
	line_run_ms(line, 5000);
	a->params.receives = true;
	end_change(a);
	line_run_ms(line, 1000);
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_in_range(a->last.received, 95, 105);
}

static void test_silence_is_told_as_long_as_it_lasts(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	char words[128], at[ADDR_TEXT_SIZE];

	a->params.remote_rtp.port = 7000; /* where nobody listens */
	end_start(a);
	line_run_ms(line, SILENCE_S * 1000 - 50);
	assert_int_equal(a->silent, 0);
	line_run_ms(line, 100);
	assert_int_equal(a->silent, 1);
	snprintf(words, sizeof(words), "nothing listens on %s (port unreachable)",
		addr_print_port(at, &a->params.remote_rtp));
	assert_string_equal(a->why.words, words);
	line_run_ms(line, SILENCE_S * 1000);
	assert_int_equal(a->silent, 2);

	/* something comes, and stops */
	a->params.remote_rtp = line->ends[1].local;
	end_change(a);
	end_start(&line->ends[1]);
	line_run_ms(line, 3 * SILENCE_S * 1000);
	assert_int_equal(a->silent, 2);
	line_close_end(line, &line->ends[1]);
	line_run_ms(line, SILENCE_S * 1000 + 200);
	assert_int_equal(a->silent, 3);
	assert_string_equal(a->why.words, "its sound has said goodbye (RTCP BYE)");
}

/* A far end of plain bytes, whose RTP the test makes, at the port where a's description is. */
struct stray {
	struct udp *udp;
	struct addr to;
	uint32_t bye_of; /* the SSRC of the last BYE that came */
	uint32_t ssrc;   /* of the last RTP that came, */
	uint16_t seq;    /* and its number */
	unsigned packets;
};

static void stray_datagram(
	void *arg, const struct addr *from, const struct addr *to, struct slice bytes, uint64_t at)
{
	struct stray *stray = arg;
	struct rtcp_reader reader;
	struct rtcp_item item;
	struct rtp_packet packet;

	(void)from;
	(void)to;
	(void)at;
	if (rtp_is_rtcp(bytes)) {
		assert_int_equal(rtcp_parse(&reader, bytes), 0);
		while (rtcp_next(&item, &reader))
			if (item.kind == RTCP_BYE)
				stray->bye_of = item.ssrc;
		return;
	}
	assert_int_equal(rtp_packet_parse(&packet, bytes), 0);
	stray->ssrc = packet.ssrc;
	stray->seq = packet.seq;
	stray->packets++;
}

static void stray_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	(void)arg;
	(void)to;
	(void)sent;
	fail_msg("%d", err);
}

static void stray_open(struct stray *stray, struct line *line)
{
	static const struct udp_events events = {
		.datagram = stray_datagram, .unreachable = stray_unreachable};
	struct addr at = line->ends[1].host;

	at.port = 7000;
	*stray = (struct stray){.to = line->ends[0].local};
	assert_int_equal(loop_udp_open(&stray->udp, line->ends[1].agent, &at), 0);
	assert_int_equal(udp_start(stray->udp, line->ends[1].agent, &events, stray), 0);
	line->ends[0].params.remote_rtp = at;
	line->ends[0].params.rtcp_mux = true;
}

/* A packet of a loud sample, which lasts 20 ms; and as long goes by. */
static void stray_send(struct stray *stray, struct line *line, uint32_t ssrc, uint16_t seq)
{
	uint8_t payload[FRAME], room[RTP_HEADER_SIZE + FRAME];
	struct rtp_packet packet = {.seq = seq,
		.ssrc = ssrc,
		.timestamp = seq * (uint32_t)FRAME,
		.payload = {payload, FRAME}};
	struct buf out = {room, 0, sizeof(room)};

	for (size_t i = 0; i < FRAME; i++)
		payload[i] = i % 16 < 8 ? 0x10 : 0x90;
	assert_int_equal(rtp_packet_print(&out, &packet), 0);
	assert_int_equal(udp_send(stray->udp, &stray->to, (struct slice){room, out.len}), 0);
	line_run_ms(line, 20);
}

/* RFC 3550, section 8.2: goodbye under the old name, and on under another; nothing goes unheard. */
static void test_collision(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct stray stray;
	uint32_t ssrc;
	uint16_t seq;

	stray_open(&stray, line);
	end_start(a);
	line_run_ms(line, 500);
	ssrc = stray.ssrc;
	seq = stray.seq;
	for (uint16_t i = 0; i < 100; i++)
		stray_send(&stray, line, ssrc, (uint16_t)(seq + 20000 + i));
	assert_int_equal(stray.bye_of, ssrc);
	assert_true(stray.ssrc != ssrc);
	assert_in_range((uint16_t)(stray.seq - seq), 98, 103); /* the numbers go on */
	assert_true(a->report.far_dbfs > -20);
	assert_in_range(stray.packets, 120, 130);
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_int_equal(a->last.received, 100);
	udp_free(stray.udp);
}

/* An echo service: what comes back is heard, and the name stays. */
static void test_echo(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct stray stray;
	uint32_t ssrc;

	stray_open(&stray, line);
	end_start(a);
	line_run_ms(line, 500);
	ssrc = stray.ssrc;
	for (uint16_t i = 0; i < 100; i++)
		stray_send(&stray, line, ssrc, stray.seq);
	assert_int_equal(stray.ssrc, ssrc);
	assert_int_equal(stray.bye_of, 0);
	assert_true(a->report.far_dbfs > -20);
	line_close_end(line, a);
	assert_int_equal(a->last.received, 100);
	udp_free(stray.udp);
}

/* It begins anew in mid-call: what comes late of before is nobody's, and the new is heard. */
static void test_restart(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct stray stray;

	stray_open(&stray, line);
	end_start(a);
	for (uint16_t i = 0; i < 100; i++)
		stray_send(&stray, line, 7, (uint16_t)(65500 + i)); /* round the corner, too */
	for (uint16_t i = 0; i < 100; i++) {
		stray_send(&stray, line, 8, (uint16_t)(3000 + i));
		if (i == 10)
			stray_send(&stray, line, 7, 65500);
	}
	assert_true(a->report.far_dbfs > -20);
	for (uint16_t i = 0; i < 100; i++)
		stray_send(&stray, line, 7, (uint16_t)(65535 + i)); /* and back */
	assert_true(a->report.far_dbfs > -20);
	line_close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_int_equal(a->last.received, 298); /* the first of each new one is on probation */
	udp_free(stray.udp);
}

/* RFC 3550, section 6.3.7: who ends before anything was sent, ends without a word. */
static void test_no_goodbye_of_nobody(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	a->params.sends = false;
	end_start(a);
	line_run_ms(line, 500);
	line_close_end(line, a);
	assert_int_equal(a->rtp + a->rtcp, 0);
}

/* Whatever is changed, there is time to follow. */
static void test_a_change_begins_the_silence_anew(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	end_start(a);
	line_run_ms(line, SILENCE_S * 1000 - 100);
	a->params.sends = false;
	end_change(a);
	line_run_ms(line, SILENCE_S * 1000 - 100);
	assert_int_equal(a->silent, 0);
	line_run_ms(line, 200);
	assert_int_equal(a->silent, 1);
}

/* Held, nobody is awaited; resumed, from then on. */
static void test_hold_is_no_silence(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	end_start(a);
	a->params.receives = false;
	end_change(a);
	line_run_ms(line, 30000);
	assert_int_equal(a->silent, 0);
	a->params.receives = true;
	end_change(a);
	line_run_ms(line, SILENCE_S * 1000 - 100);
	assert_int_equal(a->silent, 0);
	line_run_ms(line, 200);
	assert_int_equal(a->silent, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, line_set_up, line_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_missing_library_is_named),
		TEST(test_rtcp_interval),
		TEST(test_hold),
		TEST(test_unheard_is_not_lost),
		TEST(test_silence_is_told_as_long_as_it_lasts),
		TEST(test_a_change_begins_the_silence_anew),
		TEST(test_collision),
		TEST(test_echo),
		TEST(test_restart),
		TEST(test_no_goodbye_of_nobody),
		TEST(test_hold_is_no_silence),
	};

	return cmocka_run_group_tests_name("media/media", tests, NULL, NULL);
}
