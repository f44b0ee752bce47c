/*
 * What a person hears of calls besides their voices: the ring of one that comes, and of ours the
 * ring-back, the busy tone and what tells of a failure. A reader of the event stream that decides
 * nothing about a call. One tone sounds at a time. On the agent's thread.
 */
#pragma once

#include "audio/tone_plan.h"
#include "core/base/loop.h"
#include "core/ua/event.h"

/* What a person may have as a file instead, or not at all. */
enum ringer_sound {
	RINGER_RING,     /* a call comes */
	RINGER_WAITING,  /* another comes while one is up */
	RINGER_RINGBACK, /* it rings at the far end */
	RINGER_BUSY,     /* the far end is */
	RINGER_FAILURE,  /* a call of ours has failed in another way */
	RINGER_SOUNDS,
};

/* In place of a file: silence. */
#define RINGER_NONE "none"

struct ringer;

struct ringer_config {
	struct loop *agent_loop;
	struct loop *media_loop;
	/* Where calls are heard, as audio/open.h spells it; NULL: nowhere that a person listens. */
	const char *speaker;
	/* Where they ring; NULL: they do not, nor is it told of one that waits. */
	const char *ring_device;
	const struct tone_plan *plan;
	const char *files[RINGER_SOUNDS];           /* paths; NULL: as the plan has it */
	void (*tell)(void *arg, const char *words); /* a line for a person */
	void *arg;
};

typedef void ringer_done(void *arg);

/* What config points to is kept alive by the caller. -ENOMEM. */
int ringer_new(struct ringer **out, const struct ringer_config *config);

void ringer_event(struct ringer *ringer, const struct ua_event *event);

/* Nothing sounds any more, whatever comes: a person does not want to hear it. */
void ringer_hush(struct ringer *ringer);

/*
 * There will be no more calls. A tone that tells how the last one ended is heard for its time, a
 * few seconds; done is called once when all is silent, maybe before this returns, and after a while
 * even if a device hangs.
 */
void ringer_close(struct ringer *ringer, ringer_done *done, void *arg);

/* After done, or before anything sounded. NULL is allowed. */
void ringer_free(struct ringer *ringer);
