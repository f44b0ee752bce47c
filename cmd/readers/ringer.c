#include "cmd/readers/ringer.h"

#include "cmd/ending.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/media/player.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t tone_limit_ns = 3 * NS_PER_S;  /* of what tells how a call ended, */
static const uint64_t file_limit_ns = 10 * NS_PER_S; /* and of a file in its place */
static const uint64_t patience_ns = 150 * NS_PER_MS; /* what rings for less is not heard */
static const uint64_t close_limit_ns = 2 * NS_PER_S; /* that a device may take beyond */

/* Silence is a tone, too. */
enum { SILENCE = PLAN_TONES };

enum ring_state {
	RING_TRYING, /* ours: nothing is known of it */
	RING_BACK,   /* ours: it rings there, and nothing of theirs is heard */
	RING_EARLY,  /* ours: what they send is heard */
	RING_HERE,   /* theirs: it is to be answered */
	RING_UP,     /* answered */
};

/* Which states follow each. */
static const unsigned next_states[] = {
	[RING_TRYING] = 1U << RING_BACK | 1U << RING_EARLY | 1U << RING_UP,
	[RING_BACK] = 1U << RING_TRYING | 1U << RING_EARLY | 1U << RING_UP,
	[RING_EARLY] = 1U << RING_TRYING | 1U << RING_UP,
	[RING_HERE] = 1U << RING_UP,
	[RING_UP] = 0,
};

struct ring {
	struct list link;
	unsigned call;
	enum ring_state state;
};

struct ringer {
	struct ringer_config config;
	struct list rings; /* of struct ring: calls that are not over */
	int ending;        /* enum plan_tone: of the call that ended last; SILENCE: it is over */
	int spent;         /* has sounded or cannot, and is not to begin again while it is wanted */
	int soon;          /* what is to ring, if it is still wanted when its timer goes off */
	struct timer patience;
	bool hushed;
	bool closing;

	struct player *player; /* NULL: nothing sounds */
	int sounds;            /* what it plays */
	bool stopping;

	ringer_done *done; /* of closing; NULL: called */
	void *done_arg;
	struct timer limit;
};

/* What tells a person how a call of ours ended (ITU-T E.182); the first row that fits counts. */
static const struct {
	struct ending how;
	int tone;
} endings[] = {
	{{UA_CAUSE_LOCAL, EITHER, ANY_CODE}, SILENCE},
	{{UA_CAUSE_REMOTE, EITHER, ANY_CODE}, SILENCE},
	{{UA_CAUSE_ERROR, EITHER, ANY_CODE}, SILENCE}, /* a device of ours may be what fails */
	{{UA_CAUSE_TIMEOUT, EITHER, ANY_CODE}, PLAN_CONGESTION},
	{{UA_CAUSE_UNREACHABLE, EITHER, ANY_CODE}, PLAN_CONGESTION},
	{{UA_CAUSE_MEDIA, EITHER, ANY_CODE}, PLAN_CONGESTION},
	{{UA_CAUSE_REJECTED, NO, 486}, PLAN_BUSY},
	{{UA_CAUSE_REJECTED, NO, 600}, PLAN_BUSY},
	{{UA_CAUSE_REJECTED, NO, 603}, PLAN_BUSY},
	{{UA_CAUSE_REJECTED, NO, 404}, PLAN_INFORMATION}, /* there is none of that name, */
	{{UA_CAUSE_REJECTED, NO, 410}, PLAN_INFORMATION}, /* or no more, */
	{{UA_CAUSE_REJECTED, NO, 484}, PLAN_INFORMATION}, /* or it is not whole */
	{{UA_CAUSE_REJECTED, NO, 604}, PLAN_INFORMATION},
	{{UA_CAUSE_REJECTED, EITHER, ANY_CODE}, PLAN_CONGESTION},
};

static int ending_of(const struct ua_event *event)
{
	if (!event->ended.outgoing)
		return SILENCE;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (ending_fits(&endings[i].how, event))
			return endings[i].tone;
	return SILENCE;
}

static bool has(const struct ringer *ringer, enum ring_state state)
{
	list_each(link, &ringer->rings)
	{
		if (container_of(link, struct ring, link)->state == state)
			return true;
	}
	return false;
}

/* What a person is to hear now. */
static int wanted(const struct ringer *ringer)
{
	bool up = has(ringer, RING_UP) || has(ringer, RING_EARLY);

	if (ringer->hushed)
		return SILENCE;
	if (ringer->closing)
		return ringer->ending;
	if (has(ringer, RING_HERE))
		return up ? PLAN_WAITING : PLAN_RING;
	if (up)
		return SILENCE;
	return has(ringer, RING_BACK) ? PLAN_RINGBACK : ringer->ending;
}

static enum ringer_sound sound_of(int tone)
{
	static const enum ringer_sound sounds[] = {
		[PLAN_RINGBACK] = RINGER_RINGBACK,
		[PLAN_BUSY] = RINGER_BUSY,
		[PLAN_CONGESTION] = RINGER_FAILURE,
		[PLAN_INFORMATION] = RINGER_FAILURE,
		[PLAN_WAITING] = RINGER_WAITING,
		[PLAN_RING] = RINGER_RING,
	};

	return sounds[tone];
}

/* Whether tone tells of an end, and so has one. */
static bool is_ending(int tone)
{
	return tone == PLAN_BUSY || tone == PLAN_CONGESTION || tone == PLAN_INFORMATION;
}

static bool is_incoming(int tone)
{
	return tone == PLAN_RING || tone == PLAN_WAITING;
}

/* Where tone is to be heard, or NULL. */
static const char *sink_of(const struct ringer *ringer, int tone)
{
	const char *file = ringer->config.files[sound_of(tone)];

	if (file && strcmp(file, RINGER_NONE) == 0)
		return NULL;
	if (is_incoming(tone) && !ringer->config.ring_device)
		return NULL;
	return tone == PLAN_RING ? ringer->config.ring_device : ringer->config.speaker;
}

static uint64_t limit_of(const struct ringer *ringer, int tone)
{
	if (!is_ending(tone))
		return 0;
	return ringer->config.files[sound_of(tone)] ? file_limit_ns : tone_limit_ns;
}

static void told(void *arg, const char *words)
{
	struct ringer *ringer = arg;

	ringer->config.tell(ringer->config.arg, words);
}

static void finish(struct ringer *ringer)
{
	ringer_done *done = ringer->done;

	timer_stop(&ringer->limit);
	ringer->done = NULL;
	done(ringer->done_arg);
}

static void update(struct ringer *ringer);

static void ended(void *arg, const struct fault *why)
{
	struct ringer *ringer = arg;
	int tone = ringer->sounds;

	ringer->player = NULL;
	ringer->sounds = SILENCE;
	if (why)
		ringer->config.tell(ringer->config.arg, why->words);
	if (why || !ringer->stopping)
		ringer->spent = tone;
	update(ringer);
}

static void play(struct ringer *ringer, int tone, const char *sink)
{
	static const struct player_events events = {told, ended};
	struct player_config config = {
		.agent_loop = ringer->config.agent_loop,
		.media_loop = ringer->config.media_loop,
		.sink = sink,
		.file = ringer->config.files[sound_of(tone)],
		.repeats = !is_ending(tone),
		.limit_ns = limit_of(ringer, tone),
	};
	int err;

	tone_plan_cadence(&config.cadence, ringer->config.plan, (enum plan_tone)tone);
	err = player_start(&ringer->player, &config, &events, ringer);
	if (err) {
		log_warning("a tone cannot be played: %s", strerror(-err));
		ringer->spent = tone;
		return;
	}
	ringer->sounds = tone;
	ringer->stopping = false;
}

static void stop(struct ringer *ringer)
{
	if (!ringer->stopping)
		player_stop(ringer->player);
	ringer->stopping = true;
}

/*
 * A call that is answered or refused at once is not to be kept from a device by one that is opened
 * for a moment's ring.
 */
static bool is_time(struct ringer *ringer, int tone)
{
	if (is_ending(tone))
		return true;
	if (ringer->soon == tone)
		return !timer_running(&ringer->patience);

	ringer->soon = tone;
	timer_start_in(&ringer->patience, patience_ns);
	return false;
}

/* One after the other: a device may be for one alone. */
static void update(struct ringer *ringer)
{
	int tone = wanted(ringer);
	const char *sink = tone == SILENCE ? NULL : sink_of(ringer, tone);

	if (tone != ringer->spent)
		ringer->spent = SILENCE;
	if (tone != ringer->ending)
		ringer->ending = SILENCE; /* something else came first, and then it is too late */
	if (tone != ringer->soon) {
		ringer->soon = SILENCE;
		timer_stop(&ringer->patience);
	}
	if (ringer->player && (tone != ringer->sounds || !sink))
		stop(ringer);
	if (!ringer->player && sink && tone != ringer->spent && is_time(ringer, tone))
		play(ringer, tone, sink);
	if (!ringer->player && ringer->done)
		finish(ringer);
}

static void change_state(struct ring *ring, enum ring_state to)
{
	assert(next_states[ring->state] & 1U << to);
	ring->state = to;
}

static struct ring *find(const struct ringer *ringer, unsigned call)
{
	list_each(link, &ringer->rings)
	{
		struct ring *ring = container_of(link, struct ring, link);

		if (ring->call == call)
			return ring;
	}
	return NULL;
}

/* Whatever the last call ended with, now there is another. */
static void begin(struct ringer *ringer, unsigned call, enum ring_state state)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	ringer->ending = SILENCE;
	if (!ring) {
		log_warning("out of memory: a call comes about without a sound");
		return;
	}
	ring->call = call;
	ring->state = state;
	list_add(&ringer->rings, &ring->link);
}

static void end(struct ringer *ringer, struct ring *ring, const struct ua_event *event)
{
	if (ring) {
		list_remove(&ring->link);
		free(ring);
	}
	ringer->ending = ending_of(event);
}

/* What a call's event makes of it, where that is news. */
static void go_on(struct ring *ring, enum ua_event_kind kind)
{
	bool before = ring->state == RING_TRYING || ring->state == RING_BACK;

	if (kind == UA_CALL_RINGING && ring->state == RING_TRYING)
		change_state(ring, RING_BACK);
	else if (kind == UA_CALL_MEDIA && before)
		change_state(ring, RING_EARLY);
	else if (kind == UA_CALL_REDIRECTED && ring->state != RING_TRYING)
		change_state(ring, RING_TRYING);
	else if (kind == UA_CALL_ANSWERED)
		change_state(ring, RING_UP);
}

void ringer_event(struct ringer *ringer, const struct ua_event *event)
{
	struct ring *ring;

	if (!ringer->config.speaker && !ringer->config.ring_device)
		return; /* there may be a thousand calls, and no person */

	ring = find(ringer, event->call);
	if (event->kind == UA_CALL_OUTGOING)
		begin(ringer, event->call, RING_TRYING);
	else if (event->kind == UA_CALL_INCOMING)
		begin(ringer, event->call, RING_HERE);
	else if (event->kind == UA_CALL_ENDED)
		end(ringer, ring, event);
	else if (ring)
		go_on(ring, event->kind);
	else
		return;
	update(ringer);
}

void ringer_hush(struct ringer *ringer)
{
	ringer->hushed = true;
	if (ringer->done)
		timer_start_in(&ringer->limit, close_limit_ns);
	update(ringer);
}

static void on_patience(void *arg)
{
	update(arg);
}

/* A device that hangs is not waited for. */
static void on_limit(void *arg)
{
	struct ringer *ringer = arg;

	stop(ringer);
	player_leave(ringer->player);
	ringer->player = NULL;
	finish(ringer);
}

void ringer_close(struct ringer *ringer, ringer_done *done, void *arg)
{
	uint64_t time_ns = close_limit_ns;

	assert(!ringer->closing);
	ringer->closing = true;
	ringer->done = done;
	ringer->done_arg = arg;
	if (ringer->ending != SILENCE)
		time_ns += limit_of(ringer, ringer->ending);
	timer_start_in(&ringer->limit, time_ns);
	update(ringer);
}

int ringer_new(struct ringer **out, const struct ringer_config *config)
{
	struct ringer *ringer = calloc(1, sizeof(*ringer));

	if (!ringer)
		return -ENOMEM;

	ringer->config = *config;
	list_init(&ringer->rings);
	ringer->ending = SILENCE;
	ringer->spent = SILENCE;
	ringer->soon = SILENCE;
	ringer->sounds = SILENCE;
	timer_init(&ringer->patience, config->agent_loop, on_patience, ringer);
	timer_init(&ringer->limit, config->agent_loop, on_limit, ringer);
	*out = ringer;
	return 0;
}

void ringer_free(struct ringer *ringer)
{
	if (!ringer)
		return;

	assert(!ringer->player && !ringer->done);
	list_each(link, &ringer->rings)
	{
		struct ring *ring = container_of(link, struct ring, link);

		list_remove(&ring->link);
		free(ring);
	}
	free(ringer);
}
