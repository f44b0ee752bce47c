/* A call that we make: look up, offer, invite. */
#include "core/ua/call_private.h"

#include <errno.h>

enum { FROM_SIZE = 256 };

static const struct sip_invite_events invite_events = {
	.provisional = call_provisional,
	.answered = call_answered,
	.confirmed = call_confirmed,
	.ended = call_invite_ended,
};

/* Each kind once: a far end repeats its 180 as long as it rings. */
void call_provisional(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;
	struct ua_event event = {
		.kind = response->status == 180 ? UA_CALL_RINGING : UA_CALL_PROGRESS,
		.provisional = {response->status, response->reason},
	};

	if (call->state != CALL_CALLING || response->status == call->last_provisional)
		return;

	call->last_provisional = response->status;
	call_emit(call, &event);
}

/* RFC 3261, section 13.2.2.4: a 2xx that cannot be used is acknowledged, then ended by BYE. */
void call_answered(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;
	struct fault why;

	if (call->state != CALL_CALLING)
		return; /* it has been given up meanwhile */

	if (negotiation_apply(&call->params, &call->negotiation, response->body, &why) != 0)
		call_finish(call, UA_CAUSE_MEDIA, 488, slice_of(""), &why);
	else
		call_talk(call);
}

static int send_invite(struct call *call, struct slice offer)
{
	const struct ua_config *config = call->list->config;
	char from_room[FROM_SIZE], host[ADDR_TEXT_SIZE];
	struct text from = TEXT_IN(from_room);
	struct sip_invite_config invite = {
		.flow = &call->flow,
		.target = slice_of(call->peer),
		.contact_user = slice_of(config->user),
		.headers = config->headers,
		.content_type = SDP_CONTENT_TYPE,
		.body = offer,
	};
	int err;

	text_printf(&from, "sip:%s@%s", config->user, addr_print_host(host, &call->flow.local));
	if (from.cut)
		return -ENAMETOOLONG;

	invite.from_uri = text_slice(&from);
	err = sip_invite_call(&call->invite, call->list->stack, &invite, &invite_events, call);
	if (err)
		return err;
	return call_keep(&call->call_id, sip_invite_call_id(call->invite));
}

void call_tell_outgoing(struct call *call)
{
	struct ua_event event = {
		.kind = UA_CALL_OUTGOING,
		.way = {.transport = "udp", .address = call->flow.remote},
	};

	if (call->told)
		return;

	call->told = true;
	call_emit(call, &event);
}

/* RFC 3263, section 4.3: the next is tried where there was no answer at all, or a 503. */
bool call_move(struct call *call, const struct sip_invite_end *end)
{
	bool in_vain = end->cause == SIP_ENDED_UNREACHABLE || end->cause == SIP_ENDED_TIMEOUT ||
		       (end->cause == SIP_ENDED_REJECTED && end->status == 503);

	if (call->state != CALL_CALLING || !in_vain || call->last_provisional != 0 ||
		call->flow_at + 1 >= call->flow_count)
		return false;

	call->flow = call->flows[++call->flow_at];
	call_change_state(call, CALL_MOVING);
	media_close(call->media);
	return true;
}

/* A failure to send at once is one of the network's, as if ICMP had told it. */
static void invite(struct call *call)
{
	const struct ua_policy *policy = &call->list->config->policy;
	char room[SDP_TEXT_SIZE], at[ADDR_TEXT_SIZE];
	struct text offer = TEXT_IN(room);
	struct addr rtp;
	const struct sip_invite_end unreachable = {SIP_ENDED_UNREACHABLE, .err = -EHOSTUNREACH};
	struct fault why;
	int err;

	err = call_open_media(call, &why);
	if (err) {
		call_finish(call, UA_CAUSE_ERROR, 0, slice_of(""), &why);
		return;
	}

	media_local(&rtp, call->media);
	err = negotiation_offer(&offer, &call->negotiation, &rtp);
	if (!err)
		err = send_invite(call, text_slice(&offer));
	if (err && err != -ENOMEM && err != -EMSGSIZE && err != -ENAMETOOLONG) {
		if (call_move(call, &unreachable))
			return;
		fault_set(&why, err, "sending to %s failed: %s",
			addr_print_port(at, &call->flow.remote), strerror(-err));
		call_finish(call, UA_CAUSE_UNREACHABLE, 503, slice_of(""), &why);
	} else if (err) {
		call_fail(call, err, "the INVITE cannot be sent");
	} else if (policy->ring_limit_ns > 0) {
		timer_start_in(&call->limit, policy->ring_limit_ns);
	}
}

void call_move_on(struct call *call)
{
	call_change_state(call, CALL_CALLING);
	invite(call);
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct call *call = arg;

	call->locate = NULL;
	for (size_t i = 0; i < count && i < SIP_LOCATE_MAX; i++)
		call->flows[call->flow_count++] = flows[i];
	if (count > 0)
		call->flow = flows[0];
	call_tell_outgoing(call);
	if (err) {
		call_finish(call, UA_CAUSE_UNREACHABLE, 0, slice_of(""), why);
		return;
	}

	call_change_state(call, CALL_CALLING);
	invite(call);
}

int call_out(struct call **out, struct call_list *list, const struct target *target)
{
	struct slice peer = slice_of(target->text);
	struct call *call;
	int err;

	call = call_new(list, CALL_LOCATING, peer, slice_of(""));
	if (!call)
		return -ENOMEM;

	call->outgoing = true;
	if (list->config->policy.ring_limit_ns > 0)
		timer_start_in(&call->limit, list->config->policy.ring_limit_ns);
	err = sip_locate(&call->locate, list->stack, &target->uri, located, call);
	if (err) /* told by events, as everything is that comes after */
		call_fail(call, err, "the address cannot be looked up");
	*out = call;
	return 0;
}
