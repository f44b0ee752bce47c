/*
 * TCP connections of the real world, and those of local sockets, on libuv's. libuv frees a handle
 * in a later round of its loop, so an event function may free the connection: what stands on the
 * stack stays good.
 */
#include "core/net/local.h"
#include "core/net/loop_uv_private.h"
#include "core/net/mark.h"
#include "core/net/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	ROOM = 65536,      /* bytes that are read at a time */
	KEEP_ALIVE_S = 60, /* of silence; RFC 9293, section 3.8.4 */
	LINGER_S = 5, /* for the far end to take the rest, and to close, when its owner let go */
};

enum tcp_state {
	CONNECTING,
	ACCEPTED, /* and not started */
	OPEN,
	CLOSED,    /* its owner knows */
	LINGERING, /* its owner has gone; what is left is sent, what comes is dropped */
	GONE,
};

struct tcp_uv {
	struct tcp tcp;
	struct loop_uv *loop;
	enum tcp_state state;
	int err; /* that closed it; 0: the far end did */
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t local;
	} uv;
	bool is_local; /* at a path, not at an address */
	uv_connect_t connect;
	uv_shutdown_t shutdown;
	unsigned ends_left; /* of LINGERING: directions that are not at their end */
	struct addr local;
	struct addr remote;
	const struct tcp_events *events;
	void *arg;
	struct list link; /* among the lingering */
	struct timer patience;
};

struct sending {
	uv_write_t request;
	uint8_t bytes[];
};

static struct tcp_uv *tcp_uv_of(const struct tcp *tcp)
{
	return container_of(tcp, struct tcp_uv, tcp);
}

static void enter(struct tcp_uv *self, enum tcp_state state)
{
	static const uint8_t allowed[] = {
		[CONNECTING] = 1 << OPEN | 1 << CLOSED | 1 << GONE,
		[ACCEPTED] = 1 << OPEN | 1 << LINGERING | 1 << GONE,
		[OPEN] = 1 << CLOSED | 1 << LINGERING | 1 << GONE,
		[CLOSED] = 1 << LINGERING | 1 << GONE,
		[LINGERING] = 1 << GONE,
	};

	assert(self->state != GONE && allowed[self->state] & 1 << state);
	self->state = state;
}

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* libuv has a function for this, but not for what it is shutting down. */
static void make_close_reset(struct tcp_uv *self)
{
	static const struct linger none = {.l_onoff = 1};
	uv_os_fd_t fd;

	if (uv_fileno(&self->uv.handle, &fd) == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* reset: what the system still holds is thrown away, and the far end learns of it. */
static void go(struct tcp_uv *self, bool reset)
{
	enter(self, GONE);
	if (reset)
		make_close_reset(self);
	list_remove(&self->link);
	timer_stop(&self->patience);
	uv_close(&self->uv.handle, free_closed);
}

static void lose_patience(void *arg)
{
	go(arg, true);
}

void tcp_uv_forget_all(struct loop_uv *loop)
{
	list_each(link, &loop->lingering) go(container_of(link, struct tcp_uv, link), false);
}

/* One direction of a lingering connection is at its end, or all of it. */
static void end_of_rest(struct tcp_uv *self, int err)
{
	if (err || --self->ends_left == 0)
		go(self, false);
}

/* It is over. Once a connection was reset, writing says EPIPE. */
static void end(struct tcp_uv *self, int err)
{
	if (self->state == LINGERING)
		end_of_rest(self, err);
	if (self->state != CONNECTING && self->state != OPEN)
		return;

	enter(self, CLOSED);
	self->err = err == -EPIPE ? -ECONNRESET : err;
	uv_read_stop(&self->uv.stream); /* where writing has failed */
	self->events->closed(self->arg, self->err);
}

static void lend_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
	const struct tcp_uv *self = handle->data;

	(void)wanted;
	*out = uv_buf_init((char *)self->loop->tcp_room, ROOM);
}

static void take_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
	struct tcp_uv *self = stream->data;

	if (self->state == LINGERING && count >= 0)
		return;
	if (count < 0)
		uv_read_stop(stream);
	if (count == UV_EOF)
		end(self, 0);
	else if (count < 0)
		end(self, (int)count);
	else if (count > 0)
		self->events->received(
			self->arg, (struct slice){(uint8_t *)room->base, (size_t)count});
}

static int start_reading(struct tcp_uv *self)
{
	return uv_read_start(&self->uv.stream, lend_room, take_bytes);
}

static void finish_shutdown(uv_shutdown_t *request, int status)
{
	struct tcp_uv *self = request->handle->data;

	if (self->state == LINGERING)
		end_of_rest(self, status);
}

/*
 * Our last bytes, then the end of them. To close with bytes unread, or to be sent more, would be a
 * reset, which overtakes what the far end has not read yet (RFC 2525, section 2.17).
 */
static void say_goodbye(struct tcp_uv *self)
{
	self->ends_left = 2;
	uv_read_stop(&self->uv.stream); /* it may run already, or not */
	if (uv_shutdown(&self->shutdown, &self->uv.stream, finish_shutdown) || start_reading(self))
		go(self, false);
}

static int learn_local(struct tcp_uv *self)
{
	uv_os_fd_t fd;
	int err;

	if (self->is_local)
		return 0;
	err = uv_fileno(&self->uv.handle, &fd);
	return err ? err : sockaddr_local(&self->local, fd);
}

static void finish_connect(uv_connect_t *request, int status)
{
	struct tcp_uv *self = request->data;
	int err = status;

	if (self->state == GONE)
		return;
	if (!err)
		err = learn_local(self);
	if (!err)
		err = start_reading(self);
	if (err) {
		end(self, err);
		return;
	}
	enter(self, OPEN);
	self->events->connected(self->arg);
}

static void start(struct tcp *tcp, const struct tcp_events *events, void *arg)
{
	struct tcp_uv *self = tcp_uv_of(tcp);

	self->events = events;
	self->arg = arg;
	enter(self, OPEN);
	start_reading(self); /* fails only for what is not connected */
}

static void finish_send(uv_write_t *request, int status)
{
	struct tcp_uv *self = request->handle->data;

	free(request->data);
	if (status == UV_ECANCELED) /* with the connection, which has its own say */
		return;
	if (status < 0)
		end(self, status);
}

/* libuv writes at once what the system takes, and keeps the rest. */
static int send_bytes(struct tcp *tcp, struct slice bytes)
{
	struct tcp_uv *self = tcp_uv_of(tcp);
	size_t waiting = uv_stream_get_write_queue_size(&self->uv.stream);
	struct sending *sending;
	uv_buf_t buffer;
	int err;

	if (self->state == CLOSED)
		return -EPIPE;
	if (bytes.len == 0)
		return 0;
	if (waiting > TCP_UNSENT_MAX || bytes.len > TCP_UNSENT_MAX - waiting)
		return -ENOBUFS;

	sending = calloc(1, sizeof(*sending) + bytes.len);
	if (!sending)
		return -ENOMEM;

	memcpy(sending->bytes, bytes.data, bytes.len);
	sending->request.data = sending;
	buffer = uv_buf_init((char *)sending->bytes, (unsigned)bytes.len);
	err = uv_write(&sending->request, &self->uv.stream, &buffer, 1, finish_send);
	if (err)
		free(sending);
	return err;
}

static void local_address(struct addr *out, const struct tcp *tcp)
{
	*out = tcp_uv_of(tcp)->local;
}

static void remote_address(struct addr *out, const struct tcp *tcp)
{
	*out = tcp_uv_of(tcp)->remote;
}

static void free_connection(struct tcp *tcp)
{
	struct tcp_uv *self = tcp_uv_of(tcp);

	if (self->err || self->state == ACCEPTED || self->state == CONNECTING) {
		go(self, false);
		return;
	}
	enter(self, LINGERING);
	list_add(&self->loop->lingering, &self->link);
	timer_start_in(&self->patience, LINGER_S * NS_PER_S);
	say_goodbye(self);
}

/* Of family AF_UNIX, or AF_UNSPEC if it is to accept a connection of TCP. */
static int init_handle(struct tcp_uv *self, unsigned family)
{
	self->is_local = family == AF_UNIX;
	if (self->is_local)
		return uv_pipe_init(&self->loop->uv, &self->uv.local, 0);
	return uv_tcp_init_ex(&self->loop->uv, &self->uv.tcp, family);
}

/* The handle is ready; it ends by go(). */
static int make(struct tcp_uv **out, struct loop_uv *loop, unsigned family, enum tcp_state state)
{
	static const struct tcp_ops ops = {
		.start = start,
		.send = send_bytes,
		.local = local_address,
		.remote = remote_address,
		.free = free_connection,
	};
	struct tcp_uv *self;
	int err;

	if (!loop->tcp_room)
		loop->tcp_room = calloc(1, ROOM);
	if (!loop->tcp_room)
		return -ENOMEM;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->loop = loop;
	err = init_handle(self, family);
	if (err) {
		free(self);
		return err;
	}
	self->tcp.ops = &ops;
	self->state = state;
	self->uv.handle.data = self->connect.data = self;
	list_init(&self->link);
	timer_init(&self->patience, &loop->loop, lose_patience, self);
	*out = self;
	return 0;
}

/* Without these it works, only slower, and learns late of a far end that has gone. */
static void tune(struct tcp_uv *self, enum addr_family family)
{
	uv_os_fd_t fd;

	if (self->loop->dscp > 0 && uv_fileno(&self->uv.handle, &fd) == 0)
		(void)mark_socket(fd, family, self->loop->dscp);
	uv_tcp_nodelay(&self->uv.tcp, 1);
	uv_tcp_keepalive(&self->uv.tcp, 1, KEEP_ALIVE_S);
}

static unsigned system_family(const struct addr *addr)
{
	return addr->family == ADDR_IPV4 ? AF_INET : AF_INET6;
}

static int bind_from(struct tcp_uv *self, const struct addr *from)
{
	struct sockaddr_storage address;
	struct addr local = *from;

	local.port = 0;
	sockaddr_put(&address, &local);
	return uv_tcp_bind(&self->uv.tcp, (struct sockaddr *)&address, 0);
}

int tcp_uv_connect(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg)
{
	struct sockaddr_storage address;
	struct tcp_uv *self;
	int err;

	if (to->family == ADDR_NONE || (from->family != ADDR_NONE && from->family != to->family))
		return -EAFNOSUPPORT;
	err = make(&self, container_of(loop, struct loop_uv, loop), system_family(to), CONNECTING);
	if (err)
		return err;

	tune(self, to->family);
	self->events = events;
	self->arg = arg;
	self->local = *from;
	self->remote = *to;
	if (from->family != ADDR_NONE && !addr_is_any(from))
		err = bind_from(self, from);
	if (!err) {
		sockaddr_put(&address, to);
		err = uv_tcp_connect(
			&self->connect, &self->uv.tcp, (struct sockaddr *)&address, finish_connect);
	}
	if (err) {
		go(self, false);
		return err;
	}
	*out = &self->tcp;
	return 0;
}

int tcp_uv_accept(struct tcp **out, struct loop_uv *loop, uv_stream_t *listening)
{
	struct sockaddr_storage address = {0};
	int len = sizeof(address);
	struct tcp_uv *self;
	int err;

	err = make(&self, loop, AF_UNSPEC, ACCEPTED);
	if (err)
		return err;

	err = uv_accept(listening, &self->uv.stream);
	if (!err)
		err = learn_local(self);
	if (!err)
		err = uv_tcp_getpeername(&self->uv.tcp, (struct sockaddr *)&address, &len);
	if (!err)
		err = sockaddr_get(&self->remote, (struct sockaddr *)&address);
	if (err) {
		go(self, false);
		return err;
	}
	tune(self, self->remote.family);
	*out = &self->tcp;
	return 0;
}

int tcp_uv_connect_local(struct tcp **out, struct loop *loop, const char *path,
	const struct tcp_events *events, void *arg)
{
	struct tcp_uv *self;
	int err;

	err = local_check(path);
	if (!err)
		err = make(&self, container_of(loop, struct loop_uv, loop), AF_UNIX, CONNECTING);
	if (err)
		return err;

	self->events = events;
	self->arg = arg;
	uv_pipe_connect(&self->connect, &self->uv.local, path, finish_connect);
	*out = &self->tcp;
	return 0;
}

int tcp_uv_accept_local(struct tcp **out, struct loop_uv *loop, uv_stream_t *listening)
{
	struct tcp_uv *self;
	int err;

	err = make(&self, loop, AF_UNIX, ACCEPTED);
	if (err)
		return err;

	err = uv_accept(listening, &self->uv.stream);
	if (err) {
		go(self, false);
		return err;
	}
	*out = &self->tcp;
	return 0;
}
