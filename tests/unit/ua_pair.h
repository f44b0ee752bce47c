/*
 * Two agents in the simulated world that call each other, and what their events tell, as words in a
 * log. For the tests of core/ua.
 */
#pragma once

#include "codecs/codec.h"
#include "core/base/text.h"
#include "core/net/loop_sim.h"
#include "core/ua/agent.h"

enum { LOG_SIZE = 2048 };

struct end {
	struct loop *loop;
	struct loop *media_loop;
	const struct codec *codec;
	struct agent *agent;
	struct ua_config config; /* without what pair_start() makes */
	bool logs_media;
	bool anywhere;              /* it listens on all addresses of its host */
	double near_dbfs, far_dbfs; /* by the last UA_CALL_METER */
	char room[LOG_SIZE];
	struct text log; /* a word or two an event */
	bool closed;

	/* What to do within the first event of that kind, once. */
	enum ua_event_kind hasty_at;
	void (*hasty)(struct end *end, unsigned call);
};

struct pair {
	struct world_config config;
	struct world *world;
	struct world_host *here, *there;
	struct end near, far;
};

extern const struct addr here, there, nowhere;

/* Both with one codec, PCMU, on port 5060 of here and there; a millisecond apart. */
void pair_open(struct pair *pair, struct ua_policy near, struct ua_policy far);

/* The same in two steps, so that what they are configured with can be changed in between. */
void pair_init(struct pair *pair, struct ua_policy near, struct ua_policy far);
void pair_start(struct pair *pair);

/* Ends what is left, and checks that nothing is. */
void pair_close(struct pair *pair);
void end_close(struct pair *pair, struct end *end);

/* The near end calls. */
void pair_call(struct pair *pair, const char *target);

void run_s(struct pair *pair, unsigned seconds);
void run_ms(struct pair *pair, unsigned ms);

/* The log is empty after it. */
void expect_log(struct end *end, const char *words);

void on_closed(void *arg);
