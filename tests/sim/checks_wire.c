/* Follows each transaction: what is sent, when, how often (RFC 3261, section 17). */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

/* What a plain printf() needs of a time. */
#define MS(ns) ((double)(ns) / 1e6)

static char name_of(const struct agent *agent)
{
	return (char)('a' + agent->index);
}

static uint64_t late_ns(const struct checks *checks)
{
	return checks->config.timer_late_ns + checks->config.post_late_ns;
}

/* ---- what is known */

static struct message *find_message(const struct checks *checks, uint64_t key)
{
	for (struct table_node *node = table_find(&checks->messages, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct message *message = container_of(node, struct message, node);

		if (message->key == key)
			return message;
	}
	return NULL;
}

/* NULL: no memory. */
static struct message *keep_message(struct checks *checks, struct slice bytes)
{
	uint64_t key = checks_hash(bytes);
	struct message *message = find_message(checks, key);

	if (message)
		return message;
	message = checks_alloc(checks, sizeof(*message));
	if (!message)
		return NULL;
	message->key = key;
	checks_read(message, checks, bytes);
	table_add(&checks->messages, &message->node, (uint32_t)key);
	return message;
}

static uint64_t key_of(const struct agent *agent, uint64_t branch, enum method method)
{
	return checks_mix(branch, (uint64_t)method << 8 | agent->index);
}

static struct client *find_client(
	const struct checks *checks, const struct agent *agent, uint64_t branch, enum method method)
{
	uint64_t key = key_of(agent, branch, method);

	for (struct table_node *node = table_find(&checks->clients, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct client *client = container_of(node, struct client, node);

		if (client->key == key)
			return client;
	}
	return NULL;
}

static struct server *find_server(
	const struct checks *checks, const struct agent *agent, uint64_t branch, enum method method)
{
	uint64_t key = key_of(agent, branch, method);

	for (struct table_node *node = table_find(&checks->servers, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct server *server = container_of(node, struct server, node);

		if (server->key == key)
			return server;
	}
	return NULL;
}

static struct branch *find_branch(const struct checks *checks, uint64_t key)
{
	for (struct table_node *node = table_find(&checks->branches, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct branch *branch = container_of(node, struct branch, node);

		if (branch->key == key)
			return branch;
	}
	return NULL;
}

static bool is_known(const struct checks *checks, const struct addr *addr)
{
	uint32_t hash = (uint32_t)checks_hash_addr(addr);

	for (struct table_node *node = table_find(&checks->known, hash); node;
		node = table_find_next(node))
		if (addr_equal(&container_of(node, struct known, node)->addr, addr))
			return true;
	return false;
}

void checks_know(struct checks *checks, const struct addr *addr)
{
	struct known *known;

	if (addr->family == ADDR_NONE || is_known(checks, addr))
		return;
	known = checks_alloc(checks, sizeof(*known));
	if (!known)
		return;
	known->addr = *addr;
	table_add(&checks->known, &known->node, (uint32_t)checks_hash_addr(addr));
}

/* ---- the form of a message */

static void check_form(
	struct checks *checks, const struct agent *agent, const struct message *message)
{
	enum invariant what;

	if (!message->readable || message->from_tag == 0)
		what = FORM;
	else if (message->length != (int64_t)message->body)
		what = LENGTH;
	else if (message->request && !message->has_forwards)
		what = FORWARDS;
	else if (!message->has_cookie)
		what = COOKIE;
	else if (!message->request && message->status > 100 && message->to_tag == 0)
		what = RESPONSE_TAG;
	else
		return;
	checks_fail(checks, what, "phone %c sent \"%s\", Content-Length %lld, body %zu bytes",
		name_of(agent), message->start, (long long)message->length, message->body);
}

/* ACK and CANCEL are their INVITE's shadows; nothing else shares a branch. */
static void check_branch(
	struct checks *checks, const struct agent *agent, const struct message *message)
{
	struct branch *branch = find_branch(checks, message->branch);

	if (!branch) {
		branch = checks_alloc(checks, sizeof(*branch));
		if (!branch)
			return;
		branch->key = message->branch;
		branch->first = message;
		table_add(&checks->branches, &branch->node, (uint32_t)branch->key);
		return;
	}
	if (branch->first == message)
		return;
	if ((message->method == CANCEL || message->method == ACK) &&
		branch->first->method == INVITE && branch->first->cseq == message->cseq &&
		branch->first->call_id == message->call_id)
		return;
	checks_fail(checks, BRANCH_UNIQUE, "phone %c: \"%s\" has the branch of \"%s\"",
		name_of(agent), message->start, branch->first->start);
}

/* ---- sending again */

static bool is_current(unsigned life, const struct party *party)
{
	return party->agent->life == life;
}

/* The next was due at due_ns. */
static void check_time(struct checks *checks, const struct agent *agent,
	const struct message *message, uint64_t due_ns)
{
	uint64_t now = checks->now_ns;

	if (now < due_ns)
		checks_fail(checks, AGAIN_EARLY, "phone %c: \"%s\" again %g ms before its time",
			name_of(agent), message->start, MS(due_ns - now));
	else if (now > due_ns + late_ns(checks))
		checks_fail(checks, AGAIN_LATE, "phone %c: \"%s\" again %g ms after its time",
			name_of(agent), message->start, MS(now - due_ns));
}

static void check_same(struct checks *checks, const struct agent *agent,
	const struct message *before, const struct message *message)
{
	if (before != message)
		checks_fail(checks, AGAIN_SAME, "phone %c: \"%s\" was sent again with changes",
			name_of(agent), message->start);
}

/* Timer A doubles for ever, Timer E up to T2, or is T2 once a provisional response came. */
static void advance_client(struct client *client, uint64_t now_ns)
{
	client->last_ns = now_ns;
	client->gap_ns *= 2;
	if (client->method == INVITE)
		return;
	if (client->gap_ns > T2_NS || client->provisional_ns != NEVER)
		client->gap_ns = T2_NS;
}

static void send_again(struct checks *checks, struct client *client, const struct message *message)
{
	const struct agent *agent = client->party->agent;

	if (!is_current(client->life, client->party) || client->unsure || client->call->damaged)
		return;
	check_same(checks, agent, client->request, message);
	if (client->stopped)
		checks_fail(checks, AGAIN_NEEDLESS, "phone %c: \"%s\" again, after its answer",
			name_of(agent), message->start);
	check_time(checks, agent, message, client->last_ns + client->gap_ns);
	if (checks->now_ns > client->first_ns + LIMIT_NS + late_ns(checks))
		checks_fail(checks, AGAIN_LATE, "phone %c: \"%s\" after its time of 32 s",
			name_of(agent), message->start);
	advance_client(client, checks->now_ns);
}

void checks_client_settle(struct checks *checks, struct client *client, uint64_t now_ns)
{
	uint64_t due_ns = client->last_ns + client->gap_ns;

	if (!is_current(client->life, client->party) || client->unsure || client->stopped ||
		client->optional || client->call->damaged || due_ns >= client->first_ns + LIMIT_NS)
		return;
	if (due_ns + late_ns(checks) < now_ns)
		checks_fail(checks, AGAIN_MISSING, "phone %c: \"%s\" was due again at %llu ns",
			name_of(client->party->agent), client->request->start,
			(unsigned long long)due_ns);
}

void checks_server_settle(struct checks *checks, struct server *server, uint64_t now_ns)
{
	uint64_t due_ns = server->again_ns + server->gap_ns;

	if (!is_current(server->life, server->party) || server->unsure || server->stopped ||
		server->gap_ns == 0 || server->call->broken || server->call->damaged ||
		due_ns >= server->final_ns + LIMIT_NS)
		return;
	if (due_ns + late_ns(checks) < now_ns)
		checks_fail(checks, AGAIN_MISSING, "phone %c: \"%s\" was due again at %llu ns",
			name_of(server->party->agent), server->final->start,
			(unsigned long long)due_ns);
}

/* ---- requests that are sent */

static struct client *new_client(struct checks *checks, struct agent *agent, const struct addr *to,
	const struct message *message)
{
	struct call *call = checks_call_of(checks, message, message->method == INVITE);
	struct client *client;

	if (!call) {
		if (checks->damaged == 0)
			checks_fail(checks, DIALOG_KNOWN, "phone %c: \"%s\" is of no call",
				name_of(agent), message->start);
		return NULL;
	}
	client = checks_alloc(checks, sizeof(*client));
	if (!client)
		return NULL;

	if (message->method == INVITE && !call->party[CALLER].agent)
		call->party[CALLER].agent = agent;
	client->key = key_of(agent, message->branch, message->method);
	client->call = call;
	client->party = &call->party[call->party[CALLER].agent == agent ? CALLER : CALLED];
	client->party->agent = agent;
	client->life = agent->life;
	client->to = *to;
	client->method = message->method;
	client->request = message;
	client->first_ns = checks->now_ns;
	client->last_ns = checks->now_ns;
	client->gap_ns = T1_NS;
	client->provisional_ns = NEVER;
	client->final_ns = NEVER;
	table_add(&checks->clients, &client->node, (uint32_t)client->key);
	list_add(&checks->all_clients, &client->link);
	return client;
}

static void send_request(struct checks *checks, struct agent *agent, const struct addr *to,
	const struct message *message)
{
	struct client *client = find_client(checks, agent, message->branch, message->method);

	if (client) {
		send_again(checks, client, message);
		return;
	}
	check_branch(checks, agent, message);
	client = new_client(checks, agent, to, message);
	if (client)
		checks_request_sent(checks, client);
}

/* For another response than 2xx it has the branch of the INVITE, for 2xx its own. */
static void send_ack(struct checks *checks, struct agent *agent, const struct message *message)
{
	struct client *invite = find_client(checks, agent, message->branch, INVITE);
	struct call *call = checks_call_of(checks, message, false);

	check_branch(checks, agent, message);
	if (!invite) {
		checks_ack_sent(checks, agent, call, message);
		return;
	}
	if (checks_meet(checks, ACK_OTHERS, invite) || invite->unsure || invite->call->damaged ||
		invite->call->broken || !is_current(invite->life, invite->party))
		return;
	checks_fail(checks, ACK_DUE, "phone %c: \"%s\" with the branch of the INVITE",
		name_of(agent), message->start);
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
			name_of(server->party->agent), message->start, request->start);
	if (message->status > 100 && server->tag != 0 && message->to_tag != server->tag)
		checks_fail(checks, RESPONSE_TAG, "phone %c: \"%s\" to \"%s\" has another tag",
			name_of(server->party->agent), message->start, request->start);
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
		name_of(server->party->agent), server->last->start, why);
}

static void send_provisional(
	struct checks *checks, struct server *server, const struct message *message)
{
	if (server->final)
		checks_fail(checks, ONE_FINAL, "phone %c: \"%s\" after \"%s\"",
			name_of(server->party->agent), message->start, server->final->start);
	else if (server->last == message && !take_copy(checks, server))
		needless(checks, server, "and nobody has asked");
	server->last = message;
}

static void send_first_final(
	struct checks *checks, struct server *server, const struct message *message)
{
	server->last = message;
	server->final = message;
	server->final_ns = checks->now_ns;
	server->again_ns = checks->now_ns;
	server->gap_ns = server->method == INVITE ? T1_NS : 0;
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
			"phone %c: \"%s\" after \"%s\"", name_of(agent), message->start,
			server->final->start);
		return;
	}
	if (!(server->method == INVITE && success) && take_copy(checks, server))
		return;
	if (server->gap_ns == 0)
		needless(checks, server, "and nobody has asked");
	if (server->stopped)
		needless(checks, server, "after its ACK or its end");
	check_time(checks, agent, message, server->again_ns + server->gap_ns);
	if (checks->now_ns > server->final_ns + LIMIT_NS + late_ns(checks))
		checks_fail(checks, AGAIN_LATE, "phone %c: \"%s\" after its time of 32 s",
			name_of(agent), message->start);
	server->again_ns = checks->now_ns;
	server->gap_ns = server->gap_ns * 2 < T2_NS ? server->gap_ns * 2 : T2_NS;
}

static void send_response(struct checks *checks, struct agent *agent, const struct message *message)
{
	struct server *server = find_server(checks, agent, message->branch, message->method);
	bool first;

	if (!server) {
		if (checks->damaged == 0)
			checks_fail(checks, RESPONSE_ECHO, "phone %c: \"%s\" to no request",
				name_of(agent), message->start);
		return;
	}
	if (!is_current(server->life, server->party))
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

static void know_sound(struct checks *checks, const struct message *message)
{
	struct addr addr;

	if (!message->sound)
		return;
	addr = message->sound->rtp;
	checks_know(checks, &addr);
	addr.port++;
	checks_know(checks, &addr);
}

void checks_sip_sent(
	struct checks *checks, struct agent *agent, const struct addr *to, struct slice bytes)
{
	struct message *message = keep_message(checks, bytes);

	if (!message)
		return;
	if (checks->damaged == 0 || message->request)
		check_form(checks, agent, message);
	if (checks->damaged == 0 && !is_known(checks, to))
		checks_fail(checks, ADDRESS_KNOWN, "phone %c: \"%s\" to %u.%u.%u.%u:%u",
			name_of(agent), message->start, to->ip[0], to->ip[1], to->ip[2], to->ip[3],
			to->port);
	know_sound(checks, message);
	if (!message->request)
		send_response(checks, agent, message);
	else if (message->method == ACK)
		send_ack(checks, agent, message);
	else
		send_request(checks, agent, to, message);
}

/* ---- requests that come */

static struct server *new_server(
	struct checks *checks, struct agent *agent, const struct message *message)
{
	struct call *call = checks_call_of(checks, message, true);
	struct server *server = call ? checks_alloc(checks, sizeof(*server)) : NULL;

	if (!server)
		return NULL;

	server->key = key_of(agent, message->branch, message->method);
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
	server->acked_ns = NEVER;
}

/* Timers H, J and L, or I: how long copies of the request belong to it. */
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

static void receive_request(
	struct checks *checks, struct agent *agent, const struct message *message, bool damaged)
{
	struct server *server = find_server(checks, agent, message->branch, message->method);
	bool reborn = server && !is_current(server->life, server->party);
	bool first = !server || reborn || checks->now_ns >= server_end(server);

	if (!server)
		server = new_server(checks, agent, message);
	if (!server)
		return;
	if (first) {
		bool vague = server->final && !reborn &&
			     checks->now_ns <= server_end(server) + late_ns(checks);

		if (reborn && server->method == INVITE)
			checks_forget(server->party);
		begin_server(checks, server, message);
		server->unsure |= vague;
	}
	server->unsure |= damaged;
	if (first)
		checks_request_came(checks, server, damaged);
	if (!first)
		demand_again(checks, server);
	else if (message->method == INVITE)
		demand_response(checks, server, INVITE_TRYING, TRYING_NS + late_ns(checks));
	else
		demand_response(checks, server, REQUEST_ANSWERED, 0);
}

static void receive_ack(
	struct checks *checks, struct agent *agent, const struct message *message, bool damaged)
{
	struct server *server = find_server(checks, agent, message->branch, INVITE);
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

/* ---- responses that come */

/* By Timer B or F, or because CANCEL was in vain for as long (section 9.1). */
static bool is_forgotten(const struct checks *checks, const struct client *client)
{
	const struct client *cancel = client->method == INVITE ? client->party->cancel : NULL;

	if (client->final_ns != NEVER)
		return false;
	if (cancel && checks->now_ns >= cancel->first_ns + LIMIT_NS)
		return true;
	if (client->method == INVITE && client->provisional_ns != NEVER)
		return false;
	return checks->now_ns >= client->first_ns + LIMIT_NS;
}

static void receive_response(
	struct checks *checks, struct agent *agent, const struct message *message, bool damaged)
{
	struct client *client = find_client(checks, agent, message->branch, message->method);

	if (!client || !is_current(client->life, client->party))
		return;
	/* also where ICMP may have ended it, or a timer that may be a little late decides */
	client->unsure |= damaged;
	if (!client->unsure && (client->optional || is_forgotten(checks, client))) {
		client->unsure = true;
		client->call->broken |= client->method == INVITE;
	}
	if (client->unsure)
		return;

	checks_client_settle(checks, client, checks->now_ns);
	if (message->status < 200) {
		if (client->provisional_ns == NEVER)
			client->provisional_ns = checks->now_ns;
		client->stopped |= client->method == INVITE;
	} else {
		client->stopped = true;
	}
	checks_response_came(checks, client, message);
	if (message->status >= 200 && client->final_ns == NEVER) {
		client->final_ns = checks->now_ns;
		client->status = message->status;
	}
}

/* At most one byte is not what was sent, so that Call-ID or branch tell whose it is. */
static void damage(struct checks *checks, const struct message *message)
{
	struct call *call = checks_call_of(checks, message, false);
	struct branch *branch = find_branch(checks, message->branch);

	checks->damaged++;
	if (call)
		call->damaged = true;
	call = branch ? checks_call_of(checks, branch->first, false) : NULL;
	if (call)
		call->damaged = true;
}

void checks_sip_arrived(
	struct checks *checks, const struct addr *from, const struct addr *to, struct slice bytes)
{
	struct agent *agent = checks_agent(checks, to);
	struct message *message = find_message(checks, checks_hash(bytes));
	bool damaged = !message;

	(void)from;
	if (damaged) {
		message = keep_message(checks, bytes);
		if (message)
			damage(checks, message);
	}
	if (!message || !agent)
		return;
	if (message->damaged)
		damaged = true;
	message->damaged = damaged;
	if (!message->readable)
		return;
	if (!message->request)
		receive_response(checks, agent, message, damaged);
	else if (message->method == ACK)
		receive_ack(checks, agent, message, damaged);
	else
		receive_request(checks, agent, message, damaged);
}

/* ICMP that does not tell what it is about, for bytes get damaged, is about all that is sent there.
 */
static void refuse_all(struct checks *checks, const struct agent *agent, const struct addr *to)
{
	list_each(link, &checks->all_clients)
	{
		struct client *client = container_of(link, struct client, link);

		if (client->party->agent == agent && addr_equal(&client->to, to))
			client->optional = true;
	}
}

void checks_sip_lost(struct checks *checks, const struct addr *from, const struct addr *to,
	struct slice bytes, bool unwanted)
{
	struct agent *agent = checks_agent(checks, from);
	struct message *message = find_message(checks, checks_hash(bytes));
	struct call *call;

	if (!message) {
		message = keep_message(checks, bytes);
		if (message)
			damage(checks, message);
	}
	call = message ? checks_call_of(checks, message, false) : NULL;
	if (call)
		call->lost = true;
	if (!unwanted || !agent)
		return;
	refuse_all(checks, agent, to);
	for (int i = CALLER; call && i <= CALLED; i++)
		if (call->party[i].agent == agent && call->party[i].unwanted_ns == NEVER)
			call->party[i].unwanted_ns = checks->now_ns;
}
