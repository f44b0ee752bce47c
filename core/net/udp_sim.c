/*
 * UDP in memory. A datagram is one piece of memory with all its copies; where it goes is looked up
 * when it arrives, for hosts move and sockets come and go while it is on its way.
 */
#include "core/net/loop_sim_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	KEPT_MAX = 64,         /* datagrams that wait for udp_start() */
	LOCAL_NS = 10000,      /* that a datagram takes within a host */
	HEADERS_SIZE = 28,     /* of IP and of what ICMP says before it quotes */
	SIZE_MAX_IPV4 = 65507, /* bytes of a datagram */
	SIZE_MAX_IPV6 = 65527,
	FIRST_PORT = 10000, /* of those that are picked */
	LAST_PORT = 60000,
};

struct udp_sim {
	struct udp udp;
	struct table_node by_port;
	struct world_host *host;
	struct addr local;
	struct sim_loop *loop; /* NULL until udp_start() */
	const struct udp_events *events;
	void *arg;
	struct list kept; /* what came before udp_start() */
	size_t kept_count;
	struct sim_event drain;
};

struct datagram;

struct copy {
	struct sim_event event;
	struct list kept; /* by its socket */
	uint64_t arrival_ns;
	struct datagram *datagram;
};

struct datagram {
	struct world *world;
	struct addr from;
	struct addr to;
	struct world_host *within; /* the host that it does not leave, or NULL */
	bool icmp;                 /* port unreachable, about these bytes */
	bool damaged;
	size_t copies; /* that are left */
	struct copy copy[IMPAIR_COPIES_MAX];
	size_t len;
	uint8_t bytes[];
};

static struct udp_sim *udp_sim_of(const struct udp *udp)
{
	return container_of(udp, struct udp_sim, udp);
}

static void tell(const struct datagram *datagram, enum world_wire what)
{
	const struct world *world = datagram->world;

	if (world->tap && !datagram->icmp)
		world->tap(world->tap_arg, what, world->now_ns, &datagram->from, &datagram->to,
			(struct slice){datagram->bytes, datagram->len});
}

static void free_copy(struct copy *copy)
{
	struct datagram *datagram = copy->datagram;

	list_remove(&copy->kept);
	datagram->world->left.datagrams--;
	if (--datagram->copies == 0)
		free(datagram);
}

void udp_sim_drop(struct sim_event *event)
{
	free_copy(container_of(event, struct copy, event));
}

static void lose_copy(struct copy *copy)
{
	tell(copy->datagram, WORLD_LOST);
	free_copy(copy);
}

/* random_derive() is one to one, so sockets of one key are of one host, family and port. */
static uint64_t port_key(const struct world_host *host, const struct addr *addr)
{
	return random_derive(0, host->number << 24 | (uint64_t)addr->family << 16 | addr->port);
}

/* The socket of host that hears what comes to that address. */
static struct udp_sim *find_socket(const struct world_host *host, const struct addr *to)
{
	struct table_node *node = table_find(&host->world->sockets, port_key(host, to));

	for (; node; node = table_find_next(node)) {
		struct udp_sim *socket = container_of(node, struct udp_sim, by_port);

		if (addr_is_any(&socket->local) || addr_same_host(&socket->local, to))
			return socket;
	}
	return NULL;
}

/* Gives the copy to the socket, which an event function may free, on its loop. */
static void deliver(struct udp_sim *socket, struct copy *copy)
{
	struct datagram *datagram = copy->datagram;
	struct slice bytes = {datagram->bytes, datagram->len};
	struct world *world = datagram->world;

	world->running = socket->loop;
	tell(datagram, WORLD_ARRIVED);
	if (datagram->icmp)
		socket->events->unreachable(socket->arg, &datagram->from, -ECONNREFUSED, bytes);
	else
		socket->events->datagram(
			socket->arg, &datagram->from, &datagram->to, bytes, copy->arrival_ns);
	world->running = NULL;
	free_copy(copy);
}

static void drain(struct sim_event *event)
{
	struct udp_sim *socket = container_of(event, struct udp_sim, drain);
	struct copy *copy = container_of(socket->kept.next, struct copy, kept);

	list_remove(&copy->kept);
	if (--socket->kept_count > 0)
		sim_event_start(socket->host->world, event, 0);
	deliver(socket, copy);
}

static void keep(struct udp_sim *socket, struct copy *copy)
{
	if (socket->kept_count == KEPT_MAX) {
		lose_copy(copy);
		return;
	}
	list_add(&socket->kept, &copy->kept);
	socket->kept_count++;
}

static void send_icmp(struct world_host *host, const struct datagram *about);

static void arrive(struct sim_event *event)
{
	struct copy *copy = container_of(event, struct copy, event);
	struct datagram *datagram = copy->datagram;
	struct world_host *host = datagram->within;
	struct udp_sim *socket;

	if (!host)
		host = host_sim_find(datagram->world, &datagram->to);
	if (!host || host->down || !host_sim_owns(host, &datagram->to)) {
		lose_copy(copy);
		return;
	}
	copy->arrival_ns = datagram->world->now_ns;
	socket = find_socket(host, &datagram->to);
	if (!socket) {
		tell(datagram, WORLD_UNWANTED);
		if (!datagram->icmp && !datagram->damaged) /* no host quotes what is damaged */
			send_icmp(host, datagram);
		free_copy(copy);
	} else if (!socket->loop || socket->kept_count > 0) {
		keep(socket, copy);
	} else {
		deliver(socket, copy);
	}
}

static void send_copy(struct datagram *datagram, uint64_t delay_ns)
{
	struct world *world = datagram->world;
	struct copy *copy = &datagram->copy[datagram->copies++];

	copy->datagram = datagram;
	list_init(&copy->kept);
	sim_event_init(&copy->event, NULL, arrive);
	sim_event_start(world, &copy->event, sim_add(world->now_ns, delay_ns));
	world->left.datagrams++;
}

/* Sends it on its way, or frees it if it gets lost there. size: that the way sees. */
static void send_by(struct datagram *datagram, struct impair *way, size_t size)
{
	struct world *world = datagram->world;
	struct impair_fate fate;

	impair_decide(&fate, way, size, world->now_ns);
	if (fate.copies == 0 || (datagram->icmp && fate.corrupts)) { /* its checksum tells */
		tell(datagram, WORLD_LOST);
		free(datagram);
		return;
	}
	if (fate.corrupts && fate.corrupt_at < datagram->len) {
		datagram->bytes[fate.corrupt_at] ^= fate.corrupt_with;
		datagram->damaged = true;
	}
	for (size_t i = 0; i < fate.copies; i++)
		send_copy(datagram, sim_add(world->config.way_ns, fate.delay_ns[i]));
}

/* Returns -ENOMEM. On success the datagram is free()d by whoever does not send it on. */
static int make_datagram(struct datagram **out, struct world *world, struct slice bytes)
{
	struct datagram *datagram;

	datagram = calloc(1, sizeof(*datagram) + bytes.len);
	if (!datagram)
		return -ENOMEM;

	datagram->world = world;
	datagram->len = bytes.len;
	if (bytes.len > 0) /* an empty slice may be NULL */
		memcpy(datagram->bytes, bytes.data, bytes.len);
	*out = datagram;
	return 0;
}

/*
 * Port unreachable: RFC 792, RFC 4443 section 3.1. Nobody waits for it, so that without memory it
 * gets lost.
 */
static void send_icmp(struct world_host *host, const struct datagram *about)
{
	struct world *world = host->world;
	struct world_host *back = about->within;
	struct datagram *icmp;
	struct impair *way;

	if (!back)
		back = host_sim_find(world, &about->from);
	if (!back || make_datagram(&icmp, world, (struct slice){about->bytes, about->len}))
		return;

	icmp->icmp = true;
	icmp->from = about->to;
	icmp->to = about->from;
	if (back == host) {
		icmp->within = host;
		send_copy(icmp, LOCAL_NS);
	} else if (world_way(&way, host, back)) {
		free(icmp);
	} else {
		send_by(icmp, way, HEADERS_SIZE + icmp->len);
	}
}

static void put_loopback(struct addr *out, enum addr_family family)
{
	*out = (struct addr){.family = family};
	if (family == ADDR_IPV4)
		out->ip[0] = 127;
	out->ip[family == ADDR_IPV4 ? 3 : 15] = 1;
}

int udp_sim_route(struct addr *out, struct loop *loop, const struct addr *to)
{
	const struct world_host *host = sim_loop_of(loop)->host;

	if (addr_is_loopback(to) || addr_is_any(to))
		put_loopback(out, to->family);
	else if (host->down || to->family != host->addr.family)
		return -ENETUNREACH;
	else
		*out = host->addr;
	return 0;
}

/* The address that what socket sends to to comes from; wanted may be NULL. */
static int choose_source(struct addr *out, const struct udp_sim *socket, const struct addr *wanted,
	const struct addr *to)
{
	const struct world_host *host = socket->host;

	if (host->down)
		return -ENETDOWN;
	if (to->family != socket->local.family)
		return -EAFNOSUPPORT;
	if (to->port == 0)
		return -EINVAL;

	if (wanted && (wanted->family != to->family ||
			      (!addr_is_any(wanted) && !host_sim_owns(host, wanted))))
		return -EINVAL;

	*out = wanted && !addr_is_any(wanted) ? *wanted : socket->local;
	out->port = socket->local.port;
	if (addr_is_any(out)) {
		if (addr_is_loopback(to))
			put_loopback(out, to->family);
		else if (to->family != host->addr.family)
			return -ENETUNREACH;
		else
			*out = host->addr;
		out->port = socket->local.port;
		return 0;
	}
	if (addr_is_loopback(out))
		return host_sim_owns(host, to) ? 0 : -EINVAL;
	return addr_same_host(out, &host->addr) ? 0 : -EADDRNOTAVAIL;
}

static int send_datagram(
	struct udp *udp, const struct addr *wanted, const struct addr *to, struct slice bytes)
{
	struct udp_sim *self = udp_sim_of(udp);
	struct world *world = self->host->world;
	struct addr there = *to;
	struct addr from;
	struct world_host *target;
	struct datagram *datagram;
	struct impair *way = NULL;
	int err;

	if (addr_is_any(to)) { /* means this host */
		put_loopback(&there, to->family);
		there.port = to->port;
	}
	err = choose_source(&from, self, wanted, &there);
	if (err)
		return err;
	if (bytes.len > (there.family == ADDR_IPV4 ? SIZE_MAX_IPV4 : SIZE_MAX_IPV6))
		return -EMSGSIZE;

	target = host_sim_owns(self->host, &there) ? self->host : host_sim_find(world, &there);
	if (target && target != self->host)
		err = world_way(&way, self->host, target);
	if (!err)
		err = make_datagram(&datagram, world, bytes);
	if (err)
		return err;

	datagram->from = from;
	datagram->to = there;
	tell(datagram, WORLD_SENT);
	if (way) {
		send_by(datagram, way, bytes.len);
	} else if (target) {
		datagram->within = target;
		send_copy(datagram, LOCAL_NS);
	} else { /* nobody has that address */
		tell(datagram, WORLD_LOST);
		free(datagram);
	}
	return 0;
}

static int start(struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg)
{
	struct udp_sim *self = udp_sim_of(udp);

	assert(!self->loop && sim_loop_of(loop)->host == self->host);

	self->loop = sim_loop_of(loop);
	self->loop->sockets++;
	self->events = events;
	self->arg = arg;
	sim_event_init(&self->drain, self->loop, drain);
	if (self->kept_count > 0)
		sim_event_start(self->host->world, &self->drain, 0);
	return 0;
}

static void stop(struct udp *udp)
{
	struct udp_sim *self = udp_sim_of(udp);

	if (!self->loop)
		return;
	sim_event_stop(self->host->world, &self->drain);
	self->loop->sockets--;
	self->loop = NULL;
}

static void local_address(struct addr *out, const struct udp *udp)
{
	*out = udp_sim_of(udp)->local;
}

static void free_socket(struct udp *udp)
{
	struct udp_sim *self = udp_sim_of(udp);
	struct world *world = self->host->world;

	table_remove(&world->sockets, &self->by_port);
	list_each(link, &self->kept) lose_copy(container_of(link, struct copy, kept));
	stop(udp);
	world->left.sockets--;
	free(self);
}

static const struct udp_ops ops = {
	.start = start,
	.stop = stop,
	.send = send_datagram,
	.local = local_address,
	.free = free_socket,
};

/* Whether a socket that is bound already stands in the way of one at that address. */
static bool is_taken(const struct world_host *host, const struct addr *local)
{
	struct table_node *node = table_find(&host->world->sockets, port_key(host, local));

	for (; node; node = table_find_next(node)) {
		const struct udp_sim *other = container_of(node, struct udp_sim, by_port);

		if (addr_is_any(local) || addr_is_any(&other->local) ||
			addr_same_host(&other->local, local))
			return true;
	}
	return false;
}

/* The first free one from a port on that chance picks. */
static int pick_port(struct addr *local, struct sim_loop *loop)
{
	const uint16_t count = LAST_PORT - FIRST_PORT + 1;
	uint16_t first = (uint16_t)random_below(&loop->chance, count);

	for (uint16_t i = 0; i < count; i++) {
		local->port = (uint16_t)(FIRST_PORT + ((uint32_t)first + i) % count);
		if (!is_taken(loop->host, local))
			return 0;
	}
	return -EADDRINUSE;
}

static int choose_local(struct addr *out, struct sim_loop *loop, const struct addr *local)
{
	if (local->family == ADDR_NONE)
		return -EAFNOSUPPORT;
	if (!addr_is_any(local) && !host_sim_owns(loop->host, local))
		return -EADDRNOTAVAIL;

	*out = *local;
	if (local->port == 0)
		return pick_port(out, loop);
	return is_taken(loop->host, local) ? -EADDRINUSE : 0;
}

int udp_sim_open(struct udp **out, struct loop *loop, const struct addr *local)
{
	struct sim_loop *opener = sim_loop_of(loop);
	struct world *world = opener->world;
	struct udp_sim *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	err = choose_local(&self->local, opener, local);
	if (err) {
		free(self);
		return err;
	}
	self->udp.ops = &ops;
	self->host = opener->host;
	list_init(&self->kept);
	table_add(&world->sockets, &self->by_port, port_key(self->host, &self->local));
	world->left.sockets++;
	*out = &self->udp;
	return 0;
}
