/*
 * This host's addresses and routes, and what the system tells of their changes by a socket of
 * rtnetlink(7). What a message says is only looked at as far as it tells whether it matters: the
 * system is asked afterwards how things stand, so that one that was lost (-ENOBUFS) does no harm.
 */
#include "core/net/loop_uv_private.h"
#include "core/net/settle.h"
#include "core/net/sockaddr.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGES_MAX = 16384 }; /* bytes of them that are read at a time */

struct watch_uv {
	uv_poll_t handle;
	struct network_watch watch;
	struct settle settle;
	int fd;
};

static bool is_link_local(const struct addr *addr)
{
	return addr->family == ADDR_IPV6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

static bool leads_elsewhere(struct addr *out, const struct ifaddrs *entry)
{
	if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP) || sockaddr_get(out, entry->ifa_addr))
		return false;
	out->port = 0;
	return !(entry->ifa_flags & IFF_LOOPBACK) && !is_link_local(out);
}

size_t network_uv_addresses(struct addr *out, size_t max, struct loop *loop)
{
	struct ifaddrs *all;
	size_t count = 0;

	(void)loop;
	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *entry = all; entry && count < max; entry = entry->ifa_next)
		if (leads_elsewhere(&out[count], entry))
			count++;
	freeifaddrs(all);
	return count;
}

/* A link has much to tell (its statistics, the noise on the air) that changes no address. */
static bool link_matters(const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return false;
	return message->nlmsg_type == RTM_DELLINK || link->ifi_change & (IFF_UP | IFF_RUNNING);
}

/* Nor do routes that are only remembered, or that lead to this host itself: with each address comes
 * one of those. */
static bool route_matters(const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*route)))
		return false;
	return !(route->rtm_flags & RTM_F_CLONED) && route->rtm_type == RTN_UNICAST;
}

static bool matters(const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return true;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_matters(message);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_matters(message);
	default:
		return false;
	}
}

static bool any_matters(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *message =
			(const struct nlmsghdr *)(const void *)(bytes + at);
		size_t size = message->nlmsg_len;

		if (size < sizeof(*message) || size > len - at)
			return false;
		if (matters(message))
			return true;
		size = NLMSG_ALIGN(size);
		at += size < len - at ? size : len - at;
	}
	return false;
}

/* Returns 1 if something matters, 0 if nothing does, or a negative error code: -EAGAIN, no more. */
static int read_some(int fd)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[MESSAGES_MAX];
	ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len < 0)
		return errno == ENOBUFS ? 1 : -errno;
	return any_matters(bytes, (size_t)len) ? 1 : 0;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct watch_uv *self = handle->data;
	bool heeded = false;
	int what;

	(void)events;
	while ((what = read_some(self->fd)) >= 0 || what == -EINTR)
		heeded |= what > 0;
	if (heeded)
		settle_heed(&self->settle);
	if (status < 0) /* of an error that waits, libuv stops to watch */
		uv_poll_start(&self->handle, UV_READABLE, on_readable);
}

static void free_closed(uv_handle_t *handle)
{
	struct watch_uv *self = handle->data;

	close(self->fd);
	free(self);
}

static void end(struct network_watch *watch)
{
	struct watch_uv *self = container_of(watch, struct watch_uv, watch);

	settle_stop(&self->settle);
	uv_close((uv_handle_t *)&self->handle, free_closed);
}

static int subscribe(int *out)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int err;

	if (fd < 0) /* a sandbox may know no such socket */
		return errno == EMFILE || errno == ENFILE ? -errno : -ENOTSUP;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int network_uv_watch(
	struct network_watch **out, struct loop *loop, void (*changed)(void *arg), void *arg)
{
	struct watch_uv *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;

	self->watch.end = end;
	self->handle.data = self;
	settle_init(&self->settle, loop, changed, arg);
	err = subscribe(&self->fd);
	if (err)
		goto out;
	err = uv_poll_init(&container_of(loop, struct loop_uv, loop)->uv, &self->handle, self->fd);
	if (err) {
		close(self->fd);
		goto out;
	}
	err = uv_poll_start(&self->handle, UV_READABLE, on_readable);
	if (err) {
		end(&self->watch);
		return err;
	}
	*out = &self->watch;
	self = NULL; /* the caller's from here on */
out:
	free(self);
	return err;
}
