#include "core/base/loop.h"

#include <assert.h>
#include <errno.h>

uint64_t loop_now(struct loop *loop)
{
	return loop->ops->now(loop);
}

uint64_t loop_wall(struct loop *loop)
{
	return loop->ops->wall(loop);
}

void loop_random(struct loop *loop, void *out, size_t len)
{
	loop->ops->random(loop, out, len);
}

/*
 * A plain remainder would favour small numbers when 2^32 is no multiple of bound. So the first
 * 2^32 % bound of the 2^32 numbers are thrown away: fewer than half of them.
 */
uint32_t loop_random_below(struct loop *loop, uint32_t bound)
{
	uint32_t number;
	uint32_t unfair;

	assert(bound > 0);
	unfair = -bound % bound; /* -bound is 2^32 - bound, which leaves the same remainder */
	do {
		loop_random(loop, &number, sizeof(number));
	} while (number < unfair);
	return number % bound;
}

void timer_init(struct timer *timer, struct loop *loop, void (*fire)(void *arg), void *arg)
{
	*timer = (struct timer){.loop = loop, .fire = fire, .arg = arg};
}

void timer_start(struct timer *timer, uint64_t due_ns)
{
	timer_stop(timer);
	timer->due_ns = due_ns;
	timer->loop->ops->timer_start(timer->loop, timer);
}

/* A delay that ends after the last nanosecond never ends; it must not end at once. */
void timer_start_in(struct timer *timer, uint64_t delay_ns)
{
	uint64_t now_ns = loop_now(timer->loop);
	uint64_t left_ns = UINT64_MAX - now_ns;

	timer_start(timer, now_ns + (delay_ns < left_ns ? delay_ns : left_ns));
}

void timer_stop(struct timer *timer)
{
	if (timer_running(timer))
		timer->loop->ops->timer_stop(timer->loop, timer);
}

bool timer_running(const struct timer *timer)
{
	return timer->node.queued;
}

void loop_post(struct loop *loop, struct post *post)
{
	loop->ops->post(loop, post);
}

int loop_work(struct loop *loop, struct work *work)
{
	return loop->ops->work(loop, work);
}

int loop_udp_open(struct udp **out, struct loop *loop, const struct addr *local)
{
	return loop->ops->udp_open(out, loop, local);
}

int udp_start(struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg)
{
	return udp->ops->start(udp, loop, events, arg);
}

void udp_stop(struct udp *udp)
{
	udp->ops->stop(udp);
}

int udp_send(struct udp *udp, const struct addr *to, struct slice bytes)
{
	return udp->ops->send(udp, NULL, to, bytes);
}

int udp_send_from(
	struct udp *udp, const struct addr *from, const struct addr *to, struct slice bytes)
{
	return udp->ops->send(udp, from, to, bytes);
}

void udp_mark(struct udp *udp, unsigned dscp)
{
	if (udp->ops->mark)
		udp->ops->mark(udp, dscp);
}

void udp_local(struct addr *out, const struct udp *udp)
{
	udp->ops->local(out, udp);
}

void udp_free(struct udp *udp)
{
	if (udp)
		udp->ops->free(udp);
}

int loop_tcp_connect(struct tcp **out, struct loop *loop, const struct addr *from,
	const struct addr *to, const struct tcp_events *events, void *arg)
{
	return loop->ops->tcp_connect(out, loop, from, to, events, arg);
}

void tcp_start(struct tcp *tcp, const struct tcp_events *events, void *arg)
{
	tcp->ops->start(tcp, events, arg);
}

int tcp_send(struct tcp *tcp, struct slice bytes)
{
	return tcp->ops->send(tcp, bytes);
}

void tcp_local(struct addr *out, const struct tcp *tcp)
{
	tcp->ops->local(out, tcp);
}

void tcp_remote(struct addr *out, const struct tcp *tcp)
{
	tcp->ops->remote(out, tcp);
}

void tcp_free(struct tcp *tcp)
{
	if (tcp)
		tcp->ops->free(tcp);
}

int loop_tcp_listen(struct tcp_listener **out, struct loop *loop, const struct addr *local,
	tcp_accepted *accepted, void *arg)
{
	return loop->ops->tcp_listen(out, loop, local, accepted, arg);
}

void tcp_listener_local(struct addr *out, const struct tcp_listener *listener)
{
	listener->ops->local(out, listener);
}

void tcp_listener_free(struct tcp_listener *listener)
{
	if (listener)
		listener->ops->free(listener);
}

int loop_local_connect(struct tcp **out, struct loop *loop, const char *path,
	const struct tcp_events *events, void *arg)
{
	return loop->ops->local_connect(out, loop, path, events, arg);
}

int loop_local_listen(struct tcp_listener **out, struct loop *loop, const char *path,
	tcp_accepted *accepted, void *arg)
{
	return loop->ops->local_listen(out, loop, path, accepted, arg);
}

int loop_pipe_standard(struct pipe **out, struct loop *loop, enum pipe_way way, size_t room)
{
	return loop->ops->pipe_standard(out, loop, way, room);
}

int loop_pipe_command(
	struct pipe **out, struct loop *loop, enum pipe_way way, const char *line, size_t room)
{
	return loop->ops->pipe_command(out, loop, way, line, room);
}

int pipe_read(struct buf *out, struct pipe *pipe)
{
	return pipe->ops->read(out, pipe);
}

int pipe_write(struct pipe *pipe, struct slice bytes)
{
	return pipe->ops->write(pipe, bytes);
}

bool pipe_exited(struct pipe_exit *out, struct pipe *pipe)
{
	return pipe->ops->exited(out, pipe);
}

void pipe_close(struct pipe *pipe, pipe_done *done, void *arg)
{
	pipe->ops->close(pipe, done, arg);
}

int loop_route(struct addr *out, struct loop *loop, const struct addr *to)
{
	return loop->ops->route(out, loop, to);
}

size_t loop_addresses(struct addr *out, size_t max, struct loop *loop)
{
	return loop->ops->addresses ? loop->ops->addresses(out, max, loop) : 0;
}

int loop_network_watch(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	return loop->ops->network_watch ? loop->ops->network_watch(out, loop, changed, arg)
					: -ENOTSUP;
}

void network_unwatch(struct network_watch *watch)
{
	if (watch)
		watch->end(watch);
}

int loop_resolve(struct resolve **out, struct loop *loop, enum dns_type type, const char *name,
	resolve_done *done, void *arg)
{
	return loop->ops->resolve(out, loop, type, name, done, arg);
}

void resolve_cancel(struct resolve *resolve)
{
	resolve->loop->ops->resolve_cancel(resolve);
}
