#include "tests/unit/sip_world.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct host {
	struct loop loop;
	struct list link;
	struct world *world;
	struct addr addr;
	uint16_t next_port;
};

struct socket {
	struct udp udp;
	struct list link;
	struct host *host;
	struct addr local;
	const struct udp_events *events;
	void *arg;
};

/* Something that happens later; its function frees it. */
struct event {
	struct heap_node node;
	uint64_t due_ns;
	uint64_t order;
	void (*run)(struct event *event);
	struct world *world;
};

struct datagram {
	struct event event;
	struct addr from, to;
	int err; /* of an ICMP error about it */
	size_t len;
	uint8_t bytes[];
};

struct question {
	struct resolve resolve;
	struct event event;
	resolve_done *done;
	void *arg;
	bool known;
};

static bool timer_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct timer *first = container_of(a, struct timer, node);
	const struct timer *second = container_of(b, struct timer, node);

	if (first->due_ns != second->due_ns)
		return first->due_ns < second->due_ns;
	return first->order < second->order;
}

static bool event_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct event *first = container_of(a, struct event, node);
	const struct event *second = container_of(b, struct event, node);

	if (first->due_ns != second->due_ns)
		return first->due_ns < second->due_ns;
	return first->order < second->order;
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct host *host_of(struct loop *loop)
{
	return container_of(loop, struct host, loop);
}

static uint64_t op_now(struct loop *loop)
{
	return host_of(loop)->world->now_ns;
}

static uint64_t op_wall(struct loop *loop)
{
	return host_of(loop)->world->now_ns + UINT64_C(1700000000) * NS_PER_S;
}

/* splitmix64 */
static uint64_t draw(struct world *world)
{
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void op_random(struct loop *loop, void *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)draw(host_of(loop)->world);
}

static void op_timer_start(struct loop *loop, struct timer *timer)
{
	struct world *world = host_of(loop)->world;

	timer->order = world->order++;
	heap_push(&world->timers, &timer->node);
	world->timer_count++;
}

static void op_timer_stop(struct loop *loop, struct timer *timer)
{
	struct world *world = host_of(loop)->world;

	heap_remove(&world->timers, &timer->node);
	world->timer_count--;
}

static void op_post(struct loop *loop, struct post *post)
{
	struct world *world = host_of(loop)->world;

	post->next = NULL;
	*world->posts_end = post;
	world->posts_end = &post->next;
}

static int op_work(struct loop *loop, struct work *work)
{
	(void)loop;
	(void)work;
	return -ENOSYS; /* nothing here has slow work */
}

static void add_event(
	struct world *world, struct event *event, uint64_t delay_ns, void (*run)(struct event *))
{
	event->world = world;
	event->run = run;
	event->due_ns = world->now_ns + delay_ns;
	event->order = world->order++;
	heap_push(&world->events, &event->node);
	world->event_count++;
}

static struct socket *find_socket(struct world *world, const struct addr *addr)
{
	list_each(link, &world->sockets)
	{
		struct socket *socket = container_of(link, struct socket, link);

		if (socket->local.port == addr->port && addr_same_host(&socket->host->addr, addr))
			return socket;
	}
	return NULL;
}

static void tell_unreachable(struct event *event)
{
	struct datagram *datagram = container_of(event, struct datagram, event);
	struct socket *socket = find_socket(event->world, &datagram->from);
	size_t quoted = event->world->icmp_quote;

	if (quoted > datagram->len)
		quoted = datagram->len;
	if (socket && socket->events && socket->events->unreachable)
		socket->events->unreachable(socket->arg, &datagram->to, -ECONNREFUSED,
			(struct slice){datagram->bytes, quoted});
	free(datagram);
}

static void deliver(struct event *event)
{
	struct datagram *datagram = container_of(event, struct datagram, event);
	struct socket *socket = find_socket(event->world, &datagram->to);

	if (!socket && !event->world->icmp_silent) {
		add_event(event->world, event, WORLD_WAY_NS, tell_unreachable);
		return;
	}
	if (socket && socket->events)
		socket->events->datagram(socket->arg, &datagram->from, &datagram->to,
			(struct slice){datagram->bytes, datagram->len}, event->world->now_ns);
	free(datagram);
}

static void keep_sent(
	struct world *world, const struct addr *from, const struct addr *to, struct slice bytes)
{
	struct world_sent *sent;

	if (world->quiet)
		return;
	world->sent = must(realloc(world->sent, (world->sent_count + 1) * sizeof(*world->sent)));
	sent = &world->sent[world->sent_count++];
	*sent = (struct world_sent){.at_ns = world->now_ns, .from = *from, .to = *to};
	sent->text = must(malloc(bytes.len + 1));
	memcpy(sent->text, bytes.data, bytes.len);
	sent->text[bytes.len] = '\0';
}

static int socket_send(
	struct udp *udp, const struct addr *wanted, const struct addr *to, struct slice bytes)
{
	struct socket *socket = container_of(udp, struct socket, udp);
	struct world *world = socket->host->world;
	struct addr from = socket->host->addr;
	struct world_fate fate = {.copies = 1};

	from.port = socket->local.port;
	if (world->send_err)
		return world->send_err;
	if (wanted && !addr_is_any(wanted) && !addr_same_host(wanted, &from))
		return -EINVAL;
	if (bytes.len > 65507)
		return -EMSGSIZE;
	keep_sent(world, &from, to, bytes);
	if (world->hook)
		world->hook(world->hook_arg, &fate, &from, to, bytes);
	for (size_t i = 0; i < fate.copies; i++) {
		struct datagram *datagram = must(malloc(sizeof(*datagram) + bytes.len));

		*datagram = (struct datagram){.from = from, .to = *to, .len = bytes.len};
		memcpy(datagram->bytes, bytes.data, bytes.len);
		add_event(world, &datagram->event, WORLD_WAY_NS + fate.delay_ns[i], deliver);
	}
	return 0;
}

static int socket_start(
	struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg)
{
	struct socket *socket = container_of(udp, struct socket, udp);

	(void)loop;
	socket->events = events;
	socket->arg = arg;
	return 0;
}

static void socket_local(struct addr *out, const struct udp *udp)
{
	*out = ((const struct socket *)(const void *)udp)->local;
}

static void socket_free(struct udp *udp)
{
	struct socket *socket = container_of(udp, struct socket, udp);

	list_remove(&socket->link);
	free(socket);
}

static int op_udp_open(struct udp **out, struct loop *loop, const struct addr *local)
{
	static const struct udp_ops ops = {
		socket_start, socket_send, socket_local, socket_free, NULL};
	struct host *host = host_of(loop);
	struct addr addr = host->addr;
	struct socket *socket;

	addr.port = local->port ? local->port : host->next_port++;
	if (local->family != host->addr.family ||
		(!addr_is_any(local) && !addr_same_host(local, &addr)))
		return -EADDRNOTAVAIL;
	if (find_socket(host->world, &addr))
		return -EADDRINUSE;

	socket = must(malloc(sizeof(*socket)));
	*socket = (struct socket){.udp.ops = &ops, .host = host, .local = *local};
	socket->local.port = addr.port;
	list_add(&host->world->sockets, &socket->link);
	*out = &socket->udp;
	return 0;
}

static int op_route(struct addr *out, struct loop *loop, const struct addr *to)
{
	struct host *host = host_of(loop);

	if (host->world->route_err)
		return host->world->route_err;
	if (to->family != host->addr.family)
		return -ENETUNREACH;
	*out = host->addr;
	return 0;
}

static void tell_resolved(struct event *event)
{
	struct question *question = container_of(event, struct question, event);
	struct world *world = event->world;
	resolve_done *done = question->done;
	void *arg = question->arg;
	struct dns_record records[3];
	struct dns_answer answer = {.err = question->known ? world->name_err : -ENOENT,
		.records = records,
		.servers = ""};

	for (size_t i = 0; !answer.err && i < world->name_addr_count; i++)
		records[answer.count++] = (struct dns_record){.addr = world->name_addr[i]};
	free(question);
	done(arg, &answer);
}

/* There are hosts only; that there is nothing else of them is known at once. */
static int op_resolve(struct resolve **out, struct loop *loop, enum dns_type type, const char *host,
	resolve_done *done, void *arg)
{
	struct world *world = host_of(loop)->world;
	struct question *question;

	if (world->resolve_err && type == DNS_HOST)
		return world->resolve_err;
	question = must(malloc(sizeof(*question)));
	*question = (struct question){.resolve.loop = loop, .done = done, .arg = arg};
	question->known = type == DNS_HOST && world->name && strcmp(world->name, host) == 0;
	add_event(world, &question->event, type == DNS_HOST ? WORLD_WAY_NS : 0, tell_resolved);
	*out = &question->resolve;
	return 0;
}

static void op_resolve_cancel(struct resolve *resolve)
{
	struct question *question = container_of(resolve, struct question, resolve);
	struct world *world = question->event.world;

	heap_remove(&world->events, &question->event.node);
	world->event_count--;
	free(question);
}

void world_open(struct world *world, uint64_t seed)
{
	*world = (struct world){
		.timers.before = timer_before,
		.events.before = event_before,
		.random = seed,
		.now_ns = NS_PER_S,
		.icmp_quote = SIZE_MAX,
	};
	world->posts_end = &world->posts;
	list_init(&world->sockets);
	list_init(&world->hosts);
}

void world_close(struct world *world)
{
	struct heap_node *node;

	assert(list_empty(&world->sockets) && !heap_first(&world->timers));
	while ((node = heap_first(&world->events))) {
		struct event *event = container_of(node, struct event, node);

		heap_remove(&world->events, node);
		free(container_of(event, struct datagram, event)); /* nobody asks for a name */
	}
	list_each(link, &world->hosts) free(container_of(link, struct host, link));
	world_forget(world);
	free(world->sent);
}

struct loop *world_host(struct world *world, const char *address)
{
	static const struct loop_ops ops = {
		.now = op_now,
		.wall = op_wall,
		.random = op_random,
		.timer_start = op_timer_start,
		.timer_stop = op_timer_stop,
		.post = op_post,
		.work = op_work,
		.udp_open = op_udp_open,
		.route = op_route,
		.resolve = op_resolve,
		.resolve_cancel = op_resolve_cancel,
	};
	struct host *host = must(malloc(sizeof(*host)));

	*host = (struct host){.loop.ops = &ops, .world = world, .next_port = 40000};
	if (addr_parse(&host->addr, slice_of(address)))
		abort();
	list_add(&world->hosts, &host->link);
	return &host->loop;
}

static void run_posts(struct world *world)
{
	while (world->posts) {
		struct post *post = world->posts;

		world->posts = post->next;
		if (!world->posts)
			world->posts_end = &world->posts;
		post->run(post);
	}
}

static void run_timer(struct world *world, struct timer *timer)
{
	world->now_ns = timer->due_ns > world->now_ns ? timer->due_ns : world->now_ns;
	timer_stop(timer);
	timer->fire(timer->arg);
}

static void run_event(struct world *world, struct event *event)
{
	world->now_ns = event->due_ns;
	heap_remove(&world->events, &event->node);
	world->event_count--;
	event->run(event);
}

/* Runs the next thing that is due by end_ns; false: there is none. */
static bool step(struct world *world, uint64_t end_ns)
{
	struct heap_node *first_timer, *first_event;
	struct timer *timer;
	struct event *event;

	run_posts(world);
	first_timer = heap_first(&world->timers);
	first_event = heap_first(&world->events);
	timer = first_timer ? container_of(first_timer, struct timer, node) : NULL;
	event = first_event ? container_of(first_event, struct event, node) : NULL;
	if (timer && event) {
		if (event->due_ns < timer->due_ns ||
			(event->due_ns == timer->due_ns && event->order < timer->order))
			timer = NULL;
		else
			event = NULL;
	}
	if (timer && timer->due_ns <= end_ns)
		run_timer(world, timer);
	else if (event && event->due_ns <= end_ns)
		run_event(world, event);
	else
		return false;
	return true;
}

void world_run(struct world *world, uint64_t ns)
{
	uint64_t end_ns = world->now_ns + ns;

	while (step(world, end_ns))
		;
	world->now_ns = end_ns;
}

uint32_t world_random_below(struct world *world, uint32_t bound)
{
	return (uint32_t)(draw(world) >> 33) % bound;
}

struct addr world_addr(const char *address_and_port)
{
	struct addr addr;

	if (addr_parse_port(&addr, slice_of(address_and_port)))
		abort();
	return addr;
}

void world_forget(struct world *world)
{
	for (size_t i = 0; i < world->sent_count; i++)
		free(world->sent[i].text);
	world->sent_count = 0;
}

static void peer_datagram(void *arg, const struct addr *from, const struct addr *to,
	struct slice bytes, uint64_t arrival_ns)
{
	struct world_peer *peer = arg;

	(void)to;
	(void)arrival_ns;
	assert(bytes.len < sizeof(peer->last));
	peer->from = *from;
	if (bytes.len > 0 && bytes.data[0] == '\r') {
		peer->empty++;
		return;
	}
	if (bytes.len > 0 && bytes.len <= sizeof(peer->stun) && bytes.data[0] < 4) {
		memcpy(peer->stun, bytes.data, bytes.len);
		peer->stuns++;
		return;
	}
	memcpy(peer->last, bytes.data, bytes.len);
	peer->last[bytes.len] = '\0';
	peer->count++;
}

static void peer_unreachable(void *arg, const struct addr *to, int err, struct slice sent)
{
	struct world_peer *peer = arg;

	(void)to;
	(void)sent;
	peer->err = err;
}

void world_peer_open(struct world_peer *peer, struct loop *loop, const char *address_and_port)
{
	static const struct udp_events events = {peer_datagram, peer_unreachable};
	struct addr local = world_addr(address_and_port);

	*peer = (struct world_peer){0};
	if (loop_udp_open(&peer->udp, loop, &local) || udp_start(peer->udp, loop, &events, peer))
		abort();
}

void world_peer_send(struct world_peer *peer, const char *to, const char *format, ...)
{
	struct addr addr = world_addr(to);
	char room[8192];
	struct text text = TEXT_IN(room);
	va_list args;

	va_start(args, format);
	text_vprintf(&text, format, args);
	va_end(args);
	if (text.cut || udp_send(peer->udp, &addr, text_slice(&text)))
		abort();
}

void world_peer_close(struct world_peer *peer)
{
	udp_free(peer->udp);
	peer->udp = NULL;
}
