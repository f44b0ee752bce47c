#include "core/net/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>

socklen_t sockaddr_put(struct sockaddr_storage *out, const struct addr *addr)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(addr->port),
		.sin6_scope_id = addr->scope};

	assert(addr->family != ADDR_NONE);

	*out = (struct sockaddr_storage){0};
	if (addr->family == ADDR_IPV4) {
		memcpy(&v4.sin_addr, addr->ip, sizeof(v4.sin_addr));
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, addr->ip, sizeof(v6.sin6_addr));
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

int sockaddr_get(struct addr *out, const struct sockaddr *from)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	*out = (struct addr){0};
	switch (from->sa_family) {
	case AF_INET:
		memcpy(&v4, from, sizeof(v4));
		out->family = ADDR_IPV4;
		out->port = ntohs(v4.sin_port);
		memcpy(out->ip, &v4.sin_addr, sizeof(v4.sin_addr));
		return 0;
	case AF_INET6:
		memcpy(&v6, from, sizeof(v6));
		out->family = ADDR_IPV6;
		out->port = ntohs(v6.sin6_port);
		out->scope = v6.sin6_scope_id;
		memcpy(out->ip, &v6.sin6_addr, sizeof(v6.sin6_addr));
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

int sockaddr_local(struct addr *out, int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	*out = (struct addr){0};
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return -errno;
	return sockaddr_get(out, (struct sockaddr *)&address);
}
