/* Our addresses as the system has them, and back. Any thread. */
#pragma once

#include "core/base/addr.h"

#include <sys/socket.h>

/* Returns the length of out that is used. addr has a family. */
socklen_t sockaddr_put(struct sockaddr_storage *out, const struct addr *addr);

/* -EAFNOSUPPORT for what is neither IPv4 nor IPv6. */
int sockaddr_get(struct addr *out, const struct sockaddr *from);

/* Where that socket is bound to. A negative error code if the system does not say. */
int sockaddr_local(struct addr *out, int fd);
