/* What messages mean for the dialog of a call, and whether both sides of it end alike. */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

#include <stdio.h>

static char name_of(const struct party *party)
{
	return (char)('a' + party->agent->index);
}

/* What the network or a crash has done to it, nobody can answer for. */
static bool is_excused(const struct call *call)
{
	return call->damaged || call->broken;
}

static struct party *other(const struct party *party)
{
	return party == &party->call->party[CALLER] ? &party->call->party[CALLED]
						    : &party->call->party[CALLER];
}

static void begin_party(struct party *party, struct call *call)
{
	party->call = call;
	party->heard_ns = NEVER;
	party->answer_ns = NEVER;
	party->rejected_ns = NEVER;
	party->acked_ns = NEVER;
	party->bye_ns = NEVER;
	party->cancel_ns = NEVER;
	party->unwanted_ns = NEVER;
	party->user_ns = NEVER;
	party->sends = true;
	party->receives = true;
}

void checks_forget(struct party *party)
{
	struct agent *agent = party->agent;
	struct call *call = party->call;

	*party = (struct party){.agent = agent};
	begin_party(party, call);
}

struct call *checks_call_of(struct checks *checks, const struct message *message, bool make)
{
	struct call *call;

	for (struct table_node *node = table_find(&checks->calls, (uint32_t)message->call_id); node;
		node = table_find_next(node)) {
		call = container_of(node, struct call, node);
		if (call->key == message->call_id)
			return call;
	}
	call = make ? checks_alloc(checks, sizeof(*call)) : NULL;
	if (!call)
		return NULL;

	call->key = message->call_id;
	/* that of an INVITE is new; another that is new was another before it was damaged */
	call->damaged = message->damaged || (checks->damaged > 0 && message->method != INVITE);
	begin_party(&call->party[CALLER], call);
	begin_party(&call->party[CALLED], call);
	table_add(&checks->calls, &call->node, (uint32_t)call->key);
	list_add(&checks->all_calls, &call->link);
	return call;
}

/* ---- what is sent */

static void check_tags(
	struct checks *checks, const struct party *party, const struct message *message)
{
	if (message->from_tag == party->tag && message->to_tag == party->remote_tag)
		return;
	checks_fail(checks, TAGS_CONSTANT, "phone %c: \"%s\" has other tags than its dialog",
		name_of(party), message->start);
}

/* Whether it goes by UDP instead of a request that was too long for that, and by TCP in vain. */
static bool is_instead(const struct client *client)
{
	const struct client *before = client->party->last;

	return before && before->tcp && !client->tcp && before->method == client->method &&
	       before->request->cseq == client->request->cseq;
}

/* Each request has the next number. */
static void check_cseq(struct checks *checks, const struct client *client)
{
	struct party *party = client->party;
	uint32_t cseq = client->request->cseq;

	if (party->cseq != 0 && cseq != party->cseq + !is_instead(client))
		checks_fail(checks, CSEQ_ORDER, "phone %c: \"%s\" has %u after %u", name_of(party),
			client->request->start, cseq, party->cseq);
	party->cseq = cseq;
}

static void send_invite(struct checks *checks, struct client *client)
{
	struct party *party = client->party;
	struct side *side = party->agent->calling;

	if ((party->invite && !is_instead(client)) || !checks_is_caller(party)) {
		if (!is_excused(client->call))
			checks_fail(checks, BRANCH_UNIQUE, "phone %c: two INVITEs of one Call-ID",
				name_of(party));
		return;
	}
	party->invite = client;
	party->tag = client->request->from_tag;
	party->cseq = client->request->cseq;
	if (side && !side->call && side->begun_ns == checks->now_ns) {
		side->call = client->call;
		party->side = side;
	}
	if (client->request->sound)
		checks_describes(checks, party, client->request->sound);
}

bool checks_stands(const struct party *party)
{
	if (party->answer_ns == NEVER)
		return false;
	return checks_is_caller(party) ? party->invite && party->invite->ack
				       : party->acked_ns != NEVER;
}

/* Section 15: there is a dialog, and the called has its ACK or has waited long enough for it. */
static bool may_bye(const struct checks *checks, const struct party *party)
{
	if (party->answer_ns == NEVER)
		return false;
	return checks_is_caller(party) || party->acked_ns != NEVER ||
	       checks->now_ns >= party->answer_ns + LIMIT_NS;
}

static void send_bye(struct checks *checks, struct client *client)
{
	struct party *party = client->party;
	const struct message *message = client->request;

	if (!party->bye)
		party->bye = client;
	for (struct server *server = party->changed; server; server = server->before)
		server->loose = true;
	if (is_excused(client->call))
		return;
	if (!may_bye(checks, party))
		checks_fail(checks, BYE_EARLY, "phone %c", name_of(party));
	if (checks_is_caller(party) && !checks_stands(party))
		checks_fail(checks, BYE_EARLY, "phone %c: and no ACK before", name_of(party));
	check_tags(checks, party, message);
	check_cseq(checks, client);
}

static void send_change(struct checks *checks, struct client *client)
{
	checks_change_sent(checks, client);
	if (is_excused(client->call))
		return;
	check_tags(checks, client->party, client->request);
	check_cseq(checks, client);
}

/* By TCP it may come together with what is heeded first. */
static bool is_answered(const struct checks *checks, const struct client *invite)
{
	return invite->tcp ? invite->final_ns < checks->now_ns : invite->final_ns != NEVER;
}

static void send_cancel(struct checks *checks, struct client *client)
{
	struct party *party = client->party;
	const struct message *message = client->request;
	const struct client *invite = party->invite;

	party->cancel = client;
	if (is_excused(client->call))
		return;
	if (!invite || invite->request->branch != message->branch) {
		checks_fail(
			checks, CANCEL_EARLY, "phone %c: there is no such INVITE", name_of(party));
		return;
	}
	if (invite->provisional_ns == NEVER || is_answered(checks, invite))
		checks_fail(checks, CANCEL_EARLY, "phone %c: %s response came", name_of(party),
			invite->final_ns != NEVER ? "a final" : "no provisional");
	if (message->cseq != invite->request->cseq)
		checks_fail(checks, CSEQ_ORDER, "phone %c: CANCEL has %u, INVITE %u",
			name_of(party), message->cseq, invite->request->cseq);
	if (message->from_tag != party->tag || message->to_tag != 0)
		checks_fail(checks, TAGS_CONSTANT, "phone %c: CANCEL has other tags than INVITE",
			name_of(party));
}

void checks_request_sent(struct checks *checks, struct client *client)
{
	if (checks_is_change(client->request))
		send_change(checks, client);
	else if (client->method == INVITE)
		send_invite(checks, client);
	else if (client->method == BYE)
		send_bye(checks, client);
	else if (client->method == CANCEL)
		send_cancel(checks, client);
}

static struct party *party_of(struct call *call, const struct agent *agent)
{
	for (int i = CALLER; call && i <= CALLED; i++)
		if (call->party[i].agent == agent)
			return &call->party[i];
	return NULL;
}

void checks_ack_sent(struct checks *checks, struct agent *agent, struct call *call,
	const struct message *message)
{
	struct party *party = party_of(call, agent);
	struct client *invite = party ? checks_invite_sent(party, message->cseq) : NULL;
	bool due = invite && checks_meet(checks, ACK_EACH_2XX, invite);

	if (call ? is_excused(call) : checks->damaged > 0)
		return;
	if (!due && party && checks_due(checks, ACK_EACH_2XX, party)) {
		checks_fail(checks, CSEQ_ORDER, "phone %c: ACK has %u, INVITE %u", name_of(party),
			message->cseq, checks_due(checks, ACK_EACH_2XX, party)->message->cseq);
		return;
	}
	if (!due) {
		checks_fail(checks, ACK_DUE, "phone %c: \"%s\" of CSeq %u", 'a' + (int)agent->index,
			message->start, message->cseq);
		return;
	}
	if (message->to_tag != party->remote_tag)
		return; /* of another fork */
	check_tags(checks, party, message);
	if (invite->ack && invite->ack != message)
		checks_fail(checks, AGAIN_SAME, "phone %c: another ACK for the same 2xx",
			name_of(party));
	invite->ack = message;
}

/* A 2xx to BYE says that the dialog was its own: even if what came was damaged. */
static void check_obeyed(struct checks *checks, const struct server *server)
{
	const struct message *bye = server->request;
	const struct party *party = server->party;

	if (bye->from_tag == 0 || bye->to_tag == 0 || party->tag == 0 || server->call->broken)
		return;
	if (party->called && party->called->request->damaged)
		return; /* its dialog is nobody knows whose */
	if (bye->to_tag == party->tag &&
		(party->remote_tag == 0 || bye->from_tag == party->remote_tag))
		return;
	checks_fail(
		checks, DIALOG_KNOWN, "phone %c obeyed a BYE of another dialog", name_of(party));
}

/* Section 9.2: the responses to CANCEL have the tag of those to its INVITE. */
static void check_shadow(
	struct checks *checks, const struct server *cancel, const struct message *message)
{
	const struct server *invite = cancel->party->called;

	if (is_excused(cancel->call) || cancel->unsure || !invite || invite->unsure ||
		invite->tag == 0 || invite->request->branch != cancel->request->branch)
		return;
	if (message->to_tag != invite->tag)
		checks_fail(checks, RESPONSE_TAG, "phone %c: \"%s\" to CANCEL has another tag",
			name_of(cancel->party), message->start);
}

void checks_response_sent(
	struct checks *checks, struct server *server, const struct message *message, bool first)
{
	struct party *party = server->party;
	bool success = message->status >= 200 && message->status < 300;

	if (server->method == BYE && success && first)
		check_obeyed(checks, server);
	if (server->method == CANCEL && success)
		check_shadow(checks, server, message);
	if (first && checks_is_change(server->request))
		checks_change_answered(checks, server, message);
	if (server->method != INVITE || checks_is_change(server->request))
		return;
	if (party->tag == 0 && message->status > 100)
		party->tag = message->to_tag;
	if (!first)
		return;
	if (success && message->sound) {
		checks_describes(checks, party, message->sound);
		checks_turn(checks, party, message, message->sound, server->request->sound, false);
	}
	if (success && party->answer_ns == NEVER) {
		party->answer_ns = checks->now_ns;
	} else if (!success && party->rejected_ns == NEVER) {
		party->rejected_ns = checks->now_ns;
		party->rejected_code = message->status;
	}
}

/* ---- what comes */

static void stop(struct checks *checks, struct server *server)
{
	if (!server || !server->final || server->final->status >= 300)
		return;
	checks_server_settle(checks, server, checks->now_ns);
	server->stopped = true;
}

static bool is_of_dialog(const struct party *party, const struct message *message)
{
	return message->to_tag == party->tag &&
	       (party->remote_tag == 0 || message->from_tag == party->remote_tag);
}

static void bye_came(struct checks *checks, struct server *server)
{
	struct party *party = server->party;

	if (!is_of_dialog(party, server->request))
		return;
	if (party->bye_ns == NEVER)
		party->bye_ns = checks->now_ns;
	stop(checks, party->called);
	for (struct server *change = party->changed; change; change = change->before)
		stop(checks, change);
}

void checks_request_came(struct checks *checks, struct server *server, bool damaged)
{
	struct party *party = server->party;

	if (checks_is_change(server->request)) {
		if (server != party->changed) {
			server->before = party->changed;
			party->changed = server;
		}
	} else if (server->method == INVITE && !checks_is_caller(party)) {
		server->again = party->called == server;
		party->called = server;
		party->remote_tag = server->request->from_tag;
	}
	if (damaged)
		server->call->damaged = true;
	else if (server->method == BYE)
		bye_came(checks, server);
	else if (server->method == CANCEL && party->cancel_ns == NEVER)
		party->cancel_ns = checks->now_ns;
}

void checks_ack_came(struct checks *checks, struct agent *agent, struct call *call,
	const struct message *message)
{
	struct party *party = party_of(call, agent);
	struct server *server = party ? checks_invite_came(party, message->cseq) : NULL;

	if (!server || !is_of_dialog(party, message))
		return;
	stop(checks, server);
	if (server->acked_ns == NEVER)
		server->acked_ns = checks->now_ns;
	if (server == party->called && party->acked_ns == NEVER)
		party->acked_ns = checks->now_ns;
}

static void demand(struct checks *checks, struct client *client, enum invariant what,
	const struct message *message, uint64_t late)
{
	const struct due due = {
		.what = what, .party = client->party, .message = message, .subject = client};

	checks_demand(checks, &due, late);
}

static void success_came(
	struct checks *checks, struct client *client, const struct message *message)
{
	struct party *party = client->party;

	if (client->final_ns != NEVER &&
		(client->status >= 300 || checks->now_ns >= client->final_ns + LIMIT_NS))
		return;
	if (client->tcp && party->answer_ns == NEVER && party->bye_ns < checks->now_ns) {
		client->call->broken = true; /* a connection that stood still: BYE was faster */
		return;
	}
	demand(checks, client, ACK_EACH_2XX, message, 0);
	if (checks_is_change(client->request)) {
		if (client->final_ns == NEVER)
			checks_turn(checks, party, message, client->request->sound, message->sound,
				true);
		return;
	}
	if (party->answer_ns != NEVER)
		return;
	party->answer_ns = checks->now_ns;
	party->remote_tag = message->to_tag;
	checks_turn(checks, party, message, client->request->sound, message->sound, true);
	demand(checks, client, ANSWER_HEARD, message, 0);
}

static void rejection_came(
	struct checks *checks, struct client *client, const struct message *message)
{
	struct party *party = client->party;

	if (client->final_ns != NEVER &&
		(client->status < 300 || checks->now_ns >= client->final_ns + LIMIT_NS))
		return;
	demand(checks, client, ACK_OTHERS, message, 0);
	if (checks_is_change(client->request))
		return;
	if (party->rejected_ns != NEVER)
		return;
	party->rejected_ns = checks->now_ns;
	party->rejected_code = message->status;
}

void checks_response_came(
	struct checks *checks, struct client *client, const struct message *message)
{
	struct party *party = client->party;

	if (client->method != INVITE || is_excused(client->call))
		return;
	if (party->heard_ns == NEVER)
		party->heard_ns = checks->now_ns;
	if (message->status >= 300)
		rejection_came(checks, client, message);
	else if (message->status >= 200)
		success_came(checks, client, message);
}

/* ---- how it ended */

/* Whether the caller had already given up when the answer came, if it came. */
static bool is_crossing(const struct party *caller)
{
	const struct side *side = caller->side;

	if (caller->answer_ns == NEVER)
		return true;
	return side->hangup_ns <= caller->answer_ns || side->ended_ns <= caller->answer_ns ||
	       side->cause == UA_CAUSE_TIMEOUT || side->cause == UA_CAUSE_UNREACHABLE ||
	       side->cause == UA_CAUSE_MEDIA;
}

static void agree_answered(struct checks *checks, const struct call *call)
{
	const struct side *caller = call->party[CALLER].side;
	const struct side *called = call->party[CALLED].side;

	if (caller->answered == called->answered)
		return;
	if (called->answered && is_crossing(&call->party[CALLER]))
		return;
	checks_fail(checks, AGREE_ANSWERED, "phone %c says %s, phone %c %s",
		name_of(&call->party[CALLER]), caller->answered ? "answered" : "not answered",
		name_of(&call->party[CALLED]), called->answered ? "answered" : "not answered");
}

#define BIT(cause) (1U << UA_CAUSE_##cause)

/*
 * What the called may say for each cause of the caller. LOCAL on both sides, or MEDIA: they
 * crossed. Who gives up may be crossed by an answer or a refusal.
 */
static const unsigned agreeing[UA_CAUSES] = {
	[UA_CAUSE_LOCAL] = BIT(REMOTE) | BIT(LOCAL) | BIT(REJECTED) | BIT(MEDIA),
	[UA_CAUSE_REMOTE] = BIT(LOCAL) | BIT(MEDIA),
	[UA_CAUSE_REJECTED] = BIT(REJECTED) | BIT(LOCAL),
	[UA_CAUSE_TIMEOUT] = BIT(REMOTE) | BIT(LOCAL) | BIT(REJECTED) | BIT(MEDIA),
	[UA_CAUSE_UNREACHABLE] = BIT(REMOTE) | BIT(LOCAL) | BIT(REJECTED) | BIT(MEDIA),
	[UA_CAUSE_MEDIA] = BIT(REMOTE) | BIT(LOCAL) | BIT(MEDIA),
};

static void agree_who(struct checks *checks, const struct call *call)
{
	const struct side *caller = call->party[CALLER].side;
	const struct side *called = call->party[CALLED].side;

	if (agreeing[caller->cause] & 1U << called->cause)
		return;
	checks_fail(checks, AGREE_WHO, "phone %c says %s, phone %c %s",
		name_of(&call->party[CALLER]), ua_cause_name(caller->cause),
		name_of(&call->party[CALLED]), ua_cause_name(called->cause));
}

void checks_agree(struct checks *checks, struct call *call)
{
	const struct side *caller = call->party[CALLER].side;
	const struct side *called = call->party[CALLED].side;

	if (call->agreed || !caller || !called || caller->ended_ns == NEVER ||
		called->ended_ns == NEVER || is_excused(call))
		return;
	if (call->flying > 0 && !checks->quiet)
		return; /* it may yet arrive */

	call->agreed = true;
	agree_answered(checks, call);
	if (call->lost || call->flying > 0)
		return;
	agree_who(checks, call);
	checks_agree_hold(checks, call);
}

/* Section 13.3.1.4, unless the called had another reason to end. */
static void check_unacked(struct checks *checks, const struct party *party)
{
	uint64_t limit_ns = party->answer_ns + LIMIT_NS;

	if (party->answer_ns == NEVER || party->acked_ns != NEVER || party->bye_ns <= limit_ns)
		return;
	if (!party->side || party->side->hangup_ns <= limit_ns || party->side->ended_ns < limit_ns)
		return;
	if (!party->bye || party->bye->first_ns > limit_ns + checks_slack(checks))
		checks_fail(checks, BYE_UNACKED, "phone %c", name_of(party));
}

void checks_call_quiet(struct checks *checks, struct call *call)
{
	const struct party *called = &call->party[CALLED];

	if (is_excused(call))
		return;
	checks_agree(checks, call);
	if (called->called && !called->called->unsure && !called->called->final)
		checks_fail(checks, INVITE_FINAL, "phone %c never answered \"%s\"", name_of(called),
			called->called->request->start);
	if (called->called)
		check_unacked(checks, called);
	if (other(called)->agent && other(called)->invite && !other(called)->side)
		checks_fail(checks, EVENT_ORDER, "phone %c has told nothing of a call it made",
			name_of(other(called)));
}
