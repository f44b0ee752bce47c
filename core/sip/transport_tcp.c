#include "core/base/log.h"
#include "core/base/table.h"
#include "core/base/text.h"
#include "core/net/tls.h"
#include "core/sip/framing.h"
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

enum connection_state {
	CONNECTING,
	STANDING,
	OVER, /* out of the tables; its timer tells who waits on it, and frees it */
};

struct sip_connection {
	struct table_node id_node;
	struct table_node remote_node;
	struct list link;
	struct sip_transport *transport;
	struct tcp *tcp;
	struct addr remote;
	struct addr local; /* as the far end should see us: with the port that we listen on */
	uint64_t id;
	uint32_t host; /* of TLS: whose certificate was found good; 0: nobody's */
	enum connection_state state;
	bool incoming;
	bool stood;
	int err; /* why it is over */
	struct sip_framing framing;
	size_t lines;      /* empty ones that are told */
	bool amid;         /* of a message */
	uint64_t begun_ns; /* when that message began */
	uint64_t used_ns;  /* when bytes last went or came */
	struct timer limit;
};

struct sip_tcp {
	struct tcp_listener *listener; /* NULL: nobody can connect to it */
	struct list connections;
	struct table ids;
	struct table remotes;
	size_t counts[2]; /* of those that we began, and of incoming ones */
};

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
static struct sip_connection *find_remote(const struct sip_flow *flow)
{
	const struct sip_transport *transport = flow->transport;
	const struct addr *remote = &flow->remote;
	uint32_t hash = hash_addr(transport, remote);

	for (struct table_node *node = table_find(&transport->tcp->remotes, hash); node;
		node = table_find_next(node)) {
		struct sip_connection *connection =
			container_of(node, struct sip_connection, remote_node);

		if (connection->host == flow->host && addr_equal(&connection->remote, remote))
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

static void destroy(struct sip_connection *connection)
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

static bool is_secure(const struct sip_transport *transport)
{
	return transport->carrier->kind == SIP_TLS;
}

/* For whoever is to be told that a request has failed. Who comes to us is nobody's concern. */
static void note_why(const struct sip_connection *connection)
{
	struct sip_flow flow = flow_of(connection);
	const char *words;

	if (!is_secure(connection->transport))
		return;
	words = tls_words(connection->tcp);
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

	destroy(connection);
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

static void receive_message(struct sip_connection *connection, const struct sip_frame *frame)
{
	struct sip_stack *stack = connection->transport->stack;
	struct sip_flow flow = flow_of(connection);
	char text[ADDR_TEXT_SIZE];
	struct sip_msg *msg;
	int err;

	sip_transport_trace(false, &flow, frame->bytes);
	err = sip_msg_parse(&msg, frame->bytes);
	if (err) {
		log_debug("sip: dropped %zu bytes from %s: %s", frame->bytes.len,
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
		receive_message(connection, frame);
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
	if (!is_secure(transport))
		return 0;
	return tls_accept(tcp, sip_secure_tls(transport->stack), transport->stack->loop, *tcp);
}

static void accepted(void *arg, struct tcp *tcp)
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

/* Without a name nobody could be told from another. */
static int begin_secure(struct sip_connection *connection, const struct sip_flow *flow)
{
	struct sip_stack *stack = flow->transport->stack;
	const char *host = sip_secure_name(stack, flow->host);

	if (!host)
		return -ENOTCONN;
	connection->host = flow->host;
	return tls_connect(&connection->tcp, sip_secure_tls(stack), stack->loop, &flow->local,
		&flow->remote, host, &tcp_events, connection);
}

static int begin(struct sip_connection *connection, const struct sip_flow *flow)
{
	if (is_secure(flow->transport))
		return begin_secure(connection, flow);
	return loop_tcp_connect(&connection->tcp, flow->transport->stack->loop, &flow->local,
		&flow->remote, &tcp_events, connection);
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
	err = begin(connection, flow);
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
static int send_tcp(struct sip_flow *flow, struct slice bytes)
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
static void reroute_tcp(struct sip_transport *transport)
{
	list_each(link, &transport->tcp->connections)
	{
		struct sip_connection *connection = container_of(link, struct sip_connection, link);

		if (connection->state != OVER &&
			sip_stack_has_lost(transport->stack, &connection->local))
			end(connection, -ENETUNREACH);
	}
}

static int nudge_tcp(const struct sip_flow *flow, struct slice bytes)
{
	struct sip_connection *connection = find_id(flow->transport, flow->connection);
	int err = connection ? tcp_send(connection->tcp, bytes) : -ENOTCONN;

	if (err && connection)
		end(connection, err);
	return err;
}

static void drop_tcp(const struct sip_flow *flow)
{
	struct sip_connection *connection = find_id(flow->transport, flow->connection);

	if (connection)
		end(connection, -EHOSTUNREACH);
}

static void close_tcp(struct sip_transport *transport)
{
	struct sip_tcp *all = transport->tcp;

	if (!all)
		return;
	list_each(link, &all->connections) destroy(container_of(link, struct sip_connection, link));
	tcp_listener_free(all->listener);
	table_close(&all->ids);
	table_close(&all->remotes);
	free(all);
}

static int listen_on(struct sip_transport *transport, const struct addr *local)
{
	int err = loop_tcp_listen(
		&transport->tcp->listener, transport->stack->loop, local, accepted, transport);

	if (!err)
		tcp_listener_local(&transport->local, transport->tcp->listener);
	return err;
}

static int open_tables(struct sip_transport *transport)
{
	struct sip_tcp *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;

	transport->tcp = all;
	list_init(&all->connections);
	return table_init(&all->ids) || table_init(&all->remotes) ? -ENOMEM : 0;
}

static int open_tcp(struct sip_transport *transport, const struct addr *local)
{
	int err = open_tables(transport);

	return err ? err : listen_on(transport, local);
}

static int open_tls(struct sip_transport *transport, const struct addr *local)
{
	int err = sip_secure_need(transport->stack, NULL);

	if (!err && !transport->calls_only && !sip_secure_serves(transport->stack))
		err = -EINVAL;
	if (!err)
		err = open_tables(transport);
	if (err)
		return err;
	if (!transport->calls_only)
		return listen_on(transport, local);
	transport->local = *local;
	return 0;
}

const struct sip_carrier sip_carrier_tcp = {
	.kind = SIP_TCP,
	.name = "TCP",
	.param = ";transport=tcp",
	.port = SIP_PORT,
	.reliable = true,
	.open = open_tcp,
	.send = send_tcp,
	.reroute = reroute_tcp,
	.nudge = nudge_tcp,
	.drop = drop_tcp,
	.close = close_tcp,
};

const struct sip_carrier sip_carrier_tls = {
	.kind = SIP_TLS,
	.name = "TLS",
	.param = ";transport=tls",
	.port = SIPS_PORT,
	.reliable = true,
	.open = open_tls,
	.send = send_tcp,
	.reroute = reroute_tcp,
	.nudge = nudge_tcp,
	.drop = drop_tcp,
	.close = close_tcp,
};
