/* Follows server transactions: requests that come, and how they are answered (RFC 3261,
 * section 17.2). */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

struct server *checks_find_server(
	const struct checks *checks, const struct agent *agent, uint64_t branch, enum method method)
{
	uint64_t key = checks_key(agent, branch, method);

	for (struct table_node *node = table_find(&checks->servers, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct server *server = container_of(node, struct server, node);

		if (server->key == key)
			return server;
	}
	return NULL;
}

void checks_server_settle(struct checks *checks, struct server *server, uint64_t now_ns)
{
	uint64_t due_ns = server->again_ns + server->gap_ns;

	if (!checks_is_current(server->life, server->party) || server->unsure || server->stopped ||
		server->gap_ns == 0 || server->loose || server->call->broken ||
		server->call->damaged || due_ns >= server->final_ns + LIMIT_NS)
		return;
	if (due_ns + checks_late(checks) < now_ns)
		checks_fail(checks, AGAIN_MISSING, "phone %c: \"%s\" was due again at %llu ns",
			checks_name(server->party->agent), server->final->start,
			(unsigned long long)due_ns);
}

/* ---- responses that are sent */

static void check_echo(
	struct checks *checks, const struct server *server, const struct message *message)
{
	const struct message *request = server->request;

	if (message->cseq != request->cseq || message->call_id != request->call_id ||
		message->from_tag != request->from_tag ||
		(request->to_tag != 0 && message->to_tag != request->to_tag))
		checks_fail(checks, RESPONSE_ECHO, "phone %c: \"%s\" to \"%s\"",
			checks_name(server->party->agent), message->start, request->start);
	if (message->status > 100 && server->tag != 0 && message->to_tag != server->tag)
		checks_fail(checks, RESPONSE_TAG, "phone %c: \"%s\" to \"%s\" has another tag",
			checks_name(server->party->agent), message->start, request->start);
}

/* A copy of the request has come this moment, which brings the last response again. */
static bool take_copy(struct checks *checks, struct server *server)
{
	if (server->copy_ns != checks->now_ns)
		return false;
	server->copy_ns = NEVER;
	return true;
}

static void needless(struct checks *checks, const struct server *server, const char *why)
{
	checks_fail(checks, AGAIN_NEEDLESS, "phone %c: \"%s\" again, %s",
		checks_name(server->party->agent), server->last->start, why);
}

/* Section 13.3.1.1: what an INVITE was told last, once a minute. */
static bool is_ringing_on(
	const struct checks *checks, const struct server *server, const struct message *message)
{
	uint64_t due_ns = server->said_ns + 60 * NS_PER_S;

	return server->method == INVITE && message->status > 100 && checks->now_ns >= due_ns &&
	       checks->now_ns <= due_ns + checks_late(checks);
}

static void send_provisional(
	struct checks *checks, struct server *server, const struct message *message)
{
	if (server->final)
		checks_fail(checks, ONE_FINAL, "phone %c: \"%s\" after \"%s\"",
			checks_name(server->party->agent), message->start, server->final->start);
	else if (server->last == message && take_copy(checks, server))
		return;
	else if (server->last == message && !is_ringing_on(checks, server, message))
		needless(checks, server, "and nobody has asked");
	server->last = message;
	server->said_ns = checks->now_ns;
}

static void send_first_final(
	struct checks *checks, struct server *server, const struct message *message)
{
	server->last = message;
	server->final = message;
	server->final_ns = checks->now_ns;
	server->again_ns = checks->now_ns;
	/* Timer G is for UDP; a 2xx is repeated whatever it goes by (section 13.3.1.4) */
	server->gap_ns =
		server->method == INVITE && (!server->tcp || message->status < 300) ? T1_NS : 0;
}

/* Timer G, or for a 2xx the timer of section 13.3.1.4: both from T1 to T2. */
static void send_final_again(
	struct checks *checks, struct server *server, const struct message *message)
{
	const struct agent *agent = server->party->agent;
	bool success = server->final->status < 300;

	if (server->final != message) {
		checks_fail(checks,
			server->final->status == message->status ? AGAIN_SAME : ONE_FINAL,
			"phone %c: \"%s\" after \"%s\"", checks_name(agent), message->start,
			server->final->start);
		return;
	}
	if (!(server->method == INVITE && success) && take_copy(checks, server))
		return;
	if (server->gap_ns == 0 && server->tcp)
		checks_fail(checks, STREAM_AGAIN, "phone %c: \"%s\"", checks_name(agent),
			message->start);
	else if (server->gap_ns == 0)
		needless(checks, server, "and nobody has asked");
	if (server->stopped)
		needless(checks, server, "after its ACK or its end");
	checks_time(checks, agent, message, server->again_ns + server->gap_ns);
	if (checks->now_ns > server->final_ns + LIMIT_NS + checks_late(checks))
		checks_fail(checks, AGAIN_LATE, "phone %c: \"%s\" after its time of 32 s",
			checks_name(agent), message->start);
	server->again_ns = checks->now_ns;
	server->gap_ns = server->gap_ns * 2 < T2_NS ? server->gap_ns * 2 : T2_NS;
}

void checks_send_response(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message)
{
	struct server *server = checks_find_server(checks, agent, message->branch, message->method);
	bool first;

	if (!server) {
		if (checks->damaged == 0)
			checks_fail(checks, RESPONSE_ECHO, "phone %c: \"%s\" to no request",
				checks_name(agent), message->start);
		return;
	}
	(void)way;
	if (!checks_is_current(server->life, server->party))
		return;
	checks_meet(checks, REQUEST_ANSWERED, server);
	checks_meet(checks, INVITE_TRYING, server);
	first = message->status >= 200 && !server->final;
	if (!server->unsure && !server->call->damaged) {
		check_echo(checks, server, message);
		if (message->status < 200)
			send_provisional(checks, server, message);
		else if (server->final)
			send_final_again(checks, server, message);
	}
	if (first)
		send_first_final(checks, server, message);
	if (message->status > 100 && server->tag == 0)
		server->tag = message->to_tag;
	checks_response_sent(checks, server, message, first);
}

/* ---- requests that come */

static struct server *new_server(
	struct checks *checks, struct agent *agent, const struct message *message)
{
	struct call *call = checks_call_of(checks, message, true);
	struct server *server = call ? checks_alloc(checks, sizeof(*server)) : NULL;

	if (!server)
		return NULL;

	server->key = checks_key(agent, message->branch, message->method);
	server->call = call;
	server->party = &call->party[call->party[CALLER].agent == agent ? CALLER : CALLED];
	server->party->agent = agent;
	table_add(&checks->servers, &server->node, (uint32_t)server->key);
	list_add(&checks->all_servers, &server->link);
	return server;
}

static void begin_server(
	struct checks *checks, struct server *server, const struct message *message)
{
	server->life = server->party->agent->life;
	server->method = message->method;
	server->request = message;
	server->unsure = false;
	server->arrived_ns = checks->now_ns;
	server->copy_ns = NEVER;
	server->last = NULL;
	server->tag = 0;
	server->final = NULL;
	server->gap_ns = 0;
	server->stopped = false;
	server->loose = false;
	server->acked_ns = NEVER;
}

/* Timers H, J and L, or I: how long copies of the request belong to it. By TCP there are none, but
 * of what was sent again as a connection was lost. */
static uint64_t server_end(const struct server *server)
{
	if (!server->final)
		return NEVER;
	return server->acked_ns != NEVER && server->final->status >= 300
		       ? server->acked_ns + T4_NS
		       : server->final_ns + LIMIT_NS;
}

static void demand_response(
	struct checks *checks, const struct server *server, enum invariant what, uint64_t late)
{
	const struct due due = {
		.what = what,
		.party = server->party,
		.message = server->request,
		.subject = server,
	};

	if (!server->unsure)
		checks_demand(checks, &due, late);
}

/* What has been answered by 2xx is silent; what has not been at all, has 200 ms. */
static void demand_again(struct checks *checks, struct server *server)
{
	bool success = server->final && server->final->status < 300;

	if (server->acked_ns != NEVER || !server->last || (success && server->method == INVITE))
		return;
	server->copy_ns = checks->now_ns;
	demand_response(checks, server, REQUEST_ANSWERED, 0);
}

void checks_receive_request(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message, bool damaged)
{
	struct server *server = checks_find_server(checks, agent, message->branch, message->method);
	bool reborn = server && !checks_is_current(server->life, server->party);
	bool first = !server || reborn || checks->now_ns >= server_end(server);

	if (!server)
		server = new_server(checks, agent, message);
	if (!server)
		return;
	if (first) {
		bool vague = server->final && !reborn &&
			     checks->now_ns <= server_end(server) + checks_late(checks);

		if (reborn && server->method == INVITE)
			checks_forget(server->party);
		begin_server(checks, server, message);
		server->unsure |= vague;
	}
	server->tcp = way->tcp;
	server->unsure |= damaged || (way->tcp && !first);
	if (first)
		checks_request_came(checks, server, damaged);
	if (!first)
		demand_again(checks, server);
	else if (message->method == INVITE)
		demand_response(checks, server, INVITE_TRYING, TRYING_NS + checks_late(checks));
	else
		demand_response(checks, server, REQUEST_ANSWERED, 0);
}

void checks_receive_ack(
	struct checks *checks, struct agent *agent, const struct message *message, bool damaged)
{
	struct server *server = checks_find_server(checks, agent, message->branch, INVITE);
	struct call *call = checks_call_of(checks, message, false);

	if (damaged) {
		if (server)
			server->unsure = true;
		if (call && call->party[CALLED].called)
			call->party[CALLED].called->unsure = true;
		return;
	}
	if (!server) {
		if (call)
			checks_ack_came(checks, agent, call, message);
		return;
	}
	if (!server->final ||
		server->final->status < 300) /* it acknowledges what a former life has sent */
		return;
	checks_server_settle(checks, server, checks->now_ns);
	server->stopped = true;
	if (server->acked_ns == NEVER)
		server->acked_ns = checks->now_ns;
}
