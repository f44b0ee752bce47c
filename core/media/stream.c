#include "core/media/stream.h"

#include "audio/level.h"
#include "core/base/list.h"
#include "core/media/playout.h"
#include "core/rtp/quality.h"
#include "core/rtp/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	RTP_ROOM = RTP_HEADER_SIZE + CODEC_PAYLOAD_MAX,
	RTCP_ROOM = 512,
	/* After so long a standstill (a suspended machine) the ticks go on from the present. */
	LATE_TICKS_MAX = 10,
};

enum stream_state {
	STREAM_NEW,
	STREAM_RUNNING,
	STREAM_CLOSING, /* nothing moves; files are being finished */
};

struct stream {
	enum stream_state state;
	struct stream_config config;
	struct encoder *encoder;
	struct playout *playout;
	struct rtp_session *session;

	struct timer tick;
	struct timer rtcp;
	struct timer report;
	uint64_t tick_ns; /* when the present one was due */
	uint64_t report_ns;
	uint32_t timestamp; /* of the next packet, from 0 */
	bool talking;       /* the last packet was sent with the tick before this one */
	double near_dbfs;
	double far_dbfs;

	stream_done *done;
	void *done_arg;
	unsigned closing; /* files not yet finished */
	struct stream_end end;

	size_t frame;      /* samples a tick */
	int16_t samples[]; /* two frames: far, near */
};

static void fill_report(struct stream_report *out, const struct stream *stream)
{
	const struct codec *codec = stream->config.codec;
	struct quality_input quality;
	struct playout_stats heard;
	struct rtp_stats rtp;

	rtp_session_stats(&rtp, stream->session);
	playout_stats(&heard, stream->playout);
	*out = (struct stream_report){
		.sent = rtp.packets_sent,
		.received = rtp.packets_received,
		.lost = rtp.lost,
		.late = heard.late,
		.jitter_ms = rtp.jitter_ms,
		.rtt_ms = rtp.rtt_ns ? (double)rtp.rtt_ns / NS_PER_MS : -1,
		.buffer_ms = heard.buffer_ms,
		.concealed_pct = heard.concealed_pct,
		.near_dbfs = stream->near_dbfs,
		.far_dbfs = stream->far_dbfs,
		.remote = *media_transport_remote(stream->config.transport),
	};
	if (!heard.anything)
		return;

	quality = (struct quality_input){
		.delay_ms = (double)rtp.rtt_ns / NS_PER_MS / 2 + heard.buffer_ms +
			    stream->config.ptime_ms,
		.loss_percent = heard.concealed_pct,
		.codec_ie = codec->ie,
		.codec_bpl = codec->bpl,
	};
	out->mos = quality_mos(quality_r(&quality));
}

static void loudest(double *level, const int16_t *samples, size_t count)
{
	double mean = audio_level(samples, count).mean_db;

	if (mean > *level)
		*level = mean;
}

static void hear(struct stream *stream, int16_t *far)
{
	struct stream_config *config = &stream->config;

	playout_read(stream->playout, far, stream->frame, stream->tick_ns);
	sink_write(config->sink, far, stream->frame);
	if (config->recorder)
		recorder_far(config->recorder, far, stream->frame);
	loudest(&stream->far_dbfs, far, stream->frame);
}

static void take_near(struct stream *stream, int16_t *near, const int16_t *far)
{
	struct stream_config *config = &stream->config;
	size_t got = 0;

	if (!config->source) {
		memcpy(near, far, stream->frame * sizeof(*near));
		got = stream->frame;
	} else {
		got = source_read(config->source, near, stream->frame);
	}
	memset(near + got, 0, (stream->frame - got) * sizeof(*near));
	if (config->recorder)
		recorder_near(config->recorder, near, stream->frame);
	loudest(&stream->near_dbfs, near, stream->frame);
}

/* RFC 3551, section 4.1: the marker is set on the first packet after a silence. */
static void send_frame(struct stream *stream, const int16_t *near)
{
	uint8_t payload_bytes[CODEC_PAYLOAD_MAX];
	uint8_t packet_bytes[RTP_ROOM];
	struct buf payload = {payload_bytes, 0, sizeof(payload_bytes)};
	struct buf packet = {packet_bytes, 0, sizeof(packet_bytes)};

	if (codec_encode(stream->encoder, &payload, near, stream->frame) != 0 ||
		rtp_session_send(&packet, stream->session, stream->config.send_payload_type,
			!stream->talking, stream->timestamp,
			(struct slice){payload.data, payload.len},
			loop_now(stream->config.loop)) != 0) {
		stream->talking = false;
		return;
	}
	media_transport_send_rtp(stream->config.transport, (struct slice){packet.data, packet.len});
	stream->talking = true;
}

/* Ticks are counted from the start, not from each other, so that no delay adds up. */
static void next_tick(struct stream *stream)
{
	const struct stream_config *config = &stream->config;
	uint64_t period_ns = config->ptime_ms * NS_PER_MS;
	uint64_t now_ns = loop_now(config->loop);
	uint32_t ticks = 1;

	if (now_ns > stream->tick_ns + LATE_TICKS_MAX * period_ns) {
		ticks = (uint32_t)((now_ns - stream->tick_ns) / period_ns);
		stream->talking = false;
	}
	stream->tick_ns += ticks * period_ns;
	/* the timestamp follows the time even where nothing is sent (RFC 3550, section 5.1) */
	stream->timestamp += ticks * (config->codec->clock_rate / 1000 * config->ptime_ms);
	timer_start(&stream->tick, stream->tick_ns);
}

static void run_tick(void *arg)
{
	struct stream *stream = arg;
	int16_t *far = stream->samples;
	int16_t *near = stream->samples + stream->frame;

	hear(stream, far);
	take_near(stream, near, far);
	if (stream->config.sends)
		send_frame(stream, near);
	next_tick(stream);
}

static void send_rtcp(struct stream *stream, bool bye)
{
	struct loop *loop = stream->config.loop;
	uint8_t bytes[RTCP_ROOM];
	struct buf out = {bytes, 0, sizeof(bytes)};

	if (rtp_session_report(&out, stream->session, loop_now(loop), loop_wall(loop), bye) == 0)
		media_transport_send_rtcp(
			stream->config.transport, (struct slice){out.data, out.len});
}

static void plan_rtcp(struct stream *stream)
{
	struct loop *loop = stream->config.loop;
	uint32_t chance;

	loop_random(loop, &chance, sizeof(chance));
	timer_start(
		&stream->rtcp, rtp_session_next_report(stream->session, loop_now(loop), chance));
}

static void run_rtcp(void *arg)
{
	struct stream *stream = arg;

	send_rtcp(stream, false);
	plan_rtcp(stream);
}

static void run_report(void *arg)
{
	struct stream *stream = arg;
	struct stream_report report;

	fill_report(&report, stream);
	stream->near_dbfs = AUDIO_QUIET;
	stream->far_dbfs = AUDIO_QUIET;
	stream->report_ns += stream->config.report_ns;
	timer_start(&stream->report, stream->report_ns);
	stream->config.report(stream->config.arg, &report);
}

/* The payload type tells the codec; another was not agreed on, so it is nobody's. */
static void rtp_came(void *arg, struct slice bytes, uint64_t arrival_ns)
{
	struct stream *stream = arg;
	struct rtp_packet packet;

	if (!stream->config.receives)
		return;
	if (rtp_session_receive(&packet, stream->session, bytes, arrival_ns) != 0)
		return;
	if (packet.payload_type == stream->config.receive_payload_type)
		playout_packet(stream->playout, &packet, arrival_ns);
}

static void rtcp_came(void *arg, struct slice bytes, uint64_t arrival_ns)
{
	struct stream *stream = arg;

	rtp_session_rtcp(stream->session, bytes, arrival_ns);
}

static const struct media_transport_events transport_events = {rtp_came, rtcp_came};

static void free_parts(struct stream *stream)
{
	rtp_session_free(stream->session);
	codec_encoder_free(stream->encoder);
	playout_free(stream->playout);
	free(stream);
}

int stream_new(struct stream **out, const struct stream_config *config)
{
	const struct codec_settings settings = {config->ptime_ms, config->remote_fmtp};
	const struct rtp_session_config session = {
		.ssrc = config->ssrc,
		.first_seq = config->first_seq,
		.first_timestamp = config->first_timestamp,
		.clock_rate = config->codec->clock_rate,
		.cname = config->cname,
	};
	size_t frame = codec_frame(config->codec, config->ptime_ms);
	struct stream *stream;
	int err;

	stream = calloc(1, sizeof(*stream) + 2 * frame * sizeof(stream->samples[0]));
	if (!stream)
		return -ENOMEM;

	stream->config = *config;
	stream->frame = frame;
	stream->near_dbfs = AUDIO_QUIET;
	stream->far_dbfs = AUDIO_QUIET;
	err = codec_encoder_new(&stream->encoder, config->codec, &settings);
	if (!err)
		err = rtp_session_new(&stream->session, &session);
	if (!err)
		err = playout_new(&stream->playout, config->codec);
	if (err) {
		free_parts(stream);
		return err;
	}

	timer_init(&stream->tick, config->loop, run_tick, stream);
	timer_init(&stream->rtcp, config->loop, run_rtcp, stream);
	timer_init(&stream->report, config->loop, run_report, stream);
	*out = stream;
	return 0;
}

int stream_start(struct stream *stream)
{
	struct stream_config *config = &stream->config;
	int err;

	assert(stream->state == STREAM_NEW);

	media_transport_aim(config->transport, &config->remote_rtp, &config->remote_rtcp);
	err = media_transport_start(config->transport, config->loop, &transport_events, stream);
	if (err)
		return err;

	stream->state = STREAM_RUNNING;
	stream->tick_ns = loop_now(config->loop);
	stream->report_ns = stream->tick_ns + config->report_ns;
	timer_start(&stream->report, stream->report_ns);
	plan_rtcp(stream);
	run_tick(stream);
	return 0;
}

static void finish(struct stream *stream)
{
	if (--stream->closing > 0)
		return;

	stream->done(stream->done_arg, &stream->end);
	free_parts(stream);
}

static void sink_closed(void *arg, int err)
{
	struct stream *stream = arg;

	stream->end.sink_err = err;
	finish(stream);
}

static void recorder_closed(void *arg, int err, uint64_t written, uint64_t dropped)
{
	struct stream *stream = arg;

	(void)written;
	(void)dropped;
	stream->end.recorder_err = err;
	finish(stream);
}

/* What comes after this, while files are being finished, is of no call. */
static void fall_silent(struct stream *stream)
{
	if (stream->state == STREAM_RUNNING)
		send_rtcp(stream, true);
	stream->state = STREAM_CLOSING;
	timer_stop(&stream->tick);
	timer_stop(&stream->rtcp);
	timer_stop(&stream->report);
	fill_report(&stream->end.report, stream);
	media_transport_free(stream->config.transport);
	stream->config.transport = NULL;
}

void stream_close(struct stream *stream, stream_done *done, void *arg)
{
	struct stream_config *config = &stream->config;

	assert(stream->state != STREAM_CLOSING);

	fall_silent(stream);
	stream->done = done;
	stream->done_arg = arg;

	stream->closing = config->recorder ? 2 : 1;
	source_free(config->source);
	config->source = NULL;
	sink_close(config->sink, sink_closed, stream);
	if (config->recorder)
		recorder_close(config->recorder, recorder_closed, stream);
}
