/* Where TCP connections of the real world come in. */
#include "core/base/log.h"
#include "core/net/loop_uv_private.h"
#include "core/net/sockaddr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 128 };

/* Until a connection for which there was no memory is looked at again. */
#define AGAIN_NS (100 * NS_PER_MS)

struct tcp_listener_uv {
	struct tcp_listener listener;
	struct loop_uv *loop;
	uv_tcp_t stream;
	struct timer again;
	struct addr local;
	tcp_accepted *accepted;
	void *arg;
};

/* libuv lets no further connection in until this one was taken. */
static void take(void *arg)
{
	struct tcp_listener_uv *self = arg;
	struct tcp *tcp;
	int err;

	err = tcp_uv_accept(&tcp, self->loop, (uv_stream_t *)&self->stream);
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
		log_debug("tcp: no connection taken at %s: %s", addr_print_port(text, &self->local),
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
	uv_close((uv_handle_t *)&self->stream, free_closed);
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
	err = uv_tcp_bind(&self->stream, (struct sockaddr *)&address, flags);
	if (!err)
		err = uv_listen((uv_stream_t *)&self->stream, BACKLOG, come);
	if (!err)
		err = uv_fileno((uv_handle_t *)&self->stream, &fd);
	return err ? err : sockaddr_local(&self->local, fd);
}

int tcp_uv_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg)
{
	static const struct tcp_listener_ops ops = {local_address, free_listener};
	struct tcp_listener_uv *self;
	int err;

	if (local->family == ADDR_NONE)
		return -EAFNOSUPPORT;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->listener.ops = &ops;
	self->loop = container_of(loop, struct loop_uv, loop);
	self->accepted = accepted;
	self->arg = arg;
	timer_init(&self->again, loop, take, self);
	err = uv_tcp_init(&self->loop->uv, &self->stream);
	if (err) {
		free(self);
		return err;
	}
	self->stream.data = self;
	err = listen_at(self, local);
	if (err) {
		free_listener(&self->listener);
		return err;
	}
	*out = &self->listener;
	return 0;
}
