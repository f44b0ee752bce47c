/* Follows client transactions: requests sent, when and how often, and what comes back (RFC 3261,
 * section 17.1). */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

enum { DATAGRAM_BYTES = 1300 };

/* What a plain printf() needs of a time. */
#define MS(ns) ((double)(ns) / 1e6)

struct client *checks_find_client(
	const struct checks *checks, const struct agent *agent, uint64_t branch, enum method method)
{
	uint64_t key = checks_key(agent, branch, method);

	for (struct table_node *node = table_find(&checks->clients, (uint32_t)key); node;
		node = table_find_next(node)) {
		struct client *client = container_of(node, struct client, node);

		if (client->key == key)
			return client;
	}
	return NULL;
}

/* ---- sending again */

void checks_time(struct checks *checks, const struct agent *agent, const struct message *message,
	uint64_t due_ns)
{
	uint64_t now = checks->now_ns;

	if (now < due_ns)
		checks_fail(checks, AGAIN_EARLY, "phone %c: \"%s\" again %g ms before its time",
			checks_name(agent), message->start, MS(due_ns - now));
	else if (now > due_ns + checks_late(checks))
		checks_fail(checks, AGAIN_LATE, "phone %c: \"%s\" again %g ms after its time",
			checks_name(agent), message->start, MS(now - due_ns));
}

void checks_same(struct checks *checks, const struct agent *agent, const struct message *before,
	const struct message *message)
{
	if (before != message)
		checks_fail(checks, AGAIN_SAME, "phone %c: \"%s\" was sent again with changes",
			checks_name(agent), message->start);
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

/* Only by another connection, once, if the first one was lost. */
static void send_elsewhere(struct checks *checks, struct client *client, const struct way *way)
{
	const struct agent *agent = client->party->agent;

	if (client->final_ns != NEVER || client->elsewhere || addr_equal(&client->from, &way->from))
		checks_fail(checks, STREAM_AGAIN, "phone %c: \"%s\"", checks_name(agent),
			client->request->start);
	client->elsewhere = true;
	client->from = way->from;
}

/* Until its stack knows of the new address, it sends by the old one, and once more when it does. */
static bool is_of_a_move(const struct client *client)
{
	const struct agent *agent = client->party->agent;

	return agent->moves > 0 && client->first_ns >= agent->moved_ns &&
	       client->first_ns < agent->moved_ns + 2 * NETWORK_LATEST_NS;
}

static void send_again(struct checks *checks, struct client *client, const struct way *way,
	const struct message *message)
{
	const struct agent *agent = client->party->agent;

	if (!checks_is_current(client->life, client->party) || client->unsure ||
		client->call->damaged || is_of_a_move(client))
		return;
	checks_same(checks, agent, client->request, message);
	if (way->tcp) {
		send_elsewhere(checks, client, way);
		return;
	}
	if (client->stopped)
		checks_fail(checks, AGAIN_NEEDLESS, "phone %c: \"%s\" again, after its answer",
			checks_name(agent), message->start);
	checks_time(checks, agent, message, client->last_ns + client->gap_ns);
	if (checks->now_ns > client->first_ns + LIMIT_NS + checks_late(checks))
		checks_fail(checks, AGAIN_LATE, "phone %c: \"%s\" after its time of 32 s",
			checks_name(agent), message->start);
	advance_client(client, checks->now_ns);
}

/* An INVITE whose answer never came, but a BYE after that: the far end has ended the call. */
static bool is_called_off(const struct client *client)
{
	return client == client->party->invite && client->party->bye_ns != NEVER;
}

void checks_client_settle(struct checks *checks, struct client *client, uint64_t now_ns)
{
	uint64_t due_ns = client->last_ns + client->gap_ns;

	if (!checks_is_current(client->life, client->party) || client->unsure || client->stopped ||
		client->gap_ns == 0 || client->optional || client->call->damaged ||
		is_of_a_move(client) || is_called_off(client) ||
		due_ns >= client->first_ns + LIMIT_NS)
		return;
	if (due_ns + checks_late(checks) < now_ns)
		checks_fail(checks, AGAIN_MISSING, "phone %c: \"%s\" was due again at %llu ns",
			checks_name(client->party->agent), client->request->start,
			(unsigned long long)due_ns);
}

/* ---- requests that are sent */

static struct client *new_client(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message)
{
	struct call *call = checks_call_of(checks, message, message->method == INVITE);
	struct client *client;

	if (!call) {
		if (checks->damaged == 0)
			checks_fail(checks, DIALOG_KNOWN, "phone %c: \"%s\" is of no call",
				checks_name(agent), message->start);
		return NULL;
	}
	client = checks_alloc(checks, sizeof(*client));
	if (!client)
		return NULL;

	if (message->method == INVITE && !call->party[CALLER].agent)
		call->party[CALLER].agent = agent;
	client->key = checks_key(agent, message->branch, message->method);
	client->call = call;
	client->party = &call->party[call->party[CALLER].agent == agent ? CALLER : CALLED];
	client->party->agent = agent;
	client->life = agent->life;
	client->from = way->from;
	client->to = way->to;
	client->tcp = way->tcp;
	client->method = message->method;
	client->request = message;
	client->first_ns = checks->now_ns;
	client->last_ns = checks->now_ns;
	client->gap_ns = way->tcp ? 0 : T1_NS;
	client->provisional_ns = NEVER;
	client->final_ns = NEVER;
	table_add(&checks->clients, &client->node, (uint32_t)client->key);
	list_add(&checks->all_clients, &client->link);
	return client;
}

static bool went_by_tcp(const struct checks *checks, const struct client *client)
{
	list_each(link, &checks->all_clients)
	{
		const struct client *before = container_of(link, struct client, link);

		if (before->party == client->party && before->tcp &&
			before->request->cseq == client->request->cseq)
			return true;
	}
	return false;
}

/* Section 18.1.1: what is too long for a datagram has been tried by TCP before. */
static void check_size(struct checks *checks, const struct client *client)
{
	if (client->tcp || client->request->size <= DATAGRAM_BYTES || client->method == CANCEL ||
		went_by_tcp(checks, client))
		return;
	checks_fail(checks, DATAGRAM_LONG, "phone %c: \"%s\" of %zu bytes",
		checks_name(client->party->agent), client->request->start, client->request->size);
}

void checks_send_request(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message)
{
	struct client *client = checks_find_client(checks, agent, message->branch, message->method);

	if (client) {
		send_again(checks, client, way, message);
		return;
	}
	checks_branch(checks, agent, message);
	client = new_client(checks, agent, way, message);
	if (!client)
		return;
	check_size(checks, client);
	checks_request_sent(checks, client);
	if (client->method != CANCEL)
		client->party->last = client;
}

/* For another response than 2xx it has the branch of the INVITE, for 2xx its own. */
void checks_send_ack(struct checks *checks, struct agent *agent, const struct message *message)
{
	struct client *invite = checks_find_client(checks, agent, message->branch, INVITE);
	struct call *call = checks_call_of(checks, message, false);

	checks_branch(checks, agent, message);
	if (!invite) {
		checks_ack_sent(checks, agent, call, message);
		return;
	}
	if (checks_meet(checks, ACK_OTHERS, invite) || invite->unsure || invite->call->damaged ||
		invite->call->broken || !checks_is_current(invite->life, invite->party))
		return;
	checks_fail(checks, ACK_DUE, "phone %c: \"%s\" with the branch of the INVITE",
		checks_name(agent), message->start);
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

void checks_receive_response(struct checks *checks, struct agent *agent, const struct way *way,
	const struct message *message, bool damaged)
{
	struct client *client = checks_find_client(checks, agent, message->branch, message->method);

	if (!client || !checks_is_current(client->life, client->party))
		return;
	/* also where ICMP may have ended it, or a timer that may be a little late decides */
	client->unsure |= damaged;
	if (!client->unsure && (client->optional || is_forgotten(checks, client) ||
				       (way->tcp && !addr_equal(&client->from, &way->to)))) {
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

void checks_refuse_all(struct checks *checks, const struct agent *agent, const struct addr *to)
{
	list_each(link, &checks->all_clients)
	{
		struct client *client = container_of(link, struct client, link);

		if (client->party->agent != agent || !addr_equal(&client->to, to))
			continue;
		client->optional = true;
		if (client->party->unwanted_ns == NEVER)
			client->party->unwanted_ns = checks->now_ns;
	}
}
