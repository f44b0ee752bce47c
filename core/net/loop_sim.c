#include "core/net/loop_sim.h"
#include "core/net/loop_sim_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static struct sim_event *event_of(struct heap_node *node)
{
	return container_of(node, struct sim_event, node);
}

static bool event_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct sim_event *first = container_of(a, const struct sim_event, node);
	const struct sim_event *second = container_of(b, const struct sim_event, node);

	if (first->due_ns != second->due_ns)
		return first->due_ns < second->due_ns;
	return first->serial < second->serial;
}

void sim_event_init(
	struct sim_event *event, struct sim_loop *loop, void (*run)(struct sim_event *event))
{
	*event = (struct sim_event){.loop = loop, .run = run};
	list_init(&event->held);
}

void sim_event_start(struct world *world, struct sim_event *event, uint64_t due_ns)
{
	assert(list_empty(&event->held));
	event->due_ns = due_ns > world->now_ns ? due_ns : world->now_ns;
	event->serial = world->serial++;
	heap_push(&world->events, &event->node);
}

void sim_event_stop(struct world *world, struct sim_event *event)
{
	if (event->node.queued)
		heap_remove(&world->events, &event->node);
	list_remove(&event->held);
}

uint64_t sim_late(struct sim_loop *loop, uint64_t most_ns)
{
	return most_ns > 0 ? random_below(&loop->chance, sim_add(most_ns, 1)) : 0;
}

static uint64_t op_now(struct loop *loop)
{
	return sim_loop_of(loop)->world->now_ns;
}

static uint64_t op_wall(struct loop *loop)
{
	struct world *world = sim_loop_of(loop)->world;

	return world->config.wall_ns + (world->now_ns - world->config.start_ns);
}

static void op_random(struct loop *loop, void *out, size_t len)
{
	random_fill(&sim_loop_of(loop)->random, out, len);
}

static struct timer *first_timer(const struct sim_loop *self)
{
	struct heap_node *first = heap_first(&self->timers);

	return first ? container_of(first, struct timer, node) : NULL;
}

/* Of two that are due at once, the one that was started first. */
static bool timer_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct timer *first = container_of(a, const struct timer, node);
	const struct timer *second = container_of(b, const struct timer, node);

	if (first->due_ns != second->due_ns)
		return first->due_ns < second->due_ns;
	return first->order < second->order;
}

static void timers_changed(struct sim_loop *self)
{
	if (list_empty(&self->unarmed))
		list_add(&self->world->unarmed, &self->unarmed);
}

static void op_timer_start(struct loop *loop, struct timer *timer)
{
	struct sim_loop *self = sim_loop_of(loop);

	timer->order = self->timer_order++;
	heap_push(&self->timers, &timer->node);
	self->world->left.timers++;
	timers_changed(self);
}

static void op_timer_stop(struct loop *loop, struct timer *timer)
{
	struct sim_loop *self = sim_loop_of(loop);

	heap_remove(&self->timers, &timer->node);
	self->world->left.timers--;
	timers_changed(self);
}

/*
 * It is the thread that is late, and its timers with it: they keep their order, as those of a real
 * loop do. One that comes to the front makes those behind it no later than they were to be.
 */
static void arm(struct sim_loop *self)
{
	struct world *world = self->world;
	struct timer *first = first_timer(self);
	uint64_t due_ns = first ? first->due_ns : UINT64_MAX;
	bool armed = self->armed_ns != UINT64_MAX;
	uint64_t earliest_ns, at_ns;

	if (due_ns == self->armed_ns)
		return;
	self->armed_ns = due_ns;
	if (due_ns == UINT64_MAX) { /* no timer, or none that ever goes off */
		sim_event_stop(world, &self->wake);
		return;
	}
	earliest_ns = due_ns > world->now_ns ? due_ns : world->now_ns;
	at_ns = sim_add(earliest_ns, sim_late(self, world->config.timer_late_ns));
	if (armed && self->wake.due_ns >= earliest_ns && self->wake.due_ns < at_ns)
		at_ns = self->wake.due_ns;
	sim_event_stop(world, &self->wake);
	sim_event_start(world, &self->wake, at_ns);
}

/* One at a time; those that are due as well find the thread awake. */
static void run_timer(struct sim_event *event)
{
	struct sim_loop *self = container_of(event, struct sim_loop, wake);
	struct timer *timer = first_timer(self);

	assert(timer && timer->due_ns <= self->world->now_ns);
	heap_remove(&self->timers, &timer->node);
	self->world->left.timers--;
	timer->fire(timer->arg);

	timer = first_timer(self);
	self->armed_ns = UINT64_MAX;
	if (timer && timer->due_ns <= self->world->now_ns) {
		self->armed_ns = timer->due_ns;
		sim_event_start(self->world, &self->wake, self->world->now_ns);
	}
	timers_changed(self);
}

static void run_post(struct sim_event *event);

static void channel_init(struct sim_channel *channel, struct sim_loop *from, struct sim_loop *to)
{
	sim_event_init(&channel->event, to, run_post);
	channel->from = from;
	channel->first = NULL;
	channel->last = &channel->first;
	list_init(&channel->from_link);
	list_init(&channel->to_link);
	if (from)
		list_add(&from->posts_from, &channel->from_link);
	list_add(&to->posts_to, &channel->to_link);
}

static void channel_free(struct sim_channel *channel)
{
	list_remove(&channel->from_link);
	list_remove(&channel->to_link);
	free(channel);
}

static void run_post(struct sim_event *event)
{
	struct sim_channel *channel = container_of(event, struct sim_channel, event);
	struct sim_loop *self = event->loop;
	struct world *world = self->world;
	struct post *post = channel->first;

	channel->first = post->next;
	world->left.posts--;
	if (channel->first) {
		uint64_t now_ns = world->now_ns;
		uint64_t most_ns = channel->until_ns > now_ns ? channel->until_ns - now_ns : 0;

		sim_event_start(world, event, now_ns + sim_late(self, most_ns));
	} else {
		channel->last = &channel->first;
		if (channel == &self->outside)
			self->crowded = false;
		else if (!channel->from)
			channel_free(channel);
	}
	post->run(post); /* it is its owner's again */
}

/* One that was used last stands first: a loop mostly posts to the same few. */
static struct sim_channel *find_channel(struct sim_loop *from, struct sim_loop *to)
{
	list_each(link, &from->posts_from)
	{
		struct sim_channel *channel = container_of(link, struct sim_channel, from_link);

		if (channel->event.loop != to)
			continue;
		list_remove(link);
		list_add(from->posts_from.next, link);
		return channel;
	}
	return NULL;
}

/* Posting cannot fail: without memory it goes among those of outside, and so do those after it. */
static struct sim_channel *channel_between(struct sim_loop *from, struct sim_loop *to)
{
	struct sim_channel *channel;

	if (!from)
		return &to->outside;
	channel = find_channel(from, to);
	if (channel)
		return channel;

	channel = to->crowded ? NULL : calloc(1, sizeof(*channel));
	if (!channel) {
		to->crowded = true;
		return &to->outside;
	}
	channel_init(channel, from, to);
	return channel;
}

static void op_post(struct loop *loop, struct post *post)
{
	struct sim_loop *self = sim_loop_of(loop);
	struct world *world = self->world;
	struct sim_channel *channel = channel_between(world->running, self);
	uint64_t late_ns = world->config.post_late_ns;

	if (!channel->first) {
		channel->until_ns = sim_add(world->now_ns, late_ns);
		sim_event_start(
			world, &channel->event, sim_add(world->now_ns, sim_late(self, late_ns)));
	}
	post->next = NULL;
	*channel->last = post;
	channel->last = &post->next;
	world->left.posts++;
}

struct errand {
	struct sim_event event;
	struct list link;
	struct work *work;
	uint64_t done_ns;
};

static void finish_errand(struct sim_event *event)
{
	struct errand *self = container_of(event, struct errand, event);
	struct work *work = self->work;

	list_remove(&self->link);
	event->loop->world->left.work--;
	free(self);
	work->done(work);
}

/* On a thread of its own, that is: what it posts is no loop's. */
static void run_errand(struct sim_event *event)
{
	struct errand *self = container_of(event, struct errand, event);
	struct world *world = event->loop->world;

	world->running = NULL;
	self->work->run(self->work);
	world->running = event->loop;
	event->run = finish_errand;
	sim_event_start(world, event, self->done_ns);
}

static int op_work(struct loop *loop, struct work *work)
{
	struct sim_loop *self = sim_loop_of(loop);
	struct world *world = self->world;
	struct errand *errand;
	uint64_t late_ns;

	errand = calloc(1, sizeof(*errand));
	if (!errand)
		return -ENOMEM;

	errand->work = work;
	late_ns = sim_late(self, world->config.work_late_ns);
	errand->done_ns = sim_add(world->now_ns, late_ns);
	sim_event_init(&errand->event, self, run_errand);
	sim_event_start(world, &errand->event, sim_add(world->now_ns, sim_late(self, late_ns)));
	list_add(&self->works, &errand->link);
	world->left.work++;
	return 0;
}

/* The world has no programs but those that are played in it. */
static int op_pipe_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room)
{
	(void)out;
	(void)loop;
	(void)way;
	(void)room;
	return -ENOTSUP;
}

static int op_pipe_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room)
{
	(void)line;
	return op_pipe_standard(out, loop, way, room);
}

/* And it has no file system. */
static int op_local_connect(struct tcp **out, struct loop *loop, const char *path,
	const struct tcp_events *events, void *arg)
{
	(void)out;
	(void)loop;
	(void)path;
	(void)events;
	(void)arg;
	return -ENOTSUP;
}

static int op_local_listen(struct tcp_listener **out, struct loop *loop, const char *path,
	tcp_accepted *accepted, void *arg)
{
	(void)out;
	(void)loop;
	(void)path;
	(void)accepted;
	(void)arg;
	return -ENOTSUP;
}

static const struct loop_ops ops = {
	.now = op_now,
	.wall = op_wall,
	.random = op_random,
	.timer_start = op_timer_start,
	.timer_stop = op_timer_stop,
	.post = op_post,
	.work = op_work,
	.udp_open = udp_sim_open,
	.tcp_connect = tcp_sim_connect,
	.tcp_listen = tcp_sim_listen,
	.local_connect = op_local_connect,
	.local_listen = op_local_listen,
	.pipe_standard = op_pipe_standard,
	.pipe_command = op_pipe_command,
	.route = udp_sim_route,
	.addresses = network_sim_addresses,
	.network_watch = network_sim_watch,
	.resolve = resolve_sim,
	.resolve_cancel = resolve_sim_cancel,
};

/* Its chance is its own: of the seed, the host and how many that host had before it. */
int world_loop_new(struct loop **out, struct world_host *host)
{
	struct world *world = host->world;
	struct sim_loop *self;
	uint64_t seed;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->loop.ops = &ops;
	self->world = world;
	self->host = host;
	seed = random_derive(random_derive(world->config.seed, host->number), host->loop_count++);
	random_init(&self->random, seed);
	random_init(&self->chance, random_derive(seed, 0));
	self->timers.before = timer_before;
	self->armed_ns = UINT64_MAX;
	sim_event_init(&self->wake, self, run_timer);
	list_init(&self->unarmed);
	list_init(&self->posts_from);
	list_init(&self->posts_to);
	channel_init(&self->outside, NULL, self);
	list_init(&self->works);
	list_init(&self->questions);
	world->left.loops++;
	*out = &self->loop;
	return 0;
}

static void drop_posts(struct sim_loop *self)
{
	list_each(link, &self->posts_to)
	{
		struct sim_channel *channel = container_of(link, struct sim_channel, to_link);

		sim_event_stop(self->world, &channel->event);
		for (const struct post *post = channel->first; post; post = post->next)
			self->world->left.posts--;
		if (channel != &self->outside)
			channel_free(channel);
	}
	list_each(link, &self->posts_from) /* what it has sent still arrives */
	{
		struct sim_channel *channel = container_of(link, struct sim_channel, from_link);

		channel->from = NULL;
		list_remove(&channel->from_link);
		if (!channel->first)
			channel_free(channel);
	}
}

/* Slow work is waited for, as by the real loop; what it belongs to is freed by done. */
static void finish_works(struct sim_loop *self)
{
	struct world *world = self->world;
	struct sim_loop *running = world->running;

	while (!list_empty(&self->works)) {
		struct errand *errand = container_of(self->works.next, struct errand, link);

		world->running = self;
		if (errand->event.run == run_errand) {
			sim_event_stop(world, &errand->event);
			run_errand(&errand->event);
		}
		sim_event_stop(world, &errand->event);
		finish_errand(&errand->event);
	}
	world->running = running;
}

void world_loop_free(struct loop *loop)
{
	struct sim_loop *self;
	struct timer *timer;

	if (!loop)
		return;

	self = sim_loop_of(loop);
	assert(self->world->running != self && self->sockets == 0);
	finish_works(self);
	drop_posts(self);
	resolve_sim_forget_all(self);
	while ((timer = first_timer(self)))
		timer_stop(timer);
	sim_event_stop(self->world, &self->wake);
	list_remove(&self->unarmed);
	self->world->left.loops--;
	free(self);
}

uint64_t world_now(const struct world *world)
{
	return world->now_ns;
}

uint32_t world_random_below(struct world *world, uint32_t bound)
{
	return (uint32_t)random_below(&world->play, bound);
}

void world_watch(struct world *world, world_tap *tap, void *arg)
{
	world->tap = tap;
	world->tap_arg = arg;
}

void world_left(struct world_left *out, const struct world *world)
{
	*out = world->left;
}

/* What comes next and is not of a host that is down, still in the heap; NULL: nothing. */
static struct sim_event *next_event(struct world *world)
{
	struct heap_node *first;

	list_each(link, &world->unarmed)
	{
		list_remove(link);
		arm(container_of(link, struct sim_loop, unarmed));
	}
	while ((first = heap_first(&world->events))) {
		struct sim_event *event = event_of(first);

		if (!event->loop || !event->loop->host->down)
			return event;
		heap_remove(&world->events, first);
		list_add(&event->loop->host->held, &event->held);
	}
	return NULL;
}

static void run_event(struct world *world, struct sim_event *event)
{
	assert(!world->busy);
	world->busy = true;
	world->now_ns = event->due_ns;
	world->running = event->loop;
	heap_remove(&world->events, &event->node);
	event->run(event);
	world->running = NULL;
	world->busy = false;
}

bool world_run_some(struct world *world, uint64_t until_ns, size_t most)
{
	struct sim_event *event;

	world->stopped = false;
	while (!world->stopped && (event = next_event(world)) && event->due_ns <= until_ns) {
		if (most-- == 0)
			return false;
		run_event(world, event);
	}
	if (!world->stopped && until_ns > world->now_ns)
		world->now_ns = until_ns;
	return true;
}

void world_run(struct world *world, uint64_t until_ns)
{
	(void)world_run_some(world, until_ns, SIZE_MAX);
}

void world_stop(struct world *world)
{
	world->stopped = true;
}

bool world_step(struct world *world)
{
	struct sim_event *event = next_event(world);

	if (event)
		run_event(world, event);
	return event != NULL;
}

int world_new(struct world **out, const struct world_config *config)
{
	struct world *world;
	int err;

	world = calloc(1, sizeof(*world));
	if (!world)
		return -ENOMEM;

	world->config = *config;
	world->now_ns = config->start_ns;
	world->events.before = event_before;
	random_init(&world->play, config->seed);
	list_init(&world->unarmed);
	err = host_sim_init(world);
	if (err) {
		world_free(world);
		return err;
	}
	*out = world;
	return 0;
}

void world_free(struct world *world)
{
	struct heap_node *first;

	if (!world)
		return;

	assert(!world->busy && world->left.loops == 0 && world->left.sockets == 0);
	if (world->connections.next)
		tcp_sim_close(world);
	while ((first = heap_first(&world->events))) {
		heap_remove(&world->events, first); /* without loops, all are datagrams */
		udp_sim_drop(event_of(first));
	}
	resolve_sim_close(world);
	host_sim_close(world);
	free(world);
}
