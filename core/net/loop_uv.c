#include "core/net/loop_uv.h"
#include "core/net/loop_uv_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static struct loop_uv *loop_uv_of(struct loop *loop)
{
	return container_of(loop, struct loop_uv, loop);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(struct loop *loop)
{
	(void)loop;
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t wall_ns(struct loop *loop)
{
	(void)loop;
	return clock_ns(CLOCK_REALTIME);
}

/* Without chance there are no secrets, so there is nothing to go on with. */
static void fill_random(struct loop *loop, void *out, size_t len)
{
	uint8_t *next = out;

	(void)loop;
	while (len > 0) {
		ssize_t got = getrandom(next, len, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			next += got;
			len -= (size_t)got;
		}
	}
}

static struct timer *timer_of(const struct heap_node *node)
{
	return container_of(node, struct timer, node);
}

/* Of two that are due at once, the one that was started first. */
static bool timer_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct timer *first = timer_of(a);
	const struct timer *second = timer_of(b);

	if (first->due_ns != second->due_ns)
		return first->due_ns < second->due_ns;
	return first->order < second->order;
}

static void start_timer(struct loop *loop, struct timer *timer)
{
	struct loop_uv *self = loop_uv_of(loop);

	timer->order = self->timer_order++;
	heap_push(&self->timers, &timer->node);
}

static void stop_timer(struct loop *loop, struct timer *timer)
{
	heap_remove(&loop_uv_of(loop)->timers, &timer->node);
}

/* What a timer's function starts for now or before comes in the same round, in its turn. */
static void run_timers(uv_poll_t *poll, int status, int events)
{
	struct loop_uv *self = poll->data;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	struct heap_node *first;
	uint64_t expirations;

	(void)status;
	(void)events;
	if (read(self->timer_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		abort();
	self->armed_ns = 0;

	while ((first = heap_first(&self->timers)) && timer_of(first)->due_ns <= now) {
		struct timer *timer = timer_of(first);

		heap_remove(&self->timers, first);
		timer->fire(timer->arg);
	}
}

/*
 * Before each wait, so that a hundred timers started in one event cost one system call. libuv's own
 * timers count in milliseconds, which is too coarse for RTP.
 */
static void arm_timers(uv_prepare_t *prepare)
{
	struct loop_uv *self = prepare->data;
	struct heap_node *first = heap_first(&self->timers);
	struct itimerspec at = {0};
	uint64_t due_ns = 0;

	if (first) {
		due_ns = timer_of(first)->due_ns;
		if (due_ns == 0)
			due_ns = 1; /* zero would switch it off */
	}
	if (due_ns == self->armed_ns)
		return;

	at.it_value.tv_sec = (time_t)(due_ns / NS_PER_S);
	at.it_value.tv_nsec = (long)(due_ns % NS_PER_S);
	if (timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) != 0)
		abort();
	self->armed_ns = due_ns;
}

static void add_post(struct loop *loop, struct post *post)
{
	struct loop_uv *self = loop_uv_of(loop);

	post->next = NULL;
	pthread_mutex_lock(&self->mutex);
	*self->last_post = post;
	self->last_post = &post->next;
	pthread_mutex_unlock(&self->mutex);
	uv_async_send(&self->wakeup);
}

static struct post *take_posts(struct loop_uv *self)
{
	struct post *first;

	pthread_mutex_lock(&self->mutex);
	first = self->first_post;
	self->first_post = NULL;
	self->last_post = &self->first_post;
	pthread_mutex_unlock(&self->mutex);
	return first;
}

static void run_posts(uv_async_t *wakeup)
{
	struct post *post = take_posts(wakeup->data);

	while (post) {
		struct post *next = post->next; /* post is its owner's again once it runs */

		post->run(post);
		post = next;
	}
}

struct work_request {
	uv_work_t request;
	struct loop *loop;
	struct work *work;
};

static void run_work(uv_work_t *request)
{
	struct work_request *self = request->data;

	self->work->run(self->work);
}

static void finish_work(uv_work_t *request, int status)
{
	struct work_request *self = request->data;
	struct work *work = self->work;

	(void)status;
	loop_uv_of(self->loop)->away--;
	free(self);
	work->done(work);
}

static int queue_work(struct loop *loop, struct work *work)
{
	struct work_request *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->work = work;
	self->request.data = self;
	err = uv_queue_work(&loop_uv_of(loop)->uv, &self->request, run_work, finish_work);
	if (err)
		free(self);
	else
		loop_uv_of(loop)->away++;
	return err;
}

static const struct loop_ops ops = {
	.now = now_ns,
	.wall = wall_ns,
	.random = fill_random,
	.timer_start = start_timer,
	.timer_stop = stop_timer,
	.post = add_post,
	.work = queue_work,
	.udp_open = udp_uv_open,
	.tcp_connect = tcp_uv_connect,
	.tcp_listen = tcp_uv_listen,
	.local_connect = tcp_uv_connect_local,
	.local_listen = tcp_uv_listen_local,
	.pipe_standard = pipe_uv_standard,
	.pipe_command = pipe_uv_command,
	.route = udp_uv_route,
	.addresses = network_uv_addresses,
	.network_watch = network_uv_watch,
	.resolve = resolve_uv,
	.resolve_cancel = resolve_uv_cancel,
};

/* The handles of the loop itself; they fail only for want of memory or descriptors. */
static int init_handles(struct loop_uv *self)
{
	int err;

	err = uv_async_init(&self->uv, &self->wakeup, run_posts);
	if (!err)
		err = uv_prepare_init(&self->uv, &self->prepare);
	if (!err)
		err = uv_prepare_start(&self->prepare, arm_timers);
	if (!err)
		err = uv_poll_init(&self->uv, &self->timer_poll, self->timer_fd);
	if (!err)
		err = uv_poll_start(&self->timer_poll, UV_READABLE, run_timers);
	return err;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Closing handles takes a round of the loop, and what is at work has to come back first. */
static void close_uv(struct loop_uv *self)
{
	tcp_uv_forget_all(self);
	resolve_uv_forget_all(self);
	uv_walk(&self->uv, close_handle, NULL);
	while (uv_run(&self->uv, UV_RUN_DEFAULT) != 0)
		;
	if (uv_loop_close(&self->uv) != 0)
		abort();
}

int loop_uv_new(struct loop **out)
{
	struct loop_uv *self;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->loop.ops = &ops;
	self->timers.before = timer_before;
	self->last_post = &self->first_post;
	list_init(&self->signals);
	list_init(&self->lingering);
	list_init(&self->questions);
	pthread_mutex_init(&self->mutex, NULL); /* with no attributes, it cannot fail */
	self->wakeup.data = self->prepare.data = self->timer_poll.data = self;

	self->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (self->timer_fd < 0) {
		err = -errno;
		goto out;
	}
	err = uv_loop_init(&self->uv);
	if (err)
		goto out;
	self->uv.data = self; /* tells loop_uv_free() that there is one */
	err = init_handles(self);
	if (err)
		goto out;

	*out = &self->loop;
	self = NULL; /* the caller's from here on */
out:
	if (self)
		loop_uv_free(&self->loop);
	return err;
}

void loop_uv_free(struct loop *loop)
{
	struct loop_uv *self;

	if (!loop)
		return;

	self = loop_uv_of(loop);
	if (self->uv.data)
		close_uv(self);
	signal_uv_free_all(self);
	if (self->timer_fd >= 0)
		close(self->timer_fd);
	pthread_mutex_destroy(&self->mutex);
	free(self->batch);
	free(self->tcp_room);
	free(self->name_servers);
	free(self);
}

bool loop_uv_busy(const struct loop *loop)
{
	return container_of(loop, const struct loop_uv, loop)->away > 0;
}

void loop_uv_run(struct loop *loop)
{
	uv_run(&loop_uv_of(loop)->uv, UV_RUN_DEFAULT);
}

void loop_uv_stop(struct loop *loop)
{
	uv_stop(&loop_uv_of(loop)->uv);
}

void loop_uv_mark(struct loop *loop, unsigned dscp)
{
	container_of(loop, struct loop_uv, loop)->dscp = dscp;
}
