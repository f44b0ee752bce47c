#include "core/base/log.h"
#include "core/base/table.h"
#include "core/base/text.h"
#include "core/sip/carry.h"
#include "core/sip/connection.h"
#include "core/sip/keep.h"
#include "core/sip/registry.h"
#include "core/sip/secure.h"
#include "core/sip/transaction.h"
#include "core/sip/transport.h"

#include <assert.h>
#include <stdlib.h>

enum { CONNECTIONS_MAX = 1024 }; /* of one transport, in each direction */

#define CONNECT_NS (5 * NS_PER_S)
#define MESSAGE_NS (30 * NS_PER_S) /* from a message's first byte to its last */
#define IDLE_NS (300 * NS_PER_S)

static void become(struct sip_connection *connection, enum connection_state next)
{
	assert(next > connection->state);
	connection->state = next;
}

static uint32_t hash_id(const struct sip_transport *transport, uint64_t id)
{
	return sip_stack_hash(transport->stack, (struct slice){(const uint8_t *)&id, sizeof(id)},
		(struct slice){0});
}

static uint32_t hash_addr(const struct sip_transport *transport, const struct addr *addr)
{
	return sip_stack_hash(transport->stack, (struct slice){addr->ip, sizeof(addr->ip)},
		(struct slice){(const uint8_t *)&addr->port, sizeof(addr->port)});
}

static struct sip_connection *find_id(const struct sip_transport *transport, uint64_t id)
{
	for (struct table_node *node = table_find(&transport->tcp->ids, hash_id(transport, id));
		node; node = table_find_next(node)) {
		struct sip_connection *connection =
			container_of(node, struct sip_connection, id_node);

		if (connection->id == id)
			return connection;
	}
	return NULL;
}

/* RFC 5922, section 7.3 (with RFC 5923): that an address is the same makes no other of who is
 * there; a connection is for the name that its certificate was looked at for. */
static bool is_for(const struct sip_connection *connection, uint32_t host)
{
	const struct sip_transport *transport = connection->transport;

	if (!transport->carrier->web)
		return connection->host == host;
	return sip_secure_leads(transport->stack, connection->host, host);
}

static struct sip_connection *find_remote(const struct sip_flow *flow)
{
	const struct sip_transport *transport = flow->transport;
	const struct addr *remote = &flow->remote;
	uint32_t hash = hash_addr(transport, remote);

	for (struct table_node *node = table_find(&transport->tcp->remotes, hash); node;
		node = table_find_next(node)) {
		struct sip_connection *connection =
			container_of(node, struct sip_connection, remote_node);

		if (addr_equal(&connection->remote, remote) && is_for(connection, flow->host))
			return connection;
	}
	return NULL;
}

/* Nothing goes or comes by it any more. */
static void leave(struct sip_connection *connection)
{
	struct sip_tcp *all = connection->transport->tcp;

	become(connection, OVER);
	table_remove(&all->ids, &connection->id_node);
	table_remove(&all->remotes, &connection->remote_node);
	all->counts[connection->incoming]--;
	tcp_free(connection->tcp);
	connection->tcp = NULL;
	sip_framing_close(&connection->framing);
}

void sip_connection_free(struct sip_connection *connection)
{
	if (connection->state != OVER)
		leave(connection);
	timer_stop(&connection->limit);
	list_remove(&connection->link);
	free(connection);
}

static struct sip_flow flow_of(const struct sip_connection *connection)
{
	return (struct sip_flow){.transport = connection->transport,
		.remote = connection->remote,
		.local = connection->local,
		.connection = connection->id,
		.host = connection->host};
}

/* For whoever is to be told that a request has failed. Who comes to us is nobody's concern. */
static void note_why(const struct sip_connection *connection)
{
	struct sip_flow flow = flow_of(connection);
	const char *words;

	if (!connection->transport->carrier->named)
		return;
	words = sip_carry_words(connection->transport, connection->tcp);
	if (!connection->incoming)
		sip_secure_note(connection->transport->stack, &flow, words);
	else if (words[0] != '\0')
		log_info("sip: %s", words);
}

/*
 * Ends it, and tells those who wait on it: from the loop, because whoever notices may be one of
 * them, or may read from it.
 */
static void end(struct sip_connection *connection, int err)
{
	char text[ADDR_TEXT_SIZE];

	log_debug("sip: the connection with %s is over: %s",
		addr_print_port(text, &connection->remote), err ? strerror(-err) : "closed");
	note_why(connection);
	leave(connection);
	connection->err = err;
	timer_start_in(&connection->limit, 0);
}

static void tell_and_free(struct sip_connection *connection)
{
	struct sip_stack *stack = connection->transport->stack;
	uint64_t id = connection->id;
	bool stood = connection->stood;
	int err = connection->err;

	sip_connection_free(connection);
	sip_client_lost(stack, id, stood, err ? err : -ECONNRESET);
	sip_keep_lost(stack, id, err ? err : -ECONNRESET);
}

/* When its timer has something to do again. The timer is not moved for each byte that passes. */
static uint64_t due(const struct sip_connection *connection)
{
	uint64_t idle_ns = connection->used_ns + IDLE_NS;
	uint64_t message_ns = connection->begun_ns + MESSAGE_NS;

	if (connection->state == CONNECTING)
		return connection->begun_ns + CONNECT_NS;
	return connection->amid && message_ns < idle_ns ? message_ns : idle_ns;
}

/*
 * What a call or a transaction needs stays, and what an account is registered by: a phone behind a
 * NAT can be reached by no other. That the NAT remembers it, and that a far end that has gone is
 * noticed, is TCP's own keep-alive's to see to, and core/sip/keep's.
 */
static bool is_used(const struct sip_connection *connection)
{
	const struct sip_stack *stack = connection->transport->stack;
	struct sip_flow flow = flow_of(connection);

	return stack->uses(stack, &flow);
}

static void time_is_up(void *arg)
{
	struct sip_connection *connection = arg;
	uint64_t now_ns = loop_now(connection->transport->stack->loop);

	if (connection->state == OVER) {
		tell_and_free(connection);
		return;
	}
	if (connection->state == STANDING && now_ns >= due(connection) && is_used(connection))
		connection->used_ns = now_ns;
	if (now_ns >= due(connection)) /* -ETIMEDOUT is for a request without an answer */
		end(connection, -EHOSTUNREACH);
	else
		timer_start(&connection->limit, due(connection));
}

/* The far end hears what is wrong with a request, and no more (section 18.3). */
static void receive_broken(struct sip_connection *connection, const struct sip_frame *frame)
{
	struct sip_stack *stack = connection->transport->stack;
	struct sip_flow flow = flow_of(connection);
	struct sip_msg *msg;

	log_info("sip: %s in what came by TCP",
		frame->reason ? frame->reason : "A message that is too large");
	if (sip_msg_parse(&msg, frame->bytes))
		return;
	if (!msg->request || msg->method == SIP_ACK) {
		sip_msg_free(msg);
		return;
	}
	msg->fault_status = frame->status;
	msg->fault_reason = frame->reason;
	stack->receive(stack, &flow, msg);
}

static void receive_message(struct sip_connection *connection, struct slice bytes)
{
	struct sip_stack *stack = connection->transport->stack;
	struct sip_flow flow = flow_of(connection);
	char text[ADDR_TEXT_SIZE];
	struct sip_msg *msg;
	int err;

	sip_transport_trace(false, &flow, bytes);
	err = sip_msg_parse(&msg, bytes);
	if (err) {
		log_debug("sip: dropped %zu bytes from %s: %s", bytes.len,
			addr_print_port(text, &flow.remote), strerror(-err));
		return;
	}
	stack->receive(stack, &flow, msg);
}

/* RFC 5626, section 4.4.1. */
static void receive_ping(struct sip_connection *connection)
{
	int err = tcp_send(connection->tcp, slice_of("\r\n"));

	if (err)
		end(connection, err);
}

static void receive_frame(struct sip_connection *connection, const struct sip_frame *frame)
{
	switch (frame->kind) {
	case SIP_FRAME_MORE:
		break;
	case SIP_FRAME_PING:
		receive_ping(connection);
		break;
	case SIP_FRAME_MESSAGE:
		receive_message(connection, frame->bytes);
		break;
	case SIP_FRAME_BROKEN:
		receive_broken(connection, frame);
		if (connection->state != OVER)
			end(connection, -EPROTO);
		break;
	}
}

/* A message that begins must be whole in time. */
static void watch_message(struct sip_connection *connection)
{
	bool amid = sip_framing_is_amid(&connection->framing);

	if (amid && !connection->amid) {
		connection->begun_ns = connection->used_ns;
		connection->amid = true;
		timer_start(&connection->limit, due(connection));
	}
	connection->amid = amid;
}

static bool is_empty_lines(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] != '\r' && bytes.data[i] != '\n')
			return false;
	return true;
}

/* A WebSocket has one in each of its own, and may say something to stay alive (RFC 7118, sections 5
 * and 6). */
static void receive_web(struct sip_connection *connection, struct slice bytes)
{
	if (slice_is(bytes, "\r\n\r\n"))
		receive_ping(connection);
	else if (slice_is(bytes, "\r\n"))
		(void)sip_keep_pong(connection->transport->stack, connection->id);
	else if (!is_empty_lines(bytes))
		receive_message(connection, bytes);
}

/* Section 4.4.1: a single one is what answers a ping of ours. */
static void watch_lines(struct sip_connection *connection)
{
	if (connection->lines == connection->framing.lines)
		return;
	connection->lines = connection->framing.lines;
	if (sip_keep_pong(connection->transport->stack, connection->id))
		sip_framing_take_line(&connection->framing);
}

static void received(void *arg, struct slice bytes)
{
	struct sip_connection *connection = arg;
	struct sip_frame frame;
	int err;

	connection->used_ns = loop_now(connection->transport->stack->loop);
	if (connection->transport->carrier->web) {
		receive_web(connection, bytes);
		return;
	}
	do {
		err = sip_framing_next(&frame, &connection->framing, &bytes);
		if (err) {
			end(connection, err);
			return;
		}
		if (frame.kind != SIP_FRAME_MORE)
			connection->amid = false;
		watch_lines(connection);
		if (connection->state != OVER)
			receive_frame(connection, &frame);
		if (connection->state == OVER)
			return;
	} while (frame.kind != SIP_FRAME_MORE);
	watch_message(connection);
}

static void connected(void *arg)
{
	struct sip_connection *connection = arg;

	become(connection, STANDING);
	connection->stood = true;
	connection->used_ns = loop_now(connection->transport->stack->loop);
	timer_start(&connection->limit, due(connection));
}

static void closed(void *arg, int err)
{
	struct sip_connection *connection = arg;

	end(connection, err);
}

static const struct tcp_events tcp_events = {
	.connected = connected, .received = received, .closed = closed};

/* A connection as yet without bytes; NULL: no memory. */
static struct sip_connection *make(
	struct sip_transport *transport, const struct addr *remote, bool incoming)
{
	struct sip_connection *connection = calloc(1, sizeof(*connection));
	struct loop *loop = transport->stack->loop;

	if (!connection)
		return NULL;

	connection->transport = transport;
	connection->remote = *remote;
	connection->incoming = incoming;
	connection->id = ++transport->stack->connections;
	connection->begun_ns = connection->used_ns = loop_now(loop);
	timer_init(&connection->limit, loop, time_is_up, connection);
	return connection;
}

static void add(struct sip_connection *connection)
{
	struct sip_transport *transport = connection->transport;
	struct sip_tcp *all = transport->tcp;

	list_add(&all->connections, &connection->link);
	table_add(&all->ids, &connection->id_node, hash_id(transport, connection->id));
	table_add(
		&all->remotes, &connection->remote_node, hash_addr(transport, &connection->remote));
	all->counts[connection->incoming]++;
	timer_start(&connection->limit, due(connection));
}

/* Takes over what has come in; on error it is gone. */
static int take(struct tcp **tcp, struct sip_transport *transport)
{
	if (transport->tcp->counts[true] >= CONNECTIONS_MAX) {
		tcp_free(*tcp);
		return -ENFILE;
	}
	return sip_carry_take(tcp, transport);
}

void sip_connection_accepted(void *arg, struct tcp *tcp)
{
	struct sip_transport *transport = arg;
	struct sip_connection *connection;
	struct addr remote;
	int err = take(&tcp, transport);

	if (err) {
		log_warning("sip: a connection is refused: %s",
			err == -ENFILE ? "there are too many" : strerror(-err));
		return;
	}
	tcp_remote(&remote, tcp);
	connection = make(transport, &remote, true);
	if (!connection) {
		log_warning("sip: a connection is refused: there is no memory");
		tcp_free(tcp);
		return;
	}
	connection->tcp = tcp;
	tcp_local(&connection->local, tcp);
	become(connection, STANDING);
	connection->stood = true;
	add(connection);
	tcp_start(tcp, &tcp_events, connection);
}

static int connect_to(struct sip_connection **out, const struct sip_flow *flow)
{
	struct sip_transport *transport = flow->transport;
	struct sip_connection *connection;
	int err;

	if (transport->tcp->counts[false] >= CONNECTIONS_MAX)
		return -ENFILE;
	connection = make(transport, &flow->remote, false);
	if (!connection)
		return -ENOMEM;

	connection->local = flow->local;
	connection->host = flow->host;
	err = sip_carry_begin(&connection->tcp, flow, &tcp_events, connection);
	if (err) {
		free(connection);
		return err;
	}
	add(connection);
	*out = connection;
	return 0;
}

/*
 * Sends by connection. One that stood and has broken, which the network has not told yet, is no
 * reason to be silent: a new one takes its place. A far end that reads nothing is as good as none.
 */
static int send_by(
	struct sip_connection **connection, const struct sip_flow *flow, struct slice bytes)
{
	bool stood = (*connection)->stood;
	int err = tcp_send((*connection)->tcp, bytes);

	if (!err)
		return 0;
	end(*connection, err);
	if (!stood || err == -ENOBUFS)
		return err;

	err = connect_to(connection, flow);
	if (err)
		return err;
	err = tcp_send((*connection)->tcp, bytes);
	if (err)
		end(*connection, err);
	return err;
}

/* The connection that flow came by, any that leads to its far end, or a new one. */
int sip_connection_send(struct sip_flow *flow, struct slice bytes)
{
	struct sip_connection *connection = find_id(flow->transport, flow->connection);
	struct sip_flow by;
	int err = 0;

	if (!connection)
		connection = find_remote(flow);
	if (!connection)
		err = connect_to(&connection, flow);
	if (err)
		return err;

	err = send_by(&connection, flow, bytes);
	if (err)
		return err;
	connection->used_ns = loop_now(flow->transport->stack->loop);
	flow->connection = connection->id;
	by = flow_of(connection);
	sip_transport_trace(true, &by, bytes);
	return 0;
}

/* The system would try for minutes to reach the far end from an address that nobody has. */
void sip_connection_reroute(struct sip_transport *transport)
{
	list_each(link, &transport->tcp->connections)
	{
		struct sip_connection *connection = container_of(link, struct sip_connection, link);

		if (connection->state != OVER &&
			sip_stack_has_lost(transport->stack, &connection->local))
			end(connection, -ENETUNREACH);
	}
}

int sip_connection_nudge(const struct sip_flow *flow, struct slice bytes)
{
	struct sip_connection *connection = find_id(flow->transport, flow->connection);
	int err = connection ? tcp_send(connection->tcp, bytes) : -ENOTCONN;

	if (err && connection)
		end(connection, err);
	return err;
}

void sip_connection_drop(const struct sip_flow *flow)
{
	struct sip_connection *connection = find_id(flow->transport, flow->connection);

	if (connection)
		end(connection, -EHOSTUNREACH);
}

static bool stands(const struct sip_transport *transport, const struct addr *remote)
{
	uint32_t hash = hash_addr(transport, remote);

	for (struct table_node *node = table_find(&transport->tcp->remotes, hash); node;
		node = table_find_next(node)) {
		const struct sip_connection *connection =
			container_of(node, struct sip_connection, remote_node);

		if (connection->state == STANDING && !connection->incoming &&
			addr_equal(&connection->remote, remote))
			return true;
	}
	return false;
}

bool sip_stack_stands(
	struct sip_stack *stack, enum sip_transport_kind kind, const struct addr *remote)
{
	list_each(link, &stack->transports)
	{
		const struct sip_transport *transport =
			container_of(link, struct sip_transport, link);

		if (transport->carrier->kind == kind && stands(transport, remote))
			return true;
	}
	return false;
}
