/* A call that we make: look up, offer, invite, hear what comes before the answer. */
#include "core/ua/call_private.h"
#include "core/ua/identity.h"
#include "core/ua/lifeline.h"
#include "core/ua/way.h"

#include <errno.h>

enum { FROM_SIZE = 2048, CONTACT_SIZE = 1024, ROUTES_SIZE = 4096, HEADERS_SIZE = 8192 };

/* What a person has to know once: a far end repeats its 180 as long as it rings. */
static void tell_provisional(struct call *call, const struct sip_msg *response)
{
	struct ua_event event = {
		.kind = response->status == 180 ? UA_CALL_RINGING : UA_CALL_PROGRESS,
		.provisional = {response->status, response->reason},
	};

	if (response->status == call->last_provisional)
		return;

	call->last_provisional = response->status;
	call_emit(call, &event);
}

/*
 * RFC 3261, section 13.2.1: a description before the answer is a look ahead at it, so that what
 * they play is heard; each fork may have its own, and the last one counts. One that cannot be used
 * is left: the answer still may be good.
 */
static void hear_early(struct call *call, struct slice answer)
{
	struct media_params params;
	struct fault why;

	if (answer.len == 0 || call->list->config->late_offer)
		return;
	if (negotiation_apply(&params, &call->negotiation, answer, &why) == 0)
		(void)call_sound(call, &params);
}

static void provisional(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;

	if (call->state != CALL_CALLING)
		return;

	(void)call_take_identity(call, response);
	tell_provisional(call, response);
	if (call->state == CALL_CALLING) /* who was told may have hung up */
		hear_early(call, call_body(response));
}

/* They made the offer: our answer goes with ACK (RFC 3261, section 13.2.2.4). */
static int answer_offer(
	struct media_params *params, struct call *call, struct slice offer, struct fault *why)
{
	char room[SDP_TEXT_SIZE];
	struct text answer = TEXT_IN(room);
	int err;

	if (offer.len == 0)
		return fault_set(why, -EPROTO, "they answered without a session description");

	err = negotiation_answer(&answer, params, &call->negotiation, offer, &call->rtp, why);
	if (err)
		return err;
	err = sip_invite_answer(call->invite, SDP_CONTENT_TYPE, text_slice(&answer));
	return err ? fault_set(why, err, "out of memory") : 0;
}

/* A far end may leave out of its 200 what it has said before. */
static int take_answer(
	struct media_params *params, struct call *call, struct slice body, struct fault *why)
{
	if (call->list->config->late_offer)
		return answer_offer(params, call, body, why);
	if (body.len > 0 || !call->sounds)
		return negotiation_apply(params, &call->negotiation, body, why);

	*params = call->params;
	return 0;
}

/* RFC 3261, section 13.2.2.4: a 2xx that cannot be used is acknowledged, then ended by BYE. */
static void answered(void *arg, const struct sip_msg *response)
{
	struct call *call = arg;
	struct media_params params;
	struct fault why;

	if (call->state != CALL_CALLING)
		return; /* it has been given up meanwhile */

	(void)call_take_identity(call, response);
	if (take_answer(&params, call, call_body(response), &why) != 0)
		call_finish(call, UA_CAUSE_MEDIA, 488, slice_of(""), &why);
	else
		call_talk(call, &params);
}

static const struct sip_invite_events invite_events = {
	.provisional = provisional,
	.answered = answered,
	.confirmed = call_confirmed,
	.change = call_changing,
	.changed = call_changed,
	.unchanged = call_unchanged,
	.retry = call_retry,
	.ended = call_invite_ended,
};

static bool is_anonymous(const struct call *call)
{
	return account_is_anonymous(call->account, call->list->config->anonymous);
}

/* What an INVITE of ours says of us; the texts of its config stand here. */
struct self {
	char from_room[FROM_SIZE];
	char contact_room[CONTACT_SIZE];
	char routes_room[ROUTES_SIZE];
	char headers_room[HEADERS_SIZE];
	char trusted_room[FROM_SIZE];
	struct text from, contact, routes, headers, trusted;
};

/*
 * RFC 3325, section 9.2: our server is asked to vouch for this one of our names; also where nobody
 * else is to know it, for From does not tell the server then who calls.
 */
static void put_preferred(struct self *self, const struct ua_account *settings, bool anonymous)
{
	if (settings->identity)
		text_printf(&self->trusted, "P-Preferred-Identity: %s\r\n", settings->identity);
	else if (anonymous)
		text_printf(&self->trusted, "P-Preferred-Identity: <%s>\r\n", settings->aor);
}

/* As whom, and by which proxies. */
static void go_by_account(
	struct sip_invite_config *invite, struct self *self, const struct call *call)
{
	const struct ua_account *settings = account_settings(call->account);

	text_puts(&self->from, settings->aor);
	invite->from_display = slice_of(settings->display ? settings->display : "");
	invite->contact.user = slice_of(settings->user);
	if (call->by_account &&
		registration_print_contact(&self->contact, account_registration(call->account),
			&call->flow, is_anonymous(call)))
		invite->contact.uri = text_slice(&self->contact);
	invite->auth = account_auth(call->account);
	invite->unkept = settings->keep_alive_s == LIFELINE_NEVER;
	invite->keep_s = invite->unkept ? 0 : settings->keep_alive_s;
	account_print_routes(&self->routes, call->account);
	put_preferred(self, settings, is_anonymous(call));
}

/*
 * RFC 3323, section 4.1: of what we write ourselves, nothing names us. id has servers that vouch
 * for us keep it to themselves (RFC 3325, section 9.3); what user and header would have a server
 * take out is not there, but for addresses, which without them no call finds its way back to.
 */
static void hide(struct sip_invite_config *invite, struct self *self)
{
	self->from = TEXT_IN(self->from_room);
	text_puts(&self->from, IDENTITY_ANONYMOUS_URI);
	invite->from_display = slice_of(IDENTITY_ANONYMOUS_NAME);
	invite->contact.user = slice_of("");
	invite->anonymous = true;
	text_puts(&self->headers, "Privacy: id\r\n");
}

/* -ENAMETOOLONG. */
static int introduce(struct sip_invite_config *invite, struct self *self, const struct call *call)
{
	const struct ua_config *config = call->list->config;
	char host[ADDR_TEXT_SIZE];

	self->from = TEXT_IN(self->from_room);
	self->contact = TEXT_IN(self->contact_room);
	self->routes = TEXT_IN(self->routes_room);
	self->headers = TEXT_IN(self->headers_room);
	self->trusted = TEXT_IN(self->trusted_room);
	text_put(&self->headers, config->headers);
	if (call->account)
		go_by_account(invite, self, call);
	else
		text_printf(&self->from, "sip:%s@%s", config->user,
			addr_print_host(host, &call->flow.local));
	if (is_anonymous(call))
		hide(invite, self);
	if (self->from.cut || self->contact.cut || self->routes.cut || self->headers.cut ||
		self->trusted.cut)
		return -ENAMETOOLONG;

	invite->from_uri = text_slice(&self->from);
	invite->routes = text_slice(&self->routes);
	invite->headers = text_slice(&self->headers);
	invite->trusted = text_slice(&self->trusted);
	return 0;
}

static int send_invite(struct call *call, struct slice offer)
{
	const struct ua_config *config = call->list->config;
	struct self self;
	struct sip_invite_config invite = {
		.flow = &call->flow,
		.target = redirect_target(&call->redirect),
		.to = slice_of(call->peer),
		.contact.user = slice_of(config->user),
		.content_type = SDP_CONTENT_TYPE,
		.body = offer,
	};
	int err;

	if (call->first.call_id) {
		invite.call_id = slice_of(call->first.call_id);
		invite.tag = slice_of(call->first.tag);
		invite.cseq = call->first.cseq;
	}
	err = introduce(&invite, &self, call);
	if (err)
		return err;
	err = sip_invite_call(&call->invite, call->list->stack, &invite, &invite_events, call);
	if (err)
		return err;
	return call_keep(&call->call_id, sip_invite_call_id(call->invite));
}

/* How it is to go, where nobody was found to send it to. */
static const char *wanted_transport(const struct call *call)
{
	struct sip_uri uri;

	if (call->flow.transport || sip_uri_parse(&uri, slice_of(call->peer), NULL) != 0)
		return way_of(&call->flow);
	return way_name(way_wanted(&uri));
}

void call_tell_outgoing(struct call *call)
{
	struct ua_event event = {
		.kind = UA_CALL_OUTGOING,
		.way = {.transport = wanted_transport(call), .address = call->flow.remote},
	};

	if (call->told)
		return;

	call->told = true;
	call_emit(call, &event);
}

/* A failure to send at once is one of the network's, as if ICMP had told it. */
static void offer_and_invite(struct call *call)
{
	char room[SDP_TEXT_SIZE], at[ADDR_TEXT_SIZE];
	struct text offer = TEXT_IN(room);
	const struct sip_invite_end unreachable = {SIP_ENDED_UNREACHABLE, .err = -EHOSTUNREACH};
	struct fault why;
	int err = 0;

	if (!call->list->config->late_offer)
		err = negotiation_offer(&offer, &call->negotiation, &call->rtp);
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
	}
}

void call_invite(struct call *call)
{
	struct fault why;

	if (call_open_media(call, &why)) {
		call_finish(call, UA_CAUSE_ERROR, 0, slice_of(""), &why);
		return;
	}
	if (call->ring_due_ns > 0)
		timer_start(&call->limit, call->ring_due_ns);
	call_learn(call, offer_and_invite);
}

static void located(
	void *arg, int err, const struct sip_flow *flows, size_t count, const struct fault *why)
{
	struct call *call = arg;

	call->locate = NULL;
	for (size_t i = 0; i < count && i < SIP_LOCATE_MAX; i++) {
		call->flows[call->flow_count++] = flows[i];
		if (call->by_account)
			sip_auth_trust(account_auth(call->account), &flows[i]);
	}
	if (count > 0)
		call->flow = flows[0];
	call_tell_outgoing(call);
	if (call->state != CALL_LOCATING) /* who was told has hung up */
		return;

	if (err && call_move_past(call)) {
		call_locate(call);
	} else if (err) {
		call_finish(call, UA_CAUSE_UNREACHABLE, 0, slice_of(""), why);
	} else {
		call_change_state(call, CALL_CALLING);
		call_invite(call);
	}
}

/* To a hop of the account's, or to the target itself. */
static int read_hop(struct sip_uri *out, struct call *call)
{
	const char *hop = NULL;
	int err;

	err = sip_uri_parse(out, redirect_target(&call->redirect), NULL);
	if (!err && call->account)
		hop = account_hop(call->account, out);
	call->by_account = hop != NULL;
	if (!err && hop)
		err = sip_uri_parse(out, slice_of(hop), NULL);
	/* an account's hop, or what the call was begun with */
	out->local = hop || call->redirect.at == 0;
	return err;
}

void call_locate(struct call *call)
{
	struct sip_uri uri;
	int err;

	if (call->ring_due_ns > 0)
		timer_start(&call->limit, call->ring_due_ns);
	err = read_hop(&uri, call);
	if (!err) {
		call->list->need(call->list, way_wanted(&uri));
		err = sip_locate(&call->locate, call->list->stack, &uri, located, call);
	}
	if (err) /* told by events, as everything is that comes after */
		call_fail(call, err, "the address cannot be looked up");
}

int call_out(struct call **out, struct call_list *list, const struct target *target)
{
	uint64_t limit_ns = list->config->policy.ring_limit_ns;
	struct slice peer = slice_of(target->text);
	struct call *call;

	call = call_new(list, CALL_LOCATING, peer, slice_of(""));
	if (!call)
		return -ENOMEM;

	call->outgoing = true;
	call->account = account_first(list->accounts);
	if (limit_ns > 0)
		call->ring_due_ns = loop_now(list->config->loop) + limit_ns;
	if (redirect_init(&call->redirect, peer))
		call_fail(call, -ENOMEM, "the call cannot be made");
	else
		call_locate(call);
	*out = call;
	return 0;
}
