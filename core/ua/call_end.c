/* How the end of an INVITE reads as the end of a call. */
#include "core/ua/call_private.h"
#include "core/ua/way.h"

#include <errno.h>

/* Who knows nothing of a call that was answered has ended it, and its BYE was lost or is late. */
static void forgotten(struct call *call, const struct sip_invite_end *end)
{
	struct fault words;

	if (end->status == 481) {
		call_finish(call, UA_CAUSE_REMOTE, 200, slice_of(""), NULL);
		return;
	}
	fault_set(&words, 0, "they do not answer any more");
	call_finish(call, UA_CAUSE_MEDIA, 408, slice_of(""), &words);
}

/* Why nothing that we know answers what they ask for. */
static void explain_challenge(struct fault *words, const struct call *call)
{
	if (!call->account)
		fault_set(words, 0, "they ask for a password: --account has who we are");
	else if (!sip_auth_trusts(account_auth(call->account), &call->flow))
		fault_set(words, 0, "they ask for a password, which goes to our own server only");
	else
		fault_set(words, 0, "%s", sip_auth_words(account_auth(call->account)));
}

static void rejected(struct call *call, const struct sip_invite_end *end)
{
	struct fault words = {0};

	if (call->answered) {
		forgotten(call, end);
		return;
	}
	if (end->status == 488 || end->status == 606)
		negotiation_explain(&words, &call->negotiation,
			end->msg ? call_body(end->msg) : (struct slice){0});
	if (end->msg)
		call_words_refused(&words, end->msg);
	if (end->status == 401 || end->status == 407)
		explain_challenge(&words, call);
	call_finish(call, UA_CAUSE_REJECTED, end->status, end->reason, &words);
}

static void unreachable(struct call *call, const struct sip_invite_end *end)
{
	struct fault words;

	way_fault(&words, &call->flow, end->err);
	/* RFC 3261, section 8.1.3.1: a transport error counts as 503 */
	call_finish(call, UA_CAUSE_UNREACHABLE, 503, slice_of(""), &words);
}

/* RFC 3261, section 8.1.3.1: no answer counts as 408. */
static void timed_out(struct call *call, const struct sip_invite_end *end)
{
	char at[ADDR_TEXT_SIZE];
	struct fault words;

	addr_print_port(at, &call->flow.remote);
	if (call->outgoing && call->answered) {
		forgotten(call, end);
	} else if (call->outgoing) {
		fault_set(&words, 0, "nothing came back from %s", at);
		call_finish(call, UA_CAUSE_UNREACHABLE, 408, slice_of(""), &words);
	} else { /* our answer was never acknowledged (section 13.3.1.4) */
		fault_set(&words, 0, "%s never acknowledged our answer", at);
		call_finish(call, UA_CAUSE_MEDIA, 408, slice_of(""), &words);
	}
}

static void remote(struct call *call, const struct sip_invite_end *end)
{
	struct fault words = {0};

	if (end->msg)
		call_words_ended(&words, end->msg);
	call_finish(call, UA_CAUSE_REMOTE, call->answered ? 200 : 487, slice_of(""), &words);
}

static void local(struct call *call, const struct sip_invite_end *end)
{
	(void)end;
	call_hangup(call);
}

/* A far end that breaks the protocol cannot be talked to; anything else is ours. */
static void failed(struct call *call, const struct sip_invite_end *end)
{
	struct fault words;

	if (end->err == -EPROTO) {
		fault_set(&words, 0, "they answered with a message that makes no call");
		call_finish(call, UA_CAUSE_MEDIA, end->status, slice_of(""), &words);
		return;
	}
	call_fail(call, end->err ? end->err : -EPROTO, "the call cannot go on");
}

void call_invite_ended(void *arg, const struct sip_invite_end *end)
{
	static void (*const causes[])(struct call * call, const struct sip_invite_end *end) = {
		[SIP_ENDED_LOCAL] = local,
		[SIP_ENDED_REMOTE] = remote,
		[SIP_ENDED_REJECTED] = rejected,
		[SIP_ENDED_TIMEOUT] = timed_out,
		[SIP_ENDED_UNREACHABLE] = unreachable,
		[SIP_ENDED_ERROR] = failed,
	};
	struct call *call = arg;

	if (call->state == CALL_CALLING && (end->status / 100 == 3 || call->redirect.at > 0) &&
		call_keep_first(call) != 0) {
		sip_invite_free(call->invite);
		call->invite = NULL;
		call_fail(call, -ENOMEM, "the call cannot be redirected");
		return;
	}
	sip_invite_free(call->invite);
	call->invite = NULL;
	if (call_move(call, end))
		return;
	causes[end->cause](call, end);
	call_settle(call);
}
