/*
 * Where else a call is tried: at the next address of a name (RFC 3263, section 4.3), and at the
 * URIs to which a 3xx has sent it (RFC 3261, section 8.1.3.4).
 */
#include "core/ua/call_private.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 3263, section 4.3: the next is tried where there was no answer at all, or a 503. */
static bool next_address(struct call *call, const struct sip_invite_end *end)
{
	bool in_vain = end->cause == SIP_ENDED_UNREACHABLE || end->cause == SIP_ENDED_TIMEOUT ||
		       (end->cause == SIP_ENDED_REJECTED && end->status == 503);

	if (!in_vain || call->last_provisional != 0 || call->flow_at + 1 >= call->flow_count)
		return false;

	call->flow = call->flows[++call->flow_at];
	return true;
}

static void tell_redirected(struct call *call, const struct sip_invite_end *end)
{
	struct redirect *redirect = &call->redirect;
	struct slice targets[REDIRECT_TARGETS_MAX];
	struct ua_event event = {
		.kind = UA_CALL_REDIRECTED,
		.redirected = {.code = end->status, .reason = end->reason, .targets = targets},
	};

	for (size_t i = redirect->at + 1; i < redirect->count; i++)
		targets[event.redirected.count++] = slice_of(redirect->targets[i]);
	call_emit(call, &event);
}

/* Section 21.3: of the others, one wants a proxy to be used (305), one another service (380). */
static void follow(struct call *call, const struct sip_invite_end *end)
{
	bool elsewhere = end->status >= 300 && end->status <= 302;

	if (elsewhere && end->msg && redirect_follow(&call->redirect, end->msg) > 0)
		tell_redirected(call, end);
}

/* What this URI said leads to another, or leaves only another. */
static bool next_target(struct call *call, const struct sip_invite_end *end)
{
	bool failed = end->cause == SIP_ENDED_UNREACHABLE || end->cause == SIP_ENDED_TIMEOUT ||
		      end->cause == SIP_ENDED_REJECTED;

	if (end->cause == SIP_ENDED_REJECTED)
		follow(call, end);
	if (!failed || !redirect_next(&call->redirect))
		return false;

	free(call->asserted); /* it was another's */
	call->asserted = NULL;
	call->display[0] = '\0';
	call->flow_count = 0;
	call->flow_at = 0;
	call->last_provisional = 0;
	return true;
}

bool call_move(struct call *call, const struct sip_invite_end *end)
{
	if (call->state != CALL_CALLING)
		return false;
	if (!next_address(call, end) && !next_target(call, end))
		return false;
	if (call->state != CALL_CALLING) /* who was told of the targets has hung up */
		return false;

	call_change_state(call, CALL_MOVING);
	call->sounds = false;
	media_close(call->media);
	return true;
}

/*
 * The same Call-ID, for those who read of it; another tag, for what the old INVITE still brings is
 * none of the new one's. Without memory for that it is another call, as far as SIP goes.
 */
void call_anew(struct call *call)
{
	if (!call->invite) {
		call->learned = NULL; /* it was not sent yet: the sockets are all that there is */
	} else if (call_keep_first(call) != 0 || call_keep(&call->first.tag, slice_of("")) != 0) {
		free(call->first.call_id);
		call->first.call_id = NULL;
	}
	if (call->invite)
		sip_invite_leave(call->invite);
	call->invite = NULL;
	call_change_state(call, CALL_MOVING);
	call->sounds = false;
	media_close(call->media);
}

bool call_move_past(struct call *call)
{
	static const struct sip_invite_end unreachable = {.cause = SIP_ENDED_UNREACHABLE};

	return next_target(call, &unreachable);
}

int call_keep_first(struct call *call)
{
	const struct sip_invite *invite = call->invite;
	int err;

	call->first.cseq = sip_invite_cseq(invite);
	err = call_keep(&call->first.tag, sip_invite_tag(invite));
	if (!err)
		err = call_keep(&call->first.call_id, sip_invite_call_id(invite));
	return err;
}

void call_move_on(struct call *call)
{
	if (call->flow_count == 0) {
		call_change_state(call, CALL_LOCATING);
		call_locate(call);
		return;
	}
	call_change_state(call, CALL_CALLING);
	call_invite(call);
}
