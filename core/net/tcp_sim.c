/*
 * TCP in memory. A connection is one piece of memory with both its ends. What goes from one to the
 * other are segments, each sent again until it arrives; they are taken in their order.
 */
#include "core/net/loop_sim_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { FIRST_PORT = 10000, PORTS = 50000, HEADERS = 40, LOCAL_NS = 10000 };

/* RFC 6298, section 5: the time-out doubles; given up as Linux does it. */
#define AGAIN_NS (200 * NS_PER_MS)
#define SYN_AGAIN_NS NS_PER_S
#define GIVE_UP_NS (100 * NS_PER_S)
#define SYN_GIVE_UP_NS (127 * NS_PER_S)

enum kind { DATA, SYN, SYN_ACK, FIN, RST };

struct end;

struct segment {
	struct sim_event event;
	struct list link; /* in the order of sending */
	struct end *from;
	enum kind kind;
	int err; /* of a reset */
	uint64_t first_ns;
	uint64_t again_ns;
	bool arrived;
	size_t len;
	uint8_t *bytes; /* behind it */
};

struct end {
	struct tcp tcp;
	struct connection *connection;
	struct sim_loop *loop; /* NULL: nobody holds it */
	struct world_host *host;
	struct addr local;
	const struct tcp_events *events;
	void *arg;
	struct list sent; /* segments that the other end has not taken */
	size_t waiting;   /* bytes of them */
	struct segment hello, fin, reset;
	struct sim_event deliver; /* to whoever holds it */
	bool was_held;
	bool stands;
	bool over; /* it was told, or is about to be */
	int err;
};

struct connection {
	struct world *world;
	struct list link;
	struct end ends[2];
};

struct tcp_listener_sim {
	struct tcp_listener listener;
	struct list link;
	struct sim_loop *loop;
	struct addr local;
	tcp_accepted *accepted;
	void *arg;
};

static struct end *end_of(const struct tcp *tcp)
{
	return container_of(tcp, struct end, tcp);
}

static struct end *other(struct end *end)
{
	return &end->connection->ends[end == &end->connection->ends[0]];
}

static void tell(struct end *from, enum world_wire what, struct slice bytes)
{
	struct world *world = from->connection->world;

	if (world->tap && bytes.len > 0)
		world->tap(world->tap_arg, what, world->now_ns, &from->local, &other(from)->local,
			bytes);
}

static void drop(struct segment *segment)
{
	sim_event_stop(segment->from->connection->world, &segment->event);
	list_remove(&segment->link);
	segment->from->waiting -= segment->len;
	segment->arrived = false;
	if (segment->kind == DATA)
		free(segment);
}

static void drop_all(struct end *end)
{
	list_each(link, &end->sent) drop(container_of(link, struct segment, link));
}

static void free_connection(struct connection *connection)
{
	for (size_t i = 0; i < 2; i++) {
		drop_all(&connection->ends[i]);
		sim_event_stop(connection->world, &connection->ends[i].deliver);
		sim_event_stop(connection->world, &connection->ends[i].reset.event);
	}
	connection->world->left.connections--;
	list_remove(&connection->link);
	free(connection);
}

/* Once nobody holds it and nothing is on its way. Returns whether it is gone. */
static bool let_go(struct connection *connection)
{
	for (size_t i = 0; i < 2; i++) {
		const struct end *end = &connection->ends[i];

		if (end->loop || !list_empty(&end->sent) || end->reset.event.node.queued)
			return false;
	}
	free_connection(connection);
	return true;
}

static void wake(struct end *end)
{
	if (end->loop && !end->deliver.node.queued && list_empty(&end->deliver.held))
		sim_event_start(end->connection->world, &end->deliver, 0);
}

/* What it still sends is thrown away, and whoever holds it learns why. */
static void die(struct end *end, int err)
{
	drop_all(end);
	if (end->over)
		return;
	end->over = true;
	end->err = err;
	wake(end);
}

static bool has_address(const struct end *end)
{
	return addr_is_loopback(&end->local) || addr_same_host(&end->local, &end->host->addr);
}

static void arrive(struct sim_event *event);

/* Who answers for the address of a host that has moved. */
static struct world_host *heir(const struct end *end)
{
	struct world_host *host = host_sim_find(end->connection->world, &end->local);

	return host ? host : end->host;
}

/* Returns whether it goes on its way now. */
static bool passes(uint64_t *delay_ns, struct segment *segment)
{
	struct end *from = segment->from, *to = other(from);
	struct world *world = from->connection->world;
	struct world_host *host = from->host;
	struct impair_fate fate;
	struct impair *way;

	*delay_ns = LOCAL_NS;
	if (segment->kind == RST && !has_address(from))
		host = heir(from);
	if (host->down || !to->host || (segment->kind != RST && !has_address(from)))
		return false;
	if (host == to->host)
		return true;
	if (world_way(&way, host, to->host))
		return false;
	impair_decide(&fate, way, segment->len + HEADERS, world->now_ns);
	*delay_ns = sim_add(world->config.way_ns, fate.delay_ns[0]);
	return fate.copies > 0 && !fate.corrupts; /* its checksum tells */
}

static void transmit(struct sim_event *event);

static void send_again(struct segment *segment)
{
	struct world *world = segment->from->connection->world;

	segment->event.run = transmit;
	sim_event_start(world, &segment->event, sim_add(world->now_ns, segment->again_ns));
	segment->again_ns *= 2;
}

static void transmit(struct sim_event *event)
{
	struct segment *segment = container_of(event, struct segment, event);
	struct end *from = segment->from;
	struct connection *connection = from->connection;
	struct world *world = connection->world;
	uint64_t most_ns = segment->kind == SYN ? SYN_GIVE_UP_NS : GIVE_UP_NS;
	uint64_t delay_ns;

	if (world->now_ns - segment->first_ns >= most_ns) {
		if (segment->kind != RST)
			die(from, -ETIMEDOUT);
		let_go(connection);
	} else if (passes(&delay_ns, segment)) {
		event->run = arrive;
		sim_event_start(world, event, sim_add(world->now_ns, delay_ns));
	} else {
		send_again(segment);
	}
}

static void begin(struct segment *segment, struct end *from, enum kind kind)
{
	struct world *world = from->connection->world;

	segment->from = from;
	segment->kind = kind;
	segment->first_ns = world->now_ns;
	segment->again_ns = kind == SYN ? SYN_AGAIN_NS : AGAIN_NS;
	list_init(&segment->link);
	sim_event_init(&segment->event, NULL, transmit);
	if (kind != RST) /* it overtakes */
		list_add(&from->sent, &segment->link);
	from->waiting += segment->len;
	sim_event_start(world, &segment->event, 0);
}

static void send_reset(struct end *from, int err)
{
	if (from->reset.event.node.queued)
		return;
	from->reset.err = err;
	begin(&from->reset, from, RST);
}

static struct tcp_listener_sim *find_listener(
	const struct world *world, const struct world_host *host, const struct addr *at)
{
	list_each(link, &world->listeners)
	{
		struct tcp_listener_sim *self = container_of(link, struct tcp_listener_sim, link);

		if (self->loop->host == host && self->local.port == at->port &&
			self->local.family == at->family &&
			(addr_is_any(&self->local) || addr_is_any(at) ||
				addr_same_host(&self->local, at)))
			return self;
	}
	return NULL;
}

static void hold(struct end *end, struct sim_loop *loop)
{
	end->loop = loop;
	end->deliver.loop = loop;
	end->was_held = true;
	loop->sockets++;
}

static void take_syn(struct end *to)
{
	struct world *world = to->connection->world;
	struct tcp_listener_sim *listener = find_listener(world, to->host, &to->local);

	if (!listener) {
		send_reset(to, -ECONNREFUSED);
		return;
	}
	hold(to, listener->loop);
	to->stands = true;
	begin(&to->hello, to, SYN_ACK);
	world->running = listener->loop;
	listener->accepted(listener->arg, &to->tcp);
	world->running = NULL;
}

static void arrive(struct sim_event *event)
{
	struct segment *segment = container_of(event, struct segment, event);
	struct end *from = segment->from, *to = other(from);
	struct connection *connection = from->connection;

	if (to->host->down || (to->loop && to->loop->host->down)) {
		event->run = transmit;
		sim_event_start(connection->world, event, connection->world->now_ns + AGAIN_NS);
		return;
	}
	if (segment->kind == RST) {
		die(to, segment->err);
	} else if (!has_address(to)) {
		send_again(segment); /* in case that the reset is lost */
		send_reset(to, -ECONNRESET);
	} else if (segment->kind == SYN) {
		drop(segment);
		take_syn(to);
	} else if (!to->loop && to->was_held) { /* nobody takes it any more */
		enum kind kind = segment->kind;

		drop(segment);
		if (kind == DATA)
			send_reset(to, -ECONNRESET);
	} else {
		segment->arrived = true;
		wake(to);
	}
	let_go(connection);
}

/* Bytes that have come in order, cut where chance has it. */
static void deliver_bytes(struct end *end)
{
	struct end *from = other(end);
	struct segment *first = container_of(from->sent.next, struct segment, link);
	struct slice bytes = {first->bytes, first->len};
	uint8_t *room = NULL;
	size_t len = 0;

	list_each(link, &from->sent)
	{
		const struct segment *segment = container_of(link, struct segment, link);

		if (!segment->arrived || segment->kind != DATA)
			break;
		if (len > 0 && random_below(&end->loop->chance, 4) == 0)
			break;
		len += segment->len;
	}
	if (len > first->len)
		room = calloc(1, len); /* without memory it comes in pieces */
	if (room) {
		bytes = (struct slice){room, 0};
		while (bytes.len < len) {
			first = container_of(from->sent.next, struct segment, link);
			memcpy(room + bytes.len, first->bytes, first->len);
			bytes.len += first->len;
			drop(first);
		}
		first = NULL;
	} else {
		list_remove(&first->link);
		from->waiting -= first->len;
	}
	wake(end); /* for what comes behind */
	tell(from, WORLD_STREAM_ARRIVED, bytes);
	end->events->received(end->arg, bytes);
	free(room);
	free(first);
}

static void deliver(struct sim_event *event)
{
	struct end *end = container_of(event, struct end, deliver);
	struct end *from = other(end);
	struct segment *first = container_of(from->sent.next, struct segment, link);
	bool is_there = !list_empty(&from->sent) && first->arrived;

	if (!end->events)
		return;
	if (end->over && (end->err || !is_there)) {
		const struct tcp_events *events = end->events;

		end->events = NULL;
		events->closed(end->arg, end->err);
		return;
	}
	if (!is_there)
		return;
	if (first->kind == SYN_ACK) {
		drop(first);
		wake(end);
		end->stands = true;
		end->events->connected(end->arg);
	} else if (first->kind == FIN) {
		drop(first);
		end->over = true;
		wake(end);
	} else {
		deliver_bytes(end);
	}
}

static void start(struct tcp *tcp, const struct tcp_events *events, void *arg)
{
	struct end *self = end_of(tcp);

	self->events = events;
	self->arg = arg;
	wake(self);
}

/* Where it is cut into segments the seed says: now and then after one byte. */
static int send_bytes(struct tcp *tcp, struct slice bytes)
{
	struct end *self = end_of(tcp);
	struct random *chance = &self->loop->chance;
	struct list made;
	size_t at = 0;

	if (self->over)
		return -EPIPE;
	if (self->waiting > TCP_UNSENT_MAX || bytes.len > TCP_UNSENT_MAX - self->waiting)
		return -ENOBUFS;
	list_init(&made);
	while (at < bytes.len) {
		size_t left = bytes.len - at;
		size_t most = left < 1400 ? left : 1400;
		size_t len = random_below(chance, 8) == 0   ? 1
			     : random_below(chance, 2) == 0 ? 1 + random_below(chance, most)
							    : most;
		struct segment *segment = calloc(1, sizeof(*segment) + len);

		if (!segment) {
			list_each(link, &made) free(container_of(link, struct segment, link));
			return -ENOMEM;
		}
		segment->len = len;
		segment->bytes = (uint8_t *)(segment + 1);
		memcpy(segment->bytes, bytes.data + at, len);
		list_add(&made, &segment->link);
		at += len;
	}
	tell(self, WORLD_STREAM_SENT, bytes);
	while (!list_empty(&made)) {
		struct segment *segment = container_of(made.next, struct segment, link);

		list_remove(&segment->link);
		begin(segment, self, DATA);
	}
	return 0;
}

static void local_address(struct addr *out, const struct tcp *tcp)
{
	*out = end_of(tcp)->local;
}

static void remote_address(struct addr *out, const struct tcp *tcp)
{
	*out = other(end_of(tcp))->local;
}

/* Bytes that nobody will read make it a reset, as in the real world. */
static bool forget_unread(struct end *self)
{
	bool unread = false;

	list_each(link, &other(self)->sent)
	{
		struct segment *segment = container_of(link, struct segment, link);

		if (!segment->arrived)
			continue;
		unread |= segment->kind == DATA;
		drop(segment);
	}
	return unread;
}

static void free_end(struct tcp *tcp)
{
	struct end *self = end_of(tcp);
	bool unread = forget_unread(self);

	sim_event_stop(self->connection->world, &self->deliver);
	self->loop->sockets--;
	self->loop = NULL;
	self->events = NULL;
	if (!self->stands)
		drop_all(self);
	if (unread || (!self->stands && other(self)->loop))
		send_reset(self, -ECONNRESET);
	else if (self->stands && !self->err)
		begin(&self->fin, self, FIN);
	self->over = true;
	let_go(self->connection);
}

static uint16_t pick_port(struct world *world)
{
	return (uint16_t)(FIRST_PORT + world->tcp_ports++ % PORTS);
}

/* Of two ends in the same memory, one that nobody holds yet. */
static void end_init(struct end *end, struct connection *connection)
{
	static const struct tcp_ops ops = {
		.start = start,
		.send = send_bytes,
		.local = local_address,
		.remote = remote_address,
		.free = free_end,
	};

	end->tcp.ops = &ops;
	end->connection = connection;
	list_init(&end->sent);
	sim_event_init(&end->deliver, NULL, deliver);
	sim_event_init(&end->reset.event, NULL, transmit);
}

static int choose_local(
	struct addr *out, struct sim_loop *loop, const struct addr *from, const struct addr *to)
{
	if (loop->host->down)
		return -ENETDOWN;
	if (to->family == ADDR_NONE || (from->family != ADDR_NONE && from->family != to->family))
		return -EAFNOSUPPORT;
	*out = *from;
	if (from->family != ADDR_NONE && !addr_is_any(from))
		return host_sim_owns(loop->host, from) ? 0 : -EADDRNOTAVAIL;
	return udp_sim_route(out, &loop->loop, to);
}

int tcp_sim_connect(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg)
{
	struct sim_loop *self = sim_loop_of(loop);
	struct world *world = self->world;
	struct connection *connection;
	struct addr local;
	int err;

	err = choose_local(&local, self, from, to);
	if (err)
		return err;
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return -ENOMEM;

	local.port = pick_port(world);
	connection->world = world;
	for (size_t i = 0; i < 2; i++)
		end_init(&connection->ends[i], connection);
	connection->ends[0].host = self->host;
	connection->ends[0].local = local;
	connection->ends[0].events = events;
	connection->ends[0].arg = arg;
	connection->ends[1].host =
		host_sim_owns(self->host, to) ? self->host : host_sim_find(world, to);
	connection->ends[1].local = *to;
	hold(&connection->ends[0], self);
	list_add(&world->connections, &connection->link);
	world->left.connections++;
	begin(&connection->ends[0].hello, &connection->ends[0], SYN);
	*out = &connection->ends[0].tcp;
	return 0;
}

static void listener_local(struct addr *out, const struct tcp_listener *listener)
{
	*out = container_of(listener, const struct tcp_listener_sim, listener)->local;
}

static void listener_free(struct tcp_listener *listener)
{
	struct tcp_listener_sim *self = container_of(listener, struct tcp_listener_sim, listener);

	self->loop->sockets--;
	self->loop->world->left.sockets--;
	list_remove(&self->link);
	free(self);
}

int tcp_sim_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg)
{
	static const struct tcp_listener_ops ops = {listener_local, listener_free};
	struct sim_loop *opener = sim_loop_of(loop);
	struct world *world = opener->world;
	struct tcp_listener_sim *self;
	struct addr at = *local;

	if (at.family == ADDR_NONE)
		return -EAFNOSUPPORT;
	if (!addr_is_any(&at) && !host_sim_owns(opener->host, &at))
		return -EADDRNOTAVAIL;
	if (at.port == 0)
		at.port = pick_port(world);
	if (find_listener(world, opener->host, &at))
		return -EADDRINUSE;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->listener.ops = &ops;
	self->loop = opener;
	self->local = at;
	self->accepted = accepted;
	self->arg = arg;
	list_add(&world->listeners, &self->link);
	opener->sockets++;
	world->left.sockets++;
	*out = &self->listener;
	return 0;
}

void tcp_sim_close(struct world *world)
{
	list_each(link, &world->connections)
		free_connection(container_of(link, struct connection, link));
}
