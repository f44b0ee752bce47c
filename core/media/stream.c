#include "core/media/stream_private.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum {
	RTP_ROOM = RTP_HEADER_SIZE + CODEC_PAYLOAD_MAX,
	RTCP_ROOM = 512,
	PACKET_OVERHEAD = 20 + 8 + RTP_HEADER_SIZE, /* octets, with those of IPv4 and UDP */
	/* After so long a standstill (a suspended machine) the ticks go on from the present. */
	LATE_PACKETS_MAX = 10,
	/* So many packets in a row are no stragglers of what was sent before a change. */
	HEARD_STEADY = 10,
};

struct stream_change {
	struct stream_params params;
	struct talker *talker; /* NULL: as before */
	struct voice_set voices;
};

/* RFC 3551, section 4.1: the marker is set on the first packet after a silence. */
static void send_frame(struct stream *stream, const int16_t *near)
{
	uint8_t payload_bytes[CODEC_PAYLOAD_MAX];
	uint8_t packet_bytes[RTP_ROOM];
	struct buf payload = {payload_bytes, 0, sizeof(payload_bytes)};
	struct buf packet = {packet_bytes, 0, sizeof(packet_bytes)};

	if (talker_encode(stream->talker, &payload, near) != 0 ||
		payload.len == 0 || /* silence, of which the far end wants no packets */
		rtp_session_send(&packet, stream->session, stream->config.params.send_payload_type,
			!stream->talking, stream->begun, (struct slice){payload.data, payload.len},
			loop_now(stream->config.loop)) != 0) {
		stream->talking = false;
		return;
	}
	media_transport_send_rtp(stream->config.transport, (struct slice){packet.data, packet.len});
	stream->talking = true;
}

static uint32_t step_ms(const struct stream *stream)
{
	uint32_t ptime_ms = stream->config.params.ptime_ms;

	return stream->config.step_ms > 0 ? stream->config.step_ms : ptime_ms;
}

/* Ticks are counted from the start, not from each other, so that no delay adds up. */
static void next_tick(struct stream *stream)
{
	const struct stream_params *params = &stream->config.params;
	uint64_t period_ns = step_ms(stream) * NS_PER_MS;
	uint64_t late_ns = LATE_PACKETS_MAX * params->ptime_ms * NS_PER_MS;
	uint64_t now_ns = loop_now(stream->config.loop);
	uint32_t ticks = 1;

	if (now_ns > stream->tick_ns + late_ns) {
		ticks = (uint32_t)((now_ns - stream->tick_ns) / period_ns);
		stream->talking = false;
		stream->taken = 0;
	}
	stream->tick_ns += ticks * period_ns;
	/* the timestamp follows the time even where nothing is sent (RFC 3550, section 5.1) */
	stream->timestamp += ticks * (params->codec->clock_rate / 1000 * step_ms(stream));
	timer_start(&stream->tick, stream->tick_ns);
}

/* Who is on hold hears what is played to him, and nothing of the room that does not talk to him. */
static enum ends_gate gate_of(const struct stream_params *params)
{
	if (!params->sends)
		return ENDS_NOTHING;
	return params->holds ? ENDS_CLIPS : ENDS_ALL;
}

/* Both ends' next step; what is to be sent gathers until it makes a packet. */
static void run_tick(void *arg)
{
	struct stream *stream = arg;
	const struct stream_params *params = &stream->config.params;
	size_t step = stream->config.rate / 1000 * step_ms(stream);
	int16_t *far = stream->samples;
	int16_t *near = stream->samples + stream->frame;
	bool had_ended = stream->ends.source_ended;

	if (params->receives)
		playout_read(stream->playout, far, step, stream->tick_ns);
	else
		memset(far, 0, step * sizeof(*far));
	if (stream->taken == 0)
		stream->begun = stream->timestamp;
	ends_take(&stream->ends, near + stream->taken, far, step, gate_of(params));
	ends_play(&stream->ends, far, step);
	stream->taken += step;
	if (!params->sends)
		stream->talking = false;
	else if (stream->taken == stream->frame)
		send_frame(stream, near);
	stream->taken %= stream->frame;
	next_tick(stream);
	if (stream->ends.source_ended && !had_ended)
		stream->config.source_ended(stream->config.arg);
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

/* RFC 3550, section 6.2: what both ends' RTP takes, with the headers of UDP and IPv4. */
static uint32_t bandwidth_of(const struct stream_params *params)
{
	return 2 * (params->codec->bit_rate / 8 + 1000 * PACKET_OVERHEAD / params->ptime_ms);
}

static uint32_t by_chance(struct stream *stream)
{
	uint32_t chance;

	loop_random(stream->config.loop, &chance, sizeof(chance));
	return chance;
}

static void await_rtcp(struct stream *stream)
{
	timer_start(&stream->rtcp, rtp_session_next_report(stream->session));
}

static void start_rtcp(struct stream *stream)
{
	rtp_session_start_reports(stream->session, bandwidth_of(&stream->config.params),
		loop_now(stream->config.loop), by_chance(stream));
	await_rtcp(stream);
}

static void run_rtcp(void *arg)
{
	struct stream *stream = arg;
	uint64_t now_ns = loop_now(stream->config.loop);

	if (rtp_session_report_due(stream->session, now_ns, by_chance(stream))) {
		send_rtcp(stream, false);
		rtp_session_plan_report(stream->session, by_chance(stream));
	}
	await_rtcp(stream);
}

/* RFC 3550, section 8.2: goodbye to the SSRC that the far end has too, and on with another. */
static void part_names(struct stream *stream)
{
	if (!rtp_session_collided(stream->session))
		return;

	send_rtcp(stream, true);
	rtp_session_rename(stream->session, by_chance(stream));
}

static void note_heard(struct stream *stream, const struct media_format *format)
{
	if (!format)
		return;
	if (format->codec == stream->heard) {
		stream->heard_otherwise = 0;
		return;
	}
	if (++stream->heard_otherwise < HEARD_STEADY)
		return;

	stream->heard = format->codec;
	stream->heard_otherwise = 0;
	if (stream->config.heard)
		stream->config.heard(stream->config.arg, format);
}

static void rtp_came(void *arg, struct slice bytes, uint64_t arrival_ns)
{
	struct stream *stream = arg;
	struct rtp_packet packet;
	int err;

	if (!stream->config.params.receives)
		return;
	err = rtp_session_receive(&packet, stream->session, bytes, arrival_ns);
	if (err != -EPROTO)
		stream_await(stream);
	if (err)
		return;
	part_names(stream);
	note_heard(stream, playout_packet(stream->playout, &packet, arrival_ns));
}

/* What the far end's reports say of the way there, for an encoder that can heed it. */
static void heed_loss(struct stream *stream)
{
	struct rtp_stats rtp;

	rtp_session_stats(&rtp, stream->session);
	if (rtp.remote_reports > 0)
		talker_expect_loss(stream->talker, (uint32_t)ceil(100 * rtp.remote_loss));
}

static void rtcp_came(void *arg, struct slice bytes, uint64_t arrival_ns)
{
	struct stream *stream = arg;

	/* a far end that finds nothing to say sends this alone */
	if (rtp_session_rtcp(stream->session, bytes, arrival_ns) == 0)
		stream_await(stream);
	heed_loss(stream);
	part_names(stream);
	await_rtcp(stream); /* a BYE brings it nearer */
}

static const struct media_transport_events transport_events = {rtp_came, rtcp_came};

static void forget_former(void *arg)
{
	struct stream *stream = arg;

	timer_stop(&stream->former_over);
	media_transport_free(stream->former);
	stream->former = NULL;
}

/* Until the far end has been told where we are now, it sends to where we were, which may be ours
 * still. */
int stream_turn_transport(
	struct stream *stream, struct media_transport *transport, uint64_t former_ns)
{
	int err;

	if (stream->state != STREAM_RUNNING)
		return -ENOTCONN;
	media_transport_aim(transport, &stream->config.params.aim);
	err = media_transport_start(transport, stream->config.loop, &transport_events, stream);
	if (err)
		return err;

	forget_former(stream);
	stream->former = stream->config.transport;
	stream->config.transport = transport;
	timer_start_in(&stream->former_over, former_ns);
	return 0;
}

static void free_parts(struct stream *stream)
{
	rtp_session_free(stream->session);
	talker_free(stream->talker);
	playout_free(stream->playout);
	free(stream);
}

static int make_talker(struct talker **out, const struct stream_params *params, uint32_t rate)
{
	const struct codec_settings settings = {
		.ptime_ms = params->ptime_ms, .remote_fmtp = params->remote_fmtp};

	return talker_new(out, params->codec, &settings, rate);
}

static void expect_formats(struct stream *stream)
{
	const struct media_formats *formats = &stream->config.params.heard;

	for (size_t i = 0; i < formats->count; i++)
		rtp_session_expect(stream->session, formats->list[i].payload_type,
			formats->list[i].codec->clock_rate);
}

int stream_new(struct stream **out, const struct stream_config *config)
{
	const struct rtp_session_config session = {
		.ssrc = config->ssrc,
		.first_seq = config->first_seq,
		.first_timestamp = config->first_timestamp,
		.clock_rate = config->params.codec->clock_rate,
		.cname = config->cname,
	};
	size_t room = (size_t)config->rate * CODEC_PACKET_MAX_MS / 1000;
	struct stream *stream;
	int err;

	stream = calloc(1, sizeof(*stream) + 2 * room * sizeof(stream->samples[0]));
	if (!stream)
		return -ENOMEM;

	stream->config = *config;
	stream->heard = config->params.codec;
	err = make_talker(&stream->talker, &config->params, config->rate);
	if (!err)
		err = rtp_session_new(&stream->session, &session);
	if (!err)
		err = playout_new(&stream->playout, &config->params.heard, config->rate);
	if (err) {
		free_parts(stream);
		return err;
	}

	stream->frame = talker_frame(stream->talker);
	expect_formats(stream);
	ends_init(&stream->ends, config->source, config->sink, config->recorder, config->rate,
		&config->volume);
	ends_set_microphone(&stream->ends, config->microphone);
	timer_init(&stream->tick, config->loop, run_tick, stream);
	timer_init(&stream->rtcp, config->loop, run_rtcp, stream);
	timer_init(&stream->report, config->loop, stream_run_report, stream);
	timer_init(&stream->silence, config->loop, stream_run_silence, stream);
	timer_init(&stream->former_over, config->loop, forget_former, stream);
	*out = stream;
	return 0;
}

int stream_start(struct stream *stream)
{
	struct stream_config *config = &stream->config;
	int err;

	assert(stream->state == STREAM_NEW);

	media_transport_aim(config->transport, &config->params.aim);
	err = media_transport_start(config->transport, config->loop, &transport_events, stream);
	if (err)
		return err;

	stream->state = STREAM_RUNNING;
	stream->tick_ns = loop_now(config->loop);
	stream->report_ns = stream->tick_ns + config->report_ns;
	timer_start(&stream->report, stream->report_ns);
	start_rtcp(stream);
	stream_await(stream);
	run_tick(stream);
	return 0;
}

static bool same_sound(const struct stream_params *a, const struct stream_params *b)
{
	return a->codec == b->codec && a->ptime_ms == b->ptime_ms &&
	       slice_equal(a->remote_fmtp, b->remote_fmtp);
}

int stream_change_new(struct stream_change **out, const struct stream_params *from,
	const struct stream_params *to, uint32_t rate)
{
	struct stream_change *change = calloc(1, sizeof(*change));
	int err = 0;

	if (!change)
		return -ENOMEM;

	change->params = *to;
	change->params.remote_fmtp = (struct slice){0};
	if (!same_sound(from, to))
		err = make_talker(&change->talker, to, rate);
	if (!err)
		err = voice_set_make(&change->voices, &to->heard, &from->heard, rate);
	if (err) {
		stream_change_free(change);
		return err;
	}
	*out = change;
	return 0;
}

void stream_change_free(struct stream_change *change)
{
	if (!change)
		return;

	talker_free(change->talker);
	voice_set_free(&change->voices);
	free(change);
}

/* The old parts leave with the change, and what was gathered for a packet of another length. */
static void renew_parts(struct stream *stream, struct stream_change *change)
{
	struct talker *talker = stream->talker;

	if (change->talker) {
		stream->talker = change->talker;
		change->talker = talker;
		stream->frame = talker_frame(stream->talker);
		stream->taken = 0;
		heed_loss(stream);
	}
	playout_turn(stream->playout, &change->voices);
}

/* RFC 7160, section 4.1: a source has one clock, and says goodbye where that ends. */
static void turn_clock(struct stream *stream, uint32_t clock_rate)
{
	send_rtcp(stream, true);
	rtp_session_turn(stream->session, by_chance(stream), clock_rate, stream->timestamp,
		loop_now(stream->config.loop));
}

/* What comes after a hold, or from elsewhere, need not follow on what came before. */
static void expect_anew(struct stream *stream)
{
	rtp_session_resume(stream->session);
	playout_reset(stream->playout);
}

static void apply(struct stream *stream, struct stream_change *change)
{
	const struct stream_params before = stream->config.params;
	const struct stream_params *params = &change->params;

	if (params->codec->clock_rate != before.codec->clock_rate)
		turn_clock(stream, params->codec->clock_rate);
	if (params->codec != before.codec) {
		stream->heard = params->codec;
		stream->heard_otherwise = 0;
	}
	renew_parts(stream, change);
	stream->config.params = *params;
	expect_formats(stream);
	rtp_session_set_bandwidth(stream->session, bandwidth_of(params));
	media_transport_aim(stream->config.transport, &params->aim);
	if (params->receives != before.receives)
		expect_anew(stream);
	else if (!addr_equal(&params->aim.rtp, &before.aim.rtp))
		rtp_session_resume(stream->session);
	timer_stop(&stream->silence);
	stream_await(stream);
}

void stream_change(struct stream *stream, struct stream_change *change)
{
	if (stream->state == STREAM_RUNNING)
		apply(stream, change);
	stream_change_free(change);
}

void stream_set_volume(struct stream *stream, const struct media_volume *volume)
{
	ends_set_volume(&stream->ends, volume);
}

void stream_set_microphone(struct stream *stream, enum ends_mic microphone)
{
	ends_set_microphone(&stream->ends, microphone);
}

struct ends_clip *stream_turn_clip(struct stream *stream, struct ends_clip *clip)
{
	return ends_turn_clip(&stream->ends, clip);
}

struct recorder *stream_turn_recorder(struct stream *stream, struct recorder *recorder)
{
	return ends_turn_recorder(&stream->ends, recorder);
}

struct ear *stream_turn_ear(struct stream *stream, struct ear *ear)
{
	return ends_turn_ear(&stream->ends, ear);
}

static void ends_closed(void *arg, const struct ends_result *result)
{
	struct stream *stream = arg;

	stream->end.ends = *result;
	stream->done(stream->done_arg, &stream->end);
	free_parts(stream);
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
	timer_stop(&stream->silence);
	stream_fill_report(&stream->end.report, stream);
	forget_former(stream);
	media_transport_free(stream->config.transport);
	stream->config.transport = NULL;
}

void stream_close(struct stream *stream, stream_done *done, void *arg)
{
	assert(stream->state != STREAM_CLOSING);

	fall_silent(stream);
	stream->done = done;
	stream->done_arg = arg;
	ends_close(&stream->ends, ends_closed, stream);
}
