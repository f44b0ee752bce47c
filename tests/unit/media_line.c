#include "tests/unit/media_line.h"

#include "core/rtp/rtcp.h"
#include "core/rtp/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h> /* after the headers that it needs */

static void on_report(void *arg, const struct stream_report *report)
{
	struct end *end = arg;

	end->report = *report;
}

static void on_failed(void *arg, int err, const char *words)
{
	struct end *end = arg;

	if (!end->may_fail)
		fail_msg("%d: %s", err, words);
	fault_set(&end->failed, err, "%s", words);
}

static void on_source_ended(void *arg)
{
	(void)arg;
	fail_msg("a tone has no end");
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

static void open_end(
	struct line *line, unsigned i, const char *speaker, const struct device_maker *devices)
{
	static const struct media_events events = {
		.report = on_report,
		.failed = on_failed,
		.silent = on_silent,
		.heard = on_heard,
		.source_ended = on_source_ended,
		.notice = on_notice,
		.trouble = on_trouble,
		.closed = on_closed,
	};
	struct end *end = &line->ends[i];
	struct media_config config = {
		.mic = "tone:440",
		.speaker = speaker,
		.devices = devices,
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

int line_set_up_with(void **state, const char *speaker, const struct device_maker *devices)
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
	open_end(line, 0, speaker, devices);
	open_end(line, 1, "null", NULL);
	for (unsigned i = 0; i < 2; i++)
		aim(&line->ends[i], &line->ends[1 - i]);
	*state = line;
	return 0;
}

int line_set_up(void **state)
{
	return line_set_up_with(state, "null", NULL);
}

void line_run_ms(struct line *line, uint64_t ms)
{
	world_run(line->world, world_now(line->world) + ms * NS_PER_MS);
}

void line_close_end(struct line *line, struct end *end)
{
	media_close(end->media);
	line_run_ms(line, 100);
	assert_true(end->closed);
}

int line_tear_down(void **state)
{
	struct line *line = *state;

	for (unsigned i = 0; i < 2; i++) {
		if (!line->ends[i].closed)
			line_close_end(line, &line->ends[i]);
		world_loop_free(line->ends[i].agent);
		world_loop_free(line->ends[i].media_loop);
	}
	world_free(line->world);
	free(line);
	return 0;
}

void end_start(struct end *end)
{
	assert_int_equal(media_start(end->media, &end->params), 0);
}

void line_start(struct line *line, uint64_t ms)
{
	end_start(&line->ends[0]);
	end_start(&line->ends[1]);
	line_run_ms(line, ms);
}

void end_change(struct end *end)
{
	assert_int_equal(media_change(end->media, &end->params), 0);
}

void end_turn_to(struct end *end, const struct codec *codec, uint8_t payload_type)
{
	end->params.codec = codec;
	end->params.send_payload_type = payload_type;
	end->params.heard = one_format(codec, payload_type);
	end_change(end);
}

void end_turn(struct end *end, uint8_t codec, uint8_t payload_type)
{
	end_turn_to(end, codec_find_payload_type(codec), payload_type);
}

void end_set_volume(struct end *end, double mic_db, double speaker_db, bool muted)
{
	const struct media_volume volume = {mic_db, speaker_db, muted};

	assert_int_equal(media_set_volume(end->media, &volume), 0);
}

void line_hold(struct line *line, bool on)
{
	for (unsigned i = 0; i < 2; i++) {
		line->ends[i].params.sends = line->ends[i].params.receives = !on;
		end_change(&line->ends[i]);
	}
}
