#include "cmd/script/virtual.h"

#include "audio/device.h"
#include "core/base/list.h"
#include "core/net/loop_sim.h"
#include "core/net/loop_uv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define START_WALL_NS (UINT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

enum { SLICE_EVENTS = 200 }; /* of which each may be many lines of a script */

static const uint64_t slice_ns = 100 * NS_PER_MS; /* between two looks at what others want */
static const uint64_t pace_ns = 10 * NS_PER_MS;

struct virtual
{
	struct world *world;
	struct world_host *host;
	struct loop *agent_loop;
	struct loop *media_loop;
	struct loop *signals; /* the main loop may be waiting for who reads what we print */
	struct loop_thread *signals_thread;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change; /* of stop */
	bool stop;             /* under lock */
	bool paced;            /* the thread's */

	/* A signal that has come, from the signals' thread; 0: none. */
	_Atomic int number;
	void (*caught)(void *arg, int number);
	void *arg;
	struct post signal; /* the thread's, as the next */
	int posted_number;  /* 0: signal is not on its way */
};

int virtual_new(struct virtual **out, uint64_t seed)
{
	const struct world_config config = {
		.seed = seed, .start_ns = NS_PER_S, .wall_ns = START_WALL_NS};
	const struct addr addr = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}};
	struct virtual *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;

	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->change, NULL);
	err = loop_uv_new(&self->signals);
	if (!err)
		err = world_new(&self->world, &config);
	if (!err)
		err = world_host_new(&self->host, self->world, &addr);
	if (!err)
		err = world_loop_new(&self->agent_loop, self->host);
	if (!err)
		err = world_loop_new(&self->media_loop, self->host);
	if (err) {
		virtual_free(self);
		return err;
	}
	*out = self;
	return 0;
}

void virtual_free(struct virtual *world)
{
	if (!world)
		return;

	world_loop_free(world->agent_loop);
	world_loop_free(world->media_loop);
	world_free(world->world);
	loop_uv_free(world->signals);
	pthread_cond_destroy(&world->change);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

struct loop *virtual_agent_loop(const struct virtual *world)
{
	return world->agent_loop;
}

struct loop *virtual_media_loop(const struct virtual *world)
{
	return world->media_loop;
}

static int no_device(struct fault *why)
{
	return fault_set(why, -ENODEV, "there are no sound devices in the simulated world");
}

static int open_device(struct device **out, const struct device_maker *maker, enum port_way way,
	const char *name, size_t block, struct port *port, struct fault *why)
{
	(void)out;
	(void)maker;
	(void)way;
	(void)name;
	(void)block;
	(void)port;
	return no_device(why);
}

static int check_device(
	const struct device_maker *maker, enum port_way way, const char *name, struct fault *why)
{
	(void)maker;
	(void)way;
	(void)name;
	return no_device(why);
}

const struct device_maker *virtual_devices(void)
{
	static const struct device_maker maker = {.open = open_device, .check = check_device};

	return &maker;
}

static void run_signal(struct post *post)
{
	struct virtual *self = container_of(post, struct virtual, signal);
	int number = self->posted_number;

	self->posted_number = 0;
	self->caught(self->arg, number);
}

/* Brings a signal that has come to the agents' loop. */
static void take_signal(struct virtual *self)
{
	if (self->posted_number != 0)
		return;

	self->posted_number = atomic_exchange(&self->number, 0);
	if (self->posted_number != 0)
		loop_post(self->agent_loop, &self->signal);
}

/* Returns false once the thread is to stop; waits for that as long as real time is to pass. */
static bool may_go_on(struct virtual *self)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)pace_ns;
	if (until.tv_nsec >= (long)NS_PER_S) {
		until.tv_nsec -= (long)NS_PER_S;
		until.tv_sec++;
	}
	pthread_mutex_lock(&self->lock);
	if (self->paced && !self->stop)
		(void)pthread_cond_timedwait(&self->change, &self->lock, &until);
	stop = self->stop;
	pthread_mutex_unlock(&self->lock);
	return !stop;
}

static void *run_world(void *arg)
{
	struct virtual *self = arg;

	while (may_go_on(self)) {
		uint64_t length_ns = self->paced ? pace_ns : slice_ns;

		take_signal(self);
		(void)world_run_some(self->world, world_now(self->world) + length_ns, SLICE_EVENTS);
	}
	/* what was posted before the end still runs, as before the end of a real loop */
	(void)world_run_some(self->world, world_now(self->world), SLICE_EVENTS);
	return NULL;
}

int virtual_start(struct virtual *world)
{
	sigset_t all, before;
	int err;

	err = loop_thread_start(&world->signals_thread, world->signals, "signals");
	if (err)
		return err;

	/* signals are the first thread's, as with core/net/thread.c */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&world->thread, NULL, run_world, world);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		loop_thread_stop(world->signals_thread);
		return -err;
	}
	pthread_setname_np(world->thread, "world");
	return 0;
}

void virtual_stop(struct virtual *world)
{
	pthread_mutex_lock(&world->lock);
	world->stop = true;
	pthread_cond_signal(&world->change);
	pthread_mutex_unlock(&world->lock);
	pthread_join(world->thread, NULL);
	loop_thread_stop(world->signals_thread);
}

void virtual_pace(struct virtual *world)
{
	world->paced = true;
	world_stop(world->world);
}

static void on_signal(void *arg, int number)
{
	struct virtual *self = arg;

	atomic_store(&self->number, number);
}

int virtual_signal(
	struct virtual *world, int number, void (*caught)(void *arg, int number), void *arg)
{
	world->signal.run = run_signal;
	world->caught = caught;
	world->arg = arg;
	return loop_uv_signal(world->signals, number, on_signal, world);
}
