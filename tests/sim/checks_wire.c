/* Sees each message on the wire, knows it again, and looks at what it alone can tell. */
#include "core/base/text.h"
#include "tests/sim/checks_private.h"

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
		checks_name(agent), message->start, (long long)message->length, message->body);
}

/* ACK and CANCEL are their INVITE's shadows; nothing else shares a branch. */
void checks_branch(struct checks *checks, const struct agent *agent, const struct message *message)
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
		checks_name(agent), message->start, branch->first->start);
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

/* By TCP it stays on its way until it arrives, which may be never. */
static void fly(struct checks *checks, struct message *message)
{
	struct call *call = checks_call_of(checks, message, false);

	message->flying++;
	if (call)
		call->flying++;
}

static void land(struct checks *checks, struct message *message)
{
	struct call *call = checks_call_of(checks, message, false);

	if (message->flying == 0)
		return;
	message->flying--;
	if (call && call->flying > 0)
		call->flying--;
}

void checks_sip_sent(
	struct checks *checks, struct agent *agent, const struct way *way, struct slice bytes)
{
	struct message *message = keep_message(checks, bytes);
	const struct addr *to = &way->to;

	if (!message)
		return;
	if (checks->damaged == 0 || message->request)
		check_form(checks, agent, message);
	if (checks->damaged == 0 && message->via_tcp != way->tcp)
		checks_fail(checks, VIA_TRANSPORT, "phone %c: \"%s\" by %s", checks_name(agent),
			message->start, way->tcp ? "TCP" : "UDP");
	if (checks->damaged == 0 && !is_known(checks, to))
		checks_fail(checks, ADDRESS_KNOWN, "phone %c: \"%s\" to %u.%u.%u.%u:%u",
			checks_name(agent), message->start, to->ip[0], to->ip[1], to->ip[2],
			to->ip[3], to->port);
	know_sound(checks, message);
	if (!message->request)
		checks_send_response(checks, agent, way, message);
	else if (message->method == ACK)
		checks_send_ack(checks, agent, message);
	else
		checks_send_request(checks, agent, way, message);
	if (way->tcp)
		fly(checks, message);
}

/* ---- what comes, and what does not */

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

void checks_sip_arrived(struct checks *checks, const struct way *way, struct slice bytes)
{
	struct agent *agent = checks_agent(checks, &way->to);
	struct message *message = find_message(checks, checks_hash(bytes));
	bool damaged = !message;

	if (damaged) {
		message = keep_message(checks, bytes);
		if (message)
			damage(checks, message);
	}
	if (message && way->tcp)
		land(checks, message);
	if (!message || !agent)
		return;
	if (message->damaged)
		damaged = true;
	message->damaged = damaged;
	if (!message->readable)
		return;
	if (!message->request)
		checks_receive_response(checks, agent, way, message, damaged);
	else if (message->method == ACK)
		checks_receive_ack(checks, agent, message, damaged);
	else
		checks_receive_request(checks, agent, way, message, damaged);
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
	if (unwanted && agent)
		checks_refuse_all(checks, agent, to);
}
