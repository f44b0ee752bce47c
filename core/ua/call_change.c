/*
 * What changes while a call lasts, from either side, by re-INVITE and UPDATE: hold, another
 * address, another codec (RFC 3261, section 14; RFC 3264, section 8; RFC 3311).
 */
#include "core/ua/call_private.h"

#include <assert.h>
#include <errno.h>

enum { WARNING_SIZE = 64 }; /* of a Warning line around its words */

/* Which follow each. An offer of ours that waits for an ACK ends one that could not go. */
static const unsigned next_changes[] = {
	[CHANGE_NONE] = 1U << CHANGE_OFFERED | 1U << CHANGE_ANSWERED | 1U << CHANGE_WAITING,
	[CHANGE_OFFERED] = 1U << CHANGE_NONE | 1U << CHANGE_ANSWERED,
	[CHANGE_ANSWERED] = 1U << CHANGE_NONE,
	[CHANGE_WAITING] = 1U << CHANGE_NONE | 1U << CHANGE_ANSWERED,
};

static void change_state(struct call *call, enum call_change to)
{
	assert(next_changes[call->hold.change] & 1U << to);

	call->hold.change = to;
}

static void tell_hold(struct call *call, bool held, bool remote)
{
	struct ua_event event = {
		.kind = held ? UA_CALL_HELD : UA_CALL_RESUMED,
		.hold = {remote},
	};

	call_emit(call, &event);
}

void call_tell_hold(struct call *call)
{
	bool remote = negotiation_is_held(&call->negotiation);

	if (remote == call->hold.remote)
		return;

	call->hold.remote = remote;
	tell_hold(call, remote, true);
}

/* They know it now, or do not want to; unless it has changed once more. */
static void settle_address(struct call *call)
{
	if (call->address.offered)
		call->address = (struct call_address){0};
}

/* What both have agreed on now holds, and with it what our own offer asked. */
static void agree(struct call *call, const struct media_params *params)
{
	bool news = call->hold.offered != call->hold.agreed;
	int err;

	call->hold.agreed = call->hold.offered;
	settle_address(call);
	negotiation_settle(&call->negotiation);
	err = call_sound(call, params);
	call->turn.offered = NULL;
	if (err) {
		call_fail(call, err, "the sound cannot go on");
		return;
	}
	if (news)
		tell_hold(call, call->hold.agreed, false);
	call_tell_hold(call);
}

static void disagree(struct call *call, const struct fault *why)
{
	call_finish(call, UA_CAUSE_MEDIA, 488, slice_of(""), why);
}

/* What of ours has been offered, one thing at a time; a new address alone is nobody's wish. */
static enum ua_wish offered_wish(const struct call *call)
{
	if (call->turn.offered)
		return UA_WISH_CODEC;
	if (call->hold.offered == call->hold.agreed)
		return UA_WISH_NONE;
	return call->hold.offered ? UA_WISH_HOLD : UA_WISH_RESUME;
}

/* A wish that comes to nothing, with the codec if it is for one: it is no trouble of ours, and the
 * call goes on. */
static void tell_error(
	struct call *call, enum ua_wish wish, const struct codec *codec, const struct fault *why)
{
	struct ua_event event = {.kind = UA_ERROR,
		.error = {
			.words = why->words,
			.wish = wish,
			.codec = codec ? codec->key : NULL,
		}};

	call_emit(call, &event);
}

/* Who asked for it has asked for something else since, and for that there is no need to ask them.
 */
static void tell_taken_back(struct call *call, const struct codec *codec, bool hold)
{
	struct fault words;

	fault_set(&words, 0, "%s%s was taken back before they agreed",
		codec  ? "codec "
		: hold ? "hold"
		       : "resume",
		codec ? codec->key : "");
	tell_error(call,
		codec  ? UA_WISH_CODEC
		: hold ? UA_WISH_HOLD
		       : UA_WISH_RESUME,
		codec, &words);
}

/* Whoever wanted it to be quiet reads why it is not. */
static void tell_refused(struct call *call, const struct sip_msg *response)
{
	const struct codec *codec = call->turn.offered;
	static const char *const asked[] = {
		[UA_WISH_NONE] = "to send to our new address",
		[UA_WISH_HOLD] = "to be put on hold",
		[UA_WISH_RESUME] = "to be taken off hold",
		[UA_WISH_CODEC] = "to talk by ",
	};
	enum ua_wish wish = offered_wish(call);
	struct fault words, more = {0};
	char room[FAULT_SIZE / 2];
	struct text reason = TEXT_IN(room);

	if (response) {
		text_printf(&reason, "%u ", response->status);
		text_put_escaped(&reason, response->reason);
		call_words_refused(&more, response);
	}
	fault_set(&words, 0, "they refuse %s%s: %s%s%s", asked[wish], codec ? codec->key : "",
		response ? room : "no answer came", more.words[0] != '\0' ? ": " : "", more.words);
	tell_error(call, wish, codec, &words);
}

/* What was offered is not wanted any more; what has not been offered yet still is. */
static void forget(struct call *call)
{
	if (!call->turn.offered)
		call->hold.wanted = call->hold.agreed;
	else if (call->turn.wanted == call->turn.offered)
		call->turn.wanted = NULL;
	call->hold.offered = call->hold.agreed;
	call->turn.offered = NULL;
	settle_address(call);
	negotiation_hold(&call->negotiation, call->hold.agreed);
	(void)negotiation_only(&call->negotiation, NULL);
}

/* Our offer to be put into a message: what is wanted goes with it, one thing at a time, so that it
 * is clear what they refuse. */
static int print_offer(struct text *out, struct call *call)
{
	bool hold_is_news = call->hold.wanted != call->hold.agreed;
	int err;

	call->hold.offered = call->hold.wanted;
	call->turn.offered = hold_is_news ? NULL : call->turn.wanted;
	negotiation_hold(&call->negotiation, call->hold.offered);
	err = negotiation_only(&call->negotiation, call->turn.offered);
	if (err)
		return err;
	err = negotiation_offer(out, &call->negotiation, &call->rtp);
	if (!err) {
		call->address.offered = call->address.wanted;
		call_expect(call);
	}
	return err;
}

void call_push(struct call *call)
{
	char room[SDP_TEXT_SIZE];
	struct text offer = TEXT_IN(room);
	const struct codec *codec;
	enum ua_wish wish;
	struct fault words;
	int err;

	if (call->state != CALL_TALKING || call->hold.change != CHANGE_NONE)
		return;
	if (call->turn.wanted == call->params.codec) /* whoever has asked for it */
		call->turn.wanted = NULL;
	if (call->hold.wanted == call->hold.agreed && !call->turn.wanted && !call->address.wanted)
		return;
	if (!sip_invite_may_change(call->invite)) { /* what is not sent counts no version up */
		change_state(call, CHANGE_WAITING);
		return;
	}

	err = print_offer(&offer, call);
	if (!err)
		err = sip_invite_change(call->invite, SDP_CONTENT_TYPE, text_slice(&offer));
	if (!err) {
		change_state(call, CHANGE_OFFERED);
	} else {
		codec = call->turn.offered;
		wish = offered_wish(call);
		fault_set(&words, 0, "%s cannot be asked for: %s",
			codec                  ? codec->key
			: wish != UA_WISH_NONE ? "hold"
					       : "sound at our new address",
			strerror(-err));
		forget(call);
		tell_error(call, wish, codec, &words);
	}
}

int call_hold(struct call *call, bool hold)
{
	bool before = call->hold.wanted;

	if (call->state != CALL_TALKING)
		return -ENOTCONN;

	call->hold.wanted = hold;
	if (before != hold && hold == call->hold.agreed && hold == call->hold.offered)
		tell_taken_back(call, NULL, before); /* it has not been offered yet */
	call_push(call);
	return hold == call->hold.agreed && hold == call->hold.offered ? -EALREADY : 0;
}

int call_turn(struct call *call, const struct codec *codec)
{
	const struct codec *before = call->turn.wanted;
	bool ours = false;

	for (size_t i = 0; i < call->list->config->codec_count; i++)
		ours |= call->list->config->codecs[i] == codec;
	if (!ours)
		return -EINVAL;
	if (call->state != CALL_TALKING)
		return -ENOTCONN;
	if (codec == call->params.codec && !call->turn.offered)
		codec = NULL; /* it is so */

	call->turn.wanted = codec;
	if (before && before != codec && before != call->turn.offered)
		tell_taken_back(call, before, false); /* it has not been offered yet */
	if (!codec)
		return -EALREADY;
	call_push(call);
	return 0;
}

void call_changed(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;
	struct media_params params;
	struct fault why;

	if (call->state != CALL_TALKING || call->hold.change != CHANGE_OFFERED)
		return; /* it has been hung up meanwhile */

	change_state(call, CHANGE_NONE);
	if (negotiation_apply(&params, &call->negotiation, call_body(response), &why) != 0)
		disagree(call, &why);
	else
		agree(call, &params);
	call_push(call);
}

void call_unchanged(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;

	if (call->state != CALL_TALKING || call->hold.change != CHANGE_OFFERED)
		return;

	change_state(call, CHANGE_NONE);
	tell_refused(call, response);
	forget(call);
	call_push(call);
}

/* What they have refused for a moment, and nobody wants any more. */
static void drop_taken_back(struct call *call)
{
	const struct codec *codec = call->turn.offered;
	bool hold = call->hold.offered;

	if (codec ? call->turn.wanted == codec : call->hold.wanted == hold)
		return;

	call->hold.offered = call->hold.agreed;
	call->turn.offered = NULL;
	if (codec || hold != call->hold.agreed)
		tell_taken_back(call, codec, hold);
}

/* Our own offer was refused for a moment, or could not go at all: none is under way. */
void call_retry(void *arg)
{
	struct call *call = arg;

	if (call->hold.change != CHANGE_NONE)
		change_state(call, CHANGE_NONE);
	drop_taken_back(call);
	call_push(call);
}

/* Section 14.2, with section 21.4.26: the session stays as it was. Their words are for a person. */
static void refuse(struct call *call, struct sip_response *response, int err, struct fault *why)
{
	char room[FAULT_SIZE + WARNING_SIZE];
	struct text lines = TEXT_IN(room);

	response->status = err == -EPROTO ? 400 : err == -ENOTSUP ? 488 : 500;
	if (err != -ENOTSUP)
		return;

	for (char *byte = why->words; *byte != '\0'; byte++)
		if (*byte == '"' || *byte == '\\')
			*byte = '\'';
	text_printf(&lines, "Warning: 305 sipcall \"%s\"\r\n", why->words); /* section 20.43 */
	if (call_keep(&call->warning, text_slice(&lines)) == 0)
		response->headers = slice_of(call->warning);
}

/* They offer; our answer asks for what holds already, so that one of both is settled at a time. */
static void answer(struct call *call, struct sip_response *response, struct slice offer)
{
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);
	struct media_params params;
	struct fault why = {0};
	int err;

	negotiation_hold(&call->negotiation, call->hold.agreed);
	err = negotiation_answer(&text, &params, &call->negotiation, offer, &call->rtp, &why);
	if (!err)
		err = call_keep(&call->description, text_slice(&text));
	if (!err)
		err = call_sound(call, &params);
	if (err) {
		refuse(call, response, err, &why);
		return;
	}
	negotiation_settle(&call->negotiation);
	call->address = (struct call_address){0}; /* it is in the answer */
	response->content_type = SDP_CONTENT_TYPE;
	response->body = slice_of(call->description);
	call_tell_hold(call);
}

/* They leave the offer to us (section 14.2). */
static void offer(struct call *call, struct sip_response *response, uint32_t cseq)
{
	char room[SDP_TEXT_SIZE];
	struct text text = TEXT_IN(room);

	if (print_offer(&text, call) != 0 ||
		call_keep(&call->description, text_slice(&text)) != 0) {
		response->status = 500;
		return;
	}
	change_state(call, CHANGE_ANSWERED);
	call->hold.cseq = cseq;
	response->content_type = SDP_CONTENT_TYPE;
	response->body = slice_of(call->description);
}

void call_changing(void *arg, const struct sip_msg *request, struct sip_response *response)
{
	struct call *call = arg;
	struct slice body = call_body(request);

	if (call->hold.change == CHANGE_ANSWERED) /* in a 200 that could not be sent */
		change_state(call, CHANGE_NONE);
	if (call->state != CALL_TALKING)
		response->status = 491; /* the first offer and answer are not through */
	else if (body.len > 0)
		answer(call, response, body);
	else if (request->method == SIP_INVITE)
		offer(call, response, request->cseq);
}

void call_change_confirmed(struct call *call, const struct sip_msg *ack)
{
	struct media_params params;
	struct fault why;

	if (call->hold.change != CHANGE_ANSWERED || ack->cseq != call->hold.cseq)
		return; /* no answer is due, or it is the ACK of an earlier 200 */

	change_state(call, CHANGE_NONE);
	if (negotiation_apply(&params, &call->negotiation, call_body(ack), &why) != 0)
		disagree(call, &why);
	else
		agree(call, &params);
	call_push(call);
}
