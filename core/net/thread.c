#include "core/net/loop_uv.h"

#include "core/base/list.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct loop_thread {
	struct loop *loop;
	pthread_t thread;
	struct post stop;
};

static void *run_loop(void *arg)
{
	struct loop_thread *self = arg;

	loop_uv_run(self->loop);
	return NULL;
}

static void stop_loop(struct post *post)
{
	loop_uv_stop(container_of(post, struct loop_thread, stop)->loop);
}

int loop_thread_start(struct loop_thread **out, struct loop *loop, const char *name)
{
	struct loop_thread *self;
	sigset_t all, before;
	int err;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->loop = loop;
	self->stop.run = stop_loop;

	/* Signals are the first thread's: libuv hands them on to the loop that asked for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&self->thread, NULL, run_loop, self);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		free(self);
		return -err;
	}

	pthread_setname_np(self->thread, name);
	*out = self;
	return 0;
}

void loop_thread_stop(struct loop_thread *thread)
{
	if (!thread)
		return;

	loop_post(thread->loop, &thread->stop);
	pthread_join(thread->thread, NULL);
	free(thread);
}
