#include "core/net/lossy.h"

#include "core/base/list.h"
#include "core/base/random.h"

#include <stdlib.h>

struct lossy {
	struct loop loop;
	struct loop *other;
	struct impair *impair[LOSSY_WAYS];
};

struct lossy_udp {
	struct udp udp;
	struct udp *other;
	struct lossy *lossy; /* where it was opened, then where it was started */
	const struct udp_events *events;
	void *arg;
	struct list flights;
	bool *gone; /* set if it is freed meanwhile; NULL: nobody asks */
};

/* A datagram that is late. */
struct flight {
	struct list link;
	struct timer timer;
	struct lossy_udp *socket;
	enum lossy_way way;
	bool has_from;
	struct addr from;
	struct addr to;
	uint64_t arrival_ns; /* of RX */
	size_t len;
	uint8_t bytes[];
};

static struct lossy *lossy_of(struct loop *loop)
{
	return container_of(loop, struct lossy, loop);
}

static struct loop *other_of(struct loop *loop)
{
	return lossy_of(loop)->other;
}

static struct lossy_udp *socket_of(struct udp *udp)
{
	return container_of(udp, struct lossy_udp, udp);
}

static void drop(struct flight *flight)
{
	timer_stop(&flight->timer);
	list_remove(&flight->link);
	free(flight);
}

/* Lets it arrive: at the network, or at who receives. The socket may be gone afterwards. */
static int land(struct lossy_udp *socket, enum lossy_way way, const struct addr *from,
	const struct addr *to, struct slice bytes, uint64_t arrival_ns)
{
	if (way == LOSSY_RX) {
		socket->events->datagram(socket->arg, from, to, bytes, arrival_ns);
		return 0;
	}
	return from ? udp_send_from(socket->other, from, to, bytes)
		    : udp_send(socket->other, to, bytes);
}

static void on_time(void *arg)
{
	struct flight *flight = arg;
	struct lossy_udp *socket = flight->socket;

	list_remove(&flight->link); /* who receives it may free the socket */
	(void)land(socket, flight->way, flight->has_from ? &flight->from : NULL, &flight->to,
		(struct slice){flight->bytes, flight->len}, flight->arrival_ns);
	free(flight);
}

/* A copy in memory of its own, damaged if that is its fate. NULL: no memory. */
static struct flight *copy(struct lossy_udp *socket, enum lossy_way way, const struct addr *from,
	const struct addr *to, struct slice bytes, const struct impair_fate *fate)
{
	struct flight *flight = calloc(1, sizeof(*flight) + bytes.len);

	if (!flight)
		return NULL;

	flight->socket = socket;
	flight->way = way;
	flight->has_from = from != NULL;
	if (from)
		flight->from = *from;
	flight->to = *to;
	flight->len = bytes.len;
	if (bytes.len > 0)
		memcpy(flight->bytes, bytes.data, bytes.len);
	if (fate->corrupts)
		flight->bytes[fate->corrupt_at] ^= fate->corrupt_with;
	list_init(&flight->link);
	timer_init(&flight->timer, socket->lossy->other, on_time, flight);
	return flight;
}

/* One copy of what passes. Without memory it is as if the network had lost it. */
static int pass(struct lossy_udp *socket, enum lossy_way way, const struct addr *from,
	const struct addr *to, struct slice bytes, uint64_t arrival_ns,
	const struct impair_fate *fate, size_t i)
{
	uint64_t delay_ns = fate->delay_ns[i];
	struct flight *flight;
	int err;

	if (delay_ns == 0 && !fate->corrupts)
		return land(socket, way, from, to, bytes, arrival_ns);

	flight = copy(socket, way, from, to, bytes, fate);
	if (!flight)
		return 0;
	if (delay_ns > 0) {
		flight->arrival_ns = arrival_ns + delay_ns;
		list_add(&socket->flights, &flight->link);
		timer_start_in(&flight->timer, delay_ns);
		return 0;
	}
	err = land(socket, way, from, to, (struct slice){flight->bytes, flight->len}, arrival_ns);
	free(flight);
	return err;
}

/* Does with a datagram as impair says. What the last copy that was sent at once came to. */
static int carry(struct lossy_udp *socket, enum lossy_way way, const struct addr *from,
	const struct addr *to, struct slice bytes, uint64_t arrival_ns)
{
	struct impair_fate fate;
	bool gone = false;
	bool *outer = socket->gone;
	int err = 0;

	socket->gone = &gone;
	impair_decide(&fate, socket->lossy->impair[way], bytes.len, loop_now(socket->lossy->other));
	for (size_t i = 0; i < fate.copies && !gone; i++)
		err = pass(socket, way, from, to, bytes, arrival_ns, &fate, i);
	if (!gone)
		socket->gone = outer;
	else if (outer)
		*outer = true;
	return err;
}

static void on_datagram(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	(void)carry(arg, LOSSY_RX, from, to, bytes, arrival_ns);
}

static void on_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	struct lossy_udp *socket = arg;

	socket->events->unreachable(socket->arg, to, err, sent);
}

static int start_socket(
	struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg)
{
	static const struct udp_events ours = {on_datagram, on_unreachable};
	struct lossy_udp *socket = socket_of(udp);

	socket->lossy = lossy_of(loop);
	socket->events = events;
	socket->arg = arg;
	return udp_start(socket->other, socket->lossy->other, &ours, socket);
}

/* What is on its way is lost: another thread may be the next that it would come to. */
static void stop_socket(struct udp *udp)
{
	struct lossy_udp *socket = socket_of(udp);

	if (socket->gone) /* whoever is delivering to it goes no further */
		*socket->gone = true;
	socket->gone = NULL;
	list_each(link, &socket->flights) drop(container_of(link, struct flight, link));
	udp_stop(socket->other);
}

static int send_datagram(
	struct udp *udp, const struct addr *from, const struct addr *to, struct slice bytes)
{
	return carry(socket_of(udp), LOSSY_TX, from, to, bytes, 0);
}

static void local_address(struct addr *out, const struct udp *udp)
{
	udp_local(out, container_of(udp, const struct lossy_udp, udp)->other);
}

static void mark_datagrams(struct udp *udp, unsigned dscp)
{
	udp_mark(socket_of(udp)->other, dscp);
}

static void free_socket(struct udp *udp)
{
	struct lossy_udp *socket = socket_of(udp);

	if (socket->gone)
		*socket->gone = true;
	list_each(link, &socket->flights) drop(container_of(link, struct flight, link));
	udp_free(socket->other);
	free(socket);
}

static int open_socket(struct udp **out, struct loop *loop, const struct addr *local)
{
	static const struct udp_ops ops = {
		.start = start_socket,
		.stop = stop_socket,
		.send = send_datagram,
		.local = local_address,
		.free = free_socket,
		.mark = mark_datagrams,
	};
	struct lossy_udp *socket = calloc(1, sizeof(*socket));
	int err;

	if (!socket)
		return -ENOMEM;

	socket->udp.ops = &ops;
	socket->lossy = lossy_of(loop);
	list_init(&socket->flights);
	err = loop_udp_open(&socket->other, socket->lossy->other, local);
	if (err) {
		free(socket);
		return err;
	}
	*out = &socket->udp;
	return 0;
}

static uint64_t now(struct loop *loop)
{
	return loop_now(other_of(loop));
}

static uint64_t wall(struct loop *loop)
{
	return loop_wall(other_of(loop));
}

static void fill_random(struct loop *loop, void *out, size_t len)
{
	loop_random(other_of(loop), out, len);
}

static void start_timer(struct loop *loop, struct timer *timer)
{
	other_of(loop)->ops->timer_start(other_of(loop), timer);
}

static void stop_timer(struct loop *loop, struct timer *timer)
{
	other_of(loop)->ops->timer_stop(other_of(loop), timer);
}

static void post(struct loop *loop, struct post *message)
{
	loop_post(other_of(loop), message);
}

static int work(struct loop *loop, struct work *piece)
{
	return loop_work(other_of(loop), piece);
}

static int connect_tcp(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg)
{
	return loop_tcp_connect(out, other_of(loop), from, to, events, arg);
}

static int listen_tcp(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg)
{
	return loop_tcp_listen(out, other_of(loop), local, accepted, arg);
}

static int pipe_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room)
{
	return loop_pipe_standard(out, other_of(loop), way, room);
}

static int pipe_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room)
{
	return loop_pipe_command(out, other_of(loop), way, line, room);
}

static int route(struct addr *out, struct loop *loop, const struct addr *to)
{
	return loop_route(out, other_of(loop), to);
}

static size_t addresses(struct addr *out, size_t max, struct loop *loop)
{
	return loop_addresses(out, max, other_of(loop));
}

static int watch_network(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	return loop_network_watch(out, other_of(loop), changed, arg);
}

/* From then on it is the other loop's question. */
static int resolve(struct resolve **out, struct loop *loop, enum dns_type type, const char *name,
	resolve_done *done, void *arg)
{
	return loop_resolve(out, other_of(loop), type, name, done, arg);
}

static const struct loop_ops loop_ops = {
	.now = now,
	.wall = wall,
	.random = fill_random,
	.timer_start = start_timer,
	.timer_stop = stop_timer,
	.post = post,
	.work = work,
	.udp_open = open_socket,
	.tcp_connect = connect_tcp,
	.tcp_listen = listen_tcp,
	.pipe_standard = pipe_standard,
	.pipe_command = pipe_command,
	.route = route,
	.addresses = addresses,
	.network_watch = watch_network,
	.resolve = resolve,
};

int lossy_new(struct loop **out, struct loop *other, uint64_t seed)
{
	const struct impair_config config = {0};
	struct lossy *lossy = calloc(1, sizeof(*lossy));
	int err = 0;

	if (!lossy)
		return -ENOMEM;

	lossy->loop.ops = &loop_ops;
	lossy->other = other;
	for (unsigned way = 0; way < LOSSY_WAYS && !err; way++)
		err = impair_new(&lossy->impair[way], &config, random_derive(seed, way));
	if (err) {
		lossy_free(&lossy->loop);
		return err;
	}
	*out = &lossy->loop;
	return 0;
}

void lossy_free(struct loop *loop)
{
	if (!loop)
		return;

	for (unsigned way = 0; way < LOSSY_WAYS; way++)
		impair_free(lossy_of(loop)->impair[way]);
	free(lossy_of(loop));
}

void lossy_change(struct loop *loop, enum lossy_way way, const struct impair_config *config)
{
	impair_change(lossy_of(loop)->impair[way], config);
}

void lossy_counts(struct impair_counts *out, const struct loop *loop, enum lossy_way way)
{
	const struct lossy *lossy = container_of(loop, const struct lossy, loop);

	impair_counts(out, lossy->impair[way]);
}
