#include "core/ua/call.h"

#include "core/ua/call_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/*
 * How long a hung-up call waits for the far end's last word before it is given up: room for BYE to
 * be sent four times (RFC 3261, section 17.1.2.2), far less than the 32 s of a transaction, because
 * a person waits. Before any response there may be no CANCEL (section 9.1): a second is for one to
 * come.
 */
#define PATIENCE_NS (4 * NS_PER_S)
#define PATIENCE_UNHEARD_NS NS_PER_S

#define STATS_PERIOD_NS (5 * NS_PER_S)

/* Which states follow each. */
static const unsigned next_states[] = {
	[CALL_LOCATING] = 1U << CALL_CALLING | 1U << CALL_ENDING,
	[CALL_CALLING] = 1U << CALL_MOVING | 1U << CALL_TALKING | 1U << CALL_ENDING,
	[CALL_MOVING] = 1U << CALL_CALLING | 1U << CALL_ENDING,
	[CALL_INCOMING] = 1U << CALL_AGREEING | 1U << CALL_TALKING | 1U << CALL_ENDING,
	[CALL_AGREEING] = 1U << CALL_TALKING | 1U << CALL_ENDING,
	[CALL_TALKING] = 1U << CALL_ENDING,
	[CALL_ENDING] = 1U << CALL_FINISHED,
	[CALL_FINISHED] = 0,
};

void call_change_state(struct call *call, enum call_state to)
{
	assert(next_states[call->state] & 1U << to);

	timer_stop(&call->limit);
	call->state = to;
}

struct call *call_of(struct list *link)
{
	return container_of(link, struct call, link);
}

unsigned call_number(const struct call *call)
{
	return call->number;
}

int call_keep(char **out, struct slice text)
{
	free(*out);
	*out = slice_copy(text);
	return *out ? 0 : -ENOMEM;
}

static void call_free(struct call *call)
{
	negotiation_free(&call->negotiation);
	free(call->peer);
	free(call->recording);
	free(call->display);
	free(call->call_id);
	free(call->description);
	free(call->end.reason);
	free(call);
}

static void finish_run(struct post *post);
static void limit_reached(void *arg);

struct call *call_new(
	struct call_list *list, enum call_state state, struct slice peer, struct slice display)
{
	struct call *call;

	call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	if (call_keep(&call->peer, peer) != 0 || call_keep(&call->display, display) != 0 ||
		call_keep(&call->call_id, slice_of("")) != 0) {
		call_free(call);
		return NULL;
	}

	call->list = list;
	call->state = state;
	call->number = ++list->last_number;
	call->finish.run = finish_run;
	call->last.rtt_ms = -1;
	timer_init(&call->limit, list->config->loop, limit_reached, call);
	negotiation_init(&call->negotiation, list->config->loop, list->config->codecs,
		list->config->codec_count);
	list_add(&list->calls, &call->link);
	list->count++;
	list->live++;
	return call;
}

void call_emit(struct call *call, struct ua_event *event)
{
	event->call = call->number;
	event->call_id = slice_of(call->call_id);
	event->peer = slice_of(call->peer);
	event->display = slice_of(call->display);
	event->wall_ns = loop_wall(call->list->config->loop);
	call->list->config->event(call->list->config->arg, event);
}

/* From the answer until now, or until the end. */
static double duration_s(const struct call *call)
{
	uint64_t now = loop_now(call->list->config->loop);

	if (call->state == CALL_FINISHED)
		return call->talked_s;
	return call->answered ? (double)(now - call->answered_ns) / NS_PER_S : 0;
}

static struct ua_stats stats_of(const struct stream_report *report)
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

static void emit_stats(struct call *call, enum ua_event_kind kind, bool final)
{
	struct ua_event event = {
		.kind = kind,
		.stats =
			{
				.now = stats_of(&call->last),
				.duration_s = duration_s(call),
				.near_dbfs = call->last.near_dbfs,
				.far_dbfs = call->last.far_dbfs,
				.final = final,
			},
	};

	call_emit(call, &event);
}

static void emit_media(struct call *call, enum ua_event_kind kind)
{
	struct ua_event event = {
		.kind = kind,
		.media =
			{
				.codec = call->params.codec->key,
				.rate_hz = call->params.codec->sample_rate,
				.payload_type = call->params.send_payload_type,
				.remote = call->params.remote_rtp,
			},
	};

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
		emit_stats(call, UA_CALL_METER, false);
	if (loop_now(loop) >= call->stats_ns) {
		call->stats_ns += STATS_PERIOD_NS;
		emit_stats(call, UA_CALL_STATS, false);
	}
}

static void media_trouble(void *arg, const char *words)
{
	struct ua_event event = {.kind = UA_ERROR, .error = {words}};

	call_emit(arg, &event);
}

static void media_failed(void *arg, int err, const char *words)
{
	struct call *call = arg;
	struct fault fault;

	fault_set(&fault, err, "%s", words);
	call_finish(call, UA_CAUSE_ERROR, 0, slice_of(""), &fault);
}

void call_settle(struct call *call)
{
	if (call->state != CALL_ENDING || call->invite || call->media)
		return;

	call_change_state(call, CALL_FINISHED);
	loop_post(call->list->config->loop, &call->finish);
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
		.trouble = media_trouble,
		.closed = media_closed};
	const struct ua_config *config = call->list->config;
	uint64_t period = config->meter_ns > 0 ? config->meter_ns : STATS_PERIOD_NS;
	const struct media_config media = {
		.agent_loop = config->loop,
		.media_loop = config->media_loop,
		.mic = config->mic,
		.speaker = config->speaker,
		.recording = config->record,
		.call = call->number,
		.peer = slice_of(call->peer),
		.report_ns = period < STATS_PERIOD_NS ? period : STATS_PERIOD_NS,
	};

	return media_open(&call->media, &media, &call->flow.local, &events, call, why);
}

void call_talk(struct call *call)
{
	const struct ua_config *config = call->list->config;
	int err;

	call_change_state(call, CALL_TALKING);
	call->answered = true;
	call->answered_ns = loop_now(config->loop);
	call->stats_ns = call->answered_ns + STATS_PERIOD_NS;
	if (config->policy.duration_ns > 0)
		timer_start(&call->limit, call->answered_ns + config->policy.duration_ns);

	emit_media(call, UA_CALL_ANSWERED);
	emit_media(call, UA_CALL_MEDIA);
	err = media_start(call->media, &call->params);
	if (err)
		call_fail(call, err, "the sound cannot be started");
}

/* response: what an incoming call is refused with; NULL: SIP ends as its state asks. */
static void finish(struct call *call, enum ua_cause cause, uint16_t code, struct slice reason,
	const struct fault *words, const struct sip_response *response)
{
	bool unheard, moving;

	if (call->state == CALL_ENDING || call->state == CALL_FINISHED)
		return;

	call->end.cause = cause;
	call->end.code = code;
	if (reason.len > 0)
		call->end.reason = slice_copy(reason); /* NULL will do as well */
	if (words)
		call->end.words = *words;
	if (call->outgoing)
		call_tell_outgoing(call);
	call->talked_s = duration_s(call);
	moving = call->state == CALL_MOVING;
	call_change_state(call, CALL_ENDING);
	call->list->live--;

	sip_locate_cancel(call->locate);
	call->locate = NULL;
	if (call->media && !moving) /* else it is on its way out */
		media_close(call->media);
	timer_start_in(&call->limit, PATIENCE_NS);
	if (call->invite) {
		unheard = sip_invite_state(call->invite) == SIP_INVITE_CALLING;
		if (unheard)
			timer_start_in(&call->limit, PATIENCE_UNHEARD_NS);
		if (response)
			sip_invite_reject(call->invite, response);
		else
			sip_invite_hangup(call->invite, (struct slice){0});
	}
	call_settle(call);
}

void call_finish(struct call *call, enum ua_cause cause, uint16_t code, struct slice reason,
	const struct fault *words)
{
	finish(call, cause, code, reason, words, NULL);
}

void call_refuse(struct call *call, const struct sip_response *response, const struct fault *words)
{
	finish(call, UA_CAUSE_REJECTED, response->status,
		slice_of(response->reason ? response->reason : ""), words, response);
}

void call_fail(struct call *call, int err, const char *what)
{
	struct fault fault;

	fault_set(&fault, err, "%s: %s", what, strerror(-err));
	call_finish(call, UA_CAUSE_ERROR, 0, slice_of(""), &fault);
}

void call_hangup(struct call *call)
{
	call_finish(call, UA_CAUSE_LOCAL, call->answered ? 200 : 487, slice_of(""), NULL);
}

/* Nobody picked up. Whether anything was heard at all tells which of two things is wrong. */
static void ring_limit_reached(struct call *call)
{
	double limit_s = (double)call->list->config->policy.ring_limit_ns / NS_PER_S;
	char at[ADDR_TEXT_SIZE];
	struct fault fault;

	if (call->state == CALL_LOCATING) {
		fault_set(&fault, 0, "no name server answered within %g s", limit_s);
		call_finish(call, UA_CAUSE_UNREACHABLE, 408, slice_of(""), &fault);
	} else if (sip_invite_state(call->invite) == SIP_INVITE_CALLING) {
		addr_print_port(at, &call->flow.remote);
		fault_set(&fault, 0, "nothing came back from %s within %g s", at, limit_s);
		call_finish(call, UA_CAUSE_UNREACHABLE, 408, slice_of(""), &fault);
	} else {
		fault_set(&fault, 0, "nobody answered within %g s", limit_s);
		call_finish(call, UA_CAUSE_TIMEOUT, 487, slice_of(""), &fault);
	}
}

/*
 * The far end has nothing to say any more: what SIP still owes to it, it does without the call. The
 * sound gets as long once more, for a disk that has to take the rest of what was heard.
 */
static void patience_ended(struct call *call)
{
	if (call->invite) {
		sip_invite_leave(call->invite);
		call->invite = NULL;
		timer_start_in(&call->limit, PATIENCE_NS);
	} else if (call->media) {
		media_leave(call->media);
		call->media = NULL;
		media_trouble(
			call, "a disk does not take what is to be written; it is not waited for");
	}
	call_settle(call);
}

static void limit_reached(void *arg)
{
	static void (*const reached[])(struct call * call) = {
		[CALL_LOCATING] = ring_limit_reached,
		[CALL_CALLING] = ring_limit_reached,
		[CALL_INCOMING] = call_accept,
		[CALL_TALKING] = call_hangup, /* as long as was asked for */
		[CALL_ENDING] = patience_ended,
	};
	struct call *call = arg;

	reached[call->state](call);
}

static const char *reason_of(const struct call *call)
{
	if (call->end.reason)
		return call->end.reason;
	if (call->answered && call->end.code == 200)
		return "Normal call clearing"; /* as Q.850, cause 16, has it */
	return call->end.code ? sip_reason(call->end.code) : "";
}

static void finish_run(struct post *post)
{
	struct call *call = container_of(post, struct call, finish);
	struct call_list *list = call->list;
	struct ua_event event = {
		.kind = UA_CALL_ENDED,
		.ended =
			{
				.cause = call->end.cause,
				.code = call->end.code,
				.reason = slice_of(reason_of(call)),
				.words = call->end.words.words[0] ? call->end.words.words : NULL,
				.outgoing = call->outgoing,
				.answered = call->answered,
				.duration_s = call->talked_s,
				.recording = call->recording,
				.stats = {.rtt_ms = -1},
			},
	};

	if (call->answered) {
		event.ended.stats = stats_of(&call->last);
		emit_stats(call, UA_CALL_STATS, true);
	}
	call_emit(call, &event);
	list_remove(&call->link);
	call_free(call);
	list->count--;
	list->gone(list);
}
