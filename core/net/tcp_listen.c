/* Where TCP connections of the real world come in, and those of local sockets. */
#include "core/base/log.h"
#include "core/net/local.h"
#include "core/net/loop_uv_private.h"
#include "core/net/mark.h"
#include "core/net/sockaddr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128 };

/* Until a connection for which there was no memory is looked at again. */
#define AGAIN_NS (100 * NS_PER_MS)

struct tcp_listener_uv {
	struct tcp_listener listener;
	struct loop_uv *loop;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t local;
	} uv;
	/* As tcp_uv_accept(). */
	int (*accept)(struct tcp **out, struct loop_uv *loop, uv_stream_t *listening);
	struct timer again;
	struct addr local;      /* ADDR_NONE: it has a name instead */
	struct local_name name; /* without a path: it has an address instead */
	tcp_accepted *accepted;
	void *arg;
};

/* libuv lets no further connection in until this one was taken. */
static void take(void *arg)
{
	struct tcp_listener_uv *self = arg;
	struct tcp *tcp;
	int err;

	err = self->accept(&tcp, self->loop, &self->uv.stream);
	if (err == -ENOMEM)
		timer_start_in(&self->again, AGAIN_NS);
	if (!err)
		self->accepted(self->arg, tcp);
}

/* For want of descriptors libuv turns connections away by one that it keeps, and tells of it. */
static void come(uv_stream_t *stream, int status)
{
	char text[ADDR_TEXT_SIZE];
	struct tcp_listener_uv *self = stream->data;

	if (status == 0)
		take(self);
	else
		log_debug("tcp: no connection taken at %s: %s",
			self->name.path ? self->name.path : addr_print_port(text, &self->local),
			strerror(-status));
}

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void free_listener(struct tcp_listener *listener)
{
	struct tcp_listener_uv *self = container_of(listener, struct tcp_listener_uv, listener);

	timer_stop(&self->again);
	local_remove(&self->name);
	uv_close(&self->uv.handle, free_closed);
}

static void local_address(struct addr *out, const struct tcp_listener *listener)
{
	*out = container_of(listener, const struct tcp_listener_uv, listener)->local;
}

static int listen_at(struct tcp_listener_uv *self, const struct addr *local)
{
	unsigned flags = local->family == ADDR_IPV6 ? UV_TCP_IPV6ONLY : 0;
	struct sockaddr_storage address;
	uv_os_fd_t fd;
	int err;

	sockaddr_put(&address, local);
	err = uv_tcp_bind(&self->uv.tcp, (struct sockaddr *)&address, flags);
	if (!err)
		err = uv_fileno(&self->uv.handle, &fd);
	if (!err && self->loop->dscp > 0) /* also of what takes a connection */
		(void)mark_socket(fd, local->family, self->loop->dscp);
	if (!err)
		err = uv_listen(&self->uv.stream, BACKLOG, come);
	return err ? err : sockaddr_local(&self->local, fd);
}

/* Whoever makes its handle frees it as that has it; before, with free(). NULL: no memory. */
static struct tcp_listener_uv *new_listener(struct loop *loop, tcp_accepted *accepted, void *arg)
{
	static const struct tcp_listener_ops ops = {local_address, free_listener};
	struct tcp_listener_uv *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;

	self->listener.ops = &ops;
	self->loop = container_of(loop, struct loop_uv, loop);
	self->accepted = accepted;
	self->arg = arg;
	self->uv.handle.data = self;
	timer_init(&self->again, loop, take, self);
	return self;
}

int tcp_uv_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg)
{
	struct tcp_listener_uv *self;
	int err;

	if (local->family == ADDR_NONE)
		return -EAFNOSUPPORT;
	self = new_listener(loop, accepted, arg);
	if (!self)
		return -ENOMEM;

	self->accept = tcp_uv_accept;
	err = uv_tcp_init(&self->loop->uv, &self->uv.tcp);
	if (err) {
		free(self);
		return err;
	}
	err = listen_at(self, local);
	if (err) {
		free_listener(&self->listener);
		return err;
	}
	*out = &self->listener;
	return 0;
}

static int listen_at_path(struct tcp_listener_uv *self, const char *path)
{
	int fd;
	int err;

	err = local_listen(&fd, &self->name, path, BACKLOG);
	if (err)
		return err;

	err = uv_pipe_open(&self->uv.local, fd);
	if (err) {
		close(fd);
		return err;
	}
	return uv_listen(&self->uv.stream, BACKLOG, come);
}

int tcp_uv_listen_local(struct tcp_listener **out, struct loop *loop, const char *path,
	tcp_accepted *accepted, void *arg)
{
	struct tcp_listener_uv *self = new_listener(loop, accepted, arg);
	int err;

	if (!self)
		return -ENOMEM;

	self->accept = tcp_uv_accept_local;
	err = uv_pipe_init(&self->loop->uv, &self->uv.local, 0);
	if (err) {
		free(self);
		return err;
	}
	err = listen_at_path(self, path);
	if (err) {
		free_listener(&self->listener);
		return err;
	}
	*out = &self->listener;
	return 0;
}
