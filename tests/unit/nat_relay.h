/*
 * A NAT in the simulated world: what comes to its inside goes on to one server from a port of its
 * outside, and what the server sends there comes back. It forgets a port through which nothing has
 * gone out for a while, and says so to nobody; the next is another one. STUN requests to the server
 * it answers itself, in the server's place.
 */
#pragma once

#include "core/net/loop_sim.h"

#include <stdbool.h>

struct nat_relay {
	struct world_host *inside_host, *outside_host;
	struct loop *inside_loop, *outside_loop;
	struct udp *inside, *outside; /* outside NULL: it remembers nobody */
	struct addr phone, server;
	struct addr seen; /* how the server sees the phone; ADDR_NONE: not at all */
	uint16_t port;    /* the last that was used */
	uint64_t used_ns; /* when something went out */
	uint64_t idle_ns; /* after which it forgets */
	struct timer sweep;
	bool deaf; /* the server answers no STUN */
	size_t forgotten;
};

void nat_relay_open(struct nat_relay *nat, struct world *world, const struct addr *inside,
	const struct addr *outside, const struct addr *server, uint64_t idle_ns);
void nat_relay_close(struct nat_relay *nat);

/* As if it had been switched off and on. */
void nat_relay_forget(struct nat_relay *nat);

/* Its outside has another address from now on. */
void nat_relay_move(struct nat_relay *nat, const struct addr *outside);
