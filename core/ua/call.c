#include "core/ua/call.h"

#include "core/ua/call_private.h"
#include "core/ua/identity.h"

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

/* Which states follow each. */
static const unsigned next_states[] = {
	[CALL_LOCATING] = 1U << CALL_CALLING | 1U << CALL_ENDING,
	[CALL_CALLING] = 1U << CALL_MOVING | 1U << CALL_TALKING | 1U << CALL_ENDING,
	[CALL_MOVING] = 1U << CALL_LOCATING | 1U << CALL_CALLING | 1U << CALL_ENDING,
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
	char *copy = slice_copy(text);

	if (!copy)
		return -ENOMEM;

	free(*out);
	*out = copy;
	return 0;
}

static void swap(char **a, char **b)
{
	char *kept = *a;

	*a = *b;
	*b = kept;
}

static void call_free(struct call *call)
{
	negotiation_free(&call->negotiation);
	redirect_free(&call->redirect);
	free(call->offer);
	free(call->peer);
	free(call->first.call_id);
	free(call->first.tag);
	free(call->remote_fmtp);
	free(call->recording);
	free(call->display);
	free(call->asserted);
	free(call->call_id);
	free(call->description);
	free(call->warning);
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
	call->volume = list->config->volume;
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

/* A backslash in a quoted display name stands for what follows it (RFC 3261, section 25.1). */
void call_drop_escapes(char *display)
{
	char *out = display;

	for (const char *in = display; *in; in++) {
		if (in[0] == '\\' && in[1] != '\0')
			in++;
		*out++ = *in;
	}
	*out = '\0';
}

/* What comes round the server is worth nothing: a far end sees in Via where we can be answered. */
static bool is_by_server(const struct call *call, const struct sip_msg *msg)
{
	return call->account && addr_same_host(&msg->source, &call->flow.remote) &&
	       sip_auth_trusts(account_auth(call->account), &call->flow);
}

bool call_take_identity(struct call *call, const struct sip_msg *msg)
{
	char *asserted = NULL, *peer = NULL, *display = NULL;
	struct sip_name_addr name;
	bool taken;

	if (!is_by_server(call, msg) || !identity_asserted(&name, msg))
		return false;

	taken = call_keep(&asserted, name.uri_text) == 0 && call_keep(&peer, name.uri_text) == 0 &&
		call_keep(&display, name.display) == 0;
	if (taken) {
		call_drop_escapes(display);
		swap(&call->asserted, &asserted);
		swap(&call->display, &display);
		if (!call->outgoing)
			swap(&call->peer, &peer);
	}
	free(asserted);
	free(peer);
	free(display);
	return taken;
}

void call_emit(struct call *call, struct ua_event *event)
{
	event->call = call->number;
	event->account = call->account ? account_settings(call->account)->name : NULL;
	event->call_id = slice_of(call->call_id);
	event->peer = slice_of(call->peer);
	event->display = slice_of(call->display);
	event->asserted = slice_of(call->asserted ? call->asserted : "");
	event->wall_ns = loop_wall(call->list->config->loop);
	call->list->config->event(call->list->config->arg, event);
}

double call_duration_s(const struct call *call)
{
	uint64_t now = loop_now(call->list->config->loop);

	if (call->state == CALL_FINISHED)
		return call->talked_s;
	return call->answered ? (double)(now - call->answered_ns) / NS_PER_S : 0;
}

void call_settle(struct call *call)
{
	if (call->state != CALL_ENDING || call->invite || call->media)
		return;

	call_change_state(call, CALL_FINISHED);
	loop_post(call->list->config->loop, &call->finish);
}

/* What the far end reads of why we hang up (RFC 3326); nothing where it is usual. */
static struct slice farewell(const struct call *call)
{
	static const struct {
		enum ua_cause cause;
		uint16_t code;
		const char *line;
	} rows[] = {
		{UA_CAUSE_MEDIA, 408, "Reason: Q.850;cause=102;text=\"no RTP\"\r\n"},
		{UA_CAUSE_MEDIA, 488, "Reason: SIP;cause=488;text=\"Not Acceptable Here\"\r\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].cause == call->end.cause && rows[i].code == call->end.code)
			return slice_of(rows[i].line);
	return (struct slice){0};
}

static bool is_ending(const struct call *call)
{
	return call->state == CALL_ENDING || call->state == CALL_FINISHED;
}

/* response: what an incoming call is refused with; NULL: SIP ends as its state asks. */
static void finish(struct call *call, enum ua_cause cause, uint16_t code, struct slice reason,
	const struct fault *words, const struct sip_response *response)
{
	bool unheard, moving;

	if (call->outgoing && !is_ending(call))
		call_tell_outgoing(call);
	if (is_ending(call)) /* maybe by who was just told */
		return;

	call->end.cause = cause;
	call->end.code = code;
	if (reason.len > 0)
		call->end.reason = slice_copy(reason); /* NULL will do as well */
	if (words)
		call->end.words = *words;
	call->talked_s = call_duration_s(call);
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
			sip_invite_hangup(call->invite, farewell(call));
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
	} else if (!call->invite) {
		fault_set(&fault, 0, "the STUN server %s has not answered within %g s",
			call->list->config->stun, limit_s);
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
		call_trouble(
			call, "a disk or a command has not come to an end; it is not waited for");
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

	if (call->sounds)
		event.ended.stats = call_stats(&call->last);
	if (call->answered)
		call_emit_stats(call, UA_CALL_STATS, true);
	call_emit(call, &event);
	list_remove(&call->link);
	call_free(call);
	list->count--;
	list->gone(list);
}
