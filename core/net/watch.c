/*
 * Watching what others share with us, standard input above all: libuv would make it non-blocking,
 * for everybody who has it. An epoll of our own stands in between.
 */
#include "core/net/loop_uv_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct loop_watch {
	uv_poll_t handle; /* the first member, so that freeing the handle frees this */
	int epoll_fd;
	void (*ready)(void *arg);
	void *arg;
};

static void run_ready(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *self = handle->data;

	(void)status;
	(void)events;
	self->ready(self->arg);
}

static int epoll_of(int *out, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int err = 0;

	if (epoll_fd < 0)
		return -errno;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		err = -errno;
		close(epoll_fd);
		return err;
	}
	*out = epoll_fd;
	return 0;
}

int loop_uv_watch(
	struct loop_watch **out, struct loop *loop, int fd, void (*ready)(void *arg), void *arg)
{
	struct loop_watch *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;

	self->ready = ready;
	self->arg = arg;
	self->handle.data = self;
	err = epoll_of(&self->epoll_fd, fd);
	if (err)
		goto out;
	err = uv_poll_init(
		&container_of(loop, struct loop_uv, loop)->uv, &self->handle, self->epoll_fd);
	if (err) {
		close(self->epoll_fd);
		goto out;
	}
	err = uv_poll_start(&self->handle, UV_READABLE, run_ready);
	if (err) {
		loop_uv_unwatch(self);
		self = NULL;
		goto out;
	}

	*out = self;
	self = NULL; /* the caller's from here on */
out:
	free(self);
	return err;
}

static void free_watch(uv_handle_t *handle)
{
	struct loop_watch *self = handle->data;

	close(self->epoll_fd);
	free(self);
}

void loop_uv_unwatch(struct loop_watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->handle, free_watch);
}
