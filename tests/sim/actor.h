/*
 * A phone in the simulated world: a signalling loop and a media loop of a host, an agent on them,
 * and what its user knows of its calls. One life of it; after a crash another one may take its
 * place. Whoever makes it owns it. One thread, that of the world.
 */
#pragma once

#include "core/net/loop_sim.h"
#include "core/ua/agent.h"

struct actor;

struct actor_events {
	void (*event)(void *arg, const struct ua_event *event);
	/* After actor_close(): the last call has ended. */
	void (*closed)(void *arg);
};

struct actor_config {
	struct world *world;
	struct world_host *host;
	struct addr listen;
	char name;       /* its user in SIP */
	bool media;      /* PCMU; otherwise a codec that says nothing */
	bool pcma;       /* and PCMA, with media */
	const char *mic; /* as audio/open.h spells it; kept alive by the caller */
	bool wordy;      /* its INVITEs are longer than a datagram may be */
	bool udp_only;   /* listens for no connections */
	struct ua_policy policy;
	const struct actor_events *events;
	void *arg;
};

/* Returns what agent_new() and agent_listen() do. UA_LISTENING comes before it returns. */
int actor_new(struct actor **out, const struct actor_config *config);

/* With nothing left to end: actor_is_closed(). NULL is allowed. */
void actor_free(struct actor *actor);

/* Has run called once on the thread of its agent, where everything below belongs. -ENOMEM. */
int actor_errand(struct actor *actor, void (*run)(void *arg), void *arg);

/* Returns what agent_call() does; the call is the newest from then on. */
int actor_call(struct actor *actor, const char *target);

/* The number of its oldest or newest call that is not over, or 0. */
unsigned actor_oldest(const struct actor *actor);
unsigned actor_newest(const struct actor *actor);

/* How many calls are not over. */
unsigned actor_calls(const struct actor *actor);

/* call: 0 for all. */
void actor_hangup(struct actor *actor, unsigned call);

/* Asks the far end of such a call to be quiet, or to go on; nothing if it is not answered. */
void actor_hold(struct actor *actor, unsigned call, bool hold);

/* Asks the far end of such a call to talk by PCMA, or by PCMU if it does; answers one that rings.
 */
void actor_turn(struct actor *actor, unsigned call);
void actor_pick_up(struct actor *actor, unsigned call);

/* Nobody is to hear of its events any more. */
void actor_silence(struct actor *actor);

/* Ends all calls and takes no more. Once more does nothing. */
void actor_close(struct actor *actor);
bool actor_is_closed(const struct actor *actor);
