/*
 * The invariants: what has to hold in every run of the simulated world, whatever its seed. Each has
 * a name and the section of the RFC that it comes from, in one table in checks.c.
 *
 * A run shows what happens, as it happens: each event of each agent, each datagram on the wire, and
 * what is left when all is quiet. The first thing that is wrong is kept. One thread.
 */
#pragma once

#include "core/net/loop_sim.h"
#include "core/ua/event.h"

struct checks;

struct checks_config {
	unsigned agents;
	const struct addr *addrs; /* of the agents' hosts, as many */
	uint64_t timer_late_ns;   /* as the world's: how late what is to be on time may be */
	uint64_t post_late_ns;
	uint64_t way_ns; /* the most that a datagram takes, jitter included */
	bool perfect; /* the network neither loses, doubles, damages nor reorders, nobody crashes */
	bool sound;   /* phones send some */
	const uint64_t *deaf_after_ns; /* of each agent: it hangs up after so long without sound */
	uint64_t bound_ns; /* a call is over at most so long after its beginning or last hang-up */
};

/* Copies config with its lists. -ENOMEM. */
int checks_new(struct checks **out, const struct checks_config *config);
void checks_free(struct checks *checks);

/* An agent's event, as its readers get it. */
void checks_event(
	struct checks *checks, unsigned agent, const struct ua_event *event, uint64_t now_ns);

/* What its user does: hangs up call number (0: all). */
void checks_hangup(struct checks *checks, unsigned agent, unsigned call, uint64_t now_ns);

/* And that it asks the far end of call number (0: all) to be quiet, or to go on. */
void checks_hold(struct checks *checks, unsigned agent, unsigned call, bool hold, uint64_t now_ns);

/* It is gone without a word: killed, its host down, or up again with nothing remembered. */
void checks_crash(struct checks *checks, unsigned agent, uint64_t now_ns);

/* Its host has another address from now on. What was going on may not survive it. */
void checks_move(struct checks *checks, unsigned agent, const struct addr *addr, uint64_t now_ns);

/* The play says that sound comes to it now. */
void checks_hears(struct checks *checks, unsigned agent, uint64_t now_ns);

/* A datagram, or bytes of a stream (see world_watch()). */
void checks_wire(struct checks *checks, enum world_wire what, uint64_t now_ns,
	const struct addr *from, const struct addr *to, struct slice bytes);

/* All calls are over and the agents closed and freed: left should be nothing. bytes: allocated and
 * not freed by our own code since the run began. */
void checks_quiet(
	struct checks *checks, const struct world_left *left, size_t bytes, uint64_t now_ns);

/* The first that failed, or NULL. Good as long as checks is. */
struct checks_failure {
	const char *name;    /* "every 2xx has its ACK" */
	const char *section; /* "RFC 3261, section 13.2.2.4", or of our own design */
	uint64_t at_ns;
	char words[512];
};

const struct checks_failure *checks_failure(const struct checks *checks);
