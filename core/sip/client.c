#include "core/base/log.h"
#include "core/sip/avoid.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

/* Calling is INVITE's only, Trying is for all others. */
enum client_state {
	CALLING,
	TRYING,
	PROCEEDING,
	COMPLETED,
	ACCEPTED, /* RFC 6026, section 7.2 */
	TERMINATED,
};

struct sip_client {
	struct table_node node;
	struct list link;
	struct sip_stack *stack;
	struct sip_flow flow;
	struct sip_msg *request;  /* NULL: answered, and not needed any more */
	struct slice branch;      /* of it, */
	struct slice method_name; /* or of kept, as are sent's */
	struct sip_sent sent;
	char *kept; /* what is left of an answered request */
	char *ack;  /* of a final response that is no 2xx, once it was sent */
	size_t ack_len;
	enum sip_method method;
	enum client_state state;
	bool again_sent;  /* by another connection, after one was lost */
	uint64_t over_ns; /* when F is due where there are others to try; else 0 */
	uint64_t serial;
	struct timer again; /* A, E */
	uint64_t again_ns;
	struct timer limit;                     /* B, F, or SIP_PATIENCE_NS; D, K, M */
	const struct sip_client_events *events; /* NULL: nobody looks on */
	void *arg;
};

/* RFC 3261, figures 5 and 6, with RFC 6026, section 8.4. */
static void become(struct sip_client *client, enum client_state next)
{
	static const unsigned int allowed[] = {
		[CALLING] = 1u << PROCEEDING | 1u << COMPLETED | 1u << ACCEPTED | 1u << TERMINATED,
		[TRYING] = 1u << PROCEEDING | 1u << COMPLETED | 1u << TERMINATED,
		[PROCEEDING] =
			1u << PROCEEDING | 1u << COMPLETED | 1u << ACCEPTED | 1u << TERMINATED,
		[COMPLETED] = 1u << TERMINATED,
		[ACCEPTED] = 1u << TERMINATED,
		[TERMINATED] = 0,
	};

	assert(allowed[client->state] & 1u << next);
	client->state = next;
}

static bool is_invite(const struct sip_client *client)
{
	return client->method == SIP_INVITE;
}

/* Whether its final response is still to come. */
static bool is_waiting(const struct sip_client *client)
{
	return client->state == CALLING || client->state == TRYING || client->state == PROCEEDING;
}

static void destroy(struct sip_client *client)
{
	timer_stop(&client->again);
	timer_stop(&client->limit);
	list_remove(&client->link);
	table_remove(&client->stack->client_table, &client->node);
	sip_msg_free(client->request);
	free(client->kept);
	free(client->ack);
	free(client);
}

/* Ends it, then says so. */
static void end(struct sip_client *client, int err)
{
	const struct sip_client_events *events = client->events;
	void *arg = client->arg;

	if (err && err != -ENOMEM)
		sip_avoid(client->stack, &client->flow);
	become(client, TERMINATED);
	destroy(client);
	if (events)
		events->ended(arg, err);
}

/* Timer A doubles without bound (section 17.1.1.2), Timer E up to T2 (section 17.1.2.2). */
static void send_again(void *arg)
{
	struct sip_client *client = arg;
	int err;

	client->again_ns *= 2;
	if (client->state == PROCEEDING || (!is_invite(client) && client->again_ns > SIP_T2_NS))
		client->again_ns = SIP_T2_NS;
	timer_start_in(&client->again, client->again_ns);
	err = sip_flow_send_on(&client->flow, client->request->raw);
	if (err)
		end(client, err); /* section 17.1.4 */
}

/* One that cannot be sent now is sent again in its time; by TCP the broken connection does it. */
void sip_client_reroute(struct sip_stack *stack)
{
	list_each(link, &stack->clients)
	{
		struct sip_client *client = container_of(link, struct sip_client, link);

		if (is_waiting(client) && !sip_flow_is_reliable(&client->flow) &&
			sip_stack_has_lost(stack, &client->flow.local))
			sip_flow_send_on(&client->flow, client->request->raw);
	}
}

static void time_is_up(void *arg)
{
	struct sip_client *client = arg;

	end(client, is_waiting(client) ? -ETIMEDOUT : 0);
}

/* Everything that sip_client_new() does before it sends. */
static struct sip_client *make(
	struct sip_stack *stack, const struct sip_flow *flow, struct sip_msg *request)
{
	struct sip_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;

	client->stack = stack;
	client->flow = *flow;
	client->flow.others = false; /* CANCEL goes nowhere else */
	client->request = request;
	client->branch = request->via.branch;
	client->method_name = request->method_name;
	client->method = request->method;
	client->sent = (struct sip_sent){
		.uri = request->uri_text,
		.from = *sip_msg_header(request, SIP_FROM),
		.call_id = request->call_id,
		.cseq = request->cseq,
	};
	client->state = request->method == SIP_INVITE ? CALLING : TRYING;
	client->serial = ++stack->serial;
	client->again_ns = SIP_T1_NS;
	timer_init(&client->again, stack->loop, send_again, client);
	timer_init(&client->limit, stack->loop, time_is_up, client);
	list_add(&stack->clients, &client->link);
	table_add(&stack->client_table, &client->node,
		sip_stack_hash(stack, request->via.branch, (struct slice){0}));
	return client;
}

/* RFC 3263, section 4.3: until something is heard it is given a few seconds only. */
static void hurry(struct sip_client *client)
{
	client->over_ns = client->limit.due_ns;
	timer_start_in(&client->limit, SIP_PATIENCE_NS);
}

int sip_client_new(struct sip_client **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct slice bytes, const struct sip_client_events *events, void *arg)
{
	struct sip_client *client;
	struct sip_msg *request;
	int err;

	err = sip_msg_parse(&request, bytes);
	if (err)
		return err == -EPROTO ? -EINVAL : err;

	err = -EINVAL;
	if (!request->request || request->fault_status)
		goto out;
	err = -ENOMEM;
	client = make(stack, flow, request);
	if (!client)
		goto out;

	request = NULL; /* the client's from here on */
	err = sip_flow_send_on(&client->flow, client->request->raw);
	if (err) {
		destroy(client);
		goto out;
	}
	if (!sip_flow_is_reliable(&client->flow))
		timer_start_in(&client->again, SIP_T1_NS); /* A, E */
	timer_start_in(&client->limit, SIP_64T1_NS);       /* B, F */
	client->events = events;
	client->arg = arg;
	if (out)
		*out = client;
	if (flow->others)
		hurry(client);
out:
	sip_msg_free(request);
	return err;
}

struct sip_sent sip_client_sent(const struct sip_client *client)
{
	return client->sent;
}

struct sip_flow sip_client_flow(const struct sip_client *client)
{
	return client->flow;
}

void sip_client_release(struct sip_client *client)
{
	if (!client)
		return;

	client->events = NULL;
	if (is_waiting(client) || client->state == ACCEPTED)
		end(client, 0);
}

/* Section 22.1: ACK has the INVITE's, as nobody can ask it for any; CANCEL has none. */
static void print_credentials(struct text *out, const struct sip_msg *request)
{
	const struct slice *authorization = sip_msg_header_named(request, "Authorization");

	if (authorization)
		text_printf(out, "Authorization: %.*s\r\n", (int)authorization->len,
			(const char *)authorization->data);
	sip_print_copies(out, request, SIP_PROXY_AUTHORIZATION);
}

/* That of the INVITE; but an ACK, which nothing answers, must not ask what keep does, the last of
 * our parameters (RFC 6223, section 4.3). */
static void print_via(struct text *out, struct slice via, enum sip_method method)
{
	static const char keep[] = ";keep";
	size_t len = sizeof(keep) - 1;

	if (method == SIP_ACK && via.len > len && memcmp(via.data + via.len - len, keep, len) == 0)
		via.len -= len;
	sip_print_header(out, SIP_VIA, via);
}

/*
 * What ACK for a final response other than 2xx (section 17.1.1.3) and CANCEL (section 9.1) have in
 * common: they go where the INVITE went, as its shadow. to: the To line's value.
 */
static void print_shadow(struct text *out, const struct sip_client *client, enum sip_method method,
	struct slice to, struct slice headers)
{
	const struct sip_msg *request = client->request;
	const struct slice *via = sip_msg_header(request, SIP_VIA);

	sip_print_request_line(out, method, request->uri_text);
	print_via(out, *via, method);
	sip_print_header_text(out, SIP_MAX_FORWARDS, "%d", 70);
	sip_print_copies(out, request, SIP_ROUTE);
	sip_print_copies(out, request, SIP_FROM);
	sip_print_header(out, SIP_TO, to);
	sip_print_copies(out, request, SIP_CALL_ID);
	sip_print_header_text(
		out, SIP_CSEQ, "%lu %s", (unsigned long)request->cseq, sip_method_name(method));
	if (method == SIP_ACK)
		print_credentials(out, request);
	text_put(out, headers);
	sip_print_body(out, NULL, (struct slice){0});
}

/*
 * The same for each repetition of the response (section 17.1.1.2): that of the first is kept, if
 * there is memory; else it is made anew. An error is a loss like any.
 */
static void send_ack(struct sip_client *client, const struct sip_msg *response)
{
	struct text text = sip_stack_scratch(client->stack);
	const struct slice *to = sip_msg_header(response, SIP_TO);
	struct slice ack = {(const uint8_t *)client->ack, client->ack_len};

	if (!client->ack) {
		print_shadow(&text, client, SIP_ACK, *to, (struct slice){0});
		if (text.cut)
			return;
		ack = text_slice(&text);
		client->ack = slice_copy(ack);
		client->ack_len = ack.len;
	}
	sip_flow_send_on(&client->flow, ack);
}

/*
 * It is answered, and lives on for repetitions and forks: of the request there stays only what
 * these need. Without memory, all of it does.
 */
static void shrink(struct sip_client *client)
{
	struct slice *const parts[] = {&client->branch, &client->method_name, &client->sent.uri,
		&client->sent.from, &client->sent.call_id};
	size_t count = client->state == ACCEPTED ? 5 : 2;
	size_t size = 0;
	uint8_t *to;

	if (!client->request || (client->state == COMPLETED && is_invite(client) && !client->ack))
		return;
	for (size_t i = 0; i < count; i++)
		size += parts[i]->len;
	client->kept = calloc(size, 1);
	if (!client->kept)
		return;

	to = (uint8_t *)client->kept;
	for (size_t i = 0; i < count; i++) {
		memcpy(to, parts[i]->data, parts[i]->len);
		parts[i]->data = to;
		to += parts[i]->len;
	}
	sip_msg_free(client->request);
	client->request = NULL;
}

int sip_client_cancel(struct sip_client *invite, struct slice headers)
{
	struct text text = sip_stack_scratch(invite->stack);

	assert(is_invite(invite) && invite->state != CALLING);
	if (invite->state != PROCEEDING)
		return 0; /* too late, which is no error */
	print_shadow(&text, invite, SIP_CANCEL, *sip_msg_header(invite->request, SIP_TO), headers);
	if (text.cut)
		return -EMSGSIZE;
	return sip_client_new(NULL, invite->stack, &invite->flow, text_slice(&text), NULL, NULL);
}

/* Timers D and K: what is sent reliably is not repeated, so nothing has to be absorbed. */
static uint64_t linger_ns(const struct sip_client *client, uint64_t unreliable_ns)
{
	return sip_flow_is_reliable(&client->flow) ? 0 : unreliable_ns;
}

static void tell(struct sip_client *client, const struct sip_msg *response)
{
	const struct sip_client_events *events = client->events;
	void *arg = client->arg;

	if (response->status == 503)
		sip_avoid_busy(client->stack, &client->flow, response);
	else
		sip_avoid_no_more(client->stack, &client->flow);
	if (response->status >= 200 && client->state != ACCEPTED)
		client->events = NULL; /* this is the last event */
	if (events)
		events->response(arg, response);
}

/* Section 17.1.1.2 and RFC 6026, section 8.4. */
static void receive_invite(struct sip_client *client, const struct sip_msg *response)
{
	bool success = response->status >= 200 && response->status < 300;

	if (client->state == ACCEPTED) {
		if (success)
			tell(client, response);
		return;
	}
	if (client->state == COMPLETED) {
		if (response->status >= 300)
			send_ack(client, response);
		shrink(client); /* if there was no memory before */
		return;
	}
	timer_stop(&client->again);
	timer_stop(&client->limit);
	if (response->status < 200) {
		become(client, PROCEEDING);
	} else {
		become(client, success ? ACCEPTED : COMPLETED);
		timer_start_in(&client->limit, /* M, and D, which is 32 s */
			success ? SIP_64T1_NS : linger_ns(client, SIP_64T1_NS));
		if (!success)
			send_ack(client, response);
		shrink(client);
	}
	tell(client, response);
}

/* Section 17.1.2.2. */
static void receive_other(struct sip_client *client, const struct sip_msg *response)
{
	if (client->state == COMPLETED)
		return;

	if (client->over_ns > 0)
		timer_start(&client->limit, client->over_ns);
	if (response->status < 200) {
		become(client, PROCEEDING); /* Timers E and F go on */
	} else {
		become(client, COMPLETED);
		timer_stop(&client->again);
		timer_start_in(&client->limit, linger_ns(client, SIP_T4_NS)); /* K */
		shrink(client);
	}
	tell(client, response);
}

/* The next from node on that has that branch and method (section 17.1.3). */
static struct sip_client *find(
	const struct sip_stack *stack, struct slice branch, struct slice method)
{
	uint32_t hash = sip_stack_hash(stack, branch, (struct slice){0});

	for (struct table_node *node = table_find(&stack->client_table, hash); node;
		node = table_find_next(node)) {
		struct sip_client *client = container_of(node, struct sip_client, node);

		if (slice_equal(client->branch, branch) && slice_equal(client->method_name, method))
			return client;
	}
	return NULL;
}

void sip_client_receive(struct sip_stack *stack, const struct sip_msg *response)
{
	struct sip_client *client = find(stack, response->via.branch, response->cseq_method_name);

	if (!client)
		log_debug("sip: a response %u that nobody waits for", response->status);
	else if (is_invite(client))
		receive_invite(client, response);
	else
		receive_other(client, response);
}

/* What it sent may be lost; an INVITE that has had a provisional response sends nothing more. */
static bool is_sending(const struct sip_client *client)
{
	return is_waiting(client) && !(is_invite(client) && client->state == PROCEEDING);
}

/*
 * The branch in the first line after the request line of a message that may be cut anywhere. A
 * branch that stands at the very end may be cut, too, so it is none.
 */
static struct slice quoted_branch(struct slice sent)
{
	static const char key[] = "branch=" SIP_BRANCH_COOKIE;
	size_t len = sizeof(key) - 1;

	for (size_t i = 0; i + len <= sent.len; i++) {
		struct slice rest = {sent.data + i, sent.len - i};
		size_t end = 0;

		if (memcmp(rest.data, key, len) != 0)
			continue;
		slice_take(&(struct slice){0}, &rest, strlen("branch="));
		while (end < rest.len && !memchr(";,\r\n \t", rest.data[end], 6))
			end++;
		if (end == rest.len)
			break;
		return (struct slice){rest.data, end};
	}
	return (struct slice){0};
}

/* The oldest one that sends to to, has heard nothing and is no newer than serial. */
static struct sip_client *find_unheard(struct sip_stack *stack,
	const struct sip_transport *transport, const struct addr *to, uint64_t serial)
{
	list_each(link, &stack->clients)
	{
		struct sip_client *client = container_of(link, struct sip_client, link);

		if (client->serial <= serial &&
			(client->state == CALLING || client->state == TRYING) &&
			client->flow.transport == transport && addr_equal(&client->flow.remote, to))
			return client;
	}
	return NULL;
}

/*
 * An error that quotes nothing of ours may be for any datagram to there: a request sent first or
 * again, an ACK, a response. What it says for sure is that this address takes nothing now (section
 * 18.4), so each request is concerned that has heard nothing from there; to one that has had a
 * provisional response, somebody was there, and it is left to its timers.
 */
void sip_client_unreachable(struct sip_stack *stack, const struct sip_transport *transport,
	const struct addr *to, int err, struct slice sent)
{
	uint64_t newest = stack->serial; /* what event functions start is not meant */
	struct slice branch = quoted_branch(sent);
	struct slice rest = sent;
	struct sip_client *client;
	struct slice method;

	if (branch.len > 0) {
		slice_cut(&method, &rest, ' '); /* an ACK has its INVITE's branch */
		client = find(stack, branch, method);
		if (client && is_sending(client))
			end(client, err);
		return;
	}
	while ((client = find_unheard(stack, transport, to, newest)))
		end(client, err);
}

/* Once more by a new connection; if that is lost, too, or does not come about, it ends. */
static void send_elsewhere(struct sip_client *client, bool stood, int err)
{
	if (stood && !client->again_sent) {
		client->again_sent = true;
		client->flow.connection = 0;
		(void)sip_flow_reroute(&client->flow); /* what broke may have been our end */
		err = sip_flow_send_on(&client->flow, client->request->raw);
	}
	if (err)
		end(client, err);
}

/* Those concerned are put aside first: what event functions start or end is not in the way then. */
void sip_client_lost(struct sip_stack *stack, uint64_t connection, bool stood, int err)
{
	struct list lost;

	list_init(&lost);
	list_each(link, &stack->clients)
	{
		struct sip_client *client = container_of(link, struct sip_client, link);

		if (client->flow.connection != connection || !is_waiting(client))
			continue;
		list_remove(link);
		list_add(&lost, link);
	}
	while (!list_empty(&lost)) {
		struct sip_client *client = container_of(lost.next, struct sip_client, link);

		list_remove(&client->link);
		list_add(&stack->clients, &client->link);
		send_elsewhere(client, stood, err);
	}
}

bool sip_client_uses(const struct sip_stack *stack, uint64_t connection)
{
	list_each(link, &stack->clients)
	{
		const struct sip_client *client = container_of(link, struct sip_client, link);

		if (client->flow.connection == connection && is_waiting(client))
			return true;
	}
	return false;
}

void sip_client_free_all(struct sip_stack *stack)
{
	list_each(link, &stack->clients) destroy(container_of(link, struct sip_client, link));
}
