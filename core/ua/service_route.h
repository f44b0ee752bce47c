/*
 * The Service-Route of a registration (RFC 3608): the proxies by which the account's requests go.
 * Its owner's, on the owner's thread.
 */
#pragma once

#include "core/base/bytes.h"

struct sip_msg;

/* All zero: none. */
struct service_route {
	char *lines; /* Route lines, or NULL */
	char *hop;   /* the URI of the first of them, or NULL */
};

/* Keeps what the 200 to a REGISTER says; nothing if that cannot be used, or without memory. */
void service_route_keep(struct service_route *route, const struct sip_msg *response);

/* Forgets it. */
void service_route_drop(struct service_route *route);
