/*
 * How sockets of ours are seen from outside, where NATs give them other addresses: each asks a STUN
 * server by itself (RFC 8489, section 6.2.1), all at a time, for what a NAT makes of one socket
 * says nothing of another. On the loop's thread.
 *
 * The sockets stay their owner's. While it goes on they are started on loop; what comes to them
 * that is no answer is dropped. After it they are stopped, and may be started anywhere.
 */
#pragma once

#include "core/base/loop.h"

struct reflexive;

enum { REFLEXIVE_SOCKETS_MAX = 2 };

/* How long all of it takes at most, the server's name included: somebody waits for a call. */
#define REFLEXIVE_LIMIT_NS NS_PER_S

/* mapped: of each socket, in their order; ADDR_NONE: nothing was heard, or nothing that a far end
 * could send to. Good during the call. */
typedef void reflexive_done(void *arg, const struct addr *mapped);

/*
 * server: "stun.example.org", with ":PORT" or without, or an address: "192.0.2.1:3479",
 * "[2001:db8::1]". Without a port the name service is asked for the service first (section 8), as
 * stun over UDP; then, or if there is none, for the host, with port 3478. Of its addresses the
 * first is taken that has the family of the sockets.
 *
 * done is called once, never before this returns and within REFLEXIVE_LIMIT_NS. -EINVAL: server is
 * none; -ENOMEM, or what udp_start() returns.
 */
int reflexive_ask(struct reflexive **out, struct loop *loop, const char *server,
	struct udp *const *sockets, size_t count, reflexive_done *done, void *arg);

/* The sockets are their owner's again at once, and done is not called. NULL is allowed. */
void reflexive_cancel(struct reflexive *reflexive);

/* Whether server is one that reflexive_ask() takes. */
bool reflexive_is_server(const char *server);
