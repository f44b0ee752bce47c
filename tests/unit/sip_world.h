/*
 * A small world for tests of the SIP room: hosts with a loop each, one clock that jumps from event
 * to event, a network in memory whose datagrams a test may drop, double and delay. One thread. It
 * allocates with malloc(), so that tests may make calloc() fail.
 */
#pragma once

#include "core/base/list.h"
#include "core/base/loop.h"

struct world;

/* What happens to a datagram: a copy arrives after each delay; none: it is lost. */
struct world_fate {
	size_t copies; /* 1 */
	uint64_t delay_ns[3];
};

typedef void world_hook(void *arg, struct world_fate *fate, const struct addr *from,
	const struct addr *to, struct slice bytes);

struct world_sent {
	uint64_t at_ns;
	struct addr from, to;
	char *text; /* NUL-terminated */
};

struct world {
	struct heap timers;
	struct heap events;
	struct list sockets;
	struct list hosts;
	struct post *posts, **posts_end;
	uint64_t now_ns;
	uint64_t order;
	uint64_t random;
	size_t timer_count; /* running */
	size_t event_count; /* datagrams on their way, names being looked up */

	world_hook *hook;
	void *hook_arg;
	size_t icmp_quote; /* bytes that an ICMP error quotes */
	bool icmp_silent;  /* hosts send none */
	int send_err;      /* what udp_send() returns */
	int route_err;
	int resolve_err;  /* what loop_resolve() returns */
	const char *name; /* the one host name that there is */
	struct addr name_addr[3];
	size_t name_addr_count;
	int name_err;

	bool quiet; /* nothing is kept in sent */
	struct world_sent *sent;
	size_t sent_count;
};

/* Each datagram takes 1 ms if its fate does not say more. */
#define WORLD_WAY_NS NS_PER_MS

void world_open(struct world *world, uint64_t seed);
void world_close(struct world *world);

/* A new host; its loop lives as long as the world. */
struct loop *world_host(struct world *world, const char *address);

/* Runs everything that is due up to now + ns, and ends there. */
void world_run(struct world *world, uint64_t ns);

uint32_t world_random_below(struct world *world, uint32_t bound);

struct addr world_addr(const char *address_and_port);

/* Forgets what was sent. */
void world_forget(struct world *world);

/* A far end of plain bytes: it keeps the last datagram that it got, but for what only keeps the way
 * open. */
struct world_peer {
	struct udp *udp;
	size_t empty;     /* datagrams of empty lines */
	size_t stuns;     /* STUN messages, */
	uint8_t stun[64]; /* and the last of them */
	struct addr from;
	char last[8192];
	size_t count;
	int err; /* of the last ICMP error */
};

void world_peer_open(struct world_peer *peer, struct loop *loop, const char *address_and_port);
void world_peer_send(struct world_peer *peer, const char *to, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void world_peer_close(struct world_peer *peer);
