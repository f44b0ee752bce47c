/*
 * UDP sockets of the real world: our own descriptors, watched by libuv. Datagrams are taken several
 * at a time with the moment of their arrival at this host, and ICMP errors come by the socket's
 * error queue with the datagram that they speak of (ip(7), IP_RECVERR).
 */
#include "core/net/loop_uv_private.h"
#include "core/net/mark.h"
#include "core/net/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What libuv needs until it has let go of it, which may be after the socket has. */
struct udp_watch {
	uv_poll_t poll;
	struct udp_uv *udp;
};

struct udp_uv {
	struct udp udp;
	int fd;
	struct addr local;    /* bound to, with the port that was picked */
	struct loop_uv *loop; /* NULL: it is not started */
	struct udp_watch *watch;
	const struct udp_events *events;
	void *arg;
	bool *gone; /* while an event function runs: to be set if it frees us */
};

static struct udp_uv *udp_uv_of(const struct udp *udp)
{
	return container_of(udp, struct udp_uv, udp);
}

/* The system tells arrivals by the wall clock; loops count by the steady one. */
static uint64_t arrival_ns(struct loop *loop, struct msghdr *msg)
{
	struct timespec at;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		uint64_t now = loop_now(loop);
		uint64_t wall, stamp;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof(at));
		stamp = (uint64_t)at.tv_sec * NS_PER_S + (uint64_t)at.tv_nsec;
		wall = loop_wall(loop);
		/* a stamp from before the clock was set says nothing */
		if (stamp > wall || wall - stamp > NS_PER_S)
			return now;
		return now - (wall - stamp);
	}
	return loop_now(loop);
}

static bool is_link_local(const struct in6_addr *ip)
{
	return ip->s6_addr[0] == 0xfe && (ip->s6_addr[1] & 0xc0) == 0x80;
}

/* Where a datagram went to; what was sent to a whole group is taken as sent to the socket. */
static void arrived_at(struct addr *out, const struct udp_uv *self, struct msghdr *msg)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	*out = self->local;
	if (!addr_is_any(out))
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			memcpy(out->ip, &v4.ipi_spec_dst, sizeof(v4.ipi_spec_dst));
		} else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			if (IN6_IS_ADDR_MULTICAST(&v6.ipi6_addr))
				continue;
			memcpy(out->ip, &v6.ipi6_addr, sizeof(v6.ipi6_addr));
			out->scope = is_link_local(&v6.ipi6_addr) ? v6.ipi6_ifindex : 0;
		}
	}
}

static int receive(struct udp_uv *self, struct mmsghdr msgs[static UDP_BATCH])
{
	struct udp_batch *batch = self->loop->batch;
	struct iovec iov[UDP_BATCH];

	for (size_t i = 0; i < UDP_BATCH; i++) {
		iov[i] = (struct iovec){batch->bytes[i], UDP_DATAGRAM_MAX};
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->from[i],
			.msg_namelen = sizeof(batch->from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = batch->control[i],
			.msg_controllen = UDP_CONTROL_MAX,
		};
	}
	return recvmmsg(self->fd, msgs, UDP_BATCH, MSG_DONTWAIT, NULL);
}

/* Returns false if an event function has freed the socket. */
static bool deliver_datagrams(struct udp_uv *self)
{
	struct loop_uv *loop = self->loop;
	struct mmsghdr msgs[UDP_BATCH];
	bool gone = false;
	int count;

	self->gone = &gone;
	count = receive(self, msgs);
	for (int i = 0; i < count && !gone; i++) {
		struct slice bytes = {loop->batch->bytes[i], msgs[i].msg_len};
		struct addr from, to;

		if (sockaddr_get(&from, msgs[i].msg_hdr.msg_name) != 0)
			continue;
		arrived_at(&to, self, &msgs[i].msg_hdr);
		self->events->datagram(
			self->arg, &from, &to, bytes, arrival_ns(&loop->loop, &msgs[i].msg_hdr));
	}
	if (!gone)
		self->gone = NULL;
	return !gone;
}

static int icmp_error(struct msghdr *msg)
{
	struct sock_extended_err error;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		bool v4 = c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR;
		bool v6 = c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR;

		if (!v4 && !v6)
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		return -(int)error.ee_errno;
	}
	return 0;
}

/* Returns false if an event function has freed the socket. */
static bool deliver_errors(struct udp_uv *self)
{
	struct udp_batch *batch = self->loop->batch;
	bool gone = false;

	self->gone = &gone;
	while (!gone) {
		struct iovec iov = {batch->bytes[0], UDP_DATAGRAM_MAX};
		struct msghdr msg = {
			.msg_name = &batch->from[0],
			.msg_namelen = sizeof(batch->from[0]),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = batch->control,
			.msg_controllen = sizeof(batch->control),
		};
		ssize_t len = recvmsg(self->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
		struct addr to;
		int err;

		if (len < 0)
			break;
		err = icmp_error(&msg);
		if (err && sockaddr_get(&to, msg.msg_name) == 0)
			self->events->unreachable(
				self->arg, &to, err, (struct slice){batch->bytes[0], (size_t)len});
	}
	if (!gone)
		self->gone = NULL;
	return !gone;
}

/* libuv stops watching a descriptor that has an error to tell, so it is started again. */
static void watch(uv_poll_t *poll, int status, int events)
{
	struct udp_watch *own = poll->data;
	struct udp_uv *self = own->udp;

	(void)events;
	if (!deliver_errors(self) || !deliver_datagrams(self))
		return;
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, watch);
}

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

static int start(struct udp *udp, struct loop *loop, const struct udp_events *events, void *arg)
{
	struct udp_uv *self = udp_uv_of(udp);
	struct loop_uv *uv = container_of(loop, struct loop_uv, loop);
	struct udp_watch *own;
	int err;

	assert(!self->loop);

	if (!uv->batch)
		uv->batch = calloc(1, sizeof(*uv->batch));
	own = calloc(1, sizeof(*own));
	if (!uv->batch || !own) {
		free(own);
		return -ENOMEM;
	}
	err = uv_poll_init(&uv->uv, &own->poll, self->fd);
	if (err) {
		free(own);
		return err;
	}

	own->poll.data = own;
	own->udp = self;
	self->watch = own;
	self->loop = uv;
	self->events = events;
	self->arg = arg;
	return uv_poll_start(&own->poll, UV_READABLE, watch);
}

/* Whoever delivers to it goes no further. */
static void stop(struct udp *udp)
{
	struct udp_uv *self = udp_uv_of(udp);

	if (!self->loop)
		return;
	if (self->gone)
		*self->gone = true;
	self->gone = NULL;
	uv_close((uv_handle_t *)&self->watch->poll, free_watch);
	self->watch = NULL;
	self->loop = NULL;
}

/* Adds to msg, which has the room, from which address of this host it leaves (ip(7), ipv6(7)). */
static void leave_from(struct msghdr *msg, uint8_t *room, const struct addr *from)
{
	bool is_v4 = from->family == ADDR_IPV4;
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {.ipi6_ifindex = from->scope};
	size_t len = is_v4 ? sizeof(v4) : sizeof(v6);
	struct cmsghdr *c;

	msg->msg_control = room;
	msg->msg_controllen = CMSG_SPACE(len);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = is_v4 ? SOL_IP : SOL_IPV6;
	c->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(&v4.ipi_spec_dst, from->ip, sizeof(v4.ipi_spec_dst));
	memcpy(&v6.ipi6_addr, from->ip, sizeof(v6.ipi6_addr));
	memcpy(CMSG_DATA(c), is_v4 ? (void *)&v4 : (void *)&v6, len);
}

/*
 * An ICMP error that waits to be told makes the next send fail in the place of the one that it is
 * about (ip(7)). It is told by the error queue as well, so the send is only tried again.
 */
static int send_datagram(
	struct udp *udp, const struct addr *from, const struct addr *to, struct slice bytes)
{
	_Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct udp_uv *self = udp_uv_of(udp);
	struct sockaddr_storage address;
	struct iovec iov = {(void *)(uintptr_t)bytes.data, bytes.len};
	struct msghdr msg = {.msg_name = &address, .msg_iov = &iov, .msg_iovlen = 1};

	if (to->family != self->local.family)
		return -EAFNOSUPPORT;
	if (from && from->family != to->family)
		return -EINVAL;

	msg.msg_namelen = sockaddr_put(&address, to);
	if (from && !addr_is_any(from))
		leave_from(&msg, room, from);
	for (int tries = 0; tries < 3; tries++) {
		if (sendmsg(self->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != EINTR)
			break;
	}
	return -errno;
}

static void local_address(struct addr *out, const struct udp *udp)
{
	*out = udp_uv_of(udp)->local;
}

static void free_socket(struct udp *udp)
{
	struct udp_uv *self = udp_uv_of(udp);

	stop(udp);
	close(self->fd);
	free(self);
}

static void mark_datagrams(struct udp *udp, unsigned dscp)
{
	const struct udp_uv *self = udp_uv_of(udp);

	(void)mark_socket(self->fd, self->local.family, dscp);
}

static const struct udp_ops ops = {
	.start = start,
	.stop = stop,
	.send = send_datagram,
	.local = local_address,
	.free = free_socket,
	.mark = mark_datagrams,
};

static int make_socket(int *out, enum addr_family family)
{
	int on = 1;
	int level = family == ADDR_IPV4 ? SOL_IP : SOL_IPV6;
	int option = family == ADDR_IPV4 ? IP_RECVERR : IPV6_RECVERR;
	int fd;

	fd = socket(family == ADDR_IPV4 ? AF_INET : AF_INET6,
		SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;

	/* Without these the socket works, only with less knowledge. */
	setsockopt(fd, level, option, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(fd, level, family == ADDR_IPV4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on));
	if (family == ADDR_IPV6)
		setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	*out = fd;
	return 0;
}

int udp_uv_open(struct udp **out, struct loop *loop, const struct addr *local)
{
	struct sockaddr_storage address;
	socklen_t len = sockaddr_put(&address, local);
	struct udp_uv *self;
	unsigned dscp;
	int err;

	/* for the rest, the one that it is started on counts */
	dscp = container_of(loop, struct loop_uv, loop)->dscp;
	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;

	self->udp.ops = &ops;
	err = make_socket(&self->fd, local->family);
	if (err) {
		free(self);
		return err;
	}
	if (bind(self->fd, (struct sockaddr *)&address, len) != 0)
		err = -errno;
	else
		err = sockaddr_local(&self->local, self->fd);
	if (err) {
		free_socket(&self->udp);
		return err;
	}
	if (dscp > 0)
		udp_mark(&self->udp, dscp);
	*out = &self->udp;
	return 0;
}

/* Connecting a UDP socket sends nothing, but chooses the address to send from. */
int udp_uv_route(struct addr *out, struct loop *loop, const struct addr *to)
{
	struct addr there = *to;
	struct sockaddr_storage address;
	socklen_t len;
	int fd = -1;
	int err;

	(void)loop;
	if (there.port == 0)
		there.port = 9; /* any will do, but some systems refuse 0 */
	err = make_socket(&fd, there.family);
	if (err)
		return err;

	len = sockaddr_put(&address, &there);
	if (connect(fd, (struct sockaddr *)&address, len) != 0) {
		err = -errno;
		goto out;
	}
	err = sockaddr_local(out, fd);
	out->port = 0;
out:
	close(fd);
	return err;
}
