/* The sound of a call: what is told of it while it runs, how it begins, changes and is lost. */
#include "core/ua/call_private.h"

#include <errno.h>
#include <stdlib.h>

/* How long a person is told of at most, before a fraction of a second says more. */
#define STATS_PERIOD_NS (5 * NS_PER_S)

struct ua_stats call_stats(const struct stream_report *report)
{
	return (struct ua_stats){
		.sent = report->sent,
		.received = report->received,
		.lost = report->lost,
		.late = report->late,
		.jitter_ms = report->jitter_ms,
		.rtt_ms = report->rtt_ms,
		.buffer_ms = report->buffer_ms,
		.concealed_pct = report->concealed_pct,
		.mos = report->mos,
	};
}

void call_emit_stats(struct call *call, enum ua_event_kind kind, bool final)
{
	struct ua_event event = {
		.kind = kind,
		.stats =
			{
				.now = call_stats(&call->last),
				.duration_s = call_duration_s(call),
				.near_dbfs = call->last.near_dbfs,
				.far_dbfs = call->last.far_dbfs,
				.final = final,
			},
	};

	call_emit(call, &event);
}

static void emit_media(
	struct call *call, enum ua_event_kind kind, const struct media_params *params)
{
	struct ua_event event = {
		.kind = kind,
		.media =
			{
				.codec = params->codec->key,
				.rate_hz = params->codec->sample_rate,
				.payload_type = params->send_payload_type,
				.received = call->received ? call->received->key : NULL,
				.remote = params->remote_rtp,
			},
	};

	if (kind == UA_CALL_MEDIA)
		call->media_told = event.media;
	call_emit(call, &event);
}

static void media_report(void *arg, const struct stream_report *report)
{
	struct call *call = arg;
	struct loop *loop = call->list->config->loop;

	call->last = *report;
	if (call->state != CALL_TALKING)
		return;
	if (call->list->config->meter_ns > 0)
		call_emit_stats(call, UA_CALL_METER, false);
	if (loop_now(loop) >= call->stats_ns) {
		call->stats_ns += STATS_PERIOD_NS;
		call_emit_stats(call, UA_CALL_STATS, false);
	}
}

/* As soon as there is somebody to hear it; sound before the answer counts as well. */
static void heed_source_end(struct call *call)
{
	const struct ua_config *config = call->list->config;
	uint64_t wait_ns = policy_source_ended(&config->policy);
	uint64_t due_ns;

	if (call->state != CALL_TALKING || !call->source_ended || wait_ns == UINT64_MAX)
		return;

	due_ns = loop_now(config->loop) + wait_ns;
	if (!timer_running(&call->limit) || call->limit.due_ns > due_ns)
		timer_start(&call->limit, due_ns);
}

static void media_source_ended(void *arg)
{
	struct call *call = arg;

	call->source_ended = true;
	heed_source_end(call);
}

void call_trouble(void *arg, const char *words)
{
	struct ua_event event = {.kind = UA_ERROR, .error = {.words = words, .ours = true}};

	call_emit(arg, &event);
}

/* Not by what was agreed on first, but by another of it. */
static void media_heard(void *arg, const struct media_format *format)
{
	struct call *call = arg;

	call->received = format->codec == call->params.codec ? NULL : format->codec;
	emit_media(call, UA_CALL_MEDIA, &call->params);
}

static void media_notice(void *arg, const char *words)
{
	struct ua_event event = {.kind = UA_NOTICE, .notice = {words}};

	call_emit(arg, &event);
}

static void media_failed(void *arg, int err, const char *words)
{
	struct call *call = arg;
	struct fault fault;

	fault_set(&fault, err, "%s", words);
	call_finish(call, UA_CAUSE_ERROR, 0, slice_of(""), &fault);
}

/*
 * On hold, silence is what was or is being asked for; and what was not heard before the answer does
 * not count.
 */
static void media_silent(void *arg, const struct fault *why)
{
	struct call *call = arg;
	const struct ua_config *config = call->list->config;
	double limit_s = (double)config->policy.silence_ns / NS_PER_S;
	char at[ADDR_TEXT_SIZE];
	struct fault words;

	if (call->state != CALL_TALKING || call->hold.wanted || call->hold.agreed ||
		call->hold.remote ||
		loop_now(config->loop) - call->answered_ns < config->policy.silence_ns)
		return;

	addr_print_port(at, &call->params.remote_rtp);
	if (why->words[0] != '\0') /* where it failed is among them */
		fault_set(&words, 0, "no RTP for %g s: %s", limit_s, why->words);
	else
		fault_set(&words, 0, "no RTP from %s for %g s", at, limit_s);
	call_finish(call, UA_CAUSE_MEDIA, 408, slice_of(""), &words);
}

/* What could not be kept for want of memory is only not told. */
static void media_closed(void *arg, const struct stream_report *last, const char *recording)
{
	struct call *call = arg;

	call->media = NULL;
	if (call->state == CALL_MOVING) {
		call_move_on(call);
		return;
	}
	call->last = *last;
	if (recording)
		(void)call_keep(&call->recording, slice_of(recording));
	call_settle(call);
}

int call_open_media(struct call *call, struct fault *why)
{
	static const struct media_events events = {.report = media_report,
		.failed = media_failed,
		.silent = media_silent,
		.heard = media_heard,
		.source_ended = media_source_ended,
		.notice = media_notice,
		.trouble = call_trouble,
		.played = call_played,
		.recorded = call_recorded,
		.tone = call_heard_tone,
		.closed = media_closed};
	const struct ua_config *config = call->list->config;
	uint64_t period = config->meter_ns > 0 ? config->meter_ns : STATS_PERIOD_NS;
	const struct media_config media = {
		.agent_loop = config->loop,
		.media_loop = config->media_loop,
		.devices = config->devices,
		.mic = config->mic,
		.speaker = config->speaker,
		.pipe_rate = config->pipe_rate,
		.recording = config->record,
		.call = call->number,
		.peer = slice_of(call->peer),
		.report_ns = period < STATS_PERIOD_NS ? period : STATS_PERIOD_NS,
		.silence_ns = config->policy.silence_ns,
		.volume = call->volume,
		.dscp = config->dscp_rtp,
		.tap = config->tap,
	};

	int err;

	call->source_ended = false;
	err = media_open(&call->media, &media, &call->flow.local, &events, call, why);
	if (!err)
		media_local(&call->rtp, call->media);
	return err;
}

/* Whether a person would read of it: not where nothing is sent, as on hold, but behind that; and
 * always where he has asked for it. */
static bool is_news(const struct call *call, const struct media_params *params)
{
	const struct ua_media *told = &call->media_told;

	if (!call->sounds || (call->turn.offered && params->codec->key != told->codec))
		return true;
	return params->sends && (params->codec->key != told->codec ||
					params->send_payload_type != told->payload_type ||
					!addr_equal(&params->remote_rtp, &told->remote));
}

/* It sounds by params from now on; fmtp, their own copy of what the next description would take
 * away, is the call's. */
static void settle_sound(struct call *call, const struct media_params *params, char *fmtp)
{
	bool news = is_news(call, params);

	if (params->codec != call->params.codec)
		call->received = NULL;
	call->params = *params;
	call->params.remote_fmtp = slice_of(fmtp);
	free(call->remote_fmtp);
	call->remote_fmtp = fmtp;
	call->sounds = true;
	if (news)
		emit_media(call, UA_CALL_MEDIA, &call->params);
}

int call_sound_early(struct call *call, const char *source)
{
	char *fmtp = slice_copy(call->params.remote_fmtp);
	int err;

	if (!fmtp)
		return -ENOMEM;

	err = media_start_early(call->media, &call->params, source);
	if (err)
		free(fmtp);
	else
		settle_sound(call, &call->params, fmtp);
	return err;
}

int call_sound(struct call *call, const struct media_params *params)
{
	char *fmtp;
	int err;

	if (call->sounds && media_params_equal(params, &call->params))
		return 0;
	fmtp = slice_copy(params->remote_fmtp);
	if (!fmtp)
		return -ENOMEM;

	err = call->sounds ? media_change(call->media, params) : media_start(call->media, params);
	if (err)
		free(fmtp);
	else
		settle_sound(call, params, fmtp);
	return err;
}

void call_talk(struct call *call, const struct media_params *params)
{
	const struct ua_config *config = call->list->config;
	int err;

	call_change_state(call, CALL_TALKING);
	negotiation_settle(&call->negotiation);
	call->answered = true;
	call->answered_ns = loop_now(config->loop);
	call->stats_ns = call->answered_ns + STATS_PERIOD_NS;
	if (config->policy.duration_ns > 0)
		timer_start(&call->limit, call->answered_ns + config->policy.duration_ns);
	heed_source_end(call);

	emit_media(call, UA_CALL_ANSWERED, params);
	if (call->state != CALL_TALKING) /* who was told has hung up */
		return;

	err = call_sound(call, params);
	if (!err)
		err = media_answer(call->media);
	if (err)
		call_fail(call, err, "the sound cannot be started");
	else
		call_tell_hold(call);
	call_push(call); /* what has come up before there was anybody to ask */
}

/* Without memory for it, what comes before their answer is not heard; the call goes on. */
void call_expect(struct call *call)
{
	struct media_params params = call->params;

	if (!call->sounds)
		return;
	negotiation_expect(&params.heard, &call->negotiation);
	if (!media_params_equal(&params, &call->params) && media_change(call->media, &params) == 0)
		call->params = params;
}

static int set_volume(struct call *call, const struct media_volume *volume)
{
	int err = 0;

	if (call->state == CALL_ENDING || call->state == CALL_FINISHED)
		return -ENOTCONN;

	if (call->media)
		err = media_set_volume(call->media, volume);
	if (!err)
		call->volume = *volume;
	return err;
}

int call_volume(struct call *call, double mic_db, double speaker_db)
{
	struct media_volume volume = call->volume;

	if (!(mic_db >= GAIN_MIN_DB && mic_db <= GAIN_MAX_DB) ||
		!(speaker_db >= GAIN_MIN_DB && speaker_db <= GAIN_MAX_DB))
		return -ERANGE;

	volume.mic_db = mic_db;
	volume.speaker_db = speaker_db;
	return set_volume(call, &volume);
}

int call_mute(struct call *call, bool muted)
{
	struct ua_event event = {.kind = UA_CALL_MUTED, .mute = {muted}};
	struct media_volume volume = call->volume;
	int err;

	volume.mic_muted = muted;
	if (muted == call->volume.mic_muted)
		return 0;
	err = set_volume(call, &volume);
	if (!err)
		call_emit(call, &event);
	return err;
}
