/* A socket of a simulated host for unit tests, with what came to it, and what the tap told. */
#pragma once

#include "tests/unit/sim_play.h"

enum { STATION_TEXT_SIZE = 64 };

struct station {
	struct play *play;
	struct loop *loop;
	struct udp *udp;
	struct addr from;
	struct addr to;                /* of the last datagram */
	char bytes[STATION_TEXT_SIZE]; /* the last, NUL-terminated */
	size_t count;
	uint64_t arrival_ns;
	int err; /* the last by ICMP */
	size_t errors;
	bool frees_itself; /* at the next event */
};

/* "192.0.2.1:5060" and the like. */
struct addr station_at(const char *text);
void station_assert_addr(const struct addr *addr, const char *expected);

int station_try_bind(struct udp **out, struct loop *loop, const char *local);

/* Of one that is bound. */
void station_start(struct station *station);

/* By the first loop of that host. */
void station_open(struct station *station, struct play *play, size_t host, const char *local);

/* What udp_send() returns. */
int station_send(const struct station *station, const char *to, const char *text);

struct told {
	size_t of[WORLD_STREAM_ARRIVED + 1];
	size_t bytes;
};

/* For world_watch(). */
void told_tap(void *arg, enum world_wire what, uint64_t now_ns, const struct addr *from,
	const struct addr *to, struct slice bytes);

/* Counts since the last time. */
void told_assert(struct told *told, size_t sent, size_t arrived, size_t lost, size_t unwanted);
