/*
 * A sound for whoever sits at this end, with no call about it: a tone or a file is played into one
 * sink, on the media thread and in its own time. All functions and events are on the agent's
 * thread. A player goes by itself, after it has told that it ended.
 */
#pragma once

#include "audio/tone_cadence.h"
#include "core/base/fault.h"
#include "core/base/loop.h"

#include <stdbool.h>

enum { PLAYER_RATE = 48000 }; /* Hz: what sound devices are run at */

struct player;

struct player_config {
	struct loop *agent_loop;
	struct loop *media_loop;
	const char *sink;            /* as audio/open.h spells it; kept alive until ended */
	const char *file;            /* path, kept alive likewise; NULL: cadence */
	struct tone_cadence cadence; /* of a network or a bell */
	bool repeats;                /* a file begins again at its end */
	uint64_t limit_ns;           /* it ends after so long; 0: only where its sound does */
};

struct player_events {
	/* News of the sink, one line for a person (audio/setup.h). */
	void (*told)(void *arg, const char *words);
	/*
	 * The last of all: it was stopped, or its sound or time is over. why: it could not begin or
	 * go on, else NULL. It is gone.
	 */
	void (*ended)(void *arg, const struct fault *why);
};

/* Plays as soon as file and sink are open; ends, with no fault, where the sink is "default" and
 * there is no device. -ENOMEM, or another error of loop_work(). */
int player_start(struct player **out, const struct player_config *config,
	const struct player_events *events, void *arg);

/* Ends it, without a click; ended comes later, never before this returns. Not after ended. */
void player_stop(struct player *player);

/* After player_stop(): no event comes any more, for an owner who does not wait. */
void player_leave(struct player *player);
