/*
 * A call whose host has another address than it began with: the far end is told by a re-INVITE
 * where it and its sound are now (RFC 3261, sections 12.2.1.2 and 14); where there is no dialog
 * yet, it is called anew.
 */
#include "core/ua/call_private.h"

/* No event of its own: the network.changed before it tells, and the sound that is missing. */
static void tell_trouble(struct call *call, const struct fault *why)
{
	struct ua_event event = {.kind = UA_ERROR, .error = {.words = why->words, .ours = true}};

	call_emit(call, &event);
}

/*
 * Our 200 is not made yet, but what goes in it is: they shall not have to be told at once that it
 * is wrong. If it went ahead with 183 it stays (section 13.3.1.1), and they are told after the 200;
 * so they are without memory.
 */
static bool describe_anew(struct call *call)
{
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);
	struct fault why;
	int err;

	if (call->state != CALL_INCOMING || call->sounds || !call->description)
		return false;
	if (call->params.codec)
		err = negotiation_answer(&text, &call->params, &call->negotiation,
			slice_of(call->negotiation.theirs.text), &call->rtp, &why);
	else
		err = negotiation_offer(&text, &call->negotiation, &call->rtp);
	return !err && call_keep(&call->description, text_slice(&text)) == 0;
}

/* The new sockets are known as they are seen from outside. */
static void turn(struct call *call)
{
	int err = media_turn(call->media);
	struct fault why;

	if (err) {
		fault_set(&why, err, "the sound cannot go on from the new address: %s",
			strerror(-err));
		tell_trouble(call, &why);
	}
	if (describe_anew(call))
		return;
	call->address = (struct call_address){.wanted = true};
	call_push(call);
}

/*
 * Its sockets go with it: sound that comes from another host than the signalling is odd, and where
 * the old address is gone there would be none. What waits to know how the old ones are seen waits
 * for the new ones.
 */
static void follow(struct call *call)
{
	void (*waiting)(struct call * call) = call->learned;
	struct fault why;

	if (!call->invite || !call->media || !sip_invite_reroute(&call->flow.local, call->invite))
		return;
	if (media_rebind(&call->rtp, call->media, &call->flow.local, &why) != 0)
		tell_trouble(call, &why);
	else if (waiting && waiting != turn && media_turn(call->media) == 0)
		call_learn(call, waiting);
	else
		call_learn(call, turn);
}

/* What is to be tried next, when the sockets of the last are closed. */
static void renew_flows(struct call *call)
{
	for (size_t i = 0; i < call->flow_count; i++)
		(void)sip_flow_reroute(&call->flows[i]);
	(void)sip_flow_reroute(&call->flow);
}

/* While our old address is still there, so is the way of the responses. */
static void call_from_here(struct call *call)
{
	if (!sip_flow_is_lost(&call->flow))
		return;
	renew_flows(call);
	call_anew(call);
}

void call_reroute(struct call *call)
{
	static void (*const reroute[])(struct call * call) = {
		[CALL_LOCATING] = NULL, /* the way is found when it is located */
		[CALL_CALLING] = call_from_here,
		[CALL_MOVING] = renew_flows,
		[CALL_INCOMING] = follow,
		[CALL_AGREEING] = follow,
		[CALL_TALKING] = follow,
		[CALL_ENDING] = NULL, /* what is owed goes as the route does */
		[CALL_FINISHED] = NULL,
	};

	if (reroute[call->state])
		reroute[call->state](call);
}
