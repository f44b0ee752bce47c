/*
 * A simulated world: hosts, loops and the network between them, on one thread and in virtual time.
 * One heap of events drives it all; chance comes from one seed, so that a seed replays a run to the
 * byte. Nobody above core/net sees the difference from the real loop.
 *
 * What the real world leaves open, the seed chooses: how late a timer goes off (never early), how
 * long a post or a piece of work is on its way (those of one loop to one other in their order),
 * which of two loops comes first. Timers of one loop keep their order, since it is the thread that
 * is late, and of two things that happen at the same nanosecond the one that was begun first comes
 * first.
 *
 * What a play has a phone do, it does from an event of that phone's own loop (a timer, a post):
 * what is called from outside comes from no loop, and its posts may overtake those that the phone
 * has made.
 *
 * Whoever makes the world owns it with its hosts; loops and sockets are freed by whoever made them,
 * before the world is.
 */
#pragma once

#include "core/base/loop.h"
#include "core/net/impair.h"

struct world;
struct world_host;

struct world_config {
	uint64_t seed;
	uint64_t start_ns;      /* what loop_now() says at first; may be 0 */
	uint64_t wall_ns;       /* what loop_wall() says at first */
	uint64_t timer_late_ns; /* timers go off up to so much late */
	uint64_t post_late_ns;  /* posts arrive up to so much late */
	uint64_t work_late_ns;  /* work takes up to so long */
	uint64_t way_ns;        /* a datagram takes at least so long from host to host */
};

/* Returns -ENOMEM. */
int world_new(struct world **out, const struct world_config *config);

/* With no loop and no socket left. NULL is allowed. */
void world_free(struct world *world);

uint64_t world_now(const struct world *world);

/* A number below bound from the world's seed, for whoever writes the play. bound > 0. */
uint32_t world_random_below(struct world *world, uint32_t bound);

/*
 * addr: no other host has it; its port is not looked at. 127.0.0.0/8 and ::1 are every host's own
 * as well; what is sent there, or to its own address, does not leave the host, and nothing is
 * impaired. Returns -ENOMEM.
 */
int world_host_new(struct world_host **out, struct world *world, const struct addr *addr);

/*
 * A record that loop_resolve() finds under name, for all hosts. Both are copied. A name that is
 * told several times has several, in that order; the first DNS_RECORDS_MAX of a type are found.
 * -ENOMEM.
 */
int world_record(struct world *world, const char *name, enum dns_type type,
	const struct dns_record *record, uint32_t ttl_s);

/* The address of a host, good for a minute; as above. */
int world_name(struct world *world, const char *name, const struct addr *addr);

/* There are no such records any more, of no type. */
void world_forget_name(struct world *world, const char *name);

/* No name server answers, or one does again. */
void world_silence_names(struct world *world, bool silent);

/* How many questions were answered, or given up. */
uint64_t world_asked(const struct world *world);

/* A new loop on that host, for world_loop_free(). -ENOMEM. */
int world_loop_new(struct loop **out, struct world_host *host);

/*
 * What has been posted to it and not run is dropped, its timers and questions are forgotten; slow
 * work is waited for, and done is called. No socket is started on it any more, and it is not the
 * loop whose event is at hand. NULL is allowed.
 */
void world_loop_free(struct loop *loop);

/*
 * A host that is down sends (-ENETDOWN) and receives nothing, and answers nothing by ICMP. Nothing
 * runs on its loops: timers, posts, work and names wait until it is up again; then those that are
 * overdue come.
 */
void world_host_down(struct world_host *host);
void world_host_up(struct world_host *host);

/* It has another address from now on. Sockets bound to the old one are deaf, and sending by them
 * fails with -EADDRNOTAVAIL; those bound to 0.0.0.0 go on. */
void world_host_move(struct world_host *host, const struct addr *addr);

/* It has no address any more, and no route but to itself, until world_host_move() gives it one:
 * sending fails with -ENETUNREACH or -EADDRNOTAVAIL. What runs on it goes on, and is told. */
void world_host_unplug(struct world_host *host);

/*
 * The way from one host to another, for changing and counting. ICMP takes it too, and is counted
 * with all that it quotes. It stays the world's. -ENOMEM.
 */
int world_way(struct impair **out, struct world_host *from, struct world_host *to);

/* All ways from each host to each other, those to come as well. */
void world_impair(struct world *world, const struct impair_config *config);

/* Adds up the counts of all ways. */
void world_counts(struct impair_counts *out, const struct world *world);

/*
 * Runs all that is due up to and at the time until_ns, which then is now. Stops early, between two
 * events, once world_stop() was called by one of them.
 */
void world_run(struct world *world, uint64_t until_ns);
void world_stop(struct world *world);

/* world_run() of at most so many events; returns false if there are more. For who must not wait for
 * one who posts to itself for ever, by which no time passes. */
bool world_run_some(struct world *world, uint64_t until_ns, size_t most);

/* Runs the next event. Returns false if there is none. */
bool world_step(struct world *world);

/* What is left to happen or to be given back. */
struct world_left {
	size_t loops;
	size_t sockets;
	size_t timers; /* running */
	size_t posts;
	size_t work;
	size_t datagrams;   /* on their way */
	size_t connections; /* by TCP, until both ends are freed and all is sent */
	size_t questions;   /* to the name service */
};

void world_left(struct world_left *out, const struct world *world);

/*
 * TCP: impaired packets are sent again, so that loss shows as delay; after some 100 s without an
 * answer it is -ETIMEDOUT. The seed cuts the bytes. Tests of what uses TCP may use this world.
 */

/* What happens to a datagram, told to whoever looks on; what happens to its copies, of each. */
enum world_wire {
	WORLD_SENT,
	WORLD_ARRIVED,  /* and was received by a socket */
	WORLD_LOST,     /* by what impair says, or its host is down or has moved away, or no room */
	WORLD_UNWANTED, /* nobody listens there: ICMP goes back */
	WORLD_STREAM_SENT,    /* bytes that tcp_send() took, whole as they were given */
	WORLD_STREAM_ARRIVED, /* bytes that a connection is told of, cut as they are */
};

typedef void world_tap(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes);

/* NULL: nobody looks on. */
void world_watch(struct world *world, world_tap *tap, void *arg);
