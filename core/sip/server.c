#include "core/base/log.h"
#include "core/sip/keep.h"
#include "core/sip/print.h"
#include "core/sip/registry.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

#define TRYING_OTHER_NS (3500 * NS_PER_MS) /* when Timer E is T2: RFC 4320, section 4.1 */
#define RINGING_NS (60 * NS_PER_S)         /* section 13.3.1.1 */

/* Trying is for all but INVITE; Confirmed and Accepted are INVITE's only. */
enum server_state {
	TRYING,
	PROCEEDING,
	COMPLETED,
	CONFIRMED,
	ACCEPTED, /* RFC 6026, section 7.1 */
	TERMINATED,
};

/* What tells a request from others: of the request, or kept when that is gone. */
struct key {
	enum sip_method method;
	struct slice method_name;
	struct slice branch;
	struct slice host; /* of the sent-by, with port */
	uint16_t port;
	uint32_t cseq;
	struct slice call_id;
	struct slice from_tag;
};

struct sip_server {
	struct table_node node;
	struct table_node merge_node;
	struct list link;
	struct list answered; /* in the stack's list of those to be made small */
	struct sip_stack *stack;
	struct addr source;      /* of the request */
	struct sip_flow reply;   /* the way of the responses */
	struct sip_msg *request; /* NULL: not needed any more */
	struct key key;
	char *kept; /* where the key's strings are, once the request is gone */
	enum server_state state;
	uint16_t status; /* of the last response; 0: none */
	bool counted;    /* among those that are open */
	char tag[SIP_TOKEN_SIZE];
	char *last; /* the last response, or NULL */
	size_t last_len;
	struct timer again; /* until 100 is due; G */
	uint64_t again_ns;
	struct timer limit; /* H, I, J, L */
	const struct sip_server_events *events;
	void *arg;
};

/* RFC 3261, figures 7 and 8, with RFC 6026, section 8.5. */
static void become(struct sip_server *server, enum server_state next)
{
	static const unsigned int allowed[] = {
		[TRYING] = 1u << PROCEEDING | 1u << COMPLETED | 1u << TERMINATED,
		[PROCEEDING] =
			1u << PROCEEDING | 1u << COMPLETED | 1u << ACCEPTED | 1u << TERMINATED,
		[COMPLETED] = 1u << CONFIRMED | 1u << TERMINATED,
		[CONFIRMED] = 1u << TERMINATED,
		[ACCEPTED] = 1u << TERMINATED,
		[TERMINATED] = 0,
	};

	assert(allowed[server->state] & 1u << next);
	server->state = next;
}

static bool is_invite(const struct sip_server *server)
{
	return server->key.method == SIP_INVITE;
}

/* Its final response has not been sent. */
static bool is_open(const struct sip_server *server)
{
	return server->state == TRYING || server->state == PROCEEDING;
}

bool sip_server_is_answered(const struct sip_server *server)
{
	return !is_open(server);
}

static struct key key_of(const struct sip_msg *msg)
{
	return (struct key){
		.method = msg->method,
		.method_name = msg->method_name,
		.branch = msg->via.branch,
		.host = msg->via.host,
		.port = msg->via.port,
		.cseq = msg->cseq,
		.call_id = msg->call_id,
		.from_tag = msg->from.tag,
	};
}

static bool has_cookie(const struct key *key)
{
	struct slice start = {key->branch.data, strlen(SIP_BRANCH_COOKIE)};

	return key->branch.len > start.len && slice_is_nocase(start, SIP_BRANCH_COOKIE);
}

static uint32_t hash_of(const struct sip_stack *stack, const struct key *key)
{
	return sip_stack_hash(
		stack, has_cookie(key) ? key->branch : key->call_id, (struct slice){0});
}

/* Section 17.2.3: by branch and sent-by, or what stands in a request of RFC 2543. */
static bool matches(const struct key *a, const struct key *b)
{
	if (has_cookie(a) != has_cookie(b))
		return false;
	if (has_cookie(a))
		return slice_equal(a->branch, b->branch) && slice_equal_nocase(a->host, b->host) &&
		       a->port == b->port;
	return slice_equal(a->call_id, b->call_id) && a->cseq == b->cseq &&
	       slice_equal(a->from_tag, b->from_tag);
}

static bool is_same_method(
	const struct sip_server *server, const struct key *key, enum sip_method method)
{
	if (server->key.method != method)
		return false;
	return method != SIP_METHOD_OTHER || slice_equal(server->key.method_name, key->method_name);
}

struct sip_server *sip_server_find(
	const struct sip_stack *stack, const struct sip_msg *msg, enum sip_method method)
{
	struct key key = key_of(msg);

	for (struct table_node *node = table_find(&stack->server_table, hash_of(stack, &key)); node;
		node = table_find_next(node)) {
		struct sip_server *server = container_of(node, struct sip_server, node);

		if (is_same_method(server, &key, method) && matches(&server->key, &key))
			return server;
	}
	return NULL;
}

bool sip_server_is_merged(const struct sip_server *server)
{
	const struct key *key = &server->key;

	for (struct table_node *node =
			table_find(&server->stack->merge_table, server->merge_node.hash);
		node; node = table_find_next(node)) {
		struct sip_server *other = container_of(node, struct sip_server, merge_node);

		if (other != server && is_same_method(other, key, key->method) &&
			other->key.cseq == key->cseq &&
			slice_equal(other->key.call_id, key->call_id) &&
			slice_equal(other->key.from_tag, key->from_tag))
			return true;
	}
	return false;
}

static void forget_last(struct sip_server *server)
{
	server->stack->answer_bytes -= server->last_len;
	server->last_len = 0;
	free(server->last);
	server->last = NULL;
}

static void destroy(struct sip_server *server)
{
	timer_stop(&server->again);
	timer_stop(&server->limit);
	list_remove(&server->link);
	list_remove(&server->answered);
	server->stack->server_count--;
	if (server->counted)
		server->stack->open_count--;
	table_remove(&server->stack->server_table, &server->node);
	table_remove(&server->stack->merge_table, &server->merge_node);
	sip_msg_free(server->request);
	free(server->kept);
	forget_last(server);
	free(server);
}

static void time_is_up(void *arg)
{
	struct sip_server *server = arg;
	const struct sip_server_events *events = server->events;
	void *events_arg = server->arg;

	if (server->state != TERMINATED)
		become(server, TERMINATED);
	destroy(server); /* unanswered, too: any answer would be too late (RFC 4320, section 4.2) */
	if (events)
		events->gone(events_arg);
}

void sip_server_repeat(struct sip_server *server)
{
	if (server->last)
		sip_flow_send_on(&server->reply,
			(struct slice){(const uint8_t *)server->last, server->last_len});
}

/*
 * 100 by ourselves if nobody was faster (section 17.2.1; RFC 4320, section 4.1); then, while an
 * INVITE rings, what was said last, so that no proxy gives it up (section 13.3.1.1); then Timer G.
 */
static void again(void *arg)
{
	struct sip_server *server = arg;

	if (is_open(server) && !server->status) {
		sip_server_respond(server, &(struct sip_response){.status = 100});
		return;
	}
	if (is_open(server)) {
		timer_start_in(&server->again, RINGING_NS);
		sip_server_repeat(server);
		return;
	}
	server->again_ns = server->again_ns * 2 < SIP_T2_NS ? server->again_ns * 2 : SIP_T2_NS;
	timer_start_in(&server->again, server->again_ns);
	sip_server_repeat(server);
}

int sip_server_new(struct sip_server **out, struct sip_stack *stack, const struct sip_flow *flow,
	struct sip_msg *msg)
{
	struct sip_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;

	server->stack = stack;
	server->source = flow->remote;
	server->reply = *flow;
	server->reply.remote = sip_flow_reply_to(flow, &msg->via);
	server->request = msg;
	server->key = key_of(msg);
	server->state = is_invite(server) ? PROCEEDING : TRYING;
	list_init(&server->answered);
	sip_token(server->tag, stack->loop);
	timer_init(&server->again, stack->loop, again, server);
	timer_init(&server->limit, stack->loop, time_is_up, server);
	timer_start_in(&server->again, is_invite(server) ? SIP_TRYING_NS : TRYING_OTHER_NS);
	if (!is_invite(server))
		timer_start_in(&server->limit, SIP_64T1_NS); /* when its client has given up */
	list_add(&stack->servers, &server->link);
	stack->server_count++;
	stack->open_count++;
	server->counted = true;
	table_add(&stack->server_table, &server->node, hash_of(stack, &server->key));
	table_add(&stack->merge_table, &server->merge_node,
		sip_stack_hash(stack, msg->call_id, msg->from.tag));
	*out = server;
	return 0;
}

const struct sip_msg *sip_server_request(const struct sip_server *server)
{
	return server->request;
}

const char *sip_server_tag(const struct sip_server *server)
{
	return server->tag;
}

struct sip_stack *sip_server_stack(const struct sip_server *server)
{
	return server->stack;
}

void sip_server_flow(struct sip_flow *out, const struct sip_server *server)
{
	*out = server->reply;
	out->remote = server->source;
}

void sip_server_share_tag(struct sip_server *cancel, const struct sip_server *invite)
{
	memcpy(cancel->tag, invite->tag, sizeof(cancel->tag));
}

void sip_server_watch(struct sip_server *server, const struct sip_server_events *events, void *arg)
{
	server->events = events;
	server->arg = arg;
	if (events || server->state != ACCEPTED)
		return;
	free(server->last); /* a 2xx is repeated by its user alone (RFC 6026, section 7.1) */
	server->last = NULL;
}

/* Section 8.2.6.2: with a tag of ours if there is none, but for 100. */
static void print_to(struct text *out, const struct sip_server *server, uint16_t status)
{
	const struct slice *to = sip_msg_header(server->request, SIP_TO);

	if (!to)
		return;
	if (status == 100 || server->request->to.tag.len > 0)
		sip_print_header(out, SIP_TO, *to);
	else
		sip_print_header_text(out, SIP_TO, "%.*s;tag=%s", (int)to->len,
			(const char *)to->data, server->tag);
}

/* Where section 20 and its table 2 want to hear what we can do. */
static void print_abilities(struct text *out, const struct sip_server *server, uint16_t status)
{
	const struct sip_stack_config *config = &server->stack->config;
	enum sip_method method = server->key.method;
	bool told = status >= 200 && status < 300;

	bool whole = told && (method == SIP_INVITE || method == SIP_OPTIONS);

	if (status == 405 || whole)
		sip_print_header(out, SIP_ALLOW, slice_of(config->allow));
	if (status == 415 || (told && method == SIP_OPTIONS))
		sip_print_header(out, SIP_ACCEPT, slice_of(config->accept));
	if (whole)
		sip_print_header(out, SIP_SUPPORTED, (struct slice){0}); /* no extension */
}

/* RFC 6223, section 4.4: for the dialog that an INVITE begins. */
static bool agrees_to_keep(const struct sip_msg *request, uint16_t status)
{
	return request->method == SIP_INVITE && request->to.tag.len == 0 && status > 100 &&
	       status < 300 && sip_keep_is_asked(request);
}

static void print_response(
	struct text *out, const struct sip_server *server, const struct sip_response *response)
{
	const struct sip_msg *request = server->request;
	const struct slice *timestamp = sip_msg_header_named(request, "Timestamp");

	sip_print_status_line(out, response->status, response->reason);
	sip_print_vias_of_response(
		out, request, &server->source, agrees_to_keep(request, response->status));
	sip_print_copies(out, request, SIP_FROM);
	print_to(out, server, response->status);
	sip_print_copies(out, request, SIP_CALL_ID);
	sip_print_copies(out, request, SIP_CSEQ);
	if (response->status == 100 && timestamp) /* section 8.2.6.1 */
		text_printf(out, "Timestamp: %.*s\r\n", (int)timestamp->len,
			(const char *)timestamp->data);
	print_abilities(out, server, response->status);
	sip_print_header(out, SIP_SERVER, slice_of(server->stack->config.user_agent));
	text_put(out, response->headers);
	sip_print_body(out, response->content_type, response->body);
}

/* Remembers what has been printed, for retransmissions. -EMSGSIZE, -ENOMEM. */
static int keep(struct sip_server *server, const struct text *text)
{
	char *copy;

	if (text->cut)
		return -EMSGSIZE;
	copy = calloc(text->len, 1);
	if (!copy)
		return -ENOMEM;

	memcpy(copy, text->data, text->len);
	forget_last(server);
	server->last = copy;
	server->last_len = text->len;
	server->stack->answer_bytes += text->len;
	return 0;
}

/* The copies that key's strings need, one behind the other; false: no memory. */
static bool copy_key(struct sip_server *server)
{
	struct key *key = &server->key;
	struct slice *const parts[] = {
		&key->method_name, &key->branch, &key->host, &key->call_id, &key->from_tag};
	size_t size = 0;
	uint8_t *to;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		size += parts[i]->len;
	server->kept = calloc(size, 1);
	if (!server->kept)
		return false;

	to = (uint8_t *)server->kept;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i]->len > 0)
			memcpy(to, parts[i]->data, parts[i]->len);
		parts[i]->data = to;
		to += parts[i]->len;
	}
	return true;
}

/* What has been answered needs no more of its request than what it is known by. */
static void sweep(void *arg)
{
	struct sip_stack *stack = arg;

	list_each(link, &stack->answered)
	{
		struct sip_server *server = container_of(link, struct sip_server, answered);

		list_remove(link);
		if (!copy_key(server))
			continue; /* then it keeps the request */
		sip_msg_free(server->request);
		server->request = NULL;
	}
}

void sip_server_init(struct sip_stack *stack)
{
	timer_init(&stack->sweep, stack->loop, sweep, stack);
}

/* From the loop, so that whoever looks at the request may finish. */
static void shrink(struct sip_server *server)
{
	struct sip_stack *stack = server->stack;

	stack->open_count--;
	server->counted = false;
	if (list_empty(&stack->answered))
		timer_start_in(&stack->sweep, 0);
	list_add(&stack->answered, &server->answered);
}

/* The state and the timers after a response was sent. */
static void advance(struct sip_server *server, uint16_t status)
{
	bool reliable = sip_flow_is_reliable(&server->reply);

	timer_stop(&server->again);
	server->status = status;
	if (status < 200) {
		become(server, PROCEEDING);
		if (is_invite(server) && status > 100)
			timer_start_in(&server->again, RINGING_NS);
		return;
	}
	shrink(server);
	timer_start_in(&server->limit, /* H, J, L; of these, only J is none */
		reliable && !is_invite(server) ? 0 : SIP_64T1_NS);
	if (is_invite(server) && status < 300) {
		become(server, ACCEPTED);
		return;
	}
	become(server, COMPLETED);
	if (is_invite(server) && !reliable) {
		server->again_ns = SIP_T1_NS;
		timer_start_in(&server->again, server->again_ns); /* G */
	}
}

int sip_server_try(struct sip_server *server, const struct sip_response *response)
{
	struct text text = sip_stack_scratch(server->stack);
	int err;

	assert(is_open(server));
	print_response(&text, server, response);
	err = keep(server, &text);
	if (err)
		return err;

	advance(server, response->status);
	sip_server_repeat(server); /* an error is a loss like any */
	return 0;
}

/* The last resort when a final response cannot be made: 500, once, even without memory. */
static void give_up(struct sip_server *server)
{
	struct text text = sip_stack_scratch(server->stack);

	print_response(&text, server, &(struct sip_response){.status = 500});
	forget_last(server);
	advance(server, 500);
	if (!text.cut)
		sip_flow_send_on(&server->reply, text_slice(&text));
}

int sip_server_respond(struct sip_server *server, const struct sip_response *response)
{
	int err;

	if (response->status == 408 && !is_invite(server)) { /* RFC 4320, section 4.2 */
		sip_server_discard(server);
		return 0;
	}
	err = sip_server_try(server, response);
	if (err) {
		log_warning("sip: cannot answer %u: %s", response->status, strerror(-err));
		if (response->status >= 200)
			give_up(server);
	}
	return err;
}

/* It is freed by the loop, so that whoever looks at the request may finish. */
void sip_server_discard(struct sip_server *server)
{
	server->events = NULL;
	become(server, TERMINATED);
	timer_stop(&server->again);
	timer_start_in(&server->limit, 0);
}

/*
 * Who wants the responses where the request really came from (RFC 3581, section 4) may be elsewhere
 * by now: behind a NAT that has forgotten him, or at another address of his own.
 */
void sip_server_follow(
	struct sip_server *server, const struct sip_flow *flow, const struct sip_via *via)
{
	if (!via->has_rport || sip_flow_is_reliable(flow) || sip_flow_is_reliable(&server->reply))
		return;
	server->reply.remote = flow->remote;
	server->reply.local = flow->local;
}

/* Sections 17.2.1 and 17.2.2; RFC 6026, section 7.1: the 2xx is repeated by its user alone. */
void sip_server_again(struct sip_server *server, const struct sip_flow *flow)
{
	server->reply.connection = flow->connection; /* the one that surely stands */
	if (server->state == PROCEEDING || server->state == COMPLETED)
		sip_server_repeat(server);
}

/* Not ours, if we answered 2xx: then it is the dialog's. */
bool sip_server_ack(struct sip_server *server)
{
	if (server->state == ACCEPTED)
		return false;

	if (server->state == COMPLETED) {
		become(server, CONFIRMED);
		timer_stop(&server->again);
		timer_start_in(&server->limit, /* I */
			sip_flow_is_reliable(&server->reply) ? 0 : SIP_T4_NS);
		forget_last(server); /* nothing is sent any more */
	}
	return true;
}

/* Section 9.2: a CANCEL has no effect on what is answered. */
void sip_server_cancel(struct sip_server *server, const struct sip_msg *cancel)
{
	if (is_open(server) && server->events)
		server->events->cancelled(server->arg, cancel);
}

bool sip_server_waits_for_ack(const struct sip_stack *stack)
{
	list_each(link, &stack->servers)
	{
		const struct sip_server *server = container_of(link, struct sip_server, link);

		if (is_invite(server) && server->state == COMPLETED)
			return true;
	}
	return false;
}

bool sip_server_uses(const struct sip_stack *stack, uint64_t connection)
{
	list_each(link, &stack->servers)
	{
		const struct sip_server *server = container_of(link, struct sip_server, link);

		if (server->reply.connection == connection && is_open(server))
			return true;
	}
	return false;
}

bool sip_server_is_full(const struct sip_stack *stack)
{
	return stack->server_count >= SIP_SERVERS_MAX ||
	       stack->open_count >= SIP_SERVERS_OPEN_MAX ||
	       stack->answer_bytes >= SIP_SERVERS_BYTES_MAX;
}

/* Its tag is made of the branch, so that repetitions get the same (section 8.2.7). */
void sip_server_refuse(struct sip_stack *stack, const struct sip_flow *flow, struct sip_msg *msg)
{
	struct text text = sip_stack_scratch(stack);
	struct sip_server server = {.stack = stack, .source = flow->remote, .reply = *flow};
	struct text tag = TEXT_IN(server.tag);

	server.request = msg;
	server.key = key_of(msg);
	server.reply.remote = sip_flow_reply_to(flow, &msg->via);
	text_printf(&tag, "%08x", (unsigned int)hash_of(stack, &server.key));
	print_response(&text, &server,
		&(struct sip_response){.status = 503, .headers = slice_of("Retry-After: 10\r\n")});
	if (!text.cut)
		sip_flow_send_on(&server.reply, text_slice(&text));
}

void sip_server_free_all(struct sip_stack *stack)
{
	timer_stop(&stack->sweep);
	list_each(link, &stack->servers) destroy(container_of(link, struct sip_server, link));
}
