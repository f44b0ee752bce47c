/* core/media/media: two ends in a simulated world, whose sound changes while it runs. */
#include "core/media/media.h"

#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/rtp/packet.h"
#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

enum { FRAME = 160, SILENCE_S = 4 };

struct end {
	struct loop *agent, *media_loop;
	struct media *media;
	struct media_params params;
	struct addr host, local;
	struct stream_report last;
	struct stream_report report;
	struct fault why;
	unsigned silent;
	struct media_format heard;
	unsigned heard_told;
	bool closed;
	struct rtp_packet packet; /* of those sent, the last; its payload is gone */
	unsigned rtp, rtcp, marked, jumps;
	uint32_t bye_of;
};

struct line {
	struct world *world;
	struct end ends[2];
};

static size_t allocations_left = SIZE_MAX;

void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (allocations_left == 0)
		return NULL;

	allocations_left--;
	return __real_calloc(count, size);
}

static void on_report(void *arg, const struct stream_report *report)
{
	struct end *end = arg;

	end->report = *report;
}

static void on_failed(void *arg, int err, const char *words)
{
	(void)arg;
	fail_msg("%d: %s", err, words);
}

static void on_notice(void *arg, const char *words)
{
	(void)arg;
	(void)words;
}

static void on_trouble(void *arg, const char *words)
{
	(void)arg;
	fail_msg("%s", words);
}

static void on_heard(void *arg, const struct media_format *format)
{
	struct end *end = arg;

	end->heard_told++;
	end->heard = *format;
}

static void on_silent(void *arg, const struct fault *why)
{
	struct end *end = arg;

	end->silent++;
	end->why = *why;
}

static void on_closed(void *arg, const struct stream_report *last, const char *recording)
{
	struct end *end = arg;

	assert_null(recording);
	end->closed = true;
	end->last = *last;
}

static void note_bye(struct end *end, struct slice bytes)
{
	struct rtcp_reader reader;
	struct rtcp_item item;

	assert_int_equal(rtcp_parse(&reader, bytes), 0);
	while (rtcp_next(&item, &reader))
		if (item.kind == RTCP_BYE)
			end->bye_of = item.ssrc;
}

static void on_wire(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes)
{
	struct line *line = arg;
	struct end *end = &line->ends[addr_same_host(from, &line->ends[1].host)];
	struct rtp_packet packet;

	(void)now_ns;
	(void)to;
	if (what != WORLD_SENT || rtp_packet_parse(&packet, bytes))
		return;
	if (rtp_is_rtcp(bytes)) {
		end->rtcp++;
		note_bye(end, bytes);
		return;
	}
	end->jumps += end->rtp > 0 && (packet.seq != (uint16_t)(end->packet.seq + 1) ||
					      packet.ssrc != end->packet.ssrc);
	end->rtp++;
	end->marked += packet.marker;
	end->packet = packet;
}

static void open_end(struct line *line, unsigned i)
{
	static const struct media_events events = {
		on_report, on_failed, on_silent, on_heard, on_notice, on_trouble, on_closed};
	struct end *end = &line->ends[i];
	struct media_config config = {
		.mic = "tone:440",
		.speaker = "null",
		.report_ns = NS_PER_S,
		.silence_ns = SILENCE_S * NS_PER_S,
	};
	struct world_host *host;
	struct fault why;

	end->host = (struct addr){.family = ADDR_IPV4, .ip = {10, 0, 0, (uint8_t)(i + 1)}};
	assert_int_equal(world_host_new(&host, line->world, &end->host), 0);
	assert_int_equal(world_loop_new(&end->agent, host), 0);
	assert_int_equal(world_loop_new(&end->media_loop, host), 0);
	config.agent_loop = end->agent;
	config.media_loop = end->media_loop;
	assert_int_equal(media_open(&end->media, &config, &end->host, &events, end, &why), 0);
	media_local(&end->local, end->media);
}

static struct media_formats one_format(const struct codec *codec, uint8_t payload_type)
{
	return (struct media_formats){.count = 1, .list = {{codec, payload_type}}};
}

static void aim(struct end *end, const struct end *far)
{
	end->params = (struct media_params){
		.codec = codec_find_payload_type(0),
		.ptime_ms = 20,
		.heard = one_format(codec_find_payload_type(0), 0),
		.sends = true,
		.receives = true,
		.remote_rtp = far->local,
		.remote_rtcp = far->local,
	};
	end->params.remote_rtcp.port++;
}

static int set_up(void **state)
{
	const struct world_config config = {.seed = 1,
		.work_late_ns = NS_PER_MS,
		.way_ns = NS_PER_MS,
		.start_ns = NS_PER_S,
		.wall_ns = 1795215600 * NS_PER_S};
	struct line *line = calloc(1, sizeof(*line));

	assert_non_null(line);
	assert_int_equal(world_new(&line->world, &config), 0);
	world_watch(line->world, on_wire, line);
	for (unsigned i = 0; i < 2; i++)
		open_end(line, i);
	for (unsigned i = 0; i < 2; i++)
		aim(&line->ends[i], &line->ends[1 - i]);
	*state = line;
	return 0;
}

static void run_ms(struct line *line, uint64_t ms)
{
	world_run(line->world, world_now(line->world) + ms * NS_PER_MS);
}

static void close_end(struct line *line, struct end *end)
{
	media_close(end->media);
	run_ms(line, 100);
	assert_true(end->closed);
}

static int tear_down(void **state)
{
	struct line *line = *state;

	for (unsigned i = 0; i < 2; i++) {
		if (!line->ends[i].closed)
			close_end(line, &line->ends[i]);
		world_loop_free(line->ends[i].agent);
		world_loop_free(line->ends[i].media_loop);
	}
	world_free(line->world);
	free(line);
	return 0;
}

static void start(struct end *end)
{
	assert_int_equal(media_start(end->media, &end->params), 0);
}

static void start_both(struct line *line, uint64_t ms)
{
	start(&line->ends[0]);
	start(&line->ends[1]);
	run_ms(line, ms);
}

static void change(struct end *end)
{
	assert_int_equal(media_change(end->media, &end->params), 0);
}

/* That codec, by that payload type, both ways. */
static void turn_to(struct end *end, const struct codec *codec, uint8_t payload_type)
{
	end->params.codec = codec;
	end->params.send_payload_type = payload_type;
	end->params.heard = one_format(codec, payload_type);
	change(end);
}

static void turn(struct end *end, uint8_t codec, uint8_t payload_type)
{
	turn_to(end, codec_find_payload_type(codec), payload_type);
}

static void set_volume(struct end *end, double mic_db, double speaker_db, bool muted)
{
	const struct media_volume volume = {mic_db, speaker_db, muted};

	assert_int_equal(media_set_volume(end->media, &volume), 0);
}

static void hold(struct line *line, bool on)
{
	for (unsigned i = 0; i < 2; i++) {
		line->ends[i].params.sends = line->ends[i].params.receives = !on;
		change(&line->ends[i]);
	}
}

/*
 * RFC 3550, section 6.3.1: reconsidered, reports are 5 s apart on the average; without that, the
 * compensation for it would leave 4.1 s.
 */
static void test_rtcp_interval(void **state)
{
	struct line *line = *state;

	start_both(line, 1000 * 1000);
	assert_in_range(line->ends[0].rtcp + line->ends[1].rtcp, 370, 430);
}

/* No RTP but RTCP; and afterwards the same stream, at the time that it has become. */
static void test_hold(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct rtp_packet before;
	unsigned rtcp;

	start_both(line, 1000);
	assert_int_equal(a->marked, 1);
	hold(line, true);
	run_ms(line, 50);
	before = a->packet;
	rtcp = a->rtcp;
	run_ms(line, 20000);
	assert_int_equal(a->packet.seq, before.seq);
	assert_true(a->rtcp >= rtcp + 2);
	assert_int_equal(a->silent, 0);

	hold(line, false);
	run_ms(line, 1000);
	assert_int_equal(a->marked, 2);
	assert_int_equal(a->jumps, 0);
	assert_in_range((a->packet.timestamp - before.timestamp) / FRAME, 1045, 1055);
	close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_in_range(a->last.received, 95, 105);
}

/* A far end that talks on though nobody listens: none of that is lost, nor received. */
static void test_unheard_is_not_lost(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	start_both(line, 1000);
	a->params.receives = false;
	change(a);
	run_ms(line, 5000);
	a->params.receives = true;
	change(a);
	run_ms(line, 1000);
	close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_in_range(a->last.received, 95, 105);
}

static void test_codec_and_ptime(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	uint32_t timestamp;

	start_both(line, 1000);
	for (unsigned i = 0; i < 2; i++) {
		line->ends[i].params.ptime_ms = 40;
		turn(&line->ends[i], 8, 8);
	}
	run_ms(line, 100);
	assert_int_equal(a->packet.payload_type, 8);
	timestamp = a->packet.timestamp;
	run_ms(line, 2000);
	assert_in_range((a->packet.timestamp - timestamp) / (2 * FRAME), 49, 51);
	assert_int_equal(a->jumps, 0);
	assert_int_equal(a->marked, 1);
	close_end(line, b);
	assert_int_equal(b->last.lost, 0);
	assert_true(b->last.far_dbfs > -40); /* the tone, by the new codec */
}

/*
 * RFC 3264, section 8.3.2: each hears the other all the time, whoever changes first, and however
 * long the other takes; of what is played nothing is made up.
 */
static void test_old_type_is_understood(void **state)
{
	static const struct {
		uint8_t codec, payload_type;
	} turns[] = {{8, 8}, {8, 96}, {0, 97}, {0, 0}};
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];

	start_both(line, 1000);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		turn(a, turns[i].codec, turns[i].payload_type);
		run_ms(line,
			3000); /* b sends the old, and is sent the new, which it does not know */
		assert_int_equal(b->packet.payload_type, i ? turns[i - 1].payload_type : 0);
		assert_true(a->report.far_dbfs > -40);
		assert_true(a->report.concealed_pct < 1);
		turn(b, turns[i].codec, turns[i].payload_type);
		run_ms(line, 3000);
		assert_int_equal(b->packet.payload_type, turns[i].payload_type);
		assert_true(a->report.far_dbfs > -40);
		assert_true(b->report.far_dbfs > -40);
		assert_true(a->report.concealed_pct < 1);
	}
	close_end(line, a);
	assert_int_equal(a->last.lost, 0);
}

/* What was made up before a change of the codec still counts behind it. */
static void test_counts_carry_over(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	double concealed_pct;

	start_both(line, 2000);
	close_end(line, b); /* a stop: its last words are made up */
	run_ms(line, 1000);
	concealed_pct = a->report.concealed_pct;
	assert_true(concealed_pct > 2);
	turn(a, 8, 8);
	run_ms(line, 1500);
	assert_true(a->report.concealed_pct > concealed_pct - 0.01);
	assert_true(a->report.buffer_ms > 0);
	assert_true(a->report.mos > 0);
}

/*
 * To a codec of another rate and clock, and back: who turns first hears the other all the time.
 * What is sent is another source with each clock (RFC 7160, section 4.1), and goodbye is said to
 * the one before.
 */
static void test_another_rate(void **state)
{
	static const struct {
		const char *codec;
		uint8_t payload_type;
	} turns[] = {{"opus", 96}, {"pcmu", 0}, {"opus", 97}, {"pcma", 8}};
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	unsigned names = 0;

	start_both(line, 1000);
	for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		const struct codec *codec = codec_find(slice_of(turns[i].codec));
		uint32_t ssrc = a->packet.ssrc;
		uint32_t timestamp;

		turn_to(a, codec, turns[i].payload_type);
		run_ms(line, 1000);
		turn_to(b, codec, turns[i].payload_type);
		run_ms(line, 100);
		timestamp = a->packet.timestamp;
		run_ms(line, 2000);
		assert_int_equal(a->packet.payload_type, turns[i].payload_type);
		assert_in_range(
			(a->packet.timestamp - timestamp) / (codec->clock_rate / 100), 199, 201);
		assert_int_equal(a->bye_of, ssrc);
		assert_true(a->packet.ssrc != ssrc);
		assert_int_equal(a->jumps, ++names);
		assert_true(a->report.far_dbfs > -20 && b->report.far_dbfs > -20);
		assert_true(a->report.near_dbfs > -20);
		assert_true(a->report.concealed_pct < 1);
		assert_true(a->report.jitter_ms < 1);
	}
	assert_int_equal(a->heard_told + b->heard_told, 0);
	close_end(line, a);
	assert_int_equal(a->last.lost, 0);
	assert_int_equal(a->last.late, 0);
}

/*
 * Several were agreed on, and the far end changes among them without a word: it is heard, and told
 * once each time.
 */
static void test_far_end_chooses(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	const struct codec *opus = codec_find(slice_of("opus"));

	a->params.heard.list[a->params.heard.count++] = (struct media_format){opus, 96};
	start_both(line, 2000);
	assert_int_equal(a->heard_told, 0);
	turn_to(b, opus, 96);
	run_ms(line, 2000);
	assert_int_equal(a->heard_told, 1);
	assert_ptr_equal(a->heard.codec, opus);
	assert_int_equal(a->heard.payload_type, 96);
	assert_true(a->report.far_dbfs > -20);
	turn(b, 0, 0);
	run_ms(line, 2000);
	assert_int_equal(a->heard_told, 2);
	assert_ptr_equal(a->heard.codec, codec_find_payload_type(0));
	assert_true(a->report.concealed_pct < 1);
	assert_int_equal(a->packet.payload_type, 0); /* what we send is as it was */
	close_end(line, a);
	assert_int_equal(a->last.lost, 0);
}

/* Of what is sent and of what is played, each for itself; the levels are those that come of it. */
static void test_volume(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0], *b = &line->ends[1];
	double full;

	start_both(line, 2500);
	full = a->report.near_dbfs;
	assert_true(full > -20);
	set_volume(a, -6, 0, false);
	set_volume(b, 0, -12, false);
	run_ms(line, 2500);
	assert_true(fabs(a->report.near_dbfs - full + 6) < 0.5);
	assert_true(fabs(a->report.far_dbfs - full) < 0.5);
	assert_true(fabs(b->report.far_dbfs - full + 18) < 0.5);
	set_volume(a, 0, 0, true);
	run_ms(line, 2500);
	assert_true(a->report.near_dbfs == -96);
	assert_true(b->report.far_dbfs < -60);
	assert_int_equal(a->jumps, 0); /* silence is sent all the same */
	set_volume(a, 0, 0, false);
	set_volume(b, 0, 0, false);
	run_ms(line, 2500);
	assert_true(fabs(b->report.far_dbfs - full) < 0.5);
}

/* Before there is a stream, and while it is being made. */
static void test_volume_beforehand(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	set_volume(a, 0, 0, true);
	start(a);
	run_ms(line, 1500);
	assert_true(a->report.near_dbfs == -96);
	start(&line->ends[1]);
	set_volume(&line->ends[1], 0, 0, true);
	run_ms(line, 2500);
	assert_true(line->ends[1].report.near_dbfs == -96);
	allocations_left = 0;
	assert_int_equal(media_set_volume(a->media, &(struct media_volume){0}), -ENOMEM);
	allocations_left = SIZE_MAX;
	close_end(line, a);
	set_volume(&line->ends[1], 0, 0, false); /* and while it runs alone */
}

/* Before its files are open, twice: the last counts. */
static void test_while_opening(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	start(&line->ends[1]);
	start(a);
	a->params.sends = false;
	change(a);
	a->params.sends = true;
	a->params.send_payload_type = 99;
	change(a);
	run_ms(line, 500);
	assert_int_equal(a->packet.payload_type, 99);
	a->params.sends = false;
	change(a);
	run_ms(line, 100);
	a->rtp = 0;
	run_ms(line, 500);
	assert_int_equal(a->rtp, 0);
}

/* Changes that were never applied go with it: the sanitizers look. */
static void test_closed_while_opening(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	start(a);
	a->params.send_payload_type = 99;
	change(a);
	media_close(a->media);
	change(a);
	run_ms(line, 100);
	assert_true(a->closed);
	assert_int_equal(a->rtp, 0);
}

static void test_silence_is_told_as_long_as_it_lasts(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	char words[128], at[ADDR_TEXT_SIZE];

	a->params.remote_rtp.port = 7000; /* where nobody listens */
	start(a);
	run_ms(line, SILENCE_S * 1000 - 50);
	assert_int_equal(a->silent, 0);
	run_ms(line, 100);
	assert_int_equal(a->silent, 1);
	snprintf(words, sizeof(words), "nothing listens on %s (port unreachable)",
		addr_print_port(at, &a->params.remote_rtp));
	assert_string_equal(a->why.words, words);
	run_ms(line, SILENCE_S * 1000);
	assert_int_equal(a->silent, 2);

	/* something comes, and stops */
	a->params.remote_rtp = line->ends[1].local;
	change(a);
	start(&line->ends[1]);
	run_ms(line, 3 * SILENCE_S * 1000);
	assert_int_equal(a->silent, 2);
	close_end(line, &line->ends[1]);
	run_ms(line, SILENCE_S * 1000 + 200);
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
	run_ms(line, 20);
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
	start(a);
	run_ms(line, 500);
	ssrc = stray.ssrc;
	seq = stray.seq;
	for (uint16_t i = 0; i < 100; i++)
		stray_send(&stray, line, ssrc, (uint16_t)(seq + 20000 + i));
	assert_int_equal(stray.bye_of, ssrc);
	assert_true(stray.ssrc != ssrc);
	assert_in_range((uint16_t)(stray.seq - seq), 98, 103); /* the numbers go on */
	assert_true(a->report.far_dbfs > -20);
	assert_in_range(stray.packets, 120, 130);
	close_end(line, a);
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
	start(a);
	run_ms(line, 500);
	ssrc = stray.ssrc;
	for (uint16_t i = 0; i < 100; i++)
		stray_send(&stray, line, ssrc, stray.seq);
	assert_int_equal(stray.ssrc, ssrc);
	assert_int_equal(stray.bye_of, 0);
	assert_true(a->report.far_dbfs > -20);
	close_end(line, a);
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
	start(a);
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
	close_end(line, a);
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
	start(a);
	run_ms(line, 500);
	close_end(line, a);
	assert_int_equal(a->rtp + a->rtcp, 0);
}

/* Whatever is changed, there is time to follow. */
static void test_a_change_begins_the_silence_anew(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	start(a);
	run_ms(line, SILENCE_S * 1000 - 100);
	a->params.sends = false;
	change(a);
	run_ms(line, SILENCE_S * 1000 - 100);
	assert_int_equal(a->silent, 0);
	run_ms(line, 200);
	assert_int_equal(a->silent, 1);
}

/* Held, nobody is awaited; resumed, from then on. */
static void test_hold_is_no_silence(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];

	start(a);
	a->params.receives = false;
	change(a);
	run_ms(line, 30000);
	assert_int_equal(a->silent, 0);
	a->params.receives = true;
	change(a);
	run_ms(line, SILENCE_S * 1000 - 100);
	assert_int_equal(a->silent, 0);
	run_ms(line, 200);
	assert_int_equal(a->silent, 1);
}

/* Each allocation in turn; what fails changes nothing. */
static void test_change_out_of_memory(void **state)
{
	struct line *line = *state;
	struct end *a = &line->ends[0];
	struct media_params params;
	size_t left = 0;
	int err;

	start_both(line, 100);
	params = a->params;
	params.codec = codec_find_payload_type(8);
	do {
		allocations_left = left++;
		err = media_change(a->media, &params);
		allocations_left = SIZE_MAX;
		assert_true(err == 0 || err == -ENOMEM);
	} while (err);
	assert_true(left > 4);
}

static void test_params_equal(void **state)
{
	struct line *line = *state;
	const struct media_params *a = &line->ends[0].params;
	struct media_params others[11];

	for (size_t i = 0; i < 11; i++)
		others[i] = *a;
	assert_true(media_params_equal(a, &others[10]));
	others[0].codec = codec_find_payload_type(8);
	others[1].remote_fmtp = (struct slice){(const uint8_t *)"x", 1};
	others[2].send_payload_type++;
	others[3].heard.list[0].payload_type++;
	others[4].ptime_ms++;
	others[5].sends = false;
	others[6].receives = false;
	others[7].remote_rtp.port++;
	others[8].remote_rtcp.port++;
	others[9].rtcp_mux = true;
	for (size_t i = 0; i < 10; i++)
		if (media_params_equal(a, &others[i]))
			fail_msg("%zu", i);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rtcp_interval),
		TEST(test_hold),
		TEST(test_unheard_is_not_lost),
		TEST(test_codec_and_ptime),
		TEST(test_old_type_is_understood),
		TEST(test_counts_carry_over),
		TEST(test_another_rate),
		TEST(test_far_end_chooses),
		TEST(test_volume),
		TEST(test_volume_beforehand),
		TEST(test_while_opening),
		TEST(test_closed_while_opening),
		TEST(test_silence_is_told_as_long_as_it_lasts),
		TEST(test_a_change_begins_the_silence_anew),
		TEST(test_collision),
		TEST(test_echo),
		TEST(test_restart),
		TEST(test_no_goodbye_of_nobody),
		TEST(test_hold_is_no_silence),
		TEST(test_change_out_of_memory),
		TEST(test_params_equal),
	};

	return cmocka_run_group_tests_name("media/media", tests, NULL, NULL);
}
