/*
 * A call that comes: offer or answer at once, then ring, answer or refuse as the policy says, or as
 * somebody at the keyboard does.
 */
#include "core/ua/call_private.h"
#include "core/ua/identity.h"
#include "core/ua/way.h"

#include <errno.h>

enum { CONTACT_SIZE = 1024 };

static const struct sip_invite_events invite_events = {
	.confirmed = call_confirmed,
	.change = call_changing,
	.changed = call_changed,
	.unchanged = call_unchanged,
	.retry = call_retry,
	.ended = call_invite_ended,
};

/* Where our 200 made the offer, its ACK brings the answer. */
static void agree(struct call *call, const struct sip_msg *ack)
{
	struct media_params params;
	struct fault why;

	if (negotiation_apply(&params, &call->negotiation, call_body(ack), &why) != 0)
		call_finish(call, UA_CAUSE_MEDIA, 488, slice_of(""), &why);
	else
		call_talk(call, &params);
}

void call_confirmed(void *arg, const struct sip_msg *ack)
{
	struct call *call = arg;

	if (call->state == CALL_AGREEING)
		agree(call, ack);
	else if (call->state == CALL_TALKING)
		call_change_confirmed(call, ack);
}

void call_accept(struct call *call)
{
	int err;

	err = sip_invite_accept(call->invite, SDP_CONTENT_TYPE, slice_of(call->description));
	if (err)
		call_fail(call, err, "the call cannot be answered");
	else if (call->params.codec)
		call_talk(call, &call->params);
	else
		call_change_state(call, CALL_AGREEING);
}

static void emit_incoming(struct call *call, const struct sip_msg *msg)
{
	struct ua_event event = {
		.kind = UA_CALL_INCOMING,
		.way = {.transport = way_of(&call->flow),
			.address = call->flow.remote,
			.from = msg->from.uri_text,
			.anonymous = identity_is_withheld(msg)},
	};

	call_emit(call, &event);
}

/* What we will answer with, made while it rings, so that a call without a chance never does. */
static int describe(struct call *call, struct slice offer, struct fault *why)
{
	char room[SDP_TEXT_SIZE];
	struct text description = TEXT_IN(room);
	int err;

	if (offer.len > 0)
		err = negotiation_answer(
			&description, &call->params, &call->negotiation, offer, &call->rtp, why);
	else /* RFC 3261, section 13.2.1: then our 200 makes the offer */
		err = negotiation_offer(&description, &call->negotiation, &call->rtp);
	if (err)
		return err;
	return call_keep(&call->description, text_slice(&description));
}

/* RFC 3261, section 21.4.26: a refusal of the media may say what would have been possible. */
static void refuse_media(struct call *call, int err, const struct fault *why)
{
	char room[SDP_TEXT_SIZE];
	struct text description = TEXT_IN(room);
	struct sip_response response = {.status = 500};

	if (err == -EPROTO) {
		response.status = 400;
		response.reason = "Broken Session Description";
	} else if (err == -ENOTSUP) {
		response.status = 488;
		if (negotiation_capabilities(&description, &call->negotiation, &call->flow.local) ==
			0) {
			response.content_type = SDP_CONTENT_TYPE;
			response.body = text_slice(&description);
		}
	}
	call_refuse(call, &response, why);
}

/*
 * RFC 3261, section 13.3.1.1: our answer goes ahead with 183, so that they hear what we play while
 * it rings (RFC 3960). Without an offer of theirs there is nothing to answer yet.
 */
static int ring_with_sound(struct call *call)
{
	int err = sip_invite_progress(call->invite, SDP_CONTENT_TYPE, slice_of(call->description));

	return err ? err : call_sound_early(call, call->list->config->early);
}

static void ring(struct call *call)
{
	uint64_t wait_ns = call->decision.answer_after_ns;
	int err;

	if (wait_ns == 0) {
		call_accept(call);
		return;
	}
	if (call->list->config->early && call->params.codec)
		err = ring_with_sound(call);
	else
		err = sip_invite_ring(call->invite, 180);
	if (err)
		call_fail(call, err, "the call cannot ring");
	else if (call->state == CALL_INCOMING && wait_ns != UINT64_MAX)
		timer_start_in(&call->limit, wait_ns); /* unless who was told has been faster */
}

/* Whoever is told of a call that is being refused, or has been answered, comes too late. */
static bool is_open(const struct call *call)
{
	return call->state == CALL_INCOMING && call->decision.refuse_code == 0;
}

/* Within UA_CALL_INCOMING there is no description yet: then it will not ring at all. */
int call_answer(struct call *call)
{
	if (!is_open(call))
		return -EALREADY;

	if (call->description)
		call_accept(call);
	else
		call->decision.answer_after_ns = 0;
	return 0;
}

int call_reject(struct call *call, uint16_t code)
{
	if (code < 300 || code > 699)
		return -ERANGE;
	if (!is_open(call))
		return -EALREADY;

	call_refuse(call, &(struct sip_response){.status = code}, NULL);
	return 0;
}

static void take(struct call *call, const struct sip_msg *msg)
{
	struct fault why = {0};
	int err;

	err = call_open_media(call, &why);
	if (!err)
		err = describe(call, call_body(msg), &why);
	if (err)
		refuse_media(call, err, &why);
	else
		ring(call);
}

/* How the caller is to reach us from now on. */
static int take_invite(struct call *call, struct sip_server *server, const struct sip_msg *msg)
{
	const struct account *account = call->account;
	char room[CONTACT_SIZE];
	struct text uri = TEXT_IN(room);
	struct sip_contact contact = {.user = slice_of(call->list->config->user)};

	if (account)
		contact.user = slice_of(account_settings(account)->user);
	if (account &&
		registration_print_contact(
			&uri, account_registration(account), &call->flow, false) &&
		!uri.cut)
		contact.uri = text_slice(&uri);
	return sip_invite_take(
		&call->invite, call->list->stack, server, msg, &contact, &invite_events, call);
}

void call_in(struct call_list *list, struct sip_server *server, const struct sip_msg *msg)
{
	const struct policy_state state = {
		.live = list->live, .anonymous = identity_is_withheld(msg)};
	struct policy_decision decision = policy_incoming(&list->config->policy, &state);
	struct sip_response response = {.status = decision.refuse_code};
	struct call *call;
	int err;

	call = call_new(list, CALL_INCOMING, msg->from.uri_text, msg->from.display);
	if (!call || call_keep(&call->call_id, msg->call_id) != 0) {
		response.status = 500;
		sip_server_respond(server, &response);
		if (call)
			call_fail(call, -ENOMEM, "the call cannot be taken");
		return;
	}

	call->decision = decision;
	sip_server_flow(&call->flow, server);
	call->account = account_find(list->accounts, &msg->uri, &call->flow);
	err = take_invite(call, server, msg);
	if (!err && call->account)
		sip_invite_authorize(call->invite, account_auth(call->account));
	if (!call_take_identity(call, msg))
		call_drop_escapes(call->display);
	emit_incoming(call, msg);
	if (call->state != CALL_INCOMING) /* who was told has hung up */
		return;

	if (err)
		call_fail(call, err, "the call cannot be taken");
	else if (decision.refuse_code != 0)
		call_refuse(call, &response, NULL);
	else
		take(call, msg);
}
